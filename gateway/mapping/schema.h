/*
 * The files of a mapping as JSON Schema (2020-12), so that YAML editors complete and check. It is
 * what the loader itself asks for: its readers are run over nodes that note how they are read, so
 * the schema cannot say something else. Tests: tests/mapping/suite_schema.mjs.
 */
#ifndef GATEWAY_MAPPING_SCHEMA_H
#define GATEWAY_MAPPING_SCHEMA_H

#include "fhir/json/json.h"
#include "fhir/model/model.h"

/* "mapping", "plan", "part", "texts", "concepts", "case"; *count_out of them. Static. */
const char *const *mapping_schema_kinds(size_t *count_out);

/* NULL: there is no such kind. Lives in the arena. */
struct json *mapping_schema(struct arena *arena, const struct model *model, struct slice kind);

#endif
