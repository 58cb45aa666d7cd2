/*
 * What a database must offer to be a store: groups of transactions for the writer, questions for
 * anyone. The writer's functions are called by one thread at a time; the questions by any thread.
 * A backend: one struct of functions, here declared, and the files store_<backend>*.c. What a
 * transaction means in SQL is written once (sql.h, store_sql*.c).
 */
#ifndef GATEWAY_STORE_BACKEND_H
#define GATEWAY_STORE_BACKEND_H

#include "gateway/store/store.h"
#include "gateway/store/store_read.h"

/* store_read.h has their contracts. Each is asked by any thread. */
struct store_questions {
    enum status (*message)(void *db, struct arena *arena, struct uuid id, struct message *out);
    enum status (*evaluation)(void *db, struct arena *arena, struct uuid id,
                              struct evaluation *out);
    enum status (*item)(void *db, struct arena *arena, struct uuid identifier, struct item *out);
    enum status (*item_by_key)(void *db, struct arena *arena, const struct item_key *key,
                               struct item *out);
    enum status (*item_by_resource)(void *db, struct arena *arena, struct slice ehr,
                                    struct slice type, struct slice ehr_id, struct item *out);
    enum status (*items)(void *db, struct arena *arena, struct slice ehr, struct slice patient,
                         struct items *out);
    enum status (*written)(void *db, struct arena *arena, const struct written_by *by,
                           struct patients *out);
    enum status (*poll)(void *db, struct arena *arena, struct slice ehr, struct slice name,
                        struct poll *out);
    enum status (*subscription)(void *db, struct arena *arena, struct slice ehr, struct slice name,
                                struct subscription *out);
    enum status (*capability)(void *db, struct arena *arena, struct slice ehr,
                              struct capability *out);
    enum status (*declined)(void *db, struct arena *arena, struct slice ehr, struct slice patient,
                            struct slice mapping, int64_t *out);
    enum status (*merge)(void *db, struct arena *arena, struct slice ehr, struct slice patient,
                         struct slice *out);
    enum status (*lever)(void *db, struct slice ehr, struct slice name, bool *out);
    enum status (*unreconciled)(void *db, struct arena *arena, struct slice ehr, size_t most,
                                struct unreconciled *out);
    enum status (*next)(void *db, struct slice ehr, struct store_next *out);
    enum status (*status)(void *db, struct arena *arena, struct store_status *out);
    enum status (*open_list)(void *db, struct arena *arena, struct slice ehr, struct uuid from,
                             size_t most, struct open_page *out);
    enum status (*work)(void *db, struct arena *arena, const struct work_filter *filter,
                        struct uuid from, size_t most, struct work_entries *out);
    enum status (*evaluated)(void *db, struct arena *arena, const struct work_filter *filter,
                             struct uuid from, size_t most, size_t bytes_most,
                             struct evaluated_page *out);
    enum status (*evaluated_of)(void *db, struct arena *arena, struct uuid id,
                                struct evaluated_page *out);
    enum status (*holds)(void *db, struct arena *arena, struct standing_holds *out);
    enum status (*message_way)(void *db, struct arena *arena, struct uuid id,
                               struct message_way *out);
    enum status (*patient_way)(void *db, struct arena *arena, struct slice ehr,
                               struct slice patient, size_t most, struct patient_way *out);
};

struct store_backend {
    const char *name;

    enum status (*open)(const struct store_options *options, struct diag_list *diags,
                        void **db_out);
    void (*close)(void *db);
    /*
     * A group is one database transaction: begin (with those that will be applied, `end` not among
     * them), apply each, commit or abandon. STATUS_AGAIN: another node was in the way, and the
     * group is to be tried again.
     */
    enum status (*begin)(void *db, const struct store_tx *first, const struct store_tx *end);
    /* Whether they may stand in one group. NULL: any may. */
    bool (*together)(const struct store_tx *a, const struct store_tx *b);
    /*
     * All of tx or nothing of it; sets tx->status. STATUS_OK: the group goes on, whatever became of
     * tx. Anything else: the group is lost and has to be abandoned.
     */
    enum status (*apply)(void *db, struct store_tx *tx);
    enum status (*commit)(void *db, bool *wrote_out); /* false: there was nothing to write */
    void (*abandon)(void *db);

    struct uuid (*new_id)(void *db); /* any thread */
    const struct store_questions *questions;
};

extern const struct store_backend store_sqlite;
extern const struct store_backend store_pg; /* of options whose store is a postgresql:// URL */

#endif
