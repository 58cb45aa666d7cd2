/* UCUM codes as terms: section 2 of the specification (grammar), over the table of units. */
#include <stdlib.h>

#include "fhir/types/ucum_terms.h"

struct atom {
    struct slice code;
    bool metric; /* takes prefixes */
    struct ucum_unit unit;
};

#define DIM(...)                                                                                   \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define ZERO(coefficient, places)                                                                  \
    {                                                                                              \
        (coefficient), (places), false                                                             \
    }
static const struct atom atoms[] = {
#define UCUM(code, metric, numerator, denominator, exponent, zero, dimension)                      \
    {{code, sizeof(code) - 1}, metric, {dimension, {numerator, denominator, exponent}, zero}},
#include "fhir/types/ucum_units.def"
#undef UCUM
};
enum { ATOMS = sizeof atoms / sizeof *atoms };

const struct slice ucum_codes[] = {
#define UCUM(code, metric, numerator, denominator, exponent, zero, dimension)                      \
    {code, sizeof(code) - 1},
#include "fhir/types/ucum_units.def"
#undef UCUM
};
const size_t ucum_code_count = ATOMS;

struct prefix {
    struct slice code;
    int exponent;
};

/* "da" first: it starts as "d" does. */
#define PREFIX(code, exponent)                                                                     \
    {                                                                                              \
        {code, sizeof(code) - 1}, exponent                                                         \
    }
static const struct prefix prefixes[] = {
    PREFIX("da", 1), PREFIX("k", 3),  PREFIX("m", -3),  PREFIX("c", -2),  PREFIX("d", -1),
    PREFIX("u", -6), PREFIX("n", -9), PREFIX("p", -12), PREFIX("f", -15), PREFIX("h", 2),
    PREFIX("M", 6),  PREFIX("G", 9),  PREFIX("T", 12),  PREFIX("P", 15),  PREFIX("E", 18),
    PREFIX("Z", 21), PREFIX("Y", 24), PREFIX("a", -18), PREFIX("z", -21), PREFIX("y", -24)};
enum { PREFIXES = sizeof prefixes / sizeof *prefixes };

/* ---- Factors ---- */

