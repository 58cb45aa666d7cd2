/* Ids, groups, and what belongs to every transaction. */
#include "gateway/store/store_sql.h"

enum { SCRATCH_CEILING = 256 * 1024 * 1024 };

/* ---- ids ---- */

struct uuid sql_new_id(void *db)
{
    struct sql_store *store = db;
    int64_t us = clock_utc(&store->clock);
    us = us > 0 ? us : 0;
    int64_t n = us / 1000 << 12 | (us % 1000 << 12) / 1000;
    pthread_mutex_lock(&store->id_lock);
    if (n <= store->last_number) {
        n = store->last_number + 1; /* within one tick, or the clock was set back */
    }
    if (store->id_step != 0) { /* no other node makes this one */
        int64_t mine = n / store->id_step * store->id_step + store->id_slot;
        n = mine >= n ? mine : mine + store->id_step;
    }
    store->last_number = n;
    pthread_mutex_unlock(&store->id_lock);
    return id_of_number(&store->writer.key, n);
}

/* ---- groups ---- */

typedef enum status apply_fn(struct sql_store *store, struct store_tx *tx);

#define TX(id, name)                                                                               \
    static enum status apply_##name(struct sql_store *store, struct store_tx *tx)                  \
    {                                                                                              \
        return sql_##name(store, (struct store_##name *)tx);                                       \
    }
#include "gateway/store/transactions.def"

static apply_fn *const functions[STORE_KIND_COUNT] = {
#define TX(id, name) apply_##name,
#include "gateway/store/transactions.def"
};

struct application {
    struct sql_store *store;
    struct store_tx *tx;
};

static enum status apply_in_scratch(void *arg)
{
    struct application *application = arg;
    struct store_tx *tx = application->tx;
    return functions[tx->kind](application->store, tx);
}

/* Both arenas may run out: each catches its own. */
static enum status apply_in_arena(void *arg)
{
    struct application *application = arg;
    return arena_run(application->store->scratch, apply_in_scratch, arg);
}

/*
 * A transaction that fails is undone to its savepoint. Accepting has none, because it is most of
 * all work and fails before it writes, or by the disk; then the whole group is done again one by
 * one.
 */
enum status sql_apply(void *db, struct store_tx *tx)
{
    struct sql_store *store = db;
    struct application application = {store, tx};
    bool savepoint = tx->kind != STORE_ACCEPT;
    if (savepoint && sql_execute(&store->writer, "SAVEPOINT tx") != STATUS_OK) {
        return STATUS_IO;
    }
    uint64_t before = sql_written(&store->writer);
    tx->status = tx->arena != NULL ? arena_run(tx->arena, apply_in_arena, &application)
                                   : apply_in_arena(&application);
    arena_reset(store->scratch);
    if (tx->status == STATUS_OK) {
        return savepoint ? sql_execute(&store->writer, "RELEASE tx") : STATUS_OK;
    }
    sql_reset_all(&store->writer);
    bool lost = tx->status == STATUS_IO || store->writer.driver->lost(&store->writer) ||
                (!savepoint && sql_written(&store->writer) != before);
    if (lost) {
        return tx->status;
    }
    if (savepoint && sql_execute(&store->writer, "ROLLBACK TO tx") != STATUS_OK) {
        return STATUS_IO;
    }
    return savepoint ? sql_execute(&store->writer, "RELEASE tx") : STATUS_OK;
}

bool sql_store_init(struct sql_store *store, const struct store_options *options)
{
    store->clock = options->clock.utc != NULL ? options->clock : clock_system;
    store->random = options->random.fill != NULL ? options->random : random_system;
    store->seal = (struct record_seal){options->keys, &store->random};
    pthread_mutex_init(&store->id_lock, NULL);
    pthread_mutex_init(&store->read_lock, NULL);
    store->scratch = arena_create(SCRATCH_CEILING);
    return store->scratch != NULL;
}

void sql_store_clear(struct sql_store *store)
{
    pthread_mutex_destroy(&store->id_lock);
    pthread_mutex_destroy(&store->read_lock);
    key_filter_destroy(&store->key_filter);
    arena_destroy(&store->scratch);
}

