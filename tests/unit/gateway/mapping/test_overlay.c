// uses: fhir/json fhir/model
#include "mapping_test.h"

/* What a mapping that extends the small one of mapping_test.h asks of an EHR, and decides. */

static const char overlay[] =
    "extends: ../steps\n"
    "mapping: site\n"
    "version: 2.0.0\n"
    "owners: { clinical: somebody, informatics: somebody, review-by: none }\n"
    "languages: { staff: [en], family: [en] }\n"
    "visit: { eligible: \"%growth.ageMonths < 120\" }\n"
    "facts:\n"
    "  weights:\n"
    "    search: \"Observation?patient={{ %patient.id }}&code={{ %sets.weight "
    "}}&category=vital-signs\"\n"
    "    per-ehr:\n"
    "      east: \"Observation?patient={{ %patient.id }}&code={{ %sets.weight }}&_count=50\"\n"
    "  more: { search: \"Condition?patient={{ %patient.id }}\", take: all }\n"
    "holds:\n"
    "  - { id: sick, when: \"%more.exists()\", tell: nobody, release: never }\n"
    "decide:\n"
    "  rows:\n"
    "    - { age: older, hand-over: clinician, say: full }\n";

struct overlaid {
    struct arena *arena;
    struct diag_list diags;
    const char *ehr;
    const struct mapping *mapping;
    struct fact_request *requests;
    size_t count;
    struct evaluation_result result;
    enum status status;
};

static const struct json *parse(struct arena *arena, const char *text)
{
    struct diag_list diags;
    const struct json *json = NULL;
    diag_init(&diags, arena, 5);
    json_parse(arena, source_create(arena, SLICE("json"), slice_of(text)), &LIMITS_DEFAULT, &diags,
               &json);
    return json;
}

static enum status overlay_run(void *arg)
{
    struct overlaid *o = arg;
    struct mapping_file files[TEST_FILES + 1];
    diag_init(&o->diags, o->arena, 50);
    files[0] = (struct mapping_file){SLICE("mapping.yaml"), SLICE("site/mapping.yaml"),
                                     slice_of(overlay), 0};
    for (size_t i = 0; i < TEST_FILES; i++) {
        files[i + 1] = test_files[i];
        files[i + 1].layer = 1;
    }
    o->status = mapping_load(o->arena, files, TEST_FILES + 1, model_r4(), &LIMITS_DEFAULT,
                             &o->diags, &o->mapping);
    if (o->status != STATUS_OK) {
        return o->status;
    }
    struct visit visit = {
        .key = SLICE("Encounter/visit"), .encounter = SLICE("visit"), .ehr = slice_of(o->ehr)};
    datetime_parse(SLICE("2024-05-14"), FORM_FHIR_DATE, &visit.date, NULL);
    const struct json *patient = parse(o->arena, test_child);
    o->status = mapping_requests(o->mapping, o->arena, patient, &visit, &LIMITS_DEFAULT, &o->diags,
                                 &o->requests, &o->count);
    struct fact facts[8];
    for (size_t i = 0; i < o->count && i < 8; i++) {
        bool encounter = slice_is(o->requests[i].name, "encounter");
        facts[i] = (struct fact){o->requests[i].name, FACT_FETCHED,
                                 parse(o->arena, encounter ? test_encounter : "[]")};
    }
    struct evaluation_input input = {
        .patient = patient, .visit = visit, .facts = facts, .fact_count = o->count};
    return o->status == STATUS_OK ? mapping_evaluate(o->mapping, o->arena, &input, &LIMITS_DEFAULT,
                                                     &o->diags, &o->result)
                                  : o->status;
}

static int set_up(void **state)
{
    static struct overlaid o;
    json_library_init();
    o = (struct overlaid){.arena = arena_create(0), .ehr = ""};
    *state = &o;
    return 0;
}

static int tear_down(void **state)
{
    struct overlaid *o = *state;
    arena_destroy(&o->arena);
    return 0;
}

static struct slice query(const struct overlaid *o, const char *name)
{
    for (size_t i = 0; i < o->count; i++) {
        if (slice_is(o->requests[i].name, name)) {
            return o->requests[i].query;
        }
    }
    return SLICE_NONE;
}

static void takes_the_place_of_a_search(void **state)
{
    struct overlaid *o = *state;
    assert_int_equal(arena_run(o->arena, overlay_run, o), STATUS_OK);
    assert_true(slice_ends_with(query(o, "weights"), SLICE("&category=vital-signs")));
    assert_true(slice_is(query(o, "more"), "Condition?patient=child"));
    assert_true(slice_is(mapping_name(o->mapping), "site"));
    assert_true(slice_is(mapping_version(o->mapping), "2.0.0"));
}

static void asks_one_ehr_in_its_way(void **state)
{
    struct overlaid *o = *state;
    o->ehr = "east";
    assert_int_equal(arena_run(o->arena, overlay_run, o), STATUS_OK);
    assert_true(slice_ends_with(query(o, "weights"), SLICE("&_count=50")));
}

static void its_rows_come_first(void **state)
{
    struct overlaid *o = *state;
    assert_int_equal(arena_run(o->arena, overlay_run, o), STATUS_OK);
    assert_int_equal(o->result.outcome, OUTCOME_HAND_OVER);
    assert_true(slice_is(o->result.reason, "full"));
}

static enum status faults_run(void *arg)
{
    struct overlaid *o = arg;
    diag_init(&o->diags, o->arena, 50);
    struct datetime today;
    assert_int_equal(datetime_parse(SLICE("2026-11-22"), FORM_FHIR_DATE, &today, NULL), STATUS_OK);
    mapping_release_faults(o->mapping, &today, &o->diags);
    return STATUS_OK;
}

/* The overlay's owners approved the overlay, not what it extends. */
static void nobody_stays_nobody(void **state)
{
    struct overlaid *o = *state;
    assert_int_equal(arena_run(o->arena, overlay_run, o), STATUS_OK);
    assert_int_equal(arena_run(o->arena, faults_run, o), STATUS_OK);
    bool told = false;
    for (const struct diag *diag = o->diags.first; diag != NULL; diag = diag->next) {
        told = told || slice_find(diag->sentence, SLICE("no clinical or no"), 0) != SIZE_MAX;
    }
    assert_true(told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(takes_the_place_of_a_search, set_up, tear_down),
        cmocka_unit_test_setup_teardown(asks_one_ehr_in_its_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(its_rows_come_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_stays_nobody, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
