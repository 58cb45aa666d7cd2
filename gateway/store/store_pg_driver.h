/*
 * The PostgreSQL backend's own matters. Only store_pg*.c include this, and only here is libpq-fe.h.
 *
 * A connection works in pipeline mode: what is sent waits in `queued` until somebody needs a row;
 * then the server is asked to answer all of it. An error anywhere in between loses the group
 * (`lost`, `why`), because the server skips everything behind it.
 */
#ifndef GATEWAY_STORE_STORE_PG_DRIVER_H
#define GATEWAY_STORE_STORE_PG_DRIVER_H

#include <libpq-fe.h>

#include "gateway/store/store_sql.h"

enum {
    PG_PARAMETERS = 24,
    PG_OPEN_RESULTS = 8, /* at once, of one connection */
    PG_ERROR_SIZE = 256,
    PG_LOCKS = 0x65506c6e, /* "ePln": the first half of every two-part advisory lock */
};

/* The second halves. */
enum pg_lock {
    PG_LOCK_WORK = 1,    /* one node at a time changes work (not: accepts messages) */
    PG_LOCK_SCHEMA = 2,  /* shared: the node runs; exclusive: the schema changes */
    PG_LOCK_OPENING = 3, /* one node after the other opens */
    PG_LOCK_SLOT = 1000, /* and up: a node's place in the numbering of ids */
};

struct pg_connection {
    PGconn *conn; /* NULL or bad: to be opened again */
    const char *url;
    const char *settings; /* run once after connecting */
    bool prepared[SQL_COUNT];
    bool in_group;
    bool lost;
    enum status why; /* it is lost */
    char error[PG_ERROR_SIZE];
    size_t queued; /* commands whose answers were not taken yet */
    uint64_t written;
    PGresult *open[PG_OPEN_RESULTS];

    /* of the statement that is being bound */
    const char *values[PG_PARAMETERS];
    int lengths[PG_PARAMETERS];
    int formats[PG_PARAMETERS];
    Oid types[PG_PARAMETERS];
    uint64_t ints[PG_PARAMETERS];
};

extern const struct sql_driver pg_driver;

/* STATUS_IO: the server cannot be reached; pg->error says why. Closes what was open before. */
enum status pg_connect(struct pg_connection *pg);
void pg_disconnect(struct pg_connection *pg);

/* Sends a command with text parameters; its answer is taken later. */
enum status pg_queue(struct pg_connection *pg, const char *sql, const char *const *values,
                     int count);
/* Takes every answer. *last_out (may be NULL): that of the last command, with text columns if it
 * was queued by pg_queue; caller clears, also on failure (NULL). */
enum status pg_sync(struct pg_connection *pg, PGresult **last_out);
/* Both. */
enum status pg_ask(struct pg_connection *pg, const char *sql, const char *const *values, int count,
                   PGresult **last_out);
/* Ends the group, if any, and forgets every statement: after a loss, or a jump out of the middle.
 */
void pg_rollback(struct pg_connection *pg);

/* ---- the backend ---- */

enum { PG_SLOTS = 64, PG_OWNER_SIZE = 64, PG_URL_SIZE = 1024, PG_WAITING_SIZE = 8192 };

struct pg_backend {
    struct sql_store store; /* first: what the questions and transactions know */
    struct pg_connection writer;
    struct pg_connection reader;
    char url[PG_URL_SIZE];
    char owner[PG_OWNER_SIZE];
    bool own_clock;       /* a test's; else times are the server's */
    struct sql_keys keys; /* of the group, when it accepts */
    struct arena *group_arena;
    /* of the group: messages that wait to be sorted, as an array of SQL */
    char waiting[PG_WAITING_SIZE];
    size_t waiting_len;
    int64_t tried_at; /* monotonic: when connecting failed last */
    uint64_t written_before;
    bool opened; /* the schema is known: joining again checks that it is the same */
    int slot;
    int lock_fd;
};

enum status pg_begin(void *db, const struct store_tx *first, const struct store_tx *end);
enum status pg_commit(void *db, bool *wrote_out);
void pg_abandon(void *db);

/* The backend's functions (backend.h). */
enum status pg_open(const struct store_options *options, struct diag_list *diags, void **db_out);
void pg_close(void *db);

/* Connects the writer and takes a slot for ids; when the store was opened before, also the shared
 * lock of the schema. writer.error says what failed. */
enum status pg_join(struct pg_backend *backend);

/* Brings the store to the last of the upgrades, in one transaction; the schema `eplan` as it was
 * before is copied to `eplan_<version>`. STATUS_REFUSED: it is newer, or other nodes run. */
enum status pg_upgrade(struct pg_connection *pg, const struct sql_upgrade *upgrades, size_t count,
                       struct diag_list *diags);

/* Within a transaction, for as long as it takes: no node runs, and none starts. STATUS_REFUSED: one
 * does. */
enum status pg_be_alone(struct pg_connection *pg);

/* Queues a whole copy of the tables, indexes and numbers of one schema as another one; what stood
 * there before is dropped. The names are this program's own words. */
void pg_copy_schema(struct pg_connection *pg, const char *from, const char *to);

#endif
