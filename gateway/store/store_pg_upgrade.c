/*
 * The schema in PostgreSQL: the same numbered upgrades (store_sql_schema.c), in its words, and what
 * several nodes need besides. The tables stand in the schema `eplan`; its version is a row of meta.
 */
#include <stdio.h>
#include <stdlib.h>

#include "gateway/store/store_pg_dialect.h"
#include "gateway/store/store_pg_driver.h"

enum { SQL_SIZE = 4096 };

/* fence: claims of every node count on. unsorted: messages that wait to be sorted
 * (store_sql_sort.c). writer: which node writes to an EHR that cannot tell two writers apart. */
static const char *const first[] = {
    "CREATE SEQUENCE fence",
    "CREATE TABLE unsorted(n BIGINT PRIMARY KEY)",
    "CREATE TABLE writer(ehr TEXT PRIMARY KEY, owner TEXT NOT NULL, until BIGINT NOT NULL)",
    "ALTER TABLE message ALTER COLUMN record SET STORAGE EXTERNAL", /* sealed bytes stay as long */
    "ALTER TABLE record ALTER COLUMN bytes SET STORAGE EXTERNAL",
    "CREATE TABLE word(name TEXT PRIMARY KEY, value TEXT NOT NULL)", /* as meta, not a number */
    "INSERT INTO meta VALUES('version', 0)",
    NULL};

static const struct sql_upgrade besides[] = {{1, first}};

/* 0: there is no store yet; -1: it cannot be asked. */
static int read_version(struct pg_connection *pg)
{
    PGresult *result = NULL;
    int version = -1;
    if (pg_ask(pg, "SELECT to_regclass('eplan.meta') IS NOT NULL", NULL, 0, &result) == STATUS_OK) {
        version = *PQgetvalue(result, 0, 0) == 't' ? 1 : 0;
    }
    PQclear(result);
    result = NULL;
    if (version > 0) {
        version = -1;
        if (pg_ask(pg, "SELECT value FROM eplan.meta WHERE name = 'version'", NULL, 0, &result) ==
                STATUS_OK &&
            PQntuples(result) == 1) {
            version = (int)strtol(PQgetvalue(result, 0, 0), NULL, 10);
        }
        PQclear(result);
    }
    return version;
}

static void queue_all(struct pg_connection *pg, const char *const *statements)
{
    char sql[SQL_SIZE];
    for (size_t i = 0; statements[i] != NULL; i++) {
        if (pg_dialect(statements[i], sql, sizeof sql)) {
            pg_queue(pg, sql, NULL, 0);
        } else {
            pg_queue(pg, "too long a statement", NULL, 0);
        }
    }
}

static void apply(struct pg_connection *pg, const struct sql_upgrade *upgrade)
{
    char version[16];
    snprintf(version, sizeof version, "%d", upgrade->version);
    queue_all(pg, upgrade->sql);
    for (size_t i = 0; i < sizeof besides / sizeof *besides; i++) {
        if (besides[i].version == upgrade->version) {
            queue_all(pg, besides[i].sql);
        }
    }
    const char *const values[] = {version};
    pg_queue(pg, "UPDATE meta SET value = $1::bigint WHERE name = 'version'", values, 1);
}

static enum status refuse(struct diag_list *diags, enum status status, const char *sentence,
                          const char *advice)
{
    struct diag *diag = diag_add(diags, DIAG_STORE_OPEN, SPAN_NONE, "%s", sentence);
    diag_hint(diags, diag, "%s", advice);
    return status;
}

/* A node that was just stopped is let go by the server a moment later. */
enum status pg_be_alone(struct pg_connection *pg)
{
    pg_queue(pg, "SET LOCAL lock_timeout = '3s'", NULL, 0);
    enum status status = pg_ask(pg, "SELECT pg_advisory_xact_lock(1699769454, 2)", NULL, 0, NULL);
    pg_queue(pg, "SET LOCAL lock_timeout = '30s'", NULL, 0);
    return status == STATUS_AGAIN ? STATUS_REFUSED : status;
}

static enum status be_alone(struct pg_connection *pg, struct diag_list *diags)
{
    enum status status = pg_be_alone(pg);
    return status != STATUS_REFUSED
               ? status
               : refuse(diags, STATUS_REFUSED,
                        "the store has an older schema, and other nodes still run",
                        "stop every node of the older program, then start this one");
}

static enum status bring_up(struct pg_connection *pg, int found, const struct sql_upgrade *upgrades,
                            size_t count, struct diag_list *diags)
{
    pg_queue(pg, "BEGIN", NULL, 0);
    pg->in_group = true;
    pg_queue(pg, "SET LOCAL statement_timeout = 0", NULL, 0);
    enum status status = be_alone(pg, diags);
    if (status != STATUS_OK) {
        return status;
    }
    if (found > 0) { /* a copy beside the store: `eplan restore` takes the upgrade back with it */
        char copy[32];
        snprintf(copy, sizeof copy, "eplan_%d", found);
        pg_copy_schema(pg, "eplan", copy);
    } else {
        pg_queue(pg, "CREATE SCHEMA IF NOT EXISTS eplan", NULL, 0);
    }
    int reached = found;
    for (size_t i = 0; i < count; i++) {
        if (upgrades[i].version > found) {
            reached = upgrades[i].version;
            apply(pg, &upgrades[i]);
        }
    }
    status = pg_ask(pg, "COMMIT", NULL, 0, NULL);
    pg->in_group = status != STATUS_OK;
    if (status != STATUS_OK) {
        diag_add(diags, DIAG_STORE_OPEN, SPAN_NONE, "the store cannot be brought to schema %d: %s",
                 reached, pg->error);
    }
    return status;
}

enum status pg_upgrade(struct pg_connection *pg, const struct sql_upgrade *upgrades, size_t count,
                       struct diag_list *diags)
{
    int last = upgrades[count - 1].version;
    int found = read_version(pg);
    if (found < 0) {
        diag_add(diags, DIAG_STORE_OPEN, SPAN_NONE, "the store's version cannot be read: %s",
                 pg->lost ? pg->error : "meta has none");
        return STATUS_IO;
    }
    if (found > last) {
        struct diag *diag =
            diag_add(diags, DIAG_STORE_OPEN, SPAN_NONE,
                     "the store has schema %d, and this program knows %d", found, last);
        diag_hint(diags, diag, "run the program that made it, or restore a backup from before");
        return STATUS_REFUSED;
    }
    enum status status = STATUS_OK;
    if (found < last) {
        status = bring_up(pg, found, upgrades, count, diags);
        if (status != STATUS_OK) {
            pg_rollback(pg);
        }
    }
    return status;
}
