// uses: fhir/json fhir/model
/* What plans share, what a family can try somewhere, what is due when handed over, a mapping
 * without growth. */
#include "mapping_test.h"

static void texts_may_be_shared(void **state)
{
    (void)state;
    struct trial t = {EXCHANGES({"text: steps", "text: shared"})};
    trial_evaluate(&t);
    assert_int_equal(t.result.outcome, OUTCOME_PROPOSAL);
    const struct json *plan = t.result.items[t.result.item_count - 1].resource;
    assert_slice(json_get_text(plan, "title"), "Small steps");
    trial_end(&t);
}

static void no_plan_takes_their_name(void **state)
{
    (void)state;
    struct trial t = {EXCHANGES({"plan: steps", "plan: shared"},
                                {"propose: steps", "propose: shared"},
                                {"text: steps", "text: shared"})};
    trial_begin(&t);
    assert_null(t.mapping);
    assert_told(&t, "no plan is called \"shared\"");
    trial_end(&t);
}

static void a_goal_has_strategies(void **state)
{
    (void)state;
    struct trial t = {
        EXCHANGES({"family: { title", "family: { goal.water.school: \"Take a bottle\", title"})};
    trial_begin(&t);
    assert_non_null(t.mapping);
    for (const struct diag *diag = t.diags.first; diag != NULL; diag = diag->next) {
        assert_true(slice_find(diag->sentence, SLICE("goal.water"), 0) == SIZE_MAX);
    }
    trial_end(&t);
}

static void at_places_that_are_known(void **state)
{
    (void)state;
    struct trial t = {
        EXCHANGES({"family: { title", "family: { goal.water.garden: \"Drink there\", title"})};
    trial_begin(&t);
    assert_told(&t, "nothing uses the family text \"goal.water.garden\"");
    trial_end(&t);
}

#define HANDS_OVER                                                                                 \
    {"age: older, propose: steps", "age: older, hand-over: clinician, say: look"},                 \
        {"age: young, drop: young", "age: young, propose: steps"},                                 \
    {                                                                                              \
        "text: steps", "text: shared"                                                              \
    }

static void what_is_due_goes_with_the_child(void **state)
{
    (void)state;
    struct trial t = {
        EXCHANGES(HANDS_OVER, {"decide:\n", "due:\n  look:\n    - { $text: title }\n    - { $text: "
                                            "goal.water, $when: \"false\" }\ndecide:\n"})};
    trial_evaluate(&t);
    assert_int_equal(t.result.outcome, OUTCOME_HAND_OVER);
    assert_int_equal(t.result.prompt_count, 1);
    assert_slice(t.result.prompts[0], "title");
    trial_end(&t);
}

static void what_no_row_says_is_never_due(void **state)
{
    (void)state;
    struct trial t = {
        EXCHANGES(HANDS_OVER, {"decide:\n", "due: { lok: [{ $text: title }] }\ndecide:\n"})};
    trial_begin(&t);
    assert_told(&t, "no row that hands over says \"lok\"");
    trial_end(&t);
}

#define NO_GROWTH                                                                                  \
    {                                                                                              \
        "growth: { weight: weights, height: heights }\n", ""                                       \
    }

static void growth_is_not_needed(void **state)
{
    (void)state;
    struct trial t = {EXCHANGES(
        NO_GROWTH, {"\"%growth.ageMonths\", bands: { young: 0, older: 72 }",
                    "\"iif(%patient.active, 'young', 'older')\", values: [young, older]"})};
    trial_evaluate(&t);
    assert_int_equal(t.result.outcome, OUTCOME_PROPOSAL);
    assert_false(t.result.assessed);
    trial_end(&t);
}

static void without_it_nothing_names_it(void **state)
{
    (void)state;
    struct trial t = {EXCHANGES(NO_GROWTH)};
    trial_begin(&t);
    assert_null(t.mapping);
    trial_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_may_be_shared),
        cmocka_unit_test(no_plan_takes_their_name),
        cmocka_unit_test(a_goal_has_strategies),
        cmocka_unit_test(at_places_that_are_known),
        cmocka_unit_test(what_is_due_goes_with_the_child),
        cmocka_unit_test(what_no_row_says_is_never_due),
        cmocka_unit_test(growth_is_not_needed),
        cmocka_unit_test(without_it_nothing_names_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
