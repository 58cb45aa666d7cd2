#include "gateway/http/jose.h"

#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "gateway/base/digest.h"
#include "gateway/base/secret.h"
#include "gateway/http/base64url.h"

enum {
    COORDINATE = 48, /* bytes of r, s, x and y on P-384 */
    POINT = 1 + 2 * COORDINATE,
    MODULUS_LEAST = 256,
    MODULUS_MOST = 1024,
    EXPONENT_MOST = 4
};

struct jose_key {
    EVP_PKEY *pkey;
    enum jose_alg alg;
    size_t kid_len;
    char kid[JOSE_KID_MAX];
};

struct jose_keys {
    size_t count;
    struct jose_key *key[JOSE_KEYS_MAX];
};

static const char *const alg_names[] = {"ES384", "RS384"};

const char *jose_alg_name(enum jose_alg alg)
{
    return alg_names[alg];
}

bool jose_alg_read(struct slice name, enum jose_alg *alg_out)
{
    for (size_t i = 0; i < sizeof alg_names / sizeof *alg_names; i++) {
        if (slice_is(name, alg_names[i])) {
            *alg_out = (enum jose_alg)i;
            return true;
        }
    }
    return false;
}

const char *jose_fault_name(enum jose_fault fault)
{
    static const char *const names[] = {"fine", "form", "algorithm", "key", "signature", "claims"};
    return names[fault];
}

static const unsigned char *bytes_of(struct slice s)
{
    return (const unsigned char *)(s.len != 0 ? s.at : "");
}

/* ---- keys ---- */

/* Takes pkey, also when it fails. */
static struct jose_key *key_create(EVP_PKEY *pkey, enum jose_alg alg, struct slice kid)
{
    struct jose_key *key = kid.len <= JOSE_KID_MAX ? calloc(1, sizeof *key) : NULL;
    if (key == NULL) {
        EVP_PKEY_free(pkey);
        return NULL;
    }
    *key = (struct jose_key){.pkey = pkey, .alg = alg, .kid_len = kid.len};
    memcpy(key->kid, bytes_of(kid), kid.len);
    return key;
}

void jose_key_destroy(struct jose_key **key)
{
    if (key != NULL && *key != NULL) {
        EVP_PKEY_free((*key)->pkey);
        free(*key);
        *key = NULL;
    }
}

enum jose_alg jose_key_alg(const struct jose_key *key)
{
    return key->alg;
}

struct slice jose_key_kid(const struct jose_key *key)
{
    return slice_from(key->kid, key->kid_len);
}

static bool is_kind(const EVP_PKEY *pkey, enum jose_alg alg)
{
    char group[32] = "";
    if (alg == JOSE_ES384) {
        return EVP_PKEY_is_a(pkey, "EC") == 1 &&
               EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) == 1 &&
               strcmp(group, "secp384r1") == 0;
    }
    int bits = EVP_PKEY_get_bits(pkey);
    return EVP_PKEY_is_a(pkey, "RSA") == 1 && bits >= MODULUS_LEAST * 8 && bits <= MODULUS_MOST * 8;
}

/* The point of a public key on P-384, uncompressed. */
static bool read_point(const EVP_PKEY *pkey, unsigned char point[POINT])
{
    size_t len = 0;
    return EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, point, POINT, &len) ==
               1 &&
           len == POINT && point[0] == POINT_CONVERSION_UNCOMPRESSED;
}

/* Bytes of a part of an RSA key, big endian; 0: none. */
static size_t read_number(const EVP_PKEY *pkey, const char *name, unsigned char out[MODULUS_MOST])
{
    BIGNUM *number = NULL;
    size_t len = 0;
    if (EVP_PKEY_get_bn_param(pkey, name, &number) == 1 && BN_num_bytes(number) <= MODULUS_MOST) {
        len = (size_t)BN_bn2bin(number, out);
    }
    BN_free(number);
    return len;
}

