// packages: eplan::sqlite eplan::pq
// stores: postgresql
/* Sealed records: what the file shows, keys that are missing, damage, rotation. */
#include "fixture.h"

#include <fcntl.h>
#include <sqlite3.h>

#include "gateway/store/record.h"
#include "gateway/store/store_pg_dialect.h"

#define KEY_1 "1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
#define KEY_2 "2 ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100\n"
#define OTHER_1 "1 1f112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
#define SECRET_WORD "Observation"

static enum status load_text(const char *text, mode_t mode, struct diag_list *diags,
                             struct keyring **keys)
{
    char path[] = "/tmp/eplan-test-keys-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    fchmod(fd, mode);
    close(fd);
    enum status status = keyring_load(path, diags, keys);
    unlink(path);
    return status;
}

static struct keyring *keys_of(struct fixture *f, const char *text)
{
    struct keyring *keys = NULL;
    struct diag_list diags;
    diag_init(&diags, f->arena, 5);
    assert_int_equal(load_text(text, 0600, &diags, &keys), STATUS_OK);
    return keys;
}

static void use_keys(struct fixture *f, struct keyring **keys, const char *text)
{
    store_close(&f->store);
    keyring_destroy(keys);
    *keys = text != NULL ? keys_of(f, text) : NULL;
    f->options.keys = *keys;
}

static void check_refused(struct fixture *f, const char *want)
{
    struct diag_list diags;
    struct store *store = NULL;
    diag_init(&diags, f->arena, 10);
    assert_int_equal(store_open(&f->options, &diags, &store), STATUS_REFUSED);
    assert_null(store);
    assert_non_null(diags.first);
    assert_string_equal(arena_cstr(f->arena, diags.first->sentence), want);
}

static sqlite3 *open_file(struct fixture *f)
{
    char path[128];
    sqlite3 *db = NULL;
    snprintf(path, sizeof path, "%s/store.db", f->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    return db;
}

/* The statements below are SQLite's; here in PostgreSQL's words, with what it has not. */
static PGresult *ask_postgres(PGconn *conn, const char *sql)
{
    char text[2048];
    assert_true(pg_dialect(sql, text, sizeof text));
    for (char *at = text; (at = strstr(at, "x'01'")) != NULL; at++) {
        memcpy(at, "E'\\1'", 5); /* a byte of one */
    }
    PGresult *result =
        PQexec(conn, "CREATE OR REPLACE FUNCTION zeroblob(int) RETURNS bytea LANGUAGE"
                     " sql AS $$SELECT decode(repeat('00', $1), 'hex')$$;"
                     "CREATE OR REPLACE FUNCTION instr(bytea, text) RETURNS int"
                     " LANGUAGE sql AS $$SELECT position(convert_to($2, 'UTF8') IN"
                     " $1)$$");
    PQclear(result);
    result = PQexec(conn, text);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK) {
        fail_msg("%s: %s", text, PQerrorMessage(conn));
    }
    return result;
}

static int64_t number(struct fixture *f, const char *sql)
{
    char url[192];
    if (wants_postgres()) {
        PGconn *conn = PQconnectdb(postgres_url_of("postgres", url));
        PGresult *result = ask_postgres(conn, sql);
        int64_t value = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
        PQclear(result);
        PQfinish(conn);
        return value;
    }
    sqlite3 *db = open_file(f);
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
}

static void change_store(struct fixture *f, const char *sql)
{
    char url[192];
    if (wants_postgres()) {
        PGconn *conn = PQconnectdb(postgres_url_of("postgres", url));
        PGresult *result = ask_postgres(conn, sql);
        assert_true(strtol(PQcmdTuples(result), NULL, 10) > 0);
        PQclear(result);
        PQfinish(conn);
        return;
    }
    sqlite3 *db = open_file(f);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fail_msg("%s", sqlite3_errmsg(db));
    }
    assert_true(sqlite3_total_changes(db) > 0);
    sqlite3_close(db);
}

