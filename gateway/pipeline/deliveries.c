#include "gateway/pipeline/steps.h"

#include <stdlib.h>

#include "gateway/writeback/delivery.h"

enum { PATIENTS_MOST = 16, CLAIM_ARENA = 64 * 1024 * 1024, US = 1000 };

/* One claimed change on its way. */
struct sending {
    struct lane *lane;
    struct batch *batch;
    const struct change *change;
    struct arena *arena; /* of what is recorded */
    struct attempt_result result;
    struct trail_lines trail;
    struct store_record_attempts record;
    struct store_note_item note;
};

/* ---- recording ---- */

static void sending_end(struct sending *sending)
{
    struct lane *lane = sending->lane;
    batch_release(sending->batch);
    arena_destroy(&sending->arena);
    free(sending);
    pipeline_wake(lane->pipeline);
    atomic_fetch_sub(&lane->changes.under_way, 1);
}

static void recorded(struct store_tx *tx, void *arg)
{
    struct sending *sending = arg;
    const struct store_record_attempts *record = (const struct store_record_attempts *)tx;
    if (tx->status == STATUS_OK && record->out.plans_visible != 0) {
        ehr_note_plan(sending->lane->ehr, record->out.visible_after);
    }
    sending_end(sending);
}

static void record(struct sending *sending)
{
    sending->record = (struct store_record_attempts)STORE_TX(RECORD_ATTEMPTS);
    sending->record.in.results = &sending->result;
    sending->record.in.count = 1;
    sending->record.in.trail = sending->trail;
    const struct store_submission record = {&sending->record.tx, recorded, sending};
    if (deliveries_submit(sending->lane, sending->change->patient, GOING_BEGUN, &record) !=
        STATUS_OK) {
        sending_end(
            sending); /* the lease runs out, and the row is looked up before it is sent again */
    }
}

static void noted(struct store_tx *tx, void *arg)
{
    (void)tx;
    record(arg);
}

static void log_attempt(const struct sending *sending)
{
    char id[UUID_TEXT_SIZE];
    uuid_write(sending->change->id, id);
    LOG(sending->lane->pipeline->options.log, LOG_INFO, "attempted",
        LOG_SLICE(EHR, sending->change->ehr), LOG_TEXT(CHANGE, id),
        LOG_SLICE(RESOURCE_TYPE, sending->change->item.resource_type),
        LOG_TEXT(OUTCOME, row_state_name(sending->result.outcome)),
        LOG_TEXT(REASON, reason_name(sending->result.reason)),
        LOG_NUMBER(STATUS, sending->result.http_status),
        LOG_NUMBER(ATTEMPT, sending->change->tries), LOG_SLICE(DETAIL, sending->result.detail));
}

struct keeping {
    struct sending *sending;
    const struct delivery_end *end;
};

/* What the end lends us lives only now; the store needs it until the commit. */
static enum status keep(void *arg)
{
    struct keeping *keeping = arg;
    struct sending *sending = keeping->sending;
    struct attempt_result result = keeping->end->result;
    result.detail = arena_copy(sending->arena, result.detail);
    result.ehr_id = arena_copy(sending->arena, result.ehr_id);
    result.ehr_version = arena_copy(sending->arena, result.ehr_version);
    result.base = arena_copy(sending->arena, result.base);
    sending->result = result;
    sending->trail =
        audited_attempt(sending->lane->pipeline, sending->arena, sending->change, &sending->result);
    return STATUS_OK;
}

static void delivered(const struct delivery_end *end, void *arg)
{
    struct sending *sending = arg;
    struct keeping keeping = {sending, end};
    if (arena_run(sending->arena, keep, &keeping) != STATUS_OK) {
        sending_end(sending);
        return;
    }
    log_attempt(sending);
    if (!end->note_life) {
        record(sending);
        return;
    }
    sending->note = (struct store_note_item)STORE_TX(NOTE_ITEM);
    sending->note.in.identifier = sending->change->item.identifier;
    sending->note.in.life = end->life;
    if (store_submit(sending->lane->pipeline->options.store, &sending->note.tx, noted, sending) !=
        STATUS_OK) {
        record(sending);
    }
}

/* ---- sending ---- */

static enum status find_target(void *arg, struct arena *arena, struct uuid identifier,
                               struct slice *target_out)
{
    const struct pipeline *p = arg;
    struct item item;
    enum status status = store_find_item(p->options.store, arena, identifier, &item);
    if (status != STATUS_OK || item.ehr_id.len == 0) {
        return status != STATUS_OK ? status : STATUS_ABSENT;
    }
    *target_out =
        arena_printf(arena, "%.*s/%.*s", SLICE_ARGS(item.resource_type), SLICE_ARGS(item.ehr_id));
    return STATUS_OK;
}

