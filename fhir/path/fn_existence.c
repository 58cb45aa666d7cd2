#include "fhir/path/eval.h"

/* FHIRPath N1 section 5.1. */

static void add_boolean(struct evaluation *eval, struct collection *out, bool value)
{
    collection_add(eval, out, path_item_boolean(value));
}

void fn_empty(struct evaluation *eval, const struct call *call, struct collection *out)
{
    add_boolean(eval, out, call->input.count == 0);
}

void fn_exists(struct evaluation *eval, const struct call *call, struct collection *out)
{
    bool found = call->node->arg_count == 0 && call->input.count != 0;
    for (size_t i = 0; call->node->arg_count != 0 && i < call->input.count && !found; i++) {
        struct frame frame = frame_of(call, &call->input.at[i], i);
        found = eval_criterion(eval, call->node->args[0], &frame) == TRUTH_TRUE;
    }
    add_boolean(eval, out, found);
}

void fn_all(struct evaluation *eval, const struct call *call, struct collection *out)
{
    bool all = true;
    for (size_t i = 0; i < call->input.count && all; i++) {
        struct frame frame = frame_of(call, &call->input.at[i], i);
        all = eval_criterion(eval, call->node->args[0], &frame) == TRUTH_TRUE;
    }
    add_boolean(eval, out, all);
}

/* How many items are `wanted`; every item must be a Boolean. */
static size_t count_booleans(struct evaluation *eval, const struct call *call, bool wanted,
                             size_t *values_out)
{
    size_t count = 0;
    size_t values = 0;
    for (size_t i = 0; i < call->input.count; i++) {
        struct path_item value;
        eval_step(eval, call->node->mark);
        if (!item_value(eval, &call->input.at[i], call->node->mark, &value)) {
            continue;
        }
        if (value.kind != PATH_BOOLEAN) {
            eval_stop(eval, DIAG_PATH_ITEM_TYPE, call->node->mark, NULL,
                      "%s() takes System.Boolean only, and item %zu is %.*s",
                      call->node->function->name, i + 1,
                      SLICE_ARGS(item_words(eval, &call->input.at[i])));
        }
        values++;
        count += value.boolean == wanted;
    }
    *values_out = values;
    return count;
}

void fn_all_true(struct evaluation *eval, const struct call *call, struct collection *out)
{
    size_t values;
    size_t count = count_booleans(eval, call, true, &values);
    add_boolean(eval, out, count == values);
}

void fn_any_true(struct evaluation *eval, const struct call *call, struct collection *out)
{
    size_t values;
    add_boolean(eval, out, count_booleans(eval, call, true, &values) != 0);
}

void fn_all_false(struct evaluation *eval, const struct call *call, struct collection *out)
{
    size_t values;
    size_t count = count_booleans(eval, call, false, &values);
    add_boolean(eval, out, count == values);
}

void fn_any_false(struct evaluation *eval, const struct call *call, struct collection *out)
{
    size_t values;
    add_boolean(eval, out, count_booleans(eval, call, false, &values) != 0);
}

static bool is_subset(struct evaluation *eval, struct path_items part, struct path_items whole,
                      struct span span)
{
    struct item_set *set = item_set_create(eval, whole.count, span);
    for (size_t i = 0; i < whole.count; i++) {
        item_set_add(set, &whole.at[i]);
    }
    for (size_t i = 0; i < part.count; i++) {
        if (!item_set_has(set, &part.at[i])) {
            return false;
        }
    }
    return true;
}

void fn_subset_of(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct collection other = {NULL, 0, 0};
    eval_argument(eval, call, 0, &other);
    add_boolean(eval, out, is_subset(eval, call->input, collection_view(&other), call->node->mark));
}

void fn_superset_of(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct collection other = {NULL, 0, 0};
    eval_argument(eval, call, 0, &other);
    add_boolean(eval, out, is_subset(eval, collection_view(&other), call->input, call->node->mark));
}

void fn_count(struct evaluation *eval, const struct call *call, struct collection *out)
{
    collection_add(eval, out, path_item_integer((int32_t)call->input.count));
}

void fn_distinct(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct item_set *set = item_set_create(eval, call->input.count, call->node->mark);
    for (size_t i = 0; i < call->input.count; i++) {
        if (item_set_add(set, &call->input.at[i])) {
            collection_add(eval, out, call->input.at[i]);
        }
    }
}

void fn_is_distinct(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct item_set *set = item_set_create(eval, call->input.count, call->node->mark);
    bool distinct = true;
    for (size_t i = 0; i < call->input.count && distinct; i++) {
        distinct = item_set_add(set, &call->input.at[i]);
    }
    add_boolean(eval, out, distinct);
}

/* Section 6.5. */
void fn_not(struct evaluation *eval, const struct call *call, struct collection *out)
{
    /* Section 4.5: one item of another type counts as true, 0 too. */
    bool value = call->value.kind != PATH_BOOLEAN || call->value.boolean;
    add_boolean(eval, out, !value);
}
