/* Ceilings on what a stranger can make us allocate or walk. One struct, passed where outside bytes
 * are read. */
#ifndef FHIR_BASE_LIMITS_H
#define FHIR_BASE_LIMITS_H

#include <stddef.h>

struct limits {
    size_t bytes;         /* of one document */
    size_t depth;         /* nesting of arrays, objects, elements, parentheses */
    size_t nodes;         /* values of one document */
    size_t steps;         /* node visits of one evaluation */
    size_t items;         /* items of one result collection */
    size_t text;          /* bytes of one string that an expression builds */
    unsigned diagnostics; /* kept per run; the rest are counted */
};

/* Set here, raised or lowered by settings (gateway/config) for what comes from outside. */
#define LIMITS_DEFAULT                                                                             \
    ((struct limits){.bytes = (size_t)64 << 20,                                                    \
                     .depth = 64,                                                                  \
                     .nodes = 4000000,                                                             \
                     .steps = 20000000,                                                            \
                     .items = 1000000,                                                             \
                     .text = (size_t)16 << 20,                                                     \
                     .diagnostics = 200})

#endif
