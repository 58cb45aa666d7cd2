#include "fhir/growth/age.h"

#include <math.h>

static bool leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && leap(year));
}

/* `count` digits at `from` as a number; -1 when one is none. */
static int digits(struct slice text, size_t from, size_t count)
{
    int value = 0;
    for (size_t i = from; i < from + count; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return -1;
        }
        value = value * 10 + (text.at[i] - '0');
    }
    return value;
}

enum growth_date_fault growth_date_read(struct slice text, struct growth_date *date_out)
{
    if (text.len == 0) {
        return GROWTH_DATE_EMPTY;
    }
    if (text.len < 4 || digits(text, 0, 4) < 1) {
        return GROWTH_DATE_UNREADABLE;
    }
    struct growth_date date = {digits(text, 0, 4), 0, 0};
    if (text.len == 4) {
        return GROWTH_DATE_PARTIAL;
    }
    if (text.len < 7 || text.at[4] != '-') {
        return GROWTH_DATE_UNREADABLE;
    }
    date.month = digits(text, 5, 2);
    if (date.month < 1 || date.month > 12) {
        return GROWTH_DATE_UNREADABLE;
    }
    if (text.len == 7) {
        return GROWTH_DATE_PARTIAL;
    }
    if (text.len < 10 || text.at[7] != '-' ||
        (text.len > 10 && text.at[10] != 'T' && text.at[10] != ' ')) {
        return GROWTH_DATE_UNREADABLE;
    }
    date.day = digits(text, 8, 2);
    if (date.day < 1 || date.day > days_in_month(date.year, date.month)) {
        return GROWTH_DATE_UNREADABLE;
    }
    *date_out = date;
    return GROWTH_DATE_OK;
}

/* The year is counted from March, so that the leap day is its last. Eras are of 400 years. */
enum { DAYS_PER_ERA = 146097, DAYS_TO_1970 = 719468 };

int64_t growth_date_days(struct growth_date date)
{
    int64_t year = date.year - (date.month <= 2);
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
    return era * DAYS_PER_ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
           day_of_year - DAYS_TO_1970;
}

struct growth_date growth_date_of_days(int64_t days)
{
    int64_t shifted = days + DAYS_TO_1970;
    int64_t era = (shifted >= 0 ? shifted : shifted - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
    int64_t day_of_era = shifted - era * DAYS_PER_ERA;
    int64_t year =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / (DAYS_PER_ERA - 1)) /
        365;
    int64_t day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* from March */
    struct growth_date date = {.month = (int)(month < 10 ? month + 3 : month - 9),
                               .day = (int)(day_of_year - (153 * month + 2) / 5 + 1)};
    date.year = (int)(year + era * 400 + (date.month <= 2));
    return date;
}

struct growth_age growth_age_between(struct growth_date birth, struct growth_date measured)
{
    int64_t days = growth_date_days(measured) - growth_date_days(birth);
    int months = (measured.year - birth.year) * 12 + measured.month - birth.month;
    months -= measured.day < birth.day;
    return (struct growth_age){(double)days, (double)days / GROWTH_DAYS_PER_MONTH, months};
}

static struct growth_age without_dates(double days, double months)
{
    int completed = months >= 0 && months < 12000 ? (int)months : -1;
    return (struct growth_age){days, months, completed};
}

struct growth_age growth_age_of_days(double days)
{
    return without_dates(days, days / GROWTH_DAYS_PER_MONTH);
}

struct growth_age growth_age_of_months(double months)
{
    return without_dates(months * GROWTH_DAYS_PER_MONTH, months);
}

double growth_whole_days(double days)
{
    return floor(days + 0.5);
}

enum { TERM_WEEKS = 40, PRETERM_BELOW_WEEKS = 37, CORRECTED_UNTIL_MONTHS = 24 };

double growth_days_early(double gestational_weeks, struct growth_age age)
{
    if (!(gestational_weeks < PRETERM_BELOW_WEEKS) || age.completed >= CORRECTED_UNTIL_MONTHS) {
        return 0;
    }
    return (TERM_WEEKS - gestational_weeks) * 7;
}
