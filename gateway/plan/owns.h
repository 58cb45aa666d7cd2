/*
 * Who owns an element of a plan: the `owns` of its template (MAPPING: owns). A pattern is an item
 * key and an element path: "care-plan.title", "goals.*.description", "*.status" (of any item). An
 * element that is owned owns what is below it. Pure. Tests: tests/unit/gateway/plan/test_owns.c.
 */
#ifndef GATEWAY_PLAN_OWNS_H
#define GATEWAY_PLAN_OWNS_H

#include <stdbool.h>
#include <stddef.h>

#include "fhir/base/slice.h"

enum plan_owner { OWNER_NONE, OWNER_GATEWAY, OWNER_CLINICIAN };

struct plan_owns { /* patterns; borrowed */
    const struct slice *gateway;
    size_t gateway_count;
    const struct slice *clinician;
    size_t clinician_count;
};

/*
 * item: its key, "care-plan" or "goals.water"; element: path below the resource without indices,
 * "period.start". Where both lists say so, the clinician owns it. owns may be NULL.
 */
enum plan_owner plan_owns_find(const struct plan_owns *owns, struct slice item,
                               struct slice element);

/* The item part of a pattern ("care-plan", "goals.*", "*") and what follows its point. False: it
 * has not both. */
bool plan_owns_split(struct slice pattern, struct slice *item_out, struct slice *element_out);

#endif
