#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "fhir/validate/validate.h"

static struct arena *arena;
static const struct validator *validator;

struct work {
    struct slice text;
    const struct json *json; /* a built one; else text is read */
    struct limits limits;
    enum status status;
    struct diag_list diags;
};

static enum status run(void *arg)
{
    struct work *work = arg;
    struct source *source = NULL;
    diag_init(&work->diags, arena, work->limits.diagnostics);
    if (work->json == NULL) {
        source = source_create(arena, SLICE("test"), work->text);
        assert_int_equal(json_parse(arena, source, &work->limits, &work->diags, &work->json),
                         STATUS_OK);
    }
    work->status =
        validate_resource(validator, arena, source, work->json, &work->limits, &work->diags);
    return STATUS_OK;
}

static struct work validate_with(const char *text, struct limits limits)
{
    struct work work = {.text = slice_of(text), .limits = limits};
    assert_int_equal(arena_run(arena, run, &work), STATUS_OK);
    return work;
}

static struct work validate(const char *text)
{
    return validate_with(text, LIMITS_DEFAULT);
}

static void assert_valid(const char *text)
{
    struct work work = validate(text);
    struct buf out;
    buf_init(&out, arena, SIZE_MAX / 4);
    diag_render_all(&work.diags, &out);
    if (work.status != STATUS_OK || work.diags.errors != 0) {
        fail_msg("%s\n%.*s", text, SLICE_ARGS(buf_view(&out)));
    }
}

/* The one error has this path and this code. */
static void assert_fault(const char *text, const char *path, enum diag_code code)
{
    struct work work = validate(text);
    assert_int_equal(work.status, STATUS_INVALID);
    assert_int_equal(work.diags.errors, 1);
    const struct diag *diag = work.diags.first;
    while (diag->severity > SEVERITY_ERROR) {
        diag = diag->next;
    }
    assert_string_equal(diag->path.at, path);
    assert_string_equal(diag_code_name(diag->code), diag_code_name(code));
    assert_non_null(diag->span.source);
}

static void test_valid(void **state)
{
    (void)state;
    assert_valid("{\"resourceType\":\"Patient\"}");
    assert_valid(
        "{\"name\":[{\"family\":\"Ash\",\"given\":[\"Bo\"]}],\"resourceType\":\"Patient\"}");
    assert_valid("{\"resourceType\":\"Patient\",\"_birthDate\":{\"extension\":[{\"url\":"
                 "\"http://example.org/x\",\"valueString\":\"y\"}]}}");
    assert_valid("{\"resourceType\":\"Patient\",\"name\":[{\"given\":[null,\"Bo\"],\"_given\":[{"
                 "\"extension\":[{\"url\":\"http://example.org/x\",\"valueString\":\"y\"}]},"
                 "null]}]}");
    assert_valid(
        "{\"resourceType\":\"Patient\",\"birthDate\":\"2016-02-29\",\"_birthDate\":{\"id\":"
        "\"b\"}}");
    assert_valid(
        "{\"resourceType\":\"Parameters\",\"parameter\":[{\"name\":\"p\",\"resource\":{"
        "\"resourceType\":\"Binary\",\"contentType\":\"text/plain\",\"data\":\"YWJj\"}}]}");
}

static void test_paths(void **state)
{
    (void)state;
    assert_fault("{\"resourceType\":\"Patient\",\"name\":[{\"given\":[\"Bo\",\"\"]}]}",
                 "Patient.name[0].given[1]", DIAG_VALIDATE_EMPTY);
    assert_fault("{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{\"resource\":{"
                 "\"resourceType\":\"Patient\",\"gender\":\"boy\"}}]}",
                 "Bundle.entry[0].resource.gender", DIAG_VALIDATE_CODE);
    assert_fault("{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"text\":\"x\"},"
                 "\"valueQuantity\":{\"value\":\"7\"}}",
                 "Observation.value.value", DIAG_VALIDATE_KIND);
}

static void test_built_resource_has_paths_and_no_place(void **state)
{
    (void)state;
    struct json *patient = json_new_object(arena);
    json_add(arena, patient, SLICE("resourceType"), json_new_string(arena, SLICE("Patient")));
    json_add(arena, patient, SLICE("gender"), json_new_string(arena, SLICE("boy")));
    struct work work = {.json = patient, .limits = LIMITS_DEFAULT};
    assert_int_equal(arena_run(arena, run, &work), STATUS_OK);
    assert_int_equal(work.status, STATUS_INVALID);
    assert_null(work.diags.first->span.source);
    assert_string_equal(work.diags.first->path.at, "Patient.gender");
}

static const char wide_faults[] = "{\"resourceType\":\"Patient\",\"name\":[{\"x\":1},{\"x\":1},{"
                                  "\"x\":1},{\"x\":1},{\"x\":1},{\"x\":1}]}";

