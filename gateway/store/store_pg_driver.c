/* PostgreSQL as a driver of sql.h: prepared statements in pipeline mode. */
#include "gateway/store/store_pg_driver.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/store/store_pg_dialect.h"

enum { TEXT_SIZE = 8192, OID_BYTEA = 17, OID_INT8 = 20, OID_TEXT = 25 };

static const char *const texts[SQL_COUNT] = {
#define SQL(id, words) words,
#include "gateway/store/statements.def"
#undef SQL
};

static const struct own_text {
    enum sql_id id;
    const char *text;   /* instead of the common one; NULL: that one */
    const char *locked; /* the table whose rows are locked; NULL: none */
} own_texts[] = {
#define SQL(id, words) {SQL_##id, words, NULL},
#define LOCKED(id, of) {SQL_##id, NULL, of},
#include "gateway/store/statements_pg.def"
};

static struct pg_connection *pg_of(const struct sql *sql)
{
    return sql->connection->db;
}

/* ---- what was lost ---- */

static enum status status_of_state(const char *state)
{
    if (state == NULL) {
        return STATUS_IO;
    }
    if (strncmp(state, "23", 2) == 0 || strncmp(state, "22", 2) == 0) {
        return STATUS_INVALID; /* a constraint; a value that the database cannot hold */
    }
    /* another node was in the way: the group is to be tried again */
    return strcmp(state, "40001") == 0 || strcmp(state, "40P01") == 0 || strcmp(state, "55P03") == 0
               ? STATUS_AGAIN
               : STATUS_IO;
}

/* The server's sentence without its values: they may be a patient's. */
static void lose(struct pg_connection *pg, enum status why, const char *sentence)
{
    if (pg->lost) {
        return; /* the first reason counts */
    }
    pg->lost = true;
    pg->why = why;
    snprintf(pg->error, sizeof pg->error, "%s", sentence != NULL ? sentence : "");
    pg->error[strcspn(pg->error, "\n")] = '\0';
}

static void take_error(struct pg_connection *pg, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *sentence = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (state == NULL) { /* the connection */
        lose(pg, STATUS_IO, PQerrorMessage(pg->conn));
        return;
    }
    lose(pg, status_of_state(state), sentence);
}

static bool sent(struct pg_connection *pg, int ok)
{
    if (ok == 0) {
        lose(pg, STATUS_IO, PQerrorMessage(pg->conn));
    }
    pg->queued += ok != 0;
    return ok != 0;
}

/* ---- pipeline ---- */

enum status pg_queue(struct pg_connection *pg, const char *sql, const char *const *values,
                     int count)
{
    if (!pg->lost && pg->conn == NULL) {
        lose(pg, STATUS_IO, "no connection");
    }
    if (!pg->lost) {
        sent(pg, PQsendQueryParams(pg->conn, sql, count, NULL, values, NULL, NULL, 0));
    }
    return pg->lost ? pg->why : STATUS_OK;
}

/* One command's answer: the result, then NULL. */
static PGresult *take_answer(struct pg_connection *pg)
{
    PGresult *kept = NULL;
    for (PGresult *result; (result = PQgetResult(pg->conn)) != NULL;) {
        ExecStatusType status = PQresultStatus(result);
        PQclear(kept);
        kept = result;
        if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
            take_error(pg, result);
        }
        if (PQstatus(pg->conn) == CONNECTION_BAD) {
            lose(pg, STATUS_IO, PQerrorMessage(pg->conn));
            break;
        }
    }
    return kept;
}

enum status pg_sync(struct pg_connection *pg, PGresult **last_out)
{
    PGresult *last = NULL;
    if (pg->conn != NULL && PQstatus(pg->conn) == CONNECTION_OK && PQpipelineSync(pg->conn) == 1) {
        for (; pg->queued != 0 && PQstatus(pg->conn) == CONNECTION_OK; pg->queued--) {
            PQclear(last);
            last = take_answer(pg);
        }
        if (PQstatus(pg->conn) == CONNECTION_OK) {
            PQclear(PQgetResult(pg->conn)); /* PGRES_PIPELINE_SYNC */
        }
    } else {
        lose(pg, STATUS_IO, pg->conn != NULL ? PQerrorMessage(pg->conn) : "no connection");
    }
    pg->queued = 0;
    if (pg->lost || last_out == NULL) {
        PQclear(last);
        last = NULL;
    }
    if (last_out != NULL) {
        *last_out = last;
    }
    return pg->lost ? pg->why : STATUS_OK;
}

enum status pg_ask(struct pg_connection *pg, const char *sql, const char *const *values, int count,
                   PGresult **last_out)
{
    pg_queue(pg, sql, values, count);
    return pg_sync(pg, last_out);
}

static void clear_open(struct pg_connection *pg)
{
    for (size_t i = 0; i < PG_OPEN_RESULTS; i++) {
        PQclear(pg->open[i]);
        pg->open[i] = NULL;
    }
}

