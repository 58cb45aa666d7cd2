/* What must be written: items (one resource of a plan, with a lasting identity) and rows of the
 * outbox (one write of one item). */
#ifndef GATEWAY_WORK_CHANGE_H
#define GATEWAY_WORK_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/work/evaluation.h"

/* How an item stands, as far as we know. Codes are stored. */
enum item_life {
    ITEM_PLANNED = 1,   /* never delivered yet */
    ITEM_DRAFT = 2,     /* stands in the EHR as we wrote it, a draft */
    ITEM_ACCEPTED = 3,  /* a person made it theirs: never ended or replaced by the daemon */
    ITEM_WITHDRAWN = 4, /* taken back by us */
    ITEM_REVOKED = 5,   /* ended by someone else: final until a configured event */
    ITEM_EDITED = 6,    /* a draft that a person changed: merged into, never ended or replaced */
    ITEM_ENDED = 7,     /* an accepted one that came to its end in the EHR: completed */
};

const char *item_life_name(enum item_life life);

/* The natural key of an item: all but `episode` are unchanged for a plan's whole life. */
struct item_key {
    struct slice ehr;
    struct slice patient; /* as it is now: a merge re-links */
    struct slice mapping;
    struct slice plan;
    struct slice key;
    uint32_t episode; /* from 1 */
};

struct item {
    struct uuid identifier; /* UUIDv5, in the resource's `identifier`; never computed anew */
    struct item_key of;
    struct slice resource_type;
    enum item_life life;
    struct slice ehr_id;      /* empty: not in the EHR yet */
    struct slice ehr_version; /* may be empty where the EHR has none */
    struct slice base;        /* the body as last read back after our write; empty: none */
    int64_t base_at;
    struct slice wanted;  /* the body that was wanted then, references as urn:uuid:; empty: none */
    struct slice version; /* of the mapping that wrote it last; empty: not known */
    struct slice visit;   /* that it was written for last; empty: not known */
};

enum change_kind {
    CHANGE_CREATE = 1,
    CHANGE_UPDATE = 2,
    CHANGE_WITHDRAW = 3,
    CHANGE_CHECK = 4,  /* writes nothing: what waits for it goes on only while nobody touched it */
    CHANGE_ACCEPT = 5, /* body: the elements that acceptance sets; null takes one out */
};

const char *change_kind_name(enum change_kind kind);

/* One row of the outbox. */
struct change {
    struct uuid id;
    struct uuid evaluation; /* the plan it belongs to */
    struct slice ehr;
    struct slice patient;
    struct slice visit;
    enum change_kind kind;
    struct item item;
    uint32_t order; /* within the plan, from 1 */
    uint32_t after; /* every row of the plan up to this order must have succeeded first; 0: none */
    struct slice body; /* the resource to write; references to items as urn:uuid:<identifier> */
    enum row_state state;
    enum reason reason;
    struct slice detail;
    unsigned tries; /* attempts so far, this one included */
    int64_t not_before;
    int64_t expires; /* 0: never; later than this it is not sent any more */
    bool look_up;    /* an earlier attempt may have reached the EHR: search before sending */
    uint64_t fence;  /* of this claim */
    int64_t lease_until;
    int64_t ended;
};

#endif
