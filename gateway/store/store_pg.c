/*
 * The PostgreSQL backend. A group is one transaction at READ COMMITTED. Groups that accept only
 * append, and hold locks on their keys; every other group holds the work lock, so that one node at
 * a time changes work: each statement then sees all that was committed before, and what
 * store_sql*.c says of one writer holds. The lock is held for a group's time; the work itself,
 * between claim and result, is done by all nodes at once.
 */
#include "gateway/store/store_pg_driver.h"

#include <stdio.h>
#include <stdlib.h>

/* Microseconds of the server. */
#define SERVER_NOW "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
#define WORK_LOCK "SELECT pg_advisory_xact_lock(1699769454, 1)"
_Static_assert(PG_LOCKS == 1699769454 && PG_LOCK_WORK == 1, "the numbers of WORK_LOCK");

/* ---- keys: asked for once a group ---- */

/* The order makes two groups with the same keys wait instead of standing in each other's way. */
static const char lock_keys[] =
    "SELECT pg_advisory_xact_lock(h) FROM (SELECT h FROM unnest($1::bigint[]) h GROUP BY h"
    " ORDER BY h) s";
static const char find_keys[] =
    "SELECT 0::bigint, " SERVER_NOW ", ''::text, ''::text, ''::text, 0::bigint UNION ALL"
    " (SELECT n, key_hash, ehr, sender, key, key_until FROM message"
    " WHERE key_hash = ANY($1::bigint[]) ORDER BY n)";

struct gathering {
    struct pg_backend *backend;
    const struct store_tx *first;
    const struct store_tx *end;
    const PGresult *found;
    char *hashes;
    size_t accepts;
};

static enum status write_hashes(void *arg)
{
    struct gathering *gathering = arg;
    struct buf text;
    buf_init(&text, gathering->backend->group_arena, (size_t)1 << 20);
    for (const struct store_tx *tx = gathering->first; tx != gathering->end; tx = tx->queue.next) {
        const struct store_accept *accept = (const struct store_accept *)tx;
        buf_printf(&text, "%c%lld", gathering->accepts == 0 ? '{' : ',',
                   (long long)(int64_t)slice_hash(accept->in.message.key));
        gathering->accepts++;
    }
    buf_add_char(&text, '}');
    gathering->hashes = text.at;
    return STATUS_OK;
}

static struct slice copied(const struct gathering *gathering, int row, int column)
{
    return arena_copy(gathering->backend->group_arena,
                      slice_of(PQgetvalue(gathering->found, row, column)));
}

static int64_t number(const PGresult *result, int row, int column)
{
    return strtoll(PQgetvalue(result, row, column), NULL, 10);
}

/* The first row is the time. */
static enum status take_keys(void *arg)
{
    struct gathering *gathering = arg;
    struct pg_backend *backend = gathering->backend;
    struct sql_keys *keys = &backend->keys;
    int rows = PQntuples(gathering->found);
    keys->count = 0;
    keys->room = (size_t)rows + gathering->accepts;
    keys->at = ARENA_ARRAY(backend->group_arena, keys->room, struct sql_key);
    for (int i = 1; i < rows; i++) {
        keys->at[keys->count++] = (struct sql_key){
            .hash = number(gathering->found, i, 1),
            .ehr = copied(gathering, i, 2),
            .sender = copied(gathering, i, 3),
            .key = copied(gathering, i, 4),
            .until = number(gathering->found, i, 5),
            .message = id_of_number(&backend->store.writer.key, number(gathering->found, i, 0)),
        };
    }
    backend->store.keys = keys;
    return STATUS_OK;
}

static enum status gather_keys(struct pg_backend *backend, const struct store_tx *first,
                               const struct store_tx *end, PGresult **time_out)
{
    struct gathering gathering = {.backend = backend, .first = first, .end = end};
    arena_reset(backend->group_arena);
    enum status status = arena_run(backend->group_arena, write_hashes, &gathering);
    if (status == STATUS_OK) {
        const char *const values[] = {gathering.hashes};
        pg_queue(&backend->writer, lock_keys, values, 1);
        status = pg_ask(&backend->writer, find_keys, values, 1, time_out);
    }
    if (status == STATUS_OK) {
        gathering.found = *time_out;
        status = arena_run(backend->group_arena, take_keys, &gathering);
    }
    return status;
}

