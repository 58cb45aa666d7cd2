/*
 * The store's transactions. Each is a struct whose first member is `tx`; the caller fills what
 * stands under "in", submits &x.tx, and reads "out" when it is done. Inputs are borrowed until
 * done. Outputs live in tx.arena, which the caller gives where the struct says so. Times are UTC
 * microseconds, durations (_us) microseconds. Every transaction is all or nothing.
 * tx.status: STATUS_OK; STATUS_ABSENT: the row does not exist; STATUS_REFUSED: the claim is lost
 * (fence or lease) or the state does not allow it; STATUS_INVALID: the input breaks a rule of this
 * page; STATUS_LIMIT, STATUS_NO_MEMORY: the arena; STATUS_IO: the disk: nothing was changed, or, if
 * the process dies before the next commit, it may turn out to have been.
 */
#ifndef GATEWAY_STORE_STORE_TX_H
#define GATEWAY_STORE_STORE_TX_H

#include "fhir/base/arena.h"
#include "fhir/base/status.h"
#include "gateway/work/attempt.h"
#include "gateway/work/change.h"
#include "gateway/work/evaluation.h"
#include "gateway/work/lever.h"
#include "gateway/work/message.h"

enum store_kind {
#define TX(id, name) STORE_##id,
#include "gateway/store/transactions.def"
    STORE_KIND_COUNT
};

struct store_tx {
    enum store_kind kind;
    struct arena *arena;       /* for outputs; the store alone uses it until done */
    enum status status;        /* out */
    struct {                   /* the store's */
        struct store_tx *next; /* in done: of the same commit, done next; NULL: the last */
        void (*done)(struct store_tx *tx, void *arg);
        void *arg;
        size_t bytes;
    } queue;
};

/* A line of the trail. Lines of one EHR are chained by SHA-256 in the order stored. */
struct trail_line {
    struct slice what;   /* "evaluated", "written", "fetched", "switched" ... */
    struct uuid subject; /* the message, evaluation or change it is about; UUID_NONE: the EHR */
    struct slice patient;
    struct slice body; /* opaque (an AuditEvent, a Provenance); may be empty */
};

struct trail_lines {
    const struct trail_line *at;
    size_t count;
};

/*
 * a. Accept a message. New: the message is stored as received, and each trigger makes its visit due
 * at now + settle, at most first + settle_most. Repeat (same ehr, sender and key): no row is added.
 * A repeat recognised by the hash of its body makes the visits due again. Without triggers a new
 * message ends at once as end_state (dropped, held or handed-over) with end_reason. The deletion of
 * a resource has the triggers of the last message that told of it.
 */
struct store_accept {
    struct store_tx tx;
    struct {
        struct message message; /* ehr, kind, sender, key, resource_*, received (0: now), payload */
        bool is_deletion; /* of resource_type, resource_id: the key has "/deleted/" in it (DESIGN 2)
                           */
        bool key_is_body_hash;
        int64_t key_window_us; /* the key is a repeat within this time only; 0: always */
        const struct trigger *triggers;
        size_t trigger_count;
        int64_t settle_us;
        int64_t settle_most_us;
        enum work_state end_state;
        enum reason end_reason;
    } in;
    struct {
        bool repeat;
        struct uuid message;
    } out;
};

/*
 * b. Claim evaluations that are due, oldest first. Never two of one patient at once; none of a
 * patient with a write in flight or of unknown outcome. A claim whose lease ran out is taken over.
 * First, timers of the EHR that fell due become messages, and their visits due.
 * Needs tx.arena.
 */
struct store_claim_evaluations {
    struct store_tx tx;
    struct {
        struct slice ehr;   /* one EHR */
        struct slice owner; /* who claims: a word for this process */
        int64_t lease_us;
        size_t most;
    } in;
    struct {
        const struct evaluation_claim *claims;
        size_t count;
    } out;
};

/* Prolong a claim: lease_us from now. */
struct store_renew {
    struct store_tx tx;
    struct {
        bool change; /* a change's claim; else an evaluation's */
        struct uuid id;
        uint64_t fence;
        int64_t lease_us;
    } in;
};

/* Give an evaluation back, to be claimed again not before a time. If its visit became due again
 * meanwhile, it ends as done, coalesced. */
