#include "fhir/growth/reference.h"

#include <math.h>

#include "fhir/growth/table_cdc2000_bmi_for_age.inc"
#include "fhir/growth/table_cdc2000_head_for_age.inc"
#include "fhir/growth/table_cdc2000_length_for_age.inc"
#include "fhir/growth/table_cdc2000_stature_for_age.inc"
#include "fhir/growth/table_cdc2000_weight_for_age.inc"
#include "fhir/growth/table_cdc2000_weight_for_age_infant.inc"
#include "fhir/growth/table_cdc2000_weight_for_age_sas.inc"
#include "fhir/growth/table_cdc2000_weight_for_length.inc"
#include "fhir/growth/table_cdc2000_weight_for_stature.inc"
#include "fhir/growth/table_who2006_bmi_for_age.inc"
#include "fhir/growth/table_who2006_head_for_age.inc"
#include "fhir/growth/table_who2006_length_for_age.inc"
#include "fhir/growth/table_who2006_weight_for_age.inc"
#include "fhir/growth/table_who2006_weight_for_height.inc"
#include "fhir/growth/table_who2006_weight_for_length.inc"
#include "fhir/growth/table_who2007_bmi_for_age.inc"
#include "fhir/growth/table_who2007_height_for_age.inc"
#include "fhir/growth/table_who2007_weight_for_age.inc"

#define ROWS(table) (sizeof table##_male / sizeof *table##_male)

static const struct reference references[] = {
#define REFERENCE(id, name, table, rule, first, last, position)                                    \
    {name, {table##_male, table##_female}, ROWS(table), first, last, rule, REFERENCE_##position},
#include "fhir/growth/references.def"
#undef REFERENCE
};

#define REFERENCE(id, name, table, rule, first, last, position)                                    \
    _Static_assert(sizeof table##_male == sizeof table##_female, name ": as many rows by sex");
#include "fhir/growth/references.def"
#undef REFERENCE

const struct reference *reference_get(enum growth_reference id)
{
    return &references[id];
}

bool reference_find(struct slice name, enum growth_reference *id_out)
{
    for (size_t i = 0; i < REFERENCE_COUNT; i++) {
        if (slice_is(name, references[i].name)) {
            *id_out = (enum growth_reference)i;
            return true;
        }
    }
    return false;
}

/* The last row at or before `at`, never the very last one. Rows are one step apart but for the
 * first and last few, so the guess is off by one at most, and the walk makes it certain. */
static size_t row_before(const struct reference *reference, const struct lms_row *rows, double at)
{
    size_t last = reference->count - 2;
    double step = (rows[last + 1].at - rows[0].at) / (double)(last + 1);
    double guess = (at - rows[0].at) / step;
    size_t i = guess < (double)last ? (size_t)guess : last;
    while (i < last && rows[i + 1].at <= at) {
        i++;
    }
    while (i > 0 && rows[i].at > at) {
        i--;
    }
    return i;
}

bool reference_lms(enum growth_reference id, enum growth_sex sex, double at, struct lms *lms_out)
{
    const struct reference *reference = &references[id];
    if (sex == GROWTH_SEX_UNKNOWN || !(at >= reference->first && at <= reference->last)) {
        return false;
    }
    const struct lms_row *rows = reference->rows[sex == GROWTH_FEMALE];
    const struct lms_row *a = &rows[row_before(reference, rows, at)];
    if (at == a->at) { /* a row as published, not to be touched by rounding */
        *lms_out = (struct lms){a->l, a->m, a->s};
        return true;
    }
    const struct lms_row *b = a + 1;
    double part = (at - a->at) / (b->at - a->at);
    *lms_out = (struct lms){a->l + part * (b->l - a->l), a->m + part * (b->m - a->m),
                            a->s + part * (b->s - a->s)};
    return true;
}

double reference_z(enum growth_reference id, enum growth_sex sex, double at, double value)
{
    struct lms lms;
    if (!(value >= 0) || !reference_lms(id, sex, at, &lms)) {
        return NAN;
    }
    return lms_z(&lms, references[id].rule, value);
}

double reference_value(enum growth_reference id, enum growth_sex sex, double at, double z)
{
    struct lms lms;
    return reference_lms(id, sex, at, &lms) ? lms_value(&lms, references[id].rule, z) : NAN;
}
