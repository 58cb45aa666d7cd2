// uses: fhir/json fhir/model
// label: threaded
/* A loaded mapping is read by several threads at once; each gets the plan that one alone gets. */
#include "mapping_test.h"

#include <pthread.h>

enum { THREADS = 2, TIMES = 300 };

struct reader {
    struct trial trial;
    struct arena *arena;
    uint64_t sum;
};

static enum status read_once(void *arg)
{
    struct reader *reader = arg;
    trial_evaluate_in(&reader->trial, reader->arena);
    struct slice text = json_write(
        reader->arena, mapping_plan_bundle(reader->arena, &reader->trial.result), JSON_COMPACT);
    for (size_t i = 0; i < text.len; i++) {
        reader->sum = reader->sum * 31 + (unsigned char)text.at[i];
    }
    return reader->trial.status;
}

static void *read_many(void *arg)
{
    struct reader *reader = arg;
    for (int i = 0; i < TIMES; i++) {
        if (arena_run(reader->arena, read_once, reader) != STATUS_OK) {
            reader->sum = 0;
            return NULL;
        }
        arena_reset(reader->arena);
    }
    return NULL;
}

static void two_threads_read_one_mapping(void **state)
{
    (void)state;
    struct trial loaded = {0};
    struct reader readers[THREADS + 1];
    pthread_t threads[THREADS];
    trial_begin(&loaded);
    for (int i = 0; i <= THREADS; i++) {
        readers[i] = (struct reader){.trial = loaded, .arena = arena_create((size_t)8 << 20)};
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, read_many, &readers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    read_many(&readers[THREADS]);
    for (int i = 0; i <= THREADS; i++) {
        assert_true(readers[i].sum != 0);
        assert_true(readers[i].sum == readers[THREADS].sum);
        arena_destroy(&readers[i].arena);
    }
    trial_end(&loaded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(two_threads_read_one_mapping)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
