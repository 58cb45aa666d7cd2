/* The JSON form to FHIR XML. The members of an object are sorted into the slots of its type, then
 * written in the model's order: attributes first, then elements. */
#include "fhir/base/buf.h"
#include "fhir/xml/xml.h"
#include "fhir/xml/xml_shape.h"
#include "fhir/xml/xml_text.h"
#include "fhir/xml/xml_tree.h"

struct writer {
    struct arena *arena;
    const struct model *model;
    const struct source *source; /* of the resource, or NULL */
    const struct limits *limits;
    struct diag_list *diags;
    struct buf out;
    bool pretty;
    size_t level; /* of indentation */
    bool too_deep;
};

/* The members that belong to one element of a type. */
struct slot {
    const struct json *value;
    const struct json *extra; /* the member _name */
    const struct model_type *type;
    unsigned choice;
};

/* What one tag is made of. */
struct tag {
    struct slice name;
    const struct model_type *type; /* that its members belong to */
    const struct json *object;     /* members; NULL: none */
    const struct json *value;      /* of a primitive; NULL: none */
    bool outermost;
};

static void write_tag(struct writer *w, struct tag tag, size_t depth);
static void write_resource(struct writer *w, const struct json *resource, bool outermost,
                           size_t depth);

static struct span value_span(const struct writer *w, const struct json *value)
{
    return json_span(w->source, value);
}

static void tell_empty(struct writer *w, const struct json *value, struct slice name)
{
    struct diag *diag = diag_add(w->diags, DIAG_SHAPE_EMPTY, value_span(w, value),
                                 "\"%.*s\" is empty", SLICE_ARGS(name));
    diag_hint(w->diags, diag, "FHIR leaves out what has no value");
}

static void tell_kind(struct writer *w, const struct json *value, struct slice name,
                      const struct model_type *type, const char *want)
{
    static const char *const kinds[] = {"null",     "a boolean", "a boolean", "a number",
                                        "a string", "a list",    "an object"};
    struct slice type_name = model_type_name(w->model, type);
    struct diag *diag = diag_add(w->diags, DIAG_SHAPE_VALUE, value_span(w, value),
                                 "\"%.*s\" is %s where %s is expected", SLICE_ARGS(name),
                                 kinds[json_kind(value)], want);
    diag_hint(w->diags, diag, "its type is %.*s", SLICE_ARGS(type_name));
}

static void break_line(struct writer *w)
{
    if (w->pretty) {
        buf_add_char(&w->out, '\n');
        for (size_t i = 0; i < w->level; i++) {
            buf_add_cstr(&w->out, "  ");
        }
    }
}

/* ---- members into slots ---- */

static void take_member(struct writer *w, const struct model_type *type, const struct json *item,
                        struct slot *slots, size_t *last)
{
    struct slice full = json_name(item);
    bool extra = full.len != 0 && full.at[0] == '_';
    struct slice name = slice_part(full, extra, SIZE_MAX);
    struct model_member member = model_element_by_json(w->model, type, name);
    if (member.element == NULL ||
        (extra && (member.type->kind != MODEL_PRIMITIVE || shape_is_attribute(member.element) ||
                   member.type->format == MODEL_FORMAT_XHTML))) {
        shape_unknown(w->model, type, full, json_name_span(w->source, item), w->diags);
        return;
    }
    *last = shape_index(w->model, type, member.element, *last);
    struct slot *slot = &slots[*last];
    if (slot->type != NULL && slot->choice != member.choice) {
        shape_second_choice(w->model, member.element, name, json_name_span(w->source, item),
                            w->diags);
        return;
    }
    slot->type = member.type;
    slot->choice = member.choice;
    *(extra ? &slot->extra : &slot->value) = item;
}

/* ---- attributes and values ---- */

static void add_attribute(struct writer *w, const char *name, const struct json *value,
                          struct slice text)
{
    size_t bad = xml_impossible(text);
    if (bad != SIZE_MAX) {
        size_t next = bad;
        struct diag *diag =
            diag_add(w->diags, DIAG_XML_ENCODING, value_span(w, value),
                     "XML cannot hold the character U+%04X", utf8_next(text, &next));
        diag_hint(w->diags, diag, "XML 1.0 has no control characters but tab and line end");
        return;
    }
    buf_printf(&w->out, " %s=\"", name);
    xml_add_attribute(&w->out, text);
    buf_add_char(&w->out, '"');
}

static void write_string_attribute(struct writer *w, const struct model_type *type,
                                   const struct json *value, const char *name)
{
    if (json_kind(value) != JSON_STRING) {
        tell_kind(w, value, slice_of(name), type, "a string");
    } else if (json_text(value).len == 0) {
        tell_empty(w, value, slice_of(name));
    } else {
        add_attribute(w, name, value, json_text(value));
    }
}

