#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/crypto.h"
#include "gateway/base/digest.h"

static const struct slice key = {"0123456789abcdef0123456789abcdef", 32};

static int set_up(void **state)
{
    *state = arena_create(0);
    return *state == NULL;
}

static int tear_down(void **state)
{
    struct arena *arena = *state;
    arena_destroy(&arena);
    return 0;
}

static void test_round_trip(void **state)
{
    struct arena *arena = *state;
    static const struct slice texts[] = {{"", 0}, {"a", 1}, {"a longer record\0with a NUL", 26}};
    for (size_t i = 0; i < 3; i++) {
        struct slice sealed;
        struct slice plain;
        assert_int_equal(crypto_seal(arena, key, &random_system, SLICE("row 7"), texts[i], &sealed),
                         STATUS_OK);
        assert_int_equal(sealed.len, texts[i].len + CRYPTO_OVERHEAD);
        assert_int_equal(crypto_open(arena, key, SLICE("row 7"), sealed, &plain), STATUS_OK);
        assert_true(slice_equal(plain, texts[i]));
    }
}

static void test_any_changed_bit_is_seen(void **state)
{
    struct arena *arena = *state;
    struct slice sealed;
    struct slice plain = SLICE("untouched");
    assert_int_equal(
        crypto_seal(arena, key, &random_system, SLICE("row 7"), SLICE("34.5 kg"), &sealed),
        STATUS_OK);
    char *copy = arena_cstr(arena, sealed);
    for (size_t bit = 0; bit < sealed.len * 8; bit++) {
        copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << bit % 8));
        assert_int_equal(
            crypto_open(arena, key, SLICE("row 7"), slice_from(copy, sealed.len), &plain),
            STATUS_INVALID);
        copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << bit % 8));
    }
    assert_true(slice_is(plain, "untouched"));
    assert_int_equal(crypto_open(arena, key, SLICE("row 8"), sealed, &plain), STATUS_INVALID);
    for (size_t len = 0; len < sealed.len; len++) {
        assert_int_equal(
            crypto_open(arena, key, SLICE("row 7"), slice_part(sealed, 0, len), &plain),
            STATUS_INVALID);
    }
}

static void test_nonce_is_new_each_time(void **state)
{
    struct arena *arena = *state;
    struct slice a;
    struct slice b;
    crypto_seal(arena, key, &random_system, SLICE_NONE, SLICE("same"), &a);
    crypto_seal(arena, key, &random_system, SLICE_NONE, SLICE("same"), &b);
    assert_false(slice_equal(a, b));
}

/* NIST GCM test vectors, gcmEncryptExtIV256: PTlen 128, AADlen 128, first group. */
static void test_vector(void **state)
{
    struct arena *arena = *state;
    uint8_t k[32];
    uint8_t aad[16];
    uint8_t sealed[12 + 16 + 16];
    char text[33];
    assert_true(
        hex_read(SLICE("92e11dcdaa866f5ce790fd24501f92509aacf4cb8b1339d50c9c1240935dd08b"), k, 32));
    assert_true(hex_read(SLICE("1e0889016f67601c8ebea4943bc23ad6"), aad, 16));
    assert_true(hex_read(SLICE("ac93a1a6145299bde902f21a"
                               "8995ae2e6df3dbf96fac7b7137bae67f"
                               "eca5aa77d51d4a0a14d9c51e1da474ab"),
                         sealed, sizeof sealed));
    struct slice plain;
    assert_int_equal(crypto_open(arena, slice_from((char *)k, 32), slice_from((char *)aad, 16),
                                 slice_from((char *)sealed, sizeof sealed), &plain),
                     STATUS_OK);
    hex_write((const uint8_t *)plain.at, plain.len, text);
    assert_string_equal(text, "2d71bcfa914e4ac045b2aa60955fad24");
}

static void test_bad_key(void **state)
{
    struct arena *arena = *state;
    struct slice out;
    assert_int_equal(
        crypto_seal(arena, SLICE("short"), &random_system, SLICE_NONE, SLICE("x"), &out),
        STATUS_INVALID);
    assert_int_equal(crypto_open(arena, SLICE("short"), SLICE_NONE, SLICE("x"), &out),
                     STATUS_INVALID);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH(test_round_trip),
        WITH(test_any_changed_bit_is_seen),
        WITH(test_nonce_is_new_each_time),
        WITH(test_vector),
        WITH(test_bad_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
