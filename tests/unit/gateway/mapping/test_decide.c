// uses: fhir/json fhir/model
/* The decision table at work: bands, unknown inputs, values that are none. */
#include "mapping_test.h"

#define NO_BIRTH_DATE "{\"resourceType\":\"Patient\",\"id\":\"child\"}"

static void bands_begin_at_their_bound(void **state)
{
    static const struct {
        const char *birth;
        enum outcome outcome;
        const char *cell;
    } rows[] = {
        {"2018-05-14", OUTCOME_PROPOSAL, "age=older"}, /* the sixth birthday */
        {"2018-05-15", OUTCOME_DROP, "age=young"},     /* the day before */
        {"2024-05-14", OUTCOME_DROP, "age=young"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char patient[128];
        snprintf(patient, sizeof patient,
                 "{\"resourceType\":\"Patient\",\"id\":\"child\",\"birthDate\":\"%s\"}",
                 rows[i].birth);
        struct trial t = {.patient = patient};
        trial_evaluate(&t);
        assert_int_equal(t.result.outcome, rows[i].outcome);
        assert_slice(t.result.cells[0], rows[i].cell);
        trial_end(&t);
    }
}

static void an_unknown_input_without_a_row_holds(void **state)
{
    (void)state;
    struct trial t = {.patient = NO_BIRTH_DATE};
    trial_evaluate(&t);
    assert_int_equal(t.result.outcome, OUTCOME_HOLD);
    assert_slice(t.result.reason, "unknown-input");
    assert_slice(t.result.cells[0], "age=unknown");
    assert_true(t.result.row == SIZE_MAX);
    trial_end(&t);
}

static void any_is_for_the_unknown_too(void **state)
{
    (void)state;
    struct trial t = {EXCHANGES({"    - { age: young, drop: young }\n    - { age: older, propose: "
                                 "steps }\n",
                                 "    - { age: any, propose: steps }\n"}),
                      .patient = NO_BIRTH_DATE};
    trial_evaluate(&t);
    assert_int_equal(t.result.outcome, OUTCOME_PROPOSAL);
    assert_int_equal(t.result.row, 0);
    trial_end(&t);
}

/* All values by name are not "any": the unknown stays without a row. */
static void all_values_are_not_any(void **state)
{
    (void)state;
    struct trial t = {EXCHANGES({"    - { age: young, drop: young }\n    - { age: older, propose: "
                                 "steps }\n",
                                 "    - { age: [young, older], propose: steps }\n"}),
                      .patient = NO_BIRTH_DATE};
    trial_evaluate(&t);
    assert_int_equal(t.result.outcome, OUTCOME_HOLD);
    trial_end(&t);
}

static void a_value_that_the_table_does_not_know_is_a_fault(void **state)
{
    (void)state;
    struct trial t = {EXCHANGES({"expr: \"%growth.ageMonths\", bands: { young: 0, older: 72 }",
                                 "expr: \"%patient.id\", values: [young, older]"})};
    trial_evaluate(&t);
    assert_int_equal(t.status, STATUS_INVALID);
    assert_told(&t, "\"child\" is no value of the input age");
    trial_end(&t);
}

static void a_band_of_no_number_is_a_fault(void **state)
{
    (void)state;
    struct trial t = {EXCHANGES({"expr: \"%growth.ageMonths\"", "expr: \"%patient.id\""})};
    trial_evaluate(&t);
    assert_int_equal(t.status, STATUS_INVALID);
    assert_told(&t, "is no whole number");
    trial_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bands_begin_at_their_bound),
        cmocka_unit_test(an_unknown_input_without_a_row_holds),
        cmocka_unit_test(any_is_for_the_unknown_too),
        cmocka_unit_test(all_values_are_not_any),
        cmocka_unit_test(a_value_that_the_table_does_not_know_is_a_fault),
        cmocka_unit_test(a_band_of_no_number_is_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
