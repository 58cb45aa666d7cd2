// packages: eplan::crypto
/* Tokens and keys, against the program openssl and node's crypto as other makers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "gateway/http/base64url.h"
#include "gateway/http/jose.h"

struct world {
    char dir[32];
    struct arena *arena;
    struct diag_list diags;
    struct jose_key *es;
    struct jose_key *rs;
    struct jose_keys *keys; /* both, public */
};

static void write_key(struct world *world, const char *name, EVP_PKEY *key, const char *password)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", world->dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    FILE *out = fdopen(fd, "w");
    assert_int_equal(PEM_write_PrivateKey(out, key, password != NULL ? EVP_aes_128_cbc() : NULL,
                                          (const unsigned char *)password,
                                          password != NULL ? (int)strlen(password) : 0, NULL, NULL),
                     1);
    fclose(out);
    EVP_PKEY_free(key);
}

static enum status load(struct world *world, const char *name, enum jose_alg alg,
                        struct jose_key **key)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", world->dir, name);
    return jose_key_load(path, alg, SLICE_NONE, SPAN_NONE, &world->diags, key);
}

static const struct json *parse(struct world *world, struct slice text)
{
    const struct json *json = NULL;
    const struct limits limits = LIMITS_DEFAULT;
    assert_int_equal(json_parse(world->arena, source_create(world->arena, SLICE("test"), text),
                                &limits, &world->diags, &json),
                     STATUS_OK);
    return json;
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    strcpy(world->dir, "/tmp/eplan-jose-XXXXXX");
    if (mkdtemp(world->dir) == NULL) {
        return -1;
    }
    world->arena = arena_create((size_t)512 << 20);
    diag_init(&world->diags, world->arena, 50);
    write_key(world, "es.key", EVP_EC_gen("P-384"), NULL);
    write_key(world, "rs.key", EVP_RSA_gen(2048), NULL);
    assert_int_equal(load(world, "es.key", JOSE_ES384, &world->es), STATUS_OK);
    assert_int_equal(load(world, "rs.key", JOSE_RS384, &world->rs), STATUS_OK);
    struct jose_key *const both[] = {world->es, world->rs};
    struct json *set = NULL;
    assert_int_equal(jose_keys_write(world->arena, both, 2, &set), STATUS_OK);
    assert_int_equal(jose_keys_read(world->arena, set, &world->diags, &world->keys), STATUS_OK);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    char command[64];
    snprintf(command, sizeof command, "rm -rf '%s'", world->dir);
    int rc = system(command);
    jose_keys_destroy(&world->keys);
    jose_key_destroy(&world->es);
    jose_key_destroy(&world->rs);
    arena_destroy(&world->arena);
    free(world);
    return rc;
}

static int forget_diags(void **state)
{
    struct world *world = *state;
    diag_init(&world->diags, world->arena, 50);
    return 0;
}

static struct slice sign(struct world *world, const struct jose_key *key, const char *payload)
{
    struct slice token;
    assert_int_equal(jose_sign(world->arena, key, slice_of(payload), &token), STATUS_OK);
    return token;
}

static enum jose_fault verify(struct world *world, struct slice token)
{
    struct jwt jwt;
    return jose_verify(world->arena, token, world->keys, &jwt);
}

static void test_base64url(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *bytes;
        const char *text;
    } rows[] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xff\xef\xbe", "_---"}};
    static const char *const bad[] = {"Z",    "Zg==", "Zh",    "Zm9",  "Zm9v Yg",
                                      "Zm+v", "Zm/v", "Zm9vA", "Zg\n", "\xc3\xa9"};
    struct slice out;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(slice_is(base64url_write(world->arena, slice_of(rows[i].bytes)), rows[i].text));
        assert_int_equal(base64url_read(world->arena, slice_of(rows[i].text), &out), STATUS_OK);
        assert_true(slice_is(out, rows[i].bytes));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(base64url_read(world->arena, slice_of(bad[i]), &out), STATUS_INVALID);
    }
    assert_int_equal(base64url_read(world->arena, slice_from("Zg\0\0", 4), &out), STATUS_INVALID);
}

