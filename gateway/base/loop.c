#include "gateway/base/loop.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

struct loop {
    struct event_base *base;
    int wake; /* eventfd: written by whoever posts the first job */
    struct event *woken;
    _Atomic bool stopping;
    _Atomic bool running;
    bool in_jobs;         /* on_wake() runs what was posted; the loop's thread */
    pthread_t thread;     /* valid while running */
    pthread_mutex_t lock; /* over the two below and every job's own fields */
    struct loop_job *first;
    struct loop_job *last;
    size_t length;
};

struct loop_event {
    struct event *event;
    loop_fn *fn;
    void *arg;
};

static void say(int severity, const char *message)
{
    if (severity >= EVENT_LOG_WARN) {
        char safe[200];
        size_t len = 0;
        for (; message[len] != '\0' && len < sizeof safe - 1; len++) {
            char c = message[len];
            safe[len] = c;
            if (c < ' ' || c > '~' || c == '"' || c == '\\') {
                safe[len] = '?';
            }
        }
        safe[len] = '\0';
        fprintf(stderr, "{\"level\":\"warning\",\"event\":\"libevent\",\"detail\":\"%s\"}\n", safe);
    }
}

static void fatal(int error)
{
    (void)error;
    abort();
}

void loop_library_init(void)
{
    event_set_log_callback(say);
    event_set_fatal_callback(fatal);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file at its limit is an error of the write, as a full disk is */
}

/* Takes the head of the queue, which may at once be posted again: its fields are copied out because
 * the job may be posted, or die, as soon as it runs. */
static bool take_first(struct loop *loop, struct loop_job *copy_out)
{
    pthread_mutex_lock(&loop->lock);
    struct loop_job *job = loop->first;
    if (job != NULL) {
        *copy_out = *job;
        loop->first = job->next;
        loop->last = loop->first != NULL ? loop->last : NULL;
        loop->length--;
        job->next = NULL;
        job->posted = false;
    }
    pthread_mutex_unlock(&loop->lock);
    return job != NULL;
}

static void wake(struct loop *loop)
{
    uint64_t one = 1;
    ssize_t put = write(loop->wake, &one, sizeof one);
    (void)put; /* full means that the loop is being woken already */
}

static size_t queue_length(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    size_t length = loop->length;
    pthread_mutex_unlock(&loop->lock);
    return length;
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct loop *loop = arg;
    uint64_t count;
    ssize_t got = read(fd, &count, sizeof count);
    (void)got; /* nothing to read is no fault: the jobs are looked at in any case */
    if (atomic_load(&loop->stopping)) {
        event_base_loopbreak(loop->base);
        return;
    }
    /* Only those that are there now, so that jobs which post themselves leave time for sockets. */
    struct loop_job copy;
    loop->in_jobs = true;
    for (size_t left = queue_length(loop); left > 0 && take_first(loop, &copy); left--) {
        copy.run(copy.arg);
    }
    loop->in_jobs = false;
    if (queue_length(loop) != 0) {
        wake(loop);
    }
}

struct loop *loop_create(void)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL) {
        return NULL;
    }
    pthread_mutex_init(&loop->lock, NULL);
    loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    /* Only this thread touches the base: libevent needs no locks of its own. */
    struct event_config *config = event_config_new();
    if (config != NULL) {
        event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
        loop->base = event_base_new_with_config(config);
        event_config_free(config);
    }
    if (loop->base != NULL && loop->wake >= 0) {
        loop->woken = event_new(loop->base, loop->wake, EV_READ | EV_PERSIST, on_wake, loop);
    }
    if (loop->woken == NULL || event_add(loop->woken, NULL) != 0) {
        loop_destroy(&loop);
    }
    return loop;
}

void loop_destroy(struct loop **loop)
{
    if (loop == NULL || *loop == NULL) {
        return;
    }
    if ((*loop)->woken != NULL) {
        event_free((*loop)->woken);
    }
    if ((*loop)->base != NULL) {
        event_base_free((*loop)->base);
    }
    if ((*loop)->wake >= 0) {
        close((*loop)->wake);
    }
    pthread_mutex_destroy(&(*loop)->lock);
    free(*loop);
    *loop = NULL;
}

