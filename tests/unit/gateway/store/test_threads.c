// packages: eplan::pq
// stores: postgresql
// label: threaded
/* The writer and its queue: groups, order, bounds, failing commits; many threads; memory and WAL.
 */
#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "gateway/base/failpoint.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* ---- many at once ---- */

struct posted {
    struct store_accept tx;
    struct trigger trigger;
    char key[32];
    char patient[16];
    struct tally *tally;
    unsigned order;
    bool leads_to_next;
    bool is_last;
};

struct tally {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    unsigned done;
    unsigned failed;
    unsigned last_order; /* how far the answers to one submitter came */
    bool disordered;
};

static void count_done(struct store_tx *tx, void *arg)
{
    struct posted *posted = arg;
    struct tally *tally = posted->tally;
    pthread_mutex_lock(&tally->lock);
    tally->done++;
    tally->failed += tx->status != STATUS_OK;
    if (posted->order != 0) {
        tally->disordered = tally->disordered || posted->order < tally->last_order;
        tally->last_order = posted->order;
    }
    pthread_cond_signal(&tally->wake);
    pthread_mutex_unlock(&tally->lock);
}

/* What is done next stands in the transaction: the last of a commit has nobody behind it. */
static void count_and_look(struct store_tx *tx, void *arg)
{
    struct posted *posted = arg;
    posted->leads_to_next = tx->queue.next == &(posted + 1)->tx.tx;
    posted->is_last = tx->queue.next == NULL;
    count_done(tx, arg);
}

static void wait_for(struct tally *tally, unsigned done)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    pthread_mutex_lock(&tally->lock);
    int rc = 0;
    while (tally->done < done && rc == 0) {
        rc = pthread_cond_timedwait(&tally->wake, &tally->lock, &until);
    }
    pthread_mutex_unlock(&tally->lock);
    assert_int_equal(rc, 0);
}

static void prepare(struct posted *posted, struct tally *tally, unsigned n, struct slice payload)
{
    snprintf(posted->key, sizeof posted->key, "k%u", n);
    snprintf(posted->patient, sizeof posted->patient, "p%u", n % 1000);
    posted->trigger = (struct trigger){slice_of(posted->patient), SLICE("e1")};
    posted->tx = accept_tx(posted->key, &posted->trigger, 1);
    posted->tx.in.message.payload = payload;
    posted->tally = tally;
}

static enum status post(struct fixture *f, struct posted *posted, struct tally *tally, unsigned n,
                        struct slice payload)
{
    prepare(posted, tally, n, payload);
    return store_submit(f->store, &posted->tx.tx, count_done, posted);
}

enum { THREADS = 6, EACH = 200 };

struct submitter {
    struct fixture *f;
    struct tally *tally;
    struct posted *posted;
    unsigned from;
};

static void *submit_many(void *arg)
{
    struct submitter *submitter = arg;
    for (unsigned i = 0; i < EACH; i++) {
        while (post(submitter->f, &submitter->posted[i], submitter->tally, submitter->from + i,
                    SLICE("{}")) == STATUS_AGAIN) {
            sched_yield();
        }
    }
    return NULL;
}

static void *ask_many(void *arg)
{
    struct fixture *f = arg;
    struct arena *arena = arena_create(0);
    for (int i = 0; i < 60; i++) {
        struct store_status status;
        struct store_next next;
        enum status said = store_read_status(f->store, arena, &status);
        if (said != STATUS_OK || store_read_next(f->store, NORTH, &next) != STATUS_OK) {
            abort();
        }
        (void)store_new_id(f->store);
        (void)store_load(f->store);
        arena_reset(arena);
    }
    arena_destroy(&arena);
    return NULL;
}

static void many_threads_submit_and_ask(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct tally tally = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};
    struct submitter submitters[THREADS];
    pthread_t threads[THREADS];
    pthread_t asker;
    struct posted *posted = calloc((size_t)THREADS * EACH, sizeof *posted);
    assert_non_null(posted);
    for (unsigned i = 0; i < THREADS; i++) {
        submitters[i] =
            (struct submitter){f, &tally, posted + (size_t)i * EACH, (unsigned)(i * EACH)};
        assert_int_equal(pthread_create(&threads[i], NULL, submit_many, &submitters[i]), 0);
    }
    assert_int_equal(pthread_create(&asker, NULL, ask_many, f), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    pthread_join(asker, NULL);
    wait_for(&tally, THREADS * EACH);
    assert_int_equal(tally.failed, 0);
    struct store_load load = store_load(f->store);
    assert_int_equal(load.items, 0);
    assert_int_equal(load.bytes, 0);
    assert_int_equal(load.transactions, THREADS * EACH);
    print_message("# %llu transactions in %llu commits\n", (unsigned long long)load.transactions,
                  (unsigned long long)load.commits);
    struct store_status status;
    store_read_status(f->store, f->arena, &status);
    assert_int_equal(status.ehrs[0].messages[WORK_RECEIVED], THREADS * EACH);
    free(posted);
    end(f);
}

/* ---- groups ---- */

