// uses: fhir/growth
#include "growth_test.h"

#include <string.h>

#include "fhir/growth/normal.h"

static struct growth_assessment assess(enum growth_sex sex, struct growth_age age, double weight,
                                       double height)
{
    struct growth_input input = growth_input_none();
    input.sex = sex;
    input.age = age;
    input.weight_kg = weight;
    input.height_cm = height;
    struct growth_assessment a;
    growth_assess(&input, &a);
    return a;
}

static struct growth_assessment assess_bmi(enum growth_sex sex, double months, double bmi)
{
    struct growth_input input = growth_input_none();
    input.sex = sex;
    input.age = growth_age_of_months(months);
    input.bmi = bmi;
    struct growth_assessment a;
    growth_assess(&input, &a);
    return a;
}

static const enum growth_sex sexes[] = {GROWTH_MALE, GROWTH_FEMALE};

/* CDC, data file page of the extended charts: the two worked examples. */
static void test_cdc_worked_examples(void **state)
{
    (void)state;
    struct growth_assessment girl = assess_bmi(GROWTH_FEMALE, 114.5, 21.2);
    assert_close(girl.bmi_for_age.z, 1.4215, 5e-5);
    assert_close(girl.bmi_for_age.percentile, 92.2, 0.05);
    assert_int_equal(girl.category, GROWTH_CATEGORY_OVERWEIGHT);
    struct growth_assessment boy = assess_bmi(GROWTH_MALE, 50.5, 22.6);
    assert_close(boy.bmi_for_age.percentile, 99.7683, 5e-5);
    assert_close(boy.bmi_for_age.z, 2.83, 0.005);
}

static void test_monotone_in_weight(void **state)
{
    (void)state;
    for (int s = 0; s < 2; s++) {
        for (double months = 0; months < 240; months += 3.7) {
            struct growth_age age = growth_age_of_months(months);
            double height = reference_value(
                months < 24 ? REFERENCE_WHO_LENGTH_FOR_AGE : REFERENCE_CDC_STATURE_FOR_AGE,
                sexes[s], months < 24 ? growth_whole_days(age.days) : months, 0.3);
            double last[3] = {-INFINITY, -INFINITY, -INFINITY};
            for (double weight = 1; weight < 200; weight *= 1.01) {
                struct growth_assessment a = assess(sexes[s], age, weight, height);
                double now[3] = {a.bmi_for_age.z, a.weight_for_age.z, a.bmi_for_age.percentile};
                for (int i = 0; i < 3; i++) {
                    assert_true(now[i] >= last[i]);
                    last[i] = now[i];
                }
                assert_true(a.bmi_for_age.z <= GROWTH_Z_CEILING || months < 24);
            }
        }
    }
}

static void test_continuous_at_p95(void **state)
{
    (void)state;
    for (int s = 0; s < 2; s++) {
        for (double months = 24; months < 240; months += 0.7) {
            double sigma = NAN;
            double p95 = growth_bmi_p95(sexes[s], months, &sigma);
            struct growth_assessment below = assess_bmi(sexes[s], months, p95 * (1 - 1e-12));
            struct growth_assessment at = assess_bmi(sexes[s], months, p95);
            assert_close(below.bmi_for_age.z, at.bmi_for_age.z, 1e-9);
            assert_close(below.bmi_for_age.percentile, 95, 1e-9);
            assert_true(below.bmi_for_age.percentile < 95);
            assert_true(at.bmi_for_age.percentile >= 95);
            assert_int_equal(below.category, GROWTH_CATEGORY_OVERWEIGHT);
            assert_true(at.category >= GROWTH_CATEGORY_OBESITY_CLASS_1);
        }
    }
}

/* Stature alone may step, by less than 0.001, where CDC's rule changes form at |L| = 0.01. */
static void test_continuous_between_table_ages(void **state)
{
    (void)state;
    const double step = 1e-9;
    for (int s = 0; s < 2; s++) {
        for (double months = 24.5; months < 239.4; months += 0.5) {
            struct growth_assessment a =
                assess(sexes[s], growth_age_of_months(months - step), 60, 140);
            struct growth_assessment b =
                assess(sexes[s], growth_age_of_months(months + step), 60, 140);
            assert_close(a.bmi_for_age.z, b.bmi_for_age.z, 1e-7);
            assert_close(a.bmi_z_lms, b.bmi_z_lms, 1e-7);
            assert_close(a.weight_for_age.z, b.weight_for_age.z, 1e-7);
            assert_close(a.height_for_age.z, b.height_for_age.z, 1e-3);
        }
        for (double length = 45.05; length < 109.99; length += 0.05) {
            double low = reference_z(REFERENCE_WHO_WEIGHT_FOR_LENGTH, sexes[s], length - step, 9);
            double high = reference_z(REFERENCE_WHO_WEIGHT_FOR_LENGTH, sexes[s], length + step, 9);
            assert_close(low, high, 1e-6);
        }
    }
}

