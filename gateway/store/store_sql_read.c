/* Questions about rows, through the reader's connection. */
#include "gateway/store/store_sql.h"

struct question {
    struct sql_store *store;
    struct arena *arena;
    enum status (*ask)(struct sql_store *store, struct arena *arena, void *arg);
    void *arg;
};

static enum status run_question(void *arg)
{
    struct question *question = arg;
    return question->ask(question->store, question->arena, question->arg);
}

enum status sql_ask(struct sql_store *store, struct arena *arena,
                    enum status (*ask)(struct sql_store *store, struct arena *arena, void *arg),
                    void *arg)
{
    struct question question = {store, arena, ask, arg};
    pthread_mutex_lock(&store->read_lock);
    enum status status =
        arena != NULL ? arena_run(arena, run_question, &question) : run_question(&question);
    if (status != STATUS_OK && status != STATUS_ABSENT) {
        sql_reset_all(&store->reader);
    }
    pthread_mutex_unlock(&store->read_lock);
    return status;
}

/* What most questions ask by: up to three texts or an id. */
struct by {
    struct slice a;
    struct slice b;
    struct slice c;
    struct uuid id;
    const struct item_key *key;
    void *out;
};

static enum status absent_unless(bool found, enum status status)
{
    return status == STATUS_OK && !found ? STATUS_ABSENT : status;
}

/* ---- messages, items ---- */

static enum status ask_message(struct sql_store *store, struct arena *arena, void *arg)
{
    const struct by *by = arg;
    struct message message = {0};
    struct owner owner = owner_of_number(number_of_id(&store->reader.key, &by->id));
    struct slice record = SLICE_NONE;
    struct sql sql = sql_begin(&store->reader, SQL_READ_MESSAGE);
    sql_id(&sql, &by->id);
    bool found = sql_row(&sql);
    if (found) {
        message = sql_take_message(&sql, arena);
        record = arena_copy(arena, sql_get_blob(&sql, 12));
    }
    enum status status = absent_unless(found, sql_end(&sql));
    if (status == STATUS_OK) {
        status = sql_open_record(store, arena, owner_slice(&owner), RECORD_PAYLOAD, record,
                                 &message.payload);
    }
    if (status == STATUS_OK) {
        *(struct message *)by->out = message;
    }
    return status;
}

static enum status read_message(void *db, struct arena *arena, struct uuid id, struct message *out)
{
    struct by by = {.id = id, .out = out};
    return sql_ask(db, arena, ask_message, &by);
}

static enum status ask_evaluation(struct sql_store *store, struct arena *arena, void *arg)
{
    const struct by *by = arg;
    return sql_get_evaluation(&store->reader, arena, &by->id, by->out);
}

static enum status read_evaluation(void *db, struct arena *arena, struct uuid id,
                                   struct evaluation *out)
{
    struct by by = {.id = id, .out = out};
    return sql_ask(db, arena, ask_evaluation, &by);
}

static enum status take_item(struct sql_store *store, struct arena *arena, struct sql *sql,
                             struct item *out)
{
    struct item item = {0};
    bool found = sql_row(sql);
    if (found) {
        item = sql_take_item(sql, arena);
    }
    enum status status = absent_unless(found, sql_end(sql));
    if (status == STATUS_OK) {
        status = sql_read_base(store, &store->reader, arena, &item);
    }
    if (status == STATUS_OK) {
        *out = item;
    }
    return status;
}

static enum status ask_item(struct sql_store *store, struct arena *arena, void *arg)
{
    const struct by *by = arg;
    struct sql sql = sql_begin(&store->reader, SQL_ITEM_BY_IDENTIFIER);
    sql_uuid(&sql, &by->id);
    return take_item(store, arena, &sql, by->out);
}

static enum status find_item(void *db, struct arena *arena, struct uuid identifier,
                             struct item *out)
{
    struct by by = {.id = identifier, .out = out};
    return sql_ask(db, arena, ask_item, &by);
}