static void what_is_submitted_together_is_committed_together(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct tally tally = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};
    store_close(&f->store);
    f->options.queue_items = 8;
    open_store(f);
    enum { ALL = 12 };
    struct posted *posted = calloc(ALL, sizeof *posted);
    struct store_tx *txs[ALL];
    void *args[ALL];
    assert_non_null(posted);
    for (unsigned i = 0; i < ALL; i++) {
        prepare(&posted[i], &tally, i, SLICE("{}"));
        posted[i].order = i + 1;
        txs[i] = &posted[i].tx.tx;
        args[i] = &posted[i];
    }
    enum status status = STATUS_IO;
    assert_int_equal(store_submit_all(f->store, txs, args, ALL, count_and_look, &status), 8);
    assert_int_equal(status, STATUS_AGAIN);
    wait_for(&tally, 8);
    assert_false(tally.disordered);
    assert_int_equal(store_load(f->store).commits, 1);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(posted[i].leads_to_next, i < 7);
        assert_int_equal(posted[i].is_last, i == 7);
    }
    assert_int_equal(store_submit_all(f->store, txs + 8, args + 8, 4, count_and_look, &status), 4);
    assert_int_equal(status, STATUS_OK);
    assert_int_equal(store_submit_all(f->store, NULL, NULL, 0, count_and_look, &status), 0);
    assert_int_equal(status, STATUS_OK);
    wait_for(&tally, ALL);
    assert_int_equal(tally.failed, 0);
    free(posted);
    end(f);
}

#ifdef EPLAN_SEAMS

static void what_waits_is_committed_together_and_in_order(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct tally tally = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};
    struct posted *posted = calloc(601, sizeof *posted);
    assert_non_null(posted);
    assert_true(failpoint_plan(SLICE("store.before-commit=delay:200@1")));
    assert_int_equal(post(f, &posted[0], &tally, 0, SLICE("{}")), STATUS_OK);
    for (unsigned i = 1; i <= 600; i++) { /* while the writer is busy with the first */
        posted[i].order = i;
        assert_int_equal(post(f, &posted[i], &tally, i, SLICE("{}")), STATUS_OK);
    }
    wait_for(&tally, 601);
    struct store_load load = store_load(f->store);
    assert_true(load.commits <= 5); /* the first few, 256, 256, the rest */
    assert_true(load.commits >= 3);
    assert_false(tally.disordered);
    failpoint_plan(SLICE_NONE);
    free(posted);
    end(f);
}

static void a_group_has_a_ceiling_in_bytes(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct tally tally = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};
    static char big[1024 * 1024];
    memset(big, ' ', sizeof big);
    struct posted *posted = calloc(11, sizeof *posted);
    assert_non_null(posted);
    assert_true(failpoint_plan(SLICE("store.before-commit=delay:200@1")));
    assert_int_equal(post(f, &posted[0], &tally, 0, SLICE("{}")), STATUS_OK);
    for (unsigned i = 1; i <= 10; i++) {
        assert_int_equal(post(f, &posted[i], &tally, i, slice_from(big, sizeof big)), STATUS_OK);
    }
    wait_for(&tally, 11);
    assert_true(store_load(f->store).commits >= 4); /* three of a megabyte in each */
    failpoint_plan(SLICE_NONE);
    free(posted);
    end(f);
}

static void a_full_queue_says_so(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct tally tally = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};
    store_close(&f->store);
    f->options.queue_items = 8;
    open_store(f);
    struct posted *posted = calloc(64, sizeof *posted);
    assert_non_null(posted);
    assert_true(failpoint_plan(SLICE("store.before-commit=delay:300@1")));
    unsigned taken = 0;
    unsigned refused = 0;
    for (unsigned i = 0; i < 64; i++) {
        enum status status = post(f, &posted[i], &tally, i, SLICE("{}"));
        taken += status == STATUS_OK;
        refused += status == STATUS_AGAIN;
    }
    assert_int_equal(taken, 8);
    assert_int_equal(refused, 56);
    /* What is under way may go on though new input may not. */
    struct store_note_ehr note = STORE_TX(NOTE_EHR);
    note.in.ehr = NORTH;
    assert_int_equal(store_run(f->store, &note.tx), STATUS_OK);
    wait_for(&tally, taken);
    failpoint_plan(SLICE_NONE);
    free(posted);
    end(f);
}

#endif

static void closing_finishes_what_was_taken(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct tally tally = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};
    struct posted *posted = calloc(100, sizeof *posted);
    assert_non_null(posted);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(post(f, &posted[i], &tally, i, SLICE("{}")), STATUS_OK);
    }
    store_close(&f->store);
    assert_int_equal(tally.done, 100);
    assert_int_equal(tally.failed, 0);
    free(posted);
    open_store(f);
    end(f);
}

#ifdef EPLAN_SEAMS
/* ---- failing commits ---- */

