#include "fhir/path/eval.h"
#include "fhir/path/type.h"

/* From a node to its children, by the model. */

static bool is_value(const struct json *json)
{
    return json != NULL && !json_is(json, JSON_NULL);
}

/* Takes up a member: the children are its value, or the elements of its array. */
static void set_values(struct children *children, const struct member_plan *plan,
                       const struct json *value, const struct json *extra)
{
    children->plan = plan;
    children->listed = json_is(value, JSON_ARRAY) || json_is(extra, JSON_ARRAY);
    if (children->listed) {
        value = json_is(value, JSON_ARRAY) ? json_first(value) : NULL;
        extra = json_is(extra, JSON_ARRAY) ? json_first(extra) : NULL;
    }
    children->value = value;
    children->extra = extra;
}

static void set_untyped(struct children *children, const struct json *member)
{
    children->own = (struct member_plan){.resource = json_get(member, "resourceType") != NULL};
    set_values(children, &children->own, member, NULL);
}

/* ---- which members count ---- */

static const struct json *without_underscore(const struct json *object, struct slice name)
{
    return json_member(object, slice_part(name, 1, SIZE_MAX));
}

/* "valueQuantity" and "_valueString" of the choice value[x]. False: another element. */
static bool take_choice(struct children *children, const struct member_plan *choice,
                        const struct json *member)
{
    struct slice name = json_name(member);
    bool beside = name.len != 0 && name.at[0] == '_';
    struct slice plain = slice_part(name, beside, SIZE_MAX);
    if (plain.len <= choice->json_name.len || !slice_starts_with(plain, choice->json_name)) {
        return false;
    }
    struct model_member found = model_element_by_json(children->eval->model, choice->type, plain);
    if (found.element != choice->element ||
        (beside && without_underscore(children->object, name) != NULL)) {
        return false; /* met, or still to be met, under its own name */
    }
    children->own = *choice;
    children->own.result = found.type;
    const struct json *extra = beside ? member : NULL;
    if (!beside && found.type->kind == MODEL_PRIMITIVE) {
        (void)json_member_beside(children->object, name, &extra);
    }
    set_values(children, &children->own, beside ? NULL : member, extra);
    return true;
}

/* Any element. False: no element of the type, or one met under another name. */
static bool take_any(struct children *children, const struct json *member)
{
    struct slice name = json_name(member);
    bool beside = name.len != 0 && name.at[0] == '_';
    struct slice plain = slice_part(name, beside, SIZE_MAX);
    if (children->type == NULL) {
        set_untyped(children, member);
        return true;
    }
    if (beside && json_member(children->object, plain) != NULL) {
        return false;
    }
    struct model_member found = model_element_by_json(children->eval->model, children->type, plain);
    if (found.element == NULL) {
        return false;
    }
    children->own = (struct member_plan){.type = children->type,
                                         .element = found.element,
                                         .result = found.type,
                                         .json_name = plain,
                                         .primitive = found.type->kind == MODEL_PRIMITIVE,
                                         .resource = found.type->kind == MODEL_RESOURCE};
    const struct json *extra = NULL;
    const struct json *value = member;
    if (children->own.primitive) {
        value = json_member_beside(children->object, plain, &extra);
    }
    set_values(children, &children->own, value, extra);
    return true;
}

/* The next member that counts. False: there is none. */
static bool next_member(struct children *children)
{
    while (children->member != NULL) {
        const struct json *member = children->member;
        children->member = json_next(member);
        eval_step(children->eval, children->eval->here->span);
        if (children->choice != NULL ? take_choice(children, children->choice, member)
                                     : take_any(children, member)) {
            return true;
        }
    }
    children->object = NULL;
    return false;
}

/* ---- the walk ---- */