/* A plan that the active mapping has no more is owned by nobody: then a person's change wins. */
static struct plan_owns owns_of(const struct pipeline *p, const struct item_key *key)
{
    const struct mapping *mapping = p->options.mapping.mapping;
    struct mapping_owns owns = {0};
    if (slice_equal(key->mapping, mapping_name(mapping))) {
        mapping_find_owns(mapping, key->plan, &owns);
    }
    return (struct plan_owns){owns.gateway, owns.gateway_count, owns.clinician,
                              owns.clinician_count};
}

static void begin_sending(void *arg)
{
    struct sending *sending = arg;
    struct pipeline *p = sending->lane->pipeline;
    struct delivery_options options = {.ehr = sending->lane->ehr,
                                       .clock = p->options.clock,
                                       .random = p->options.random,
                                       .find = find_target,
                                       .find_arg = p,
                                       .model = model_r4(),
                                       .owns = owns_of(p, &sending->change->item.of)};
    if (delivery_begin(&options, sending->change, delivered, sending) != STATUS_OK) {
        sending->result = (struct attempt_result){
            .change = sending->change->id,
            .fence = sending->change->fence,
            .outcome = sending->change->look_up ? ROW_UNKNOWN : ROW_SCHEDULED,
            .not_before = clock_utc(p->options.clock) + 1000000};
        record(sending);
    }
}

static struct sending *sending_create(struct lane *lane, struct batch *batch,
                                      const struct change *change)
{
    struct sending *sending = calloc(1, sizeof *sending);
    struct arena *arena = arena_create(0);
    if (sending == NULL || arena == NULL) {
        free(sending);
        arena_destroy(&arena);
        return NULL;
    }
    *sending = (struct sending){.lane = lane, .batch = batch, .change = change, .arena = arena};
    return sending;
}

/* ---- claiming ---- */

struct claim {
    struct lane *lane;
    struct batch *batch;
    struct store_claim_changes tx;
};

static void claim_destroy(struct claim *claim)
{
    batch_release(claim->batch);
    free(claim);
}

static struct claim *claim_create(struct lane *lane)
{
    struct claim *claim = calloc(1, sizeof *claim);
    struct batch *batch = calloc(1, sizeof *batch);
    struct arena *arena = arena_create(CLAIM_ARENA);
    if (claim == NULL || batch == NULL || arena == NULL) {
        free(claim);
        free(batch);
        arena_destroy(&arena);
        return NULL;
    }
    batch->arena = arena;
    atomic_init(&batch->users, 1);
    *claim = (struct claim){.lane = lane, .batch = batch, .tx = STORE_TX(CLAIM_CHANGES)};
    return claim;
}

/* Whether the EHR cannot tell a second writer's create or update from the first one's. While its
 * CapabilityStatement was not seen, nobody knows. */
static bool takes_one_writer(struct ehr *ehr)
{
    static const char *const types[] = {"CarePlan", "Goal", "ServiceRequest"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct ability ability;
        if (ehr_ability(ehr, types[i], &ability) != STATUS_OK ||
            (ability.create && !ability.conditional_create) ||
            (ability.update && !ability.version_aware)) {
            return true;
        }
    }
    return false;
}

static void fill_claim(struct claim *claim, struct slice patient, size_t most)
{
    const struct pipeline *p = claim->lane->pipeline;
    const struct config_ehr *ehr = ehr_config(claim->lane->ehr);
    claim->tx.tx.arena = claim->batch->arena;
    claim->tx.in.ehr = ehr->name;
    claim->tx.in.patient = patient;
    claim->tx.in.owner = slice_of(p->owner);
    /* Three exchanges at the most in one delivery, each with its deadline. */
    claim->tx.in.lease_us = (int64_t)(2 * ehr->deadline.read_ms + ehr->deadline.write_ms) * US +
                            (int64_t)p->options.config->gateway.lease_ms * US;
    claim->tx.in.settle_us = (int64_t)ehr->unknown_settle_ms * US;
    claim->tx.in.alone = takes_one_writer(claim->lane->ehr);
    claim->tx.in.patients_most = PATIENTS_MOST;
    claim->tx.in.changes_most = most;
}