struct store_release {
    struct store_tx tx;
    struct {
        struct uuid evaluation;
        uint64_t fence;
        int64_t not_before;
        enum reason reason; /* why it was not finished */
        struct slice detail;
        bool again; /* forget the saved facts: fetch them anew */
    } in;
};

/* c. The patient's facts, when the plan is not made yet: the evaluation is resolved. */
struct store_save_context {
    struct store_tx tx;
    struct {
        struct uuid evaluation;
        uint64_t fence;
        struct slice facts; /* opaque */
        struct trail_lines trail;
    } in;
};

/* A timer of the visit that was evaluated: at `due` it becomes a message that makes the visit due
 * again. */
struct visit_timer {
    struct slice name; /* unique in its mapping */
    int64_t due;
};

/*
 * d. What an evaluation came to. outcome: WORK_PLANNED with changes, or an end; an end with changes
 * (earlier drafts that are taken back) is reached when those have ended. Items are
 * found by key and added when new (a key that is stored with another identifier: STATUS_REFUSED).
 * Changes of earlier evaluations of this visit, and earlier changes of the same items, that were
 * not sent yet are dropped as superseded. A change may be given as ended (state ROW_DROPPED, HELD
 * or HANDED_OVER with its reason): in shadow mode all are dropped as shadow. When none is left to
 * send, the evaluation ends by rule S7 of INVARIANTS.md. The claim ends; messages advance.
 */
struct store_save_plan {
    struct store_tx tx;
    struct {
        struct uuid evaluation;
        uint64_t fence;
        enum work_state outcome;
        enum reason reason;
        struct slice detail;
        struct slice mapping;
        struct slice mapping_version;
        struct slice mapping_hash;
        struct slice facts;           /* opaque: what it was made of; empty: saved before */
        struct slice trace;           /* opaque: why each value is what it is; may be empty */
        const struct change *changes; /* kind, item (of, identifier, resource_type), order, after,
                                         body, state, reason, detail, not_before, expires */
        size_t change_count;
        const struct item *items; /* as they were found to stand: identifier, life */
        size_t item_count;
        bool keeps_timers; /* nothing was evaluated: those of the visit stay as they are */
        const struct visit_timer *timers; /* else these alone; kept when due after evaluation.at */
        size_t timer_count;
        struct slice visit_date; /* "2024-05-14", for the messages that timers become */
        struct trail_lines trail;
    } in;
    struct {
        enum work_state state;
    } out;
};

/*
 * What a person at the gateway orders for one patient: an evaluation of its own, planned, with
 * changes of items that are stored. Earlier changes of the same items that were not sent yet are
 * dropped as superseded. It ends as a plan does (S6, S7).
 */
struct store_order {
    struct store_tx tx;
    struct {
        struct slice ehr;
        struct slice patient;
        struct slice visit;
        const struct change *changes; /* as in store_save_plan; at least one */
        size_t change_count;
        struct slice what;    /* for the trail: "recalled" */
        struct slice by;      /* the operating-system account */
        struct slice why;     /* may be empty */
        struct slice mapping; /* whose proposals were declined; empty: none were */
        int64_t declined_until;
        bool ends_timers; /* the plan is taken back: those of the visit are void */
        struct trail_lines trail;
    } in;
    struct {
        struct uuid evaluation;
    } out;
};

/* Ends the writes of plans of one mapping version that were not sent yet: dropped as recalled; at
 * most 1000 in one call. */
struct store_recall {
    struct store_tx tx;
    struct {
        struct slice ehr;
        struct slice mapping;
        struct slice version;
        struct slice by;
    } in;
    struct {
        size_t dropped;
    } out;
};

/*
 * e. Claim changes to be sent or looked up: of patients without another claim, whose predecessors
 * (`after`) all succeeded; none while writes to the EHR are stopped. Expired ones end as dropped.
 * Each becomes in-flight, with an attempt begun. Needs tx.arena. Submitted behind what makes a
 * patient's changes ready, it stands in the same commit (store_submit_together).
 */
struct store_claim_changes {
    struct store_tx tx;
    struct {
        struct slice ehr;     /* one EHR */
        struct slice patient; /* of this one alone; empty: of any */
        struct slice owner;
        int64_t lease_us;  /* longer than the write's deadline */
        int64_t settle_us; /* a claim that is lost may be looked up this long after */
        size_t patients_most;
        size_t changes_most;
        bool alone;    /* the EHR cannot tell two writers apart: one node at a time writes to it,
                          until every claim of its last one has run out and settled */
        bool together; /* also those whose predecessors are in this same claim (one transaction) */
    } in;
    struct {
        const struct change *changes; /* by patient, plan, order; with item and base */
        size_t count;
        bool reconciling; /* nothing is sent before open items were looked up (S19) */
    } out;
};

