/* Shared by the parts of the chart: scales, words, and putting text and numbers into SVG. */
#ifndef FHIR_GROWTH_CHART_FRAME_H
#define FHIR_GROWTH_CHART_FRAME_H

#include "fhir/growth/chart_svg.h"

enum chart_text {
#define CHART_TEXT(id, en, es) CHART_TEXT_##id,
#include "fhir/growth/chart_texts.def"
#undef CHART_TEXT
    CHART_TEXT_COUNT
};

/* The drawing's units: it is CHART_WIDTH wide, and scaled to where it is shown. */
enum {
    CHART_WIDTH = 720,
    PLOT_LEFT = 58,
    PLOT_RIGHT = 634,
    PLOT_TOP = 110,
    PLOT_BOTTOM = 652,
    LEGEND_TOP = 732,
    TABLE_TOP = 780,
    ROW_HEIGHT = 30,
    ROWS_SHOWN = 6
};

struct axis {
    double low; /* in the unit shown */
    double high;
    double grid;   /* a line every ... */
    double label;  /* a number every ... */
    double wide;   /* ... and on a narrow screen */
    double factor; /* units shown per kg, cm, month or kg/m2 */
    const char *unit;
};

struct chart {
    const struct growth_chart_spec *spec;
    const struct growth_result *result;
    struct buf *out;
    bool bmi; /* else weight-for-length */
    const char *id;
    struct axis x;
    struct axis y;
    size_t points; /* visits that are on this chart */
};

const char *chart_text(const struct chart *chart, enum chart_text id);

/* Drawing positions of a value in months, cm, kg or kg/m2. */
double chart_x(const struct chart *chart, double value);
double chart_y(const struct chart *chart, double value);

/* Without locale: "12.3". */
void chart_number(struct buf *out, double value, int decimals);

/* Adds name="value", with one decimal. */
void chart_attribute(struct buf *out, const char *name, double value);

/* Whether a visit has a point on this chart, and where (months or cm; kg/m2 or kg). */
bool chart_point(const struct chart *chart, const struct growth_visit *visit, double *x_out,
                 double *y_out);
bool chart_is_doubtful(const struct growth_visit *visit);

/* chart_table.c */
void chart_description(const struct chart *chart);
void chart_table(const struct chart *chart);
size_t chart_rows_shown(const struct chart *chart);

#endif
