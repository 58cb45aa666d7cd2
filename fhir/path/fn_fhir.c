#include "fhir/path/eval.h"

/* The functions that FHIR adds (FHIR R4 fhirpath.html 2.9.1). */

/* ---- extensions ---- */

static const struct json *extensions_of(const struct path_item *item, const char *name)
{
    const struct json *owner = item->node.extra != NULL ? item->node.extra : item->node.json;
    return item->kind == PATH_NODE ? json_get(owner, name) : NULL;
}

void fn_extension(struct evaluation *eval, const struct call *call, struct collection *out)
{
    const struct model_type *type = model_type_find(eval->model, SLICE("Extension"));
    for (size_t i = 0; i < call->input.count; i++) {
        const struct path_item *item = &call->input.at[i];
        const struct json *list = extensions_of(item, "extension");
        for (const struct json *json = json_first(list); json != NULL; json = json_next(json)) {
            eval_step(eval, call->node->mark);
            if (slice_equal(json_get_text(json, "url"), call->args[0].text)) {
                struct path_item found = {.kind = PATH_NODE, .type = type};
                found.node = (struct path_node){.json = json, .resource = item->node.resource};
                collection_add(eval, out, found);
            }
        }
    }
}

void fn_check_modifiers(struct evaluation *eval, const struct call *call, struct collection *out)
{
    for (size_t i = 0; i < call->input.count; i++) {
        const struct json *list = extensions_of(&call->input.at[i], "modifierExtension");
        for (const struct json *json = json_first(list); json != NULL; json = json_next(json)) {
            struct slice url = json_get_text(json, "url");
            bool allowed = false;
            for (unsigned k = 0; k < call->node->arg_count; k++) {
                const struct node *arg = call->node->args[k];
                allowed =
                    allowed || (arg->kind == NODE_LITERAL && slice_equal(arg->literal.text, url));
            }
            if (!allowed) {
                eval_stop(eval, DIAG_PATH_MODIFIER, call->node->mark, NULL,
                          "the modifier extension %.*s is not allowed for", SLICE_ARGS(url));
            }
        }
    }
    collection_add_all(eval, out, call->input);
}

/* ---- values ---- */

static bool primitive_of(struct evaluation *eval, const struct call *call,
                         struct path_item *value_out)
{
    if (call->input.count != 1 ||
        !item_value(eval, &call->input.at[0], call->node->mark, value_out)) {
        return false;
    }
    const struct path_item *item = &call->input.at[0];
    if (item->kind == PATH_NODE) {
        const struct model_type *type = path_item_type(eval->model, item);
        return type != NULL ? type->kind == MODEL_PRIMITIVE : value_out->kind != PATH_NODE;
    }
    return item->kind != PATH_TYPE_INFO;
}

void fn_has_value(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct path_item value;
    collection_add(eval, out, path_item_boolean(primitive_of(eval, call, &value)));
}

void fn_get_value(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct path_item value;
    if (primitive_of(eval, call, &value)) {
        collection_add(eval, out, value);
    }
}

/* ---- types and value sets ---- */

void fn_conforms_to(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct slice base = SLICE("http://hl7.org/fhir/StructureDefinition/");
    struct slice url = call->args[0].text;
    const struct model_type *type = NULL;
    if (slice_starts_with(url, base)) {
        type = model_type_find(eval->model, slice_part(url, base.len, SIZE_MAX));
    }
    if (type == NULL) {
        eval_stop(eval, DIAG_PATH_PROFILE, call->node->args[0]->span,
                  "known are the types of FHIR R4, such as "
                  "'http://hl7.org/fhir/StructureDefinition/Patient'",
                  "there is no StructureDefinition '%.*s' here", SLICE_ARGS(url));
    }
    const struct model_type *own = path_item_type(eval->model, &call->value);
    collection_add(eval, out,
                   path_item_boolean(own != NULL && model_is_subtype(eval->model, own, type)));
}

static enum path_member model_member_of(struct evaluation *eval, struct slice url,
                                        struct slice system, struct slice code)
{
    const struct model_value_set *set = model_value_set_find(eval->model, url);
    if (set == NULL || !set->enumerable) {
        return PATH_MEMBER_UNKNOWN_SET;
    }
    return model_code_in(eval->model, set, system, code) ? PATH_MEMBER_YES : PATH_MEMBER_NO;
}

static bool is_member(struct evaluation *eval, const struct call *call, struct slice system,
                      struct slice code)
{
    struct slice url = call->args[0].text;
    enum path_member member = PATH_MEMBER_UNKNOWN_SET;
    if (eval->env->member_of != NULL) {
        member = eval->env->member_of(eval->env->arg, url, system, code);
    }
    if (member == PATH_MEMBER_UNKNOWN_SET) {
        member = model_member_of(eval, url, system, code);
    }
    if (member == PATH_MEMBER_UNKNOWN_SET) {
        eval_stop(eval, DIAG_PATH_VALUE_SET, call->node->args[0]->span, NULL,
                  "the value set '%.*s' is not loaded", SLICE_ARGS(url));
    }
    return member == PATH_MEMBER_YES;
}

void fn_member_of(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct path_item value;
    bool found = false;
    if (!item_value(eval, &call->value, call->node->mark, &value)) {
        return;
    }
    if (value.kind == PATH_STRING) {
        found = is_member(eval, call, SLICE_NONE, value.text);
    } else if (value.kind == PATH_NODE && json_is(value.node.json, JSON_OBJECT)) {
        const struct json *list = json_get(value.node.json, "coding");
        const struct json *coding = list != NULL ? json_first(list) : value.node.json;
        for (; coding != NULL && !found; coding = list != NULL ? json_next(coding) : NULL) {
            struct slice system = json_get_text(coding, "system");
            found = is_member(eval, call, system.at != NULL ? system : SLICE(""),
                              json_get_text(coding, "code"));
        }
    } else {
        eval_stop(eval, DIAG_PATH_INPUT_TYPE, call->node->mark, NULL,
                  "memberOf() is called on a code, a Coding or a CodeableConcept, not on %.*s",
                  SLICE_ARGS(item_words(eval, &call->value)));
    }
    collection_add(eval, out, path_item_boolean(found));
}

