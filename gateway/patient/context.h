/*
 * Patient context: the Patient and the facts that a mapping declares for one visit, fetched from
 * the EHR, with their versions. A fact that could not be fetched is told so, and never looks
 * absent. The context is stored before it is evaluated, so that an evaluation can be repeated on
 * the same facts: context_write and context_read are that form. Tests:
 * tests/unit/gateway/patient/test_context.c, the scenario suites.
 */
#ifndef GATEWAY_PATIENT_CONTEXT_H
#define GATEWAY_PATIENT_CONTEXT_H

#include <stdbool.h>

#include "fhir/base/arena.h"
#include "fhir/base/diag.h"
#include "fhir/json/json.h"
#include "gateway/ehr/ehr.h"

/* What is to be fetched beside the Patient. */
struct context_request {
    struct slice name;
    struct slice
        query; /* "Condition?patient=7", or "Encounter/9" for a read; empty: known to be absent */
    bool read;
};

struct context_fact {
    struct slice name;
    struct slice query; /* as it was asked for; an empty one was known to be absent */
    bool failed;
    const struct json *resources; /* array; NULL when it failed */
};

struct context {
    const struct json *patient;
    struct slice date; /* of the visit, "2024-05-14": the caller's, for whoever evaluates again */
    const struct context_fact *facts;
    size_t count;
};

enum context_end {
    CONTEXT_COMPLETE,
    CONTEXT_NO_PATIENT, /* the EHR has no such Patient */
    CONTEXT_AGAIN,      /* something could not be fetched now: again, not before not_before */
    CONTEXT_FAILED, /* something will not be fetched by trying again: those facts are `failed` */
};

struct context_result {
    enum context_end end;
    struct context context; /* COMPLETE; FAILED: no Patient when nothing was kept; lives in arena */
    int64_t not_before;
    struct slice detail; /* for the operator, no patient data; borrowed until done returns */
    struct arena *arena; /* the caller destroys it */
};

struct context_fetch {
    struct ehr *ehr;
    struct slice patient; /* id; borrowed until done */
    /*
     * Called once the Patient is read, on a pool thread: fills in what else is wanted (in the
     * arena). STATUS_INVALID ends the fetch as CONTEXT_FAILED with the detail "mapping".
     */
    enum status (*requests)(void *arg, struct arena *arena, const struct json *patient,
                            const struct context_request **requests_out, size_t *count_out);
    /* Called once, on a pool thread (at shutdown: on the thread that stops). Takes the result's
     * arena. */
    void (*done)(void *arg, struct context_result *result);
    void *arg;
};

/* STATUS_OK: done will be called. Others as ehr_call: nothing was begun. */
enum status context_fetch(const struct context_fetch *spec);

/* ---- the stored form ---- */

/* JSON text: {"date", "patient", "facts": [{"name", "query", "resources"}]}, without `resources`
 * where the fetch failed. Lives in the arena. */
struct slice context_write(struct arena *arena, const struct context *context);

/*
 * STATUS_INVALID: the bytes are no stored context. All lives in the arena, which borrows `text`.
 * What was stored before queries and date were kept has none: date is empty.
 */
enum status context_read(struct arena *arena, struct slice text, struct context *context_out);

#endif
