#include "fhir/types/ucum.h"

#include "fhir/types/ucum_terms.h"
#include "fhir/types/wide.h"

bool ucum_is_number(const struct ucum_unit *unit)
{
    static const struct ucum_unit number;
    return memcmp(unit->dimension, number.dimension, sizeof unit->dimension) == 0;
}

bool ucum_comparable(const struct ucum_unit *a, const struct ucum_unit *b)
{
    return memcmp(a->dimension, b->dimension, sizeof a->dimension) == 0;
}

/* ---- From code to unit ---- */

static bool has_own_zero(const struct ucum_unit *unit)
{
    return unit->zero.coefficient != 0;
}

enum { DIMENSION_MOST = 100 };

static enum status fold(const struct ucum_terms *terms, struct ucum_unit *unit_out)
{
    struct ucum_unit unit = {.factor = terms->number};
    for (int i = 0; i < terms->count; i++) {
        const struct ucum_term *term = &terms->term[i];
        if (has_own_zero(&term->unit)) { /* 20 Cel are not twice 10 Cel: no products */
            bool alone = terms->count == 1 && term->exponent == 1 && terms->number.numerator == 1 &&
                         terms->number.denominator == 1 && terms->number.exponent == 0;
            if (!alone) {
                return STATUS_INVALID;
            }
            *unit_out = term->unit;
            return STATUS_OK;
        }
        for (int d = 0; d < UCUM_DIMENSIONS; d++) {
            int sum = unit.dimension[d] + term->unit.dimension[d] * term->exponent;
            if (sum > DIMENSION_MOST || sum < -DIMENSION_MOST) {
                return STATUS_LIMIT;
            }
            unit.dimension[d] = (int8_t)sum;
        }
        if (!ucum_factor_multiply(unit.factor, term->unit.factor, term->exponent, &unit.factor)) {
            return STATUS_LIMIT;
        }
    }
    *unit_out = unit;
    return STATUS_OK;
}

enum status ucum_parse(struct slice code, struct ucum_unit *unit_out)
{
    struct ucum_terms terms;
    enum status status = ucum_read_terms(code, &terms);
    return status == STATUS_OK ? fold(&terms, unit_out) : status;
}

/* ---- Conversion and order ---- */

static struct wide magnitude_of(struct decimal a)
{
    return wide_of(a.coefficient < 0 ? (uint128)-a.coefficient : (uint128)a.coefficient);
}

/* Zeros that only the factor brought are dropped, those of the value's own places kept. */
static struct decimal without_new_zeros(struct decimal a, int places)
{
    while (a.scale > places && a.coefficient % 10 == 0) {
        a.coefficient /= 10;
        a.scale--;
    }
    return a;
}

enum status ucum_scale(struct decimal value, struct ucum_factor factor, struct decimal *out)
{
    bool negative = value.coefficient < 0;
    struct wide product = wide_multiply(
        (uint128)(negative ? -value.coefficient : value.coefficient), (uint128)factor.numerator);
    int scale = value.scale - factor.exponent;
    struct decimal scaled;
    enum status status =
        factor.denominator == 1
            ? wide_to_decimal(negative, product, scale, value.scale < 8 ? value.scale : 8, &scaled)
            : wide_quotient(negative, product, (uint128)factor.denominator, scale, &scaled);
    if (status == STATUS_OK) {
        *out = without_new_zeros(scaled, value.scale);
    }
    return status;
}

enum status ucum_convert(struct decimal value, const struct ucum_unit *from,
                         const struct ucum_unit *to, struct decimal *value_out)
{
    if (!ucum_comparable(from, to)) {
        return STATUS_INVALID;
    }
    struct ucum_factor factor;
    if (!ucum_factor_multiply(from->factor, to->factor, -1, &factor)) {
        return STATUS_LIMIT;
    }
    int places = value.scale;
    enum status status = STATUS_OK;
    if (has_own_zero(from)) {
        status = decimal_add(value, from->zero, &value);
    }
    if (status == STATUS_OK) {
        status = ucum_scale(value, factor, &value);
    }
    if (status == STATUS_OK && has_own_zero(to)) {
        status = decimal_subtract(value, to->zero, &value);
    }
    if (status == STATUS_OK) {
        *value_out = without_new_zeros(value, places);
    }
    return status;
}

static int compare_scaled(struct wide a, struct wide b, int exponent)
{
    struct wide *scaled = exponent >= 0 ? &a : &b;
    bool zero = wide_digits(scaled) == 0;
    for (int left = exponent < 0 ? -exponent : exponent; left > 0 && !zero;) {
        int step = left < DECIMAL_DIGITS ? left : DECIMAL_DIGITS;
        if (!wide_shift(scaled, step)) { /* beyond 256 bits, where the other one is not */
            return exponent > 0 ? 1 : -1;
        }
        left -= step;
    }
    return wide_compare(&a, &b);
}

/* a * fa against b * fb */
static int compare_magnitudes(struct decimal a, struct ucum_factor fa, struct decimal b,
                              struct ucum_factor fb)
{
    struct wide left = magnitude_of(a);
    struct wide right = magnitude_of(b);
    left = wide_multiply(wide_low(&left), (uint128)fa.numerator * (uint128)fb.denominator);
    right = wide_multiply(wide_low(&right), (uint128)fb.numerator * (uint128)fa.denominator);
    return compare_scaled(left, right, fa.exponent - a.scale - fb.exponent + b.scale);
}

