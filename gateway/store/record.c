#include "gateway/store/record.h"

#include <string.h>

/* Eight bytes a step. Each step is a bijection of the state, so that damage within one word is
 * always seen; further damage is missed once in 2^64. No protection from forgery: sealing is. */
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

struct slice record_pack(struct arena *arena, struct slice owner, enum record_part part,
                         struct slice bytes)
{
    char *record = arena_alloc(arena, RECORD_HEADER + bytes.len);
    record[0] = RECORD_FORMAT;
    memset(record + 1, 0, 4);
    uint64_t sum = record_checksum(owner, part, record, bytes);
    memcpy(record + 5, &sum, 8);
    if (bytes.len != 0) {
        memcpy(record + RECORD_HEADER, bytes.at, bytes.len);
    }
    return slice_from(record, RECORD_HEADER + bytes.len);
}

enum status record_open(struct slice owner, enum record_part part, struct slice record,
                        struct slice *bytes_out)
{
    static const char unsealed[4] = {0};
    if (record.len < RECORD_HEADER || record.at[0] != RECORD_FORMAT ||
        memcmp(record.at + 1, unsealed, 4) != 0) {
        return STATUS_INVALID;
    }
    struct slice bytes = slice_part(record, RECORD_HEADER, record.len);
    uint64_t sum = record_checksum(owner, part, record.at, bytes);
    if (memcmp(record.at + 5, &sum, 8) != 0) {
        return STATUS_INVALID;
    }
    *bytes_out = bytes;
    return STATUS_OK;
}
