/*
 * Growth assessment: one child, one set of measurements, every number and what to say beside it.
 * From 24 months to the 20th birthday CDC 2000, with CDC's 2022 extended BMI above P95; below 24
 * months WHO 2006. Sources, exactness and limits: README.md. Why each definition is as it is:
 * gateway/decisions/adr-2611-growth-definitions.md. Pure: no allocation, no clock; NAN is "not
 * known" on the way in and "there is none" on the way out. Tests: tests/unit/fhir/growth/,
 * tests/growth/.
 */
#ifndef FHIR_GROWTH_GROWTH_H
#define FHIR_GROWTH_GROWTH_H

#include <stdbool.h>

#include "fhir/growth/age.h"
#include "fhir/growth/category.h"
#include "fhir/growth/flags.h"
#include "fhir/growth/lms.h"
#include "fhir/growth/reference.h"

/* CDC's ceiling of the extended BMI z-score. */
#define GROWTH_Z_CEILING 8.21

/* How the height was taken. BY_AGE: recumbent below 24 months, standing from then on. */
enum growth_position { GROWTH_POSITION_BY_AGE, GROWTH_RECUMBENT, GROWTH_STANDING };

struct growth_input {
    enum growth_sex sex;
    struct growth_age age; /* chronological */
    double weight_kg;
    double height_cm;
    enum growth_position position;
    double bmi;               /* kg/m2; when given it is used, as CDC's program does */
    double head_cm;           /* circumference */
    double gestational_weeks; /* completed weeks at birth, 36.9 is preterm, 37 is not */
    bool edema;
};

/* All NAN. */
struct growth_input growth_input_none(void);

/* Which publisher's charts the age calls for. NONE: from 240 months on, before birth, or unknown.
 */
enum growth_chart { GROWTH_CHART_NONE, GROWTH_CHART_WHO, GROWTH_CHART_CDC };

const char *growth_chart_name(enum growth_chart chart); /* "none", "WHO", "CDC" */

struct growth_score {
    double z;
    double percentile; /* 0 to 100 */
    double modified_z; /* CDC charts only */
};

struct growth_assessment {
    struct growth_age age; /* chronological */
    double corrected_days; /* NAN when not corrected */
    enum growth_chart chart;
    double height_cm; /* as the chart measures: length (WHO), stature (CDC) */
    double bmi;
    struct growth_score bmi_for_age; /* extended above P95 (CDC) */
    struct growth_score weight_for_age;
    struct growth_score height_for_age;     /* length-for-age below 24 months */
    struct growth_score weight_for_length;  /* WHO, below 24 months */
    struct growth_score weight_for_stature; /* CDC, from 24 months, 77 to 121.5 cm */
    struct growth_score head_for_age;       /* WHO below 24 months, CDC to 36 months */
    double bmi_z_lms;                       /* CDC 2000 without the extension */
    double bmi_percentile_lms;
    struct lms bmi_lms; /* as interpolated; NAN members when there is none */
    double bmi_p50;
    double bmi_p95;
    double bmi_sigma; /* of the half-normal tail, CDC 2022 */
    double percent_of_p95;
    enum growth_category category;
    const char *z68; /* ICD-10-CM; static, "" when there is none */
    const char *e66; /* a suggestion that a clinician confirms */
    growth_flags flags;
};

/* Every member of *assessment_out is written. */
void growth_assess(const struct growth_input *input, struct growth_assessment *assessment_out);

/*
 * CDC BMI-for-age at an age in months (24 to below 240): what the chart and the assessment draw on.
 * bmi_p95: *sigma_out is the scale of the half-normal distribution above it. NAN outside.
 */
double growth_bmi_p95(enum growth_sex sex, double months, double *sigma_out);

/* The BMI at an extended percentile (0 < percentile < 100) and age in months; NAN outside. */
double growth_bmi_at(enum growth_sex sex, double months, double percentile);

/* The BMI whose extended z-score is z (below GROWTH_Z_CEILING); NAN outside. */
double growth_bmi_of_z(enum growth_sex sex, double months, double z);

#endif
