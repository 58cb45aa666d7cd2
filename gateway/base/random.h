/*
 * Random bytes as a parameter: the kernel's in the daemon, a seeded sequence in tests. Safe from
 * any thread. Tests: tests/unit/gateway/base/test_random.c.
 */
#ifndef GATEWAY_BASE_RANDOM_H
#define GATEWAY_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random {
    void (*fill)(void *state, void *bytes, size_t len);
    void *state; /* borrowed */
};

/* The kernel's, fit for keys. A kernel that gives none ends the process: nothing here may go on
 * with guessable bytes. */
extern const struct random random_system;

static inline void random_fill(const struct random *random, void *bytes, size_t len)
{
    random->fill(random->state, bytes, len);
}

/* Evenly from 0 to below - 1; 0 when below is 0 or 1. */
uint64_t random_below(const struct random *random, uint64_t below);

#ifdef EPLAN_SEAMS
#include <stdatomic.h>

/* The same seed gives the same bytes, in the order of the calls. Test builds only. */
struct random_seeded {
    _Atomic uint64_t step;
};

/* Reads *seeded, which must outlive it. */
struct random random_seeded_init(struct random_seeded *seeded, uint64_t seed);
#endif

#endif
