#include "fhir/growth/chart_svg.h"

#include <math.h>

#include "fhir/growth/chart_frame.h"
#include "fhir/growth/normal.h"

/* ---- the reference curves ---- */

struct curve {
    const char *name; /* class and id: "p95" */
    const char *label;
    double percentile;
    double times_p95; /* above 0: that many times P95 instead */
    double width;
    const char *dash; /* "" is solid */
    bool minor;       /* not labelled on a narrow screen */
};

static const struct curve bmi_curves[] = {
    {"p5", "5", 5, 0, 1.6, "", false},
    {"p10", "10", 10, 0, 0.9, "2 3", true},
    {"p25", "25", 25, 0, 0.9, "6 3", true},
    {"p50", "50", 50, 0, 2.4, "", false},
    {"p75", "75", 75, 0, 0.9, "6 3", true},
    {"p85", "85", 85, 0, 1.6, "", false},
    {"p90", "90", 90, 0, 0.9, "2 3", true},
    {"p95", "95", 95, 0, 2.4, "", false},
    {"p95x120", "120 %", 0, 1.2, 1.6, "12 4", false},
    {"p95x140", "140 %", 0, 1.4, 1.6, "12 4 2 4", false},
};

/* The outer ones are 2 SD: the 2.3rd and 97.7th percentile, printed as 2 and 98 by WHO and CDC. */
static const struct curve wfl_curves[] = {
    {"p2", "2", 2.2750131948179195, 0, 2.4, "", false},
    {"p5", "5", 5, 0, 0.9, "2 3", true},
    {"p10", "10", 10, 0, 0.9, "12 4", true},
    {"p25", "25", 25, 0, 0.9, "6 3", true},
    {"p50", "50", 50, 0, 2.4, "", false},
    {"p75", "75", 75, 0, 0.9, "6 3", true},
    {"p90", "90", 90, 0, 0.9, "12 4", true},
    {"p95", "95", 95, 0, 0.9, "2 3", true},
    {"p98", "98", 97.72498680518208, 0, 2.4, "", false},
};

enum { BMI_CURVES = sizeof bmi_curves / sizeof *bmi_curves };
enum { WFL_CURVES = sizeof wfl_curves / sizeof *wfl_curves };
enum { CURVES_MAX = 10 };
_Static_assert((int)BMI_CURVES <= (int)CURVES_MAX && (int)WFL_CURVES <= (int)CURVES_MAX, "room");

static double curve_value(const struct chart *chart, const struct curve *curve, double at)
{
    enum growth_sex sex = chart->result->child.sex;
    if (!chart->bmi) {
        return reference_value(REFERENCE_WHO_WEIGHT_FOR_LENGTH, sex, at,
                               normal_quantile(curve->percentile / 100));
    }
    if (curve->times_p95 > 0) {
        double sigma;
        return curve->times_p95 * growth_bmi_p95(sex, at, &sigma);
    }
    return growth_bmi_at(sex, at, curve->percentile);
}

/* The curve's last point, for its label. */
static double draw_curve(const struct chart *chart, const struct curve *curve)
{
    struct buf *out = chart->out;
    double first = chart->x.low / chart->x.factor;
    double last = chart->x.high / chart->x.factor;
    const struct reference *reference =
        reference_get(chart->bmi ? REFERENCE_CDC_BMI_FOR_AGE : REFERENCE_WHO_WEIGHT_FOR_LENGTH);
    double step = chart->bmi ? 3 : 1;
    double end = 0;
    buf_printf(out,
               "<path id=\"%s-%s\" class=\"curve\" fill=\"none\" stroke=\"#444\" "
               "stroke-dasharray=\"%s\"",
               chart->id, curve->name, curve->dash[0] != '\0' ? curve->dash : "none");
    chart_attribute(out, "stroke-width", curve->width);
    buf_add_cstr(out, " d=\"");
    long steps = lround(ceil((last - first) / step));
    for (long i = 0; i <= steps; i++) {
        double at = first + (double)i * step;
        double position = fmin(fmax(at, reference->first), fmin(last, reference->last));
        double value = curve_value(chart, curve, position);
        buf_add_char(out, i == 0 ? 'M' : 'L');
        chart_number(out, chart_x(chart, position), 1);
        buf_add_char(out, ' ');
        end = chart_y(chart, value);
        chart_number(out, end, 1);
    }
    buf_add_cstr(out, "\"/>\n");
    return end;
}

