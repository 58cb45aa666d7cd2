#include "gateway/mapping/describe.h"

struct shape {
    struct yaml node; /* first: a node is its shape */
    struct json *schema;
};

static struct shape *shape_of(const struct yaml *node)
{
    return (struct shape *)(void *)node;
}

const struct yaml *describe_node(struct loader *l, struct json *schema)
{
    struct shape *shape = ARENA_NEW(l->arena, struct shape);
    shape->schema = schema;
    shape->node.scalar.text = SLICE("x");
    shape->node.scalar.style = YAML_DOUBLE_QUOTED;
    return &shape->node;
}

struct json *describe_schema_of(const struct yaml *node)
{
    return shape_of(node)->schema;
}

static struct json *text(struct loader *l, const char *value)
{
    return json_new_string(l->arena, slice_of(value));
}

static void set(struct loader *l, struct json *schema, const char *name, struct json *value)
{
    json_set(l->arena, schema, slice_of(name), value);
}

/* The member of a schema, made when it is not there. */
static struct json *part_of(struct loader *l, struct json *schema, const char *name, bool array)
{
    struct json *part = (struct json *)(void *)json_get(schema, name);
    if (part == NULL) {
        part = array ? json_new_array(l->arena) : json_new_object(l->arena);
        set(l, schema, name, part);
    }
    return part;
}

static const struct yaml *add_child(struct loader *l, const struct yaml *node, const char *key,
                                    struct json *schema)
{
    struct shape *parent = shape_of(node);
    struct shape *child = shape_of(describe_node(l, schema));
    child->node.key.text = arena_copy(l->arena, slice_of(key));
    child->node.next = parent->node.first;
    parent->node.first = &child->node;
    parent->node.count++;
    return &child->node;
}

const struct yaml *describe_member(struct loader *l, const struct yaml *node, const char *key)
{
    struct shape *shape = shape_of(node);
    shape->node.kind = YAML_MAP;
    set(l, shape->schema, "type", text(l, "object"));
    struct json *properties = part_of(l, shape->schema, "properties", false);
    return add_child(l, node, key, part_of(l, properties, key, false));
}

void describe_map(struct loader *l, const struct yaml *node, const struct field *fields,
                  size_t count, void *target)
{
    struct json *schema = shape_of(node)->schema;
    struct json *required = part_of(l, schema, "required", true);
    for (size_t i = 0; i < count; i++) {
        const struct yaml *child = describe_member(l, node, fields[i].key);
        if (fields[i].read != NULL) {
            fields[i].read(l, child, target);
        }
        if (fields[i].required) {
            json_append(required, text(l, fields[i].key));
        }
    }
    set(l, schema, "additionalProperties", json_new_bool(l->arena, false));
}

void describe_close(struct loader *l, const struct yaml *node)
{
    set(l, shape_of(node)->schema, "additionalProperties", json_new_bool(l->arena, false));
}

void describe_require(struct loader *l, const struct yaml *node, const char *const *names,
                      size_t count)
{
    struct json *required = part_of(l, shape_of(node)->schema, "required", true);
    for (size_t i = 0; i < count; i++) {
        json_append(required, text(l, names[i]));
    }
}

void describe_kind(struct loader *l, const struct yaml *node, enum yaml_kind kind)
{
    struct shape *shape = shape_of(node);
    shape->node.kind = kind;
    if (kind == YAML_SCALAR) {
        static const char *const types[] = {"string", "number", "boolean"};
        struct json *list = json_new_array(l->arena);
        for (size_t i = 0; i < 3; i++) {
            json_append(list, text(l, types[i]));
        }
        set(l, shape->schema, "type", list);
        return;
    }
    bool map = kind == YAML_MAP;
    const char *where = map ? "additionalProperties" : "items";
    set(l, shape->schema, "type", text(l, map ? "object" : "array"));
    if (json_get(shape->schema, where) == NULL) {
        add_child(l, node, map ? "name" : "", part_of(l, shape->schema, where, false));
    }
}

void describe_words(struct loader *l, const struct yaml *node, const char *const *words,
                    size_t count)
{
    struct json *list = json_new_array(l->arena);
    for (size_t i = 0; i < count; i++) {
        bool truth = strcmp(words[i], "true") == 0 || strcmp(words[i], "false") == 0;
        json_append(list, truth ? json_new_bool(l->arena, words[i][0] == 't') : text(l, words[i]));
    }
    set(l, shape_of(node)->schema, "enum", list);
}

void describe_expression(struct loader *l, const struct yaml *node)
{
    set(l, shape_of(node)->schema, "type", text(l, "string"));
    set(l, shape_of(node)->schema, "description", text(l, "FHIRPath, in double quotes or a block"));
}

