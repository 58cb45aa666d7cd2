/* People's levers (S18): hold, release, replay, resend, drop; and standing holds. */
#include "gateway/store/store_sql.h"

/* One visit and what a lever has to know of it. */
struct pull {
    struct sql_store *store;
    const struct store_lever *tx;
    struct evaluation evaluation;
    struct change *changes;
    size_t change_count;
    size_t unsent;     /* of its changes: not sent yet */
    size_t resendable; /* ended without success, for a reason that a person may overrule */
    bool stale;        /* a newer plan stands for one of those, or is under way */
    bool late;         /* one of those is too late for its visit */
    bool waits;        /* an evaluation of the visit waits */
    bool messages;     /* what triggered it is still there */
    struct lever_result *result;
};

static enum lever_end because(struct pull *pull, enum lever_end end, const char *why)
{
    pull->result->why = why;
    return end;
}

/* ---- what is known of a visit ---- */

static bool may_resend(const struct change *change)
{
    bool overruled = change->reason == REASON_OPERATOR || change->reason == REASON_PREDECESSOR;
    return (change->state == ROW_HELD && change->reason != REASON_DAMAGED) ||
           change->state == ROW_HANDED_OVER || (change->state == ROW_DROPPED && overruled);
}

/* Whether the statement has a row. */
static enum status exists(struct sql *sql, bool *exists_out)
{
    *exists_out = sql_row(sql);
    return sql_end(sql);
}

static enum status weigh_change(struct pull *pull, const struct uuid *id, struct change *change)
{
    struct sql_store *store = pull->store;
    bool newer = false;
    enum status status = sql_get_change(store, &store->writer, store->scratch, id, change);
    if (status != STATUS_OK) {
        return status;
    }
    pull->unsent += change->state == ROW_PENDING || change->state == ROW_SCHEDULED;
    if (!may_resend(change)) {
        return STATUS_OK;
    }
    struct sql sql = sql_begin(&store->writer, SQL_NEWER_CHANGE);
    sql_id(&sql, id);
    status = exists(&sql, &newer);
    pull->resendable++;
    pull->stale = pull->stale || newer || change->item.base_at > change->ended;
    pull->late = pull->late || (change->expires != 0 && change->expires <= store->now);
    return status;
}

static enum status weigh(struct pull *pull)
{
    struct sql_store *store = pull->store;
    const struct evaluation *evaluation = &pull->evaluation;
    struct ids ids = {NULL, 0};
    struct sql sql = sql_begin(&store->writer, SQL_CHANGES_OF);
    sql_id(&sql, &evaluation->id);
    enum status status = sql_take_ids(&sql, store->scratch, &ids);
    pull->changes = ARENA_ARRAY(store->scratch, ids.count, struct change);
    pull->change_count = ids.count;
    for (size_t i = 0; status == STATUS_OK && i < ids.count; i++) {
        status = weigh_change(pull, &ids.at[i], &pull->changes[i]);
    }
    if (status == STATUS_OK) {
        sql = sql_begin(&store->writer, SQL_WAITING_SIBLING);
        sql_text(&sql, evaluation->ehr);
        sql_text(&sql, evaluation->patient);
        sql_text(&sql, evaluation->visit);
        status = exists(&sql, &pull->waits);
    }
    if (status == STATUS_OK) {
        sql = sql_begin(&store->writer, SQL_ANY_MESSAGE_OF);
        sql_id(&sql, &evaluation->id);
        status = exists(&sql, &pull->messages);
    }
    return status;
}

/* ---- a new evaluation answers an old one ---- */

static enum status run_two(struct sql_store *store, enum sql_id statement, const struct uuid *a,
                           const struct uuid *b)
{
    struct sql sql = sql_begin(&store->writer, statement);
    sql_id(&sql, a);
    sql_id(&sql, b);
    return sql_run(&sql, NULL);
}

/* An evaluation for the same visit and messages, in a state of its own; the old one points to it.
 */
static enum status add_answer(struct pull *pull, enum work_state state, enum reason reason,
                              struct uuid *answer_out)
{
    struct sql_store *store = pull->store;
    const struct evaluation *evaluation = &pull->evaluation;
    struct uuid answer = sql_new_id(store);
    struct sql sql = sql_begin(&store->writer, SQL_ADD_ANSWER);
    sql_id(&sql, &answer);
    sql_text(&sql, evaluation->ehr);
    sql_text(&sql, evaluation->patient);
    sql_text(&sql, evaluation->visit);
    sql_int(&sql, state);
    sql_int(&sql, reason);
    sql_int(&sql, store->now);
    sql_int(&sql, work_state_is_end(state) ? store->now : 0);
    sql_text(&sql, evaluation->mapping);
    sql_text(&sql, evaluation->mapping_version);
    sql_text(&sql, evaluation->mapping_hash);
    enum status status = sql_run(&sql, NULL);
    if (status == STATUS_OK) {
        status = run_two(store, SQL_COPY_MESSAGES, &evaluation->id, &answer);
    }
    if (status == STATUS_OK && evaluation->ended != 0) {
        status = run_two(store, SQL_SET_REPLACED, &evaluation->id, &answer);
    }
    if (status == STATUS_OK) {
        *answer_out = answer;
    }
    return status;
}