static enum status ask_item_by_key(struct sql_store *store, struct arena *arena, void *arg)
{
    const struct by *by = arg;
    struct sql sql = sql_begin(&store->reader, SQL_ITEM_BY_KEY);
    sql_text(&sql, by->key->ehr);
    sql_text(&sql, by->key->patient);
    sql_text(&sql, by->key->mapping);
    sql_text(&sql, by->key->plan);
    sql_text(&sql, by->key->key);
    sql_int(&sql, by->key->episode);
    return take_item(store, arena, &sql, by->out);
}

static enum status find_item_by_key(void *db, struct arena *arena, const struct item_key *key,
                                    struct item *out)
{
    struct by by = {.key = key, .out = out};
    return sql_ask(db, arena, ask_item_by_key, &by);
}

static enum status ask_item_by_resource(struct sql_store *store, struct arena *arena, void *arg)
{
    const struct by *by = arg;
    struct sql sql = sql_begin(&store->reader, SQL_ITEM_BY_RESOURCE);
    sql_text(&sql, by->a);
    sql_text(&sql, by->b);
    sql_text(&sql, by->c);
    return take_item(store, arena, &sql, by->out);
}

static enum status find_item_by_resource(void *db, struct arena *arena, struct slice ehr,
                                         struct slice type, struct slice ehr_id, struct item *out)
{
    struct by by = {.a = ehr, .b = type, .c = ehr_id, .out = out};
    return sql_ask(db, arena, ask_item_by_resource, &by);
}

enum { ITEMS_MOST = 1000 };

static enum status ask_items(struct sql_store *store, struct arena *arena, void *arg)
{
    const struct by *by = arg;
    struct item *items = ARENA_ARRAY(arena, ITEMS_MOST, struct item);
    size_t count = 0;
    struct sql sql = sql_begin(&store->reader, SQL_ITEMS_OF_PATIENT);
    sql_text(&sql, by->a);
    sql_text(&sql, by->b);
    while (count < ITEMS_MOST && sql_row(&sql)) {
        items[count++] = sql_take_item(&sql, arena);
    }
    enum status status = sql_end(&sql);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        status = sql_read_base(store, &store->reader, arena, &items[i]);
    }
    if (status == STATUS_OK) {
        *(struct items *)by->out = (struct items){items, count};
    }
    return status;
}

static enum status list_items(void *db, struct arena *arena, struct slice ehr, struct slice patient,
                              struct items *out)
{
    struct by by = {.a = ehr, .b = patient, .out = out};
    return sql_ask(db, arena, ask_items, &by);
}

struct written_question {
    const struct written_by *by;
    struct patients *out;
};

static enum status ask_written(struct sql_store *store, struct arena *arena, void *arg)
{
    const struct written_question *question = arg;
    const struct written_by *by = question->by;
    struct slice *patients = ARENA_ARRAY(arena, by->most + 1, struct slice);
    size_t count = 0;
    struct sql sql = sql_begin(&store->reader, SQL_PATIENTS_OF_VERSION);
    sql_text(&sql, by->ehr);
    sql_text(&sql, by->mapping);
    sql_text(&sql, by->version);
    sql_text(&sql, by->after);
    sql_int(&sql, (int64_t)by->most);
    while (count < by->most && sql_row(&sql)) {
        patients[count++] = sql_copy_text(&sql, 0, arena);
    }
    enum status status = sql_end(&sql);
    if (status == STATUS_OK) {
        *question->out = (struct patients){patients, count};
    }
    return status;
}

static enum status list_written(void *db, struct arena *arena, const struct written_by *by,
                                struct patients *out)
{
    struct written_question question = {by, out};
    return by->most != 0 && by->most <= ITEMS_MOST ? sql_ask(db, arena, ask_written, &question)
                                                   : STATUS_INVALID;
}

/* ---- the small ones ---- */

static enum status ask_poll(struct sql_store *store, struct arena *arena, void *arg)
{
    const struct by *by = arg;
    struct poll poll = {0};
    struct sql sql = sql_begin(&store->reader, SQL_READ_POLL);
    sql_text(&sql, by->a);
    sql_text(&sql, by->b);
    if (sql_row(&sql)) {
        poll = (struct poll){.watermark = sql_get_int(&sql, 0),
                             .asked = (uint64_t)sql_get_int(&sql, 1),
                             .answered = (uint64_t)sql_get_int(&sql, 2),
                             .last_done = sql_get_int(&sql, 3),
                             .last_tried = sql_get_int(&sql, 4),
                             .error = sql_copy_text(&sql, 5, arena)};
    }
    enum status status = sql_end(&sql);
    if (status == STATUS_OK) {
        *(struct poll *)by->out = poll;
    }
    return status;
}

