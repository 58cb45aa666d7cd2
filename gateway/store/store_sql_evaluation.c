/* b, c. Evaluations: claims, context, and how their end reaches the messages. */
#include "gateway/store/store_sql.h"

/* ---- reading ---- */

enum status sql_get_evaluation(struct connection *connection, struct arena *arena,
                               const struct uuid *id, struct evaluation *evaluation_out)
{
    struct sql sql = sql_begin(connection, SQL_READ_EVALUATION);
    sql_id(&sql, id);
    bool found = sql_row(&sql);
    if (found) {
        *evaluation_out = (struct evaluation){
            .id = sql_get_id(&sql, 0),
            .ehr = sql_copy_text(&sql, 1, arena),
            .patient = sql_copy_text(&sql, 2, arena),
            .visit = sql_copy_text(&sql, 3, arena),
            .state = (enum work_state)sql_get_int(&sql, 4),
            .reason = (enum reason)sql_get_int(&sql, 5),
            .detail = sql_copy_text(&sql, 6, arena),
            .first = sql_get_int(&sql, 7),
            .due = sql_get_int(&sql, 8),
            .at = sql_get_int(&sql, 9),
            .tries = (unsigned)sql_get_int(&sql, 10),
            .fence = (uint64_t)sql_get_int(&sql, 11),
            .lease_until = sql_get_int(&sql, 12),
            .replaced_by = sql_get_id(&sql, 13),
            .mapping = sql_copy_text(&sql, 14, arena),
            .mapping_version = sql_copy_text(&sql, 15, arena),
            .mapping_hash = sql_copy_text(&sql, 16, arena),
            .ended = sql_get_int(&sql, 17),
        };
    }
    enum status status = sql_end(&sql);
    return status == STATUS_OK && !found ? STATUS_ABSENT : status;
}

enum status sql_get_claim(struct sql_store *store, const struct uuid *id, uint64_t fence,
                          struct evaluation *evaluation_out)
{
    enum status status = sql_get_evaluation(&store->writer, store->scratch, id, evaluation_out);
    if (status == STATUS_OK && (fence == 0 || evaluation_out->fence != fence)) {
        status = STATUS_REFUSED;
    }
    return status;
}

struct message sql_take_message(const struct sql *sql, struct arena *arena)
{
    return (struct message){
        .id = sql_get_id(sql, 0),
        .ehr = sql_copy_text(sql, 1, arena),
        .kind = (enum message_kind)sql_get_int(sql, 2),
        .sender = sql_copy_text(sql, 3, arena),
        .key = sql_copy_text(sql, 4, arena),
        .resource_type = sql_copy_text(sql, 5, arena),
        .resource_id = sql_copy_text(sql, 6, arena),
        .resource_version = sql_copy_text(sql, 7, arena),
        .received = sql_get_int(sql, 8),
        .state = (enum work_state)sql_get_int(sql, 9),
        .reason = (enum reason)sql_get_int(sql, 10),
        .ended = sql_get_int(sql, 11),
    };
}

/* ---- how messages follow ---- */

/* Of two ends, the one that a person must see first. */
static int weight(enum work_state state)
{
    switch (state) {
    case WORK_HELD:
        return 4;
    case WORK_HANDED_OVER:
        return 3;
    case WORK_DONE:
        return 2;
    case WORK_DROPPED:
        return 1;
    case WORK_RECEIVED:
    case WORK_RESOLVED:
    case WORK_PLANNED:
        break;
    }
    return 0;
}

/* S3: a message is as far as the evaluation that is least far; ended when all have ended. */
enum status sql_follow_message(struct sql_store *store, const struct uuid *message)
{
    enum work_state state = WORK_DROPPED;
    enum reason reason = REASON_NONE;
    bool open = false;
    bool first = true;
    struct sql sql = sql_begin(&store->writer, SQL_EVALUATION_STATES);
    sql_id(&sql, message);
    while (sql_row(&sql)) {
        enum work_state next = (enum work_state)sql_get_int(&sql, 0);
        enum reason why = (enum reason)sql_get_int(&sql, 1);
        bool next_open = !work_state_is_end(next);
        bool waited = next == WORK_HELD || next == WORK_HANDED_OVER || why == REASON_COALESCED;
        bool yields = !next_open && waited && sql_get_int(&sql, 2) != 0; /* to what answered it */
        if (first || (next_open && (!open || next < state)) ||
            (!open && !next_open && !yields && weight(next) > weight(state))) {
            state = next;
            reason = next_open ? REASON_NONE : why;
            open = next_open;
            first = yields;
        }
    }
    enum status status = sql_end(&sql);
    if (status != STATUS_OK) {
        return status;
    }
    sql = sql_begin(&store->writer, SQL_SET_MESSAGE);
    sql_id(&sql, message);
    sql_int(&sql, state);
    sql_int(&sql, reason);
    sql_int(&sql, open ? 0 : store->now);
    return sql_run(&sql, NULL);
}

