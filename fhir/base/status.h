/* How a call ended. The detail goes to the diagnostics list that was passed in; there is no last
 * error anywhere. */
#ifndef FHIR_BASE_STATUS_H
#define FHIR_BASE_STATUS_H

#include <stdbool.h>

enum status {
    STATUS_OK = 0,
    STATUS_ABSENT,    /* what was looked for is not there; nothing is wrong */
    STATUS_INVALID,   /* the input is wrong; a diagnostic says where and why */
    STATUS_LIMIT,     /* a ceiling was reached (bytes, depth, steps, items) */
    STATUS_AGAIN,     /* not now; the same call may succeed later */
    STATUS_REFUSED,   /* understood, and not allowed */
    STATUS_IO,        /* the outside world failed (file, socket, database) */
    STATUS_NO_MEMORY, /* the allocator gave nothing */
};

/* What failed has nothing to do with what was asked: the same may succeed later. */
static inline bool status_may_pass(enum status status)
{
    return status == STATUS_AGAIN || status == STATUS_IO || status == STATUS_NO_MEMORY;
}

/* A short English word for logs; never NULL, static. */
const char *status_name(enum status status);

#endif
