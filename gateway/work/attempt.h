/* How one try of a write went. */
#ifndef GATEWAY_WORK_ATTEMPT_H
#define GATEWAY_WORK_ATTEMPT_H

#include "gateway/work/change.h"

struct attempt {
    struct uuid change;
    unsigned number; /* from 1 */
    int64_t started;
    int64_t ended;          /* 0: under way, or cut off by a crash */
    enum row_state outcome; /* delivered, scheduled (to be tried again), unknown, or an end */
    enum reason reason;
    int http_status;     /* 0: no answer */
    struct slice detail; /* for the operator: the EHR's words without patient data */
};

#endif
