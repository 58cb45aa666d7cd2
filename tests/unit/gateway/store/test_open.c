// packages: eplan::sqlite eplan::pq
/* Opening: who may, what is refused, upgrades; records; the plans of the statements. */
#include "fixture.h"

#include <sqlite3.h>
#include <sys/wait.h>

#include "earlier.h"
#include "gateway/store/store_backup.h"
#include "gateway/store/store_sqlite_driver.h"

/* The text is compared with the folder's name taken out. */
static void check_refused(struct fixture *f, enum status want, const char *want_text)
{
    struct diag_list diags;
    struct store *store = NULL;
    struct buf text;
    struct buf shown;
    diag_init(&diags, f->arena, 10);
    buf_init(&text, f->arena, 10000);
    buf_init(&shown, f->arena, 10000);
    assert_int_equal(store_open(&f->options, &diags, &store), want);
    assert_null(store);
    diag_render_all(&diags, &text);
    size_t at = slice_find(buf_view(&text), slice_of(f->dir), 0);
    if (at != SIZE_MAX) {
        buf_add(&shown, text.at, at);
        buf_add_cstr(&shown, "DIR");
        buf_add_cstr(&shown, text.at + at + strlen(f->dir));
    } else {
        buf_add_cstr(&shown, text.at);
    }
    assert_string_equal(shown.at, want_text);
}

static void change_file(struct fixture *f, const char *sql)
{
    char path[128];
    sqlite3 *db = NULL;
    snprintf(path, sizeof path, "%s/store.db", f->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fail_msg("%s", sqlite3_errmsg(db));
    }
    sqlite3_close(db);
}

static void files_are_for_the_gateway_alone(void **state)
{
    (void)state;
    struct fixture *f = begin();
    store_close(&f->store);
    f->options.vfs = NULL; /* the daemon's own */
    open_store(f);
    accept_for(f, "k", "p1", "e1");
    static const char *const names[] = {"store.db", "store.db-wal", "store.db-shm", "lock"};
    struct stat facts;
    assert_int_equal(stat(f->dir, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0700);
    for (size_t i = 0; i < 4; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", f->dir, names[i]);
        assert_int_equal(stat(path, &facts), 0);
        assert_int_equal(facts.st_mode & 0777, 0600);
    }
    store_close(&f->store);
    chmod(f->dir, 0750);
    check_refused(f, STATUS_REFUSED,
                  "error: DIR: others can look into it [store-open]\n"
                  "  hint: set the mode of the folder to 0700\n");
    chmod(f->dir, 0700);
    open_store(f);
    end(f);
}

static void a_second_process_is_refused_and_told_the_holder(void **state)
{
    (void)state;
    struct fixture *f = begin();
    char want[256];
    snprintf(want, sizeof want,
             "error: DIR: another process holds the store: %ld [store-open]\n"
             "  hint: stop it, or talk to it by the verbs of eplan\n",
             (long)getpid());
    check_refused(f, STATUS_REFUSED, want);
    end(f);
}

static void another_environment_is_refused(void **state)
{
    (void)state;
    struct fixture *f = begin();
    store_close(&f->store);
    f->options.environment = SLICE("production");
    check_refused(f, STATUS_REFUSED,
                  "error: DIR: is the store of environment \"test\", not of \"production\" "
                  "[store-open]\n"
                  "  hint: name another state-dir, or correct the environment\n");
    f->options.environment = SLICE("test");
    open_store(f);
    end(f);
}

static void set_schema(struct fixture *f, int version)
{
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", version);
    change_file(f, sql);
}

static void a_newer_store_is_refused(void **state)
{
    (void)state;
    struct fixture *f = begin();
    store_close(&f->store);
    change_file(f, "PRAGMA user_version = 99");
    char want[256];
    snprintf(want, sizeof want,
             "error: the store has schema 99, and this program knows %d [store-open]\n"
             "  hint: run the program that made it, or restore a backup from before\n",
             last_schema());
    check_refused(f, STATUS_REFUSED, want);
    set_schema(f, last_schema());
    open_store(f);
    end(f);
}

static void another_programs_file_is_left_alone(void **state)
{
    (void)state;
    struct fixture *f = begin();
    store_close(&f->store);
    remove_store(f->dir);
    assert_int_equal(mkdir(f->dir, 0700), 0);
    change_file(f, "CREATE TABLE theirs(a)");
    check_refused(f, STATUS_INVALID,
                  "error: DIR: store.db is no store of the gateway [store-open]\n");
    char path[128];
    snprintf(path, sizeof path, "%s/store.db", f->dir);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fprintf(file, "this is a text and not a database, long enough to be looked at as one");
    for (int i = 0; i < 1000; i++) {
        fputc('x', file);
    }
    fclose(file);
    check_refused(f, STATUS_INVALID,
                  "error: DIR: file is not a database [store-open]\n"
                  "  hint: the store is damaged: restore a backup\n");
    discard(f);
}

/* ---- upgrades ---- */

static const char *const next[] = {"ALTER TABLE ehr ADD COLUMN note TEXT NOT NULL DEFAULT 'new'",
                                   NULL};
static const char *const broken[] = {"ALTER TABLE ehr ADD COLUMN more TEXT",
                                     "INSERT INTO nowhere VALUES(1)", NULL};

static int64_t number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t value = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        value = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return value;
}

