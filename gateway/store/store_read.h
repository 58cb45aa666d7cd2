/*
 * Questions to the store: answered from the last commit, through a connection of their own, by the
 * caller's thread. Answers live in the arena. STATUS_ABSENT: there is no such thing;
 * STATUS_INVALID: the record is damaged (it fails its checksum; others are not affected);
 * STATUS_IO: the disk.
 */
#ifndef GATEWAY_STORE_STORE_READ_H
#define GATEWAY_STORE_STORE_READ_H

#include "gateway/store/store.h"

/* ---- rows ---- */

/* With payload. */
enum status store_read_message(struct store *store, struct arena *arena, struct uuid id,
                               struct message *message_out);

enum status store_read_evaluation(struct store *store, struct arena *arena, struct uuid id,
                                  struct evaluation *evaluation_out);

enum status store_find_item(struct store *store, struct arena *arena, struct uuid identifier,
                            struct item *item_out);
/* The latest episode when key->episode is 0. */
enum status store_find_item_by_key(struct store *store, struct arena *arena,
                                   const struct item_key *key, struct item *item_out);
/* By what the EHR calls it: the gateway's own writes, when they come back. */
enum status store_find_item_by_resource(struct store *store, struct arena *arena, struct slice ehr,
                                        struct slice resource_type, struct slice ehr_id,
                                        struct item *item_out);

struct items {
    const struct item *at;
    size_t count;
};
/* All items of a patient whose life is planned, draft or accepted, oldest first, with base. */
enum status store_list_items(struct store *store, struct arena *arena, struct slice ehr,
                             struct slice patient, struct items *items_out);

/* Whom a mapping version wrote to, of which something open stands in the EHR: patient ids in their
 * order behind `after`, at most `most`. */
struct patients {
    const struct slice *at;
    size_t count;
};
struct written_by {
    struct slice ehr;
    struct slice mapping;
    struct slice version;
    struct slice after; /* empty: from the first */
    size_t most;
};
enum status store_list_written(struct store *store, struct arena *arena,
                               const struct written_by *by, struct patients *patients_out);

struct poll {
    int64_t watermark; /* 0: never polled to the end */
    uint64_t asked;    /* how often it was asked for; due when this is above `answered` */
    uint64_t answered;
    int64_t last_done;
    int64_t last_tried;
    struct slice error;
};
/* A poll that is not stored reads as all zero. */
enum status store_read_poll(struct store *store, struct arena *arena, struct slice ehr,
                            struct slice name, struct poll *poll_out);

struct subscription {
    struct slice ehr_id;
    struct slice status;
    struct slice error;
    int64_t checked;
};
enum status store_read_subscription(struct store *store, struct arena *arena, struct slice ehr,
                                    struct slice name, struct subscription *subscription_out);

struct capability {
    struct slice etag;
    struct slice body;
    int64_t fetched;
};
enum status store_read_capability(struct store *store, struct arena *arena, struct slice ehr,
                                  struct capability *capability_out);

/* The patient that this one was merged into; STATUS_ABSENT: not merged. */
enum status store_find_merge(struct store *store, struct arena *arena, struct slice ehr,
                             struct slice patient, struct slice *into_out);

/* Until when a mapping's proposals for the patient were declined; STATUS_ABSENT: they were not. */
enum status store_find_declined(struct store *store, struct arena *arena, struct slice ehr,
                                struct slice patient, struct slice mapping, int64_t *until_out);

/* The switch of this EHR, or of all. */
enum status store_read_switch(struct store *store, struct slice ehr, struct slice name,
                              bool *on_out);

/* The next open items to be looked up, without base where an open write has none. STATUS_ABSENT:
 * the EHR is not being reconciled. */
struct unreconciled {
    struct slice base_url; /* as the store knows the EHR: it is looked for there */
    struct uuid after;
    struct uuid last;
    struct items items;
};
/* At most `most` (1 to 1000). */
enum status store_read_unreconciled(struct store *store, struct arena *arena, struct slice ehr,
                                    size_t most, struct unreconciled *unreconciled_out);

/* When to ask for evaluations and for changes next (of an EHR that is not stopped); INT64_MAX: not
 * before something else was done. Claims decide: a claim that gets nothing moves this on. */
struct store_next {
    int64_t evaluation;
    int64_t change;
};
enum status store_read_next(struct store *store, struct slice ehr, struct store_next *next_out);

/* ---- what happened ---- */

enum { WORK_STATES = 8, ROW_STATES = 9 }; /* arrays by state code; [0] is unused */