static void test_round_trip(void **state)
{
    struct world *world = *state;
    const struct jose_key *const keys[] = {world->es, world->rs};
    for (size_t i = 0; i < 2; i++) {
        struct jwt jwt;
        struct slice token = sign(world, keys[i], "{\"iss\":\"me\"}");
        assert_int_equal(jose_verify(world->arena, token, world->keys, &jwt), JOSE_FINE);
        assert_true(slice_is(json_get_text(jwt.claims, "iss"), "me"));
        assert_true(slice_is(json_get_text(jwt.header, "typ"), "JWT"));
        assert_true(
            slice_is(json_get_text(jwt.header, "alg"), jose_alg_name(jose_key_alg(keys[i]))));
        assert_true(slice_equal(jwt.kid, jose_key_kid(keys[i])));
    }
}

/* One signature in a hundred has an r or s that is shorter than 48 bytes. */
static void test_es384_is_padded(void **state)
{
    struct world *world = *state;
    unsigned shorter = 0;
    struct arena_mark mark = arena_mark(world->arena);
    for (int i = 0; i < 3000; i++) {
        char payload[32];
        snprintf(payload, sizeof payload, "{\"n\":%d}", i);
        struct slice token = sign(world, world->es, payload);
        size_t dot = token.len;
        while (token.at[dot - 1] != '.') {
            dot--;
        }
        struct slice raw;
        assert_int_equal(base64url_read(world->arena, slice_part(token, dot, token.len), &raw),
                         STATUS_OK);
        assert_int_equal(raw.len, 96);
        bool padded = raw.at[0] == 0 || raw.at[48] == 0;
        shorter += padded;
        if (padded || i % 20 == 0) { /* verifying takes as long as signing */
            assert_int_equal(verify(world, token), JOSE_FINE);
        }
        arena_rewind(world->arena, mark);
    }
    assert_in_range(shorter, 1, 200);
}

/* Runs a shell command in the directory; its first line of output. */
static const char *run(struct world *world, const char *command)
{
    static char line[20000];
    char whole[2000];
    snprintf(whole, sizeof whole, "cd '%s' && %s", world->dir, command);
    FILE *out = popen(whole, "r");
    line[0] = '\0';
    if (fgets(line, sizeof line, out) == NULL) {
        line[0] = '\0';
    }
    pclose(out);
    line[strcspn(line, "\n")] = '\0';
    return line;
}

static void put(struct world *world, const char *name, struct slice text)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", world->dir, name);
    FILE *out = fopen(path, "w");
    assert_int_equal(fwrite(text.at, 1, text.len, out), text.len);
    fclose(out);
}

/* node's crypto verifies ours, with the JWK that we publish; we verify node's. */
static void test_node(void **state)
{
    struct world *world = *state;
    if (run(world, "node --version 2>/dev/null")[0] != 'v') {
        skip();
    }
    struct jose_key *const both[] = {world->es, world->rs};
    for (size_t i = 0; i < 2; i++) {
        struct json *jwk = NULL;
        assert_int_equal(jose_key_write(world->arena, both[i], &jwk), STATUS_OK);
        put(world, "jwk.json", json_write(world->arena, jwk, JSON_COMPACT));
        put(world, "token", sign(world, both[i], "{\"a\":1}"));
        assert_string_equal(
            run(world, "node -e \"const c=require('crypto'),f=require('fs');"
                       "const k=c.createPublicKey({key:JSON.parse(f.readFileSync('jwk.json')),"
                       "format:'jwk'});const [h,p,s]=f.readFileSync('token','utf8').split('.');"
                       "console.log(c.verify('sha384',Buffer.from(h+'.'+p),"
                       "{key:k,dsaEncoding:'ieee-p1363'},Buffer.from(s,'base64url')))\""),
            "true");
        char command[1000];
        snprintf(command, sizeof command,
                 "node -e \"const c=require('crypto'),f=require('fs');"
                 "const b=x=>Buffer.from(JSON.stringify(x)).toString('base64url');"
                 "const i=b({alg:'%s',kid:'%.*s'})+'.'+b({sub:'x'});"
                 "console.log(i+'.'+c.sign('sha384',Buffer.from(i),{key:f.readFileSync('%s'),"
                 "dsaEncoding:'ieee-p1363'}).toString('base64url'))\"",
                 jose_alg_name(jose_key_alg(both[i])), SLICE_ARGS(jose_key_kid(both[i])),
                 i == 0 ? "es.key" : "rs.key");
        for (int k = 0; k < 3; k++) {
            assert_int_equal(verify(world, slice_of(run(world, command))), JOSE_FINE);
        }
    }
}