/* ---- groups ---- */

static bool is_accept(const struct store_tx *tx)
{
    return tx != NULL && tx->kind == STORE_ACCEPT;
}

static bool together(const struct store_tx *a, const struct store_tx *b)
{
    return is_accept(a) == is_accept(b);
}

/* One insert for the whole group: each of its own costs the server nearly as much as its message.
 */
static enum status write_waiting(struct pg_backend *backend)
{
    if (backend->waiting_len == 0) {
        return STATUS_OK;
    }
    memcpy(backend->waiting + backend->waiting_len, "}", 2);
    backend->waiting_len = 0;
    const char *const values[] = {backend->waiting};
    return pg_queue(&backend->writer, "INSERT INTO unsorted(n) SELECT unnest($1::bigint[])", values,
                    1);
}

static enum status wait_sorting(struct sql_store *store, const struct uuid *message)
{
    enum { NUMBER_MOST = 24 };
    struct pg_backend *backend = (struct pg_backend *)(void *)store;
    enum status status = STATUS_OK;
    if (backend->waiting_len + NUMBER_MOST > sizeof backend->waiting) {
        status = write_waiting(backend);
    }
    size_t len = backend->waiting_len;
    backend->waiting_len +=
        (size_t)snprintf(backend->waiting + len, NUMBER_MOST, "%c%lld", len == 0 ? '{' : ',',
                         (long long)number_of_id(&store->writer.key, message));
    return status;
}

/* An accept that works sorts what its group appended as well. */
static enum status lock_work(struct sql_store *store)
{
    enum status status = write_waiting((struct pg_backend *)(void *)store);
    return status == STATUS_OK ? pg_queue(store->writer.db, WORK_LOCK, NULL, 0) : status;
}

/* The lease of an EHR goes to who has it, or to the next who asks when it ran out. */
static enum status be_writer(struct sql_store *store, struct slice ehr, int64_t until,
                             bool *may_out)
{
    char times[2][32];
    char name[256];
    PGresult *result = NULL;
    snprintf(times[0], sizeof times[0], "%lld", (long long)until);
    snprintf(times[1], sizeof times[1], "%lld", (long long)store->now);
    snprintf(name, sizeof name, "%.*s", SLICE_ARGS(slice_part(ehr, 0, sizeof name - 1)));
    const char *const values[] = {name, ((struct pg_backend *)(void *)store)->owner, times[0],
                                  times[1]};
    enum status status =
        pg_ask(store->writer.db,
               "INSERT INTO writer(ehr, owner, until) VALUES($1, $2, $3::bigint) ON CONFLICT(ehr)"
               " DO UPDATE SET owner = excluded.owner, until = greatest(writer.until,"
               " excluded.until) WHERE writer.owner = excluded.owner OR writer.until <= $4::bigint",
               values, 4, &result);
    *may_out = status == STATUS_OK && (int)strtol(PQcmdTuples(result), NULL, 10) == 1;
    PQclear(result);
    return status;
}

/* A server that is away is not asked more than once a second. */
static enum status come_back(struct pg_backend *backend)
{
    enum { PAUSE_US = 1000000 };
    const struct clock *clock = &clock_system;
    int64_t now = clock_monotonic(clock);
    if (backend->tried_at != 0 && now - backend->tried_at < PAUSE_US) {
        return STATUS_IO;
    }
    enum status status = pg_join(backend);
    backend->tried_at = status == STATUS_OK ? 0 : now;
    return status;
}

enum status pg_begin(void *db, const struct store_tx *first, const struct store_tx *end)
{
    struct pg_backend *backend = db;
    struct pg_connection *pg = &backend->writer;
    PGresult *time = NULL;
    enum status status = STATUS_OK;
    if (pg->conn == NULL || PQstatus(pg->conn) != CONNECTION_OK) {
        status = come_back(backend);
    }
    if (status != STATUS_OK) {
        return status;
    }
    backend->store.keys = NULL;
    backend->waiting_len = 0;
    backend->store.here = clock_utc(&backend->store.clock); /* early: a lease never seems longer */
    backend->written_before = pg->written;
    pg_queue(pg, "BEGIN", NULL, 0);
    pg->in_group = true;
    if (is_accept(first)) {
        status = gather_keys(backend, first, end, &time);
    } else {
        pg_queue(pg, WORK_LOCK, NULL, 0);
        status = pg_ask(pg, "SELECT 0, " SERVER_NOW, NULL, 0, &time);
    }
    if (status == STATUS_OK) {
        backend->store.now = backend->own_clock ? backend->store.here : number(time, 0, 1);
    }
    PQclear(time);
    return status;
}

