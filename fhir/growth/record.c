#include "fhir/growth/record.h"

#include <math.h>
#include <stdlib.h>

/* ---- pairing ---- */

static int by_time(const void *a, const void *b)
{
    const struct growth_measurement *x = a;
    const struct growth_measurement *y = b;
    int64_t dx = growth_date_days(x->date);
    int64_t dy = growth_date_days(y->date);
    if (dx != dy) {
        return dx < dy ? -1 : 1;
    }
    if (x->order != y->order) {
        return x->order < y->order ? -1 : 1;
    }
    int kind = (int)x->kind - (int)y->kind; /* the rest only makes the order certain */
    return kind != 0 ? kind : (x->value > y->value) - (x->value < y->value);
}

static bool same_date(struct growth_date a, struct growth_date b)
{
    return a.year == b.year && a.month == b.month && a.day == b.day;
}

/* An encounter may run over midnight: its visit is looked for among those of the last days. */
static struct growth_visit *visit_of(struct growth_result *result,
                                     const struct growth_measurement *m)
{
    enum { DAYS_BACK = 7, VISITS_BACK = 64 };
    for (size_t i = result->count, looked = 0; i > 0 && looked < VISITS_BACK; i--, looked++) {
        struct growth_visit *visit = &result->visits[i - 1];
        if (growth_date_days(m->date) - growth_date_days(visit->date) > DAYS_BACK) {
            break;
        }
        bool both_known = m->encounter.len > 0 && visit->encounter.len > 0;
        bool same = both_known ? slice_equal(m->encounter, visit->encounter)
                               : same_date(m->date, visit->date);
        if (same) {
            return visit;
        }
    }
    struct growth_visit *visit = &result->visits[result->count++];
    *visit = (struct growth_visit){.date = m->date, .ehr_difference = NAN};
    for (int kind = 0; kind < GROWTH_KIND_COUNT; kind++) {
        visit->value[kind] = NAN;
    }
    return visit;
}

/* Differences that two careful measurements of one visit may have. */
static bool differ(enum growth_kind kind, double a, double b)
{
    static const double repeat[GROWTH_KIND_COUNT] = {0.3, 1.0, 0.5, 1.0, 0.5};
    return fabs(a - b) > repeat[kind];
}

static void pair(struct growth_visit *visit, const struct growth_measurement *m)
{
    if (visit->encounter.len == 0) {
        visit->encounter = m->encounter;
    }
    if (m->unit_unknown) {
        growth_flag_set(&visit->assessment.flags, GROWTH_FLAG_UNIT_UNKNOWN);
        return;
    }
    if (!isnan(visit->value[m->kind]) && differ(m->kind, visit->value[m->kind], m->value)) {
        if (m->kind == GROWTH_WEIGHT) {
            growth_flag_set(&visit->assessment.flags, GROWTH_FLAG_REPEATED_WEIGHT);
        } else if (m->kind == GROWTH_HEIGHT) {
            growth_flag_set(&visit->assessment.flags, GROWTH_FLAG_REPEATED_HEIGHT);
        }
    }
    visit->value[m->kind] = m->value;
    if (m->kind == GROWTH_HEIGHT) {
        visit->position = m->position;
    }
}

/* ---- one visit ---- */

static struct growth_age age_at(const struct growth_child *child, struct growth_date date,
                                growth_flags *flags)
{
    switch (child->birth_fault) {
    case GROWTH_DATE_OK:
        return growth_age_between(child->birth, date);
    case GROWTH_DATE_PARTIAL:
        growth_flag_set(flags, GROWTH_FLAG_BIRTH_DATE_PARTIAL);
        break;
    case GROWTH_DATE_UNREADABLE:
        growth_flag_set(flags, GROWTH_FLAG_BIRTH_DATE_UNREADABLE);
        break;
    case GROWTH_DATE_EMPTY:
        growth_flag_set(flags, GROWTH_FLAG_NO_AGE);
        break;
    }
    return GROWTH_AGE_UNKNOWN;
}

