/*
 * What a new plan changes against what we wrote before: pure. The unit is the item; its wanted
 * resource is held against the base, the body as the EHR gave it back after our last write. Tests:
 * tests/unit/gateway/plan/test_plan_diff.c.
 */
#ifndef GATEWAY_PLAN_PLAN_DIFF_H
#define GATEWAY_PLAN_PLAN_DIFF_H

#include <stdbool.h>

#include "fhir/base/arena.h"
#include "fhir/json/json.h"

/*
 * Is everything that we want already in the base? What the EHR added by itself does not count
 * (meta, text, id, elements that the wanted resource never has); what we wrote once and want no
 * more does.
 */
bool plan_diff_unchanged(struct arena *arena, const struct json *wanted, const struct json *base);

/* Is a top-level element one that we write: it is wanted, or may come and go between two plans? */
bool plan_diff_is_ours(const struct json *wanted, struct slice element);

/* Did anybody change the EHR's resource since we read it back? meta and text do not count. */
bool plan_diff_touched(struct arena *arena, const struct json *base, const struct json *theirs);

/*
 * Is the resource still what a daemon proposes: a CarePlan or ServiceRequest `draft`, a Goal
 * `proposed`? Anything else was made so by a person, or by us when we withdrew it.
 */
bool plan_diff_is_draft(const struct json *theirs);

/* Nobody may build on it any more: entered-in-error, revoked, cancelled, rejected. */
bool plan_diff_is_ended(const struct json *theirs);

/* It came to its end as plans do: completed. */
bool plan_diff_is_completed(const struct json *theirs);

/* Theirs, entered in error. */
struct json *plan_diff_withdraw(struct arena *arena, const struct json *theirs);

#endif
