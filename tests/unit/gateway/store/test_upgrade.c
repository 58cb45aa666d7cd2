// packages: eplan::pq
/*
 * Upgrades in PostgreSQL: from each earlier schema, with rows queued, of unknown outcome and held;
 * back to the copy that was made before; a newer store. PostgreSQL came with schema 4, so that no
 * program ever wrote an earlier one there; the upgrades are the same numbered ones, and a store of
 * each comes up (gateway/decisions/adr-2611-two-stores.md). Rows: tests/data/store, as in
 * test_open.c.
 */
#include "earlier.h"

#include "gateway/store/store_backup.h"
#include "gateway/store/store_pg_driver.h"

static int64_t number(const char *sql)
{
    char url[192];
    PGconn *conn = PQconnectdb(postgres_url_of("postgres", url));
    PGresult *result = PQexec(conn, sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1) {
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    }
    int64_t value = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    PQfinish(conn);
    return value;
}

static enum status bring_up(struct fixture *f, const struct sql_upgrade *upgrades, size_t count,
                            struct diag_list *diags)
{
    static const char settings[] = "SET search_path = eplan";
    char url[PG_URL_SIZE];
    snprintf(url, sizeof url, "%.*s", SLICE_ARGS(f->options.store));
    struct pg_connection pg = {.url = url, .settings = settings};
    enum status status = pg_connect(&pg);
    if (status == STATUS_OK) {
        status = pg_upgrade(&pg, upgrades, count, diags);
    }
    pg_disconnect(&pg);
    return status;
}

/* The upgrades up to that number, by the program's own way. */
static void upgrade_to(struct fixture *f, int version)
{
    struct diag_list diags;
    diag_init(&diags, f->arena, 4);
    enum status status = bring_up(f, sql_upgrades, (size_t)version, &diags);
    if (status != STATUS_OK) {
        fail_msg("%s", diags.first != NULL ? diags.first->sentence.at : status_name(status));
    }
}

static char *read_rows(struct fixture *f, int version)
{
    char name[256];
    snprintf(name, sizeof name, "%s/data/store/schema_%d.sql", TESTS_DIR, version);
    FILE *file = fopen(name, "rb");
    if (file == NULL) {
        fail_msg("no %s: run tests/tools/make-store-fixtures.mjs", name);
    }
    char *text = arena_alloc(f->arena, 1 << 20);
    text[fread(text, 1, (1 << 20) - 1, file)] = '\0';
    fclose(file);
    return text;
}

static bool starts(const char *line, const char *with)
{
    return strncmp(line, with, strlen(with)) == 0;
}

/* One statement of the dump in PostgreSQL's words; numbers of meta that are elsewhere there. */
static void run_line(const char *line)
{
    char sql[8192];
    size_t len = 0;
    if (starts(line, "INSERT INTO meta VALUES('environment'")) {
        postgres_run("INSERT INTO word VALUES('environment', 'test')");
        return;
    }
    if (starts(line, "INSERT INTO meta VALUES('fence'")) {
        postgres_run("SELECT setval('fence', 1000)");
        return;
    }
    if (starts(line, "INSERT INTO meta VALUES(")) {
        return; /* every message is sorted; the key for ids is the store's own */
    }
    for (const char *at = line; *at != '\0' && len < sizeof sql - 4; at++) {
        if (at[0] == 'X' && at[1] == '\'' && (at[-1] == ',' || at[-1] == '(')) {
            len += (size_t)snprintf(sql + len, 4, "'\\x");
            at++;
        } else {
            sql[len++] = *at;
        }
    }
    sql[len] = '\0';
    postgres_run(sql);
}

/* Rows, not upgrades: of schema 1 the whole dump, of a later one what stands behind the last
 * upgrade. */
