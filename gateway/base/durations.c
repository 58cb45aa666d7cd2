#include "gateway/base/durations.h"

#include <stdlib.h>
#include <string.h>

void durations_add(struct durations *durations, int64_t us)
{
    us = us > 0 ? us : 0;
    durations->last[durations->count % DURATIONS_KEPT] = us;
    durations->count++;
    durations->sum += us;
}

static int by_length(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The nearest rank: the least of them that `percent` of all do not exceed. */
static int64_t quantile(const int64_t *sorted, size_t count, size_t percent)
{
    return sorted[(count * percent + 99) / 100 - 1];
}

struct durations_summary durations_summary(const struct durations *durations)
{
    struct durations_summary summary = {.count = durations->count, .sum = durations->sum};
    size_t kept = durations->count < DURATIONS_KEPT ? (size_t)durations->count : DURATIONS_KEPT;
    int64_t sorted[DURATIONS_KEPT];
    if (kept != 0) {
        memcpy(sorted, durations->last, kept * sizeof *sorted);
        qsort(sorted, kept, sizeof *sorted, by_length);
        summary.median = quantile(sorted, kept, 50);
        summary.p95 = quantile(sorted, kept, 95);
    }
    return summary;
}
