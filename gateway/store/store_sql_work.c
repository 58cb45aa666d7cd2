/* Which visits are meant: the queue as people look at it and as their levers take it. */
#include "gateway/store/store_sql.h"

static struct work_entry take_entry(const struct sql *sql, struct arena *arena)
{
    return (struct work_entry){
        .id = sql_get_id(sql, 0),
        .is_message = sql_get_int(sql, 1) != 0,
        .ehr = sql_copy_text(sql, 2, arena),
        .patient = sql_copy_text(sql, 3, arena),
        .visit = sql_copy_text(sql, 4, arena),
        .state = (enum work_state)sql_get_int(sql, 5),
        .reason = (enum reason)sql_get_int(sql, 6),
        .detail = sql_copy_text(sql, 7, arena),
        .first = sql_get_int(sql, 8),
        .due = sql_get_int(sql, 9),
        .ended = sql_get_int(sql, 10),
        .mapping = sql_copy_text(sql, 11, arena),
        .mapping_version = sql_copy_text(sql, 12, arena),
        .claimed = sql_get_int(sql, 13) != 0,
    };
}

/* digits: room for eight, until the statement has run. */
static void bind_filter(struct sql *sql, const struct work_filter *filter, char *digits)
{
    const unsigned every = 0xff; /* a bit for each state; to SQL, a digit */
    unsigned states = filter->states != 0 ? filter->states : every;
    size_t count = 0;
    for (unsigned state = 0; state < 8; state++) {
        if ((states & (1U << state)) != 0) {
            digits[count++] = (char)('0' + state);
        }
    }
    sql_text(sql, filter->ehr);
    sql_text(sql, filter->patient);
    sql_text(sql, filter->mapping);
    sql_text(sql, filter->mapping_version);
    sql_text(sql, slice_from(digits, count));
    sql_int(sql, filter->reason);
    sql_int(sql, filter->since);
    sql_int(sql, filter->until != 0 ? filter->until : INT64_MAX);
    sql_int(sql, filter->answered);
}

enum status sql_find_work(struct connection *connection, struct arena *arena,
                          const struct work_filter *filter, const struct uuid *from, size_t most,
                          struct work_entries *out)
{
    struct work_entry *entries = ARENA_ARRAY(arena, most + 1, struct work_entry);
    size_t count = 0;
    struct sql sql = sql_begin(connection, SQL_LIST_WORK);
    char digits[8];
    sql_id(&sql, from);
    bind_filter(&sql, filter, digits);
    sql_int(&sql, (int64_t)most + 1);
    while (count <= most && sql_row(&sql)) {
        entries[count++] = take_entry(&sql, arena);
    }
    enum status status = sql_end(&sql);
    if (status == STATUS_OK) {
        bool more = count > most;
        *out = (struct work_entries){.at = entries,
                                     .count = more ? most : count,
                                     .next = more ? entries[most].id : UUID_NONE};
    }
    return status;
}

enum status sql_find_work_of(struct connection *connection, struct arena *arena,
                             const struct uuid *id, struct work_entries *out)
{
    enum { OF_ONE_MOST = 1000 };
    static const enum sql_id searches[] = {SQL_WORK_OF_EVALUATION, SQL_WORK_OF_MESSAGE,
                                           SQL_WORK_OF_CHANGE};
    struct work_entry *entries = ARENA_ARRAY(arena, OF_ONE_MOST, struct work_entry);
    size_t count = 0;
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && count == 0 && i < 3; i++) {
        struct sql sql = sql_begin(connection, searches[i]);
        sql_id(&sql, id);
        while (count < OF_ONE_MOST && sql_row(&sql)) {
            entries[count++] = take_entry(&sql, arena);
        }
        status = sql_end(&sql);
    }
    if (status == STATUS_OK && count == 0) {
        status = STATUS_ABSENT;
    }
    if (status == STATUS_OK) {
        *out = (struct work_entries){entries, count, UUID_NONE};
    }
    return status;
}

/* ---- questions ---- */

struct work_question {
    const struct work_filter *filter;
    struct uuid from;
    size_t most;
    struct work_entries *out;
};

static enum status ask_work(struct sql_store *store, struct arena *arena, void *arg)
{
    const struct work_question *question = arg;
    return sql_find_work(&store->reader, arena, question->filter, &question->from, question->most,
                         question->out);
}

enum status sql_list_work(void *db, struct arena *arena, const struct work_filter *filter,
                          struct uuid from, size_t most, struct work_entries *out)
{
    struct work_question question = {filter, from, most, out};
    return most >= 1 && most <= 1000 ? sql_ask(db, arena, ask_work, &question) : STATUS_INVALID;
}

/* ---- children as they were evaluated last ---- */

struct evaluated_question {
    const struct work_filter *filter;
    struct uuid from;
    size_t most;
    size_t bytes_most;
    struct evaluated_page *out;
};

