/*
 * The reference charts (references.def) and reading a point of one. Tables are the publishers'
 * numbers, unrounded (table_*.inc); between rows L, M and S are linear, as CDC and WHO do it. WHO
 * 2006 by age has a row a day: round the age first (growth_whole_days). Pure, static tables.
 */
#ifndef FHIR_GROWTH_REFERENCE_H
#define FHIR_GROWTH_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "fhir/base/slice.h"
#include "fhir/growth/lms.h"

enum growth_reference {
#define REFERENCE(id, name, table, rule, first, last, position) REFERENCE_##id,
#include "fhir/growth/references.def"
#undef REFERENCE
    REFERENCE_COUNT
};

enum reference_position {
    REFERENCE_AGE_MONTHS, /* days / 30.4375 */
    REFERENCE_AGE_DAYS,
    REFERENCE_LENGTH_CM
};

/* Charts are by sex; what is not one of the two has no chart. */
enum growth_sex { GROWTH_SEX_UNKNOWN, GROWTH_MALE, GROWTH_FEMALE };

struct lms_row {
    double at;
    double l;
    double m;
    double s;
};

struct reference {
    const char *name;
    const struct lms_row *rows[2]; /* male, female */
    size_t count;
    double first;
    double last;
    enum lms_rule rule;
    enum reference_position position;
};

/* Static. */
const struct reference *reference_get(enum growth_reference id);

/* The reference of that name. False: there is none. */
bool reference_find(struct slice name, enum growth_reference *id_out);

/* False, and *lms_out untouched: sex unknown, or `at` outside [first, last] or NAN. */
bool reference_lms(enum growth_reference id, enum growth_sex sex, double at, struct lms *lms_out);

/* z of a value (kg, cm, kg/m2) at a position; NAN when reference_lms has none or value is below
 * 0. */
double reference_z(enum growth_reference id, enum growth_sex sex, double at, double value);

/* The value at z; NAN as above. Percentile curves: reference_value(..., normal_quantile(p)). */
double reference_value(enum growth_reference id, enum growth_sex sex, double at, double z);

#endif
