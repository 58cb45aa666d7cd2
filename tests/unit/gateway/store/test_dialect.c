/* Statements of the store in PostgreSQL's words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/store/store_pg_dialect.h"

static void check(const char *sql, const char *want)
{
    char out[512];
    assert_true(pg_dialect(sql, out, sizeof out));
    assert_string_equal(out, want);
}

static void parameters_are_dollars(void **state)
{
    (void)state;
    check("SELECT a FROM t WHERE b = ?1 AND c = ?12", "SELECT a FROM t WHERE b = $1 AND c = $12");
}

static void of_several_values_min_is_least(void **state)
{
    (void)state;
    check("SELECT ?5 + min(?6, ?7)", "SELECT $5 + least($6, $7)");
    check("max(a, min(?2 + ?3, first + ?4))", "greatest(a, least($2 + $3, first + $4))");
    check("SELECT min(n), max(coalesce(a, 0))", "SELECT min(n), max(coalesce(a, 0))");
    check("max(f(a, b), 1)", "greatest(f(a, b), 1)");
    check("max('a, b')", "max('a, b')");
    check("xmax(a, b)", "xmax(a, b)");
}

static void types_have_other_names(void **state)
{
    (void)state;
    check("CREATE TABLE t(n INTEGER PRIMARY KEY, a INT NOT NULL, b BLOB, c TEXT) STRICT",
          "CREATE TABLE t(n BIGINT PRIMARY KEY, a BIGINT NOT NULL, b BYTEA, c TEXT) ");
    check("CREATE TABLE m(value ANY) STRICT, WITHOUT ROWID", "CREATE TABLE m(value BIGINT) ");
    check("CREATE TABLE p(POINT INT)", "CREATE TABLE p(POINT BIGINT)");
}

static void what_is_sorted_is_told_otherwise(void **state)
{
    (void)state;
    check("n > (SELECT value FROM meta WHERE name = 'sorted') AND a",
          "n IN (SELECT n FROM unsorted) AND a");
    check("n <= (SELECT value FROM meta WHERE name = 'sorted')",
          "n NOT IN (SELECT n FROM unsorted)");
}

static void which_index_is_said_to_sqlite_alone(void **state)
{
    (void)state;
    check("FROM t INDEXED BY t_due WHERE a", "FROM t WHERE a");
    check("FROM t o INDEXED BY t_due, u INDEXED BY u_n", "FROM t o, u");
    check("'a INDEXED BY b'", "'a INDEXED BY b'");
}

static void quoted_text_stays(void **state)
{
    (void)state;
    check("SELECT 'INT ?1 min(a, b)', ?1", "SELECT 'INT ?1 min(a, b)', $1");
    check("SELECT 'it''s INT'", "SELECT 'it''s INT'");
    check("SELECT 'open INT", "SELECT 'open INT");
}

static void what_does_not_fit_is_told(void **state)
{
    (void)state;
    char out[8];
    assert_true(pg_dialect("SELECT", out, 7));
    assert_false(pg_dialect("SELECT", out, 6));
    assert_false(pg_dialect("SELECT", out, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_dollars),
        cmocka_unit_test(of_several_values_min_is_least),
        cmocka_unit_test(types_have_other_names),
        cmocka_unit_test(what_is_sorted_is_told_otherwise),
        cmocka_unit_test(which_index_is_said_to_sqlite_alone),
        cmocka_unit_test(quoted_text_stays),
        cmocka_unit_test(what_does_not_fit_is_told),
    };
    return cmocka_run_group_tests_name("store dialect", tests, NULL, NULL);
}