static enum status read_poll(void *db, struct arena *arena, struct slice ehr, struct slice name,
                             struct poll *out)
{
    struct by by = {.a = ehr, .b = name, .out = out};
    return sql_ask(db, arena, ask_poll, &by);
}

static enum status ask_subscription(struct sql_store *store, struct arena *arena, void *arg)
{
    const struct by *by = arg;
    struct subscription subscription = {0};
    struct sql sql = sql_begin(&store->reader, SQL_READ_SUBSCRIPTION);
    sql_text(&sql, by->a);
    sql_text(&sql, by->b);
    bool found = sql_row(&sql);
    if (found) {
        subscription = (struct subscription){.ehr_id = sql_copy_text(&sql, 0, arena),
                                             .status = sql_copy_text(&sql, 1, arena),
                                             .error = sql_copy_text(&sql, 2, arena),
                                             .checked = sql_get_int(&sql, 3)};
    }
    enum status status = absent_unless(found, sql_end(&sql));
    if (status == STATUS_OK) {
        *(struct subscription *)by->out = subscription;
    }
    return status;
}

static enum status read_subscription(void *db, struct arena *arena, struct slice ehr,
                                     struct slice name, struct subscription *out)
{
    struct by by = {.a = ehr, .b = name, .out = out};
    return sql_ask(db, arena, ask_subscription, &by);
}

static enum status ask_capability(struct sql_store *store, struct arena *arena, void *arg)
{
    const struct by *by = arg;
    struct capability capability = {0};
    struct slice record = SLICE_NONE;
    struct sql sql = sql_begin(&store->reader, SQL_READ_CAPABILITY);
    sql_text(&sql, by->a);
    bool found = sql_row(&sql);
    if (found) {
        capability.etag = sql_copy_text(&sql, 0, arena);
        capability.fetched = sql_get_int(&sql, 1);
        record = arena_copy(arena, sql_get_blob(&sql, 2));
    }
    enum status status = absent_unless(found, sql_end(&sql));
    if (status == STATUS_OK) {
        status = sql_open_record(store, arena, by->a, RECORD_CAPABILITY, record, &capability.body);
    }
    if (status == STATUS_OK) {
        *(struct capability *)by->out = capability;
    }
    return status;
}

static enum status read_capability(void *db, struct arena *arena, struct slice ehr,
                                   struct capability *out)
{
    struct by by = {.a = ehr, .out = out};
    return sql_ask(db, arena, ask_capability, &by);
}

static enum status ask_merge(struct sql_store *store, struct arena *arena, void *arg)
{
    const struct by *by = arg;
    struct slice into = SLICE_NONE;
    struct sql sql = sql_begin(&store->reader, SQL_FIND_MERGE);
    sql_text(&sql, by->a);
    sql_text(&sql, by->b);
    bool found = sql_row(&sql);
    if (found) {
        into = sql_copy_text(&sql, 0, arena);
    }
    enum status status = absent_unless(found, sql_end(&sql));
    if (status == STATUS_OK) {
        *(struct slice *)by->out = into;
    }
    return status;
}

static enum status find_merge(void *db, struct arena *arena, struct slice ehr, struct slice patient,
                              struct slice *out)
{
    struct by by = {.a = ehr, .b = patient, .out = out};
    return sql_ask(db, arena, ask_merge, &by);
}

static enum status ask_switch(struct sql_store *store, struct arena *arena, void *arg)
{
    const struct by *by = arg;
    (void)arena;
    struct sql sql = sql_begin(&store->reader, SQL_READ_SWITCH);
    sql_text(&sql, by->a);
    sql_text(&sql, by->b);
    bool on = sql_row(&sql) && sql_get_int(&sql, 0) != 0;
    enum status status = sql_end(&sql);
    if (status == STATUS_OK) {
        *(bool *)by->out = on;
    }
    return status;
}