/* Labels stand at least a line apart, from the lowest curve up. */
static void draw_curves(const struct chart *chart)
{
    static const double line = 14;
    const struct curve *curves = chart->bmi ? bmi_curves : wfl_curves;
    size_t count = chart->bmi ? BMI_CURVES : WFL_CURVES;
    double ends[CURVES_MAX];
    buf_printf(chart->out, "<g class=\"curves\" clip-path=\"url(#%s-clip)\">\n", chart->id);
    for (size_t i = 0; i < count; i++) {
        ends[i] = draw_curve(chart, &curves[i]);
    }
    buf_add_cstr(chart->out, "</g>\n<g class=\"labels\" font-size=\"13\">\n"
                             "<text class=\"source\" text-anchor=\"end\"");
    chart_attribute(chart->out, "x", CHART_WIDTH - 8);
    chart_attribute(chart->out, "y", PLOT_TOP - 20);
    buf_printf(chart->out, ">%s</text>\n",
               chart_text(chart, chart->bmi ? CHART_TEXT_LINES : CHART_TEXT_WFL_LINES));
    double below = INFINITY;
    for (size_t i = 0; i < count; i++) {
        double y = fmin(ends[i], below - line);
        below = y;
        if (y < PLOT_TOP - line / 2) { /* the curve leaves the plot at its top */
            continue;
        }
        buf_printf(chart->out, "<text class=\"label%s\" dominant-baseline=\"central\"",
                   curves[i].minor ? " minor" : "");
        chart_attribute(chart->out, "x", PLOT_RIGHT + 6);
        chart_attribute(chart->out, "y", y);
        buf_printf(chart->out, ">%s</text>\n", curves[i].label);
    }
    buf_add_cstr(chart->out, "</g>\n");
}

/* ---- grid and axes ---- */

static bool falls_on(double value, double step)
{
    return fabs(value / step - round(value / step)) < 1e-9;
}

static void draw_tick(const struct chart *chart, const struct axis *axis, bool horizontal,
                      double value)
{
    struct buf *out = chart->out;
    double at =
        horizontal ? chart_x(chart, value / axis->factor) : chart_y(chart, value / axis->factor);
    buf_add_cstr(out, "<line class=\"grid\" stroke=\"#ccc\" stroke-width=\"0.8\"");
    chart_attribute(out, "x1", horizontal ? at : PLOT_LEFT);
    chart_attribute(out, "x2", horizontal ? at : PLOT_RIGHT);
    chart_attribute(out, "y1", horizontal ? PLOT_TOP : at);
    chart_attribute(out, "y2", horizontal ? PLOT_BOTTOM : at);
    buf_add_cstr(out, "/>\n");
    if (!falls_on(value, axis->label)) {
        return;
    }
    bool minor = !falls_on(value - axis->low, axis->wide) && !falls_on(value, axis->wide);
    buf_printf(out, "<text class=\"tick%s\"", minor ? " minor" : "");
    if (horizontal) {
        chart_attribute(out, "x", at);
        chart_attribute(out, "y", PLOT_BOTTOM + 30);
        buf_add_cstr(out, " text-anchor=\"middle\">");
    } else {
        chart_attribute(out, "x", PLOT_LEFT - 8);
        chart_attribute(out, "y", at);
        buf_add_cstr(out, " text-anchor=\"end\" dominant-baseline=\"central\">");
    }
    chart_number(out, value, 0);
    buf_add_cstr(out, "</text>\n");
}

static void draw_axis(const struct chart *chart, const struct axis *axis, bool horizontal)
{
    buf_printf(chart->out, "<g id=\"%s-%c\" class=\"axis\" font-size=\"14\">\n", chart->id,
               horizontal ? 'x' : 'y');
    long first = lround(ceil(axis->low / axis->grid - 1e-9));
    long last = lround(floor(axis->high / axis->grid + 1e-9));
    for (long i = first; i <= last; i++) {
        draw_tick(chart, axis, horizontal, (double)i * axis->grid);
    }
    enum chart_text text = horizontal ? (chart->bmi ? CHART_TEXT_AGE_AXIS : CHART_TEXT_LENGTH_AXIS)
                                      : (chart->bmi ? CHART_TEXT_BMI_AXIS : CHART_TEXT_WEIGHT_AXIS);
    buf_add_cstr(chart->out, "<text class=\"axis-title\" font-weight=\"bold\"");
    chart_attribute(chart->out, "x", horizontal ? (PLOT_LEFT + PLOT_RIGHT) / 2.0 : 8);
    chart_attribute(chart->out, "y", horizontal ? PLOT_BOTTOM + 57 : PLOT_TOP - 20);
    buf_printf(chart->out, " text-anchor=\"%s\">%s", horizontal ? "middle" : "start",
               chart_text(chart, text));
    if (!chart->bmi) {
        buf_printf(chart->out, " (%s)", axis->unit);
    }
    buf_add_cstr(chart->out, "</text>\n</g>\n");
}

