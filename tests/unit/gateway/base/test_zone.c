#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "gateway/base/zone.h"

static struct slice read_file(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return SLICE_NONE;
    }
    char *bytes = arena_alloc(arena, 65536);
    size_t len = fread(bytes, 1, 65536, file);
    fclose(file);
    return slice_from(bytes, len);
}

static void offsets_are_read(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    static const struct {
        const char *text;
        int minutes;
    } good[] = {{"Z", 0}, {"+00:00", 0}, {"-06:00", -360}, {"+05:30", 330}, {"+14:00", 840}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        const struct zone *zone = NULL;
        assert_int_equal(zone_from_offset(arena, slice_of(good[i].text), &zone), STATUS_OK);
        assert_int_equal(zone_offset_minutes(zone, 1700000000), good[i].minutes);
        assert_true(slice_is(zone_name(zone), good[i].text));
    }
    static const char *const bad[] = {"",       "z",      "06:00",  "+6:00",  "+06:60",
                                      "+14:01", "-06-00", "+0a:00", "-06:000"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct zone *zone = NULL;
        assert_int_equal(zone_from_offset(arena, slice_of(bad[i]), &zone), STATUS_INVALID);
        assert_null(zone);
    }
    arena_destroy(&arena);
}

/* The oracle is the C library, which reads the same files with code of its own. */
static void zones_agree_with_the_c_library(void **state)
{
    (void)state;
    static const char *const names[] = {
        "America/Chicago",   "America/Phoenix", "Europe/Dublin",       "Asia/Kolkata",
        "America/Sao_Paulo", "Pacific/Chatham", "Australia/Lord_Howe", "America/Godthab"};
    struct arena *arena = arena_create(0);
    unsigned looked = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[256];
        snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", names[i]);
        struct slice bytes = read_file(arena, path);
        if (bytes.len == 0) {
            continue; /* a machine without tzdata */
        }
        const struct zone *zone = NULL;
        assert_int_equal(zone_from_tzif(arena, slice_of(names[i]), bytes, &zone), STATUS_OK);
        setenv("TZ", names[i], 1);
        tzset();
        /* 1970 to 2090 in steps that meet every hour of the day and both sides of each change. */
        for (int64_t at = 0; at < INT64_C(3786912000); at += 86400 * 3 + 3607) {
            time_t seconds = (time_t)at;
            struct tm local;
            localtime_r(&seconds, &local);
            int want = (int)(local.tm_gmtoff / 60);
            if (zone_offset_minutes(zone, at) != want) {
                fail_msg("%s at %lld: %d, the C library says %d", names[i], (long long)at,
                         zone_offset_minutes(zone, at), want);
            }
            looked++;
        }
    }
    unsetenv("TZ");
    print_message("# %u instants compared\n", looked);
    arena_destroy(&arena);
}

/* A slim file: no transitions, only the rule. */
static struct slice slim_file(struct arena *arena, const char *rule)
{
    char header[44] = "TZif2";
    header[39] = 1; /* one type */
    header[43] = 4; /* its name */
    char *bytes = arena_zalloc(arena, 256);
    size_t len = 0;
    for (int block = 0; block < 2; block++) {
        memcpy(bytes + len, header, 44);
        len += 44 + 6;
        memcpy(bytes + len, "XXX", 4);
        len += 4;
    }
    len += (size_t)sprintf(bytes + len, "\n%s\n", rule);
    return slice_from(bytes, len);
}

static void rules_are_followed(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        int64_t at;
        int minutes;
    } rows[] = {
        {"CST6CDT,M3.2.0,M11.1.0", 1710057599, -360}, /* 2024-03-10T07:59:59Z */
        {"CST6CDT,M3.2.0,M11.1.0", 1710057600, -300},
        {"CST6CDT,M3.2.0,M11.1.0", 1730617199, -300}, /* 2024-11-03T06:59:59Z */
        {"CST6CDT,M3.2.0,M11.1.0", 1730617200, -360},
        {"<-03>3", 1710057600, -180},
        {"NZST-12NZDT,M9.5.0,M4.1.0/3", 1704067200, 780}, /* January: summer there */
        {"NZST-12NZDT,M9.5.0,M4.1.0/3", 1719792000, 720},
        {"AAA0BBB-1,J60/0,J305/0", 1709251200, 60}, /* 2024-03-01: day 60, leap year or not */
        {"AAA0BBB-1,J60/0,J305/0", 1709251199, 0},
        {"AAA0BBB-1,59/0,304/0", 1709164800, 60}, /* 2024-02-29: day 59 from 0 */
    };
    struct arena *arena = arena_create(0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct zone *zone = NULL;
        struct slice bytes = slim_file(arena, rows[i].rule);
        assert_int_equal(zone_from_tzif(arena, SLICE("x"), bytes, &zone), STATUS_OK);
        if (zone_offset_minutes(zone, rows[i].at) != rows[i].minutes) {
            fail_msg("row %zu: %d", i, zone_offset_minutes(zone, rows[i].at));
        }
    }
    static const char *const bad[] = {"C6",
                                      "CST",
                                      "CST6CDT",
                                      "CST6CDT,M13.1.0,M11.1.0",
                                      "CST6CDT,M3.0.0,M11.1.0",
                                      "CST6CDT,M3.2.0",
                                      "CST6 "};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct zone *zone = NULL;
        assert_int_equal(zone_from_tzif(arena, SLICE("x"), slim_file(arena, bad[i]), &zone),
                         STATUS_INVALID);
    }
    arena_destroy(&arena);
}

static void damaged_files_are_refused(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    struct slice bytes = slim_file(arena, "CST6CDT,M3.2.0,M11.1.0");
    const struct zone *zone = NULL;
    for (size_t len = 0; len < bytes.len; len++) {
        struct slice cut = arena_copy(arena, slice_part(bytes, 0, len));
        assert_int_equal(zone_from_tzif(arena, SLICE("x"), cut, &zone), STATUS_INVALID);
    }
    assert_int_equal(zone_from_tzif(arena, SLICE("x"), SLICE("TZif"), &zone), STATUS_INVALID);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_are_read), cmocka_unit_test(zones_agree_with_the_c_library),
        cmocka_unit_test(rules_are_followed), cmocka_unit_test(damaged_files_are_refused)};
    return cmocka_run_group_tests_name("zone", tests, NULL, NULL);
}
