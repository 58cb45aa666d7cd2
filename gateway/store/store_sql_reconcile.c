/*
 * After `restore` and `rebase` an EHR is reconciled before anything is written to it (S19): its
 * open items are looked up there, page by page in the order of their rows. That it is so is a
 * switch, "reconcile"; how far it is, and what was found, are numbers of meta, `reconcile/EHR/...`:
 * the row of the last item looked up, the row of the last one there was at the beginning, and the
 * counts. Items that came later have nothing of before to be looked up.
 */
#include "gateway/store/store_sql.h"

static const char *const names[FINDING_COUNT] = {
    [FINDING_AS_LEFT] = "as-left", [FINDING_CHANGED] = "changed", [FINDING_WRITTEN] = "written",
    [FINDING_NONE] = "not-found",  [FINDING_HELD] = "held",
};

const char *finding_name(enum finding finding)
{
    return finding < FINDING_COUNT ? names[finding] : "?";
}

/* ---- numbers ---- */

static struct slice name_of(struct arena *arena, struct slice ehr, const char *number)
{
    return arena_printf(arena, "reconcile/%.*s/%s", SLICE_ARGS(ehr), number);
}

static enum status read_number(struct connection *connection, struct slice name, int64_t *out)
{
    struct sql sql = sql_begin(connection, SQL_READ_NUMBER);
    sql_text(&sql, name);
    *out = sql_row(&sql) ? sql_get_int(&sql, 0) : 0;
    return sql_end(&sql);
}

static enum status put_number(struct sql_store *store, struct slice ehr, const char *number,
                              int64_t value)
{
    struct sql sql = sql_begin(&store->writer, SQL_PUT_NUMBER);
    sql_text(&sql, name_of(store->scratch, ehr, number));
    sql_int(&sql, value);
    return sql_run(&sql, NULL);
}

/* The rows of the last item looked up, and of the last to be. */
struct range {
    int64_t after;
    int64_t upto;
};

static enum status read_range(struct connection *connection, struct arena *arena, struct slice ehr,
                              struct range *range)
{
    enum status status = read_number(connection, name_of(arena, ehr, "after"), &range->after);
    return status == STATUS_OK ? read_number(connection, name_of(arena, ehr, "upto"), &range->upto)
                               : status;
}

static enum status count_left(struct connection *connection, const struct range *range,
                              struct slice ehr, uint64_t *left)
{
    struct sql sql = sql_begin(connection, SQL_COUNT_UNRECONCILED);
    sql_int(&sql, range->after);
    sql_int(&sql, range->upto);
    sql_text(&sql, ehr);
    *left = sql_row(&sql) ? (uint64_t)sql_get_int(&sql, 0) : 0;
    return sql_end(&sql);
}

enum status sql_get_reconciliation(struct connection *connection, struct arena *arena,
                                   struct slice ehr, struct reconciliation *out)
{
    struct reconciliation told = {.on = false};
    struct range range = {0, 0};
    struct sql sql = sql_begin(connection, SQL_READ_RECONCILIATION);
    sql_text(&sql, ehr);
    bool known = sql_row(&sql);
    if (known) {
        told.on = sql_get_int(&sql, 0) != 0;
        told.after = sql_copy_text(&sql, 1, arena);
        told.since = sql_get_int(&sql, 2);
    }
    enum status status = sql_end(&sql);
    if (status == STATUS_OK && known) {
        status = read_number(connection, name_of(arena, ehr, "ended"), &told.ended);
    }
    for (size_t i = 0; status == STATUS_OK && known && i < FINDING_COUNT; i++) {
        int64_t count = 0;
        status = read_number(connection, name_of(arena, ehr, names[i]), &count);
        told.found[i] = (uint64_t)count;
    }
    if (status == STATUS_OK && told.on) {
        status = read_range(connection, arena, ehr, &range);
    }
    if (status == STATUS_OK && told.on) {
        status = count_left(connection, &range, ehr, &told.left);
    }
    if (status == STATUS_OK) {
        *out = told;
    }
    return status;
}

/* ---- the beginning ---- */

