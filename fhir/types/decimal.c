#include "fhir/types/decimal.h"

#include <limits.h>

#include "fhir/types/wide.h"

static uint128 magnitude_of(struct decimal a)
{
    return a.coefficient < 0 ? (uint128)-a.coefficient : (uint128)a.coefficient;
}

static struct decimal with_sign(bool negative, uint128 magnitude, int scale)
{
    int128 coefficient = (int128)magnitude;
    return (struct decimal){negative ? -coefficient : coefficient, (int16_t)scale,
                            negative && magnitude == 0};
}

static int least_places(struct decimal a, struct decimal b)
{
    int larger = a.scale > b.scale ? a.scale : b.scale;
    return larger < 8 ? larger : 8;
}

/* ---- Whole numbers, sign, equality, order ---- */

struct decimal decimal_from_int64(int64_t value)
{
    return (struct decimal){value, 0, false};
}

struct decimal decimal_make(int64_t coefficient, int scale)
{
    return (struct decimal){coefficient, (int16_t)scale, false};
}

bool decimal_is_whole(struct decimal a)
{
    return a.scale == 0 || magnitude_of(a) % wide_power(a.scale) == 0;
}

enum status decimal_to_int64(struct decimal a, int64_t *value_out)
{
    if (!decimal_is_whole(a)) {
        return STATUS_ABSENT;
    }
    int128 whole = a.coefficient / (int128)wide_power(a.scale);
    if (whole < INT64_MIN || whole > INT64_MAX) {
        return STATUS_LIMIT;
    }
    *value_out = (int64_t)whole;
    return STATUS_OK;
}

struct decimal decimal_reduce(struct decimal a)
{
    a.negative_zero = false;
    if (a.coefficient == 0) {
        a.scale = 0;
    }
    while (a.scale > 0 && a.coefficient % 10 == 0) {
        a.coefficient /= 10;
        a.scale--;
    }
    return a;
}

struct decimal decimal_negate(struct decimal a)
{
    return (struct decimal){-a.coefficient, a.scale, false};
}

struct decimal decimal_abs(struct decimal a)
{
    return a.coefficient < 0 ? decimal_negate(a) : (struct decimal){a.coefficient, a.scale, false};
}

static int compare_magnitudes(struct decimal a, struct decimal b)
{
    struct wide left = wide_of(magnitude_of(a));
    struct wide right = wide_of(magnitude_of(b));
    /* 38 digits and a difference of 38 places always fit. */
    wide_shift(a.scale < b.scale ? &left : &right,
               a.scale < b.scale ? b.scale - a.scale : a.scale - b.scale);
    return wide_compare(&left, &right);
}

static int sign_of(struct decimal a)
{
    return (a.coefficient > 0) - (a.coefficient < 0);
}

int decimal_compare(struct decimal a, struct decimal b)
{
    if (a.scale == b.scale) {
        return (a.coefficient > b.coefficient) - (a.coefficient < b.coefficient);
    }
    int sign = sign_of(a);
    if (sign != sign_of(b)) {
        return sign < sign_of(b) ? -1 : 1;
    }
    return sign * compare_magnitudes(a, b);
}

bool decimal_equivalent(struct decimal a, struct decimal b)
{
    a = decimal_reduce(a);
    b = decimal_reduce(b);
    int places = a.scale < b.scale ? a.scale : b.scale;
    return decimal_equal(decimal_round(a, places), decimal_round(b, places));
}

/* ---- Sum, product, quotient ---- */

/* Both on one scale, in wide magnitudes: for what does not fit into a coefficient. */
static enum status add_wide(struct decimal a, struct decimal b, int scale, struct decimal *out)
{
    struct wide left = wide_of(magnitude_of(a));
    struct wide right = wide_of(magnitude_of(b));
    wide_shift(&left, scale - a.scale);
    wide_shift(&right, scale - b.scale);
    bool negative = a.coefficient < 0;
    if (negative == (b.coefficient < 0)) {
        wide_add(&left, &right);
    } else if (wide_compare(&left, &right) >= 0) {
        wide_subtract(&left, &right);
    } else {
        wide_subtract(&right, &left);
        left = right;
        negative = !negative;
    }
    return wide_to_decimal(negative, left, scale, least_places(a, b), out);
}

enum status decimal_add(struct decimal a, struct decimal b, struct decimal *sum_out)
{
    int scale = a.scale > b.scale ? a.scale : b.scale;
    int128 left;
    int128 right;
    int128 sum;
    int128 limit = (int128)wide_power(DECIMAL_DIGITS);
    if (__builtin_mul_overflow(a.coefficient, (int128)wide_power(scale - a.scale), &left) ||
        __builtin_mul_overflow(b.coefficient, (int128)wide_power(scale - b.scale), &right) ||
        __builtin_add_overflow(left, right, &sum) || sum >= limit || sum <= -limit) {
        return add_wide(a, b, scale, sum_out);
    }
    *sum_out = (struct decimal){sum, (int16_t)scale, false};
    return STATUS_OK;
}

enum status decimal_subtract(struct decimal a, struct decimal b, struct decimal *difference_out)
{
    return decimal_add(a, decimal_negate(b), difference_out);
}