enum status pg_commit(void *db, bool *wrote_out)
{
    struct pg_backend *backend = db;
    struct pg_connection *pg = &backend->writer;
    PGresult *result = NULL;
    enum status status = write_waiting(backend);
    if (status == STATUS_OK) {
        status = pg_ask(pg, "COMMIT", NULL, 0, &result);
    }
    if (status == STATUS_OK && strcmp(PQcmdStatus(result), "COMMIT") != 0) {
        status = STATUS_IO;
    }
    PQclear(result);
    backend->store.keys = NULL;
    if (status == STATUS_OK) {
        pg->in_group = false;
        *wrote_out = pg->written != backend->written_before;
    }
    return status;
}

void pg_abandon(void *db)
{
    struct pg_backend *backend = db;
    backend->store.keys = NULL;
    if (backend->writer.conn != NULL) {
        pg_rollback(&backend->writer);
    }
}

/* ---- joining: a connection that may write ---- */

/* The first free one. It is ours as long as the connection lives. */
static enum status take_slot(struct pg_backend *backend)
{
    struct pg_connection *pg = &backend->writer;
    for (int i = 0; i < PG_SLOTS; i++) {
        int slot = (backend->slot + i) % PG_SLOTS; /* after a break the same one, if it is free */
        char text[16];
        char lock[16];
        PGresult *result = NULL;
        snprintf(text, sizeof text, "%d", (int)PG_LOCKS);
        snprintf(lock, sizeof lock, "%d", (int)PG_LOCK_SLOT + slot);
        const char *const values[] = {text, lock};
        enum status status =
            pg_ask(pg, "SELECT pg_try_advisory_lock($1::int, $2::int)", values, 2, &result);
        bool taken = status == STATUS_OK && *PQgetvalue(result, 0, 0) == 't';
        PQclear(result);
        if (status != STATUS_OK || taken) {
            backend->slot = slot;
            backend->store.id_slot = slot;
            return status;
        }
    }
    snprintf(pg->error, sizeof pg->error, "%d nodes use this store already", (int)PG_SLOTS);
    return STATUS_REFUSED;
}

/* The schema may have changed while this node was away. */
static enum status share_again(struct pg_backend *backend)
{
    struct pg_connection *pg = &backend->writer;
    PGresult *result = NULL;
    pg_queue(pg, "SELECT pg_advisory_lock_shared(1699769454, 2)", NULL, 0);
    enum status status =
        pg_ask(pg, "SELECT value FROM meta WHERE name = 'version'", NULL, 0, &result);
    if (status == STATUS_OK &&
        (PQntuples(result) != 1 || (int)strtol(PQgetvalue(result, 0, 0), NULL, 10) !=
                                       sql_upgrades[sql_upgrade_count - 1].version)) {
        snprintf(pg->error, sizeof pg->error, "the store has another schema now");
        status = STATUS_IO;
    }
    PQclear(result);
    return status;
}

enum status pg_join(struct pg_backend *backend)
{
    struct pg_connection *pg = &backend->writer;
    enum status status = pg_connect(pg);
    if (status == STATUS_OK) {
        status = take_slot(backend);
    }
    if (status == STATUS_OK && backend->opened) {
        status = share_again(backend);
    }
    backend->store.id_step = PG_SLOTS;
    backend->store.lock_work = lock_work;
    backend->store.wait_sorting = wait_sorting;
    backend->store.be_writer = be_writer;
    if (status != STATUS_OK) {
        pg_disconnect(pg);
    }
    return status;
}

const struct store_backend store_pg = {
    .name = "postgresql",
    .open = pg_open,
    .close = pg_close,
    .begin = pg_begin,
    .together = together,
    .apply = sql_apply,
    .commit = pg_commit,
    .abandon = pg_abandon,
    .new_id = sql_new_id,
    .questions = &sql_questions,
};
