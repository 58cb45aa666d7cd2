// packages: eplan::crypto
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "gateway/http/jwt.h"

static const int64_t now = INT64_C(1800000000) * 1000000;

static int64_t fixed(void *state)
{
    (void)state;
    return now;
}
static const struct clock clock_fixed = {.utc = fixed, .monotonic = fixed, .state = NULL};

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

static const struct json *parse(struct arena *arena, const char *text)
{
    const struct json *json = NULL;
    const struct limits limits = LIMITS_DEFAULT;
    struct diag_list diags;
    diag_init(&diags, arena, 1);
    assert_int_equal(json_parse(arena, source_create(arena, SLICE("test"), slice_of(text)), &limits,
                                &diags, &json),
                     STATUS_OK);
    return json;
}

static void test_claims(void **state)
{
    struct arena *arena = *state;
    const struct jwt_policy policy = {
        .issuer = SLICE("https://ehr"), .audience = SLICE("https://us/x"), .leeway_s = 60};
    static const struct {
        const char *claims;
        bool fine;
    } rows[] = {
        {"{\"iss\":\"https://ehr\",\"aud\":\"https://us/x\",\"exp\":1800000001}", true},
        {"{\"iss\":\"https://ehr\",\"aud\":[\"a\",\"https://us/x\"],\"exp\":1800000001}", true},
        {"{\"iss\":\"https://ehr\",\"aud\":\"https://us/x\",\"exp\":1799999941}", true},
        {"{\"iss\":\"https://ehr\",\"aud\":\"https://us/x\",\"exp\":1799999940}", false},
        {"{\"iss\":\"https://ehr\",\"aud\":\"https://us/x\",\"exp\":1800000001.5}", true},
        {"{\"iss\":\"https://ehr\",\"aud\":\"https://us/x\",\"exp\":1.9e9}", false},
        {"{\"iss\":\"https://ehr\",\"aud\":\"https://us/x\",\"exp\":-1}", false},
        {"{\"iss\":\"https://ehr\",\"aud\":\"https://us/x\",\"exp\":999999999999999999999}", false},
        {"{\"iss\":\"https://ehr\",\"aud\":\"https://us/x\",\"exp\":\"1800000001\"}", false},
        {"{\"iss\":\"https://ehr\",\"aud\":\"https://us/x\"}", false},
        {"{\"iss\":\"https://ehr/\",\"aud\":\"https://us/x\",\"exp\":1800000001}", false},
        {"{\"iss\":[\"https://ehr\"],\"aud\":\"https://us/x\",\"exp\":1800000001}", false},
        {"{\"aud\":\"https://us/x\",\"exp\":1800000001}", false},
        {"{\"iss\":\"https://ehr\",\"aud\":\"https://us/x/\",\"exp\":1800000001}", false},
        {"{\"iss\":\"https://ehr\",\"aud\":[],\"exp\":1800000001}", false},
        {"{\"iss\":\"https://ehr\",\"aud\":[[\"https://us/x\"]],\"exp\":1800000001}", false},
        {"{\"iss\":\"https://ehr\",\"exp\":1800000001}", false},
        {"{\"iss\":\"https://ehr\",\"aud\":\"https://us/x\",\"exp\":1800000001,\"nbf\":1800000060}",
         true},
        {"{\"iss\":\"https://ehr\",\"aud\":\"https://us/x\",\"exp\":1800000001,\"nbf\":1800000061}",
         false},
        {"{\"iss\":\"https://ehr\",\"aud\":\"https://us/x\",\"exp\":1800000001,\"nbf\":\"x\"}",
         false},
        {"{\"iss\":\"https://ehr\",\"aud\":\"https://us/x\",\"exp\":1800000001,\"iat\":1999999999}",
         true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct jwt jwt = {.claims = parse(arena, rows[i].claims)};
        assert_int_equal(jwt_check(&jwt, &policy, now), rows[i].fine ? JOSE_FINE : JOSE_CLAIMS);
    }
}

static void test_policy(void **state)
{
    struct arena *arena = *state;
    struct jwt_policy policy = {.issuer = SLICE("a"), .audience = SLICE("b"), .longest_s = 300};
    struct jwt near = {.claims = parse(arena, "{\"iss\":\"a\",\"aud\":\"b\",\"exp\":1800000300}")};
    struct jwt far = {.claims = parse(arena, "{\"iss\":\"a\",\"aud\":\"b\",\"exp\":1800000301}")};
    struct jwt late = {.claims = parse(arena, "{\"iss\":\"a\",\"aud\":\"b\",\"exp\":1799999800}")};
    assert_int_equal(jwt_check(&near, &policy, now), JOSE_FINE);
    assert_int_equal(jwt_check(&far, &policy, now), JOSE_CLAIMS);
    policy.leeway_s = 100000; /* 120 at most */
    assert_int_equal(jwt_check(&late, &policy, now), JOSE_CLAIMS);
    policy.wants_jti = true;
    assert_int_equal(jwt_check(&near, &policy, now), JOSE_CLAIMS);
    near.claims = parse(arena, "{\"iss\":\"a\",\"aud\":\"b\",\"exp\":1800000300,\"jti\":\"1\"}");
    assert_int_equal(jwt_check(&near, &policy, now), JOSE_FINE);
    assert_string_equal(jose_fault_name(JOSE_CLAIMS), "claims");
}

static void test_client_assertion(void **state)
{
    struct arena *arena = *state;
    char path[] = "/tmp/eplan-jwt-XXXXXX";
    FILE *out = fdopen(mkstemp(path), "w");
    EVP_PKEY *pkey = EVP_EC_gen("P-384");
    PEM_write_PrivateKey(out, pkey, NULL, NULL, 0, NULL, NULL);
    fclose(out);
    EVP_PKEY_free(pkey);
    struct diag_list diags;
    struct jose_key *key = NULL;
    struct jose_keys *keys = NULL;
    struct json *set = NULL;
    diag_init(&diags, arena, 5);
    assert_int_equal(jose_key_load(path, JOSE_ES384, SLICE("a+/=\"1"), SPAN_NONE, &diags, &key),
                     STATUS_OK);
    unlink(path);
    assert_int_equal(jose_keys_write(arena, &key, 1, &set), STATUS_OK);
    assert_int_equal(jose_keys_read(arena, set, &diags, &keys), STATUS_OK);
    struct client_assertion assertion = {.client_id = SLICE("me\"1"),
                                         .token_url = SLICE("https://ehr/token/")};
    static const unsigned valid[] = {0, 60, 100000};
    static const char *const ends[] = {"1800000240", "1800000060", "1800000300"};
    struct slice seen[3];
    for (size_t i = 0; i < 3; i++) {
        struct slice token;
        struct jwt jwt;
        assertion.valid_s = valid[i];
        assert_int_equal(
            client_assertion_write(arena, key, &assertion, &clock_fixed, &random_system, &token),
            STATUS_OK);
        assert_int_equal(jose_verify(arena, token, keys, &jwt), JOSE_FINE);
        assert_true(slice_is(jwt.kid, "a+/=\"1")); /* kids are bytes */
        assert_true(slice_is(json_get_text(jwt.claims, "iss"), "me\"1"));
        assert_true(slice_is(json_get_text(jwt.claims, "sub"), "me\"1"));
        assert_true(slice_is(json_get_text(jwt.claims, "aud"), "https://ehr/token/"));
        assert_true(slice_is(json_text(json_get(jwt.claims, "exp")), ends[i]));
        seen[i] = json_get_text(jwt.claims, "jti");
        assert_int_equal(seen[i].len, 36);
    }
    assert_false(slice_equal(seen[0], seen[1]));
    assert_false(slice_equal(seen[1], seen[2]));
    jose_keys_destroy(&keys);
    jose_key_destroy(&key);
}

int main(void)
{
    json_library_init();
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH(test_claims),
        WITH(test_policy),
        WITH(test_client_assertion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
