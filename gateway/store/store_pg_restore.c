/* A store in PostgreSQL, copied before an upgrade and put back from such a copy. */
#include <stdio.h>
#include <string.h>

#include "gateway/store/store_backup.h"
#include "gateway/store/store_pg_driver.h"

enum { SQL_SIZE = 4096, SCHEMA_MOST = 63 };

/* ---- copying ---- */

/* @f and @t: the schemas. */
static void queue_for(struct pg_connection *pg, const char *text, const char *from, const char *to)
{
    char sql[SQL_SIZE];
    size_t len = 0;
    for (const char *at = text; *at != '\0' && len < sizeof sql - SCHEMA_MOST - 1; at++) {
        if (at[0] == '@' && (at[1] == 'f' || at[1] == 't')) {
            at++;
            len += (size_t)snprintf(sql + len, sizeof sql - len, "%s", *at == 'f' ? from : to);
        } else {
            sql[len++] = *at;
        }
    }
    sql[len] = '\0';
    pg_queue(pg, sql, NULL, 0);
}

/* LIKE gives indexes other names; an upgrade to come may name one. */
void pg_copy_schema(struct pg_connection *pg, const char *from, const char *to)
{
    static const char *const steps[] = {
        "DROP SCHEMA IF EXISTS @t CASCADE",
        "CREATE SCHEMA @t",
        "DO $$DECLARE t text; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname ="
        " '@f' LOOP EXECUTE format('CREATE TABLE @t.%I (LIKE @f.%I INCLUDING ALL)', t, t);"
        " EXECUTE format('INSERT INTO @t.%I SELECT * FROM @f.%I', t, t); END LOOP; END$$",
        "DO $$DECLARE i record; BEGIN FOR i IN SELECT a.indexname AS want, b.indexname AS have FROM"
        " pg_indexes a JOIN pg_indexes b ON b.tablename = a.tablename AND"
        " regexp_replace(a.indexdef, 'INDEX [^ ]+ ON [^ ]+ ', '') ="
        " regexp_replace(b.indexdef, 'INDEX [^ ]+ ON [^ ]+ ', '') WHERE a.schemaname = '@f' AND"
        " b.schemaname = '@t' AND a.indexname <> b.indexname LOOP"
        " EXECUTE format('ALTER INDEX @t.%I RENAME TO %I', i.have, i.want); END LOOP; END$$",
        "CREATE SEQUENCE @t.fence",
        "SELECT setval('@t.fence', nextval('@f.fence'))",
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        queue_for(pg, steps[i], from, to);
    }
}

/* ---- putting back ---- */

struct restoring {
    struct pg_connection pg;
    const char *schema;
    struct diag_list *diags;
};

static enum status fail(struct restoring *r, enum status status, const char *what)
{
    diag_add(r->diags, DIAG_STORE_BACKUP, SPAN_NONE, "%s: %s", r->schema, what);
    return status;
}

/* The one text of the one row is that; an empty answer is not. */
static enum status asks(struct restoring *r, const char *sql, struct slice want, bool *same_out)
{
    PGresult *result = NULL;
    enum status status = pg_ask(&r->pg, sql, NULL, 0, &result);
    *same_out = status == STATUS_OK && PQntuples(result) == 1 &&
                slice_equal(slice_of(PQgetvalue(result, 0, 0)), want);
    PQclear(result);
    return status;
}

static bool is_name(const char *schema)
{
    size_t len = strspn(schema, "abcdefghijklmnopqrstuvwxyz_0123456789");
    return len == strlen(schema) && len >= 1 && len <= SCHEMA_MOST &&
           (*schema < '0' || *schema > '9') && strcmp(schema, "eplan_replaced") != 0;
}

static enum status check_copy(struct restoring *r, struct slice environment)
{
    char sql[SQL_SIZE];
    bool same = false;
    snprintf(sql, sizeof sql,
             "SELECT to_regclass('%s.meta') IS NOT NULL AND to_regclass('%s.word') IS NOT NULL",
             r->schema, r->schema);
    enum status status = asks(r, sql, SLICE("t"), &same);
    if (status == STATUS_OK && !same) {
        return fail(r, STATUS_INVALID, "is no schema with a store of the gateway");
    }
    snprintf(sql, sizeof sql, "SELECT value FROM %s.word WHERE name = 'environment'", r->schema);
    if (status == STATUS_OK) {
        status = asks(r, sql, environment, &same);
    }
    if (status == STATUS_OK && !same) {
        return fail(r, STATUS_REFUSED, "is a backup of another environment");
    }
    return status == STATUS_OK ? STATUS_OK : fail(r, status, r->pg.error);
}

static enum status exchange(struct restoring *r)
{
    struct pg_connection *pg = &r->pg;
    if (strcmp(r->schema, "eplan") != 0) {
        pg_queue(pg, "DROP SCHEMA IF EXISTS eplan_replaced CASCADE", NULL, 0);
        pg_queue(pg,
                 "DO $$BEGIN IF EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = 'eplan') THEN"
                 " ALTER SCHEMA eplan RENAME TO eplan_replaced; END IF; END$$",
                 NULL, 0);
        pg_copy_schema(pg, r->schema, "eplan");
    }
    pg_queue(pg, "SET LOCAL search_path = eplan", NULL, 0);
    pg_queue(pg, SQL_SAY_RESTORED, NULL, 0);
    enum status status = pg_ask(pg, "COMMIT", NULL, 0, NULL);
    pg->in_group = status != STATUS_OK;
    return status == STATUS_OK ? STATUS_OK : fail(r, status, pg->error);
}

static enum status restore(struct restoring *r, struct slice environment)
{
    struct pg_connection *pg = &r->pg;
    enum status status = pg_connect(pg);
    if (status != STATUS_OK) {
        return fail(r, STATUS_IO, pg->error);
    }
    pg_queue(pg, "BEGIN", NULL, 0);
    pg->in_group = true;
    pg_queue(pg, "SET LOCAL statement_timeout = 0", NULL, 0);
    status = pg_be_alone(pg);
    if (status != STATUS_OK) {
        return fail(r, status,
                    status == STATUS_REFUSED ? "the gateway runs: stop every node first"
                                             : pg->error);
    }
    status = check_copy(r, environment);
    return status == STATUS_OK ? exchange(r) : status;
}

enum status store_restore_schema(struct slice url, struct slice environment, const char *schema,
                                 struct diag_list *diags)
{
    static const char settings[] = "SET lock_timeout = '30s'";
    char text[PG_URL_SIZE];
    struct restoring r = {.schema = schema, .diags = diags};
    if (!is_name(schema)) {
        return fail(&r, STATUS_INVALID,
                    "is no schema to restore: name the copy, as eplan_3, or eplan when the server's"
                    " own tools brought it back");
    }
    snprintf(text, sizeof text, "%.*s", SLICE_ARGS(slice_part(url, 0, sizeof text - 1)));
    r.pg.url = text;
    r.pg.settings = settings;
    enum status status = restore(&r, environment);
    if (status != STATUS_OK && r.pg.conn != NULL) {
        pg_rollback(&r.pg);
    }
    pg_disconnect(&r.pg);
    return status;
}
