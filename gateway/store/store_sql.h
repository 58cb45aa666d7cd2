/*
 * What every backend that speaks SQL shares: the transactions and the questions, written once over
 * sql.h (store_sql*.c). Only store_sql*.c and the backends' own files include this.
 */
#ifndef GATEWAY_STORE_STORE_SQL_H
#define GATEWAY_STORE_STORE_SQL_H

#include <pthread.h>
#include <stdatomic.h>

#include "gateway/store/backend.h"
#include "gateway/store/key_filter.h"
#include "gateway/store/record.h"
#include "gateway/store/sql.h"

/* ---- the store ---- */

/* A key that is taken, as far as a group has to know: a database that is far away is asked once. */
struct sql_key {
    int64_t hash;
    struct slice ehr;
    struct slice sender;
    struct slice key;
    int64_t until;
    struct uuid message;
};

struct sql_keys {
    struct sql_key *at;
    size_t count;
    size_t room;
};

struct sql_store {
    struct connection writer;
    struct sql_keys *keys;         /* of the group being applied; NULL: each accept asks */
    struct key_filter *key_filter; /* keys that are not in it are free; NULL: others add keys too */
    struct slice owner;            /* of this node's claims; empty: as the transaction says */
    int64_t id_step;               /* numbers of ids are slot modulo step; 0: every number */
    int64_t id_slot;
    enum status (*lock_work)(struct sql_store *store); /* NULL: nobody else works */
    /* A message waits to be sorted; once a group, for all of them, it is written down. NULL: that
     * is seen by its number. */
    enum status (*wait_sorting)(struct sql_store *store, const struct uuid *message);
    /* Whether this node may write to an EHR that takes one writer only, from now until then. NULL:
     * there is no other node. */
    enum status (*be_writer)(struct sql_store *store, struct slice ehr, int64_t until,
                             bool *may_out);
    struct arena *scratch; /* of the transaction being applied */
    struct clock clock;
    struct random random;
    struct record_seal seal; /* of new records; its random is the one above */
    int64_t now;             /* of the group being applied */
    int64_t here;            /* the same by this machine's clock, where the database has another */
    pthread_mutex_t id_lock;
    int64_t last_number;
    pthread_mutex_t read_lock; /* guards reader */
    struct connection reader;
    _Atomic uint64_t damaged;
};

struct uuid sql_new_id(void *db);

/* All of tx or nothing of it, in the group that is open (backend.h). */
enum status sql_apply(void *db, struct store_tx *tx);
/* Everything that is not the database's own: locks, arena, clock. false: no memory. */
bool sql_store_init(struct sql_store *store, const struct store_options *options);
void sql_store_clear(struct sql_store *store);

struct sql_upgrade {
    int version;
    const char *const *sql; /* statements; NULL behind the last */
};
extern const struct sql_upgrade sql_upgrades[];
extern const size_t sql_upgrade_count;

/* ---- transactions: one function each (transactions.def) ---- */

#define TX(id, name) enum status sql_##name(struct sql_store *store, struct store_##name *tx);
#include "gateway/store/transactions.def"

/* ---- what transactions share ---- */

/* Bytes that belong to a row (RECORD_FACTS, TRACE, BODY, BASE, WANTED). */
enum status sql_put_record(struct sql_store *store, const struct uuid *owner, enum record_part part,
                           struct slice bytes);
/* The same for an owner that is new. */
enum status sql_add_record(struct sql_store *store, const struct uuid *owner, enum record_part part,
                           struct slice bytes);
/* Empty when there is none; STATUS_INVALID: damaged. Lives in the arena. */
enum status sql_read_record(struct sql_store *store, struct connection *connection,
                            struct arena *arena, const struct uuid *id, enum record_part part,
                            struct slice *bytes_out);
/* record_open, and the damage is counted. */
enum status sql_open_record(struct sql_store *store, struct arena *arena, struct slice owner,
                            enum record_part part, struct slice record, struct slice *bytes_out);
/* Every key that records are sealed under is there and is the one it was; the current one is
 * remembered. Within a transaction. STATUS_REFUSED: diags says which is missing. */
enum status sql_check_keys(struct sql_store *store, struct diag_list *diags);
/* What a row's number is to record_pack: eight bytes, the lowest first. */
struct owner {
    char bytes[8];
};
struct owner owner_of_number(int64_t n);
static inline struct slice owner_slice(const struct owner *owner)
{
    return (struct slice){owner->bytes, sizeof owner->bytes};
}
/* The base of an item, and what was wanted with it, by its identifier. */
enum status sql_read_base(struct sql_store *store, struct connection *connection,
                          struct arena *arena, struct item *item);

/* Writes down what messages mean for visits that were only appended so far, `most` of them.
 * SORTED_MOST: as many as may take the writer's time at once. */
enum { SORTED_MOST = 4096 };
enum status sql_sort(struct sql_store *store, size_t most);
/* Makes a visit due `settle` after `at`, `settle_most` after its first message at the latest. */
struct visit {
    struct slice ehr;
    struct slice patient;
    struct slice visit;
    int64_t at;
    int64_t settle;
    int64_t settle_most;
};
enum status sql_queue_visit(struct sql_store *store, const struct visit *visit,
                            const struct uuid *message);
/* The same for each visit of a message's triggers; patient and visit of `when` are not looked at.
 */
enum status sql_queue_triggers(struct sql_store *store, const struct visit *when,
                               struct slice triggers, const struct uuid *message);
/* Triggers as `message` keeps them: patient US visit RS ...; false: a name has a control character.
 */
bool sql_write_triggers(struct buf *out, const struct trigger *triggers, size_t count);

