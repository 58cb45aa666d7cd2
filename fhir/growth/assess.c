#include <math.h>

#include "fhir/growth/growth.h"
#include "fhir/growth/normal.h"
#include "fhir/growth/plausible.h"

/* The z of the 95th percentile. */
static const double z95 = 1.6448536269514722;

/* Just below 95: a BMI below P95 is not told as the 95th percentile by a last digit of rounding. */
static const double below_95 = 94.999999999999986;

static const double next_to_100 = 99.999999999999986;

enum { CDC_FROM_MONTHS = 24, CDC_UNTIL_MONTHS = 240 };

struct growth_input growth_input_none(void)
{
    return (struct growth_input){.age = GROWTH_AGE_UNKNOWN,
                                 .weight_kg = NAN,
                                 .height_cm = NAN,
                                 .bmi = NAN,
                                 .head_cm = NAN,
                                 .gestational_weeks = NAN};
}

const char *growth_chart_name(enum growth_chart chart)
{
    static const char *const names[] = {"none", "WHO", "CDC"};
    return names[chart];
}

/* ---- extended BMI (CDC, December 2022) ---- */

/* The published sigma column is these polynomials of the age in years. */
static double tail_sigma(enum growth_sex sex, double months)
{
    double years = months / 12;
    return sex == GROWTH_MALE ? 0.3728 + (0.5196 - 0.0091 * years) * years
                              : 0.8334 + (0.3712 - 0.0011 * years) * years;
}

double growth_bmi_p95(enum growth_sex sex, double months, double *sigma_out)
{
    double p95 = reference_value(REFERENCE_CDC_BMI_FOR_AGE, sex, months, z95);
    if (!isnan(p95)) {
        *sigma_out = tail_sigma(sex, months);
    }
    return p95;
}

double growth_bmi_at(enum growth_sex sex, double months, double percentile)
{
    if (percentile < 95) {
        return reference_value(REFERENCE_CDC_BMI_FOR_AGE, sex, months,
                               normal_quantile(percentile / 100));
    }
    double sigma = NAN;
    double p95 = growth_bmi_p95(sex, months, &sigma);
    return p95 - sigma * normal_quantile((100 - percentile) / 10);
}

double growth_bmi_of_z(enum growth_sex sex, double months, double z)
{
    if (z < z95) {
        return reference_value(REFERENCE_CDC_BMI_FOR_AGE, sex, months, z);
    }
    double sigma = NAN;
    double p95 = growth_bmi_p95(sex, months, &sigma);
    return p95 - sigma * normal_quantile(normal_above(z) * 10);
}

/* ---- scores ---- */

static const struct growth_score no_score = {NAN, NAN, NAN};

static struct growth_score score(enum growth_reference id, enum growth_sex sex, double at,
                                 double value)
{
    struct lms lms;
    if (!(value >= 0) || !reference_lms(id, sex, at, &lms)) {
        return no_score;
    }
    enum lms_rule rule = reference_get(id)->rule;
    struct growth_score score = {.z = lms_z(&lms, rule, value), .modified_z = NAN};
    score.percentile = 100 * normal_below(score.z);
    if (rule == LMS_CDC) {
        score.modified_z = lms_modified_z(&lms, value);
    }
    if (!isfinite(score.z)) { /* a value of 0 where L <= 0 */
        score.z = NAN;
    }
    return score;
}

/* Above P95 the BMI is half-normal: percentile 90 + 10 * Phi((BMI - P95) / sigma). The share above
 * is kept, not the percentile, so that z loses nothing near 100. CDC: 8.21 where the percentile
 * rounds to 100, which is where as a double it is 100 or the number next to it. */
static void score_tail(struct growth_assessment *a)
{
    double share_above = 0.1 * normal_above((a->bmi - a->bmi_p95) / a->bmi_sigma);
    a->bmi_for_age.percentile = 100 - 100 * share_above;
    if (a->bmi_for_age.percentile >= next_to_100) {
        a->bmi_for_age.z = GROWTH_Z_CEILING;
        growth_flag_set(&a->flags, GROWTH_FLAG_Z_CAPPED);
    } else {
        a->bmi_for_age.z = -normal_quantile(share_above);
    }
}

