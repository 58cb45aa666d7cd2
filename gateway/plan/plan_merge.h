/*
 * Three-way merge of one resource: pure. Base is the body as the EHR gave it back after our last
 * write, theirs what it holds now, ours what the mapping wants now; `wanted` is what it wanted when
 * base was written. The element is the unit: an element of the resource or of one of its backbone
 * elements, whole; a datatype (period, code, quantity) is never mixed of two.
 *
 *   ours same as wanted        theirs stays, whoever made it: not proposed again
 *   only ours changed          ours
 *   both changed               theirs, a conflict; ours where the template says that the gateway
 *                              owns the element
 *   owned by the clinician     theirs
 *
 * List items are matched by identifier or element id, else by reference or code, else by whole
 * equality; a list in which that is not possible (some items have a key and some none, or two have
 * the same) is one element. meta, id, extensions that the EHR added and text are not compared; text
 * is rendered anew from the merged resource unless it is no longer the one that we wrote.
 * Tests: tests/unit/gateway/plan/test_plan_merge.c; fuzzed by tests/fuzzers/fuzz_merge.c.
 */
#ifndef GATEWAY_PLAN_PLAN_MERGE_H
#define GATEWAY_PLAN_PLAN_MERGE_H

#include <stdbool.h>

#include "fhir/base/arena.h"
#include "fhir/json/json.h"
#include "fhir/model/model.h"
#include "gateway/plan/owns.h"

struct plan_sides {
    const struct json *wanted; /* NULL: not known; plan_merge_assume() then tells it from base */
    const struct json *base;
    const struct json *theirs;
    const struct json *ours;
};

enum { PLAN_MERGE_PATHS = 64, PLAN_MERGE_CONFLICTS_MOST = 3 };

struct plan_paths {
    struct slice at[PLAN_MERGE_PATHS]; /* "title", "activity.detail"; each once */
    size_t count;                      /* further ones are not listed */
};

struct plan_merge {
    struct json *merged;
    struct plan_paths kept;    /* a person's: they differ from what we want, and stay */
    struct plan_paths changed; /* ours: they differ from what the EHR holds */
    size_t conflicts;          /* elements of `kept` that both sides changed */
    bool unchanged;            /* merged is theirs: there is nothing to write */
};

/*
 * The four are objects of one resource type and stay unchanged; owns may be NULL. item: the key of
 * the item ("goals.water"). Everything lives in the arena.
 */
void plan_merge(struct arena *arena, const struct model *model, const struct plan_sides *sides,
                const struct plan_owns *owns, struct slice item, struct plan_merge *merge_out);

/* What we wanted, for an item of which it was not kept: the elements of base that we write. */
struct json *plan_merge_assume(struct arena *arena, const struct json *base,
                               const struct json *ours);

/* "title, activity.detail": element names alone, for people. Lives in the arena. */
struct slice plan_paths_text(struct arena *arena, const struct plan_paths *paths);

#endif
