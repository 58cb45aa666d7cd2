/* Questions that people ask: status, the open list, the way of a message or a patient. */
#include "gateway/store/store_sql.h"

enum { EHRS_MOST = 1000 };

/* ---- status ---- */

struct status_question {
    struct arena *arena;
    struct ehr_status *ehrs;
    size_t count;
};

/* EHRs that have rows but were never bound are shown as well. */
static struct ehr_status *status_of_ehr(struct status_question *question, struct slice name)
{
    for (size_t i = 0; i < question->count; i++) {
        if (slice_equal(question->ehrs[i].ehr, name)) {
            return &question->ehrs[i];
        }
    }
    if (question->count == EHRS_MOST) {
        return NULL;
    }
    struct ehr_status *ehr = &question->ehrs[question->count++];
    ehr->ehr = arena_copy(question->arena, name);
    return ehr;
}

static enum status list_ehrs(struct sql_store *store, struct status_question *question)
{
    struct sql sql = sql_begin(&store->reader, SQL_LIST_EHRS);
    while (sql_row(&sql)) {
        struct ehr_status *ehr = status_of_ehr(question, sql_get_text(&sql, 0));
        if (ehr != NULL) {
            ehr->base_url = sql_copy_text(&sql, 1, question->arena);
            ehr->error = sql_copy_text(&sql, 2, question->arena);
            ehr->advice = sql_copy_text(&sql, 3, question->arena);
            ehr->error_at = sql_get_int(&sql, 4);
        }
    }
    return sql_end(&sql);
}

static enum status count_rows(struct sql_store *store, struct status_question *question,
                              enum sql_id statement)
{
    struct sql sql = sql_begin(&store->reader, statement);
    while (sql_row(&sql)) {
        struct ehr_status *ehr = status_of_ehr(question, sql_get_text(&sql, 0));
        size_t state = (size_t)sql_get_int(&sql, 1);
        uint64_t count = (uint64_t)sql_get_int(&sql, 2);
        bool messages = statement == SQL_COUNT_MESSAGES || statement == SQL_COUNT_UNSORTED;
        if (ehr != NULL && messages && state < WORK_STATES) {
            ehr->messages[state] += count;
        } else if (ehr != NULL && statement == SQL_COUNT_EVALUATIONS && state < WORK_STATES) {
            ehr->evaluations[state] = count;
        } else if (ehr != NULL && statement == SQL_COUNT_CHANGES && state < ROW_STATES) {
            ehr->changes[state] = count;
        }
    }
    return sql_end(&sql);
}

static enum status read_switch_of(struct sql_store *store, struct slice ehr, bool *on)
{
    struct sql sql = sql_begin(&store->reader, SQL_READ_SWITCH);
    sql_text(&sql, ehr);
    sql_text(&sql, SLICE("stop-writes"));
    *on = sql_row(&sql) && sql_get_int(&sql, 0) != 0;
    return sql_end(&sql);
}

static enum status read_number(struct sql_store *store, enum sql_id statement, struct slice ehr,
                               int64_t *number)
{
    struct sql sql = sql_begin(&store->reader, statement);
    sql_text(&sql, ehr);
    *number = sql_row(&sql) ? sql_get_int(&sql, 0) : 0; /* a NULL reads as 0 */
    return sql_end(&sql);
}

/* The milliseconds that a UUIDv7 begins with, as microseconds. */
static int64_t time_of_id(struct uuid id)
{
    int64_t ms = 0;
    for (size_t i = 0; i < 6; i++) {
        ms = ms << 8 | id.bytes[i];
    }
    return ms * 1000;
}

