/* a. Messages come in; the trail; the small transactions. */
#include "gateway/base/digest.h"
#include "gateway/store/store_sql.h"

/* The latest of those that the group knows: what it accepted itself stands last. */
static enum status find_known(const struct sql_keys *keys, const struct message *message,
                              int64_t key_hash, int64_t now, struct uuid *id_out)
{
    for (size_t i = keys->count; i-- != 0;) {
        const struct sql_key *known = &keys->at[i];
        if (known->hash == key_hash && known->until > now &&
            slice_equal(known->ehr, message->ehr) && slice_equal(known->sender, message->sender) &&
            slice_equal(known->key, message->key)) {
            *id_out = known->message;
            return STATUS_OK;
        }
    }
    return STATUS_ABSENT;
}

/* The same key by the same sender within its time. */
static enum status find_repeat(struct sql_store *store, const struct message *message,
                               int64_t key_hash, struct uuid *id_out)
{
    if (store->keys != NULL) {
        return find_known(store->keys, message, key_hash, store->now, id_out);
    }
    if (store->key_filter != NULL && !key_filter_may_have(store->key_filter, key_hash)) {
        return STATUS_ABSENT;
    }
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

/* The one append that has to be durable before the answer. */
static enum status add_message(struct sql_store *store, const struct store_accept *tx,
                               int64_t key_hash, struct slice triggers, const struct uuid *id)
{
    const struct message *message = &tx->in.message;
    int64_t window = tx->in.key_window_us;
    int64_t until = window > 0 ? store->now + window : INT64_MAX;
    struct owner owner = owner_of_number(number_of_id(&store->writer.key, id));
    struct slice record = SLICE_NONE;
    enum status status = record_pack(store->scratch, &store->seal, owner_slice(&owner),
                                     RECORD_PAYLOAD, message->payload, &record);
    if (status != STATUS_OK) {
        return status;
    }
    struct sql sql = sql_begin(&store->writer, SQL_ADD_MESSAGE);
    sql_id(&sql, id);
    sql_text(&sql, message->ehr);
    sql_int(&sql, message->kind);
    sql_text(&sql, message->sender);
    sql_text(&sql, message->key);
    sql_int(&sql, key_hash);
    sql_int(&sql, until);
    sql_text(&sql, message->resource_type);
    sql_text(&sql, message->resource_id);
    sql_text(&sql, message->resource_version);
    sql_int(&sql, message->received != 0 ? message->received : store->now);
    sql_int(&sql, tx->in.settle_us);
    sql_int(&sql, tx->in.settle_most_us);
    sql_text(&sql, triggers);
    sql_blob(&sql, record);
    status = sql_run(&sql, NULL);
    if (status == STATUS_OK && triggers.len != 0 && store->wait_sorting != NULL) {
        status = store->wait_sorting(store, id);
    }
    if (store->key_filter != NULL) {
        key_filter_add(store->key_filter, key_hash);
    }
    if (status == STATUS_OK && store->keys != NULL && store->keys->count < store->keys->room) {
        store->keys->at[store->keys->count++] =
            (struct sql_key){key_hash, message->ehr, message->sender, message->key, until, *id};
    }
    return status;
}

static enum status end_at_once(struct sql_store *store, const struct store_accept *tx,
                               const struct uuid *id)
{
    struct sql sql = sql_begin(&store->writer, SQL_ADD_INBOX);
    sql_id(&sql, id);
    sql_text(&sql, tx->in.message.ehr);
    sql_int(&sql, tx->in.end_state);
    sql_int(&sql, tx->in.end_reason);
    sql_int(&sql, store->now);
    return sql_run(&sql, NULL);
}

/* Its message may have ended long ago, or not be sorted yet. */
static enum status make_due_again(struct sql_store *store, const struct store_accept *tx,
                                  const struct uuid *id)
{
    enum status status = sql_sort(store, SIZE_MAX);
    for (size_t i = 0; status == STATUS_OK && i < tx->in.trigger_count; i++) {
        struct visit visit = {.ehr = tx->in.message.ehr,
                              .patient = tx->in.triggers[i].patient,
                              .visit = tx->in.triggers[i].visit,
                              .at = store->now,
                              .settle = tx->in.settle_us,
                              .settle_most = tx->in.settle_most_us};
        status = sql_queue_visit(store, &visit, id);
    }
    return status == STATUS_OK ? sql_follow_message(store, id) : status;
}

/*
 * What the last message of the resource made due is due now. That message goes with the deletion:
 * it alone knows the date of the visit.
 */
static enum status take_deletion(struct sql_store *store, const struct store_accept *tx,
                                 int64_t key_hash, const struct uuid *id)
{
    const struct message *message = &tx->in.message;
    struct visit visit = {.ehr = message->ehr,
                          .at = store->now,
                          .settle = tx->in.settle_us,
                          .settle_most = tx->in.settle_most_us};
    struct slice triggers = SLICE_NONE;
    struct uuid told = UUID_NONE;
    enum status status = sql_sort(store, SIZE_MAX);
    struct sql sql = sql_begin(&store->writer, SQL_FIND_LATEST);
    sql_text(&sql, message->ehr);
    sql_text(&sql, message->resource_type);
    sql_text(&sql, message->resource_id);
    if (sql_row(&sql)) {
        told = sql_get_id(&sql, 0);
        triggers = sql_copy_text(&sql, 1, store->scratch);
    }
    enum status ended = sql_end(&sql);
    status = status == STATUS_OK ? ended : status;
    if (status == STATUS_OK) {
        status = add_message(store, tx, key_hash, triggers, id);
    }
    if (status == STATUS_OK && triggers.len == 0) {
        return end_at_once(store, tx, id);
    }
    if (status == STATUS_OK) {
        status = sql_sort(store, SIZE_MAX);
    }
    return status == STATUS_OK ? sql_queue_triggers(store, &visit, triggers, &told) : status;
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

enum status sql_accept(struct sql_store *store, struct store_accept *tx)
{
    const struct message *message = &tx->in.message;
    struct buf triggers;
    struct uuid id;
    if (!is_well_formed(tx)) {
        return STATUS_INVALID;
    }
    buf_init(&triggers, store->scratch, (size_t)1 << 20);
    if (!sql_write_triggers(&triggers, tx->in.triggers, tx->in.trigger_count)) {
        return STATUS_INVALID;
    }
    int64_t key_hash = (int64_t)slice_hash(message->key);
    enum status status = find_repeat(store, message, key_hash, &id);
    bool repeat = status == STATUS_OK;
    if (status == STATUS_ABSENT) {
        id = sql_new_id(store);
        if (tx->in.is_deletion) {
            status = take_deletion(store, tx, key_hash, &id);
            tx->out.repeat = false;
            tx->out.message = id;
            return status;
        }
        status = add_message(store, tx, key_hash, buf_view(&triggers), &id);
        if (status == STATUS_OK && tx->in.trigger_count == 0) {
            status = end_at_once(store, tx, &id);
        }
    } else if (repeat && tx->in.key_is_body_hash && tx->in.trigger_count != 0) {
        status = make_due_again(store, tx, &id);
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

static enum status read_tip(struct sql_store *store, struct slice ehr, struct tip *tip)
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
static void hash_line(struct slice ehr, int64_t at, const struct trail_line *line,
                      const struct owner *subject, struct tip *tip)
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
                                  owner_slice(subject),
                                  line->patient,
                                  line->body};
    uint8_t hash[SHA256_SIZE];
    sha256_parts(parts, sizeof parts / sizeof *parts, hash);
    memcpy(tip->hash, hash, SHA256_SIZE);
}

static enum status add_line(struct sql_store *store, struct slice ehr,
                            const struct trail_line *line, struct tip *tip)
{
    const struct slice previous = {(const char *)tip->hash, SHA256_SIZE};
    const struct owner subject = owner_of_number(number_of_id(&store->writer.key, &line->subject));
    tip->number++;
    struct slice body = SLICE_NONE;
    enum status status = record_pack(store->scratch, &store->seal, owner_slice(&subject),
                                     RECORD_TRAIL, line->body, &body);
    if (status != STATUS_OK) {
        return status;
    }
    struct sql sql = sql_begin(&store->writer, SQL_ADD_TRAIL);
    sql_text(&sql, ehr);
    sql_int(&sql, tip->number);
    sql_int(&sql, store->now);
    sql_text(&sql, line->what);
    sql_id(&sql, &line->subject);
    sql_text(&sql, line->patient);
    sql_blob(&sql, body);
    sql_blob(&sql, previous);
    status = sql_run(&sql, NULL);
    hash_line(ehr, store->now, line, &subject, tip);
    return status;
}

enum status sql_add_trail(struct sql_store *store, struct slice ehr, struct trail_lines lines)
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
