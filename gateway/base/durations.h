/*
 * How long something took: the number and sum of all, and quantiles over the last thousand or so,
 * which is what a person asks about: how it goes now. A few KiB, no allocation, no lock: the
 * owner's mutex guards it. Tests: tests/unit/gateway/base/test_durations.c.
 */
#ifndef GATEWAY_BASE_DURATIONS_H
#define GATEWAY_BASE_DURATIONS_H

#include <stdint.h>

enum { DURATIONS_KEPT = 1024 };

/* All zero is an empty one. Microseconds. */
struct durations {
    uint64_t count;
    int64_t sum;
    int64_t last[DURATIONS_KEPT]; /* a ring: the next goes to count % DURATIONS_KEPT */
};

/* A negative one (a clock that was set back) counts as none at all: 0. */
void durations_add(struct durations *durations, int64_t us);

struct durations_summary {
    uint64_t count;
    int64_t sum;
    int64_t median; /* of the last DURATIONS_KEPT; 0 when there were none */
    int64_t p95;
};

struct durations_summary durations_summary(const struct durations *durations);

#endif
