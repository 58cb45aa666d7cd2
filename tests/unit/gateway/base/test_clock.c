#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/clock.h"

static void test_format(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {1709210096789012, "2024-02-29T12:34:56.789Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
        {INT64_MIN, "0000-01-01T00:00:00.000Z"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[CLOCK_TEXT_SIZE];
        assert_int_equal(clock_format(rows[i].us, text), strlen(rows[i].text));
        assert_string_equal(text, rows[i].text);
    }
}

static void test_days(void **state)
{
    (void)state;
    assert_int_equal(clock_days(1970, 1, 1), 0);
    assert_int_equal(clock_days(2000, 2, 29), 11016);
    assert_int_equal(clock_days(2000, 3, 1), 11017);
    assert_int_equal(clock_days(1900, 3, 1) - clock_days(1900, 2, 28), 1);
    assert_int_equal(clock_days(0, 1, 1), -719528);
    assert_int_equal(clock_days(-4, 3, 1) - clock_days(-4, 2, 28), 2);
}

static void test_system(void **state)
{
    (void)state;
    int64_t before = clock_monotonic(&clock_system);
    assert_true(clock_utc(&clock_system) > clock_days(2024, 1, 1) * 86400 * 1000000);
    assert_true(clock_monotonic(&clock_system) >= before);
}

static void test_settable(void **state)
{
    (void)state;
#ifdef EPLAN_SEAMS
    struct clock_settable settable;
    struct clock clock = clock_settable_init(&settable, 1000);
    int64_t start = clock_monotonic(&clock);
    clock_settable_advance(&settable, 500);
    assert_int_equal(clock_utc(&clock), 1500);
    assert_int_equal(clock_monotonic(&clock) - start, 500);
    clock_settable_set_utc(&settable, 10); /* a step back leaves timers alone */
    assert_int_equal(clock_utc(&clock), 10);
    assert_int_equal(clock_monotonic(&clock) - start, 500);
#else
    skip();
#endif
}

static void test_shifted(void **state)
{
    (void)state;
#ifdef EPLAN_SEAMS
    char path[] = "/tmp/eplan-clock-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    struct clock clock = clock_shifted(path);
    assert_true(llabs(clock_utc(&clock) - clock_utc(&clock_system)) < 5000000);
    assert_int_equal(write(fd, "-600\n", 5), 5);
    close(fd);
    assert_true(llabs(clock_utc(&clock) + 600000000 - clock_utc(&clock_system)) < 5000000);
    unlink(path);
    assert_true(llabs(clock_utc(&clock) - clock_utc(&clock_system)) < 5000000);
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),  cmocka_unit_test(test_days),
        cmocka_unit_test(test_system),  cmocka_unit_test(test_settable),
        cmocka_unit_test(test_shifted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
