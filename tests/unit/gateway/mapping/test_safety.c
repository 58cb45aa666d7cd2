/* Words, units and codes that no plan has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/mapping/safety.h"

struct row {
    const char *text;
    bool found;
};

static void words_that_judge(void **state)
{
    static const struct row rows[] = {
        {"Obesity", true},
        {"an OBESE child", true},
        {"sobrepeso", true},
        {"su IMC", true},
        {"percentile", true},
        {"fat free", true},
        {"father", false},
        {"low-fat milk", false},
        {"probe server", false},
        {"Drink water", false},
        {"", false},
        {"BMI", true},
        {"submit", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool found = safety_judging_word(slice_of(rows[i].text)) != NULL;
        if (rows[i].found != found) {
            fail_msg("%s", rows[i].text);
        }
    }
}

static void amounts_to_weigh_or_eat(void **state)
{
    static const struct row rows[] = {
        {"Lose 5 lb", true}, {"1500 calories", true}, {"fewer calories", true},
        {"30kg", true},      {"10 pounds", true},     {"bajar 3 kilos", true},
        {"2 libras", true},  {"5 times", false},      {"1 hour", false},
        {"kg", false},       {"8 oz of milk", false}, {"local food", false},
        {"a calorie", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool found = safety_amount_word(slice_of(rows[i].text)) != NULL;
        if (rows[i].found != found) {
            fail_msg("%s", rows[i].text);
        }
    }
}

static void units_and_measures(void **state)
{
    (void)state;
    assert_string_equal(safety_unit(SLICE("[lb_av]")), "weight-target");
    assert_string_equal(safety_unit(SLICE("kcal")), "calories");
    assert_null(safety_unit(SLICE("d/wk")));
    assert_string_equal(safety_measure(SLICE("39156-5")), "weight-target");
    assert_null(safety_measure(SLICE("89555-7")));
}

static void race_by_any_of_its_names(void **state)
{
    (void)state;
    assert_non_null(safety_race_word(SLICE("extension('.../us-core-ethnicity')")));
    assert_non_null(safety_race_word(SLICE("urn:oid:2.16.840.1.113883.6.238")));
    assert_null(safety_race_word(SLICE("trace()")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_that_judge),
        cmocka_unit_test(amounts_to_weigh_or_eat),
        cmocka_unit_test(units_and_measures),
        cmocka_unit_test(race_by_any_of_its_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
