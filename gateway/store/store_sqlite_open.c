/* Opening: the folder, the lock, the file, its upgrade, and what a crash left. */
#include "gateway/store/store_folder.h"
#include "gateway/store/store_sqlite_driver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    PAGE = 4096,
    WAL_BYTES = 16 * 1024 * 1024,
    APPLICATION_ID = 0x65506c6e /* "ePln" */
};

struct opening {
    struct sqlite_backend *backend;
    struct sql_store *store; /* the backend's */
    const struct store_options *options;
    struct diag_list *diags;
    char dir[STORE_PATH_MOST];
};

static enum status refuse(struct opening *opening, enum status status, const char *what,
                          const char *advice)
{
    return store_refuse(opening->diags, opening->dir, status, what, advice);
}

/* Makes the file 0600 before SQLite could make it wider. */
static enum status make_files(struct opening *opening, char database[STORE_PATH_MOST])
{
    enum status status = store_folder_take(opening->options->state_dir, opening->diags,
                                           opening->dir, &opening->backend->lock_fd);
    if (status != STATUS_OK || !store_folder_path(opening->dir, "store.db", database)) {
        return status;
    }
    int fd = open(database, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return refuse(opening, STATUS_IO, strerror(errno), NULL);
    }
    close(fd);
    return STATUS_OK;
}

