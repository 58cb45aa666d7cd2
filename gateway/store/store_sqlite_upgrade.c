/* Numbered upgrades, forward only. */
#include <stdio.h>

#include "gateway/store/store_sqlite_driver.h"

static int read_version(sqlite3 *db)
{
    sqlite3_stmt *statement = NULL;
    int version = -1;
    if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        version = sqlite3_column_int(statement, 0);
    }
    sqlite3_finalize(statement);
    return version;
}

/* A copy beside the store, so that an upgrade can be taken back by hand. */
static int snapshot(sqlite3 *db, struct slice state_dir, int version)
{
    char path[4096];
    sqlite3_stmt *statement = NULL;
    snprintf(path, sizeof path, "%.*s/store-%d.db", SLICE_ARGS(state_dir), version);
    remove(path);
    int rc = sqlite3_prepare_v2(db, "VACUUM INTO ?1", -1, &statement, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_bind_text(statement, 1, path, -1, SQLITE_STATIC);
        rc = sqlite3_step(statement) == SQLITE_DONE ? SQLITE_OK : SQLITE_IOERR;
    }
    sqlite3_finalize(statement);
    return rc;
}

static int apply(sqlite3 *db, const struct sql_upgrade *upgrade)
{
    char version[64];
    snprintf(version, sizeof version, "PRAGMA user_version = %d", upgrade->version);
    int rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    for (size_t i = 0; rc == SQLITE_OK && upgrade->sql[i] != NULL; i++) {
        rc = sqlite3_exec(db, upgrade->sql[i], NULL, NULL, NULL);
    }
    if (rc == SQLITE_OK) {
        rc = sqlite3_exec(db, version, NULL, NULL, NULL);
    }
    if (rc == SQLITE_OK) {
        rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    }
    return rc;
}

enum status sqlite_upgrade(struct connection *connection, struct slice state_dir,
                           const struct sql_upgrade *upgrades, size_t count,
                           struct diag_list *diags)
{
    sqlite3 *db = connection->db;
    int last = upgrades[count - 1].version;
    int found = read_version(db);
    if (found > last) {
        struct diag *diag =
            diag_add(diags, DIAG_STORE_OPEN, SPAN_NONE,
                     "the store has schema %d, and this program knows %d", found, last);
        diag_hint(diags, diag, "run the program that made it, or restore a backup from before");
        return STATUS_REFUSED;
    }
    if (found > 0 && found < last && snapshot(db, state_dir, found) != SQLITE_OK) {
        diag_add(diags, DIAG_STORE_OPEN, SPAN_NONE,
                 "the store cannot be copied before its upgrade: %s", sqlite3_errmsg(db));
        return STATUS_IO;
    }
    for (size_t i = 0; i < count; i++) {
        if (upgrades[i].version > found && apply(db, &upgrades[i]) != SQLITE_OK) {
            diag_add(diags, DIAG_STORE_OPEN, SPAN_NONE,
                     "the store cannot be brought to schema %d: %s", upgrades[i].version,
                     sqlite3_errmsg(db));
            sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
            return STATUS_IO;
        }
    }
    return STATUS_OK;
}
