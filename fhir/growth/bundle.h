/*
 * One child's growth data out of FHIR R4 resources: Patient, Observation, Condition (edema) and
 * CarePlan (dates for the chart). Codes: measured.def. Left out without a word: other resources,
 * observations of other things, and those entered in error or cancelled. Said as a warning and left
 * out: a measurement without a readable value, unit or date, or of another child.
 * Tests: tests/unit/fhir/growth/test_bundle.c.
 */
#ifndef FHIR_GROWTH_BUNDLE_H
#define FHIR_GROWTH_BUNDLE_H

#include "fhir/growth/record.h"
#include "fhir/json/json.h"

struct growth_bundle {
    struct growth_child child; /* today is not set: the caller knows the day */
    struct growth_measurement *measurements;
    size_t count;
    struct growth_date *plans; /* starts of care plans, ascending */
    size_t plan_count;
};

/*
 * bundle: a Bundle of any kind. source: the text it was read from, for places. STATUS_INVALID: no
 * Bundle, no Patient, or several. STATUS_LIMIT: more than GROWTH_MEASUREMENTS_MAX measurements. The
 * result lives in the arena and borrows text of the bundle.
 */
enum status growth_bundle_read(struct arena *arena, const struct json *bundle,
                               const struct source *source, struct diag_list *diags,
                               struct growth_bundle *bundle_out);

/*
 * The same out of a Patient and resources that were fetched for it, without a Bundle around them;
 * one that stands in the list twice (by type and id) is read once. They have no places: warnings
 * have none either.
 */
enum status growth_resources_read(struct arena *arena, const struct json *patient,
                                  const struct json *const *resources, size_t count,
                                  struct diag_list *diags, struct growth_bundle *bundle_out);

/* The sex that chooses a chart: the birth sex (US Core extension) when it is M or F, else
 * Patient.gender. *is_birth_sex_out: the two disagree. */
enum growth_sex growth_sex_of_patient(const struct json *patient, bool *is_birth_sex_out);

#endif
