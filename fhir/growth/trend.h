/*
 * From one assessment to a later one of the same child. Rates are per year of 365.25 days. Below
 * GROWTH_TREND_DAYS_MIN days apart the error of measuring outweighs growth: no rates, and no lines.
 */
#ifndef FHIR_GROWTH_TREND_H
#define FHIR_GROWTH_TREND_H

#include "fhir/growth/growth.h"

enum { GROWTH_TREND_DAYS_MIN = 30 };

struct growth_trend {
    double days; /* from the earlier to the later; NAN: one of the ages is unknown */
    double kg_per_year;
    double cm_per_year; /* standing; a length counts as 0.8 cm less */
    double bmi_per_year;
    double z_change;          /* of the same chart only, else NAN; so the next two */
    double percentile_change; /* percentage points */
    double percent_of_p95_change;
    int lines_crossed; /* major percentile lines, above 0: upwards; 0 too when unknown */
};

void growth_trend(const struct growth_assessment *earlier, double earlier_kg,
                  const struct growth_assessment *later, double later_kg,
                  struct growth_trend *trend_out);

/*
 * The percentile that trends and the chart follow: weight-for-length below 24 months, BMI-for-age
 * from then on. NAN when there is none.
 */
double growth_percentile(const struct growth_assessment *assessment);
double growth_z(const struct growth_assessment *assessment);

/* Height as if standing, whatever the chart; NAN when there is none. */
double growth_stature(const struct growth_assessment *assessment);

#endif
