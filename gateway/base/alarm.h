/*
 * A timer that any thread may set: the earliest time that was asked for counts. It rings on the
 * loop's thread, at or after that time, never before; the ringing forgets all times set until then.
 * Tests: tests/unit/gateway/base/test_alarm.c (also under TSan).
 */
#ifndef GATEWAY_BASE_ALARM_H
#define GATEWAY_BASE_ALARM_H

#include "gateway/base/clock.h"
#include "gateway/base/loop.h"

struct alarm;

/* On the loop's thread, or before it runs. NULL: no memory. The clock's monotonic time is read; it
 * must outlive the alarm. */
struct alarm *alarm_create(struct loop *loop, const struct clock *clock, loop_fn *fn, void *arg);

/* At this monotonic time, microseconds; one that has passed: at once. Any thread. */
void alarm_set(struct alarm *alarm, int64_t at_us);

/* It does not ring any more. On the loop's thread, or after it ended; nobody may set it at the same
 * time. Accepts NULL. */
void alarm_destroy(struct alarm **alarm);

#endif
