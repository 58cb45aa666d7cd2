#include "gateway/base/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

/* Before the next try: what OpenSSL lacks may be memory, which comes back. About a second in all;
 * then the process ends. */
static void must_soon(unsigned tries)
{
    enum { TRIES_MOST = 10 };
    if (tries == TRIES_MOST) {
        fputs("eplan: OpenSSL has no working hash\n", stderr);
        abort();
    }
    struct timespec wait = {.tv_nsec = (1L << tries) * 1000000};
    nanosleep(&wait, NULL);
}

static bool try_hash(const EVP_MD *md, const struct slice *parts, size_t count, uint8_t *out)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx != NULL && EVP_DigestInit_ex(ctx, md, NULL) == 1;
    for (size_t i = 0; good && i < count; i++) {
        good = EVP_DigestUpdate(ctx, parts[i].at, parts[i].len) == 1;
    }
    good = good && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

struct hasher {
    EVP_MD *sha256;
};

struct hasher *hasher_create(void)
{
    struct hasher *hasher = malloc(sizeof *hasher);
    for (unsigned tries = 0; hasher != NULL; tries++) {
        hasher->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
        if (hasher->sha256 != NULL) {
            break;
        }
        must_soon(tries);
    }
    return hasher;
}

void hasher_destroy(struct hasher **hasher)
{
    if (*hasher != NULL) {
        EVP_MD_free((*hasher)->sha256);
        free(*hasher);
        *hasher = NULL;
    }
}

static void hash_parts(const EVP_MD *md, const struct slice *parts, size_t count, uint8_t *out)
{
    for (unsigned tries = 0; !try_hash(md, parts, count, out); tries++) {
        must_soon(tries);
    }
}

void sha256_parts(const struct slice *parts, size_t count, uint8_t out[SHA256_SIZE])
{
    hash_parts(EVP_sha256(), parts, count, out);
}

void sha256(struct slice bytes, uint8_t out[SHA256_SIZE])
{
    sha256_parts(&bytes, 1, out);
}

void hasher_sha256(const struct hasher *hasher, struct slice bytes, uint8_t out[SHA256_SIZE])
{
    hash_parts(hasher != NULL ? hasher->sha256 : EVP_sha256(), &bytes, 1, out);
}

void sha1_parts(const struct slice *parts, size_t count, uint8_t out[SHA1_SIZE])
{
    hash_parts(EVP_sha1(), parts, count, out);
}

void hmac_sha256(struct slice key, struct slice bytes, uint8_t out[SHA256_SIZE])
{
    unsigned len = 0;
    int key_len = key.len <= INT32_MAX ? (int)key.len : -1; /* which OpenSSL refuses */
    for (unsigned tries = 0; HMAC(EVP_sha256(), key.len != 0 ? key.at : "", key_len,
                                  (const unsigned char *)(bytes.len != 0 ? bytes.at : ""),
                                  bytes.len, out, &len) == NULL;
         tries++) {
        must_soon(tries);
    }
}

void hex_write(const uint8_t *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * len] = '\0';
}

/* A digit's value plus one; 0: no digit. */
static const uint8_t digit_plus_one[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16};

static int hex_digit(char c)
{
    return digit_plus_one[(unsigned char)c] - 1;
}

bool hex_read(struct slice text, uint8_t *out, size_t len)
{
    if (text.len != 2 * len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(text.at[2 * i]);
        int low = hex_digit(text.at[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool equal_in_constant_time(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.at, b.at, a.len) == 0);
}
