#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/http/router.h"

enum { HEALTH, TYPE, RESOURCE, NOTIFY, SHOW, EXACT };

static const struct route routes[] = {
    {HTTP_GET, "/health", HEALTH},          {HTTP_POST, "/fhir/metadata", EXACT},
    {HTTP_POST, "/fhir/{}", TYPE},          {HTTP_PUT, "/fhir/{}/{}", RESOURCE},
    {HTTP_DELETE, "/fhir/{}/{}", RESOURCE}, {HTTP_POST, "/notify/{}/{*}", NOTIFY},
    {HTTP_PUT, "/notify/{}/{*}", NOTIFY},   {HTTP_GET, "/messages/{}", SHOW},
};

static enum route_result find(enum http_method method, const char *path, struct route_match *match)
{
    return route_find(routes, sizeof routes / sizeof *routes, method, slice_of(path), match);
}

static void test_found(void **state)
{
    (void)state;
    static const struct {
        enum http_method method;
        const char *path;
        int id;
        size_t count;
        const char *parts[2];
    } rows[] = {
        {HTTP_GET, "/health", HEALTH, 0, {0}},
        {HTTP_HEAD, "/health", HEALTH, 0, {0}},
        {HTTP_POST, "/fhir/metadata", EXACT, 0, {0}},
        {HTTP_POST, "/fhir/Observation", TYPE, 1, {"Observation"}},
        {HTTP_PUT, "/fhir/Observation/1%2F2", RESOURCE, 2, {"Observation", "1%2F2"}},
        {HTTP_POST, "/notify/s3cret", NOTIFY, 2, {"s3cret", ""}},
        {HTTP_POST, "/notify/s3cret/", NOTIFY, 2, {"s3cret", ""}},
        {HTTP_PUT, "/notify/s3cret/Observation/1", NOTIFY, 2, {"s3cret", "Observation/1"}},
        {HTTP_PUT, "/notify/s3cret//../x", NOTIFY, 2, {"s3cret", "/../x"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct route_match match;
        assert_int_equal(find(rows[i].method, rows[i].path, &match), ROUTE_FOUND);
        assert_int_equal(match.id, rows[i].id);
        assert_int_equal(match.part_count, rows[i].count);
        for (size_t k = 0; k < rows[i].count; k++) {
            assert_true(slice_is(match.part[k], rows[i].parts[k]));
        }
    }
}

static void test_not_found(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "",
        "/",
        "/healt",
        "/health/",
        "/Health",
        "/fhir",
        "/fhir/",
        "/fhir//1",
        "//health",
        "/health%20",
        "/notify",
        "/notify/",
        "/notify//Observation/1",
        "/fhir/a/b/c",
        "/messages",
        "/messages/a/b",
        "health",
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct route_match match;
        assert_int_equal(find(HTTP_GET, paths[i], &match), ROUTE_NO_PATH);
    }
}

static void test_wrong_method(void **state)
{
    (void)state;
    struct route_match match;
    assert_int_equal(find(HTTP_GET, "/fhir/Observation/1", &match), ROUTE_NO_METHOD);
    assert_string_equal(match.allow, "PUT, DELETE");
    assert_int_equal(find(HTTP_POST, "/health", &match), ROUTE_NO_METHOD);
    assert_string_equal(match.allow, "GET");
    assert_int_equal(find(HTTP_PATCH, "/fhir/metadata", &match), ROUTE_NO_METHOD);
    assert_string_equal(match.allow, "POST");
}

static void test_unescape(void **state)
{
    (void)state;
    char out[32];
    size_t len = 0;
    assert_true(http_unescape(SLICE("a%20b%C3%A9+"), out, &len));
    assert_true(slice_is(slice_from(out, len), "a b\xc3\xa9+"));
    static const char *const bad[] = {"%", "%2", "%zz", "%00", "%0a", "%2F", "%7f"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(http_unescape(slice_of(bad[i]), out, &len));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_not_found),
        cmocka_unit_test(test_wrong_method),
        cmocka_unit_test(test_unescape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
