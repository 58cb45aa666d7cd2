// label: threaded
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/loop.h"

struct seen {
    struct loop *loop;
    struct loop_event *event;
    struct loop_job job;
    struct loop_job other;
    unsigned count;
    unsigned target;
    int fd;
    _Atomic unsigned posted;
};

static void count_then_stop(void *arg)
{
    struct seen *seen = arg;
    assert_true(loop_is_here(seen->loop));
    if (++seen->count == seen->target) {
        loop_stop(seen->loop);
    }
}

/* A test that hangs is stopped by this timer, and fails by its count. */
static void give_up(void *arg)
{
    loop_stop(((struct seen *)arg)->loop);
}

static void run(struct seen *seen)
{
    struct loop_event *ceiling = loop_timer_create(seen->loop, give_up, seen);
    loop_timer_start(ceiling, 30000, false);
    assert_int_equal(loop_run(seen->loop), STATUS_OK);
    loop_event_destroy(&ceiling);
    assert_false(loop_is_here(seen->loop));
}

static void test_timers(void **state)
{
    (void)state;
    struct seen seen = {.loop = loop_create(), .target = 3};
    struct loop_event *timer = loop_timer_create(seen.loop, count_then_stop, &seen);
    int64_t start = clock_monotonic(&clock_system);
    loop_timer_start(timer, 10000, false); /* forgotten by the next line */
    loop_timer_start(timer, 5, true);
    run(&seen);
    assert_int_equal(seen.count, 3);
    assert_true(clock_monotonic(&clock_system) - start >=
                5000); /* three times 5 ms, by a coarse clock */
    loop_timer_stop(timer);
    seen.target = 4;
    loop_timer_start(timer, 0, false);
    run(&seen);
    assert_int_equal(seen.count, 4);
    loop_event_destroy(&timer);
    loop_event_destroy(&timer);
    loop_destroy(&seen.loop);
    loop_destroy(&seen.loop);
}

static void destroy_itself(void *arg)
{
    struct seen *seen = arg;
    loop_event_destroy(&seen->event);
    count_then_stop(seen);
}

static void test_event_may_destroy_itself(void **state)
{
    (void)state;
    struct seen seen = {.loop = loop_create(), .target = 1};
    seen.event = loop_timer_create(seen.loop, destroy_itself, &seen);
    loop_timer_start(seen.event, 1, true);
    run(&seen);
    assert_int_equal(seen.count, 1);
    loop_destroy(&seen.loop);
}

static void test_signal(void **state)
{
    (void)state;
    struct seen seen = {.loop = loop_create(), .target = 1};
    struct loop_event *event = loop_signal_create(seen.loop, SIGHUP, count_then_stop, &seen);
    kill(getpid(), SIGHUP);
    run(&seen);
    assert_int_equal(seen.count, 1);
    loop_event_destroy(&event);
    loop_destroy(&seen.loop);
}

static void read_one(void *arg)
{
    struct seen *seen = arg;
    char c;
    assert_int_equal(read(seen->fd, &c, 1), 1);
    count_then_stop(seen);
}

static void test_descriptor(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct seen seen = {.loop = loop_create(), .target = 2, .fd = ends[0]};
    struct loop_event *event = loop_reader_create(seen.loop, ends[0], read_one, &seen);
    assert_int_equal(write(ends[1], "ab", 2), 2);
    run(&seen);
    assert_int_equal(seen.count, 2);
    loop_event_destroy(&event);
    close(ends[0]);
    close(ends[1]);
    loop_destroy(&seen.loop);
}

enum { POSTS = 2000, POSTERS = 3 };

static void count_posts(void *arg)
{
    struct seen *seen = arg;
    seen->count++;
    if (atomic_load(&seen->posted) == POSTS * POSTERS) {
        loop_stop(seen->loop);
    }
}

static void *post_many(void *arg)
{
    struct seen *seen = arg;
    for (int i = 0; i < POSTS; i++) {
        atomic_fetch_add(&seen->posted, 1);
        loop_post(seen->loop, &seen->job);
    }
    return NULL;
}

/* The last post of any thread is always followed by a run: none is lost between threads. */
static void test_posts_from_threads(void **state)
{
    (void)state;
    struct seen seen = {.loop = loop_create()};
    seen.job = (struct loop_job){.run = count_posts, .arg = &seen};
    pthread_t threads[POSTERS];
    for (size_t i = 0; i < POSTERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, post_many, &seen), 0);
    }
    run(&seen);
    for (size_t i = 0; i < POSTERS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(atomic_load(&seen.posted), POSTS * POSTERS);
    assert_true(seen.count >= 1 && seen.count <= POSTS * POSTERS);
    loop_destroy(&seen.loop);
}

static void withdraw_other(void *arg)
{
    struct seen *seen = arg;
    loop_withdraw(seen->loop, &seen->other);
    loop_stop(seen->loop);
}

static void test_withdraw(void **state)
{
    (void)state;
    struct seen seen = {.loop = loop_create(), .target = 100};
    seen.job = (struct loop_job){.run = withdraw_other, .arg = &seen};
    seen.other = (struct loop_job){.run = count_then_stop, .arg = &seen};
    loop_post(seen.loop, &seen.job);
    loop_post(seen.loop, &seen.other);
    loop_post(seen.loop, &seen.other); /* still once */
    run(&seen);
    assert_int_equal(seen.count, 0);
    seen.target = 1;
    loop_post(seen.loop, &seen.other);
    run(&seen);
    assert_int_equal(seen.count, 1);
    loop_destroy(&seen.loop);
}

static void post_itself(void *arg)
{
    struct seen *seen = arg;
    seen->count++;
    loop_post(seen->loop, &seen->job);
}

/* A job that posts itself for ever leaves the timers their turn. */
static void test_jobs_do_not_starve_timers(void **state)
{
    (void)state;
    struct seen seen = {.loop = loop_create()};
    seen.job = (struct loop_job){.run = post_itself, .arg = &seen};
    struct loop_event *timer = loop_timer_create(seen.loop, give_up, &seen);
    loop_timer_start(timer, 5, false);
    loop_post(seen.loop, &seen.job);
    int64_t start = clock_monotonic(&clock_system);
    run(&seen);
    assert_true(clock_monotonic(&clock_system) - start < 20000000);
    assert_true(seen.count > 1);
    loop_withdraw(seen.loop, &seen.job);
    loop_event_destroy(&timer);
    loop_destroy(&seen.loop);
}

int main(void)
{
    loop_library_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timers),
        cmocka_unit_test(test_event_may_destroy_itself),
        cmocka_unit_test(test_signal),
        cmocka_unit_test(test_descriptor),
        cmocka_unit_test(test_posts_from_threads),
        cmocka_unit_test(test_withdraw),
        cmocka_unit_test(test_jobs_do_not_starve_timers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
