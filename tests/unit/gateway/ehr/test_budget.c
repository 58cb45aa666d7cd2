#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/ehr/budget.h"

enum { SECOND = 1000000 };

/* Takes as much as it can for `seconds`, and returns the most taken within any 60 of them. */
static uint64_t most_in_a_minute(uint64_t per_minute, bool is_write, unsigned seconds,
                                 uint64_t *total_out)
{
    struct budget budget;
    budget_init(&budget, is_write ? 1000000 : per_minute, is_write ? per_minute : 1000000, 1000000);
    static int64_t times[100000];
    size_t count = 0;
    int64_t now = 12345;
    int64_t end = now + (int64_t)seconds * SECOND;
    while (now < end && count < sizeof times / sizeof *times) {
        int64_t until = 0;
        if (budget_take(&budget, is_write, now, &until)) {
            times[count++] = now;
            budget_done(&budget);
        } else {
            assert_true(until > now);
            now = until;
        }
    }
    uint64_t most = 0;
    size_t from = 0;
    for (size_t i = 0; i < count; i++) {
        while (times[i] - times[from] >= (int64_t)60 * SECOND) {
            from++;
        }
        most = i - from + 1 > most ? i - from + 1 : most;
    }
    *total_out = count;
    return most;
}

static void test_no_minute_has_more_than_the_budget(void **state)
{
    (void)state;
    static const uint64_t budgets[] = {1, 2, 3, 4, 5, 7, 59, 60, 61, 300, 1000};
    for (size_t i = 0; i < sizeof budgets / sizeof *budgets; i++) {
        uint64_t total = 0;
        assert_int_equal(most_in_a_minute(budgets[i], false, 600, &total), budgets[i]);
        /* and in the long run most of it is used */
        assert_true(total >= budgets[i] * 10 * 3 / 4);
        assert_int_equal(most_in_a_minute(budgets[i], true, 600, &total), budgets[i]);
    }
}

static void test_writes_are_part_of_all(void **state)
{
    (void)state;
    struct budget budget;
    int64_t until = 0;
    budget_init(&budget, 4, 100, 100);
    assert_true(budget_take(&budget, true, 0, &until));
    assert_false(budget_take(&budget, false, 0, &until));
    budget_init(&budget, 100, 4, 100);
    assert_true(budget_take(&budget, true, 0, &until));
    assert_false(budget_take(&budget, true, 0, &until));
    assert_true(budget_take(&budget, false, 0, &until));
}

/* A backlog after an outage: the catch-up rate holds until it is drained, then the budget. */
static void test_a_backlog_is_drained_at_its_own_rate(void **state)
{
    (void)state;
    struct budget budget;
    int64_t now = 0;
    int64_t until = 0;
    unsigned taken = 0;
    budget_init(&budget, 600, 600, 10);
    budget_catch_up(&budget, 60, now);
    assert_false(budget_take(&budget, false, now, &until)); /* none at once */
    assert_true(until > now);
    while (now < (int64_t)300 * SECOND) {
        if (budget_take(&budget, false, now, &until)) {
            taken++;
            budget_done(&budget);
        } else {
            now = until;
        }
    }
    assert_in_range(taken, 150, 300); /* five minutes */
    assert_true(budget.catching_up);
    now += (int64_t)60 * SECOND; /* drained: nothing came for a minute */
    taken = 0;
    while (budget_take(&budget, false, now, &until)) {
        taken++;
        budget_done(&budget);
    }
    assert_false(budget.catching_up);
    assert_int_equal(taken, 150); /* the budget's own burst */
}

static void test_parallel(void **state)
{
    (void)state;
    struct budget budget;
    int64_t until = 0;
    budget_init(&budget, 1000, 1000, 2);
    assert_true(budget_take(&budget, false, 0, &until));
    assert_true(budget_take(&budget, false, 0, &until));
    assert_false(budget_take(&budget, false, 0, &until));
    assert_true(until == INT64_MAX);
    budget_done(&budget);
    assert_true(budget_take(&budget, false, 0, &until));
}

/* One lane asks for a hundred, then another for one: the other comes second. */
static void test_a_busy_lane_waits_behind_itself(void **state)
{
    (void)state;
    struct lanes lanes = {0};
    uint64_t busy[100];
    for (size_t i = 0; i < 100; i++) {
        busy[i] = lanes_turn(&lanes, SLICE("patient-1"));
    }
    lanes_go(&lanes, busy[0]);
    uint64_t other = lanes_turn(&lanes, SLICE("patient-2"));
    assert_true(other <= busy[1]);
    lanes_go(&lanes, busy[1]);
    lanes_go(&lanes, other);
    /* The other has no advantage stored up either. */
    for (size_t i = 2; i < 50; i++) {
        lanes_go(&lanes, busy[i]);
    }
    uint64_t later = lanes_turn(&lanes, SLICE("patient-2"));
    assert_true(later > busy[49] && later <= busy[50]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_minute_has_more_than_the_budget),
        cmocka_unit_test(test_writes_are_part_of_all),
        cmocka_unit_test(test_a_backlog_is_drained_at_its_own_rate),
        cmocka_unit_test(test_parallel),
        cmocka_unit_test(test_a_busy_lane_waits_behind_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