static bool default_kid(EVP_PKEY *pkey, struct arena *arena, struct slice *kid_out)
{
    uint8_t hash[SHA256_SIZE];
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(pkey, &der);
    if (len <= 0) {
        return false;
    }
    sha256(slice_from((char *)der, (size_t)len), hash);
    OPENSSL_free(der);
    *kid_out = slice_part(base64url_write(arena, slice_from((char *)hash, sizeof hash)), 0, 16);
    return true;
}

static int no_passphrase(char *buf, int size, int rwflag, void *arg)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    (void)arg;
    return -1;
}

static EVP_PKEY *read_private(struct slice pem)
{
    BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
    EVP_PKEY *pkey = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    return pkey;
}

static void free_pkey(void *arg)
{
    EVP_PKEY_free(arg);
}

enum status jose_key_load(const char *path, enum jose_alg alg, struct slice kid, struct span span,
                          struct diag_list *diags, struct jose_key **key_out)
{
    struct secret *pem = NULL;
    enum status status = secret_load(path, span, diags, &pem);
    if (status != STATUS_OK) {
        return status;
    }
    EVP_PKEY *pkey = read_private(secret_view(pem));
    secret_destroy(&pem);
    /* diags may end this piece of work when its arena is full: until then the arena holds the key.
     */
    struct arena_mark mark = arena_mark(diags->arena);
    arena_defer(diags->arena, free_pkey, pkey);
    struct diag *diag = NULL;
    if (pkey == NULL) {
        diag = diag_add(diags, DIAG_JOSE, span, "%s holds no private key that can be read", path);
        diag_hint(diags, diag, "it must hold an unencrypted private key in PEM form");
        return STATUS_INVALID;
    }
    if (!is_kind(pkey, alg)) {
        diag = diag_add(diags, DIAG_JOSE, span, "the key in %s is not one for %s", path,
                        jose_alg_name(alg));
        diag_hint(diags, diag, "%s",
                  alg == JOSE_ES384 ? "ES384 needs an EC key on the curve P-384"
                                    : "RS384 needs an RSA key of 2048 to 8192 bits");
        return STATUS_INVALID;
    }
    if (kid.len == 0 && !default_kid(pkey, diags->arena, &kid)) {
        return STATUS_NO_MEMORY;
    }
    EVP_PKEY_up_ref(pkey);
    struct jose_key *key = key_create(pkey, alg, kid);
    arena_rewind(diags->arena, mark);
    if (key == NULL) {
        return STATUS_NO_MEMORY;
    }
    *key_out = key;
    return STATUS_OK;
}

static void add_text(struct arena *arena, struct json *object, const char *name, struct slice text)
{
    json_add(arena, object, slice_of(name), json_new_string(arena, text));
}

static void add_bytes(struct arena *arena, struct json *object, const char *name,
                      const unsigned char *at, size_t len)
{
    add_text(arena, object, name, base64url_write(arena, slice_from((const char *)at, len)));
}

enum status jose_key_write(struct arena *arena, const struct jose_key *key, struct json **jwk_out)
{
    struct json *jwk = json_new_object(arena);
    add_text(arena, jwk, "kty", key->alg == JOSE_ES384 ? SLICE("EC") : SLICE("RSA"));
    add_text(arena, jwk, "kid", jose_key_kid(key));
    add_text(arena, jwk, "alg", slice_of(jose_alg_name(key->alg)));
    add_text(arena, jwk, "use", SLICE("sig"));
    if (key->alg == JOSE_ES384) {
        unsigned char point[POINT];
        if (!read_point(key->pkey, point)) {
            return STATUS_NO_MEMORY;
        }
        add_text(arena, jwk, "crv", SLICE("P-384"));
        add_bytes(arena, jwk, "x", point + 1, COORDINATE);
        add_bytes(arena, jwk, "y", point + 1 + COORDINATE, COORDINATE);
    } else {
        unsigned char number[MODULUS_MOST];
        static const struct {
            const char *name;
            const char *param;
        } parts[] = {{"n", OSSL_PKEY_PARAM_RSA_N}, {"e", OSSL_PKEY_PARAM_RSA_E}};
        for (size_t i = 0; i < 2; i++) {
            size_t len = read_number(key->pkey, parts[i].param, number);
            if (len == 0) {
                return STATUS_NO_MEMORY;
            }
            add_bytes(arena, jwk, parts[i].name, number, len);
        }
    }
    *jwk_out = jwk;
    return STATUS_OK;
}