void fn_html_checks(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct path_item value;
    if (item_value(eval, &call->value, call->node->mark, &value)) {
        bool allowed = value.kind == PATH_STRING && html_is_allowed(eval->arena, value.text);
        collection_add(eval, out, path_item_boolean(allowed));
    }
}

/* ---- references ---- */

struct reference_row {
    struct slice key; /* fullUrl, or Type/id */
    const struct json *resource;
    uint32_t next;
};

/* The resources of a Bundle by what references call them; made at the first resolve(). */
struct reference_index {
    struct reference_row *rows; /* from 1 */
    uint32_t *buckets;
    uint32_t mask;
    uint32_t count;
};

static void index_add(struct reference_index *index, struct slice key, const struct json *resource)
{
    if (key.len == 0) {
        return;
    }
    uint32_t *bucket = &index->buckets[slice_hash(key) & index->mask];
    uint32_t i = ++index->count;
    index->rows[i] = (struct reference_row){key, resource, *bucket};
    *bucket = i;
}

static const struct json *root_of(struct evaluation *eval)
{
    if (eval->env->root_resource != NULL) {
        return eval->env->root_resource;
    }
    if (eval->env->resource != NULL) {
        return eval->env->resource;
    }
    return eval->env->context.count == 1 && eval->env->context.at[0].kind == PATH_NODE
               ? eval->env->context.at[0].node.resource
               : NULL;
}

static struct reference_index *index_of(struct evaluation *eval)
{
    if (eval->references != NULL) {
        return eval->references;
    }
    const struct json *root = root_of(eval);
    const struct json *entries =
        slice_is(json_get_text(root, "resourceType"), "Bundle") ? json_get(root, "entry") : NULL;
    uint32_t count = (uint32_t)json_count(entries);
    uint32_t size = 16;
    while (size < count * 4) {
        size *= 2;
    }
    struct reference_index *index = ARENA_NEW(eval->arena, struct reference_index);
    index->rows = ARENA_ARRAY(eval->arena, (size_t)count * 2 + 1, struct reference_row);
    index->buckets = ARENA_ARRAY(eval->arena, size, uint32_t);
    index->mask = size - 1;
    for (const struct json *entry = json_first(entries); entry != NULL; entry = json_next(entry)) {
        const struct json *resource = json_get(entry, "resource");
        struct slice type = json_get_text(resource, "resourceType");
        struct slice id = json_get_text(resource, "id");
        eval_step(eval, eval->here->span);
        index_add(index, json_get_text(entry, "fullUrl"), resource);
        if (type.len != 0 && id.len != 0) {
            index_add(index,
                      arena_printf(eval->arena, "%.*s/%.*s", SLICE_ARGS(type), SLICE_ARGS(id)),
                      resource);
        }
    }
    eval->references = index;
    return index;
}

static const struct json *find_in_bundle(struct evaluation *eval, struct slice reference)
{
    const struct reference_index *index = index_of(eval);
    for (uint32_t i = index->buckets[slice_hash(reference) & index->mask]; i != 0;
         i = index->rows[i].next) {
        if (slice_equal(index->rows[i].key, reference)) {
            return index->rows[i].resource;
        }
    }
    return NULL;
}

static const struct json *find_contained(const struct json *resource, struct slice id)
{
    const struct json *list = json_get(resource, "contained");
    for (const struct json *json = json_first(list); json != NULL; json = json_next(json)) {
        if (slice_equal(json_get_text(json, "id"), id)) {
            return json;
        }
    }
    return NULL;
}

/* "#id" is looked for in the resource the reference stands in, and, when that is itself contained,
 * in the one around it. */
static const struct json *find_local(struct evaluation *eval, const struct path_item *item,
                                     struct slice id)
{
    const struct json *own = item->kind == PATH_NODE ? item->node.resource : NULL;
    const struct json *around = eval->env->resource != NULL ? eval->env->resource : root_of(eval);
    if (id.len == 0) {
        return around;
    }
    const struct json *found = find_contained(own, id);
    return found != NULL ? found : find_contained(around, id);
}

static struct slice reference_of(struct evaluation *eval, const struct call *call,
                                 const struct path_item *item)
{
    struct path_item value;
    if (item->kind == PATH_NODE && json_is(item->node.json, JSON_OBJECT)) {
        return json_get_text(item->node.json, "reference");
    }
    if (!item_value(eval, item, call->node->mark, &value) || value.kind != PATH_STRING) {
        return SLICE_NONE;
    }
    return value.text;
}

void fn_resolve(struct evaluation *eval, const struct call *call, struct collection *out)
{
    for (size_t i = 0; i < call->input.count; i++) {
        const struct path_item *item = &call->input.at[i];
        struct slice reference = reference_of(eval, call, item);
        const struct json *found = NULL;
        eval_step(eval, call->node->mark);
        if (reference.len == 0) {
            continue;
        }
        if (reference.at[0] == '#') {
            found = find_local(eval, item, slice_part(reference, 1, SIZE_MAX));
        } else {
            found = find_in_bundle(eval, reference);
            if (found == NULL && eval->env->resolve != NULL) {
                found = eval->env->resolve(eval->env->arg, reference);
            }
        }
        if (found != NULL) {
            collection_add(eval, out, path_item_of(eval->model, found, NULL));
        }
    }
}