/* The program openssl verifies our RS384, and names the key as we do. */
static void test_openssl(void **state)
{
    struct world *world = *state;
    struct slice token = sign(world, world->rs, "{\"a\":1}");
    size_t dot = token.len;
    while (token.at[dot - 1] != '.') {
        dot--;
    }
    struct slice raw;
    assert_int_equal(base64url_read(world->arena, slice_part(token, dot, token.len), &raw),
                     STATUS_OK);
    put(world, "input", slice_part(token, 0, dot - 1));
    put(world, "signature", raw);
    assert_string_equal(run(world, "openssl pkey -in rs.key -pubout -out rs.pub && openssl dgst "
                                   "-sha384 -verify rs.pub -signature signature input"),
                        "Verified OK");
    const char *kid =
        run(world, "openssl pkey -in es.key -pubout -outform DER | openssl dgst -sha256 -binary | "
                   "openssl base64 -A | tr '+/' '-_' | tr -d '=' | cut -c1-16");
    assert_true(slice_is(jose_key_kid(world->es), kid));
}

static struct slice forge(struct world *world, const char *header, const char *claims,
                          struct slice signature)
{
    struct slice head = base64url_write(world->arena, slice_of(header));
    struct slice body = base64url_write(world->arena, slice_of(claims));
    struct slice tail = base64url_write(world->arena, signature);
    return arena_printf(world->arena, "%.*s.%.*s.%.*s", SLICE_ARGS(head), SLICE_ARGS(body),
                        SLICE_ARGS(tail));
}

static void test_attacks(void **state)
{
    struct world *world = *state;
    char header[512];
    const char *es = arena_cstr(world->arena, jose_key_kid(world->es));
    const char *rs = arena_cstr(world->arena, jose_key_kid(world->rs));
    struct slice public_key = SLICE("whatever an attacker takes for the HMAC key");
    static const char *const algs[] = {"none",  "None",  "HS256", "HS384", "ES256",
                                       "RS256", "PS384", "es384", ""};
    for (size_t i = 0; i < sizeof algs / sizeof *algs; i++) {
        snprintf(header, sizeof header, "{\"alg\":\"%s\",\"kid\":\"%s\"}", algs[i], es);
        assert_int_equal(verify(world, forge(world, header, "{}", public_key)), JOSE_ALGORITHM);
        assert_int_equal(verify(world, forge(world, header, "{}", SLICE_NONE)), JOSE_ALGORITHM);
    }
    snprintf(header, sizeof header, "{\"alg\":\"RS384\",\"kid\":\"%s\"}", es);
    assert_int_equal(verify(world, forge(world, header, "{}", public_key)), JOSE_ALGORITHM);
    snprintf(header, sizeof header, "{\"alg\":\"ES384\",\"kid\":\"%s\"}", rs);
    assert_int_equal(verify(world, forge(world, header, "{}", public_key)), JOSE_ALGORITHM);
    snprintf(header, sizeof header, "{\"alg\":\"ES384\",\"kid\":\"%s \"}", es);
    assert_int_equal(verify(world, forge(world, header, "{}", public_key)), JOSE_KEY);
    assert_int_equal(verify(world, forge(world, "{\"alg\":\"ES384\"}", "{}", public_key)),
                     JOSE_KEY);
    snprintf(header, sizeof header, "{\"alg\":\"ES384\",\"alg\":\"ES384\",\"kid\":\"%s\"}", es);
    assert_int_equal(verify(world, forge(world, header, "{}", public_key)), JOSE_FORM);
    snprintf(header, sizeof header, "{\"alg\":\"ES384\",\"crit\":[\"x\"],\"kid\":\"%s\"}", es);
    assert_int_equal(verify(world, forge(world, header, "{}", public_key)), JOSE_FORM);
    assert_int_equal(verify(world, forge(world, "[]", "{}", public_key)), JOSE_FORM);
    assert_int_equal(verify(world, forge(world, "{", "{}", public_key)), JOSE_FORM);
    /* Signatures of a good length that are none: zeros, ones, too short, too long. */
    char raw[200];
    for (int fill = 0; fill <= 255; fill += 255) {
        memset(raw, fill, sizeof raw);
        snprintf(header, sizeof header, "{\"alg\":\"ES384\",\"kid\":\"%s\"}", es);
        static const size_t lengths[] = {0, 1, 95, 96, 97, 104, 200};
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            assert_int_equal(verify(world, forge(world, header, "{}", slice_from(raw, lengths[i]))),
                             JOSE_SIGNATURE);
        }
    }
}

