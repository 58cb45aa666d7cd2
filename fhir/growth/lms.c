#include "fhir/growth/lms.h"

#include <math.h>
#include <stdbool.h>

/* CDC's SAS program: `if abs(l) >= 0.01`. */
static const double cdc_small_power = 0.01;

static bool takes_logarithm(const struct lms *lms, enum lms_rule rule)
{
    return rule == LMS_CDC ? fabs(lms->l) < cdc_small_power : lms->l == 0;
}

static double plain_z(const struct lms *lms, enum lms_rule rule, double value)
{
    double ratio = value / lms->m;
    if (lms->l == 1) { /* WHO length and head circumference: spares the power */
        return (ratio - 1) / lms->s;
    }
    if (takes_logarithm(lms, rule)) {
        return log(ratio) / lms->s;
    }
    return (pow(ratio, lms->l) - 1) / (lms->l * lms->s);
}

static double plain_value(const struct lms *lms, enum lms_rule rule, double z)
{
    if (takes_logarithm(lms, rule)) {
        return lms->m * exp(lms->s * z);
    }
    double base = 1 + lms->l * lms->s * z;
    return base > 0 ? lms->m * pow(base, 1 / lms->l) : NAN;
}

double lms_z(const struct lms *lms, enum lms_rule rule, double value)
{
    double z = plain_z(lms, rule, value);
    if (rule != LMS_WHO_RESTRICTED || fabs(z) <= 3) {
        return z;
    }
    double side = z > 0 ? 1 : -1;
    double sd3 = plain_value(lms, rule, 3 * side);
    double sd2 = plain_value(lms, rule, 2 * side);
    return side * (3 + (value - sd3) / (sd3 - sd2));
}

double lms_value(const struct lms *lms, enum lms_rule rule, double z)
{
    if (rule != LMS_WHO_RESTRICTED || fabs(z) <= 3) {
        return plain_value(lms, rule, z);
    }
    double side = z > 0 ? 1 : -1;
    double sd3 = plain_value(lms, rule, 3 * side);
    double sd2 = plain_value(lms, rule, 2 * side);
    return sd3 + (fabs(z) - 3) * (sd3 - sd2);
}

double lms_modified_z(const struct lms *lms, double value)
{
    double side = value < lms->m ? -1 : 1;
    double sd2 = plain_value(lms, LMS_WHO, 2 * side); /* CDC's program has no logarithm here */
    return side * (value - lms->m) / (0.5 * (sd2 - lms->m));
}