/* ---- what transactions share ---- */

struct owner owner_of_number(int64_t n)
{
    struct owner owner;
    for (size_t i = 0; i < sizeof owner.bytes; i++) {
        owner.bytes[i] = (char)((uint64_t)n >> (8 * i));
    }
    return owner;
}

static enum status write_record(struct sql_store *store, enum sql_id statement,
                                const struct uuid *id, enum record_part part, struct slice bytes)
{
    struct arena_mark mark = arena_mark(store->scratch);
    int64_t n = number_of_id(&store->writer.key, id);
    struct owner owner = owner_of_number(n);
    struct slice record = SLICE_NONE;
    enum status status =
        record_pack(store->scratch, &store->seal, owner_slice(&owner), part, bytes, &record);
    if (status == STATUS_OK) {
        struct sql sql = sql_begin(&store->writer, statement);
        sql_int(&sql, n * 8 + part);
        sql_blob(&sql, record);
        status = sql_run(&sql, NULL);
    }
    arena_rewind(store->scratch, mark);
    return status;
}

enum status sql_put_record(struct sql_store *store, const struct uuid *owner, enum record_part part,
                           struct slice bytes)
{
    return write_record(store, SQL_PUT_RECORD, owner, part, bytes);
}

enum status sql_add_record(struct sql_store *store, const struct uuid *owner, enum record_part part,
                           struct slice bytes)
{
    return write_record(store, SQL_ADD_RECORD, owner, part, bytes);
}

enum status sql_open_record(struct sql_store *store, struct arena *arena, struct slice owner,
                            enum record_part part, struct slice record, struct slice *bytes_out)
{
    enum status status = record_open(arena, store->seal.keys, owner, part, record, bytes_out);
    if (status == STATUS_INVALID) {
        atomic_fetch_add(&store->damaged, 1);
    }
    return status;
}

enum status sql_read_record(struct sql_store *store, struct connection *connection,
                            struct arena *arena, const struct uuid *id, enum record_part part,
                            struct slice *bytes_out)
{
    struct slice bytes = SLICE_NONE;
    struct slice record = SLICE_NONE;
    int64_t n = number_of_id(&connection->key, id);
    struct owner owner = owner_of_number(n);
    struct sql sql = sql_begin(connection, SQL_READ_RECORD);
    sql_int(&sql, n * 8 + part);
    bool found = sql_row(&sql);
    if (found) {
        record = arena_copy(arena, sql_get_blob(&sql, 0));
    }
    enum status status = sql_end(&sql);
    if (status == STATUS_OK && found) {
        status = sql_open_record(store, arena, owner_slice(&owner), part, record, &bytes);
    }
    if (status == STATUS_OK) {
        *bytes_out = bytes;
    }
    return status;
}

enum status sql_read_base(struct sql_store *store, struct connection *connection,
                          struct arena *arena, struct item *item)
{
    struct uuid row = UUID_NONE;
    struct sql sql = sql_begin(connection, SQL_ITEM_ROW);
    sql_uuid(&sql, &item->identifier);
    if (sql_row(&sql)) {
        row = sql_get_id(&sql, 0);
    }
    enum status status = sql_end(&sql);
    if (status == STATUS_OK) {
        status = sql_read_record(store, connection, arena, &row, RECORD_BASE, &item->base);
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = sql_read_record(store, connection, arena, &row, RECORD_WANTED, &item->wanted);
    return status == STATUS_INVALID ? STATUS_OK : status; /* base then tells it as well as it can */
}

enum status sql_next_fence(struct sql_store *store, uint64_t *fence_out)
{
    uint64_t fence = 0;
    struct sql sql = sql_begin(&store->writer, SQL_NEXT_FENCE);
    if (sql_row(&sql)) {
        fence = (uint64_t)sql_get_int(&sql, 0);
        sql_row(&sql);
    }
    enum status status = sql_end(&sql);
    if (status == STATUS_OK) {
        *fence_out = fence;
    }
    return status;
}
