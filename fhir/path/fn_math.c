#include "fhir/path/eval.h"

/* FHIRPath N1 section 5.7. */

static void add_decimal(struct evaluation *eval, struct collection *out, enum status status,
                        struct decimal value)
{
    if (status == STATUS_OK) {
        collection_add(eval, out, item_decimal(eval, value));
    }
}

void fn_abs(struct evaluation *eval, const struct call *call, struct collection *out)
{
    const struct path_item *value = &call->value;
    if (value->kind == PATH_INTEGER) {
        int64_t whole = value->integer < 0 ? -value->integer : value->integer;
        if (whole <= INT32_MAX) {
            collection_add(eval, out, path_item_integer((int32_t)whole));
        }
    } else if (value->kind == PATH_DECIMAL) {
        add_decimal(eval, out, STATUS_OK, decimal_abs(*value->decimal));
    } else {
        collection_add(eval, out, item_quantity(eval, quantity_abs(*value->quantity)));
    }
}

/* ceiling, floor, truncate: an Integer of a number, a Quantity of a Quantity. */
static void add_whole(struct evaluation *eval, const struct call *call,
                      struct decimal (*turn)(struct decimal), struct collection *out)
{
    const struct path_item *value = &call->value;
    int64_t whole;
    if (value->kind == PATH_INTEGER) {
        collection_add(eval, out, *value);
    } else if (value->kind == PATH_QUANTITY) {
        struct quantity quantity = *value->quantity;
        quantity.value = turn(quantity.value);
        collection_add(eval, out, item_quantity(eval, quantity));
    } else if (decimal_to_int64(turn(*value->decimal), &whole) == STATUS_OK && whole >= INT32_MIN &&
               whole <= INT32_MAX) {
        collection_add(eval, out, path_item_integer((int32_t)whole));
    }
}

void fn_ceiling(struct evaluation *eval, const struct call *call, struct collection *out)
{
    add_whole(eval, call, decimal_ceiling, out);
}

void fn_floor(struct evaluation *eval, const struct call *call, struct collection *out)
{
    add_whole(eval, call, decimal_floor, out);
}

void fn_truncate(struct evaluation *eval, const struct call *call, struct collection *out)
{
    add_whole(eval, call, decimal_truncate, out);
}

void fn_round(struct evaluation *eval, const struct call *call, struct collection *out)
{
    int64_t places = call->given[0] ? call->args[0].integer : 0;
    if (places < 0) {
        eval_stop(eval, DIAG_PATH_ARGUMENT_VALUE, call->node->args[0]->span, NULL,
                  "round() takes a precision of 0 or more");
    }
    int digits = places > DECIMAL_SCALE_MAX ? DECIMAL_SCALE_MAX : (int)places;
    if (call->value.kind == PATH_QUANTITY) {
        struct quantity quantity = *call->value.quantity;
        quantity.value = decimal_round(quantity.value, digits);
        collection_add(eval, out, item_quantity(eval, quantity));
        return;
    }
    add_decimal(eval, out, STATUS_OK, decimal_round(value_decimal(&call->value), digits));
}

void fn_exp(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct decimal result = DECIMAL_ZERO;
    enum status status = decimal_exp(value_decimal(&call->value), &result);
    add_decimal(eval, out, status, result);
}

void fn_ln(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct decimal result = DECIMAL_ZERO;
    enum status status = decimal_ln(value_decimal(&call->value), &result);
    add_decimal(eval, out, status, result);
}

void fn_log(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct decimal result = DECIMAL_ZERO;
    enum status status =
        decimal_log(value_decimal(&call->value), value_decimal(&call->args[0]), &result);
    add_decimal(eval, out, status, result);
}

void fn_power(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct decimal result = DECIMAL_ZERO;
    int64_t whole;
    enum status status =
        decimal_power(value_decimal(&call->value), value_decimal(&call->args[0]), &result);
    bool integers = call->value.kind == PATH_INTEGER && call->args[0].kind == PATH_INTEGER;
    if (status == STATUS_OK && integers && decimal_to_int64(result, &whole) == STATUS_OK &&
        whole >= INT32_MIN && whole <= INT32_MAX) {
        collection_add(eval, out, path_item_integer((int32_t)whole));
        return;
    }
    add_decimal(eval, out, status, result);
}

void fn_sqrt(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct decimal result = DECIMAL_ZERO;
    enum status status = decimal_sqrt(value_decimal(&call->value), &result);
    add_decimal(eval, out, status, result);
}

/* Section 6.2, trial use. */
void fn_comparable(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct quantity a = value_quantity(&call->value);
    struct quantity b = value_quantity(&call->args[0]);
    collection_add(eval, out, path_item_boolean(quantity_comparable(&a, &b)));
}
