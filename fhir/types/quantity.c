#include "fhir/types/quantity.h"

struct word {
    struct slice singular;
    struct slice plural;
    enum calendar_unit unit;
    struct slice code; /* the UCUM unit that is the same; year and month have none */
    struct slice near; /* the UCUM unit that is equivalent */
};

#define TEXT(literal)                                                                              \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }
static const struct word words[] = {
    {TEXT("year"), TEXT("years"), CALENDAR_YEAR, {NULL, 0}, TEXT("a")},
    {TEXT("month"), TEXT("months"), CALENDAR_MONTH, {NULL, 0}, TEXT("mo")},
    {TEXT("week"), TEXT("weeks"), CALENDAR_WEEK, TEXT("wk"), TEXT("wk")},
    {TEXT("day"), TEXT("days"), CALENDAR_DAY, TEXT("d"), TEXT("d")},
    {TEXT("hour"), TEXT("hours"), CALENDAR_HOUR, TEXT("h"), TEXT("h")},
    {TEXT("minute"), TEXT("minutes"), CALENDAR_MINUTE, TEXT("min"), TEXT("min")},
    {TEXT("second"), TEXT("seconds"), CALENDAR_SECOND, TEXT("s"), TEXT("s")},
    {TEXT("millisecond"), TEXT("milliseconds"), CALENDAR_MILLISECOND, TEXT("ms"), TEXT("ms")},
};
enum { WORDS = sizeof words / sizeof *words };

static const struct slice no_unit = TEXT("1");

static const struct word *find_word(struct slice text)
{
    for (size_t i = 0; i < WORDS; i++) {
        if (slice_equal(text, words[i].singular) || slice_equal(text, words[i].plural)) {
            return &words[i];
        }
    }
    return NULL;
}

enum calendar_unit calendar_unit_of(struct slice word)
{
    const struct word *found = find_word(word);
    return found != NULL ? found->unit : CALENDAR_NONE;
}

struct quantity quantity_of_number(struct decimal value)
{
    return (struct quantity){value, no_unit, false};
}

struct quantity quantity_negate(struct quantity a)
{
    a.value = decimal_negate(a.value);
    return a;
}

struct quantity quantity_abs(struct quantity a)
{
    a.value = decimal_abs(a.value);
    return a;
}

/* ---- Units of quantities ---- */

/* Years and months are a family of their own, counted in months. */
struct unit {
    struct ucum_unit ucum;
    bool is_months;
};

static bool months_of(struct slice text, struct unit *unit_out)
{
    enum calendar_unit calendar = calendar_unit_of(text);
    if (calendar != CALENDAR_YEAR && calendar != CALENDAR_MONTH) {
        return false;
    }
    *unit_out =
        (struct unit){.is_months = true, .ucum.factor = {calendar == CALENDAR_YEAR ? 12 : 1, 1, 0}};
    return true;
}

/* The UCUM code that a week or less is the same as; any other text as it is. */
static struct slice code_of(struct slice text)
{
    const struct word *word = find_word(text);
    return word != NULL && word->code.len > 0 ? word->code : text;
}

static enum status find_unit(struct slice text, struct diag_list *diags, struct span span,
                             struct unit *unit_out)
{
    if (months_of(text, unit_out)) {
        return STATUS_OK;
    }
    struct unit unit = {.is_months = false};
    enum status status = ucum_parse(code_of(text), &unit.ucum);
    if (status == STATUS_OK) {
        *unit_out = unit;
        return STATUS_OK;
    }
    if (diags != NULL) {
        ucum_diagnose(diags, span, text);
    }
    return STATUS_INVALID;
}

static bool is_time(const struct ucum_unit *unit)
{
    static const struct ucum_unit second = {.dimension = {[UCUM_TIME] = 1}};
    return ucum_comparable(unit, &second);
}

/* ORDER_EQUAL: they can be compared; else what the comparison yields. */
static enum order relation(const struct unit *a, const struct unit *b)
{
    if (a->is_months != b->is_months) {
        return is_time(a->is_months ? &b->ucum : &a->ucum) ? ORDER_UNKNOWN : ORDER_NONE;
    }
    return ucum_comparable(&a->ucum, &b->ucum) ? ORDER_EQUAL : ORDER_NONE;
}

struct pair {
    struct unit a;
    struct unit b;
};

static enum status find_units(const struct quantity *a, const struct quantity *b,
                              struct diag_list *diags, struct span span, struct pair *pair_out)
{
    enum status status = find_unit(a->unit, diags, span, &pair_out->a);
    return status == STATUS_OK ? find_unit(b->unit, diags, span, &pair_out->b) : status;
}

/* ---- Equality and order ---- */

