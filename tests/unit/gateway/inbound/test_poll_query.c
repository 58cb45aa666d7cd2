// uses: fhir/types
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/inbound/instant.h"
#include "gateway/inbound/poll.h"

static void test_search(void **state)
{
    struct arena *arena = *state;
    struct poll_search search =
        poll_search(arena, SLICE("Observation?category=vital-signs"), 1772366400123456, 100, true);
    assert_true(slice_is(search.type, "Observation"));
    assert_true(slice_is(search.query, "category=vital-signs&_lastUpdated=ge2026-03-01T12:00:00."
                                       "123Z&_count=100&_sort=_lastUpdated"));
    search = poll_search(arena, SLICE("Encounter"), 0, 7, false);
    assert_true(slice_is(search.type, "Encounter"));
    assert_true(slice_is(search.query, "_lastUpdated=ge1970-01-01T00:00:00.000Z&_count=7"));
}

/* WIRE 4.1.10: what was seen, but never later than the server's own time. */
static void test_watermark(void **state)
{
    (void)state;
    static const struct {
        int64_t seen;
        int64_t date;
        int64_t watermark;
    } rows[] = {{0, 0, 0}, {0, 50, 50}, {40, 50, 40}, {60, 50, 50}, {40, 0, 40}, {50, 50, 50}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(poll_watermark(rows[i].seen, rows[i].date) == rows[i].watermark);
    }
}

static void test_names(void **state)
{
    struct arena *arena = *state;
    const struct slice queries[] = {SLICE("Observation?category=vital-signs"), SLICE("Encounter")};
    const struct config_subscription subscriptions[] = {
        {.criteria = SLICE("Observation?code=29463-7")},
        {.criteria = SLICE("Condition?category=x")},
        {.criteria = SLICE("Condition?category=y")},
    };
    const struct config_ehr ehr = {.poll.queries = {queries, 2},
                                   .subscriptions = {subscriptions, 3}};
    struct poll_names names = poll_names(arena, &ehr);
    assert_int_equal(names.count, 3);
    assert_int_equal(names.regular, 2);
    assert_true(slice_is(names.at[2], "Condition?category=x"));
    assert_true(poll_covers(names.at[0], subscriptions[0].criteria));
    assert_false(poll_covers(names.at[1], subscriptions[0].criteria));
}

static void test_instants(void **state)
{
    (void)state;
    assert_true(instant_us(SLICE("2026-03-01T12:00:00.123456Z")) == 1772366400123456);
    assert_true(instant_us(SLICE("2026-03-01T06:00:00-06:00")) == 1772366400000000);
    assert_true(instant_us(SLICE("2026-03-01")) == 0);
    assert_true(instant_us(SLICE_NONE) == 0);
}

static int make_arena(void **state)
{
    *state = arena_create(0);
    return *state == NULL;
}

static int drop_arena(void **state)
{
    struct arena *arena = *state;
    arena_destroy(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_search),
        cmocka_unit_test(test_watermark),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_instants),
    };
    return cmocka_run_group_tests(tests, make_arena, drop_arena);
}
