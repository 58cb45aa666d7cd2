/*
 * Ages. Two measures of one age, for two questions:
 * - which chart: completed calendar months (a birthday is a birthday, whatever leap days lie
 *   between; born on 29 February, the birthday of a common year is 1 March);
 * - which z: days / 30.4375, unrounded, as CDC's SAS program counts.
 * A partial birth date has no days: it is refused with the reason, never completed by a guess.
 * Why: gateway/decisions/adr-2611-growth-definitions.md, decisions 1 and 2.
 */
#ifndef FHIR_GROWTH_AGE_H
#define FHIR_GROWTH_AGE_H

#include <stdbool.h>
#include <stdint.h>

#include "fhir/base/slice.h"

#define GROWTH_DAYS_PER_MONTH 30.4375

/* A day of the Gregorian calendar, years 1 to 9999. */
struct growth_date {
    int year;
    int month; /* 1 to 12 */
    int day;   /* 1 to 31 */
};

enum growth_date_fault {
    GROWTH_DATE_OK,
    GROWTH_DATE_EMPTY,
    GROWTH_DATE_PARTIAL,   /* YYYY or YYYY-MM: a valid FHIR date, but no day */
    GROWTH_DATE_UNREADABLE /* no date, or a day the calendar does not have */
};

/*
 * Reads YYYY-MM-DD, alone or before "T" (or one space) and a time: the calendar date in the offset
 * that it carries. *date_out is set on GROWTH_DATE_OK only.
 */
enum growth_date_fault growth_date_read(struct slice text, struct growth_date *date_out);

/* Days since 1970-01-01; negative before. */
int64_t growth_date_days(struct growth_date date);
struct growth_date growth_date_of_days(int64_t days);

struct growth_age {
    double days;   /* since birth; NAN: the age is not known */
    double months; /* days / 30.4375 */
    int completed; /* calendar months completed; without dates the whole part of `months` */
};

#define GROWTH_AGE_UNKNOWN ((struct growth_age){NAN, NAN, -1})

struct growth_age growth_age_between(struct growth_date birth, struct growth_date measured);
struct growth_age growth_age_of_days(double days);
struct growth_age growth_age_of_months(double months);

/* WHO's tables are by day: rounded to the nearest, half a day up. */
double growth_whole_days(double days);

/*
 * Days to take off for prematurity: 40 weeks less the gestational age at birth, below 37 weeks and
 * until 24 months; 0 otherwise and when gestational_weeks is NAN.
 */
double growth_days_early(double gestational_weeks, struct growth_age age);

#endif