static bool make_child(const struct children *children, const struct json *value,
                       const struct json *extra, struct path_item *child_out)
{
    bool has_value = is_value(value);
    if (extra != NULL && !is_value(extra)) {
        extra = NULL;
    }
    if (!has_value && extra == NULL) {
        return false;
    }
    bool resource = children->plan->resource;
    child_out->kind = PATH_NODE;
    child_out->type = resource ? NULL : children->plan->result;
    child_out->node.json = has_value ? value : NULL;
    child_out->node.extra = extra;
    child_out->node.resource = resource ? value : children->parent->node.resource;
    return true;
}

bool children_next(struct children *children, struct path_item *child_out)
{
    if (children->single) {
        children->single = false;
        *child_out = children->item;
        return true;
    }
    for (;;) {
        while (children->value != NULL || children->extra != NULL) {
            const struct json *value = children->value;
            const struct json *extra = children->extra;
            children->value = children->listed && value != NULL ? json_next(value) : NULL;
            children->extra = children->listed && extra != NULL ? json_next(extra) : NULL;
            if (children->listed) {
                eval_step(children->eval, children->eval->here->span);
            }
            if (make_child(children, value, extra, child_out)) {
                return true;
            }
        }
        if (children->object == NULL || !next_member(children)) {
            return false;
        }
    }
}

static void start(struct children *children, struct evaluation *eval,
                  const struct path_item *parent, const struct model_type *type)
{
    children->eval = eval;
    children->parent = parent;
    children->object = NULL;
    children->member = NULL;
    children->type = type;
    children->choice = NULL;
    children->plan = NULL;
    children->value = NULL;
    children->extra = NULL;
    children->single = false;
}

static void walk_plan(struct children *children, const struct member_plan *plan, struct span span)
{
    const struct path_item *parent = children->parent;
    const struct json *object = parent->node.json;
    const struct json *extra = NULL;
    if (plan->type->kind == MODEL_PRIMITIVE) {
        if (plan->result != NULL && plan->result->kind == MODEL_SYSTEM) {
            children->single = item_value(children->eval, parent, span, &children->item);
            return;
        }
        object = parent->node.extra;
    }
    if (plan->choice) {
        children->choice = plan;
        children->object = json_is(object, JSON_OBJECT) ? object : NULL;
        children->member = json_first(children->object);
    } else if (plan->primitive) {
        const struct json *value = json_member_beside(object, plan->json_name, &extra);
        set_values(children, plan, value, extra);
    } else {
        set_values(children, plan, json_member(object, plan->json_name), NULL);
    }
}

void children_named(struct children *children, struct evaluation *eval, const struct node *node,
                    const struct path_item *parent)
{
    const struct model_type *type = parent->type;
    eval_step(eval, node->span);
    if (parent->kind != PATH_NODE) {
        start(children, eval, parent, NULL);
        children->single = system_member(eval, parent, node->name, &children->item);
        return;
    }
    if (type == NULL || type != node->plan.type) {
        type = path_item_type(eval->model, parent);
    }
    start(children, eval, parent, type);
    if (type == NULL) {
        set_untyped(children, json_member(parent->node.json, node->name));
    } else if (type == node->plan.type) {
        walk_plan(children, &node->plan, node->mark);
    } else if (member_plan_make(eval->model, type, node->name, &children->own)) {
        struct member_plan plan = children->own;
        if (plan.choice) { /* take_choice() keeps the chosen type in `own` */
            struct member_plan *copy = arena_alloc(eval->arena, sizeof *copy);
            *copy = plan;
            walk_plan(children, copy, node->mark);
        } else {
            walk_plan(children, &children->own, node->mark);
        }
    }
}

void children_all(struct children *children, struct evaluation *eval,
                  const struct path_item *parent)
{
    const struct model_type *type = path_item_type(eval->model, parent);
    start(children, eval, parent, type);
    if (parent->kind != PATH_NODE) {
        return;
    }
    bool primitive = type != NULL && type->kind == MODEL_PRIMITIVE;
    const struct json *object = primitive ? parent->node.extra : parent->node.json;
    children->object = json_is(object, JSON_OBJECT) ? object : NULL;
    children->member = json_first(children->object);
}
