#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/inbound/intake.h"

#define BASE "https://ehr.example/fhir"

static bool starts_on_observation(void *arg, const struct json *resource)
{
    (void)arg;
    return slice_is(json_get_text(resource, "resourceType"), "Observation");
}

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

static struct intake_request request_of(struct arena *arena, enum message_kind kind,
                                        const char *text)
{
    return (struct intake_request){.kind = kind,
                                   .ehr = SLICE("north"),
                                   .base_url = SLICE(BASE),
                                   .sender = SLICE("lab"),
                                   .body = slice_of(text),
                                   .json = read_text(arena, text),
                                   .now = 1700000000000000,
                                   .starts = starts_on_observation};
}

#define OBSERVATION(id, rest) "{\"resourceType\":\"Observation\",\"id\":\"" id "\"," rest "}"

struct row {
    const char *text;
    const char *patient; /* NULL: no trigger */
    const char *visit;
    enum reason reason;
};

static const struct row rows[] = {
    {OBSERVATION("1", "\"subject\":{\"reference\":\"Patient/"
                      "p1\"},\"encounter\":{\"reference\":\"Encounter/e\"}"),
     "p1", "Encounter/e", 0},
    {OBSERVATION("1", "\"subject\":{\"reference\":\"" BASE "/Patient/p1\"},"
                      "\"effectiveDateTime\":\"2024-05-14T23:30:00-05:00\""),
     "p1", "2024-05-14", 0},
    {OBSERVATION("1", "\"subject\":{\"reference\":\"Patient/p1/_history/4\"},"
                      "\"effectivePeriod\":{\"start\":\"2024-05-14\"}"),
     "p1", "2024-05-14", 0},
    {OBSERVATION("1", "\"subject\":{\"reference\":\"https://other/fhir/Patient/"
                      "p1\"},\"effectiveDateTime\":\"2024-05-14\""),
     NULL, NULL, REASON_AMBIGUOUS_PATIENT},
    {OBSERVATION("1", "\"subject\":{\"reference\":\"#p\"},\"effectiveDateTime\":\"2024-05-14\""),
     NULL, NULL, REASON_AMBIGUOUS_PATIENT},
    {OBSERVATION(
         "1", "\"subject\":{\"reference\":\"Patient/..%2f\"},\"effectiveDateTime\":\"2024-05-14\""),
     NULL, NULL, REASON_AMBIGUOUS_PATIENT},
    {OBSERVATION(
         "1",
         "\"subject\":{\"identifier\":{\"value\":\"7\"}},\"effectiveDateTime\":\"2024-05-14\""),
     NULL, NULL, REASON_AMBIGUOUS_PATIENT},
    {OBSERVATION("1",
                 "\"subject\":{\"reference\":\"Patient/p1\"},\"effectiveDateTime\":\"2024-05\""),
     NULL, NULL, REASON_INCOMPLETE},
    {"{\"resourceType\":\"Patient\",\"id\":\"p1\"}", NULL, NULL, REASON_NO_TRIGGER},
};

static void a_resource_makes_its_visit_due_or_says_why_not(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct intake_request request = request_of(arena, MESSAGE_NOTIFICATION, rows[i].text);
        struct intake intake;
        const char *why = NULL;
        assert_int_equal(intake_read(arena, &request, &intake, &why), STATUS_OK);
        assert_int_equal(intake.trigger_count, rows[i].patient != NULL);
        if (rows[i].patient != NULL) {
            assert_true(slice_is(intake.triggers[0].patient, rows[i].patient));
            assert_true(slice_is(intake.triggers[0].visit, rows[i].visit));
        } else {
            assert_int_equal(intake.end_reason, rows[i].reason);
        }
    }
    arena_destroy(&arena);
}

static struct slice key_of(struct arena *arena, enum message_kind kind, const char *text,
                           struct intake *intake)
{
    struct intake_request request = request_of(arena, kind, text);
    const char *why = NULL;
    assert_int_equal(intake_read(arena, &request, intake, &why), STATUS_OK);
    return intake->key;
}