static enum status complete(struct sql_store *store, struct arena *arena, struct ehr_status *ehr)
{
    enum status status = read_switch_of(store, ehr->ehr, &ehr->writes_stopped);
    if (status == STATUS_OK) {
        status = sql_get_reconciliation(&store->reader, arena, ehr->ehr, &ehr->reconciliation);
    }
    if (status == STATUS_OK) {
        status = read_number(store, SQL_OLDEST_DUE, ehr->ehr, &ehr->oldest_due);
    }
    if (status == STATUS_OK) {
        status = read_number(store, SQL_OLDEST_WATERMARK, ehr->ehr, &ehr->watermark);
    }
    if (status == STATUS_OK) {
        struct sql sql = sql_begin(&store->reader, SQL_OLDEST_CHANGE);
        sql_text(&sql, ehr->ehr);
        ehr->oldest_change = sql_row(&sql) ? time_of_id(sql_get_id(&sql, 0)) : 0;
        status = sql_end(&sql);
    }
    return status;
}

static enum status ask_status(struct sql_store *store, struct arena *arena, void *arg)
{
    struct store_status *out = arg;
    struct status_question question = {arena, ARENA_ARRAY(arena, EHRS_MOST, struct ehr_status), 0};
    static const enum sql_id counts[] = {SQL_COUNT_MESSAGES, SQL_COUNT_UNSORTED,
                                         SQL_COUNT_EVALUATIONS, SQL_COUNT_CHANGES};
    bool all_stopped = false;
    enum status status = list_ehrs(store, &question);
    for (size_t i = 0; status == STATUS_OK && i < sizeof counts / sizeof *counts; i++) {
        status = count_rows(store, &question, counts[i]);
    }
    for (size_t i = 0; status == STATUS_OK && i < question.count; i++) {
        status = complete(store, arena, &question.ehrs[i]);
    }
    if (status == STATUS_OK) {
        status = read_switch_of(store, SLICE_NONE, &all_stopped);
    }
    if (status == STATUS_OK) {
        *out = (struct store_status){.ehrs = question.ehrs,
                                     .count = question.count,
                                     .all_writes_stopped = all_stopped,
                                     .damaged = atomic_load(&store->damaged)};
    }
    return status;
}

enum status sql_read_status(void *db, struct arena *arena, struct store_status *out)
{
    return sql_ask(db, arena, ask_status, out);
}

/* ---- the open list ---- */

struct open_question {
    struct slice ehr;
    struct uuid from;
    size_t most;
    struct open_page *out;
};

static enum status ask_open(struct sql_store *store, struct arena *arena, void *arg)
{
    const struct open_question *question = arg;
    struct open_entry *entries = ARENA_ARRAY(arena, question->most + 1, struct open_entry);
    size_t count = 0;
    struct sql sql = sql_begin(&store->reader, SQL_LIST_OPEN);
    sql_id(&sql, &question->from);
    sql_text(&sql, question->ehr);
    sql_int(&sql, (int64_t)question->most + 1);
    while (count <= question->most && sql_row(&sql)) {
        entries[count++] = (struct open_entry){
            .id = sql_get_id(&sql, 0),
            .is_message = sql_get_int(&sql, 1) != 0,
            .ehr = sql_copy_text(&sql, 2, arena),
            .patient = sql_copy_text(&sql, 3, arena),
            .visit = sql_copy_text(&sql, 4, arena),
            .state = (enum work_state)sql_get_int(&sql, 5),
            .reason = (enum reason)sql_get_int(&sql, 6),
            .detail = sql_copy_text(&sql, 7, arena),
            .ended = sql_get_int(&sql, 8),
        };
    }
    enum status status = sql_end(&sql);
    if (status == STATUS_OK) {
        bool more = count > question->most;
        *question->out = (struct open_page){.at = entries,
                                            .count = more ? question->most : count,
                                            .next = more ? entries[question->most].id : UUID_NONE};
    }
    return status;
}

enum status sql_open_list(void *db, struct arena *arena, struct slice ehr, struct uuid from,
                          size_t most, struct open_page *out)
{
    struct open_question question = {ehr, from, most, out};
    return most >= 1 && most <= 1000 ? sql_ask(db, arena, ask_open, &question) : STATUS_INVALID;
}

/* ---- the way of one evaluation ---- */

