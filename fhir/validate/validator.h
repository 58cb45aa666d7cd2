/* What a validator keeps; for validate.c and invariant.c. */
#ifndef FHIR_VALIDATE_VALIDATOR_H
#define FHIR_VALIDATE_VALIDATOR_H

#include "fhir/validate/validate.h"

struct path_expr;

struct validator {
    const struct model *model;
    const struct path_expr **compiled; /* by constraint; NULL: checked natively, or refused */
    struct slice *refused;             /* rendered faults of invariants that do not compile */
    size_t refused_count;
};

void invariants_compile(struct validator *validator, struct arena *arena);

#endif
