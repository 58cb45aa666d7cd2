/*
 * %growth.* for expressions: fhir/growth/fields.def is the one list of names and types, of what
 * loading knows and of what evaluating publishes. For the files of this folder only.
 */
#ifndef GATEWAY_MAPPING_GROWTH_FIELDS_H
#define GATEWAY_MAPPING_GROWTH_FIELDS_H

#include "fhir/growth/fields.h"
#include "fhir/path/path.h"

struct slice growth_variable_name(enum growth_field field); /* "growth.bmi"; static */
enum path_kind growth_variable_kind(enum growth_field field);
bool growth_variable_is_many(enum growth_field field);

/* Its value at one visit; empty when there is none. Lives in the arena. */
struct path_items growth_variable_items(struct arena *arena, const struct growth_child *child,
                                        const struct growth_visit *visit, enum growth_field field);

#endif