static void compare_with_record(struct growth_visit *visit)
{
    struct growth_assessment *a = &visit->assessment;
    double theirs = visit->value[GROWTH_BMI_PERCENTILE];
    if (isnan(theirs) || a->chart != GROWTH_CHART_CDC || isnan(a->bmi_for_age.percentile)) {
        return;
    }
    double ours = a->bmi_for_age.percentile;
    visit->ehr_difference = theirs - ours;
    visit->ehr_category = growth_category_of_percentile(theirs);
    if (fabs(visit->ehr_difference) > GROWTH_EHR_DIFFERENCE_MAX) {
        growth_flag_set(&a->flags, GROWTH_FLAG_EHR_PERCENTILE_DIFFERS);
    }
    if (visit->ehr_category != growth_category_of_percentile(ours)) {
        growth_flag_set(&a->flags, GROWTH_FLAG_EHR_CATEGORY_DIFFERS);
    }
}

/* Weight and height of the visit are the measurement; the record's BMI only stands in for them. */
static void assess_visit(const struct growth_child *child, struct growth_visit *visit)
{
    growth_flags flags = visit->assessment.flags;
    struct growth_input input = growth_input_none();
    input.sex = child->sex;
    input.age = age_at(child, visit->date, &flags);
    input.weight_kg = visit->value[GROWTH_WEIGHT];
    input.height_cm = visit->value[GROWTH_HEIGHT];
    input.position = visit->position;
    input.head_cm = visit->value[GROWTH_HEAD];
    input.gestational_weeks = child->gestational_weeks;
    input.edema = child->edema;
    bool paired = input.weight_kg > 0 && input.height_cm > 0;
    if (!paired) {
        input.bmi = visit->value[GROWTH_BMI];
    }
    growth_assess(&input, &visit->assessment);
    if (paired && fabs(visit->value[GROWTH_BMI] - visit->assessment.bmi) > 0.1000001) {
        growth_flag_set(&flags, GROWTH_FLAG_BMI_DISAGREES);
    }
    if (child->sex_is_birth_sex) {
        growth_flag_set(&flags, GROWTH_FLAG_SEX_FROM_BIRTH_SEX);
    }
    if (child->today.year != 0 && growth_date_days(visit->date) > growth_date_days(child->today)) {
        growth_flag_set(&flags, GROWTH_FLAG_MEASURED_IN_FUTURE);
    }
    visit->assessment.flags |= flags;
    compare_with_record(visit);
}

/* ---- against the visits before ---- */

struct history {
    double tallest_cm; /* as if standing; NAN at first */
    double last_kg;    /* of the last visit that had one, and when */
    int64_t last_kg_day;
    double last_cm;
    int64_t last_cm_day;
    bool any_weight;
    bool any_height;
};

static bool near_factor(double ratio, double factor)
{
    static const double growth_between = 0.12; /* what a child may change between two visits */
    return fabs(ratio / factor - 1) < growth_between;
}

/* A jump by the factor of two units since a visit of the last year. */
static void flag_unit_jumps(struct growth_visit *visit, const struct history *h, int64_t day)
{
    enum { YEAR = 366 };
    static const double lb_per_kg = 2.2046226218;
    growth_flags *flags = &visit->assessment.flags;
    double kg = visit->value[GROWTH_WEIGHT] / h->last_kg;
    if (day - h->last_kg_day <= YEAR && near_factor(kg, lb_per_kg)) {
        growth_flag_set(flags, GROWTH_FLAG_WEIGHT_MAYBE_LB);
    } else if (day - h->last_kg_day <= YEAR && near_factor(kg, 1 / lb_per_kg)) {
        growth_flag_set(flags, GROWTH_FLAG_WEIGHT_MAYBE_KG_AS_LB);
    }
    double cm = visit->value[GROWTH_HEIGHT] / h->last_cm;
    if (day - h->last_cm_day <= YEAR && near_factor(cm, 1 / 2.54)) {
        growth_flag_set(flags, GROWTH_FLAG_HEIGHT_MAYBE_IN);
    } else if (day - h->last_cm_day <= YEAR && near_factor(cm, 2.54)) {
        growth_flag_set(flags, GROWTH_FLAG_HEIGHT_MAYBE_CM_AS_IN);
    }
}

