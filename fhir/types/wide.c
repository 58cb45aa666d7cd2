#include "fhir/types/wide.h"

#define E19 10000000000000000000U

static const uint128 powers[WIDE_POWERS] = {
    1U,
    10U,
    100U,
    1000U,
    10000U,
    100000U,
    1000000U,
    10000000U,
    100000000U,
    1000000000U,
    10000000000U,
    100000000000U,
    1000000000000U,
    10000000000000U,
    100000000000000U,
    1000000000000000U,
    10000000000000000U,
    100000000000000000U,
    1000000000000000000U,
    E19,
    (uint128)E19 * 10U,
    (uint128)E19 * 100U,
    (uint128)E19 * 1000U,
    (uint128)E19 * 10000U,
    (uint128)E19 * 100000U,
    (uint128)E19 * 1000000U,
    (uint128)E19 * 10000000U,
    (uint128)E19 * 100000000U,
    (uint128)E19 * 1000000000U,
    (uint128)E19 * 10000000000U,
    (uint128)E19 * 100000000000U,
    (uint128)E19 * 1000000000000U,
    (uint128)E19 * 10000000000000U,
    (uint128)E19 * 100000000000000U,
    (uint128)E19 * 1000000000000000U,
    (uint128)E19 * 10000000000000000U,
    (uint128)E19 * 100000000000000000U,
    (uint128)E19 * 1000000000000000000U,
    (uint128)E19 *E19,
};

uint128 wide_power(int digits)
{
    return powers[digits];
}

int wide_digits128(uint128 a)
{
    if (a == 0) {
        return 0;
    }
    uint64_t high = (uint64_t)(a >> 64);
    int bits = high != 0 ? 128 - __builtin_clzll(high) : 64 - __builtin_clzll((uint64_t)a);
    int digits = bits * 1233 >> 12; /* log10(2), never too large by more than one */
    return digits >= WIDE_POWERS || a < powers[digits] ? digits : digits + 1;
}

struct wide wide_of(uint128 a)
{
    return (struct wide){{(uint64_t)a, (uint64_t)(a >> 64), 0, 0}};
}

bool wide_fits(const struct wide *a)
{
    return a->limb[2] == 0 && a->limb[3] == 0;
}

uint128 wide_low(const struct wide *a)
{
    return (uint128)a->limb[1] << 64 | a->limb[0];
}

/* a * factor + carry; what does not fit is returned. */
static uint64_t multiply_small(struct wide *a, uint64_t factor, uint64_t carry)
{
    for (int i = 0; i < 4; i++) {
        uint128 product = (uint128)a->limb[i] * factor + carry;
        a->limb[i] = (uint64_t)product;
        carry = (uint64_t)(product >> 64);
    }
    return carry;
}

static uint64_t divide_small(struct wide *a, uint64_t divisor)
{
    uint128 remainder = 0;
    for (int i = 3; i >= 0; i--) {
        uint128 part = remainder << 64 | a->limb[i];
        a->limb[i] = (uint64_t)(part / divisor);
        remainder = part % divisor;
    }
    return (uint64_t)remainder;
}

void wide_add(struct wide *a, const struct wide *b)
{
    uint64_t carry = 0;
    for (int i = 0; i < 4; i++) {
        uint128 sum = (uint128)a->limb[i] + b->limb[i] + carry;
        a->limb[i] = (uint64_t)sum;
        carry = (uint64_t)(sum >> 64);
    }
}

