#include "fhir/path/eval.h"
#include "fhir/path/type.h"

/*
 * From a node to its children, by the model; what FHIR JSON splits in two (name and _name) is one
 * item here. Children go one by one into a sink, which may have enough: then every function here
 * returns false at once.
 */

static bool is_value(const struct json *json)
{
    return json != NULL && json_kind(json) != JSON_NULL;
}

static bool give_one(const struct path_item *parent, const struct member_plan *plan,
                     const struct json *json, const struct json *extra, struct sink *sink)
{
    bool value = is_value(json);
    if (extra != NULL && !is_value(extra)) {
        extra = NULL;
    }
    if (!value && extra == NULL) {
        return true;
    }
    struct path_item child = {.kind = PATH_NODE, .type = plan->resource ? NULL : plan->result};
    child.node.json = value ? json : NULL;
    child.node.extra = extra;
    child.node.resource = plan->resource ? json : parent->node.resource;
    return sink->take(sink, &child);
}

static bool give_list(struct evaluation *eval, const struct path_item *parent,
                      const struct member_plan *plan, const struct json *list,
                      const struct json *extra_list, struct sink *sink)
{
    const struct json *item = json_is(list, JSON_ARRAY) ? json_first(list) : NULL;
    const struct json *beside = json_is(extra_list, JSON_ARRAY) ? json_first(extra_list) : NULL;
    while (item != NULL || beside != NULL) {
        eval_step(eval, eval->expr->root->span);
        if (!give_one(parent, plan, item, beside, sink)) {
            return false;
        }
        item = item != NULL ? json_next(item) : NULL;
        beside = beside != NULL ? json_next(beside) : NULL;
    }
    return true;
}

/* One member as FHIR JSON has it: a value or an array, and its extensions beside it. */
static bool give_value(struct evaluation *eval, const struct path_item *parent,
                       const struct member_plan *plan, const struct json *json,
                       const struct json *extra, struct sink *sink)
{
    if (json == NULL && extra == NULL) {
        return true;
    }
    if (json_is(json, JSON_ARRAY) || json_is(extra, JSON_ARRAY)) {
        return give_list(eval, parent, plan, json, extra, sink);
    }
    return give_one(parent, plan, json, extra, sink);
}

static bool give_untyped(struct evaluation *eval, const struct path_item *parent,
                         const struct json *member, struct sink *sink)
{
    struct member_plan plan = {.resource = json_get(member, "resourceType") != NULL};
    return give_value(eval, parent, &plan, member, NULL, sink);
}

/* Whether `member`, without a leading underscore, is the choice's name and the name of a type. */
static bool choice_type(struct evaluation *eval, const struct member_plan *plan,
                        struct slice member, struct member_plan *chosen_out)
{
    if (member.len <= plan->json_name.len || !slice_starts_with(member, plan->json_name)) {
        return false;
    }
    struct model_member found = model_element_by_json(eval->model, plan->type, member);
    if (found.element != plan->element) {
        return false;
    }
    *chosen_out = *plan;
    chosen_out->result = found.type;
    return true;
}

static bool give_choice(struct evaluation *eval, const struct path_item *parent,
                        const struct member_plan *plan, const struct json *object,
                        struct sink *sink)
{
    struct member_plan chosen;
    for (const struct json *member = json_first(object); member != NULL;
         member = json_next(member)) {
        struct slice name = json_name(member);
        bool beside = name.len != 0 && name.at[0] == '_';
        if (!choice_type(eval, plan, slice_part(name, beside, SIZE_MAX), &chosen)) {
            continue;
        }
        const struct json *extra = beside ? member : NULL;
        if (beside && json_member(object, slice_part(name, 1, SIZE_MAX)) != NULL) {
            continue; /* met, or still to be met, under its own name */
        }
        if (!beside && chosen.result->kind == MODEL_PRIMITIVE) {
            (void)json_member_beside(object, name, &extra);
        }
        if (!give_value(eval, parent, &chosen, beside ? NULL : member, extra, sink)) {
            return false;
        }
    }
    return true;
}

static bool give_planned(struct evaluation *eval, const struct path_item *parent,
                         const struct member_plan *plan, struct span span, struct sink *sink)
{
    const struct json *object = parent->node.json;
    if (plan->type->kind == MODEL_PRIMITIVE) {
        if (plan->result != NULL && plan->result->kind == MODEL_SYSTEM) {
            struct path_item value;
            return !item_value(eval, parent, span, &value) || sink->take(sink, &value);
        }
        object = parent->node.extra;
    }
    if (plan->choice) {
        return give_choice(eval, parent, plan, object, sink);
    }
    if (!plan->primitive) {
        const struct json *value = json_member(object, plan->json_name);
        return give_value(eval, parent, plan, value, NULL, sink);
    }
    const struct json *extra;
    const struct json *value = json_member_beside(object, plan->json_name, &extra);
    return give_value(eval, parent, plan, value, extra, sink);
}

bool each_member(struct evaluation *eval, const struct node *node, const struct path_item *item,
                 struct sink *sink)
{
    eval_step(eval, node->span);
    if (item->kind != PATH_NODE) {
        return each_system_member(eval, item, node->name, sink);
    }
    const struct model_type *type = item->type;
    if (type == NULL || type != node->plan.type) {
        type = path_item_type(eval->model, item);
    }
    struct member_plan plan;
    if (type == NULL) {
        return give_untyped(eval, item, json_member(item->node.json, node->name), sink);
    }
    if (type == node->plan.type) {
        return give_planned(eval, item, &node->plan, node->mark, sink);
    }
    return !member_plan_make(eval->model, type, node->name, &plan) ||
           give_planned(eval, item, &plan, node->mark, sink);
}

/* ---- all children ---- */

/* The child that a JSON member stands for; false: none, or one met under another name. */
static bool child_plan(struct evaluation *eval, const struct model_type *type,
                       const struct json *object, struct slice name, struct member_plan *plan_out)
{
    bool beside = name.len != 0 && name.at[0] == '_';
    struct slice plain = slice_part(name, beside, SIZE_MAX);
    if (beside && json_member(object, plain) != NULL) {
        return false;
    }
    struct model_member member = model_element_by_json(eval->model, type, plain);
    if (member.element == NULL) {
        return false;
    }
    *plan_out = (struct member_plan){.type = type,
                                     .element = member.element,
                                     .result = member.type,
                                     .json_name = plain,
                                     .primitive = member.type->kind == MODEL_PRIMITIVE,
                                     .resource = member.type->kind == MODEL_RESOURCE};
    return true;
}

bool each_child(struct evaluation *eval, const struct path_item *item, struct sink *sink)
{
    if (item->kind != PATH_NODE) {
        return true;
    }
    const struct model_type *type = path_item_type(eval->model, item);
    bool primitive = type != NULL && type->kind == MODEL_PRIMITIVE;
    const struct json *object = primitive ? item->node.extra : item->node.json;
    if (!json_is(object, JSON_OBJECT)) {
        return true;
    }
    for (const struct json *member = json_first(object); member != NULL;
         member = json_next(member)) {
        struct slice name = json_name(member);
        struct member_plan plan;
        bool more = true;
        eval_step(eval, eval->expr->root->span);
        if (type == NULL) {
            more = give_untyped(eval, item, member, sink);
        } else if (child_plan(eval, type, object, name, &plan)) {
            const struct json *extra = NULL;
            const struct json *value = member;
            if (plan.primitive) {
                value = json_member_beside(object, plan.json_name, &extra);
            }
            more = give_value(eval, item, &plan, value, extra, sink);
        }
        if (!more) {
            return false;
        }
    }
    return true;
}
