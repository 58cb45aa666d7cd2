#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/inbound/subscribe.h"

#define ENDPOINT "https://gw.example/notify/north/weights"

static const struct wanted_subscription wanted = {.endpoint = {ENDPOINT, sizeof ENDPOINT - 1},
                                                  .criteria = {"Observation?code=29463-7", 24},
                                                  .full = true,
                                                  .secret = {"s3cret", 6}};

static const struct json *read_text(struct arena *arena, const char *text)
{
    struct diag_list diags;
    diag_init(&diags, arena, 5);
    const struct json *json = NULL;
    assert_int_equal(json_parse(arena, source_create(arena, SLICE("t"), slice_of(text)),
                                &LIMITS_DEFAULT, &diags, &json),
                     STATUS_OK);
    return json;
}

static void test_a_new_one(void **state)
{
    struct arena *arena = *state;
    struct slice text =
        json_write(arena, subscription_build(arena, &wanted, NULL, "requested"), JSON_COMPACT);
    assert_string_equal(
        text.at, "{\"resourceType\":\"Subscription\",\"status\":\"requested\",\"reason\":"
                 "\"Changes that the ePlan gateway is to look at\",\"criteria\":\"Observation?code="
                 "29463-7\",\"channel\":{\"type\":\"rest-hook\",\"endpoint\":\"" ENDPOINT
                 "\",\"payload\":\"application/fhir+json\",\"header\":[\"Authorization: Bearer "
                 "s3cret\"]}}");
}

#define THEIRS(status, rest, channel)                                                              \
    "{\"resourceType\":\"Subscription\",\"id\":\"7\",\"meta\":{\"versionId\":\"3\"},\"status\":"   \
    "\"" status "\"," rest "\"criteria\":\"Observation?code=29463-7\",\"channel\":{\"type\":"      \
    "\"rest-hook\",\"endpoint\":\"" ENDPOINT "\"" channel "}}"
#define FULL ",\"payload\":\"application/fhir+json\""
#define HEADER ",\"header\":[\"Authorization: Bearer s3cret\"]"

static void test_putting_right_keeps_what_is_not_ours(void **state)
{
    struct arena *arena = *state;
    const struct json *theirs = read_text(
        arena,
        THEIRS("error",
               "\"error\":\"no answer\",\"end\":\"2026-01-01T00:00:00Z\",\"tag\":"
               "\"x\",",
               ",\"header\":[\"Authorization: Bearer old\"],\"extension\":[{\"url\":\"u\"}]"));
    const struct json *it = subscription_build(arena, &wanted, theirs, "active");
    assert_true(slice_is(json_get_text(it, "id"), "7"));
    assert_true(slice_is(json_get_text(it, "status"), "active"));
    assert_true(slice_is(json_get_text(it, "tag"), "x"));
    assert_null(json_get(it, "error"));
    assert_null(json_get(it, "end"));
    const struct json *channel = json_get(it, "channel");
    assert_non_null(json_get(channel, "extension"));
    assert_int_equal(json_count(json_get(channel, "header")), 1);
    assert_int_equal(subscription_judge(&wanted, it, 0, 0), SUBSCRIPTION_GOOD);
}

static void test_verdicts(void **state)
{
    struct arena *arena = *state;
    static const struct {
        const char *text;
        enum subscription_verdict verdict;
    } rows[] = {
        {THEIRS("active", "", FULL HEADER), SUBSCRIPTION_GOOD},
        {THEIRS("active", "", FULL), SUBSCRIPTION_GOOD}, /* the header is not shown */
        {THEIRS("active", "", FULL ",\"header\":[\"authorization:bearer s3cret \"]"),
         SUBSCRIPTION_GOOD},
        {THEIRS("active", "", FULL ",\"header\":[\"Authorization: Bearer other\"]"),
         SUBSCRIPTION_CHANGED},
        {THEIRS("active", "", HEADER), SUBSCRIPTION_CHANGED}, /* without payload */
        {THEIRS("active", "\"end\":\"2026-03-01T12:00:00Z\",", FULL HEADER), SUBSCRIPTION_ENDING},
        {THEIRS("active", "\"end\":\"2027-03-01T12:00:00Z\",", FULL HEADER), SUBSCRIPTION_GOOD},
        {THEIRS("requested", "", FULL HEADER), SUBSCRIPTION_WAITING},
        {THEIRS("error", "", FULL HEADER), SUBSCRIPTION_STOPPED},
        {THEIRS("off", "", FULL HEADER), SUBSCRIPTION_STOPPED},
        {THEIRS("strange", "", FULL HEADER), SUBSCRIPTION_STOPPED},
        {"{\"resourceType\":\"Subscription\",\"status\":\"active\",\"criteria\":\"Observation\"}",
         SUBSCRIPTION_CHANGED},
    };
    const int64_t now = 1772366400000000; /* 2026-03-01T12:00:00Z */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct json *theirs = read_text(arena, rows[i].text);
        assert_int_equal(subscription_judge(&wanted, theirs, now, 900000000), rows[i].verdict);
    }
}

static int make_arena(void **state)
{
    json_library_init();
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
        cmocka_unit_test(test_a_new_one),
        cmocka_unit_test(test_putting_right_keeps_what_is_not_ours),
        cmocka_unit_test(test_verdicts),
    };
    return cmocka_run_group_tests(tests, make_arena, drop_arena);
}