enum status jose_keys_write(struct arena *arena, struct jose_key *const *keys, size_t count,
                            struct json **jwks_out)
{
    struct json *set = json_new_object(arena);
    struct json *list = json_new_array(arena);
    for (size_t i = 0; i < count; i++) {
        struct json *jwk = NULL;
        enum status status = jose_key_write(arena, keys[i], &jwk);
        if (status != STATUS_OK) {
            return status;
        }
        json_append(list, jwk);
    }
    json_add(arena, set, SLICE("keys"), list);
    *jwks_out = set;
    return STATUS_OK;
}

/* ---- others' keys ---- */

/* NULL: OpenSSL finds no good public key in it. */
static EVP_PKEY *make_public(const char *type, OSSL_PARAM_BLD *parts)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(parts);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    ctx = pkey != NULL ? EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL) : NULL;
    if (ctx == NULL || EVP_PKEY_public_check(ctx) != 1) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return pkey;
}

static EVP_PKEY *make_ec(struct slice x, struct slice y)
{
    unsigned char point[POINT] = {POINT_CONVERSION_UNCOMPRESSED};
    memcpy(point + 1, x.at, COORDINATE);
    memcpy(point + 1 + COORDINATE, y.at, COORDINATE);
    OSSL_PARAM_BLD *parts = OSSL_PARAM_BLD_new();
    EVP_PKEY *pkey = NULL;
    if (parts != NULL &&
        OSSL_PARAM_BLD_push_utf8_string(parts, OSSL_PKEY_PARAM_GROUP_NAME, "P-384", 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(parts, OSSL_PKEY_PARAM_PUB_KEY, point, POINT) == 1) {
        pkey = make_public("EC", parts);
    }
    OSSL_PARAM_BLD_free(parts);
    return pkey;
}

static EVP_PKEY *make_rsa(struct slice n, struct slice e)
{
    BIGNUM *modulus = BN_bin2bn(bytes_of(n), (int)n.len, NULL);
    BIGNUM *exponent = BN_bin2bn(bytes_of(e), (int)e.len, NULL);
    OSSL_PARAM_BLD *parts = OSSL_PARAM_BLD_new();
    EVP_PKEY *pkey = NULL;
    if (modulus != NULL && exponent != NULL && parts != NULL && BN_is_odd(exponent) &&
        !BN_is_one(exponent) &&
        OSSL_PARAM_BLD_push_BN(parts, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
        OSSL_PARAM_BLD_push_BN(parts, OSSL_PKEY_PARAM_RSA_E, exponent) == 1) {
        pkey = make_public("RSA", parts);
    }
    OSSL_PARAM_BLD_free(parts);
    BN_free(modulus);
    BN_free(exponent);
    return pkey;
}

/* The member's bytes, when there are `least` to `most` of them. */
static bool read_bytes(struct arena *arena, const struct json *jwk, const char *name, size_t least,
                       size_t most, struct slice *bytes_out)
{
    return json_is(json_get(jwk, name), JSON_STRING) &&
           base64url_read(arena, json_get_text(jwk, name), bytes_out) == STATUS_OK &&
           bytes_out->len >= least && bytes_out->len <= most;
}

/* Absent, or exactly this text. */
static bool allows(const struct json *jwk, const char *name, const char *text)
{
    const struct json *member = json_get(jwk, name);
    return member == NULL || (json_is(member, JSON_STRING) && slice_is(json_text(member), text));
}

/* Is it a key that we could verify with, judged by what it says of itself? */
static bool is_ours(const struct json *jwk, enum jose_alg *alg_out)
{
    struct slice kty = json_get_text(jwk, "kty");
    enum jose_alg alg = slice_is(kty, "EC") ? JOSE_ES384 : JOSE_RS384;
    if (!slice_is(kty, "EC") && !slice_is(kty, "RSA")) {
        return false;
    }
    if (alg == JOSE_ES384 && !slice_is(json_get_text(jwk, "crv"), "P-384")) {
        return false;
    }
    *alg_out = alg;
    return allows(jwk, "use", "sig") && allows(jwk, "alg", jose_alg_name(alg));
}

/* NULL, and *what_out, when it has a fault. The arena is not used while a key is held. */
static struct jose_key *read_key(struct arena *arena, const struct json *jwk, enum jose_alg alg,
                                 const char **what_out)
{
    struct slice kid = json_get_text(jwk, "kid");
    struct slice a;
    struct slice b;
    if (json_get(jwk, "d") != NULL) {
        *what_out = "it holds a private key, which nobody may publish";
        return NULL;
    }
    if (kid.len == 0 || kid.len > JOSE_KID_MAX) {
        *what_out = "it has no kid, or one that is too long";
        return NULL;
    }
    *what_out = "its numbers are not those of a good public key";
    EVP_PKEY *pkey = NULL;
    if (alg == JOSE_ES384) {
        if (read_bytes(arena, jwk, "x", COORDINATE, COORDINATE, &a) &&
            read_bytes(arena, jwk, "y", COORDINATE, COORDINATE, &b)) {
            pkey = make_ec(a, b);
        }
    } else if (read_bytes(arena, jwk, "n", MODULUS_LEAST, MODULUS_MOST, &a) &&
               read_bytes(arena, jwk, "e", 1, EXPONENT_MOST, &b)) {
        pkey = make_rsa(a, b);
    }
    if (pkey != NULL && !is_kind(pkey, alg)) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    return pkey != NULL ? key_create(pkey, alg, kid) : NULL;
}

/* While keys are being read the arena owns them: reading may end anywhere. */
struct holder {
    struct jose_keys *keys;
};

static void free_holder(void *arg)
{
    jose_keys_destroy(&((struct holder *)arg)->keys);
}

static enum status no_set(struct diag_list *diags, const char *what)
{
    diag_add(diags, DIAG_JOSE, SPAN_NONE, "%s", what);
    return STATUS_INVALID;
}

enum status jose_keys_read(struct arena *arena, const struct json *set, struct diag_list *diags,
                           struct jose_keys **keys_out)
{
    const struct json *list = json_get(set, "keys");
    if (!json_is(list, JSON_ARRAY) || json_count(list) > JOSE_KEYS_MAX) {
        return no_set(diags, "the key set is no object with an array \"keys\" of at most 32");
    }
    struct holder *holder = ARENA_NEW(arena, struct holder);
    arena_defer(arena, free_holder, holder);
    holder->keys = calloc(1, sizeof *holder->keys);
    if (holder->keys == NULL) {
        return STATUS_NO_MEMORY;
    }
    unsigned index = 0;
    for (const struct json *jwk = json_first(list); jwk != NULL; jwk = json_next(jwk), index++) {
        enum jose_alg alg;
        const char *what = NULL;
        if (!is_ours(jwk, &alg)) {
            continue;
        }
        struct jose_key *key = read_key(arena, jwk, alg, &what);
        if (key != NULL) {
            holder->keys->key[holder->keys->count++] = key;
        } else {
            struct diag *diag = diag_add(diags, DIAG_JOSE, SPAN_NONE,
                                         "key %u of the set is left out: %s", index, what);
            diag->severity = SEVERITY_WARNING;
        }
    }
    if (holder->keys->count == 0) {
        return no_set(diags, "the key set has no key for ES384 or RS384");
    }
    *keys_out = holder->keys;
    holder->keys = NULL;
    return STATUS_OK;
}

void jose_keys_destroy(struct jose_keys **keys)
{
    if (keys == NULL || *keys == NULL) {
        return;
    }
    for (size_t i = 0; i < (*keys)->count; i++) {
        jose_key_destroy(&(*keys)->key[i]);
    }
    free(*keys);
    *keys = NULL;
}

size_t jose_keys_count(const struct jose_keys *keys)
{
    return keys->count;
}

const struct jose_key *jose_keys_find(const struct jose_keys *keys, struct slice kid)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (slice_equal(jose_key_kid(keys->key[i]), kid)) {
            return keys->key[i];
        }
    }
    return NULL;
}

