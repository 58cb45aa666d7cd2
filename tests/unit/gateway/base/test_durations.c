#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/durations.h"

static void none_is_zero(void **state)
{
    (void)state;
    static const struct durations empty;
    struct durations_summary summary = durations_summary(&empty);
    assert_int_equal(summary.count, 0);
    assert_int_equal(summary.p95, 0);
}

static void quantiles_are_the_nearest_rank(void **state)
{
    (void)state;
    static struct durations durations;
    durations_add(&durations, 7);
    assert_int_equal(durations_summary(&durations).median, 7);
    assert_int_equal(durations_summary(&durations).p95, 7);
    for (int64_t i = 20; i >= 1; i--) { /* in any order */
        durations_add(&durations, i * 10);
    }
    struct durations_summary summary = durations_summary(&durations); /* 7, 10, 20 ... 200 */
    assert_int_equal(summary.count, 21);
    assert_int_equal(summary.sum, 2107);
    assert_int_equal(summary.median, 100);
    assert_int_equal(summary.p95, 190);
}

static void only_the_last_are_looked_at(void **state)
{
    (void)state;
    static struct durations durations;
    for (int i = 0; i < DURATIONS_KEPT; i++) {
        durations_add(&durations, 1000000);
    }
    for (int i = 0; i < DURATIONS_KEPT; i++) {
        durations_add(&durations, 5);
    }
    struct durations_summary summary = durations_summary(&durations);
    assert_int_equal(summary.p95, 5);
    assert_int_equal(summary.count, 2 * DURATIONS_KEPT);
    assert_int_equal(summary.sum, (int64_t)DURATIONS_KEPT * 1000005);
}

static void a_clock_that_was_set_back_takes_nothing_away(void **state)
{
    (void)state;
    static struct durations durations;
    durations_add(&durations, -5);
    struct durations_summary summary = durations_summary(&durations);
    assert_int_equal(summary.count, 1);
    assert_int_equal(summary.sum, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_is_zero),
        cmocka_unit_test(quantiles_are_the_nearest_rank),
        cmocka_unit_test(only_the_last_are_looked_at),
        cmocka_unit_test(a_clock_that_was_set_back_takes_nothing_away),
    };
    return cmocka_run_group_tests_name("durations", tests, NULL, NULL);
}
