/* Decimals: what text they keep, exact arithmetic, rounding, the functions, the boundaries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fhir/types/decimal.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static struct decimal make(const char *text)
{
    struct decimal a = DECIMAL_ZERO;
    if (decimal_parse(slice_of(text), &a) != STATUS_OK) {
        fail_msg("%s does not parse", text);
    }
    return a;
}

static const char *print(struct decimal a)
{
    static char text[4][DECIMAL_TEXT];
    static int next;
    next = (next + 1) % 4;
    size_t len = decimal_print(a, text[next]);
    assert_int_equal(len, strlen(text[next]));
    return text[next];
}

/* ---- Text ---- */

static void test_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *printed; /* NULL: the status below */
        enum status status;
    } cases[] = {
        {"0", "0", STATUS_OK},
        {"-0", "-0", STATUS_OK},
        {"-0.0", "-0.0", STATUS_OK},
        {"70.50", "70.50", STATUS_OK},
        {"1.0", "1.0", STATUS_OK},
        {"0.00000001", "0.00000001", STATUS_OK},
        {"9007199254740993", "9007199254740993", STATUS_OK},
        {"1234567890987654321.0", "1234567890987654321.0", STATUS_OK},
        {"99999999999999999999999999999999999999", "99999999999999999999999999999999999999",
         STATUS_OK},
        {"0.99999999999999999999999999999999999999", "0.99999999999999999999999999999999999999",
         STATUS_OK},
        {"-99999999999999999999999999999999999999", "-99999999999999999999999999999999999999",
         STATUS_OK},
        {"100000000000000000000000000000000000000", NULL, STATUS_LIMIT},
        {"340282366920938463463374607431768211456", NULL, STATUS_LIMIT},
        {"0.999999999999999999999999999999999999999", NULL, STATUS_LIMIT},
        {"1e3", "1000", STATUS_OK},
        {"1E+3", "1000", STATUS_OK},
        {"1.50e1", "15.0", STATUS_OK},
        {"1.5e-3", "0.0015", STATUS_OK},
        {"0e99", "0", STATUS_OK},
        {"0.00e1", "0.0", STATUS_OK},
        {"1e37", "10000000000000000000000000000000000000", STATUS_OK},
        {"1e38", NULL, STATUS_LIMIT},
        {"1e-38", "0.00000000000000000000000000000000000001", STATUS_OK},
        {"1e-39", NULL, STATUS_LIMIT},
        {"1e99999999999999999999", NULL, STATUS_LIMIT},
        {"1e-99999999999999999999", NULL, STATUS_LIMIT},
        {"", NULL, STATUS_INVALID},
        {"-", NULL, STATUS_INVALID},
        {"+1", NULL, STATUS_INVALID},
        {"01", NULL, STATUS_INVALID},
        {"1.", NULL, STATUS_INVALID},
        {".5", NULL, STATUS_INVALID},
        {"1e", NULL, STATUS_INVALID},
        {"1e+", NULL, STATUS_INVALID},
        {"1.a", NULL, STATUS_INVALID},
        {" 1", NULL, STATUS_INVALID},
        {"1 ", NULL, STATUS_INVALID},
        {"NaN", NULL, STATUS_INVALID},
        {"1,5", NULL, STATUS_INVALID},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct decimal a = {77, 1, false};
        enum status status = decimal_parse(slice_of(cases[i].text), &a);
        if (status != cases[i].status) {
            fail_msg("%s: status %d", cases[i].text, (int)status);
        }
        if (status == STATUS_OK) {
            assert_string_equal(print(a), cases[i].printed);
        } else {
            assert_string_equal(print(a), "7.7");
        }
    }
    assert_int_equal(decimal_parse(SLICE_NONE, &(struct decimal){0}), STATUS_INVALID);
}

static void test_plain_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *printed;
    } cases[] = {{"007.50", "7.50"}, {"+1", "1"}, {"-1.5", "-1.5"}, {"1e3", NULL}, {"1.", NULL},
                 {"--1", NULL},      {"", NULL},  {"+", NULL},      {".5", NULL}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct decimal a;
        enum status status = decimal_parse_plain(slice_of(cases[i].text), &a);
        assert_int_equal(status, cases[i].printed != NULL ? STATUS_OK : STATUS_INVALID);
        if (status == STATUS_OK) {
            assert_string_equal(print(a), cases[i].printed);
        }
    }
}

