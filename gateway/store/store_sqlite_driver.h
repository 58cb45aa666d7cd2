/* The SQLite backend's own matters. Only store_sqlite*.c include this, and only here is sqlite3.h.
 */
#ifndef GATEWAY_STORE_STORE_SQLITE_DRIVER_H
#define GATEWAY_STORE_STORE_SQLITE_DRIVER_H

#include <sqlite3.h>

#include "gateway/store/store_sql.h"

extern const struct sql_driver sqlite_driver;
void connection_close(struct connection *connection);

struct sqlite_backend {
    struct sql_store store; /* first: what the questions and transactions know */
    uint64_t written_before;
    size_t wal_pages_most;
    int wal_pages;
    int lock_fd;
};

enum status sqlite_begin(void *db, const struct store_tx *first, const struct store_tx *end);
enum status sqlite_commit(void *db, bool *wrote_out);
void sqlite_abandon(void *db);
int sqlite_count_wal(void *arg, sqlite3 *db, const char *name, int pages);

/* The backend's functions (backend.h). */
enum status sqlite_open(const struct store_options *options, struct diag_list *diags,
                        void **db_out);
void sqlite_close(void *db);

/* Brings the database to the last of the upgrades, each in a transaction of its own; a store that
 * was in use before is first copied to `<state_dir>/store-<version>.db`. STATUS_REFUSED: it is
 * newer. */
enum status sqlite_upgrade(struct connection *connection, struct slice state_dir,
                           const struct sql_upgrade *upgrades, size_t count,
                           struct diag_list *diags);

#endif