static enum status look_first(struct sql_store *store, struct slice ehr, int *open_out)
{
    struct sql sql = sql_begin(&store->writer, SQL_LOOK_FIRST);
    sql_text(&sql, ehr);
    return sql_run(&sql, open_out);
}

/* Anew, when it is so already: what was found before may be otherwise by now. */
static enum status begin(struct sql_store *store, struct slice ehr, struct slice after,
                         struct slice by)
{
    int64_t last = 0;
    struct sql sql = sql_begin(&store->writer, SQL_PUT_SWITCH);
    sql_text(&sql, ehr);
    sql_text(&sql, SLICE("reconcile"));
    sql_int(&sql, 1);
    sql_text(&sql, by);
    sql_text(&sql, after);
    sql_int(&sql, store->now);
    enum status status = sql_run(&sql, NULL);
    if (status == STATUS_OK) {
        sql = sql_begin(&store->writer, SQL_LAST_ITEM);
        last = sql_row(&sql) ? sql_get_int(&sql, 0) : 0;
        status = sql_end(&sql);
    }
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {{"after", 0}, {"upto", last}, {"ended", 0}};
    for (size_t i = 0; status == STATUS_OK && i < sizeof numbers / sizeof *numbers; i++) {
        status = put_number(store, ehr, numbers[i].name, numbers[i].value);
    }
    for (size_t i = 0; status == STATUS_OK && i < FINDING_COUNT; i++) {
        status = put_number(store, ehr, names[i], 0);
    }
    return status;
}

enum status sql_rebase(struct sql_store *store, struct store_rebase *tx)
{
    int open = 0;
    struct sql sql = sql_begin(&store->writer, SQL_FIND_EHR);
    sql_text(&sql, tx->in.ehr);
    bool known = sql_row(&sql);
    enum status status = sql_end(&sql);
    if (status == STATUS_OK && (!known || tx->in.base_url.len == 0 || tx->in.by.len == 0)) {
        return known ? STATUS_INVALID : STATUS_ABSENT;
    }
    if (status == STATUS_OK) {
        sql = sql_begin(&store->writer, SQL_BIND_EHR);
        sql_text(&sql, tx->in.ehr);
        sql_text(&sql, tx->in.base_url);
        status = sql_run(&sql, NULL);
    }
    if (status == STATUS_OK) {
        status = look_first(store, tx->in.ehr, &open);
    }
    if (status == STATUS_OK) {
        status = begin(store, tx->in.ehr, SLICE("rebase"), tx->in.by);
    }
    tx->out.open = (size_t)open;
    struct trail_line line = {.what = SLICE("rebase"),
                              .body = sql_trail_by(store, tx->in.by, tx->in.base_url)};
    return status == STATUS_OK ? sql_add_trail(store, tx->in.ehr, (struct trail_lines){&line, 1})
                               : status;
}

enum status sql_recover_restored(struct sql_store *store)
{
    enum { EHRS_MOST = 1000 };
    struct slice *ehrs = ARENA_ARRAY(store->scratch, EHRS_MOST, struct slice);
    size_t count = 0;
    int64_t restored = 0;
    enum status status = read_number(&store->writer, SLICE(SQL_RESTORED), &restored);
    if (status != STATUS_OK || restored == 0) {
        return status;
    }
    struct sql sql = sql_begin(&store->writer, SQL_LIST_EHRS);
    while (count < EHRS_MOST && sql_row(&sql)) {
        ehrs[count++] = sql_copy_text(&sql, 0, store->scratch);
    }
    status = sql_end(&sql);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        status = look_first(store, ehrs[i], NULL);
        if (status == STATUS_OK) {
            status = begin(store, ehrs[i], SLICE("restore"), SLICE_NONE);
        }
    }
    if (status == STATUS_OK) {
        sql = sql_begin(&store->writer, SQL_REMOVE_NUMBER);
        sql_text(&sql, SLICE(SQL_RESTORED));
        status = sql_run(&sql, NULL);
    }
    return status;
}

/* ---- what was found ---- */

