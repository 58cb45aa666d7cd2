#include "fhir/path/eval.h"

/* FHIRPath N1 sections 6.6 (math) and 6.7 (date and time arithmetic). */

static bool is_number(enum path_kind kind)
{
    return kind == PATH_INTEGER || kind == PATH_DECIMAL;
}

static bool is_moment(enum path_kind kind)
{
    return kind == PATH_DATE || kind == PATH_DATETIME || kind == PATH_TIME;
}

static enum path_kind comparison_result(enum path_kind left, enum path_kind right)
{
    bool time = left == PATH_TIME || right == PATH_TIME;
    bool fits = (left == PATH_STRING && right == PATH_STRING) ||
                ((is_number(left) || left == PATH_QUANTITY) &&
                 (is_number(right) || right == PATH_QUANTITY)) ||
                (is_moment(left) && is_moment(right) && (!time || left == right));
    return fits ? PATH_BOOLEAN : PATH_NODE;
}

static enum path_kind sum_result(enum operator_id op, enum path_kind left, enum path_kind right)
{
    if (is_moment(left) && right == PATH_QUANTITY) {
        return left;
    }
    return op == OP_ADD && left == PATH_STRING && right == PATH_STRING ? PATH_STRING : PATH_NODE;
}

enum path_kind operator_result(enum operator_id op, enum path_kind left, enum path_kind right)
{
    if (op >= OP_LESS && op <= OP_GREATER_EQUAL) {
        return comparison_result(left, right);
    }
    if (op == OP_CONCATENATE) {
        return left == PATH_STRING && right == PATH_STRING ? PATH_STRING : PATH_NODE;
    }
    if (is_number(left) && is_number(right)) {
        bool whole = left == PATH_INTEGER && right == PATH_INTEGER && op != OP_DIVIDE;
        return whole || op == OP_DIV ? PATH_INTEGER : PATH_DECIMAL;
    }
    bool measures =
        (is_number(left) || left == PATH_QUANTITY) && (is_number(right) || right == PATH_QUANTITY);
    if (measures && op != OP_DIV && op != OP_MOD) {
        return PATH_QUANTITY;
    }
    return op == OP_ADD || op == OP_SUBTRACT ? sum_result(op, left, right) : PATH_NODE;
}

/* ---- numbers ---- */

/* An overflow gives nothing (section 6.6). */
static void add_integer(struct evaluation *eval, int64_t value, struct collection *out)
{
    if (value >= INT32_MIN && value <= INT32_MAX) {
        collection_add(eval, out, path_item_integer((int32_t)value));
    }
}

static void integer_math(struct evaluation *eval, enum operator_id op, int64_t a, int64_t b,
                         struct collection *out)
{
    switch (op) {
    case OP_MULTIPLY:
        add_integer(eval, a * b, out);
        return;
    case OP_ADD:
        add_integer(eval, a + b, out);
        return;
    case OP_SUBTRACT:
        add_integer(eval, a - b, out);
        return;
    case OP_DIV:
        if (b != 0) {
            add_integer(eval, a / b, out);
        }
        return;
    default:
        if (b != 0) {
            add_integer(eval, a % b, out);
        }
        return;
    }
}

static void decimal_math(struct evaluation *eval, enum operator_id op, struct decimal a,
                         struct decimal b, struct collection *out)
{
    struct decimal result;
    enum status status;
    int64_t whole;
    switch (op) {
    case OP_MULTIPLY:
        status = decimal_multiply(a, b, &result);
        break;
    case OP_DIVIDE:
        status = decimal_divide(a, b, &result);
        break;
    case OP_ADD:
        status = decimal_add(a, b, &result);
        break;
    case OP_SUBTRACT:
        status = decimal_subtract(a, b, &result);
        break;
    case OP_DIV:
        status = decimal_div(a, b, &result);
        if (status == STATUS_OK && decimal_to_int64(result, &whole) == STATUS_OK) {
            add_integer(eval, whole, out);
        }
        return;
    default:
        status = decimal_mod(a, b, &result);
        break;
    }
    if (status == STATUS_OK) {
        collection_add(eval, out, item_decimal(eval, result));
    }
}

/* ---- quantities and dates ---- */

static void quantity_math(struct evaluation *eval, enum operator_id op, const struct path_item *a,
                          const struct path_item *b, struct span span, struct collection *out)
{
    struct quantity left = value_quantity(a);
    struct quantity right = value_quantity(b);
    struct quantity result;
    enum status status;
    switch (op) {
    case OP_MULTIPLY:
        status = quantity_multiply(eval->arena, &left, &right, eval->diags, span, &result);
        break;
    case OP_DIVIDE:
        status = quantity_divide(eval->arena, &left, &right, eval->diags, span, &result);
        break;
    case OP_ADD:
        status = quantity_add(&left, &right, eval->diags, span, &result);
        break;
    default:
        status = quantity_subtract(&left, &right, eval->diags, span, &result);
        break;
    }
    if (status == STATUS_INVALID) {
        eval_stop_told(eval);
    }
    if (status == STATUS_OK) {
        collection_add(eval, out, item_quantity(eval, result));
    }
}