enum status loop_run(struct loop *loop)
{
    loop->thread = pthread_self();
    atomic_store(&loop->running, true);
    int rc = event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
    atomic_store(&loop->running, false);
    atomic_store(&loop->stopping, false);
    return rc >= 0 ? STATUS_OK : STATUS_IO;
}

void loop_stop(struct loop *loop)
{
    atomic_store(&loop->stopping, true);
    wake(loop);
}

bool loop_is_here(const struct loop *loop)
{
    return atomic_load(&loop->running) && pthread_equal(loop->thread, pthread_self()) != 0;
}

struct event_base *loop_base(struct loop *loop)
{
    return loop->base;
}

void loop_post(struct loop *loop, struct loop_job *job)
{
    bool first = false;
    pthread_mutex_lock(&loop->lock);
    if (!job->posted) {
        job->posted = true;
        job->next = NULL;
        first = loop->first == NULL;
        if (first) {
            loop->first = job;
        } else {
            loop->last->next = job;
        }
        loop->last = job;
        loop->length++;
    }
    pthread_mutex_unlock(&loop->lock);
    if (first && loop_is_here(loop) && !loop->in_jobs) {
        event_active(loop->woken, EV_READ, 0); /* behind what this turn has to do */
    } else if (first) {
        wake(loop);
    }
}

void loop_withdraw(struct loop *loop, struct loop_job *job)
{
    pthread_mutex_lock(&loop->lock);
    struct loop_job *before = NULL;
    for (struct loop_job *at = loop->first; at != NULL; before = at, at = at->next) {
        if (at != job) {
            continue;
        }
        if (before != NULL) {
            before->next = job->next;
        } else {
            loop->first = job->next;
        }
        loop->last = loop->last == job ? before : loop->last;
        loop->length--;
        job->posted = false;
        break;
    }
    pthread_mutex_unlock(&loop->lock);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct loop_event *event = arg;
    event->fn(event->arg); /* may destroy the event */
}

static struct loop_event *create(struct loop *loop, int fd, short what, loop_fn *fn, void *arg)
{
    struct loop_event *event = calloc(1, sizeof *event);
    if (event == NULL) {
        return NULL;
    }
    *event = (struct loop_event){.fn = fn, .arg = arg};
    event->event = event_new(loop->base, fd, what, on_event, event);
    bool waits = (what & (EV_READ | EV_WRITE | EV_SIGNAL)) != 0;
    if (event->event == NULL || (waits && event_add(event->event, NULL) != 0)) {
        loop_event_destroy(&event);
    }
    return event;
}

struct loop_event *loop_timer_create(struct loop *loop, loop_fn *fn, void *arg)
{
    return create(loop, -1, 0, fn, arg);
}

struct loop_event *loop_signal_create(struct loop *loop, int signal, loop_fn *fn, void *arg)
{
    return create(loop, signal, EV_SIGNAL | EV_PERSIST, fn, arg);
}

struct loop_event *loop_reader_create(struct loop *loop, int fd, loop_fn *fn, void *arg)
{
    return create(loop, fd, EV_READ | EV_PERSIST, fn, arg);
}

struct loop_event *loop_writer_create(struct loop *loop, int fd, loop_fn *fn, void *arg)
{
    return create(loop, fd, EV_WRITE | EV_PERSIST, fn, arg);
}

void loop_timer_start(struct loop_event *timer, uint64_t ms, bool repeat)
{
    struct timeval time = {.tv_sec = (time_t)(ms / 1000),
                           .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
    struct event_base *base = event_get_base(timer->event);
    event_del(timer->event);
    event_assign(timer->event, base, -1, repeat ? EV_PERSIST : 0, on_event, timer);
    event_add(timer->event, &time);
}

void loop_timer_stop(struct loop_event *timer)
{
    event_del(timer->event);
}

void loop_event_destroy(struct loop_event **event)
{
    if (event == NULL || *event == NULL) {
        return;
    }
    if ((*event)->event != NULL) {
        event_free((*event)->event);
    }
    free(*event);
    *event = NULL;
}
