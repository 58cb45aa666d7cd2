#include "fhir/path/eval.h"

/*
 * FHIRPath N1 section 5.5. One conversion per target; toX() adds its result, convertsToX() tells
 * whether there is one.
 */

typedef bool conversion(struct evaluation *eval, const struct call *call, struct path_item *out);

static void add_converted(struct evaluation *eval, const struct call *call, conversion *convert,
                          struct collection *out)
{
    struct path_item result;
    if (convert(eval, call, &result)) {
        collection_add(eval, out, result);
    }
}

static void add_whether(struct evaluation *eval, const struct call *call, conversion *convert,
                        struct collection *out)
{
    struct path_item result;
    collection_add(eval, out, path_item_boolean(convert(eval, call, &result)));
}

#define CONVERSION(name, convert)                                                                  \
    void fn_to_##name(struct evaluation *eval, const struct call *call, struct collection *out)    \
    {                                                                                              \
        add_converted(eval, call, convert, out);                                                   \
    }                                                                                              \
    void fn_converts_to_##name(struct evaluation *eval, const struct call *call,                   \
                               struct collection *out)                                             \
    {                                                                                              \
        add_whether(eval, call, convert, out);                                                     \
    }

/* ---- Boolean ---- */

static bool word_in(struct slice text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        while (k < text.len && words[i][k] != '\0' && (text.at[k] | 0x20) == (words[i][k] | 0x20)) {
            k++;
        }
        if (k == text.len && words[i][k] == '\0') {
            return true;
        }
    }
    return false;
}

static bool boolean_of_text(struct slice text, struct path_item *out)
{
    static const char *const yes[] = {"true", "t", "yes", "y", "1", "1.0"};
    static const char *const no[] = {"false", "f", "no", "n", "0", "0.0"};
    bool is_yes = word_in(text, yes, sizeof yes / sizeof *yes);
    *out = path_item_boolean(is_yes);
    return is_yes || word_in(text, no, sizeof no / sizeof *no);
}

static bool to_boolean(struct evaluation *eval, const struct call *call, struct path_item *out)
{
    (void)eval;
    const struct path_item *value = &call->value;
    switch (value->kind) {
    case PATH_BOOLEAN:
        *out = *value;
        return true;
    case PATH_INTEGER:
        *out = path_item_boolean(value->integer == 1);
        return value->integer == 0 || value->integer == 1;
    case PATH_DECIMAL:
        *out = path_item_boolean(decimal_equal(*value->decimal, DECIMAL_ONE));
        return out->boolean || decimal_is_zero(*value->decimal);
    case PATH_STRING:
        return boolean_of_text(value->text, out);
    default:
        return false;
    }
}

/* ---- Integer ---- */

static bool integer_of_text(struct slice text, struct path_item *out)
{
    struct decimal number;
    int64_t value;
    if (memchr(text.at != NULL ? text.at : "", '.', text.len) != NULL ||
        decimal_parse_plain(text, &number) != STATUS_OK ||
        decimal_to_int64(number, &value) != STATUS_OK || value > INT32_MAX || value < INT32_MIN) {
        return false;
    }
    *out = path_item_integer((int32_t)value);
    return true;
}

static bool to_integer(struct evaluation *eval, const struct call *call, struct path_item *out)
{
    (void)eval;
    const struct path_item *value = &call->value;
    switch (value->kind) {
    case PATH_INTEGER:
        *out = *value;
        return true;
    case PATH_BOOLEAN:
        *out = path_item_integer(value->boolean);
        return true;
    case PATH_STRING:
        return integer_of_text(value->text, out);
    default:
        return false;
    }
}

/* ---- Decimal ---- */

static bool to_decimal(struct evaluation *eval, const struct call *call, struct path_item *out)
{
    const struct path_item *value = &call->value;
    struct decimal number;
    switch (value->kind) {
    case PATH_INTEGER:
    case PATH_DECIMAL:
        *out = item_decimal(eval, value_decimal(value));
        return true;
    case PATH_BOOLEAN:
        *out = item_decimal(eval, decimal_make(value->boolean ? 10 : 0, 1));
        return true;
    case PATH_STRING:
        if (decimal_parse_plain(value->text, &number) != STATUS_OK) {
            return false;
        }
        *out = item_decimal(eval, number);
        return true;
    default:
        return false;
    }
}

