/*
 * UUIDs (RFC 9562): version 7 for rows that we make (ordered by time, so that indexes grow at one
 * end), version 5 for identities that must come out the same when computed again (DESIGN.md 2).
 * Tests: tests/unit/gateway/base/test_uuid.c.
 */
#ifndef GATEWAY_BASE_UUID_H
#define GATEWAY_BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

#include "fhir/base/slice.h"
#include "gateway/base/clock.h"
#include "gateway/base/random.h"

enum { UUID_SIZE = 16, UUID_TEXT_SIZE = 37 };

struct uuid {
    uint8_t bytes[UUID_SIZE];
};

/* Milliseconds, then 12 bits of the fraction of that millisecond, then 62 random bits (RFC 9562
 * 6.2, method 3). Times before 1970 count as 1970. */
struct uuid uuid_v7(const struct clock *clock, const struct random *random);

/* SHA-1 over the namespace and the name's parts, one after another. A caller whose parts could run
 * into each other puts a separator between them; at most 15 parts. */
struct uuid uuid_v5(struct uuid space, const struct slice *parts, size_t count);

/* 36 characters, lower case, NUL-terminated. */
void uuid_write(struct uuid uuid, char out[UUID_TEXT_SIZE]);

/* Exactly 36 characters of either case; false, *uuid_out untouched, otherwise. */
bool uuid_read(struct slice text, struct uuid *uuid_out);

static inline bool uuid_equal(struct uuid a, struct uuid b)
{
    return memcmp(a.bytes, b.bytes, UUID_SIZE) == 0;
}

#endif