static enum status find_evaluated(struct sql_store *store, struct arena *arena,
                                  const struct evaluated_question *question, struct ids *ids_out)
{
    struct sql sql = sql_begin(&store->reader, SQL_LIST_EVALUATED);
    char digits[8];
    if (uuid_is_none(question->from)) {
        sql_int(&sql, INT64_MAX);
    } else {
        sql_id(&sql, &question->from);
    }
    bind_filter(&sql, question->filter, digits);
    sql_int(&sql, (int64_t)question->most + 1);
    return sql_take_ids(&sql, arena, ids_out);
}

/* A record that fails its checksum is told of; the others are not affected. */
static enum status take_record(struct sql_store *store, struct arena *arena, const struct uuid *id,
                               enum record_part part, struct slice *bytes, bool *damaged)
{
    enum status status = sql_read_record(store, &store->reader, arena, id, part, bytes);
    *damaged = status == STATUS_INVALID;
    return *damaged ? STATUS_OK : status;
}

static enum status take_evaluated(struct sql_store *store, struct arena *arena,
                                  const struct uuid *id, struct evaluated *out)
{
    bool trace_damaged;
    enum status status = sql_get_evaluation(&store->reader, arena, id, &out->evaluation);
    if (status == STATUS_OK) {
        status = take_record(store, arena, id, RECORD_FACTS, &out->facts, &out->damaged);
    }
    if (status == STATUS_OK) {
        status = take_record(store, arena, id, RECORD_TRACE, &out->trace, &trace_damaged);
    }
    return status;
}

static enum status ask_evaluated(struct sql_store *store, struct arena *arena, void *arg)
{
    const struct evaluated_question *question = arg;
    struct ids ids = {NULL, 0};
    size_t count = 0;
    size_t bytes = 0;
    enum status status = find_evaluated(store, arena, question, &ids);
    struct evaluated *found = ARENA_ARRAY(arena, ids.count + 1, struct evaluated);
    while (status == STATUS_OK && count < ids.count && count < question->most &&
           bytes <= question->bytes_most) {
        status = take_evaluated(store, arena, &ids.at[count], &found[count]);
        bytes += found[count].facts.len + found[count].trace.len;
        count++;
    }
    if (status == STATUS_OK) {
        *question->out = (struct evaluated_page){
            .at = found, .count = count, .next = count < ids.count ? ids.at[count] : UUID_NONE};
    }
    return status;
}

enum status sql_list_evaluated(void *db, struct arena *arena, const struct work_filter *filter,
                               struct uuid from, size_t most, size_t bytes_most,
                               struct evaluated_page *out)
{
    struct evaluated_question question = {filter, from, most, bytes_most, out};
    return most >= 1 && most <= 1000 ? sql_ask(db, arena, ask_evaluated, &question)
                                     : STATUS_INVALID;
}

struct evaluated_of {
    struct uuid id;
    struct evaluated_page *out;
};

static enum status ask_evaluated_of(struct sql_store *store, struct arena *arena, void *arg)
{
    enum { OF_ONE_MOST = 8 };
    const struct evaluated_of *question = arg;
    struct work_entries work = {NULL, 0, UUID_NONE};
    struct evaluated *found = ARENA_ARRAY(arena, OF_ONE_MOST, struct evaluated);
    size_t count = 0;
    enum status status = sql_find_work_of(&store->reader, arena, &question->id, &work);
    for (size_t i = 0; status == STATUS_OK && i < work.count && count < OF_ONE_MOST; i++) {
        if (!work.at[i].is_message) {
            status = take_evaluated(store, arena, &work.at[i].id, &found[count++]);
        }
    }
    if (status == STATUS_OK) {
        *question->out = (struct evaluated_page){.at = found, .count = count, .next = UUID_NONE};
    }
    return status;
}

enum status sql_evaluated_of(void *db, struct arena *arena, struct uuid id,
                             struct evaluated_page *out)
{
    struct evaluated_of question = {id, out};
    return sql_ask(db, arena, ask_evaluated_of, &question);
}

/* ---- standing holds ---- */

static enum status ask_holds(struct sql_store *store, struct arena *arena, void *arg)
{
    enum { HOLDS_MOST = 1000 };
    struct standing_hold *holds = ARENA_ARRAY(arena, HOLDS_MOST, struct standing_hold);
    size_t count = 0;
    struct sql sql = sql_begin(&store->reader, SQL_LIST_HOLDS);
    while (count < HOLDS_MOST && sql_row(&sql)) {
        holds[count++] = (struct standing_hold){.ehr = sql_copy_text(&sql, 0, arena),
                                                .patient = sql_copy_text(&sql, 1, arena),
                                                .by = sql_copy_text(&sql, 2, arena),
                                                .why = sql_copy_text(&sql, 3, arena),
                                                .since = sql_get_int(&sql, 4)};
    }
    enum status status = sql_end(&sql);
    if (status == STATUS_OK) {
        *(struct standing_holds *)arg = (struct standing_holds){holds, count};
    }
    return status;
}

enum status sql_list_holds(void *db, struct arena *arena, struct standing_holds *out)
{
    return sql_ask(db, arena, ask_holds, out);
}
