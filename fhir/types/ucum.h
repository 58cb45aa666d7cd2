/*
 * UCUM units (Unified Code for Units of Measure 2.1, case sensitive): prefixes, products,
 * quotients, whole exponents, parentheses, annotations, factors, over the table of units in
 * ucum_units.def. A unit comes out as a dimension and an exact factor to base units. Not in the
 * table is not known: the caller makes that an error (ucum_diagnose), never a guess. By value; no
 * allocation.
 * Tests: tests/unit/fhir/types/test_ucum.c, fuzzed by tests/fuzzers/fuzz_quantity.c.
 */
#ifndef FHIR_TYPES_UCUM_H
#define FHIR_TYPES_UCUM_H

#include <stdbool.h>
#include <stdint.h>

#include "fhir/base/diag.h"
#include "fhir/base/slice.h"
#include "fhir/base/status.h"
#include "fhir/types/decimal.h"

/* Base units: m, s, g, K, rad, cd, C, and the arbitrary units [IU], which measure nothing but
 * themselves. mol and % are numbers, as UCUM has it. */
enum ucum_dimension {
    UCUM_LENGTH,
    UCUM_TIME,
    UCUM_MASS,
    UCUM_TEMPERATURE,
    UCUM_ANGLE,
    UCUM_LUMINOUS,
    UCUM_CHARGE,
    UCUM_ARBITRARY,
    UCUM_DIMENSIONS
};

/* numerator / denominator * 10^exponent, in lowest terms without tens. */
struct ucum_factor {
    int64_t numerator;
    int64_t denominator;
    int exponent;
};

struct ucum_unit {
    int8_t dimension[UCUM_DIMENSIONS];
    struct ucum_factor factor; /* to base units */
    struct decimal zero;       /* Cel, [degF]: this many units above their absolute zero, else 0 */
};

/* STATUS_INVALID: not UCUM, or a unit that is not in the table. STATUS_LIMIT: longer than
 * UCUM_TEXT, more than UCUM_TERMS terms, or a factor that does not fit. */
enum status ucum_parse(struct slice code, struct ucum_unit *unit_out);

enum { UCUM_TEXT = 120, UCUM_TERMS = 16, UCUM_DEPTH = 8 };

/* The same dimension: values can be converted into each other. */
bool ucum_comparable(const struct ucum_unit *a, const struct ucum_unit *b);

/* Adds why ucum_parse refused code: the part that is not known, and what it may have meant
 * ("lbs": did you mean "[lb_av]"?). */
void ucum_diagnose(struct diag_list *diags, struct span span, struct slice code);

/* What was probably meant by a code that is not known; SLICE_NONE when nothing is near. Static. */
struct slice ucum_nearest(struct slice code);

/*
 * value in `from` expressed in `to`. Exact when the result ends within the digits of a decimal,
 * else rounded as decimal_divide. Ends in zeros behind the point only within the places that value
 * had: 50 [in_i] is 127 cm, 50.0 [in_i] is 127.0 cm. STATUS_INVALID: not comparable. STATUS_LIMIT:
 * does not fit.
 */
enum status ucum_convert(struct decimal value, const struct ucum_unit *from,
                         const struct ucum_unit *to, struct decimal *value_out);

/* a in unit ua against b in unit ub, exact: -1, 0, 1. The units must be comparable. */
int ucum_compare(struct decimal a, const struct ucum_unit *ua, struct decimal b,
                 const struct ucum_unit *ub);

/* Which of two comparable units is the larger (less granular): -1, 0, 1. */
int ucum_compare_size(const struct ucum_unit *a, const struct ucum_unit *b);

/*
 * The unit of a product (quotient: divide is true), terms of the same dimension brought to the left
 * unit: cm and m give cm2 with a factor of 100 for the value. The code is written to out, without
 * units at all "1". *factor_out is what the product of the values must be multiplied with. Statuses
 * as ucum_parse; STATUS_INVALID too for Cel and [degF], which cannot be multiplied.
 */
enum status ucum_combine(struct slice a, struct slice b, bool divide, char out[UCUM_TEXT],
                         struct ucum_factor *factor_out);

/* value * factor, exact or rounded as decimal_divide; zeros behind the point as ucum_convert. */
enum status ucum_scale(struct decimal value, struct ucum_factor factor, struct decimal *out);

#endif
