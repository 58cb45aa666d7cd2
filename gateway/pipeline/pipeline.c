#include "gateway/pipeline/steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    LOOK_MOST_MS =
        1000, /* even without a wake the store is asked this often: a lease may have run out */
    LOOK_LEAST_MS = 20,
    WAKE_LEAST_MS = 5, /* wakes that come faster are taken together */
    CLAIM_ARENA = 32 * 1024 * 1024,
    US = 1000, /* microseconds of a millisecond */
};

void pipeline_submit(struct pipeline *p, void (*run)(void *arg), void *arg)
{
    struct pool_job job = {.run = run, .drop = run, .arg = arg};
    if (pool_submit(p->options.pool, &job) != STATUS_OK) {
        run(arg); /* the pool is draining: the step ends here and now, on the thread that stops */
    }
}

void batch_release(struct batch *batch)
{
    if (atomic_fetch_sub(&batch->users, 1) == 1) {
        arena_destroy(&batch->arena);
        free(batch);
    }
}

/* ---- claiming what is due ---- */

struct claim {
    struct lane *lane;
    struct batch *batch;
    struct store_claim_evaluations tx;
};

/* The lane may be gone once nothing of it is claimed or under way: it is not touched after that. */
static void claim_end(struct claim *claim)
{
    struct lane *lane = claim->lane;
    bool more = claim->tx.tx.status == STATUS_OK && claim->tx.out.count != 0;
    batch_release(claim->batch);
    free(claim);
    if (atomic_exchange(&lane->evaluations.again, false) || more) {
        pipeline_wake(lane->pipeline);
    }
    atomic_store(&lane->evaluations.claiming, false);
}

struct begin {
    struct lane *lane;
    struct batch *batch;
    const struct evaluation_claim *claim;
};

static void claim_begin_one(void *arg)
{
    struct begin begin = *(struct begin *)arg;
    evaluation_begin(begin.lane, begin.batch, begin.claim);
}

static void say_failure(const struct lane *lane, enum status status)
{
    if (status != STATUS_OK && status != STATUS_IO) { /* the disk's trouble is told once, for all */
        LOG(lane->pipeline->options.log, LOG_ERROR, "claim-failed",
            LOG_SLICE(EHR, ehr_config(lane->ehr)->name), LOG_TEXT(CODE, status_name(status)));
    }
}

/* Pool thread: each claimed visit becomes a step of its own. */
static void claim_spread(void *arg)
{
    struct claim *claim = arg;
    struct lane *lane = claim->lane;
    say_failure(lane, claim->tx.tx.status);
    struct begin *last = NULL;
    for (size_t i = 0; claim->tx.tx.status == STATUS_OK && i < claim->tx.out.count; i++) {
        struct begin *begin = ARENA_NEW(claim->batch->arena, struct begin);
        *begin = (struct begin){lane, claim->batch, &claim->tx.out.claims[i]};
        atomic_fetch_add(&claim->batch->users, 1);
        atomic_fetch_add(&lane->evaluations.under_way, 1);
        if (last != NULL) {
            pipeline_submit(lane->pipeline, claim_begin_one, last);
        }
        last = begin;
    }
    if (last != NULL) {
        claim_begin_one(last); /* this thread has nothing else to do */
    }
    claim_end(claim);
}

static void claimed(struct store_tx *tx, void *arg)
{
    (void)tx;
    struct claim *claim = arg;
    pipeline_submit(claim->lane->pipeline, claim_spread, claim);
}

static struct batch *batch_create(void)
{
    struct batch *batch = calloc(1, sizeof *batch);
    struct arena *arena = arena_create(CLAIM_ARENA);
    if (batch == NULL || arena == NULL) {
        free(batch);
        arena_destroy(&arena);
        return NULL;
    }
    batch->arena = arena;
    atomic_init(&batch->users, 1);
    return batch;
}

static void claim_evaluations(struct lane *lane)
{
    struct pipeline *p = lane->pipeline;
    size_t busy = atomic_load(&lane->evaluations.under_way);
    if (busy >= EVALUATIONS_MOST || atomic_exchange(&lane->evaluations.claiming, true)) {
        atomic_store(&lane->evaluations.again, true);
        return;
    }
    struct claim *claim = calloc(1, sizeof *claim);
    struct batch *batch = batch_create();
    if (claim == NULL || batch == NULL) {
        free(claim);
        if (batch != NULL) {
            batch_release(batch);
        }
        atomic_store(&lane->evaluations.claiming, false);
        return; /* the timer comes again */
    }
    *claim = (struct claim){.lane = lane, .batch = batch, .tx = STORE_TX(CLAIM_EVALUATIONS)};
    claim->tx.tx.arena = batch->arena;
    claim->tx.in.ehr = ehr_config(lane->ehr)->name;
    claim->tx.in.owner = slice_of(p->owner);
    claim->tx.in.lease_us = (int64_t)p->options.config->gateway.lease_ms * US;
    claim->tx.in.most = EVALUATIONS_MOST - busy;
    if (store_submit(p->options.store, &claim->tx.tx, claimed, claim) != STATUS_OK) {
        claim->tx.tx.status = STATUS_AGAIN;
        claim_end(claim);
    }
}

