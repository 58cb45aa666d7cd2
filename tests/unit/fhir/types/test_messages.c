/* The exact texts of what fhir/types tells; no command prints them without a document around. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fhir/types/measure.h"
#include "fhir/types/quantity.h"

static void test_texts(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    struct diag_list diags;
    diag_init(&diags, arena, 10);
    struct slice text = SLICE("50 degF * 2 Cel, 1 lbss, 150 stone");
    struct source *source = source_create(arena, SLICE("t"), text);
    struct quantity warm = quantity_of_number((struct decimal){0});
    struct quantity cold = warm;
    warm.unit = SLICE("[degF]");
    cold.unit = SLICE("Cel");
    struct quantity product;
    assert_int_equal(
        quantity_multiply(arena, &warm, &cold, &diags, (struct span){source, 0, 15}, &product),
        STATUS_INVALID);
    ucum_diagnose(&diags, (struct span){source, 19, 23}, SLICE("lbss"));
    struct decimal weight;
    assert_int_equal(measure_weight_kg((struct decimal){0}, SLICE("stone"), &diags,
                                       (struct span){source, 29, 34}, &weight),
                     STATUS_INVALID);
    struct buf out;
    buf_init(&out, arena, 10000);
    diag_render_all(&diags, &out);
    assert_string_equal(
        out.at, "t:1:1: error: the units \"[degF]\" and \"Cel\" cannot be multiplied [unit-unfit]\n"
                "  50 degF * 2 Cel, 1 lbss, 150 stone\n"
                "  ^~~~~~~~~~~~~~~\n"
                "  hint: years, months, Cel and [degF] are no plain factors of one another; use "
                "'a', 'mo' or K\n"
                "t:1:20: error: \"lbss\" is no UCUM unit that is known here [unit-unknown]\n"
                "  50 degF * 2 Cel, 1 lbss, 150 stone\n"
                "                     ^~~~\n"
                "t:1:30: error: \"stone\" is no unit of weight [measure-unit]\n"
                "  50 degF * 2 Cel, 1 lbss, 150 stone\n"
                "                               ^~~~~\n"
                "  hint: units of weight are kg, g, [lb_av] and [oz_av]\n");
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_texts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
