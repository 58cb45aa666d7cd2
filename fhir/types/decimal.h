/*
 * Exact decimal numbers that remember how they were written: 1.0 and 1.00 are equal, and print as
 * they were read. A value is coefficient / 10^scale with at most DECIMAL_DIGITS digits, passed by
 * value; nothing is allocated. No call gives a wrong value: what has no result is STATUS_ABSENT
 * (FHIRPath: empty), what does not fit is STATUS_LIMIT, and out parameters are then untouched.
 *
 * Rounding, wherever a rule below says so, is to the nearest, halves away from zero.
 * Source: FHIRPath N1 sections 5.7 (math), 6.1 and 6.2 (equality, comparison), 6.6 (arithmetic);
 * the boundary functions as the R4 test suite has them.
 * Tests: tests/unit/fhir/types/test_decimal.c, fuzzed by tests/fuzzers/fuzz_decimal.c.
 */
#ifndef FHIR_TYPES_DECIMAL_H
#define FHIR_TYPES_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

#include "fhir/base/slice.h"
#include "fhir/base/status.h"

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

enum {
    DECIMAL_DIGITS = 38,       /* |coefficient| < 10^38 */
    DECIMAL_SCALE_MAX = 38,    /* places behind the point */
    DECIMAL_TEXT = 64,         /* bytes that hold any printed decimal and its NUL */
    DECIMAL_DIVIDE_PLACES = 16 /* of a quotient that does not end, see decimal_divide */
};

struct decimal {
    int128 coefficient;
    int16_t scale;      /* 0 .. DECIMAL_SCALE_MAX */
    bool negative_zero; /* coefficient is 0 and the text had a minus: prints -0.0, equals 0 */
};

#define DECIMAL_ZERO ((struct decimal){0, 0, false})
#define DECIMAL_ONE ((struct decimal){1, 0, false})

/*
 * Number text of JSON (RFC 8259 section 6), exponents included. 1.50e1 is read as 15.0 and 1e3 as
 * 1000. STATUS_INVALID: not a number. STATUS_LIMIT: more digits or places than fit.
 */
enum status decimal_parse(struct slice text, struct decimal *decimal_out);

/* The form of a FHIRPath literal and of toDecimal(): sign, digits, point, digits; leading zeros
 * allowed, no exponent. Statuses as above. */
enum status decimal_parse_plain(struct slice text, struct decimal *decimal_out);

/* Plain text without exponent, all remembered zeros, NUL-terminated. Returns the length.
 * decimal_parse of it gives the same decimal. */
size_t decimal_print(struct decimal a, char out[DECIMAL_TEXT]);

struct decimal decimal_from_int64(int64_t value);

/* coefficient / 10^scale. The caller keeps the limits above. */
struct decimal decimal_make(int64_t coefficient, int scale);

/* value rounded to `places` (0 .. 18). STATUS_INVALID: not finite. STATUS_LIMIT: does not fit. */
enum status decimal_from_double(double value, int places, struct decimal *decimal_out);

/* STATUS_ABSENT: not a whole number (1.0 is one). STATUS_LIMIT: outside int64_t. */
enum status decimal_to_int64(struct decimal a, int64_t *value_out);

/* The nearest double for up to 15 digits, else within one unit of the last place. */
double decimal_to_double(struct decimal a);

static inline bool decimal_is_zero(struct decimal a)
{
    return a.coefficient == 0;
}

static inline bool decimal_is_negative(struct decimal a)
{
    return a.coefficient < 0;
}

bool decimal_is_whole(struct decimal a);

/* Without trailing zeros behind the point: the same for all equal decimals, so fit for hashing. */
struct decimal decimal_reduce(struct decimal a);

/* By value: -1, 0, 1. Exact for all decimals. */
int decimal_compare(struct decimal a, struct decimal b);

static inline bool decimal_equal(struct decimal a, struct decimal b)
{
    return decimal_compare(a, b) == 0;
}