static void test_value_of_z_and_back(void **state)
{
    (void)state;
    uint64_t random = 11;
    for (int id = 0; id < REFERENCE_COUNT; id++) {
        const struct reference *reference = reference_get((enum growth_reference)id);
        for (int i = 0; i < 2000; i++) {
            enum growth_sex sex = sexes[i % 2];
            double at = test_uniform(&random, reference->first, reference->last);
            double z = test_uniform(&random, -4, 4);
            double value = reference_value((enum growth_reference)id, sex, at, z);
            if (isnan(value)) { /* beyond the distribution's end */
                assert_true(z > 2 || z < -2);
                continue;
            }
            assert_close(reference_z((enum growth_reference)id, sex, at, value), z, 1e-9);
        }
    }
    for (int i = 0; i < 20000; i++) {
        enum growth_sex sex = sexes[i % 2];
        double months = test_uniform(&random, 24, 240);
        double z = test_uniform(&random, -4, 8.1);
        double bmi = growth_bmi_of_z(sex, months, z);
        assert_close(assess_bmi(sex, months, bmi).bmi_for_age.z, z, 1e-8);
        double percentile = test_uniform(&random, 0.1, 99.99);
        bmi = growth_bmi_at(sex, months, percentile);
        assert_close(assess_bmi(sex, months, bmi).bmi_for_age.percentile, percentile, 1e-9);
    }
}

static void test_which_chart(void **state)
{
    (void)state;
    const struct {
        double months;
        enum growth_chart chart;
        enum growth_flag flag;
    } cases[] = {
        {0, GROWTH_CHART_WHO, GROWTH_FLAG_COUNT},
        {23.999999, GROWTH_CHART_WHO, GROWTH_FLAG_COUNT},
        {24, GROWTH_CHART_CDC, GROWTH_FLAG_COUNT},
        {239.999999, GROWTH_CHART_CDC, GROWTH_FLAG_COUNT},
        {240, GROWTH_CHART_NONE, GROWTH_FLAG_AGE_ABOVE_CHARTS},
        {-0.1, GROWTH_CHART_NONE, GROWTH_FLAG_MEASURED_BEFORE_BIRTH},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct growth_assessment a = assess_bmi(GROWTH_MALE, cases[i].months, 17);
        assert_int_equal(a.chart, cases[i].chart);
        if (cases[i].flag != GROWTH_FLAG_COUNT) {
            assert_true(growth_flag_has(a.flags, cases[i].flag));
            assert_true(isnan(a.bmi_for_age.z));
        } else {
            assert_true(!isnan(a.bmi_for_age.z));
        }
    }
    /* a second birthday after 730 days is CDC, read at 24.0 months */
    struct growth_age birthday =
        growth_age_between((struct growth_date){2005, 3, 1}, (struct growth_date){2007, 3, 1});
    struct growth_assessment a = assess(GROWTH_MALE, birthday, 12.6707633, 86.45220101);
    assert_int_equal(a.chart, GROWTH_CHART_CDC);
    assert_close(a.height_for_age.z, 0, 1e-12);
}

static void test_sex_unknown_gives_no_percentile_and_says_so(void **state)
{
    (void)state;
    for (double months = 12; months < 100; months += 50) {
        struct growth_assessment a =
            assess(GROWTH_SEX_UNKNOWN, growth_age_of_months(months), 12, 84);
        assert_true(growth_flag_has(a.flags, GROWTH_FLAG_SEX_UNKNOWN));
        assert_true(isnan(a.bmi_for_age.z) && isnan(a.weight_for_age.z) &&
                    isnan(a.height_for_age.z) && isnan(a.weight_for_length.z));
        assert_int_equal(a.category, GROWTH_CATEGORY_NONE);
        assert_true(!isnan(a.bmi));
    }
}

