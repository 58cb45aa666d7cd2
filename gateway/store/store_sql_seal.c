/* The keys of sealed records: that none is missing, and rotation to the current one. */
#include "gateway/store/store_sql.h"

/* ---- at opening ---- */

struct known_key {
    int64_t number;
    struct slice proof;
};

enum { KNOWN_MOST = 1000 };

static enum status list_keys(struct sql_store *store, struct known_key *keys, size_t *count_out)
{
    size_t count = 0;
    struct sql sql = sql_begin(&store->writer, SQL_LIST_KEYS);
    while (count < KNOWN_MOST && sql_row(&sql)) {
        keys[count++] = (struct known_key){sql_get_int(&sql, 0),
                                           arena_copy(store->scratch, sql_get_blob(&sql, 1))};
    }
    *count_out = count;
    return sql_end(&sql);
}

static enum status count_sealed(struct sql_store *store, int64_t number, int64_t *count_out)
{
    char mark[RECORD_MARK] = {RECORD_SEALED};
    for (int i = 0; i < 4; i++) {
        mark[1 + i] = (char)(number >> (24 - 8 * i));
    }
    struct sql sql = sql_begin(&store->writer, SQL_COUNT_SEALED);
    sql_blob(&sql, slice_from(mark, RECORD_MARK));
    *count_out = sql_row(&sql) ? sql_get_int(&sql, 0) : 0;
    return sql_end(&sql);
}

static enum status forget_key(struct sql_store *store, int64_t number)
{
    struct sql sql = sql_begin(&store->writer, SQL_REMOVE_KEY);
    sql_int(&sql, number);
    return sql_run(&sql, NULL);
}

/* Each missing key is told; one that no record needs is none. */
static enum status check_key(struct sql_store *store, const struct known_key *key,
                             struct diag_list *diags)
{
    struct slice unused;
    int64_t count = 0;
    struct owner owner = owner_of_number(key->number);
    bool given = keyring_find(store->seal.keys, (uint32_t)key->number).at != NULL;
    enum status status = given ? record_open(store->scratch, store->seal.keys, owner_slice(&owner),
                                             RECORD_CHECK, key->proof, &unused)
                               : STATUS_INVALID;
    if (status == STATUS_OK || status == STATUS_NO_MEMORY) {
        return status;
    }
    status = count_sealed(store, key->number, &count);
    if (status != STATUS_OK || count == 0) {
        return status == STATUS_OK ? forget_key(store, key->number) : status;
    }
    struct diag *diag = given
                            ? diag_add(diags, DIAG_SEAL_KEY, SPAN_NONE,
                                       "key %lld is another one than %lld records are sealed under",
                                       (long long)key->number, (long long)count)
                            : diag_add(diags, DIAG_SEAL_KEY, SPAN_NONE,
                                       "%lld records are sealed under key %lld, which is not given",
                                       (long long)count, (long long)key->number);
    diag_hint(diags, diag, "add the line of that key to the file of keys again");
    return STATUS_OK;
}

static enum status add_key(struct sql_store *store, uint32_t number)
{
    struct slice proof = SLICE_NONE;
    struct owner owner = owner_of_number(number);
    enum status status = record_pack(store->scratch, &store->seal, owner_slice(&owner),
                                     RECORD_CHECK, SLICE("proof"), &proof);
    if (status == STATUS_OK) {
        struct sql sql = sql_begin(&store->writer, SQL_ADD_KEY);
        sql_int(&sql, number);
        sql_blob(&sql, proof);
        sql_int(&sql, store->now);
        status = sql_run(&sql, NULL);
    }
    return status;
}

enum status sql_check_keys(struct sql_store *store, struct diag_list *diags)
{
    struct known_key *keys = ARENA_ARRAY(store->scratch, KNOWN_MOST, struct known_key);
    const struct keyring *given = store->seal.keys;
    size_t count = 0;
    bool known = given == NULL;
    size_t errors = diags->errors;
    enum status status = list_keys(store, keys, &count);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        status = check_key(store, &keys[i], diags);
    }
    if (status != STATUS_OK || diags->errors != errors) {
        return status != STATUS_OK ? status : STATUS_REFUSED;
    }
    status = list_keys(store, keys, &count); /* one that was not needed may have been forgotten */
    for (size_t i = 0; i < count && given != NULL; i++) {
        known = known || keys[i].number == keyring_current(given);
    }
    return status == STATUS_OK && !known ? add_key(store, keyring_current(given)) : status;
}

/* ---- rotation ---- */

enum { TABLE_COUNT = 4 };

/* One record as it is stored; what names it follows from its table. */
struct sealed {
    int64_t n;
    struct slice record;
    struct slice ehr;
    int64_t subject;
};

static struct slice owner_of(unsigned table, const struct sealed *sealed, struct owner *room,
                             enum record_part *part)
{
    static const enum record_part parts[TABLE_COUNT] = {RECORD_PAYLOAD, 0, RECORD_CAPABILITY,
                                                        RECORD_TRAIL};
    *part = table == 1 ? (enum record_part)(sealed->n % 8) : parts[table];
    if (table == 2) {
        return sealed->ehr;
    }
    *room = owner_of_number(table == 1 ? sealed->n / 8 : table == 3 ? sealed->subject : sealed->n);
    return owner_slice(room);
}

