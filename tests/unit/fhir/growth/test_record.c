// uses: fhir/growth
#include "growth_test.h"

#include <string.h>

#include "fhir/growth/fields.h"
#include "fhir/growth/record.h"

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_create(0);
    return arena == NULL;
}

static int teardown(void **state)
{
    (void)state;
    arena_destroy(&arena);
    return 0;
}

static struct growth_date date(const char *text)
{
    struct growth_date date = {0, 0, 0};
    assert_int_equal(growth_date_read(slice_of(text), &date), GROWTH_DATE_OK);
    return date;
}

static struct growth_child girl(void)
{
    return (struct growth_child){.sex = GROWTH_FEMALE,
                                 .birth_fault = GROWTH_DATE_OK,
                                 .birth = {2014, 3, 1},
                                 .gestational_weeks = NAN};
}

static struct growth_measurement measured(const char *day, enum growth_kind kind, double value,
                                          int64_t order, const char *encounter)
{
    return (struct growth_measurement){.kind = kind,
                                       .value = value,
                                       .date = date(day),
                                       .order = order,
                                       .encounter = slice_of(encounter)};
}

static struct growth_result assess(const struct growth_child *child,
                                   struct growth_measurement *list, size_t count)
{
    struct growth_result result;
    growth_record_assess(arena, child, list, count, &result);
    return result;
}

static bool flagged(const struct growth_visit *visit, enum growth_flag flag)
{
    return growth_flag_has(visit->assessment.flags, flag);
}

#define COUNT(list) (sizeof(list) / sizeof *(list))

static void test_paired_by_encounter_else_by_date(void **state)
{
    (void)state;
    struct growth_child child = girl();
    struct growth_measurement list[] = {
        measured("2022-05-02", GROWTH_HEIGHT, 128, 0, "Encounter/a"), /* after midnight */
        measured("2022-05-01", GROWTH_WEIGHT, 27, 0, "Encounter/a"),
        measured("2022-05-02", GROWTH_WEIGHT, 26, 0, "Encounter/b"),
        measured("2021-05-02", GROWTH_WEIGHT, 24, 0, NULL),
        measured("2021-05-02", GROWTH_HEIGHT, 122, 0, NULL),
        measured("2020-05-02", GROWTH_WEIGHT, 21, 0, NULL),
        measured("2020-05-03", GROWTH_HEIGHT, 116, 0, NULL),
    };
    struct growth_result r = assess(&child, list, COUNT(list));
    assert_int_equal(r.count, 5);
    assert_true(r.visits[0].value[GROWTH_WEIGHT] == 21 && isnan(r.visits[0].assessment.bmi));
    assert_true(flagged(&r.visits[0], GROWTH_FLAG_UNPAIRED));
    assert_true(flagged(&r.visits[0], GROWTH_FLAG_NO_HEIGHT));
    assert_true(flagged(&r.visits[1], GROWTH_FLAG_UNPAIRED));
    assert_close(r.visits[2].assessment.bmi, 24 / 1.22 / 1.22, 1e-12);
    assert_close(r.visits[3].assessment.bmi, 27 / 1.28 / 1.28, 1e-12);
    assert_true(isnan(r.visits[4].assessment.bmi));
    assert_ptr_equal(r.latest, &r.visits[3]);
}

static void test_the_latest_of_a_visit_counts_and_repeats_are_told(void **state)
{
    (void)state;
    struct growth_child child = girl();
    struct growth_measurement list[] = {
        measured("2022-05-01", GROWTH_WEIGHT, 30, 900, "Encounter/a"),
        measured("2022-05-01", GROWTH_WEIGHT, 31, 1000, "Encounter/a"),
        measured("2022-05-01", GROWTH_WEIGHT, 27, 800, "Encounter/a"),
        measured("2022-05-01", GROWTH_HEIGHT, 128, 900, "Encounter/a"),
        measured("2022-05-01", GROWTH_HEIGHT, 128.2, 950, "Encounter/a"),
    };
    struct growth_result r = assess(&child, list, COUNT(list));
    assert_int_equal(r.count, 1);
    assert_true(r.visits[0].value[GROWTH_WEIGHT] == 31);
    assert_true(r.visits[0].value[GROWTH_HEIGHT] == 128.2);
    assert_true(flagged(&r.visits[0], GROWTH_FLAG_REPEATED_WEIGHT));
    assert_false(flagged(&r.visits[0], GROWTH_FLAG_REPEATED_HEIGHT));
}

