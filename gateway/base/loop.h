/*
 * The loop thread: file descriptors, timers, signals, and jobs handed over from other threads. The
 * only user of libevent besides gateway/http/server.c. All calls are for the loop's own thread (or
 * before it runs) except loop_post() and loop_stop(). Nothing that a loop calls may block. Tests:
 * tests/unit/gateway/base/test_loop.c (also under TSan).
 */
#ifndef GATEWAY_BASE_LOOP_H
#define GATEWAY_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "fhir/base/status.h"

struct loop;
struct event_base; /* libevent's; for server.c */

/*
 * Once per process, before any thread: libevent's warnings become log lines on stderr, its fatal
 * errors an abort, and SIGPIPE is ignored.
 */
void loop_library_init(void);

/* NULL: no memory or no file descriptor. Caller destroys. */
struct loop *loop_create(void);
/* After all that was made on it was destroyed. Accepts NULL. */
void loop_destroy(struct loop **loop);

/* Runs until loop_stop(). STATUS_IO: the loop itself failed. */
enum status loop_run(struct loop *loop);
/* Makes loop_run() return after the callback that is running; any thread. */
void loop_stop(struct loop *loop);
/* Is the caller on the thread that runs the loop? */
bool loop_is_here(const struct loop *loop);

struct event_base *loop_base(struct loop *loop);

/* ---- handing over ---- */

/* Embedded in what it serves; both fields are set by the owner before the first post. */
struct loop_job {
    void (*run)(void *arg); /* on the loop's thread */
    void *arg;
    struct loop_job *next; /* the loop's */
    bool posted;           /* the loop's */
};

/*
 * The job runs once, soon, on the loop's thread; posted again before it ran, it still runs once.
 * Any thread, never fails, allocates nothing. The job is borrowed until it ran or was withdrawn.
 */
void loop_post(struct loop *loop, struct loop_job *job);
/* After this the job does not run; loop thread only, and nobody may post it at the same time. */
void loop_withdraw(struct loop *loop, struct loop_job *job);

/* ---- timers, signals, descriptors: caller destroys; destroy accepts NULL and is allowed in the
 * callback ---- */

struct loop_event;
typedef void loop_fn(void *arg);

/* Not yet running. NULL: no memory. */
struct loop_event *loop_timer_create(struct loop *loop, loop_fn *fn, void *arg);
/* In `ms` milliseconds, once or again and again. Started again, it forgets the earlier time. */
void loop_timer_start(struct loop_event *timer, uint64_t ms, bool repeat);
void loop_timer_stop(struct loop_event *timer);

/* From now on `signal` is delivered here instead of its default action. */
struct loop_event *loop_signal_create(struct loop *loop, int signal, loop_fn *fn, void *arg);

/* fn whenever fd is readable (or closed by the other side). */
struct loop_event *loop_reader_create(struct loop *loop, int fd, loop_fn *fn, void *arg);
/* fn whenever fd is writable. */
struct loop_event *loop_writer_create(struct loop *loop, int fd, loop_fn *fn, void *arg);

void loop_event_destroy(struct loop_event **event);

#endif
