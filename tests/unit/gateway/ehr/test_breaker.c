#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/ehr/breaker.h"

enum { SECOND = 1000000 };

static struct breaker make(void)
{
    struct breaker breaker;
    breaker_init(&breaker, 2000, 60000);
    return breaker;
}

static void test_raised_once_and_cleared_once(void **state)
{
    (void)state;
    struct breaker breaker = make();
    int64_t now = 10 * SECOND;
    unsigned raised = 0;
    unsigned cleared = 0;
    assert_int_equal(breaker_gate(&breaker, now), BREAKER_OPEN);
    for (unsigned i = 0; i < 20; i++) {
        enum breaker_change change = breaker_note(&breaker, BREAKER_FAILED, 0, now, i * 77);
        raised += change == BREAKER_RAISED;
        assert_int_equal(breaker_gate(&breaker, now),
                         i < BREAKER_FAILURES - 1 ? BREAKER_OPEN : BREAKER_PAUSED);
        if (breaker.until_us > now) {
            now = breaker.until_us;
            assert_int_equal(breaker_gate(&breaker, now), BREAKER_TRIAL);
            breaker_try(&breaker);
            assert_int_equal(breaker_gate(&breaker, now), BREAKER_WAIT);
        }
    }
    cleared += breaker_note(&breaker, BREAKER_WELL, 0, now, 0) == BREAKER_CLEARED;
    cleared += breaker_note(&breaker, BREAKER_WELL, 0, now, 0) == BREAKER_CLEARED;
    assert_int_equal(raised, 1);
    assert_int_equal(cleared, 1);
    assert_int_equal(breaker_gate(&breaker, now), BREAKER_OPEN);
}

static void test_pauses_double_with_jitter_up_to_a_ceiling(void **state)
{
    (void)state;
    static const uint64_t chances[] = {0, 1, UINT64_MAX, 0x123456789abcdef};
    for (size_t c = 0; c < sizeof chances / sizeof *chances; c++) {
        struct breaker breaker = make();
        int64_t now = 0;
        breaker_note(&breaker, BREAKER_FAILED, 0, now, chances[c]);
        breaker_note(&breaker, BREAKER_FAILED, 0, now, chances[c]);
        int64_t whole = 2 * SECOND;
        for (unsigned i = 0; i < 40; i++) {
            breaker_note(&breaker, BREAKER_FAILED, 0, now, chances[c]);
            int64_t pause = breaker.until_us - now;
            assert_true(pause >= whole / 2 && pause <= whole);
            whole = whole * 2 > 60 * SECOND ? 60 * SECOND : whole * 2;
            now = breaker.until_us;
        }
    }
}

static void test_what_was_under_way_says_nothing_new(void **state)
{
    (void)state;
    struct breaker breaker = make();
    for (unsigned i = 0; i < BREAKER_FAILURES; i++) {
        breaker_note(&breaker, BREAKER_FAILED, 0, 0, 0);
    }
    int64_t until = breaker.until_us;
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(breaker_note(&breaker, BREAKER_FAILED, 0, 1, 0), BREAKER_SAME);
    }
    assert_int_equal(breaker_note(&breaker, BREAKER_WELL, 0, 1, 0), BREAKER_SAME);
    assert_true(breaker.until_us == until);
    assert_int_equal(breaker_gate(&breaker, 1), BREAKER_PAUSED);
}

static void test_asked_to_wait(void **state)
{
    (void)state;
    struct breaker breaker = make();
    assert_int_equal(breaker_note(&breaker, BREAKER_ASKED, 24 * SECOND, 0, 0), BREAKER_RAISED);
    assert_true(breaker.until_us == 24 * SECOND);
    /* A second one, from a call that was under way, may ask for longer but not for less. */
    breaker_note(&breaker, BREAKER_ASKED, 5 * SECOND, SECOND, 0);
    assert_true(breaker.until_us == 24 * SECOND);
    breaker_note(&breaker, BREAKER_ASKED, 30 * SECOND, SECOND, 0);
    assert_true(breaker.until_us == 31 * SECOND);
    assert_int_equal(breaker_note(&breaker, BREAKER_WELL, 0, 31 * SECOND, 0), BREAKER_CLEARED);
    /* Without a time: ours. */
    breaker_note(&breaker, BREAKER_ASKED, 0, 40 * SECOND, 0);
    assert_true(breaker.until_us >= 41 * SECOND && breaker.until_us <= 42 * SECOND);
}

static void test_locked_pauses_at_least_as_told(void **state)
{
    (void)state;
    struct breaker breaker = make();
    assert_int_equal(breaker_note(&breaker, BREAKER_LOCKED, 60 * SECOND, 0, 0), BREAKER_RAISED);
    assert_true(breaker.until_us == 60 * SECOND);
    assert_int_equal(breaker.condition, EHR_LOCKED);
    breaker_try(&breaker);
    assert_int_equal(breaker_note(&breaker, BREAKER_LOCKED, 60 * SECOND, 60 * SECOND, 0),
                     BREAKER_SAME);
    assert_true(breaker.until_us == 120 * SECOND);
}

static void test_what_we_gave_up_ourselves_changes_nothing(void **state)
{
    (void)state;
    struct breaker breaker = make();
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(breaker_note(&breaker, BREAKER_SILENT, 0, 0, 0), BREAKER_SAME);
    }
    assert_int_equal(breaker_gate(&breaker, 0), BREAKER_OPEN);
    breaker_note(&breaker, BREAKER_LOCKED, SECOND, 0, 0);
    breaker_try(&breaker);
    breaker_note(&breaker, BREAKER_SILENT, 0, 60 * SECOND, 0);
    assert_int_equal(breaker_gate(&breaker, 60 * SECOND), BREAKER_TRIAL);
}

static void test_a_lone_failure_waits_the_first_pause(void **state)
{
    (void)state;
    struct breaker breaker = make();
    breaker_note(&breaker, BREAKER_FAILED, 0, 0, 0);
    assert_true(breaker_retry_at(&breaker, 0) == 2 * SECOND);
    breaker_note(&breaker, BREAKER_ASKED, 9 * SECOND, 0, 0);
    assert_true(breaker_retry_at(&breaker, 0) == 9 * SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_raised_once_and_cleared_once),
        cmocka_unit_test(test_pauses_double_with_jitter_up_to_a_ceiling),
        cmocka_unit_test(test_what_was_under_way_says_nothing_new),
        cmocka_unit_test(test_asked_to_wait),
        cmocka_unit_test(test_locked_pauses_at_least_as_told),
        cmocka_unit_test(test_what_we_gave_up_ourselves_changes_nothing),
        cmocka_unit_test(test_a_lone_failure_waits_the_first_pause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
