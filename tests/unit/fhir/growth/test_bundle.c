// uses: fhir/growth fhir/json
#include "growth_test.h"

#include <string.h>

#include "fhir/growth/bundle.h"
#include "fhir/growth/chart_svg.h"

static struct arena *arena;
static struct diag_list diags;

static int setup(void **state)
{
    (void)state;
    arena = arena_create(0);
    return arena == NULL;
}

static int teardown(void **state)
{
    (void)state;
    arena_destroy(&arena);
    return 0;
}

/* Each test body runs inside arena_run, with `text` as its Bundle. */
struct reading {
    const char *text;
    struct growth_bundle bundle;
};

static enum status read_text(void *arg)
{
    struct reading *reading = arg;
    struct limits limits = LIMITS_DEFAULT;
    diag_init(&diags, arena, 50);
    struct source *source = source_create(arena, SLICE("test"), slice_of(reading->text));
    const struct json *json = NULL;
    enum status status = json_parse(arena, source, &limits, &diags, &json);
    assert_int_equal(status, STATUS_OK);
    return growth_bundle_read(arena, json, source, &diags, &reading->bundle);
}

static enum status read_bundle(const char *text, struct growth_bundle *bundle_out)
{
    struct reading reading = {.text = text};
    enum status status = arena_run(arena, read_text, &reading);
    *bundle_out = reading.bundle;
    return status;
}

#define PATIENT(more)                                                                              \
    "{\"fullUrl\":\"urn:uuid:1\",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\","         \
    "\"birthDate\":\"2015-06-01\"" more "}}"
#define BUNDLE(entries) "{\"resourceType\":\"Bundle\",\"entry\":[" entries "]}"
#define OBSERVATION(status, subject, code, time, quantity)                                         \
    ",{\"resource\":{\"resourceType\":\"Observation\",\"status\":\"" status                        \
    "\",\"subject\":{\"reference\":\"" subject "\"},\"code\":{\"coding\":[{\"system\":"            \
    "\"http://loinc.org\",\"code\":\"" code "\"}]},\"effectiveDateTime\":\"" time                  \
    "\",\"valueQuantity\":{" quantity "}}}"

static void test_units_codes_and_positions(void **state)
{
    (void)state;
    static const char text[] =
        BUNDLE(PATIENT(",\"gender\":\"female\"")
                   OBSERVATION("final", "Patient/p", "29463-7", "2022-06-01T10:00:00-05:00",
                               "\"value\":70.5,\"unit\":\"lbs\"")
                       OBSERVATION("amended", "urn:uuid:1", "8308-9", "2022-06-01T09:59:00-05:00",
                                   "\"value\":50,\"code\":\"[in_i]\"")
                           OBSERVATION("final", "https://x/fhir/Patient/p", "8306-3", "2016-01-01",
                                       "\"value\":0.68,\"code\":\"m\""));
    struct growth_bundle b;
    assert_int_equal(read_bundle(text, &b), STATUS_OK);
    assert_int_equal(diags.count, 0);
    assert_int_equal(b.child.sex, GROWTH_FEMALE);
    assert_int_equal(b.count, 3);
    assert_close(b.measurements[0].value, 70.5 * 0.45359237, 1e-12);
    assert_close(b.measurements[1].value, 127, 1e-12);
    assert_true(b.measurements[0].order > b.measurements[1].order);
    assert_int_equal(b.measurements[1].position, GROWTH_STANDING);
    assert_close(b.measurements[2].value, 68, 1e-12);
    assert_int_equal(b.measurements[2].position, GROWTH_RECUMBENT);
}

static void test_what_is_left_out_is_told(void **state)
{
    (void)state;
    static const char text[] = BUNDLE(
        PATIENT(",\"gender\":\"male\"") OBSERVATION("entered-in-error", "Patient/p", "29463-7",
                                                    "2022-06-01", "\"value\":30,\"code\":\"kg\"")
            OBSERVATION("final", "Patient/p", "2093-3", "2022-06-01",
                        "\"value\":150,\"code\":\"mg/dL\"")
                OBSERVATION("final", "Patient/q", "29463-7", "2022-06-01",
                            "\"value\":30,\"code\":\"kg\"")
                    OBSERVATION("final", "Patient/p", "29463-7", "2022-06",
                                "\"value\":30,\"code\":\"kg\"")
                        OBSERVATION("final", "Patient/p", "29463-7", "2022-06-01",
                                    "\"code\":\"kg\"")
                            OBSERVATION("final", "Patient/p", "29463-7", "2022-06-01",
                                        "\"value\":30,\"code\":\"cm\""));
    struct growth_bundle b;
    assert_int_equal(read_bundle(text, &b), STATUS_OK);
    /* silently: in error, and no growth; told: another child, no day, no value, a unit of length */
    assert_int_equal(diags.count, 4);
    assert_int_equal(diags.errors, 0);
    assert_int_equal(b.count, 1);
    assert_true(b.measurements[0].unit_unknown);
    struct growth_result result;
    growth_record_assess(arena, &b.child, b.measurements, b.count, &result);
    assert_true(growth_flag_has(result.visits[0].assessment.flags, GROWTH_FLAG_UNIT_UNKNOWN));
    assert_true(isnan(result.visits[0].value[GROWTH_WEIGHT]));
}