static enum status read_switch(void *db, struct slice ehr, struct slice name, bool *out)
{
    struct by by = {.a = ehr, .b = name, .out = out};
    return sql_ask(db, NULL, ask_switch, &by);
}

/* ---- when to ask for work ---- */

/* The first column of the one row, or INT64_MAX; a NULL is none. */
static enum status ask_time(struct sql_store *store, enum sql_id statement, struct slice ehr,
                            int64_t *earliest)
{
    struct sql sql = sql_begin(&store->reader, statement);
    if (ehr.at != NULL) {
        sql_text(&sql, ehr);
    }
    if (sql_row(&sql) && !sql_is_null(&sql, 0) && sql_get_int(&sql, 0) < *earliest) {
        *earliest = sql_get_int(&sql, 0);
    }
    return sql_end(&sql);
}

static enum status ask_next(struct sql_store *store, struct arena *arena, void *arg)
{
    const struct by *by = arg;
    struct store_next next = {INT64_MAX, INT64_MAX};
    bool stopped = false;
    (void)arena;
    enum status status = ask_time(store, SQL_NEXT_EVALUATION, by->a, &next.evaluation);
    if (status == STATUS_OK) {
        status = ask_time(store, SQL_NEXT_UNSORTED, SLICE_NONE, &next.evaluation);
    }
    if (status == STATUS_OK) {
        status = ask_time(store, SQL_NEXT_EVALUATION_LEASE, by->a, &next.evaluation);
    }
    if (status == STATUS_OK) {
        status = ask_time(store, SQL_NEXT_TIMER, by->a, &next.evaluation);
    }
    if (status == STATUS_OK) {
        struct sql sql = sql_begin(&store->reader, SQL_WRITES_WAIT);
        sql_text(&sql, by->a);
        stopped = sql_row(&sql) && sql_get_int(&sql, 0) != 0;
        status = sql_end(&sql);
    }
    if (status == STATUS_OK && !stopped) {
        status = ask_time(store, SQL_NEXT_CHANGE, by->a, &next.change);
    }
    if (status == STATUS_OK) {
        status = ask_time(store, SQL_NEXT_CHANGE_LEASE, by->a, &next.change);
    }
    if (status == STATUS_OK) {
        *(struct store_next *)by->out = next;
    }
    return status;
}

static enum status read_next(void *db, struct slice ehr, struct store_next *out)
{
    struct by by = {.a = ehr, .out = out};
    return sql_ask(db, NULL, ask_next, &by);
}

static enum status ask_declined(struct sql_store *store, struct arena *arena, void *arg)
{
    const struct by *by = arg;
    int64_t until = 0;
    (void)arena;
    struct sql sql = sql_begin(&store->reader, SQL_FIND_DECLINED);
    sql_text(&sql, by->a);
    sql_text(&sql, by->b);
    sql_text(&sql, by->c);
    bool found = sql_row(&sql);
    if (found) {
        until = sql_get_int(&sql, 0);
    }
    enum status status = absent_unless(found, sql_end(&sql));
    if (status == STATUS_OK) {
        *(int64_t *)by->out = until;
    }
    return status;
}

static enum status find_declined(void *db, struct arena *arena, struct slice ehr,
                                 struct slice patient, struct slice mapping, int64_t *out)
{
    struct by by = {.a = ehr, .b = patient, .c = mapping, .out = out};
    return sql_ask(db, arena, ask_declined, &by);
}

const struct store_questions sql_questions = {
    .message = read_message,
    .evaluation = read_evaluation,
    .item = find_item,
    .item_by_key = find_item_by_key,
    .item_by_resource = find_item_by_resource,
    .items = list_items,
    .written = list_written,
    .poll = read_poll,
    .subscription = read_subscription,
    .capability = read_capability,
    .declined = find_declined,
    .merge = find_merge,
    .lever = read_switch,
    .unreconciled = sql_read_unreconciled,
    .next = read_next,
    .status = sql_read_status,
    .open_list = sql_open_list,
    .work = sql_list_work,
    .evaluated = sql_list_evaluated,
    .evaluated_of = sql_evaluated_of,
    .holds = sql_list_holds,
    .message_way = sql_message_way,
    .patient_way = sql_patient_way,
};