static void assess_bmi_cdc(struct growth_assessment *a, enum growth_sex sex, double months)
{
    if (!reference_lms(REFERENCE_CDC_BMI_FOR_AGE, sex, months, &a->bmi_lms)) {
        return;
    }
    a->bmi_p50 = a->bmi_lms.m;
    a->bmi_p95 = lms_value(&a->bmi_lms, LMS_CDC, z95);
    a->bmi_sigma = tail_sigma(sex, months);
    if (!(a->bmi > 0)) {
        return;
    }
    a->percent_of_p95 = 100 * a->bmi / a->bmi_p95;
    a->bmi_z_lms = lms_z(&a->bmi_lms, LMS_CDC, a->bmi);
    a->bmi_percentile_lms = 100 * normal_below(a->bmi_z_lms);
    a->bmi_for_age.modified_z = lms_modified_z(&a->bmi_lms, a->bmi);
    if (a->bmi >= a->bmi_p95) {
        score_tail(a);
    } else {
        a->bmi_for_age.z = a->bmi_z_lms;
        a->bmi_for_age.percentile = fmin(a->bmi_percentile_lms, below_95);
    }
}

static void assess_cdc(struct growth_assessment *a, const struct growth_input *input)
{
    enum growth_sex sex = input->sex;
    /* On a second birthday without a 29 February the quotient is 23.98: the chart's first age. */
    double months = fmax(a->age.months, CDC_FROM_MONTHS);
    assess_bmi_cdc(a, sex, months);
    a->weight_for_age = score(REFERENCE_CDC_WEIGHT_FOR_AGE, sex, months, input->weight_kg);
    a->height_for_age = score(REFERENCE_CDC_STATURE_FOR_AGE, sex, months, a->height_cm);
    a->weight_for_stature =
        score(REFERENCE_CDC_WEIGHT_FOR_STATURE, sex, a->height_cm, input->weight_kg);
    a->head_for_age = score(REFERENCE_CDC_HEAD_FOR_AGE, sex, months, input->head_cm);
    a->category = growth_category_of_bmi(a->bmi_for_age.percentile, a->percent_of_p95, a->bmi);
    a->e66 = growth_category_e66(a->category);
    a->z68 = growth_category_z68(a->category, a->percent_of_p95);
}

static void assess_who(struct growth_assessment *a, const struct growth_input *input)
{
    enum growth_sex sex = input->sex;
    a->weight_for_length =
        score(REFERENCE_WHO_WEIGHT_FOR_LENGTH, sex, a->height_cm, input->weight_kg);
    a->category = growth_category_of_length(a->weight_for_length.z);
    if (isnan(a->weight_for_length.percentile) && a->height_cm >= 0 && input->weight_kg >= 0 &&
        sex != GROWTH_SEX_UNKNOWN) {
        growth_flag_set(&a->flags, GROWTH_FLAG_LENGTH_OUTSIDE_CHART);
    }
    double days = isnan(a->corrected_days) ? a->age.days : a->corrected_days;
    days = growth_whole_days(days);
    if (days < 0) {
        growth_flag_set(&a->flags, GROWTH_FLAG_AGE_CORRECTED_BEFORE_TERM);
        return;
    }
    a->bmi_for_age = score(REFERENCE_WHO_BMI_FOR_AGE, sex, days, a->bmi);
    a->weight_for_age = score(REFERENCE_WHO_WEIGHT_FOR_AGE, sex, days, input->weight_kg);
    a->height_for_age = score(REFERENCE_WHO_LENGTH_FOR_AGE, sex, days, a->height_cm);
    a->head_for_age = score(REFERENCE_WHO_HEAD_FOR_AGE, sex, days, input->head_cm);
}

/* ---- what the numbers need first ---- */

static enum growth_chart chart_of(const struct growth_age *age, growth_flags *flags)
{
    if (isnan(age->days)) {
        return GROWTH_CHART_NONE;
    }
    if (age->days < 0) {
        growth_flag_set(flags, GROWTH_FLAG_MEASURED_BEFORE_BIRTH);
        return GROWTH_CHART_NONE;
    }
    if (age->completed < 0 || age->completed >= CDC_UNTIL_MONTHS ||
        age->months >= CDC_UNTIL_MONTHS) {
        growth_flag_set(flags, GROWTH_FLAG_AGE_ABOVE_CHARTS);
        return GROWTH_CHART_NONE;
    }
    return age->completed < CDC_FROM_MONTHS ? GROWTH_CHART_WHO : GROWTH_CHART_CDC;
}

