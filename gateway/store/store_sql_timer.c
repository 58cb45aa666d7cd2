/*
 * Timers: what a mapping waits for without a message. One waits in a row of its own; when it falls
 * due a message takes its place, in one transaction, and goes the way of all messages (S23).
 */
#include "gateway/store/store_sql.h"

struct due_timer {
    struct slice patient;
    struct slice visit;
    struct slice mapping;
    struct slice name;
    struct slice date;
    int64_t due;
};

/* ---- with a plan ---- */

static enum status remove_timer(struct sql_store *store, struct slice ehr,
                                const struct due_timer *timer)
{
    struct sql sql = sql_begin(&store->writer, SQL_REMOVE_TIMER);
    sql_text(&sql, ehr);
    sql_text(&sql, timer->patient);
    sql_text(&sql, timer->visit);
    sql_text(&sql, timer->mapping);
    sql_text(&sql, timer->name);
    return sql_run(&sql, NULL);
}

enum status sql_remove_timers(struct sql_store *store, struct slice ehr, struct slice patient,
                              struct slice visit)
{
    struct sql sql = sql_begin(&store->writer, SQL_REMOVE_TIMERS);
    sql_text(&sql, ehr);
    sql_text(&sql, patient);
    sql_text(&sql, visit);
    return sql_run(&sql, NULL);
}

/* What is due by the time of the evaluation was looked at in it, and waits no more. */
static bool still_waits(const struct evaluation *evaluation, const struct store_save_plan *tx,
                        struct slice mapping, struct slice name)
{
    for (size_t i = 0; i < tx->in.timer_count && slice_equal(mapping, tx->in.mapping); i++) {
        if (slice_equal(tx->in.timers[i].name, name)) {
            return tx->in.timers[i].due > evaluation->at;
        }
    }
    return false;
}

static enum status remove_void(struct sql_store *store, const struct evaluation *evaluation,
                               const struct store_save_plan *tx)
{
    enum { OF_VISIT_MOST = 256 };
    struct due_timer *old = ARENA_ARRAY(store->scratch, OF_VISIT_MOST, struct due_timer);
    size_t count = 0;
    struct sql sql = sql_begin(&store->writer, SQL_TIMERS_OF_VISIT);
    sql_text(&sql, evaluation->ehr);
    sql_text(&sql, evaluation->patient);
    sql_text(&sql, evaluation->visit);
    while (count < OF_VISIT_MOST && sql_row(&sql)) {
        old[count++] = (struct due_timer){.patient = evaluation->patient,
                                          .visit = evaluation->visit,
                                          .mapping = sql_copy_text(&sql, 0, store->scratch),
                                          .name = sql_copy_text(&sql, 1, store->scratch)};
    }
    enum status status = sql_end(&sql);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        if (!still_waits(evaluation, tx, old[i].mapping, old[i].name)) {
            status = remove_timer(store, evaluation->ehr, &old[i]);
        }
    }
    return status;
}

static enum status put_timer(struct sql_store *store, const struct evaluation *evaluation,
                             const struct store_save_plan *tx, const struct visit_timer *timer)
{
    struct sql sql = sql_begin(&store->writer, SQL_PUT_TIMER);
    sql_text(&sql, evaluation->ehr);
    sql_text(&sql, evaluation->patient);
    sql_text(&sql, evaluation->visit);
    sql_text(&sql, tx->in.mapping);
    sql_text(&sql, timer->name);
    sql_text(&sql, tx->in.visit_date);
    sql_int(&sql, timer->due);
    return sql_run(&sql, NULL);
}

enum status sql_set_timers(struct sql_store *store, const struct evaluation *evaluation,
                           const struct store_save_plan *tx)
{
    enum status status = remove_void(store, evaluation, tx);
    for (size_t i = 0; status == STATUS_OK && i < tx->in.timer_count; i++) {
        if (tx->in.timers[i].name.len == 0) {
            return STATUS_INVALID;
        }
        if (tx->in.timers[i].due > evaluation->at) {
            status = put_timer(store, evaluation, tx, &tx->in.timers[i]);
        }
    }
    return status;
}

/* ---- when they fall due ---- */

/* Names and dates are of letters, digits and hyphens (mapping/load_timers.c). */
static enum status ring(struct sql_store *store, struct slice ehr, const struct due_timer *timer)
{
    struct trigger trigger = {timer->patient, timer->visit};
    struct store_accept accept = STORE_TX(ACCEPT);
    accept.in.message.ehr = ehr;
    accept.in.message.kind = MESSAGE_TIMER;
    accept.in.message.sender = timer->mapping;
    accept.in.message.key =
        arena_printf(store->scratch, "timer/%.*s/%.*s/%.*s/%lld", SLICE_ARGS(timer->name),
                     SLICE_ARGS(timer->patient), SLICE_ARGS(timer->visit), (long long)timer->due);
    accept.in.message.payload =
        arena_printf(store->scratch, "{\"timer\":\"%.*s\",\"date\":\"%.*s\"}",
                     SLICE_ARGS(timer->name), SLICE_ARGS(timer->date));
    accept.in.key_is_body_hash = true; /* one that rang before makes the visit due again */
    accept.in.triggers = &trigger;
    accept.in.trigger_count = 1;
    enum status status = sql_accept(store, &accept);
    return status == STATUS_OK ? remove_timer(store, ehr, timer) : status;
}

enum status sql_ring_timers(struct sql_store *store, struct slice ehr)
{
    enum { AT_ONCE = 100 };
    struct sql_keys *keys = store->keys;
    struct due_timer *due = ARENA_ARRAY(store->scratch, AT_ONCE, struct due_timer);
    size_t count = 0;
    enum status status = store->lock_work != NULL ? store->lock_work(store) : STATUS_OK;
    if (status != STATUS_OK) {
        return status;
    }
    struct sql sql = sql_begin(&store->writer, SQL_DUE_TIMERS);
    sql_text(&sql, ehr);
    sql_int(&sql, store->now);
    while (count < AT_ONCE && sql_row(&sql)) {
        due[count++] = (struct due_timer){.patient = sql_copy_text(&sql, 0, store->scratch),
                                          .visit = sql_copy_text(&sql, 1, store->scratch),
                                          .mapping = sql_copy_text(&sql, 2, store->scratch),
                                          .name = sql_copy_text(&sql, 3, store->scratch),
                                          .date = sql_copy_text(&sql, 4, store->scratch),
                                          .due = sql_get_int(&sql, 5)};
    }
    status = sql_end(&sql);
    store->keys = NULL; /* the group knows those of its own messages alone */
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        status = ring(store, ehr, &due[i]);
    }
    store->keys = keys;
    return status;
}
