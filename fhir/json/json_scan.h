/*
 * The strict scan that runs before the JSON library parses: it refuses what the library would
 * accept or mend, and records where each value starts and each number's exact text, in document
 * order.
 */
#ifndef FHIR_JSON_JSON_SCAN_H
#define FHIR_JSON_JSON_SCAN_H

#include "fhir/base/arena.h"
#include "fhir/base/diag.h"
#include "fhir/base/limits.h"

struct json_scan {
    uint32_t *starts;  /* of each value, in document order (a parent before its children) */
    uint32_t *lengths; /* of each value that is a number, else 0 */
    size_t count;
};

/* Arrays live in the arena. Errors as json_parse tells them. */
enum status json_scan(struct arena *arena, const struct source *source, const struct limits *limits,
                      struct diag_list *diags, struct json_scan *scan_out);

#endif
