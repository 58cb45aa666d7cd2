/* Borrowed text: cutting, comparing, UTF-8 by the letter of RFC 3629, nearest words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fhir/base/slice.h"

static void assert_slice(struct slice got, const char *want)
{
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.len != 0 ? got.at : "", want, got.len);
}

static void test_parts_are_clamped(void **state)
{
    (void)state;
    struct slice s = SLICE("abcdef");
    assert_slice(slice_part(s, 2, 3), "cde");
    assert_slice(slice_part(s, 4, SIZE_MAX), "ef");
    assert_slice(slice_part(s, 6, 1), "");
    assert_slice(slice_part(s, SIZE_MAX, SIZE_MAX), "");
    assert_slice(slice_part(SLICE_NONE, 3, 3), "");
}

static void test_comparing(void **state)
{
    (void)state;
    assert_true(slice_compare(SLICE("a"), SLICE("b")) < 0);
    assert_true(slice_compare(SLICE("ab"), SLICE("a")) > 0);
    assert_true(slice_compare(SLICE("\x7f"), SLICE("\x80")) < 0);
    assert_int_equal(slice_compare(SLICE_NONE, SLICE("")), 0);
    assert_true(slice_equal(SLICE_NONE, SLICE("")));
    assert_false(slice_equal(SLICE("a\0b"), SLICE("a\0c")));
    assert_true(slice_is(SLICE("name"), "name"));
    assert_false(slice_is(SLICE("name"), "names"));
    assert_true(slice_starts_with(SLICE("name"), SLICE("na")));
    assert_false(slice_starts_with(SLICE("n"), SLICE("na")));
    assert_true(slice_ends_with(SLICE("name"), SLICE("me")));
    assert_true(slice_ends_with(SLICE("name"), SLICE_NONE));
    assert_false(slice_ends_with(SLICE("e"), SLICE("me")));
}

static void test_finding_and_trimming(void **state)
{
    (void)state;
    assert_int_equal(slice_find(SLICE("abcabc"), SLICE("bc"), 0), 1);
    assert_int_equal(slice_find(SLICE("abcabc"), SLICE("bc"), 2), 4);
    assert_int_equal(slice_find(SLICE("abcabc"), SLICE("bc"), 5), SIZE_MAX);
    assert_int_equal(slice_find(SLICE("abc"), SLICE(""), 3), 3);
    assert_int_equal(slice_find(SLICE("abc"), SLICE("a"), 4), SIZE_MAX);
    assert_int_equal(slice_find(SLICE_NONE, SLICE("a"), 0), SIZE_MAX);
    assert_slice(slice_trim(SLICE(" \t\r\n a b \n")), "a b");
    assert_slice(slice_trim(SLICE(" \t")), "");
    assert_slice(slice_trim(SLICE_NONE), "");
}

static void test_cutting(void **state)
{
    (void)state;
    struct slice rest = SLICE("a,,b");
    struct slice part;
    assert_true(slice_cut(&rest, ',', &part));
    assert_slice(part, "a");
    assert_true(slice_cut(&rest, ',', &part));
    assert_slice(part, "");
    assert_true(slice_cut(&rest, ',', &part));
    assert_slice(part, "b");
    assert_false(slice_cut(&rest, ',', &part));
    rest = SLICE("a,");
    assert_true(slice_cut(&rest, ',', &part));
    assert_true(slice_cut(&rest, ',', &part));
    assert_slice(part, "");
    assert_false(slice_cut(&rest, ',', &part));
    rest = SLICE("");
    assert_true(slice_cut(&rest, ',', &part));
    assert_slice(part, "");
    assert_false(slice_cut(&rest, ',', &part));
}

static void test_whole_numbers(void **state)
{
    (void)state;
    uint64_t value = 7;
    assert_true(slice_to_u64(SLICE("18446744073709551615"), &value));
    assert_true(value == UINT64_MAX);
    assert_true(slice_to_u64(SLICE("007"), &value));
    assert_true(value == 7);
    static const struct slice wrong[] = {{"", 0},   {"-1", 2},      {"+1", 2},  {" 1", 2},
                                         {"1 ", 2}, {"1\0", 2},     {"0x1", 3}, {"1.0", 3},
                                         {NULL, 0}, {"\xd9\xa1", 2}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(slice_to_u64(wrong[i], &value));
    }
    assert_false(slice_to_u64(SLICE("18446744073709551616"), &value));
    assert_false(slice_to_u64(SLICE("99999999999999999999"), &value));
    assert_true(value == 7);
}

static void test_every_code_point_comes_back(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 0x10ffff; code++) {
        char bytes[4];
        size_t len = utf8_put(code, bytes);
        size_t at = 0;
        uint32_t got = utf8_next(slice_from(bytes, len), &at);
        if (code >= 0xd800 && code <= 0xdfff) {
            assert_int_equal(got, UINT32_MAX);
            continue;
        }
        if (got != code || at != len) { /* an assert for each of a million would be slow */
            fail_msg("U+%04X became U+%04X", code, got);
        }
        at = 0;
        if (utf8_next(slice_from(bytes, len - 1), &at) != UINT32_MAX || at != 0) {
            fail_msg("U+%04X cut short was accepted", code);
        }
    }
}

