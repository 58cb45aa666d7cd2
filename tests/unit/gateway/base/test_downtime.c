/* The downtime calendar: what is read, and when it holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/base/downtime.h"

#define S INT64_C(1000000)
/* 2026-11-22 is a Sunday; 00:00 UTC. */
#define SUNDAY INT64_C(1795305600)
#define HOUR INT64_C(3600)

static const struct zone *zone_of(struct arena *arena, const char *offset)
{
    const struct zone *zone = NULL;
    assert_int_equal(zone_from_offset(arena, slice_of(offset), &zone), STATUS_OK);
    return zone;
}

static void reads_what_is_a_window_and_nothing_else(void **state)
{
    (void)state;
    static const char *const good[] = {
        "Sun 01:00-03:00",
        "Mon 00:00-24:00",
        "Sat 23:00-02:00",
        "2026-12-24 22:00 - 2026-12-25 06:00",
        "2028-02-29 00:00 - 2028-03-01 00:00",
    };
    static const char *const bad[] = {
        "",
        "Sun",
        "sun 01:00-03:00",
        "Sun 1:00-3:00",
        "Sun 01:00",
        "Sun 24:00-03:00",
        "Sun 25:00-03:00",
        "Sun 01:60-03:00",
        "Sun 01:00-03:00 ",
        "Sun 24:01-03:00",
        "2026-02-29 00:00 - 2026-03-01 00:00",
        "2026-13-01 00:00 - 2027-01-01 00:00",
        "2026-12-25 06:00 - 2026-12-24 22:00",
        "2026-12-24 22:00 - 06:00",
        "2026-12-24 22:00",
        "2026-12-00 22:00 - 2026-12-25 06:00",
    };
    struct downtime window;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (downtime_read(slice_of(good[i]), &window) != STATUS_OK) {
            fail_msg("\"%s\" is a window", good[i]);
        }
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (downtime_read(slice_of(bad[i]), &window) != STATUS_INVALID) {
            fail_msg("\"%s\" is no window", bad[i]);
        }
    }
}

/* at, end: seconds of UTC from SUNDAY on; end 0: none holds. */
static void check(const char *text, const char *also, const char *offset, int64_t at, int64_t end)
{
    struct arena *arena = arena_create(0);
    struct downtime windows[2];
    size_t count = also != NULL ? 2 : 1;
    assert_int_equal(downtime_read(slice_of(text), &windows[0]), STATUS_OK);
    if (also != NULL) {
        assert_int_equal(downtime_read(slice_of(also), &windows[1]), STATUS_OK);
    }
    int64_t got = downtime_end(windows, count, zone_of(arena, offset), (SUNDAY + at) * S);
    int64_t want = end == 0 ? 0 : (SUNDAY + end) * S;
    if (got != want) {
        fail_msg("%s %s at %+lld s: ends at %lld s, not %lld s", text, offset, (long long)at,
                 (long long)(got / S - SUNDAY), (long long)end);
    }
    arena_destroy(&arena);
}

static void holds_from_its_begin_to_before_its_end(void **state)
{
    (void)state;
    check("Sun 01:00-03:00", NULL, "Z", 1 * HOUR - 1, 0);
    check("Sun 01:00-03:00", NULL, "Z", 1 * HOUR, 3 * HOUR);
    check("Sun 01:00-03:00", NULL, "Z", 3 * HOUR - 1, 3 * HOUR);
    check("Sun 01:00-03:00", NULL, "Z", 3 * HOUR, 0);
    check("Sun 01:00-03:00", NULL, "Z", 7 * 24 * HOUR + 2 * HOUR, 7 * 24 * HOUR + 3 * HOUR);
    check("Sun 01:00-03:00", NULL, "Z", 24 * HOUR + 2 * HOUR, 0);
    check("Sun 01:00-03:00", NULL, "-06:00", 2 * HOUR, 0);
    check("Sun 01:00-03:00", NULL, "-06:00", 8 * HOUR, 9 * HOUR);
    check("Sun 23:00-02:00", NULL, "Z", 25 * HOUR, 26 * HOUR); /* into the next week */
    check("Sun 23:00-02:00", NULL, "Z", 1 * HOUR, 0);
    check("Mon 00:00-24:00", NULL, "Z", 24 * HOUR, 48 * HOUR);
    check("2026-11-22 05:00 - 2026-11-24 06:30", NULL, "Z", 5 * HOUR, 54 * HOUR + 1800);
    check("2026-11-22 05:00 - 2026-11-24 06:30", NULL, "Z", 55 * HOUR, 0);
    check("2026-11-22 05:00 - 2026-11-24 06:30", NULL, "+05:00", 0, 49 * HOUR + 1800);
}

/* America/Chicago, 2026: the clocks go from 02:00 to 03:00 on 8 March, and back to 01:00 on 1
 * November. */
static void ends_by_the_local_clock_where_the_clocks_change(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    static char bytes[1 << 16];
    const struct zone *zone = NULL;
    struct downtime window;
    FILE *file = fopen("/usr/share/zoneinfo/America/Chicago", "rb");
    assert_non_null(file);
    size_t got = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_int_equal(zone_from_tzif(arena, SLICE("x"), slice_from(bytes, got), &zone), STATUS_OK);
    assert_int_equal(downtime_read(SLICE("Sun 00:30-04:00"), &window), STATUS_OK);
    /* 00:30 CST is 06:30 UTC; 04:00 CDT is 09:00 UTC */
    assert_int_equal(downtime_end(&window, 1, zone, INT64_C(1772951400) * S),
                     INT64_C(1772960400) * S);
    /* 00:30 CDT is 05:30 UTC; 04:00 CST is 10:00 UTC */
    assert_int_equal(downtime_end(&window, 1, zone, INT64_C(1793511000) * S),
                     INT64_C(1793527200) * S);
    arena_destroy(&arena);
}

static void windows_without_a_gap_are_one(void **state)
{
    (void)state;
    check("Sun 01:00-03:00", "Sun 03:00-04:00", "Z", 2 * HOUR, 4 * HOUR);
    check("Sun 03:00-04:00", "Sun 01:00-03:00", "Z", 2 * HOUR, 4 * HOUR);
    check("Sun 01:00-03:00", "Sun 02:00-05:00", "Z", 1 * HOUR, 5 * HOUR);
    check("Sun 01:00-03:00", "Sun 03:01-04:00", "Z", 2 * HOUR, 3 * HOUR);
}

static void no_calendar_never_holds(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    assert_int_equal(downtime_end(NULL, 0, zone_of(arena, "Z"), SUNDAY * S), 0);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_is_a_window_and_nothing_else),
        cmocka_unit_test(holds_from_its_begin_to_before_its_end),
        cmocka_unit_test(ends_by_the_local_clock_where_the_clocks_change),
        cmocka_unit_test(windows_without_a_gap_are_one),
        cmocka_unit_test(no_calendar_never_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
