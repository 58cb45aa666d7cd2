/*
 * Weight status categories. Below 24 months by WHO weight-for-length (2.3rd and 97.7th percentile,
 * that is -2 and 2 SD: AAP and CDC for WHO charts); from 24 months to 20 years by CDC BMI-for-age
 * percentile, percent of P95 and BMI (AAP 2023). Cuts are met unrounded, and an exact cut belongs
 * to the higher band.
 *
 * Class, Z68 and E66 are three outputs, not one: the AAP class also looks at the absolute BMI, the
 * ICD-10-CM codes Z68.54 to Z68.56 only at percent of P95, and E66 is a diagnosis that a clinician
 * confirms. The codes are those of ICD-10-CM from 2024-10-01.
 */
#ifndef FHIR_GROWTH_CATEGORY_H
#define FHIR_GROWTH_CATEGORY_H

enum growth_category {
#define CATEGORY(id, name, z68, e66) GROWTH_CATEGORY_##id,
#include "fhir/growth/categories.def"
#undef CATEGORY
    GROWTH_CATEGORY_COUNT
};

/* From WHO weight-for-length z; NONE for NAN. */
enum growth_category growth_category_of_length(double wfl_z);

/* From 24 months. percentile: of BMI-for-age (extended), 0 to 100; percent_of_p95: 100 * BMI / P95;
 * bmi in kg/m2. NONE when percentile is NAN. */
enum growth_category growth_category_of_bmi(double percentile, double percent_of_p95, double bmi);

/* The band that a percentile alone shows, as an EHR tells it: UNDERWEIGHT, HEALTHY, OVERWEIGHT, or
 * OBESITY_CLASS_1 for any class. NONE for NAN. */
enum growth_category growth_category_of_percentile(double percentile);

/* Static, "" for none. */
const char *growth_category_name(enum growth_category category);
const char *growth_category_e66(enum growth_category category);
const char *growth_category_z68(enum growth_category category, double percent_of_p95);

#endif
