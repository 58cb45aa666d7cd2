/* Decimals from and to floating point, and the functions whose results are irrational as a rule. */
#include <math.h>

#include "fhir/types/decimal.h"
#include "fhir/types/wide.h"

enum { MATH_DIGITS = 16 }; /* what long double holds with certainty on every machine we build for */

static const double double_powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                       1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                       1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
enum { EXACT_POWERS = sizeof double_powers / sizeof *double_powers };

static long double power_of_ten(int exponent)
{
    return (long double)wide_power(exponent); /* exact up to 10^27 in 64 bits of mantissa */
}

static long double to_long_double(struct decimal a)
{
    return (long double)a.coefficient / power_of_ten(a.scale);
}

double decimal_to_double(struct decimal a)
{
    const int128 exact = (int128)1 << 53;
    if (a.coefficient <= exact && a.coefficient >= -exact && a.scale < EXACT_POWERS) {
        return (double)a.coefficient / double_powers[a.scale]; /* one rounding of exact operands */
    }
    return (double)to_long_double(a);
}

/* value * 10^places, rounded. value is finite. */
static enum status from_long_double(long double value, int places, struct decimal *out)
{
    long double scaled = roundl(fabsl(value) * power_of_ten(places));
    if (!(scaled < power_of_ten(DECIMAL_DIGITS))) {
        return STATUS_LIMIT;
    }
    int128 coefficient = (int128)scaled;
    if (coefficient >= (int128)wide_power(DECIMAL_DIGITS)) {
        return STATUS_LIMIT;
    }
    *out = (struct decimal){value < 0 ? -coefficient : coefficient, (int16_t)places, false};
    return STATUS_OK;
}

enum status decimal_from_double(double value, int places, struct decimal *decimal_out)
{
    if (!isfinite(value) || places < 0 || places > 18) {
        return STATUS_INVALID;
    }
    return from_long_double(value, places, decimal_out);
}

/* Rounded to MATH_DIGITS significant digits, without trailing zeros behind the point. */
static enum status significant(long double value, struct decimal *out)
{
    if (isnan(value)) {
        return STATUS_ABSENT;
    }
    if (value == 0) {
        *out = DECIMAL_ZERO;
        return STATUS_OK;
    }
    if (!(fabsl(value) < power_of_ten(DECIMAL_DIGITS))) {
        return STATUS_LIMIT;
    }
    int before_point = (int)floorl(log10l(fabsl(value))) + 1;
    int places = MATH_DIGITS - before_point;
    if (places > DECIMAL_SCALE_MAX) {
        places = DECIMAL_SCALE_MAX;
    }
    if (places >= 0) {
        struct decimal rounded;
        enum status status = from_long_double(value, places, &rounded);
        if (status == STATUS_OK) {
            *out = decimal_reduce(rounded);
        }
        return status;
    }
    struct decimal upper;
    enum status status = from_long_double(value / power_of_ten(-places), 0, &upper);
    if (status != STATUS_OK) {
        return status;
    }
    struct decimal unit = {(int128)wide_power(-places), 0, false};
    return decimal_multiply(upper, unit, out);
}

/* By squaring: each step is exact as long as it fits. */
static enum status whole_power(struct decimal base, uint64_t exponent, struct decimal *out)
{
    struct decimal result = DECIMAL_ONE;
    enum status status = STATUS_OK;
    while (status == STATUS_OK) {
        if ((exponent & 1) != 0) {
            status = decimal_multiply(result, base, &result);
        }
        exponent >>= 1;
        if (exponent == 0) {
            break;
        }
        if (status == STATUS_OK) {
            status = decimal_multiply(base, base, &base);
        }
    }
    if (status == STATUS_OK) {
        *out = result;
    }
    return status;
}

enum status decimal_power(struct decimal base, struct decimal exponent, struct decimal *out)
{
    int64_t whole;
    enum status status = decimal_to_int64(exponent, &whole);
    if (status == STATUS_LIMIT) {
        return STATUS_LIMIT;
    }
    if (status == STATUS_OK && whole >= 0) {
        return whole_power(base, (uint64_t)whole, out);
    }
    if (decimal_is_zero(base) && decimal_is_negative(exponent)) {
        return STATUS_ABSENT;
    }
    if (status == STATUS_OK) {
        struct decimal inverse;
        status = whole_power(base, -(uint64_t)whole, &inverse);
        if (status == STATUS_OK && decimal_is_zero(inverse)) { /* rounded away */
            status = STATUS_LIMIT;
        }
        return status == STATUS_OK ? decimal_divide(DECIMAL_ONE, inverse, out) : status;
    }
    return decimal_is_negative(base)
               ? STATUS_ABSENT
               : significant(powl(to_long_double(base), to_long_double(exponent)), out);
}

enum status decimal_sqrt(struct decimal a, struct decimal *out)
{
    return decimal_is_negative(a) ? STATUS_ABSENT : significant(sqrtl(to_long_double(a)), out);
}

enum status decimal_exp(struct decimal a, struct decimal *out)
{
    return significant(expl(to_long_double(a)), out);
}

static bool is_positive(struct decimal a)
{
    return a.coefficient > 0;
}

enum status decimal_ln(struct decimal a, struct decimal *out)
{
    return is_positive(a) ? significant(logl(to_long_double(a)), out) : STATUS_ABSENT;
}

enum status decimal_log(struct decimal a, struct decimal base, struct decimal *out)
{
    if (!is_positive(a) || !is_positive(base) || decimal_equal(base, DECIMAL_ONE)) {
        return STATUS_ABSENT;
    }
    return significant(logl(to_long_double(a)) / logl(to_long_double(base)), out);
}
