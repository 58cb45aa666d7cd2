/*
 * The writer: one thread that takes what is queued, applies it as one group, commits, and only then
 * calls it done. A group that is lost (the disk) is tried again one by one, so that each
 * transaction fails or succeeds for itself.
 */
#include "gateway/store/store.h"

#include <pthread.h>
#include <stdlib.h>

#include "gateway/base/failpoint.h"
#include "gateway/store/backend.h"
#include "gateway/store/private.h"

enum {
    GROUP_MOST = 256,
    GROUP_BYTES = 4 * 1024 * 1024,
    QUEUE_ITEMS = 4096,
    QUEUE_BYTES = 32 * 1024 * 1024,
    OTHER_WORK = 4, /* what is not new input may use the queue this many times over */
    TX_OVERHEAD = 512
};

struct store {
    const struct store_backend *backend;
    void *db;
    size_t items_most;
    size_t bytes_most;
    pthread_t thread;
    bool thread_live;
    bool failing_now; /* the writer's own */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;
    struct store_tx *first;
    struct store_tx *last;
    size_t items;
    size_t bytes;
    uint64_t commits;
    uint64_t transactions;
    bool failing;
    bool closing;
};

const struct store_backend *store_backend(const struct store *store)
{
    return store->backend;
}

void *store_db(const struct store *store)
{
    return store->db;
}

/* ---- groups ---- */

struct group {
    struct store_tx *first;
    size_t count;
    size_t bytes;
};

static void take_group(struct store *store, struct group *group)
{
    struct store_tx *last = NULL;
    *group = (struct group){.first = store->first};
    for (struct store_tx *tx = store->first; tx != NULL; tx = tx->queue.next) {
        bool full = group->count == GROUP_MOST || group->bytes + tx->queue.bytes > GROUP_BYTES;
        if (group->count != 0 && (full || (store->backend->together != NULL &&
                                           !store->backend->together(group->first, tx)))) {
            break;
        }
        group->count++;
        group->bytes += tx->queue.bytes;
        last = tx;
    }
    store->first = last->queue.next;
    if (store->first == NULL) {
        store->last = NULL;
    }
    last->queue.next = NULL;
}

static enum status commit(struct store *store)
{
    if (FAILPOINT(STORE_BEFORE_COMMIT)) {
        return STATUS_IO;
    }
    bool wrote = false;
    enum status status = store->backend->commit(store->db, &wrote);
    if (wrote) {
        store->failing_now = false; /* the disk took something again */
    }
    (void)FAILPOINT(STORE_AFTER_COMMIT);
    return status;
}

/* The transactions first..end (exclusive) as one database transaction. */
static enum status apply_once(struct store *store, struct store_tx *first,
                              const struct store_tx *end)
{
    enum status status = store->backend->begin(store->db, first, end);
    for (struct store_tx *tx = first; status == STATUS_OK && tx != end; tx = tx->queue.next) {
        status = store->backend->apply(store->db, tx);
    }
    if (status == STATUS_OK) {
        status = commit(store);
    }
    if (status != STATUS_OK) {
        store->failing_now = store->failing_now || status == STATUS_IO;
        store->backend->abandon(store->db);
    }
    return status;
}

/* Another node in the way is gone soon: the database chose one of the two to go on. */
static enum status apply_all(struct store *store, struct store_tx *first,
                             const struct store_tx *end)
{
    enum { TRIES = 5 };
    enum status status = STATUS_AGAIN;
    for (int i = 0; i < TRIES && status == STATUS_AGAIN; i++) {
        status = apply_once(store, first, end);
    }
    return status == STATUS_AGAIN ? STATUS_IO : status;
}

static void apply_group(struct store *store, const struct group *group)
{
    if (apply_all(store, group->first, NULL) == STATUS_OK) {
        return;
    }
    for (struct store_tx *tx = group->first; tx != NULL; tx = tx->queue.next) {
        enum status status = apply_all(store, tx, tx->queue.next);
        if (status != STATUS_OK) {
            tx->status = status;
        }
    }
}

static void finish_group(struct store *store, const struct group *group)
{
    pthread_mutex_lock(&store->lock);
    store->items -= group->count;
    store->bytes -= group->bytes;
    store->commits++;
    store->transactions += group->count;
    store->failing = store->failing_now;
    pthread_mutex_unlock(&store->lock);
    for (struct store_tx *tx = group->first, *next; tx != NULL; tx = next) {
        next = tx->queue.next; /* done may free it */
        tx->queue.done(tx, tx->queue.arg);
    }
}

static void *write_groups(void *arg)
{
    struct store *store = arg;
    struct group group;
    for (;;) {
        pthread_mutex_lock(&store->lock);
        while (store->first == NULL && !store->closing) {
            pthread_cond_wait(&store->wake, &store->lock);
        }
        if (store->first == NULL) {
            pthread_mutex_unlock(&store->lock);
            return NULL;
        }
        take_group(store, &group);
        pthread_mutex_unlock(&store->lock);
        apply_group(store, &group);
        finish_group(store, &group);
    }
}

/* ---- queue ---- */

static size_t tx_bytes(const struct store_tx *tx)
{
    size_t bytes = TX_OVERHEAD;
    switch (tx->kind) {
    case STORE_ACCEPT:
        bytes += ((const struct store_accept *)tx)->in.message.payload.len;
        break;
    case STORE_SAVE_CONTEXT:
        bytes += ((const struct store_save_context *)tx)->in.facts.len;
        break;
    case STORE_SAVE_PLAN: {
        const struct store_save_plan *plan = (const struct store_save_plan *)tx;
        bytes += plan->in.facts.len + plan->in.trace.len;
        for (size_t i = 0; i < plan->in.change_count; i++) {
            bytes += plan->in.changes[i].body.len;
        }
        break;
    }
    case STORE_RECORD_ATTEMPTS: {
        const struct store_record_attempts *record = (const struct store_record_attempts *)tx;
        for (size_t i = 0; i < record->in.count; i++) {
            bytes += record->in.results[i].base.len;
        }
        break;
    }
    default: /* small */
        break;
    }
    return bytes;
}

