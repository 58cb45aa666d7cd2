/*
 * A record: opaque bytes as the store keeps them, so that a torn or flipped one is seen, and sealed
 * where there is a key:
 *
 *   format (1) | number of the key (4, big endian; 0: unsealed) | checksum (8) | the bytes
 *
 * Format 1 holds the bytes as they are; format 2 holds them sealed (AES-256-GCM, base/crypto.h).
 * The checksum covers all of it and what the record belongs to: a record in another's place fails,
 * and damage is seen without the key. What is sealed is bound to the same: owner, part and header.
 * Pure but for the nonce. Tests: tests/unit/gateway/store/test_seal.c, test_open.c.
 */
#ifndef GATEWAY_STORE_RECORD_H
#define GATEWAY_STORE_RECORD_H

#include <stdint.h>

#include "fhir/base/arena.h"
#include "fhir/base/slice.h"
#include "fhir/base/status.h"
#include "gateway/base/random.h"
#include "gateway/store/keyring.h"

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
    RECORD_CHECK = 8,      /* of a key: it is the one it was */
};

enum { RECORD_MARK = 5, RECORD_HEADER = 13, RECORD_FORMAT = 1, RECORD_SEALED = 2 };

/* Under which key new records are sealed. keys NULL: they are kept as they are. */
struct record_seal {
    const struct keyring *keys;
    const struct random *random;
};

/* The first RECORD_MARK bytes of the records that record_pack makes now. */
void record_mark(const struct keyring *keys, char mark_out[RECORD_MARK]);

/* owner: the id's 8 bytes, or an EHR's name. STATUS_NO_MEMORY, STATUS_LIMIT as crypto_seal. Lives
 * in the arena. */
enum status record_pack(struct arena *arena, const struct record_seal *seal, struct slice owner,
                        enum record_part part, struct slice bytes, struct slice *record_out);

/* STATUS_INVALID: it is damaged, or of a format or key that there is not. *bytes_out lives in the
 * arena or is borrowed from record. */
enum status record_open(struct arena *arena, const struct keyring *keys, struct slice owner,
                        enum record_part part, struct slice record, struct slice *bytes_out);

#endif
