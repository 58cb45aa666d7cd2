/*
 * One piece of work that is done again and again, in steps that run on the pool one at a time: a
 * look whether there is something to do, then what there is. Between two steps the work may wait
 * for an answer, for the store, or for a time. For poll.c and subscribe.c. Tests:
 * tests/unit/gateway/inbound/test_worker.c (also under TSan).
 */
#ifndef GATEWAY_INBOUND_WORKER_H
#define GATEWAY_INBOUND_WORKER_H

#include <stdbool.h>

#include "gateway/base/alarm.h"
#include "gateway/base/pool.h"

struct worker;
typedef void worker_step(void *arg);

/*
 * look(arg) runs whenever the worker is idle and was nudged or its time has come; it, or a later
 * step, ends with worker_rest(). On the loop's thread, or before it runs. NULL: no memory.
 */
struct worker *worker_create(struct loop *loop, struct pool *pool, const struct clock *clock,
                             worker_step *look, void *arg);

/* All of these from any thread. */
void worker_start(struct worker *worker);
void worker_nudge(struct worker *worker);
void worker_stop(struct worker *worker);
bool worker_stopped(struct worker *worker);
bool worker_busy(struct worker *worker); /* between a look and its rest */

/* The next step of the work under way: on the pool, at once or, when the pool is full, soon. */
void worker_go(struct worker *worker, worker_step *step);
/* The same, not before this monotonic time; a worker that was stopped does not wait. */
void worker_go_at(struct worker *worker, worker_step *step, int64_t at_us);
/* Nothing more to do until this monotonic time; a nudge that came meanwhile counts. */
void worker_rest(struct worker *worker, int64_t until_us);

/* Stopped and not busy; on the loop's thread, or after it ended. Accepts NULL. */
void worker_destroy(struct worker **worker);

#endif
