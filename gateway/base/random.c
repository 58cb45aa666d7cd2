#include "gateway/base/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void system_fill(void *state, void *bytes, size_t len)
{
    (void)state;
    unsigned char *at = bytes;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            fputs("eplan: the kernel gives no random bytes\n", stderr);
            abort();
        }
        at += got;
        len -= (size_t)got;
    }
}

const struct random random_system = {.fill = system_fill, .state = NULL};

uint64_t random_below(const struct random *random, uint64_t below)
{
    if (below <= 1) {
        return 0;
    }
    uint64_t unfair =
        UINT64_MAX - UINT64_MAX % below; /* values from here on favour small results */
    uint64_t value;
    do {
        random_fill(random, &value, sizeof value);
    } while (value >= unfair);
    return value % below;
}

#ifdef EPLAN_SEAMS
/* SplitMix64 (Steele, Lea, Flood 2014): one addition per call, so threads need no lock. */
static uint64_t seeded_next(struct random_seeded *seeded)
{
    uint64_t z = atomic_fetch_add(&seeded->step, UINT64_C(0x9e3779b97f4a7c15)) +
                 UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void seeded_fill(void *state, void *bytes, size_t len)
{
    unsigned char *at = bytes;
    while (len > 0) {
        uint64_t value = seeded_next(state);
        size_t part = len < sizeof value ? len : sizeof value;
        memcpy(at, &value, part);
        at += part;
        len -= part;
    }
}

struct random random_seeded_init(struct random_seeded *seeded, uint64_t seed)
{
    atomic_store(&seeded->step, seed);
    return (struct random){.fill = seeded_fill, .state = seeded};
}
#endif
