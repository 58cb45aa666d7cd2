/* FHIR XML to the JSON form. Each element is read into a slot of its parent's type; the slots are
 * then added in the model's order. */
#include "fhir/base/buf.h"
#include "fhir/xml/xml.h"
#include "fhir/xml/xml_shape.h"
#include "fhir/xml/xml_text.h"
#include "fhir/xml/xml_tree.h"

struct reader {
    struct arena *arena;
    const struct model *model;
    const struct source *source;
    const struct limits *limits;
    struct diag_list *diags;
    bool too_deep;
};

/* What was read for one element of a type. */
struct slot {
    const struct model_type *type; /* NULL: nothing yet */
    unsigned choice;
    struct json *values; /* a value, or the array of them */
    struct json *extras; /* of a primitive: what JSON writes under _name */
    bool has_value;
    bool has_extra;
};

static struct json *read_object(struct reader *r, const struct model_type *type,
                                const xmlNode *element, struct json *object, size_t depth);
static struct json *read_resource(struct reader *r, const xmlNode *element, size_t depth);

static bool too_deep(struct reader *r, const xmlNode *element, size_t depth)
{
    if (depth <= r->limits->depth) {
        return false;
    }
    if (!r->too_deep) {
        diag_add(r->diags, DIAG_XML_LIMIT, xml_tag_span(r->source, element),
                 "the resource is nested deeper than the %zu levels allowed", r->limits->depth);
    }
    r->too_deep = true;
    return true;
}

static void tell_empty(struct reader *r, const xmlNode *element)
{
    struct diag *diag = diag_add(r->diags, DIAG_SHAPE_EMPTY, xml_tag_span(r->source, element),
                                 "<%.*s> is empty", SLICE_ARGS(xml_name(element)));
    diag_hint(r->diags, diag, "FHIR leaves out what has no value");
}

static void tell_text(struct reader *r, const xmlNode *text)
{
    struct span span = xml_text_span(r->source, text);
    struct slice shown = slice_trim(xml_text(text));
    struct diag *diag = diag_add(r->diags, DIAG_XML_TEXT, span, "text stands where none may");
    enum { SHOWN_MOST = 60 };
    bool alone = text->next == NULL && text->prev == NULL && shown.len <= SHOWN_MOST;
    diag_hint(r->diags, diag, "a value stands in an attribute: <%.*s value=\"%.*s\"/>",
              SLICE_ARGS(xml_name(text->parent)), SLICE_ARGS(alone ? shown : SLICE("...")));
}

static bool check_namespace(struct reader *r, const xmlNode *element, const char *want)
{
    struct slice space = xml_namespace(element);
    if (slice_is(space, want)) {
        return true;
    }
    struct slice name = xml_name(element);
    struct diag *diag =
        space.len == 0
            ? diag_add(r->diags, DIAG_XML_NAMESPACE, xml_tag_span(r->source, element),
                       "<%.*s> is in no namespace", SLICE_ARGS(name))
            : diag_add(r->diags, DIAG_XML_NAMESPACE, xml_tag_span(r->source, element),
                       "<%.*s> is in the namespace %.*s", SLICE_ARGS(name), SLICE_ARGS(space));
    diag_hint(r->diags, diag, "write <%.*s xmlns=\"%s\">", SLICE_ARGS(name), want);
    return false;
}

/* ---- attributes ---- */

/* xsi:schemaLocation may stand anywhere and says nothing (FHIR R4 xml.html 2.6.1). */
static bool is_schema_location(const xmlAttr *attribute)
{
    return attribute->ns != NULL &&
           strcmp((const char *)attribute->ns->href, "http://www.w3.org/2001/XMLSchema-instance") ==
               0 &&
           strcmp((const char *)attribute->name, "schemaLocation") == 0;
}

static void tell_attribute(struct reader *r, const struct model_type *type, const xmlNode *element,
                           const xmlAttr *attribute)
{
    struct slice name = slice_of((const char *)attribute->name);
    struct diag *diag =
        diag_add(r->diags, DIAG_XML_ATTRIBUTE, xml_attribute_span(r->source, element, attribute),
                 "<%.*s> has no attribute %.*s", SLICE_ARGS(xml_name(element)), SLICE_ARGS(name));
    if (attribute->ns != NULL) {
        diag_hint(r->diags, diag, "FHIR's attributes are in no namespace");
    } else if (model_element_by_json(r->model, type, name).element != NULL) {
        diag_hint(r->diags, diag, "here it is an element: <%.*s value=\"...\"/>", SLICE_ARGS(name));
    } else if (slice_is(name, "value")) {
        diag_hint(r->diags, diag, "%.*s has elements instead",
                  SLICE_ARGS(model_type_name(r->model, type)));
    } else {
        static const struct slice names[] = {{"value", 5}, {"id", 2}, {"url", 3}};
        diag_hint_nearest(r->diags, diag, name, names, sizeof names / sizeof *names);
    }
}