enum status sql_follow_messages(struct sql_store *store, const struct uuid *evaluation)
{
    struct ids messages;
    struct sql sql = sql_begin(&store->writer, SQL_MESSAGES_OF);
    sql_id(&sql, evaluation);
    enum status status = sql_take_ids(&sql, store->scratch, &messages);
    for (size_t i = 0; status == STATUS_OK && i < messages.count; i++) {
        status = sql_follow_message(store, &messages.at[i]);
    }
    return status;
}

/* Earlier evaluations of the visit that a person was to look at are answered by this one. */
static enum status replace_older(struct sql_store *store, const struct evaluation *evaluation)
{
    struct sql sql = sql_begin(&store->writer, SQL_REPLACE_OLDER);
    sql_id(&sql, &evaluation->id);
    sql_text(&sql, evaluation->ehr);
    sql_text(&sql, evaluation->patient);
    sql_text(&sql, evaluation->visit);
    return sql_run(&sql, NULL);
}

enum status sql_set_evaluation(struct sql_store *store, const struct evaluation *evaluation,
                               enum work_state state, enum reason reason, struct slice detail)
{
    bool ends = work_state_is_end(state);
    struct sql sql = sql_begin(&store->writer, SQL_SET_EVALUATION);
    sql_id(&sql, &evaluation->id);
    sql_int(&sql, state);
    sql_int(&sql, reason);
    sql_text(&sql, detail);
    sql_int(&sql, ends ? store->now : 0);
    enum status status = sql_run(&sql, NULL);
    if (status == STATUS_OK && ends && reason != REASON_COALESCED) {
        status = replace_older(store, evaluation);
    }
    if (status == STATUS_OK) {
        status = sql_follow_messages(store, &evaluation->id);
    }
    return status;
}

/* ---- the end of a claim without a result ---- */

/* S4: two evaluations of one visit must not wait. The newer takes the messages of the older. */
static enum status coalesce(struct sql_store *store, const struct evaluation *evaluation,
                            const struct uuid *newer)
{
    struct sql sql = sql_begin(&store->writer, SQL_COPY_TRIGGERED);
    sql_id(&sql, &evaluation->id);
    sql_id(&sql, newer);
    enum status status = sql_run(&sql, NULL);
    if (status == STATUS_OK) {
        sql = sql_begin(&store->writer, SQL_JOIN_FIRST);
        sql_id(&sql, newer);
        sql_int(&sql, evaluation->first);
        status = sql_run(&sql, NULL);
    }
    if (status == STATUS_OK) {
        sql = sql_begin(&store->writer, SQL_SET_REPLACED);
        sql_id(&sql, &evaluation->id);
        sql_id(&sql, newer);
        status = sql_run(&sql, NULL);
    }
    if (status == STATUS_OK) {
        status = sql_set_evaluation(store, evaluation, WORK_DONE, REASON_COALESCED, SLICE_NONE);
    }
    return status;
}

enum status sql_give_back(struct sql_store *store, const struct evaluation *evaluation,
                          enum reason reason, struct slice detail, int64_t not_before, bool again)
{
    struct uuid newer = UUID_NONE;
    struct sql sql = sql_begin(&store->writer, SQL_WAITING_SIBLING);
    sql_text(&sql, evaluation->ehr);
    sql_text(&sql, evaluation->patient);
    sql_text(&sql, evaluation->visit);
    bool sibling = sql_row(&sql);
    if (sibling) {
        newer = sql_get_id(&sql, 0);
    }
    enum status status = sql_end(&sql);
    if (status != STATUS_OK) {
        return status;
    }
    if (sibling) {
        return coalesce(store, evaluation, &newer);
    }
    sql = sql_begin(&store->writer, SQL_GIVE_BACK);
    sql_id(&sql, &evaluation->id);
    sql_int(&sql, again ? WORK_RECEIVED : evaluation->state);
    sql_int(&sql, reason);
    sql_text(&sql, detail);
    sql_int(&sql, not_before);
    status = sql_run(&sql, NULL);
    return status == STATUS_OK && again ? sql_follow_messages(store, &evaluation->id) : status;
}

