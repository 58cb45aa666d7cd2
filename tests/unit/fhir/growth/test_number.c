// uses: fhir/growth
#include "growth_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "fhir/growth/number.h"

static const char *written(double value, char text[NUMBER_TEXT_MAX + 1])
{
    text[number_write(value, text)] = '\0';
    return text;
}

static void test_read(void **state)
{
    (void)state;
    const struct {
        const char *text;
        double value;
    } good[] = {{"0", 0},
                {"-0.0", 0},
                {"17", 17},
                {"17.5", 17.5},
                {".5", 0.5},
                {"5.", 5},
                {"+3.25", 3.25},
                {"-2", -2},
                {"1e2", 100},
                {"1.5E-3", 0.0015},
                {"1e+05", 100000},
                {"0.1", 0.1},
                {"1e-25", 0},
                {"00012", 12},
                {"9007199254740993", 9007199254740992.0},
                {"72.000000000000000000000000", 72},
                {"9007199254740993.5", 9007199254740994.0},
                {"21.059538500000002", 21.059538500000002}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        double value = NAN;
        assert_true(number_read(slice_of(good[i].text), &value));
        assert_true(value == good[i].value);
    }
    const char *bad[] = {"",   "-",  ".",    "e5",  "1e",    "1e+",  "1,5",  "0x10",  "nan",  "inf",
                         " 1", "1 ", "1..2", "--1", "1e400", "12kg", "1e21", "1'000", "1e5.5"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        double value = 42;
        if (number_read(slice_of(bad[i]), &value)) {
            fail_msg("\"%s\" was read as %g", bad[i], value);
        }
        assert_true(value == 42);
    }
}

/* libc's strtod and printf are the judges: the text reads back as the same double, and no shorter
 * text does. */
static void test_write_is_shortest_and_reads_back(void **state)
{
    (void)state;
    uint64_t random = 7;
    for (int i = 0; i < 300000; i++) {
        double value = test_uniform(&random, 0, 1) * pow(10, floor(test_uniform(&random, -8, 9)));
        if (i % 3 == 0) { /* any bits */
            uint64_t bits = random ^ random >> 29;
            memcpy(&value, &bits, sizeof value);
        } else if (i % 3 == 1) { /* few digits */
            value = floor(value * 1000) / 1000;
        }
        if (!isfinite(value)) {
            continue;
        }
        char text[NUMBER_TEXT_MAX + 1];
        written(value, text);
        assert_true(strtod(text, NULL) == value);
        int digits = 0;
        char shorter[40];
        do {
            snprintf(shorter, sizeof shorter, "%.*e", digits++, value);
        } while (strtod(shorter, NULL) != value);
        char again[40];
        snprintf(again, sizeof again, "%.*e", digits - 1, strtod(text, NULL));
        assert_string_equal(again, shorter);
        assert_true(strlen(text) <= 28);
    }
}

static void test_what_is_written_reads_back(void **state)
{
    (void)state;
    uint64_t random = 8;
    for (int i = 0; i < 200000; i++) {
        double value = test_uniform(&random, 0.01, 300);
        char text[NUMBER_TEXT_MAX + 1];
        double back = NAN;
        assert_true(number_read(slice_of(written(value, text)), &back));
        assert_true(back == value);
        snprintf(text, sizeof text, "%.17g", value);
        assert_true(number_read(slice_of(text), &back));
        assert_true(back == value);
    }
}

static void test_write(void **state)
{
    (void)state;
    const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"},
                 {-0.0, "0"},
                 {1, "1"},
                 {-17.5, "-17.5"},
                 {0.1, "0.1"},
                 {100, "100"},
                 {1e20, "100000000000000000000"},
                 {1e21, "1e+21"},
                 {1.5e-6, "0.0000015"},
                 {1.5e-7, "1.5e-7"},
                 {5e-324, "5e-324"},
                 {2.0 / 3, "0.6666666666666666"},
                 {1.7976931348623157e308, "1.7976931348623157e+308"},
                 {9007199254740993.0, "9007199254740992"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[NUMBER_TEXT_MAX + 1];
        assert_string_equal(written(cases[i].value, text), cases[i].text);
    }
    char text[NUMBER_TEXT_MAX];
    assert_int_equal(number_write(NAN, text), 0);
    assert_int_equal(number_write(INFINITY, text), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_write_is_shortest_and_reads_back),
        cmocka_unit_test(test_what_is_written_reads_back),
        cmocka_unit_test(test_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