/* What waits behind a held write is held with it, and its visit comes to an end. */
static enum status hold_writes(struct sql_store *store, const struct item *item)
{
    struct ids writes = {NULL, 0};
    struct uuid row = UUID_NONE;
    bool ended;
    struct sql sql = sql_begin(&store->writer, SQL_ITEM_ROW);
    sql_uuid(&sql, &item->identifier);
    if (sql_row(&sql)) {
        row = sql_get_id(&sql, 0);
    }
    enum status status = sql_end(&sql);
    if (status == STATUS_OK) {
        sql = sql_begin(&store->writer, SQL_OPEN_OF_ITEM);
        sql_id(&sql, &row);
        status = sql_take_ids(&sql, store->scratch, &writes);
    }
    for (size_t i = 0; status == STATUS_OK && i < writes.count; i++) {
        struct change change;
        status = sql_get_change(store, &store->writer, store->scratch, &writes.at[i], &change);
        if (status == STATUS_OK && !row_state_is_end(change.state)) {
            status = sql_end_change(store, &change.id, ROW_HELD, REASON_OUTCOME_UNKNOWN,
                                    SLICE("the EHR cannot be asked whether it was written"));
        }
        if (status == STATUS_OK) {
            status = sql_settle_evaluation(store, &change.evaluation, &ended);
        }
    }
    return status;
}

static enum status take_finding(struct sql_store *store, struct slice ehr,
                                const struct item_finding *found, struct reconciliation *reached)
{
    char id[UUID_TEXT_SIZE];
    enum status status = STATUS_OK;
    if (found->finding >= FINDING_COUNT) {
        return STATUS_INVALID;
    }
    reached->found[found->finding]++;
    if (found->finding == FINDING_HELD) {
        status = hold_writes(store, found->item);
    }
    if (status != STATUS_OK || found->finding == FINDING_AS_LEFT) {
        return status;
    }
    uuid_write(found->item->identifier, id);
    struct trail_line line = {.what = SLICE("looked-up"),
                              .patient = found->item->of.patient,
                              .body = arena_printf(store->scratch, "%.*s %s: %s",
                                                   SLICE_ARGS(found->item->resource_type), id,
                                                   finding_name(found->finding))};
    return sql_add_trail(store, ehr, (struct trail_lines){&line, 1});
}

/* What was planned meanwhile may have been written before as well: it looks first, too. */
static enum status finish(struct sql_store *store, struct slice ehr, struct reconciliation *reached)
{
    struct buf text;
    struct sql sql = sql_begin(&store->writer, SQL_END_RECONCILIATION);
    sql_text(&sql, ehr);
    enum status status = sql_run(&sql, NULL);
    if (status == STATUS_OK) {
        status = look_first(store, ehr, NULL);
    }
    if (status == STATUS_OK) {
        status = put_number(store, ehr, "ended", store->now);
    }
    buf_init(&text, store->scratch, 1024);
    buf_printf(&text, "after %.*s", SLICE_ARGS(reached->after));
    for (size_t i = 0; i < FINDING_COUNT; i++) {
        buf_printf(&text, "%s %llu %s", i == 0 ? ":" : ",", (unsigned long long)reached->found[i],
                   names[i]);
    }
    reached->on = false;
    reached->ended = store->now;
    struct trail_line line = {.what = SLICE("reconciled"), .body = buf_view(&text)};
    return status == STATUS_OK ? sql_add_trail(store, ehr, (struct trail_lines){&line, 1}) : status;
}

