#include "gateway/http/base64url.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct slice base64url_write(struct arena *arena, struct slice bytes)
{
    char *out = arena_alloc(arena, bytes.len / 3 * 4 + 5);
    size_t len = 0;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t group = (uint32_t)(uint8_t)bytes.at[i] << 16;
        group |= left > 1 ? (uint32_t)(uint8_t)bytes.at[i + 1] << 8 : 0;
        group |= left > 2 ? (uint32_t)(uint8_t)bytes.at[i + 2] : 0;
        size_t digits = left > 2 ? 4 : left + 1;
        for (size_t k = 0; k < digits; k++) {
            out[len++] = alphabet[group >> (18 - 6 * k) & 63];
        }
    }
    out[len] = '\0';
    return slice_from(out, len);
}

static int digit_of(char c)
{
    const char *at = c != '\0' ? strchr(alphabet, c) : NULL;
    return at != NULL ? (int)(at - alphabet) : -1;
}

enum status base64url_read(struct arena *arena, struct slice text, struct slice *bytes_out)
{
    char *out = arena_alloc(arena, text.len / 4 * 3 + 3);
    size_t len = 0;
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < text.len; i++) {
        int digit = digit_of(text.at[i]);
        if (digit < 0) {
            return STATUS_INVALID;
        }
        bits = (bits << 6 | (uint32_t)digit) & 0xffffff;
        count += 6;
        if (count >= 8) {
            count -= 8;
            out[len++] = (char)(uint8_t)(bits >> count);
        }
    }
    if (count == 6 || (bits & ((1U << count) - 1)) != 0) {
        return STATUS_INVALID;
    }
    out[len] = '\0';
    *bytes_out = slice_from(out, len);
    return STATUS_OK;
}
