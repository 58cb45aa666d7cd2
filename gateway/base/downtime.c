#include "gateway/base/downtime.h"

static const int64_t second_us = 1000000;
static const int64_t day_s = 86400;
static const int64_t week_s = INT64_C(7) * 86400;
enum { LEAPS_BEFORE_EPOCH = 1969 / 4 - 1969 / 100 + 1969 / 400 };
enum { MONDAY_OF_EPOCH = 3 }; /* 1970-01-01 is a Thursday, three days after a Monday */

/* ---- reading ---- */

/* A number of just so many digits, taken off the front. */
static bool take_digits(struct slice *text, size_t digits, int64_t *number_out)
{
    uint64_t number;
    if (text->len < digits || !slice_to_u64(slice_part(*text, 0, digits), &number)) {
        return false;
    }
    *text = slice_part(*text, digits, SIZE_MAX);
    *number_out = (int64_t)number;
    return true;
}

static bool take(struct slice *text, const char *word)
{
    if (!slice_starts_with(*text, slice_of(word))) {
        return false;
    }
    *text = slice_part(*text, strlen(word), SIZE_MAX);
    return true;
}

/* "01:30", up to "24:00", as seconds. */
static bool take_time(struct slice *text, int64_t *seconds_out)
{
    int64_t hour;
    int64_t minute;
    bool good = take_digits(text, 2, &hour) && take(text, ":") && take_digits(text, 2, &minute) &&
                minute < 60 && hour * 60 + minute <= INT64_C(24) * 60;
    if (good) {
        *seconds_out = (hour * 60 + minute) * 60;
    }
    return good;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar: whole years, leap days, days. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    static const int64_t before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int64_t past = year - 1;
    int64_t leaps = past / 4 - past / 100 + past / 400 - LEAPS_BEFORE_EPOCH;
    return (year - 1970) * 365 + leaps + before[month - 1] + (leap && month > 2 ? 1 : 0) + day - 1;
}

static int64_t days_in(int64_t year, int64_t month)
{
    return month == 12 ? 31 : days_of(year, month + 1, 1) - days_of(year, month, 1);
}

/* "2026-12-24 22:00". */
static bool take_instant(struct slice *text, int64_t *seconds_out)
{
    int64_t year;
    int64_t month;
    int64_t day;
    int64_t time;
    bool good = take_digits(text, 4, &year) && take(text, "-") && take_digits(text, 2, &month) &&
                take(text, "-") && take_digits(text, 2, &day) && take(text, " ") &&
                take_time(text, &time) && year >= 1970 && month >= 1 && month <= 12 && day >= 1 &&
                day <= days_in(year, month);
    if (good) {
        *seconds_out = days_of(year, month, day) * day_s + time;
    }
    return good;
}

static bool read_dated(struct slice text, struct downtime *out)
{
    return take_instant(&text, &out->from) && take(&text, " - ") && take_instant(&text, &out->to) &&
           text.len == 0 && out->from < out->to;
}

static bool read_weekly(struct slice text, struct downtime *out)
{
    static const char *const names[] = {"Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun "};
    int64_t from;
    int64_t to;
    size_t day = 0;
    while (day < 7 && !take(&text, names[day])) {
        day++;
    }
    if (day == 7 || !take_time(&text, &from) || from == day_s || !take(&text, "-") ||
        !take_time(&text, &to) || text.len != 0) {
        return false;
    }
    out->weekly = true;
    out->from = (int64_t)day * day_s + from;
    out->to = (int64_t)day * day_s + to + (to <= from ? day_s : 0);
    return true;
}

enum status downtime_read(struct slice text, struct downtime *downtime_out)
{
    struct downtime out = {.weekly = false};
    if (!read_weekly(text, &out) && !read_dated(text, &out)) {
        return STATUS_INVALID;
    }
    *downtime_out = out;
    return STATUS_OK;
}

/* ---- asking ---- */

/* Seconds from `local` to the end of the window; 0: it does not lie in it. */
static int64_t rest_of(const struct downtime *window, int64_t local)
{
    if (!window->weekly) {
        return local >= window->from && local < window->to ? window->to - local : 0;
    }
    int64_t now = (local + MONDAY_OF_EPOCH * day_s) % week_s;
    if (now < window->from) {
        now += week_s; /* one that began last week may reach to now */
    }
    return now < window->to ? window->to - now : 0;
}

/* The end of the longest window that the second lies in; the second itself: it lies in none. */
static int64_t end_of(const struct downtime *windows, size_t count, const struct zone *zone,
                      int64_t utc_s)
{
    int64_t offset = zone_offset_minutes(zone, utc_s);
    int64_t rest = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t one = rest_of(&windows[i], utc_s + offset * 60);
        rest = one > rest ? one : rest;
    }
    if (rest == 0) {
        return utc_s;
    }
    int64_t end = utc_s + rest;
    end -= (zone_offset_minutes(zone, end) - offset) * 60;
    return end > utc_s ? end : utc_s + 1; /* the clocks went past it */
}

int64_t downtime_end(const struct downtime *windows, size_t count, const struct zone *zone,
                     int64_t utc_us)
{
    int64_t begin = utc_us / second_us;
    int64_t end = begin;
    for (size_t i = 0; i <= count; i++) {
        int64_t next = end_of(windows, count, zone, end);
        if (next == end) {
            break;
        }
        end = next;
    }
    return end > begin ? end * second_us : 0;
}