struct ehr_status {
    struct slice ehr;
    struct slice base_url;
    bool writes_stopped;
    struct reconciliation reconciliation; /* the last one */
    uint64_t messages[WORK_STATES];
    uint64_t evaluations[WORK_STATES];
    uint64_t changes[ROW_STATES];
    int64_t oldest_due;    /* of evaluations waiting; 0: none */
    int64_t oldest_change; /* of changes not ended; 0: none */
    int64_t watermark;     /* the oldest of its polls */
    struct slice error;
    struct slice advice;
    int64_t error_at;
};
struct store_status {
    const struct ehr_status *ehrs; /* by name */
    size_t count;
    bool all_writes_stopped;
    uint64_t damaged; /* records that failed their checksum since opening */
};
enum status store_read_status(struct store *store, struct arena *arena,
                              struct store_status *status_out);

/* What a person must look at: the latest evaluation of each visit that is held or handed over, and
 * messages held before any visit was known. */
struct open_entry {
    struct uuid id; /* the evaluation, else the message */
    bool is_message;
    struct slice ehr;
    struct slice patient; /* empty for a message */
    struct slice visit;
    enum work_state state;
    enum reason reason;
    struct slice detail;
    int64_t ended;
};
struct open_page {
    const struct open_entry *at;
    size_t count;
    struct uuid next; /* `from` of the next page; UUID_NONE: this was the last */
};
/* ehr empty: of all. At most `most` (1 to 1000) entries in the order of their ids. */
enum status store_list_open(struct store *store, struct arena *arena, struct slice ehr,
                            struct uuid from, size_t most, struct open_page *page_out);

/* What is in the queue, in the order of ids: the filter's visits, and messages without a visit. */
struct work_entries {
    const struct work_entry *at;
    size_t count;
    struct uuid next; /* `from` of the next page; UUID_NONE: this was the last */
};
/* At most `most` (1 to 1000). */
enum status store_list_work(struct store *store, struct arena *arena,
                            const struct work_filter *filter, struct uuid from, size_t most,
                            struct work_entries *entries_out);

/*
 * Children as they were evaluated last: of each patient the latest evaluation whose facts are kept,
 * without one the latest; for trying a mapping on what is known of them. Those whose record was
 * merged into another's are left out.
 */
struct evaluated {
    struct evaluation evaluation;
    struct slice facts; /* as saved with the context; empty: none are kept, or they are damaged */
    struct slice trace; /* as saved with the plan; likewise */
    bool damaged;       /* the facts are */
};
struct evaluated_page {
    const struct evaluated *at; /* the latest first */
    size_t count;
    struct uuid next; /* `from` of the next page; UUID_NONE: this was the last */
};
/* At most `most` (1 to 1000), and none behind the first with which facts and traces are more than
 * `bytes_most`. The filter is held against the evaluation that stands for the child. */
enum status store_list_evaluated(struct store *store, struct arena *arena,
                                 const struct work_filter *filter, struct uuid from, size_t most,
                                 size_t bytes_most, struct evaluated_page *page_out);
/* The same of one evaluation, or of those that a message or a change belongs to, at most eight.
 * STATUS_ABSENT: the store has nothing of that id. */
enum status store_evaluated_of(struct store *store, struct arena *arena, struct uuid id,
                               struct evaluated_page *page_out);

struct standing_holds {
    const struct standing_hold *at; /* the first 1000, by EHR and patient */
    size_t count;
};
enum status store_list_holds(struct store *store, struct arena *arena,
                             struct standing_holds *holds_out);

struct trail_record {
    uint64_t number; /* within the EHR, from 1 */
    int64_t at;
    struct trail_line line;
};
/* The way of one evaluation. */
struct evaluation_way {
    struct evaluation evaluation;
    struct slice trace;           /* as saved with the plan; empty: none, or damaged */
    const struct change *changes; /* without body and base */
    size_t change_count;
    const struct attempt *attempts; /* in the order begun */
    size_t attempt_count;
    const struct trail_record *trail;
    size_t trail_count;
};
struct message_way {
    struct message message; /* without payload */
    const struct evaluation_way *evaluations;
    size_t evaluation_count;
};
enum {
    WAY_MOST = 100
}; /* evaluations, changes, attempts or lines shown of one thing: the latest */

enum status store_show_message(struct store *store, struct arena *arena, struct uuid id,
                               struct message_way *way_out);

struct patient_way {
    const struct evaluation_way *evaluations; /* the latest first */
    size_t evaluation_count;
    struct items items;
};
enum status store_show_patient(struct store *store, struct arena *arena, struct slice ehr,
                               struct slice patient, size_t most, struct patient_way *way_out);

#endif
