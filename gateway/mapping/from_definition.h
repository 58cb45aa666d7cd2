/*
 * The way back from plan_definition.h: a Bundle of FHIR R4 definitions becomes the files of a
 * mapping's folder. What maps: one PlanDefinition (actions with FHIRPath conditions as holds and
 * rows, goals), ActivityDefinitions of ServiceRequests as orders, the FHIRPath and the data
 * requirements of Libraries as named expressions and facts, ValueSets that list their codes. All
 * else is told by its FHIR path, for a person to decide on. Nothing is guessed that FHIR does not
 * say: for which visits, texts for families and cases are for a person, and `eplan check` names
 * them. Pure. Tests: tests/mapping/suite_import.mjs.
 */
#ifndef GATEWAY_MAPPING_FROM_DEFINITION_H
#define GATEWAY_MAPPING_FROM_DEFINITION_H

#include "fhir/json/json.h"

struct imported_file {
    struct imported_file *next;
    struct slice path; /* below the folder: letters, digits, -, . and / of ours alone */
    struct slice text;
};

struct left_out {
    struct left_out *next;
    struct slice path; /* FHIRPath from the Bundle: "Bundle.entry[0].resource.action[2].trigger" */
    const char *why;
};

struct imported {
    struct slice name; /* of the mapping: lower-case letters, digits and hyphens */
    struct imported_file *files;
    struct left_out *left;
};

/* STATUS_INVALID: it is no such Bundle, or nothing in it maps; *fault_out says which. All lives in
 * the arena. */
enum status mapping_from_definition(struct arena *arena, const struct json *bundle,
                                    struct imported *imported_out, const char **fault_out);

#endif
