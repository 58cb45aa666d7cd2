/* g, h. Polls, subscriptions, capabilities, patients, switches, EHRs; and retention. */
#include "gateway/store/store_sql.h"

static bool named(struct slice ehr, struct slice name)
{
    return ehr.len != 0 && name.len != 0;
}

enum status sql_poll_due(struct sql_store *store, struct store_poll_due *tx)
{
    struct sql sql = sql_begin(&store->writer, SQL_POLL_DUE);
    sql_text(&sql, tx->in.ehr);
    sql_text(&sql, tx->in.name);
    return named(tx->in.ehr, tx->in.name) ? sql_run(&sql, NULL) : STATUS_INVALID;
}

enum status sql_save_poll(struct sql_store *store, struct store_save_poll *tx)
{
    if (!named(tx->in.ehr, tx->in.name)) {
        return STATUS_INVALID;
    }
    struct sql sql = sql_begin(&store->writer, tx->in.done ? SQL_POLL_DONE : SQL_POLL_FAILED);
    sql_text(&sql, tx->in.ehr);
    sql_text(&sql, tx->in.name);
    if (tx->in.done) {
        sql_int(&sql, tx->in.watermark);
        sql_int(&sql, (int64_t)tx->in.asked);
    }
    sql_int(&sql, store->now);
    sql_text(&sql, tx->in.error);
    return sql_run(&sql, NULL);
}

enum status sql_save_subscription(struct sql_store *store, struct store_save_subscription *tx)
{
    if (!named(tx->in.ehr, tx->in.name)) {
        return STATUS_INVALID;
    }
    struct sql sql = sql_begin(&store->writer, SQL_PUT_SUBSCRIPTION);
    sql_text(&sql, tx->in.ehr);
    sql_text(&sql, tx->in.name);
    sql_text(&sql, tx->in.ehr_id);
    sql_text(&sql, tx->in.status);
    sql_text(&sql, tx->in.error);
    sql_int(&sql, store->now);
    return sql_run(&sql, NULL);
}

enum status sql_save_capability(struct sql_store *store, struct store_save_capability *tx)
{
    if (tx->in.ehr.len == 0) {
        return STATUS_INVALID;
    }
    struct slice record = SLICE_NONE;
    enum status status = record_pack(store->scratch, &store->seal, tx->in.ehr, RECORD_CAPABILITY,
                                     tx->in.body, &record);
    if (status != STATUS_OK) {
        return status;
    }
    struct sql sql = sql_begin(&store->writer, SQL_PUT_CAPABILITY);
    sql_text(&sql, tx->in.ehr);
    sql_text(&sql, tx->in.etag);
    sql_int(&sql, store->now);
    sql_blob(&sql, record);
    return sql_run(&sql, NULL);
}

static enum status relink(struct sql_store *store, const struct store_save_patient *tx)
{
    int64_t episodes = 0;
    int moved = 0;
    struct sql sql = sql_begin(&store->writer, SQL_LAST_EPISODE);
    sql_text(&sql, tx->in.ehr);
    sql_text(&sql, tx->in.merged_into);
    if (sql_row(&sql)) {
        episodes = sql_get_int(&sql, 0);
    }
    enum status status = sql_end(&sql);
    if (status == STATUS_OK) {
        sql = sql_begin(&store->writer, SQL_RELINK_ITEMS);
        sql_text(&sql, tx->in.ehr);
        sql_text(&sql, tx->in.patient);
        sql_text(&sql, tx->in.merged_into);
        sql_int(&sql, episodes);
        status = sql_run(&sql, &moved);
    }
    struct trail_line line = {
        .what = SLICE("re-linked"),
        .patient = tx->in.merged_into,
        .body = arena_printf(store->scratch, "from %.*s", SLICE_ARGS(tx->in.patient))};
    return status == STATUS_OK && moved != 0
               ? sql_add_trail(store, tx->in.ehr, (struct trail_lines){&line, 1})
               : status;
}

enum status sql_save_patient(struct sql_store *store, struct store_save_patient *tx)
{
    bool merged = tx->in.merged_into.len != 0;
    if (!named(tx->in.ehr, tx->in.patient) || slice_equal(tx->in.patient, tx->in.merged_into)) {
        return STATUS_INVALID;
    }
    struct sql sql = sql_begin(&store->writer, SQL_PUT_PATIENT);
    sql_text(&sql, tx->in.ehr);
    sql_text(&sql, tx->in.patient);
    sql_text(&sql, tx->in.merged_into);
    sql_int(&sql, store->now);
    enum status status = sql_run(&sql, NULL);
    return status == STATUS_OK && merged ? relink(store, tx) : status;
}

struct slice sql_trail_by(struct sql_store *store, struct slice by, struct slice why)
{
    return arena_printf(store->scratch, "by %.*s\n%.*s", SLICE_ARGS(by), SLICE_ARGS(why));
}

enum status sql_set_switch(struct sql_store *store, struct store_set_switch *tx)
{
    if (tx->in.name.len == 0) {
        return STATUS_INVALID;
    }
    struct sql sql = sql_begin(&store->writer, SQL_PUT_SWITCH);
    sql_text(&sql, tx->in.ehr);
    sql_text(&sql, tx->in.name);
    sql_int(&sql, tx->in.on);
    sql_text(&sql, tx->in.by);
    sql_text(&sql, tx->in.why);
    sql_int(&sql, store->now);
    enum status status = sql_run(&sql, NULL);
    struct trail_line line = {.what =
                                  arena_printf(store->scratch, "%.*s %s", SLICE_ARGS(tx->in.name),
                                               tx->in.on ? "on" : "off"),
                              .body = sql_trail_by(store, tx->in.by, tx->in.why)};
    return status == STATUS_OK ? sql_add_trail(store, tx->in.ehr, (struct trail_lines){&line, 1})
                               : status;
}