static void write_value(struct writer *w, struct slice name, const struct model_type *type,
                        const struct json *value)
{
    enum json_kind kind = json_kind(value);
    if (type->format == MODEL_FORMAT_BOOLEAN) {
        if (kind == JSON_TRUE || kind == JSON_FALSE) {
            add_attribute(w, "value", value, kind == JSON_TRUE ? SLICE("true") : SLICE("false"));
        } else {
            tell_kind(w, value, name, type, "true or false");
        }
    } else if (shape_is_number(type)) {
        if (kind != JSON_NUMBER) {
            tell_kind(w, value, name, type, "a number");
        } else if (shape_check_number(w->model, type, json_text(value), value_span(w, value),
                                      w->diags)) {
            add_attribute(w, "value", value, json_text(value));
        }
    } else if (kind != JSON_STRING) {
        tell_kind(w, value, name, type, "a string");
    } else if (json_text(value).len == 0) {
        tell_empty(w, value, name);
    } else {
        add_attribute(w, "value", value, json_text(value));
    }
}

static void write_narrative(struct writer *w, const struct model_type *type,
                            const struct json *value, struct slice name)
{
    if (json_kind(value) != JSON_STRING) {
        tell_kind(w, value, name, type, "a string");
        return;
    }
    if (!xml_looks_like(json_text(value))) {
        struct diag *diag = diag_add(w->diags, DIAG_SHAPE_NARRATIVE, value_span(w, value),
                                     "a narrative is XHTML, not plain text");
        diag_hint(w->diags, diag, "write <div xmlns=\"" XHTML_NAMESPACE "\">...</div> around it");
        return;
    }
    struct source *inner = json_string_source(w->arena, w->source, value, SLICE("narrative"));
    struct xml_tree *tree;
    if (xml_tree_open(w->arena, inner, w->limits, w->limits->depth, w->diags, &tree) == STATUS_OK) {
        break_line(w);
        xml_add_narrative(w->arena, &w->out, inner, tree->root, w->diags);
        xml_tree_close(tree);
    }
}

/* ---- elements ---- */

/* One value, and what stands under _name beside it; either may be NULL, not both. */
static void write_one(struct writer *w, struct slice name, const struct model_type *type,
                      const struct json *value, const struct json *extra, size_t depth)
{
    if (extra != NULL && json_kind(extra) != JSON_OBJECT) {
        tell_kind(w, extra, arena_printf(w->arena, "_%.*s", SLICE_ARGS(name)),
                  model_type_find(w->model, SLICE("Element")), "an object");
    } else if (type->format == MODEL_FORMAT_XHTML) {
        write_narrative(w, type, value, name);
    } else if (type->kind == MODEL_PRIMITIVE) {
        write_tag(w, (struct tag){.name = name, .type = type, .object = extra, .value = value},
                  depth);
    } else if (json_kind(value) != JSON_OBJECT) {
        tell_kind(w, value, name, type, "an object");
    } else if (shape_is_any_resource(type)) {
        break_line(w);
        buf_printf(&w->out, "<%.*s>", SLICE_ARGS(name));
        w->level++;
        write_resource(w, value, false, depth);
        w->level--;
        break_line(w);
        buf_printf(&w->out, "</%.*s>", SLICE_ARGS(name));
    } else {
        write_tag(w, (struct tag){.name = name, .type = type, .object = value}, depth);
    }
}

static const struct json *unless_null(const struct json *item)
{
    return json_is(item, JSON_NULL) ? NULL : item;
}

/* Lists of values and of what stands beside them, in step; a null fills the gaps. */
static void write_list(struct writer *w, const struct slot *slot, struct slice name, size_t depth)
{
    const struct json *lists[] = {slot->value, slot->extra};
    for (size_t i = 0; i < 2; i++) {
        if (lists[i] != NULL && json_kind(lists[i]) != JSON_ARRAY) {
            struct diag *diag = diag_add(w->diags, DIAG_SHAPE_REPEATED, value_span(w, lists[i]),
                                         "\"%.*s\" is no list", SLICE_ARGS(json_name(lists[i])));
            diag_hint(w->diags, diag, "it may repeat, so it is a list even of one: [ ... ]");
            return;
        }
        if (lists[i] != NULL && json_first(lists[i]) == NULL) {
            tell_empty(w, lists[i], json_name(lists[i]));
        }
    }
    const struct json *value = json_first(slot->value);
    const struct json *extra = json_first(slot->extra);
    while (value != NULL || extra != NULL) {
        const struct json *some = value != NULL ? value : extra;
        if (unless_null(value) == NULL && unless_null(extra) == NULL) {
            tell_empty(w, some, name);
        } else {
            write_one(w, name, slot->type, unless_null(value), unless_null(extra), depth);
        }
        value = value != NULL ? json_next(value) : NULL;
        extra = extra != NULL ? json_next(extra) : NULL;
    }
}

