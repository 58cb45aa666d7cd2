/*
 * Time as a parameter: whoever needs the time is given a clock, so that tests can set it. UTC is
 * for what is stored and shown; the monotonic time is for timers, deadlines and intervals and never
 * steps. Safe to read from any thread. Tests: tests/unit/gateway/base/test_clock.c.
 */
#ifndef GATEWAY_BASE_CLOCK_H
#define GATEWAY_BASE_CLOCK_H

#include <stdint.h>

#include "fhir/base/slice.h"
#include "fhir/base/status.h"

struct clock {
    int64_t (*utc)(void *state);       /* microseconds since 1970-01-01T00:00:00Z */
    int64_t (*monotonic)(void *state); /* microseconds since an arbitrary start */
    void *state;                       /* borrowed */
};

/* The machine's clocks. */
extern const struct clock clock_system;

/* Microseconds since 1970-01-01T00:00:00Z. */
static inline int64_t clock_utc(const struct clock *clock)
{
    return clock->utc(clock->state);
}

/* Microseconds; only differences mean something. */
static inline int64_t clock_monotonic(const struct clock *clock)
{
    return clock->monotonic(clock->state);
}

enum { CLOCK_TEXT_SIZE = 32 };

/* RFC 3339 with milliseconds, "2026-03-01T12:00:00.000Z", NUL-terminated; years 0000 to 9999, else
 * clamped. Returns the length. */
size_t clock_format(int64_t utc_us, char out[CLOCK_TEXT_SIZE]);

/* Days from 1970-01-01 to a day of the proleptic Gregorian calendar; month 1 to 12. */
int64_t clock_days(int64_t year, unsigned month, unsigned day);

#ifdef EPLAN_SEAMS
#include <stdatomic.h>

/* Stands still until it is moved. Test builds only. */
struct clock_settable {
    _Atomic int64_t utc_us;
    _Atomic int64_t monotonic_us;
};

/* The clock reads *settable, which must outlive it. Monotonic time starts at one hour. */
struct clock clock_settable_init(struct clock_settable *settable, int64_t utc_us);
/* Moves UTC and monotonic time forward together. */
void clock_settable_advance(struct clock_settable *settable, int64_t us);
/* Steps UTC alone, as an administrator or NTP does; may go back. */
void clock_settable_set_utc(struct clock_settable *settable, int64_t utc_us);

/*
 * The machine's clocks, with UTC shifted by the whole number of seconds that stands in a file (read
 * at each call; missing or empty: 0). For tests of a whole daemon: EPLAN_CLOCK_FILE. `path` must
 * outlive the clock. Test builds only.
 */
struct clock clock_shifted(char *path);
#endif

#endif