/* Calendar seconds count with their fraction (section 6.7), definite ones ('s') without (suite:
 * testPlusDate19). False: no fraction of a calendar second. */
static bool calendar_fraction(const struct quantity *by, int64_t *milliseconds_out)
{
    struct decimal milliseconds;
    return calendar_unit_of(by->unit) == CALENDAR_SECOND && !decimal_is_whole(by->value) &&
           decimal_multiply(by->value, decimal_from_int64(1000), &milliseconds) == STATUS_OK &&
           decimal_to_int64(decimal_truncate(milliseconds), milliseconds_out) == STATUS_OK;
}

static void move_date(struct evaluation *eval, enum operator_id op, const struct datetime *date,
                      const struct quantity *by, struct span span, struct collection *out)
{
    enum calendar_unit unit;
    int64_t amount;
    struct datetime moved;
    enum status status = quantity_calendar(by, &unit, &amount);
    if (status == STATUS_INVALID) {
        bool definite = slice_is(by->unit, "a") || slice_is(by->unit, "mo");
        eval_stop(eval, DIAG_PATH_DATE_UNIT, span,
                  definite ? "calendar units stand without quotes: 1 year, 1 month"
                           : "units of the calendar: years, months, weeks, days, hours ...",
                  "a date cannot be moved by '%.*s'", SLICE_ARGS(by->unit));
    }
    if (status != STATUS_OK) {
        return;
    }
    if (calendar_fraction(by, &amount)) {
        unit = CALENDAR_MILLISECOND;
    }
    status = datetime_add(date, op == OP_SUBTRACT ? -amount : amount, unit, &moved);
    if (status == STATUS_INVALID) {
        eval_stop(eval, DIAG_PATH_DATE_UNIT, span, NULL, "a time of day cannot be moved by '%.*s'",
                  SLICE_ARGS(by->unit));
    }
    if (status == STATUS_OK) {
        collection_add(eval, out, item_datetime(eval, &moved));
    }
}

static void no_operands(struct evaluation *eval, enum operator_id op, const struct path_item *a,
                        const struct path_item *b, struct span span)
{
    bool date = is_moment(a->kind) && (op == OP_ADD || op == OP_SUBTRACT);
    const char *hint = NULL;
    if (date) {
        hint = "a duration has a unit: 7 days";
    } else if (a->kind == PATH_STRING || b->kind == PATH_STRING) {
        hint = "toString() makes a String of a value";
    }
    eval_stop(eval, date ? DIAG_PATH_DATE_OPERAND : DIAG_PATH_OPERAND, span, hint,
              "%s takes no %.*s and %.*s", operator_text(op), SLICE_ARGS(item_words(eval, a)),
              SLICE_ARGS(item_words(eval, b)));
}

static void concatenate(struct evaluation *eval, struct slice a, struct slice b, struct span span,
                        struct collection *out)
{
    if (a.len + b.len > eval->limits->text) {
        eval_stop_limit(eval, span, "text");
    }
    char *at = arena_alloc(eval->arena, a.len + b.len + 1);
    memcpy(at, a.at != NULL ? a.at : "", a.len);
    memcpy(at + a.len, b.at != NULL ? b.at : "", b.len);
    at[a.len + b.len] = '\0';
    collection_add(eval, out, path_item_string(slice_from(at, a.len + b.len)));
}

void math_items(struct evaluation *eval, enum operator_id op, const struct path_item *a,
                const struct path_item *b, struct span span, struct collection *out)
{
    switch (operator_result(op, a->kind, b->kind)) {
    case PATH_STRING:
        concatenate(eval, a->text, b->text, span, out);
        return;
    case PATH_INTEGER:
        if (a->kind == PATH_INTEGER && b->kind == PATH_INTEGER) {
            integer_math(eval, op, a->integer, b->integer, out);
            return;
        }
        decimal_math(eval, op, value_decimal(a), value_decimal(b), out);
        return;
    case PATH_DECIMAL:
        decimal_math(eval, op, value_decimal(a), value_decimal(b), out);
        return;
    case PATH_QUANTITY:
        quantity_math(eval, op, a, b, span, out);
        return;
    case PATH_DATE:
    case PATH_DATETIME:
    case PATH_TIME:
        move_date(eval, op, a->datetime, b->quantity, span, out);
        return;
    default:
        no_operands(eval, op, a, b, span);
    }
}

void negate_item(struct evaluation *eval, const struct path_item *a, struct span span,
                 struct collection *out)
{
    (void)span;
    if (a->kind == PATH_INTEGER) {
        add_integer(eval, -a->integer, out);
    } else if (a->kind == PATH_DECIMAL) {
        collection_add(eval, out, item_decimal(eval, decimal_negate(*a->decimal)));
    } else {
        collection_add(eval, out, item_quantity(eval, quantity_negate(*a->quantity)));
    }
}
