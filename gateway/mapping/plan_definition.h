/*
 * A mapping as FHIR R4 definitions, for interchange: one PlanDefinition (holds and the decision
 * table as actions with FHIRPath conditions, the goals of its plans), an ActivityDefinition for
 * each order, a Library with the named expressions and the facts that are asked for, and a ValueSet
 * for each set. Pure. What FHIR has no place for (texts for families, prompts, what a person makes
 * of a proposal) is not in it. Tests: tests/mapping/suite_interchange.mjs.
 */
#ifndef GATEWAY_MAPPING_PLAN_DEFINITION_H
#define GATEWAY_MAPPING_PLAN_DEFINITION_H

#include "gateway/mapping/mapping.h"

/* A Bundle of type collection. Lives in the arena. */
struct json *mapping_plan_definition(const struct mapping *mapping, struct arena *arena);

#endif