/* ---- Equality and order ---- */

static void test_compare(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        const char *b;
        int order;
        bool equivalent;
    } cases[] = {
        {"1.10", "1.1", 0, true},
        {"0.0", "0", 0, true},
        {"-0.0", "0", 0, true},
        {"1.1", "1.2", -1, false},
        {"-1", "1", -1, false},
        {"-1.5", "-1.49", -1, true},
        {"0.6666666666666667", "0.67", -1, true},
        {"0.6666666666666667", "0.6", 1, false},
        {"4", "4.04", -1, true},
        {"4", "4.5", -1, false},
        {"4.00", "4.04", -1, true},
        {"99999999999999999999999999999999999999", "0.99999999999999999999999999999999999999", 1,
         false},
        {"0.00000000000000000000000000000000000001", "0", 1, true},
        {"10000000000000000000000000000000000000", "1e37", 0, true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct decimal a = make(cases[i].a);
        struct decimal b = make(cases[i].b);
        assert_int_equal(decimal_compare(a, b), cases[i].order);
        assert_int_equal(decimal_compare(b, a), -cases[i].order);
        assert_int_equal(decimal_equivalent(a, b), cases[i].equivalent);
        assert_int_equal(decimal_equivalent(b, a), cases[i].equivalent);
    }
}

/* ---- Arithmetic ---- */

typedef enum status (*operation)(struct decimal, struct decimal, struct decimal *);

static const char *const status_words[] = {
    [STATUS_ABSENT] = "absent", [STATUS_INVALID] = "invalid", [STATUS_LIMIT] = "limit"};

static const char *word_of(enum status status, struct decimal a)
{
    return status == STATUS_OK ? print(a) : status_words[status];
}

