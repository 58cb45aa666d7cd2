/* d. What an evaluation came to: items, changes, and how both end together. */
#include "gateway/store/store_sql.h"

/* ---- the end of changes ---- */

/* Whether what waits for the change may go on: the resource stands in the EHR. */
static bool succeeded(enum row_state state, enum reason reason)
{
    return state == ROW_DELIVERED ||
           (state == ROW_DROPPED && (reason == REASON_UNCHANGED || reason == REASON_DUPLICATE));
}

static enum status end_one(struct sql_store *store, const struct uuid *change, enum row_state state,
                           enum reason reason, struct slice detail)
{
    struct sql sql = sql_begin(&store->writer, SQL_END_CHANGE);
    sql_id(&sql, change);
    sql_int(&sql, state);
    sql_int(&sql, reason);
    sql_text(&sql, detail);
    sql_int(&sql, succeeded(state, reason));
    sql_int(&sql, store->now);
    return sql_run(&sql, NULL);
}

/* Why a change ends that waits for one that ended so. */
static enum reason reason_behind(enum reason reason)
{
    return reason == REASON_SUPERSEDED || reason == REASON_SHADOW ? reason : REASON_PREDECESSOR;
}

/* What waits for a dependent waits for the first as well, because `after` bounds the order: one
 * level reaches all. */
enum status sql_end_change(struct sql_store *store, const struct uuid *change, enum row_state state,
                           enum reason reason, struct slice detail)
{
    struct uuid evaluation = UUID_NONE;
    int64_t order = 0;
    struct ids waiting = {NULL, 0};
    enum status status = end_one(store, change, state, reason, detail);
    if (status != STATUS_OK || succeeded(state, reason)) {
        return status;
    }
    struct sql sql = sql_begin(&store->writer, SQL_READ_CLAIM);
    sql_id(&sql, change);
    if (sql_row(&sql)) {
        evaluation = sql_get_id(&sql, 2);
        order = sql_get_int(&sql, 4);
    }
    status = sql_end(&sql);
    if (status == STATUS_OK) {
        sql = sql_begin(&store->writer, SQL_DEPENDENTS);
        sql_id(&sql, &evaluation);
        sql_int(&sql, order);
        status = sql_take_ids(&sql, store->scratch, &waiting);
    }
    for (size_t i = 0; status == STATUS_OK && i < waiting.count; i++) {
        status = end_one(store, &waiting.at[i], state, reason_behind(reason), detail);
    }
    return status;
}

enum status sql_end_if_stuck(struct sql_store *store, const struct uuid *change)
{
    enum row_state state = ROW_DROPPED;
    enum reason reason = REASON_NONE;
    struct slice detail = SLICE_NONE;
    struct sql sql = sql_begin(&store->writer, SQL_FAILED_PREDECESSOR);
    sql_id(&sql, change);
    bool stuck = sql_row(&sql);
    if (stuck) {
        state = (enum row_state)sql_get_int(&sql, 0);
        reason = (enum reason)sql_get_int(&sql, 1);
        detail = sql_copy_text(&sql, 2, store->scratch);
    }
    enum status status = sql_end(&sql);
    if (status != STATUS_OK || !stuck) {
        return status;
    }
    return sql_end_change(store, change, state, reason_behind(reason), detail);
}

/* ---- the end of an evaluation ---- */

struct summary {
    size_t open;
    enum row_state state; /* of the change that decides */
    enum reason reason;
    struct slice detail;
    int weight;
};

/* S7: held before handed over before dropped by a rule before done. */
static int weight_of(enum row_state state, enum reason reason)
{
    switch (state) {
    case ROW_HELD:
        return 5;
    case ROW_HANDED_OVER:
        return 4;
    case ROW_DROPPED:
        return reason_none_needed(reason) ? 1 : 3;
    case ROW_DELIVERED:
        return 2;
    case ROW_PENDING:
    case ROW_SCHEDULED:
    case ROW_IN_FLIGHT:
    case ROW_UNKNOWN:
        break;
    }
    return 0;
}