void wide_subtract(struct wide *a, const struct wide *b)
{
    uint64_t borrow = 0;
    for (int i = 0; i < 4; i++) {
        uint128 difference = (uint128)a->limb[i] - b->limb[i] - borrow;
        a->limb[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
}

struct wide wide_multiply(uint128 a, uint128 b)
{
    struct wide product = wide_of(a);
    struct wide upper = product;
    multiply_small(&product, (uint64_t)b, 0);
    multiply_small(&upper, (uint64_t)(b >> 64), 0);
    wide_add(&product, &(struct wide){{0, upper.limb[0], upper.limb[1], upper.limb[2]}});
    return product;
}

int wide_compare(const struct wide *a, const struct wide *b)
{
    for (int i = 3; i >= 0; i--) {
        if (a->limb[i] != b->limb[i]) {
            return a->limb[i] < b->limb[i] ? -1 : 1;
        }
    }
    return 0;
}

bool wide_shift(struct wide *a, int digits)
{
    for (; digits >= 19; digits -= 19) {
        if (multiply_small(a, E19, 0) != 0) {
            return false;
        }
    }
    return multiply_small(a, (uint64_t)powers[digits], 0) == 0;
}

void wide_round(struct wide *a, int digits)
{
    if (digits <= 0) {
        return;
    }
    struct wide half = wide_of(5);
    wide_shift(&half, digits - 1);
    wide_add(a, &half);
    for (; digits >= 19; digits -= 19) {
        divide_small(a, E19);
    }
    divide_small(a, (uint64_t)powers[digits]);
}

/* Shift and subtract: only for dividends above 128 bits with divisors above 64. */
static uint128 divide_long(struct wide *a, uint128 divisor)
{
    uint128 remainder = 0;
    for (int bit = 255; bit >= 0; bit--) {
        uint64_t *limb = &a->limb[bit / 64];
        uint64_t mask = (uint64_t)1 << bit % 64;
        bool carry = remainder >> 127 != 0;
        remainder = remainder << 1 | ((*limb & mask) != 0);
        bool fits = carry || remainder >= divisor;
        if (fits) {
            remainder -= divisor;
            *limb |= mask;
        } else {
            *limb &= ~mask;
        }
    }
    return remainder;
}

uint128 wide_divide(struct wide *a, uint128 divisor)
{
    if (wide_fits(a)) {
        uint128 dividend = wide_low(a);
        *a = wide_of(dividend / divisor);
        return dividend % divisor;
    }
    return divisor >> 64 == 0 ? divide_small(a, (uint64_t)divisor) : divide_long(a, divisor);
}

int wide_digits(const struct wide *a)
{
    int below = 0;
    struct wide rest = *a;
    for (; !wide_fits(&rest); below += 19) {
        divide_small(&rest, E19);
    }
    return below + wide_digits128(wide_low(&rest));
}

enum status wide_to_decimal(bool negative, struct wide magnitude, int scale, int places_min,
                            struct decimal *out)
{
    if (scale < 0) {
        if (wide_digits(&magnitude) - scale > DECIMAL_DIGITS) {
            return STATUS_LIMIT;
        }
        wide_shift(&magnitude, -scale);
        scale = 0;
    }
    int drop = wide_digits(&magnitude) - DECIMAL_DIGITS;
    if (drop < scale - DECIMAL_SCALE_MAX) {
        drop = scale - DECIMAL_SCALE_MAX;
    }
    while (drop > 0) {
        if (scale - drop < places_min) {
            return STATUS_LIMIT;
        }
        if (drop > 2 * DECIMAL_DIGITS - 1) { /* nothing that small is left after rounding */
            magnitude = wide_of(0);
        } else {
            wide_round(&magnitude, drop);
        }
        scale -= drop;
        drop = wide_digits(&magnitude) - DECIMAL_DIGITS; /* 99.. may have become 100.. */
    }
    int128 coefficient = (int128)wide_low(&magnitude);
    *out = (struct decimal){negative ? -coefficient : coefficient, (int16_t)scale, false};
    return STATUS_OK;
}

/* The m for which a / divisor is in 10^(m-1) .. 10^m. */
static int quotient_magnitude(const struct wide *a, uint128 divisor)
{
    int digits = wide_digits(a) - wide_digits128(divisor);
    struct wide left = *a;
    struct wide right = wide_of(divisor);
    wide_shift(digits < 0 ? &left : &right, digits < 0 ? -digits : digits);
    return wide_compare(&left, &right) < 0 ? digits : digits + 1;
}

enum { PLACES_LEAST = 8 }; /* FHIRPath asks for no fewer of a quotient */

/* How many places a quotient in 10^(magnitude-1) .. 10^magnitude gets, see decimal_divide. */
static int quotient_places(int magnitude, int scale)
{
    int places = magnitude < 0 ? DECIMAL_DIVIDE_PLACES - magnitude : DECIMAL_DIVIDE_PLACES;
    if (places < scale) {
        places = scale;
    }
    if (places > DECIMAL_SCALE_MAX) {
        places = DECIMAL_SCALE_MAX;
    }
    int most = DECIMAL_DIGITS - (magnitude > 0 ? magnitude : 0);
    return places < most ? places : most;
}

enum status wide_quotient(bool negative, struct wide numerator, uint128 divisor, int scale,
                          struct decimal *out)
{
    int magnitude = quotient_magnitude(&numerator, divisor) - scale;
    int places = quotient_places(magnitude, scale);
    if (places < 0) {
        return STATUS_LIMIT;
    }
    int shift = places - scale;
    if (shift > 0 && !wide_shift(&numerator, shift)) {
        return STATUS_LIMIT;
    }
    uint128 remainder = wide_divide(&numerator, divisor);
    if (places < PLACES_LEAST && remainder != 0) {
        return STATUS_LIMIT;
    }
    if (shift >= 0) {
        if (remainder >= divisor - remainder) {
            wide_add(&numerator, &(struct wide){{1, 0, 0, 0}});
        }
    } else if (-shift > 2 * DECIMAL_DIGITS - 1) {
        numerator = wide_of(0);
    } else {
        /* Halves go away from zero, so what the first division cut off cannot change this one. */
        wide_round(&numerator, -shift);
    }
    struct decimal quotient;
    enum status status = wide_to_decimal(negative, numerator, places, 0, &quotient);
    if (status == STATUS_OK) {
        *out = remainder == 0 ? decimal_reduce(quotient) : quotient;
    }
    return status;
}
