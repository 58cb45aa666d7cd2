#include "gateway/plan/narrative.h"

#include "fhir/base/buf.h"

enum { NARRATIVE_MOST = 256 * 1024 }; /* bytes; a page a person reads is far smaller */

static const char *escape_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

static void add_escaped(struct buf *out, struct slice text)
{
    size_t plain = 0; /* where what is not added yet begins */
    for (size_t i = 0; i < text.len; i++) {
        const char *escape = escape_of(text.at[i]);
        if (escape != NULL) {
            buf_add(out, text.at + plain, i - plain);
            buf_add_cstr(out, escape);
            plain = i + 1;
        }
    }
    buf_add(out, text.at + plain, text.len - plain);
}

struct slice narrative_escape(struct arena *arena, struct slice text)
{
    struct buf out;
    buf_init(&out, arena, NARRATIVE_MOST);
    add_escaped(&out, text);
    return buf_view(&out);
}

static void add_element(struct buf *out, const char *name, struct slice text)
{
    buf_add_cstr(out, "<");
    buf_add_cstr(out, name);
    buf_add_cstr(out, ">");
    add_escaped(out, text);
    buf_add_cstr(out, "</");
    buf_add_cstr(out, name);
    buf_add_cstr(out, ">");
}

static struct json *as_narrative(struct arena *arena, const struct buf *div)
{
    struct json *text = json_new_object(arena);
    json_add(arena, text, SLICE("status"), json_new_string(arena, SLICE("generated")));
    json_add(arena, text, SLICE("div"), json_new_string(arena, buf_view(div)));
    return text;
}

struct json *narrative_render(struct arena *arena, const struct narrative *narrative)
{
    struct buf out;
    buf_init(&out, arena, NARRATIVE_MOST);
    buf_add_cstr(&out, "<div xmlns=\"http://www.w3.org/1999/xhtml\"");
    if (narrative->language.len != 0) {
        buf_add_cstr(&out, " lang=\"");
        add_escaped(&out, narrative->language);
        buf_add_cstr(&out, "\"");
    }
    buf_add_cstr(&out, ">");
    add_element(&out, "p", narrative->title);
    for (size_t i = 0; i < narrative->paragraph_count; i++) {
        add_element(&out, "p", narrative->paragraphs[i]);
    }
    if (narrative->line_count != 0) {
        buf_add_cstr(&out, "<ul>");
        for (size_t i = 0; i < narrative->line_count; i++) {
            add_element(&out, "li", narrative->lines[i]);
        }
        buf_add_cstr(&out, "</ul>");
    }
    buf_add_cstr(&out, "</div>");
    return as_narrative(arena, &out);
}

struct slice narrative_description(const struct json *resource)
{
    struct slice text = json_get_text(json_get(resource, "description"), "text");
    return text.len != 0 ? text : json_get_text(json_get(resource, "code"), "text");
}

struct slice narrative_language(const struct json *text)
{
    static const struct slice name = {" lang=\"", 7};
    struct slice div = json_get_text(text, "div");
    size_t end = slice_find(div, SLICE(">"), 0);
    size_t at = slice_find(slice_part(div, 0, end), name, 0);
    struct slice rest = at != SIZE_MAX ? slice_part(div, at + name.len, SIZE_MAX) : SLICE_NONE;
    struct slice language = SLICE_NONE;
    slice_cut(&rest, '"', &language);
    return language;
}

/* The shape is fixed: what stands before the first paragraph and the list are taken as they are. */
struct json *narrative_renew(struct arena *arena, const struct json *text,
                             const struct json *resource, bool with_lines)
{
    struct slice div = json_get_text(text, "div");
    size_t begin = slice_find(div, SLICE("<p>"), 0);
    size_t list = slice_find(div, SLICE("<ul>"), 0);
    bool care_plan = slice_is(json_get_text(resource, "resourceType"), "CarePlan");
    if (!slice_is(json_get_text(text, "status"), "generated") || begin == SIZE_MAX ||
        !slice_ends_with(div, SLICE("</div>"))) {
        return NULL;
    }
    struct buf out;
    buf_init(&out, arena, NARRATIVE_MOST);
    buf_add_slice(&out, slice_part(div, 0, begin));
    add_element(&out, "p",
                care_plan ? json_get_text(resource, "title") : narrative_description(resource));
    struct slice description = json_get_text(resource, "description");
    if (care_plan && description.len != 0) {
        add_element(&out, "p", description);
    }
    buf_add_slice(&out, list != SIZE_MAX && with_lines ? slice_part(div, list, SIZE_MAX)
                                                       : SLICE("</div>"));
    return as_narrative(arena, &out);
}
