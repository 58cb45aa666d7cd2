#include "gateway/http/retry_after.h"

#include "gateway/base/clock.h"

/* What a date's text gave so far. */
struct parts {
    unsigned day;
    unsigned month;
    unsigned year;
    unsigned hour;
    unsigned minute;
    unsigned second;
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool take_letters(struct slice *rest, size_t least)
{
    size_t n = 0;
    while (n < rest->len && is_letter(rest->at[n])) {
        n++;
    }
    *rest = slice_part(*rest, n, rest->len);
    return n >= least;
}

static bool take_digits(struct slice *rest, size_t count, unsigned *value_out)
{
    unsigned value = 0;
    if (rest->len < count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        char c = rest->at[i];
        if (c < '0' || c > '9') {
            return false;
        }
        value = value * 10 + (unsigned)(c - '0');
    }
    *rest = slice_part(*rest, count, rest->len);
    *value_out = value;
    return true;
}

static bool take_month(struct slice *rest, unsigned *month_out)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    size_t at = slice_find(slice_of(names), slice_part(*rest, 0, 3), 0);
    if (rest->len < 3 || at == SIZE_MAX || at % 3 != 0) {
        return false;
    }
    *month_out = (unsigned)(at / 3) + 1;
    *rest = slice_part(*rest, 3, rest->len);
    return true;
}

/* asctime pads the day with a space. */
static bool take_padded_day(struct slice *rest, unsigned *day_out)
{
    if (rest->len > 0 && rest->at[0] == ' ') {
        *rest = slice_part(*rest, 1, rest->len);
        return take_digits(rest, 1, day_out);
    }
    return take_digits(rest, 2, day_out);
}

static bool take_short_year(struct slice *rest, unsigned *year_out)
{
    unsigned year;
    if (!take_digits(rest, 2, &year)) {
        return false;
    }
    *year_out = year + (year < 70 ? 2000 : 1900);
    return true;
}

/* w: three letters; W: more; d, e: day; m: month; y, Y: year of two and four digits; H M S; the
 * rest stands for itself. */
static bool take(struct slice *rest, char what, struct parts *parts)
{
    switch (what) {
    case 'w':
        return take_letters(rest, 3);
    case 'W':
        return take_letters(rest, 6);
    case 'd':
        return take_digits(rest, 2, &parts->day);
    case 'e':
        return take_padded_day(rest, &parts->day);
    case 'm':
        return take_month(rest, &parts->month);
    case 'y':
        return take_short_year(rest, &parts->year);
    case 'Y':
        return take_digits(rest, 4, &parts->year);
    case 'H':
        return take_digits(rest, 2, &parts->hour);
    case 'M':
        return take_digits(rest, 2, &parts->minute);
    case 'S':
        return take_digits(rest, 2, &parts->second);
    default:
        if (rest->len == 0 || rest->at[0] != what) {
            return false;
        }
        *rest = slice_part(*rest, 1, rest->len);
        return true;
    }
}

static bool matches(struct slice text, const char *form, struct parts *parts)
{
    for (; *form != '\0'; form++) {
        if (!take(&text, *form, parts)) {
            return false;
        }
    }
    return text.len == 0;
}

static bool is_real(const struct parts *p)
{
    static const unsigned days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (p->year % 4 == 0 && p->year % 100 != 0) || p->year % 400 == 0;
    return p->day >= 1 && p->day <= days[p->month - 1] && (p->month != 2 || p->day < 29 || leap) &&
           p->hour < 24 && p->minute < 60 && p->second <= 60; /* 60: a leap second */
}

enum status http_date_read(struct slice text, int64_t *utc_us_out)
{
    static const struct {
        const char *form;
        bool zone; /* " GMT" follows */
    } forms[] = {
        {"w, d m Y H:M:S", true},
        {"W, d-m-y H:M:S", true},
        {"w m e H:M:S Y", false},
    };
    text = slice_trim(text);
    bool zone = slice_ends_with(text, SLICE(" GMT"));
    text.len -= zone ? 4 : 0;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct parts p = {0};
        if (zone == forms[i].zone && matches(text, forms[i].form, &p)) {
            if (!is_real(&p)) {
                return STATUS_INVALID;
            }
            int64_t seconds = clock_days(p.year, p.month, p.day) * 86400 + (int64_t)p.hour * 3600 +
                              (int64_t)p.minute * 60 + p.second;
            *utc_us_out = seconds * 1000000;
            return STATUS_OK;
        }
    }
    return STATUS_INVALID;
}

static uint64_t clamp(uint64_t ms, const struct retry_bounds *bounds)
{
    return ms < bounds->least_ms ? bounds->least_ms : ms > bounds->most_ms ? bounds->most_ms : ms;
}

