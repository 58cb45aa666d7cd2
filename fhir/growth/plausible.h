/* Implausible values and likely unit mix-ups. A value is flagged, never dropped. */
#ifndef FHIR_GROWTH_PLAUSIBLE_H
#define FHIR_GROWTH_PLAUSIBLE_H

#include "fhir/growth/growth.h"

/*
 * Adds the flags for an assessment whose scores are known. Limits: CDC's SAS programs, modified
 * z-scores from 24 months (weight -5 and 8, height -5 and 4, BMI and weight-for-stature -4 and 8,
 * head -5 and 5), z-scores below (weight -6 and 5, length -6 and 6, weight-for-length, BMI and head
 * -5 and 5). A unit mix-up is named when a value is implausible as it stands and weight, height
 * and BMI all come within 3 SD when it is read in the other unit.
 */
void growth_flag_implausible(struct growth_assessment *assessment,
                             const struct growth_input *input);

#endif