/* Something of every part. */
static struct uuid fill(struct fixture *f, const char *key, const char *patient)
{
    struct evaluation_claim claim = ready(f, key, patient, "e1");
    struct store_save_context context = STORE_TX(SAVE_CONTEXT);
    context.in.evaluation = claim.evaluation.id;
    context.in.fence = claim.evaluation.fence;
    context.in.facts = SLICE("{\"facts\":\"Observation\"}");
    assert_int_equal(store_run(f->store, &context.tx), STATUS_OK);
    struct change change = change_of(patient, "a", 1, 0);
    change.body = SLICE("{\"resourceType\":\"Observation\"}");
    struct store_save_plan plan = plan_tx(&claim.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
    plan.in.trace = SLICE("{\"trace\":\"Observation\"}");
    struct trail_line line = {
        .what = SLICE("one"), .subject = claim.evaluation.id, .body = SLICE("body: Observation")};
    plan.in.trail = (struct trail_lines){&line, 1};
    assert_int_equal(store_run(f->store, &plan.tx), STATUS_OK);
    struct store_claim_changes sent = claim_changes(f, false);
    assert_int_equal(sent.out.count, 1);
    deliver(f, &sent.out.changes[0]);
    struct store_save_capability cap = STORE_TX(SAVE_CAPABILITY);
    cap.in.ehr = NORTH;
    cap.in.body = SLICE("{\"capability\":\"Observation\"}");
    assert_int_equal(store_run(f->store, &cap.tx), STATUS_OK);
    return claim.messages[0].id;
}

static const char *const unsealed_records =
    "SELECT (SELECT count(*) FROM message WHERE substr(record, 1, 1) = x'01')"
    " + (SELECT count(*) FROM record WHERE substr(bytes, 1, 1) = x'01')"
    " + (SELECT count(*) FROM capability WHERE substr(record, 1, 1) = x'01')"
    " + (SELECT count(*) FROM trail WHERE substr(body, 1, 1) = x'01')";

static void each_part_is_sealed_and_read_back(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct keyring *keys = NULL;
    use_keys(f, &keys, KEY_1);
    open_store(f);
    struct uuid message = fill(f, "k1", "p1");
    reopen(f);
    assert_int_equal(number(f, unsealed_records), 0);
    assert_int_equal(
        number(f, "SELECT (SELECT count(*) FROM message WHERE instr(record, 'Observation') > 0)"
                  " + (SELECT count(*) FROM record WHERE instr(bytes, 'Observation') > 0)"
                  " + (SELECT count(*) FROM capability WHERE instr(record, 'Observation') > 0)"
                  " + (SELECT count(*) FROM trail WHERE instr(body, 'Observation') > 0)"),
        0);
    struct slice payload = message_now(f, message).payload;
    assert_true(slice_find(payload, SLICE(SECRET_WORD), 0) != SIZE_MAX);
    struct message_way way = way_of(f, message);
    assert_true(slice_is(way.evaluations[0].trace, "{\"trace\":\"Observation\"}"));
    assert_true(slice_is(way.evaluations[0].trail[0].line.body, "body: Observation"));
    struct items items;
    assert_int_equal(store_list_items(f->store, f->arena, NORTH, SLICE("p1"), &items), STATUS_OK);
    assert_true(slice_is(items.at[0].base, "{\"resourceType\":\"Goal\",\"id\":\"g1\"}"));
    struct store_faults faults; /* who has no keys sees the checksums */
    assert_int_equal(store_verify(place_of(f), NULL, f->arena, &faults), STATUS_OK);
    assert_int_equal(faults.all, 0);
    assert_int_equal(faults.sealed, faults.records + faults.lines);
    end(f);
    keyring_destroy(&keys);
}

static void a_missing_key_is_told_with_its_number_and_the_count(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct keyring *keys = NULL;
    use_keys(f, &keys, KEY_1);
    open_store(f);
    fill(f, "k1", "p1");
    int64_t count =
        number(f, "SELECT (SELECT count(*) FROM message) + (SELECT count(*) FROM record)"
                  " + (SELECT count(*) FROM capability)"
                  " + (SELECT count(*) FROM trail)");
    char want[128];
    snprintf(want, sizeof want, "%lld records are sealed under key 1, which is not given",
             (long long)count);
    use_keys(f, &keys, NULL);
    check_refused(f, want);
    use_keys(f, &keys, KEY_2);
    check_refused(f, want);
    snprintf(want, sizeof want, "key 1 is another one than %lld records are sealed under",
             (long long)count);
    use_keys(f, &keys, OTHER_1);
    check_refused(f, want);
    use_keys(f, &keys, KEY_2 KEY_1);
    open_store(f);
    end(f);
    keyring_destroy(&keys);
}

static void rotation_seals_all_anew_and_the_old_key_may_go(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct keyring *keys = NULL;
    struct uuid first = fill(f, "k1", "p1"); /* not sealed */
    use_keys(f, &keys, KEY_1);
    open_store(f);
    struct uuid second = fill(f, "k2", "p2");
    use_keys(f, &keys, KEY_2 KEY_1);
    open_store(f);
    struct uuid third = fill(f, "k3", "p3");
    struct store_reseal tx = STORE_TX(RESEAL);
    tx.in.most = 2;
    tx.in.by = SLICE("admin");
    size_t resealed = 0;
    while (!tx.out.done) {
        assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
        resealed += tx.out.resealed;
        assert_int_equal(tx.out.damaged, 0);
        check_rules(f); /* the trail's chain as well */
        tx.in.table = tx.out.table;
        tx.in.after = tx.out.after;
    }
    assert_true(resealed > 10);
    use_keys(f, &keys, KEY_2);
    open_store(f);
    const struct uuid all[] = {first, second, third};
    for (size_t i = 0; i < 3; i++) {
        assert_true(slice_find(message_now(f, all[i]).payload, SLICE(SECRET_WORD), 0) != SIZE_MAX);
    }
    assert_int_equal(number(f, unsealed_records), 0);
    assert_int_equal(number(f, "SELECT count(*) FROM seal_key"), 1);
    tx.in.table = 0; /* again: there is nothing to do */
    tx.in.after = 0;
    do {
        assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
        assert_int_equal(tx.out.resealed, tx.out.done ? tx.out.resealed : 0);
        tx.in.table = tx.out.table;
        tx.in.after = tx.out.after;
    } while (!tx.out.done);
    end(f);
    keyring_destroy(&keys);
}

static void rotation_without_keys_is_refused(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct store_reseal tx = STORE_TX(RESEAL);
    tx.in.most = 10;
    tx.in.by = SLICE("admin");
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_REFUSED);
    end(f);
}