static void the_key_is_that_of_the_design(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    struct intake intake;
    const char *versioned = OBSERVATION("7", "\"meta\":{\"versionId\":\"3\"}");
    assert_string_equal(key_of(arena, MESSAGE_NOTIFICATION, versioned, &intake).at,
                        "north/Observation/7/3");
    assert_string_equal(key_of(arena, MESSAGE_POLL, versioned, &intake).at,
                        "north/Observation/7/3");
    assert_false(intake.key_is_body_hash);
    struct slice plain =
        key_of(arena, MESSAGE_NOTIFICATION, OBSERVATION("7", "\"status\":\"final\""), &intake);
    assert_true(slice_starts_with(plain, SLICE("north/Observation/7/")));
    assert_int_equal(plain.len, 20 + 64);
    assert_true(intake.key_is_body_hash);
    struct slice direct = key_of(arena, MESSAGE_DIRECT, versioned, &intake);
    assert_true(slice_starts_with(direct, SLICE("lab/")));
    assert_true(intake.key_is_body_hash);
    assert_int_equal(intake.key_window_us, INT64_C(86400000000));
    arena_destroy(&arena);
}

static void a_bundle_is_one_message_of_many_visits(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    struct intake intake;
    key_of(
        arena, MESSAGE_DIRECT,
        "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":["
        "{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"a\"}},"
        "{\"resource\":" OBSERVATION(
            "1",
            "\"subject\":{\"reference\":\"Patient/a\"},"
            "\"effectiveDateTime\":\"2024-05-14\"") "},"
                                                    "{\"resource\":" OBSERVATION(
                                                        "2",
                                                        "\"subject\":{\"reference\":\"Patient/a\"},"
                                                        "\"effectiveDateTime\":\"2024-05-14T10:00:"
                                                        "00Z\"") "},"
                                                                 "{\"resource\":" OBSERVATION(
                                                                     "3",
                                                                     "\"subject\":{\"reference\":"
                                                                     "\"Patient/b\"},"
                                                                     "\"effectiveDateTime\":\"2024-"
                                                                     "05-14\"") "}]}",
        &intake);
    assert_int_equal(intake.trigger_count, 2);
    assert_true(slice_is(intake.triggers[1].patient, "b"));
    arena_destroy(&arena);
}

static void what_the_path_says_must_hold(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    struct intake intake;
    const char *why = NULL;
    struct intake_request request =
        request_of(arena, MESSAGE_NOTIFICATION, OBSERVATION("7", "\"status\":\"final\""));
    request.type = SLICE("Patient");
    assert_int_equal(intake_read(arena, &request, &intake, &why), STATUS_INVALID);
    assert_string_equal(why, "the resource is of another type than the path says");
    request.type = SLICE("Observation");
    request.id = SLICE("8");
    assert_int_equal(intake_read(arena, &request, &intake, &why), STATUS_INVALID);
    request = request_of(arena, MESSAGE_DIRECT, "{\"a\":1}");
    assert_int_equal(intake_read(arena, &request, &intake, &why), STATUS_INVALID);
    request = (struct intake_request){.kind = MESSAGE_NOTIFICATION,
                                      .ehr = SLICE("north"),
                                      .deleted = true,
                                      .type = SLICE("Observation"),
                                      .id = SLICE("7"),
                                      .now = 1700000000999999};
    assert_int_equal(intake_read(arena, &request, &intake, &why), STATUS_OK);
    assert_string_equal(intake.key.at, "north/Observation/7/deleted/1700000000");
    arena_destroy(&arena);
}

static int setup(void **state)
{
    (void)state;
    json_library_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_resource_makes_its_visit_due_or_says_why_not),
        cmocka_unit_test(the_key_is_that_of_the_design),
        cmocka_unit_test(a_bundle_is_one_message_of_many_visits),
        cmocka_unit_test(what_the_path_says_must_hold),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
