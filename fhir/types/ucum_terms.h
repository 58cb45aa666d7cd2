/* A UCUM code as its terms. Private to fhir/types. */
#ifndef FHIR_TYPES_UCUM_TERMS_H
#define FHIR_TYPES_UCUM_TERMS_H

#include "fhir/types/ucum.h"

struct ucum_term {
    struct slice text; /* the unit with its prefix, without its exponent; borrowed from the code */
    int exponent;      /* negative behind a slash */
    struct ucum_unit unit; /* of exponent 1 */
};

struct ucum_terms {
    struct ucum_term term[UCUM_TERMS];
    int count;
    struct ucum_factor number; /* the product of all whole-number factors */
    struct slice unknown;      /* where reading stopped, when it failed on a unit */
};

/* Statuses of ucum_parse; terms_out is complete on STATUS_OK only, `unknown` always. */
enum status ucum_read_terms(struct slice code, struct ucum_terms *terms_out);

#define UCUM_FACTOR_ONE ((struct ucum_factor){1, 1, 0})

/* a * b^exponent. False, *out untouched, when it does not fit. */
bool ucum_factor_multiply(struct ucum_factor a, struct ucum_factor b, int exponent,
                          struct ucum_factor *out);

bool ucum_is_number(const struct ucum_unit *unit);

/* All codes of the table, for "did you mean". */
extern const struct slice ucum_codes[];
extern const size_t ucum_code_count;

#endif
