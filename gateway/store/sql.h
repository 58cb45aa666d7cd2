/*
 * SQL as the store's transactions use it, over any database: statements of statements.def, bound in
 * order, rows read one after the other. What a database does is a driver (struct sql_driver); the
 * files store_sql*.c hold what a transaction means and know no database.
 *
 * A statement whose rows nobody asks for (sql_run with no count) may still be under way when it
 * returns: a driver that talks over a socket sends many at once. Its failure is then found by a
 * later statement or by the end of the group, and loses the group (backend.h).
 */
#ifndef GATEWAY_STORE_SQL_H
#define GATEWAY_STORE_SQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fhir/base/arena.h"
#include "fhir/base/slice.h"
#include "fhir/base/status.h"
#include "gateway/work/message.h"

enum sql_id {
#define SQL(id, text) SQL_##id,
#include "gateway/store/statements.def"
#undef SQL
    SQL_COUNT
};

/* The store's own, for the part of its ids that nobody can guess. */
struct id_key {
    uint64_t k[2];
};

struct sql_driver;

/* Used by one thread at a time. */
struct connection {
    const struct sql_driver *driver;
    struct id_key key;
    void *db;                    /* the driver's */
    void *statements[SQL_COUNT]; /* the driver's: prepared when first needed */
};

/* One use of a statement: begin, bind in the order of ?1, ?2 ..., rows, end. What is bound must
 * stay until the first row, or the end. */
struct sql {
    struct connection *connection;
    enum sql_id id;
    int bound;
    void *statement; /* the driver's, as are the next two */
    int row;
    int rc;
};

struct sql_driver {
    bool many_nodes; /* other processes write to the same store */

    /* The contracts of the functions sql_... below. */
    void (*begin)(struct sql *sql);
    void (*bind_text)(struct sql *sql, struct slice text);
    void (*bind_blob)(struct sql *sql, struct slice bytes);
    void (*bind_int)(struct sql *sql, int64_t value);
    bool (*row)(struct sql *sql);
    enum status (*end)(struct sql *sql);
    enum status (*run)(struct sql *sql, int *changed_out);
    bool (*is_null)(const struct sql *sql, int column);
    int64_t (*get_int)(const struct sql *sql, int column);
    struct slice (*get_text)(const struct sql *sql, int column);
    struct slice (*get_blob)(const struct sql *sql, int column);

    enum status (*execute)(struct connection *connection, const char *sql); /* one without rows */
    uint64_t (*written)(const struct connection *connection); /* grows when rows were written */
    bool (*lost)(const struct connection *connection);        /* the database gave the group up */
    void (*reset_all)(struct connection *connection);
};

struct sql sql_begin(struct connection *connection, enum sql_id id);
void sql_text(struct sql *sql, struct slice text);
void sql_blob(struct sql *sql, struct slice bytes);
void sql_int(struct sql *sql, int64_t value);
void sql_id(struct sql *sql, const struct uuid *id);     /* one of ours, as its number; else -1 */
void sql_uuid(struct sql *sql, const struct uuid *uuid); /* any, as bytes */
bool sql_row(struct sql *sql);                           /* true: there is a row */
enum status sql_end(struct sql *sql); /* STATUS_OK, STATUS_IO, STATUS_INVALID (a constraint) ... */
/* Without rows: row, then end. *changed_out (may be NULL): how many rows were written; who asks
 * for it knows that the statement is done. */
enum status sql_run(struct sql *sql, int *changed_out);

bool sql_is_null(const struct sql *sql, int column);
int64_t sql_get_int(const struct sql *sql, int column); /* a NULL reads as 0 */
struct uuid sql_get_id(const struct sql *sql, int column);
struct uuid sql_get_uuid(const struct sql *sql, int column);
struct slice sql_get_text(const struct sql *sql,
                          int column); /* borrowed until the next row or end */
struct slice sql_get_blob(const struct sql *sql, int column); /* the same */
struct slice sql_copy_text(const struct sql *sql, int column, struct arena *arena);

enum status sql_execute(struct connection *connection, const char *sql);
uint64_t sql_written(const struct connection *connection);
/* After a jump out of the middle (arena): every statement is ended. */
void sql_reset_all(struct connection *connection);

struct uuid id_of_number(const struct id_key *key, int64_t n); /* 0: UUID_NONE */
/* 0: UUID_NONE; -1: no id that this store made. */
int64_t number_of_id(const struct id_key *key, const struct uuid *id);

struct ids {
    struct uuid *at;
    size_t count;
};
/* Takes all ids (first column) that the statement gives, and ends it. Lives in the arena. */
enum status sql_take_ids(struct sql *sql, struct arena *arena, struct ids *ids_out);

#endif
