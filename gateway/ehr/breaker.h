/*
 * Whether an EHR may be called now. After a few failures in a row, or when it asked us to wait or
 * does not let us in, nothing goes until a time; then one call tries, and its outcome decides. The
 * pause doubles up to a ceiling, with jitter. Each condition is raised once and cleared once. Pure:
 * times come in as monotonic microseconds, chance as a number. Tests:
 * tests/unit/gateway/ehr/test_breaker.c.
 */
#ifndef GATEWAY_EHR_BREAKER_H
#define GATEWAY_EHR_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/ehr/ehr.h"

enum { BREAKER_FAILURES = 3 }; /* in a row, after which the EHR counts as failing */

struct breaker {
    int64_t first_us; /* the first pause */
    int64_t most_us;
    enum ehr_condition condition;
    int64_t until_us;
    unsigned failures; /* in a row */
    unsigned pauses;   /* in a row: the exponent */
    bool trial;        /* one call is trying */
};

enum breaker_gate {
    BREAKER_OPEN,  /* go */
    BREAKER_TRIAL, /* one may go: breaker_try() */
    BREAKER_WAIT,  /* another is trying; its end decides */
    BREAKER_PAUSED /* nothing goes before until_us */
};

void breaker_init(struct breaker *breaker, uint64_t first_ms, uint64_t most_ms);
enum breaker_gate breaker_gate(const struct breaker *breaker, int64_t now_us);
void breaker_try(struct breaker *breaker);

enum breaker_event {
    BREAKER_SILENT, /* we gave it up ourselves: it says nothing about the EHR */
    BREAKER_WELL,   /* an answer, whatever it says */
    BREAKER_FAILED, /* no answer, or one that says the EHR is out of order */
    BREAKER_ASKED,  /* it asked us to wait: `wait_us`, 0 when it did not say how long */
    BREAKER_LOCKED, /* it does not let us in; `wait_us` is the least pause */
};

enum breaker_change { BREAKER_SAME, BREAKER_RAISED, BREAKER_CLEARED };

/* chance: any 64 random bits. Says whether there is something to tell. */
enum breaker_change breaker_note(struct breaker *breaker, enum breaker_event event, int64_t wait_us,
                                 int64_t now_us, uint64_t chance);

/* The time that a call which failed just now should wait. */
int64_t breaker_retry_at(const struct breaker *breaker, int64_t now_us);

#endif
