/*
 * Sealing of records: AES-256-GCM (NIST SP 800-38D) by OpenSSL. A sealed record is
 * nonce (12 bytes, random) | ciphertext | tag (16 bytes). With random nonces one key is good for
 * 2^32 records; then it is rotated. Any thread. Tests: tests/unit/gateway/base/test_crypto.c.
 */
#ifndef GATEWAY_BASE_CRYPTO_H
#define GATEWAY_BASE_CRYPTO_H

#include "fhir/base/arena.h"
#include "fhir/base/slice.h"
#include "fhir/base/status.h"
#include "gateway/base/random.h"

enum { CRYPTO_KEY_SIZE = 32, CRYPTO_NONCE_SIZE = 12, CRYPTO_TAG_SIZE = 16 };
enum { CRYPTO_OVERHEAD = CRYPTO_NONCE_SIZE + CRYPTO_TAG_SIZE };

/*
 * `bound` is authenticated and not stored: what the record belongs to (its id, the key's id), so
 * that no record can be put in another's place. STATUS_INVALID: the key has not CRYPTO_KEY_SIZE
 * bytes. STATUS_LIMIT: over 1 GiB. *sealed_out lives in the arena.
 */
enum status crypto_seal(struct arena *arena, struct slice key, const struct random *random,
                        struct slice bound, struct slice plain, struct slice *sealed_out);

/* STATUS_INVALID: another key, another `bound`, or a changed record; nothing of it is given out.
 * STATUS_NO_MEMORY: it could not be looked at. *plain_out lives in the arena. */
enum status crypto_open(struct arena *arena, struct slice key, struct slice bound,
                        struct slice sealed, struct slice *plain_out);

#endif
