/* e, f. Changes are claimed, sent or looked up, and end. */
#include "gateway/store/store_sql.h"

/* ---- reading ---- */

struct item sql_take_item(const struct sql *sql, struct arena *arena)
{
    return (struct item){
        .identifier = sql_get_uuid(sql, 12),
        .of = {.ehr = sql_copy_text(sql, 1, arena),
               .patient = sql_copy_text(sql, 2, arena),
               .mapping = sql_copy_text(sql, 3, arena),
               .plan = sql_copy_text(sql, 4, arena),
               .key = sql_copy_text(sql, 5, arena),
               .episode = (uint32_t)sql_get_int(sql, 6)},
        .resource_type = sql_copy_text(sql, 7, arena),
        .life = (enum item_life)sql_get_int(sql, 8),
        .ehr_id = sql_copy_text(sql, 9, arena),
        .ehr_version = sql_copy_text(sql, 10, arena),
        .base_at = sql_get_int(sql, 11),
        .version = sql_copy_text(sql, 13, arena),
        .visit = sql_copy_text(sql, 14, arena),
    };
}

static enum status read_row(struct connection *connection, struct arena *arena,
                            const struct uuid *id, struct change *change, struct uuid *item)
{
    struct sql sql = sql_begin(connection, SQL_READ_CHANGE);
    sql_id(&sql, id);
    bool found = sql_row(&sql);
    if (found) {
        *change = (struct change){
            .id = sql_get_id(&sql, 0),
            .ehr = sql_copy_text(&sql, 1, arena),
            .patient = sql_copy_text(&sql, 2, arena),
            .visit = sql_copy_text(&sql, 3, arena),
            .evaluation = sql_get_id(&sql, 4),
            .kind = (enum change_kind)sql_get_int(&sql, 5),
            .order = (uint32_t)sql_get_int(&sql, 7),
            .after = (uint32_t)sql_get_int(&sql, 8),
            .state = (enum row_state)sql_get_int(&sql, 9),
            .reason = (enum reason)sql_get_int(&sql, 10),
            .detail = sql_copy_text(&sql, 11, arena),
            .tries = (unsigned)sql_get_int(&sql, 12),
            .not_before = sql_get_int(&sql, 13),
            .expires = sql_get_int(&sql, 14),
            .look_up = sql_get_int(&sql, 15) != 0,
            .fence = (uint64_t)sql_get_int(&sql, 16),
            .lease_until = sql_get_int(&sql, 17),
            .ended = sql_get_int(&sql, 18),
        };
        *item = sql_get_id(&sql, 6);
    }
    enum status status = sql_end(&sql);
    return status == STATUS_OK && !found ? STATUS_ABSENT : status;
}

enum status sql_get_change(struct sql_store *store, struct connection *connection,
                           struct arena *arena, const struct uuid *id, struct change *change_out)
{
    struct change change;
    struct uuid item;
    (void)store;
    enum status status = read_row(connection, arena, id, &change, &item);
    if (status == STATUS_OK) {
        struct sql sql = sql_begin(connection, SQL_ITEM_BY_NUMBER);
        sql_id(&sql, &item);
        if (sql_row(&sql)) {
            change.item = sql_take_item(&sql, arena);
        }
        status = sql_end(&sql);
    }
    if (status == STATUS_OK) {
        *change_out = change;
    }
    return status;
}

/* ---- before a claim ---- */

