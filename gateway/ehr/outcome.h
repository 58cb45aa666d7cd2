/*
 * From what came over the wire to the outcome of a call. One table for the status (outcomes.def),
 * one for the codes of a refusal (issues.def), and what must be true of a body. Pure. Tests:
 * tests/unit/gateway/ehr/test_outcome.c, row by row.
 */
#ifndef GATEWAY_EHR_OUTCOME_H
#define GATEWAY_EHR_OUTCOME_H

#include "gateway/ehr/ehr.h"

/* One request and what became of it. */
struct exchange {
    enum exchange_end {
        EXCHANGE_ANSWERED,
        EXCHANGE_NOT_SENT, /* no byte of the request left us */
        EXCHANGE_CUT,      /* it was sent at least in part, and no whole answer came */
        EXCHANGE_TOO_LARGE /* an answer came, larger than allowed */
    } end;
    enum ehr_fault fault; /* unless answered: connect, resolve, TLS, timeout, hang-up */
    int status;
    struct slice content_type; /* headers; SLICE_NONE when absent */
    struct slice etag;
    struct slice location;
    struct slice date;
    struct slice retry_after;
    struct slice rate_limit;
    struct slice rate_remaining;
    struct slice rate_reset;
    struct slice body;
};

/* Fills outcome, fault, http_status, detail and what was found in the body. answer->arena is set;
 * everything is made there. */
void outcome_read(const struct ehr_request *request, const struct exchange *exchange,
                  struct ehr_answer *answer);

/* By the status line alone. */
enum ehr_outcome outcome_of_status(enum ehr_verb verb, int status, enum ehr_fault *fault_out);

/* It writes: what is not certain must be looked up. */
bool verb_writes(enum ehr_verb verb);

/*
 * How long the answer asks us to wait, in milliseconds within the bounds; STATUS_ABSENT: it does
 * not say. Retry-After first, then the ratelimit headers when nothing is left.
 */
enum status outcome_wait(const struct exchange *exchange, int64_t now_us, uint64_t least_ms,
                         uint64_t most_ms, uint64_t *wait_ms_out);

/* Does this tell that the EHR is out of order (for the breaker)? */
bool outcome_is_failure(const struct exchange *exchange, const struct ehr_answer *answer);

#endif