/* ---- each lever: may it, and what it does ---- */

static enum lever_end judge_open(struct pull *pull)
{
    if (pull->evaluation.fence != 0) {
        return because(pull, LEVER_BUSY, "it is being evaluated: try again");
    }
    if (pull->evaluation.state == WORK_PLANNED && pull->unsent == 0) {
        return because(pull, LEVER_BUSY, "its writes are on their way: wait for their end");
    }
    return LEVER_DONE;
}

static enum lever_end judge_hold(struct pull *pull)
{
    if (pull->evaluation.state == WORK_HELD) {
        return because(pull, LEVER_ALREADY, "it is held");
    }
    return work_state_is_end(pull->evaluation.state)
               ? because(pull, LEVER_REFUSED, "it has ended: hold its patient instead")
               : judge_open(pull);
}

/* Ends all that was not sent; in flight and unknown rows come to their own end. */
static enum status end_unsent(struct pull *pull, enum row_state state)
{
    enum status status = STATUS_OK;
    bool ended;
    for (size_t i = 0; status == STATUS_OK && i < pull->change_count; i++) {
        struct change change;
        status = sql_get_change(pull->store, &pull->store->writer, pull->store->scratch,
                                &pull->changes[i].id, &change);
        if (status == STATUS_OK && (change.state == ROW_PENDING || change.state == ROW_SCHEDULED)) {
            status = sql_end_change(pull->store, &change.id, state, REASON_OPERATOR, SLICE_NONE);
        }
    }
    return status == STATUS_OK ? sql_settle_evaluation(pull->store, &pull->evaluation.id, &ended)
                               : status;
}

static enum status hold(struct pull *pull)
{
    return pull->evaluation.state == WORK_PLANNED
               ? end_unsent(pull, ROW_HELD)
               : sql_set_evaluation(pull->store, &pull->evaluation, WORK_HELD, REASON_OPERATOR,
                                    SLICE_NONE);
}

static enum lever_end judge_replay(struct pull *pull)
{
    if (!uuid_is_none(pull->evaluation.replaced_by)) {
        return because(pull, LEVER_ALREADY, "a later evaluation of the visit took its place");
    }
    if (pull->waits) {
        return because(pull, LEVER_ALREADY, "the visit waits to be evaluated");
    }
    if (!pull->messages) {
        return because(pull, LEVER_REFUSED, "its messages were removed after their time");
    }
    return LEVER_DONE;
}

/* Messages that were held wait with it again (S1). */
static enum status replay(struct pull *pull)
{
    enum status status = add_answer(pull, WORK_RECEIVED, REASON_NONE, &pull->result->answer);
    return status == STATUS_OK ? sql_follow_messages(pull->store, &pull->result->answer) : status;
}

static enum lever_end judge_resend(struct pull *pull)
{
    if (!uuid_is_none(pull->evaluation.replaced_by) || pull->waits || pull->stale) {
        return because(pull, LEVER_ALREADY, "a newer plan took its place");
    }
    if (pull->evaluation.state == WORK_PLANNED) {
        return because(pull, LEVER_ALREADY, "its writes are under way");
    }
    if (!work_state_is_end(pull->evaluation.state)) {
        return because(pull, LEVER_REFUSED, "it was not evaluated yet");
    }
    if (pull->resendable == 0) {
        return because(pull, LEVER_REFUSED, "it has no write to send again");
    }
    return pull->late ? because(pull, LEVER_REFUSED, "it would come too late for its visit")
                      : LEVER_DONE;
}

/* A copy, to be looked up before it is sent: it may stand in the EHR. */
static enum status copy_change(struct pull *pull, const struct change *change)
{
    struct sql_store *store = pull->store;
    struct uuid copy = sql_new_id(store);
    struct slice body = SLICE_NONE;
    enum status status =
        sql_read_record(store, &store->writer, store->scratch, &change->id, RECORD_BODY, &body);
    if (status != STATUS_OK) {
        return status;
    }
    struct sql sql = sql_begin(&store->writer, SQL_COPY_CHANGE);
    sql_id(&sql, &copy);
    sql_id(&sql, &pull->result->answer);
    sql_id(&sql, &change->id);
    status = sql_run(&sql, NULL);
    return status == STATUS_OK ? sql_add_record(store, &copy, RECORD_BODY, body) : status;
}

