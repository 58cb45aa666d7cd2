// packages: eplan::sqlite eplan::pq
// stores: postgresql
/* Each rule of INVARIANTS.md that a file can break is broken here, and found under its number. */
#include "fixture.h"

#include <sqlite3.h>

#include "gateway/store/store_pg_dialect.h"

struct breakage {
    unsigned rule;
    const char *sql;
};

static const struct breakage breakages[] = {
    {1, "UPDATE inbox SET state = 9 WHERE state = 6"},
    {1, "UPDATE evaluation SET ended = 0 WHERE state = 6"},
    {1, "UPDATE outbox SET ended = 5 WHERE state = 4"},
    {2, "INSERT INTO message SELECT n + 1, ehr, kind, sender, key, key_hash, key_until, type, "
        "resource,"
        " version, received, settle, settle_most, triggers, record FROM message WHERE n = (SELECT"
        " max(n) FROM message)"},
    {3, "DELETE FROM inbox WHERE state = 6"},
    {3, "INSERT INTO inbox VALUES(77, 'north', 7, 2, 5)"},
    {3, "DELETE FROM triggered"},
    {3, "UPDATE inbox SET state = 2 WHERE state = 1"},
    {4, "INSERT INTO evaluation(n, ehr, patient, visit, state, first, due, at) SELECT n + 1, ehr,"
        " patient, visit, state, first, due, at FROM evaluation WHERE state = 1 AND fence = 0"},
    {5, "DROP INDEX evaluation_claim; INSERT INTO evaluation(n, ehr, patient, visit, state, first, "
        "due,"
        " at, fence) SELECT n + 1, ehr, patient, 'e9', 1, first, due, at, 99 FROM evaluation WHERE"
        " fence <> 0"},
    {5, "UPDATE evaluation SET patient = 'p2' WHERE fence <> 0"},
    {5, "UPDATE evaluation SET fence = 98 WHERE state = 6"},
    {6, "UPDATE outbox SET state = 8, reason = 22, ended = 5 WHERE state <= 4"},
    {6, "UPDATE evaluation SET state = 4, ended = 5 WHERE state = 3"},
    {7, "UPDATE evaluation SET state = 4, ended = 5 WHERE state = 3; UPDATE outbox SET state = 7,"
        " ended = 5, fence = 0 WHERE state <= 4"},
    {7, "UPDATE evaluation SET state = 7, ended = 5 WHERE state = 3; UPDATE outbox SET state = 7,"
        " ended = 5, fence = 0 WHERE state <= 4"},
    {8, "UPDATE outbox SET state = 3 WHERE state = 4"},
    {8, "UPDATE outbox SET fence = 97 WHERE state = 4"},
    {8, "UPDATE outbox SET look_up = 0 WHERE state = 4"},
    {8, "UPDATE attempt SET ended = 0"},
    {9,
     "UPDATE outbox SET state = 5, ok = 1, ended = 5 WHERE ord = 2; UPDATE outbox SET tries = 0"},
    {9, "UPDATE outbox SET state = 7, ended = 5 WHERE ord = 1"},
    {10, "UPDATE item SET life = 2"},
    {10, "UPDATE item SET ehr = 'south'"},
    {10, "UPDATE item SET ehr_id = 'same'"},
    {11,
     "INSERT INTO outbox(n, ehr, patient, visit, evaluation, kind, item, ord, after, state) SELECT"
     " n + 1000, ehr, patient, visit, evaluation + 1, kind, item, ord, after, 1 FROM outbox"},
    {12, "DELETE FROM trail WHERE number = 2"},
    {12, "DELETE FROM trail WHERE number = 3"},
    {12, "UPDATE trail SET what = 'other' WHERE number = 1"},
    {12, "UPDATE trail SET previous = zeroblob(32) WHERE number = 2"},
    {13, "UPDATE message SET record = CAST(substr(record, 1, 20) AS BLOB)"},
    {13, "UPDATE record SET bytes = zeroblob(40)"},
    {13, "DELETE FROM record WHERE n % 8 = 4"},
    {13, "UPDATE capability SET record = zeroblob(5)"},
    {13, "UPDATE trail SET body = zeroblob(20) WHERE number = 3"},
    {14, "UPDATE poll SET answered = asked + 1"},
    {15, "UPDATE evaluation SET replaced_by = (SELECT min(n) FROM evaluation) WHERE state = 6"},
    {16, "UPDATE message SET ehr = ''"},
    {19, "INSERT INTO switch VALUES('north', 'reconcile', 1, '', 'restore', 0)"},
};

