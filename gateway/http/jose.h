/*
 * Signed tokens (JWS compact, RFC 7515) and keys (JWK, RFC 7517) by OpenSSL: ES384 and RS384, the
 * two that SMART Backend Services requires. A key has one algorithm, fixed when it is made; a
 * token's own header never chooses it. Pure but for jose_key_load. Keys may be shared by threads.
 * Tests: tests/unit/gateway/http/test_jose.c, fuzzed by tests/fuzzers/fuzz_jose.c.
 */
#ifndef GATEWAY_HTTP_JOSE_H
#define GATEWAY_HTTP_JOSE_H

#include "fhir/base/diag.h"
#include "fhir/json/json.h"

enum jose_alg { JOSE_ES384, JOSE_RS384 };

const char *jose_alg_name(enum jose_alg alg); /* "ES384" */
/* False, *alg_out untouched: another algorithm. */
bool jose_alg_read(struct slice name, enum jose_alg *alg_out);

struct jose_key;

enum { JOSE_TOKEN_MAX = 16 * 1024, JOSE_KEYS_MAX = 32, JOSE_KID_MAX = 256 };

/*
 * A private key of ours: PEM, readable by us alone (secret.h); P-384 for ES384, RSA of 2048 to 8192
 * bits for RS384. `kid` empty: the first 16 characters of the base64url SHA-256 of its public half
 * (DER SubjectPublicKeyInfo). Otherwise diags says what is wrong. Caller destroys.
 */
enum status jose_key_load(const char *path, enum jose_alg alg, struct slice kid, struct span span,
                          struct diag_list *diags, struct jose_key **key_out);
/* Accepts NULL. */
void jose_key_destroy(struct jose_key **key);

enum jose_alg jose_key_alg(const struct jose_key *key);
struct slice jose_key_kid(const struct jose_key *key); /* borrowed from the key */

/* The public half alone: kty, kid, alg, use, and n, e or crv, x, y. Lives in the arena. */
enum status jose_key_write(struct arena *arena, const struct jose_key *key, struct json **jwk_out);
/* {"keys": [...]}; old and new while a key is changed. Lives in the arena. */
enum status jose_keys_write(struct arena *arena, struct jose_key *const *keys, size_t count,
                            struct json **jwks_out);

/* ---- others' keys ---- */

struct jose_keys; /* a set */

/*
 * Reads a JWK Set. A member whose key type, algorithm or use is not ours to verify with is passed
 * over, as RFC 7517 asks; one that is and has a fault is left out with a warning in diags.
 * STATUS_INVALID: not a set, more than JOSE_KEYS_MAX members, or no usable key. Caller destroys.
 */
enum status jose_keys_read(struct arena *arena, const struct json *set, struct diag_list *diags,
                           struct jose_keys **keys_out);
void jose_keys_destroy(struct jose_keys **keys); /* accepts NULL */
size_t jose_keys_count(const struct jose_keys *keys);
/* By exact bytes; NULL: none. Borrowed from the set. */
const struct jose_key *jose_keys_find(const struct jose_keys *keys, struct slice kid);

/* ---- signing and verifying ---- */

/* Header {"alg","typ":"JWT","kid"}; payload as given. Lives in the arena. STATUS_NO_MEMORY. */
enum status jose_sign(struct arena *arena, const struct jose_key *key, struct slice payload,
                      struct slice *token_out);

/* Why a token is refused; for the log. What the sender is told is always the same. */
enum jose_fault {
    JOSE_FINE,
    JOSE_FORM,      /* not three parts of base64url, JSON as it should be, at most JOSE_TOKEN_MAX */
    JOSE_ALGORITHM, /* not one of ours, or not that of the key */
    JOSE_KEY,       /* no key of that kid: fetch the set again, at most once in a while */
    JOSE_SIGNATURE,
    JOSE_CLAIMS /* issuer, audience, or the times */
};
const char *jose_fault_name(enum jose_fault fault); /* "signature" */

struct jwt {
    const struct json *header;
    const struct json *claims; /* an object */
    struct slice kid;          /* borrowed from the key */
};

/*
 * Reads and verifies. Nothing of a token is given out before its signature is good. *jwt_out lives
 * in the arena. The caller then looks at the claims, by jwt_check() of jwt.h.
 */
enum jose_fault jose_verify(struct arena *arena, struct slice token, const struct jose_keys *keys,
                            struct jwt *jwt_out);

#endif
