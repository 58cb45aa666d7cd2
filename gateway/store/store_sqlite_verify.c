/* Rows of an SQLite store for store_verify(): a reader of its own. */
#include <sqlite3.h>

#include "gateway/store/verify_source.h"

struct file {
    struct verify_source source; /* first */
    sqlite3 *db;
};

static struct slice column(const struct verify_row *row, int n)
{
    const void *at = sqlite3_column_blob(row->result, n);
    int len = sqlite3_column_bytes(row->result, n);
    return (struct slice){at, at != NULL ? (size_t)len : 0};
}

static int64_t number(const struct verify_row *row, int n)
{
    return sqlite3_column_int64(row->result, n);
}

static bool is_number(const struct verify_row *row, int n)
{
    return sqlite3_column_type(row->result, n) == SQLITE_INTEGER;
}

static const char *each(struct verify_source *source, const char *sql,
                        void (*look)(const struct verify_row *row, void *arg), void *arg)
{
    struct file *file = (struct file *)source;
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(file->db, sql, -1, &statement, NULL);
    if (rc == SQLITE_OK) {
        struct verify_row row = {source, statement, 0};
        while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
            look(&row, arg);
        }
    }
    sqlite3_finalize(statement);
    return rc == SQLITE_DONE ? NULL : sqlite3_errmsg(file->db);
}

static void close_file(struct verify_source *source)
{
    struct file *file = (struct file *)source;
    for (sqlite3_stmt *left;
         file->db != NULL && (left = sqlite3_next_stmt(file->db, NULL)) != NULL;) {
        sqlite3_finalize(left);
    }
    sqlite3_close(file->db);
    file->db = NULL;
}

static void close_deferred(void *arg)
{
    close_file(arg);
}

struct verify_source *verify_open_sqlite(struct slice state_dir, struct arena *arena)
{
    static const struct verify_source functions = {each, column, number, is_number, close_file};
    char *path = arena_cstr(arena, arena_printf(arena, "%.*s/store.db", SLICE_ARGS(state_dir)));
    struct file *file = ARENA_NEW(arena, struct file);
    file->source = functions;
    arena_defer(arena, close_deferred, file);
    int rc = sqlite3_open_v2(path, &file->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_busy_timeout(file->db, 10000);
        sqlite3_db_config(file->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        rc = sqlite3_exec(file->db, "PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; BEGIN",
                          NULL, NULL, NULL);
    }
    if (rc != SQLITE_OK) {
        close_file(&file->source);
        return NULL;
    }
    return &file->source;
}
