/* A workload that takes every kind of step, and keeps what the store said was done. */
#ifndef TESTS_UNIT_GATEWAY_STORE_WORKLOAD_H
#define TESTS_UNIT_GATEWAY_STORE_WORKLOAD_H

#include "fixture.h"

/* Called with each id that was accepted, when the store said so. */
typedef void acked(void *arg, struct uuid id);

enum { KEYS = 2000 }; /* when all were sent, what comes is repeats alone */

struct workload {
    struct fixture *f;
    struct arena *arena;
    uint64_t seed;
    uint64_t first_key; /* of the KEYS that it sends under */
    acked *acked;
    void *arg;
    unsigned failed; /* transactions that ended as STATUS_IO */
};

static inline uint64_t roll(struct workload *w, uint64_t below)
{
    w->seed = w->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (w->seed >> 33) % below;
}

static inline bool went(struct workload *w, struct store_tx *tx)
{
    enum status status = store_run(w->f->store, tx);
    if (status == STATUS_IO) {
        w->failed++;
    } else if (status != STATUS_OK && status != STATUS_REFUSED) {
        fail_msg("kind %d: %s", (int)tx->kind, status_name(status));
    }
    return status == STATUS_OK;
}

static inline void step_accept(struct workload *w)
{
    char key[32];
    char patient[16];
    static char payload[3000];
    memset(payload, 'x', sizeof payload);
    snprintf(key, sizeof key, "k%llu", (unsigned long long)(w->first_key + roll(w, KEYS)));
    snprintf(patient, sizeof patient, "p%llu", (unsigned long long)roll(w, 12));
    struct trigger trigger = {slice_of(patient), roll(w, 2) != 0 ? SLICE("e1") : SLICE("e2")};
    struct store_accept tx = accept_tx(key, &trigger, 1);
    tx.in.message.payload = slice_from(payload, roll(w, sizeof payload));
    tx.in.key_is_body_hash = roll(w, 4) == 0;
    if (went(w, &tx.tx) && !tx.out.repeat && w->acked != NULL) {
        w->acked(w->arg, tx.out.message);
    }
}

static inline void step_evaluate(struct workload *w)
{
    struct store_claim_evaluations claim = STORE_TX(CLAIM_EVALUATIONS);
    claim.tx.arena = w->arena;
    claim.in.ehr = NORTH;
    claim.in.owner = SLICE("w");
    claim.in.lease_us = (int64_t)roll(w, 60) * SECOND + SECOND;
    claim.in.most = 3;
    if (!went(w, &claim.tx)) {
        return;
    }
    for (size_t i = 0; i < claim.out.count; i++) {
        const struct evaluation *evaluation = &claim.out.claims[i].evaluation;
        char patient[32];
        snprintf(patient, sizeof patient, "%.*s", SLICE_ARGS(evaluation->patient));
        struct change changes[] = {change_of(patient, "g", 1, 0), change_of(patient, "c", 2, 1)};
        struct store_save_plan plan =
            plan_tx(evaluation, WORK_PLANNED, REASON_NONE, changes, roll(w, 3));
        struct store_save_context context = STORE_TX(SAVE_CONTEXT);
        context.in.evaluation = evaluation->id;
        context.in.fence = evaluation->fence;
        context.in.facts = SLICE("facts");
        struct store_release release = STORE_TX(RELEASE);
        release.in.evaluation = evaluation->id;
        release.in.fence = evaluation->fence;
        struct trail_line line = {.what = SLICE("evaluated"), .subject = evaluation->id};
        plan.in.trail = (struct trail_lines){&line, 1};
        switch (roll(w, 6)) {
        case 0:
            went(w, &release.tx);
            break;
        case 1: /* the worker dies */
            break;
        case 2:
            plan = plan_tx(evaluation, WORK_HELD, REASON_SAFETY, NULL, 0);
            went(w, &plan.tx);
            break;
        case 3:
            went(w, &context.tx);
            went(w, &plan.tx);
            break;
        default:
            went(w, &plan.tx);
            break;
        }
    }
}

static inline void step_deliver(struct workload *w)
{
    static const enum row_state outcomes[] = {ROW_DELIVERED, ROW_DELIVERED, ROW_DELIVERED,
                                              ROW_UNKNOWN,   ROW_SCHEDULED, ROW_HELD};
    struct store_claim_changes claim = STORE_TX(CLAIM_CHANGES);
    claim.tx.arena = w->arena;
    claim.in.ehr = NORTH;
    claim.in.owner = SLICE("w");
    claim.in.lease_us = 10 * SECOND;
    claim.in.settle_us = SECOND;
    claim.in.patients_most = 4;
    claim.in.changes_most = 16;
    claim.in.together = roll(w, 2) != 0;
    if (!went(w, &claim.tx)) {
        return;
    }
    enum { RESULTS_MOST = 16 };
    struct attempt_result results[RESULTS_MOST];
    char ids[RESULTS_MOST][UUID_TEXT_SIZE];
    enum row_state outcome = outcomes[roll(w, 6)];
    for (size_t i = 0; i < claim.out.count; i++) {
        const struct change *change = &claim.out.changes[i];
        uuid_write(change->item.identifier, ids[i]);
        results[i] =
            (struct attempt_result){.change = change->id,
                                    .fence = change->fence,
                                    .outcome = claim.in.together ? outcome : outcomes[roll(w, 6)],
                                    .life = ITEM_DRAFT,
                                    .ehr_id = slice_of(ids[i]),
                                    .base = SLICE("{}")};
    }
    /* One transaction of the EHR has one outcome, recorded at once; else each for itself. */
    size_t each = claim.in.together ? claim.out.count : 1;
    for (size_t i = 0; i < claim.out.count && roll(w, 8) != 0; i += each) { /* or the worker dies */
        struct store_record_attempts tx = STORE_TX(RECORD_ATTEMPTS);
        tx.in.results = &results[i];
        tx.in.count = each;
        went(w, &tx.tx);
    }
}

static inline void run_workload(struct workload *w, unsigned steps)
{
    for (unsigned i = 0; i < steps; i++) {
        struct arena_mark mark = arena_mark(w->arena);
        switch (roll(w, 6)) {
        case 0:
            step_evaluate(w);
            break;
        case 1:
            step_deliver(w);
            break;
        case 2:
            advance(w->f, (int64_t)roll(w, 30) * SECOND);
            break;
        default:
            step_accept(w);
            break;
        }
        arena_rewind(w->arena, mark);
    }
}

#endif
