/*
 * What a person's decision makes of a resource: pure. A decision is {"set": elements to set,
 * "drop": references that leave CarePlan.goal, "text": the text for what is left}; each member may
 * be missing. Everything else of the resource stays as it is in the EHR. Tests:
 * tests/unit/gateway/plan/test_plan_accept.c.
 */
#ifndef GATEWAY_PLAN_PLAN_ACCEPT_H
#define GATEWAY_PLAN_PLAN_ACCEPT_H

#include <stdbool.h>

#include "fhir/base/arena.h"
#include "fhir/json/json.h"

/* A decision of which references are Reference objects; set, drop and text may be NULL. Takes them.
 */
struct json *plan_decision(struct arena *arena, struct json *set, struct json *drop,
                           struct json *text);

/* base: as we last read it back, or NULL; the text is told anew while it is that one's. Lives in
 * the arena. */
struct json *plan_decide(struct arena *arena, const struct json *decision, const struct json *base,
                         const struct json *theirs);

/* Is all that the decision sets in the resource already? */
bool plan_is_decided(const struct json *decision, const struct json *theirs);

#endif
