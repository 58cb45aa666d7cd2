// uses: fhir/json fhir/model
/* What stands between a mapping and a real patient. */
#include "mapping_test.h"

static unsigned faults(struct trial *t)
{
    trial_begin(t);
    assert_non_null(t->mapping);
    diag_init(&t->diags, t->arena, 100);
    struct datetime today;
    assert_int_equal(datetime_parse(SLICE("2026-11-22"), FORM_FHIR_DATE, &today, NULL), STATUS_OK);
    mapping_release_faults(t->mapping, &today, &t->diags);
    return t->diags.errors;
}

static void a_draft_is_not_released(void **state)
{
    (void)state;
    struct trial t = {0};
    assert_int_equal(faults(&t),
                     28); /* no owners, a text nobody reviewed, twenty holds, six approvals */
    assert_told(&t, "no clinical or no informatics owner");
    assert_told(&t, "nobody has reviewed this text");
    assert_told(&t, "the hold \"deceased\" is missing: the child has died");
    trial_end(&t);
}

static void each_thing_that_is_done_is_one_less(void **state)
{
    (void)state;
    struct trial t = {
        EXCHANGES({"clinical: none, informatics: none", "clinical: A. Person, informatics: B. One"},
                  {"as: family-text, by: none", "as: family-text, by: C. Other"},
                  {"id: died", "id: deceased"})};
    assert_int_equal(faults(&t), 25);
    trial_end(&t);
}

static void one_owner_is_not_enough(void **state)
{
    (void)state;
    struct trial t = {EXCHANGES({"clinical: none", "clinical: A. Person"})};
    assert_int_equal(faults(&t), 28);
    trial_end(&t);
}

static void a_code_that_is_not_verified_is_told(void **state)
{
    (void)state;
    struct trial t = {EXCHANGES(
        {"display: Body height, status: verified", "display: Body height, status: secondary"})};
    assert_int_equal(faults(&t), 29);
    assert_told(&t, "the code 8302-2 is not verified");
    trial_end(&t);
}

static void a_domain_asks_for_its_own_holds(void **state)
{
    (void)state;
    struct trial t = {EXCHANGES({"version: 1.0.0", "version: 1.0.0\ndomain: asthma"})};
    /* no owners, a text nobody reviewed, three holds of all, six parts that nobody approved */
    assert_int_equal(faults(&t), 11);
    trial_end(&t);
    struct trial weight = {EXCHANGES({"version: 1.0.0", "version: 1.0.0\ndomain: healthy-weight"})};
    assert_int_equal(faults(&weight), 28);
    trial_end(&weight);
}

static void a_domain_is_one_that_was_reviewed(void **state)
{
    (void)state;
    struct trial t = {EXCHANGES({"version: 1.0.0", "version: 1.0.0\ndomain: healthy-wieght"})};
    trial_begin(&t);
    assert_null(t.mapping);
    assert_told(&t, "\"healthy-wieght\" is not one of the words known here");
    trial_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_draft_is_not_released),
        cmocka_unit_test(each_thing_that_is_done_is_one_less),
        cmocka_unit_test(one_owner_is_not_enough),
        cmocka_unit_test(a_code_that_is_not_verified_is_told),
        cmocka_unit_test(a_domain_asks_for_its_own_holds),
        cmocka_unit_test(a_domain_is_one_that_was_reviewed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