enum status sql_bind_ehr(struct sql_store *store, struct store_bind_ehr *tx)
{
    bool other = false;
    struct sql sql = sql_begin(&store->writer, SQL_FIND_EHR);
    sql_text(&sql, tx->in.ehr);
    if (sql_row(&sql)) {
        struct slice known = sql_get_text(&sql, 0);
        other = known.len != 0 && !slice_equal(known, tx->in.base_url);
    }
    enum status status = sql_end(&sql);
    if (tx->in.ehr.len == 0 || tx->in.base_url.len == 0) {
        status = STATUS_INVALID;
    }
    if (status == STATUS_OK && other) {
        status = STATUS_REFUSED;
    }
    if (status == STATUS_OK) {
        sql = sql_begin(&store->writer, SQL_BIND_EHR);
        sql_text(&sql, tx->in.ehr);
        sql_text(&sql, tx->in.base_url);
        status = sql_run(&sql, NULL);
    }
    return status;
}

enum status sql_note_ehr(struct sql_store *store, struct store_note_ehr *tx)
{
    if (tx->in.ehr.len == 0) {
        return STATUS_INVALID;
    }
    struct sql sql = sql_begin(&store->writer, SQL_NOTE_EHR);
    sql_text(&sql, tx->in.ehr);
    sql_text(&sql, tx->in.error);
    sql_text(&sql, tx->in.advice);
    sql_int(&sql, store->now);
    return sql_run(&sql, NULL);
}

/* ---- retention ---- */

static enum status run_id(struct sql_store *store, enum sql_id statement, const struct uuid *id)
{
    struct sql sql = sql_begin(&store->writer, statement);
    sql_id(&sql, id);
    return sql_run(&sql, NULL);
}

static enum status find_old(struct sql_store *store, enum sql_id statement, enum work_state state,
                            int64_t before, size_t most, struct ids *ids)
{
    struct sql sql = sql_begin(&store->writer, statement);
    sql_int(&sql, state);
    sql_int(&sql, before);
    sql_int(&sql, (int64_t)most);
    return sql_take_ids(&sql, store->scratch, ids);
}

static enum status remove_message(struct sql_store *store, const struct uuid *id)
{
    enum status status = run_id(store, SQL_REMOVE_TRIGGERED, id);
    if (status == STATUS_OK) {
        status = run_id(store, SQL_REMOVE_INBOX, id);
    }
    if (status == STATUS_OK) {
        status = run_id(store, SQL_REMOVE_LATEST, id);
    }
    return status == STATUS_OK ? run_id(store, SQL_REMOVE_MESSAGE, id) : status;
}

/* Items stay: they know what stands in the EHR. So does the trail. */
static enum status remove_evaluation(struct sql_store *store, const struct uuid *id)
{
    struct ids changes;
    struct sql sql = sql_begin(&store->writer, SQL_CHANGES_OF);
    sql_id(&sql, id);
    enum status status = sql_take_ids(&sql, store->scratch, &changes);
    for (size_t i = 0; status == STATUS_OK && i < changes.count; i++) {
        static const enum sql_id steps[] = {SQL_REMOVE_ATTEMPTS, SQL_REMOVE_RECORDS,
                                            SQL_REMOVE_CHANGE};
        for (size_t j = 0; status == STATUS_OK && j < sizeof steps / sizeof *steps; j++) {
            status = run_id(store, steps[j], &changes.at[i]);
        }
    }
    if (status == STATUS_OK) {
        status = run_id(store, SQL_REMOVE_RECORDS, id);
    }
    return status == STATUS_OK ? run_id(store, SQL_REMOVE_EVALUATION, id) : status;
}

static enum status retain_state(struct sql_store *store, struct store_retain *tx,
                                enum work_state state, int64_t before)
{
    struct ids old = {NULL, 0};
    size_t room = tx->in.most - tx->out.removed;
    enum status status =
        room != 0 ? find_old(store, SQL_OLD_MESSAGES, state, before, room, &old) : STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < old.count; i++) {
        status = remove_message(store, &old.at[i]);
    }
    tx->out.removed += old.count;
    room -= old.count;
    old.count = 0;
    if (status == STATUS_OK && room != 0) {
        status = find_old(store, SQL_OLD_EVALUATIONS, state, before, room, &old);
    }
    for (size_t i = 0; status == STATUS_OK && i < old.count; i++) {
        status = remove_evaluation(store, &old.at[i]);
    }
    tx->out.removed += old.count;
    return status;
}

enum status sql_retain(struct sql_store *store, struct store_retain *tx)
{
    tx->out.removed = 0;
    if (tx->in.most == 0 || tx->in.most > 1000) {
        return STATUS_INVALID;
    }
    enum status status = retain_state(store, tx, WORK_DONE, tx->in.done_before);
    if (status == STATUS_OK) {
        status = retain_state(store, tx, WORK_DROPPED, tx->in.done_before);
    }
    if (status == STATUS_OK) {
        status = retain_state(store, tx, WORK_HANDED_OVER, tx->in.handed_over_before);
    }
    return status;
}

enum status sql_probe(struct sql_store *store, struct store_probe *tx)
{
    struct sql sql = sql_begin(&store->writer, SQL_PROBE);
    (void)tx;
    return sql_run(&sql, NULL);
}
