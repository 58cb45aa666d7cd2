#include "gateway/store/record.h"

#include <string.h>

#include "gateway/base/crypto.h"

/* Eight bytes a step. Each step is a bijection of the state, so that damage within one word is
 * always seen; further damage is missed once in 2^64. No protection from forgery: sealing
 * is. */
static uint64_t mix(uint64_t state, uint64_t word)
{
    state = (state ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return state << 31 | state >> 33;
}

static uint64_t checksum(uint64_t state, struct slice bytes)
{
    size_t at = 0;
    for (; bytes.len - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, bytes.at + at, 8);
        state = mix(state, word);
    }
    uint64_t last = 0;
    if (at < bytes.len) {
        memcpy(&last, bytes.at + at, bytes.len - at);
    }
    return mix(mix(state, last), bytes.len);
}

static uint64_t record_checksum(struct slice owner, enum record_part part, const char *header,
                                struct slice bytes)
{
    uint64_t state = checksum((uint64_t)part, owner);
    state = checksum(state, slice_from(header, RECORD_HEADER - 8));
    return checksum(state, bytes);
}

/* What sealed bytes are bound to; parts of one length each behind the owner keep them apart. */
static struct slice bound_of(struct arena *arena, struct slice owner, enum record_part part,
                             const char *record)
{
    char *bound = arena_alloc(arena, owner.len + 1 + RECORD_MARK);
    memcpy(bound, owner.at, owner.len);
    bound[owner.len] = (char)part;
    memcpy(bound + owner.len + 1, record, RECORD_MARK);
    return slice_from(bound, owner.len + 1 + RECORD_MARK);
}

void record_mark(const struct keyring *keys, char mark_out[RECORD_MARK])
{
    uint32_t number = keys != NULL ? keyring_current(keys) : 0;
    mark_out[0] = keys != NULL ? RECORD_SEALED : RECORD_FORMAT;
    for (int i = 0; i < 4; i++) {
        mark_out[1 + i] = (char)(number >> (24 - 8 * i));
    }
}

enum status record_pack(struct arena *arena, const struct record_seal *seal, struct slice owner,
                        enum record_part part, struct slice bytes, struct slice *record_out)
{
    char mark[RECORD_MARK];
    record_mark(seal->keys, mark);
    if (seal->keys != NULL) {
        enum status status =
            crypto_seal(arena, keyring_find(seal->keys, keyring_current(seal->keys)), seal->random,
                        bound_of(arena, owner, part, mark), bytes, &bytes);
        if (status != STATUS_OK) {
            return status;
        }
    }
    char *record = arena_alloc(arena, RECORD_HEADER + bytes.len);
    memcpy(record, mark, RECORD_MARK);
    uint64_t sum = record_checksum(owner, part, record, bytes);
    memcpy(record + RECORD_MARK, &sum, 8);
    if (bytes.len != 0) {
        memcpy(record + RECORD_HEADER, bytes.at, bytes.len);
    }
    *record_out = slice_from(record, RECORD_HEADER + bytes.len);
    return STATUS_OK;
}

static uint32_t key_of(struct slice record)
{
    uint32_t number = 0;
    for (int i = 0; i < 4; i++) {
        number = number << 8 | (unsigned char)record.at[1 + i];
    }
    return number;
}

enum status record_open(struct arena *arena, const struct keyring *keys, struct slice owner,
                        enum record_part part, struct slice record, struct slice *bytes_out)
{
    if (record.len < RECORD_HEADER) {
        return STATUS_INVALID;
    }
    bool sealed = record.at[0] == RECORD_SEALED;
    uint32_t number = key_of(record);
    struct slice bytes = slice_part(record, RECORD_HEADER, record.len);
    uint64_t sum = record_checksum(owner, part, record.at, bytes);
    if ((!sealed && record.at[0] != RECORD_FORMAT) || (number != 0) != sealed ||
        memcmp(record.at + RECORD_MARK, &sum, 8) != 0) {
        return STATUS_INVALID;
    }
    if (!sealed) {
        *bytes_out = bytes;
        return STATUS_OK;
    }
    /* Without the key it is a key of no bytes, which opens nothing. */
    return crypto_open(arena, keyring_find(keys, number), bound_of(arena, owner, part, record.at),
                       bytes, bytes_out);
}