void pg_rollback(struct pg_connection *pg)
{
    bool lost = pg->lost;
    clear_open(pg);
    pg_sync(pg, NULL);
    pg->lost = false;
    if (pg->in_group) {
        pg_queue(pg, "ROLLBACK", NULL, 0);
    }
    if (lost) { /* statements whose preparation was skipped are not there */
        pg_queue(pg, "DEALLOCATE ALL", NULL, 0);
        memset(pg->prepared, 0, sizeof pg->prepared);
    }
    pg->in_group = false;
    if (pg_sync(pg, NULL) != STATUS_OK) {
        pg_disconnect(pg);
    }
    pg->lost = false;
}

/* ---- connecting ---- */

void pg_disconnect(struct pg_connection *pg)
{
    clear_open(pg);
    PQfinish(pg->conn);
    pg->conn = NULL;
    pg->queued = 0;
    pg->in_group = false;
    pg->lost = false;
    memset(pg->prepared, 0, sizeof pg->prepared);
}

static void ignore_notice(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
}

enum status pg_connect(struct pg_connection *pg)
{
    /* What stands in the URL comes later and wins, but for the last two. */
    static const char *const names[] = {
        "connect_timeout",  "keepalives_idle",           "keepalives_interval",
        "keepalives_count", "tcp_user_timeout",          "dbname",
        "client_encoding",  "fallback_application_name", NULL};
    const char *const values[] = {"5", "10", "5", "3", "15000", pg->url, "UTF8", "eplan", NULL};
    pg_disconnect(pg);
    pg->conn = PQconnectdbParams(names, values, 1);
    if (PQstatus(pg->conn) != CONNECTION_OK || PQenterPipelineMode(pg->conn) != 1) {
        lose(pg, STATUS_IO, pg->conn != NULL ? PQerrorMessage(pg->conn) : "no memory");
        PQfinish(pg->conn);
        pg->conn = NULL;
        pg->lost = false;
        return STATUS_IO;
    }
    PQsetNoticeReceiver(pg->conn, ignore_notice, NULL);
    const char *rest = pg->settings;
    while (*rest != '\0') { /* one command each */
        char command[256];
        size_t len = strcspn(rest, ";");
        snprintf(command, sizeof command, "%.*s", (int)len, rest);
        pg_queue(pg, command, NULL, 0);
        rest += len + (rest[len] == ';');
    }
    enum status status = pg_sync(pg, NULL);
    if (status != STATUS_OK) {
        pg_disconnect(pg);
    }
    return status;
}

/* ---- statements ---- */

static void begin_statement(struct sql *sql)
{
    struct pg_connection *pg = pg_of(sql);
    sql->rc = STATUS_OK;
    sql->statement = NULL;
    if (!pg->in_group && (pg->lost || pg->conn == NULL || PQstatus(pg->conn) != CONNECTION_OK)) {
        pg_connect(pg); /* a reader comes back by itself; a failure is found when it asks */
    }
}

static bool next_parameter(struct sql *sql, size_t *at)
{
    if (sql->bound == PG_PARAMETERS) {
        sql->rc = STATUS_INVALID;
        return false;
    }
    *at = (size_t)sql->bound++;
    return true;
}

static void bind_bytes(struct sql *sql, struct slice bytes, Oid type)
{
    struct pg_connection *pg = pg_of(sql);
    size_t i;
    if (bytes.len > INT32_MAX) {
        sql->rc = STATUS_INVALID;
    } else if (next_parameter(sql, &i)) {
        pg->values[i] = bytes.at != NULL ? bytes.at : "";
        pg->lengths[i] = (int)bytes.len;
        pg->formats[i] = 1;
        pg->types[i] = type;
    }
}

static void bind_text(struct sql *sql, struct slice text)
{
    bind_bytes(sql, text, OID_TEXT);
}

static void bind_blob(struct sql *sql, struct slice bytes)
{
    bind_bytes(sql, bytes, OID_BYTEA);
}

static void bind_int(struct sql *sql, int64_t value)
{
    struct pg_connection *pg = pg_of(sql);
    size_t i;
    if (next_parameter(sql, &i)) {
        unsigned char *bytes = (unsigned char *)&pg->ints[i];
        for (size_t j = 0; j < 8; j++) {
            bytes[j] = (unsigned char)((uint64_t)value >> (56 - 8 * j));
        }
        pg->values[i] = (const char *)bytes;
        pg->lengths[i] = 8;
        pg->formats[i] = 1;
        pg->types[i] = OID_INT8;
    }
}

static bool text_of(enum sql_id id, char out[TEXT_SIZE])
{
    const char *text = texts[id];
    const char *locked = NULL;
    for (size_t i = 0; i < sizeof own_texts / sizeof *own_texts; i++) {
        if (own_texts[i].id == id) {
            text = own_texts[i].text != NULL ? own_texts[i].text : text;
            locked = own_texts[i].locked != NULL ? own_texts[i].locked : locked;
        }
    }
    if (!pg_dialect(text, out, TEXT_SIZE)) {
        return false;
    }
    size_t len = strlen(out);
    return locked == NULL || snprintf(out + len, TEXT_SIZE - len, " FOR UPDATE OF %s SKIP LOCKED",
                                      locked) < (int)(TEXT_SIZE - len);
}