static void correct_age(struct growth_assessment *a, double gestational_weeks)
{
    enum { WEEKS_LOW = 20, WEEKS_HIGH = 45 };
    if (isnan(gestational_weeks) || isnan(a->age.days)) {
        return;
    }
    if (gestational_weeks < WEEKS_LOW || gestational_weeks > WEEKS_HIGH) {
        growth_flag_set(&a->flags, GROWTH_FLAG_GESTATION_UNREADABLE);
        return;
    }
    double early = growth_days_early(gestational_weeks, a->age);
    if (early > 0) {
        a->corrected_days = a->age.days - early;
        growth_flag_set(&a->flags, GROWTH_FLAG_AGE_CORRECTED);
    }
}

/* Lying is longer than standing: 0.7 cm by WHO, 0.8 cm by CDC, each for its own charts. */
static double height_by_chart(const struct growth_input *input, enum growth_chart chart,
                              growth_flags *flags)
{
    if (chart == GROWTH_CHART_CDC && input->position == GROWTH_RECUMBENT) {
        growth_flag_set(flags, GROWTH_FLAG_LENGTH_TO_STATURE);
        return input->height_cm - 0.8;
    }
    if (chart == GROWTH_CHART_WHO && input->position == GROWTH_STANDING) {
        growth_flag_set(flags, GROWTH_FLAG_STATURE_TO_LENGTH);
        return input->height_cm + 0.7;
    }
    return input->height_cm;
}

/* A BMI given is kept, as CDC's program keeps it; rounding to one decimal is no disagreement. */
static double bmi_of(const struct growth_input *input, double height_cm, growth_flags *flags)
{
    static const double rounding = 0.1000001;
    double metres = height_cm / 100;
    double computed = input->weight_kg / (metres * metres);
    if (!(input->bmi > 0)) {
        return height_cm > 0 && input->weight_kg > 0 ? computed : NAN;
    }
    if (fabs(computed - input->bmi) > rounding) {
        growth_flag_set(flags, GROWTH_FLAG_BMI_DISAGREES);
    }
    return input->bmi;
}

/* What is missing for a category; a BMI given needs no weight and height from 24 months on. */
static void flag_missing(struct growth_assessment *a, const struct growth_input *input)
{
    if (input->sex == GROWTH_SEX_UNKNOWN) {
        growth_flag_set(&a->flags, GROWTH_FLAG_SEX_UNKNOWN);
    }
    if (a->bmi > 0 && a->chart != GROWTH_CHART_WHO) {
        return;
    }
    if (isnan(input->weight_kg)) {
        growth_flag_set(&a->flags, GROWTH_FLAG_NO_WEIGHT);
    }
    if (isnan(input->height_cm)) {
        growth_flag_set(&a->flags, GROWTH_FLAG_NO_HEIGHT);
    }
}

void growth_assess(const struct growth_input *input, struct growth_assessment *assessment_out)
{
    struct growth_assessment *a = assessment_out;
    *a = (struct growth_assessment){.age = input->age,
                                    .corrected_days = NAN,
                                    .bmi_for_age = no_score,
                                    .weight_for_age = no_score,
                                    .height_for_age = no_score,
                                    .weight_for_length = no_score,
                                    .weight_for_stature = no_score,
                                    .head_for_age = no_score,
                                    .bmi_z_lms = NAN,
                                    .bmi_percentile_lms = NAN,
                                    .bmi_lms = {NAN, NAN, NAN},
                                    .bmi_p50 = NAN,
                                    .bmi_p95 = NAN,
                                    .bmi_sigma = NAN,
                                    .percent_of_p95 = NAN,
                                    .z68 = "",
                                    .e66 = ""};
    a->chart = chart_of(&input->age, &a->flags);
    correct_age(a, input->gestational_weeks);
    a->height_cm = height_by_chart(input, a->chart, &a->flags);
    a->bmi = bmi_of(input, a->height_cm, &a->flags);
    flag_missing(a, input);
    if (input->edema) {
        growth_flag_set(&a->flags, GROWTH_FLAG_EDEMA);
    }
    if (a->chart == GROWTH_CHART_CDC) {
        assess_cdc(a, input);
    } else if (a->chart == GROWTH_CHART_WHO) {
        assess_who(a, input);
    }
    growth_flag_implausible(a, input);
}