static void test_operations(void **state)
{
    (void)state;
    static const struct {
        operation apply;
        const char *name;
        const char *a;
        const char *b;
        const char *result;
    } cases[] = {
        {decimal_add, "+", "1.2", "1.8", "3.0"},
        {decimal_add, "+", "0.1", "0.20", "0.30"},
        {decimal_add, "+", "99999999999999999999999999999999999999", "1", "limit"},
        {decimal_add, "+", "99999999999999999999999999999999999998", "1",
         "99999999999999999999999999999999999999"},
        {decimal_add, "+", "100", "0.1234567890123456789012345678901234567",
         "100.12345678901234567890123456789012346"},
        {decimal_add, "+", "99999999999999999999999999999999", "0.123456789", "limit"},
        {decimal_add, "+", "-99999999999999999999999999999999999999", "0.5", "limit"},
        {decimal_subtract, "-", "1.8", "1.2", "0.6"},
        {decimal_subtract, "-", "1", "1.00", "0.00"},
        {decimal_subtract, "-", "0.1234567890123456789012345678901234567", "100",
         "-99.876543210987654321098765432109876543"},
        {decimal_multiply, "*", "1.2", "1.8", "2.16"},
        {decimal_multiply, "*", "2.0", "2.0", "4.00"},
        {decimal_multiply, "*", "-3", "0", "0"},
        {decimal_multiply, "*", "10000000000000000000", "10000000000000000000", "limit"},
        {decimal_multiply, "*", "9999999999999999999", "9999999999999999999",
         "99999999999999999980000000000000000001"},
        {decimal_multiply, "*", "0.3333333333333333333333", "0.3333333333333333333333",
         "0.11111111111111111111108888888888888889"},
        {decimal_multiply, "*", "12345678901234567890.12345678", "1000000000000.5", "limit"},
        {decimal_divide, "/", "1", "2", "0.5"},
        {decimal_divide, "/", "4.0", "2.0", "2"},
        {decimal_divide, "/", "1", "3", "0.3333333333333333"},
        {decimal_divide, "/", "-2", "3", "-0.6666666666666667"},
        {decimal_divide, "/", "1.2", "1.8", "0.6666666666666667"},
        {decimal_divide, "/", "9", "11", "0.8181818181818182"},
        {decimal_divide, "/", "2", "30", "0.06666666666666667"},
        {decimal_divide, "/", "1", "3000000000", "0.0000000003333333333333333"},
        {decimal_divide, "/", "70.50", "3.0625", "23.0204081632653061"},
        {decimal_divide, "/", "1", "1024", "0.0009765625"},
        {decimal_divide, "/", "1", "0", "absent"},
        {decimal_divide, "/", "0", "7.00", "0"},
        {decimal_divide, "/", "99999999999999999999999999999999999999", "0.00001", "limit"},
        {decimal_divide, "/", "99999999999999999999999999999999999999", "3",
         "33333333333333333333333333333333333333"},
        {decimal_divide, "/", "0.00000000000000000000000000000000000001", "3",
         "0.00000000000000000000000000000000000000"},
        {decimal_divide, "/", "1", "99999999999999999999999999999999999999",
         "0.00000000000000000000000000000000000001"},
        {decimal_div, "div", "5", "2", "2"},
        {decimal_div, "div", "-5", "2", "-2"},
        {decimal_div, "div", "2.2", "1.8", "1"},
        {decimal_div, "div", "1", "0.00000000000000000000000000000000000001", "limit"},
        {decimal_div, "div", "5", "0.00", "absent"},
        {decimal_mod, "mod", "5", "2", "1"},
        {decimal_mod, "mod", "-5", "2", "-1"},
        {decimal_mod, "mod", "5", "-2", "1"},
        {decimal_mod, "mod", "2.2", "1.8", "0.4"},
        {decimal_mod, "mod", "0.0001", "99999999999999999999999999999999999999", "0.0001"},
        {decimal_mod, "mod", "5", "0", "absent"},
        {decimal_power, "power", "2", "3", "8"},
        {decimal_power, "power", "2.5", "2", "6.25"},
        {decimal_power, "power", "-2", "3", "-8"},
        {decimal_power, "power", "0", "0", "1"},
        {decimal_power, "power", "2", "-2", "0.25"},
        {decimal_power, "power", "0", "-1", "absent"},
        {decimal_power, "power", "-1", "0.5", "absent"},
        {decimal_power, "power", "2", "0.5", "1.414213562373095"},
        {decimal_power, "power", "4", "0.5", "2"},
        {decimal_power, "power", "10", "37", "10000000000000000000000000000000000000"},
        {decimal_power, "power", "10", "38", "limit"},
        {decimal_power, "power", "1", "9223372036854775807", "1"},
        {decimal_power, "power", "2", "9223372036854775808", "limit"},
        {decimal_power, "power", "0.1", "-2", "100"},
        {decimal_power, "power", "0.1", "-100", "limit"},
        {decimal_log, "log", "16", "2", "4"},
        {decimal_log, "log", "100.0", "10.0", "2"},
        {decimal_log, "log", "8", "0.5", "-3"},
        {decimal_log, "log", "8", "1", "absent"},
        {decimal_log, "log", "0", "10", "absent"},
        {decimal_log, "log", "10", "-1", "absent"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct decimal result = DECIMAL_ONE;
        enum status status = cases[i].apply(make(cases[i].a), make(cases[i].b), &result);
        const char *got = word_of(status, result);
        if (strcmp(got, cases[i].result) != 0) {
            fail_msg("%s %s %s is %s, not %s", cases[i].a, cases[i].name, cases[i].b, got,
                     cases[i].result);
        }
        assert_true(status == STATUS_OK || decimal_equal(result, DECIMAL_ONE));
    }
}

typedef enum status (*function)(struct decimal, struct decimal *);

static enum status ceiling_of(struct decimal a, struct decimal *out)
{
    *out = decimal_ceiling(a);
    return STATUS_OK;
}

static enum status floor_of(struct decimal a, struct decimal *out)
{
    *out = decimal_floor(a);
    return STATUS_OK;
}

static enum status truncate_of(struct decimal a, struct decimal *out)
{
    *out = decimal_truncate(a);
    return STATUS_OK;
}

static enum status abs_of(struct decimal a, struct decimal *out)
{
    *out = decimal_abs(a);
    return STATUS_OK;
}

static enum status negate_of(struct decimal a, struct decimal *out)
{
    *out = decimal_negate(a);
    return STATUS_OK;
}

static void test_functions(void **state)
{
    (void)state;
    static const struct {
        function apply;
        const char *name;
        const char *a;
        const char *result;
    } cases[] = {
        {ceiling_of, "ceiling", "1", "1"},
        {ceiling_of, "ceiling", "-1.1", "-1"},
        {ceiling_of, "ceiling", "1.1", "2"},
        {ceiling_of, "ceiling", "1.00", "1"},
        {floor_of, "floor", "2.1", "2"},
        {floor_of, "floor", "-2.1", "-3"},
        {floor_of, "floor", "-2.00", "-2"},
        {truncate_of, "truncate", "1.00000001", "1"},
        {truncate_of, "truncate", "-1.56", "-1"},
        {abs_of, "abs", "-5.50", "5.50"},
        {abs_of, "abs", "-0.0", "0.0"},
        {negate_of, "negate", "0.0", "0.0"},
        {negate_of, "negate", "5.50", "-5.50"},
        {decimal_sqrt, "sqrt", "81", "9"},
        {decimal_sqrt, "sqrt", "2.25", "1.5"},
        {decimal_sqrt, "sqrt", "2", "1.414213562373095"},
        {decimal_sqrt, "sqrt", "0", "0"},
        {decimal_sqrt, "sqrt", "-1", "absent"},
        {decimal_sqrt, "sqrt", "15241578753238836750495351562536198787501905199875019052100",
         "limit"},
        {decimal_sqrt, "sqrt", "1524157875323881726870921383936", "1234567890123456"},
        {decimal_exp, "exp", "0", "1"},
        {decimal_exp, "exp", "-0.0", "1"},
        {decimal_exp, "exp", "1", "2.718281828459045"},
        {decimal_exp, "exp", "50", "5184705528587072000000"},
        {decimal_exp, "exp", "100", "limit"},
        {decimal_exp, "exp", "1e30", "limit"},
        {decimal_exp, "exp", "-1e30", "0"},
        {decimal_ln, "ln", "1", "0"},
        {decimal_ln, "ln", "1.0", "0"},
        {decimal_ln, "ln", "10", "2.302585092994046"},
        {decimal_ln, "ln", "0", "absent"},
        {decimal_ln, "ln", "-1", "absent"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct decimal a;
        if (decimal_parse(slice_of(cases[i].a), &a) != STATUS_OK) {
            assert_string_equal(cases[i].result, "limit");
            continue;
        }
        struct decimal result = DECIMAL_ONE;
        enum status status = cases[i].apply(a, &result);
        const char *got = word_of(status, result);
        if (strcmp(got, cases[i].result) != 0) {
            fail_msg("%s of %s is %s, not %s", cases[i].name, cases[i].a, got, cases[i].result);
        }
    }
}

static void test_round(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        int places;
        const char *result;
    } cases[] = {
        {"3.14159", 3, "3.142"},
        {"1", 0, "1"},
        {"0.5", 0, "1"},
        {"-0.5", 0, "-1"},
        {"-0.4", 0, "0"},
        {"2.5", 0, "3"},
        {"22.96", 1, "23.0"},
        {"70.5", 2, "70.5"},
        {"99.999", 2, "100.00"},
        {"1.45", -3, "1"},
        {"0.6666666666666667", 2, "0.67"},
        {"99999999999999999999999999999999999.999", 0, "100000000000000000000000000000000000"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_string_equal(print(decimal_round(make(cases[i].a), cases[i].places)),
                            cases[i].result);
    }
}

/* ---- Boundaries ---- */

static void test_boundaries(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        int places;
        const char *low;
        const char *high;
    } cases[] = {
        {"1.587", 8, "1.58650000", "1.58750000"},
        {"1.587", 6, "1.586500", "1.587500"},
        {"1.587", 2, "1.58", "1.59"},
        {"1.587", 0, "1", "2"},
        {"1.587", -1, "absent", "absent"},
        {"1.587", 31, "1.5865000000000000000000000000000", "1.5875000000000000000000000000000"},
        {"1.587", 32, "absent", "absent"},
        {"1.587", 39, "absent", "absent"},
        {"-1.587", 8, "-1.58750000", "-1.58650000"},
        {"-1.587", 6, "-1.587500", "-1.586500"},
        {"-1.587", 2, "-1.59", "-1.58"},
        {"-1.587", 0, "-2", "-1"},
        {"1", 8, "0.50000000", "1.50000000"},
        {"1", 0, "0", "2"},
        {"1", 5, "0.50000", "1.50000"},
        {"12.587", 2, "12.58", "12.59"},
        {"12.500", 4, "12.4995", "12.5005"},
        {"120", 2, "119.50", "120.50"},
        {"-120", 2, "-120.50", "-119.50"},
        {"0.0034", 1, "0.0", "0.0"},
        {"-0.0034", 1, "-0.0", "-0.0"},
        {"0", 2, "-0.50", "0.50"},
        {"0", 0, "-1", "1"},
        {"9999999999999999999999999999999999999", 0, "9999999999999999999999999999999999998",
         "10000000000000000000000000000000000000"},
        {"9999999999999999999999999999999999999", 8, "absent", "absent"},
        {"99999999999999999999999999999999999999", 0, "absent", "absent"},
        {"0.00000000000000000000000000000000000001", 2, "0.00", "0.00"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct decimal low = DECIMAL_ONE;
        struct decimal high = DECIMAL_ONE;
        enum status status = decimal_low_boundary(make(cases[i].a), cases[i].places, &low);
        assert_string_equal(word_of(status, low), cases[i].low);
        status = decimal_high_boundary(make(cases[i].a), cases[i].places, &high);
        assert_string_equal(word_of(status, high), cases[i].high);
    }
    assert_int_equal(decimal_precision(make("1.58700")), 5);
}

/* ---- From and to other numbers ---- */

static void test_integers(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        enum status status;
        int64_t value;
    } cases[] = {
        {"1.0", STATUS_OK, 1},
        {"1.5", STATUS_ABSENT, 0},
        {"9223372036854775807", STATUS_OK, INT64_MAX},
        {"-9223372036854775808", STATUS_OK, INT64_MIN},
        {"9223372036854775808", STATUS_LIMIT, 0},
        {"-9223372036854775809", STATUS_LIMIT, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t value = 0;
        assert_int_equal(decimal_to_int64(make(cases[i].a), &value), cases[i].status);
        assert_true(value == cases[i].value);
        if (cases[i].status == STATUS_OK) {
            assert_true(decimal_equal(decimal_from_int64(value), make(cases[i].a)));
        }
    }
    assert_string_equal(print(decimal_make(-27315, 2)), "-273.15");
}

static void test_doubles(void **state)
{
    (void)state;
    assert_true(decimal_to_double(make("70.5")) == 70.5);
    assert_true(decimal_to_double(make("0.1")) == 0.1);
    assert_true(decimal_to_double(make("-123.456")) == -123.456);
    assert_true(decimal_to_double(make("1e37")) == 1e37);
    assert_true(decimal_to_double(make("1e-38")) == 1e-38);
    struct decimal a = DECIMAL_ONE;
    assert_int_equal(decimal_from_double(1.0 / 3, 4, &a), STATUS_OK);
    assert_string_equal(print(a), "0.3333");
    assert_int_equal(decimal_from_double(-2.5, 0, &a), STATUS_OK);
    assert_string_equal(print(a), "-3");
    assert_int_equal(decimal_from_double(0.285, 2, &a), STATUS_OK); /* is 0.28499... */
    assert_string_equal(print(a), "0.28");
    assert_int_equal(decimal_from_double(1e37, 2, &a), STATUS_LIMIT);
    assert_int_equal(decimal_from_double(1e300, 0, &a), STATUS_LIMIT);
    assert_int_equal(decimal_from_double(0.0 / (a.scale > 100), 0, &a), STATUS_INVALID);
    assert_int_equal(decimal_from_double(1, 19, &a), STATUS_INVALID);
}

/* ---- Properties ---- */

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005U + 1442695040888963407U;
    return *seed >> 17;
}

static struct decimal random_decimal(uint64_t *seed, int digits)
{
    int128 coefficient = 0;
    for (int i = 0; i < digits; i++) {
        coefficient = coefficient * 10 + (int)(next_random(seed) % 10);
    }
    bool negative = next_random(seed) % 2 == 0;
    int scale = (int)(next_random(seed) % (unsigned)(digits + 1));
    return (struct decimal){negative ? -coefficient : coefficient, (int16_t)scale, false};
}

static void test_properties(void **state)
{
    (void)state;
    uint64_t seed = 20260101;
    for (int round = 0; round < 20000; round++) {
        struct decimal a = random_decimal(&seed, 1 + round % 18);
        struct decimal b = random_decimal(&seed, 1 + round % 17);
        char text[DECIMAL_TEXT];
        struct decimal back;
        assert_int_equal(decimal_parse(slice_from(text, decimal_print(a, text)), &back), STATUS_OK);
        assert_true(back.coefficient == a.coefficient && back.scale == a.scale);

        struct decimal sum;
        assert_int_equal(decimal_add(a, b, &sum), STATUS_OK);
        assert_int_equal(decimal_subtract(sum, b, &back), STATUS_OK);
        assert_true(decimal_equal(back, a));

        struct decimal product;
        assert_int_equal(decimal_multiply(a, b, &product), STATUS_OK);
        struct decimal quotient;
        struct decimal rest;
        if (!decimal_is_zero(b)) {
            enum status status = decimal_divide(product, b, &back);
            assert_true(status == STATUS_LIMIT || decimal_equal(back, a));
            assert_int_equal(decimal_div(a, b, &quotient), STATUS_OK);
            assert_int_equal(decimal_mod(a, b, &rest), STATUS_OK);
            assert_int_equal(decimal_multiply(quotient, b, &back), STATUS_OK);
            assert_int_equal(decimal_add(back, rest, &back), STATUS_OK);
            assert_true(decimal_equal(back, a));
            assert_true(decimal_compare(decimal_abs(rest), decimal_abs(b)) < 0);
        }
        struct decimal low;
        struct decimal high;
        assert_int_equal(decimal_low_boundary(a, a.scale + 1, &low), STATUS_OK);
        assert_int_equal(decimal_high_boundary(a, a.scale + 1, &high), STATUS_OK);
        assert_true(decimal_compare(low, a) < 0 && decimal_compare(a, high) < 0);
        assert_true(decimal_equal(decimal_reduce(a), a));
        assert_true(decimal_compare(decimal_floor(a), a) <= 0);
        assert_true(decimal_compare(decimal_ceiling(a), a) >= 0);
    }
}

/* Wide paths: operands of up to 38 digits against what the short path must agree with. */
static void test_wide_properties(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int round = 0; round < 5000; round++) {
        struct decimal a = random_decimal(&seed, 1 + round % 38);
        struct decimal b = random_decimal(&seed, 1 + round / 7 % 38);
        struct decimal product = DECIMAL_ZERO;
        if (decimal_multiply(a, b, &product) == STATUS_OK && !decimal_is_zero(b) &&
            product.scale == a.scale + b.scale) {
            struct decimal back;
            enum status status = decimal_div(product, b, &back);
            assert_true(status != STATUS_OK || decimal_equal(back, decimal_truncate(a)));
        }
        struct decimal sum;
        if (decimal_add(a, b, &sum) == STATUS_OK) {
            int order = decimal_compare(sum, a);
            bool rounded = sum.scale < (a.scale > b.scale ? a.scale : b.scale);
            int sign = decimal_compare(b, DECIMAL_ZERO);
            assert_true(order == sign || rounded);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_plain_text),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_operations),
        cmocka_unit_test(test_functions),
        cmocka_unit_test(test_round),
        cmocka_unit_test(test_boundaries),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_properties),
        cmocka_unit_test(test_wide_properties),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