enum status quantity_compare(const struct quantity *a, const struct quantity *b,
                             struct diag_list *diags, struct span span, enum order *order_out)
{
    if (slice_equal(a->unit, b->unit)) {
        *order_out = order_of(decimal_compare(a->value, b->value));
        return STATUS_OK;
    }
    struct pair units;
    enum status status = find_units(a, b, diags, span, &units);
    if (status != STATUS_OK) {
        return status;
    }
    enum order order = relation(&units.a, &units.b);
    if (order == ORDER_EQUAL) {
        order = order_of(ucum_compare(a->value, &units.a.ucum, b->value, &units.b.ucum));
    }
    *order_out = order;
    return STATUS_OK;
}

bool quantity_comparable(const struct quantity *a, const struct quantity *b)
{
    struct pair units;
    return find_units(a, b, NULL, SPAN_NONE, &units) == STATUS_OK &&
           relation(&units.a, &units.b) == ORDER_EQUAL;
}

/* For ~ a year or month is the UCUM unit of that name, when the other is of UCUM. */
static void bring_near(struct slice text, const struct unit *other, struct unit *unit)
{
    if (unit->is_months && !other->is_months) {
        *unit = (struct unit){.is_months = false};
        ucum_parse(find_word(text)->near, &unit->ucum);
    }
}

enum status quantity_equivalent(const struct quantity *a, const struct quantity *b,
                                struct diag_list *diags, struct span span, bool *equivalent_out)
{
    if (slice_equal(a->unit, b->unit)) {
        *equivalent_out = decimal_equivalent(a->value, b->value);
        return STATUS_OK;
    }
    struct pair units;
    enum status status = find_units(a, b, diags, span, &units);
    if (status != STATUS_OK) {
        return status;
    }
    struct unit first = units.a;
    bring_near(a->unit, &units.b, &units.a);
    bring_near(b->unit, &first, &units.b);
    if (relation(&units.a, &units.b) != ORDER_EQUAL) {
        *equivalent_out = false;
        return STATUS_OK;
    }
    struct decimal left = a->value;
    struct decimal right = b->value;
    if (ucum_compare_size(&units.a.ucum, &units.b.ucum) >= 0) {
        status = ucum_convert(right, &units.b.ucum, &units.a.ucum, &right);
    } else {
        status = ucum_convert(left, &units.a.ucum, &units.b.ucum, &left);
    }
    /* A value too large to express in the other's unit is not near it. */
    *equivalent_out = status == STATUS_OK && decimal_equivalent(left, right);
    return STATUS_OK;
}

/* ---- Arithmetic ---- */

static enum status add(const struct quantity *a, const struct quantity *b, struct diag_list *diags,
                       struct span span, bool subtract, struct quantity *out)
{
    struct quantity left = *a;
    struct quantity right = subtract ? quantity_negate(*b) : *b;
    enum status status = STATUS_OK;
    if (!slice_equal(a->unit, b->unit)) {
        struct pair units;
        status = find_units(a, b, diags, span, &units);
        if (status == STATUS_OK && relation(&units.a, &units.b) != ORDER_EQUAL) {
            status = STATUS_ABSENT;
        }
        if (status != STATUS_OK) {
            return status;
        }
        if (ucum_compare_size(&units.a.ucum, &units.b.ucum) <= 0) {
            status = ucum_convert(right.value, &units.b.ucum, &units.a.ucum, &right.value);
        } else {
            status = ucum_convert(left.value, &units.a.ucum, &units.b.ucum, &left.value);
            left.unit = right.unit;
            left.is_word = right.is_word;
        }
    }
    if (status == STATUS_OK) {
        status = decimal_add(left.value, right.value, &left.value);
    }
    if (status == STATUS_OK) {
        *out = left;
    }
    return status;
}

enum status quantity_add(const struct quantity *a, const struct quantity *b,
                         struct diag_list *diags, struct span span, struct quantity *sum_out)
{
    return add(a, b, diags, span, false, sum_out);
}

enum status quantity_subtract(const struct quantity *a, const struct quantity *b,
                              struct diag_list *diags, struct span span,
                              struct quantity *difference_out)
{
    return add(a, b, diags, span, true, difference_out);
}

static bool has_no_unit(const struct quantity *a)
{
    return slice_equal(a->unit, no_unit);
}

static enum status calculate(struct decimal a, struct decimal b, bool divide, struct decimal *out)
{
    return divide ? decimal_divide(a, b, out) : decimal_multiply(a, b, out);
}

/* Years and months: only their ratio has a meaning. */
static enum status divide_months(const struct quantity *a, const struct quantity *b,
                                 const struct pair *units, struct quantity *out)
{
    struct decimal left;
    struct decimal right;
    enum status status = ucum_scale(a->value, units->a.ucum.factor, &left);
    if (status == STATUS_OK) {
        status = ucum_scale(b->value, units->b.ucum.factor, &right);
    }
    if (status == STATUS_OK) {
        status = decimal_divide(left, right, &left);
    }
    if (status == STATUS_OK) {
        *out = quantity_of_number(left);
    }
    return status;
}