static void test_malformed_utf8(void **state)
{
    (void)state;
    const struct {
        struct slice text;
        size_t at;
    } rows[] = {
        {SLICE("plain \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"), SIZE_MAX},
        {SLICE("\x80"), 0},
        {SLICE("a\xbf"), 1},
        {SLICE("\xc0\xaf"), 0},         /* overlong */
        {SLICE("\xc1\xbf"), 0},         /* overlong */
        {SLICE("\xe0\x9f\xbf"), 0},     /* overlong */
        {SLICE("\xf0\x8f\xbf\xbf"), 0}, /* overlong */
        {SLICE("\xed\xa0\x80"), 0},     /* surrogate */
        {SLICE("\xf4\x90\x80\x80"), 0}, /* above U+10FFFF */
        {SLICE("\xf5\x80\x80\x80"), 0},
        {SLICE("\xff"), 0},
        {SLICE("ab\xe2\x82"), 2},
        {SLICE("\xc3("), 0},
        {SLICE("\xe2\x82("), 0},
        {SLICE("\xc3\xa9\xc3"), 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(utf8_check(rows[i].text), rows[i].at);
    }
    assert_int_equal(utf8_length(SLICE("\xc3\xa9\xff\xe2\x82")), 4);
    assert_int_equal(utf8_length(SLICE_NONE), 0);
}

static void test_nearest_word(void **state)
{
    (void)state;
    static const struct slice names[] = {{"name", 4},    {"birthDate", 9}, {"gender", 6},
                                         {"telecom", 7}, {"photo", 5},     {"maritalStatus", 13},
                                         {"", 0},        {NULL, 0}};
    enum { COUNT = sizeof names / sizeof *names };
    assert_slice(slice_nearest(SLICE("nmae"), names, COUNT), "name");
    assert_slice(slice_nearest(SLICE("birthdate"), names, COUNT), "birthDate");
    assert_slice(slice_nearest(SLICE("martialStatus"), names, COUNT), "maritalStatus");
    assert_slice(slice_nearest(SLICE("gendre"), names, COUNT), "gender");
    assert_null(slice_nearest(SLICE("weight"), names, COUNT).at);
    assert_null(slice_nearest(SLICE(""), names, COUNT).at);
    assert_null(slice_nearest(SLICE("name"), names, 0).at);
    static const char wide[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    struct slice most = slice_from(wide, 64); /* the longest word that is compared */
    assert_slice(slice_nearest(slice_from(wide, 63), &most, 1),
                 most.at != NULL ? "aaaaaaaaaaaaaaaa"
                                   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                 : "");
    assert_null(slice_nearest(slice_from(wide, 65), &most, 1).at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_are_clamped),
        cmocka_unit_test(test_comparing),
        cmocka_unit_test(test_finding_and_trimming),
        cmocka_unit_test(test_cutting),
        cmocka_unit_test(test_whole_numbers),
        cmocka_unit_test(test_every_code_point_comes_back),
        cmocka_unit_test(test_malformed_utf8),
        cmocka_unit_test(test_nearest_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