static enum status summarize(struct sql_store *store, const struct uuid *evaluation,
                             struct summary *summary)
{
    struct sql sql = sql_begin(&store->writer, SQL_ROW_STATES);
    sql_id(&sql, evaluation);
    *summary = (struct summary){0};
    while (sql_row(&sql)) {
        enum row_state state = (enum row_state)sql_get_int(&sql, 0);
        enum reason reason = (enum reason)sql_get_int(&sql, 1);
        summary->open += !row_state_is_end(state);
        if (weight_of(state, reason) > summary->weight) {
            summary->weight = weight_of(state, reason);
            summary->state = state;
            summary->reason = reason;
            summary->detail = sql_copy_text(&sql, 2, store->scratch);
        }
    }
    return sql_end(&sql);
}

static enum work_state end_of(const struct summary *summary)
{
    if (summary->state == ROW_HELD) {
        return WORK_HELD;
    }
    if (summary->state == ROW_HANDED_OVER) {
        return WORK_HANDED_OVER;
    }
    return summary->state == ROW_DROPPED && !reason_none_needed(summary->reason) ? WORK_DROPPED
                                                                                 : WORK_DONE;
}

/*
 * An evaluation that comes to an end of its own and takes earlier drafts back is planned until that
 * is done. What it came to is kept as its reason, and counts as one more change does.
 */
static bool verdict_of(enum reason reason, enum row_state *state_out)
{
    switch (reason) {
    case REASON_SAFETY:
    case REASON_FETCH_FAILED:
    case REASON_INCOMPLETE:
        *state_out = ROW_HELD;
        return true;
    case REASON_NO_TEMPLATE:
    case REASON_REVIEW:
    case REASON_TIMER:
        *state_out = ROW_HANDED_OVER;
        return true;
    case REASON_RULE:
    case REASON_DECLINED:
    case REASON_NOT_ELIGIBLE:
        *state_out = ROW_DROPPED;
        return true;
    default:
        return false;
    }
}

static void add_verdict(const struct evaluation *evaluation, struct summary *summary)
{
    enum row_state state;
    if (verdict_of(evaluation->reason, &state) &&
        weight_of(state, evaluation->reason) >= summary->weight) {
        summary->state = state;
        summary->reason = evaluation->reason;
        summary->detail = evaluation->detail;
    }
}

enum status sql_settle_evaluation(struct sql_store *store, const struct uuid *id, bool *ended_out)
{
    struct evaluation evaluation;
    struct summary summary;
    enum status status = sql_get_evaluation(&store->writer, store->scratch, id, &evaluation);
    if (status == STATUS_OK) {
        status = summarize(store, id, &summary);
    }
    if (status != STATUS_OK) {
        return status;
    }
    *ended_out = evaluation.state == WORK_PLANNED && summary.open == 0;
    if (!*ended_out) {
        return STATUS_OK;
    }
    add_verdict(&evaluation, &summary);
    enum reason reason = summary.state == ROW_DELIVERED ? REASON_DELIVERED : summary.reason;
    return sql_set_evaluation(store, &evaluation, end_of(&summary), reason, summary.detail);
}

/* ---- saving a plan ---- */

/* Ends what is not sent yet of others, and settles their evaluations. */
static enum status supersede(struct sql_store *store, struct sql *unsent)
{
    struct ids changes;
    bool ended;
    enum status status = sql_take_ids(unsent, store->scratch, &changes);
    for (size_t i = 0; status == STATUS_OK && i < changes.count; i++) {
        struct change change;
        status = sql_get_change(store, &store->writer, store->scratch, &changes.at[i], &change);
        if (status == STATUS_OK && !row_state_is_end(change.state)) {
            status = sql_end_change(store, &change.id, ROW_DROPPED, REASON_SUPERSEDED, SLICE_NONE);
        }
        if (status == STATUS_OK) {
            status = sql_settle_evaluation(store, &change.evaluation, &ended);
        }
    }
    return status;
}