/* The last of them goes at once: this thread has nothing else to do. */
static void send_claimed(const struct claim *claim)
{
    struct lane *lane = claim->lane;
    struct sending *last = NULL;
    for (size_t i = 0; claim->tx.tx.status == STATUS_OK && i < claim->tx.out.count; i++) {
        struct sending *sending = sending_create(lane, claim->batch, &claim->tx.out.changes[i]);
        if (sending == NULL) {
            continue; /* its lease runs out */
        }
        atomic_fetch_add(&claim->batch->users, 1);
        atomic_fetch_add(&lane->changes.under_way, 1);
        if (last != NULL) {
            pipeline_submit(lane->pipeline, begin_sending, last);
        }
        last = sending;
    }
    if (last != NULL) {
        begin_sending(last);
    }
}

/* ---- claiming what is due, of any patient ---- */

static void claim_end(struct claim *claim)
{
    struct lane *lane = claim->lane;
    bool more = claim->tx.tx.status == STATUS_OK && claim->tx.out.count != 0;
    if (claim->tx.tx.status == STATUS_OK && claim->tx.out.reconciling) {
        atomic_store(&lane->reconciling.on, true);
        reconciliation_wake(lane);
    }
    claim_destroy(claim);
    if (atomic_exchange(&lane->changes.again, false) || more) {
        pipeline_wake(lane->pipeline);
    }
    atomic_store(&lane->changes.claiming, false);
}

static void spread(void *arg)
{
    send_claimed(arg);
    claim_end(arg);
}

static void claimed(struct store_tx *tx, void *arg)
{
    (void)tx;
    struct claim *claim = arg;
    pipeline_submit(claim->lane->pipeline, spread, claim);
}

void deliveries_wake(struct lane *lane)
{
    struct pipeline *p = lane->pipeline;
    size_t busy = atomic_load(&lane->changes.under_way);
    if (ehr_config(lane->ehr)->mode == MODE_SHADOW) {
        reconciliation_wake(lane);
        return;
    }
    if (busy >= DELIVERIES_MOST || atomic_exchange(&lane->changes.claiming, true)) {
        atomic_store(&lane->changes.again, true);
        return;
    }
    struct claim *claim = claim_create(lane);
    if (claim == NULL) {
        atomic_store(&lane->changes.claiming, false);
        return;
    }
    fill_claim(claim, SLICE_NONE, DELIVERIES_MOST - busy);
    if (store_submit(p->options.store, &claim->tx.tx, claimed, claim) != STATUS_OK) {
        claim->tx.tx.status = STATUS_AGAIN;
        claim_end(claim);
    }
}

/* ---- claiming what a transaction makes ready, with it ---- */

/* It counts as under way itself: the lane stays until it has ended. */
static void following_end(struct claim *claim)
{
    struct lane *lane = claim->lane;
    claim_destroy(claim);
    atomic_fetch_sub(&lane->changes.under_way, 1);
}

static void send_following(void *arg)
{
    send_claimed(arg);
    following_end(arg);
}

static void following_claimed(struct store_tx *tx, void *arg)
{
    struct claim *claim = arg;
    if (tx->status == STATUS_OK && claim->tx.out.count != 0) {
        pipeline_submit(claim->lane->pipeline, send_following, claim);
    } else { /* nothing is ready, or the next look claims it */
        following_end(claim);
    }
}

/* NULL: the next look claims it. */
static struct claim *following_create(struct lane *lane, struct slice patient, enum going_on how)
{
    size_t most = how == GOING_NEW ? DELIVERIES_MOST / 2 : DELIVERIES_MOST;
    size_t busy = atomic_load(&lane->changes.under_way);
    if (busy >= most || atomic_load(&lane->pipeline->stopped) ||
        ehr_config(lane->ehr)->mode == MODE_SHADOW) {
        return NULL;
    }
    struct claim *claim = claim_create(lane);
    if (claim != NULL) {
        atomic_fetch_add(&lane->changes.under_way, 1);
        fill_claim(claim, patient, DELIVERIES_MOST - busy);
    }
    return claim;
}

enum status deliveries_submit(struct lane *lane, struct slice patient, enum going_on how,
                              const struct store_submission *of)
{
    struct claim *claim = following_create(lane, patient, how);
    struct store_submission both[] = {*of, {NULL, following_claimed, claim}};
    if (claim != NULL) {
        both[1].tx = &claim->tx.tx;
    }
    enum status status =
        store_submit_together(lane->pipeline->options.store, both, claim != NULL ? 2 : 1);
    if (status != STATUS_OK && claim != NULL) {
        following_end(claim);
    }
    return status;
}