/* The timers of an evaluated visit are those of tx and no others. */
enum status sql_set_timers(struct sql_store *store, const struct evaluation *evaluation,
                           const struct store_save_plan *tx);
enum status sql_remove_timers(struct sql_store *store, struct slice ehr, struct slice patient,
                              struct slice visit);
/* Timers of an EHR that fell due become messages, a hundred at a time, in this transaction. */
enum status sql_ring_timers(struct sql_store *store, struct slice ehr);

enum status sql_add_trail(struct sql_store *store, struct slice ehr, struct trail_lines lines);
enum status sql_next_fence(struct sql_store *store, uint64_t *fence_out);

enum status sql_get_evaluation(struct connection *connection, struct arena *arena,
                               const struct uuid *id, struct evaluation *evaluation_out);
/* The same, and STATUS_REFUSED when it is not claimed with that fence. */
enum status sql_get_claim(struct sql_store *store, const struct uuid *id, uint64_t fence,
                          struct evaluation *evaluation_out);
/* Ends a claim without a result: to be claimed again, or coalesced (S4). */
enum status sql_give_back(struct sql_store *store, const struct evaluation *evaluation,
                          enum reason reason, struct slice detail, int64_t not_before, bool again);
/* Sets the state, ends the claim, and lets the messages follow. */
enum status sql_set_evaluation(struct sql_store *store, const struct evaluation *evaluation,
                               enum work_state state, enum reason reason, struct slice detail);
/* The evaluation's messages take the state that their evaluations give them (S3). */
enum status sql_follow_message(struct sql_store *store, const struct uuid *message);
enum status sql_follow_messages(struct sql_store *store, const struct uuid *evaluation);
/* Ends the evaluation if none of its changes is open (S6, S7). *ended_out: whether it did. */
enum status sql_settle_evaluation(struct sql_store *store, const struct uuid *id, bool *ended_out);

/* Adds the changes of an evaluation with their items; what was not sent of these items is
 * superseded. */
enum status sql_add_changes(struct sql_store *store, const struct evaluation *evaluation,
                            const struct change *changes, size_t count);

/* Ends a change, and those that wait for it when it did not succeed. Does not settle. */
enum status sql_end_change(struct sql_store *store, const struct uuid *change, enum row_state state,
                           enum reason reason, struct slice detail);
/* A change that is put back to be sent may have lost one that it waits for: then it ends too (S9).
 */
enum status sql_end_if_stuck(struct sql_store *store, const struct uuid *change);
enum status sql_get_change(struct sql_store *store, struct connection *connection,
                           struct arena *arena, const struct uuid *id, struct change *change_out);
/* Changes in flight whose lease ended by then, or that this owner (empty: nobody) has, may have
 * been sent: they become unknown. */
enum status sql_lose_claims(struct sql_store *store, int64_t lease_until, struct slice owner);
/* Every EHR of a store that was put back from a copy is reconciled (S19): the copy says so. */
enum status sql_recover_restored(struct sql_store *store);
/* The row of meta by which a copy says it, and the statement that makes it. */
#define SQL_RESTORED "restored"
#define SQL_SAY_RESTORED                                                                           \
    "INSERT INTO meta(name, value) VALUES('" SQL_RESTORED "', 1) ON CONFLICT(name) DO NOTHING"
/* At start: nothing is claimed or in flight any more; of several nodes, by this one. */
enum status sql_recover(struct sql_store *store);

/* "by ACCOUNT", and why behind it: the body of a trail's line about what a person did. */
struct slice sql_trail_by(struct sql_store *store, struct slice by, struct slice why);

/* The visits that a filter names, or an id (STATUS_ABSENT: none): store_sql_work.c. */
enum status sql_find_work(struct connection *connection, struct arena *arena,
                          const struct work_filter *filter, const struct uuid *from, size_t most,
                          struct work_entries *out);
enum status sql_find_work_of(struct connection *connection, struct arena *arena,
                             const struct uuid *id, struct work_entries *out);

struct message sql_take_message(const struct sql *sql, struct arena *arena);
struct item sql_take_item(const struct sql *sql, struct arena *arena);

/* ---- questions (store_sql_read.c, store_sql_show.c) ---- */

/* Runs ask(store, arena, arg) with the reader's lock held, inside arena_run. */
enum status sql_ask(struct sql_store *store, struct arena *arena,
                    enum status (*ask)(struct sql_store *store, struct arena *arena, void *arg),
                    void *arg);
extern const struct store_questions sql_questions;

/* store_sql_reconcile.c */
enum status sql_get_reconciliation(struct connection *connection, struct arena *arena,
                                   struct slice ehr, struct reconciliation *out);
enum status sql_read_unreconciled(void *db, struct arena *arena, struct slice ehr, size_t most,
                                  struct unreconciled *out);
enum status sql_read_status(void *db, struct arena *arena, struct store_status *out);
enum status sql_open_list(void *db, struct arena *arena, struct slice ehr, struct uuid from,
                          size_t most, struct open_page *out);
enum status sql_list_work(void *db, struct arena *arena, const struct work_filter *filter,
                          struct uuid from, size_t most, struct work_entries *out);
enum status sql_list_evaluated(void *db, struct arena *arena, const struct work_filter *filter,
                               struct uuid from, size_t most, size_t bytes_most,
                               struct evaluated_page *out);
enum status sql_evaluated_of(void *db, struct arena *arena, struct uuid id,
                             struct evaluated_page *out);
enum status sql_list_holds(void *db, struct arena *arena, struct standing_holds *out);
enum status sql_message_way(void *db, struct arena *arena, struct uuid id, struct message_way *out);
enum status sql_patient_way(void *db, struct arena *arena, struct slice ehr, struct slice patient,
                            size_t most, struct patient_way *out);

#endif
