/*
 * People's levers: which visits are meant, what is done with them, and how that ended for each.
 * Plain values; slices are borrowed from whoever hands the struct out.
 */
#ifndef GATEWAY_WORK_LEVER_H
#define GATEWAY_WORK_LEVER_H

#include "gateway/work/message.h"

enum lever {
#define LEVER(id, name, did) LEVER_##id,
#include "gateway/work/levers.def"
    LEVER_COUNT
};

const char *lever_name(enum lever lever);
const char *lever_did(enum lever lever); /* "held", "released" ... */
bool lever_find(struct slice name, enum lever *lever_out);

/* Of the visits in the store those that all of this holds for. All zero: every one. */
struct work_filter {
    struct slice ehr;
    struct slice patient;
    struct slice mapping;
    struct slice mapping_version;
    unsigned states;    /* bits 1 << enum work_state; 0: any */
    enum reason reason; /* REASON_NONE: any */
    int64_t since;      /* came in at or after */
    int64_t until;      /* came in before; 0: any */
    bool answered;      /* also those that a later evaluation of their visit answered */
};

/* One visit in the queue, or a message of which no visit is known (yet). */
struct work_entry {
    struct uuid id; /* the evaluation, else the message */
    bool is_message;
    struct slice ehr;
    struct slice patient; /* empty for a message */
    struct slice visit;
    enum work_state state;
    enum reason reason;
    struct slice detail;
    int64_t first; /* came in */
    int64_t due;
    int64_t ended;
    struct slice mapping;
    struct slice mapping_version;
    bool claimed;
};

/* How a lever ended for one visit. */
enum lever_end {
    LEVER_DONE,
    LEVER_ALREADY,    /* there was nothing to do: it is so */
    LEVER_BUSY,       /* a step is under way: try again */
    LEVER_REFUSED,    /* its state does not allow it */
    LEVER_READ_AGAIN, /* replay of a message without a visit: whoever runs must read it again */
};

struct lever_result {
    struct uuid id;
    bool is_message;
    struct slice ehr;
    struct slice patient;
    struct slice visit;
    enum lever_end end;
    const char *why;    /* static: the sentence for ALREADY, BUSY and REFUSED */
    struct uuid answer; /* the evaluation that takes its place; UUID_NONE: none */
};

/* A standing hold: nothing of this patient is evaluated or written until it is lifted. */
struct standing_hold {
    struct slice ehr;
    struct slice patient; /* empty: every patient of the EHR */
    struct slice by;
    struct slice why;
    int64_t since;
};

#endif
