/* Rows of a PostgreSQL store for store_verify(): a connection of its own, one snapshot, read only.
 */
#include <libpq-fe.h>
#include <string.h>

#include "gateway/store/store_pg_dialect.h"
#include "gateway/store/verify_source.h"

enum { TEXT_SIZE = 8192, OID_BYTEA = 17, OID_INT8 = 20, OID_INT4 = 23 };

struct server {
    struct verify_source source; /* first */
    PGconn *conn;
};

static struct slice column(const struct verify_row *row, int n)
{
    return slice_from(PQgetvalue(row->result, row->at, n),
                      (size_t)PQgetlength(row->result, row->at, n));
}

static int64_t number(const struct verify_row *row, int n)
{
    struct slice bytes = column(row, n);
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        value = value << 8 | (unsigned char)bytes.at[i];
    }
    return (int64_t)value;
}

static bool is_number(const struct verify_row *row, int n)
{
    Oid type = PQftype(row->result, n);
    return type == OID_INT8 || type == OID_INT4;
}

/* Row by row: a store is larger than memory. */
static const char *each(struct verify_source *source, const char *sql,
                        void (*look)(const struct verify_row *row, void *arg), void *arg)
{
    struct server *server = (struct server *)source;
    char text[TEXT_SIZE];
    bool failed = !pg_dialect(sql, text, sizeof text) ||
                  PQsendQueryParams(server->conn, text, 0, NULL, NULL, NULL, NULL, 1) != 1 ||
                  PQsetSingleRowMode(server->conn) != 1;
    for (PGresult *result; !failed && (result = PQgetResult(server->conn)) != NULL;) {
        ExecStatusType status = PQresultStatus(result);
        struct verify_row row = {source, result, 0};
        if (status == PGRES_SINGLE_TUPLE) {
            look(&row, arg);
        }
        failed = status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK;
        PQclear(result);
    }
    return failed ? PQerrorMessage(server->conn) : NULL;
}

static void close_server(struct verify_source *source)
{
    struct server *server = (struct server *)source;
    PQfinish(server->conn);
    server->conn = NULL;
}

static void close_deferred(void *arg)
{
    close_server(arg);
}

struct verify_source *verify_open_pg(struct slice url, struct arena *arena)
{
    static const struct verify_source functions = {each, column, number, is_number, close_server};
    struct server *server = ARENA_NEW(arena, struct server);
    server->source = functions;
    arena_defer(arena, close_deferred, server);
    const char *const names[] = {"connect_timeout", "dbname", "client_encoding", NULL};
    const char *const values[] = {"5", arena_cstr(arena, url), "UTF8", NULL};
    server->conn = PQconnectdbParams(names, values, 1);
    PGresult *result = PQexec(server->conn, "SET search_path = eplan; BEGIN ISOLATION LEVEL"
                                            " REPEATABLE READ READ ONLY;"
                                            " SELECT 1 FROM meta");
    bool open = PQresultStatus(result) == PGRES_TUPLES_OK;
    PQclear(result);
    if (!open) {
        close_server(&server->source);
        return NULL;
    }
    return &server->source;
}