static void run_rows(struct fixture *f, int version)
{
    char *text = read_rows(f, version);
    char *from = text;
    for (char *at = text; version > 1 && (at = strstr(at, "BEGIN TRANSACTION;\n")) != NULL; at++) {
        from = at;
    }
    for (char *line = strtok(from, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if ((starts(line, "INSERT INTO ") && strstr(line, " VALUES(") != NULL) ||
            starts(line, "UPDATE ")) {
            run_line(line);
        }
    }
}

static void begin_with_schema(struct fixture *f, int version)
{
    char sql[128];
    store_close(&f->store);
    postgres_run("SET client_min_messages = error; DROP SCHEMA eplan CASCADE");
    for (int i = 1; i <= version; i++) {
        upgrade_to(f, i);
        run_rows(f, i);
    }
    for (int i = 1; i <= last_schema(); i++) {
        snprintf(sql, sizeof sql,
                 "SET client_min_messages = error; DROP SCHEMA IF EXISTS eplan_%d CASCADE", i);
        postgres_run(sql);
    }
}

static void check_copy_of(int version)
{
    char sql[256];
    snprintf(sql, sizeof sql, "SELECT value FROM eplan_%d.meta WHERE name = 'version'", version);
    assert_int_equal(number(sql), version);
    snprintf(sql, sizeof sql, "SELECT count(*) FROM eplan_%d.message", version);
    assert_int_equal(number(sql), 3);
    snprintf(sql, sizeof sql, "SELECT count(*) FROM eplan_%d.outbox WHERE state IN (1, 4)",
             version);
    assert_int_equal(number(sql), 2);
}

/* Back to it with what it held and as it was named; then the program comes again, and looks at what
 * was open. */
static void put_copy_back(struct fixture *f, int version)
{
    char name[32];
    struct diag_list diags;
    diag_init(&diags, f->arena, 4);
    snprintf(name, sizeof name, "eplan_%d", version);
    assert_int_equal(store_restore_schema(f->options.store, f->options.environment, name, &diags),
                     STATUS_REFUSED);
    assert_true(slice_find(diags.first->sentence, SLICE("the gateway runs"), 0) != SIZE_MAX);
    store_close(&f->store);
    int64_t fence = number("SELECT last_value FROM eplan.fence");
    assert_int_equal(store_restore_schema(f->options.store, f->options.environment, name, &diags),
                     STATUS_OK);
    assert_int_equal(number("SELECT value FROM eplan.meta WHERE name = 'version'"), version);
    assert_int_equal(number("SELECT count(*) FROM eplan_replaced.outbox WHERE state = 5"), 2);
    assert_int_equal(
        number("SELECT count(*) FROM pg_indexes WHERE schemaname = 'eplan' AND indexname IN"
               " ('evaluation_claim', 'outbox_item', 'message_key', 'item_key')"),
        4);
    assert_true(number("SELECT last_value FROM eplan.fence") <= fence);
    open_store(f);
    check_restored(f);
    check_queued_unknown_and_held(f);
    check_rows_of(f, version);
    check_copy_of(version); /* of the upgrade that came now */
}

static void a_store_of_each_earlier_schema_opens_and_loses_nothing(void **state)
{
    (void)state;
    for (int version = 1; version < last_schema(); version++) {
        struct fixture *f = begin();
        begin_with_schema(f, version);
        open_store(f);
        check_rules(f);
        check_queued_unknown_and_held(f);
        check_rows_of(f, version);
        check_copy_of(version);
        check_writes(f);
        put_copy_back(f, version);
        end(f);
    }
}

/* ---- what is refused ---- */

static void check_refused(struct fixture *f, const char *want)
{
    struct diag_list diags;
    struct store *store = NULL;
    struct buf text;
    diag_init(&diags, f->arena, 10);
    buf_init(&text, f->arena, 10000);
    assert_int_equal(store_open(&f->options, &diags, &store), STATUS_REFUSED);
    assert_null(store);
    diag_render_all(&diags, &text);
    assert_string_equal(text.at, want);
}

static void a_newer_store_is_refused_and_left_as_it_is(void **state)
{
    (void)state;
    struct fixture *f = begin();
    char want[256];
    accept_for(f, "k1", "p1", "e1");
    store_close(&f->store);
    postgres_run("UPDATE meta SET value = 99 WHERE name = 'version'");
    snprintf(want, sizeof want,
             "error: the store has schema 99, and this program knows %d [store-open]\n"
             "  hint: run the program that made it, or restore a backup from before\n",
             last_schema());
    check_refused(f, want);
    assert_int_equal(number("SELECT value FROM eplan.meta WHERE name = 'version'"), 99);
    assert_int_equal(number("SELECT count(*) FROM eplan.message"), 1);
    assert_int_equal(number("SELECT count(*) FROM pg_namespace WHERE nspname = 'eplan_99'"), 0);
    discard(f);
}

/* A node of the older program still holds the schema. */
static void an_upgrade_waits_for_nobody_who_runs(void **state)
{
    (void)state;
    struct fixture *f = begin();
    char url[192];
    begin_with_schema(f, last_schema() - 1);
    PGconn *node = PQconnectdb(postgres_url_of("postgres", url));
    PQclear(PQexec(node, "SELECT pg_advisory_lock_shared(1699769454, 2)"));
    check_refused(f,
                  "error: the store has an older schema, and other nodes still run [store-open]\n"
                  "  hint: stop every node of the older program, then start this one\n");
    assert_int_equal(number("SELECT value FROM eplan.meta WHERE name = 'version'"),
                     last_schema() - 1);
    PQfinish(node);
    open_store(f);
    end(f);
}

/* All of an upgrade or nothing of it, and nothing of its copy. */
static void a_failed_upgrade_changes_nothing(void **state)
{
    (void)state;
    enum { UPGRADES_MOST = 32 };
    static const char *const broken[] = {"ALTER TABLE ehr ADD COLUMN more TEXT",
                                         "INSERT INTO nowhere VALUES(1)", NULL};
    struct fixture *f = begin();
    struct sql_upgrade upgrades[UPGRADES_MOST];
    char want[128];
    begin_with_schema(f, last_schema() - 1);
    open_store(f);
    store_close(&f->store);
    assert_true(sql_upgrade_count < UPGRADES_MOST);
    memcpy(upgrades, sql_upgrades, sql_upgrade_count * sizeof *upgrades);
    upgrades[sql_upgrade_count] = (struct sql_upgrade){last_schema() + 1, broken};
    struct diag_list diags;
    diag_init(&diags, f->arena, 10);
    assert_int_equal(bring_up(f, upgrades, sql_upgrade_count + 1, &diags), STATUS_IO);
    snprintf(want, sizeof want,
             "the store cannot be brought to schema %d: relation \"nowhere\" does"
             " not exist",
             last_schema() + 1);
    assert_true(slice_is(diags.first->sentence, want));
    assert_int_equal(number("SELECT value FROM eplan.meta WHERE name = 'version'"), last_schema());
    assert_int_equal(number("SELECT count(*) FROM information_schema.columns WHERE table_schema ="
                            " 'eplan' AND table_name = 'ehr'"),
                     5);
    snprintf(want, sizeof want, "SELECT count(*) FROM pg_namespace WHERE nspname = 'eplan_%d'",
             last_schema());
    assert_int_equal(number(want), 0);
    open_store(f);
    check_queued_unknown_and_held(f);
    end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_of_each_earlier_schema_opens_and_loses_nothing),
        cmocka_unit_test(a_newer_store_is_refused_and_left_as_it_is),
        cmocka_unit_test(an_upgrade_waits_for_nobody_who_runs),
        cmocka_unit_test(a_failed_upgrade_changes_nothing),
    };
    setenv("EPLAN_TEST_STORE", "postgresql", 1);
    return postgres_url() != NULL ? cmocka_run_group_tests_name("store upgrade", tests, NULL, NULL)
                                  : 0;
}