/* Prepares the statement at its first use: by then the types of its parameters are known. */
static bool send_statement(struct sql *sql)
{
    struct pg_connection *pg = pg_of(sql);
    char name[16];
    if (sql->rc == STATUS_OK && pg->lost) {
        sql->rc = (int)pg->why;
    }
    if (sql->rc == STATUS_OK && pg->conn == NULL) {
        sql->rc = STATUS_IO;
    }
    if (sql->rc != STATUS_OK) {
        return false;
    }
    snprintf(name, sizeof name, "s%d", (int)sql->id);
    if (!pg->prepared[sql->id]) {
        char text[TEXT_SIZE];
        if (!text_of(sql->id, text)) {
            sql->rc = STATUS_INVALID;
            return false;
        }
        sent(pg, PQsendPrepare(pg->conn, name, text, sql->bound, pg->types));
        pg->prepared[sql->id] = true;
    }
    if (!pg->lost) {
        sent(pg, PQsendQueryPrepared(pg->conn, name, sql->bound, pg->values, pg->lengths,
                                     pg->formats, 1));
    }
    sql->rc = pg->lost ? (int)pg->why : STATUS_OK;
    return sql->rc == STATUS_OK;
}

static void keep_open(struct sql *sql, PGresult *result)
{
    struct pg_connection *pg = pg_of(sql);
    size_t i = 0;
    while (i < PG_OPEN_RESULTS && pg->open[i] != NULL) {
        i++;
    }
    if (i == PG_OPEN_RESULTS) {
        PQclear(result);
        lose(pg, STATUS_LIMIT, "too many statements are open");
        sql->rc = STATUS_LIMIT;
        return;
    }
    pg->open[i] = result;
    sql->statement = result;
}

static void fetch(struct sql *sql)
{
    PGresult *result = NULL;
    if (!send_statement(sql)) {
        return;
    }
    sql->rc = (int)pg_sync(pg_of(sql), &result);
    if (sql->rc == STATUS_OK && result != NULL) {
        keep_open(sql, result);
    }
    sql->row = -1;
}

static bool row(struct sql *sql)
{
    if (sql->statement == NULL && sql->rc == STATUS_OK) {
        fetch(sql);
    }
    return sql->rc == STATUS_OK && sql->statement != NULL && ++sql->row < PQntuples(sql->statement);
}

static enum status end_statement(struct sql *sql)
{
    struct pg_connection *pg = pg_of(sql);
    for (size_t i = 0; sql->statement != NULL && i < PG_OPEN_RESULTS; i++) {
        if (pg->open[i] == sql->statement) {
            PQclear(pg->open[i]);
            pg->open[i] = NULL;
            break;
        }
    }
    sql->statement = NULL;
    return (enum status)sql->rc;
}

static enum status run(struct sql *sql, int *changed_out)
{
    struct pg_connection *pg = pg_of(sql);
    if (changed_out == NULL && pg->in_group) {
        pg->written++;
        send_statement(sql);
        return (enum status)sql->rc;
    }
    fetch(sql);
    if (sql->rc == STATUS_OK && sql->statement != NULL) {
        int changed = (int)strtol(PQcmdTuples(sql->statement), NULL, 10);
        pg->written += changed > 0;
        if (changed_out != NULL) {
            *changed_out = changed;
        }
    }
    return end_statement(sql);
}

static bool is_null(const struct sql *sql, int column)
{
    return PQgetisnull(sql->statement, sql->row, column) != 0;
}

static struct slice get_bytes(const struct sql *sql, int column)
{
    int len = PQgetlength(sql->statement, sql->row, column);
    return slice_from(PQgetvalue(sql->statement, sql->row, column), len > 0 ? (size_t)len : 0);
}

/* Numbers are big endian, of two, four or eight bytes; a truth is one. */
static int64_t get_int(const struct sql *sql, int column)
{
    struct slice bytes = get_bytes(sql, column);
    uint64_t value = 0;
    if (bytes.len != 0 && bytes.len < 8 && ((unsigned char)bytes.at[0] & 0x80) != 0) {
        value = UINT64_MAX;
    }
    for (size_t i = 0; i < bytes.len; i++) {
        value = value << 8 | (unsigned char)bytes.at[i];
    }
    return (int64_t)value;
}

static enum status execute(struct connection *connection, const char *sql)
{
    return pg_queue(connection->db, sql, NULL, 0);
}

static uint64_t written(const struct connection *connection)
{
    return ((const struct pg_connection *)connection->db)->written;
}

static bool lost(const struct connection *connection)
{
    return ((const struct pg_connection *)connection->db)->lost;
}

static void reset_all(struct connection *connection)
{
    clear_open(connection->db);
}

const struct sql_driver pg_driver = {
    .many_nodes = true,
    .begin = begin_statement,
    .bind_text = bind_text,
    .bind_blob = bind_blob,
    .bind_int = bind_int,
    .row = row,
    .end = end_statement,
    .run = run,
    .is_null = is_null,
    .get_int = get_int,
    .get_text = get_bytes,
    .get_blob = get_bytes,
    .execute = execute,
    .written = written,
    .lost = lost,
    .reset_all = reset_all,
};
