/*
 * The store: everything that must survive a crash, behind whole transactions (store_tx.h) and
 * questions (store_read.h). One writer thread owns the database: it commits all that is queued when
 * it becomes free, at most 256 transactions or 4 MiB, without a timer, and only then calls them
 * done: what is done survives kill -9 and power loss. A transaction that fails, fails alone.
 * Rules that hold at every commit: gateway/store/INVARIANTS.md. Nothing here logs.
 * Tests: tests/unit/gateway/store/.
 */
#ifndef GATEWAY_STORE_STORE_H
#define GATEWAY_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fhir/base/diag.h"
#include "gateway/base/clock.h"
#include "gateway/base/random.h"
#include "gateway/store/keyring.h"
#include "gateway/store/store_tx.h"

struct store;

struct store_options {
    struct slice state_dir;   /* made with mode 0700 when it is missing */
    struct slice store;       /* a postgresql:// URL; else SQLite in state_dir */
    struct slice environment; /* remembered; a store of another environment is refused */
    size_t queue_items; /* accepts that may wait; 0: 4096. Other work may wait four times that */
    size_t queue_bytes; /* 0: 32 MiB */
    size_t wal_bytes;   /* the WAL is written back beyond this; 0: 16 MiB */
    struct clock clock; /* utc only; its state must outlive the store */
    struct random random;
    const struct keyring *keys; /* records are sealed; must outlive the store. NULL: they are not */
    const char *vfs;            /* test seam: an SQLite VFS by name; NULL: the default */
};

/*
 * Takes the lock <state_dir>/lock, opens or makes the database, upgrades an older one, and
 * recovers: rows in flight become unknown, claims end. STATUS_REFUSED: another process holds the
 * lock (the diagnostic names it), or the store is newer than this program or of another
 * environment, or records are sealed under keys that are not given. STATUS_IO: the disk.
 * STATUS_INVALID: the file is no store or is damaged. Caller closes.
 */
enum status store_open(const struct store_options *options, struct diag_list *diags,
                       struct store **store_out);

/* Finishes all that is queued, then closes and gives the lock back. Accepts NULL, sets NULL. */
void store_close(struct store **store);

/* Called once on the writer's thread, after COMMIT or after the transaction failed; must be quick
 * and may submit. tx->status says how it went. */
typedef void store_done(struct store_tx *tx, void *arg);

/*
 * Queues a transaction. STATUS_OK: done will be called; until then tx, all it points to and its
 * arena belong to the store. STATUS_AGAIN: the queue is full (answer 503, pause the poll);
 * STATUS_REFUSED: the store is closing; in both nothing was queued and done is not called.
 * From any thread.
 */
enum status store_submit(struct store *store, struct store_tx *tx, store_done *done, void *arg);

/* The first `count` of txs, in their order and under one look at the queue, so that they are
 * committed together when the writer is free. Returns how many of them, from the first on, were
 * queued; *status_out: of the first that was not, or STATUS_OK. args: one for each. */
size_t store_submit_all(struct store *store, struct store_tx *const *txs, void *const *args,
                        size_t count, store_done *done, enum status *status_out);

struct store_submission {
    struct store_tx *tx;
    store_done *done;
    void *arg;
};

/* The same for several of any kind, in their order, to be committed together when the writer is
 * free: all of them are queued, or none. Accepts are not mixed with others. */
enum status store_submit_together(struct store *store, const struct store_submission *of,
                                  size_t count);

/* The same, and waits for it; returns its status. Not from the writer's thread. */
enum status store_run(struct store *store, struct store_tx *tx);

/* What waits in memory: transactions and their bytes. */
struct store_load {
    size_t items;
    size_t bytes;
    uint64_t commits;      /* since opening */
    uint64_t transactions; /* in them */
    bool failing;          /* commits fail since the last that wrote something: refuse new input */
};
struct store_load store_load(struct store *store);

/* A fresh UUIDv7, in order of making within this process. */
struct uuid store_new_id(struct store *store);

#endif
