/*
 * The work pool: a fixed number of threads and one bounded queue, in items and in bytes. A full
 * queue says so at once; nobody waits for room. Jobs start in the order they were submitted. Any
 * thread may submit, a job too. Tests: tests/unit/gateway/base/test_pool.c (also under TSan).
 */
#ifndef GATEWAY_BASE_POOL_H
#define GATEWAY_BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "fhir/base/status.h"

struct pool;

struct pool_job {
    void (*run)(void *arg);  /* on a thread of the pool; takes what arg owns */
    void (*drop)(void *arg); /* instead of run, when the pool is destroyed first; NULL: nothing to
                                release */
    void *arg;
    size_t bytes; /* memory that arg holds until run or drop returns */
};

struct pool_config {
    unsigned threads;
    size_t max_items; /* waiting and running */
    size_t max_bytes; /* of waiting and running jobs together */
};

/* STATUS_NO_MEMORY: no memory or no thread. Caller destroys. */
enum status pool_create(const struct pool_config *config, struct pool **pool_out);

/* STATUS_AGAIN: full. STATUS_REFUSED: draining. In both cases the job is still the caller's. One
 * job larger than max_bytes is taken when the pool is empty. */
enum status pool_submit(struct pool *pool, const struct pool_job *job);

/* Takes no further jobs and waits until all are done: STATUS_OK; STATUS_AGAIN: some are not, after
 * `timeout_ms`. Not from a job. */
enum status pool_drain(struct pool *pool, unsigned timeout_ms);

/* Waits for running jobs, drops waiting ones. Not from a job. Accepts NULL. */
void pool_destroy(struct pool **pool);

struct pool_load {
    size_t items; /* waiting and running */
    size_t bytes;
};
struct pool_load pool_load(struct pool *pool);

#endif