static void test_what_history_shows(void **state)
{
    (void)state;
    struct growth_child child = girl();
    child.today = date("2023-01-01");
    struct growth_measurement list[] = {
        measured("2021-05-01", GROWTH_WEIGHT, 25, 0, NULL),
        measured("2021-05-01", GROWTH_HEIGHT, 124, 0, NULL),
        /* 28 kg written as 61.7 "kg": plausible on its own, not after 25 kg */
        measured("2021-11-01", GROWTH_WEIGHT, 61.7, 0, NULL),
        measured("2021-11-01", GROWTH_HEIGHT, 127, 0, NULL),
        measured("2022-05-01", GROWTH_WEIGHT, 30, 0, NULL),
        measured("2022-05-01", GROWTH_HEIGHT, 125, 0, NULL),
        measured("2022-06-15", GROWTH_WEIGHT, 30, 0, NULL),
        measured("2022-06-15", GROWTH_HEIGHT, 130, 0, NULL),
        measured("2023-05-01", GROWTH_WEIGHT, 33, 0, NULL),
        measured("2023-05-01", GROWTH_HEIGHT, 128.5, 0, NULL),
    };
    struct growth_result r = assess(&child, list, COUNT(list));
    assert_int_equal(r.count, 5);
    assert_int_equal(r.visits[0].assessment.flags, 0);
    assert_true(flagged(&r.visits[1], GROWTH_FLAG_WEIGHT_MAYBE_LB));
    /* the doubtful visit is no history: its height is not what 125 cm is held against */
    assert_false(flagged(&r.visits[2], GROWTH_FLAG_HEIGHT_LOSS));
    assert_false(flagged(&r.visits[2], GROWTH_FLAG_WEIGHT_MAYBE_KG_AS_LB));
    assert_false(flagged(&r.visits[3], GROWTH_FLAG_HEIGHT_LOSS));
    assert_true(flagged(&r.visits[4], GROWTH_FLAG_HEIGHT_LOSS));
    assert_true(flagged(&r.visits[4], GROWTH_FLAG_MEASURED_IN_FUTURE));
    assert_false(flagged(&r.visits[3], GROWTH_FLAG_MEASURED_IN_FUTURE));
}

static void test_no_height_loss_when_a_child_gets_up(void **state)
{
    (void)state;
    struct growth_child child = girl();
    struct growth_measurement list[] = {
        measured("2016-02-20", GROWTH_WEIGHT, 12, 0, NULL),
        measured("2016-02-20", GROWTH_HEIGHT, 87, 0, NULL),
        measured("2016-03-05", GROWTH_WEIGHT, 12, 0, NULL),
        measured("2016-03-05", GROWTH_HEIGHT, 85.5, 0, NULL),
    };
    struct growth_result r = assess(&child, list, COUNT(list));
    assert_int_equal(r.visits[0].assessment.chart, GROWTH_CHART_WHO);
    assert_int_equal(r.visits[1].assessment.chart, GROWTH_CHART_CDC);
    assert_false(flagged(&r.visits[1], GROWTH_FLAG_HEIGHT_LOSS));
}

static void test_trend(void **state)
{
    (void)state;
    struct growth_child child = girl();
    struct growth_measurement list[] = {
        measured("2021-05-01", GROWTH_WEIGHT, 22, 0, NULL),
        measured("2021-05-01", GROWTH_HEIGHT, 124, 0, NULL),
        measured("2022-05-01", GROWTH_WEIGHT, 30, 0, NULL),
        measured("2022-05-01", GROWTH_HEIGHT, 130, 0, NULL),
        measured("2022-05-11", GROWTH_WEIGHT, 30.4, 0, NULL),
        measured("2022-05-11", GROWTH_HEIGHT, 130, 0, NULL),
        measured("2023-04-01", GROWTH_WEIGHT, 25, 0, NULL),
        measured("2023-04-01", GROWTH_HEIGHT, 134, 0, NULL),
    };
    struct growth_result r = assess(&child, list, COUNT(list));
    assert_true(isnan(r.visits[0].trend.days));
    const struct growth_trend *t = &r.visits[1].trend;
    assert_true(t->days == 365);
    assert_close(t->kg_per_year, 8 * 365.25 / 365, 1e-12);
    assert_close(t->cm_per_year, 6 * 365.25 / 365, 1e-12);
    assert_close(t->percentile_change,
                 r.visits[1].assessment.bmi_for_age.percentile -
                     r.visits[0].assessment.bmi_for_age.percentile,
                 1e-12);
    assert_true(t->lines_crossed >= 2 && flagged(&r.visits[1], GROWTH_FLAG_CROSSED_LINES_UP));
    /* ten days are no trend: the visit before that one is taken */
    assert_true(r.visits[2].trend.days == 375);
    assert_true(flagged(&r.visits[3], GROWTH_FLAG_CROSSED_LINES_DOWN));
    assert_true(r.visits[3].trend.lines_crossed <= -2);
}

