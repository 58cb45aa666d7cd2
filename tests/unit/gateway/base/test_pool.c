// label: threaded
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "gateway/base/pool.h"

static void count_one(void *arg)
{
    atomic_fetch_add((_Atomic unsigned *)arg, 1);
}

struct gate {
    sem_t entered;
    sem_t open;
};

static void wait_at_gate(void *arg)
{
    struct gate *gate = arg;
    sem_post(&gate->entered);
    sem_wait(&gate->open);
}

static struct pool *make(unsigned threads, size_t items, size_t bytes)
{
    struct pool *pool = NULL;
    assert_int_equal(
        pool_create(
            &(struct pool_config){.threads = threads, .max_items = items, .max_bytes = bytes},
            &pool),
        STATUS_OK);
    return pool;
}

static void test_runs_all(void **state)
{
    (void)state;
    _Atomic unsigned count = 0;
    struct pool *pool = make(4, 10000, 1000000);
    for (int i = 0; i < 5000; i++) {
        struct pool_job job = {.run = count_one, .arg = (void *)&count, .bytes = 10};
        assert_int_equal(pool_submit(pool, &job), STATUS_OK);
    }
    assert_int_equal(pool_drain(pool, 30000), STATUS_OK);
    assert_int_equal(atomic_load(&count), 5000);
    assert_int_equal(pool_load(pool).items, 0);
    assert_int_equal(pool_load(pool).bytes, 0);
    struct pool_job late = {.run = count_one, .arg = (void *)&count};
    assert_int_equal(pool_submit(pool, &late), STATUS_REFUSED);
    pool_destroy(&pool);
    assert_null(pool);
    pool_destroy(&pool);
}

static void test_full_in_items_and_bytes(void **state)
{
    (void)state;
    struct gate gate;
    sem_init(&gate.entered, 0, 0);
    sem_init(&gate.open, 0, 0);
    _Atomic unsigned dropped = 0;
    struct pool *pool = make(1, 3, 100);
    struct pool_job holder = {.run = wait_at_gate, .arg = &gate, .bytes = 40};
    struct pool_job job = {
        .run = count_one, .drop = count_one, .arg = (void *)&dropped, .bytes = 30};
    assert_int_equal(pool_submit(pool, &holder), STATUS_OK);
    sem_wait(&gate.entered);
    assert_int_equal(pool_submit(pool, &job), STATUS_OK);
    job.bytes = 31;
    assert_int_equal(pool_submit(pool, &job), STATUS_AGAIN); /* 101 bytes */
    job.bytes = 30;
    assert_int_equal(pool_submit(pool, &job), STATUS_OK); /* exactly 100 bytes, 3 items */
    job.bytes = 0;
    assert_int_equal(pool_submit(pool, &job), STATUS_AGAIN);
    assert_int_equal(pool_load(pool).items, 3);
    assert_int_equal(pool_load(pool).bytes, 100);
    assert_int_equal(pool_drain(pool, 20), STATUS_AGAIN); /* one is still at the gate */
    sem_post(&gate.open);
    assert_int_equal(pool_drain(pool, 30000), STATUS_OK);
    assert_int_equal(atomic_load(&dropped), 2);
    pool_destroy(&pool);
    sem_destroy(&gate.entered);
    sem_destroy(&gate.open);
}

static void *destroy(void *arg)
{
    pool_destroy(arg);
    return NULL;
}

/* Destroyed with work waiting: the running job ends, each waiting one is dropped once. */
static void test_destroy_drops(void **state)
{
    (void)state;
    struct gate gate;
    sem_init(&gate.entered, 0, 0);
    sem_init(&gate.open, 0, 0);
    _Atomic unsigned dropped = 0;
    struct pool *pool = make(1, 10, 1000);
    assert_int_equal(pool_submit(pool, &(struct pool_job){.run = wait_at_gate, .arg = &gate}),
                     STATUS_OK);
    sem_wait(&gate.entered);
    for (int i = 0; i < 5; i++) {
        struct pool_job job = {.run = count_one, .drop = count_one, .arg = (void *)&dropped};
        assert_int_equal(pool_submit(pool, &job), STATUS_OK);
    }
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, destroy, &pool), 0);
    sem_post(&gate.open);
    pthread_join(thread, NULL);
    assert_null(pool);
    assert_int_equal(atomic_load(&dropped), 5); /* run or dropped, each exactly once */
    sem_destroy(&gate.entered);
    sem_destroy(&gate.open);
}

static void test_one_large_job_when_empty(void **state)
{
    (void)state;
    _Atomic unsigned count = 0;
    struct pool *pool = make(1, 2, 10);
    struct pool_job job = {.run = count_one, .arg = (void *)&count, .bytes = 1000};
    assert_int_equal(pool_submit(pool, &job), STATUS_OK);
    assert_int_equal(pool_drain(pool, 30000), STATUS_OK);
    assert_int_equal(atomic_load(&count), 1);
    pool_destroy(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_all),
        cmocka_unit_test(test_full_in_items_and_bytes),
        cmocka_unit_test(test_destroy_drops),
        cmocka_unit_test(test_one_large_job_when_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
