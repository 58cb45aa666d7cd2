#include "fhir/growth/plausible.h"

#include <math.h>
#include <stddef.h>

/* A score's place in the assessment, its limits by chart, and the two flags. */
struct limit {
    double low;
    double high;
};
struct limit_row {
    size_t score;
    struct limit who; /* on z */
    struct limit cdc; /* on modified z */
    enum growth_flag flag_low;
    enum growth_flag flag_high;
};

#define SCORE(member) offsetof(struct growth_assessment, member)

static const struct limit_row limit_rows[] = {
    {SCORE(bmi_for_age),
     {-5, 5},
     {-4, 8},
     GROWTH_FLAG_BMI_IMPLAUSIBLE_LOW,
     GROWTH_FLAG_BMI_IMPLAUSIBLE_HIGH},
    {SCORE(weight_for_age),
     {-6, 5},
     {-5, 8},
     GROWTH_FLAG_WEIGHT_IMPLAUSIBLE_LOW,
     GROWTH_FLAG_WEIGHT_IMPLAUSIBLE_HIGH},
    {SCORE(height_for_age),
     {-6, 6},
     {-5, 4},
     GROWTH_FLAG_HEIGHT_IMPLAUSIBLE_LOW,
     GROWTH_FLAG_HEIGHT_IMPLAUSIBLE_HIGH},
    {SCORE(weight_for_length),
     {-5, 5},
     {-4, 8},
     GROWTH_FLAG_WFL_IMPLAUSIBLE_LOW,
     GROWTH_FLAG_WFL_IMPLAUSIBLE_HIGH},
    {SCORE(weight_for_stature),
     {-5, 5},
     {-4, 8},
     GROWTH_FLAG_WFL_IMPLAUSIBLE_LOW,
     GROWTH_FLAG_WFL_IMPLAUSIBLE_HIGH},
    {SCORE(head_for_age),
     {-5, 5},
     {-5, 5},
     GROWTH_FLAG_HEAD_IMPLAUSIBLE_LOW,
     GROWTH_FLAG_HEAD_IMPLAUSIBLE_HIGH},
};

static const struct growth_score *score_at(const struct growth_assessment *a, size_t offset)
{
    return (const struct growth_score *)(const void *)((const char *)a + offset);
}

static bool flag_scores(struct growth_assessment *a)
{
    bool any = false;
    bool cdc = a->chart == GROWTH_CHART_CDC;
    for (size_t i = 0; i < sizeof limit_rows / sizeof *limit_rows; i++) {
        const struct limit_row *row = &limit_rows[i];
        const struct growth_score *score = score_at(a, row->score);
        const struct limit *limit = cdc ? &row->cdc : &row->who;
        double z = cdc ? score->modified_z : score->z; /* NAN compares false: no flag */
        if (z < limit->low) {
            growth_flag_set(&a->flags, row->flag_low);
            any = true;
        } else if (z > limit->high) {
            growth_flag_set(&a->flags, row->flag_high);
            any = true;
        }
    }
    return any;
}

struct reading {
    enum growth_flag flag;
    double weight_factor;
    double height_factor;
};

static const struct reading readings[] = {
    {GROWTH_FLAG_WEIGHT_MAYBE_LB, 0.45359237, 1},
    {GROWTH_FLAG_WEIGHT_MAYBE_KG_AS_LB, 1 / 0.45359237, 1},
    {GROWTH_FLAG_WEIGHT_MAYBE_G, 0.001, 1},
    {GROWTH_FLAG_HEIGHT_MAYBE_IN, 1, 2.54},
    {GROWTH_FLAG_HEIGHT_MAYBE_CM_AS_IN, 1, 1 / 2.54},
    {GROWTH_FLAG_HEIGHT_MAYBE_M, 1, 100},
};

static bool within_3_sd(enum growth_reference id, enum growth_sex sex, double at, double value)
{
    return fabs(reference_z(id, sex, at, value)) <= 3;
}

static bool plausible(const struct growth_assessment *a, enum growth_sex sex, double weight_kg,
                      double height_cm)
{
    double bmi = weight_kg / (height_cm * height_cm) * 1e4;
    if (a->chart == GROWTH_CHART_CDC) {
        double months = fmax(a->age.months, 24);
        return within_3_sd(REFERENCE_CDC_WEIGHT_FOR_AGE, sex, months, weight_kg) &&
               within_3_sd(REFERENCE_CDC_STATURE_FOR_AGE, sex, months, height_cm) &&
               within_3_sd(REFERENCE_CDC_BMI_FOR_AGE, sex, months, bmi);
    }
    double days = growth_whole_days(isnan(a->corrected_days) ? a->age.days : a->corrected_days);
    return within_3_sd(REFERENCE_WHO_WEIGHT_FOR_AGE, sex, days, weight_kg) &&
           within_3_sd(REFERENCE_WHO_LENGTH_FOR_AGE, sex, days, height_cm) &&
           within_3_sd(REFERENCE_WHO_BMI_FOR_AGE, sex, days, bmi);
}

void growth_flag_implausible(struct growth_assessment *assessment, const struct growth_input *input)
{
    struct growth_assessment *a = assessment;
    if (a->chart == GROWTH_CHART_NONE || !flag_scores(a) || !(input->weight_kg > 0) ||
        !(a->height_cm > 0)) {
        return;
    }
    for (size_t i = 0; i < sizeof readings / sizeof *readings; i++) {
        if (plausible(a, input->sex, input->weight_kg * readings[i].weight_factor,
                      a->height_cm * readings[i].height_factor)) {
            growth_flag_set(&a->flags, readings[i].flag);
        }
    }
    if (plausible(a, input->sex, a->height_cm, input->weight_kg)) {
        growth_flag_set(&a->flags, GROWTH_FLAG_HEIGHT_WEIGHT_SWAPPED);
    }
}
