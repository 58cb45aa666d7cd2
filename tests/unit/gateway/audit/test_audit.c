// uses: gateway/audit fhir/validate fhir/json fhir/model
/* Each body is valid FHIR R4, says what happened, and holds nothing that was not given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "fhir/json/json.h"
#include "fhir/validate/validate.h"
#include "gateway/audit/audit.h"

static const int64_t at = 1760000000000000; /* 2025-10-09T08:53:20Z */

static struct slice make_event(struct arena *arena, enum audit_act act, bool failed, size_t count)
{
    static const struct audit_resource resources[] = {
        {{"Observation", 11}, {"w1", 2}, {"3", 1}},
        {{"Encounter", 9}, {"e1", 2}, {NULL, 0}},
    };
    const struct audit_event event = {.act = act,
                                      .failed = failed,
                                      .ehr = SLICE("north"),
                                      .patient = SLICE("p1"),
                                      .at = at,
                                      .resources = resources,
                                      .count = count};
    return audit_event(arena, &event);
}

static struct slice make_provenance(struct arena *arena, enum audit_act act)
{
    const struct audit_making making = {.target = {SLICE("CarePlan"), SLICE("c1"), SLICE("2")},
                                        .act = act,
                                        .at = at,
                                        .mapping = SLICE("healthy-weight"),
                                        .mapping_version = SLICE("0.1.0"),
                                        .mapping_hash = SLICE("00ff")};
    return audit_provenance(arena, &making);
}

static void assert_valid(struct arena *arena, const struct validator *validator, struct slice body)
{
    struct diag_list diags;
    struct buf text;
    const struct json *json = NULL;
    diag_init(&diags, arena, 20);
    struct source *source = source_create(arena, SLICE("body"), body);
    assert_int_equal(json_parse(arena, source, &LIMITS_DEFAULT, &diags, &json), STATUS_OK);
    enum status status = validate_resource(validator, arena, source, json, &LIMITS_DEFAULT, &diags);
    buf_init(&text, arena, 100000);
    diag_render_all(&diags, &text);
    if (status != STATUS_OK || diags.errors != 0) {
        fail_msg("%s\n%s", body.at, text.at);
    }
}

static enum status all_are_valid(void *arg)
{
    struct arena *arena = arg;
    const struct validator *validator = validator_create(arena, model_r4());
    for (enum audit_act act = AUDIT_READ; act <= AUDIT_UPDATE; act++) {
        for (size_t count = 0; count <= 2; count++) {
            assert_valid(arena, validator, make_event(arena, act, false, count));
            assert_valid(arena, validator, make_event(arena, act, true, count));
        }
    }
    assert_valid(arena, validator, make_provenance(arena, AUDIT_CREATE));
    assert_valid(arena, validator, make_provenance(arena, AUDIT_UPDATE));
    return STATUS_OK;
}

static void test_every_body_is_valid_r4(void **state)
{
    (void)state;
    struct arena *arena = arena_create((size_t)1 << 28);
    json_library_init();
    assert_int_equal(arena_run(arena, all_are_valid, arena), STATUS_OK);
    arena_destroy(&arena);
}

static enum status exact_texts(void *arg)
{
    struct arena *arena = arg;
    assert_string_equal(
        make_event(arena, AUDIT_READ, false, 2).at,
        "{\"resourceType\":\"AuditEvent\",\"type\":{\"system\":\"http://terminology.hl7.org/"
        "CodeSystem/audit-event-type\",\"code\":\"rest\"},\"subtype\":[{\"system\":\"http://"
        "hl7.org/fhir/restful-interaction\",\"code\":\"read\"}],\"action\":\"R\",\"recorded\":"
        "\"2025-10-09T08:53:20.000Z\",\"outcome\":\"0\",\"purposeOfEvent\":[{\"coding\":[{"
        "\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ActReason\",\"code\":\"TREAT\"}]}],"
        "\"agent\":[{\"who\":{\"display\":\"ePlan gateway " EPLAN_VERSION
        "\"},\"requestor\":true}],"
        "\"source\":{\"site\":\"north\",\"observer\":{\"display\":\"ePlan gateway\"}},\"entity\":[{"
        "\"what\":{\"reference\":\"Patient/p1\"},\"role\":{\"system\":\"http://terminology.hl7.org/"
        "CodeSystem/object-role\",\"code\":\"1\"}},{\"what\":{\"reference\":\"Observation/w1/"
        "_history/3\"},\"role\":{\"system\":\"http://terminology.hl7.org/CodeSystem/object-role\","
        "\"code\":\"4\"}},{\"what\":{\"reference\":\"Encounter/e1\"},\"role\":{\"system\":\"http://"
        "terminology.hl7.org/CodeSystem/object-role\",\"code\":\"4\"}}]}");
    static const struct {
        enum audit_act act;
        bool failed;
        size_t count;
        const char *sentence;
    } rows[] = {
        {AUDIT_READ, false, 2, "read 2 resources of Patient/p1"},
        {AUDIT_CREATE, false, 1, "create Observation/w1/_history/3 of Patient/p1"},
        {AUDIT_UPDATE, true, 1, "update Observation/w1/_history/3 of Patient/p1, not done"},
        {AUDIT_CREATE, true, 0, "create 0 resources of Patient/p1, not done"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice body = make_event(arena, rows[i].act, rows[i].failed, rows[i].count);
        assert_string_equal(audit_sentence(arena, body).at, rows[i].sentence);
    }
    assert_string_equal(audit_sentence(arena, make_provenance(arena, AUDIT_CREATE)).at,
                        "CarePlan/c1/_history/2 made by mapping healthy-weight 0.1.0, sha256 00ff");
    assert_null(audit_sentence(arena, SLICE("by root\n")).at);
    assert_null(audit_sentence(arena, SLICE("")).at);
    return STATUS_OK;
}

static void test_what_they_say(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    json_library_init();
    assert_int_equal(arena_run(arena, exact_texts, arena), STATUS_OK);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_body_is_valid_r4),
        cmocka_unit_test(test_what_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