/* FHIRPath ~: equal after rounding to the places of the less precise one, trailing zeros behind the
 * point not counted. */
bool decimal_equivalent(struct decimal a, struct decimal b);

/* 0 stays 0: the minus of a zero comes from text and boundaries only. */
struct decimal decimal_negate(struct decimal a);
struct decimal decimal_abs(struct decimal a);

/*
 * Sum, difference and product are exact, with the larger scale or the sum of the scales, when that
 * fits; else they are rounded to the largest scale that fits, which is at least 8 (or the operands'
 * larger one if that is less); else STATUS_LIMIT.
 */
enum status decimal_add(struct decimal a, struct decimal b, struct decimal *sum_out);
enum status decimal_subtract(struct decimal a, struct decimal b, struct decimal *difference_out);

enum status decimal_multiply(struct decimal a, struct decimal b, struct decimal *product_out);

/*
 * FHIRPath /. A quotient that ends within DECIMAL_DIVIDE_PLACES significant digits or places is
 * exact, with as few places as it needs (4.0 / 2.0 is 2, 1 / 2 is 0.5). Any other is rounded to
 * DECIMAL_DIVIDE_PLACES places, or, below 0.1, to that many significant digits. STATUS_ABSENT:
 * division by zero.
 */
enum status decimal_divide(struct decimal a, struct decimal b, struct decimal *quotient_out);

/* The quotient cut to a whole number, and what it leaves: a = b * div + mod, mod has the sign of a.
 * STATUS_ABSENT: b is zero. */
enum status decimal_div(struct decimal a, struct decimal b, struct decimal *quotient_out);
enum status decimal_mod(struct decimal a, struct decimal b, struct decimal *remainder_out);

/* Whole numbers, scale 0. */
struct decimal decimal_ceiling(struct decimal a);
struct decimal decimal_floor(struct decimal a);
struct decimal decimal_truncate(struct decimal a);

/* To at most `places` places; fewer stay as they are (70.5 to 2 places is 70.5, 22.96 to 1 is
 * 23.0). places below 0 count as 0. */
struct decimal decimal_round(struct decimal a, int places);

/*
 * The results of the next five are irrational as a rule: they are computed in long double, rounded
 * to 16 significant digits, and lose trailing zeros. Exact: power with a whole exponent as long as
 * the exact result fits, sqrt of a square
 * whose root has at most 16 digits. STATUS_ABSENT: no real result (FHIRPath: empty).
 */
enum status decimal_power(struct decimal base, struct decimal exponent, struct decimal *out);
enum status decimal_sqrt(struct decimal a, struct decimal *out);
enum status decimal_exp(struct decimal a, struct decimal *out);
enum status decimal_ln(struct decimal a, struct decimal *out);
enum status decimal_log(struct decimal a, struct decimal base, struct decimal *out);

/* FHIRPath precision(): places behind the point, trailing zeros counted. 1.58700 has 5. */
static inline int decimal_precision(struct decimal a)
{
    return a.scale;
}

enum { DECIMAL_BOUNDARY_DEFAULT = 8, DECIMAL_BOUNDARY_MAX = 31 };

/*
 * The least and the greatest number that a, as written, may stand for (half a unit of its last
 * place to either side), with exactly `places` places. STATUS_ABSENT: places not in 0 ..
 * DECIMAL_BOUNDARY_MAX, or the result does not fit. With fewer places than the boundary has, the
 * one nearer to zero is cut and the one farther from zero is rounded, as the suite has it:
 * 1.587 low(2) 1.58 high(2) 1.59, -1.587 low(0) -2, 0.0034 high(1) 0.0, -0.0034 low(1) -0.0.
 */
enum status decimal_low_boundary(struct decimal a, int places, struct decimal *out);
enum status decimal_high_boundary(struct decimal a, int places, struct decimal *out);

#endif
