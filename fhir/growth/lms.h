/*
 * Cole's LMS method: a distribution as power L, median M and coefficient of variation S. Values are
 * in the unit of M and not negative (0 has an infinite z where L <= 0). Nothing here checks for
 * plausibility.
 */
#ifndef FHIR_GROWTH_LMS_H
#define FHIR_GROWTH_LMS_H

struct lms {
    double l;
    double m;
    double s;
};

/*
 * How a z-score is read off, by publisher:
 * CDC: ((X/M)^L - 1) / (L*S), and ln(X/M)/S when |L| < 0.01, as CDC's SAS program has it.
 * WHO: the power form for every L but 0.
 * WHO_RESTRICTED: as WHO; beyond 3 SD the distance from SD3 in steps of SD3 - SD2 (weight, BMI and
 * weight-for-length; WHO 2006 report, chapter 7).
 */
enum lms_rule { LMS_CDC, LMS_WHO, LMS_WHO_RESTRICTED };

double lms_z(const struct lms *lms, enum lms_rule rule, double value);

/* The value at z; NAN where the distribution has none (1 + L*S*z <= 0). */
double lms_value(const struct lms *lms, enum lms_rule rule, double z);

/* CDC's modified z-score: the distance from the median in units of half the distance from the
 * median to 2 SD on the same side. Linear, so that a mistyped value stays far out. */
double lms_modified_z(const struct lms *lms, double value);

#endif