/* "< 30 kg" is no weight. */
static void test_a_bound_is_no_measurement(void **state)
{
    (void)state;
    static const char text[] = BUNDLE(PATIENT(",\"gender\":\"male\"") OBSERVATION(
        "final", "Patient/p", "29463-7", "2022-06-01",
        "\"value\":30,\"code\":\"kg\",\"comparator\":\"<\""));
    struct growth_bundle b;
    assert_int_equal(read_bundle(text, &b), STATUS_OK);
    assert_int_equal(b.count, 0);
    assert_int_equal(diags.count, 1);
    assert_string_equal(diags.first->sentence.at,
                        "a measurement that is only a bound (comparator) was left out");
}

#define WEIGHT(id, subject, value)                                                                 \
    "{\"resourceType\":\"Observation\",\"id\":\"" id                                               \
    "\",\"status\":\"final\",\"subject\":{\"reference\":\"" subject                                \
    "\"},\"code\":{\"coding\":[{\"system\":\"http://loinc.org\",\"code\":\"29463-7\"}]},"          \
    "\"effectiveDateTime\":\"2022-06-01\",\"valueQuantity\":{\"value\":" value                     \
    ",\"code\":\"kg\"}}"

static enum status read_resources(void *arg)
{
    struct reading *reading = arg;
    static const char patient[] =
        "{\"resourceType\":\"Patient\",\"id\":\"p\",\"birthDate\":\"2015-06-01\"}";
    static const char list[] =
        "[" WEIGHT("1", "Patient/p", "30") "," WEIGHT("2", "Patient/p", "31") "," WEIGHT(
            "1", "Patient/p", "30") "," WEIGHT("3", "Patient/q", "50") "]";
    struct limits limits = LIMITS_DEFAULT;
    const struct json *child = NULL;
    const struct json *array = NULL;
    const struct json *resources[4];
    size_t count = 0;
    diag_init(&diags, arena, 50);
    json_parse(arena, source_create(arena, SLICE("p"), slice_of(patient)), &limits, &diags, &child);
    json_parse(arena, source_create(arena, SLICE("l"), slice_of(list)), &limits, &diags, &array);
    for (const struct json *it = json_first(array); it != NULL; it = json_next(it)) {
        resources[count++] = it;
    }
    return growth_resources_read(arena, child, resources, count, &diags, &reading->bundle);
}

static void test_resources_without_a_bundle(void **state)
{
    (void)state;
    struct reading reading = {.text = NULL};
    assert_int_equal(arena_run(arena, read_resources, &reading), STATUS_OK);
    assert_int_equal(reading.bundle.count, 2); /* one came twice, one is another child's */
    assert_int_equal(diags.count, 1);
    assert_int_equal(reading.bundle.child.birth_fault, GROWTH_DATE_OK);
}

#define BIRTH_SEX(code)                                                                            \
    ",\"extension\":[{\"url\":\"http://hl7.org/fhir/us/core/StructureDefinition/"                  \
    "us-core-birthsex\",\"valueCode\":\"" code "\"}]"

