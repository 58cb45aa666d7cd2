/* a. Messages come in; the trail; the small transactions. */
#include "gateway/base/digest.h"
#include "gateway/store/store_sqlite.h"

/* The same key by the same sender within its time. */
static enum status find_repeat(struct sqlite_store *store, const struct message *message,
                               int64_t key_hash, struct uuid *id_out)
{
    struct sql sql = sql_begin(&store->writer, SQL_FIND_KEY);
    sql_int(&sql, key_hash);
    sql_text(&sql, message->ehr);
    sql_text(&sql, message->sender);
    sql_text(&sql, message->key);
    sql_int(&sql, store->now);
    bool found = sql_row(&sql);
    struct uuid id = found ? sql_get_id(&sql, 0) : UUID_NONE;
    enum status status = sql_end(&sql);
    if (status == STATUS_OK) {
        *id_out = id;
    }
    return status == STATUS_OK && !found ? STATUS_ABSENT : status;
}

static enum status add_message(struct sqlite_store *store, const struct store_accept *tx,
                               int64_t key_hash, const struct uuid *id)
{
    const struct message *message = &tx->in.message;
    bool ends = tx->in.trigger_count == 0;
    int64_t window = tx->in.key_window_us;
    struct sql sql = sql_begin(&store->writer, SQL_ADD_MESSAGE);
    sql_id(&sql, id);
    sql_text(&sql, message->ehr);
    sql_int(&sql, message->kind);
    sql_text(&sql, message->sender);
    sql_text(&sql, message->key);
    sql_int(&sql, key_hash);
    sql_int(&sql, window > 0 ? store->now + window : INT64_MAX);
    sql_text(&sql, message->resource_type);
    sql_text(&sql, message->resource_id);
    sql_text(&sql, message->resource_version);
    sql_int(&sql, message->received != 0 ? message->received : store->now);
    sql_int(&sql, ends ? tx->in.end_state : WORK_RECEIVED);
    sql_int(&sql, ends ? tx->in.end_reason : REASON_NONE);
    sql_int(&sql, ends ? store->now : 0);
    enum status status = sql_run(&sql, NULL);
    if (status == STATUS_OK) {
        status = sqlite_add_record(store, id_slice(id), RECORD_PAYLOAD, message->payload);
    }
    return status;
}

static enum status add_evaluation(struct sqlite_store *store, const struct store_accept *tx,
                                  const struct trigger *trigger, const struct uuid *id)
{
    struct sql sql = sql_begin(&store->writer, SQL_ADD_EVALUATION);
    sql_id(&sql, id);
    sql_text(&sql, tx->in.message.ehr);
    sql_text(&sql, trigger->patient);
    sql_text(&sql, trigger->visit);
    sql_int(&sql, store->now);
    sql_int(&sql, tx->in.settle_us);
    sql_int(&sql, tx->in.settle_most_us);
    return sql_run(&sql, NULL);
}

/* Facts that were saved are of before this message: they are fetched again. */
static enum status requeue(struct sqlite_store *store, const struct store_accept *tx,
                           const struct uuid *id, bool resolved)
{
    struct sql sql = sql_begin(&store->writer, SQL_REQUEUE_EVALUATION);
    sql_id(&sql, id);
    sql_int(&sql, store->now);
    sql_int(&sql, tx->in.settle_us);
    sql_int(&sql, tx->in.settle_most_us);
    enum status status = sql_run(&sql, NULL);
    return status == STATUS_OK && resolved ? sqlite_follow_messages(store, id) : status;
}

/* The visit is due when it was quiet for `settle`, at the latest `settle_most` after the first. */
static enum status queue_visit(struct sqlite_store *store, const struct store_accept *tx,
                               const struct trigger *trigger, const struct uuid *message)
{
    struct uuid evaluation;
    bool resolved = false;
    struct sql sql = sql_begin(&store->writer, SQL_WAITING_SIBLING);
    sql_text(&sql, tx->in.message.ehr);
    sql_text(&sql, trigger->patient);
    sql_text(&sql, trigger->visit);
    bool waits = sql_row(&sql);
    if (waits) {
        evaluation = sql_get_id(&sql, 0);
        resolved = sql_get_int(&sql, 1) == WORK_RESOLVED;
    }
    enum status status = sql_end(&sql);
    if (status == STATUS_OK && waits) {
        status = requeue(store, tx, &evaluation, resolved);
    } else if (status == STATUS_OK) {
        evaluation = sqlite_new_id(store);
        status = add_evaluation(store, tx, trigger, &evaluation);
    }
    if (status == STATUS_OK) {
        sql = sql_begin(&store->writer, SQL_ADD_TRIGGERED);
        sql_id(&sql, &evaluation);
        sql_id(&sql, message);
        status = sql_run(&sql, NULL);
    }
    return status;
}

