#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/ehr/seen.h"

static void test_each_text_is_new_once(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    struct seen seen;
    seen_init(&seen, arena);
    enum { MANY = 1000 };
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < MANY; i++) {
            size_t number = SIZE_MAX;
            struct slice text = arena_printf(arena, "Observation/%zu", i);
            assert_int_equal(seen_add(&seen, text, &number), round == 0);
            assert_int_equal(number, i);
        }
    }
    assert_int_equal(seen.count, MANY);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_text_is_new_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