enum status sql_lose_claims(struct sql_store *store, int64_t lease_until, struct slice owner)
{
    struct lost {
        struct uuid id;
        int64_t tries;
        int64_t settle;
    };
    enum { LOST_MOST = 1000 };
    struct lost *lost = ARENA_ARRAY(store->scratch, LOST_MOST, struct lost);
    size_t count = 0;
    struct sql sql = sql_begin(&store->writer, SQL_LOST_CLAIMS);
    sql_int(&sql, lease_until);
    sql_text(&sql, owner);
    while (count < LOST_MOST && sql_row(&sql)) {
        lost[count++] =
            (struct lost){sql_get_id(&sql, 0), sql_get_int(&sql, 1), sql_get_int(&sql, 2)};
    }
    enum status status = sql_end(&sql);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        sql = sql_begin(&store->writer, SQL_PUT_BACK);
        sql_id(&sql, &lost[i].id);
        sql_int(&sql, ROW_UNKNOWN);
        sql_int(&sql, REASON_OUTCOME_UNKNOWN);
        sql_text(&sql, SLICE_NONE);
        sql_int(&sql, store->now + lost[i].settle);
        sql_int(&sql, 1);
        status = sql_run(&sql, NULL);
        if (status == STATUS_OK) {
            sql = sql_begin(&store->writer, SQL_END_ATTEMPT);
            sql_id(&sql, &lost[i].id);
            sql_int(&sql, lost[i].tries);
            sql_int(&sql, store->now);
            sql_int(&sql, ROW_UNKNOWN);
            sql_int(&sql, REASON_OUTCOME_UNKNOWN);
            sql_int(&sql, 0);
            sql_text(&sql, SLICE_NONE);
            status = sql_run(&sql, NULL);
        }
    }
    return status;
}

static enum status end_expired(struct sql_store *store)
{
    struct ids expired;
    bool ended;
    struct sql sql = sql_begin(&store->writer, SQL_EXPIRED_CHANGES);
    sql_int(&sql, store->now);
    enum status status = sql_take_ids(&sql, store->scratch, &expired);
    for (size_t i = 0; status == STATUS_OK && i < expired.count; i++) {
        struct change change;
        status = sql_get_change(store, &store->writer, store->scratch, &expired.at[i], &change);
        if (status == STATUS_OK && !row_state_is_end(change.state)) {
            status = sql_end_change(store, &change.id, ROW_DROPPED, REASON_EXPIRED, SLICE_NONE);
        }
        if (status == STATUS_OK) {
            status = sql_settle_evaluation(store, &change.evaluation, &ended);
        }
    }
    return status;
}

/* Nothing is claimed while a person stopped writes, or before what may be older than the EHR was
 * looked up there (S19). */
static enum status read_stop(struct sql_store *store, struct slice ehr, bool *stopped,
                             bool *reconciling)
{
    struct sql sql = sql_begin(&store->writer, SQL_WRITES_WAIT);
    sql_text(&sql, ehr);
    bool any = sql_row(&sql);
    *stopped = any && sql_get_int(&sql, 0) != 0;
    *reconciling = any && sql_get_int(&sql, 1) != 0;
    return sql_end(&sql);
}

/* ---- claims ---- */

struct texts {
    struct slice *at;
    size_t count;
};

static enum status find_patients(struct sql_store *store, const struct store_claim_changes *tx,
                                 struct texts *patients)
{
    enum { ROWS_EACH = 16 };
    patients->at = ARENA_ARRAY(store->scratch, tx->in.patients_most, struct slice);
    patients->count = 0;
    struct sql sql = sql_begin(&store->writer, SQL_READY_PATIENTS);
    sql_text(&sql, tx->in.ehr);
    sql_int(&sql, store->now);
    sql_int(&sql, (int64_t)(tx->in.patients_most * ROWS_EACH));
    while (patients->count < tx->in.patients_most && sql_row(&sql)) {
        struct slice patient = sql_get_text(&sql, 0);
        size_t same = 0;
        while (same < patients->count && !slice_equal(patients->at[same], patient)) {
            same++;
        }
        if (same == patients->count) {
            patients->at[patients->count++] = arena_copy(store->scratch, patient);
        }
    }
    return sql_end(&sql);
}

/* The one that is asked for, if anything of it may go. */
static enum status find_patient(struct sql_store *store, const struct store_claim_changes *tx,
                                struct texts *patients)
{
    struct sql sql = sql_begin(&store->writer, SQL_READY_PATIENT);
    sql_text(&sql, tx->in.ehr);
    sql_int(&sql, store->now);
    sql_text(&sql, tx->in.patient);
    patients->at = ARENA_NEW(store->scratch, struct slice);
    patients->at[0] = tx->in.patient;
    patients->count = sql_row(&sql) ? 1 : 0;
    return sql_end(&sql);
}