static void test_lying_and_standing(void **state)
{
    (void)state;
    struct growth_input input = growth_input_none();
    input.sex = GROWTH_FEMALE;
    input.weight_kg = 12;
    input.height_cm = 86;
    struct growth_assessment a;

    input.age = growth_age_of_months(30);
    input.position = GROWTH_RECUMBENT;
    growth_assess(&input, &a);
    assert_close(a.height_cm, 85.2, 1e-12);
    assert_close(a.bmi, 12 / 0.852 / 0.852, 1e-12);
    assert_true(growth_flag_has(a.flags, GROWTH_FLAG_LENGTH_TO_STATURE));

    input.age = growth_age_of_months(20);
    growth_assess(&input, &a);
    assert_close(a.height_cm, 86, 0);
    input.position = GROWTH_STANDING;
    growth_assess(&input, &a);
    assert_close(a.height_cm, 86.7, 1e-12);
    assert_true(growth_flag_has(a.flags, GROWTH_FLAG_STATURE_TO_LENGTH));
    input.position = GROWTH_POSITION_BY_AGE;
    growth_assess(&input, &a);
    assert_close(a.height_cm, 86, 0);
}

static void test_prematurity_moves_scores_by_age_only(void **state)
{
    (void)state;
    struct growth_input input = growth_input_none();
    input.sex = GROWTH_MALE;
    input.weight_kg = 6;
    input.height_cm = 61;
    input.age = growth_age_of_days(150);
    struct growth_assessment plain;
    growth_assess(&input, &plain);
    input.gestational_weeks = 30;
    struct growth_assessment early;
    growth_assess(&input, &early);
    assert_true(early.corrected_days == 80);
    assert_true(growth_flag_has(early.flags, GROWTH_FLAG_AGE_CORRECTED));
    assert_true(early.weight_for_age.z > plain.weight_for_age.z);
    assert_true(early.weight_for_length.z == plain.weight_for_length.z);
    input.age = growth_age_of_days(80);
    struct growth_assessment corrected;
    growth_assess(&(struct growth_input){.sex = GROWTH_MALE,
                                         .age = input.age,
                                         .weight_kg = 6,
                                         .height_cm = 61,
                                         .bmi = NAN,
                                         .head_cm = NAN,
                                         .gestational_weeks = NAN},
                  &corrected);
    assert_true(early.weight_for_age.z == corrected.weight_for_age.z);

    input.age = growth_age_of_days(20);
    growth_assess(&input, &early);
    assert_true(growth_flag_has(early.flags, GROWTH_FLAG_AGE_CORRECTED_BEFORE_TERM));
    assert_true(isnan(early.weight_for_age.z) && !isnan(early.weight_for_length.z));
    input.gestational_weeks = 3;
    growth_assess(&input, &early);
    assert_true(growth_flag_has(early.flags, GROWTH_FLAG_GESTATION_UNREADABLE));
    assert_true(isnan(early.corrected_days));
}

static void test_unit_mixups_are_named(void **state)
{
    (void)state;
    struct growth_age age = growth_age_of_months(40);
    const struct {
        double weight;
        double height;
        enum growth_flag flag;
    } cases[] = {{15, 97, GROWTH_FLAG_COUNT},
                 {15 / 0.45359237, 97, GROWTH_FLAG_WEIGHT_MAYBE_LB},
                 {15 * 0.45359237, 97, GROWTH_FLAG_WEIGHT_MAYBE_KG_AS_LB},
                 {15000, 97, GROWTH_FLAG_WEIGHT_MAYBE_G},
                 {15, 38.2, GROWTH_FLAG_HEIGHT_MAYBE_IN},
                 {15, 246.4, GROWTH_FLAG_HEIGHT_MAYBE_CM_AS_IN},
                 {15, 0.97, GROWTH_FLAG_HEIGHT_MAYBE_M},
                 {97, 15, GROWTH_FLAG_HEIGHT_WEIGHT_SWAPPED}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct growth_assessment a = assess(GROWTH_FEMALE, age, cases[i].weight, cases[i].height);
        growth_flags named = 0;
        for (int f = GROWTH_FLAG_WEIGHT_MAYBE_LB; f <= GROWTH_FLAG_HEIGHT_WEIGHT_SWAPPED; f++) {
            if (growth_flag_has(a.flags, (enum growth_flag)f)) {
                growth_flag_set(&named, (enum growth_flag)f);
            }
        }
        growth_flags expected = 0;
        if (cases[i].flag != GROWTH_FLAG_COUNT) {
            growth_flag_set(&expected, cases[i].flag);
            assert_true((a.flags & growth_flags_implausible()) != 0);
        }
        assert_true(named == expected);
    }
}