static sqlite3 *open_file(const char *path)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    return db;
}

/* The upgrades of this program and one more. */
enum { UPGRADES_MOST = 32 };
static size_t upgrades_and(struct sql_upgrade upgrades[UPGRADES_MOST], const char *const *sql)
{
    size_t count = sql_upgrade_count;
    assert_true(count < UPGRADES_MOST);
    memcpy(upgrades, sql_upgrades, count * sizeof *upgrades);
    upgrades[count] = (struct sql_upgrade){upgrades[count - 1].version + 1, sql};
    return count + 1;
}

/* Rows in every state that matters, in a store of today's schema, then upgraded. */
static void an_upgrade_keeps_all_and_a_failed_one_changes_nothing(void **state)
{
    (void)state;
    struct fixture *f = begin();
    accept_for(f, "queued", "p1", "e1");
    struct evaluation_claim claim = ready(f, "unknown", "p2", "e1");
    struct change change = change_of("p2", "a", 1, 0);
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
    struct change sent = claim_changes(f, false).out.changes[0];
    record(f, &sent, ROW_UNKNOWN, REASON_OUTCOME_UNKNOWN, 0);
    struct evaluation_claim held = ready(f, "held", "p3", "e1");
    plan_as(f, &held.evaluation, WORK_HELD, REASON_SAFETY, NULL, 0);
    store_close(&f->store);

    char path[128];
    struct connection connection = {0};
    struct diag_list diags;
    diag_init(&diags, f->arena, 10);
    snprintf(path, sizeof path, "%s/store.db", f->dir);
    connection.db = open_file(path);
    struct sql_upgrade bad[UPGRADES_MOST];
    size_t count = upgrades_and(bad, broken);
    int version = bad[count - 2].version;
    char text[128];
    assert_int_equal(sqlite_upgrade(&connection, slice_of(f->dir), bad, count, &diags), STATUS_IO);
    snprintf(text, sizeof text, "the store cannot be brought to schema %d: no such table: nowhere",
             version + 1);
    assert_true(slice_is(diags.first->sentence, text));
    assert_int_equal(number(connection.db, "PRAGMA user_version"), version);
    assert_int_equal(number(connection.db, "SELECT count(*) FROM pragma_table_info('ehr')"), 5);

    struct sql_upgrade good[UPGRADES_MOST];
    upgrades_and(good, next);
    assert_int_equal(sqlite_upgrade(&connection, slice_of(f->dir), good, count, &diags), STATUS_OK);
    assert_int_equal(number(connection.db, "PRAGMA user_version"), version + 1);
    assert_int_equal(number(connection.db, "SELECT count(*) FROM message"), 3);
    assert_int_equal(number(connection.db, "SELECT count(*) FROM outbox WHERE state = 4"), 1);
    assert_int_equal(number(connection.db, "SELECT count(*) FROM evaluation WHERE state = 6"), 1);
    assert_int_equal(sqlite_upgrade(&connection, slice_of(f->dir), good, count, &diags), STATUS_OK);
    sqlite3_close(connection.db);
    /* The copy from before is whole and of the old schema. */
    snprintf(path, sizeof path, "%s/store-%d.db", f->dir, version);
    connection.db = open_file(path);
    assert_int_equal(number(connection.db, "PRAGMA user_version"), version);
    assert_int_equal(number(connection.db, "SELECT count(*) FROM message"), 3);
    sqlite3_close(connection.db);
    snprintf(text, sizeof text, "PRAGMA user_version = %d", version);
    change_file(f, text); /* the last schema is this test's own */
    open_store(f);
    end(f);
}

