/*
 * Diagnostics: what is wrong, where, and what to do about it. A library call adds to the list it
 * was given and returns a status; it never prints. The sentence is for the author of the text, in
 * words without a code. Tests: tests/unit/fhir/base/test_diag.c; the exact texts of all messages
 * under tests/diagnostics/.
 */
#ifndef FHIR_BASE_DIAG_H
#define FHIR_BASE_DIAG_H

#include <stdbool.h>

#include "fhir/base/arena.h"
#include "fhir/base/buf.h"
#include "fhir/base/source.h"

enum severity { SEVERITY_FATAL, SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_NOTE };

/* At which stage a fault belongs, whatever the stage at which it was found (FHIRPath suite:
 * invalid="..."). */
enum diag_kind {
    KIND_SYNTAX,
    KIND_SEMANTIC,
    KIND_EXECUTION,
    KIND_STRUCTURE,
    KIND_CONTENT,
    KIND_SYSTEM
};

enum diag_code {
#define DIAG(id, name, severity, kind, summary) DIAG_##id,
#include "fhir/base/codes.def"
#undef DIAG
    DIAG_CODE_COUNT
};

struct diag {
    enum diag_code code;
    enum severity severity;
    struct span span;      /* SPAN_NONE when the fault has no place in a text */
    struct slice path;     /* FHIR path of the element, when there is one */
    struct slice sentence; /* one sentence, no trailing newline */
    struct slice hint;     /* what to do; may be empty */
    struct diag *next;
};

struct diag_list {
    struct arena *arena; /* diagnostics live here */
    struct diag *first;  /* in the order added */
    struct diag *last;
    unsigned count;   /* kept */
    unsigned ceiling; /* beyond it they are only counted, in `dropped` */
    unsigned dropped;
    unsigned errors; /* of severity error or fatal, dropped ones too */
};

void diag_init(struct diag_list *list, struct arena *arena, unsigned ceiling);

/*
 * Adds one with the severity of its code. Returns it, so that a hint or path can be set; never NULL
 * (beyond the ceiling: a diagnostic that is in no list). Lives in list->arena.
 */
struct diag *diag_add(struct diag_list *list, enum diag_code code, struct span span,
                      const char *format, ...)
    __attribute__((format(printf, 4, 5), returns_nonnull));

void diag_hint(struct diag_list *list, struct diag *diag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Sets the hint `did you mean "x"?` when a candidate is near enough to word; else leaves it. */
void diag_hint_nearest(struct diag_list *list, struct diag *diag, struct slice word,
                       const struct slice *candidates, size_t count);

/* Stable by place: by source as first met, then by start. For lists whose finders run in another
 * order. */
void diag_sort(struct diag_list *list);

const char *diag_code_name(enum diag_code code);    /* "json-duplicate-key" */
const char *diag_code_summary(enum diag_code code); /* one line for the reference page */
enum diag_kind diag_code_kind(enum diag_code code);
enum severity diag_code_severity(enum diag_code code);
const char *diag_kind_name(enum diag_kind kind);        /* "syntax" */
const char *diag_severity_name(enum severity severity); /* "error" */

/*
 * The text a person reads:
 *   NAME:LINE:COLUMN: error: SENTENCE [code]
 *     the line
 *         ^~~~
 *     hint: HINT
 */
void diag_render(const struct diag *diag, struct buf *out);
void diag_render_all(const struct diag_list *list, struct buf *out);

#endif
