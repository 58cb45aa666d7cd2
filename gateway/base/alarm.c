#include "gateway/base/alarm.h"

#include <pthread.h>
#include <stdlib.h>

struct alarm {
    struct loop *loop;
    const struct clock *clock;
    loop_fn *fn;
    void *arg;
    struct loop_job job;
    struct loop_event *timer;
    pthread_mutex_t mutex; /* over at_us */
    int64_t at_us;         /* INT64_MAX: not set */
};

static const int64_t ms_us = 1000;

static int64_t set_until(struct alarm *alarm)
{
    pthread_mutex_lock(&alarm->mutex);
    int64_t at = alarm->at_us;
    pthread_mutex_unlock(&alarm->mutex);
    return at;
}

/* Longer waits are cut: the timer then finds that it is too early and is set again. */
static void start(void *arg)
{
    struct alarm *alarm = arg;
    const int64_t most_ms = (int64_t)3600 * 1000;
    int64_t at = set_until(alarm);
    if (at == INT64_MAX) {
        return;
    }
    int64_t wait_us = at - clock_monotonic(alarm->clock);
    int64_t wait_ms = wait_us > 0 ? (wait_us - 1) / ms_us + 1 : 0;
    loop_timer_start(alarm->timer, (uint64_t)(wait_ms < most_ms ? wait_ms : most_ms), false);
}

static void ring(void *arg)
{
    struct alarm *alarm = arg;
    int64_t now = clock_monotonic(alarm->clock);
    pthread_mutex_lock(&alarm->mutex);
    bool due = alarm->at_us <= now;
    if (due) {
        alarm->at_us = INT64_MAX;
    }
    pthread_mutex_unlock(&alarm->mutex);
    if (due) {
        alarm->fn(alarm->arg);
    } else {
        start(alarm);
    }
}

struct alarm *alarm_create(struct loop *loop, const struct clock *clock, loop_fn *fn, void *arg)
{
    struct alarm *alarm = calloc(1, sizeof *alarm);
    if (alarm == NULL) {
        return NULL;
    }
    *alarm = (struct alarm){.loop = loop, .clock = clock, .fn = fn, .arg = arg};
    alarm->at_us = INT64_MAX;
    alarm->job = (struct loop_job){.run = start, .arg = alarm};
    alarm->timer = loop_timer_create(loop, ring, alarm);
    if (alarm->timer == NULL) {
        free(alarm);
        return NULL;
    }
    pthread_mutex_init(&alarm->mutex, NULL);
    return alarm;
}

void alarm_set(struct alarm *alarm, int64_t at_us)
{
    pthread_mutex_lock(&alarm->mutex);
    bool earlier = at_us < alarm->at_us;
    if (earlier) {
        alarm->at_us = at_us;
    }
    pthread_mutex_unlock(&alarm->mutex);
    if (earlier) {
        loop_post(alarm->loop, &alarm->job);
    }
}

void alarm_destroy(struct alarm **alarm)
{
    struct alarm *it = *alarm;
    if (it == NULL) {
        return;
    }
    loop_withdraw(it->loop, &it->job);
    loop_event_destroy(&it->timer);
    pthread_mutex_destroy(&it->mutex);
    free(it);
    *alarm = NULL;
}