static enum status list_changes(struct sql_store *store, struct arena *arena,
                                const struct uuid *evaluation, struct evaluation_way *way)
{
    struct ids ids = {NULL, 0};
    struct sql sql = sql_begin(&store->reader, SQL_CHANGES_OF);
    sql_id(&sql, evaluation);
    enum status status = sql_take_ids(&sql, arena, &ids);
    size_t count = ids.count < WAY_MOST ? ids.count : WAY_MOST;
    struct change *changes = ARENA_ARRAY(arena, count, struct change);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        status = sql_get_change(store, &store->reader, arena, &ids.at[i], &changes[i]);
    }
    way->changes = changes;
    way->change_count = count;
    return status;
}

static enum status list_attempts(struct sql_store *store, struct arena *arena,
                                 const struct uuid *evaluation, struct evaluation_way *way)
{
    struct attempt *attempts = ARENA_ARRAY(arena, WAY_MOST, struct attempt);
    size_t count = 0;
    struct sql sql = sql_begin(&store->reader, SQL_ATTEMPTS_OF);
    sql_id(&sql, evaluation);
    sql_int(&sql, WAY_MOST);
    while (count < WAY_MOST && sql_row(&sql)) {
        attempts[count++] = (struct attempt){
            .change = sql_get_id(&sql, 0),
            .number = (unsigned)sql_get_int(&sql, 1),
            .started = sql_get_int(&sql, 2),
            .ended = sql_get_int(&sql, 3),
            .outcome = (enum row_state)sql_get_int(&sql, 4),
            .reason = (enum reason)sql_get_int(&sql, 5),
            .http_status = (int)sql_get_int(&sql, 6),
            .detail = sql_copy_text(&sql, 7, arena),
        };
    }
    for (size_t i = 0; i < count / 2; i++) { /* asked for the latest, shown in order */
        struct attempt other = attempts[i];
        attempts[i] = attempts[count - 1 - i];
        attempts[count - 1 - i] = other;
    }
    way->attempts = attempts;
    way->attempt_count = count;
    return sql_end(&sql);
}

static enum status list_trail(struct sql_store *store, struct arena *arena,
                              const struct uuid *evaluation, struct evaluation_way *way)
{
    struct trail_record *records = ARENA_ARRAY(arena, WAY_MOST, struct trail_record);
    size_t count = 0;
    struct sql sql = sql_begin(&store->reader, SQL_TRAIL_OF);
    sql_id(&sql, evaluation);
    sql_int(&sql, WAY_MOST);
    while (count < WAY_MOST && sql_row(&sql)) {
        struct trail_record *record = &records[count++];
        record->number = (uint64_t)sql_get_int(&sql, 1);
        record->at = sql_get_int(&sql, 2);
        record->line.what = sql_copy_text(&sql, 3, arena);
        record->line.subject = sql_get_id(&sql, 4);
        record->line.patient = sql_copy_text(&sql, 5, arena);
        struct slice sealed = arena_copy(arena, sql_get_blob(&sql, 6));
        struct owner owner = owner_of_number(sql_get_int(&sql, 4));
        if (sql_open_record(store, arena, owner_slice(&owner), RECORD_TRAIL, sealed,
                            &record->line.body) != STATUS_OK) {
            record->line.body = SLICE("(damaged)");
        }
    }
    for (size_t i = 0; i < count / 2; i++) {
        struct trail_record other = records[i];
        records[i] = records[count - 1 - i];
        records[count - 1 - i] = other;
    }
    way->trail = records;
    way->trail_count = count;
    return sql_end(&sql);
}

/* What explains a plan is shown where it is whole; the rest is shown without it. */
static enum status read_trace(struct sql_store *store, struct arena *arena, const struct uuid *id,
                              struct evaluation_way *way)
{
    enum status status =
        sql_read_record(store, &store->reader, arena, id, RECORD_TRACE, &way->trace);
    return status == STATUS_ABSENT || status == STATUS_INVALID ? STATUS_OK : status;
}

