#include "gateway/base/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

struct pool {
    struct pool_config config;
    pthread_mutex_t lock; /* over all that follows */
    pthread_cond_t work;  /* a job was added, or `stopped` set */
    pthread_cond_t done;  /* a job ended */
    struct pool_job *ring;
    size_t first; /* index of the next job to start */
    size_t waiting;
    size_t running;
    size_t bytes;
    bool draining;
    bool stopped;
    unsigned started;
    pthread_t *threads;
};

static void *work(void *arg)
{
    struct pool *pool = arg;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (pool->waiting == 0 && !pool->stopped) {
            pthread_cond_wait(&pool->work, &pool->lock);
        }
        if (pool->stopped) {
            break;
        }
        struct pool_job job = pool->ring[pool->first];
        pool->first = (pool->first + 1) % pool->config.max_items;
        pool->waiting--;
        pool->running++;
        pthread_mutex_unlock(&pool->lock);
        job.run(job.arg);
        pthread_mutex_lock(&pool->lock);
        pool->running--;
        pool->bytes -= job.bytes;
        if (pool->running == 0 && pool->waiting == 0) {
            pthread_cond_broadcast(&pool->done);
        }
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static void init_locks(struct pool *pool)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->done, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

enum status pool_create(const struct pool_config *config, struct pool **pool_out)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL) {
        return STATUS_NO_MEMORY;
    }
    pool->config = *config;
    init_locks(pool);
    pool->ring = calloc(config->max_items, sizeof *pool->ring);
    pool->threads = calloc(config->threads, sizeof *pool->threads);
    while (pool->ring != NULL && pool->threads != NULL && pool->started < config->threads &&
           pthread_create(&pool->threads[pool->started], NULL, work, pool) == 0) {
        pool->started++;
    }
    if (pool->started < config->threads || pool->started == 0) {
        pool_destroy(&pool);
        return STATUS_NO_MEMORY;
    }
    *pool_out = pool;
    return STATUS_OK;
}

enum status pool_submit(struct pool *pool, const struct pool_job *job)
{
    enum status status = STATUS_OK;
    pthread_mutex_lock(&pool->lock);
    size_t items = pool->waiting + pool->running;
    bool full = items >= pool->config.max_items ||
                (items != 0 && (pool->bytes >= pool->config.max_bytes ||
                                job->bytes > pool->config.max_bytes - pool->bytes));
    if (pool->draining || pool->stopped) {
        status = STATUS_REFUSED;
    } else if (full) {
        status = STATUS_AGAIN;
    } else {
        pool->ring[(pool->first + pool->waiting) % pool->config.max_items] = *job;
        pool->waiting++;
        pool->bytes += job->bytes;
        pthread_cond_signal(&pool->work);
    }
    pthread_mutex_unlock(&pool->lock);
    return status;
}

enum status pool_drain(struct pool *pool, unsigned timeout_ms)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += (time_t)(timeout_ms / 1000);
    end.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&pool->lock);
    pool->draining = true;
    int rc = 0;
    while (pool->waiting + pool->running != 0 && rc != ETIMEDOUT) {
        rc = pthread_cond_timedwait(&pool->done, &pool->lock, &end);
    }
    bool empty = pool->waiting + pool->running == 0;
    pthread_mutex_unlock(&pool->lock);
    return empty ? STATUS_OK : STATUS_AGAIN;
}

void pool_destroy(struct pool **pool)
{
    if (pool == NULL || *pool == NULL) {
        return;
    }
    struct pool *p = *pool;
    pthread_mutex_lock(&p->lock);
    p->stopped = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->started; i++) {
        pthread_join(p->threads[i], NULL);
    }
    for (; p->waiting > 0; p->waiting--, p->first = (p->first + 1) % p->config.max_items) {
        if (p->ring[p->first].drop != NULL) {
            p->ring[p->first].drop(p->ring[p->first].arg);
        }
    }
    pthread_cond_destroy(&p->done);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    free(p->threads);
    free(p->ring);
    free(p);
    *pool = NULL;
}

struct pool_load pool_load(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    struct pool_load load = {.items = pool->waiting + pool->running, .bytes = pool->bytes};
    pthread_mutex_unlock(&pool->lock);
    return load;
}
