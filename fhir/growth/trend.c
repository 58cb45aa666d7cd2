#include "fhir/growth/trend.h"

#include <math.h>
#include <stddef.h>

/* The lines that CDC's and WHO's printed charts share. */
static const double major_lines[] = {5, 10, 25, 50, 75, 90, 95};

double growth_percentile(const struct growth_assessment *assessment)
{
    return assessment->chart == GROWTH_CHART_WHO ? assessment->weight_for_length.percentile
                                                 : assessment->bmi_for_age.percentile;
}

double growth_z(const struct growth_assessment *assessment)
{
    return assessment->chart == GROWTH_CHART_WHO ? assessment->weight_for_length.z
                                                 : assessment->bmi_for_age.z;
}

double growth_stature(const struct growth_assessment *assessment)
{
    static const double lying_is_longer = 0.8;
    return assessment->chart == GROWTH_CHART_WHO ? assessment->height_cm - lying_is_longer
                                                 : assessment->height_cm;
}

/* How many lines lie at or below a percentile: one on the line has reached it. */
static int lines_reached(double percentile)
{
    int count = 0;
    for (size_t i = 0; i < sizeof major_lines / sizeof *major_lines; i++) {
        count += percentile >= major_lines[i];
    }
    return count;
}

void growth_trend(const struct growth_assessment *earlier, double earlier_kg,
                  const struct growth_assessment *later, double later_kg,
                  struct growth_trend *trend_out)
{
    struct growth_trend trend = {
        later->age.days - earlier->age.days, NAN, NAN, NAN, NAN, NAN, NAN, 0};
    if (trend.days >= GROWTH_TREND_DAYS_MIN) {
        double years = trend.days / 365.25;
        trend.kg_per_year = (later_kg - earlier_kg) / years;
        trend.cm_per_year = (growth_stature(later) - growth_stature(earlier)) / years;
        trend.bmi_per_year = (later->bmi - earlier->bmi) / years;
        if (later->chart == earlier->chart) {
            double from = growth_percentile(earlier);
            double to = growth_percentile(later);
            trend.z_change = growth_z(later) - growth_z(earlier);
            trend.percentile_change = to - from;
            trend.percent_of_p95_change = later->percent_of_p95 - earlier->percent_of_p95;
            if (!isnan(trend.percentile_change)) {
                trend.lines_crossed = lines_reached(to) - lines_reached(from);
            }
        }
    }
    *trend_out = trend;
}
