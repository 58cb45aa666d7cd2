/*
 * SHA-256, HMAC-SHA-256 and a comparison that takes the same time wherever two secrets differ. By
 * OpenSSL; one that cannot for a second (a FIPS set-up gone wrong, no memory) ends the process,
 * because every caller would go on with a wrong hash. Any thread. Tests:
 * tests/unit/gateway/base/test_digest.c.
 */
#ifndef GATEWAY_BASE_DIGEST_H
#define GATEWAY_BASE_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "fhir/base/slice.h"

enum { SHA256_SIZE = 32, SHA256_TEXT_SIZE = 2 * SHA256_SIZE + 1, SHA1_SIZE = 20 };

void sha256(struct slice bytes, uint8_t out[SHA256_SIZE]);
/* The hash of the parts one after another. */
void sha256_parts(const struct slice *parts, size_t count, uint8_t out[SHA256_SIZE]);

/* The algorithm, looked up once, for one hash after another: looking it up took a fifth to two
 * fifths of the time of hashing 4 KiB. Any number of threads may use one; caller destroys. */
struct hasher;
struct hasher *hasher_create(void); /* NULL: no memory */
void hasher_destroy(struct hasher **hasher);
/* hasher may be NULL: it is looked up, as sha256() does. */
void hasher_sha256(const struct hasher *hasher, struct slice bytes, uint8_t out[SHA256_SIZE]);

void hmac_sha256(struct slice key, struct slice bytes, uint8_t out[SHA256_SIZE]);
/* Only for what a standard fixes to SHA-1 (UUIDv5); not for secrets. */
void sha1_parts(const struct slice *parts, size_t count, uint8_t out[SHA1_SIZE]);

/* Lower-case hexadecimal, NUL-terminated: out has 2 * len + 1 bytes. */
void hex_write(const uint8_t *bytes, size_t len, char *out);
/* Reads exactly 2 * len digits of either case; false, out undefined, otherwise. */
bool hex_read(struct slice text, uint8_t *out, size_t len);

/* Equal bytes? Time depends on the lengths alone. */
bool equal_in_constant_time(struct slice a, struct slice b);

#endif
