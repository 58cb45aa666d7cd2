/* What the filter over keys says, and how often it is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/store/key_filter.h"

static int64_t hash_of(int64_t number)
{
    return (int64_t)((uint64_t)number * UINT64_C(0x100000001b3) ^ UINT64_C(0xcbf29ce484222325));
}

static void knows_what_was_added(void **state)
{
    (void)state;
    struct key_filter *filter = key_filter_create();
    assert_non_null(filter);
    assert_false(key_filter_may_have(filter, hash_of(1)));
    for (int64_t i = 0; i < 1000000; i++) {
        key_filter_add(filter, hash_of(i));
    }
    for (int64_t i = 0; i < 1000000; i++) {
        assert_true(key_filter_may_have(filter, hash_of(i)));
    }
    key_filter_destroy(&filter);
    assert_null(filter);
    key_filter_destroy(&filter);
}

static void is_seldom_wrong_about_new_keys(void **state)
{
    (void)state;
    struct key_filter *filter = key_filter_create();
    int wrong[2] = {0, 0};
    for (int64_t i = 0; i < 1000000; i++) {
        if (i == 100000) {
            for (int64_t k = 0; k < 100000; k++) {
                wrong[0] += key_filter_may_have(filter, hash_of(-1 - k));
            }
        }
        key_filter_add(filter, hash_of(i));
    }
    for (int64_t k = 0; k < 100000; k++) {
        wrong[1] += key_filter_may_have(filter, hash_of(-1 - k));
    }
    print_message("# of 100000 new keys: %d with 100000 known, %d with 1000000\n", wrong[0],
                  wrong[1]);
    assert_true(wrong[0] < 100);
    assert_true(wrong[1] < 6000);
    key_filter_destroy(&filter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_what_was_added),
        cmocka_unit_test(is_seldom_wrong_about_new_keys),
    };
    return cmocka_run_group_tests_name("store key filter", tests, NULL, NULL);
}