const struct yaml *describe_or(struct loader *l, const struct yaml *node)
{
    struct json *schema = json_new_object(l->arena);
    json_append(part_of(l, shape_of(node)->schema, "anyOf", true), schema);
    return describe_node(l, schema);
}

/* ---- templates ---- */

static const char *definition_of(struct loader *l, const struct model_type *type)
{
    return arena_printf(l->arena, "fhir.%.*s", SLICE_ARGS(model_type_name(l->model, type))).at;
}

static void refer(struct loader *l, const struct yaml *node, const struct model_type *type)
{
    const char *name = definition_of(l, type);
    set(l, shape_of(node)->schema, "$ref",
        json_new_string(l->arena, arena_printf(l->arena, "#/$defs/%s", name)));
    if (json_get(l->definitions, name) == NULL) {
        part_of(l, l->definitions, name, false);
        LOAD_ADD(l, l->to_define, l->to_define_count, type);
    }
}

/* A text with an expression in it. */
static void describe_hole(struct loader *l, const struct yaml *node)
{
    set(l, shape_of(node)->schema, "type", text(l, "string"));
    set(l, shape_of(node)->schema, "pattern", text(l, "\\{\\{.*\\}\\}"));
}

static void describe_one(struct loader *l, const struct yaml *node, const struct model_type *type,
                         const struct model_element *element)
{
    const struct model_value_set *values = element != NULL && element->strength == MODEL_REQUIRED
                                               ? model_element_value_set(l->model, element)
                                               : NULL;
    bool primitive = type->kind == MODEL_PRIMITIVE || type->kind == MODEL_SYSTEM;
    if (!primitive) {
        refer(l, describe_or(l, node), type);
    } else if (values != NULL && values->enumerable != 0) {
        const char **codes = ARENA_ARRAY(l->arena, values->code_count + 1, const char *);
        for (size_t i = 0; i < values->code_count; i++) {
            codes[i] = arena_cstr(l->arena, model_code_at(l->model, values, i).code);
        }
        describe_words(l, describe_or(l, node), codes, values->code_count);
    } else {
        describe_kind(l, describe_or(l, node), YAML_SCALAR);
    }
    describe_hole(l, describe_or(l, node));
    struct json *specials = part_of(l, l->definitions, "specials", false);
    if (json_first(specials) == NULL) {
        describe_specials(l, describe_node(l, specials));
    }
    set(l, shape_of(describe_or(l, node))->schema, "$ref", text(l, "#/$defs/specials"));
}

static void describe_element(struct loader *l, const struct yaml *node,
                             const struct model_type *type, const struct model_element *element)
{
    describe_one(l, node, type, element);
    if (model_repeats(element)) {
        const struct yaml *list = describe_or(l, node);
        set(l, shape_of(list)->schema, "type", text(l, "array"));
        const struct yaml *entry =
            describe_node(l, part_of(l, shape_of(list)->schema, "items", false));
        describe_one(l, entry, type, element);
    }
}

static void define(struct loader *l, const struct model_type *type)
{
    struct json *schema = part_of(l, l->definitions, definition_of(l, type), false);
    const struct yaml *node = describe_node(l, schema);
    set(l, schema, "type", text(l, "object"));
    if (type->abstract) { /* any resource: what a plan may not contain is told by check */
        return;
    }
    struct json *required = part_of(l, schema, "required", true);
    if (type->kind == MODEL_RESOURCE) {
        const char *name = arena_cstr(l->arena, model_type_name(l->model, type));
        describe_words(l, describe_member(l, node, "resourceType"), &name, 1);
        json_append(required, text(l, "resourceType"));
    }
    const struct model_element *element;
    for (size_t i = 0; (element = model_element_at(l->model, type, i)) != NULL; i++) {
        for (size_t k = 0; k < element->type_count; k++) {
            struct slice name = model_element_json_name(l->model, element, k);
            struct model_member found = model_element_by_json(l->model, type, name);
            const struct yaml *member = describe_member(l, node, arena_cstr(l->arena, name));
            if (found.type != NULL) {
                describe_element(l, member, found.type, element);
            }
            if (element->min != 0 && element->type_count == 1) {
                json_append(required, json_new_string(l->arena, name));
            }
        }
    }
    describe_controls(l, node);
    set(l, schema, "additionalProperties", json_new_bool(l->arena, false));
}

void describe_template(struct loader *l, const struct yaml *node, const struct model_type *type)
{
    if (type == NULL) {
        return; /* anything */
    }
    refer(l, node, type);
    while (l->to_define_count != 0) {
        define(l, l->to_define[--l->to_define_count]);
    }
}
