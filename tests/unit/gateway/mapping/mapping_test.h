/* A small mapping in memory, with texts exchanged by a test, and a child to evaluate. */
#ifndef TESTS_MAPPING_TEST_H
#define TESTS_MAPPING_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/mapping/mapping.h"

#define SLICE_INIT(literal)                                                                        \
    {                                                                                              \
        ("" literal), sizeof(literal) - 1                                                          \
    }

static const struct mapping_file test_files[] = {
    {SLICE_INIT("concepts/sets.yaml"), SLICE_INIT("concepts/sets.yaml"),
     SLICE_INIT("sets:\n"
                "  weight:\n"
                "    - { system: \"http://loinc.org\", code: \"29463-7\", display: Body weight, "
                "status: verified }\n"
                "  height:\n"
                "    - { system: \"http://loinc.org\", code: \"8302-2\", display: Body height, "
                "status: verified }\n"
                "  ambulatory:\n"
                "    - { system: \"http://terminology.hl7.org/CodeSystem/v3-ActCode\", code: AMB, "
                "display: ambulatory, status: verified }\n"),
     0},
    {SLICE_INIT("mapping.yaml"), SLICE_INIT("mapping.yaml"),
     SLICE_INIT(
         "mapping: steps\n"
         "version: 1.0.0\n"
         "fhir: \"4.0.1\"\n"
         "owners: { clinical: none, informatics: none, review-by: none }\n"
         "languages: { staff: [en], family: [en] }\n"
         "visit:\n"
         "  starts-on: \"Observation?code={{ %sets.weight }},{{ %sets.height }}\"\n"
         "  same: encounter\n"
         "  eligible: \"%encounter.class.memberOf(%sets.ambulatory)\"\n"
         "facts:\n"
         "  encounter: { read: \"{{ %visit.encounter }}\", take: one }\n"
         "  weights: { search: \"Observation?patient={{ %patient.id }}&code={{ %sets.weight }}\", "
         "take: all }\n"
         "  heights: { search: \"Observation?patient={{ %patient.id }}&code={{ %sets.height "
         "}}&date=ge{{ %visit.date - 24 months }}\", take: all }\n"
         "growth: { weight: weights, height: heights }\n"
         "food-at-risk: \"%patient.active\"\n"
         "holds:\n"
         "  - { id: died, when: \"%patient.deceased.exists()\", tell: nobody, release: never }\n"
         "decide:\n"
         "  inputs:\n"
         "    age: { expr: \"%growth.ageMonths\", bands: { young: 0, older: 72 } }\n"
         "  rows:\n"
         "    - { age: young, drop: young }\n"
         "    - { age: older, propose: steps }\n"),
     0},
    {SLICE_INIT("plans/steps.yaml"), SLICE_INIT("plans/steps.yaml"),
     SLICE_INIT("plan: steps\n"
                "public-id: st-01\n"
                "care-plan:\n"
                "  resourceType: CarePlan\n"
                "  status: draft\n"
                "  intent: proposal\n"
                "  title: { $text: title, for: staff }\n"
                "  subject: { reference: \"Patient/{{ %patient.id }}\" }\n"
                "  goal: { $refs: goals }\n"
                "goals:\n"
                "  water:\n"
                "    resourceType: Goal\n"
                "    lifecycleStatus: proposed\n"
                "    description: { text: { $text: goal.water, for: staff } }\n"
                "    subject: { reference: \"Patient/{{ %patient.id }}\" }\n"
                "never: [weight-target, calories]\n"
                "on-accept: { care-plan: { status: active }, goals: { lifecycleStatus: active } }\n"
                "owns: { gateway: [care-plan.title], clinician: [\"*.status\"] }\n"),
     0},
    {SLICE_INIT("texts/steps.en.yaml"), SLICE_INIT("texts/steps.en.yaml"),
     SLICE_INIT("text: steps\n"
                "language: en\n"
                "grade: 6\n"
                "reviewed: { as: family-text, by: none, on: none }\n"
                "staff: { title: \"Small steps\", goal.water: \"Drink water\" }\n"
                "family: { title: \"Our plan\", goal.water: \"Drink water\" }\n"),
     0},
};

enum { TEST_FILES = sizeof test_files / sizeof *test_files };

/* `old` in any of the files becomes `text`. */
struct exchange {
    const char *old;
    const char *text;
};

struct trial {
    struct arena *arena;
    struct diag_list diags;
    const struct exchange *exchanges;
    size_t exchange_count;
    const struct mapping *mapping; /* NULL: it did not load */
    const char *patient;           /* NULL: the child of the test */
    const char *encounter;
    const char *weights; /* "null": the fetch failed */
    bool no_visit;       /* a visit without Encounter */
    bool intent_plan;
    bool explain;
    enum status status;
    struct evaluation_result result;
};

static const char test_child[] =
    "{\"resourceType\":\"Patient\",\"id\":\"child\",\"gender\":\"female\",\"birthDate\":\"2016-"
    "03-01\"}";