static enum status mark_claimed(struct sql_store *store, const struct store_claim_changes *tx,
                                const struct uuid *id)
{
    uint64_t fence;
    enum status status = sql_next_fence(store, &fence);
    if (status == STATUS_OK) {
        struct sql sql = sql_begin(&store->writer, SQL_CLAIM_CHANGE);
        sql_id(&sql, id);
        sql_int(&sql, (int64_t)fence);
        sql_text(&sql, store->owner.len != 0 ? store->owner : tx->in.owner);
        sql_int(&sql, store->now + tx->in.lease_us);
        sql_int(&sql, tx->in.settle_us);
        status = sql_run(&sql, NULL);
    }
    return status;
}

/* A damaged body cannot be sent: its row is held, and others go on. */
static enum status load_bodies(struct sql_store *store, struct arena *arena, struct change *change,
                               bool *damaged)
{
    enum status status =
        sql_read_record(store, &store->writer, arena, &change->id, RECORD_BODY, &change->body);
    if (status == STATUS_OK) {
        status = sql_read_base(store, &store->writer, arena, &change->item);
    }
    *damaged = status == STATUS_INVALID;
    return *damaged ? STATUS_OK : status;
}

static enum status claim_one(struct sql_store *store, struct store_claim_changes *tx,
                             const struct uuid *id, struct change *change, bool *claimed)
{
    bool ended;
    struct arena *arena = tx->tx.arena;
    *claimed = false;
    enum status status = sql_get_change(store, &store->writer, arena, id, change);
    if (status == STATUS_OK) {
        bool damaged;
        status = load_bodies(store, arena, change, &damaged);
        if (status == STATUS_OK && damaged) {
            status = sql_end_change(store, id, ROW_HELD, REASON_DAMAGED, SLICE_NONE);
            return status == STATUS_OK ? sql_settle_evaluation(store, &change->evaluation, &ended)
                                       : status;
        }
    }
    if (status == STATUS_OK) {
        status = mark_claimed(store, tx, id);
    }
    if (status != STATUS_OK) {
        return status;
    }
    struct item item = change->item;
    struct slice body = change->body;
    struct uuid row;
    status = read_row(&store->writer, arena, id, change, &row); /* as claimed */
    change->item = item;
    change->body = body;
    change->lease_until = store->here + tx->in.lease_us; /* by the clock that will be looked at */
    if (status == STATUS_OK) {
        struct sql sql = sql_begin(&store->writer, SQL_BEGIN_ATTEMPT);
        sql_id(&sql, id);
        sql_int(&sql, change->tries);
        sql_int(&sql, store->now);
        status = sql_run(&sql, NULL);
    }
    *claimed = status == STATUS_OK;
    return status;
}

static enum status claim_patient(struct sql_store *store, struct store_claim_changes *tx,
                                 struct slice patient, struct change *changes, size_t *count)
{
    struct ids ready;
    struct sql sql = sql_begin(&store->writer, SQL_READY_CHANGES);
    sql_text(&sql, tx->in.ehr);
    sql_text(&sql, patient);
    sql_int(&sql, store->now);
    sql_int(&sql, tx->in.together);
    sql_int(&sql, (int64_t)(tx->in.changes_most - *count));
    enum status status = sql_take_ids(&sql, store->scratch, &ready);
    for (size_t i = 0; status == STATUS_OK && i < ready.count; i++) {
        bool claimed;
        status = claim_one(store, tx, &ready.at[i], &changes[*count], &claimed);
        *count += claimed;
        if (status == STATUS_OK && !claimed) {
            break; /* it was ended, and so may be those behind it: they come with the next claim */
        }
    }
    return status;
}

