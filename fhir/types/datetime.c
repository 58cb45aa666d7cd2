#include "fhir/types/datetime.h"

#include "fhir/types/decimal.h"

enum { SECONDS_A_DAY = 86400, DAYS_A_MONTH = 30, DAYS_A_YEAR = 365, MONTHS_A_YEAR = 12 };
static const int64_t nanoseconds = 1000000000;
static const int64_t day_nanoseconds = SECONDS_A_DAY * nanoseconds;

/* ---- The calendar ---- */

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int datetime_days_in_month(int year, int month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

/*
 * Days are counted in eras of 400 years that begin on 1 March, so that the leap day is an era's
 * last: 146097 days an era, 719468 from 0000-03-01 to 1970-01-01.
 */
int64_t datetime_day_number(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void datetime_day_to_date(int64_t day_number, int *year_out, int *month_out, int *day_out)
{
    int64_t days = day_number + 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    int month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year_out = (int)(year_of_era + era * 400 + (month <= 2));
    *month_out = month;
    *day_out = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
}

static int128 floor_divide(int128 a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t day_number_of(const struct datetime *a)
{
    return datetime_day_number(a->year, a->month, a->day);
}

static int64_t time_of_day(const struct datetime *a)
{
    return (a->hour * 3600 + a->minute * 60 + a->second) * nanoseconds + a->nanosecond;
}

/* Sets the time parts; what lies behind a->part must come out as zero. */
static void set_time_of_day(struct datetime *a, int64_t since_midnight)
{
    int64_t seconds = since_midnight / nanoseconds;
    a->nanosecond = (uint32_t)(since_midnight % nanoseconds);
    a->hour = (uint8_t)(seconds / 3600);
    a->minute = (uint8_t)(seconds / 60 % 60);
    a->second = (uint8_t)(seconds % 60);
}

enum { DAY_LEAST = -719162, DAY_MOST = 2932896 }; /* 0001-01-01, 9999-12-31 */

static enum status set_day(struct datetime *a, int128 day_number)
{
    if (day_number < DAY_LEAST || day_number > DAY_MOST) {
        return STATUS_LIMIT;
    }
    int year;
    int month;
    int day;
    datetime_day_to_date((int64_t)day_number, &year, &month, &day);
    a->year = (int16_t)year;
    a->month = (uint8_t)month;
    a->day = (uint8_t)day;
    return STATUS_OK;
}

/* ---- Equality and order ---- */

/* Year to second in one number that sorts. */
static uint64_t sort_key(const struct datetime *a)
{
    uint64_t key = (uint64_t)a->year << 26 | (uint64_t)a->month << 22 | (uint64_t)a->day << 17;
    return key | (uint64_t)a->hour << 12 | (uint64_t)a->minute << 6 | a->second;
}

/* Seconds and their fractions are one part. */
static int part_of(const struct datetime *a)
{
    return a->part == PART_FRACTION ? PART_SECOND : a->part;
}

/* Both in the same offset, or both without. */
static enum order compare_parts(const struct datetime *a, const struct datetime *b)
{
    static const uint8_t shift[] = {[PART_YEAR] = 26, [PART_MONTH] = 22, [PART_DAY] = 17,
                                    [PART_HOUR] = 12, [PART_MINUTE] = 6, [PART_SECOND] = 0};
    int part = part_of(a) < part_of(b) ? part_of(a) : part_of(b);
    uint64_t left = sort_key(a) >> shift[part];
    uint64_t right = sort_key(b) >> shift[part];
    if (left != right) {
        return left < right ? ORDER_LESS : ORDER_GREATER;
    }
    if (part_of(a) != part_of(b)) {
        return ORDER_UNKNOWN;
    }
    return order_of((a->nanosecond > b->nanosecond) - (a->nanosecond < b->nanosecond));
}

/* The moments in UTC that a value leaves open, both ends included, in nanoseconds. */
struct open_span {
    int128 first;
    int128 last;
};

enum { OFFSET_MOST = 14 * 60, OFFSET_LEAST = -12 * 60 };

static struct open_span span_of(const struct datetime *a)
{
    static const int32_t width[] = {
        [PART_HOUR] = 3600, [PART_MINUTE] = 60, [PART_SECOND] = 0, [PART_FRACTION] = 0};
    int128 first = (int128)day_number_of(a) * day_nanoseconds + time_of_day(a);
    int64_t seconds;
    if (a->part >= PART_HOUR) {
        seconds = width[a->part];
    } else if (a->part == PART_DAY) {
        seconds = SECONDS_A_DAY;
    } else if (a->part == PART_MONTH) {
        seconds = (int64_t)datetime_days_in_month(a->year, a->month) * SECONDS_A_DAY;
    } else {
        seconds = (DAYS_A_YEAR + is_leap(a->year)) * (int64_t)SECONDS_A_DAY;
    }
    int128 last = first + (seconds == 0 ? 0 : seconds * (int128)nanoseconds - 1);
    const int128 minute = (int128)60 * nanoseconds;
    if (a->zone == ZONE_NONE) {
        return (struct open_span){first - OFFSET_MOST * minute, last - OFFSET_LEAST * minute};
    }
    return (struct open_span){first - a->offset * minute, last - a->offset * minute};
}

enum order datetime_compare(const struct datetime *a, const struct datetime *b)
{
    if ((a->kind == DATETIME_TIME) != (b->kind == DATETIME_TIME)) {
        return ORDER_NONE;
    }
    bool zoned = a->zone != ZONE_NONE;
    if (zoned == (b->zone != ZONE_NONE) && a->offset == b->offset) {
        return compare_parts(a, b);
    }
    struct open_span left = span_of(a);
    struct open_span right = span_of(b);
    if (left.last < right.first) {
        return ORDER_LESS;
    }
    if (right.last < left.first) {
        return ORDER_GREATER;
    }
    bool same = left.first == right.first && left.last == right.last && part_of(a) == part_of(b);
    return same ? ORDER_EQUAL : ORDER_UNKNOWN;
}

bool datetime_equivalent(const struct datetime *a, const struct datetime *b)
{
    return datetime_compare(a, b) == ORDER_EQUAL;
}

/* ---- Arithmetic ---- */

/* The finest unit that a date or time ending at `part` can be moved by. */
static enum calendar_unit unit_of_part(int part)
{
    static const uint8_t units[] = {[PART_YEAR] = CALENDAR_YEAR,
                                    [PART_MONTH] = CALENDAR_MONTH,
                                    [PART_DAY] = CALENDAR_DAY,
                                    [PART_HOUR] = CALENDAR_HOUR,
                                    [PART_MINUTE] = CALENDAR_MINUTE,
                                    [PART_SECOND] = CALENDAR_MILLISECOND,
                                    [PART_FRACTION] = CALENDAR_MILLISECOND};
    return (enum calendar_unit)units[part];
}

/* How many of each unit make one of the next larger; weeks are days already. */
static int64_t count_per_larger(enum calendar_unit unit)
{
    switch (unit) {
    case CALENDAR_MONTH:
        return MONTHS_A_YEAR;
    case CALENDAR_DAY:
        return DAYS_A_MONTH;
    case CALENDAR_HOUR:
        return 24;
    case CALENDAR_MINUTE:
    case CALENDAR_SECOND:
        return 60;
    case CALENDAR_MILLISECOND:
        return 1000;
    default:
        return 1;
    }
}

/* Cuts an amount of a unit finer than `coarsest` to whole `coarsest`. */
static int128 cut_to_unit(int128 amount, enum calendar_unit *unit, enum calendar_unit coarsest)
{
    while (*unit > coarsest) {
        if (*unit == CALENDAR_DAY && coarsest == CALENDAR_YEAR) {
            *unit = CALENDAR_YEAR;
            amount /= DAYS_A_YEAR;
        } else {
            amount /= count_per_larger(*unit);
            *unit = *unit == CALENDAR_DAY ? CALENDAR_MONTH : (enum calendar_unit)(*unit - 1);
        }
    }
    return amount;
}

static enum status add_months(struct datetime *a, int128 months)
{
    int128 total = a->year * (int128)MONTHS_A_YEAR + (a->month - 1) + months;
    if (total < MONTHS_A_YEAR || total >= (int128)10000 * MONTHS_A_YEAR) {
        return STATUS_LIMIT;
    }
    a->year = (int16_t)(total / MONTHS_A_YEAR);
    a->month = (uint8_t)(total % MONTHS_A_YEAR + 1);
    int days = datetime_days_in_month(a->year, a->month);
    if (a->day > days) {
        a->day = (uint8_t)days;
    }
    return STATUS_OK;
}

static int64_t nanoseconds_of(enum calendar_unit unit)
{
    switch (unit) {
    case CALENDAR_DAY:
        return day_nanoseconds;
    case CALENDAR_HOUR:
        return 3600 * nanoseconds;
    case CALENDAR_MINUTE:
        return 60 * nanoseconds;
    case CALENDAR_SECOND:
        return nanoseconds;
    default:
        return nanoseconds / 1000;
    }
}

static enum status add_time(struct datetime *a, int128 amount, enum calendar_unit unit)
{
    int128 moved = time_of_day(a) + amount * nanoseconds_of(unit);
    int128 days = floor_divide(moved, day_nanoseconds);
    if (a->kind != DATETIME_TIME) {
        enum status status = set_day(a, day_number_of(a) + days);
        if (status != STATUS_OK) {
            return status;
        }
    }
    set_time_of_day(a, (int64_t)(moved - days * day_nanoseconds));
    if (unit == CALENDAR_MILLISECOND && a->nanosecond != 0 && a->fraction_digits < 3) {
        a->part = PART_FRACTION;
        a->fraction_digits = 3;
    }
    return STATUS_OK;
}

enum status datetime_add(const struct datetime *a, int64_t amount, enum calendar_unit unit,
                         struct datetime *sum_out)
{
    if (unit == CALENDAR_NONE || (a->kind == DATETIME_TIME && unit < CALENDAR_HOUR)) {
        return STATUS_INVALID;
    }
    int128 count = amount;
    if (unit == CALENDAR_WEEK) {
        count *= 7;
        unit = CALENDAR_DAY;
    }
    count = cut_to_unit(count, &unit, unit_of_part(a->part));
    struct datetime sum = *a;
    enum status status;
    if (unit == CALENDAR_YEAR || unit == CALENDAR_MONTH) {
        status = add_months(&sum, unit == CALENDAR_YEAR ? count * MONTHS_A_YEAR : count);
    } else {
        status = add_time(&sum, count, unit);
    }
    if (status == STATUS_OK) {
        *sum_out = sum;
    }
    return status;
}

static bool has_day(const struct datetime *a)
{
    return a->kind != DATETIME_TIME && a->part >= PART_DAY;
}

enum status datetime_days_between(const struct datetime *a, const struct datetime *b,
                                  int64_t *days_out)
{
    if (!has_day(a) || !has_day(b)) {
        return STATUS_ABSENT;
    }
    *days_out = day_number_of(b) - day_number_of(a);
    return STATUS_OK;
}

enum status datetime_months_between(const struct datetime *a, const struct datetime *b,
                                    int64_t *months_out)
{
    if (!has_day(a) || !has_day(b)) {
        return STATUS_ABSENT;
    }
    int64_t months = (b->year - a->year) * (int64_t)MONTHS_A_YEAR + (b->month - a->month);
    if (months > 0 || (months == 0 && b->day >= a->day)) {
        months -= b->day < a->day;
    } else {
        months += b->day > a->day;
    }
    *months_out = months;
    return STATUS_OK;
}

/* ---- Moments and offsets ---- */

enum status datetime_to_utc(const struct datetime *a, int offset, int64_t *microseconds_out)
{
    if (a->kind == DATETIME_TIME) {
        return STATUS_ABSENT;
    }
    int64_t minutes = a->zone == ZONE_NONE ? offset : a->offset;
    int64_t seconds =
        day_number_of(a) * SECONDS_A_DAY + time_of_day(a) / nanoseconds - minutes * 60;
    *microseconds_out = seconds * 1000000 + a->nanosecond / 1000;
    return STATUS_OK;
}

enum status datetime_from_utc(int64_t microseconds, int offset, struct datetime *datetime_out)
{
    if (offset > OFFSET_MOST || offset < -OFFSET_MOST) {
        return STATUS_INVALID;
    }
    const int64_t day = SECONDS_A_DAY * (int64_t)1000000;
    int128 local = (int128)microseconds + offset * (int128)60000000;
    int128 day_number = floor_divide(local, day);
    struct datetime moment = {.kind = DATETIME_DATETIME,
                              .part = PART_FRACTION,
                              .fraction_digits = 3,
                              .offset = (int16_t)offset,
                              .zone = offset == 0 ? ZONE_Z : ZONE_OFFSET};
    enum status status = set_day(&moment, day_number);
    if (status != STATUS_OK) {
        return status;
    }
    int64_t milliseconds = (int64_t)(local - day_number * day) / 1000;
    set_time_of_day(&moment, milliseconds * (nanoseconds / 1000));
    *datetime_out = moment;
    return STATUS_OK;
}

enum status datetime_date_part(const struct datetime *a, struct datetime *date_out)
{
    if (a->kind == DATETIME_TIME) {
        return STATUS_ABSENT;
    }
    *date_out = (struct datetime){.kind = DATETIME_DATE,
                                  .part = a->part < PART_DAY ? a->part : PART_DAY,
                                  .year = a->year,
                                  .month = a->month,
                                  .day = a->day};
    return STATUS_OK;
}

enum status datetime_time_part(const struct datetime *a, struct datetime *time_out)
{
    if (a->part < PART_HOUR) {
        return STATUS_ABSENT;
    }
    struct datetime time = *a;
    time.kind = DATETIME_TIME;
    time.year = 1;
    time.month = 1;
    time.day = 1;
    time.zone = ZONE_NONE;
    time.offset = 0;
    *time_out = time;
    return STATUS_OK;
}

enum status datetime_local_date(const struct datetime *a, int offset, struct datetime *date_out)
{
    struct datetime date;
    enum status status = datetime_date_part(a, &date);
    if (status != STATUS_OK) {
        return status;
    }
    if (a->part >= PART_HOUR && a->zone != ZONE_NONE) {
        int128 moved = (int128)time_of_day(a) + (offset - a->offset) * (int128)60 * nanoseconds;
        status = set_day(&date, day_number_of(a) + floor_divide(moved, day_nanoseconds));
    }
    if (status == STATUS_OK) {
        *date_out = date;
    }
    return status;
}

enum status datetime_make_date(int year, int month, int day, struct datetime *date_out)
{
    if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 ||
        day > datetime_days_in_month(year, month)) {
        return STATUS_INVALID;
    }
    *date_out = (struct datetime){.kind = DATETIME_DATE,
                                  .part = PART_DAY,
                                  .year = (int16_t)year,
                                  .month = (uint8_t)month,
                                  .day = (uint8_t)day};
    return STATUS_OK;
}