/* One record of each kind is torn, flipped or put in another's place: it alone is lost. */
static void damage_harms_no_other(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        size_t faults;
    } damages[] = {
        {"UPDATE message SET record = substr(record, 1, length(record) - 1) WHERE key = 'k1'", 1},
        {"UPDATE message SET record = CAST(substr(record, 1, 30) || 'x' || substr(record, 32) AS"
         " BLOB) WHERE key = 'k1'",
         1},
        {"UPDATE message SET record = (SELECT record FROM message WHERE key = 'k2') WHERE key ="
         " 'k1'",
         1},
        {"UPDATE record SET bytes = zeroblob(length(bytes)) WHERE n = (SELECT min(n) FROM record"
         " WHERE n % 8 = 3)",
         1},
        {"UPDATE record SET bytes = substr(bytes, 1, 20) WHERE n = (SELECT min(n) FROM record WHERE"
         " n % 8 = 5)",
         1},
        {"UPDATE trail SET body = zeroblob(60) WHERE number = 1", 2}, /* and the chain behind it */
        {"UPDATE capability SET record = zeroblob(60)", 1},
    };
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        struct fixture *f = begin();
        struct keyring *keys = NULL;
        use_keys(f, &keys, KEY_1);
        open_store(f);
        struct uuid bad = fill(f, "k1", "p1");
        struct uuid good = fill(f, "k2", "p2");
        store_close(&f->store);
        change_store(f, damages[i].sql);
        open_store(f);
        struct message message;
        bool payload = i < 3;
        assert_int_equal(store_read_message(f->store, f->arena, bad, &message),
                         payload ? STATUS_INVALID : STATUS_OK);
        assert_int_equal(store_read_message(f->store, f->arena, good, &message), STATUS_OK);
        struct message_way way = way_of(f, good);
        assert_true(slice_is(way.evaluations[0].trace, "{\"trace\":\"Observation\"}"));
        fill(f, "k3", "p3"); /* work goes on */
        struct store_status status;
        assert_int_equal(store_read_status(f->store, f->arena, &status), STATUS_OK);
        assert_int_equal(status.damaged, payload);
        struct store_faults faults;
        assert_int_equal(store_verify(place_of(f), keys, f->arena, &faults), STATUS_OK);
        bool told = i == 6 ? faults.all == 0 : faults.all == damages[i].faults;
        if (!told) { /* the last was written anew by the work that went on */
            fail_msg("%s: %zu faults", damages[i].sql, faults.all);
        }
        discard(f);
        keyring_destroy(&keys);
    }
}