static void write_slot(struct writer *w, const struct slot *slot,
                       const struct model_element *element, size_t depth)
{
    struct slice name = model_element_json_name(w->model, element, slot->choice);
    if (model_repeats(element)) {
        write_list(w, slot, name, depth + 2);
        return;
    }
    const struct json *both[] = {slot->value, slot->extra};
    for (size_t i = 0; i < 2; i++) {
        if (json_is(both[i], JSON_ARRAY)) {
            struct diag *diag = diag_add(w->diags, DIAG_SHAPE_REPEATED, value_span(w, both[i]),
                                         "\"%.*s\" is a list", SLICE_ARGS(json_name(both[i])));
            diag_hint(w->diags, diag, "it may stand once: write the value without [ ]");
            return;
        }
        if (json_is(both[i], JSON_NULL)) {
            tell_empty(w, both[i], json_name(both[i]));
            return;
        }
    }
    write_one(w, name, slot->type, slot->value, slot->extra, depth + 1);
}

static bool too_deep(struct writer *w, const struct json *object, size_t depth)
{
    if (depth <= w->limits->depth) {
        return false;
    }
    if (!w->too_deep) {
        diag_add(w->diags, DIAG_XML_LIMIT, value_span(w, object),
                 "the resource is nested deeper than the %zu levels allowed", w->limits->depth);
    }
    w->too_deep = true;
    return true;
}

/* The slots of a tag's members; NULL when it has none. *children_out: some are no attributes. */
static struct slot *sort_members(struct writer *w, const struct tag *tag, bool *children_out)
{
    *children_out = false;
    if (tag->object == NULL) {
        return NULL;
    }
    struct slot *slots = ARENA_ARRAY(w->arena, tag->type->element_count, struct slot);
    size_t last = 0;
    for (const struct json *item = json_first(tag->object); item != NULL; item = json_next(item)) {
        if (tag->type->kind != MODEL_RESOURCE || !slice_is(json_name(item), "resourceType")) {
            take_member(w, tag->type, item, slots, &last);
        }
    }
    for (size_t i = 0; i < tag->type->element_count; i++) {
        *children_out =
            *children_out || (slots[i].type != NULL &&
                              !shape_is_attribute(model_element_at(w->model, tag->type, i)));
    }
    if (json_first(tag->object) == NULL) {
        tell_empty(w, tag->object, tag->name);
    }
    return slots;
}

static void write_tag(struct writer *w, struct tag tag, size_t depth)
{
    if (tag.object != NULL && too_deep(w, tag.object, depth)) {
        return;
    }
    bool children;
    struct slot *slots = sort_members(w, &tag, &children);
    break_line(w);
    buf_printf(&w->out, "<%.*s", SLICE_ARGS(tag.name));
    if (tag.outermost) {
        buf_add_cstr(&w->out, " xmlns=\"" FHIR_NAMESPACE "\"");
    }
    for (size_t i = 0; slots != NULL && i < tag.type->element_count; i++) {
        const struct model_element *element = model_element_at(w->model, tag.type, i);
        if (slots[i].type != NULL && shape_is_attribute(element)) {
            write_string_attribute(w, slots[i].type, slots[i].value,
                                   model_element_name(w->model, element).at);
        }
    }
    if (tag.value != NULL) {
        write_value(w, tag.name, tag.type, tag.value);
    }
    if (!children) {
        buf_add_cstr(&w->out, "/>");
        return;
    }
    buf_add_char(&w->out, '>');
    w->level++;
    for (size_t i = 0; i < tag.type->element_count; i++) {
        const struct model_element *element = model_element_at(w->model, tag.type, i);
        if (slots[i].type != NULL && !shape_is_attribute(element)) {
            write_slot(w, &slots[i], element, depth);
        }
    }
    w->level--;
    break_line(w);
    buf_printf(&w->out, "</%.*s>", SLICE_ARGS(tag.name));
}

static void write_resource(struct writer *w, const struct json *resource, bool outermost,
                           size_t depth)
{
    const struct json *name = json_get(resource, "resourceType");
    if (!json_is(name, JSON_STRING)) {
        struct diag *diag = diag_add(w->diags, DIAG_SHAPE_RESOURCE, value_span(w, resource),
                                     "there is no resourceType");
        diag_hint(w->diags, diag,
                  "a resource begins with it: {\"resourceType\": \"Patient\", ...}");
        return;
    }
    const struct model_type *type =
        shape_resource(w->model, json_text(name), value_span(w, name), w->diags);
    if (type != NULL) {
        write_tag(
            w,
            (struct tag){
                .name = json_text(name), .type = type, .object = resource, .outermost = outermost},
            depth);
    }
}

enum status xml_write(struct arena *arena, const struct model *model, const struct json *resource,
                      const struct source *source, enum xml_style style,
                      const struct limits *limits, struct diag_list *diags, struct slice *text_out)
{
    struct writer writer = {.arena = arena,
                            .model = model,
                            .source = source,
                            .limits = limits,
                            .diags = diags,
                            .pretty = style == XML_PRETTY};
    unsigned errors = diags->errors;
    buf_init(&writer.out, arena, SIZE_MAX / 4);
    buf_add_cstr(&writer.out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    write_resource(&writer, resource, true, 1);
    if (writer.too_deep) {
        return STATUS_LIMIT;
    }
    if (diags->errors != errors) {
        return STATUS_INVALID;
    }
    *text_out = buf_view(&writer.out);
    return STATUS_OK;
}
