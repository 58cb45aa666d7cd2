#include "fhir/path/eval.h"

/* FHIRPath N1 section 5.9, the boundaries and parts of dates of the trial-use additions, and type()
 * of section 10.2. */

void fn_trace(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct collection shown = {NULL, 0, 0};
    if (call->node->arg_count == 1) {
        collection_add_all(eval, &shown, call->input);
    }
    for (size_t i = 0; call->node->arg_count == 2 && i < call->input.count; i++) {
        struct frame frame = frame_of(call, &call->input.at[i], i);
        eval_node(eval, call->node->args[1], &frame, &shown);
    }
    if (eval->env->trace != NULL) {
        eval->env->trace(eval->env->arg, call->args[0].text, collection_view(&shown));
    }
    collection_add_all(eval, out, call->input);
}

void fn_define_variable(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct collection value = {NULL, 0, 0};
    if (call->node->arg_count == 2) {
        eval_argument(eval, call, 1, &value);
    } else {
        collection_add_all(eval, &value, call->input);
    }
    eval->slots[call->node->slot - 1] = collection_view(&value);
    collection_add_all(eval, out, call->input);
}

/* ---- the clock ---- */

static const struct datetime *clock_of(struct evaluation *eval, const struct call *call)
{
    if (eval->env->now == NULL) {
        eval_stop(eval, DIAG_PATH_NO_CLOCK, call->node->mark, NULL,
                  "%s() has no answer: the evaluation was given no time",
                  call->node->function->name);
    }
    return eval->env->now;
}

void fn_now(struct evaluation *eval, const struct call *call, struct collection *out)
{
    collection_add(eval, out, item_datetime(eval, clock_of(eval, call)));
}

void fn_today(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct datetime date;
    if (datetime_date_part(clock_of(eval, call), &date) == STATUS_OK) {
        collection_add(eval, out, item_datetime(eval, &date));
    }
}

void fn_time_of_day(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct datetime time;
    if (datetime_time_part(clock_of(eval, call), &time) == STATUS_OK) {
        collection_add(eval, out, item_datetime(eval, &time));
    }
}

/* ---- boundaries ---- */

static void decimal_boundary(struct evaluation *eval, const struct call *call, bool low,
                             struct decimal value, const struct quantity *of,
                             struct collection *out)
{
    int64_t places = call->given[0] ? call->args[0].integer : DECIMAL_BOUNDARY_DEFAULT;
    struct decimal bound;
    if (places < 0 || places > DECIMAL_BOUNDARY_MAX) {
        return;
    }
    enum status status = low ? decimal_low_boundary(value, (int)places, &bound)
                             : decimal_high_boundary(value, (int)places, &bound);
    if (status != STATUS_OK) {
        return;
    }
    if (of != NULL) {
        struct quantity quantity = *of;
        quantity.value = bound;
        collection_add(eval, out, item_quantity(eval, quantity));
    } else {
        collection_add(eval, out, item_decimal(eval, bound));
    }
}

static void add_boundary(struct evaluation *eval, const struct call *call, bool low,
                         struct collection *out)
{
    const struct path_item *value = &call->value;
    struct datetime bound;
    if (value->kind == PATH_QUANTITY) {
        decimal_boundary(eval, call, low, value->quantity->value, value->quantity, out);
        return;
    }
    if (kind_is(value, KIND_NUMBERS)) {
        decimal_boundary(eval, call, low, value_decimal(value), NULL, out);
        return;
    }
    const struct datetime *moment = value->datetime;
    int64_t precision = call->given[0]
                            ? call->args[0].integer
                            : datetime_boundary_default((enum datetime_kind)moment->kind);
    int digits = precision < 0 || precision > 99 ? -1 : (int)precision;
    enum status status = low ? datetime_low_boundary(moment, digits, &bound)
                             : datetime_high_boundary(moment, digits, &bound);
    if (status == STATUS_OK) {
        collection_add(eval, out, item_datetime(eval, &bound));
    }
}

void fn_low_boundary(struct evaluation *eval, const struct call *call, struct collection *out)
{
    add_boundary(eval, call, true, out);
}

void fn_high_boundary(struct evaluation *eval, const struct call *call, struct collection *out)
{
    add_boundary(eval, call, false, out);
}

void fn_precision(struct evaluation *eval, const struct call *call, struct collection *out)
{
    const struct path_item *value = &call->value;
    int digits;
    if (value->kind == PATH_QUANTITY) {
        digits = decimal_precision(value->quantity->value);
    } else if (kind_is(value, KIND_NUMBERS)) {
        digits = decimal_precision(value_decimal(value));
    } else {
        digits = datetime_precision(value->datetime);
    }
    collection_add(eval, out, path_item_integer(digits));
}

/* ---- parts of dates and times ---- */

/* The part of that number, when the value goes so far. */
static void add_part(struct evaluation *eval, const struct call *call, enum datetime_part part,
                     int value, struct collection *out)
{
    const struct datetime *moment = call->value.datetime;
    bool time = moment->kind == DATETIME_TIME;
    if (moment->part >= part && !(time && part < PART_HOUR)) {
        collection_add(eval, out, path_item_integer(value));
    }
}

void fn_year_of(struct evaluation *eval, const struct call *call, struct collection *out)
{
    add_part(eval, call, PART_YEAR, call->value.datetime->year, out);
}

void fn_month_of(struct evaluation *eval, const struct call *call, struct collection *out)
{
    add_part(eval, call, PART_MONTH, call->value.datetime->month, out);
}

void fn_day_of(struct evaluation *eval, const struct call *call, struct collection *out)
{
    add_part(eval, call, PART_DAY, call->value.datetime->day, out);
}

void fn_hour_of(struct evaluation *eval, const struct call *call, struct collection *out)
{
    add_part(eval, call, PART_HOUR, call->value.datetime->hour, out);
}

void fn_minute_of(struct evaluation *eval, const struct call *call, struct collection *out)
{
    add_part(eval, call, PART_MINUTE, call->value.datetime->minute, out);
}

void fn_second_of(struct evaluation *eval, const struct call *call, struct collection *out)
{
    add_part(eval, call, PART_SECOND, call->value.datetime->second, out);
}

void fn_millisecond_of(struct evaluation *eval, const struct call *call, struct collection *out)
{
    add_part(eval, call, PART_FRACTION, (int)(call->value.datetime->nanosecond / 1000000), out);
}

void fn_offset_of(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct decimal hours;
    const struct datetime *moment = call->value.datetime;
    if (moment->zone == ZONE_NONE) {
        return;
    }
    if (decimal_divide(decimal_from_int64(moment->offset), decimal_from_int64(60), &hours) ==
        STATUS_OK) {
        collection_add(eval, out, item_decimal(eval, hours));
    }
}

void fn_date_of(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct datetime date;
    if (datetime_date_part(call->value.datetime, &date) == STATUS_OK) {
        collection_add(eval, out, item_datetime(eval, &date));
    }
}

void fn_time_of(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct datetime time;
    if (datetime_time_part(call->value.datetime, &time) == STATUS_OK) {
        collection_add(eval, out, item_datetime(eval, &time));
    }
}

/* ---- reflection ---- */

void fn_type(struct evaluation *eval, const struct call *call, struct collection *out)
{
    for (size_t i = 0; i < call->input.count; i++) {
        const struct path_item *item = &call->input.at[i];
        struct path_item info = {.kind = PATH_TYPE_INFO};
        info.type = path_item_type(eval->model, item);
        info.described = item->kind;
        if (info.type != NULL || item->kind != PATH_NODE) {
            collection_add(eval, out, info);
        }
    }
}
