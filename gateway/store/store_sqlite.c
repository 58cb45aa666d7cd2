/* The SQLite backend: a group is a transaction of the one file; the log is written back in between.
 */
#include "gateway/store/store_sqlite_driver.h"

enum status sqlite_begin(void *db, const struct store_tx *first, const struct store_tx *end)
{
    (void)first;
    (void)end;
    struct sqlite_backend *backend = db;
    struct sql_store *store = &backend->store;
    store->now = clock_utc(&store->clock);
    store->here = store->now;
    backend->written_before = sql_written(&store->writer);
    return sql_execute(&store->writer, "BEGIN IMMEDIATE");
}

/* Writes the log back into the database when it has grown; what readers still need stays for later.
 */
static void checkpoint(struct sqlite_backend *backend)
{
    if (backend->wal_pages < 0 || (size_t)backend->wal_pages < backend->wal_pages_most) {
        return;
    }
    bool much = (size_t)backend->wal_pages >= 4 * backend->wal_pages_most;
    int mode = much ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
    sqlite3_wal_checkpoint_v2(backend->store.writer.db, NULL, mode, NULL, NULL);
}

int sqlite_count_wal(void *arg, sqlite3 *db, const char *name, int pages)
{
    (void)db;
    (void)name;
    ((struct sqlite_backend *)arg)->wal_pages = pages;
    return SQLITE_OK;
}

enum status sqlite_commit(void *db, bool *wrote_out)
{
    struct sqlite_backend *backend = db;
    bool wrote = sql_written(&backend->store.writer) != backend->written_before;
    enum status status = sql_execute(&backend->store.writer, "COMMIT");
    if (status == STATUS_OK) {
        checkpoint(backend);
        *wrote_out = wrote;
    }
    return status;
}

void sqlite_abandon(void *db)
{
    struct connection *writer = &((struct sqlite_backend *)db)->store.writer;
    sql_reset_all(writer);
    if (!sqlite_driver.lost(writer)) {
        sql_execute(writer, "ROLLBACK");
    }
}

const struct store_backend store_sqlite = {
    .name = "sqlite",
    .open = sqlite_open,
    .close = sqlite_close,
    .begin = sqlite_begin,
    .apply = sql_apply,
    .commit = sqlite_commit,
    .abandon = sqlite_abandon,
    .new_id = sql_new_id,
    .questions = &sql_questions,
};