static void upgrades_are_numbered_without_a_gap(void **state)
{
    (void)state;
    for (size_t i = 0; i < sql_upgrade_count; i++) {
        assert_int_equal(sql_upgrades[i].version, i + 1);
    }
}

/* A store that an earlier schema wrote, as tests/tools/make-store-fixtures.mjs puts it together. */
static void begin_with_schema(struct fixture *f, int version)
{
    char name[256];
    snprintf(name, sizeof name, "%s/data/store/schema_%d.sql", TESTS_DIR, version);
    store_close(&f->store);
    remove_store(f->dir);
    assert_int_equal(mkdir(f->dir, 0700), 0);
    FILE *file = fopen(name, "rb");
    if (file == NULL) {
        fail_msg("no %s: run tests/tools/make-store-fixtures.mjs", name);
    }
    char *sql = arena_alloc(f->arena, 1 << 20);
    sql[fread(sql, 1, (1 << 20) - 1, file)] = '\0';
    fclose(file);
    change_file(f, sql);
    open_store(f);
}

/* The copy from before the upgrade is whole, of its schema, and can be put back. */
static void check_copy_of(struct fixture *f, int version)
{
    char path[128];
    snprintf(path, sizeof path, "%s/store-%d.db", f->dir, version);
    sqlite3 *db = open_file(path);
    assert_int_equal(number(db, "PRAGMA user_version"), version);
    assert_int_equal(number(db, "SELECT count(*) FROM message"), 3);
    assert_int_equal(number(db, "SELECT count(*) FROM outbox WHERE state IN (1, 4)"), 2);
    sqlite3_close(db);
}

/* The way back from an upgrade; then the program comes again, and looks at what was open. */
static void put_copy_back(struct fixture *f, int version)
{
    char path[128];
    struct diag_list diags;
    diag_init(&diags, f->arena, 4);
    store_close(&f->store);
    snprintf(path, sizeof path, "%s/store-%d.db", f->dir, version);
    assert_int_equal(store_restore(slice_of(f->dir), f->options.environment, path, &diags),
                     STATUS_OK);
    snprintf(path, sizeof path, "%s/store.db", f->dir);
    sqlite3 *db = open_file(path);
    assert_int_equal(number(db, "PRAGMA user_version"), version);
    sqlite3_close(db);
    open_store(f);
    check_restored(f);
    check_queued_unknown_and_held(f);
    check_rows_of(f, version);
}

static void a_store_of_each_earlier_schema_opens_and_loses_nothing(void **state)
{
    (void)state;
    for (int version = 1; version < last_schema(); version++) {
        struct fixture *f = begin();
        begin_with_schema(f, version);
        check_rules(f);
        check_queued_unknown_and_held(f);
        check_rows_of(f, version);
        check_copy_of(f, version);
        check_writes(f);
        put_copy_back(f, version);
        end(f);
    }
}

/* ---- records ---- */

