// label: threaded
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "gateway/base/alarm.h"

struct bell {
    struct loop *loop;
    struct alarm *alarm;
    int64_t rung_at;
    unsigned rung;
    unsigned enough;
};

static int64_t now(void)
{
    return clock_monotonic(&clock_system);
}

static void ring(void *arg)
{
    struct bell *bell = arg;
    bell->rung_at = now();
    bell->rung++;
    if (bell->rung == bell->enough) {
        loop_stop(bell->loop);
    }
}

static struct bell make(unsigned enough)
{
    struct bell bell = {.loop = loop_create(), .enough = enough};
    assert_non_null(bell.loop);
    return bell;
}

static void finish(struct bell *bell)
{
    alarm_destroy(&bell->alarm);
    alarm_destroy(&bell->alarm);
    loop_destroy(&bell->loop);
}

static void test_the_earliest_counts_and_it_rings_once(void **state)
{
    (void)state;
    struct bell bell = make(1);
    bell.alarm = alarm_create(bell.loop, &clock_system, ring, &bell);
    int64_t start = now();
    alarm_set(bell.alarm, start + 3600000000);
    alarm_set(bell.alarm, start + 20000);
    alarm_set(bell.alarm, start + 40000);
    assert_int_equal(loop_run(bell.loop), STATUS_OK);
    assert_true(bell.rung_at >= start + 20000);
    assert_int_equal(bell.rung, 1);
    finish(&bell);
}

/* One that was set for later is brought forward while its timer already runs. */
static void *bring_forward(void *arg)
{
    struct bell *bell = arg;
    for (int i = 0; i < 1000; i++) {
        alarm_set(bell->alarm, now() + 3600000000 - i);
    }
    alarm_set(bell->alarm, 0);
    return NULL;
}

static void test_from_other_threads(void **state)
{
    (void)state;
    struct bell bell = make(1);
    bell.alarm = alarm_create(bell.loop, &clock_system, ring, &bell);
    pthread_t threads[3];
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, bring_forward, &bell), 0);
    }
    assert_int_equal(loop_run(bell.loop), STATUS_OK);
    for (size_t i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_true(bell.rung >= 1);
    finish(&bell);
}

static void again(void *arg)
{
    struct bell *bell = arg;
    ring(bell);
    alarm_set(bell->alarm, 0);
}

static void test_it_may_be_set_while_it_rings(void **state)
{
    (void)state;
    struct bell bell = make(5);
    bell.alarm = alarm_create(bell.loop, &clock_system, again, &bell);
    alarm_set(bell.alarm, 0);
    assert_int_equal(loop_run(bell.loop), STATUS_OK);
    assert_int_equal(bell.rung, 5);
    finish(&bell);
}

int main(void)
{
    loop_library_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_earliest_counts_and_it_rings_once),
        cmocka_unit_test(test_from_other_threads),
        cmocka_unit_test(test_it_may_be_set_while_it_rings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
