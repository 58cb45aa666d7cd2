#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/ehr/token.h"

#define BASE "https://ehr.example:9443/fhir"

static const struct json *read_text(struct arena *arena, const char *text)
{
    struct diag_list diags;
    diag_init(&diags, arena, 5);
    const struct json *json = NULL;
    assert_int_equal(json_parse(arena, source_create(arena, SLICE("t"), slice_of(text)),
                                &LIMITS_DEFAULT, &diags, &json),
                     STATUS_OK);
    return json;
}

static void test_discovery(void **state)
{
    struct arena *arena = *state;
    static const struct {
        const char *text;
        const char *endpoint; /* NULL: refused */
    } rows[] = {
        {"{\"token_endpoint\":\"https://auth.example/token/\"}", "https://auth.example/token/"},
        {"{\"token_endpoint\":\"/oauth/token\"}", "https://ehr.example:9443/oauth/token"},
        {"{\"token_endpoint\":\"token\"}", BASE "/token"},
        {"{\"token_endpoint\":\"http://auth.example/token\"}", NULL},
        {"{\"authorization_endpoint\":\"https://auth.example\"}", NULL},
        {"{\"token_endpoint\":7}", NULL},
        {"{\"token_endpoint\":\"/t\",\"token_endpoint_auth_methods_supported\":[\"client_secret_"
         "basic\"]}",
         NULL},
        {"{\"token_endpoint\":\"/t\",\"token_endpoint_auth_methods_supported\":[\"private_key_"
         "jwt\"],\"token_endpoint_auth_signing_alg_values_supported\":[\"RS384\"]}",
         NULL},
        {"{\"token_endpoint\":\"/t\",\"token_endpoint_auth_methods_supported\":[\"private_key_"
         "jwt\"],\"token_endpoint_auth_signing_alg_values_supported\":[\"RS384\",\"ES384\"]}",
         "https://ehr.example:9443/t"},
        {"[]", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice endpoint = SLICE_NONE;
        const char *why = NULL;
        enum status status = token_read_discovery(arena, read_text(arena, rows[i].text),
                                                  SLICE(BASE), "ES384", &endpoint, &why);
        if (rows[i].endpoint != NULL) {
            assert_int_equal(status, STATUS_OK);
            assert_true(slice_is(endpoint, rows[i].endpoint));
        } else {
            assert_int_equal(status, STATUS_INVALID);
            assert_non_null(why);
        }
    }
}

static void test_form(void **state)
{
    struct arena *arena = *state;
    struct slice form = token_form(arena, SLICE("system/*.rs system/Goal.cu"), SLICE("a.b-c_d"));
    assert_true(slice_is(form,
                         "grant_type=client_credentials&scope=system%2F%2A.rs%20system%2FGoal."
                         "cu&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-"
                         "assertion-type%3Ajwt-bearer&client_assertion=a.b-c_d"));
}

static void test_reply(void **state)
{
    struct arena *arena = *state;
    static const struct {
        const char *text;
        int64_t seconds; /* 0: refused */
    } rows[] = {
        {"{\"access_token\":\"t\",\"token_type\":\"bearer\",\"expires_in\":60}", 60},
        {"{\"access_token\":\"t\",\"token_type\":\"Bearer\",\"expires_in\":\"120\"}", 120},
        {"{\"access_token\":\"t\",\"token_type\":\"Bearer\"}", 300},
        {"{\"access_token\":\"t\",\"token_type\":\"Bearer\",\"expires_in\":-5}", 300},
        {"{\"access_token\":\"t\",\"token_type\":\"Bearer\",\"expires_in\":99999999999}", 86400},
        {"{\"access_token\":\"t\",\"token_type\":\"mac\",\"expires_in\":60}", 0},
        {"{\"access_token\":\"t\\r\\nX: y\",\"token_type\":\"bearer\",\"expires_in\":60}", 0},
        {"{\"access_token\":\"\",\"token_type\":\"bearer\",\"expires_in\":60}", 0},
        {"{\"error\":\"invalid_client\"}", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct token_reply reply = {.lives_us = -1};
        const char *why = NULL;
        enum status status = token_read_reply(read_text(arena, rows[i].text), &reply, &why);
        assert_int_equal(status, rows[i].seconds != 0 ? STATUS_OK : STATUS_INVALID);
        if (rows[i].seconds != 0) {
            assert_true(reply.lives_us == rows[i].seconds * 1000000);
        }
    }
}

static int make_arena(void **state)
{
    json_library_init();
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
        cmocka_unit_test(test_discovery),
        cmocka_unit_test(test_form),
        cmocka_unit_test(test_reply),
    };
    return cmocka_run_group_tests(tests, make_arena, drop_arena);
}
