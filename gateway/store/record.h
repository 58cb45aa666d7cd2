/*
 * A record: opaque bytes as the store keeps them, so that a torn or flipped one is seen, and so
 * that they can be sealed: format (1) | key id (4, big endian; 0: unsealed) | checksum (8) | the
 * bytes The checksum covers all of it and what the record belongs to: a record in another's place
 * fails. Pure. Tests: tests/unit/gateway/store/test_record.c.
 */
#ifndef GATEWAY_STORE_RECORD_H
#define GATEWAY_STORE_RECORD_H

#include <stdint.h>

#include "fhir/base/arena.h"
#include "fhir/base/slice.h"
#include "fhir/base/status.h"

/* Which bytes of its owner a record holds. Codes are stored. */
enum record_part {
    RECORD_WANTED = 0,     /* of an item */
    RECORD_PAYLOAD = 1,    /* of a message */
    RECORD_FACTS = 2,      /* of an evaluation */
    RECORD_TRACE = 3,      /* of an evaluation */
    RECORD_BODY = 4,       /* of a change */
    RECORD_BASE = 5,       /* of an item */
    RECORD_CAPABILITY = 6, /* of an EHR */
    RECORD_TRAIL = 7,      /* of a line of the trail */
};

enum { RECORD_HEADER = 13, RECORD_FORMAT = 1 };

/* owner: the id's 16 bytes, or an EHR's name. Lives in the arena. */
struct slice record_pack(struct arena *arena, struct slice owner, enum record_part part,
                         struct slice bytes);

/* STATUS_INVALID: it is damaged, or of a format or key that this program has not. Borrowed from
 * record. */
enum status record_open(struct slice owner, enum record_part part, struct slice record,
                        struct slice *bytes_out);

#endif
