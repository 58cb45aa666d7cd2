/* What the drawing says in words: the description and the table of measurements. */
#include <math.h>

#include "fhir/growth/chart_frame.h"

static void put_date(struct buf *out, struct growth_date date)
{
    buf_printf(out, "%04d-%02d-%02d", date.year, date.month, date.day);
}

static void put_age(const struct chart *chart, const struct growth_visit *visit)
{
    int months = visit->assessment.age.completed;
    if (months < 1) {
        buf_printf(chart->out, "%.0f %s", visit->assessment.age.days,
                   chart_text(chart, CHART_TEXT_DAYS));
        return;
    }
    if (months >= 24) {
        buf_printf(chart->out, "%d %s ", months / 12, chart_text(chart, CHART_TEXT_YEARS));
        months %= 12;
    }
    buf_printf(chart->out, "%d %s", months, chart_text(chart, CHART_TEXT_MONTHS));
}

static void put_percentile(struct buf *out, double percentile)
{
    if (percentile > 99.9) {
        buf_add_cstr(out, "&gt;99.9");
    } else if (percentile < 0.1) {
        buf_add_cstr(out, "&lt;0.1");
    } else {
        /* cut, not rounded: 94.97 is not shown as the 95th */
        chart_number(out, floor(percentile * 10) / 10, 1);
    }
}

static void put_weight(const struct chart *chart, const struct growth_visit *visit)
{
    double kg = visit->value[GROWTH_WEIGHT];
    if (isnan(kg)) {
        return;
    }
    chart_number(chart->out, chart->spec->us_units ? kg / 0.45359237 : kg, 1);
    buf_add_cstr(chart->out, chart->spec->us_units ? " lb" : " kg");
}

static void put_height(const struct chart *chart, const struct growth_visit *visit)
{
    double cm = visit->value[GROWTH_HEIGHT];
    if (isnan(cm)) {
        return;
    }
    chart_number(chart->out, chart->spec->us_units ? cm / 2.54 : cm, 1);
    buf_add_cstr(chart->out, chart->spec->us_units ? " in" : " cm");
}

/* ---- the description ---- */

static const struct growth_visit *last_point(const struct chart *chart)
{
    for (size_t i = chart->result->count; i > 0; i--) {
        double x;
        double y;
        if (chart_point(chart, &chart->result->visits[i - 1], &x, &y)) {
            return &chart->result->visits[i - 1];
        }
    }
    return NULL;
}

void chart_description(const struct chart *chart)
{
    struct buf *out = chart->out;
    buf_printf(out, "<desc id=\"%s-desc\">", chart->id);
    const struct growth_visit *last = last_point(chart);
    if (last == NULL) {
        buf_add_cstr(out, chart_text(chart, CHART_TEXT_NONE));
    } else {
        buf_printf(out, "%zu %s. %s: ", chart->points, chart_text(chart, CHART_TEXT_POINTS),
                   chart_text(chart, CHART_TEXT_LATEST));
        put_date(out, last->date);
        buf_add_cstr(out, ", ");
        put_age(chart, last);
        if (chart->bmi) {
            buf_printf(out, ", %s ", chart_text(chart, CHART_TEXT_BMI));
            chart_number(out, last->assessment.bmi, 1);
            buf_add_cstr(out, " kg/m\xC2\xB2");
        }
        buf_printf(out, ", %s ", chart_text(chart, CHART_TEXT_PERCENTILE_LINE));
        put_percentile(out, growth_percentile(&last->assessment));
        if (chart->bmi) {
            buf_add_cstr(out, ", ");
            chart_number(out, last->assessment.percent_of_p95, 1);
            buf_printf(out, " %s", chart_text(chart, CHART_TEXT_OF_P95_LINE));
        }
        buf_add_char(out, '.');
    }
    if (chart->spec->plan_count > 0) {
        buf_printf(out, " %s: ", chart_text(chart, CHART_TEXT_PLANS));
        for (size_t i = 0; i < chart->spec->plan_count; i++) {
            buf_add_cstr(out, i > 0 ? ", " : "");
            put_date(out, chart->spec->plans[i]);
        }
        buf_add_char(out, '.');
    }
    buf_add_cstr(out, "</desc>\n");
}

/* ---- the table ---- */

enum column {
    COLUMN_DATE,
    COLUMN_AGE,
    COLUMN_WEIGHT,
    COLUMN_HEIGHT,
    COLUMN_BMI,
    COLUMN_PERCENTILE
};
enum { COLUMNS = 6 };

/* A percent of P95 stands in brackets behind the percentile only where it says something: from 95.
 */