static void test_categories_and_codes(void **state)
{
    (void)state;
    const struct {
        double percentile;
        double of_p95;
        double bmi;
        const char *name;
        const char *z68;
        const char *e66;
    } cases[] = {
        {4.9999999, 70, 13, "underweight", "Z68.51", ""},
        {5, 70, 13, "healthy", "Z68.52", ""},
        {84.9999999, 90, 17, "healthy", "Z68.52", ""},
        {85, 90, 17, "overweight", "Z68.53", "E66.3"},
        {94.9999999, 99.9, 19, "overweight", "Z68.53", "E66.3"},
        {95, 100, 19, "obesity_class_1", "Z68.54", "E66.811"},
        {99, 119.9999999, 34.9999, "obesity_class_1", "Z68.54", "E66.811"},
        {99, 120, 28, "obesity_class_2", "Z68.55", "E66.812"},
        {99, 115, 35, "obesity_class_2", "Z68.54", "E66.812"},
        {99.9, 139.9999999, 39, "obesity_class_2", "Z68.55", "E66.812"},
        {99.9, 140, 33, "obesity_class_3", "Z68.56", "E66.813"},
        {99.9, 130, 40, "obesity_class_3", "Z68.55", "E66.813"},
        {NAN, NAN, NAN, "", "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum growth_category category =
            growth_category_of_bmi(cases[i].percentile, cases[i].of_p95, cases[i].bmi);
        assert_string_equal(growth_category_name(category), cases[i].name);
        assert_string_equal(growth_category_z68(category, cases[i].of_p95), cases[i].z68);
        assert_string_equal(growth_category_e66(category), cases[i].e66);
    }
    assert_string_equal(growth_category_name(growth_category_of_length(-2)), "wfl_in_range");
    assert_string_equal(growth_category_name(growth_category_of_length(nextafter(-2, -3))),
                        "low_wfl");
    assert_string_equal(growth_category_name(growth_category_of_length(2)), "high_wfl");
    assert_string_equal(growth_category_name(growth_category_of_length(nextafter(2, 0))),
                        "wfl_in_range");
}

/* WHO 2006 and 2007 print their SD tables; three cells of each, to the digit printed. */
static void test_who_sd_tables(void **state)
{
    (void)state;
    const struct {
        enum growth_reference id;
        enum growth_sex sex;
        double at;
        double z;
        double value;
        double digit;
    } cells[] = {
        {REFERENCE_WHO_WEIGHT_FOR_AGE, GROWTH_MALE, 0, -3, 2.1, 0.05},
        {REFERENCE_WHO_WEIGHT_FOR_AGE, GROWTH_MALE, 365, 0, 9.6, 0.05},
        {REFERENCE_WHO_LENGTH_FOR_AGE, GROWTH_FEMALE, 0, 2, 52.9, 0.05},
        {REFERENCE_WHO_WEIGHT_FOR_LENGTH, GROWTH_FEMALE, 65, 2, 8.6, 0.05},
        {REFERENCE_WHO2007_BMI_FOR_AGE, GROWTH_MALE, 120, 1, 18.5, 0.05},
        {REFERENCE_WHO2007_BMI_FOR_AGE, GROWTH_FEMALE, 228, 2, 29.7, 0.05},
        {REFERENCE_WHO2007_HEIGHT_FOR_AGE, GROWTH_MALE, 120, 0, 137.8, 0.05},
    };
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        assert_close(reference_value(cells[i].id, cells[i].sex, cells[i].at, cells[i].z),
                     cells[i].value, cells[i].digit);
    }
}

static void test_bmi_given_is_kept_and_compared(void **state)
{
    (void)state;
    struct growth_input input = growth_input_none();
    input.sex = GROWTH_MALE;
    input.age = growth_age_of_months(90);
    input.weight_kg = 25;
    input.height_cm = 125;
    input.bmi = 16.1; /* 16.0 exactly, rounded up by some program */
    struct growth_assessment a;
    growth_assess(&input, &a);
    assert_true(a.bmi == 16.1);
    assert_false(growth_flag_has(a.flags, GROWTH_FLAG_BMI_DISAGREES));
    input.bmi = 17;
    growth_assess(&input, &a);
    assert_true(a.bmi == 17);
    assert_true(growth_flag_has(a.flags, GROWTH_FLAG_BMI_DISAGREES));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cdc_worked_examples),
        cmocka_unit_test(test_monotone_in_weight),
        cmocka_unit_test(test_continuous_at_p95),
        cmocka_unit_test(test_continuous_between_table_ages),
        cmocka_unit_test(test_value_of_z_and_back),
        cmocka_unit_test(test_which_chart),
        cmocka_unit_test(test_sex_unknown_gives_no_percentile_and_says_so),
        cmocka_unit_test(test_lying_and_standing),
        cmocka_unit_test(test_prematurity_moves_scores_by_age_only),
        cmocka_unit_test(test_unit_mixups_are_named),
        cmocka_unit_test(test_categories_and_codes),
        cmocka_unit_test(test_who_sd_tables),
        cmocka_unit_test(test_bmi_given_is_kept_and_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
