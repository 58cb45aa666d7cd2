/* An evaluation: one visit of one patient on its way from "due" to its end. */
#ifndef GATEWAY_WORK_EVALUATION_H
#define GATEWAY_WORK_EVALUATION_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/work/message.h"

struct evaluation {
    struct uuid id;
    struct slice ehr;
    struct slice patient;
    struct slice visit;
    enum work_state state;
    enum reason reason;
    struct slice detail; /* neutral: a rule's id, never a value of the patient */
    int64_t first;       /* when the first message of it came in */
    int64_t due;         /* not before this time */
    int64_t at;          /* the evaluation time: when it was queued last; used by replay */
    unsigned tries;      /* claims so far, this one included */
    uint64_t fence;      /* of this claim; 0: not claimed */
    int64_t lease_until;
    struct uuid
        replaced_by; /* a later evaluation of the same visit that has ended; UUID_NONE: none */
    struct slice
        mapping; /* name, version and content hash of the mapping that planned it; may be empty */
    struct slice mapping_version;
    struct slice mapping_hash;
    int64_t ended; /* 0: not yet */
};

/* A claimed evaluation with what it needs. Payloads of messages are read one by one
 * (store_read_message). */
struct evaluation_claim {
    struct evaluation evaluation;
    const struct message *messages; /* the first 1000, in the order received, without payload */
    size_t message_count;
    struct slice facts; /* as saved by an earlier claim; empty: none yet */
};

#endif