/* All that `ids` names, given back as they are. */
static enum status give_back_all(struct sql_store *store, struct sql *sql)
{
    struct ids ids;
    enum status status = sql_take_ids(sql, store->scratch, &ids);
    for (size_t i = 0; status == STATUS_OK && i < ids.count; i++) {
        struct evaluation evaluation;
        status = sql_get_evaluation(&store->writer, store->scratch, &ids.at[i], &evaluation);
        if (status == STATUS_OK) {
            status = sql_give_back(store, &evaluation, REASON_NONE, SLICE_NONE, 0, false);
        }
    }
    return status;
}

/* ---- claims ---- */

static enum status take_messages(struct sql_store *store, struct arena *arena,
                                 const struct uuid *id, struct evaluation_claim *claim)
{
    enum { MESSAGES_MOST = 1000 };
    struct arena_mark mark = arena_mark(store->scratch);
    struct message *messages = ARENA_ARRAY(store->scratch, MESSAGES_MOST, struct message);
    struct sql sql = sql_begin(&store->writer, SQL_EVALUATION_MESSAGES);
    sql_id(&sql, id);
    size_t count = 0;
    while (count < MESSAGES_MOST && sql_row(&sql)) {
        messages[count++] = sql_take_message(&sql, arena);
    }
    enum status status = sql_end(&sql);
    struct message *kept = ARENA_ARRAY(arena, count, struct message);
    if (count != 0) {
        memcpy(kept, messages, count * sizeof *kept);
    }
    arena_rewind(store->scratch, mark);
    claim->messages = kept;
    claim->message_count = count;
    return status;
}