static void test_sex(void **state)
{
    (void)state;
    const struct {
        const char *text;
        enum growth_sex sex;
        bool birth_sex;
    } cases[] = {
        {BUNDLE(PATIENT(",\"gender\":\"male\"")), GROWTH_MALE, false},
        {BUNDLE(PATIENT(",\"gender\":\"other\"")), GROWTH_SEX_UNKNOWN, false},
        {BUNDLE(PATIENT("")), GROWTH_SEX_UNKNOWN, false},
        {BUNDLE(PATIENT(",\"gender\":\"unknown\"" BIRTH_SEX("F"))), GROWTH_FEMALE, true},
        {BUNDLE(PATIENT(",\"gender\":\"female\"" BIRTH_SEX("F"))), GROWTH_FEMALE, false},
        {BUNDLE(PATIENT(",\"gender\":\"female\"" BIRTH_SEX("M"))), GROWTH_MALE, true},
        {BUNDLE(PATIENT(",\"gender\":\"female\"" BIRTH_SEX("UNK"))), GROWTH_FEMALE, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct growth_bundle b;
        assert_int_equal(read_bundle(cases[i].text, &b), STATUS_OK);
        assert_int_equal(b.child.sex, cases[i].sex);
        assert_true(b.child.sex_is_birth_sex == cases[i].birth_sex);
    }
}

static void test_gestation_edema_and_plans(void **state)
{
    (void)state;
    static const char text[] = BUNDLE(PATIENT(",\"gender\":\"male\"") OBSERVATION(
        "final", "Patient/p", "76516-4", "2015-06-01",
        "\"value\":220,\"code\":\"d\"") ",{\"resource\":{\"resourceType\":\"Condition\",\"code\":{"
                                        "\"coding\":[{\"system\":"
                                        "\"http://snomed.info/sct\",\"code\":\"267038008\"}]}}}"
                                        ",{\"resource\":{\"resourceType\":\"CarePlan\",\"period\":{"
                                        "\"start\":\"2022-02-01\"}}}"
                                        ",{\"resource\":{\"resourceType\":\"CarePlan\",\"period\":{"
                                        "\"start\":\"2021-02-01\"}}}"
                                        ",{\"resource\":{\"resourceType\":\"CarePlan\",\"status\":"
                                        "\"entered-in-error\","
                                        "\"period\":{\"start\":\"2020-02-01\"}}}");
    struct growth_bundle b;
    assert_int_equal(read_bundle(text, &b), STATUS_OK);
    assert_close(b.child.gestational_weeks, 220.0 / 7, 1e-12);
    assert_true(b.child.edema);
    assert_int_equal(b.plan_count, 2);
    assert_int_equal(b.plans[0].year, 2021);
}

static void test_no_or_two_patients(void **state)
{
    (void)state;
    struct growth_bundle b;
    assert_int_equal(read_bundle(BUNDLE(PATIENT("") "," PATIENT("")), &b), STATUS_INVALID);
    assert_true(diags.first->span.start > 0);
    assert_int_equal(read_bundle("{\"resourceType\":\"Bundle\"}", &b), STATUS_INVALID);
    assert_int_equal(read_bundle("{\"resourceType\":\"Patient\"}", &b), STATUS_INVALID);
    assert_int_equal(read_bundle("[]", &b), STATUS_INVALID);
}

/* ---- the chart, as text; how it looks is seen by tests/growth/suite_chart.mjs ---- */

static size_t occurrences(struct slice text, const char *part)
{
    size_t count = 0;
    size_t at = 0;
    while ((at = slice_find(text, slice_of(part), at)) != SIZE_MAX) {
        count++;
        at++;
    }
    return count;
}

static struct slice draw(const struct growth_chart_spec *spec)
{
    struct buf *svg = ARENA_NEW(arena, struct buf);
    buf_init(svg, arena, 1 << 22);
    assert_int_equal(growth_chart_svg(spec, svg), STATUS_OK);
    return buf_view(svg);
}

static void test_chart_text(void **state)
{
    (void)state;
    static const char text[] =
        BUNDLE(PATIENT(",\"gender\":\"female\"") OBSERVATION(
            "final", "Patient/p", "29463-7", "2022-06-01", "\"value\":25,\"code\":\"kg\"")
                   OBSERVATION("final", "Patient/p", "8302-2", "2022-06-01",
                               "\"value\":120,\"code\":\"cm\"")
                       OBSERVATION("final", "Patient/p", "29463-7", "2016-06-01",
                                   "\"value\":8.9,\"code\":\"kg\"")
                           OBSERVATION("final", "Patient/p", "8306-3", "2016-06-01",
                                       "\"value\":74,\"code\":\"cm\""));
    struct growth_bundle b;
    assert_int_equal(read_bundle(text, &b), STATUS_OK);
    struct growth_result result;
    growth_record_assess(arena, &b.child, b.measurements, b.count, &result);
    struct growth_chart_spec spec = {.result = &result};
    struct slice svg = draw(&spec);
    assert_int_equal(occurrences(svg, "class=\"curve\""), 10);
    assert_int_equal(occurrences(svg, "class=\"point\""), 2); /* one, and the legend's */
    assert_int_equal(occurrences(svg, "role=\"row\""), 2);
    assert_int_equal(occurrences(svg, "girls"), 0);
    assert_int_equal(occurrences(svg, "female"), 0);
    assert_int_equal(
        occurrences(svg, "nan\"") + occurrences(svg, "nan<") + occurrences(svg, "nan "), 0);
    spec.show_sex = true;
    assert_int_equal(occurrences(draw(&spec), "girls"), 1);
    spec.spanish = true;
    assert_int_equal(occurrences(draw(&spec), "lang=\"es\""), 1);
    spec.kind = GROWTH_CHART_WEIGHT_FOR_LENGTH;
    spec.us_units = true;
    svg = draw(&spec);
    assert_int_equal(occurrences(svg, "class=\"curve\""), 9);
    assert_int_equal(occurrences(svg, " lb<"), 1);
    assert_int_equal(occurrences(svg, " in<"), 1);
    assert_int_equal(occurrences(svg, "OMS 2006"), 1);
    /* without a sex there are no curves */
    result.child.sex = GROWTH_SEX_UNKNOWN;
    struct buf buf;
    buf_init(&buf, arena, 1 << 20);
    assert_int_equal(growth_chart_svg(&spec, &buf), STATUS_REFUSED);
    assert_int_equal(buf.len, 0);
}

int main(void)
{
    json_library_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_units_codes_and_positions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_left_out_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_bound_is_no_measurement, setup, teardown),
        cmocka_unit_test_setup_teardown(test_resources_without_a_bundle, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sex, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gestation_edema_and_plans, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_or_two_patients, setup, teardown),
        cmocka_unit_test_setup_teardown(test_chart_text, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