static enum status open_connection(struct opening *opening, const char *path, int flags,
                                   const char *pragmas, struct connection *connection)
{
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX, opening->options->vfs);
    connection->driver = &sqlite_driver;
    connection->db = db;
    if (rc == SQLITE_OK) {
        sqlite3_extended_result_codes(connection->db, 1);
        sqlite3_busy_timeout(connection->db, 5000);
        sqlite3_db_config(connection->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_db_config(connection->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        rc = sqlite3_exec(connection->db, pragmas, NULL, NULL, NULL);
    }
    if (rc == SQLITE_OK) {
        return STATUS_OK;
    }
    bool damaged = (rc & 0xff) == SQLITE_NOTADB || (rc & 0xff) == SQLITE_CORRUPT;
    return refuse(opening, damaged ? STATUS_INVALID : STATUS_IO,
                  connection->db != NULL ? sqlite3_errmsg(connection->db) : "no memory",
                  damaged ? "the store is damaged: restore a backup" : NULL);
}

static int64_t pragma_number(struct connection *connection, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t number = -1;
    if (sqlite3_prepare_v2(connection->db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        number = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return number;
}

/* An empty file becomes a store of ours; another program's database is left alone. */
static enum status check_application(struct opening *opening)
{
    struct connection *writer = &opening->store->writer;
    char sql[64];
    int64_t id = pragma_number(writer, "PRAGMA application_id");
    int64_t objects = pragma_number(writer, "SELECT count(*) FROM sqlite_schema");
    if (id == APPLICATION_ID) {
        return STATUS_OK;
    }
    if (id != 0 || objects != 0) {
        return refuse(opening, STATUS_INVALID, "store.db is no store of the gateway", NULL);
    }
    snprintf(sql, sizeof sql, "PRAGMA application_id = %d", APPLICATION_ID);
    return sql_execute(writer, sql) == STATUS_OK
               ? STATUS_OK
               : refuse(opening, STATUS_IO, sqlite3_errmsg(writer->db), NULL);
}

static enum status check_environment(struct opening *opening)
{
    sqlite3 *db = opening->store->writer.db;
    struct slice wanted = opening->options->environment;
    if (wanted.at == NULL) {
        wanted = SLICE("");
    }
    sqlite3_stmt *statement = NULL;
    enum status status = STATUS_OK;
    int rc = sqlite3_prepare_v2(db,
                                "INSERT INTO meta VALUES('environment', ?1)"
                                " ON CONFLICT(name) DO UPDATE SET value = value RETURNING value",
                                -1, &statement, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_bind_text(statement, 1, wanted.at, (int)wanted.len, SQLITE_STATIC);
        rc = sqlite3_step(statement);
    }
    if (rc == SQLITE_ROW) {
        const char *found = (const char *)sqlite3_column_text(statement, 0);
        if (found == NULL || strlen(found) != wanted.len ||
            memcmp(found, wanted.at, wanted.len) != 0) {
            char what[256];
            snprintf(what, sizeof what, "is the store of environment \"%.64s\", not of \"%.*s\"",
                     found != NULL ? found : "", SLICE_ARGS(slice_part(wanted, 0, 64)));
            status = refuse(opening, STATUS_REFUSED, what,
                            "name another state-dir, or correct the environment");
        }
    } else {
        status = refuse(opening, STATUS_IO, sqlite3_errmsg(db), NULL);
    }
    sqlite3_finalize(statement);
    return status;
}

/* A new store gets its key for ids; ids go on behind the last one, whatever the clock says. */
static enum status read_ids(struct opening *opening)
{
    static const char make_key[] = "INSERT INTO meta VALUES('id_key', ?1) ON CONFLICT DO NOTHING";
    static const char read_key[] = "SELECT value, max(coalesce((SELECT max(n) FROM message), 0),"
                                   " coalesce((SELECT max(n) FROM evaluation), 0),"
                                   " coalesce((SELECT max(n) FROM item), 0),"
                                   " coalesce((SELECT max(n) FROM outbox), 0))"
                                   " FROM meta WHERE name = 'id_key'";
    struct sql_store *store = opening->store;
    struct id_key key;
    sqlite3_stmt *statement = NULL;
    random_fill(&store->random, key.k, sizeof key.k);
    bool made = sqlite3_prepare_v2(store->writer.db, make_key, -1, &statement, NULL) == SQLITE_OK &&
                sqlite3_bind_blob(statement, 1, key.k, sizeof key.k, SQLITE_STATIC) == SQLITE_OK &&
                sqlite3_step(statement) == SQLITE_DONE;
    sqlite3_finalize(statement);
    statement = NULL;
    bool read = made &&
                sqlite3_prepare_v2(store->writer.db, read_key, -1, &statement, NULL) == SQLITE_OK &&
                sqlite3_step(statement) == SQLITE_ROW &&
                sqlite3_column_bytes(statement, 0) == (int)sizeof key.k;
    if (read) {
        memcpy(key.k, sqlite3_column_blob(statement, 0), sizeof key.k);
        store->last_number = sqlite3_column_int64(statement, 1);
    }
    sqlite3_finalize(statement);
    store->writer.key = key;
    store->reader.key = key;
    return read ? STATUS_OK : refuse(opening, STATUS_IO, sqlite3_errmsg(store->writer.db), NULL);
}

/* Nobody else adds keys to a file that this process has locked. */
static enum status read_keys(struct opening *opening)
{
    struct sql_store *store = opening->store;
    sqlite3_stmt *statement = NULL;
    store->key_filter = key_filter_create();
    if (store->key_filter == NULL) {
        return STATUS_NO_MEMORY;
    }
    int rc =
        sqlite3_prepare_v2(store->writer.db, "SELECT key_hash FROM message", -1, &statement, NULL);
    while (rc == SQLITE_OK && (rc = sqlite3_step(statement)) == SQLITE_ROW) {
        key_filter_add(store->key_filter, sqlite3_column_int64(statement, 0));
        rc = SQLITE_OK;
    }
    sqlite3_finalize(statement);
    return rc == SQLITE_DONE ? STATUS_OK
                             : refuse(opening, STATUS_IO, sqlite3_errmsg(store->writer.db), NULL);
}

static enum status recover_in_transaction(void *arg)
{
    struct opening *opening = arg;
    bool wrote;
    enum status status = sqlite_begin(opening->backend, NULL, NULL);
    if (status == STATUS_OK) {
        status = sql_check_keys(opening->store, opening->diags);
    }
    if (status == STATUS_OK) {
        status = sql_recover(opening->store);
    }
    if (status == STATUS_OK) {
        status = sqlite_commit(opening->backend, &wrote);
    }
    return status;
}

static enum status open_database(struct opening *opening)
{
    static const char writer_pragmas[] =
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
        "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192; PRAGMA foreign_keys = OFF;"
        "PRAGMA journal_size_limit = 33554432; PRAGMA cell_size_check = ON;";
    static const char reader_pragmas[] =
        "PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -2048;";
    struct sql_store *store = opening->store;
    char path[STORE_PATH_MOST];
    enum status status = make_files(opening, path);
    if (status == STATUS_OK) {
        status =
            open_connection(opening, path, SQLITE_OPEN_READWRITE, writer_pragmas, &store->writer);
    }
    if (status == STATUS_OK) {
        status = check_application(opening);
    }
    if (status == STATUS_OK) {
        status = sqlite_upgrade(&store->writer, slice_of(opening->dir), sql_upgrades,
                                sql_upgrade_count, opening->diags);
    }
    if (status == STATUS_OK) {
        status = check_environment(opening);
    }
    if (status == STATUS_OK) {
        status = read_ids(opening);
    }
    if (status == STATUS_OK) {
        status = read_keys(opening);
    }
    if (status == STATUS_OK) {
        sqlite3_wal_hook(store->writer.db, sqlite_count_wal, opening->backend);
        status = arena_run(store->scratch, recover_in_transaction, opening);
        arena_reset(store->scratch);
        if (status != STATUS_OK) {
            bool told = status == STATUS_REFUSED;
            sqlite_abandon(opening->backend);
            status =
                told ? status : refuse(opening, STATUS_IO, sqlite3_errmsg(store->writer.db), NULL);
        }
    }
    if (status == STATUS_OK) {
        status =
            open_connection(opening, path, SQLITE_OPEN_READWRITE, reader_pragmas, &store->reader);
    }
    return status;
}

void sqlite_close(void *db)
{
    struct sqlite_backend *backend = db;
    struct sql_store *store = &backend->store;
    if (store->writer.db != NULL) {
        sqlite3_wal_hook(store->writer.db, NULL, NULL);
    }
    connection_close(&store->reader);
    connection_close(&store->writer);
    if (backend->lock_fd >= 0) {
        close(backend->lock_fd);
    }
    sql_store_clear(store);
    free(backend);
}

enum status sqlite_open(const struct store_options *options, struct diag_list *diags, void **db_out)
{
    struct sqlite_backend *backend = calloc(1, sizeof *backend);
    if (backend == NULL) {
        return STATUS_NO_MEMORY;
    }
    struct opening opening = {
        .backend = backend, .store = &backend->store, .options = options, .diags = diags};
    backend->lock_fd = -1;
    backend->wal_pages_most = (options->wal_bytes != 0 ? options->wal_bytes : WAL_BYTES) / PAGE;
    enum status status =
        sql_store_init(&backend->store, options) ? open_database(&opening) : STATUS_NO_MEMORY;
    if (status != STATUS_OK) {
        sqlite_close(backend);
        return status;
    }
    *db_out = backend;
    return STATUS_OK;
}