static enum status copy_trace(struct pull *pull)
{
    struct sql_store *store = pull->store;
    struct slice trace = SLICE_NONE;
    enum status status = sql_read_record(store, &store->writer, store->scratch,
                                         &pull->evaluation.id, RECORD_TRACE, &trace);
    if (status == STATUS_INVALID || (status == STATUS_OK && trace.len == 0)) {
        return STATUS_OK; /* a damaged one explains nothing */
    }
    return status == STATUS_OK ? sql_put_record(store, &pull->result->answer, RECORD_TRACE, trace)
                               : status;
}

static enum status resend(struct pull *pull)
{
    enum status status = add_answer(pull, WORK_PLANNED, REASON_NONE, &pull->result->answer);
    for (size_t i = 0; status == STATUS_OK && i < pull->change_count; i++) {
        if (may_resend(&pull->changes[i])) {
            status = copy_change(pull, &pull->changes[i]);
        }
    }
    if (status == STATUS_OK) {
        status = copy_trace(pull);
    }
    return status == STATUS_OK ? sql_follow_messages(pull->store, &pull->result->answer) : status;
}

static enum lever_end judge_release(struct pull *pull)
{
    if (pull->evaluation.state != WORK_HELD) {
        return because(pull,
                       work_state_is_end(pull->evaluation.state) ? LEVER_REFUSED : LEVER_ALREADY,
                       "it is not held");
    }
    return pull->resendable != 0 ? judge_resend(pull) : judge_replay(pull);
}

/* It goes on where it was held: with its writes when there are some, else it is evaluated. */
static enum status release(struct pull *pull)
{
    return pull->resendable != 0 ? resend(pull) : replay(pull);
}

static enum lever_end judge_drop(struct pull *pull)
{
    enum work_state state = pull->evaluation.state;
    if (state == WORK_DROPPED || !uuid_is_none(pull->evaluation.replaced_by)) {
        return because(pull, LEVER_ALREADY,
                       state == WORK_DROPPED ? "it is dropped"
                                             : "a later evaluation of the visit took its place");
    }
    if (state == WORK_DONE) {
        return because(pull, LEVER_REFUSED, "it is done");
    }
    return work_state_is_end(state) ? LEVER_DONE : judge_open(pull);
}

static enum status drop(struct pull *pull)
{
    if (pull->evaluation.state == WORK_PLANNED) {
        return end_unsent(pull, ROW_DROPPED);
    }
    if (!work_state_is_end(pull->evaluation.state)) {
        return sql_set_evaluation(pull->store, &pull->evaluation, WORK_DROPPED, REASON_OPERATOR,
                                  SLICE_NONE);
    }
    enum status status = add_answer(pull, WORK_DROPPED, REASON_OPERATOR, &pull->result->answer);
    return status == STATUS_OK ? sql_follow_messages(pull->store, &pull->result->answer) : status;
}

static const struct {
    enum lever_end (*judge)(struct pull *pull);
    enum status (*apply)(struct pull *pull);
} rows[LEVER_COUNT] = {
    [LEVER_HOLD] = {judge_hold, hold},       [LEVER_RELEASE] = {judge_release, release},
    [LEVER_REPLAY] = {judge_replay, replay}, [LEVER_RESEND] = {judge_resend, resend},
    [LEVER_DROP] = {judge_drop, drop},
};

/* ---- one entry ---- */

static enum status note(struct sql_store *store, const struct store_lever *tx,
                        const struct lever_result *result)
{
    struct trail_line line = {.what = slice_of(lever_name(tx->in.lever)),
                              .subject = result->id,
                              .patient = result->patient,
                              .body = sql_trail_by(store, tx->in.by, tx->in.why)};
    return sql_add_trail(store, result->ehr, (struct trail_lines){&line, 1});
}

static enum status pull_visit(struct sql_store *store, const struct store_lever *tx,
                              struct lever_result *result)
{
    struct pull pull = {.store = store, .tx = tx, .result = result};
    enum status status =
        sql_get_evaluation(&store->writer, store->scratch, &result->id, &pull.evaluation);
    if (status == STATUS_OK) {
        status = weigh(&pull);
    }
    if (status == STATUS_OK) {
        result->end = rows[tx->in.lever].judge(&pull);
    }
    if (status == STATUS_OK && result->end == LEVER_DONE && !tx->in.dry) {
        status = rows[tx->in.lever].apply(&pull);
        return status == STATUS_OK ? note(store, tx, result) : status;
    }
    return status;
}

