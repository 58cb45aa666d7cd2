#include "gateway/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now); /* cannot fail for these ids and a valid pointer */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t system_utc(void *state)
{
    (void)state;
    return read_clock(CLOCK_REALTIME);
}

static int64_t system_monotonic(void *state)
{
    (void)state;
    return read_clock(CLOCK_MONOTONIC);
}

const struct clock clock_system = {.utc = system_utc, .monotonic = system_monotonic, .state = NULL};

int64_t clock_days(int64_t year, unsigned month, unsigned day)
{
    /* March is the first month here, so that the leap day is the last of its year. */
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

/* Each log line has a time: printf would take half of what a line costs. */
static char *put_digits(char *at, int number, int digits)
{
    for (int i = digits; i-- > 0; number /= 10) {
        at[i] = (char)('0' + number % 10);
    }
    return at + digits;
}

size_t clock_format(int64_t utc_us, char out[CLOCK_TEXT_SIZE])
{
    static const int64_t first = -62167219200000000; /* 0000-01-01 */
    static const int64_t last = 253402300799999999;  /* 9999-12-31T23:59:59.999999 */
    utc_us = utc_us < first ? first : utc_us > last ? last : utc_us;
    int64_t ms = utc_us / 1000 - (utc_us % 1000 < 0);
    int64_t s = ms / 1000 - (ms % 1000 < 0);
    time_t seconds = (time_t)s;
    struct tm t;
    gmtime_r(&seconds, &t);
    const struct {
        int number;
        int digits;
        char behind;
    } parts[] = {{t.tm_year + 1900, 4, '-'},    {t.tm_mon + 1, 2, '-'}, {t.tm_mday, 2, 'T'},
                 {t.tm_hour, 2, ':'},           {t.tm_min, 2, ':'},     {t.tm_sec, 2, '.'},
                 {(int)(ms - s * 1000), 3, 'Z'}};
    char *at = out;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        at = put_digits(at, parts[i].number, parts[i].digits);
        *at++ = parts[i].behind;
    }
    *at = '\0';
    return (size_t)(at - out);
}

#ifdef EPLAN_SEAMS
static int64_t settable_utc(void *state)
{
    return atomic_load(&((struct clock_settable *)state)->utc_us);
}

static int64_t settable_monotonic(void *state)
{
    return atomic_load(&((struct clock_settable *)state)->monotonic_us);
}

struct clock clock_settable_init(struct clock_settable *settable, int64_t utc_us)
{
    atomic_store(&settable->utc_us, utc_us);
    atomic_store(&settable->monotonic_us, (int64_t)3600 * 1000000);
    return (struct clock){.utc = settable_utc, .monotonic = settable_monotonic, .state = settable};
}

void clock_settable_advance(struct clock_settable *settable, int64_t us)
{
    atomic_fetch_add(&settable->utc_us, us);
    atomic_fetch_add(&settable->monotonic_us, us);
}

void clock_settable_set_utc(struct clock_settable *settable, int64_t utc_us)
{
    atomic_store(&settable->utc_us, utc_us);
}

static int64_t shifted_utc(void *state)
{
    long long seconds = 0;
    FILE *file = fopen(state, "re");
    if (file != NULL) {
        char line[32];
        if (fgets(line, sizeof line, file) != NULL) {
            seconds = strtoll(line, NULL, 10); /* 0 for what is no number */
        }
        fclose(file);
    }
    return read_clock(CLOCK_REALTIME) + (int64_t)seconds * 1000000;
}

struct clock clock_shifted(char *path)
{
    return (struct clock){.utc = shifted_utc, .monotonic = system_monotonic, .state = path};
}
#endif
