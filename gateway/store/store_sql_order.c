/* What people order: plans of their own, and the recall of what a mapping version left unsent. */
#include "gateway/store/store_sql.h"

static enum status add_trail(struct sql_store *store, struct slice ehr, struct uuid subject,
                             struct slice patient, struct slice what, struct slice by,
                             struct slice why)
{
    struct trail_line line = {
        .what = what,
        .subject = subject,
        .patient = patient,
        .body = arena_printf(store->scratch, "by %.*s\n%.*s", SLICE_ARGS(by), SLICE_ARGS(why))};
    return sql_add_trail(store, ehr, (struct trail_lines){&line, 1});
}

static enum status decline(struct sql_store *store, const struct store_order *tx)
{
    struct sql sql = sql_begin(&store->writer, SQL_PUT_DECLINED);
    sql_text(&sql, tx->in.ehr);
    sql_text(&sql, tx->in.patient);
    sql_text(&sql, tx->in.mapping);
    sql_int(&sql, tx->in.declined_until);
    sql_text(&sql, tx->in.by);
    sql_int(&sql, store->now);
    return sql_run(&sql, NULL);
}

enum status sql_order(struct sql_store *store, struct store_order *tx)
{
    if (tx->in.ehr.len == 0 || tx->in.patient.len == 0 || tx->in.change_count == 0) {
        return STATUS_INVALID;
    }
    struct evaluation evaluation = {.id = sql_new_id(store),
                                    .ehr = tx->in.ehr,
                                    .patient = tx->in.patient,
                                    .visit = tx->in.visit};
    struct sql sql = sql_begin(&store->writer, SQL_ADD_ORDER);
    sql_id(&sql, &evaluation.id);
    sql_text(&sql, tx->in.ehr);
    sql_text(&sql, tx->in.patient);
    sql_text(&sql, tx->in.visit);
    sql_int(&sql, store->now);
    enum status status = sql_run(&sql, NULL);
    if (status == STATUS_OK) {
        status = sql_add_changes(store, &evaluation, tx->in.changes, tx->in.change_count);
    }
    if (status == STATUS_OK && tx->in.mapping.len != 0) {
        status = decline(store, tx);
    }
    if (status == STATUS_OK && tx->in.ends_timers) {
        status = sql_remove_timers(store, tx->in.ehr, tx->in.patient, tx->in.visit);
    }
    for (size_t i = 0; status == STATUS_OK && i < tx->in.trail.count; i++) {
        struct trail_line line = tx->in.trail.at[i];
        line.subject = evaluation.id; /* it had none before this transaction */
        status = sql_add_trail(store, tx->in.ehr, (struct trail_lines){&line, 1});
    }
    tx->out.evaluation = evaluation.id;
    return status == STATUS_OK ? add_trail(store, tx->in.ehr, evaluation.id, tx->in.patient,
                                           tx->in.what, tx->in.by, tx->in.why)
                               : status;
}

static enum status drop(struct sql_store *store, const struct uuid *id)
{
    struct change change;
    bool ended;
    enum status status = sql_get_change(store, &store->writer, store->scratch, id, &change);
    if (status == STATUS_OK && !row_state_is_end(change.state)) {
        status = sql_end_change(store, id, ROW_DROPPED, REASON_RECALLED, SLICE_NONE);
    }
    return status == STATUS_OK ? sql_settle_evaluation(store, &change.evaluation, &ended) : status;
}

enum status sql_recall(struct sql_store *store, struct store_recall *tx)
{
    struct ids unsent = {NULL, 0};
    tx->out.dropped = 0;
    if (tx->in.ehr.len == 0 || tx->in.mapping.len == 0 || tx->in.version.len == 0) {
        return STATUS_INVALID;
    }
    struct sql sql = sql_begin(&store->writer, SQL_UNSENT_OF_VERSION);
    sql_text(&sql, tx->in.ehr);
    sql_text(&sql, tx->in.mapping);
    sql_text(&sql, tx->in.version);
    enum status status = sql_take_ids(&sql, store->scratch, &unsent);
    for (size_t i = 0; status == STATUS_OK && i < unsent.count; i++) {
        status = drop(store, &unsent.at[i]);
    }
    tx->out.dropped = unsent.count;
    struct slice why = arena_printf(store->scratch, "%.*s@%.*s", SLICE_ARGS(tx->in.mapping),
                                    SLICE_ARGS(tx->in.version));
    return status == STATUS_OK && unsent.count != 0
               ? add_trail(store, tx->in.ehr, UUID_NONE, SLICE_NONE, SLICE("recalled-unsent"),
                           tx->in.by, why)
               : status;
}
