/* A set of texts in an arena, to know what was met before. Grows; texts are borrowed. Tests:
 * tests/unit/gateway/ehr/test_seen.c. */
#ifndef GATEWAY_EHR_SEEN_H
#define GATEWAY_EHR_SEEN_H

#include <stdbool.h>

#include "fhir/base/arena.h"
#include "fhir/base/slice.h"

struct seen {
    struct arena *arena;
    struct seen_place {
        struct slice text; /* at NULL: free */
        size_t number;
    } * places;
    size_t room; /* a power of two */
    size_t count;
};

void seen_init(struct seen *seen, struct arena *arena);

/* The number of the text, from 0 in the order first met. True: it is new. `text.at` is not NULL and
 * outlives the set. */
bool seen_add(struct seen *seen, struct slice text, size_t *number_out);

#endif