static enum status supersede_visit(struct sql_store *store, const struct evaluation *evaluation)
{
    struct sql sql = sql_begin(&store->writer, SQL_UNSENT_OF_VISIT);
    sql_text(&sql, evaluation->ehr);
    sql_text(&sql, evaluation->patient);
    sql_text(&sql, evaluation->visit);
    sql_id(&sql, &evaluation->id);
    return supersede(store, &sql);
}

static enum status supersede_item(struct sql_store *store, const struct evaluation *evaluation,
                                  const struct uuid *item)
{
    struct sql sql = sql_begin(&store->writer, SQL_UNSENT_OF_ITEM);
    sql_id(&sql, item);
    sql_id(&sql, &evaluation->id);
    return supersede(store, &sql);
}

/* S10: an identifier is stored once and never another one for the same key. */
static enum status upsert_item(struct sql_store *store, const struct evaluation *evaluation,
                               const struct item *item, struct uuid *row_out)
{
    const struct item_key *key = &item->of;
    struct uuid stored = UUID_NONE;
    struct uuid row = UUID_NONE;
    if (key->episode == 0 || uuid_is_none(item->identifier) || key->key.len == 0) {
        return STATUS_INVALID;
    }
    struct sql sql = sql_begin(&store->writer, SQL_ITEM_BY_KEY);
    sql_text(&sql, evaluation->ehr);
    sql_text(&sql, evaluation->patient);
    sql_text(&sql, key->mapping);
    sql_text(&sql, key->plan);
    sql_text(&sql, key->key);
    sql_int(&sql, key->episode);
    bool found = sql_row(&sql);
    if (found) {
        row = sql_get_id(&sql, 0);
        stored = sql_get_uuid(&sql, 12);
    }
    enum status status = sql_end(&sql);
    if (status != STATUS_OK) {
        return status;
    }
    if (found) {
        *row_out = row;
        return uuid_equal(stored, item->identifier) ? STATUS_OK : STATUS_REFUSED;
    }
    row = sql_new_id(store);
    sql = sql_begin(&store->writer, SQL_ADD_ITEM);
    sql_id(&sql, &row);
    sql_uuid(&sql, &item->identifier);
    sql_text(&sql, evaluation->ehr);
    sql_text(&sql, evaluation->patient);
    sql_text(&sql, key->mapping);
    sql_text(&sql, key->plan);
    sql_text(&sql, key->key);
    sql_int(&sql, key->episode);
    sql_text(&sql, item->resource_type);
    int added = 0;
    status = sql_run(&sql, &added); /* done, not on its way: its failure has a meaning */
    *row_out = row;
    return status == STATUS_INVALID ? STATUS_REFUSED
                                    : status; /* the identifier is another item's */
}

static enum status add_change(struct sql_store *store, const struct evaluation *evaluation,
                              const struct change *change, const struct uuid *item)
{
    struct uuid id = sql_new_id(store);
    bool ended = change->state == ROW_DROPPED || change->state == ROW_HELD ||
                 change->state == ROW_HANDED_OVER;
    if (change->order == 0 || change->after >= change->order ||
        (!ended && change->state != ROW_PENDING)) {
        return STATUS_INVALID;
    }
    struct sql sql = sql_begin(&store->writer, SQL_ADD_CHANGE);
    sql_id(&sql, &id);
    sql_text(&sql, evaluation->ehr);
    sql_text(&sql, evaluation->patient);
    sql_text(&sql, evaluation->visit);
    sql_id(&sql, &evaluation->id);
    sql_int(&sql, change->kind);
    sql_id(&sql, item);
    sql_int(&sql, change->order);
    sql_int(&sql, change->after);
    sql_int(&sql, change->not_before);
    sql_int(&sql, change->expires);
    enum status status = sql_run(&sql, NULL);
    if (status == STATUS_OK) {
        status = sql_add_record(store, &id, RECORD_BODY, change->body);
    }
    if (status == STATUS_OK && ended) {
        status = end_one(store, &id, change->state, change->reason, change->detail);
    }
    return status;
}