/* With the lock. */
static enum status has_room(const struct store *store, enum store_kind kind, size_t items,
                            size_t bytes)
{
    size_t share = kind == STORE_ACCEPT ? 1 : OTHER_WORK;
    if (store->closing) {
        return STATUS_REFUSED;
    }
    bool full = store->items + items > share * store->items_most ||
                (store->items != 0 && store->bytes + bytes > share * store->bytes_most);
    return full ? STATUS_AGAIN : STATUS_OK;
}

/* With the lock. */
static void append(struct store *store, struct store_tx *tx)
{
    if (store->last != NULL) {
        store->last->queue.next = tx;
    } else {
        store->first = tx;
    }
    store->last = tx;
    store->items++;
    store->bytes += tx->queue.bytes;
}

static void prepare(struct store_tx *tx, store_done *done, void *arg)
{
    tx->queue.next = NULL;
    tx->queue.done = done;
    tx->queue.arg = arg;
    tx->queue.bytes = tx_bytes(tx);
    tx->status = STATUS_OK;
}

size_t store_submit_all(struct store *store, struct store_tx *const *txs, void *const *args,
                        size_t count, store_done *done, enum status *status_out)
{
    for (size_t i = 0; i < count; i++) {
        prepare(txs[i], done, args[i]);
    }
    size_t queued = 0;
    enum status status = STATUS_OK;
    pthread_mutex_lock(&store->lock);
    while (queued < count && (status = has_room(store, txs[queued]->kind, 1,
                                                txs[queued]->queue.bytes)) == STATUS_OK) {
        append(store, txs[queued++]);
    }
    pthread_mutex_unlock(&store->lock);
    if (queued != 0) {
        pthread_cond_signal(&store->wake);
    }
    *status_out = status;
    return queued;
}

enum status store_submit_together(struct store *store, const struct store_submission *of,
                                  size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        prepare(of[i].tx, of[i].done, of[i].arg);
        bytes += of[i].tx->queue.bytes;
    }
    pthread_mutex_lock(&store->lock);
    enum status status = has_room(store, of[0].tx->kind, count, bytes);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        append(store, of[i].tx);
    }
    pthread_mutex_unlock(&store->lock);
    if (status == STATUS_OK) {
        pthread_cond_signal(&store->wake);
    }
    return status;
}

enum status store_submit(struct store *store, struct store_tx *tx, store_done *done, void *arg)
{
    return store_submit_together(store, &(struct store_submission){tx, done, arg}, 1);
}

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool done;
};

static void wake_waiter(struct store_tx *tx, void *arg)
{
    struct waiter *waiter = arg;
    (void)tx;
    pthread_mutex_lock(&waiter->lock);
    waiter->done = true;
    pthread_cond_signal(&waiter->wake);
    pthread_mutex_unlock(&waiter->lock);
}

enum status store_run(struct store *store, struct store_tx *tx)
{
    struct waiter waiter = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    enum status status = store_submit(store, tx, wake_waiter, &waiter);
    if (status != STATUS_OK) {
        return status;
    }
    pthread_mutex_lock(&waiter.lock);
    while (!waiter.done) {
        pthread_cond_wait(&waiter.wake, &waiter.lock);
    }
    pthread_mutex_unlock(&waiter.lock);
    pthread_mutex_destroy(&waiter.lock);
    pthread_cond_destroy(&waiter.wake);
    return tx->status;
}

struct store_load store_load(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    struct store_load load = {store->items, store->bytes, store->commits, store->transactions,
                              store->failing};
    pthread_mutex_unlock(&store->lock);
    return load;
}

struct uuid store_new_id(struct store *store)
{
    return store->backend->new_id(store->db);
}

/* ---- opening ---- */

enum status store_open(const struct store_options *options, struct diag_list *diags,
                       struct store **store_out)
{
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        return STATUS_NO_MEMORY;
    }
    bool shared = slice_starts_with(options->store, SLICE("postgres://")) ||
                  slice_starts_with(options->store, SLICE("postgresql://"));
    store->backend = shared ? &store_pg : &store_sqlite;
    store->items_most = options->queue_items != 0 ? options->queue_items : QUEUE_ITEMS;
    store->bytes_most = options->queue_bytes != 0 ? options->queue_bytes : QUEUE_BYTES;
    pthread_mutex_init(&store->lock, NULL);
    pthread_cond_init(&store->wake, NULL);
    enum status status = store->backend->open(options, diags, &store->db);
    if (status == STATUS_OK) {
        store->thread_live = pthread_create(&store->thread, NULL, write_groups, store) == 0;
        status = store->thread_live ? STATUS_OK : STATUS_NO_MEMORY;
    }
    if (status != STATUS_OK) {
        store_close(&store);
        return status;
    }
    *store_out = store;
    return STATUS_OK;
}

void store_close(struct store **store)
{
    if (store == NULL || *store == NULL) {
        return;
    }
    struct store *closing = *store;
    if (closing->thread_live) {
        pthread_mutex_lock(&closing->lock);
        closing->closing = true;
        pthread_cond_signal(&closing->wake);
        pthread_mutex_unlock(&closing->lock);
        pthread_join(closing->thread, NULL);
    }
    if (closing->db != NULL) {
        closing->backend->close(closing->db);
    }
    pthread_mutex_destroy(&closing->lock);
    pthread_cond_destroy(&closing->wake);
    free(closing);
    *store = NULL;
}
