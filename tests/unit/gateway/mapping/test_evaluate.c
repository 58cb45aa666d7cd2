// uses: fhir/json fhir/model
/* One visit: three-valued holds, facts, what expressions see, and that the same gives the same. */
#include "mapping_test.h"

static void hold(const char *expression, enum outcome outcome, size_t held)
{
    struct trial t = {EXCHANGES({"%patient.deceased.exists()", expression})};
    trial_evaluate(&t);
    assert_int_equal(t.status, STATUS_OK);
    assert_int_equal(t.result.outcome, outcome);
    assert_int_equal(t.result.hold_count, held);
    if (held != 0) {
        assert_slice(t.result.reason, "died");
        assert_int_equal(t.result.item_count, 0);
    }
    trial_end(&t);
}

static void true_and_unknown_hold(void **state)
{
    (void)state;
    hold("false", OUTCOME_PROPOSAL, 0);
    hold("true", OUTCOME_HOLD, 1);
    hold("%patient.active", OUTCOME_HOLD, 1); /* not recorded */
    hold("%patient.active or true", OUTCOME_HOLD, 1);
    hold("%patient.active and false", OUTCOME_PROPOSAL, 0);
    hold("%growth.weight < 5 'kg'", OUTCOME_HOLD, 1); /* not measured */
    hold("%ehr.protectsTeens", OUTCOME_PROPOSAL, 0);  /* unless an EHR says so */
}

static void two_booleans_are_a_fault_not_an_answer(void **state)
{
    (void)state;
    struct trial t = {EXCHANGES({"%patient.deceased.exists()", "(true | false)"})};
    trial_begin(&t);
    if (t.mapping != NULL) {
        assert_int_equal(arena_run(t.arena, trial_evaluate_run, &t), STATUS_OK);
        assert_int_equal(t.status, STATUS_INVALID);
    }
    assert_true(t.diags.errors != 0);
    trial_end(&t);
}

static void a_failed_fetch_holds(void **state)
{
    (void)state;
    struct trial t = {.weights = "null"};
    trial_evaluate(&t);
    assert_int_equal(t.result.outcome, OUTCOME_HOLD);
    assert_slice(t.result.reason, "fetch-failed");
    trial_end(&t);
}

static void of_whom(const char *subject, enum outcome outcome)
{
    char weights[256];
    snprintf(weights, sizeof weights,
             "[{\"resourceType\":\"Observation\",\"status\":\"final\",\"subject\":{\"reference\":"
             "\"%s\"}}]",
             subject);
    struct trial t = {.weights = weights};
    trial_evaluate(&t);
    assert_int_equal(t.result.outcome, outcome);
    if (outcome == OUTCOME_HOLD) {
        assert_slice(t.result.reason, "another-child");
    }
    trial_end(&t);
}

static void a_fact_of_another_child_holds(void **state)
{
    (void)state;
    of_whom("Patient/child", OUTCOME_PROPOSAL);
    of_whom("http://127.0.0.1/fhir/Patient/child/_history/2", OUTCOME_PROPOSAL);
    of_whom("urn:uuid:0b1e5a0c-0000-4000-8000-000000000000", OUTCOME_PROPOSAL);
    of_whom("Patient/sister", OUTCOME_HOLD);
    of_whom("http://127.0.0.1/fhir/Patient/sister", OUTCOME_HOLD);
    of_whom("http://127.0.0.1/fhir/Patient/sister/_history/child", OUTCOME_HOLD);
}

static void unknown_is_not_eligible(void **state)
{
    (void)state;
    struct trial t = {.encounter = "[]", .no_visit = true};
    trial_evaluate(&t);
    assert_int_equal(t.result.outcome, OUTCOME_NOT_ELIGIBLE);
    trial_end(&t);
}

static void no_expression_sees_race(void **state)
{
    (void)state;
    struct trial t = {
        EXCHANGES({"%patient.deceased.exists()", "%patient.extension.count() != 1"}),
        .patient = "{\"resourceType\":\"Patient\",\"id\":\"child\",\"birthDate\":\"2016-03-01\","
                   "\"extension\":[{\"url\":\"http://hl7.org/fhir/us/core/StructureDefinition/"
                   "us-core-race\",\"extension\":[{\"url\":\"text\",\"valueString\":\"x\"}]},{"
                   "\"url\":\"http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex\","
                   "\"valueCode\":\"F\"}]}"};
    trial_evaluate(&t);
    assert_int_equal(t.result.outcome, OUTCOME_PROPOSAL);
    trial_end(&t);
}

/* ---- the same gives the same, and keeps nothing ---- */

static struct slice plan_text(struct trial *t)
{
    return json_write(t->arena, mapping_plan_bundle(t->arena, &t->result), JSON_COMPACT);
}

static void the_same_input_gives_the_same_bytes(void **state)
{
    (void)state;
    struct trial t = {0};
    trial_evaluate(&t);
    assert_int_equal(t.result.item_count, 2);
    struct slice first = plan_text(&t);
    assert_int_equal(arena_run(t.arena, trial_evaluate_run, &t), STATUS_OK);
    struct slice second = plan_text(&t);
    assert_true(slice_equal(first, second));
    struct trial again = {0};
    trial_evaluate(&again);
    assert_true(slice_equal(first, plan_text(&again)));
    trial_end(&again);
    trial_end(&t);
}

struct repeat {
    struct trial trial;
    struct arena *arena;
};

static enum status repeat_run(void *arg)
{
    struct repeat *repeat = arg;
    trial_evaluate_in(&repeat->trial, repeat->arena);
    return repeat->trial.status;
}

static void ten_thousand_evaluations_keep_nothing(void **state)
{
    enum { TIMES = 10000 };
    (void)state;
    struct repeat repeat = {.arena = arena_create((size_t)8 << 20)};
    trial_begin(&repeat.trial);
    size_t loaded = arena_used(repeat.trial.arena);
    size_t first = 0;
    for (int i = 0; i < TIMES; i++) {
        assert_int_equal(arena_run(repeat.arena, repeat_run, &repeat), STATUS_OK);
        size_t used = arena_used(repeat.arena);
        first = i == 0 ? used : first;
        assert_int_equal(used, first); /* to the byte */
        arena_reset(repeat.arena);
    }
    assert_int_equal(arena_used(repeat.trial.arena), loaded); /* a mapping never grows */
    arena_destroy(&repeat.arena);
    trial_end(&repeat.trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(true_and_unknown_hold),
        cmocka_unit_test(two_booleans_are_a_fault_not_an_answer),
        cmocka_unit_test(a_failed_fetch_holds),
        cmocka_unit_test(a_fact_of_another_child_holds),
        cmocka_unit_test(unknown_is_not_eligible),
        cmocka_unit_test(no_expression_sees_race),
        cmocka_unit_test(the_same_input_gives_the_same_bytes),
        cmocka_unit_test(ten_thousand_evaluations_keep_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
