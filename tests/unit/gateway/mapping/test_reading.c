// uses: fhir/base
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/mapping/reading.h"

static const struct {
    const char *language;
    const char *word;
    unsigned syllables;
} words[] = {
    {"en", "water", 2},  {"en", "milk", 1},     {"en", "family", 3}, {"en", "vegetables", 4},
    {"en", "table", 2},  {"en", "drive", 1},    {"en", "the", 1},    {"en", "played", 1},
    {"en", "wanted", 2}, {"en", "times", 1},    {"en", "dishes", 2}, {"en", "5", 1},
    {"es", "agua", 2},   {"es", "día", 2},      {"es", "leche", 2},  {"es", "familia", 3},
    {"es", "que", 1},    {"es", "pingüino", 3}, {"es", "leer", 2},   {"es", "hoy", 1},
    {"es", "ciudad", 2}, {"es", "país", 2},     {"es", "aéreo", 4},  {"es", "moverse", 3},
    {"es", "guiso", 2},  {"es", "verduras", 3}, {"es", "niño", 2},   {"es", "comida", 3},
};

static void syllables_are_counted_by_spelling(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        unsigned got = reading_syllables(slice_of(words[i].language), slice_of(words[i].word));
        if (got != words[i].syllables) {
            print_message("%s: %u\n", words[i].word, got);
        }
        assert_int_equal(got, words[i].syllables);
    }
}

static double grade(const char *language, const char *text)
{
    struct reading reading = {0};
    reading_add(&reading, slice_of(language), slice_of(text));
    return reading_grade(&reading, slice_of(language));
}

static void grades_are_those_of_the_formulas(void **state)
{
    (void)state;
    /* 6 words, 1 sentence, 6 syllables: 0.39 * 6 + 11.8 - 15.59 is below 0. */
    assert_true(grade("en", "The cat sat on the mat.") < 0.01);
    /* 10 words, 2 sentences, 13 syllables. */
    assert_true(fabs(grade("en", "Drink water with meals. Play outside for one hour daily.") -
                     (0.39 * 5 + 11.8 * 1.3 - 15.59)) < 0.01);
    /* 8 words, 1 sentence, 17 syllables. */
    assert_true(fabs(grade("es", "Comer frutas o verduras en cada comida hoy") -
                     (-0.205 * 12.5 + 0.049 * 100.0 * 15 / 8 - 3.407)) < 0.01);
    assert_true(grade("en", "Multidisciplinary interventions necessitate considerable "
                            "organizational coordination.") > 12);
    assert_true(grade("en", "") < 0.01);
    assert_true(reading_knows(SLICE("es-MX")) && !reading_knows(SLICE("fr")));
}

static void a_point_inside_of_a_number_ends_nothing(void **state)
{
    struct reading reading = {0};
    (void)state;
    reading_add(&reading, SLICE("en"), SLICE("Walk 1.5 miles. Rest!"));
    assert_int_equal(reading.sentences, 2);
    assert_int_equal(reading.words, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(syllables_are_counted_by_spelling),
                                       cmocka_unit_test(grades_are_those_of_the_formulas),
                                       cmocka_unit_test(a_point_inside_of_a_number_ends_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