static enum status take_old(struct sql_store *store, const struct store_reseal *tx,
                            struct sealed *found, size_t *count_out)
{
    static const enum sql_id searches[TABLE_COUNT] = {SQL_OLD_PAYLOADS, SQL_OLD_RECORDS,
                                                      SQL_OLD_CAPABILITIES, SQL_OLD_LINES};
    char mark[RECORD_MARK];
    size_t count = 0;
    record_mark(store->seal.keys, mark);
    struct sql sql = sql_begin(&store->writer, searches[tx->in.table]);
    sql_int(&sql, tx->in.after);
    sql_blob(&sql, slice_from(mark, RECORD_MARK));
    sql_int(&sql, (int64_t)tx->in.most);
    while (count < tx->in.most && sql_row(&sql)) {
        bool named = tx->in.table >= 2;
        found[count++] = (struct sealed){
            .n = tx->in.table == 2 ? 0 : sql_get_int(&sql, 0),
            .record = arena_copy(store->scratch, sql_get_blob(&sql, 1)),
            .ehr =
                named ? sql_copy_text(&sql, tx->in.table == 2 ? 0 : 2, store->scratch) : SLICE_NONE,
            .subject = tx->in.table == 3 ? sql_get_int(&sql, 3) : 0};
    }
    *count_out = count;
    return sql_end(&sql);
}

static enum status put_back(struct sql_store *store, unsigned table, const struct sealed *sealed,
                            struct slice record)
{
    static const enum sql_id updates[TABLE_COUNT] = {SQL_RESEAL_PAYLOAD, SQL_RESEAL_RECORD,
                                                     SQL_RESEAL_CAPABILITY, SQL_RESEAL_LINE};
    struct sql sql = sql_begin(&store->writer, updates[table]);
    if (table >= 2) {
        sql_text(&sql, sealed->ehr);
    }
    if (table != 2) {
        sql_int(&sql, sealed->n);
    }
    sql_blob(&sql, record);
    return sql_run(&sql, NULL);
}

/* A damaged one is left for those who look at it. */
static enum status reseal_one(struct sql_store *store, struct store_reseal *tx,
                              const struct sealed *sealed)
{
    struct owner room;
    enum record_part part;
    struct slice bytes;
    struct slice record;
    struct arena_mark mark = arena_mark(store->scratch);
    struct slice owner = owner_of(tx->in.table, sealed, &room, &part);
    enum status status =
        record_open(store->scratch, store->seal.keys, owner, part, sealed->record, &bytes);
    if (status == STATUS_INVALID) {
        tx->out.damaged++;
        return STATUS_OK;
    }
    if (status == STATUS_OK) {
        status = record_pack(store->scratch, &store->seal, owner, part, bytes, &record);
    }
    if (status == STATUS_OK) {
        status = put_back(store, tx->in.table, sealed, record);
    }
    tx->out.resealed += status == STATUS_OK;
    arena_rewind(store->scratch, mark);
    return status;
}

static enum status forget_unused(struct sql_store *store)
{
    struct known_key *keys = ARENA_ARRAY(store->scratch, KNOWN_MOST, struct known_key);
    size_t count = 0;
    enum status status = list_keys(store, keys, &count);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        int64_t used = 1;
        if (keys[i].number != keyring_current(store->seal.keys)) {
            status = count_sealed(store, keys[i].number, &used);
        }
        if (status == STATUS_OK && used == 0) {
            status = forget_key(store, keys[i].number);
        }
    }
    return status;
}

enum status sql_reseal(struct sql_store *store, struct store_reseal *tx)
{
    size_t count = 0;
    if (store->seal.keys == NULL) {
        return STATUS_REFUSED;
    }
    if (tx->in.table >= TABLE_COUNT || tx->in.most == 0 || tx->in.most > 1000 ||
        tx->in.by.len == 0) {
        return STATUS_INVALID;
    }
    tx->out.resealed = 0;
    tx->out.damaged = 0;
    struct sealed *found = ARENA_ARRAY(store->scratch, tx->in.most, struct sealed);
    enum status status = take_old(store, tx, found, &count);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        status = reseal_one(store, tx, &found[i]);
    }
    if (status != STATUS_OK) {
        return status;
    }
    bool table_done = count < tx->in.most || tx->in.table == 2;
    /* Lines of several EHRs have one number: what is not done of it yet is found again. */
    int64_t back = tx->in.table == 3 && tx->out.resealed == 0;
    tx->out.table = tx->in.table + table_done;
    tx->out.after = table_done ? 0 : found[count - 1].n + back;
    tx->out.done = tx->out.table == TABLE_COUNT;
    if (!tx->out.done) {
        return STATUS_OK;
    }
    struct trail_line line = {.what = SLICE("rotate"),
                              .body = sql_trail_by(store, tx->in.by, SLICE_NONE)};
    status = sql_add_trail(store, SLICE_NONE, (struct trail_lines){&line, 1});
    return status == STATUS_OK ? forget_unused(store) : status;
}