/* The attribute as a string; NULL, and told, when it is empty. */
static struct json *read_attribute(struct reader *r, const xmlNode *element,
                                   const xmlAttr *attribute)
{
    struct slice text = xml_attribute_text(r->arena, attribute);
    struct span span = xml_attribute_span(r->source, element, attribute);
    if (text.len == 0) {
        struct diag *diag = diag_add(r->diags, DIAG_SHAPE_EMPTY, span, "%s is empty",
                                     (const char *)attribute->name);
        diag_hint(r->diags, diag, "FHIR leaves out what has no value");
        return NULL;
    }
    struct json *value = json_new_string(r->arena, text);
    json_set_offset(value, xml_offset(element));
    return value;
}

/* ---- primitives ---- */

static struct json *read_value(struct reader *r, const struct model_type *type,
                               const xmlNode *element, const xmlAttr *attribute)
{
    struct json *value = read_attribute(r, element, attribute);
    if (value == NULL) {
        return NULL;
    }
    struct slice text = json_text(value);
    struct span span = xml_attribute_span(r->source, element, attribute);
    if (shape_is_number(type)) {
        if (!shape_check_number(r->model, type, text, span, r->diags)) {
            return NULL;
        }
        value = json_new_number(r->arena, text);
    } else if (type->format == MODEL_FORMAT_BOOLEAN) {
        bool yes = slice_is(text, "true");
        if (!yes && !slice_is(text, "false")) {
            struct diag *diag = diag_add(r->diags, DIAG_SHAPE_VALUE, span, "\"%.*s\" is no boolean",
                                         SLICE_ARGS(text));
            diag_hint(r->diags, diag, "write true or false");
            return NULL;
        }
        value = json_new_bool(r->arena, yes);
    }
    json_set_offset(value, xml_offset(element));
    return value;
}

/* An element's value attribute; id and extensions become the object of _name. Stores NULL for what
 * is not there. */
static void read_primitive(struct reader *r, const struct model_type *type, const xmlNode *element,
                           size_t depth, struct json **value_out, struct json **extra_out)
{
    const xmlAttr *value = NULL;
    bool others = xml_content(element->children) != NULL;
    for (const xmlAttr *a = element->properties; a != NULL; a = a->next) {
        if (a->ns == NULL && strcmp((const char *)a->name, "value") == 0) {
            value = a;
        } else if (!is_schema_location(a)) {
            others = true;
        }
    }
    *value_out = value != NULL ? read_value(r, type, element, value) : NULL;
    *extra_out = NULL;
    if (others) {
        struct json *extra = json_new_object(r->arena);
        *extra_out = read_object(r, type, element, extra, depth);
    } else if (value == NULL) {
        tell_empty(r, element);
    }
}

static struct json *read_narrative(struct reader *r, const xmlNode *div)
{
    struct buf text;
    buf_init(&text, r->arena, SIZE_MAX / 4);
    if (!check_namespace(r, div, XHTML_NAMESPACE) ||
        !xml_add_narrative(r->arena, &text, r->source, div, r->diags)) {
        return NULL;
    }
    struct json *value = json_new_string(r->arena, buf_view(&text));
    json_set_offset(value, xml_offset(div));
    return value;
}

/* ---- children ---- */

/* Bundle.entry.resource, contained: exactly one resource inside. */
static struct json *read_wrapped(struct reader *r, const xmlNode *wrapper, size_t depth)
{
    for (const xmlAttr *a = wrapper->properties; a != NULL; a = a->next) {
        tell_attribute(r, model_type_find(r->model, SLICE("Resource")), wrapper, a);
    }
    const xmlNode *child = xml_content(wrapper->children);
    if (child == NULL) {
        tell_empty(r, wrapper);
        return NULL;
    }
    if (child->type != XML_ELEMENT_NODE) {
        tell_text(r, child);
        return NULL;
    }
    const xmlNode *second = xml_content(child->next);
    if (second != NULL) {
        struct diag *diag = diag_add(r->diags, DIAG_SHAPE_REPEATED, xml_tag_span(r->source, second),
                                     "<%.*s> holds one resource", SLICE_ARGS(xml_name(wrapper)));
        diag_hint(r->diags, diag, "each has a <contained> or an <entry> of its own");
        return NULL;
    }
    return read_resource(r, child, depth);
}

