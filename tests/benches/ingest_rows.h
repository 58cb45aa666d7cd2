/*
 * The durable part of the yardstick: one thread that inserts what is queued in one transaction, as
 * soon as the last one is on disk (SQLite WAL, synchronous FULL; at most 256 rows or 4 MiB), and
 * then tells whoever sent it. No FHIR, no checks, no second table.
 */
#ifndef TESTS_BENCHES_INGEST_ROWS_H
#define TESTS_BENCHES_INGEST_ROWS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

enum { ROWS_A_COMMIT = 256, BYTES_A_COMMIT = 4 << 20 };

struct row {
    struct row *next;
    uint64_t id; /* of the request, for whoever answers it */
    size_t len;
    char body[];
};

struct rows {
    sqlite3 *db;
    sqlite3_stmt *insert;
    void (*committed)(void *arg, struct row *list); /* on the writer's thread; takes the list */
    void *arg;
    pthread_t thread;
    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t more;
    struct row *first;
    struct row *last;
    bool stop;
};

static void rows_must(bool done, const char *what)
{
    if (!done) {
        fprintf(stderr, "yardstick: %s failed\n", what);
        exit(1);
    }
}

static void rows_sql(struct rows *rows, const char *sql)
{
    rows_must(sqlite3_exec(rows->db, sql, NULL, NULL, NULL) == SQLITE_OK, sql);
}

/* Off the queue, what one commit may hold. */
static struct row *rows_take(struct rows *rows)
{
    struct row *list = NULL;
    pthread_mutex_lock(&rows->lock);
    while (rows->first == NULL && !rows->stop) {
        pthread_cond_wait(&rows->more, &rows->lock);
    }
    if (rows->first != NULL) {
        struct row *last = rows->first;
        size_t bytes = last->len;
        list = last;
        for (int n = 1; n < ROWS_A_COMMIT && last->next != NULL && bytes < BYTES_A_COMMIT; n++) {
            last = last->next;
            bytes += last->len;
        }
        rows->first = last->next;
        last->next = NULL;
    }
    pthread_mutex_unlock(&rows->lock);
    return list;
}

static void *rows_work(void *arg)
{
    struct rows *rows = arg;
    for (struct row *list; (list = rows_take(rows)) != NULL;) {
        rows_sql(rows, "BEGIN IMMEDIATE");
        for (struct row *row = list; row != NULL; row = row->next) {
            sqlite3_bind_blob(rows->insert, 1, row->body, (int)row->len, SQLITE_STATIC);
            rows_must(sqlite3_step(rows->insert) == SQLITE_DONE, "insert");
            sqlite3_reset(rows->insert);
        }
        rows_sql(rows, "COMMIT");
        rows->committed(rows->arg, list);
    }
    return NULL;
}

static void rows_open(struct rows *rows, const char *path,
                      void (*committed)(void *arg, struct row *list), void *arg)
{
    memset(rows, 0, sizeof *rows);
    rows->committed = committed;
    rows->arg = arg;
    rows_must(sqlite3_open(path, &rows->db) == SQLITE_OK, "opening the database");
    rows_sql(rows, "PRAGMA journal_mode=WAL");
    rows_sql(rows, "PRAGMA synchronous=FULL");
    rows_sql(rows, "CREATE TABLE IF NOT EXISTS message (n INTEGER PRIMARY KEY, id INTEGER UNIQUE, "
                   "state INTEGER NOT NULL, body BLOB NOT NULL)");
    rows_sql(rows, "CREATE INDEX IF NOT EXISTS by_state ON message (state)");
    rows_must(sqlite3_prepare_v2(rows->db,
                                 "INSERT INTO message (id, state, body) VALUES (random(), 0, ?1)",
                                 -1, &rows->insert, NULL) == SQLITE_OK,
              "preparing the insert");
    pthread_mutex_init(&rows->lock, NULL);
    pthread_cond_init(&rows->more, NULL);
    rows_must(pthread_create(&rows->thread, NULL, rows_work, rows) == 0, "starting the writer");
}

static void rows_add(struct rows *rows, struct row *row)
{
    row->next = NULL;
    pthread_mutex_lock(&rows->lock);
    if (rows->first == NULL) {
        rows->first = row;
    } else {
        rows->last->next = row;
    }
    rows->last = row;
    pthread_cond_signal(&rows->more);
    pthread_mutex_unlock(&rows->lock);
}

static void rows_close(struct rows *rows)
{
    pthread_mutex_lock(&rows->lock);
    rows->stop = true;
    pthread_cond_signal(&rows->more);
    pthread_mutex_unlock(&rows->lock);
    pthread_join(rows->thread, NULL);
    sqlite3_finalize(rows->insert);
    sqlite3_close(rows->db);
    pthread_cond_destroy(&rows->more);
    pthread_mutex_destroy(&rows->lock);
}

/* The ready-file: {"port": N}, written whole. */
static void rows_say_ready(const char *path, unsigned port)
{
    char new[4096];
    snprintf(new, sizeof new, "%s.new", path);
    FILE *out = fopen(new, "w");
    rows_must(out != NULL, "writing the ready-file");
    fprintf(out, "{\"port\": %u}\n", port);
    rows_must(fclose(out) == 0 && rename(new, path) == 0, "writing the ready-file");
}

#endif
