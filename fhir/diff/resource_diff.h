/*
 * Two versions of one resource -> the elements that differ, in FHIR path terms
 * ("CarePlan.activity[1].detail.status"). Pure. Numbers are compared by their exact text (70.5
 * and 70.50 differ: a rewritten value is a change), members in any order, array elements by
 * position. Tests: tests/unit/fhir/diff/test_resource_diff.c.
 */
#ifndef FHIR_DIFF_RESOURCE_DIFF_H
#define FHIR_DIFF_RESOURCE_DIFF_H

#include <stdbool.h>

#include "fhir/base/arena.h"
#include "fhir/json/json.h"

struct element_change {
    struct slice path;       /* lives in the arena */
    const struct json *from; /* NULL: the element is new */
    const struct json *to;   /* NULL: the element is gone */
};

struct resource_diff {
    struct element_change
        *changes; /* in document order of `from`, then what only `to` has; lives in the arena */
    size_t count;
    bool more; /* the ceiling was reached; `changes` holds the first ones */
};

/*
 * ignore: top-level members that do not count ("meta", "text"), `ignored` of them. ceiling: most
 * changes listed, at least 1. A resource compared with NULL differs as a whole (one change, the
 * path its type).
 */
void resource_diff(struct arena *arena, const struct json *from, const struct json *to,
                   const char *const *ignore, size_t ignored, size_t ceiling,
                   struct resource_diff *diff_out);

/* The same question answered yes or no, without listing. */
bool resource_same(struct arena *arena, const struct json *from, const struct json *to,
                   const char *const *ignore, size_t ignored);

#endif
