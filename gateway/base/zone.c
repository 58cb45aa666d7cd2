#include "gateway/base/zone.h"

#include <stdbool.h>
#include <string.h>

/* A day of the year on which the offset changes: RFC 8536 3.3.1, POSIX TZ. */
struct change_day {
    char kind;   /* 'M': month.week.weekday; 'J': 1 to 365, never 29 February; '0': 0 to 365 */
    int month;   /* 1 to 12 */
    int week;    /* 1 to 5, 5 is the last */
    int day;     /* weekday from Sunday 0, or day of the year */
    int seconds; /* of local time, -167 to 167 hours */
};

struct rule {
    int standard; /* seconds east of UTC */
    int daylight;
    bool has_daylight;
    struct change_day to_daylight;
    struct change_day to_standard;
};

struct zone {
    struct slice name;
    size_t count;
    const int64_t *at; /* transitions, ascending, seconds UTC */
    const int *offset; /* from at[i] on, seconds east */
    int first;         /* before at[0] */
    bool has_rule;     /* from the last transition on */
    struct rule rule;
};

enum { DAY = 86400, HEADER = 44, TRANSITIONS_MOST = 10000, TYPES_MOST = 256 };

/* ---- calendar ---- */

static int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t year_of(int64_t seconds)
{
    int64_t days = seconds / DAY - (seconds % DAY < 0);
    int64_t year = 1970 + days / 366 - (days < 0);
    while (days_from_civil(year + 1, 1, 1) <= days) {
        year++;
    }
    return year;
}

/* Local seconds since 1970 at which the offset changes in that year. */
static int64_t change_in(const struct change_day *change, int64_t year)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t days = days_from_civil(year, 1, 1);
    if (change->kind == 'M') {
        days = days_from_civil(year, change->month, 1);
        int weekday = (int)(((days + 4) % 7 + 7) % 7);
        int day = (change->day - weekday + 7) % 7 + 7 * (change->week - 1);
        int length = lengths[change->month - 1] + (change->month == 2 && is_leap(year));
        days += day >= length ? day - 7 : day;
    } else if (change->kind == 'J') {
        days += change->day - 1 + (change->day >= 60 && is_leap(year));
    } else {
        days += change->day;
    }
    return days * DAY + change->seconds;
}

static int rule_offset(const struct rule *rule, int64_t utc)
{
    if (!rule->has_daylight) {
        return rule->standard;
    }
    int64_t year = year_of(utc + rule->standard);
    int64_t begin = change_in(&rule->to_daylight, year) - rule->standard;
    int64_t end = change_in(&rule->to_standard, year) - rule->daylight;
    bool daylight = begin < end ? utc >= begin && utc < end : utc >= begin || utc < end;
    return daylight ? rule->daylight : rule->standard;
}

/* ---- the rule behind the last transition ---- */

static bool take_char(struct slice *text, char c)
{
    bool there = text->len != 0 && text->at[0] == c;
    *text = slice_part(*text, there, text->len);
    return there;
}

static bool take_number(struct slice *text, int most, int *value_out)
{
    int value = 0;
    size_t n = 0;
    while (n < text->len && n < 5 && text->at[n] >= '0' && text->at[n] <= '9') {
        value = value * 10 + (text->at[n++] - '0');
    }
    *text = slice_part(*text, n, text->len);
    if (n == 0 || value > most) {
        return false;
    }
    *value_out = value;
    return true;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool take_time(struct slice *text, int *seconds_out)
{
    bool minus = take_char(text, '-');
    int part[3] = {0};
    if (!minus) {
        take_char(text, '+');
    }
    if (!take_number(text, 167, &part[0])) {
        return false;
    }
    for (int i = 1; i < 3 && take_char(text, ':'); i++) {
        if (!take_number(text, 59, &part[i])) {
            return false;
        }
    }
    int seconds = part[0] * 3600 + part[1] * 60 + part[2];
    *seconds_out = minus ? -seconds : seconds;
    return true;
}

static bool take_name(struct slice *text)
{
    size_t n = 0;
    if (take_char(text, '<')) {
        size_t close = slice_find(*text, SLICE(">"), 0);
        n = close == SIZE_MAX ? 0 : close + 1;
    } else {
        while (n < text->len && ((text->at[n] | 0x20) >= 'a' && (text->at[n] | 0x20) <= 'z')) {
            n++;
        }
    }
    *text = slice_part(*text, n, text->len);
    return n >= 3;
}

static bool take_change(struct slice *text, struct change_day *change)
{
    bool ok;
    change->seconds = 2 * 3600;
    if (!take_char(text, ',')) {
        return false;
    }
    if (take_char(text, 'M')) {
        change->kind = 'M';
        ok = take_number(text, 12, &change->month) && take_char(text, '.') &&
             take_number(text, 5, &change->week) && take_char(text, '.') &&
             take_number(text, 6, &change->day) && change->month >= 1 && change->week >= 1;
    } else {
        change->kind = take_char(text, 'J') ? 'J' : '0';
        ok = take_number(text, 365, &change->day);
    }
    return ok && (!take_char(text, '/') || take_time(text, &change->seconds));
}

/* "CST6CDT,M3.2.0,M11.1.0": offsets are written west of UTC. */
static bool read_rule(struct slice text, struct rule *rule)
{
    *rule = (struct rule){0};
    if (!take_name(&text) || !take_time(&text, &rule->standard)) {
        return false;
    }
    rule->standard = -rule->standard;
    if (text.len == 0) {
        return true;
    }
    rule->has_daylight = true;
    if (!take_name(&text)) {
        return false;
    }
    rule->daylight = rule->standard + 3600;
    if (text.len != 0 && text.at[0] != ',') {
        if (!take_time(&text, &rule->daylight)) {
            return false;
        }
        rule->daylight = -rule->daylight;
    }
    return take_change(&text, &rule->to_daylight) && take_change(&text, &rule->to_standard) &&
           text.len == 0;
}

/* ---- TZif ---- */

static int64_t big_endian(const char *at, size_t bytes)
{
    uint64_t value = (unsigned char)at[0] >= 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < bytes; i++) {
        value = value << 8 | (unsigned char)at[i];
    }
    return (int64_t)value;
}

