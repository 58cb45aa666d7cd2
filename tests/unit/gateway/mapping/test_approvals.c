// uses: fhir/json fhir/model fhir/types
/* Approvals: which parts whom, bound to what was approved and to a day. */
#include "mapping_test.h"

#include "gateway/mapping/approvals.h"

struct attempt {
    struct trial trial;
    struct slice approvals; /* approvals.yaml; empty: there is none */
    const char *today;
    const char *old; /* in any file becomes `text` */
    const char *text;
    enum status status;
    unsigned faults;
    struct slice written;
    struct slice *parts;
    size_t part_count;
};

static enum status load(struct attempt *a)
{
    struct mapping_file files[TEST_FILES + 1];
    struct trial *t = &a->trial;
    size_t count = 0;
    diag_init(&t->diags, t->arena, 50);
    for (; count < TEST_FILES; count++) {
        files[count] = test_files[count];
        if (a->old != NULL) {
            struct exchange exchange = {a->old, a->text};
            files[count].text = exchanged(t->arena, files[count].text, &exchange);
        }
    }
    if (a->approvals.len != 0) {
        files[count++] = (struct mapping_file){
            .path = SLICE("approvals.yaml"), .name = SLICE("approvals.yaml"), .text = a->approvals};
    }
    return mapping_load(t->arena, files, count, model_r4(), &LIMITS_DEFAULT, &t->diags,
                        &t->mapping);
}

static unsigned count_faults(struct attempt *a)
{
    struct datetime today;
    assert_int_equal(datetime_parse(slice_of(a->today), FORM_FHIR_DATE, &today, NULL), STATUS_OK);
    diag_init(&a->trial.diags, a->trial.arena, 50);
    approvals_faults(a->trial.mapping, &today, &a->trial.diags);
    return a->trial.diags.errors;
}

/* Approves all that the two roles must, then loads it again. */
static enum status approve_run(void *arg)
{
    struct attempt *a = arg;
    struct approval approvals[16];
    size_t count = 0;
    assert_int_equal(load(a), STATUS_OK);
    assert_int_equal(count_faults(a), 6);
    assert_told(&a->trial, "nobody has approved the part texts.en as clinical");
    for (int role = 0; role < APPROVE_ROLES; role++) {
        struct slice *parts;
        size_t more = mapping_parts_to_approve(a->trial.mapping, a->trial.arena,
                                               (enum approval_role)role, &parts);
        for (size_t i = 0; i < more; i++) {
            approvals[count++] =
                (struct approval){.part = parts[i],
                                  .role = (enum approval_role)role,
                                  .hash = mapping_part_hash(a->trial.mapping, parts[i]),
                                  .by = SLICE("Dr \"A\" \\ \xc3\x91"),
                                  .on = SLICE("2026-11-22"),
                                  .review_by = SLICE("2027-01-31")};
        }
    }
    assert_int_equal(count, 6);
    a->approvals = approvals_write(a->trial.arena, approvals, count);
    a->status = load(a);
    a->old = a->text != NULL ? "Drink water" : NULL;
    if (a->old != NULL) {
        a->status = load(a);
    }
    a->faults = a->status == STATUS_OK ? count_faults(a) : 0;
    return STATUS_OK;
}

static void attempt(struct attempt *a)
{
    json_library_init();
    a->trial.arena = arena_create(0);
    assert_int_equal(arena_run(a->trial.arena, approve_run, a), STATUS_OK);
}

static void what_was_approved_is_released(void **state)
{
    (void)state;
    struct attempt a = {.today = "2027-01-31"};
    attempt(&a);
    assert_int_equal(a.status, STATUS_OK);
    assert_int_equal(a.faults, 0);
    const struct approval *approvals;
    assert_int_equal(mapping_approvals(a.trial.mapping, &approvals), 6);
    assert_slice(approvals[0].by, "Dr \"A\" \\ \xc3\x91");
    arena_destroy(&a.trial.arena);
}

static void a_review_that_is_due_ends_it(void **state)
{
    (void)state;
    struct attempt a = {.today = "2027-02-01"};
    attempt(&a);
    assert_int_equal(a.faults, 6);
    assert_told(&a.trial, "ended on 2027-01-31: its review is due");
    arena_destroy(&a.trial.arena);
}

static void a_changed_text_ends_the_approval_of_its_part_alone(void **state)
{
    (void)state;
    struct attempt a = {.today = "2026-12-01", .text = "Sip water"};
    attempt(&a);
    assert_int_equal(a.faults, 1);
    assert_told(&a.trial, "the part texts.en was changed after");
    arena_destroy(&a.trial.arena);
}

static enum status load_run(void *arg)
{
    struct attempt *a = arg;
    a->status = load(a);
    return STATUS_OK;
}

static void a_file_that_is_none_is_told(void **state)
{
    static const struct {
        const char *text;
        const char *told;
    } rows[] = {
        {"approvals: none\n", "list"},
        {"approvals:\n  - { part: rules, as: nobody, hash: x, by: A, on: 2026-11-22, review-by: "
         "2027-01-31 }\n",
         "nobody"},
        {"approvals:\n  - { part: rules, as: clinical, hash: x, by: A, on: soon, review-by: "
         "2027-01-31 }\n",
         "a date is expected here"},
        {"approvals:\n  - { part: rules, as: clinical, hash: x, by: A, on: 2026-11-22 }\n",
         "review-by"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct attempt a = {.approvals = slice_of(rows[i].text)};
        json_library_init();
        a.trial.arena = arena_create(0);
        assert_int_equal(arena_run(a.trial.arena, load_run, &a), STATUS_OK);
        assert_int_equal(a.status, STATUS_INVALID);
        assert_told(&a.trial, rows[i].told);
        arena_destroy(&a.trial.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_approved_is_released),
        cmocka_unit_test(a_review_that_is_due_ends_it),
        cmocka_unit_test(a_changed_text_ends_the_approval_of_its_part_alone),
        cmocka_unit_test(a_file_that_is_none_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