/* One value of any type; depth is that of an object here. */
static void read_child(struct reader *r, const struct model_type *type, const xmlNode *element,
                       size_t depth, struct json **value_out, struct json **extra_out)
{
    *value_out = NULL;
    *extra_out = NULL;
    if (too_deep(r, element, depth - 1)) { /* the array around it */
        return;
    }
    if (type->format == MODEL_FORMAT_XHTML) {
        *value_out = read_narrative(r, element);
        return;
    }
    if (!check_namespace(r, element, FHIR_NAMESPACE)) {
        return;
    }
    if (type->kind == MODEL_PRIMITIVE) {
        read_primitive(r, type, element, depth, value_out, extra_out);
    } else if (shape_is_any_resource(type)) {
        *value_out = read_wrapped(r, element, depth);
    } else {
        struct json *object = json_new_object(r->arena);
        *value_out = read_object(r, type, element, object, depth);
    }
}

static void fill_slot(struct reader *r, struct slot *slot, const struct model_element *element,
                      struct json *value, struct json *extra)
{
    slot->has_value = slot->has_value || value != NULL;
    slot->has_extra = slot->has_extra || extra != NULL;
    if (!model_repeats(element)) {
        slot->values = value;
        slot->extras = extra;
        return;
    }
    if (slot->values == NULL) {
        slot->values = json_new_array(r->arena);
        slot->extras = json_new_array(r->arena);
    }
    json_append(slot->values, value != NULL ? value : json_new_null(r->arena));
    json_append(slot->extras, extra != NULL ? extra : json_new_null(r->arena));
}

/* An element that may stand once is there again, or in another type. */
static bool check_first(struct reader *r, const struct slot *slot, struct model_member member,
                        const xmlNode *element)
{
    if (slot->type == NULL || (model_repeats(member.element) && slot->choice == member.choice)) {
        return true;
    }
    struct span span = xml_tag_span(r->source, element);
    if (slot->choice != member.choice) {
        shape_second_choice(r->model, member.element, xml_name(element), span, r->diags);
    } else {
        struct diag *diag = diag_add(r->diags, DIAG_SHAPE_REPEATED, span, "<%.*s> stands twice",
                                     SLICE_ARGS(xml_name(element)));
        diag_hint(r->diags, diag, "it may stand once");
    }
    return false;
}

static void check_order(struct reader *r, const struct model_type *type, const xmlNode *element,
                        size_t at, size_t highest)
{
    if (at >= highest) {
        return;
    }
    struct slice name = xml_name(element);
    struct slice before = model_element_name(r->model, model_element_at(r->model, type, highest));
    struct diag *diag =
        diag_add(r->diags, DIAG_XML_ORDER, xml_tag_span(r->source, element),
                 "<%.*s> stands behind <%.*s>", SLICE_ARGS(name), SLICE_ARGS(before));
    diag_hint(r->diags, diag, "in %.*s it stands before; it is read as if it did",
              SLICE_ARGS(model_type_name(r->model, type)));
}

/* The element of the type that a child is; told, and with element NULL, when it is none. */
static struct model_member find_child(struct reader *r, const struct model_type *type,
                                      const xmlNode *child)
{
    struct slice name = xml_name(child);
    struct span span = xml_tag_span(r->source, child);
    struct model_member member = model_element_by_json(r->model, type, name);
    if (member.element == NULL) {
        shape_unknown(r->model, type, name, span, r->diags);
    } else if (shape_is_attribute(member.element)) {
        struct diag *diag =
            diag_add(r->diags, DIAG_SHAPE_ELEMENT, span, "<%.*s> is no element of %.*s",
                     SLICE_ARGS(name), SLICE_ARGS(model_type_name(r->model, type)));
        diag_hint(r->diags, diag, "it is an attribute: <%.*s %.*s=\"...\">",
                  SLICE_ARGS(xml_name(child->parent)), SLICE_ARGS(name));
        member.element = NULL;
    }
    return member;
}

static void read_children(struct reader *r, const struct model_type *type, const xmlNode *parent,
                          struct slot *slots, size_t depth)
{
    size_t highest = 0;
    for (const xmlNode *child = xml_content(parent->children); child != NULL;
         child = xml_content(child->next)) {
        if (child->type != XML_ELEMENT_NODE) {
            tell_text(r, child);
            continue;
        }
        struct model_member member = find_child(r, type, child);
        if (member.element == NULL) {
            continue;
        }
        size_t at = shape_index(r->model, type, member.element, highest);
        check_order(r, type, child, at, highest);
        highest = at > highest ? at : highest;
        if (!check_first(r, &slots[at], member, child)) {
            continue;
        }
        slots[at].type = member.type;
        slots[at].choice = member.choice;
        struct json *value;
        struct json *extra;
        read_child(r, member.type, child, depth + 1 + model_repeats(member.element), &value,
                   &extra);
        fill_slot(r, &slots[at], member.element, value, extra);
    }
}

