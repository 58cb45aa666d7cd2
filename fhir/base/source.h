/* A named text and its lines, so that an offset can be told as line, column and caret. */
#ifndef FHIR_BASE_SOURCE_H
#define FHIR_BASE_SOURCE_H

#include <stdint.h>

#include "fhir/base/arena.h"
#include "fhir/base/slice.h"

struct source {
    struct slice name; /* a file's path as the user gave it, or "expression" */
    struct slice text; /* borrowed: must outlive the source */
    const struct source
        *outer;            /* where this text stands (an expression inside a file), else NULL */
    const uint32_t *map;   /* map[i]: offset in outer->text of byte i of text, text.len + 1 entries;
                              NULL without outer */
    uint32_t lines_before; /* of the file, when text is one line of it (NDJSON); else 0 */
};

/* Start and end are byte offsets into source->text, end behind the last byte; start == end points
 * between bytes. */
struct span {
    const struct source *source; /* NULL: no place is known */
    uint32_t start;
    uint32_t end;
};

#define SPAN_NONE ((struct span){NULL, 0, 0})

struct place {
    uint32_t line;     /* from 1 */
    uint32_t column;   /* from 1, in code points */
    struct slice text; /* that line without its line end; borrowed from the source */
    uint32_t width;    /* code points of the span on this line, at least 1 */
};

/* Both live in the arena. Text longer than UINT32_MAX bytes is cut. */
struct source *source_create(struct arena *arena, struct slice name, struct slice text);

/* A span of an embedded text, told in the outermost text (through escapes and folding, by the map).
 */
struct span span_outermost(struct span span);

/* Line and column by counting from the start of the text: O(n), for messages only. */
struct place span_place(struct span span);

/* From the start of a to the end of b; a.source must be b.source. */
struct span span_join(struct span a, struct span b);

struct slice span_text(struct span span);

#endif