enum status sql_claim_changes(struct sql_store *store, struct store_claim_changes *tx)
{
    bool stopped = false;
    bool reconciling = false;
    struct texts patients = {NULL, 0};
    size_t count = 0;
    if (tx->tx.arena == NULL || tx->in.ehr.len == 0 || tx->in.patients_most == 0 ||
        tx->in.patients_most > 1000 || tx->in.changes_most == 0 || tx->in.changes_most > 1000 ||
        tx->in.lease_us <= 0 || tx->in.settle_us < 0) {
        return STATUS_INVALID;
    }
    enum status status = sql_lose_claims(store, store->now, SLICE_NONE);
    if (status == STATUS_OK) {
        status = end_expired(store);
    }
    if (status == STATUS_OK) {
        status = read_stop(store, tx->in.ehr, &stopped, &reconciling);
    }
    if (status == STATUS_OK && tx->in.alone && store->be_writer != NULL && !stopped) {
        bool may = false;
        status = store->be_writer(store, tx->in.ehr,
                                  store->now + tx->in.lease_us + tx->in.settle_us, &may);
        stopped = !may;
    }
    if (status == STATUS_OK && !stopped) {
        status = tx->in.patient.len != 0 ? find_patient(store, tx, &patients)
                                         : find_patients(store, tx, &patients);
    }
    struct change *changes = ARENA_ARRAY(tx->tx.arena, tx->in.changes_most, struct change);
    for (size_t i = 0; status == STATUS_OK && i < patients.count && count < tx->in.changes_most;
         i++) {
        status = claim_patient(store, tx, patients.at[i], changes, &count);
    }
    if (status == STATUS_OK) {
        tx->out.changes = changes;
        tx->out.count = count;
        tx->out.reconciling = reconciling;
    }
    return status;
}

/* ---- results ---- */

static enum status check_result(struct sql_store *store, const struct attempt_result *result,
                                struct change *change)
{
    bool delivered = result->outcome == ROW_DELIVERED;
    if (result->outcome == ROW_PENDING || result->outcome == ROW_IN_FLIGHT ||
        (delivered && (result->ehr_id.len == 0 || result->life == 0))) {
        return STATUS_INVALID;
    }
    enum status status =
        sql_get_change(store, &store->writer, store->scratch, &result->change, change);
    if (status == STATUS_OK &&
        (change->state != ROW_IN_FLIGHT || change->fence != result->fence || result->fence == 0)) {
        status = STATUS_REFUSED;
    }
    return status;
}

/* What was wanted is the change's body; one that withdraws or accepts wants nothing of its own. */
static enum status keep_wanted(struct sql_store *store, const struct change *change,
                               const struct uuid *row)
{
    struct slice body = SLICE_NONE;
    if (change->kind != CHANGE_CREATE && change->kind != CHANGE_UPDATE) {
        return STATUS_OK;
    }
    enum status status =
        sql_read_record(store, &store->writer, store->scratch, &change->id, RECORD_BODY, &body);
    if (status == STATUS_INVALID) {
        return STATUS_OK; /* damaged since: then base alone tells the next comparison */
    }
    return status == STATUS_OK ? sql_put_record(store, row, RECORD_WANTED, body) : status;
}

static enum status deliver(struct sql_store *store, const struct attempt_result *result,
                           const struct change *change)
{
    struct uuid row = UUID_NONE;
    struct sql sql = sql_begin(&store->writer, SQL_DELIVER_ITEM);
    sql_uuid(&sql, &change->item.identifier);
    sql_int(&sql, result->life);
    sql_text(&sql, result->ehr_id);
    sql_text(&sql, result->ehr_version);
    sql_int(&sql, store->now);
    sql_text(&sql, change->visit);
    sql_id(&sql, &change->evaluation);
    enum status status = sql_run(&sql, NULL);
    if (status == STATUS_OK) {
        sql = sql_begin(&store->writer, SQL_ITEM_ROW);
        sql_uuid(&sql, &change->item.identifier);
        if (sql_row(&sql)) {
            row = sql_get_id(&sql, 0);
        }
        status = sql_end(&sql);
    }
    if (status == STATUS_OK) {
        status = sql_put_record(store, &row, RECORD_BASE, result->base);
    }
    return status == STATUS_OK ? keep_wanted(store, change, &row) : status;
}

