/* A store in a folder of its own (EPLAN_TEST_STORE=postgresql: in a private server), with a clock
 * that stands still; and the steps that most tests take. */
#ifndef TESTS_UNIT_GATEWAY_STORE_FIXTURE_H
#define TESTS_UNIT_GATEWAY_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/store/store.h"
#include "gateway/store/store_read.h"
#include "gateway/store/store_seam.h"
#include "gateway/store/store_verify.h"

#include "postgres.h"

#define SECOND INT64_C(1000000)
#define T0 INT64_C(1760000000000000)

struct fixture {
    char dir[64];
    _Atomic int64_t now; /* UTC microseconds; stands still */
    _Atomic uint64_t seed;
    struct store_options options;
    struct store *store;
    struct store_seam *seam; /* a disk without waiting, and with faults; NULL in a release */
    struct arena *arena;     /* outputs of the test */
};

static inline int64_t fixture_utc(void *state)
{
    return ((struct fixture *)state)->now;
}

static inline void fixture_random(void *state, void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint64_t next = atomic_fetch_add(&((struct fixture *)state)->seed, 1);
        ((unsigned char *)bytes)[i] = (unsigned char)(next * UINT64_C(0x9e3779b97f4a7c15) >> 56);
    }
}

static inline void open_store(struct fixture *f)
{
    struct diag_list diags;
    struct buf text;
    diag_init(&diags, f->arena, 10);
    buf_init(&text, f->arena, 10000);
    enum status status = store_open(&f->options, &diags, &f->store);
    diag_render_all(&diags, &text);
    if (status != STATUS_OK) {
        fail_msg("%s %s", status_name(status), text.at);
    }
}

static inline struct fixture *begin(void)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    snprintf(f->dir, sizeof f->dir, "/tmp/eplan-test-store-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->arena = arena_create((size_t)1 << 30);
    const char *url = wants_postgres() ? postgres_url() : NULL;
    if (url != NULL) {
        postgres_run("SET client_min_messages = error; DROP SCHEMA IF EXISTS eplan CASCADE");
    }
#ifdef EPLAN_SEAMS
    f->seam = url == NULL ? store_seam_create("seam") : NULL;
    assert_true(f->seam != NULL || url != NULL);
#endif
    f->now = T0;
    f->options = (struct store_options){.state_dir = slice_of(f->dir),
                                        .store = url != NULL ? slice_of(url) : SLICE_NONE,
                                        .environment = SLICE("test"),
                                        .clock = {.utc = fixture_utc, .state = f},
                                        .random = {.fill = fixture_random, .state = f},
                                        .vfs = f->seam != NULL ? "seam" : NULL};
    open_store(f);
    return f;
}

static inline void remove_store(const char *dir)
{
    static const char *const names[] = {"store.db",
                                        "store.db-wal",
                                        "store.db-shm",
                                        "lock",
                                        "store-1.db",
                                        "store-2.db",
                                        "store-3.db",
                                        "store-4.db",
                                        "store-5.db",
                                        "store-replaced.db",
                                        "store-replaced.db-wal",
                                        "node"};
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
}

static inline void reopen(struct fixture *f)
{
    store_close(&f->store);
    open_store(f);
}

/* Where the store stands: a folder or a URL, as store_verify() has it. */
static inline struct slice place_of(const struct fixture *f)
{
    return f->options.store.len != 0 ? f->options.store : slice_of(f->dir);
}

/* Every rule of INVARIANTS.md holds. */
static inline void check_rules(struct fixture *f)
{
    struct store_faults faults;
    assert_int_equal(store_verify(place_of(f), f->options.keys, f->arena, &faults), STATUS_OK);
    if (faults.count != 0) {
        fail_msg("%u %.*s (%.*s)", faults.at[0].rule, SLICE_ARGS(faults.at[0].sentence),
                 SLICE_ARGS(faults.at[0].where));
    }
}

static inline void discard(struct fixture *f)
{
    store_close(&f->store);
#ifdef EPLAN_SEAMS
    if (f->seam != NULL) {
        store_seam_destroy(&f->seam);
    }
#endif
    remove_store(f->dir);
    arena_destroy(&f->arena);
    free(f);
}

static inline void end(struct fixture *f)
{
    check_rules(f);
    discard(f);
}

static inline void advance(struct fixture *f, int64_t us)
{
    f->now += us;
}

/* ---- steps ---- */

#define NORTH SLICE("north")

static inline struct store_accept accept_tx(const char *key, const struct trigger *triggers,
                                            size_t count)
{
    struct store_accept tx = STORE_TX(ACCEPT);
    tx.in.message = (struct message){.ehr = NORTH,
                                     .kind = MESSAGE_NOTIFICATION,
                                     .sender = SLICE("vitals"),
                                     .key = slice_of(key),
                                     .resource_type = SLICE("Observation"),
                                     .resource_id = SLICE("w1"),
                                     .resource_version = SLICE("1"),
                                     .payload = SLICE("{\"resourceType\":\"Observation\"}")};
    tx.in.triggers = triggers;
    tx.in.trigger_count = count;
    tx.in.settle_us = 20 * SECOND;
    tx.in.settle_most_us = 120 * SECOND;
    return tx;
}

static inline struct uuid accept_for(struct fixture *f, const char *key, const char *patient,
                                     const char *visit)
{
    struct trigger trigger = {slice_of(patient), slice_of(visit)};
    struct store_accept tx = accept_tx(key, &trigger, 1);
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    return tx.out.message;
}

