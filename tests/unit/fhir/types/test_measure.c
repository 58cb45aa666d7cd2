/* Weight and height from the unit texts that EHRs write; all others are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fhir/types/measure.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static void check(const char *value, const char *unit, const char *kilograms,
                  const char *centimetres)
{
    struct decimal a;
    assert_int_equal(decimal_parse(slice_of(value), &a), STATUS_OK);
    char text[DECIMAL_TEXT];
    struct decimal out;
    enum status status = measure_weight_kg(a, slice_of(unit), NULL, SPAN_NONE, &out);
    assert_int_equal(status, kilograms != NULL ? STATUS_OK : STATUS_INVALID);
    if (status == STATUS_OK) {
        decimal_print(out, text);
        assert_string_equal(text, kilograms);
    }
    status = measure_height_cm(a, slice_of(unit), NULL, SPAN_NONE, &out);
    assert_int_equal(status, centimetres != NULL ? STATUS_OK : STATUS_INVALID);
    if (status == STATUS_OK) {
        decimal_print(out, text);
        assert_string_equal(text, centimetres);
    }
}

static void test_units(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *unit;
        const char *kilograms;
        const char *centimetres;
    } cases[] = {
        {"31.5", "kg", "31.5", NULL},
        {"31.50", " KG ", "31.50", NULL},
        {"31.5", "Kgs.", "31.5", NULL},
        {"31500", "g", "31.5", NULL},
        {"31500.00", "grams", "31.50", NULL},
        {"70.5", "[lb_av]", "31.978262085", NULL},
        {"70.5", "lb", "31.978262085", NULL},
        {"70.5", "LBS", "31.978262085", NULL},
        {"70.5", "Pounds", "31.978262085", NULL},
        {"100", "oz", "2.8349523125", NULL},
        {"100", "[oz_av]", "2.8349523125", NULL},
        {"127.5", "cm", NULL, "127.5"},
        {"1.275", "m", NULL, "127.5"},
        {"1275", "mm", NULL, "127.5"},
        {"50", "in", NULL, "127"},
        {"50.0", "in.", NULL, "127.0"},
        {"50", "Inches", NULL, "127"},
        {"50", "[in_i]", NULL, "127"},
        {"50", "[in_us]", NULL, "127.000254000508001"},
        {"4", "ft", NULL, "121.92"},
        {"4", "feet", NULL, "121.92"},
        {"4", "[ft_i]", NULL, "121.92"},
        {"4", "", NULL, NULL},
        {"4", "stone", NULL, NULL},
        {"4", "mg", NULL, NULL},
        {"4", "km", NULL, NULL},
        {"4", "kg/m2", NULL, NULL},
        {"4", "ug", NULL, NULL},
        {"4", "%", NULL, NULL},
        {"4", "kg kg", NULL, NULL},
        {"4", "lb oz", NULL, NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *unit = cases[i].unit;
        check(cases[i].value, unit, cases[i].kilograms, cases[i].centimetres);
    }
}

static void test_diagnostics(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    struct diag_list diags;
    diag_init(&diags, arena, 10);
    struct decimal out;
    assert_int_equal(measure_weight_kg(DECIMAL_ONE, SLICE("in"), &diags, SPAN_NONE, &out),
                     STATUS_INVALID);
    assert_int_equal(measure_height_cm(DECIMAL_ONE, SLICE("stone"), &diags, SPAN_NONE, &out),
                     STATUS_INVALID);
    assert_int_equal(diags.count, 2);
    assert_int_equal(diags.first->code, DIAG_MEASURE_UNIT);
    assert_string_equal(arena_cstr(arena, diags.first->sentence), "\"in\" is no unit of weight");
    assert_string_equal(arena_cstr(arena, diags.last->sentence), "\"stone\" is no unit of height");
    assert_true(diags.first->hint.len > 0 && diags.last->hint.len > 0);
    assert_true(slice_is(measure_unit_code(SLICE("Lbs.")), "[lb_av]"));
    assert_int_equal(measure_unit_code(SLICE("stone")).len, 0);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_diagnostics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
