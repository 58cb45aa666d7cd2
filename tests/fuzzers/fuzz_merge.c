// uses: gateway/plan fhir/diff fhir/model fhir/json
/*
 * Four lines of JSON (wanted, base, theirs, ours) through the three-way merge. It ends; merging
 * against an untouched base gives ours, wanting nothing new gives theirs; merging again changes
 * nothing; an element outside of lists that a person changed is never in the merged resource
 * otherwise than they left it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "fhir/diff/resource_diff.h"
#include "gateway/plan/merge_steps.h"
#include "gateway/plan/plan_merge.h"

enum { SIDES = 4 };

struct attempt {
    struct arena *arena;
    struct slice text;
};

static void require(bool true_statement, const char *what)
{
    if (!true_statement) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

static const struct json *read_text(struct arena *arena, struct slice text)
{
    struct limits limits = LIMITS_DEFAULT;
    limits.bytes = 65536;
    limits.nodes = 2000;
    struct diag_list diags;
    diag_init(&diags, arena, 1);
    const struct json *json = NULL;
    return json_parse(arena, source_create(arena, SLICE("input"), text), &limits, &diags, &json) ==
                       STATUS_OK &&
                   json_is(json, JSON_OBJECT)
               ? json
               : NULL;
}

static struct plan_merge merge_of(struct arena *arena, const struct json *wanted,
                                  const struct json *base, const struct json *theirs,
                                  const struct json *ours)
{
    const struct plan_sides sides = {wanted, base, theirs, ours};
    struct plan_merge merge;
    plan_merge(arena, model_r4(), &sides, NULL, SLICE("care-plan"), &merge);
    require(merge.kept.count <= PLAN_MERGE_PATHS, "paths have a ceiling");
    return merge;
}

static bool is_compared(struct slice name)
{
    return !slice_is(name, "meta") && !slice_is(name, "text") && !slice_is(name, "id") &&
           !slice_is(name, "resourceType") && !slice_is(name, "extension") &&
           !(name.len != 0 && name.at[0] == '_');
}

/* Whatever is compared is alike; the rest is the EHR's. */
static bool is_like(const struct json *a, const struct json *b)
{
    for (const struct json *it = json_first(a); it != NULL; it = json_next(it)) {
        if (is_compared(json_name(it)) && !merge_alike(it, json_member(b, json_name(it)))) {
            return false;
        }
    }
    for (const struct json *it = json_first(b); it != NULL; it = json_next(it)) {
        if (is_compared(json_name(it)) && !merge_alike(json_member(a, json_name(it)), it)) {
            return false;
        }
    }
    return true;
}

static void check_edits(const struct json *base, const struct json *theirs,
                        const struct json *merged)
{
    for (const struct json *it = json_first(theirs); it != NULL; it = json_next(it)) {
        if (is_compared(json_name(it)) && json_kind(it) != JSON_ARRAY &&
            json_kind(it) != JSON_OBJECT && !merge_same(it, json_member(base, json_name(it)))) {
            require(merge_same(json_member(merged, json_name(it)), it), "no edit is lost");
        }
    }
}

static enum status attempt_run(void *arg)
{
    struct attempt *attempt = arg;
    struct arena *arena = attempt->arena;
    struct slice rest = attempt->text;
    const struct json *side[SIDES];
    for (size_t i = 0; i < SIDES; i++) {
        struct slice line = SLICE_NONE;
        slice_cut(&rest, '\n', &line);
        side[i] = read_text(arena, line);
        if (side[i] == NULL || !slice_equal(json_get_text(side[i], "resourceType"),
                                            json_get_text(side[0], "resourceType"))) {
            return STATUS_OK;
        }
    }
    const struct json *wanted = side[0];
    const struct json *base = side[1];
    const struct json *theirs = side[2];
    const struct json *ours = side[3];
    require(is_like(merge_of(arena, base, base, base, ours).merged, ours),
            "what nobody touched becomes ours");
    require(merge_of(arena, base, base, theirs, base).unchanged, "wanting nothing new, theirs");
    struct plan_merge once = merge_of(arena, wanted, base, theirs, ours);
    check_edits(base, theirs, once.merged);
    require(merge_of(arena, wanted, base, once.merged, ours).unchanged, "once is enough");
    require(merge_of(arena, ours, once.merged, once.merged, ours).unchanged,
            "nothing is proposed again");
    merge_of(arena, NULL, base, theirs, ours);
    return STATUS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_library_init();
    struct attempt attempt = {.arena = arena_create(0),
                              .text = slice_from((const char *)data, size)};
    if (attempt.arena != NULL) {
        arena_run(attempt.arena, attempt_run, &attempt);
    }
    arena_destroy(&attempt.arena);
    return 0;
}