static uint64_t clamp_seconds(uint64_t seconds, const struct retry_bounds *bounds)
{
    return clamp(seconds > UINT64_MAX / 1000 ? UINT64_MAX : seconds * 1000, bounds);
}

static uint64_t clamp_until(int64_t then_us, int64_t now_us, const struct retry_bounds *bounds)
{
    int64_t wait_us = 0;
    if (then_us <= now_us) {
        return clamp(0, bounds);
    }
    if (__builtin_sub_overflow(then_us, now_us, &wait_us)) {
        wait_us = INT64_MAX;
    }
    return clamp((uint64_t)wait_us / 1000 + (wait_us % 1000 != 0), bounds);
}

/* Digits only, whatever their number: more than fit are the largest number. */
static bool read_count(struct slice text, uint64_t *count_out)
{
    if (text.len == 0) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return false;
        }
    }
    if (!slice_to_u64(text, count_out)) {
        *count_out = UINT64_MAX;
    }
    return true;
}

enum status retry_after_read(struct slice value, struct slice date, int64_t now_utc_us,
                             const struct retry_bounds *bounds, uint64_t *wait_ms_out)
{
    uint64_t seconds;
    int64_t then;
    int64_t now;
    value = slice_trim(value);
    if (value.len == 0) {
        return STATUS_ABSENT;
    }
    if (read_count(value, &seconds)) {
        *wait_ms_out = clamp_seconds(seconds, bounds);
        return STATUS_OK;
    }
    if (http_date_read(value, &then) != STATUS_OK) {
        return STATUS_INVALID;
    }
    if (http_date_read(date, &now) != STATUS_OK) {
        now = now_utc_us;
    }
    *wait_ms_out = clamp_until(then, now, bounds);
    return STATUS_OK;
}

/* Seconds from now, or a point of time: nobody asks for 30 years, and 1970 is long past. */
static bool read_reset(struct slice text, int64_t now_utc_us, const struct retry_bounds *bounds,
                       uint64_t *wait_ms_out)
{
    static const uint64_t epoch_seconds = 1000000000;   /* 2001 */
    static const uint64_t epoch_ms = 1000000000000;     /* 2001 */
    static const uint64_t largest_ms = 253402300800000; /* the year 10000 */
    uint64_t number;
    int64_t then;
    if (!read_count(text, &number)) {
        if (http_date_read(text, &then) != STATUS_OK) {
            return false;
        }
        *wait_ms_out = clamp_until(then, now_utc_us, bounds);
    } else if (number < epoch_seconds || number > largest_ms) {
        *wait_ms_out = clamp_seconds(number, bounds);
    } else {
        uint64_t ms = number >= epoch_ms ? number : number * 1000;
        *wait_ms_out = clamp_until((int64_t)ms * 1000, now_utc_us, bounds);
    }
    return true;
}

/* The value of `name` in "a=1, b=2" or `"p";r=1;t=2`. */
static struct slice member(struct slice list, struct slice name)
{
    while (list.len != 0) {
        size_t end = 0;
        while (end < list.len && list.at[end] != ',' && list.at[end] != ';') {
            end++;
        }
        struct slice value = slice_part(list, 0, end);
        struct slice key;
        slice_cut(&value, '=', &key);
        if (slice_equal(slice_trim(key), name)) {
            return slice_trim(value);
        }
        list = slice_part(list, end + 1, list.len);
    }
    return SLICE_NONE;
}

static struct slice first_of(struct slice a, struct slice b, struct slice c)
{
    return a.len != 0 ? a : b.len != 0 ? b : c;
}

enum status rate_limit_read(struct slice combined, struct slice remaining, struct slice reset,
                            int64_t now_utc_us, const struct retry_bounds *bounds,
                            struct rate_limit *limit_out)
{
    remaining = slice_trim(
        first_of(remaining, member(combined, SLICE("remaining")), member(combined, SLICE("r"))));
    reset =
        slice_trim(first_of(reset, member(combined, SLICE("reset")), member(combined, SLICE("t"))));
    struct rate_limit limit = {.remaining = UINT64_MAX, .wait_ms = bounds->least_ms};
    if (remaining.len == 0 && reset.len == 0) {
        return slice_trim(combined).len == 0 ? STATUS_ABSENT : STATUS_INVALID;
    }
    if ((remaining.len != 0 && !read_count(remaining, &limit.remaining)) ||
        (reset.len != 0 && !read_reset(reset, now_utc_us, bounds, &limit.wait_ms))) {
        return STATUS_INVALID;
    }
    *limit_out = limit;
    return STATUS_OK;
}