/* ---- waking ---- */

/* When there is something to do next, INT64_MAX for never: what is paused or in shadow waits. */
static struct store_next next_of(const struct lane *lane)
{
    const struct config_ehr *ehr = ehr_config(lane->ehr);
    bool paused = ehr->evaluation == EVALUATION_PAUSED;
    bool shadow = ehr->mode == MODE_SHADOW;
    struct store_next next = {INT64_MAX, INT64_MAX};
    if ((paused && shadow) ||
        store_read_next(lane->pipeline->options.store, ehr->name, &next) != STATUS_OK) {
        return (struct store_next){INT64_MAX, INT64_MAX}; /* the timer comes again */
    }
    return (struct store_next){.evaluation = paused ? INT64_MAX : next.evaluation,
                               .change = shadow ? INT64_MAX : next.change};
}

static uint64_t wait_until(int64_t at, int64_t now)
{
    int64_t wait = at == INT64_MAX ? LOOK_MOST_MS : (at - now) / US;
    return wait < LOOK_LEAST_MS  ? LOOK_LEAST_MS
           : wait > LOOK_MOST_MS ? LOOK_MOST_MS
                                 : (uint64_t)wait;
}

/*
 * Claims what is due: a claim costs a commit, so that nothing is claimed while messages stream in
 * and none of them is due. `all`: whatever seems due; messages are sorted with a claim
 * (INVARIANTS.md), and what nobody expected is found.
 */
static void look(struct pipeline *p, bool all)
{
    int64_t now = clock_utc(p->options.clock);
    int64_t at = INT64_MAX;
    if (atomic_load(&p->stopped)) {
        return;
    }
    p->looked = clock_monotonic(p->options.clock);
    for (size_t i = 0; i < p->options.ehr_count; i++) {
        struct lane *lane = &p->lanes[i];
        bool paused = ehr_config(lane->ehr)->evaluation == EVALUATION_PAUSED;
        struct store_next next = next_of(lane);
        if (next.evaluation <= now || (all && !paused)) {
            claim_evaluations(lane);
        }
        if (next.change <= now || all) {
            deliveries_wake(lane);
        }
        at = next.evaluation < at ? next.evaluation : at;
        at = next.change < at ? next.change : at;
    }
    loop_timer_start(p->timer, wait_until(at, now), false);
}

static void on_timer(void *arg)
{
    look(arg, true);
}

static void on_wake(void *arg)
{
    struct pipeline *p = arg;
    int64_t since = clock_monotonic(p->options.clock) - p->looked;
    if (since < WAKE_LEAST_MS * US) {
        loop_timer_start(p->wake_timer, WAKE_LEAST_MS, false);
    } else {
        look(p, false);
    }
}

void pipeline_wake(struct pipeline *p)
{
    if (!atomic_load(&p->stopped)) {
        loop_post(p->options.loop, &p->wake_job);
    }
}

/* ---- life ---- */

enum status pipeline_create(const struct pipeline_options *options, struct pipeline **pipeline_out)
{
    struct pipeline *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return STATUS_NO_MEMORY;
    }
    p->options = *options;
    p->lanes = calloc(options->ehr_count != 0 ? options->ehr_count : 1, sizeof *p->lanes);
    p->timer = loop_timer_create(options->loop, on_timer, p);
    p->wake_timer = loop_timer_create(options->loop, on_wake, p);
    if (p->lanes == NULL || p->timer == NULL || p->wake_timer == NULL ||
        !uuid_read(options->config->gateway.identifier_namespace, &p->space)) {
        pipeline_destroy(&p);
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i < options->ehr_count; i++) {
        p->lanes[i].pipeline = p;
        p->lanes[i].ehr = options->ehrs[i];
        atomic_init(&p->lanes[i].reconciling.on, true);
    }
    snprintf(p->owner, sizeof p->owner, "process-%ld", (long)getpid());
    p->wake_job = (struct loop_job){.run = on_wake, .arg = p};
    *pipeline_out = p;
    return STATUS_OK;
}

void pipeline_start(struct pipeline *p)
{
    pipeline_wake(p);
}

void pipeline_stop(struct pipeline *p)
{
    atomic_store(&p->stopped, true);
}

size_t pipeline_busy(struct pipeline *p)
{
    size_t busy = 0;
    for (size_t i = 0; i < p->options.ehr_count; i++) {
        struct lane *lane = &p->lanes[i];
        busy +=
            atomic_load(&lane->evaluations.under_way) + atomic_load(&lane->evaluations.claiming);
        busy += atomic_load(&lane->changes.under_way) + atomic_load(&lane->changes.claiming);
        busy += atomic_load(&lane->reconciling.under_way);
    }
    return busy;
}

void pipeline_destroy(struct pipeline **pipeline)
{
    struct pipeline *p = pipeline != NULL ? *pipeline : NULL;
    if (p == NULL) {
        return;
    }
    if (p->wake_job.run != NULL) {
        loop_withdraw(p->options.loop, &p->wake_job);
    }
    loop_event_destroy(&p->timer);
    loop_event_destroy(&p->wake_timer);
    free(p->lanes);
    free(p);
    *pipeline = NULL;
}