static struct decimal above_absolute_zero(struct decimal value, const struct ucum_unit *unit)
{
    struct decimal sum = value;
    if (has_own_zero(unit)) {
        decimal_add(value, unit->zero, &sum); /* what is too large to add to stays as it is */
    }
    return sum;
}

int ucum_compare(struct decimal a, const struct ucum_unit *ua, struct decimal b,
                 const struct ucum_unit *ub)
{
    a = above_absolute_zero(a, ua);
    b = above_absolute_zero(b, ub);
    int sign_a = (a.coefficient > 0) - (a.coefficient < 0);
    int sign_b = (b.coefficient > 0) - (b.coefficient < 0);
    if (sign_a != sign_b || sign_a == 0) {
        return (sign_a > sign_b) - (sign_a < sign_b);
    }
    return sign_a * compare_magnitudes(a, ua->factor, b, ub->factor);
}

int ucum_compare_size(const struct ucum_unit *a, const struct ucum_unit *b)
{
    return compare_magnitudes(DECIMAL_ONE, a->factor, DECIMAL_ONE, b->factor);
}

/* ---- Products ---- */

/* The term of the same unit, or one of the same dimension that it can be expressed in. */
static struct ucum_term *find_partner(struct ucum_terms *terms, const struct ucum_term *term)
{
    for (int i = 0; i < terms->count; i++) {
        if (slice_equal(terms->term[i].text, term->text)) {
            return &terms->term[i];
        }
    }
    for (int i = 0; i < terms->count; i++) {
        if (!ucum_is_number(&term->unit) && ucum_comparable(&terms->term[i].unit, &term->unit)) {
            return &terms->term[i];
        }
    }
    return NULL;
}

static enum status add_term(struct ucum_terms *terms, const struct ucum_term *term)
{
    if (has_own_zero(&term->unit)) {
        return STATUS_INVALID;
    }
    struct ucum_term *partner = find_partner(terms, term);
    if (partner == NULL) {
        if (terms->count == UCUM_TERMS) {
            return STATUS_LIMIT;
        }
        terms->term[terms->count++] = *term;
        return STATUS_OK;
    }
    struct ucum_factor *number = &terms->number;
    bool same = slice_equal(partner->text, term->text);
    if (!same && (!ucum_factor_multiply(*number, term->unit.factor, term->exponent, number) ||
                  !ucum_factor_multiply(*number, partner->unit.factor, -term->exponent, number))) {
        return STATUS_LIMIT;
    }
    partner->exponent += term->exponent;
    return STATUS_OK;
}

struct writer {
    char *out;
    size_t len;
    bool full;
};

static void put(struct writer *to, struct slice text)
{
    if (to->len + text.len >= UCUM_TEXT) {
        to->full = true;
        return;
    }
    memcpy(to->out + to->len, text.at, text.len);
    to->len += text.len;
    to->out[to->len] = '\0';
}

static void put_term(struct writer *to, char operator, const struct ucum_term * term, int exponent)
{
    if (operator!= '\0') {
        put(to, slice_from(&operator, 1));
    }
    put(to, term->text);
    if (exponent != 1) {
        char digits[DECIMAL_TEXT];
        size_t len = decimal_print(decimal_from_int64(exponent), digits);
        put(to, slice_from(digits, len));
    }
}

/* First what is multiplied, then what is divided by: kg.m/s2. */
static enum status write_terms(const struct ucum_terms *terms, char out[UCUM_TEXT])
{
    char text[UCUM_TEXT];
    struct writer to = {.out = text};
    for (int i = 0; i < terms->count; i++) {
        const struct ucum_term *term = &terms->term[i];
        if (term->exponent > 0) {
            put_term(&to, to.len > 0 ? '.' : '\0', term, term->exponent);
        }
    }
    for (int i = 0; i < terms->count; i++) {
        const struct ucum_term *term = &terms->term[i];
        if (term->exponent < 0) {
            put_term(&to, '/', term, -term->exponent);
        }
    }
    if (to.len == 0) {
        put(&to, SLICE("1"));
    }
    if (to.full) {
        return STATUS_LIMIT;
    }
    memcpy(out, text, to.len + 1);
    return STATUS_OK;
}

enum status ucum_combine(struct slice a, struct slice b, bool divide, char out[UCUM_TEXT],
                         struct ucum_factor *factor_out)
{
    struct ucum_terms left;
    struct ucum_terms right;
    struct ucum_terms product = {.number = UCUM_FACTOR_ONE};
    enum status status = ucum_read_terms(a, &left);
    if (status == STATUS_OK) {
        status = ucum_read_terms(b, &right);
    }
    for (int i = 0; status == STATUS_OK && i < left.count; i++) {
        status = add_term(&product, &left.term[i]);
    }
    for (int i = 0; status == STATUS_OK && i < right.count; i++) {
        right.term[i].exponent *= divide ? -1 : 1;
        status = add_term(&product, &right.term[i]);
    }
    if (status != STATUS_OK) {
        return status;
    }
    struct ucum_factor factor = product.number;
    if (!ucum_factor_multiply(factor, left.number, 1, &factor) ||
        !ucum_factor_multiply(factor, right.number, divide ? -1 : 1, &factor)) {
        return STATUS_LIMIT;
    }
    status = write_terms(&product, out);
    if (status == STATUS_OK) {
        *factor_out = factor;
    }
    return status;
}
