// uses: fhir/json fhir/model fhir/types
/* A record answers a mapping's searches as an EHR would. */
#include "mapping_test.h"

#include "gateway/mapping/record.h"

struct asked {
    struct trial trial;
    const char *record;
    const char *visit;
    struct child child;
    enum status status;
};

static enum status ask_run(void *arg)
{
    struct asked *a = arg;
    struct arena *arena = a->trial.arena;
    diag_init(&a->trial.diags, arena, 50);
    a->status = record_child(a->trial.mapping, arena, trial_json(arena, a->record), NULL,
                             a->visit != NULL ? slice_of(a->visit) : SLICE_NONE, &a->trial.diags,
                             &a->child);
    return STATUS_OK;
}

static void ask(struct asked *a)
{
    trial_begin(&a->trial);
    assert_non_null(a->trial.mapping);
    assert_int_equal(arena_run(a->trial.arena, ask_run, a), STATUS_OK);
}

#define PATIENT                                                                                    \
    "{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\",\"communication\":[{\"language\":{"  \
    "\"coding\":[{\"code\":\"en\"}]}},{\"language\":{\"coding\":[{\"code\":\"es\"}]},"             \
    "\"preferred\":true}]}}"
#define ENCOUNTER(id, day)                                                                         \
    ",{\"resource\":{\"resourceType\":\"Encounter\",\"id\":\"" id                                  \
    "\",\"period\":{\"start\":\"" day "T10:00:00Z\"}}}"
#define MEASURED(id, code, day)                                                                    \
    ",{\"resource\":{\"resourceType\":\"Observation\",\"id\":\"" id                                \
    "\",\"status\":\"final\",\"code\":{\"coding\":[{\"system\":\"http://"                          \
    "loinc.org\",\"code\":\"" code "\"}]},\"effectiveDateTime\":\"" day "\"}}"
#define BUNDLE(entries)                                                                            \
    "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[" entries "]}"

static size_t found(const struct asked *a, const char *fact)
{
    for (size_t i = 0; i < a->child.input.fact_count; i++) {
        if (slice_is(a->child.input.facts[i].name, fact)) {
            return json_count(a->child.input.facts[i].resources);
        }
    }
    return SIZE_MAX;
}

static void searches_are_answered_by_code_and_date(void **state)
{
    (void)state;
    struct asked a = {.record = BUNDLE(PATIENT ENCOUNTER("old", "2023-01-05") ENCOUNTER(
                          "new", "2024-05-14") MEASURED("w", "29463-7", "2020-01-01")
                                           MEASURED("h1", "8302-2", "2022-05-14")
                                               MEASURED("h0", "8302-2", "2022-05-13"))};
    ask(&a);
    assert_int_equal(a.status, STATUS_OK);
    assert_slice(a.child.input.visit.encounter, "new");
    assert_slice(a.child.language, "es");
    assert_int_equal(found(&a, "encounter"), 1);
    assert_int_equal(found(&a, "weights"), 1);
    assert_int_equal(found(&a, "heights"), 1); /* the other one is a day beyond 24 months */
    trial_end(&a.trial);
}

static void a_visit_is_named_by_encounter_or_day(void **state)
{
    static const char record[] =
        BUNDLE(PATIENT ENCOUNTER("old", "2023-01-05") ENCOUNTER("new", "2024-05-14"));
    (void)state;
    struct asked a = {.record = record, .visit = "Encounter/old"};
    ask(&a);
    assert_int_equal(a.status, STATUS_OK);
    assert_slice(a.child.input.visit.key, "Encounter/old");
    assert_int_equal(a.child.input.visit.date.year, 2023);
    trial_end(&a.trial);
    a = (struct asked){.record = record, .visit = "2024-03-01"};
    ask(&a);
    assert_int_equal(a.status, STATUS_OK);
    assert_int_equal(a.child.input.visit.encounter.len, 0);
    assert_int_equal(found(&a, "encounter"), 0);
    trial_end(&a.trial);
    a = (struct asked){.record = record, .visit = "nowhere"};
    ask(&a);
    assert_int_equal(a.status, STATUS_INVALID);
    assert_told(&a.trial, "the record has no visit nowhere");
    trial_end(&a.trial);
}

static void two_children_are_refused(void **state)
{
    (void)state;
    struct asked a = {.record = BUNDLE(PATIENT "," PATIENT)};
    ask(&a);
    assert_int_equal(a.status, STATUS_INVALID);
    assert_told(&a.trial, "a second Patient");
    trial_end(&a.trial);
}

static void what_cannot_be_asked_of_a_record_is_told(void **state)
{
    (void)state;
    struct asked a = {.trial = {EXCHANGES({"}}&date=ge{{ %visit.date - 24 months }}",
                                           "}}&performer=Practitioner/1"})},
                      .record = BUNDLE(PATIENT ENCOUNTER("new", "2024-05-14")
                                           MEASURED("h", "8302-2", "2024-05-14"))};
    ask(&a);
    assert_int_equal(a.status, STATUS_INVALID);
    assert_told(&a.trial, "cannot answer the search parameter \"performer\"");
    trial_end(&a.trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(searches_are_answered_by_code_and_date),
        cmocka_unit_test(a_visit_is_named_by_encounter_or_day),
        cmocka_unit_test(two_children_are_refused),
        cmocka_unit_test(what_cannot_be_asked_of_a_record_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