static void test_ceilings(void **state)
{
    (void)state;
    struct limits limits = LIMITS_DEFAULT;
    limits.diagnostics = 3;
    struct work work = validate_with(wide_faults, limits);
    assert_int_equal(work.status, STATUS_INVALID);
    assert_int_equal(work.diags.count, 3);
    limits = LIMITS_DEFAULT;
    limits.depth = 3;
    struct json *inner = json_new_object(arena);
    json_add(arena, inner, SLICE("linkId"), json_new_string(arena, SLICE("a")));
    json_add(arena, inner, SLICE("type"), json_new_string(arena, SLICE("group")));
    for (int i = 0; i < 10; i++) {
        struct json *outer = json_new_object(arena);
        struct json *items = json_new_array(arena);
        json_append(items, inner);
        json_add(arena, outer, SLICE("item"), items);
        inner = outer;
    }
    json_add(arena, inner, SLICE("resourceType"), json_new_string(arena, SLICE("Questionnaire")));
    json_add(arena, inner, SLICE("status"), json_new_string(arena, SLICE("draft")));
    work = (struct work){.json = inner, .limits = limits};
    assert_int_equal(arena_run(arena, run, &work), STATUS_OK);
    assert_int_equal(work.status, STATUS_LIMIT);
    struct buf out;
    buf_init(&out, arena, SIZE_MAX / 4);
    diag_render(work.diags.first, &out);
    assert_string_equal(out.at, "error: Questionnaire.item[0].item[0].item[0].item[0]: is nested "
                                "deeper than 3 levels [validate-limit]\n");
}

/* A best practice is told and refuses nothing. */
static void test_advice_is_no_fault(void **state)
{
    (void)state;
    struct work work = validate("{\"resourceType\":\"Patient\"}");
    assert_int_equal(work.status, STATUS_OK);
    assert_int_equal(work.diags.errors, 0);
    assert_non_null(work.diags.first);
    assert_int_equal(work.diags.first->code, DIAG_VALIDATE_ADVICE);
    assert_true(slice_starts_with(work.diags.first->sentence, SLICE("dom-6: ")));
}

static void test_every_invariant_compiles(void **state)
{
    (void)state;
    for (size_t i = 0; i < validator_refused_count(validator); i++) {
        print_message("# %.*s\n", SLICE_ARGS(validator_refused_at(validator, i)));
    }
    assert_int_equal(validator_refused_count(validator), 0);
    assert_null(validator_refused_at(validator, validator_refused_count(validator)).at);
}

static void test_references(void **state)
{
    (void)state;
    assert_valid("{\"resourceType\":\"CarePlan\",\"status\":\"draft\",\"intent\":\"proposal\","
                 "\"subject\":{\"reference\":\"#p\"},\"contained\":[{\"resourceType\":\"Patient\","
                 "\"id\":\"p\"}]}");
    assert_valid("{\"resourceType\":\"CarePlan\",\"status\":\"draft\",\"intent\":\"proposal\","
                 "\"subject\":{\"reference\":\"Patient/1/_history/2\"}}");
    assert_valid("{\"resourceType\":\"CarePlan\",\"status\":\"draft\",\"intent\":\"proposal\","
                 "\"subject\":{\"reference\":\"Patient?identifier=a|b\"}}");
    assert_valid("{\"resourceType\":\"CarePlan\",\"status\":\"draft\",\"intent\":\"proposal\","
                 "\"subject\":{\"reference\":\"https://a.example/whatever\"}}");
    assert_valid("{\"resourceType\":\"CarePlan\",\"status\":\"draft\",\"intent\":\"proposal\","
                 "\"subject\":{\"reference\":\"urn:uuid:0b7b8b52-3a52-4c1e-9d0c-0f6e5d3a1b02\"}}");
    assert_valid("{\"resourceType\":\"CarePlan\",\"status\":\"draft\",\"intent\":\"proposal\","
                 "\"subject\":{\"display\":\"Bo\"}}");
    /* a contained resource may point to its container */
    assert_valid("{\"resourceType\":\"CarePlan\",\"status\":\"draft\",\"intent\":\"proposal\","
                 "\"subject\":{\"reference\":\"Patient/1\"},\"contained\":[{\"resourceType\":"
                 "\"Provenance\",\"id\":\"v\",\"recorded\":\"2021-01-01T00:00:00Z\",\"target\":[{"
                 "\"reference\":\"#\"}],\"agent\":[{\"who\":{\"display\":\"x\"}}]}]}");
}

static int setup(void **state)
{
    (void)state;
    json_library_init();
    arena = arena_create(0);
    struct arena *kept = arena_create(0);
    validator = validator_create(kept, model_r4());
    *state = kept;
    return 0;
}

static int teardown(void **state)
{
    struct arena *kept = *state;
    arena_destroy(&kept);
    arena_destroy(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_built_resource_has_paths_and_no_place),
        cmocka_unit_test(test_ceilings),
        cmocka_unit_test(test_advice_is_no_fault),
        cmocka_unit_test(test_every_invariant_compiles),
        cmocka_unit_test(test_references),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