static void read_attributes(struct reader *r, const struct model_type *type, const xmlNode *element,
                            struct slot *slots)
{
    for (const xmlAttr *a = element->properties; a != NULL; a = a->next) {
        struct slice name = slice_of((const char *)a->name);
        if (is_schema_location(a) || (type->kind == MODEL_PRIMITIVE && slice_is(name, "value"))) {
            continue;
        }
        struct model_member member = model_element_by_json(r->model, type, name);
        if (a->ns != NULL || member.element == NULL || !shape_is_attribute(member.element)) {
            tell_attribute(r, type, element, a);
            continue;
        }
        struct slot *slot = &slots[shape_index(r->model, type, member.element, 0)];
        slot->type = member.type;
        slot->values = read_attribute(r, element, a);
        slot->has_value = slot->values != NULL;
    }
}

/* Reads attributes and children into the object, which is returned; NULL when it is too deep. */
static struct json *read_object(struct reader *r, const struct model_type *type,
                                const xmlNode *element, struct json *object, size_t depth)
{
    if (too_deep(r, element, depth)) {
        return NULL;
    }
    json_set_offset(object, xml_offset(element));
    struct slot *slots = ARENA_ARRAY(r->arena, type->element_count, struct slot);
    read_attributes(r, type, element, slots);
    read_children(r, type, element, slots, depth);
    bool any = false;
    for (size_t i = 0; i < type->element_count; i++) {
        struct slot *slot = &slots[i];
        any = any || slot->type != NULL;
        if (slot->type == NULL) {
            continue;
        }
        struct slice name =
            model_element_json_name(r->model, model_element_at(r->model, type, i), slot->choice);
        if (slot->has_value) {
            json_add(r->arena, object, name, slot->values);
        }
        if (slot->has_extra) {
            json_add(r->arena, object, arena_printf(r->arena, "_%.*s", SLICE_ARGS(name)),
                     slot->extras);
        }
    }
    if (!any && type->kind != MODEL_RESOURCE && type->kind != MODEL_PRIMITIVE &&
        element->properties == NULL && xml_content(element->children) == NULL) {
        tell_empty(r, element);
    }
    return object;
}

static struct json *read_resource(struct reader *r, const xmlNode *element, size_t depth)
{
    if (!check_namespace(r, element, FHIR_NAMESPACE)) {
        return NULL;
    }
    struct slice name = xml_name(element);
    const struct model_type *type =
        shape_resource(r->model, name, xml_tag_span(r->source, element), r->diags);
    if (type == NULL) {
        return NULL;
    }
    struct json *object = json_new_object(r->arena);
    struct json *type_name = json_new_string(r->arena, name);
    json_set_offset(type_name, xml_offset(element));
    json_add(r->arena, object, SLICE("resourceType"), type_name);
    return read_object(r, type, element, object, depth);
}

/* ---- whole documents ---- */

void xml_library_init(void)
{
    xmlInitParser();
}

bool xml_looks_like(struct slice text)
{
    if (slice_starts_with(text, SLICE("\xef\xbb\xbf"))) {
        text = slice_part(text, 3, SIZE_MAX);
    }
    text = slice_trim(text);
    return text.len != 0 && text.at[0] == '<';
}

enum status xml_read(struct arena *arena, const struct model *model, const struct source *source,
                     const struct limits *limits, struct diag_list *diags,
                     const struct json **json_out)
{
    struct reader reader = {
        .arena = arena, .model = model, .source = source, .limits = limits, .diags = diags};
    unsigned errors = diags->errors;
    struct xml_tree *tree;
    /* A resource inside another costs two elements and one JSON level; a narrative none of them. */
    size_t depth = limits->depth < XML_DEPTH_MOST ? limits->depth * 3 : XML_DEPTH_MOST;
    enum status status = xml_tree_open(arena, source, limits, depth, diags, &tree);
    if (status != STATUS_OK) {
        return status;
    }
    const struct json *json = read_resource(&reader, tree->root, 1);
    xml_tree_close(tree);
    if (reader.too_deep) {
        return STATUS_LIMIT;
    }
    if (json == NULL || diags->errors != errors) {
        return STATUS_INVALID;
    }
    *json_out = json;
    return STATUS_OK;
}