/* ---- the child ---- */

static void draw_trend(const struct chart *chart)
{
    struct buf *out = chart->out;
    buf_printf(out,
               "<polyline id=\"%s-trend\" fill=\"none\" stroke=\"#004a8f\" stroke-width=\"2.5\" "
               "stroke-linejoin=\"round\" points=\"",
               chart->id);
    for (size_t i = 0; i < chart->result->count; i++) {
        const struct growth_visit *visit = &chart->result->visits[i];
        double x;
        double y;
        if (chart_point(chart, visit, &x, &y) && !chart_is_doubtful(visit)) {
            chart_number(out, chart_x(chart, x), 1);
            buf_add_char(out, ',');
            chart_number(out, chart_y(chart, y), 1);
            buf_add_char(out, ' ');
        }
    }
    buf_add_cstr(out, "\"/>\n");
}

static void draw_cross(struct buf *out, double x, double y)
{
    static const double arm = 6;
    buf_add_cstr(out, "<path class=\"doubtful\" stroke=\"#000\" stroke-width=\"2.5\" d=\"");
    for (int side = -1; side <= 1; side += 2) {
        buf_add_char(out, 'M');
        chart_number(out, x - arm, 1);
        buf_add_char(out, ' ');
        chart_number(out, y - side * arm, 1);
        buf_add_char(out, 'L');
        chart_number(out, x + arm, 1);
        buf_add_char(out, ' ');
        chart_number(out, y + side * arm, 1);
    }
    buf_add_cstr(out, "\"/>\n");
}

static void draw_circle(struct buf *out, double x, double y)
{
    buf_add_cstr(out, "<circle class=\"point\" fill=\"#fff\" stroke=\"#004a8f\" "
                      "stroke-width=\"3\" r=\"5\"");
    chart_attribute(out, "cx", x);
    chart_attribute(out, "cy", y);
    buf_add_cstr(out, "/>\n");
}

static void draw_points(const struct chart *chart)
{
    buf_printf(chart->out, "<g id=\"%s-points\">\n", chart->id);
    draw_trend(chart);
    for (size_t i = 0; i < chart->result->count; i++) {
        const struct growth_visit *visit = &chart->result->visits[i];
        double x;
        double y;
        if (!chart_point(chart, visit, &x, &y)) {
            continue;
        }
        if (chart_is_doubtful(visit)) { /* it may lie off the plot: kept on its edge */
            draw_cross(chart->out, fmin(fmax(chart_x(chart, x), PLOT_LEFT), PLOT_RIGHT),
                       fmin(fmax(chart_y(chart, y), PLOT_TOP), PLOT_BOTTOM));
        } else {
            draw_circle(chart->out, chart_x(chart, x), chart_y(chart, y));
        }
    }
    buf_add_cstr(chart->out, "</g>\n");
}

/* Where the child was on a day, between two visits of this chart. False: before, or after. */
static bool position_on(const struct chart *chart, struct growth_date date, double *x_out)
{
    int64_t day = growth_date_days(date);
    if (chart->bmi) {
        double months =
            (double)(day - growth_date_days(chart->result->child.birth)) / GROWTH_DAYS_PER_MONTH;
        *x_out = months;
        return chart->result->child.birth_fault == GROWTH_DATE_OK && months >= 24 && months <= 240;
    }
    double before = NAN;
    int64_t before_day = 0;
    for (size_t i = 0; i < chart->result->count; i++) {
        const struct growth_visit *visit = &chart->result->visits[i];
        int64_t visit_day = growth_date_days(visit->date);
        double x;
        double y;
        if (!chart_point(chart, visit, &x, &y)) {
            continue;
        }
        if (visit_day >= day) {
            double part = visit_day == before_day
                              ? 1
                              : (double)(day - before_day) / (double)(visit_day - before_day);
            *x_out = visit_day == day ? x : before + part * (x - before);
            return visit_day == day || !isnan(before);
        }
        before = x;
        before_day = visit_day;
    }
    return false;
}

