/*
 * Whole numbers of 256 bits, for what the product of two coefficients needs on its way to a
 * decimal. Private to fhir/types.
 */
#ifndef FHIR_TYPES_WIDE_H
#define FHIR_TYPES_WIDE_H

#include "fhir/types/decimal.h"

struct wide {
    uint64_t limb[4]; /* the least first */
};

enum { WIDE_POWERS = DECIMAL_DIGITS + 1 };

/* 10^digits, 0 .. DECIMAL_DIGITS. */
uint128 wide_power(int digits);

/* Decimal digits of a, 0 has none. */
int wide_digits128(uint128 a);
int wide_digits(const struct wide *a);

struct wide wide_of(uint128 a);
struct wide wide_multiply(uint128 a, uint128 b);

void wide_add(struct wide *a, const struct wide *b);

/* b must not be above a. */
void wide_subtract(struct wide *a, const struct wide *b);

/* Negative, zero or positive, as a is less than, equal to or greater than b. */
int wide_compare(const struct wide *a, const struct wide *b);

/* a * 10^digits; false, a undefined, when it does not fit. */
bool wide_shift(struct wide *a, int digits);

/* a / 10^digits, rounded to the nearest, halves up; a must be below 10^76. */
void wide_round(struct wide *a, int digits);

/* a becomes a / divisor, cut; the remainder is returned. divisor must not be 0. */
uint128 wide_divide(struct wide *a, uint128 divisor);

bool wide_fits(const struct wide *a); /* into 128 bits */
uint128 wide_low(const struct wide *a);

/*
 * The decimal magnitude / 10^scale (scale may be negative): exact when it fits, else rounded to the
 * largest scale that fits but not below places_min, else STATUS_LIMIT.
 */
enum status wide_to_decimal(bool negative, struct wide magnitude, int scale, int places_min,
                            struct decimal *out);

/* numerator / divisor / 10^scale by the rule of decimal_divide. divisor must not be 0. */
enum status wide_quotient(bool negative, struct wide numerator, uint128 divisor, int scale,
                          struct decimal *out);

#endif
