/*
 * Sorting: what was appended to `message` becomes due visits. Accepting only appends, so that the
 * answer costs one row and one key; the visits follow when work is claimed next, in the order of
 * arrival and with the times of arrival. Many messages of one visit then cost one search each, and
 * a crash in between costs nothing: meta.sorted says how far it came (S3).
 */
#include "gateway/store/store_sql.h"

enum { UNIT = 0x1f, RECORD_SEPARATOR = 0x1e }; /* between patient and visit; behind each pair */

static bool is_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        if ((unsigned char)name.at[i] < 0x20) {
            return false;
        }
    }
    return name.len != 0;
}

bool sql_write_triggers(struct buf *out, const struct trigger *triggers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_name(triggers[i].patient) || !is_name(triggers[i].visit)) {
            return false;
        }
        buf_add_slice(out, triggers[i].patient);
        buf_add_char(out, UNIT);
        buf_add_slice(out, triggers[i].visit);
        buf_add_char(out, RECORD_SEPARATOR);
    }
    return true;
}

/* ---- one visit ---- */

static enum status add_evaluation(struct sql_store *store, const struct visit *visit,
                                  const struct uuid *id)
{
    struct sql sql = sql_begin(&store->writer, SQL_ADD_EVALUATION);
    sql_id(&sql, id);
    sql_text(&sql, visit->ehr);
    sql_text(&sql, visit->patient);
    sql_text(&sql, visit->visit);
    sql_int(&sql, visit->at);
    sql_int(&sql, visit->settle);
    sql_int(&sql, visit->settle_most);
    return sql_run(&sql, NULL);
}

/* Facts that were saved are of before this message: they are fetched again. */
static enum status requeue(struct sql_store *store, const struct visit *visit,
                           const struct uuid *id, bool resolved)
{
    struct sql sql = sql_begin(&store->writer, SQL_REQUEUE_EVALUATION);
    sql_id(&sql, id);
    sql_int(&sql, visit->at);
    sql_int(&sql, visit->settle);
    sql_int(&sql, visit->settle_most);
    enum status status = sql_run(&sql, NULL);
    return status == STATUS_OK && resolved ? sql_follow_messages(store, id) : status;
}

enum status sql_queue_visit(struct sql_store *store, const struct visit *visit,
                            const struct uuid *message)
{
    struct uuid evaluation = UUID_NONE;
    bool resolved = false;
    struct sql sql = sql_begin(&store->writer, SQL_WAITING_SIBLING);
    sql_text(&sql, visit->ehr);
    sql_text(&sql, visit->patient);
    sql_text(&sql, visit->visit);
    bool waits = sql_row(&sql);
    if (waits) {
        evaluation = sql_get_id(&sql, 0);
        resolved = sql_get_int(&sql, 1) == WORK_RESOLVED;
    }
    enum status status = sql_end(&sql);
    if (status == STATUS_OK && waits) {
        status = requeue(store, visit, &evaluation, resolved);
    } else if (status == STATUS_OK) {
        evaluation = sql_new_id(store);
        status = add_evaluation(store, visit, &evaluation);
    }
    if (status == STATUS_OK) {
        sql = sql_begin(&store->writer, SQL_ADD_TRIGGERED);
        sql_id(&sql, &evaluation);
        sql_id(&sql, message);
        status = sql_run(&sql, NULL);
    }
    return status;
}

/* ---- what was appended ---- */

struct unsorted {
    struct uuid id;
    struct visit visit; /* patient and visit are not set */
    struct slice triggers;
};

enum status sql_queue_triggers(struct sql_store *store, const struct visit *when,
                               struct slice triggers, const struct uuid *message)
{
    enum status status = STATUS_OK;
    struct slice trigger;
    while (status == STATUS_OK && slice_cut(&triggers, RECORD_SEPARATOR, &trigger)) {
        struct visit visit = *when;
        if (trigger.len == 0) {
            break; /* behind the last */
        }
        slice_cut(&trigger, UNIT, &visit.patient);
        visit.visit = trigger;
        status = sql_queue_visit(store, &visit, message);
    }
    return status;
}

/* One that ended at once has its row of the inbox already. */
static enum status sort_one(struct sql_store *store, const struct unsorted *message)
{
    if (message->triggers.len == 0) {
        return STATUS_OK;
    }
    struct sql sql = sql_begin(&store->writer, SQL_ADD_INBOX);
    sql_id(&sql, &message->id);
    sql_text(&sql, message->visit.ehr);
    sql_int(&sql, WORK_RECEIVED);
    sql_int(&sql, REASON_NONE);
    sql_int(&sql, 0);
    enum status status = sql_run(&sql, NULL);
    if (status == STATUS_OK) {
        sql = sql_begin(&store->writer, SQL_SET_LATEST);
        sql_id(&sql, &message->id);
        status = sql_run(&sql, NULL);
    }
    return status == STATUS_OK
               ? sql_queue_triggers(store, &message->visit, message->triggers, &message->id)
               : status;
}

static enum status set_sorted(struct sql_store *store, const struct uuid *last)
{
    struct sql sql = sql_begin(&store->writer, SQL_SET_SORTED);
    sql_id(&sql, last);
    return sql_run(&sql, NULL);
}

enum status sql_sort(struct sql_store *store, size_t most)
{
    enum { AT_ONCE = 256 };
    const bool each = store->writer.driver->many_nodes; /* not one line behind which all is new */
    /* An accept that has to know what came before sorts too, and its group has no lock yet. */
    enum status status = store->lock_work != NULL ? store->lock_work(store) : STATUS_OK;
    size_t count = AT_ONCE;
    for (size_t sorted = 0; status == STATUS_OK && count == AT_ONCE && sorted < most;
         sorted += count) {
        struct arena_mark mark = arena_mark(store->scratch);
        struct unsorted *messages = ARENA_ARRAY(store->scratch, AT_ONCE, struct unsorted);
        struct sql sql = sql_begin(&store->writer, SQL_UNSORTED);
        sql_int(&sql, AT_ONCE);
        for (count = 0; count < AT_ONCE && sql_row(&sql); count++) {
            messages[count].id = sql_get_id(&sql, 0);
            messages[count].visit = (struct visit){.ehr = sql_copy_text(&sql, 1, store->scratch),
                                                   .at = sql_get_int(&sql, 2),
                                                   .settle = sql_get_int(&sql, 3),
                                                   .settle_most = sql_get_int(&sql, 4)};
            messages[count].triggers = sql_copy_text(&sql, 5, store->scratch);
        }
        status = sql_end(&sql);
        for (size_t i = 0; status == STATUS_OK && i < count; i++) {
            status = sort_one(store, &messages[i]);
            if (status == STATUS_OK && (each || i + 1 == count)) {
                status = set_sorted(store, &messages[i].id);
            }
        }
        arena_rewind(store->scratch, mark);
    }
    return status;
}