static bool is_well_formed(const struct store_accept *tx)
{
    const struct message *message = &tx->in.message;
    bool ends = work_state_is_end(tx->in.end_state) && tx->in.end_state != WORK_DONE;
    if (message->ehr.len == 0 || message->key.len == 0 || tx->in.settle_us < 0 ||
        tx->in.settle_most_us < 0 || (tx->in.trigger_count == 0 && !ends)) {
        return false;
    }
    for (size_t i = 0; i < tx->in.trigger_count; i++) {
        if (tx->in.triggers[i].patient.len == 0 || tx->in.triggers[i].visit.len == 0) {
            return false;
        }
    }
    return true;
}

enum status sqlite_accept(struct sqlite_store *store, struct store_accept *tx)
{
    const struct message *message = &tx->in.message;
    struct uuid id;
    if (!is_well_formed(tx)) {
        return STATUS_INVALID;
    }
    int64_t key_hash = (int64_t)slice_hash(message->key);
    enum status status = find_repeat(store, message, key_hash, &id);
    bool repeat = status == STATUS_OK;
    if (status == STATUS_ABSENT) {
        id = sqlite_new_id(store);
        status = add_message(store, tx, key_hash, &id);
    }
    bool queue = !repeat || tx->in.key_is_body_hash;
    for (size_t i = 0; queue && status == STATUS_OK && i < tx->in.trigger_count; i++) {
        status = queue_visit(store, tx, &tx->in.triggers[i], &id);
    }
    if (status == STATUS_OK && repeat && queue) {
        status = sqlite_follow_message(store, &id);
    }
    if (status == STATUS_OK) {
        tx->out.repeat = repeat;
        tx->out.message = id;
    }
    return status;
}

/* ---- the trail ---- */

struct tip {
    int64_t number;
    uint8_t hash[SHA256_SIZE];
};

static enum status read_tip(struct sqlite_store *store, struct slice ehr, struct tip *tip)
{
    struct sql sql = sql_begin(&store->writer, SQL_CHAIN_TIP);
    sql_text(&sql, ehr);
    *tip = (struct tip){0};
    if (sql_row(&sql)) {
        struct slice hash = sql_get_blob(&sql, 1);
        tip->number = sql_get_int(&sql, 0);
        memcpy(tip->hash, hash.at, hash.len < SHA256_SIZE ? hash.len : SHA256_SIZE);
    }
    return sql_end(&sql);
}

/* Lengths keep the parts apart: no two lines have the same bytes. S12 says the order. */
static void hash_line(struct slice ehr, int64_t at, const struct trail_line *line, struct tip *tip)
{
    uint64_t numbers[] = {(uint64_t)tip->number, (uint64_t)at,      ehr.len,
                          line->what.len,        line->patient.len, line->body.len};
    uint8_t big_endian[sizeof numbers];
    for (size_t i = 0; i < sizeof numbers; i++) {
        big_endian[i] = (uint8_t)(numbers[i / 8] >> (56 - 8 * (i % 8)));
    }
    const struct slice parts[] = {{(const char *)tip->hash, SHA256_SIZE},
                                  {(const char *)big_endian, sizeof big_endian},
                                  ehr,
                                  line->what,
                                  id_slice(&line->subject),
                                  line->patient,
                                  line->body};
    uint8_t hash[SHA256_SIZE];
    sha256_parts(parts, sizeof parts / sizeof *parts, hash);
    memcpy(tip->hash, hash, SHA256_SIZE);
}

static enum status add_line(struct sqlite_store *store, struct slice ehr,
                            const struct trail_line *line, struct tip *tip)
{
    const struct slice previous = {(const char *)tip->hash, SHA256_SIZE};
    tip->number++;
    struct slice body =
        record_pack(store->scratch, id_slice(&line->subject), RECORD_TRAIL, line->body);
    struct sql sql = sql_begin(&store->writer, SQL_ADD_TRAIL);
    sql_text(&sql, ehr);
    sql_int(&sql, tip->number);
    sql_int(&sql, store->now);
    sql_text(&sql, line->what);
    sql_id(&sql, &line->subject);
    sql_text(&sql, line->patient);
    sql_blob(&sql, body);
    sql_blob(&sql, previous);
    enum status status = sql_run(&sql, NULL);
    hash_line(ehr, store->now, line, tip);
    return status;
}

enum status sqlite_add_trail(struct sqlite_store *store, struct slice ehr, struct trail_lines lines)
{
    struct tip tip;
    if (lines.count == 0) {
        return STATUS_OK;
    }
    enum status status = read_tip(store, ehr, &tip);
    for (size_t i = 0; status == STATUS_OK && i < lines.count; i++) {
        status = add_line(store, ehr, &lines.at[i], &tip);
    }
    if (status == STATUS_OK) {
        struct sql sql = sql_begin(&store->writer, SQL_SET_CHAIN);
        sql_text(&sql, ehr);
        sql_int(&sql, tip.number);
        sql_blob(&sql, (struct slice){(const char *)tip.hash, SHA256_SIZE});
        status = sql_run(&sql, NULL);
    }
    return status;
}