/* The record is not corrected by its mistakes: a value flagged as implausible is no history. */
static void compare_with_history(struct growth_visit *visit, struct history *h)
{
    static const double measuring_error_cm = 1.0;
    int64_t day = growth_date_days(visit->date);
    growth_flags *flags = &visit->assessment.flags;
    double stature = growth_stature(&visit->assessment);
    flag_unit_jumps(visit, h, day);
    bool plausible = (*flags & growth_flags_implausible()) == 0;
    if (h->tallest_cm - stature > measuring_error_cm) {
        growth_flag_set(flags, GROWTH_FLAG_HEIGHT_LOSS);
    }
    if (plausible && stature > 0) {
        h->tallest_cm = fmax(h->tallest_cm, stature); /* fmax leaves a NAN out */
        h->last_cm = visit->value[GROWTH_HEIGHT];
        h->last_cm_day = day;
    }
    if (plausible && visit->value[GROWTH_WEIGHT] > 0) {
        h->last_kg = visit->value[GROWTH_WEIGHT];
        h->last_kg_day = day;
    }
    h->any_weight |= !isnan(visit->value[GROWTH_WEIGHT]);
    h->any_height |= !isnan(visit->value[GROWTH_HEIGHT]);
}

static void trend_since(const struct growth_visit *earlier, struct growth_visit *later,
                        struct growth_trend *trend_out)
{
    growth_trend(&earlier->assessment, earlier->value[GROWTH_WEIGHT], &later->assessment,
                 later->value[GROWTH_WEIGHT], trend_out);
}

/* The trend since the last visit that is far enough back, and the lines crossed since any visit of
 * two years. */
static void follow(struct growth_result *result, size_t index)
{
    enum { TWO_YEARS = 731, LINES = 2 };
    struct growth_visit *visit = &result->visits[index];
    int64_t day = growth_date_days(visit->date);
    visit->trend = (struct growth_trend){NAN, NAN, NAN, NAN, NAN, NAN, NAN, 0};
    bool found = false;
    for (size_t i = index; i > 0; i--) {
        const struct growth_visit *before = &result->visits[i - 1];
        int64_t days = day - growth_date_days(before->date);
        if (days > TWO_YEARS && found) {
            break;
        }
        if (days < GROWTH_TREND_DAYS_MIN || isnan(growth_percentile(&before->assessment)) ||
            (before->assessment.flags & growth_flags_implausible()) != 0) {
            continue;
        }
        struct growth_trend trend;
        trend_since(before, visit, &trend);
        if (!found) {
            visit->trend = trend;
            found = true;
        }
        if (days <= TWO_YEARS && trend.lines_crossed <= -LINES) {
            growth_flag_set(&visit->assessment.flags, GROWTH_FLAG_CROSSED_LINES_DOWN);
        } else if (days <= TWO_YEARS && trend.lines_crossed >= LINES) {
            growth_flag_set(&visit->assessment.flags, GROWTH_FLAG_CROSSED_LINES_UP);
        }
    }
}

static void flag_unpaired(struct growth_result *result, const struct history *h)
{
    for (size_t i = 0; i < result->count; i++) {
        struct growth_visit *visit = &result->visits[i];
        bool weight = !isnan(visit->value[GROWTH_WEIGHT]);
        bool height = !isnan(visit->value[GROWTH_HEIGHT]);
        if ((weight && !height && h->any_height) || (height && !weight && h->any_weight)) {
            growth_flag_set(&visit->assessment.flags, GROWTH_FLAG_UNPAIRED);
        }
    }
}

static const struct growth_visit *latest_of(const struct growth_result *result)
{
    for (size_t i = result->count; i > 0; i--) {
        if (!isnan(growth_percentile(&result->visits[i - 1].assessment))) {
            return &result->visits[i - 1];
        }
    }
    return result->count > 0 ? &result->visits[result->count - 1] : NULL;
}

void growth_record_assess(struct arena *arena, const struct growth_child *child,
                          struct growth_measurement *measurements, size_t count,
                          struct growth_result *result_out)
{
    struct growth_result result = {.child = *child};
    result.visits = ARENA_ARRAY(arena, count, struct growth_visit);
    if (count > 0) {
        qsort(measurements, count, sizeof *measurements, by_time);
    }
    for (size_t i = 0; i < count; i++) {
        pair(visit_of(&result, &measurements[i]), &measurements[i]);
    }
    struct history history = {NAN, NAN, 0, NAN, 0, false, false};
    for (size_t i = 0; i < result.count; i++) {
        assess_visit(child, &result.visits[i]);
        compare_with_history(&result.visits[i], &history);
        follow(&result, i);
    }
    flag_unpaired(&result, &history);
    result.latest = latest_of(&result);
    *result_out = result;
}