static void draw_plans(const struct chart *chart)
{
    struct buf *out = chart->out;
    buf_printf(out, "<g id=\"%s-plans\">\n", chart->id);
    for (size_t i = 0; i < chart->spec->plan_count; i++) {
        double x;
        if (!position_on(chart, chart->spec->plans[i], &x)) {
            continue;
        }
        double at = chart_x(chart, x);
        buf_add_cstr(out, "<line class=\"plan\" stroke=\"#000\" stroke-width=\"1.4\" "
                          "stroke-dasharray=\"1 4\" stroke-linecap=\"round\"");
        chart_attribute(out, "x1", at);
        chart_attribute(out, "x2", at);
        chart_attribute(out, "y1", PLOT_TOP);
        chart_attribute(out, "y2", PLOT_BOTTOM);
        buf_add_cstr(out, "/>\n<path class=\"plan-mark\" d=\"M");
        chart_number(out, at - 7, 1);
        buf_printf(out, " %dh14l-7 11z\"/>\n", PLOT_TOP - 1);
    }
    buf_add_cstr(out, "</g>\n");
}

static void draw_legend(const struct chart *chart)
{
    struct buf *out = chart->out;
    static const double columns[] = {PLOT_LEFT + 8, PLOT_LEFT + 190, PLOT_LEFT + 480};
    static const enum chart_text words[] = {CHART_TEXT_MEASURED, CHART_TEXT_CHECK, CHART_TEXT_PLAN};
    buf_add_cstr(out, "<g class=\"legend\" font-size=\"14\">\n");
    draw_circle(out, columns[0], LEGEND_TOP);
    draw_cross(out, columns[1], LEGEND_TOP);
    buf_add_cstr(out, "<path class=\"plan-mark\" d=\"M");
    chart_number(out, columns[2] - 7, 1);
    buf_printf(out, " %dh14l-7 11z\"/>\n", LEGEND_TOP - 5);
    for (int i = 0; i < 3; i++) {
        buf_add_cstr(out, "<text dominant-baseline=\"central\"");
        chart_attribute(out, "x", columns[i] + 16);
        chart_attribute(out, "y", LEGEND_TOP);
        buf_printf(out, ">%s</text>\n", chart_text(chart, words[i]));
    }
    buf_add_cstr(out, "</g>\n");
}

/* ---- the whole ---- */

/* The axes grow, step by step, with a child whose points would lie outside; doubtful points do not
 * move them. */
static void grow_axes(struct chart *chart)
{
    for (size_t i = 0; i < chart->result->count; i++) {
        const struct growth_visit *visit = &chart->result->visits[i];
        double x;
        double y;
        if (!chart_point(chart, visit, &x, &y) || chart_is_doubtful(visit)) {
            continue;
        }
        while (x * chart->x.factor > chart->x.high && chart->x.high < 200) {
            chart->x.high += chart->x.grid;
        }
        while (y * chart->y.factor > chart->y.high - chart->y.grid / 5 && chart->y.high < 200) {
            chart->y.high += chart->y.grid;
        }
        while (y * chart->y.factor < chart->y.low && chart->y.low > 0) {
            chart->y.low -= chart->y.grid;
        }
    }
}

static void set_axes(struct chart *chart)
{
    bool us = chart->spec->us_units;
    if (chart->bmi) {
        chart->x = (struct axis){2, 20, 1, 2, 4, 1.0 / 12, ""};
        chart->y = (struct axis){10, 45, 5, 5, 5, 1, "kg/m\xC2\xB2"};
    } else if (us) {
        chart->x = (struct axis){18, 40, 1, 2, 4, 1 / 2.54, "in"};
        chart->y = (struct axis){0, 45, 5, 5, 10, 2.2046226218487757, "lb"};
    } else {
        chart->x = (struct axis){45, 100, 5, 5, 10, 1, "cm"};
        chart->y = (struct axis){0, 20, 1, 2, 4, 1, "kg"};
    }
    grow_axes(chart);
}

