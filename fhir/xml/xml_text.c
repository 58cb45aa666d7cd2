#include "fhir/xml/xml_text.h"

size_t xml_impossible(struct slice text)
{
    for (size_t at = 0; at < text.len;) {
        size_t from = at;
        uint32_t code = utf8_next(text, &at);
        bool control = code < 0x20 && code != '\t' && code != '\n' && code != '\r';
        if (control || code == 0xfffe || code == 0xffff || code == UINT32_MAX) {
            return from;
        }
    }
    return SIZE_MAX;
}

/* Runs of what needs no escape are added whole. */
static void add_escaped(struct buf *out, struct slice text, const char *special,
                        const char *const escapes[])
{
    size_t from = 0;
    for (size_t at = 0; at < text.len; at++) {
        const char *hit = text.at[at] != '\0' ? strchr(special, text.at[at]) : NULL;
        if (hit != NULL) {
            buf_add_slice(out, slice_part(text, from, at - from));
            buf_add_cstr(out, escapes[hit - special]);
            from = at + 1;
        }
    }
    buf_add_slice(out, slice_part(text, from, SIZE_MAX));
}

void xml_add_content(struct buf *out, struct slice text)
{
    static const char *const escapes[] = {"&amp;", "&lt;", "&gt;", "&#13;"};
    add_escaped(out, text, "&<>\r", escapes);
}

void xml_add_attribute(struct buf *out, struct slice text)
{
    static const char *const escapes[] = {"&amp;", "&lt;", "&quot;", "&#9;", "&#10;", "&#13;"};
    add_escaped(out, text, "&<\"\t\n\r", escapes);
}

/* ---- narrative ---- */

struct narrator {
    struct arena *arena;
    struct buf *out;
    const struct source *source;
    struct diag_list *diags;
};

/* Elements that HTML knows without end tag: only they may be written <br/>, others <td></td>. */
static bool is_void(struct slice name)
{
    static const char *const names[] = {"area", "base", "br",   "col",   "hr",
                                        "img",  "link", "meta", "param", "input"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (slice_is(name, names[i])) {
            return true;
        }
    }
    return false;
}

static struct slice attribute_name(struct arena *arena, const xmlAttr *attribute)
{
    return attribute->ns == NULL ? slice_of((const char *)attribute->name)
                                 : arena_printf(arena, "xml:%s", (const char *)attribute->name);
}

struct named {
    struct slice name;
    const xmlAttr *attribute;
};

/* Sorted by name. Few, so insertion is as good as any way. */
static size_t sorted_attributes(struct narrator *n, const xmlNode *element, struct named **out)
{
    size_t count = 0;
    for (const xmlAttr *a = element->properties; a != NULL; a = a->next) {
        count++;
    }
    struct named *rows = ARENA_ARRAY(n->arena, count, struct named);
    size_t used = 0;
    for (const xmlAttr *a = element->properties; a != NULL; a = a->next, used++) {
        struct named row = {attribute_name(n->arena, a), a};
        size_t at = used;
        for (; at > 0 && slice_compare(row.name, rows[at - 1].name) < 0; at--) {
            rows[at] = rows[at - 1];
        }
        rows[at] = row;
    }
    *out = rows;
    return count;
}

static bool check_element(struct narrator *n, const xmlNode *element)
{
    struct slice space = xml_namespace(element);
    bool good = true;
    if (!slice_is(space, XHTML_NAMESPACE)) {
        struct diag *diag = diag_add(n->diags, DIAG_XML_NAMESPACE, xml_tag_span(n->source, element),
                                     "<%.*s> of a narrative is not in the namespace of XHTML",
                                     SLICE_ARGS(xml_name(element)));
        diag_hint(n->diags, diag, "write <div xmlns=\"" XHTML_NAMESPACE "\">");
        good = false;
    }
    for (const xmlAttr *a = element->properties; a != NULL; a = a->next) {
        if (a->ns != NULL && strcmp((const char *)a->ns->prefix, "xml") != 0) {
            diag_add(n->diags, DIAG_XML_ATTRIBUTE, xml_attribute_span(n->source, element, a),
                     "XHTML has no attribute %s:%s", (const char *)a->ns->prefix,
                     (const char *)a->name);
            good = false;
        }
    }
    return good;
}

static bool add_element(struct narrator *n, const xmlNode *element, bool outermost)
{
    struct slice name = xml_name(element);
    if (!check_element(n, element)) {
        return false;
    }
    buf_printf(n->out, "<%.*s", SLICE_ARGS(name));
    if (outermost) {
        buf_add_cstr(n->out, " xmlns=\"" XHTML_NAMESPACE "\"");
    }
    struct named *attributes;
    size_t count = sorted_attributes(n, element, &attributes);
    for (size_t i = 0; i < count; i++) {
        buf_printf(n->out, " %.*s=\"", SLICE_ARGS(attributes[i].name));
        xml_add_attribute(n->out, xml_attribute_text(n->arena, attributes[i].attribute));
        buf_add_char(n->out, '"');
    }
    if (element->children == NULL && is_void(name)) {
        buf_add_cstr(n->out, "/>");
        return true;
    }
    buf_add_char(n->out, '>');
    bool good = true;
    for (const xmlNode *child = element->children; child != NULL; child = child->next) {
        if (child->type == XML_ELEMENT_NODE) {
            good = add_element(n, child, false) && good;
        } else {
            xml_add_content(n->out, xml_text(child));
        }
    }
    buf_printf(n->out, "</%.*s>", SLICE_ARGS(name));
    return good;
}

bool xml_add_narrative(struct arena *arena, struct buf *out, const struct source *source,
                       const xmlNode *div, struct diag_list *diags)
{
    if (!slice_is(xml_name(div), "div")) {
        struct diag *diag =
            diag_add(diags, DIAG_SHAPE_NARRATIVE, xml_tag_span(source, div),
                     "a narrative is a <div>, not a <%.*s>", SLICE_ARGS(xml_name(div)));
        diag_hint(diags, diag, "write <div xmlns=\"" XHTML_NAMESPACE "\">...</div> around it");
        return false;
    }
    struct narrator narrator = {arena, out, source, diags};
    return add_element(&narrator, div, true);
}
