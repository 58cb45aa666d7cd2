#include "fhir/growth/number.h"

#include <math.h>

__extension__ typedef unsigned __int128 u128;

/* ---- reading ---- */

enum { DIGITS_MAX = 19, SHIFT_MAX = 19, EXPONENT_MAX = 99 };

static const uint64_t powers[SHIFT_MAX + 1] = {1,
                                               10,
                                               100,
                                               1000,
                                               10000,
                                               100000,
                                               1000000,
                                               10000000,
                                               100000000,
                                               1000000000,
                                               10000000000,
                                               100000000000,
                                               1000000000000,
                                               10000000000000,
                                               100000000000000,
                                               1000000000000000,
                                               10000000000000000,
                                               100000000000000000,
                                               1000000000000000000,
                                               10000000000000000000U};

/* digits * 10^shift */
struct scanned {
    uint64_t digits;
    int shift;
    bool negative;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool scan_exponent(struct slice text, size_t i, int *exponent_out)
{
    bool negative = i < text.len && text.at[i] == '-';
    i += i < text.len && (text.at[i] == '-' || text.at[i] == '+');
    if (i >= text.len) {
        return false;
    }
    int value = 0;
    for (; i < text.len; i++) {
        if (!is_digit(text.at[i]) || value > EXPONENT_MAX) {
            return false;
        }
        value = value * 10 + (text.at[i] - '0');
    }
    *exponent_out = negative ? -value : value;
    return true;
}

/* Leading zeros count no digit: `count` starts with the first other one. */
static bool scan(struct slice text, struct scanned *number_out)
{
    struct scanned number = {0, 0, text.len > 0 && text.at[0] == '-'};
    size_t i = text.len > 0 && (text.at[0] == '-' || text.at[0] == '+');
    int count = 0;
    bool any = false;
    bool fraction = false;
    for (; i < text.len; i++) {
        char c = text.at[i];
        if (c == '.' && !fraction) {
            fraction = true;
        } else if (is_digit(c)) {
            any = true;
            if (count < DIGITS_MAX) {
                number.digits = number.digits * 10 + (uint64_t)(c - '0');
                count += number.digits != 0;
                number.shift -= fraction;
            } else {
                number.shift += !fraction;
            }
        } else {
            break;
        }
    }
    if (!any || number.shift > EXPONENT_MAX || number.shift < -EXPONENT_MAX) {
        return false;
    }
    if (i < text.len) {
        int exponent = 0;
        if ((text.at[i] != 'e' && text.at[i] != 'E') || !scan_exponent(text, i + 1, &exponent)) {
            return false;
        }
        number.shift += exponent;
    }
    *number_out = number;
    return true;
}

/* Decimals that no measurement has are dropped, so that the divisor fits 64 bits. */
static void drop_decimals(struct scanned *number)
{
    while (number->shift < -SHIFT_MAX) {
        number->digits /= 10;
        number->shift++;
    }
}

/* value * 2^-exponent, rounded to nearest even; `more` says that something below was cut off. */
static double round_u128(u128 value, bool more, int exponent)
{
    int bits = 128 - (value >> 64 != 0 ? __builtin_clzll((uint64_t)(value >> 64))
                                       : 64 + __builtin_clzll((uint64_t)value));
    int cut = bits - 53;
    if (cut <= 0) {
        return ldexp((double)(uint64_t)value, -exponent);
    }
    u128 half = (u128)1 << (cut - 1);
    u128 rest = value & ((half << 1) - 1);
    uint64_t kept = (uint64_t)(value >> cut);
    if (rest > half || (rest == half && (more || (kept & 1) != 0))) {
        kept++;
    }
    return ldexp((double)kept, cut - exponent);
}

static double divide(uint64_t digits, uint64_t divisor)
{
    if (digits <= (uint64_t)1 << 53) { /* both exact as doubles: one rounding */
        return (double)digits / (double)divisor;
    }
    int lead = __builtin_clzll(digits);
    u128 numerator = (u128)(digits << lead) << 64;
    u128 quotient = numerator / divisor;
    return round_u128(quotient, numerator % divisor != 0, 64 + lead);
}

bool number_read(struct slice text, double *value_out)
{
    struct scanned number;
    if (!scan(text, &number)) {
        return false;
    }
    double value = 0;
    drop_decimals(&number);
    if (number.digits != 0) {
        if (number.shift > SHIFT_MAX) {
            return false;
        }
        value = number.shift < 0 ? divide(number.digits, powers[-number.shift])
                                 : round_u128((u128)number.digits * powers[number.shift], false, 0);
    }
    *value_out = number.negative ? -value : value;
    return true;
}

/* ---- writing: R. Giulietti, "The Schubfach way to render doubles" (2021) ---- */

struct u64_pair {
    uint64_t high;
    uint64_t low;
};

enum { POWER_FIRST = -292 };

static const struct u64_pair power_table[] = {
#include "fhir/growth/table_powers_of_ten.inc"
};

/* floor(log10(2^e)), floor(log10(3/4 * 2^e)), floor(log2(10^e)): exact for every exponent of a
 * double (sections 9.1 to 9.3). */
static int log10_of_2(int e)
{
    return (e * 1262611) >> 22;
}
static int log10_of_2_less(int e)
{
    return (e * 1262611 - 524031) >> 22;
}
static int log2_of_10(int e)
{
    return (e * 1741647) >> 19;
}

/* The upper 64 bits of power * c, the last of them set when anything below is (round to odd). */
static uint64_t scaled(struct u64_pair power, uint64_t c)
{
    uint64_t below = (uint64_t)(((u128)power.low * c) >> 64);
    u128 product = (u128)power.high * c + below;
    return (uint64_t)(product >> 64) | ((uint64_t)product > 1);
}

struct decimal_digits {
    uint64_t digits;
    int exponent; /* of ten */
};

/* significand * 2^exponent; closer: the neighbour below is nearer than the one above. */
static struct decimal_digits shortest(uint64_t significand, int exponent, bool closer)
{
    bool odd = (significand & 1) != 0;
    int k = closer ? log10_of_2_less(exponent) : log10_of_2(exponent);
    int h = exponent + log2_of_10(-k) + 1;
    struct u64_pair power = power_table[-k - POWER_FIRST];
    uint64_t low = scaled(power, (4 * significand - 2 + closer) << h) + odd;
    uint64_t value = scaled(power, (4 * significand) << h);
    uint64_t high = scaled(power, (4 * significand + 2) << h) - odd;