/* A message of which no visit is known can be dropped, or read again by whoever runs. */
static enum status pull_message(struct sql_store *store, const struct store_lever *tx,
                                const struct work_entry *entry, struct lever_result *result)
{
    bool open_list = entry->state == WORK_HELD || entry->state == WORK_HANDED_OVER;
    result->end = LEVER_REFUSED;
    result->why = "no visit is known of it";
    if (entry->ended == 0) {
        result->end = LEVER_BUSY;
        result->why = "it was not sorted yet: try again";
    } else if (entry->state == WORK_DROPPED && entry->reason == REASON_OPERATOR) {
        result->end = LEVER_ALREADY;
        result->why = "a person dropped it";
    } else if (tx->in.lever == LEVER_REPLAY || (tx->in.lever == LEVER_RELEASE && open_list)) {
        result->end = LEVER_READ_AGAIN;
    } else if (tx->in.lever == LEVER_DROP) {
        result->end = open_list ? LEVER_DONE : LEVER_ALREADY;
        result->why = open_list ? NULL : "nobody waits for it";
    }
    if (result->end != LEVER_DONE || tx->in.dry) {
        return STATUS_OK;
    }
    struct sql sql = sql_begin(&store->writer, SQL_DROP_MESSAGE);
    sql_id(&sql, &result->id);
    sql_int(&sql, WORK_DROPPED);
    sql_int(&sql, REASON_OPERATOR);
    sql_int(&sql, store->now);
    enum status status = sql_run(&sql, NULL);
    return status == STATUS_OK ? note(store, tx, result) : status;
}

static enum status pull_one(struct sql_store *store, const struct store_lever *tx,
                            const struct work_entry *entry, struct lever_result *result)
{
    struct arena *arena = tx->tx.arena;
    *result = (struct lever_result){.id = entry->id,
                                    .is_message = entry->is_message,
                                    .ehr = arena_copy(arena, entry->ehr),
                                    .patient = arena_copy(arena, entry->patient),
                                    .visit = arena_copy(arena, entry->visit)};
    return entry->is_message ? pull_message(store, tx, entry, result)
                             : pull_visit(store, tx, result);
}

enum status sql_lever(struct sql_store *store, struct store_lever *tx)
{
    struct work_entries entries = {NULL, 0, UUID_NONE};
    if (tx->tx.arena == NULL || tx->in.most == 0 || tx->in.most > 1000 || tx->in.by.len == 0 ||
        (unsigned)tx->in.lever >= LEVER_COUNT) {
        return STATUS_INVALID;
    }
    enum status status = sql_sort(store, SORTED_MOST);
    if (status == STATUS_OK) {
        status = uuid_is_none(tx->in.id)
                     ? sql_find_work(&store->writer, store->scratch, &tx->in.filter, &tx->in.from,
                                     tx->in.most, &entries)
                     : sql_find_work_of(&store->writer, store->scratch, &tx->in.id, &entries);
    }
    struct lever_result *results = ARENA_ARRAY(tx->tx.arena, entries.count, struct lever_result);
    for (size_t i = 0; status == STATUS_OK && i < entries.count; i++) {
        status = pull_one(store, tx, &entries.at[i], &results[i]);
    }
    if (status == STATUS_OK) {
        tx->out.at = results;
        tx->out.count = entries.count;
        tx->out.next = entries.next;
    }
    return status;
}

/* ---- standing holds ---- */

enum status sql_set_hold(struct sql_store *store, struct store_set_hold *tx)
{
    int changed = 0;
    if (tx->in.ehr.len == 0 || tx->in.by.len == 0) {
        return STATUS_INVALID;
    }
    struct sql sql = sql_begin(&store->writer, tx->in.on ? SQL_ADD_HOLD : SQL_REMOVE_HOLD);
    sql_text(&sql, tx->in.ehr);
    sql_text(&sql, tx->in.patient);
    if (tx->in.on) {
        sql_text(&sql, tx->in.by);
        sql_text(&sql, tx->in.why);
        sql_int(&sql, store->now);
    }
    enum status status = sql_run(&sql, &changed);
    tx->out.changed = changed != 0;
    if (status != STATUS_OK || changed == 0) {
        return status;
    }
    struct trail_line line = {.what = tx->in.on ? SLICE("hold") : SLICE("release"),
                              .patient = tx->in.patient,
                              .body = sql_trail_by(store, tx->in.by, tx->in.why)};
    return sql_add_trail(store, tx->in.ehr, (struct trail_lines){&line, 1});
}

/* ---- what else a person did ---- */

enum status sql_note_act(struct sql_store *store, struct store_note_act *tx)
{
    struct trail_line line = {.what = tx->in.what,
                              .body = sql_trail_by(store, tx->in.by, tx->in.why)};
    return tx->in.what.len != 0 && tx->in.by.len != 0
               ? sql_add_trail(store, tx->in.ehr, (struct trail_lines){&line, 1})
               : STATUS_INVALID;
}
