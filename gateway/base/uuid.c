#include "gateway/base/uuid.h"

#include "gateway/base/digest.h"

static void set_version(struct uuid *uuid, unsigned version)
{
    uuid->bytes[6] = (uint8_t)((uuid->bytes[6] & 0x0f) | version << 4);
    uuid->bytes[8] = (uint8_t)((uuid->bytes[8] & 0x3f) | 0x80);
}

struct uuid uuid_v7(const struct clock *clock, const struct random *random)
{
    int64_t now = clock_utc(clock);
    uint64_t us = now > 0 ? (uint64_t)now : 0;
    uint64_t ms = us / 1000;
    unsigned fraction = (unsigned)(us % 1000 * 4096 / 1000);
    struct uuid uuid;
    random_fill(random, uuid.bytes + 8, 8);
    for (unsigned i = 0; i < 6; i++) {
        uuid.bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
    }
    uuid.bytes[6] = (uint8_t)(fraction >> 8);
    uuid.bytes[7] = (uint8_t)fraction;
    set_version(&uuid, 7);
    return uuid;
}

enum { NAME_PARTS = 15 };

struct uuid uuid_v5(struct uuid space, const struct slice *parts, size_t count)
{
    /* One hash over all parts: those beyond the table are never silently left out. */
    struct slice all[NAME_PARTS + 1] = {{(const char *)space.bytes, UUID_SIZE}};
    if (count > NAME_PARTS) {
        __builtin_trap();
    }
    for (size_t i = 0; i < count; i++) {
        all[i + 1] = parts[i];
    }
    uint8_t hash[SHA1_SIZE];
    sha1_parts(all, count + 1, hash);
    struct uuid uuid;
    memcpy(uuid.bytes, hash, UUID_SIZE);
    set_version(&uuid, 5);
    return uuid;
}

static bool is_dash(size_t at)
{
    return at == 8 || at == 13 || at == 18 || at == 23;
}

void uuid_write(struct uuid uuid, char out[UUID_TEXT_SIZE])
{
    char digits[2 * UUID_SIZE + 1];
    hex_write(uuid.bytes, UUID_SIZE, digits);
    for (size_t at = 0, from = 0; at < UUID_TEXT_SIZE - 1; at++) {
        out[at] = is_dash(at) ? '-' : digits[from++];
    }
    out[UUID_TEXT_SIZE - 1] = '\0';
}

bool uuid_read(struct slice text, struct uuid *uuid_out)
{
    char digits[2 * UUID_SIZE];
    size_t count = 0;
    if (text.len != UUID_TEXT_SIZE - 1) {
        return false;
    }
    for (size_t at = 0; at < text.len; at++) {
        if (!is_dash(at)) {
            digits[count++] = text.at[at];
        } else if (text.at[at] != '-') {
            return false;
        }
    }
    struct uuid uuid;
    if (!hex_read(slice_from(digits, count), uuid.bytes, UUID_SIZE)) {
        return false;
    }
    *uuid_out = uuid;
    return true;
}