struct tzif {
    size_t times;
    size_t types;
    size_t size; /* of the data behind the header */
};

static bool read_header(struct slice bytes, size_t time_size, struct tzif *tzif)
{
    if (bytes.len < HEADER || memcmp(bytes.at, "TZif", 4) != 0 || bytes.at[4] < '2') {
        return false;
    }
    size_t counts[6]; /* isut, isstd, leap, time, type, char */
    for (size_t i = 0; i < 6; i++) {
        int64_t count = big_endian(bytes.at + 20 + 4 * i, 4);
        if (count < 0 || count > TRANSITIONS_MOST) {
            return false;
        }
        counts[i] = (size_t)count;
    }
    tzif->times = counts[3];
    tzif->types = counts[4];
    tzif->size = counts[3] * (time_size + 1) + counts[4] * 6 + counts[5] +
                 counts[2] * (time_size + 4) + counts[1] + counts[0];
    return tzif->types >= 1 && tzif->types <= TYPES_MOST && bytes.len - HEADER >= tzif->size;
}

enum status zone_from_tzif(struct arena *arena, struct slice name, struct slice bytes,
                           const struct zone **zone_out)
{
    struct tzif tzif;
    if (!read_header(bytes, 4, &tzif)) {
        return STATUS_INVALID;
    }
    bytes = slice_part(bytes, HEADER + tzif.size, bytes.len);
    if (!read_header(bytes, 8, &tzif)) {
        return STATUS_INVALID;
    }
    const char *times = bytes.at + HEADER;
    const char *kinds = times + tzif.times * 8;
    const char *types = kinds + tzif.times;
    int64_t *at = ARENA_ARRAY(arena, tzif.times, int64_t);
    int *offset = ARENA_ARRAY(arena, tzif.times, int);
    for (size_t i = 0; i < tzif.times; i++) {
        size_t type = (unsigned char)kinds[i];
        at[i] = big_endian(times + 8 * i, 8);
        if (type >= tzif.types || (i > 0 && at[i] <= at[i - 1])) {
            return STATUS_INVALID;
        }
        offset[i] = (int)big_endian(types + 6 * type, 4);
        if (offset[i] < -DAY || offset[i] > DAY) {
            return STATUS_INVALID;
        }
    }
    struct zone *zone = ARENA_NEW(arena, struct zone);
    *zone = (struct zone){.name = arena_copy(arena, name),
                          .count = tzif.times,
                          .at = at,
                          .offset = offset,
                          .first = (int)big_endian(types, 4)};
    struct slice footer = slice_part(bytes, HEADER + tzif.size, bytes.len);
    if (footer.len < 2 || footer.at[0] != '\n' || footer.at[footer.len - 1] != '\n') {
        return STATUS_INVALID;
    }
    zone->has_rule = footer.len > 2;
    if (zone->has_rule && !read_rule(slice_part(footer, 1, footer.len - 2), &zone->rule)) {
        return STATUS_INVALID;
    }
    *zone_out = zone;
    return STATUS_OK;
}

enum status zone_from_offset(struct arena *arena, struct slice text, const struct zone **zone_out)
{
    int seconds = 0;
    if (!slice_is(text, "Z")) {
        uint64_t hours;
        uint64_t minutes;
        if (text.len != 6 || (text.at[0] != '+' && text.at[0] != '-') || text.at[3] != ':' ||
            !slice_to_u64(slice_part(text, 1, 2), &hours) ||
            !slice_to_u64(slice_part(text, 4, 2), &minutes) || minutes > 59 ||
            hours * 60 + minutes > (uint64_t)14 * 60) {
            return STATUS_INVALID;
        }
        seconds = (int)(hours * 60 + minutes) * 60;
        seconds = text.at[0] == '-' ? -seconds : seconds;
    }
    struct zone *zone = ARENA_NEW(arena, struct zone);
    *zone = (struct zone){.name = arena_copy(arena, text), .first = seconds};
    *zone_out = zone;
    return STATUS_OK;
}

struct slice zone_name(const struct zone *zone)
{
    return zone->name;
}

int zone_offset_minutes(const struct zone *zone, int64_t utc_seconds)
{
    int seconds = zone->first;
    size_t low = 0; /* transitions at or before the instant */
    for (size_t high = zone->count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (zone->at[middle] <= utc_seconds) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == zone->count && zone->has_rule) {
        seconds = rule_offset(&zone->rule, utc_seconds);
    } else if (low > 0) {
        seconds = zone->offset[low - 1];
    }
    /* Whole minutes: before about 1930 zones had seconds, which FHIR cannot write. */
    return (seconds >= 0 ? seconds + 30 : seconds - 30) / 60;
}
