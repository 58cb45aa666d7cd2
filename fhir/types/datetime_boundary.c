/* precision(), lowBoundary() and highBoundary() of dates and times. */
#include "fhir/types/datetime.h"

/* Digits that are given when the last part is this one. */
static const uint8_t date_digits[] = {
    [PART_YEAR] = 4,    [PART_MONTH] = 6,   [PART_DAY] = 8,      [PART_HOUR] = 10,
    [PART_MINUTE] = 12, [PART_SECOND] = 14, [PART_FRACTION] = 17};
static const uint8_t time_digits[] = {
    [PART_HOUR] = 2, [PART_MINUTE] = 4, [PART_SECOND] = 6, [PART_FRACTION] = 9};

int datetime_precision(const struct datetime *a)
{
    int digits = a->kind == DATETIME_TIME ? time_digits[a->part] : date_digits[a->part];
    return a->fraction_digits > 3 ? digits + a->fraction_digits - 3 : digits;
}

int datetime_boundary_default(enum datetime_kind kind)
{
    switch (kind) {
    case DATETIME_DATE:
        return date_digits[PART_DAY];
    case DATETIME_DATETIME:
        return date_digits[PART_FRACTION];
    default:
        return time_digits[PART_FRACTION];
    }
}

/* The last part that a boundary of so many digits has; -1: there is none. */
static int part_of_precision(enum datetime_kind kind, int precision)
{
    int first = kind == DATETIME_TIME ? PART_HOUR : PART_YEAR;
    int last = kind == DATETIME_DATE ? PART_DAY : PART_FRACTION;
    for (int part = first; part <= last; part++) {
        if (precision == (kind == DATETIME_TIME ? time_digits[part] : date_digits[part])) {
            return part;
        }
    }
    return -1;
}

/* Everything behind `part` at its least. */
static void cut_after(struct datetime *a, int part)
{
    a->month = part < PART_MONTH ? 1 : a->month;
    a->day = part < PART_DAY ? 1 : a->day;
    a->hour = part < PART_HOUR ? 0 : a->hour;
    a->minute = part < PART_MINUTE ? 0 : a->minute;
    a->second = part < PART_SECOND ? 0 : a->second;
    a->nanosecond = part < PART_FRACTION ? 0 : a->nanosecond;
}

/* Milliseconds: digits beyond are cut, missing ones become nines for the high boundary. */
static void fit_fraction(struct datetime *a, bool high)
{
    static const uint32_t missing[] = {999000000, 99000000, 9000000};
    if (high && a->fraction_digits < 3) {
        a->nanosecond += missing[a->fraction_digits];
    }
    a->nanosecond -= a->nanosecond % 1000000;
    a->fraction_digits = 3;
}

/* Everything behind the last known part at its greatest, fractions apart. */
static void fill_after(struct datetime *a, int known)
{
    a->month = known < PART_MONTH ? 12 : a->month;
    a->day = known < PART_DAY ? (uint8_t)datetime_days_in_month(a->year, a->month) : a->day;
    a->hour = known < PART_HOUR ? 23 : a->hour;
    a->minute = known < PART_MINUTE ? 59 : a->minute;
    a->second = known < PART_SECOND ? 59 : a->second;
}

static enum status boundary(const struct datetime *a, int precision, bool high,
                            struct datetime *out)
{
    int target = part_of_precision((enum datetime_kind)a->kind, precision);
    if (target < 0) {
        return STATUS_ABSENT;
    }
    struct datetime result = *a;
    if (high) {
        bool hour_only = a->kind == DATETIME_DATETIME && a->part == PART_HOUR;
        fill_after(&result, hour_only ? PART_MINUTE : a->part);
    }
    cut_after(&result, target);
    result.part = (uint8_t)target;
    result.fraction_digits = target < PART_FRACTION ? 0 : result.fraction_digits;
    if (target == PART_FRACTION) {
        fit_fraction(&result, high);
    }
    if (target < PART_HOUR) {
        result.zone = ZONE_NONE;
        result.offset = 0;
    } else if (a->kind == DATETIME_DATETIME && a->zone == ZONE_NONE) {
        result.zone = ZONE_OFFSET;
        result.offset = high ? -12 * 60 : 14 * 60;
    }
    *out = result;
    return STATUS_OK;
}

enum status datetime_low_boundary(const struct datetime *a, int precision, struct datetime *out)
{
    return boundary(a, precision, false, out);
}

enum status datetime_high_boundary(const struct datetime *a, int precision, struct datetime *out)
{
    return boundary(a, precision, true, out);
}
