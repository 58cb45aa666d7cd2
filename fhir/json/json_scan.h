/*
 * The strict scan that runs before the JSON library parses: it refuses what the library would
 * accept or mend, and records where each value starts and each number's exact text, in document
 * order.
 */
#ifndef FHIR_JSON_JSON_SCAN_H
#define FHIR_JSON_JSON_SCAN_H

#include <stdbool.h>

#include "fhir/base/arena.h"
#include "fhir/base/diag.h"
#include "fhir/base/limits.h"

/* The library itself stops at 1000; a document of this depth is no resource. */
enum { JSON_DEPTH_MOST = 512 };

struct json_scan_value {
    uint32_t start;   /* offset of its first byte */
    uint32_t text;    /* bytes of a string's text, escapes resolved, or of a number; else 0 */
    uint32_t name;    /* bytes of its name, escapes resolved; 0 for what is no member */
    uint32_t name_at; /* offset of the name's first byte, behind the quote */
    bool is_number;
    bool is_plain;      /* a string without escapes: its text stands at start + 1 */
    bool name_is_plain; /* likewise; false for what is no member */
};

struct json_scan {
    struct json_scan_value *values; /* in document order: a parent before its children */
    size_t count;
};

/* The array lives in the arena. Errors as json_parse tells them. */
enum status json_scan(struct arena *arena, const struct source *source, const struct limits *limits,
                      struct diag_list *diags, struct json_scan *scan_out);

#endif