enum status decimal_multiply(struct decimal a, struct decimal b, struct decimal *product_out)
{
    bool negative = (a.coefficient < 0) != (b.coefficient < 0);
    struct wide product = wide_multiply(magnitude_of(a), magnitude_of(b));
    return wide_to_decimal(negative, product, a.scale + b.scale, least_places(a, b), product_out);
}

enum status decimal_divide(struct decimal a, struct decimal b, struct decimal *quotient_out)
{
    if (b.coefficient == 0) {
        return STATUS_ABSENT;
    }
    bool negative = (a.coefficient < 0) != (b.coefficient < 0);
    return wide_quotient(negative, wide_of(magnitude_of(a)), magnitude_of(b), a.scale - b.scale,
                         quotient_out);
}

/* |a| / |b| as a whole number and a remainder in units of 10^-scale. b is not 0. */
static void divide_whole(struct decimal a, struct decimal b, struct wide *quotient_out,
                         uint128 *remainder_out)
{
    struct wide quotient = wide_of(magnitude_of(a));
    uint128 divisor = magnitude_of(b);
    if (a.scale <= b.scale) {
        wide_shift(&quotient, b.scale - a.scale);
        *remainder_out = wide_divide(&quotient, divisor);
    } else {
        struct wide scaled = wide_of(divisor);
        wide_shift(&scaled, a.scale - b.scale);
        if (wide_compare(&quotient, &scaled) < 0) {
            *remainder_out = magnitude_of(a);
            quotient = wide_of(0);
        } else { /* the divisor is not above a, so it fits */
            *remainder_out = wide_divide(&quotient, wide_low(&scaled));
        }
    }
    *quotient_out = quotient;
}

enum status decimal_div(struct decimal a, struct decimal b, struct decimal *quotient_out)
{
    if (b.coefficient == 0) {
        return STATUS_ABSENT;
    }
    struct wide quotient;
    uint128 remainder;
    divide_whole(a, b, &quotient, &remainder);
    bool negative = (a.coefficient < 0) != (b.coefficient < 0);
    return wide_to_decimal(negative, quotient, 0, 0, quotient_out);
}

enum status decimal_mod(struct decimal a, struct decimal b, struct decimal *remainder_out)
{
    if (b.coefficient == 0) {
        return STATUS_ABSENT;
    }
    struct wide quotient;
    uint128 remainder;
    divide_whole(a, b, &quotient, &remainder);
    int scale = a.scale > b.scale ? a.scale : b.scale;
    return wide_to_decimal(a.coefficient < 0, wide_of(remainder), scale, scale, remainder_out);
}

/* ---- Rounding ---- */

struct decimal decimal_truncate(struct decimal a)
{
    return (struct decimal){a.coefficient / (int128)wide_power(a.scale), 0, false};
}

struct decimal decimal_ceiling(struct decimal a)
{
    struct decimal whole = decimal_truncate(a);
    whole.coefficient += a.coefficient > 0 && !decimal_is_whole(a);
    return whole;
}

struct decimal decimal_floor(struct decimal a)
{
    struct decimal whole = decimal_truncate(a);
    whole.coefficient -= a.coefficient < 0 && !decimal_is_whole(a);
    return whole;
}

static uint128 round_off(uint128 magnitude, int digits)
{
    uint128 unit = wide_power(digits);
    uint128 rest = magnitude % unit;
    return magnitude / unit + (rest >= unit - rest);
}

struct decimal decimal_round(struct decimal a, int places)
{
    if (places < 0) {
        places = 0;
    }
    if (places >= a.scale) {
        return a;
    }
    struct decimal rounded =
        with_sign(a.coefficient < 0, round_off(magnitude_of(a), a.scale - places), places);
    rounded.negative_zero = false;
    return rounded;
}

/* ---- Boundaries ---- */

/* direction: -1 the low one, 1 the high one. */
static enum status boundary(struct decimal a, int places, int direction, struct decimal *out)
{
    if (places < 0 || places > DECIMAL_BOUNDARY_MAX ||
        wide_digits128(magnitude_of(a)) > DECIMAL_DIGITS - 1) {
        return STATUS_ABSENT;
    }
    bool negative = a.coefficient < 0 || (a.coefficient == 0 && direction < 0);
    bool outward = negative == (direction < 0);
    uint128 magnitude = magnitude_of(a) * 10;
    magnitude = outward ? magnitude + 5 : magnitude - 5;
    int drop = a.scale + 1 - places;
    if (drop > 0) {
        uint128 unit = drop < WIDE_POWERS ? wide_power(drop) : 0;
        magnitude = unit == 0 ? 0 : outward ? round_off(magnitude, drop) : magnitude / unit;
    } else if (wide_digits128(magnitude) - drop > DECIMAL_DIGITS) {
        return STATUS_ABSENT;
    } else {
        magnitude *= wide_power(-drop);
    }
    *out = with_sign(negative, magnitude, places);
    return STATUS_OK;
}

enum status decimal_low_boundary(struct decimal a, int places, struct decimal *out)
{
    return boundary(a, places, -1, out);
}

enum status decimal_high_boundary(struct decimal a, int places, struct decimal *out)
{
    return boundary(a, places, 1, out);
}
