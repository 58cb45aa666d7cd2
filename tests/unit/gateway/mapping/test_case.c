// uses: fhir/json fhir/model fhir/validate
/* Cases: neighbours, differences, and what counts as shown. */
#include "mapping_test.h"

#include "gateway/mapping/case.h"

struct played {
    struct trial trial;
    const char *text;
    struct case_run *runs;
    size_t count;
    enum status status;
    const char *old; /* in what is compared whole; NULL: it is as it was written */
    const char *other;
};

static enum status play_run(void *arg)
{
    struct played *p = arg;
    struct case_runner runner = {.limits = LIMITS_DEFAULT,
                                 .validator = validator_create(p->trial.arena, model_r4())};
    struct mapping_file file = {.path = SLICE("cases/eight/case.yaml"),
                                .name = SLICE("case.yaml"),
                                .text = slice_of(p->text)};
    p->status = case_run_file(&runner, p->trial.mapping, p->trial.arena, &file, &p->trial.diags,
                              &p->runs, &p->count);
    if (p->status != STATUS_OK) {
        return STATUS_OK;
    }
    /* What the case makes, whole, is compared the second time. */
    struct slice whole =
        case_whole_text(p->trial.mapping, p->trial.arena, &p->runs[0], &runner.limits);
    struct mapping_file files[] = {
        {SLICE("cases/eight/whole.yaml"), SLICE("whole.yaml"), whole, 0}};
    if (p->old != NULL) {
        struct exchange exchange = {p->old, p->other};
        files[0].text = exchanged(p->trial.arena, whole, &exchange);
    }
    runner.files = files;
    runner.file_count = 1;
    p->status = case_run_file(&runner, p->trial.mapping, p->trial.arena, &file, &p->trial.diags,
                              &p->runs, &p->count);
    return STATUS_OK;
}

static void play(struct played *p)
{
    trial_begin(&p->trial);
    assert_non_null(p->trial.mapping);
    assert_int_equal(arena_run(p->trial.arena, play_run, p), STATUS_OK);
}

#define CASE(more)                                                                                 \
    "case: 8 y\nwhy: shows it\ngiven:\n  child: { sex: female, age: 8 y 0 mo }\n  visit: { date: " \
    "2024-05-14 }\nexpect: { outcome: proposal }\n" more

static void neighbours_differ_in_what_they_name(void **state)
{
    (void)state;
    struct played p = {
        .text = CASE("vary:\n  - { child: { age: 3 y }, expect: { outcome: drop, drop: young } }\n"
                     "  - { child: { deceased: true }, expect: { outcome: hold, hold: died } }\n"
                     "  - { child: { age: 6 y 1 d }, expect: { row: { age: older } } }\n")};
    play(&p);
    assert_int_equal(p.status, STATUS_OK);
    assert_int_equal(p.count, 4);
    for (size_t i = 0; i < p.count; i++) {
        assert_true(p.runs[i].passed);
    }
    assert_slice(p.runs[3].name, "eight/3");
    struct slice *uncovered;
    assert_int_equal(case_uncovered(p.trial.mapping, p.trial.arena, p.runs, p.count, &uncovered),
                     0);
    /* Without the neighbours a row and a hold are not shown. */
    assert_int_equal(case_uncovered(p.trial.mapping, p.trial.arena, p.runs, 1, &uncovered), 2);
    assert_slice(uncovered[0], "row of mapping.yaml, line 22");
    assert_slice(uncovered[1], "hold died");
    trial_end(&p.trial);
}

/* A hold that happened is not shown until a case names it. */
static void a_hold_is_shown_by_its_name(void **state)
{
    (void)state;
    struct played p = {
        .text = CASE("vary:\n  - { child: { deceased: true }, expect: { outcome: hold } }\n")};
    play(&p);
    struct slice *uncovered;
    assert_int_equal(case_uncovered(p.trial.mapping, p.trial.arena, p.runs, p.count, &uncovered),
                     2);
    trial_end(&p.trial);
}

/* A prompt or an item is shown by a case, and where it depends on something, left out in another.
 */
