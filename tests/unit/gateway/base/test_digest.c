#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/digest.h"

static const char *hex(const uint8_t *bytes, char out[SHA256_TEXT_SIZE])
{
    hex_write(bytes, SHA256_SIZE, out);
    return out;
}

/* FIPS 180-4 examples. */
static void test_sha256(void **state)
{
    (void)state;
    uint8_t hash[SHA256_SIZE];
    char text[SHA256_TEXT_SIZE];
    sha256(SLICE("abc"), hash);
    assert_string_equal(hex(hash, text),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256(SLICE_NONE, hash);
    assert_string_equal(hex(hash, text),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    const struct slice parts[] = {SLICE("a"), SLICE(""), SLICE("bc")};
    sha256_parts(parts, 3, hash);
    assert_memory_equal(hex(hash, text), "ba7816bf", 8);
}

/* RFC 4231, cases 2 and 7 (a key longer than a block). */
static void test_hmac(void **state)
{
    (void)state;
    uint8_t hash[SHA256_SIZE];
    char text[SHA256_TEXT_SIZE];
    hmac_sha256(SLICE("Jefe"), SLICE("what do ya want for nothing?"), hash);
    assert_string_equal(hex(hash, text),
                        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    char key[131];
    memset(key, 0xaa, sizeof key);
    hmac_sha256(slice_from(key, sizeof key),
                SLICE("This is a test using a larger than block-size key and a larger than "
                      "block-size data. The key needs to be hashed before being used by the HMAC "
                      "algorithm."),
                hash);
    assert_string_equal(hex(hash, text),
                        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
    hmac_sha256(SLICE_NONE, SLICE_NONE, hash);
    assert_memory_equal(hex(hash, text), "b613679a", 8);
}

static void test_hex(void **state)
{
    (void)state;
    uint8_t bytes[3];
    assert_true(hex_read(SLICE("00fFa9"), bytes, 3));
    assert_memory_equal(bytes, "\x00\xff\xa9", 3);
    assert_false(hex_read(SLICE("00fFa"), bytes, 3));
    assert_false(hex_read(SLICE("00fFag"), bytes, 3));
    assert_false(hex_read(SLICE("00fFa900"), bytes, 3));
}

static void test_equal(void **state)
{
    (void)state;
    assert_true(equal_in_constant_time(SLICE("secret"), SLICE("secret")));
    assert_false(equal_in_constant_time(SLICE("secret"), SLICE("secreT")));
    assert_false(equal_in_constant_time(SLICE("secret"), SLICE("secre")));
    assert_true(equal_in_constant_time(SLICE_NONE, SLICE("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256),
        cmocka_unit_test(test_hmac),
        cmocka_unit_test(test_hex),
        cmocka_unit_test(test_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
