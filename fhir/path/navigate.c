#include "fhir/path/eval.h"
#include "fhir/path/type.h"

/* From a node to its children, by the model; what FHIR JSON splits in two (name and _name) is one
 * item here. */

static bool is_value(const struct json *json)
{
    return json != NULL && json_kind(json) != JSON_NULL;
}

static void add_one(struct evaluation *eval, const struct path_item *parent,
                    const struct member_plan *plan, const struct json *json,
                    const struct json *extra, struct collection *out)
{
    if (!is_value(json) && !is_value(extra)) {
        return;
    }
    struct path_item child = {.kind = PATH_NODE, .type = plan->resource ? NULL : plan->result};
    child.node = (struct path_node){.json = is_value(json) ? json : NULL,
                                    .extra = is_value(extra) ? extra : NULL,
                                    .resource = plan->resource ? json : parent->node.resource};
    collection_add(eval, out, child);
}

/* One member as FHIR JSON has it: a value or an array, and its extensions beside it. */
static void add_value(struct evaluation *eval, const struct path_item *parent,
                      const struct member_plan *plan, const struct json *json,
                      const struct json *extra, struct collection *out)
{
    bool list = json_is(json, JSON_ARRAY);
    bool extra_list = json_is(extra, JSON_ARRAY);
    if (!list && !extra_list) {
        add_one(eval, parent, plan, json, extra, out);
        return;
    }
    const struct json *item = list ? json_first(json) : NULL;
    const struct json *beside = extra_list ? json_first(extra) : NULL;
    while (item != NULL || beside != NULL) {
        eval_step(eval, eval->expr->root->span);
        add_one(eval, parent, plan, item, beside, out);
        item = item != NULL ? json_next(item) : NULL;
        beside = beside != NULL ? json_next(beside) : NULL;
    }
}

static void add_untyped(struct evaluation *eval, const struct path_item *parent, struct slice name,
                        struct collection *out)
{
    struct member_plan plan = {.type = NULL};
    const struct json *json = json_member(parent->node.json, name);
    if (json_get(json, "resourceType") != NULL) {
        plan.resource = true;
    }
    add_value(eval, parent, &plan, json, NULL, out);
}

/* Whether `member`, without a leading underscore, is `stem` and the name of a type. */
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

static void add_choice(struct evaluation *eval, const struct path_item *parent,
                       const struct member_plan *plan, const struct json *object,
                       struct collection *out)
{
    struct member_plan chosen;
    for (const struct json *member = json_first(object); member != NULL;
         member = json_next(member)) {
        struct slice name = json_name(member);
        bool beside = name.len != 0 && name.at[0] == '_';
        if (!choice_type(eval, plan, slice_part(name, beside, SIZE_MAX), &chosen)) {
            continue;
        }
        const struct json *extra = NULL;
        if (beside) {
            if (json_member(object, slice_part(name, 1, SIZE_MAX)) != NULL) {
                continue; /* met, or still to be met, under its own name */
            }
            extra = member;
        } else if (chosen.result->kind == MODEL_PRIMITIVE) {
            extra = json_member(object, arena_printf(eval->arena, "_%.*s", SLICE_ARGS(name)));
        }
        add_value(eval, parent, &chosen, beside ? NULL : member, extra, out);
    }
}

static void add_planned(struct evaluation *eval, const struct path_item *parent,
                        const struct member_plan *plan, struct span span, struct collection *out)
{
    const struct json *object = parent->node.json;
    if (plan->type->kind == MODEL_PRIMITIVE) {
        if (plan->result != NULL && plan->result->kind == MODEL_SYSTEM) {
            struct path_item value;
            if (item_value(eval, parent, span, &value)) {
                collection_add(eval, out, value);
            }
            return;
        }
        object = parent->node.extra;
    }
    if (plan->choice) {
        add_choice(eval, parent, plan, object, out);
        return;
    }
    if (!plan->primitive) {
        add_value(eval, parent, plan, json_member(object, plan->json_name), NULL, out);
        return;
    }
    const struct json *extra = NULL;
    const struct json *value = json_member_beside(object, plan->json_name, &extra);
    if (value != NULL || extra != NULL) {
        add_value(eval, parent, plan, value, extra, out);
    }
}

void add_members(struct evaluation *eval, const struct node *node, const struct path_item *item,
                 struct collection *out)
{
    eval_step(eval, node->span);
    if (item->kind != PATH_NODE) {
        add_system_member(eval, item, node->name, out);
        return;
    }
    const struct model_type *type = item->type;
    if (type != NULL && type == node->plan.type) {
        add_planned(eval, item, &node->plan, node->mark, out);
        return;
    }
    type = path_item_type(eval->model, item);
    struct member_plan plan;
    if (type == NULL) {
        add_untyped(eval, item, node->name, out);
    } else if (type == node->plan.type) {
        add_planned(eval, item, &node->plan, node->mark, out);
    } else if (member_plan_make(eval->model, type, node->name, &plan)) {
        add_planned(eval, item, &plan, node->mark, out);
    }
}

/* ---- all children ---- */

static void add_untyped_children(struct evaluation *eval, const struct path_item *item,
                                 struct collection *out)
{
    if (!json_is(item->node.json, JSON_OBJECT)) {
        return;
    }
    for (const struct json *member = json_first(item->node.json); member != NULL;
         member = json_next(member)) {
        struct member_plan plan = {.resource = json_get(member, "resourceType") != NULL};
        add_value(eval, item, &plan, member, NULL, out);
    }
}

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

void add_children(struct evaluation *eval, const struct path_item *item, struct collection *out)
{
    if (item->kind != PATH_NODE) {
        return;
    }
    const struct model_type *type = path_item_type(eval->model, item);
    if (type == NULL) {
        add_untyped_children(eval, item, out);
        return;
    }
    const struct json *object = type->kind == MODEL_PRIMITIVE ? item->node.extra : item->node.json;
    if (!json_is(object, JSON_OBJECT)) {
        return;
    }
    struct member_plan plan;
    for (const struct json *member = json_first(object); member != NULL;
         member = json_next(member)) {
        struct slice name = json_name(member);
        eval_step(eval, eval->expr->root->span);
        if (!child_plan(eval, type, object, name, &plan)) {
            continue;
        }
        const struct json *extra = NULL;
        const struct json *value = member;
        if (name.at[0] == '_') {
            extra = member;
            value = NULL;
        } else if (plan.primitive) {
            value = json_member_beside(object, plan.json_name, &extra);
        }
        add_value(eval, item, &plan, value, extra, out);
    }
}