static enum status record_one(struct sql_store *store, const struct attempt_result *result)
{
    struct change change;
    enum status status = check_result(store, result, &change);
    if (status == STATUS_OK) {
        struct sql sql = sql_begin(&store->writer, SQL_END_ATTEMPT);
        sql_id(&sql, &result->change);
        sql_int(&sql, change.tries);
        sql_int(&sql, store->now);
        sql_int(&sql, result->outcome);
        sql_int(&sql, result->reason);
        sql_int(&sql, result->http_status);
        sql_text(&sql, result->detail);
        status = sql_run(&sql, NULL);
    }
    if (status == STATUS_OK && result->outcome == ROW_DELIVERED) {
        status = deliver(store, result, &change);
    }
    if (status == STATUS_OK && row_state_is_end(result->outcome)) {
        return sql_end_change(store, &result->change, result->outcome, result->reason,
                              result->detail);
    }
    if (status == STATUS_OK) {
        struct sql sql = sql_begin(&store->writer, SQL_PUT_BACK);
        sql_id(&sql, &result->change);
        sql_int(&sql, result->outcome);
        sql_int(&sql, result->reason);
        sql_text(&sql, result->detail);
        sql_int(&sql, result->not_before);
        sql_int(&sql, result->outcome == ROW_UNKNOWN);
        status = sql_run(&sql, NULL);
    }
    return status == STATUS_OK && result->outcome == ROW_SCHEDULED
               ? sql_end_if_stuck(store, &result->change)
               : status;
}

/* A plan of a mapping that was delivered: how long its first message is ago. Orders of persons
 * have no mapping. */
static enum status note_visible(struct sql_store *store, struct store_record_attempts *tx,
                                const struct uuid *id)
{
    struct evaluation evaluation;
    enum status status = sql_get_evaluation(&store->writer, store->scratch, id, &evaluation);
    if (status == STATUS_OK && evaluation.reason == REASON_DELIVERED &&
        evaluation.mapping_hash.len != 0) {
        tx->out.plans_visible++;
        tx->out.visible_after = store->now - evaluation.first;
    }
    return status;
}

enum status sql_record_attempts(struct sql_store *store, struct store_record_attempts *tx)
{
    enum status status = tx->in.count != 0 ? STATUS_OK : STATUS_INVALID;
    struct change change = {0};
    tx->out.evaluations_ended = 0;
    tx->out.plans_visible = 0;
    for (size_t i = 0; status == STATUS_OK && i < tx->in.count; i++) {
        status = record_one(store, &tx->in.results[i]);
    }
    for (size_t i = 0; status == STATUS_OK && i < tx->in.count; i++) {
        bool ended = false;
        status = sql_get_change(store, &store->writer, store->scratch, &tx->in.results[i].change,
                                &change);
        if (status == STATUS_OK) {
            status = sql_settle_evaluation(store, &change.evaluation, &ended);
        }
        if (status == STATUS_OK && ended) {
            status = note_visible(store, tx, &change.evaluation);
        }
        tx->out.evaluations_ended += ended;
    }
    return status == STATUS_OK ? sql_add_trail(store, change.ehr, tx->in.trail) : status;
}

enum status sql_note_item(struct sql_store *store, struct store_note_item *tx)
{
    struct slice ehr = SLICE_NONE;
    struct sql sql = sql_begin(&store->writer, SQL_ITEM_BY_IDENTIFIER);
    sql_uuid(&sql, &tx->in.identifier);
    bool found = sql_row(&sql);
    if (found) {
        ehr = sql_copy_text(&sql, 1, store->scratch);
    }
    enum status status = sql_end(&sql);
    if (status == STATUS_OK && !found) {
        status = STATUS_ABSENT;
    }
    if (status == STATUS_OK) {
        sql = sql_begin(&store->writer, SQL_NOTE_ITEM);
        sql_uuid(&sql, &tx->in.identifier);
        sql_int(&sql, tx->in.life);
        sql_text(&sql, tx->in.ehr_version);
        status = sql_run(&sql, NULL);
    }
    return status == STATUS_OK ? sql_add_trail(store, ehr, tx->in.trail) : status;
}