static void put_cell(const struct chart *chart, const struct growth_visit *visit,
                     enum column column)
{
    struct buf *out = chart->out;
    const struct growth_assessment *a = &visit->assessment;
    switch (column) {
    case COLUMN_DATE:
        put_date(out, visit->date);
        buf_add_cstr(out, chart_is_doubtful(visit) ? " \xC3\x97" : "");
        break;
    case COLUMN_AGE:
        put_age(chart, visit);
        break;
    case COLUMN_WEIGHT:
        put_weight(chart, visit);
        break;
    case COLUMN_HEIGHT:
        put_height(chart, visit);
        break;
    case COLUMN_BMI:
        if (chart->bmi) {
            chart_number(out, a->bmi, 1);
        }
        break;
    case COLUMN_PERCENTILE:
        put_percentile(out, growth_percentile(a));
        if (chart->bmi && growth_percentile(a) >= 95) {
            buf_add_cstr(out, " (");
            chart_number(out, a->percent_of_p95, 0);
            buf_add_cstr(out, " %)");
        }
        break;
    }
}

/* Weight and height give way to larger letters on a narrow screen, but not to a screen reader. */
static void begin_cell(const struct chart *chart, enum column column, double y, bool header)
{
    static const double x[COLUMNS] = {8, 132, 244, 354, 462, 536};
    static const bool spare[COLUMNS] = {false, false, true, true, false, false};
    buf_printf(chart->out, "<text role=\"%s\" class=\"c%d%s\"%s", header ? "columnheader" : "cell",
               (int)column, spare[column] ? " spare" : "", header ? " font-weight=\"bold\"" : "");
    chart_attribute(chart->out, "x", x[column]);
    chart_attribute(chart->out, "y", y);
    buf_add_char(chart->out, '>');
}

static void put_header(const struct chart *chart)
{
    const enum chart_text names[COLUMNS] = {
        CHART_TEXT_DATE,   CHART_TEXT_AGE,
        CHART_TEXT_WEIGHT, chart->bmi ? CHART_TEXT_HEIGHT : CHART_TEXT_LENGTH,
        CHART_TEXT_BMI,    chart->bmi ? CHART_TEXT_PERCENTILE_P95 : CHART_TEXT_PERCENTILE};
    buf_add_cstr(chart->out, "<g role=\"row\" class=\"head\">");
    for (int column = 0; column < COLUMNS; column++) {
        begin_cell(chart, (enum column)column, TABLE_TOP, true);
        bool empty = column == COLUMN_BMI && !chart->bmi;
        buf_add_cstr(chart->out, empty ? "" : chart_text(chart, names[column]));
        buf_add_cstr(chart->out, "</text>");
    }
    buf_add_cstr(chart->out, "</g>\n");
}

static void put_row(const struct chart *chart, const struct growth_visit *visit, double y,
                    bool shown)
{
    buf_printf(chart->out, "<g role=\"row\"%s>", shown ? "" : " opacity=\"0\"");
    for (int column = 0; column < COLUMNS; column++) {
        begin_cell(chart, (enum column)column, y, false);
        put_cell(chart, visit, (enum column)column);
        buf_add_cstr(chart->out, "</text>");
    }
    buf_add_cstr(chart->out, "</g>\n");
}

size_t chart_rows_shown(const struct chart *chart)
{
    return chart->points < ROWS_SHOWN ? chart->points : ROWS_SHOWN;
}

/* The latest visits are printed, the newest first; earlier ones are there for a screen reader. */
void chart_table(const struct chart *chart)
{
    struct buf *out = chart->out;
    buf_printf(out, "<g class=\"table\" role=\"table\" aria-label=\"%s\" font-size=\"15\">\n",
               chart_text(chart, CHART_TEXT_TABLE));
    put_header(chart);
    size_t shown = chart_rows_shown(chart);
    size_t row = 0;
    for (size_t i = chart->result->count; i > 0; i--) {
        const struct growth_visit *visit = &chart->result->visits[i - 1];
        double x;
        double y;
        if (!chart_point(chart, visit, &x, &y)) {
            continue;
        }
        row++;
        size_t place = row <= shown ? row : shown;
        put_row(chart, visit, TABLE_TOP + (double)(ROW_HEIGHT * place), row <= shown);
    }
    buf_add_cstr(out, "</g>\n");
    if (chart->points != shown || chart->points == 0) {
        buf_add_cstr(out, "<text class=\"source\" font-size=\"14\" x=\"8\"");
        chart_attribute(out, "y", TABLE_TOP + (double)(ROW_HEIGHT * (shown + 1)));
        if (chart->points == 0) {
            buf_printf(out, ">%s</text>\n", chart_text(chart, CHART_TEXT_NONE));
        } else {
            buf_printf(out, ">%s: %zu</text>\n", chart_text(chart, CHART_TEXT_EARLIER),
                       chart->points - shown);
        }
    }
}
