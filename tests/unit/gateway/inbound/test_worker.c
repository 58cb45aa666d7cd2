// label: threaded
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

#include "gateway/inbound/worker.h"

struct world {
    struct loop *loop;
    struct pool *pool;
    struct worker *worker;
    pthread_t thread;
    sem_t rested;
    _Atomic unsigned looks;
    _Atomic unsigned steps;
    _Atomic unsigned inside; /* steps that run at this moment */
    _Atomic bool overlapped;
    int64_t rest_us; /* until the next look */
};

static int64_t now(void)
{
    return clock_monotonic(&clock_system);
}

static void enter(struct world *world)
{
    if (atomic_fetch_add(&world->inside, 1) != 0) {
        atomic_store(&world->overlapped, true);
    }
}

static void leave(struct world *world)
{
    atomic_fetch_sub(&world->inside, 1);
}

static void third(void *arg)
{
    struct world *world = arg;
    enter(world);
    atomic_fetch_add(&world->steps, 1);
    int64_t until = world->rest_us == INT64_MAX ? INT64_MAX : now() + world->rest_us;
    leave(world);
    sem_post(&world->rested);
    worker_rest(world->worker, until);
}

static void second(void *arg)
{
    struct world *world = arg;
    enter(world);
    leave(world);
    worker_go_at(world->worker, third, now() + 2000);
}

static void look(void *arg)
{
    struct world *world = arg;
    enter(world);
    atomic_fetch_add(&world->looks, 1);
    leave(world);
    worker_go(world->worker, second);
}

static void *run(void *arg)
{
    loop_run(arg);
    return NULL;
}

static void open_world(struct world *world, int64_t rest_us, size_t pool_items)
{
    *world = (struct world){.loop = loop_create(), .rest_us = rest_us};
    assert_non_null(world->loop);
    sem_init(&world->rested, 0, 0);
    const struct pool_config config = {.threads = 2, .max_items = pool_items, .max_bytes = 1000};
    assert_int_equal(pool_create(&config, &world->pool), STATUS_OK);
    world->worker = worker_create(world->loop, world->pool, &clock_system, look, world);
    assert_non_null(world->worker);
    assert_int_equal(pthread_create(&world->thread, NULL, run, world->loop), 0);
}

/* Waits for the condition, not for a time; a minute is a failure. */
static void wait_for_rest(struct world *world)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 60;
    assert_int_equal(sem_timedwait(&world->rested, &end), 0);
}

static void close_world(struct world *world)
{
    worker_stop(world->worker);
    while (worker_busy(world->worker)) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    loop_stop(world->loop);
    pthread_join(world->thread, NULL);
    worker_destroy(&world->worker);
    pool_destroy(&world->pool);
    loop_destroy(&world->loop);
    sem_destroy(&world->rested);
    assert_false(atomic_load(&world->overlapped));
}

static void test_it_comes_again_by_its_time(void **state)
{
    (void)state;
    struct world world;
    open_world(&world, 1000, 10);
    worker_start(world.worker);
    for (unsigned i = 0; i < 20; i++) {
        wait_for_rest(&world);
    }
    close_world(&world);
    assert_true(atomic_load(&world.looks) >= 20);
}

static void *nudge_often(void *arg)
{
    struct world *world = arg;
    for (unsigned i = 0; i < 2000; i++) {
        worker_nudge(world->worker);
    }
    return NULL;
}

/* Many nudges are few looks, and none is lost: after the last there is a look. */
static void test_nudges_are_coalesced_and_not_lost(void **state)
{
    (void)state;
    struct world world;
    open_world(&world, INT64_MAX, 10);
    worker_start(world.worker); /* begins at once: it never looked */
    wait_for_rest(&world);
    pthread_t threads[3];
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, nudge_often, &world), 0);
    }
    for (size_t i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    unsigned before = atomic_load(&world.looks);
    worker_nudge(world.worker);
    while (atomic_load(&world.looks) == before) {
        wait_for_rest(&world);
    }
    close_world(&world);
    assert_true(atomic_load(&world.looks) < 6000);
}

static void stall(void *arg)
{
    sem_wait(arg);
}

static void test_a_full_pool_delays(void **state)
{
    (void)state;
    struct world world;
    open_world(&world, INT64_MAX, 1);
    sem_t gate;
    sem_init(&gate, 0, 0);
    const struct pool_job job = {.run = stall, .arg = &gate};
    assert_int_equal(pool_submit(world.pool, &job), STATUS_OK);
    worker_start(world.worker);
    assert_int_equal(atomic_load(&world.looks), 0);
    sem_post(&gate);
    wait_for_rest(&world);
    assert_int_equal(atomic_load(&world.steps), 1);
    close_world(&world);
    sem_destroy(&gate);
}

int main(void)
{
    loop_library_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_comes_again_by_its_time),
        cmocka_unit_test(test_nudges_are_coalesced_and_not_lost),
        cmocka_unit_test(test_a_full_pool_delays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
