// uses: fhir/json fhir/model
/* Loading: what the golden messages (tests/diagnostics/mapping/) do not reach. */
#include "mapping_test.h"

static void the_small_mapping_loads_without_a_word(void **state)
{
    (void)state;
    struct trial t = {0};
    trial_begin(&t);
    assert_non_null(t.mapping);
    assert_int_equal(t.diags.count, 0);
    assert_slice(mapping_name(t.mapping), "steps");
    assert_slice(mapping_version(t.mapping), "1.0.0");
    trial_end(&t);
}

struct refusal {
    struct exchange exchange;
    const char *sentence;
};

/* Each told, and the mapping not given out. */
static void what_is_wrong_is_refused(void **state)
{
    static const struct refusal rows[] = {
        {{"staff: [en]", "staff: []"}, "at least one language is needed"},
        {{"family: [en]", "family: []"}, "at least one language is needed"},
        {{"age: older, propose", "age: any, propose"}, "two rows are for one child: age young"},
        {{"bands: { young: 0, older: 72 }", "values: [young, older, any]"}, "\"any\" means every"},
        {{"bands: { young: 0, older: 72 }", "values: [young, older, young]"}, "stands twice"},
        {{"bands: { young: 0, older: 72 }", "values: []"},
         "\"young\" is no value of the input age"},
        {{"    age: {", "    drop: { expr: \"1\", values: [a] }\n    age: {"}, "cannot be called"},
        {{"    - { age: young, drop: young }\n", ""}, "no row is for this child: age young"},
        {{"  goal: { $refs: goals }", "  goal: { $refs: gaols }"}, "is not one of the words"},
        {{"goal.water: \"Drink water\" }\nfamily", "title.x: \"Drink\" }\nfamily"},
         "has no staff text \"goal.water\""},
        {{"\"%patient.active\"", "\"%patient.birthDate\""}, "the expression is neither"},
        {{"status: draft", "status: { $site: x }"}, "only a named person makes it more"},
        {{"status: draft", "status: \"{{ 'active' }}\""}, "only a named person makes it more"},
        {{"lifecycleStatus: proposed", "lifecycleStatus: active"}, "only a named person"},
        {{"title: { $text: title, for: staff }", "contained: []"}, "contains no other resources"},
        {{"title: { $text: title, for: staff }", "title: { $text: title, for: family }"},
         "is not one of the words"},
        {{"Drink water\" }\nfamily", "1500 kcal a day\" }\nfamily"}, "how much to weigh"},
        {{"Patient/{{ %patient.id }}", "Patient/{{ %patient.id"}, "this {{ has no }}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct trial t = {.exchanges = &rows[i].exchange, .exchange_count = 1};
        trial_begin(&t);
        assert_told(&t, rows[i].sentence);
        assert_null(t.mapping);
        trial_end(&t);
    }
}

static void measurements_start_an_evaluation(void **state)
{
    (void)state;
    struct trial t = {0};
    trial_begin(&t);
    static const char weight[] =
        "{\"resourceType\":\"Observation\",\"status\":\"%s\",\"code\":{\"coding\":[{\"system\":"
        "\"x\",\"code\":\"1\"},{\"system\":\"http://loinc.org\",\"code\":\"29463-7\"}]}}";
    assert_true(mapping_starts(t.mapping, trial_json(t.arena, weight)));
    assert_false(mapping_starts(t.mapping, trial_json(t.arena, test_child)));
    assert_false(mapping_starts(
        t.mapping, trial_json(t.arena, "{\"resourceType\":\"Observation\",\"code\":{\"coding\":[{"
                                       "\"system\":\"x\",\"code\":\"29463-7\"}]}}")));
    trial_end(&t);
}

static void criteria_are_filled_and_encoded(void **state)
{
    (void)state;
    struct trial t = {0};
    struct fact_request *requests;
    size_t count;
    trial_begin(&t);
    struct visit visit = {.encounter = SLICE("v/1")};
    assert_int_equal(datetime_parse(SLICE("2024-02-29"), FORM_FHIR_DATE, &visit.date, NULL),
                     STATUS_OK);
    const struct json *patient =
        trial_json(t.arena, "{\"resourceType\":\"Patient\",\"id\":\"a&b c\"}");
    assert_int_equal(mapping_requests(t.mapping, t.arena, patient, &visit, &LIMITS_DEFAULT,
                                      &t.diags, &requests, &count),
                     STATUS_OK);
    assert_int_equal(count, 3);
    assert_slice(requests[0].query, "Encounter/v/1");
    assert_slice(requests[1].query,
                 "Observation?patient=a%26b%20c&code=http://loinc.org%7C29463-7");
    assert_slice(requests[2].query,
                 "Observation?patient=a%26b%20c&code=http://loinc.org%7C8302-2&date=ge2022-02-28");
    visit.encounter = SLICE_NONE;
    assert_int_equal(mapping_requests(t.mapping, t.arena, patient, &visit, &LIMITS_DEFAULT,
                                      &t.diags, &requests, &count),
                     STATUS_OK);
    assert_int_equal(requests[0].query.len, 0);
    patient = trial_json(t.arena, "{\"resourceType\":\"Patient\"}");
    assert_int_equal(mapping_requests(t.mapping, t.arena, patient, &visit, &LIMITS_DEFAULT,
                                      &t.diags, &requests, &count),
                     STATUS_INVALID);
    trial_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_small_mapping_loads_without_a_word),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(measurements_start_an_evaluation),
        cmocka_unit_test(criteria_are_filled_and_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