static void a_record_knows_its_place_and_its_damage(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    struct slice owner = SLICE("0123456789abcdef");
    struct slice bytes = SLICE("{\"weight\":30.50}");
    const struct record_seal seal = {NULL, NULL};
    struct slice record = SLICE_NONE;
    assert_int_equal(record_pack(arena, &seal, owner, RECORD_PAYLOAD, bytes, &record), STATUS_OK);
    struct slice out = SLICE_NONE;
    assert_int_equal(record_open(arena, NULL, owner, RECORD_PAYLOAD, record, &out), STATUS_OK);
    assert_true(slice_equal(out, bytes));
    assert_int_equal(record_open(arena, NULL, owner, RECORD_FACTS, record, &out), STATUS_INVALID);
    assert_int_equal(
        record_open(arena, NULL, SLICE("0123456789abcdeF"), RECORD_PAYLOAD, record, &out),
        STATUS_INVALID);
    char *copy = arena_cstr(arena, record);
    for (size_t bit = 0; bit < 8 * record.len; bit++) {
        copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << bit % 8));
        assert_int_equal(
            record_open(arena, NULL, owner, RECORD_PAYLOAD, slice_from(copy, record.len), &out),
            STATUS_INVALID);
        copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << bit % 8));
    }
    for (size_t len = 0; len < record.len; len++) {
        assert_int_equal(
            record_open(arena, NULL, owner, RECORD_PAYLOAD, slice_part(record, 0, len), &out),
            STATUS_INVALID);
    }
    assert_int_equal(record_pack(arena, &seal, owner, RECORD_PAYLOAD, SLICE_NONE, &record),
                     STATUS_OK);
    assert_int_equal(record_open(arena, NULL, owner, RECORD_PAYLOAD, record, &out), STATUS_OK);
    assert_int_equal(out.len, 0);
    arena_destroy(&arena);
}

static void a_damaged_record_harms_no_other(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k3", "p3", "e3");
    struct uuid bad = accept_for(f, "k1", "p1", "e1");
    struct uuid good = accept_for(f, "k2", "p2", "e1");
    struct change change = change_of("p3", "a", 1, 0);
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
    store_close(&f->store);
    change_file(f, "UPDATE record SET bytes = substr(bytes, 1, length(bytes) - 1) WHERE n % 8 = 4;"
                   "UPDATE message SET record = CAST(record || 'x' AS BLOB) WHERE key = 'k1'");
    open_store(f);
    struct message message;
    assert_int_equal(store_read_message(f->store, f->arena, bad, &message), STATUS_INVALID);
    assert_int_equal(store_read_message(f->store, f->arena, good, &message), STATUS_OK);
    assert_int_equal(claim_changes(f, false).out.count, 0); /* the torn body is held */
    assert_message(f, claim.messages[0].id, WORK_HELD, REASON_DAMAGED);
    struct store_status status;
    store_read_status(f->store, f->arena, &status);
    assert_int_equal(status.damaged, 2);
    struct store_faults faults;
    assert_int_equal(store_verify(slice_of(f->dir), f->options.keys, f->arena, &faults), STATUS_OK);
    assert_int_equal(faults.all, 2);
    assert_int_equal(faults.at[0].rule, 13);
    discard(f);
}

/* ---- statements ---- */

static const struct {
    const char *name;
    const char *sql;
} statements[] = {
#define SQL(id, text) {#id, text},
#include "gateway/store/statements.def"
#undef SQL
};