static const char test_encounter[] =
    "[{\"resourceType\":\"Encounter\",\"id\":\"visit\",\"status\":\"finished\",\"class\":{"
    "\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ActCode\",\"code\":\"AMB\"}}]";

static inline struct slice exchanged(struct arena *arena, struct slice text,
                                     const struct exchange *exchange)
{
    size_t at = slice_find(text, slice_of(exchange->old), 0);
    if (at == SIZE_MAX) {
        return text;
    }
    return arena_printf(arena, "%.*s%s%.*s", SLICE_ARGS(slice_part(text, 0, at)), exchange->text,
                        SLICE_ARGS(slice_part(text, at + strlen(exchange->old), SIZE_MAX)));
}

static inline enum status trial_load_run(void *arg)
{
    struct trial *t = arg;
    struct mapping_file files[TEST_FILES];
    diag_init(&t->diags, t->arena, 50);
    for (size_t i = 0; i < TEST_FILES; i++) {
        files[i] = test_files[i];
        for (size_t k = 0; k < t->exchange_count; k++) {
            files[i].text = exchanged(t->arena, files[i].text, &t->exchanges[k]);
        }
    }
    return mapping_load(t->arena, files, TEST_FILES, model_r4(), &LIMITS_DEFAULT, &t->diags,
                        &t->mapping);
}

static inline void trial_print(const struct trial *t)
{
    struct buf text;
    buf_init(&text, t->arena, 1 << 20);
    diag_render_all(&t->diags, &text);
    print_message("%.*s", (int)text.len, text.at);
}

static inline const struct json *trial_json(struct arena *arena, const char *text)
{
    struct diag_list diags;
    const struct json *json = NULL;
    diag_init(&diags, arena, 5);
    struct source *source = source_create(arena, SLICE("json"), slice_of(text));
    assert_int_equal(json_parse(arena, source, &LIMITS_DEFAULT, &diags, &json), STATUS_OK);
    return json;
}

static inline struct fact trial_fact(struct arena *arena, const char *name, const char *json)
{
    bool failed = strcmp(json, "null") == 0;
    return (struct fact){slice_of(name), failed ? FACT_FAILED : FACT_FETCHED,
                         failed ? NULL : trial_json(arena, json)};
}

/* In `arena`, which may be another one than the mapping's. */
static inline void trial_evaluate_in(struct trial *t, struct arena *arena)
{
    const struct fact facts[] = {
        trial_fact(arena, "encounter", t->encounter != NULL ? t->encounter : test_encounter),
        trial_fact(arena, "weights", t->weights != NULL ? t->weights : "[]"),
        trial_fact(arena, "heights", "[]"),
    };
    struct evaluation_input input = {
        .patient = trial_json(arena, t->patient != NULL ? t->patient : test_child),
        .visit = {.key = SLICE("Encounter/visit"),
                  .encounter = t->no_visit ? SLICE_NONE : SLICE("visit")},
        .facts = facts,
        .fact_count = 3,
        .plan_intent_plan = t->intent_plan,
        .explain = t->explain,
    };
    assert_int_equal(datetime_parse(SLICE("2024-05-14"), FORM_FHIR_DATE, &input.visit.date, NULL),
                     STATUS_OK);
    diag_init(&t->diags, arena, 50);
    t->status = mapping_evaluate(t->mapping, arena, &input, &LIMITS_DEFAULT, &t->diags, &t->result);
}

static inline enum status trial_evaluate_run(void *arg)
{
    struct trial *t = arg;
    trial_evaluate_in(t, t->arena);
    return STATUS_OK;
}

static inline void trial_begin(struct trial *t)
{
    json_library_init();
    t->arena = arena_create(0);
    assert_non_null(t->arena);
    enum status status = arena_run(t->arena, trial_load_run, t);
    if (status != STATUS_OK && status != STATUS_INVALID) {
        fail_msg("loading ended with %d", (int)status);
    }
}

/* Loads (it must) and evaluates. */
static inline void trial_evaluate(struct trial *t)
{
    trial_begin(t);
    if (t->mapping == NULL) {
        trial_print(t);
    }
    assert_non_null(t->mapping);
    assert_int_equal(arena_run(t->arena, trial_evaluate_run, t), STATUS_OK);
}

static inline void trial_end(struct trial *t)
{
    arena_destroy(&t->arena);
}

static inline void assert_told(const struct trial *t, const char *sentence)
{
    for (const struct diag *diag = t->diags.first; diag != NULL; diag = diag->next) {
        if (slice_find(diag->sentence, slice_of(sentence), 0) != SIZE_MAX) {
            return;
        }
    }
    trial_print(t);
    fail_msg("not told: %s", sentence);
}

static inline void assert_slice(struct slice got, const char *want)
{
    if (!slice_is(got, want)) {
        fail_msg("want %s, got %.*s", want, SLICE_ARGS(got));
    }
}

#define EXCHANGES(...)                                                                             \
    .exchanges = (const struct exchange[]){__VA_ARGS__},                                           \
    .exchange_count = sizeof((const struct exchange[]){__VA_ARGS__}) / sizeof(struct exchange)

#endif
