#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/uuid.h"

static int64_t fixed_utc(void *state)
{
    return *(int64_t *)state;
}

/* RFC 9562 A.6: unix time 0x017F22E279B0 ms. */
static void test_v7(void **state)
{
    (void)state;
    int64_t now = INT64_C(0x017F22E279B0) * 1000;
    struct clock clock = {.utc = fixed_utc, .monotonic = fixed_utc, .state = &now};
    char text[UUID_TEXT_SIZE];
    uuid_write(uuid_v7(&clock, &random_system), text);
    text[19] = '8'; /* variant bits aside */
    assert_memory_equal(text, "017f22e2-79b0-7000-8", 20);
    char before[UUID_TEXT_SIZE];
    uuid_write(uuid_v7(&clock, &random_system), before);
    now += 1; /* one microsecond later sorts later */
    uuid_write(uuid_v7(&clock, &random_system), text);
    assert_true(strcmp(before, text) < 0);
    now = -5;
    uuid_write(uuid_v7(&clock, &random_system), text);
    assert_memory_equal(text, "00000000-0000-7000", 18);
}

/* RFC 9562 A.4, in one part and in three. */
static void test_v5(void **state)
{
    (void)state;
    struct uuid dns;
    assert_true(uuid_read(SLICE("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), &dns));
    const struct slice one[] = {SLICE("www.example.com")};
    const struct slice three[] = {SLICE("www."), SLICE("example"), SLICE(".com")};
    char text[UUID_TEXT_SIZE];
    uuid_write(uuid_v5(dns, one, 1), text);
    assert_string_equal(text, "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    assert_true(uuid_equal(uuid_v5(dns, one, 1), uuid_v5(dns, three, 3)));
}

static void test_read(void **state)
{
    (void)state;
    struct uuid uuid = {.bytes = {1}};
    static const char *const bad[] = {
        "",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c88",
        "6ba7b8109-dad-11d1-80b4-00c04fd430c8",
        "6ba7b810-9dad-11d1-80b4-00c04fd430cg",
        "{ba7b810-9dad-11d1-80b4-00c04fd430c}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(uuid_read(slice_of(bad[i]), &uuid));
        assert_int_equal(uuid.bytes[0], 1);
    }
    assert_true(uuid_read(SLICE("6BA7B810-9DAD-11D1-80B4-00C04FD430C8"), &uuid));
    char text[UUID_TEXT_SIZE];
    uuid_write(uuid, text);
    assert_string_equal(text, "6ba7b810-9dad-11d1-80b4-00c04fd430c8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v7),
        cmocka_unit_test(test_v5),
        cmocka_unit_test(test_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