static inline struct store_claim_evaluations claim_all(struct fixture *f, size_t most)
{
    struct store_claim_evaluations tx = STORE_TX(CLAIM_EVALUATIONS);
    tx.tx.arena = f->arena;
    tx.in.ehr = NORTH;
    tx.in.owner = SLICE("one");
    tx.in.lease_us = 60 * SECOND;
    tx.in.most = most;
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    return tx;
}

/* Accepts for a visit, lets it settle and claims it. */
static inline struct evaluation_claim ready(struct fixture *f, const char *key, const char *patient,
                                            const char *visit)
{
    accept_for(f, key, patient, visit);
    advance(f, 20 * SECOND);
    struct store_claim_evaluations tx = claim_all(f, 1);
    assert_int_equal(tx.out.count, 1);
    return tx.out.claims[0];
}

static inline struct uuid identifier_of(const char *text)
{
    struct uuid id = {{0x50, 0x50}};
    uint64_t hash = slice_hash(slice_of(text));
    memcpy(id.bytes + 8, &hash, 8);
    return id;
}

/* A change of the item `key` of the patient's plan. */
static inline struct change change_of(const char *patient, const char *key, uint32_t order,
                                      uint32_t after)
{
    char text[128];
    snprintf(text, sizeof text, "%s/%s", patient, key);
    return (struct change){.kind = CHANGE_CREATE,
                           .item = {.identifier = identifier_of(text),
                                    .of = {.mapping = SLICE("healthy-weight"),
                                           .plan = SLICE("p"),
                                           .key = slice_of(key),
                                           .episode = 1},
                                    .resource_type = SLICE("Goal")},
                           .order = order,
                           .after = after,
                           .state = ROW_PENDING,
                           .body = SLICE("{\"resourceType\":\"Goal\"}")};
}

static inline struct store_save_plan plan_tx(const struct evaluation *evaluation,
                                             enum work_state outcome, enum reason reason,
                                             const struct change *changes, size_t count)
{
    struct store_save_plan tx = STORE_TX(SAVE_PLAN);
    tx.in.evaluation = evaluation->id;
    tx.in.fence = evaluation->fence;
    tx.in.outcome = outcome;
    tx.in.reason = reason;
    tx.in.mapping = SLICE("healthy-weight");
    tx.in.mapping_version = SLICE("1.0.0");
    tx.in.mapping_hash = SLICE("abc");
    tx.in.changes = changes;
    tx.in.change_count = count;
    return tx;
}

static inline enum work_state plan_as(struct fixture *f, const struct evaluation *evaluation,
                                      enum work_state outcome, enum reason reason,
                                      const struct change *changes, size_t count)
{
    struct store_save_plan tx = plan_tx(evaluation, outcome, reason, changes, count);
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    return tx.out.state;
}

static inline struct store_claim_changes claim_changes(struct fixture *f, bool together)
{
    struct store_claim_changes tx = STORE_TX(CLAIM_CHANGES);
    tx.tx.arena = f->arena;
    tx.in.ehr = NORTH;
    tx.in.owner = SLICE("one");
    tx.in.lease_us = 60 * SECOND;
    tx.in.settle_us = 30 * SECOND;
    tx.in.patients_most = 10;
    tx.in.changes_most = 100;
    tx.in.together = together;
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    return tx;
}

static inline enum status record(struct fixture *f, const struct change *change,
                                 enum row_state outcome, enum reason reason, int64_t not_before)
{
    struct attempt_result result = {.change = change->id,
                                    .fence = change->fence,
                                    .outcome = outcome,
                                    .reason = reason,
                                    .http_status = outcome == ROW_DELIVERED ? 201 : 503,
                                    .not_before = not_before};
    char id[64];
    snprintf(id, sizeof id, "%02x%02x", change->item.identifier.bytes[8],
             change->item.identifier.bytes[9]);
    if (outcome == ROW_DELIVERED) {
        result.life = ITEM_DRAFT;
        result.ehr_id = slice_of(id);
        result.ehr_version = SLICE("1");
        result.base = SLICE("{\"resourceType\":\"Goal\",\"id\":\"g1\"}");
    }
    struct store_record_attempts tx = STORE_TX(RECORD_ATTEMPTS);
    tx.in.results = &result;
    tx.in.count = 1;
    return store_run(f->store, &tx.tx);
}

static inline void deliver(struct fixture *f, const struct change *change)
{
    assert_int_equal(record(f, change, ROW_DELIVERED, REASON_DELIVERED, 0), STATUS_OK);
}

static inline struct message message_now(struct fixture *f, struct uuid id)
{
    struct message message;
    assert_int_equal(store_read_message(f->store, f->arena, id, &message), STATUS_OK);
    return message;
}

static inline struct message_way way_of(struct fixture *f, struct uuid id)
{
    struct message_way way;
    assert_int_equal(store_show_message(f->store, f->arena, id, &way), STATUS_OK);
    return way;
}

#define assert_message(f, id, want_state, want_reason)                                             \
    do {                                                                                           \
        struct message seen_ = message_now((f), (id));                                             \
        assert_string_equal(work_state_name(seen_.state), work_state_name(want_state));            \
        assert_string_equal(reason_name(seen_.reason), reason_name(want_reason));                  \
        assert_int_equal(seen_.ended != 0, work_state_is_end(want_state));                         \
    } while (0)

#endif