static enum status take_claim(struct sql_store *store, struct store_claim_evaluations *tx,
                              const struct uuid *id, struct evaluation_claim *claim)
{
    uint64_t fence;
    enum status status = sql_next_fence(store, &fence);
    if (status != STATUS_OK) {
        return status;
    }
    struct sql sql = sql_begin(&store->writer, SQL_CLAIM_EVALUATION);
    sql_id(&sql, id);
    sql_int(&sql, (int64_t)fence);
    sql_text(&sql, store->owner.len != 0 ? store->owner : tx->in.owner);
    sql_int(&sql, store->now + tx->in.lease_us);
    status = sql_run(&sql, NULL);
    if (status == STATUS_OK) {
        status = sql_get_evaluation(&store->writer, tx->tx.arena, id, &claim->evaluation);
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = take_messages(store, tx->tx.arena, id, claim);
    if (status == STATUS_OK && claim->evaluation.state == WORK_RESOLVED) {
        status =
            sql_read_record(store, &store->writer, tx->tx.arena, id, RECORD_FACTS, &claim->facts);
        if (status == STATUS_INVALID) { /* damaged facts are fetched again */
            claim->facts = SLICE_NONE;
            status = STATUS_OK;
        }
    }
    return status;
}

/* The first due evaluation of each patient, `most` of them. */
static enum status find_due(struct sql_store *store, const struct store_claim_evaluations *tx,
                            struct ids *due_out)
{
    enum { OTHERS = 8 }; /* a patient may have several visits due: look further than `most` */
    size_t room = tx->in.most;
    struct uuid *due = ARENA_ARRAY(store->scratch, room, struct uuid);
    struct slice *patients = ARENA_ARRAY(store->scratch, room, struct slice);
    size_t count = 0;
    struct sql sql = sql_begin(&store->writer, SQL_DUE_EVALUATIONS);
    sql_text(&sql, tx->in.ehr);
    sql_int(&sql, store->now);
    sql_int(&sql, (int64_t)(room * OTHERS));
    while (count < room && sql_row(&sql)) {
        struct slice patient = sql_get_text(&sql, 1);
        size_t same = 0;
        while (same < count && !slice_equal(patients[same], patient)) {
            same++;
        }
        if (same == count) {
            patients[count] = arena_copy(store->scratch, patient);
            due[count++] = sql_get_id(&sql, 0);
        }
    }
    *due_out = (struct ids){due, count};
    return sql_end(&sql);
}

enum status sql_claim_evaluations(struct sql_store *store, struct store_claim_evaluations *tx)
{
    struct ids due = {NULL, 0};
    if (tx->tx.arena == NULL || tx->in.ehr.len == 0 || tx->in.most == 0 || tx->in.most > 1000 ||
        tx->in.lease_us <= 0) {
        return STATUS_INVALID;
    }
    enum status status = sql_ring_timers(store, tx->in.ehr);
    if (status == STATUS_OK) {
        status = sql_sort(store, SORTED_MOST);
    }
    if (status == STATUS_OK) {
        struct sql sql = sql_begin(&store->writer, SQL_EXPIRED_EVALUATIONS);
        sql_int(&sql, store->now);
        status = give_back_all(store, &sql);
    }
    if (status == STATUS_OK) {
        status = find_due(store, tx, &due);
    }
    struct evaluation_claim *claims = ARENA_ARRAY(tx->tx.arena, due.count, struct evaluation_claim);
    for (size_t i = 0; status == STATUS_OK && i < due.count; i++) {
        status = take_claim(store, tx, &due.at[i], &claims[i]);
    }
    if (status == STATUS_OK) {
        tx->out.claims = claims;
        tx->out.count = due.count;
    }
    return status;
}

enum status sql_renew(struct sql_store *store, struct store_renew *tx)
{
    int changed = 0;
    struct sql sql =
        sql_begin(&store->writer, tx->in.change ? SQL_RENEW_CHANGE : SQL_RENEW_EVALUATION);
    sql_id(&sql, &tx->in.id);
    sql_int(&sql, (int64_t)tx->in.fence);
    sql_int(&sql, store->now + tx->in.lease_us);
    enum status status = sql_run(&sql, &changed);
    return status == STATUS_OK && changed == 0 ? STATUS_REFUSED : status;
}

enum status sql_release(struct sql_store *store, struct store_release *tx)
{
    struct evaluation evaluation;
    enum status status = sql_get_claim(store, &tx->in.evaluation, tx->in.fence, &evaluation);
    if (status == STATUS_OK) {
        status = sql_give_back(store, &evaluation, tx->in.reason, tx->in.detail, tx->in.not_before,
                               tx->in.again);
    }
    return status;
}

enum status sql_save_context(struct sql_store *store, struct store_save_context *tx)
{
    struct evaluation evaluation;
    enum status status = sql_get_claim(store, &tx->in.evaluation, tx->in.fence, &evaluation);
    if (status == STATUS_OK) {
        status = sql_put_record(store, &evaluation.id, RECORD_FACTS, tx->in.facts);
    }
    if (status == STATUS_OK) {
        struct sql sql = sql_begin(&store->writer, SQL_SET_RESOLVED);
        sql_id(&sql, &evaluation.id);
        status = sql_run(&sql, NULL);
    }
    if (status == STATUS_OK) {
        status = sql_follow_messages(store, &evaluation.id);
    }
    return status == STATUS_OK ? sql_add_trail(store, evaluation.ehr, tx->in.trail) : status;
}

/* ---- start ---- */

enum status sql_recover(struct sql_store *store)
{
    enum status status = STATUS_OK;
    for (uint64_t before = UINT64_MAX;
         status == STATUS_OK && sql_written(&store->writer) != before;) {
        before = sql_written(&store->writer); /* a hundred at a time */
        struct sql sql = sql_begin(&store->writer, SQL_CLAIMED_EVALUATIONS);
        sql_text(&sql, store->owner);
        status = give_back_all(store, &sql);
    }
    for (uint64_t before = UINT64_MAX;
         status == STATUS_OK && sql_written(&store->writer) != before;) {
        before = sql_written(&store->writer);
        status =
            sql_lose_claims(store, store->owner.len != 0 ? store->now : INT64_MAX, store->owner);
    }
    return status == STATUS_OK ? sql_recover_restored(store) : status;
}