static void begin(const struct chart *chart)
{
    struct buf *out = chart->out;
    size_t rows = chart_rows_shown(chart);
    unsigned height = TABLE_TOP + ROW_HEIGHT * ((unsigned)rows + 2) + 10;
    buf_printf(out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"growth-chart\" role=\"group\" "
               "lang=\"%s\" aria-labelledby=\"%s-title %s-desc\" viewBox=\"0 0 %d %u\" "
               "font-family=\"sans-serif\" fill=\"#000\">\n",
               chart->spec->spanish ? "es" : "en", chart->id, chart->id, CHART_WIDTH, height);
    buf_printf(out, "<title id=\"%s-title\">%s</title>\n", chart->id,
               chart_text(chart, chart->bmi ? CHART_TEXT_BMI_TITLE : CHART_TEXT_WFL_TITLE));
    chart_description(chart);
    /* A narrow screen shrinks the drawing: letters grow against it, and every second number goes.
     */
    buf_add_cstr(
        out, "<style>@media (max-width:520px){"
             ".growth-chart .tick,.growth-chart .label,.growth-chart .axis-title{font-size:24px}"
             ".growth-chart .legend text,.growth-chart .source{font-size:22px}"
             ".growth-chart .title{font-size:29px}"
             ".growth-chart .table text{font-size:24px}"
             ".growth-chart .head text{font-size:20px}"
             ".growth-chart .minor,.growth-chart .spare{opacity:0}"
             ".growth-chart .c1{transform:translateX(72px)}"
             ".growth-chart .c4{transform:translateX(-104px)}"
             ".growth-chart .c5{transform:translateX(-96px)}"
             "}</style>\n");
    buf_printf(out,
               "<rect width=\"%d\" height=\"%u\" fill=\"#fff\"/>\n"
               "<clipPath id=\"%s-clip\"><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>"
               "</clipPath>\n",
               CHART_WIDTH, height, chart->id, PLOT_LEFT, PLOT_TOP, PLOT_RIGHT - PLOT_LEFT,
               PLOT_BOTTOM - PLOT_TOP);
}

static void draw_heading(const struct chart *chart)
{
    struct buf *out = chart->out;
    buf_printf(out,
               "<text class=\"title\" x=\"8\" y=\"34\" font-size=\"24\" "
               "font-weight=\"bold\">%s",
               chart_text(chart, chart->bmi ? CHART_TEXT_BMI_TITLE : CHART_TEXT_WFL_TITLE));
    if (chart->spec->show_sex) {
        bool girl = chart->result->child.sex == GROWTH_FEMALE;
        buf_printf(out, ", %s", chart_text(chart, girl ? CHART_TEXT_GIRLS : CHART_TEXT_BOYS));
    }
    buf_printf(out, "</text>\n<text class=\"source\" x=\"8\" y=\"62\" font-size=\"14\">%s</text>\n",
               chart_text(chart, chart->bmi ? CHART_TEXT_BMI_SOURCE : CHART_TEXT_WFL_SOURCE));
}

static bool takes_bmi(const struct growth_chart_spec *spec)
{
    if (spec->kind != GROWTH_CHART_BY_LATEST) {
        return spec->kind == GROWTH_CHART_BMI_FOR_AGE;
    }
    const struct growth_visit *latest = spec->result->latest;
    return latest == NULL || latest->assessment.chart != GROWTH_CHART_WHO;
}

enum status growth_chart_svg(const struct growth_chart_spec *spec, struct buf *out)
{
    if (spec->result->child.sex == GROWTH_SEX_UNKNOWN) {
        return STATUS_REFUSED;
    }
    struct chart chart = {.spec = spec, .result = spec->result, .out = out};
    chart.bmi = takes_bmi(spec);
    chart.id = spec->id != NULL ? spec->id : "growth";
    for (size_t i = 0; i < spec->result->count; i++) {
        double x;
        double y;
        chart.points += chart_point(&chart, &spec->result->visits[i], &x, &y);
    }
    set_axes(&chart);
    begin(&chart);
    buf_printf(out, "<g role=\"img\" aria-labelledby=\"%s-title\">\n", chart.id);
    draw_heading(&chart);
    draw_axis(&chart, &chart.x, true);
    draw_axis(&chart, &chart.y, false);
    draw_curves(&chart);
    buf_printf(out,
               "<rect class=\"frame\" fill=\"none\" stroke=\"#000\" stroke-width=\"1\" "
               "x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n",
               PLOT_LEFT, PLOT_TOP, PLOT_RIGHT - PLOT_LEFT, PLOT_BOTTOM - PLOT_TOP);
    draw_plans(&chart);
    draw_points(&chart);
    draw_legend(&chart);
    buf_add_cstr(out, "</g>\n");
    chart_table(&chart);
    buf_add_cstr(out, "</svg>\n");
    return STATUS_OK;
}
