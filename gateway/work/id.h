/* A UUID by value: the store's own ids (version 7, in order of making) and identifiers of what we
 * write (version 5). */
#ifndef GATEWAY_WORK_ID_H
#define GATEWAY_WORK_ID_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "fhir/base/slice.h"

struct id {
    uint8_t bytes[16];
};

#define ID_NONE ((struct id){{0}})

enum { ID_TEXT = 37 }; /* with the NUL */

static inline bool id_equal(struct id a, struct id b)
{
    return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

static inline bool id_is_none(struct id id)
{
    return id_equal(id, ID_NONE);
}

/* Lower case, with hyphens: "018f3c2e-....". Returns text_out. */
const char *id_write(struct id id, char text_out[ID_TEXT]);

/* 36 characters, either case. False, *id_out untouched, when it is no UUID. */
bool id_read(struct slice text, struct id *id_out);

#endif
