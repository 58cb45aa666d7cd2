/*
 * Weight and height from whatever unit text an EHR writes (lb, lbs, POUNDS, [lb_av], kgs, in,
 * inches, ...), by the one table measure_units.def. Anything else is refused, never guessed.
 * Tests: tests/unit/fhir/types/test_measure.c.
 */
#ifndef FHIR_TYPES_MEASURE_H
#define FHIR_TYPES_MEASURE_H

#include "fhir/base/diag.h"
#include "fhir/types/decimal.h"

/*
 * value in `unit`, in kilograms or centimetres: exact when it ends, else as decimal_divide.
 * STATUS_INVALID: not a unit of weight (height) that is in the table; one diagnostic
 * (measure-unit) in diags when that is not NULL.
 */
enum status measure_weight_kg(struct decimal value, struct slice unit, struct diag_list *diags,
                              struct span span, struct decimal *kilograms_out);
enum status measure_height_cm(struct decimal value, struct slice unit, struct diag_list *diags,
                              struct span span, struct decimal *centimetres_out);

/* The UCUM code that the unit text stands for ("lbs" is [lb_av]); SLICE_NONE: not in the table.
 * Static. */
struct slice measure_unit_code(struct slice unit);

#endif