/* Any one character changed: refused (or, in the last character of a part, not the one spelling).
 */
static void test_tampering(void **state)
{
    struct world *world = *state;
    struct slice token = sign(world, world->es, "{\"iss\":\"me\",\"exp\":1}");
    char *copy = arena_cstr(world->arena, token);
    struct arena_mark mark = arena_mark(world->arena);
    for (size_t i = 0; i < token.len; i += i < 20 ? 1 : 3) {
        char was = copy[i];
        copy[i] = was == 'A' ? 'B' : 'A';
        assert_int_not_equal(verify(world, slice_from(copy, token.len)), JOSE_FINE);
        copy[i] = was;
        arena_rewind(world->arena, mark);
    }
    for (size_t len = 0; len < token.len; len += 7) {
        assert_int_not_equal(verify(world, slice_part(token, 0, len)), JOSE_FINE);
        arena_rewind(world->arena, mark);
    }
    assert_int_equal(verify(world, arena_printf(world->arena, "%s.", copy)), JOSE_FORM);
    assert_int_equal(verify(world, arena_printf(world->arena, "%s=", copy)), JOSE_FORM);
    char *large = arena_alloc(world->arena, JOSE_TOKEN_MAX + 1);
    memset(large, 'A', JOSE_TOKEN_MAX + 1);
    assert_int_equal(verify(world, slice_from(large, JOSE_TOKEN_MAX + 1)), JOSE_FORM);
}

/* The set that we publish holds nothing private. */
static void test_published_set(void **state)
{
    struct world *world = *state;
    struct jose_key *const both[] = {world->es, world->rs};
    struct json *set = NULL;
    assert_int_equal(jose_keys_write(world->arena, both, 2, &set), STATUS_OK);
    const struct json *es = json_first(json_get(set, "keys"));
    const struct json *rs = json_next(es);
    static const char *const private_names[] = {"d", "p", "q", "dp", "dq", "qi", "k"};
    for (size_t i = 0; i < sizeof private_names / sizeof *private_names; i++) {
        assert_null(json_get(es, private_names[i]));
        assert_null(json_get(rs, private_names[i]));
    }
    assert_int_equal(json_get_text(es, "x").len, 64);
    assert_int_equal(json_get_text(es, "y").len, 64);
    assert_true(slice_is(json_get_text(es, "crv"), "P-384"));
    assert_true(slice_is(json_get_text(es, "use"), "sig"));
    assert_true(slice_is(json_get_text(rs, "e"), "AQAB"));
    assert_int_equal(json_get_text(rs, "n").len, 342);
    assert_int_equal(jose_keys_count(world->keys), 2);
    assert_non_null(jose_keys_find(world->keys, jose_key_kid(world->rs)));
    assert_null(jose_keys_find(world->keys, SLICE("other")));
}