static void conditions_are_shown_both_ways(void **state)
{
    static const struct {
        const char *plan; /* stands before `never` */
        const char *open; /* NULL: nothing */
    } rows[] = {
        {"prompts:\n  - { $text: title }\nnever: [", NULL},
        {"prompts:\n  - { $text: title, $when: \"%patient.gender = 'male'\" }\nnever: [",
         "prompt title of steps"},
        {"prompts:\n  - { $text: title, $when: \"%patient.gender = 'female'\" }\nnever: [",
         "steps without the prompt title"},
        {"  tea:\n    resourceType: Goal\n    $when: \"%patient.gender = 'male'\"\n"
         "    lifecycleStatus: proposed\n"
         "    description: { text: { $text: goal.water, for: staff } }\n"
         "    subject: { reference: \"Patient/{{ %patient.id }}\" }\nnever: [",
         "item goals.tea of steps"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct played p = {.trial = {EXCHANGES({"never: [", rows[i].plan})}, .text = CASE("")};
        struct slice *uncovered;
        play(&p);
        /* The row and the hold that the neighbours show are open as well. */
        size_t open = case_uncovered(p.trial.mapping, p.trial.arena, p.runs, p.count, &uncovered);
        assert_int_equal(open, rows[i].open != NULL ? 3 : 2);
        if (rows[i].open != NULL) {
            assert_slice(uncovered[1], rows[i].open);
        }
        trial_end(&p.trial);
    }
}

/* A word of the whole that differs is told by its path, and a line too much or missing is too. */
static void the_whole_is_compared_word_for_word(void **state)
{
    static const struct {
        const char *old;
        const char *other;
        const char *told;
    } rows[] = {
        {"\"Drink water\"", "\"Drink tea\"",
         "family.en.goal.water: want Drink tea, got Drink water"},
        {"older, from 72", "older, from 71", "row.age: want older, from 71, got older, from 72"},
        {"lifecycleStatus: \"active\"", "lifecycleStatus: \"planned\"",
         "on-accept.goals.lifecycleStatus: want planned, got active"},
        {"status: \"draft\"", "statsu: \"draft\"",
         "plan.care-plan.statsu: want a value, got nothing"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct played p = {.text = CASE(""), .old = rows[i].old, .other = rows[i].other};
        play(&p);
        assert_false(p.runs[0].passed);
        assert_slice(p.runs[0].differences[0], rows[i].told);
        trial_end(&p.trial);
    }
}

static void a_difference_says_want_and_got(void **state)
{
    static const struct {
        const char *old;
        const char *expect;
        const char *difference;
    } rows[] = {
        {"", "{ outcome: hold }", "outcome: want hold, got proposal"},
        {"", "{ outcome: proposal, ask: readiness }", "ask: want readiness, got nothing"},
        {"", "{ outcome: proposal, that: [\"Goal.count() = 2\"] }",
         "that: want Goal.count() = 2, got false"},
        {"", "{ outcome: proposal, that: [\"Goal.titel\"] }",
         "that: want Goal.titel, got an error"},
        {"", "{ outcome: proposal, growth: { bmi: 18 +- 0.1 } }", "bmi: want 18 +- 0.1, got nan"},
        {"", "{ outcome: proposal, prompts: [a] }", "prompts: want a, got nothing"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "case: 8 y\nwhy: shows it\ngiven:\n  child: { sex: female, age: 8 y 0 mo }\n"
                 "  visit: { date: 2024-05-14 }\nexpect: %s\n",
                 rows[i].expect);
        struct played p = {.text = text};
        play(&p);
        if (p.status == STATUS_OK) {
            assert_false(p.runs[0].passed);
            assert_slice(p.runs[0].differences[0], rows[i].difference);
        } else {
            assert_true(p.trial.diags.errors != 0);
        }
        trial_end(&p.trial);
    }
}

static void a_plan_that_is_not_valid_fails(void **state)
{
    (void)state;
    struct played p = {.trial = {EXCHANGES({"    lifecycleStatus: proposed\n",
                                            "    lifecycleStatus: proposed\n    startDate: \"{{ "
                                            "%patient.gender }}\"\n"})},
                       .text = CASE("")};
    play(&p);
    assert_int_equal(p.status, STATUS_OK);
    assert_false(p.runs[0].passed);
    assert_true(slice_starts_with(p.runs[0].differences[0], SLICE("valid FHIR: ")));
    trial_end(&p.trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_differ_in_what_they_name),
        cmocka_unit_test(a_hold_is_shown_by_its_name),
        cmocka_unit_test(conditions_are_shown_both_ways),
        cmocka_unit_test(the_whole_is_compared_word_for_word),
        cmocka_unit_test(a_difference_says_want_and_got),
        cmocka_unit_test(a_plan_that_is_not_valid_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
