#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/ehr/url.h"

static void is(struct slice got, const char *want)
{
    char text[512];
    assert_true(got.len < sizeof text);
    memcpy(text, got.at != NULL ? got.at : "", got.len);
    text[got.len] = '\0';
    assert_string_equal(text, want);
}

static void test_what_may_stand_in_a_url(void **state)
{
    (void)state;
    assert_true(url_is_type(SLICE("Observation")));
    assert_false(url_is_type(SLICE("")));
    assert_false(url_is_type(SLICE("observation")));
    assert_false(url_is_type(SLICE("Observation/1")));
    assert_true(url_is_id(SLICE("A-1.b")));
    assert_false(url_is_id(SLICE("")));
    assert_false(url_is_id(SLICE("../x")));
    assert_false(
        url_is_id(SLICE("0123456789012345678901234567890123456789012345678901234567890123x")));
    assert_true(url_is_query(SLICE("a=b|c d")));
    assert_false(url_is_query(SLICE("a=b\r\nHost: x")));
    assert_false(url_is_query(SLICE("a=b#c")));
}

static void test_a_query_is_escaped_where_it_must(void **state)
{
    struct arena *arena = *state;
    is(url_escape_query(arena,
                        SLICE("code=http://loinc.org|8302-2,x&date=ge2026-01-01T00:00:00+02:00")),
       "code=http://loinc.org%7C8302-2,x&date=ge2026-01-01T00:00:00+02:00");
    is(url_escape_query(arena, SLICE("name=J\xc3\xbcrgen%20\"x\"<y>")),
       "name=J%C3%BCrgen%20%22x%22%3Cy%3E");
    is(url_escape_value(arena, SLICE("a b+c/d=e&f~g")), "a%20b%2Bc%2Fd%3De%26f~g");
}

static void test_an_identifier_keeps_its_bars_and_commas(void **state)
{
    struct arena *arena = *state;
    is(url_identifier(arena, SLICE("urn:ietf:rfc:3986"), SLICE("urn:uuid:1")),
       "identifier=urn%3Aietf%3Arfc%3A3986%7Curn%3Auuid%3A1");
    is(url_identifier(arena, SLICE("s"), SLICE("a,b|c$d\\e")),
       "identifier=s%7Ca%5C%2Cb%5C%7Cc%5C%24d%5C%5Ce");
    is(url_identifier(arena, SLICE_NONE, SLICE("v")), "identifier=v");
}

static void test_location(void **state)
{
    (void)state;
    static const struct {
        const char *location;
        bool good;
        const char *id;
        const char *version;
    } rows[] = {
        {"https://h/fhir/CarePlan/7/_history/2", true, "7", "2"},
        {"https://h/fhir/CarePlan/7", true, "7", ""},
        {"CarePlan/7/_history/2", true, "7", "2"},
        {"/fhir/CarePlan/7?x=y", true, "7", ""},
        {"https://h/fhir/Goal/7", false, "", ""},
        {"https://h/fhir/CarePlan/", false, "", ""},
        {"https://h/fhir/CarePlan/7/_history/", true, "7", ""},
        {"7", false, "", ""},
        {"", false, "", ""},
        {"_history/2", false, "", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice id = SLICE_NONE;
        struct slice version = SLICE_NONE;
        assert_int_equal(
            url_read_location(slice_of(rows[i].location), SLICE("CarePlan"), &id, &version),
            rows[i].good);
        is(id, rows[i].id);
        is(version, rows[i].version);
    }
    struct slice id = SLICE_NONE;
    struct slice version = SLICE_NONE;
    assert_false(url_read_location(SLICE_NONE, SLICE("CarePlan"), &id, &version));
}

static void test_resolve(void **state)
{
    struct arena *arena = *state;
    struct slice base = SLICE("https://h:8/a/fhir");
    is(url_resolve(arena, base, SLICE("https://x/token/")), "https://x/token/");
    is(url_resolve(arena, base, SLICE("/token")), "https://h:8/token");
    is(url_resolve(arena, base, SLICE("token")), "https://h:8/a/fhir/token");
}

static int make_arena(void **state)
{
    *state = arena_create(0);
    return *state == NULL;
}

static int drop_arena(void **state)
{
    struct arena *arena = *state;
    arena_destroy(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_may_stand_in_a_url),
        cmocka_unit_test(test_a_query_is_escaped_where_it_must),
        cmocka_unit_test(test_an_identifier_keeps_its_bars_and_commas),
        cmocka_unit_test(test_location),
        cmocka_unit_test(test_resolve),
    };
    return cmocka_run_group_tests(tests, make_arena, drop_arena);
}