/* No statement of a transaction walks a whole table: each step is a search by an index. */
static void no_transaction_walks_a_table(void **state)
{
    (void)state;
    /* Few rows, or asked by people. */
    static const char *const excused[] = {
        "LIST_EHRS",      "COUNT_MESSAGES", "COUNT_EVALUATIONS", "COUNT_CHANGES",    "LIST_HOLDS",
        "COUNT_UNSORTED", "LIST_KEYS",      "COUNT_SEALED",      "OLD_CAPABILITIES", "OLD_LINES"};
    struct fixture *f = begin();
    char path[128];
    sqlite3 *db = NULL;
    snprintf(path, sizeof path, "%s/store.db", f->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        sqlite3_stmt *statement = NULL;
        char *sql = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", statements[i].sql);
        bool excuse = false;
        for (size_t j = 0; j < sizeof excused / sizeof *excused; j++) {
            excuse = excuse || strcmp(excused[j], statements[i].name) == 0;
        }
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
        while (sqlite3_step(statement) == SQLITE_ROW) {
            const char *step = (const char *)sqlite3_column_text(statement, 3);
            bool walk = strncmp(step, "SCAN ", 5) == 0 && strstr(step, "SCAN CONSTANT") == NULL &&
                        strstr(step, "USING") == NULL;
            if (walk && !excuse) {
                fail_msg("%s: %s", statements[i].name, step);
            }
        }
        sqlite3_finalize(statement);
        sqlite3_free(sql);
    }
    sqlite3_close(db);
    end(f);
}

static const char *text_of(const char *name)
{
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        if (strcmp(statements[i].name, name) == 0) {
            return statements[i].sql;
        }
    }
    fail_msg("no statement %s", name);
    return NULL;
}

static bool takes_index(sqlite3 *db, const char *sql, const char *index)
{
    sqlite3_stmt *statement = NULL;
    char *explain = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
    bool takes = false;
    assert_int_equal(sqlite3_prepare_v2(db, explain, -1, &statement, NULL), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        takes = takes || strstr((const char *)sqlite3_column_text(statement, 3), index) != NULL;
    }
    sqlite3_finalize(statement);
    sqlite3_free(explain);
    return takes;
}

/* What is asked with every message or every claim: searched by what narrows it to a few rows, and
 * not by an index over all that waits. */
static void what_is_asked_often_finds_few_rows(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *index;
    } wanted[] = {
        {"WAITING_SIBLING", "evaluation_visit (ehr=? AND patient=? AND visit=?)"},
        {"DUE_EVALUATIONS", "evaluation_due (ehr=? AND due<?)"},
        {"EXPIRED_EVALUATIONS", "evaluation_claim"},
        {"NEXT_EVALUATION", "evaluation_due (ehr=?)"},
        {"NEXT_EVALUATION_LEASE", "evaluation_claim (ehr=?)"},
        {"OLDEST_DUE", "evaluation_due (ehr=?)"},
        {"READY_PATIENTS", "outbox_ready (ehr=? AND not_before<?)"},
        {"READY_CHANGES", "o USING INDEX outbox_patient (ehr=? AND patient=?)"},
        {"READY_CHANGES", "b USING INDEX outbox_patient (ehr=? AND patient=?)"},
        {"EXPIRED_CHANGES", "outbox_expires (expires>? AND expires<?)"},
        {"LOST_CLAIMS", "outbox_state (state=?)"}, /* in flight: as many as are sent at once */
    };
    struct fixture *f = begin();
    char path[128];
    sqlite3 *db = NULL;
    snprintf(path, sizeof path, "%s/store.db", f->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (!takes_index(db, text_of(wanted[i].name), wanted[i].index)) {
            fail_msg("%s: not by %s", wanted[i].name, wanted[i].index);
        }
    }
    sqlite3_close(db);
    end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_for_the_gateway_alone),
        cmocka_unit_test(a_second_process_is_refused_and_told_the_holder),
        cmocka_unit_test(another_environment_is_refused),
        cmocka_unit_test(a_newer_store_is_refused),
        cmocka_unit_test(another_programs_file_is_left_alone),
        cmocka_unit_test(an_upgrade_keeps_all_and_a_failed_one_changes_nothing),
        cmocka_unit_test(upgrades_are_numbered_without_a_gap),
        cmocka_unit_test(a_store_of_each_earlier_schema_opens_and_loses_nothing),
        cmocka_unit_test(a_record_knows_its_place_and_its_damage),
        cmocka_unit_test(a_damaged_record_harms_no_other),
        cmocka_unit_test(no_transaction_walks_a_table),
        cmocka_unit_test(what_is_asked_often_finds_few_rows),
    };
    return cmocka_run_group_tests_name("store open", tests, NULL, NULL);
}
