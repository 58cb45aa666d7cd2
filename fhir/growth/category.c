#include "fhir/growth/category.h"

#include <math.h>
#include <stddef.h>

struct category_row {
    const char *name;
    const char *z68;
    const char *e66;
};

static const struct category_row rows[] = {
#define CATEGORY(id, name, z68, e66) {name, z68, e66},
#include "fhir/growth/categories.def"
#undef CATEGORY
};

enum growth_category growth_category_of_length(double wfl_z)
{
    if (isnan(wfl_z)) {
        return GROWTH_CATEGORY_NONE;
    }
    if (wfl_z < -2) {
        return GROWTH_CATEGORY_LOW_WFL;
    }
    return wfl_z < 2 ? GROWTH_CATEGORY_WFL_IN_RANGE : GROWTH_CATEGORY_HIGH_WFL;
}

enum growth_category growth_category_of_percentile(double percentile)
{
    if (isnan(percentile)) {
        return GROWTH_CATEGORY_NONE;
    }
    if (percentile < 5) {
        return GROWTH_CATEGORY_UNDERWEIGHT;
    }
    if (percentile < 85) {
        return GROWTH_CATEGORY_HEALTHY;
    }
    return percentile < 95 ? GROWTH_CATEGORY_OVERWEIGHT : GROWTH_CATEGORY_OBESITY_CLASS_1;
}

enum growth_category growth_category_of_bmi(double percentile, double percent_of_p95, double bmi)
{
    enum growth_category band = growth_category_of_percentile(percentile);
    if (band != GROWTH_CATEGORY_OBESITY_CLASS_1) {
        return band;
    }
    if (percent_of_p95 >= 140 || bmi >= 40) {
        return GROWTH_CATEGORY_OBESITY_CLASS_3;
    }
    return percent_of_p95 >= 120 || bmi >= 35 ? GROWTH_CATEGORY_OBESITY_CLASS_2 : band;
}

const char *growth_category_name(enum growth_category category)
{
    return rows[category].name;
}

const char *growth_category_e66(enum growth_category category)
{
    return rows[category].e66;
}

const char *growth_category_z68(enum growth_category category, double percent_of_p95)
{
    if (category < GROWTH_CATEGORY_OBESITY_CLASS_1) {
        return rows[category].z68;
    }
    if (percent_of_p95 >= 140) {
        return "Z68.56";
    }
    return percent_of_p95 >= 120 ? "Z68.55" : "Z68.54";
}