static uint128 greatest_divisor(uint128 a, uint128 b)
{
    while (b != 0) {
        uint128 rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

enum { EXPONENT_MOST = 100 };

/* In the one form: lowest terms, no 2 or 5 in the denominator, no ten in the numerator. */
static bool normalise(uint128 numerator, uint128 denominator, int exponent, struct ucum_factor *out)
{
    uint128 common = greatest_divisor(numerator, denominator);
    numerator /= common;
    denominator /= common;
    for (; numerator % 10 == 0; exponent++) {
        numerator /= 10;
    }
    for (; denominator % 10 == 0; exponent--) {
        denominator /= 10;
    }
    const uint128 room = (uint128)-1 / 5;
    for (; denominator % 5 == 0 && numerator < room; exponent--) {
        denominator /= 5;
        numerator *= 2;
    }
    for (; denominator % 2 == 0 && numerator < room; exponent--) {
        denominator /= 2;
        numerator *= 5;
    }
    if (numerator > INT64_MAX || denominator > INT64_MAX || abs(exponent) > EXPONENT_MOST) {
        return false;
    }
    *out = (struct ucum_factor){(int64_t)numerator, (int64_t)denominator, exponent};
    return true;
}

bool ucum_factor_multiply(struct ucum_factor a, struct ucum_factor b, int exponent,
                          struct ucum_factor *out)
{
    if (exponent < 0) {
        b = (struct ucum_factor){b.denominator, b.numerator, -b.exponent};
        exponent = -exponent;
    }
    if (b.numerator == 1 && b.denominator == 1) { /* a power of ten: nothing to multiply */
        a.exponent += b.exponent * exponent;
        if (abs(a.exponent) > EXPONENT_MOST) {
            return false;
        }
        *out = a;
        return true;
    }
    for (; exponent > 0; exponent--) {
        if (!normalise((uint128)a.numerator * (uint128)b.numerator,
                       (uint128)a.denominator * (uint128)b.denominator, a.exponent + b.exponent,
                       &a)) {
            return false;
        }
    }
    *out = a;
    return true;
}

/* ---- The table ---- */

static const struct atom *find_atom(struct slice code)
{
    for (size_t i = 0; i < ATOMS; i++) {
        if (slice_equal(atoms[i].code, code)) {
            return &atoms[i];
        }
    }
    return NULL;
}

/* A unit with or without a prefix. */
static bool find_unit(struct slice code, struct ucum_unit *unit_out)
{
    const struct atom *atom = find_atom(code);
    if (atom != NULL) {
        *unit_out = atom->unit;
        return true;
    }
    for (size_t i = 0; i < PREFIXES; i++) {
        if (!slice_starts_with(code, prefixes[i].code)) {
            continue;
        }
        atom = find_atom(slice_part(code, prefixes[i].code.len, code.len));
        if (atom != NULL && atom->metric) {
            *unit_out = atom->unit;
            unit_out->factor.exponent += prefixes[i].exponent;
            return true;
        }
    }
    return false;
}

/* ---- The grammar ---- */

struct reader {
    struct slice code;
    size_t at;
    struct ucum_terms *terms;
    int sign[UCUM_DEPTH + 1]; /* of the exponents inside each open parenthesis */
    int depth;
};

static char peek(const struct reader *in)
{
    return in->at < in->code.len ? in->code.at[in->at] : '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The end of a unit's text: at an operator, a sign, a digit or a brace outside square brackets. */
static size_t unit_end(const struct reader *in)
{
    size_t at = in->at;
    bool inside = false;
    for (; at < in->code.len; at++) {
        char c = in->code.at[at];
        if (c <= ' ' || c > '~') {
            break;
        }
        if (c == '[' || c == ']') {
            inside = c == '[';
        } else if (!inside && (is_digit(c) || strchr("./(){}+-", c) != NULL)) {
            break;
        }
    }
    return at;
}

static enum status read_number(struct reader *in, int *number_out)
{
    int number = 0;
    for (; is_digit(peek(in)); in->at++) {
        if (number > 99999999) {
            return STATUS_LIMIT;
        }
        number = number * 10 + (in->code.at[in->at] - '0');
    }
    *number_out = number;
    return STATUS_OK;
}

enum { UNIT_EXPONENT_MOST = 99 };

/* What follows a unit: +2, -1, 3, or nothing, which is 1. */
static enum status read_exponent(struct reader *in, int *exponent_out)
{
    bool negative = peek(in) == '-';
    bool has_sign = negative || peek(in) == '+';
    if (has_sign) {
        in->at++;
    }
    if (!is_digit(peek(in))) {
        *exponent_out = 1;
        return has_sign ? STATUS_INVALID : STATUS_OK;
    }
    int exponent = 1;
    enum status status = read_number(in, &exponent);
    if (status == STATUS_OK && exponent > UNIT_EXPONENT_MOST) {
        status = STATUS_LIMIT;
    }
    *exponent_out = negative ? -exponent : exponent;
    return status;
}

static enum status read_annotation(struct reader *in)
{
    for (in->at++; in->at < in->code.len; in->at++) {
        char c = in->code.at[in->at];
        if (c == '}') {
            in->at++;
            return STATUS_OK;
        }
        if (c < ' ' || c > '~' || c == '{') {
            break;
        }
    }
    return STATUS_INVALID;
}

static enum status read_unit(struct reader *in, int sign)
{
    static const struct slice ten[] = {{"10*", 3}, {"10^", 3}};
    struct slice rest = slice_part(in->code, in->at, in->code.len);
    bool is_ten = slice_starts_with(rest, ten[0]) || slice_starts_with(rest, ten[1]);
    size_t start = in->at;
    size_t end = is_ten ? start + 3 : unit_end(in);
    struct ucum_terms *terms = in->terms;
    if (terms->count == UCUM_TERMS) {
        return STATUS_LIMIT;
    }
    struct ucum_term *term = &terms->term[terms->count];
    term->text = slice_part(in->code, start, end - start);
    if (!find_unit(term->text, &term->unit)) {
        if (rest.len > 0) {
            terms->unknown = term->text.len > 0 ? term->text : rest;
        }
        return STATUS_INVALID;
    }
    in->at = end;
    int exponent;
    enum status status = read_exponent(in, &exponent);
    term->exponent = sign * exponent;
    terms->count++;
    return status;
}

static enum status read_factor(struct reader *in, int sign)
{
    int number;
    enum status status = read_number(in, &number);
    if (status != STATUS_OK || number == 0) {
        return status == STATUS_OK ? STATUS_INVALID : status;
    }
    struct ucum_factor factor = {number, 1, 0};
    return ucum_factor_multiply(in->terms->number, factor, sign, &in->terms->number) ? STATUS_OK
                                                                                     : STATUS_LIMIT;
}

static bool is_plain_number(const struct reader *in)
{
    return is_digit(peek(in)) &&
           !slice_starts_with(slice_part(in->code, in->at, 3), SLICE("10*")) &&
           !slice_starts_with(slice_part(in->code, in->at, 3), SLICE("10^"));
}

/* A unit, a number or an annotation. */
static enum status read_component(struct reader *in, int sign)
{
    enum status status = STATUS_OK;
    if (peek(in) == '{') {
        return read_annotation(in);
    }
    status = is_plain_number(in) ? read_factor(in, sign) : read_unit(in, sign);
    if (status == STATUS_OK && peek(in) == '{') {
        status = read_annotation(in);
    }
    return status;
}

static bool take_char(struct reader *in, char c)
{
    if (peek(in) != c) {
        return false;
    }
    in->at++;
    return true;
}

/* Opening parentheses, a component, closing parentheses. A slash turns the sign of what follows it
 * only: a/b.c is (a/b).c. */
static enum status read_operand(struct reader *in, int operator_sign)
{
    int sign = in->sign[in->depth] * operator_sign;
    while (take_char(in, '(')) {
        if (in->depth == UCUM_DEPTH) {
            return STATUS_LIMIT;
        }
        in->sign[++in->depth] = sign;
    }
    enum status status = read_component(in, sign);
    while (status == STATUS_OK && in->depth > 0 && take_char(in, ')')) {
        in->depth--;
    }
    return status;
}

enum status ucum_read_terms(struct slice code, struct ucum_terms *terms_out)
{
    terms_out->count = 0;
    terms_out->number = UCUM_FACTOR_ONE;
    terms_out->unknown = code;
    if (code.len == 0 || code.len >= UCUM_TEXT) {
        return code.len == 0 ? STATUS_INVALID : STATUS_LIMIT;
    }
    struct reader in = {.code = code, .terms = terms_out, .sign = {1}};
    int sign = take_char(&in, '/') ? -1 : 1;
    for (;;) {
        enum status status = read_operand(&in, sign);
        if (status != STATUS_OK) {
            return status;
        }
        if (take_char(&in, '.')) {
            sign = 1;
        } else if (take_char(&in, '/')) {
            sign = -1;
        } else {
            return in.at == code.len && in.depth == 0 ? STATUS_OK : STATUS_INVALID;
        }
    }
}