static void a_failed_commit_acks_nothing_and_is_tried_one_by_one(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct tally tally = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};
    struct posted *posted = calloc(4, sizeof *posted);
    assert_non_null(posted);
    assert_true(failpoint_plan(SLICE("store.before-commit=fail")));
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(post(f, &posted[i], &tally, i, SLICE("{}")), STATUS_OK);
    }
    wait_for(&tally, 4);
    assert_int_equal(tally.failed, 4);
    assert_int_equal(posted[0].tx.tx.status, STATUS_IO);
    assert_true(store_load(f->store).failing);
    failpoint_plan(SLICE_NONE);
    struct store_status status;
    store_read_status(f->store, f->arena, &status);
    assert_int_equal(status.count, 0);
    accept_for(f, "k9", "p1", "e1");
    assert_false(store_load(f->store).failing);
    free(posted);
    end(f);
}

static void one_bad_transaction_harms_no_other_of_its_group(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct tally tally = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};
    struct evaluation_claim claim = ready(f, "first", "p1", "e1");
    struct change changes[] = {change_of("p1", "a", 1, 0), change_of("p1", "b", 1, 0)};
    struct store_save_plan bad = plan_tx(&claim.evaluation, WORK_PLANNED, REASON_NONE, changes, 2);
    struct posted *posted = calloc(3, sizeof *posted);
    assert_non_null(posted);
    assert_true(failpoint_plan(SLICE("store.before-commit=delay:100@1")));
    assert_int_equal(post(f, &posted[0], &tally, 0, SLICE("{}")), STATUS_OK);
    assert_int_equal(post(f, &posted[1], &tally, 1, SLICE("{}")), STATUS_OK);
    assert_int_equal(store_run(f->store, &bad.tx), STATUS_INVALID); /* two with one order */
    assert_int_equal(post(f, &posted[2], &tally, 2, SLICE("{}")), STATUS_OK);
    wait_for(&tally, 3);
    assert_int_equal(tally.failed, 0);
    failpoint_plan(SLICE_NONE);
    struct item item;
    assert_int_equal(store_find_item(f->store, f->arena, changes[0].item.identifier, &item),
                     STATUS_ABSENT);
    free(posted);
    end(f);
}

#endif

/* ---- size ---- */

static long resident_kib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%*s %ld", &pages) != 1) {
        pages = 0;
    }
    if (file != NULL) {
        fclose(file);
    }
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void many_waiting_messages_take_little_memory_and_log(void **state)
{
    (void)state;
    enum { WINDOW = 512 };
    const unsigned many = SANITIZED ? 5000 : 100000;
    struct fixture *f = begin();
    struct tally tally = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};
    struct posted *posted = calloc(WINDOW, sizeof *posted);
    static char payload[256];
    memset(payload, 'x', sizeof payload);
    assert_non_null(posted);
    long before = resident_kib();
    off_t largest_wal = 0;
    char path[128];
    snprintf(path, sizeof path, "%s/store.db-wal", f->dir);
    for (unsigned i = 0; i < many; i++) {
        if (i >= WINDOW) {
            wait_for(&tally, i - WINDOW + 1); /* answered in order: the slot is free */
        }
        assert_int_equal(
            post(f, &posted[i % WINDOW], &tally, i, slice_from(payload, sizeof payload)),
            STATUS_OK);
        struct stat facts;
        if (i % 1000 == 0 && stat(path, &facts) == 0 && facts.st_size > largest_wal) {
            largest_wal = facts.st_size;
        }
    }
    wait_for(&tally, many);
    assert_int_equal(tally.failed, 0);
    long grown = resident_kib() - before;
    struct store_status status;
    store_read_status(f->store, f->arena, &status);
    assert_int_equal(status.ehrs[0].messages[WORK_RECEIVED], many);
    print_message("# %u waiting: %ld KiB more, log %ld KiB at most\n", many, grown,
                  (long)(largest_wal / 1024));
    assert_true(SANITIZED || grown < 32 * 1024);
    assert_true(largest_wal < (off_t)64 * 1024 * 1024);
    advance(f, 1000 * SECOND);
    struct timespec start;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    assert_int_equal(claim_all(f, 100).out.count, 100);
    clock_gettime(CLOCK_MONOTONIC, &now);
    print_message("# 100 claimed in %.1f ms\n", (double)(now.tv_sec - start.tv_sec) * 1e3 +
                                                    (double)(now.tv_nsec - start.tv_nsec) / 1e6);
    free(posted);
    end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_threads_submit_and_ask),
        cmocka_unit_test(closing_finishes_what_was_taken),
        cmocka_unit_test(what_is_submitted_together_is_committed_together),
#ifdef EPLAN_SEAMS
        cmocka_unit_test(what_waits_is_committed_together_and_in_order),
        cmocka_unit_test(a_group_has_a_ceiling_in_bytes),
        cmocka_unit_test(a_full_queue_says_so),
        cmocka_unit_test(a_failed_commit_acks_nothing_and_is_tried_one_by_one),
        cmocka_unit_test(one_bad_transaction_harms_no_other_of_its_group),
#endif
        cmocka_unit_test(many_waiting_messages_take_little_memory_and_log),
    };
    return cmocka_run_group_tests_name("store threads", tests, NULL, NULL);
}
