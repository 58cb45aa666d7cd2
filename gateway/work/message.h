/*
 * A message: what came in. Plain values; slices are borrowed from whoever hands the struct out, as
 * long as that says. Times are UTC microseconds since 1970.
 */
#ifndef GATEWAY_WORK_MESSAGE_H
#define GATEWAY_WORK_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "fhir/base/slice.h"
#include "gateway/base/uuid.h"
#include "gateway/work/state.h"

/* No id. */
#define UUID_NONE ((struct uuid){{0}})

static inline bool uuid_is_none(struct uuid id)
{
    return uuid_equal(id, UUID_NONE);
}

/* A timer's payload is {"timer", "date"}: its name, the calendar date of its visit. */
enum message_kind {
    MESSAGE_NOTIFICATION = 1,
    MESSAGE_DIRECT = 2,
    MESSAGE_POLL = 3,
    MESSAGE_TIMER = 4
};

struct message {
    struct uuid id;
    struct slice ehr;
    enum message_kind kind;
    struct slice sender;
    struct slice key; /* the idempotency key, unique for its sender (DESIGN.md 2) */
    struct slice resource_type;
    struct slice resource_id;      /* may be empty */
    struct slice resource_version; /* may be empty */
    int64_t received;
    enum work_state state;
    enum reason reason;
    int64_t ended;        /* 0: not yet */
    struct slice payload; /* the bytes as received; empty where they were not asked for */
};

/* Which visit a message makes due. A visit is an Encounter's reference ("Encounter/7"), or a
 * calendar date ("2026-05-14") where there is none. */
struct trigger {
    struct slice patient; /* the Patient's id in that EHR */
    struct slice visit;
};

#endif