static void test_the_records_own_percentile(void **state)
{
    (void)state;
    struct growth_child child = girl();
    /* 2022-05-01: 98.00 months. 30 kg, 130 cm is the 78th percentile or so. */
    struct growth_measurement list[] = {
        measured("2022-05-01", GROWTH_WEIGHT, 30, 0, NULL),
        measured("2022-05-01", GROWTH_HEIGHT, 130, 0, NULL),
        measured("2022-05-01", GROWTH_BMI_PERCENTILE, 0, 0, NULL),
    };
    struct growth_result r = assess(&child, list, COUNT(list));
    double ours = r.visits[0].assessment.bmi_for_age.percentile;
    assert_true(ours > 60 && ours < 84);
    const struct {
        double theirs;
        bool differs;
        bool category_differs;
    } cases[] = {{ours, false, false}, {ours + 0.99, false, false}, {ours - 1.01, true, false},
                 {85, true, true},     {ours + 2, true, false},     {3, true, true}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (size_t k = 0; k < COUNT(list); k++) {
            if (list[k].kind == GROWTH_BMI_PERCENTILE) {
                list[k].value = cases[i].theirs;
            }
        }
        r = assess(&child, list, COUNT(list));
        assert_true(r.visits[0].assessment.bmi_for_age.percentile == ours);
        assert_true(flagged(&r.visits[0], GROWTH_FLAG_EHR_PERCENTILE_DIFFERS) == cases[i].differs);
        assert_true(flagged(&r.visits[0], GROWTH_FLAG_EHR_CATEGORY_DIFFERS) ==
                    cases[i].category_differs);
        assert_close(r.visits[0].ehr_difference, cases[i].theirs - ours, 1e-12);
    }
}

static void test_a_difference_over_a_cut_is_told_even_when_small(void **state)
{
    (void)state;
    struct growth_child child = girl();
    double bmi = growth_bmi_at(GROWTH_FEMALE,
                               growth_age_between(child.birth, date("2022-05-01")).months, 94.8);
    struct growth_measurement list[] = {
        measured("2022-05-01", GROWTH_WEIGHT, bmi * 1.69, 0, NULL),
        measured("2022-05-01", GROWTH_HEIGHT, 130, 0, NULL),
        measured("2022-05-01", GROWTH_BMI_PERCENTILE, 95, 0, NULL),
    };
    struct growth_result r = assess(&child, list, COUNT(list));
    assert_close(r.visits[0].assessment.bmi_for_age.percentile, 94.8, 1e-9);
    assert_false(flagged(&r.visits[0], GROWTH_FLAG_EHR_PERCENTILE_DIFFERS));
    assert_true(flagged(&r.visits[0], GROWTH_FLAG_EHR_CATEGORY_DIFFERS));
    assert_int_equal(r.visits[0].ehr_category, GROWTH_CATEGORY_OBESITY_CLASS_1);
}

static void test_the_records_bmi_stands_in_only_when_nothing_else_is_there(void **state)
{
    (void)state;
    struct growth_child child = girl();
    struct growth_measurement both[] = {
        measured("2022-05-01", GROWTH_WEIGHT, 30, 0, NULL),
        measured("2022-05-01", GROWTH_HEIGHT, 130, 0, NULL),
        measured("2022-05-01", GROWTH_BMI, 21, 0, NULL),
    };
    struct growth_result r = assess(&child, both, COUNT(both));
    assert_close(r.visits[0].assessment.bmi, 30 / 1.69, 1e-12);
    assert_true(flagged(&r.visits[0], GROWTH_FLAG_BMI_DISAGREES));
    struct growth_measurement alone[] = {measured("2022-05-01", GROWTH_BMI, 17.8, 0, NULL)};
    r = assess(&child, alone, COUNT(alone));
    assert_true(r.visits[0].assessment.bmi == 17.8);
    assert_int_equal(r.visits[0].assessment.category, GROWTH_CATEGORY_HEALTHY);
}