/* A store with something of everything. */
static struct fixture *begin_full(void)
{
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k2", "p2", "e2");
    struct change changes[] = {change_of("p2", "a", 1, 0), change_of("p2", "b", 2, 1)};
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, changes, 2);
    struct change sent = claim_changes(f, false).out.changes[0];
    record(f, &sent, ROW_UNKNOWN, REASON_OUTCOME_UNKNOWN, T0 + 3600 * SECOND);
    claim = ready(f, "k3", "p3", "e3");
    struct store_save_plan tx = plan_tx(&claim.evaluation, WORK_HELD, REASON_SAFETY, NULL, 0);
    struct trail_line lines[] = {{.what = SLICE("one"), .body = SLICE("1")},
                                 {.what = SLICE("two"), .subject = claim.evaluation.id},
                                 {.what = SLICE("three"), .body = SLICE("3")}};
    tx.in.trail = (struct trail_lines){lines, 3};
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    struct store_save_capability cap = STORE_TX(SAVE_CAPABILITY);
    cap.in.ehr = NORTH;
    cap.in.body = SLICE("{}");
    assert_int_equal(store_run(f->store, &cap.tx), STATUS_OK);
    struct store_poll_due due = STORE_TX(POLL_DUE);
    due.in.ehr = NORTH;
    due.in.name = SLICE("v");
    assert_int_equal(store_run(f->store, &due.tx), STATUS_OK);
    (void)ready(f, "k4", "p4", "e4"); /* stays claimed */
    accept_for(f, "k1", "p1", "e1");
    assert_int_equal(claim_all(f, 1).out.count, 0); /* sorted, and waits */
    return f;
}

static void check_found(const struct store_faults *faults, const struct breakage *breakage)
{
    for (size_t i = 0; i < faults->count; i++) {
        if (faults->at[i].rule == breakage->rule) {
            return;
        }
    }
    fail_msg("S%u is not found: %s", breakage->rule, breakage->sql);
}

/* The same in copies of a database. */
static void break_in_postgres(void)
{
    postgres_run("ALTER SYSTEM SET fsync = off"); /* databases that nobody will miss */
    postgres_run("SELECT pg_reload_conf()");
    struct fixture *f = begin_full();
    check_rules(f);
    store_close(&f->store);
    postgres_run("CREATE FUNCTION zeroblob(int) RETURNS bytea LANGUAGE sql AS"
                 " $$SELECT decode(repeat('00', $1), 'hex')$$");
    for (size_t i = 0; i < sizeof breakages / sizeof *breakages; i++) {
        char sql[1024];
        char url[192];
        struct store_faults faults;
        postgres_run("CREATE DATABASE broken TEMPLATE postgres");
        assert_true(pg_dialect(breakages[i].sql, sql, sizeof sql));
        postgres_run_in("broken", sql);
        assert_int_equal(
            store_verify(slice_of(postgres_url_of("broken", url)), NULL, f->arena, &faults),
            STATUS_OK);
        check_found(&faults, &breakages[i]);
        postgres_run("DROP DATABASE broken");
    }
    discard(f);
}

static void each_broken_rule_is_found(void **state)
{
    (void)state;
    if (wants_postgres()) {
        break_in_postgres();
        return;
    }
    struct fixture *f = begin_full();
    char path[128];
    sqlite3 *db = NULL;
    check_rules(f);
    snprintf(path, sizeof path, "%s/store.db", f->dir);
    for (size_t i = 0; i < sizeof breakages / sizeof *breakages; i++) {
        char copy[64] = "/tmp/eplan-test-verify-XXXXXX";
        char command[256];
        assert_non_null(mkdtemp(copy));
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        snprintf(command, sizeof command, "VACUUM INTO '%s/store.db'", copy);
        assert_int_equal(sqlite3_exec(db, command, NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
        snprintf(command, sizeof command, "%s/store.db", copy);
        assert_int_equal(sqlite3_open(command, &db), SQLITE_OK);
        if (sqlite3_exec(db, breakages[i].sql, NULL, NULL, NULL) != SQLITE_OK) {
            fail_msg("%s: %s", breakages[i].sql, sqlite3_errmsg(db));
        }
        assert_true(sqlite3_total_changes(db) > 0);
        sqlite3_close(db);
        struct store_faults faults;
        assert_int_equal(store_verify(slice_of(copy), NULL, f->arena, &faults), STATUS_OK);
        check_found(&faults, &breakages[i]);
        remove_store(copy);
    }
    end(f);
}

static void a_damaged_file_is_told(void **state)
{
    (void)state;
    if (wants_postgres()) {
        skip(); /* its files are the server's */
    }
    struct fixture *f = begin_full();
    store_close(&f->store);
    char path[128];
    snprintf(path, sizeof path, "%s/store.db", f->dir);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    for (long page = 4; page < 30; page++) {
        fseek(file, page * 4096, SEEK_SET); /* where each page says what it is */
        for (int i = 0; i < 64; i++) {
            fputc(0xa5, file);
        }
    }
    fclose(file);
    struct store_faults faults;
    assert_int_equal(store_verify(slice_of(f->dir), f->options.keys, f->arena, &faults), STATUS_OK);
    assert_true(faults.all > 0);
    assert_int_equal(faults.at[0].rule, 0);
    discard(f);
}

static void there_may_be_no_store(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    struct store_faults faults;
    assert_int_equal(store_verify(SLICE("/nonexistent"), NULL, arena, &faults), STATUS_IO);
    assert_int_equal(store_verify(SLICE("postgresql:///x?host=/nonexistent"), NULL, arena, &faults),
                     STATUS_IO);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_broken_rule_is_found),
        cmocka_unit_test(a_damaged_file_is_told),
        cmocka_unit_test(there_may_be_no_store),
    };
    return cmocka_run_group_tests_name("store verify", tests, NULL, NULL);
}
