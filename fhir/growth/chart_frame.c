#include "fhir/growth/chart_frame.h"

#include <math.h>

static const char *const texts[][2] = {
#define CHART_TEXT(id, en, es) {en, es},
#include "fhir/growth/chart_texts.def"
#undef CHART_TEXT
};

const char *chart_text(const struct chart *chart, enum chart_text id)
{
    return texts[id][chart->spec->spanish];
}

static double share(const struct axis *axis, double value)
{
    return (value * axis->factor - axis->low) / (axis->high - axis->low);
}

double chart_x(const struct chart *chart, double value)
{
    return PLOT_LEFT + share(&chart->x, value) * (PLOT_RIGHT - PLOT_LEFT);
}

double chart_y(const struct chart *chart, double value)
{
    return PLOT_BOTTOM - share(&chart->y, value) * (PLOT_BOTTOM - PLOT_TOP);
}

void chart_number(struct buf *out, double value, int decimals)
{
    static const long powers[] = {1, 10, 100, 1000};
    long scaled = lround(value * (double)powers[decimals]);
    if (scaled < 0) {
        buf_add_char(out, '-');
        scaled = -scaled;
    }
    buf_printf(out, "%ld", scaled / powers[decimals]);
    if (decimals > 0) {
        buf_printf(out, ".%0*ld", decimals, scaled % powers[decimals]);
    }
}

void chart_attribute(struct buf *out, const char *name, double value)
{
    buf_printf(out, " %s=\"", name);
    chart_number(out, value, 1);
    buf_add_char(out, '"');
}

bool chart_point(const struct chart *chart, const struct growth_visit *visit, double *x_out,
                 double *y_out)
{
    const struct growth_assessment *a = &visit->assessment;
    enum growth_chart wanted = chart->bmi ? GROWTH_CHART_CDC : GROWTH_CHART_WHO;
    double x = chart->bmi ? fmax(a->age.months, 24) : a->height_cm;
    double y = chart->bmi ? a->bmi : visit->value[GROWTH_WEIGHT];
    if (a->chart != wanted || !(x > 0) || !(y > 0) || isnan(growth_percentile(a))) {
        return false;
    }
    *x_out = x;
    *y_out = y;
    return true;
}

bool chart_is_doubtful(const struct growth_visit *visit)
{
    return (visit->assessment.flags & growth_flags_implausible()) != 0 ||
           growth_flag_has(visit->assessment.flags, GROWTH_FLAG_MEASURED_IN_FUTURE);
}