enum status sql_save_findings(struct sql_store *store, struct store_save_findings *tx)
{
    struct range range = {0, 0};
    struct reconciliation reached = {.on = false};
    if (tx->in.ehr.len == 0 || tx->tx.arena == NULL) {
        return STATUS_INVALID;
    }
    enum status status = sql_get_reconciliation(&store->writer, tx->tx.arena, tx->in.ehr, &reached);
    if (status == STATUS_OK) {
        status = read_range(&store->writer, store->scratch, tx->in.ehr, &range);
    }
    if (status == STATUS_OK &&
        (!reached.on || number_of_id(&store->writer.key, &tx->in.after) != range.after)) {
        return STATUS_REFUSED;
    }
    for (size_t i = 0; status == STATUS_OK && i < tx->in.count; i++) {
        status = take_finding(store, tx->in.ehr, &tx->in.at[i], &reached);
    }
    range.after =
        uuid_is_none(tx->in.last) ? range.upto : number_of_id(&store->writer.key, &tx->in.last);
    if (status == STATUS_OK) {
        status = put_number(store, tx->in.ehr, "after", range.after);
    }
    for (size_t i = 0; status == STATUS_OK && i < FINDING_COUNT; i++) {
        status = put_number(store, tx->in.ehr, names[i], (int64_t)reached.found[i]);
    }
    if (status == STATUS_OK) {
        status = count_left(&store->writer, &range, tx->in.ehr, &reached.left);
    }
    if (status == STATUS_OK && reached.left == 0) {
        status = finish(store, tx->in.ehr, &reached);
    }
    if (status == STATUS_OK) {
        tx->out.reached = reached;
    }
    return status;
}

/* ---- what is to be looked up ---- */

struct question {
    struct slice ehr;
    size_t most;
    struct unreconciled *out;
};

static enum status read_item(struct sql_store *store, struct arena *arena, const struct uuid *row,
                             struct item *item)
{
    struct sql sql = sql_begin(&store->reader, SQL_ITEM_BY_NUMBER);
    sql_id(&sql, row);
    bool found = sql_row(&sql);
    if (found) {
        *item = sql_take_item(&sql, arena);
    }
    enum status status = sql_end(&sql);
    if (status == STATUS_OK && found) {
        status = sql_read_base(store, &store->reader, arena, item);
        status = status == STATUS_INVALID ? STATUS_OK : status; /* damaged: told by its version */
    }
    return status == STATUS_OK && !found ? STATUS_ABSENT : status;
}

static enum status ask_unreconciled(struct sql_store *store, struct arena *arena, void *arg)
{
    const struct question *question = arg;
    struct unreconciled out = {.base_url = SLICE_NONE};
    struct range range = {0, 0};
    struct ids rows = {NULL, 0};
    struct sql sql = sql_begin(&store->reader, SQL_READ_RECONCILIATION);
    sql_text(&sql, question->ehr);
    bool on = sql_row(&sql) && sql_get_int(&sql, 0) != 0;
    enum status status = sql_end(&sql);
    if (status == STATUS_OK && !on) {
        return STATUS_ABSENT;
    }
    if (status == STATUS_OK) {
        status = read_range(&store->reader, arena, question->ehr, &range);
    }
    if (status == STATUS_OK) {
        sql = sql_begin(&store->reader, SQL_FIND_EHR);
        sql_text(&sql, question->ehr);
        out.base_url = sql_row(&sql) ? sql_copy_text(&sql, 0, arena) : SLICE_NONE;
        status = sql_end(&sql);
    }
    if (status == STATUS_OK) {
        sql = sql_begin(&store->reader, SQL_UNRECONCILED);
        sql_int(&sql, range.after);
        sql_int(&sql, range.upto);
        sql_text(&sql, question->ehr);
        sql_int(&sql, (int64_t)question->most);
        status = sql_take_ids(&sql, arena, &rows);
    }
    struct item *items = ARENA_ARRAY(arena, rows.count + 1, struct item);
    for (size_t i = 0; status == STATUS_OK && i < rows.count; i++) {
        status = read_item(store, arena, &rows.at[i], &items[i]);
    }
    if (status == STATUS_OK) {
        out.after = id_of_number(&store->reader.key, range.after);
        out.last = rows.count != 0 ? rows.at[rows.count - 1] : UUID_NONE;
        out.items = (struct items){items, rows.count};
        *question->out = out;
    }
    return status;
}

enum status sql_read_unreconciled(void *db, struct arena *arena, struct slice ehr, size_t most,
                                  struct unreconciled *out)
{
    struct question question = {ehr, most, out};
    return most >= 1 && most <= 1000 ? sql_ask(db, arena, ask_unreconciled, &question)
                                     : STATUS_INVALID;
}
