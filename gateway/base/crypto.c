#include "gateway/base/crypto.h"

#include <stdbool.h>

#include <openssl/evp.h>

enum { LARGEST = 1 << 30 };

static const unsigned char *bytes_of(struct slice s)
{
    return (const unsigned char *)(s.len != 0 ? s.at : "");
}

/* No arena call while ctx lives: an arena that is full does not return. */
static bool seal(EVP_CIPHER_CTX *ctx, struct slice key, struct slice bound, struct slice plain,
                 unsigned char *out)
{
    int len = 0;
    unsigned char *text = out + CRYPTO_NONCE_SIZE;
    return ctx != NULL &&
           EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, bytes_of(key), out) == 1 &&
           EVP_EncryptUpdate(ctx, NULL, &len, bytes_of(bound), (int)bound.len) == 1 &&
           EVP_EncryptUpdate(ctx, text, &len, bytes_of(plain), (int)plain.len) == 1 &&
           EVP_EncryptFinal_ex(ctx, text + plain.len, &len) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, CRYPTO_TAG_SIZE, text + plain.len) == 1;
}

enum status crypto_seal(struct arena *arena, struct slice key, const struct random *random,
                        struct slice bound, struct slice plain, struct slice *sealed_out)
{
    if (key.len != CRYPTO_KEY_SIZE) {
        return STATUS_INVALID;
    }
    if (plain.len > LARGEST || bound.len > LARGEST) {
        return STATUS_LIMIT;
    }
    unsigned char *out = arena_alloc(arena, plain.len + CRYPTO_OVERHEAD);
    random_fill(random, out, CRYPTO_NONCE_SIZE);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool done = seal(ctx, key, bound, plain, out);
    EVP_CIPHER_CTX_free(ctx);
    if (!done) {
        return STATUS_NO_MEMORY;
    }
    *sealed_out = slice_from((char *)out, plain.len + CRYPTO_OVERHEAD);
    return STATUS_OK;
}

/* Only the tag can be wrong; what fails before lacks memory. */
static enum status unseal(EVP_CIPHER_CTX *ctx, struct slice key, struct slice bound,
                          struct slice sealed, unsigned char *out)
{
    int len = 0;
    const unsigned char *at = bytes_of(sealed);
    int text_len = (int)(sealed.len - CRYPTO_OVERHEAD);
    unsigned char tag[CRYPTO_TAG_SIZE];
    memcpy(tag, at + sealed.len - CRYPTO_TAG_SIZE, sizeof tag);
    bool good = ctx != NULL &&
                EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, bytes_of(key), at) == 1 &&
                EVP_DecryptUpdate(ctx, NULL, &len, bytes_of(bound), (int)bound.len) == 1 &&
                EVP_DecryptUpdate(ctx, out, &len, at + CRYPTO_NONCE_SIZE, text_len) == 1 &&
                EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, CRYPTO_TAG_SIZE, tag) == 1;
    if (!good) {
        return STATUS_NO_MEMORY;
    }
    return EVP_DecryptFinal_ex(ctx, out + text_len, &len) == 1 ? STATUS_OK : STATUS_INVALID;
}

enum status crypto_open(struct arena *arena, struct slice key, struct slice bound,
                        struct slice sealed, struct slice *plain_out)
{
    if (key.len != CRYPTO_KEY_SIZE || sealed.len < CRYPTO_OVERHEAD || bound.len > LARGEST ||
        sealed.len > (size_t)LARGEST + CRYPTO_OVERHEAD) {
        return STATUS_INVALID;
    }
    size_t len = sealed.len - CRYPTO_OVERHEAD;
    unsigned char *out = arena_alloc(arena, len + 1);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    enum status status = unseal(ctx, key, bound, sealed, out);
    EVP_CIPHER_CTX_free(ctx);
    if (status != STATUS_OK) {
        explicit_bzero(out, len);
        return status;
    }
    out[len] = '\0';
    *plain_out = slice_from((char *)out, len);
    return STATUS_OK;
}
