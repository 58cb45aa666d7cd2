// uses: fhir/json fhir/model
/* Templates to resources. */
#include "mapping_test.h"

/* The plan's JSON with `text` in place of `old`; NULL: the evaluation failed. */
static const char *built(struct trial *t)
{
    trial_evaluate(t);
    return t->status == STATUS_OK
               ? json_write(t->arena, mapping_plan_bundle(t->arena, &t->result), JSON_COMPACT).at
               : NULL;
}

#define IN_GOAL "    resourceType: Goal\n"

static void if_unknown_says_what_then(void **state)
{
    static const struct {
        const char *lines;
        int items; /* -1: the evaluation fails */
    } rows[] = {
        {"    $when: \"%patient.active\"\n" IN_GOAL, -1},
        {"    $when: \"%patient.active\"\n    $if-unknown: error\n" IN_GOAL, -1},
        {"    $when: \"%patient.active\"\n    $if-unknown: omit\n" IN_GOAL, 1},
        {"    $when: \"%patient.active\"\n    $if-unknown: include\n" IN_GOAL, 2},
        {"    $when: \"false\"\n    $if-unknown: include\n" IN_GOAL, 1},
        {"    $when: \"true\"\n" IN_GOAL, 2},
        {"    $costs: money\n" IN_GOAL, 1}, /* nobody asked whether food is short */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct trial t = {EXCHANGES({IN_GOAL, rows[i].lines})};
        const char *text = built(&t);
        assert_int_equal(text != NULL ? (int)t.result.item_count : -1, rows[i].items);
        if (text == NULL) {
            assert_told(&t, "say what then with $if-unknown");
        }
        trial_end(&t);
    }
}

static void what_costs_money_needs_a_no(void **state)
{
    static const char *const patients[] = {
        "{\"resourceType\":\"Patient\",\"id\":\"child\",\"birthDate\":\"2016-03-01\",\"active\":"
        "true}",
        "{\"resourceType\":\"Patient\",\"id\":\"child\",\"birthDate\":\"2016-03-01\",\"active\":"
        "false}"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct trial t = {EXCHANGES({IN_GOAL, "    $costs: money\n" IN_GOAL}),
                          .patient = patients[i]};
        assert_non_null(built(&t));
        assert_int_equal(t.result.item_count, 1 + i);
        trial_end(&t);
    }
}

static void each_of_nothing_leaves_no_element(void **state)
{
    (void)state;
    struct trial t = {
        EXCHANGES({"  goal: { $refs: goals }\n",
                   "  goal: { $refs: goals }\n  addresses:\n    $each: \"%patient.link.other\"\n"
                   "    reference: \"{{ $this.reference }}\"\n"})};
    const char *text = built(&t);
    assert_non_null(text);
    assert_null(strstr(text, "addresses"));
    trial_end(&t);
}

static void no_goals_leave_no_references(void **state)
{
    (void)state;
    struct trial t = {EXCHANGES({IN_GOAL, "    $when: \"false\"\n" IN_GOAL})};
    const char *text = built(&t);
    assert_non_null(text);
    assert_null(strstr(text, "\"goal\""));
    trial_end(&t);
}

static void a_required_element_that_yields_nothing_is_a_fault(void **state)
{
    static const struct exchange rows[] = {
        {"    description: { text: { $text: goal.water, for: staff } }\n",
         "    description: { text: \"{{ %patient.gender.where(false) }}\" }\n"},
        {"    description: { text: { $text: goal.water, for: staff } }\n",
         "    description:\n      $when: \"false\"\n      text: \"x\"\n"},
        {"    subject: { reference: \"Patient/{{ %patient.id }}\" }\nnever",
         "    subject: { reference: \"Patient/{{ %patient.name.family }}\" }\nnever"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct trial t = {.exchanges = &rows[i], .exchange_count = 1};
        assert_null(built(&t));
        assert_told(&t, "yields nothing");
        trial_end(&t);
    }
}

static void texts_are_escaped_in_the_narrative(void **state)
{
    (void)state;
    struct trial t = {EXCHANGES({"goal.water: \"Drink water\" }\nfamily",
                                 "goal.water: \"<b>5 > 3</b> & \\\"milk\\\"\" }\nfamily"})};
    const char *text = built(&t);
    assert_non_null(text);
    assert_non_null(strstr(text, "<p>&lt;b&gt;5 &gt; 3&lt;/b&gt; &amp; &quot;milk&quot;</p>"));
    assert_non_null(strstr(text, "<li>&lt;b&gt;5 &gt; 3&lt;/b&gt;"));
    assert_non_null(strstr(text, "\"text\":\"<b>5 > 3</b> & \\\"milk\\\"\"")); /* JSON is not XML */
    trial_end(&t);
}

static void the_ehr_may_want_intent_plan(void **state)
{
    (void)state;
    struct trial t = {.intent_plan = true};
    const char *text = built(&t);
    assert_non_null(strstr(text, "\"intent\":\"plan\""));
    assert_non_null(strstr(text, "\"status\":\"draft\""));
    trial_end(&t);
}

static void references_lead_to_the_items(void **state)
{
    (void)state;
    struct trial t = {0};
    const char *text = built(&t);
    assert_non_null(strstr(
        text, "\"goal\":[{\"reference\":\"urn:uuid:00000000-0000-4000-8000-000000000001\"}]"));
    assert_null(strstr(text, "#item:"));
    trial_end(&t);
}

/* What a record brings in is judged when it is there. */
static void the_record_cannot_bring_in_what_is_forbidden(void **state)
{
    (void)state;
    struct trial title = {
        EXCHANGES(
            {"title: { $text: title, for: staff }", "title: \"Plan of {{ %patient.name.text }}\""}),
        .patient = "{\"resourceType\":\"Patient\",\"id\":\"child\",\"birthDate\":\"2016-03-01\","
                   "\"name\":[{\"text\":\"obesity clinic\"}]}"};
    assert_null(built(&title));
    assert_told(&title, "a word that judges");
    trial_end(&title);
    struct trial weight = {EXCHANGES(
        {"never:", "    target: [{ detailQuantity: { value: 30, unit: \"{{ 'k' & 'g' }}\" "
                   "} }]\nnever:"})};
    assert_null(built(&weight));
    assert_told(&weight, "a plan sets no weight target");
    trial_end(&weight);
    struct trial energy = {
        EXCHANGES({"never:", "    target: [{ detailQuantity: { value: 30, code: \"{{ 'kc' & 'al' }}"
                             "\" } }]\nnever:"})};
    assert_null(built(&energy));
    assert_told(&energy, "counts no calories");
    trial_end(&energy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(if_unknown_says_what_then),
        cmocka_unit_test(what_costs_money_needs_a_no),
        cmocka_unit_test(each_of_nothing_leaves_no_element),
        cmocka_unit_test(no_goals_leave_no_references),
        cmocka_unit_test(a_required_element_that_yields_nothing_is_a_fault),
        cmocka_unit_test(texts_are_escaped_in_the_narrative),
        cmocka_unit_test(the_ehr_may_want_intent_plan),
        cmocka_unit_test(references_lead_to_the_items),
        cmocka_unit_test(the_record_cannot_bring_in_what_is_forbidden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
