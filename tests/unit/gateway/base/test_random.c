#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "gateway/base/random.h"

static void test_system(void **state)
{
    (void)state;
    uint8_t a[64] = {0};
    uint8_t b[64] = {0};
    random_fill(&random_system, a, sizeof a);
    random_fill(&random_system, b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
}

static void test_below(void **state)
{
    (void)state;
    unsigned seen = 0;
    for (int i = 0; i < 2000; i++) {
        uint64_t value = random_below(&random_system, 5);
        assert_true(value < 5);
        seen |= 1U << value;
    }
    assert_int_equal(seen, 0x1f);
    assert_int_equal(random_below(&random_system, 0), 0);
    assert_int_equal(random_below(&random_system, 1), 0);
    assert_true(random_below(&random_system, UINT64_MAX) < UINT64_MAX);
}

static void test_seeded(void **state)
{
    (void)state;
#ifdef EPLAN_SEAMS
    struct random_seeded one;
    struct random_seeded two;
    struct random a = random_seeded_init(&one, 7);
    struct random b = random_seeded_init(&two, 7);
    uint8_t x[21];
    uint8_t y[21];
    random_fill(&a, x, sizeof x);
    random_fill(&b, y, sizeof y);
    assert_memory_equal(x, y, sizeof x);
    random_fill(&a, x, sizeof x);
    assert_memory_not_equal(x, y, sizeof x);
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_system),
        cmocka_unit_test(test_below),
        cmocka_unit_test(test_seeded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