/* How the try of one change ended. */
struct attempt_result {
    struct uuid change;
    uint64_t fence;
    enum row_state outcome; /* unknown: it may have been written, to be looked up (also when the
                               look-up failed); scheduled: it was not written, to be tried again; or
                               an end */
    enum reason reason;
    struct slice detail;
    int http_status;
    int64_t not_before;       /* scheduled and unknown: not before this time */
    enum item_life life;      /* delivered: how the item stands now */
    struct slice ehr_id;      /* delivered: set */
    struct slice ehr_version; /* delivered */
    struct slice base;        /* delivered: the body as read back */
};

/*
 * f. Record how tries ended, one or the rows of one transaction. A change that ended without
 * success takes those that wait for it along (reason predecessor). With its last change the
 * evaluation ends, and with its last evaluation a message, in this same transaction.
 */
struct store_record_attempts {
    struct store_tx tx;
    struct {
        const struct attempt_result *results;
        size_t count;
        struct trail_lines trail;
    } in;
    struct {
        size_t evaluations_ended;
        size_t plans_visible;  /* of those: plans of a mapping that stand in the EHR now */
        int64_t visible_after; /* microseconds since the first message of the last of them */
    } out;
};

/* How an item was found to stand in the EHR (accepted, revoked, changed by a person). */
struct store_note_item {
    struct store_tx tx;
    struct {
        struct uuid identifier;
        enum item_life life;
        struct slice ehr_version; /* empty: unchanged */
        struct trail_lines trail;
    } in;
};

/* g. A notification without content: the poll of that name is due. */
struct store_poll_due {
    struct store_tx tx;
    struct {
        struct slice ehr;
        struct slice name;
    } in;
};

/* How far a poll came. `asked` is poll.asked as read before the poll began: an ask that came in
 * later stays. */
struct store_save_poll {
    struct store_tx tx;
    struct {
        struct slice ehr;
        struct slice name;
        bool done;         /* the last page was reached: watermark and asked are taken over */
        int64_t watermark; /* never moves back */
        uint64_t asked;
        struct slice error; /* empty: none */
    } in;
};

struct store_save_subscription {
    struct store_tx tx;
    struct {
        struct slice ehr;
        struct slice name;
        struct slice ehr_id;
        struct slice status; /* as the EHR says: "active", "error" ... */
        struct slice error;
    } in;
};

struct store_save_capability {
    struct store_tx tx;
    struct {
        struct slice ehr;
        struct slice etag;
        struct slice body; /* opaque */
    } in;
};

/* Merged: the patient's items belong to the other from now on, with their identifiers, in episodes
 * behind those that the other has. */
struct store_save_patient {
    struct store_tx tx;
    struct {
        struct slice ehr;
        struct slice patient;
        struct slice merged_into; /* empty: not merged */
    } in;
};

/* A durable lever: "stop-writes" of one EHR, or of all (ehr empty). */
struct store_set_switch {
    struct store_tx tx;
    struct {
        struct slice ehr;
        struct slice name;
        bool on;
        struct slice by;  /* the operating-system account */
        struct slice why; /* may be empty */
    } in;
};

/* Makes the EHR known. STATUS_REFUSED: this store knows it under another base URL. */
struct store_bind_ehr {
    struct store_tx tx;
    struct {
        struct slice ehr;
        struct slice base_url;
    } in;
};

/* The last that went wrong with an EHR (error empty: all is well again). */
struct store_note_ehr {
    struct store_tx tx;
    struct {
        struct slice ehr;
        struct slice error;
        struct slice advice;
    } in;
};

/* h. Removes what ended before a time, oldest first; held rows stay. */
struct store_retain {
    struct store_tx tx;
    struct {
        int64_t done_before; /* done and dropped */
        int64_t handed_over_before;
        size_t most; /* evaluations and messages in this call */
    } in;
    struct {
        size_t removed;
    } out;
};

/*
 * i. A person's lever on one thing or on all that a filter names, `most` of them in the order of
 * their ids; each that was changed has a line in the trail. Safe to repeat: what is so already is
 * told so. STATUS_ABSENT: there is no such evaluation, message or change. Needs tx.arena.
 */
