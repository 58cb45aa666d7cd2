#include "gateway/store/keyring.h"

#include <stdlib.h>

#include "gateway/base/crypto.h"
#include "gateway/base/digest.h"
#include "gateway/base/secret.h"

enum { KEYS_MOST = 64 };

struct keyring {
    size_t count;
    struct {
        uint32_t number;
        struct secret *key;
    } keys[KEYS_MOST];
};

static enum status mistake(struct diag_list *diags, const char *path, unsigned line,
                           const char *what)
{
    struct diag *diag =
        diag_add(diags, DIAG_SEAL_KEY, SPAN_NONE, "%s, line %u: %s", path, line, what);
    diag_hint(diags, diag,
              "write one key a line, the current one first: a number and 64 hexadecimal digits, as "
              "`openssl rand -hex 32` gives them");
    return STATUS_INVALID;
}

/* NULL: it was taken; else what is wrong with the line. */
static const char *take_line(struct keyring *keyring, struct slice line)
{
    uint8_t bytes[CRYPTO_KEY_SIZE];
    struct slice number_text;
    uint64_t number = 0;
    struct slice digits = line;
    slice_cut(&digits, ' ', &number_text);
    digits = slice_trim(digits);
    if (!slice_to_u64(number_text, &number) || number == 0 || number > UINT32_MAX) {
        return "a line begins with the key's number";
    }
    if (keyring_find(keyring, (uint32_t)number).at != NULL) {
        return "the number stands for another key already";
    }
    if (keyring->count == KEYS_MOST) {
        return "there are more than 64 keys";
    }
    if (digits.len != (size_t)2 * CRYPTO_KEY_SIZE || !hex_read(digits, bytes, sizeof bytes)) {
        return "the key is not 64 hexadecimal digits";
    }
    struct secret *key = secret_create(slice_from((const char *)bytes, sizeof bytes));
    explicit_bzero(bytes, sizeof bytes);
    if (key == NULL) {
        return "there is no memory for it";
    }
    keyring->keys[keyring->count].number = (uint32_t)number;
    keyring->keys[keyring->count++].key = key;
    return NULL;
}

static enum status take_lines(struct keyring *keyring, const char *path, struct slice text,
                              struct diag_list *diags)
{
    struct slice rest = text;
    struct slice line;
    for (unsigned n = 1; slice_cut(&rest, '\n', &line); n++) {
        line = slice_trim(line);
        const char *wrong = line.len != 0 && line.at[0] != '#' ? take_line(keyring, line) : NULL;
        if (wrong != NULL) {
            return mistake(diags, path, n, wrong);
        }
    }
    return keyring->count != 0 ? STATUS_OK : mistake(diags, path, 1, "there is no key");
}

enum status keyring_load(const char *path, struct diag_list *diags, struct keyring **keyring_out)
{
    struct secret *file = NULL;
    struct keyring *keyring = calloc(1, sizeof *keyring);
    if (keyring == NULL) {
        return STATUS_NO_MEMORY;
    }
    enum status status = secret_load(path, SPAN_NONE, diags, &file);
    if (status == STATUS_OK) {
        status = take_lines(keyring, path, secret_view(file), diags);
    }
    secret_destroy(&file);
    if (status != STATUS_OK) {
        keyring_destroy(&keyring);
        return status;
    }
    *keyring_out = keyring;
    return STATUS_OK;
}

void keyring_destroy(struct keyring **keyring)
{
    if (keyring == NULL || *keyring == NULL) {
        return;
    }
    for (size_t i = 0; i < (*keyring)->count; i++) {
        secret_destroy(&(*keyring)->keys[i].key);
    }
    free(*keyring);
    *keyring = NULL;
}

uint32_t keyring_current(const struct keyring *keyring)
{
    return keyring->keys[0].number;
}

struct slice keyring_find(const struct keyring *keyring, uint32_t number)
{
    for (size_t i = 0; keyring != NULL && i < keyring->count; i++) {
        if (keyring->keys[i].number == number) {
            return secret_view(keyring->keys[i].key);
        }
    }
    return SLICE_NONE;
}
