/*
 * When a system is down by plan: windows of every week and of dates, in a zone's local time. Pure.
 * Tests: tests/unit/gateway/base/test_downtime.c.
 */
#ifndef GATEWAY_BASE_DOWNTIME_H
#define GATEWAY_BASE_DOWNTIME_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/zone.h"

enum { DOWNTIMES_MOST = 64 };

/* From `from` on, before `to`: seconds of local time. */
struct downtime {
    bool weekly;  /* since Monday 00:00; else since 1970-01-01 00:00 */
    int64_t from; /* weekly: below seven days */
    int64_t to;   /* may reach into the next week */
};

/*
 * "Sun 01:00-03:00" (an end that is not after its begin is one of the next day), or
 * "2026-12-24 22:00 - 2026-12-25 06:00". STATUS_INVALID: it is neither.
 */
enum status downtime_read(struct slice text, struct downtime *downtime_out);

/*
 * The end, in UTC microseconds, of the window that the instant lies in, and of those that follow
 * without a gap; 0: it lies in none. Where the clocks change, the end is that of the local clock.
 */
int64_t downtime_end(const struct downtime *windows, size_t count, const struct zone *zone,
                     int64_t utc_us);

#endif