static enum status refuse(const struct quantity *a, const struct quantity *b,
                          struct diag_list *diags, struct span span, bool divide)
{
    if (diags != NULL) {
        struct diag *diag =
            diag_add(diags, DIAG_UNIT_UNFIT, span, "the units \"%.*s\" and \"%.*s\" cannot be %s",
                     SLICE_ARGS(a->unit), SLICE_ARGS(b->unit), divide ? "divided" : "multiplied");
        diag_hint(diags, diag,
                  "years, months, Cel and [degF] are no plain factors of one another; use 'a', "
                  "'mo' or K");
    }
    return STATUS_INVALID;
}

static enum status combine(struct arena *arena, const struct quantity *a, const struct quantity *b,
                           struct diag_list *diags, struct span span, bool divide,
                           struct quantity *out)
{
    struct pair units;
    enum status status = find_units(a, b, diags, span, &units);
    if (status != STATUS_OK) {
        return status;
    }
    if (divide && units.a.is_months && units.b.is_months) {
        return divide_months(a, b, &units, out);
    }
    char code[UCUM_TEXT];
    struct ucum_factor factor;
    if (units.a.is_months || units.b.is_months) {
        return refuse(a, b, diags, span, divide);
    }
    status = ucum_combine(code_of(a->unit), code_of(b->unit), divide, code, &factor);
    if (status != STATUS_OK) {
        return status == STATUS_INVALID ? refuse(a, b, diags, span, divide) : status;
    }
    struct decimal value;
    status = calculate(a->value, b->value, divide, &value);
    if (status == STATUS_OK) {
        status = ucum_scale(value, factor, &value);
    }
    if (status == STATUS_OK) {
        *out = (struct quantity){value, arena_copy(arena, slice_of(code)), false};
    }
    return status;
}

static enum status multiply(struct arena *arena, const struct quantity *a, const struct quantity *b,
                            struct diag_list *diags, struct span span, bool divide,
                            struct quantity *out)
{
    if (!has_no_unit(b) && (divide || !has_no_unit(a))) {
        if (divide && decimal_is_zero(b->value)) {
            return STATUS_ABSENT;
        }
        return combine(arena, a, b, diags, span, divide, out);
    }
    struct quantity result = has_no_unit(b) ? *a : *b;
    enum status status = calculate(a->value, b->value, divide, &result.value);
    if (status == STATUS_OK) {
        *out = result;
    }
    return status;
}

enum status quantity_multiply(struct arena *arena, const struct quantity *a,
                              const struct quantity *b, struct diag_list *diags, struct span span,
                              struct quantity *product_out)
{
    return multiply(arena, a, b, diags, span, false, product_out);
}

enum status quantity_divide(struct arena *arena, const struct quantity *a, const struct quantity *b,
                            struct diag_list *diags, struct span span,
                            struct quantity *quotient_out)
{
    return multiply(arena, a, b, diags, span, true, quotient_out);
}

enum status quantity_convert(const struct quantity *a, struct slice code, struct diag_list *diags,
                             struct span span, struct quantity *quantity_out)
{
    struct quantity result = {a->value, code, calendar_unit_of(code) != CALENDAR_NONE};
    if (!slice_equal(a->unit, code)) {
        struct pair units;
        enum status status = find_units(a, &result, diags, span, &units);
        if (status == STATUS_OK && relation(&units.a, &units.b) != ORDER_EQUAL) {
            status = STATUS_ABSENT;
        }
        if (status == STATUS_OK) {
            status = ucum_convert(a->value, &units.a.ucum, &units.b.ucum, &result.value);
        }
        if (status != STATUS_OK) {
            return status;
        }
    }
    *quantity_out = result;
    return STATUS_OK;
}

enum status quantity_calendar(const struct quantity *a, enum calendar_unit *unit_out,
                              int64_t *amount_out)
{
    enum calendar_unit unit = calendar_unit_of(a->unit);
    for (size_t i = 0; unit == CALENDAR_NONE && i < WORDS; i++) {
        if (words[i].code.len > 0 && slice_equal(a->unit, words[i].code)) {
            unit = words[i].unit;
        }
    }
    if (unit == CALENDAR_NONE) {
        return STATUS_INVALID;
    }
    int64_t amount;
    enum status status = decimal_to_int64(decimal_truncate(a->value), &amount);
    if (status == STATUS_OK) {
        *unit_out = unit;
        *amount_out = amount;
    }
    return status;
}