static void test_what_is_not_known_is_told(void **state)
{
    (void)state;
    struct growth_measurement list[] = {
        measured("2022-05-01", GROWTH_WEIGHT, 30, 0, NULL),
        measured("2022-05-01", GROWTH_HEIGHT, 130, 0, NULL),
    };
    const struct {
        enum growth_date_fault fault;
        enum growth_flag flag;
    } cases[] = {{GROWTH_DATE_PARTIAL, GROWTH_FLAG_BIRTH_DATE_PARTIAL},
                 {GROWTH_DATE_EMPTY, GROWTH_FLAG_NO_AGE},
                 {GROWTH_DATE_UNREADABLE, GROWTH_FLAG_BIRTH_DATE_UNREADABLE}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct growth_child child = girl();
        child.birth_fault = cases[i].fault;
        struct growth_result r = assess(&child, list, COUNT(list));
        assert_true(flagged(&r.visits[0], cases[i].flag));
        assert_true(isnan(r.visits[0].assessment.bmi_for_age.z));
    }
    struct growth_child child = girl();
    child.edema = true;
    child.sex_is_birth_sex = true;
    struct growth_result r = assess(&child, list, COUNT(list));
    assert_true(flagged(&r.visits[0], GROWTH_FLAG_EDEMA));
    assert_true(flagged(&r.visits[0], GROWTH_FLAG_SEX_FROM_BIRTH_SEX));
    r = assess(&child, list, 0);
    assert_true(r.count == 0 && r.latest == NULL);
}

static void test_fields(void **state)
{
    (void)state;
    struct growth_child child = girl();
    struct growth_measurement list[] = {
        measured("2022-05-01", GROWTH_WEIGHT, 30, 0, NULL),
        measured("2022-05-01", GROWTH_HEIGHT, 130, 0, NULL),
    };
    struct growth_result r = assess(&child, list, COUNT(list));
    struct growth_value value = {.type = GROWTH_BOOLEAN};
    enum growth_field field = GROWTH_FIELD_COUNT;
    assert_true(growth_field_find(SLICE("ageMonths"), &field));
    assert_true(growth_field_get(&child, r.latest, field, &value));
    assert_true(value.type == GROWTH_INTEGER && value.number == 98);
    assert_true(growth_field_get(&child, r.latest, GROWTH_FIELD_CATEGORY, &value));
    assert_true(value.type == GROWTH_STRING && strcmp(value.text, "healthy") == 0);
    assert_true(growth_field_get(&child, r.latest, GROWTH_FIELD_MEASURED, &value));
    assert_true(value.type == GROWTH_DATE && value.date.year == 2022 && value.date.day == 1);
    assert_true(growth_field_get(&child, r.latest, GROWTH_FIELD_WEIGHT, &value));
    assert_true(value.type == GROWTH_KILOGRAMS && value.number == 30);
    assert_true(growth_field_get(&child, r.latest, GROWTH_FIELD_IMPLAUSIBLE, &value));
    assert_true(value.type == GROWTH_BOOLEAN && !value.truth);
    /* what there is not is empty, and leaves the value alone */
    value.number = 42;
    assert_false(growth_field_get(&child, r.latest, GROWTH_FIELD_FLAGS, &value));
    assert_false(growth_field_get(&child, r.latest, GROWTH_FIELD_EHR_DIFFERENCE, &value));
    assert_false(growth_field_get(&child, r.latest, GROWTH_FIELD_LINES_CROSSED, &value));
    assert_false(growth_field_get(&child, r.latest, GROWTH_FIELD_WEIGHT_FOR_LENGTH_Z, &value));
    assert_true(value.number == 42);
    assert_false(growth_field_find(SLICE("agemonths"), &field));
    child.sex = GROWTH_SEX_UNKNOWN;
    r = assess(&child, list, COUNT(list));
    assert_false(growth_field_get(&child, r.latest, GROWTH_FIELD_SEX, &value));
    assert_false(growth_field_get(&child, r.latest, GROWTH_FIELD_PERCENTILE, &value));
    assert_true(growth_field_get(&child, r.latest, GROWTH_FIELD_FLAGS, &value));
    assert_true(growth_flag_has(value.flags, GROWTH_FLAG_SEX_UNKNOWN));
    for (int f = 0; f < GROWTH_FIELD_COUNT; f++) {
        assert_true(growth_field_find(slice_of(growth_field_name((enum growth_field)f)), &field));
        assert_int_equal(field, f);
        assert_true(strlen(growth_field_sentence((enum growth_field)f)) > 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_paired_by_encounter_else_by_date, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_latest_of_a_visit_counts_and_repeats_are_told,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_history_shows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_height_loss_when_a_child_gets_up, setup, teardown),
        cmocka_unit_test_setup_teardown(test_trend, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_records_own_percentile, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_difference_over_a_cut_is_told_even_when_small, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            test_the_records_bmi_stands_in_only_when_nothing_else_is_there, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_not_known_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fields, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
