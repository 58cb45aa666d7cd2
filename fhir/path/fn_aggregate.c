#include "fhir/path/eval.h"

/* FHIRPath N1 section 7, and sum, min, max, avg of the trial-use additions. */

void fn_aggregate(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct collection total = {NULL, 0, 0};
    if (call->node->arg_count == 2) {
        eval_argument(eval, call, 1, &total);
    }
    for (size_t i = 0; i < call->input.count; i++) {
        struct frame frame = frame_of(call, &call->input.at[i], i);
        frame.total = collection_view(&total);
        struct collection next = {NULL, 0, 0};
        eval_node(eval, call->node->args[0], &frame, &next);
        total = next;
    }
    collection_add_all(eval, out, collection_view(&total));
}

/* The values of the items that have one. */
static struct collection values_of(struct evaluation *eval, const struct call *call)
{
    struct collection values = {NULL, 0, 0};
    for (size_t i = 0; i < call->input.count; i++) {
        struct path_item value;
        eval_step(eval, call->node->mark);
        if (item_value(eval, &call->input.at[i], call->node->mark, &value)) {
            collection_add(eval, &values, value);
        }
    }
    return values;
}

static bool add_up(struct evaluation *eval, const struct call *call, struct path_item *sum_out,
                   size_t *count_out)
{
    struct collection values = values_of(eval, call);
    if (values.count == 0) {
        return false;
    }
    struct path_item sum = values.at[0];
    for (size_t i = 0; i < values.count; i++) {
        if (!kind_is(&values.at[i], KIND_NUMBERS | 1U << PATH_QUANTITY)) {
            eval_stop(eval, DIAG_PATH_ITEM_TYPE, call->node->mark, NULL,
                      "%s() takes numbers and quantities only, and item %zu is %.*s",
                      call->node->function->name, i + 1,
                      SLICE_ARGS(item_words(eval, &values.at[i])));
        }
        if (i == 0) {
            continue;
        }
        struct path_item room[1];
        struct collection next = COLLECTION_ON(room);
        math_items(eval, OP_ADD, &sum, &values.at[i], call->node->mark, &next);
        if (next.count == 0) {
            return false;
        }
        sum = next.at[0];
    }
    *sum_out = sum;
    *count_out = values.count;
    return true;
}

void fn_sum(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct path_item sum;
    size_t count;
    if (add_up(eval, call, &sum, &count)) {
        collection_add(eval, out, sum);
    }
}

void fn_avg(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct path_item sum;
    size_t count;
    if (add_up(eval, call, &sum, &count)) {
        struct path_item divisor = path_item_integer((int32_t)count);
        math_items(eval, OP_DIVIDE, &sum, &divisor, call->node->mark, out);
    }
}

static void add_extreme(struct evaluation *eval, const struct call *call, enum operator_id op,
                        struct collection *out)
{
    struct collection values = values_of(eval, call);
    size_t best = 0;
    if (values.count != 0 &&
        operator_result(op, values.at[0].kind, values.at[0].kind) == PATH_NODE) {
        eval_stop(eval, DIAG_PATH_INPUT_TYPE, call->node->mark, NULL,
                  "%s() is called on values that have an order, not on %.*s",
                  call->node->function->name, SLICE_ARGS(item_words(eval, &values.at[0])));
    }
    for (size_t i = 1; i < values.count; i++) {
        enum truth truth =
            compare_items(eval, op, &values.at[i], &values.at[best], call->node->mark);
        if (truth == TRUTH_EMPTY) {
            return; /* which one it is cannot be known */
        }
        best = truth == TRUTH_TRUE ? i : best;
    }
    if (values.count != 0) {
        collection_add(eval, out, values.at[best]);
    }
}

void fn_min(struct evaluation *eval, const struct call *call, struct collection *out)
{
    add_extreme(eval, call, OP_LESS, out);
}

void fn_max(struct evaluation *eval, const struct call *call, struct collection *out)
{
    add_extreme(eval, call, OP_GREATER, out);
}
