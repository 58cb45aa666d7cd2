/*
 * A child's measurements over time: paired by visit, each visit assessed, compared with the visits
 * before it and with what the record itself says. A visit is one Encounter reference, else one
 * calendar date. Pure. Tests: tests/unit/fhir/growth/test_record.c.
 */
#ifndef FHIR_GROWTH_RECORD_H
#define FHIR_GROWTH_RECORD_H

#include "fhir/base/arena.h"
#include "fhir/growth/growth.h"
#include "fhir/growth/trend.h"

enum growth_kind {
    GROWTH_WEIGHT,         /* kg */
    GROWTH_HEIGHT,         /* cm */
    GROWTH_BMI,            /* kg/m2, as the record has it */
    GROWTH_BMI_PERCENTILE, /* 0 to 100, as the record has it */
    GROWTH_HEAD,           /* cm */
    GROWTH_KIND_COUNT
};

struct growth_measurement {
    enum growth_kind kind;
    double value;
    bool unit_unknown; /* it was recorded in a unit of another kind: value is not used */
    enum growth_position position; /* of a height */
    struct growth_date date;       /* calendar date in the offset it was recorded with */
    int64_t order;          /* within the date: later is larger (a time of day, a sequence) */
    struct slice encounter; /* reference; SLICE_NONE when unknown. Borrowed */
};

struct growth_child {
    enum growth_sex sex;   /* that chooses the chart */
    bool sex_is_birth_sex; /* the administrative gender says something else */
    enum growth_date_fault birth_fault;
    struct growth_date birth; /* when birth_fault is OK */
    double gestational_weeks; /* NAN when unknown */
    bool edema;
    struct growth_date today; /* the date of the assessment; year 0: not given, nothing is future */
};

struct growth_visit {
    struct growth_date date;
    struct slice encounter;
    double value[GROWTH_KIND_COUNT]; /* the latest of each kind; NAN */
    enum growth_position position;
    struct growth_assessment assessment; /* its flags include those of pairing and history */
    struct growth_trend trend;           /* since the last visit at least 30 days earlier */
    enum growth_category ehr_category;   /* the band of the record's own percentile */
    double ehr_difference;               /* record's percentile less ours, percentage points; NAN */
};

/* What %growth is made of. */
struct growth_result {
    struct growth_child child;
    struct growth_visit *visits; /* by date, ascending */
    size_t count;
    const struct growth_visit
        *latest; /* the last with a percentile, else the last; NULL: no visit */
};

/* What a reader of a stranger's record stops at: pairing looks back over what lies near in time. */
enum { GROWTH_MEASUREMENTS_MAX = 10000 };

/* The measurements are sorted in place. The result lives in the arena. */
void growth_record_assess(struct arena *arena, const struct growth_child *child,
                          struct growth_measurement *measurements, size_t count,
                          struct growth_result *result_out);

/* Points of difference to the record's own percentile above which it is told. */
#define GROWTH_EHR_DIFFERENCE_MAX 1.0

#endif
