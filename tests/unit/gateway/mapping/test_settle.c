// uses: fhir/json fhir/model
/*
 * What is decided when a mapping is loaded comes out as if it were decided for each child: an
 * explained evaluation walks the templates as they were written, and makes the same plan, or has
 * the same fault to tell.
 */
#include "mapping_test.h"

static enum status explained_run(void *arg)
{
    struct trial *t = arg;
    t->explain = true;
    trial_evaluate_in(t, t->arena);
    return STATUS_OK;
}

/* The plan's JSON and the keys of its texts, or what is told. */
static struct slice outcome_of(struct trial *t)
{
    struct buf text;
    buf_init(&text, t->arena, 1 << 20);
    if (t->status != STATUS_OK) {
        for (const struct diag *diag = t->diags.first; diag != NULL; diag = diag->next) {
            buf_add_slice(&text, diag->sentence);
        }
        return buf_view(&text);
    }
    for (size_t i = 0; i < t->result.item_count; i++) {
        buf_printf(&text, "%.*s ", SLICE_ARGS(t->result.items[i].text));
    }
    struct json *bundle = mapping_plan_bundle(t->arena, &t->result);
    buf_add_slice(&text, json_write(t->arena, bundle, JSON_COMPACT));
    return buf_view(&text);
}

static void compare(const char *lines, const char *part, bool fails)
{
    struct trial t = {
        EXCHANGES({"never:", lines}),
        .patient = "{\"resourceType\":\"Patient\",\"id\":\"child\",\"birthDate\":\"2016-03-01\","
                   "\"name\":[{\"text\":\"kg\"},{\"text\":\"BMI\"}],\"maritalStatus\":{\"text\":"
                   "\"percentile\"}}"};
    trial_evaluate(&t);
    assert_int_equal(t.status != STATUS_OK, fails);
    struct slice settled = outcome_of(&t);
    assert_int_equal(arena_run(t.arena, explained_run, &t), STATUS_OK);
    assert_slice(outcome_of(&t), settled.at);
    if (slice_find(settled, slice_of(part), 0) == SIZE_MAX) {
        fail_msg("no %s in %s", part, settled.at);
    }
    trial_end(&t);
}

#define MORE(lines) "    " lines "\nnever:"

static void values_that_no_child_changes(void **state)
{
    (void)state;
    compare(MORE("note: [{ text: \"a\" }, { $when: \"false\", text: \"b\" }, { text: \"c\" }]"),
            "\"note\":[{\"text\":\"a\"},{\"text\":\"c\"}]", false);
    compare(MORE("note: [{ $when: \"'x' = 'x'\", text: \"{{ 1 + 1 }} or {{ 'few' }}\" }]"),
            "\"note\":[{\"text\":\"2 or few\"}]", false);
    compare(MORE("note: [{ $when: \"{}\", $if-unknown: include, text: \"a\" }, { $when: "
                 "\"{}\", $if-unknown: omit, text: \"b\" }]"),
            "\"note\":[{\"text\":\"a\"}]", false);
    compare(MORE("note: [{ $when: \"{}\", text: \"a\" }]"), "$if-unknown", true);
    compare(MORE("note: [{ $when: \"false\", text: \"a\" }]"),
            "\"subject\":{\"reference\":\"Patient/child\"},\"text\"", false);
    compare(MORE("startDate: \"{{ {} }}\""), "\"Goal\"", false);
    compare(MORE("note: [{ text: \"{{ {} }}\" }]"), "yields nothing", true);
    compare(MORE("note: [{ text: \"a{{ {} }}\" }]"), "yields nothing", true);
    compare(MORE("addresses: { $each: \"'a' | 'b'\", reference: \"X/{{ $this }}\" }"),
            "\"addresses\":[{\"reference\":\"X/a\"},{\"reference\":\"X/b\"}]", false);
    compare(MORE("addresses: [{ $each: \"'a' | 'b'\", $when: \"true\", reference: \"X\" }]"),
            "\"addresses\":[{\"reference\":\"X\"},{\"reference\":\"X\"}]", false);
}

static void values_that_several_elements_have(void **state)
{
    (void)state;
    compare(MORE("startDate: \"{{ %visit.date }}\"\n    target: [{ dueDate: \"{{ %visit.date }}\" "
                 "}, { dueDate: \"{{ %visit.date + 1 month }}\" }]"),
            "\"startDate\":\"2024-05-14\",\"target\":[{\"dueDate\":\"2024-05-14\"},{\"dueDate\":"
            "\"2024-06-14\"}]",
            false);
    compare(MORE("note: [{ text: \"{{ %patient.id }} {{ %patient.id }}\" }, { text: \"{{ "
                 "%patient.id }}\" }]"),
            "\"note\":[{\"text\":\"child child\"},{\"text\":\"child\"}]", false);
}

static void what_a_child_brings_is_judged(void **state)
{
    (void)state;
    compare(MORE("note: [{ text: \"{{ %patient.name[1].text }}\" }]"), "a word that judges", true);
    compare(MORE("note: [{ text: \"of {{ %patient.name[0].text }}\" }]"), "of kg", false);
    compare(MORE("outcomeCode: [\"{{ %patient.maritalStatus }}\"]"), "a word that judges", true);
    compare(MORE("target: [{ detailQuantity: { value: 3, unit: \"{{ %patient.name[0].text }}\" } "
                 "}]"),
            "no weight target", true);
    compare(MORE("target: [{ detailQuantity: { value: 3, code: \"{{ %patient.name[0].text }}\" } "
                 "}]"),
            "no weight target", true);
    compare(MORE("target: [{ detailQuantity: { unit: \"{{ %patient.name[0].text }}\" } }]"),
            "\"unit\":\"kg\"", false);
    compare(MORE("target: [{ measure: { coding: [{ code: \"{{ '29463' & '-7' }}\" }] } }]"),
            "no weight target", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_that_no_child_changes),
        cmocka_unit_test(values_that_several_elements_have),
        cmocka_unit_test(what_a_child_brings_is_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
