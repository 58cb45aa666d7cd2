/*
 * Is this a valid FHIR resource? Structure (unknown and misspelt elements, JSON kinds, cardinality,
 * choices, nulls and empty values), primitive formats, required bindings, references (target types;
 * within a Bundle and to contained resources), and the invariants of the specification, evaluated
 * by our FHIRPath engine. All faults are found in one run, each with its FHIR path and, when the
 * document was read from a text, its place there. What only a terminology server, another resource
 * or a profile could tell is not checked. Tests: tests/unit/fhir/validate/, tests/validate/.
 */
#ifndef FHIR_VALIDATE_VALIDATE_H
#define FHIR_VALIDATE_VALIDATE_H

#include "fhir/base/arena.h"
#include "fhir/base/diag.h"
#include "fhir/base/limits.h"
#include "fhir/base/source.h"
#include "fhir/json/json.h"
#include "fhir/model/model.h"

/* The compiled invariants of a model. Immutable: one serves a whole process, all its threads. */
struct validator;

/* Compiles each invariant once (a few milliseconds). Lives in the arena; must run inside
 * arena_run(). */
const struct validator *validator_create(struct arena *arena, const struct model *model);

/* Invariants that the engine does not take, for tests: their number, and the key and fault of one.
 * They are not checked. */
size_t validator_refused_count(const struct validator *validator);
struct slice validator_refused_at(const struct validator *validator, size_t i);

/*
 * Checks one resource (a Bundle with all that is in it). source: the text it was read from; NULL
 * for a built one, whose faults then have a path and no place. STATUS_OK: valid; warnings and
 * best-practice advice may stand in diags. STATUS_INVALID: diags has the faults. STATUS_LIMIT: too
 * deep or too costly to judge; a diagnostic tells. Scratch memory comes from the arena and stays
 * there. Must run inside arena_run().
 */
enum status validate_resource(const struct validator *validator, struct arena *arena,
                              const struct source *source, const struct json *resource,
                              const struct limits *limits, struct diag_list *diags);

#endif
