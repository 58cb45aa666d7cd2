/* Decimals from and to text. No call here looks at the locale. */
#include "fhir/types/decimal.h"
#include "fhir/types/wide.h"

struct reading {
    const char *at;
    const char *end;
    uint128 coefficient;
    int places;
    bool too_long;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool next_is(const struct reading *in, char c)
{
    return in->at < in->end && *in->at == c;
}

/* Digits into the coefficient; returns how many there were. */
static size_t read_digits(struct reading *in)
{
    const char *start = in->at;
    uint128 limit = wide_power(DECIMAL_DIGITS - 1);
    for (; in->at < in->end && is_digit(*in->at); in->at++) {
        if (in->coefficient >= limit) {
            in->too_long = true;
        } else {
            in->coefficient = in->coefficient * 10 + (unsigned)(*in->at - '0');
        }
    }
    return (size_t)(in->at - start);
}

/* point and digits behind it; false when digits are missing. */
static bool read_fraction(struct reading *in)
{
    if (!next_is(in, '.')) {
        return true;
    }
    in->at++;
    size_t count = read_digits(in);
    in->too_long = in->too_long || count > (size_t)2 * DECIMAL_SCALE_MAX;
    in->places = in->too_long ? 0 : (int)count;
    return count > 0;
}

enum { EXPONENT_CAP = 1000 }; /* beyond it only zero would fit */

static bool read_exponent(struct reading *in)
{
    if (!next_is(in, 'e') && !next_is(in, 'E')) {
        return true;
    }
    in->at++;
    bool negative = next_is(in, '-');
    if (negative || next_is(in, '+')) {
        in->at++;
    }
    const char *start = in->at;
    int exponent = 0;
    for (; in->at < in->end && is_digit(*in->at); in->at++) {
        exponent = exponent < EXPONENT_CAP ? exponent * 10 + (*in->at - '0') : exponent;
    }
    in->places += negative ? exponent : -exponent;
    return in->at > start;
}

static enum status finish(const struct reading *in, bool negative, struct decimal *decimal_out)
{
    if (in->at != in->end) {
        return STATUS_INVALID;
    }
    uint128 coefficient = in->coefficient;
    int places = in->places;
    if (places < 0) {
        if (coefficient != 0 && wide_digits128(coefficient) - places > DECIMAL_DIGITS) {
            return STATUS_LIMIT;
        }
        coefficient = coefficient == 0 ? 0 : coefficient * wide_power(-places);
        places = 0;
    }
    if (in->too_long || places > DECIMAL_SCALE_MAX) {
        return STATUS_LIMIT;
    }
    int128 value = (int128)coefficient;
    *decimal_out =
        (struct decimal){negative ? -value : value, (int16_t)places, negative && coefficient == 0};
    return STATUS_OK;
}

enum status decimal_parse(struct slice text, struct decimal *decimal_out)
{
    if (text.len == 0) {
        return STATUS_INVALID;
    }
    struct reading in = {text.at, text.at + text.len, 0, 0, false};
    bool negative = next_is(&in, '-');
    if (negative) {
        in.at++;
    }
    bool leading_zero = next_is(&in, '0');
    size_t digits = read_digits(&in);
    if (digits == 0 || (leading_zero && digits > 1) || !read_fraction(&in) || !read_exponent(&in)) {
        return STATUS_INVALID;
    }
    return finish(&in, negative, decimal_out);
}

enum status decimal_parse_plain(struct slice text, struct decimal *decimal_out)
{
    if (text.len == 0) {
        return STATUS_INVALID;
    }
    struct reading in = {text.at, text.at + text.len, 0, 0, false};
    bool negative = next_is(&in, '-');
    if (negative || next_is(&in, '+')) {
        in.at++;
    }
    if (read_digits(&in) == 0 || !read_fraction(&in)) {
        return STATUS_INVALID;
    }
    return finish(&in, negative, decimal_out);
}

size_t decimal_print(struct decimal a, char out[DECIMAL_TEXT])
{
    char reversed[DECIMAL_TEXT];
    size_t count = 0;
    uint128 rest = a.coefficient < 0 ? (uint128)-a.coefficient : (uint128)a.coefficient;
    while (rest > UINT64_MAX) {
        reversed[count++] = (char)('0' + (int)(rest % 10));
        rest /= 10;
    }
    for (uint64_t low = (uint64_t)rest; low != 0; low /= 10) {
        reversed[count++] = (char)('0' + (int)(low % 10));
    }
    while (count <= (size_t)a.scale) {
        reversed[count++] = '0';
    }
    size_t len = 0;
    if (a.coefficient < 0 || a.negative_zero) {
        out[len++] = '-';
    }
    while (count > 0) {
        out[len++] = reversed[--count];
        if (count == (size_t)a.scale && count > 0) {
            out[len++] = '.';
        }
    }
    out[len] = '\0';
    return len;
}