enum status sql_add_changes(struct sql_store *store, const struct evaluation *evaluation,
                            const struct change *changes, size_t count)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        const struct change *change = &changes[i];
        struct uuid item;
        status = upsert_item(store, evaluation, &change->item, &item);
        if (status == STATUS_OK) {
            status = supersede_item(store, evaluation, &item);
        }
        if (status == STATUS_OK) {
            status = add_change(store, evaluation, change, &item);
        }
    }
    return status;
}

static enum status note_items(struct sql_store *store, const struct store_save_plan *tx)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < tx->in.item_count; i++) {
        struct sql sql = sql_begin(&store->writer, SQL_NOTE_LIFE);
        sql_uuid(&sql, &tx->in.items[i].identifier);
        sql_int(&sql, tx->in.items[i].life);
        status = sql_run(&sql, NULL);
    }
    return status;
}

static enum status save_mapping(struct sql_store *store, const struct store_save_plan *tx)
{
    struct sql sql = sql_begin(&store->writer, SQL_SET_MAPPING);
    sql_id(&sql, &tx->in.evaluation);
    sql_text(&sql, tx->in.mapping);
    sql_text(&sql, tx->in.mapping_version);
    sql_text(&sql, tx->in.mapping_hash);
    enum status status = sql_run(&sql, NULL);
    if (status == STATUS_OK && tx->in.facts.len != 0) {
        status = sql_put_record(store, &tx->in.evaluation, RECORD_FACTS, tx->in.facts);
    }
    if (status == STATUS_OK && tx->in.trace.len != 0) {
        status = sql_put_record(store, &tx->in.evaluation, RECORD_TRACE, tx->in.trace);
    }
    return status;
}

enum status sql_save_plan(struct sql_store *store, struct store_save_plan *tx)
{
    struct evaluation evaluation;
    bool ended = false;
    enum row_state verdict;
    bool planned = tx->in.outcome == WORK_PLANNED || tx->in.change_count != 0;
    enum work_state state = planned ? WORK_PLANNED : tx->in.outcome;
    if (tx->in.outcome != WORK_PLANNED &&
        (!work_state_is_end(tx->in.outcome) || (planned && !verdict_of(tx->in.reason, &verdict)))) {
        return STATUS_INVALID;
    }
    enum status status = sql_get_claim(store, &tx->in.evaluation, tx->in.fence, &evaluation);
    if (status == STATUS_OK) {
        status = supersede_visit(store, &evaluation);
    }
    if (status == STATUS_OK) {
        status = note_items(store, tx);
    }
    if (status == STATUS_OK) {
        status = sql_add_changes(store, &evaluation, tx->in.changes, tx->in.change_count);
    }
    if (status == STATUS_OK) {
        status = save_mapping(store, tx);
    }
    if (status == STATUS_OK && !tx->in.keeps_timers) {
        status = sql_set_timers(store, &evaluation, tx);
    }
    if (status == STATUS_OK && planned && tx->in.change_count == 0) {
        status = sql_set_evaluation(store, &evaluation, WORK_DONE, REASON_UNCHANGED, tx->in.detail);
        tx->out.state = WORK_DONE;
    } else if (status == STATUS_OK) {
        status = sql_set_evaluation(store, &evaluation, state, tx->in.reason, tx->in.detail);
        tx->out.state = state;
    }
    if (status == STATUS_OK && planned && tx->in.change_count != 0) {
        status = sql_settle_evaluation(store, &evaluation.id, &ended);
    }
    if (status == STATUS_OK && ended) {
        status =
            sql_get_evaluation(&store->writer, store->scratch, &tx->in.evaluation, &evaluation);
        tx->out.state = evaluation.state;
    }
    return status == STATUS_OK ? sql_add_trail(store, evaluation.ehr, tx->in.trail) : status;
}