static enum status read_way(struct sql_store *store, struct arena *arena, const struct uuid *id,
                            struct evaluation_way *way)
{
    enum status status = sql_get_evaluation(&store->reader, arena, id, &way->evaluation);
    if (status == STATUS_OK) {
        status = list_changes(store, arena, id, way);
    }
    if (status == STATUS_OK) {
        status = list_attempts(store, arena, id, way);
    }
    if (status == STATUS_OK) {
        status = read_trace(store, arena, id, way);
    }
    return status == STATUS_OK ? list_trail(store, arena, id, way) : status;
}

static enum status read_ways(struct sql_store *store, struct arena *arena, struct sql *sql,
                             const struct evaluation_way **ways_out, size_t *count_out)
{
    struct ids ids = {NULL, 0};
    enum status status = sql_take_ids(sql, arena, &ids);
    struct evaluation_way *ways = ARENA_ARRAY(arena, ids.count, struct evaluation_way);
    for (size_t i = 0; status == STATUS_OK && i < ids.count; i++) {
        status = read_way(store, arena, &ids.at[i], &ways[i]);
    }
    *ways_out = ways;
    *count_out = ids.count;
    return status;
}

struct way_question {
    struct uuid id;
    struct slice ehr;
    struct slice patient;
    size_t most;
    void *out;
};

static enum status ask_message_way(struct sql_store *store, struct arena *arena, void *arg)
{
    const struct way_question *question = arg;
    struct message_way way = {0};
    struct sql sql = sql_begin(&store->reader, SQL_READ_MESSAGE);
    sql_id(&sql, &question->id);
    bool found = sql_row(&sql);
    if (found) {
        way.message = sql_take_message(&sql, arena);
    }
    enum status status = sql_end(&sql);
    if (status == STATUS_OK && !found) {
        status = STATUS_ABSENT;
    }
    if (status == STATUS_OK) {
        sql = sql_begin(&store->reader, SQL_EVALUATIONS_OF_MESSAGE);
        sql_id(&sql, &question->id);
        sql_int(&sql, WAY_MOST);
        status = read_ways(store, arena, &sql, &way.evaluations, &way.evaluation_count);
    }
    if (status == STATUS_OK) {
        *(struct message_way *)question->out = way;
    }
    return status;
}

enum status sql_message_way(void *db, struct arena *arena, struct uuid id, struct message_way *out)
{
    struct way_question question = {.id = id, .out = out};
    return sql_ask(db, arena, ask_message_way, &question);
}

static enum status ask_patient_way(struct sql_store *store, struct arena *arena, void *arg)
{
    const struct way_question *question = arg;
    struct patient_way way = {0};
    enum { ITEMS_SHOWN = 1000 };
    struct item *items = ARENA_ARRAY(arena, ITEMS_SHOWN, struct item);
    struct sql sql = sql_begin(&store->reader, SQL_EVALUATIONS_OF_PATIENT);
    sql_text(&sql, question->ehr);
    sql_text(&sql, question->patient);
    sql_int(&sql, (int64_t)question->most);
    enum status status = read_ways(store, arena, &sql, &way.evaluations, &way.evaluation_count);
    if (status == STATUS_OK) {
        sql = sql_begin(&store->reader, SQL_ITEMS_OF_PATIENT);
        sql_text(&sql, question->ehr);
        sql_text(&sql, question->patient);
        size_t count = 0;
        while (count < ITEMS_SHOWN && sql_row(&sql)) {
            items[count++] = sql_take_item(&sql, arena);
        }
        way.items = (struct items){items, count};
        status = sql_end(&sql);
    }
    if (status == STATUS_OK && way.evaluation_count == 0 && way.items.count == 0) {
        status = STATUS_ABSENT;
    }
    if (status == STATUS_OK) {
        *(struct patient_way *)question->out = way;
    }
    return status;
}

enum status sql_patient_way(void *db, struct arena *arena, struct slice ehr, struct slice patient,
                            size_t most, struct patient_way *out)
{
    struct way_question question = {.ehr = ehr, .patient = patient, .most = most, .out = out};
    return most >= 1 && most <= WAY_MOST ? sql_ask(db, arena, ask_patient_way, &question)
                                         : STATUS_INVALID;
}