/* Who can write the file but has no key cannot make a record that opens. */
static void a_forged_record_fails(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct keyring *keys = keys_of(f, KEY_1);
    struct keyring *others = keys_of(f, OTHER_1);
    struct random random = f->options.random;
    const struct record_seal theirs = {others, &random};
    const struct record_seal ours = {keys, &random};
    struct slice owner = SLICE("12345678");
    struct slice record = SLICE_NONE;
    struct slice out = SLICE_NONE;
    assert_int_equal(record_pack(f->arena, &theirs, owner, RECORD_BODY, SLICE("forged"), &record),
                     STATUS_OK);
    assert_int_equal(record_open(f->arena, keys, owner, RECORD_BODY, record, &out), STATUS_INVALID);
    assert_int_equal(record_pack(f->arena, &ours, owner, RECORD_BODY, SLICE("true"), &record),
                     STATUS_OK);
    assert_int_equal(record_open(f->arena, NULL, owner, RECORD_BODY, record, &out), STATUS_INVALID);
    assert_int_equal(record_open(f->arena, keys, owner, RECORD_BASE, record, &out), STATUS_INVALID);
    for (size_t i = 0; i < record.len; i++) {
        char *copy = arena_alloc(f->arena, record.len);
        memcpy(copy, record.at, record.len);
        copy[i] ^= 1;
        assert_int_equal(
            record_open(f->arena, keys, owner, RECORD_BODY, slice_from(copy, record.len), &out),
            STATUS_INVALID);
    }
    assert_int_equal(record_open(f->arena, keys, owner, RECORD_BODY, record, &out), STATUS_OK);
    assert_true(slice_is(out, "true"));
    keyring_destroy(&keys);
    keyring_destroy(&others);
    end(f);
}

static void a_file_of_keys_is_read_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *wrong;
    } files[] = {
        {"# nothing\n", "line 1: there is no key"},
        {"x 00\n", "line 1: a line begins with the key's number"},
        {"0 " KEY_1, "line 1: a line begins with the key's number"},
        {KEY_1 "4294967296 00\n", "line 2: a line begins with the key's number"},
        {KEY_1 "2 0011\n", "line 2: the key is not 64 hexadecimal digits"},
        {KEY_1 "\n" OTHER_1, "line 3: the number stands for another key already"},
    };
    struct arena *arena = arena_create(0);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct keyring *keys = NULL;
        struct diag_list diags;
        diag_init(&diags, arena, 5);
        assert_int_equal(load_text(files[i].text, 0600, &diags, &keys),
                         i < sizeof files / sizeof *files ? STATUS_INVALID : STATUS_OK);
        assert_null(keys);
        assert_true(slice_find(diags.first->sentence, slice_of(files[i].wrong), 0) != SIZE_MAX);
        assert_true(slice_find(diags.first->sentence, SLICE("0011"), 0) == SIZE_MAX);
    }
    struct keyring *keys = NULL;
    struct diag_list diags;
    diag_init(&diags, arena, 5);
    assert_int_equal(load_text(KEY_1, 0644, &diags, &keys), STATUS_REFUSED);
    assert_int_equal(load_text("# ours\n" KEY_2 KEY_1, 0600, &diags, &keys), STATUS_OK);
    assert_int_equal(keyring_current(keys), 2);
    assert_int_equal(keyring_find(keys, 1).len, 32);
    assert_null(keyring_find(keys, 3).at);
    keyring_destroy(&keys);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_part_is_sealed_and_read_back),
        cmocka_unit_test(a_missing_key_is_told_with_its_number_and_the_count),
        cmocka_unit_test(rotation_seals_all_anew_and_the_old_key_may_go),
        cmocka_unit_test(rotation_without_keys_is_refused),
        cmocka_unit_test(damage_harms_no_other),
        cmocka_unit_test(a_forged_record_fails),
        cmocka_unit_test(a_file_of_keys_is_read_strictly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
