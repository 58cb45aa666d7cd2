/*
 * The growth chart as one self-contained SVG: reference curves, a child's points and the line
 * through them, plan dates, a table. BMI-for-age (CDC, with 120 % and 140 % of the 95th percentile)
 * or weight-for-length (WHO). Told apart by dash and label, not by colour; readable from 320 px to
 * a printed page; title, description and table for screen readers. Pure. Tests:
 * tests/unit/fhir/growth/test_chart.c, tests/growth/suite_chart.mjs (in a browser).
 */
#ifndef FHIR_GROWTH_CHART_SVG_H
#define FHIR_GROWTH_CHART_SVG_H

#include "fhir/base/buf.h"
#include "fhir/growth/record.h"

enum growth_chart_kind {
    GROWTH_CHART_BY_LATEST, /* what the latest visit's age calls for */
    GROWTH_CHART_BMI_FOR_AGE,
    GROWTH_CHART_WEIGHT_FOR_LENGTH
};

struct growth_chart_spec {
    enum growth_chart_kind kind;
    bool spanish;   /* else English */
    bool us_units;  /* lb and in; else kg and cm */
    bool show_sex;  /* the sex that chose the curves stands in the title; off on a family's page */
    const char *id; /* begins every id in the file; a name (letters, digits, -). NULL: "growth" */
    const struct growth_result *result;
    const struct growth_date *plans; /* dates to mark; may be NULL */
    size_t plan_count;
};

/* Adds the SVG to out. STATUS_REFUSED: the sex is unknown, so there are no curves. */
enum status growth_chart_svg(const struct growth_chart_spec *spec, struct buf *out);

#endif