/* ---- dates and times ---- */

static bool moment_of_text(struct evaluation *eval, struct slice text, enum datetime_form form,
                           struct path_item *out)
{
    struct datetime value;
    if (datetime_parse(text, form, &value, NULL) != STATUS_OK) {
        return false;
    }
    *out = item_datetime(eval, &value);
    return true;
}

static bool to_date(struct evaluation *eval, const struct call *call, struct path_item *out)
{
    const struct path_item *value = &call->value;
    struct datetime date;
    switch (value->kind) {
    case PATH_DATE:
        *out = *value;
        return true;
    case PATH_DATETIME:
        if (datetime_date_part(value->datetime, &date) != STATUS_OK) {
            return false;
        }
        *out = item_datetime(eval, &date);
        return true;
    case PATH_STRING: {
        struct path_item moment;
        if (!moment_of_text(eval, value->text, FORM_PATH_DATETIME, &moment) ||
            datetime_date_part(moment.datetime, &date) != STATUS_OK) {
            return false;
        }
        *out = item_datetime(eval, &date);
        return true;
    }
    default:
        return false;
    }
}

static bool to_datetime(struct evaluation *eval, const struct call *call, struct path_item *out)
{
    const struct path_item *value = &call->value;
    struct datetime moment;
    switch (value->kind) {
    case PATH_DATETIME:
        *out = *value;
        return true;
    case PATH_DATE:
        moment = *value->datetime;
        moment.kind = DATETIME_DATETIME;
        *out = item_datetime(eval, &moment);
        return true;
    case PATH_STRING:
        return moment_of_text(eval, value->text, FORM_PATH_DATETIME, out);
    default:
        return false;
    }
}

static bool to_time(struct evaluation *eval, const struct call *call, struct path_item *out)
{
    const struct path_item *value = &call->value;
    if (value->kind == PATH_TIME) {
        *out = *value;
        return true;
    }
    return value->kind == PATH_STRING && moment_of_text(eval, value->text, FORM_PATH_TIME, out);
}

/* ---- Quantity ---- */

static bool quantity_of_value(const struct path_item *value, struct quantity *out)
{
    switch (value->kind) {
    case PATH_INTEGER:
    case PATH_DECIMAL:
    case PATH_QUANTITY:
        *out = value_quantity(value);
        return true;
    case PATH_BOOLEAN:
        *out = quantity_of_number(decimal_make(value->boolean ? 10 : 0, 1));
        return true;
    case PATH_STRING:
        return quantity_parse(value->text, out) == STATUS_OK;
    default:
        return false;
    }
}

static bool to_quantity(struct evaluation *eval, const struct call *call, struct path_item *out)
{
    struct quantity quantity;
    struct quantity converted;
    if (!quantity_of_value(&call->value, &quantity)) {
        return false;
    }
    if (!call->given[0]) {
        *out = item_quantity(eval, quantity);
        return true;
    }
    enum status status =
        quantity_convert(&quantity, call->args[0].text, eval->diags, call->node->mark, &converted);
    if (status == STATUS_INVALID) {
        eval_stop_told(eval);
    }
    if (status != STATUS_OK) {
        return false;
    }
    *out = item_quantity(eval, converted);
    return true;
}

/* ---- String ---- */

static bool to_string(struct evaluation *eval, const struct call *call, struct path_item *out)
{
    struct slice text;
    if (!item_text(eval, &call->value, &text)) {
        return false;
    }
    *out = path_item_string(text);
    return true;
}

CONVERSION(boolean, to_boolean)
CONVERSION(integer, to_integer)
CONVERSION(decimal, to_decimal)
CONVERSION(date, to_date)
CONVERSION(datetime, to_datetime)
CONVERSION(time, to_time)
CONVERSION(quantity, to_quantity)
CONVERSION(string, to_string)

/* ---- iif ---- */

/* The branch that is not chosen is not evaluated. */
void fn_iif(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct frame frame = *call->frame;
    frame.self = call->input;
    enum truth truth = eval_criterion(eval, call->node->args[0], &frame);
    if (truth == TRUTH_TRUE) {
        eval_node(eval, call->node->args[1], &frame, out);
    } else if (call->node->arg_count == 3) {
        eval_node(eval, call->node->args[2], &frame, out);
    }
}
