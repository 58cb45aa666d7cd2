/* SQLite as a driver of sql.h: statements prepared once, bound in order, always reset. */
#include "gateway/store/store_sqlite_driver.h"

static const char *const texts[SQL_COUNT] = {
#define SQL(id, text) text,
#include "gateway/store/statements.def"
#undef SQL
};

static enum status status_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return STATUS_OK;
    case SQLITE_NOMEM:
        return STATUS_NO_MEMORY;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
    case SQLITE_TOOBIG:
        return STATUS_INVALID;
    default: /* full, read-only, I/O error, corrupt: the disk */
        return STATUS_IO;
    }
}

static void begin_statement(struct sql *sql)
{
    struct connection *connection = sql->connection;
    sqlite3_stmt *statement = connection->statements[sql->id];
    sql->rc = SQLITE_OK;
    if (statement == NULL) {
        sql->rc = sqlite3_prepare_v3(connection->db, texts[sql->id], -1, SQLITE_PREPARE_PERSISTENT,
                                     &statement, NULL);
        connection->statements[sql->id] = statement;
    }
    sql->statement = statement; /* NULL: rc says why */
}

static void bound(struct sql *sql, int rc)
{
    if (sql->rc == SQLITE_OK) {
        sql->rc = rc;
    }
}

static void bind_text(struct sql *sql, struct slice text)
{
    const char *at = text.at != NULL ? text.at : "";
    bound(sql, sqlite3_bind_text64(sql->statement, ++sql->bound, at, text.len, SQLITE_STATIC,
                                   SQLITE_UTF8));
}

static void bind_blob(struct sql *sql, struct slice bytes)
{
    const char *at = bytes.at != NULL ? bytes.at : "";
    bound(sql, sqlite3_bind_blob64(sql->statement, ++sql->bound, at, bytes.len, SQLITE_STATIC));
}

static void bind_int(struct sql *sql, int64_t value)
{
    bound(sql, sqlite3_bind_int64(sql->statement, ++sql->bound, value));
}

static bool step(struct sql *sql)
{
    if (sql->rc == SQLITE_OK || sql->rc == SQLITE_ROW) {
        sql->rc = sqlite3_step(sql->statement);
    }
    return sql->rc == SQLITE_ROW;
}

static enum status end_statement(struct sql *sql)
{
    sqlite3_reset(sql->statement);
    return status_of(sql->rc);
}

static enum status run(struct sql *sql, int *changed_out)
{
    step(sql);
    enum status status = end_statement(sql);
    if (changed_out != NULL && status == STATUS_OK) {
        *changed_out = sqlite3_changes(sql->connection->db);
    }
    return status;
}

static bool is_null(const struct sql *sql, int column)
{
    return sqlite3_column_type(sql->statement, column) == SQLITE_NULL;
}

static int64_t get_int(const struct sql *sql, int column)
{
    return sqlite3_column_int64(sql->statement, column);
}

static struct slice get_blob(const struct sql *sql, int column)
{
    const void *at = sqlite3_column_blob(sql->statement, column);
    int len = sqlite3_column_bytes(sql->statement, column);
    return slice_from(at, at != NULL && len > 0 ? (size_t)len : 0);
}

static struct slice get_text(const struct sql *sql, int column)
{
    const void *at = sqlite3_column_text(sql->statement, column);
    int len = sqlite3_column_bytes(sql->statement, column);
    return slice_from(at, at != NULL && len > 0 ? (size_t)len : 0);
}

static enum status execute(struct connection *connection, const char *sql)
{
    int rc = sqlite3_exec(connection->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? STATUS_OK : STATUS_IO;
}

static uint64_t written(const struct connection *connection)
{
    return (uint64_t)sqlite3_total_changes64(connection->db);
}

static bool lost(const struct connection *connection)
{
    return sqlite3_get_autocommit(connection->db) != 0;
}

static void reset_all(struct connection *connection)
{
    for (size_t i = 0; i < SQL_COUNT; i++) {
        sqlite3_reset(connection->statements[i]);
    }
}

const struct sql_driver sqlite_driver = {
    .begin = begin_statement,
    .bind_text = bind_text,
    .bind_blob = bind_blob,
    .bind_int = bind_int,
    .row = step,
    .end = end_statement,
    .run = run,
    .is_null = is_null,
    .get_int = get_int,
    .get_text = get_text,
    .get_blob = get_blob,
    .execute = execute,
    .written = written,
    .lost = lost,
    .reset_all = reset_all,
};

void connection_close(struct connection *connection)
{
    for (size_t i = 0; i < SQL_COUNT; i++) {
        sqlite3_finalize(connection->statements[i]);
        connection->statements[i] = NULL;
    }
    sqlite3_close(connection->db);
    connection->db = NULL;
}
