#include "gateway/inbound/worker.h"

#include <pthread.h>
#include <stdlib.h>

enum { NO_ROOM_US = 20 * 1000 };

struct worker {
    struct pool *pool;
    const struct clock *clock;
    struct alarm *alarm;
    worker_step *look;
    void *arg;
    pthread_mutex_t mutex; /* over what follows */
    bool started;
    bool stopped;
    bool busy;
    bool nudged;
    worker_step *next; /* the step that is to run; NULL: one runs, or waits for an answer */
    bool parked;       /* `next` waits for a time or for room; else the pool has it */
    int64_t next_at;   /* of it, or of the next look */
};

/* ---- one step ---- */

static void run_next(void *arg)
{
    struct worker *worker = arg;
    pthread_mutex_lock(&worker->mutex);
    worker_step *step = worker->next;
    worker->next = NULL;
    pthread_mutex_unlock(&worker->mutex);
    step(worker->arg);
}

/* The step stands in `next`. */
static void submit(struct worker *worker)
{
    const struct pool_job job = {.run = run_next, .drop = run_next, .arg = worker};
    enum status status = pool_submit(worker->pool, &job);
    if (status == STATUS_AGAIN) {
        int64_t at = clock_monotonic(worker->clock) + NO_ROOM_US;
        pthread_mutex_lock(&worker->mutex);
        worker->parked = true;
        worker->next_at = at;
        alarm_set(worker->alarm, at);
        pthread_mutex_unlock(&worker->mutex);
    } else if (status != STATUS_OK) {
        run_next(worker); /* the pool ends */
    }
}

/* Idle: begins a look if there is reason to, else sets the alarm for the next. With the mutex, and
 * nothing of the worker is touched after it: who sees it idle may destroy it. */
static bool consider(struct worker *worker)
{
    if (!worker->started || worker->stopped || worker->busy) {
        return false;
    }
    int64_t now = clock_monotonic(worker->clock);
    if (!worker->nudged && now < worker->next_at) {
        if (worker->next_at != INT64_MAX) {
            alarm_set(worker->alarm, worker->next_at);
        }
        return false;
    }
    worker->busy = true;
    worker->nudged = false;
    worker->next = worker->look;
    return true;
}

static void ring(void *arg)
{
    struct worker *worker = arg;
    pthread_mutex_lock(&worker->mutex);
    bool go = false;
    if (!worker->busy) {
        go = consider(worker);
    } else if (worker->parked) {
        go = worker->stopped || clock_monotonic(worker->clock) >= worker->next_at;
        worker->parked = !go;
        if (!go) {
            alarm_set(worker->alarm, worker->next_at);
        }
    }
    pthread_mutex_unlock(&worker->mutex);
    if (go) {
        submit(worker);
    }
}

void worker_go_at(struct worker *worker, worker_step *step, int64_t at_us)
{
    pthread_mutex_lock(&worker->mutex);
    bool now = worker->stopped || at_us <= clock_monotonic(worker->clock);
    worker->next = step;
    worker->parked = !now;
    if (!now) {
        worker->next_at = at_us;
        alarm_set(worker->alarm, at_us);
    }
    pthread_mutex_unlock(&worker->mutex);
    if (now) {
        submit(worker);
    }
}

void worker_go(struct worker *worker, worker_step *step)
{
    worker_go_at(worker, step, 0);
}

void worker_rest(struct worker *worker, int64_t until_us)
{
    pthread_mutex_lock(&worker->mutex);
    worker->busy = false;
    worker->next_at = until_us;
    bool go = consider(worker);
    pthread_mutex_unlock(&worker->mutex);
    if (go) {
        submit(worker);
    }
}

/* ---- life ---- */

struct worker *worker_create(struct loop *loop, struct pool *pool, const struct clock *clock,
                             worker_step *look, void *arg)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL) {
        return NULL;
    }
    *worker = (struct worker){.pool = pool, .clock = clock, .look = look, .arg = arg};
    worker->alarm = alarm_create(loop, clock, ring, worker);
    if (worker->alarm == NULL) {
        free(worker);
        return NULL;
    }
    pthread_mutex_init(&worker->mutex, NULL);
    return worker;
}

void worker_start(struct worker *worker)
{
    pthread_mutex_lock(&worker->mutex);
    worker->started = true;
    bool go = consider(worker);
    pthread_mutex_unlock(&worker->mutex);
    if (go) {
        submit(worker);
    }
}

void worker_nudge(struct worker *worker)
{
    pthread_mutex_lock(&worker->mutex);
    worker->nudged = true;
    bool go = consider(worker);
    pthread_mutex_unlock(&worker->mutex);
    if (go) {
        submit(worker);
    }
}

void worker_stop(struct worker *worker)
{
    pthread_mutex_lock(&worker->mutex);
    worker->stopped = true;
    alarm_set(worker->alarm, 0); /* a step that waits for a time goes now */
    pthread_mutex_unlock(&worker->mutex);
}

bool worker_stopped(struct worker *worker)
{
    pthread_mutex_lock(&worker->mutex);
    bool stopped = worker->stopped;
    pthread_mutex_unlock(&worker->mutex);
    return stopped;
}

bool worker_busy(struct worker *worker)
{
    pthread_mutex_lock(&worker->mutex);
    bool busy = worker->busy;
    pthread_mutex_unlock(&worker->mutex);
    return busy;
}

void worker_destroy(struct worker **worker)
{
    struct worker *it = *worker;
    if (it == NULL) {
        return;
    }
    alarm_destroy(&it->alarm);
    pthread_mutex_destroy(&it->mutex);
    free(it);
    *worker = NULL;
}