    uint64_t s = value / 4;
    if (s >= 10) { /* one digit less, if exactly one of the two neighbours rounds back */
        uint64_t tens = s / 10;
        bool down = low <= 40 * tens;
        bool up = 40 * tens + 40 <= high;
        if (down != up) {
            return (struct decimal_digits){tens + up, k + 1};
        }
    }
    bool down = low <= 4 * s;
    bool up = 4 * s + 4 <= high;
    if (down != up) {
        return (struct decimal_digits){s + up, k};
    }
    uint64_t middle = 4 * s + 2;
    bool nearer_up = value > middle || (value == middle && (s & 1) != 0);
    return (struct decimal_digits){s + nearer_up, k};
}

static struct decimal_digits digits_of(double value)
{
    enum { FRACTION_BITS = 52, BIAS = 1075 };
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t fraction = bits & (((uint64_t)1 << FRACTION_BITS) - 1);
    int biased = (int)(bits >> FRACTION_BITS & 0x7ff);
    struct decimal_digits d = biased == 0 ? shortest(fraction, 1 - BIAS, false)
                                          : shortest(fraction | (uint64_t)1 << FRACTION_BITS,
                                                     biased - BIAS, fraction == 0 && biased > 1);
    while (d.digits % 10 == 0) {
        d.digits /= 10;
        d.exponent++;
    }
    return d;
}

static size_t put_digits(uint64_t digits, char *out)
{
    char reversed[20];
    size_t n = 0;
    do {
        reversed[n++] = (char)('0' + digits % 10);
        digits /= 10;
    } while (digits != 0);
    for (size_t i = 0; i < n; i++) {
        out[i] = reversed[n - 1 - i];
    }
    return n;
}

static size_t put_with_exponent(const char *digits, size_t count, int point, char *out)
{
    size_t n = 0;
    out[n++] = digits[0];
    if (count > 1) {
        out[n++] = '.';
        memcpy(out + n, digits + 1, count - 1);
        n += count - 1;
    }
    out[n++] = 'e';
    out[n++] = point > 0 ? '+' : '-';
    return n + put_digits((uint64_t)(point > 0 ? point - 1 : 1 - point), out + n);
}

size_t number_write(double value, char out[NUMBER_TEXT_MAX])
{
    enum { PLAIN_LOW = -5, PLAIN_HIGH = 21 }; /* where the point may stand in plain writing */
    if (!isfinite(value)) {
        return 0;
    }
    if (value == 0) {
        out[0] = '0';
        return 1;
    }
    size_t n = 0;
    if (value < 0) {
        out[n++] = '-';
    }
    struct decimal_digits d = digits_of(fabs(value));
    char digits[20];
    size_t count = put_digits(d.digits, digits);
    int point = (int)count + d.exponent; /* digits before the point */
    if (point < PLAIN_LOW || point > PLAIN_HIGH) {
        return n + put_with_exponent(digits, count, point, out + n);
    }
    if (point <= 0) {
        out[n++] = '0';
        out[n++] = '.';
        memset(out + n, '0', (size_t)-point);
        n += (size_t)-point;
        memcpy(out + n, digits, count);
        return n + count;
    }
    size_t whole = (size_t)point;
    if (whole >= count) {
        memcpy(out + n, digits, count);
        memset(out + n + count, '0', whole - count);
        return n + whole;
    }
    memcpy(out + n, digits, whole);
    out[n + whole] = '.';
    memcpy(out + n + whole + 1, digits + whole, count - whole);
    return n + count + 1;
}
