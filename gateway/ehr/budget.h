/*
 * How much an EHR is asked to bear, and whose turn it is. Pure: times come in as monotonic
 * microseconds. Within any 60 seconds no more requests are let go than the budget says; a quarter
 * of them may go at once, the rest evenly (the virtual scheduling form of GCRA, ITU-T I.371). Turns
 * are fair by lane (start-time fair queueing): a lane that asks for much waits behind itself, not
 * before others. Tests: tests/unit/gateway/ehr/test_budget.c.
 */
#ifndef GATEWAY_EHR_BUDGET_H
#define GATEWAY_EHR_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "fhir/base/slice.h"

struct rate {
    int64_t interval_us;
    int64_t tolerance_us;
    int64_t due_us; /* when the next would be due if all had come evenly */
};

struct budget {
    struct rate all;
    struct rate writes;
    uint64_t parallel;
    uint64_t under_way;
    struct rate catch_up;
    bool catching_up;
};

/* All at least 1. */
void budget_init(struct budget *budget, uint64_t per_minute, uint64_t writes_per_minute,
                 uint64_t parallel);

/* True: a request may go now, and is counted; budget_done() when it ended. False: not before
 * *wait_until_us_out; INT64_MAX: when another has ended. */
bool budget_take(struct budget *budget, bool is_write, int64_t now_us, int64_t *wait_until_us_out);
void budget_done(struct budget *budget);

/*
 * After an outage: no more than per_minute (at least 1) within any 60 seconds, evenly and none at
 * once, until what comes has fallen below that rate: then what had piled up is drained, and the
 * budget alone holds again. The budget holds all the while.
 */
void budget_catch_up(struct budget *budget, uint64_t per_minute, int64_t now_us);

enum { LANES = 256 };

struct lanes {
    uint64_t now; /* the turn that was given last */
    uint64_t last[LANES];
};

/* The turn of the next request of this lane: lower comes first. Lanes that fall together by their
 * hash share their turns. Zeroed struct to begin with. */
uint64_t lanes_turn(struct lanes *lanes, struct slice lane);
/* The request of that turn goes. */
void lanes_go(struct lanes *lanes, uint64_t turn);

#endif
