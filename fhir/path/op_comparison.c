#include "fhir/path/eval.h"

/* FHIRPath N1 section 6.2. */

static bool is_moment(enum path_kind kind)
{
    return kind == PATH_DATE || kind == PATH_DATETIME || kind == PATH_TIME;
}

static bool is_number(enum path_kind kind)
{
    return kind == PATH_INTEGER || kind == PATH_DECIMAL;
}

static void no_order(struct evaluation *eval, const struct path_item *a, const struct path_item *b,
                     struct span span, enum operator_id op)
{
    eval_stop(eval, DIAG_PATH_COMPARISON, span, NULL, "%s takes no %.*s and %.*s",
              operator_text(op), SLICE_ARGS(item_words(eval, a)), SLICE_ARGS(item_words(eval, b)));
}

static enum order quantity_order(struct evaluation *eval, const struct path_item *a,
                                 const struct path_item *b, struct span span)
{
    struct quantity left = value_quantity(a);
    struct quantity right = value_quantity(b);
    enum order order;
    if (quantity_compare(&left, &right, eval->diags, span, &order) != STATUS_OK) {
        eval_stop_told(eval);
    }
    return order;
}

enum order value_order(struct evaluation *eval, const struct path_item *a,
                       const struct path_item *b, struct span span, enum operator_id op)
{
    if (operator_result(op, a->kind, b->kind) == PATH_NODE) {
        no_order(eval, a, b, span, op);
    }
    if (a->kind == PATH_STRING) {
        return order_of(slice_compare(a->text, b->text));
    }
    if (a->kind == PATH_INTEGER && b->kind == PATH_INTEGER) {
        return order_of((a->integer > b->integer) - (a->integer < b->integer));
    }
    if (is_number(a->kind) && is_number(b->kind)) {
        return order_of(decimal_compare(value_decimal(a), value_decimal(b)));
    }
    if (is_moment(a->kind)) {
        return datetime_compare(a->datetime, b->datetime);
    }
    return quantity_order(eval, a, b, span);
}

enum truth compare_items(struct evaluation *eval, enum operator_id op, const struct path_item *a,
                         const struct path_item *b, struct span span)
{
    enum order order = value_order(eval, a, b, span, op);
    if (order == ORDER_UNKNOWN || order == ORDER_NONE) {
        return TRUTH_EMPTY;
    }
    switch (op) {
    case OP_LESS:
        return truth_of(order == ORDER_LESS);
    case OP_GREATER:
        return truth_of(order == ORDER_GREATER);
    case OP_LESS_EQUAL:
        return truth_of(order != ORDER_GREATER);
    default:
        return truth_of(order != ORDER_LESS);
    }
}