static void test_sets_of_others(void **state)
{
    struct world *world = *state;
    struct json *jwk = NULL;
    struct jose_keys *keys = NULL;
    jose_key_write(world->arena, world->es, &jwk);
    const char *good = json_write(world->arena, jwk, JSON_COMPACT).at;
    /* Kinds that are not ours to use are passed over without a word. */
    struct slice text = arena_printf(
        world->arena,
        "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"},{\"kty\":\"EC\",\"crv\":\"P-256\"},"
        "{\"kty\":\"RSA\",\"use\":\"enc\"},{\"kty\":\"RSA\",\"alg\":\"RS256\"},7,%s]}",
        good);
    assert_int_equal(jose_keys_read(world->arena, parse(world, text), &world->diags, &keys),
                     STATUS_OK);
    assert_int_equal(jose_keys_count(keys), 1);
    assert_int_equal(world->diags.count, 0);
    jose_keys_destroy(&keys);
    /* One that claims to be ours and has a fault is named. */
    static const char *const faulty[] = {
        "{\"kty\":\"EC\",\"crv\":\"P-384\",\"kid\":\"a\",\"x\":\"AAAA\",\"y\":\"AAAA\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-384\",\"kid\":\"a\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AAAA\",\"y\":\"AAAA\"}",
        "{\"kty\":\"RSA\",\"kid\":\"a\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"kid\":\"a\",\"n\":\"AQAB\",\"e\":\"AQAB\",\"d\":\"AQAB\"}",
        /* 48 bytes each, but no point of the curve */
        "{\"kty\":\"EC\",\"crv\":\"P-384\",\"kid\":\"a\","
        "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB\","
        "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB\"}",
    };
    for (size_t i = 0; i < sizeof faulty / sizeof *faulty; i++) {
        text = arena_printf(world->arena, "{\"keys\":[%s,%s]}", faulty[i], good);
        assert_int_equal(jose_keys_read(world->arena, parse(world, text), &world->diags, &keys),
                         STATUS_OK);
        assert_int_equal(jose_keys_count(keys), 1);
        assert_int_equal(world->diags.count, i + 1);
        assert_int_equal(world->diags.last->severity, SEVERITY_WARNING);
        jose_keys_destroy(&keys);
        text = arena_printf(world->arena, "{\"keys\":[%s]}", faulty[i]);
        assert_int_equal(jose_keys_read(world->arena, parse(world, text),
                                        &(struct diag_list){.arena = world->arena}, &keys),
                         STATUS_INVALID);
    }
    static const char *const no_sets[] = {"{}", "[]", "{\"keys\":{}}", "{\"keys\":[]}", "7"};
    for (size_t i = 0; i < sizeof no_sets / sizeof *no_sets; i++) {
        assert_int_equal(
            jose_keys_read(world->arena, parse(world, slice_of(no_sets[i])), &world->diags, &keys),
            STATUS_INVALID);
    }
    assert_null(keys);
}

static void test_wrong_files(void **state)
{
    struct world *world = *state;
    struct jose_key *key = NULL;
    struct buf buf;
    write_key(world, "p256.key", EVP_EC_gen("P-256"), NULL);
    write_key(world, "small.key", EVP_RSA_gen(1024), NULL);
    write_key(world, "locked.key", EVP_EC_gen("P-384"), "password");
    assert_int_equal(load(world, "p256.key", JOSE_ES384, &key), STATUS_INVALID);
    assert_int_equal(load(world, "small.key", JOSE_RS384, &key), STATUS_INVALID);
    assert_int_equal(load(world, "es.key", JOSE_RS384, &key), STATUS_INVALID);
    assert_int_equal(load(world, "locked.key", JOSE_ES384, &key), STATUS_INVALID);
    assert_int_equal(load(world, "absent.key", JOSE_ES384, &key), STATUS_IO);
    assert_null(key);
    assert_int_equal(world->diags.errors, 5);
    buf_init(&buf, world->arena, 4096);
    diag_render(world->diags.first, &buf);
    char want[256];
    snprintf(want, sizeof want,
             "error: the key in %s/p256.key is not one for ES384 [jose]\n"
             "  hint: ES384 needs an EC key on the curve P-384\n",
             world->dir);
    assert_string_equal(buf.at, want);
}

int main(void)
{
    json_library_init();
#define WITH(test) cmocka_unit_test_setup(test, forget_diags)
    const struct CMUnitTest tests[] = {
        WITH(test_base64url),   WITH(test_round_trip),    WITH(test_es384_is_padded),
        WITH(test_node),        WITH(test_openssl),       WITH(test_attacks),
        WITH(test_tampering),   WITH(test_published_set), WITH(test_sets_of_others),
        WITH(test_wrong_files),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down); /* keys of RSA take time */
}