/* ---- signing ---- */

enum { SIGNATURE_MOST = MODULUS_MOST };

/* DER to r and s of fixed width, padded on the left (RFC 7518 3.4). */
static bool der_to_raw(const unsigned char *der, size_t len, unsigned char out[2 * COORDINATE])
{
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)len);
    bool good =
        signature != NULL &&
        BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, COORDINATE) == COORDINATE &&
        BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + COORDINATE, COORDINATE) == COORDINATE;
    ECDSA_SIG_free(signature);
    return good;
}

/* 0: no memory. */
static size_t sign(const struct jose_key *key, struct slice input,
                   unsigned char out[SIGNATURE_MOST])
{
    size_t len = SIGNATURE_MOST;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx != NULL && EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, key->pkey) == 1 &&
                EVP_DigestSign(ctx, out, &len, bytes_of(input), input.len) == 1;
    EVP_MD_CTX_free(ctx);
    if (good && key->alg == JOSE_ES384) {
        unsigned char der[SIGNATURE_MOST];
        memcpy(der, out, len);
        good = der_to_raw(der, len, out);
        len = (size_t)2 * COORDINATE;
    }
    ERR_clear_error();
    return good ? len : 0;
}

enum status jose_sign(struct arena *arena, const struct jose_key *key, struct slice payload,
                      struct slice *token_out)
{
    unsigned char signature[SIGNATURE_MOST];
    struct json *header = json_new_object(arena);
    add_text(arena, header, "alg", slice_of(jose_alg_name(key->alg)));
    add_text(arena, header, "typ", SLICE("JWT"));
    add_text(arena, header, "kid", jose_key_kid(key));
    struct slice head = base64url_write(arena, json_write(arena, header, JSON_COMPACT));
    struct slice body = base64url_write(arena, payload);
    struct slice input = arena_printf(arena, "%.*s.%.*s", SLICE_ARGS(head), SLICE_ARGS(body));
    size_t len = sign(key, input, signature);
    if (len == 0) {
        return STATUS_NO_MEMORY;
    }
    struct slice tail = base64url_write(arena, slice_from((char *)signature, len));
    *token_out = arena_printf(arena, "%.*s.%.*s", SLICE_ARGS(input), SLICE_ARGS(tail));
    return STATUS_OK;
}