struct store_lever {
    struct store_tx tx;
    struct {
        enum lever lever;
        struct uuid id;            /* an evaluation, a message or a change; UUID_NONE: the filter */
        struct work_filter filter; /* looked at without an id */
        struct uuid from;          /* the first page: UUID_NONE */
        size_t most;               /* 1 to 1000 */
        struct slice by;           /* the operating-system account */
        struct slice why;          /* may be empty */
        bool dry;                  /* only tell what would be done */
    } in;
    struct {
        const struct lever_result *at;
        size_t count;
        struct uuid next; /* `from` of the next page; UUID_NONE: this was the last */
    } out;
};

/* Sets or lifts a standing hold of one EHR, or of one patient there. */
struct store_set_hold {
    struct store_tx tx;
    struct {
        struct slice ehr;
        struct slice patient; /* empty: every patient of the EHR */
        bool on;
        struct slice by;
        struct slice why;
    } in;
    struct {
        bool changed; /* false: it was so already */
    } out;
};

/* What a person did that is no row of its own: a line of the trail. */
struct store_note_act {
    struct store_tx tx;
    struct {
        struct slice ehr;  /* empty: no one EHR */
        struct slice what; /* "backup" ... */
        struct slice by;
        struct slice why;
    } in;
};

/*
 * Rotation: seals records anew that are not under the current key, `most` of them, in the order of
 * tables and rows; call it again with what it gave until done. Damaged ones stay as they are. When
 * the last is done, keys that no record needs any more are forgotten. STATUS_REFUSED: no keys.
 */
struct store_reseal {
    struct store_tx tx;
    struct {
        unsigned table; /* the first time: 0 and 0 */
        int64_t after;
        size_t most; /* 1 to 1000 */
        struct slice by;
    } in;
    struct {
        unsigned table;
        int64_t after;
        bool done;
        size_t resealed;
        size_t damaged;
    } out;
};

/* The EHR stands under another base URL, with the same patients and resources (a refreshed copy, a
 * new name): nothing is written before its open items were looked up there (S19). STATUS_ABSENT: no
 * such EHR is known. */
struct store_rebase {
    struct store_tx tx;
    struct {
        struct slice ehr;
        struct slice base_url;
        struct slice by;
    } in;
    struct {
        size_t open; /* writes */
    } out;
};

/* How an item that was open when the store was put back, or its EHR moved, was found there. */
enum finding {
    FINDING_AS_LEFT, /* it stands as our last write left it */
    FINDING_CHANGED, /* it stands, and is not as we left it */
    FINDING_WRITTEN, /* it stands, and this store did not know that it was written */
    FINDING_NONE,    /* it is not there */
    FINDING_HELD,    /* the EHR cannot be asked, or says it of several: a person must look */
    FINDING_COUNT
};
const char *finding_name(enum finding finding); /* "as-left" */

/* How far an EHR is in being looked at after `restore` or `rebase` (S19). */
struct reconciliation {
    bool on;            /* false: it came to its end, or there never was one (since 0) */
    struct slice after; /* "restore", "rebase" */
    int64_t since;
    int64_t ended;
    uint64_t found[FINDING_COUNT];
    uint64_t left; /* items that were not looked up yet */
};

struct item_finding {
    const struct item *item; /* identifier, of, resource_type */
    enum finding finding;
};

/*
 * What a page of open items was found to be, in the order of store_read_unreconciled. Open writes
 * of what is held are held. Behind the last page the EHR is written to again. STATUS_REFUSED: it is
 * not being reconciled, or another node saved this page.
 */
struct store_save_findings {
    struct store_tx tx;
    struct {
        struct slice ehr;
        struct uuid after; /* the page's, as read */
        struct uuid last;  /* the page's; UUID_NONE with an empty page */
        const struct item_finding *at;
        size_t count;
    } in;
    struct {
        struct reconciliation reached; /* `after` lives in tx.arena */
    } out;
};

/* Writes something that changes nothing: whether the disk takes it. */
struct store_probe {
    struct store_tx tx;
};

/* struct store_accept a = STORE_TX(ACCEPT); fills in tx.kind. */
#define STORE_TX(id)                                                                               \
    {                                                                                              \
        .tx = {.kind = STORE_##id }                                                                \
    }

#endif