/* ---- verifying ---- */

/* Returns the length of the DER form in *der_out (freed by OPENSSL_free); 0: no such signature. */
static size_t raw_to_der(struct slice raw, unsigned char **der_out)
{
    if (raw.len != (size_t)2 * COORDINATE) {
        return 0;
    }
    ECDSA_SIG *signature = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(bytes_of(raw), COORDINATE, NULL);
    BIGNUM *s = BN_bin2bn(bytes_of(raw) + COORDINATE, COORDINATE, NULL);
    int len = 0;
    if (signature != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(signature, r, s) == 1) {
        r = NULL; /* the signature's now */
        s = NULL;
        len = i2d_ECDSA_SIG(signature, der_out);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(signature);
    return len > 0 ? (size_t)len : 0;
}

static bool verify(const struct jose_key *key, struct slice input, struct slice signature)
{
    unsigned char *der = NULL;
    const unsigned char *at = bytes_of(signature);
    size_t len = signature.len;
    if (key->alg == JOSE_ES384) {
        len = raw_to_der(signature, &der);
        at = der;
    }
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = len != 0 && ctx != NULL &&
                EVP_DigestVerifyInit(ctx, NULL, EVP_sha384(), NULL, key->pkey) == 1 &&
                EVP_DigestVerify(ctx, at, len, bytes_of(input), input.len) == 1;
    EVP_MD_CTX_free(ctx);
    OPENSSL_free(der);
    ERR_clear_error();
    return good;
}

/* An object, by the strict reader; NULL otherwise. */
static const struct json *read_object(struct arena *arena, struct slice text)
{
    const struct limits limits = {
        .bytes = JOSE_TOKEN_MAX, .depth = 8, .nodes = 1000, .diagnostics = 1};
    struct diag_list unheard;
    const struct json *value = NULL;
    diag_init(&unheard, arena, 1);
    const struct source *source = source_create(arena, SLICE("token"), text);
    if (json_parse(arena, source, &limits, &unheard, &value) != STATUS_OK ||
        !json_is(value, JSON_OBJECT)) {
        return NULL;
    }
    return value;
}

/* The key that the header names; its algorithm is the key's, not the token's choice. */
static enum jose_fault choose_key(const struct json *header, const struct jose_keys *keys,
                                  const struct jose_key **key_out)
{
    enum jose_alg alg;
    struct slice kid = json_get_text(header, "kid");
    enum jose_fault fault = JOSE_KEY;
    if (!jose_alg_read(json_get_text(header, "alg"), &alg)) {
        return JOSE_ALGORITHM;
    }
    for (size_t i = 0; i < keys->count; i++) {
        if (slice_equal(jose_key_kid(keys->key[i]), kid)) {
            if (keys->key[i]->alg == alg) {
                *key_out = keys->key[i];
                return JOSE_FINE;
            }
            fault = JOSE_ALGORITHM;
        }
    }
    return fault;
}

enum jose_fault jose_verify(struct arena *arena, struct slice token, const struct jose_keys *keys,
                            struct jwt *jwt_out)
{
    struct slice part[3] = {SLICE_NONE};
    struct slice rest = token;
    const struct jose_key *key = NULL;
    struct slice bytes;
    struct slice signature;
    if (token.len > JOSE_TOKEN_MAX || !slice_cut(&rest, '.', &part[0]) ||
        !slice_cut(&rest, '.', &part[1]) || !slice_cut(&rest, '.', &part[2]) || rest.at != NULL ||
        base64url_read(arena, part[0], &bytes) != STATUS_OK ||
        base64url_read(arena, part[2], &signature) != STATUS_OK) {
        return JOSE_FORM;
    }
    const struct json *header = read_object(arena, bytes);
    /* crit: the sender says that a header must be understood; we understand none (RFC 7515
     * 4.1.11). */
    if (header == NULL || json_get(header, "crit") != NULL) {
        return JOSE_FORM;
    }
    enum jose_fault fault = choose_key(header, keys, &key);
    if (fault != JOSE_FINE) {
        return fault;
    }
    if (!verify(key, slice_part(token, 0, part[0].len + 1 + part[1].len), signature)) {
        return JOSE_SIGNATURE;
    }
    const struct json *claims =
        base64url_read(arena, part[1], &bytes) == STATUS_OK ? read_object(arena, bytes) : NULL;
    if (claims == NULL) {
        return JOSE_FORM;
    }
    *jwt_out = (struct jwt){.header = header, .claims = claims, .kid = jose_key_kid(key)};
    return JOSE_FINE;
}
