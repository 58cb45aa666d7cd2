// uses: fhir/growth
#include "growth_test.h"

static struct growth_date date(const char *text)
{
    struct growth_date date = {0, 0, 0};
    assert_int_equal(growth_date_read(slice_of(text), &date), GROWTH_DATE_OK);
    return date;
}

static void test_dates_are_read(void **state)
{
    (void)state;
    struct growth_date d = date("2024-02-29");
    assert_true(d.year == 2024 && d.month == 2 && d.day == 29);
    /* the calendar date in the offset that it carries */
    d = date("2024-03-01T00:30:00-08:00");
    assert_true(d.month == 3 && d.day == 1);
    const struct {
        const char *text;
        enum growth_date_fault fault;
    } bad[] = {{"", GROWTH_DATE_EMPTY},
               {"2024", GROWTH_DATE_PARTIAL},
               {"2024-05", GROWTH_DATE_PARTIAL},
               {"2023-02-29", GROWTH_DATE_UNREADABLE},
               {"1900-02-29", GROWTH_DATE_UNREADABLE},
               {"2024-13", GROWTH_DATE_UNREADABLE},
               {"2024-00-10", GROWTH_DATE_UNREADABLE},
               {"2024-04-31", GROWTH_DATE_UNREADABLE},
               {"0000-01-01", GROWTH_DATE_UNREADABLE},
               {"05/04/2024", GROWTH_DATE_UNREADABLE},
               {"2024-4-1", GROWTH_DATE_UNREADABLE},
               {"2024-04-011", GROWTH_DATE_UNREADABLE},
               {"20240401", GROWTH_DATE_UNREADABLE}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct growth_date untouched = {1, 2, 3};
        assert_int_equal(growth_date_read(slice_of(bad[i].text), &untouched), bad[i].fault);
        assert_true(untouched.year == 1 && untouched.month == 2 && untouched.day == 3);
    }
}

static void test_days_and_dates_are_inverse(void **state)
{
    (void)state;
    assert_int_equal(growth_date_days(date("1970-01-01")), 0);
    assert_int_equal(growth_date_days(date("2000-02-29")), 11016);
    assert_int_equal(growth_date_days(date("0001-01-01")), -719162);
    assert_int_equal(growth_date_days(date("9999-12-31")), 2932896);
    struct growth_date before = date("0001-01-01");
    for (int64_t day = -719161; day <= 2932896; day++) {
        struct growth_date d = growth_date_of_days(day);
        assert_int_equal(growth_date_days(d), day);
        assert_true(d.year > before.year ||
                    (d.year == before.year &&
                     (d.month > before.month || (d.month == before.month && d.day > before.day))));
        before = d;
    }
}

static void test_a_birthday_is_a_birthday(void **state)
{
    (void)state;
    const struct {
        const char *birth;
        const char *measured;
        int completed;
    } cases[] = {{"2003-03-01", "2005-02-28", 23}, {"2003-03-01", "2005-03-01", 24},
                 {"2004-02-29", "2006-02-28", 23}, {"2004-02-29", "2006-03-01", 24},
                 {"2004-02-29", "2008-02-29", 48}, {"2010-01-31", "2010-02-28", 0},
                 {"2010-01-31", "2010-03-01", 1},  {"2010-01-31", "2010-03-31", 2},
                 {"2010-05-10", "2010-05-10", 0},  {"2010-05-10", "2010-05-09", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct growth_age age = growth_age_between(date(cases[i].birth), date(cases[i].measured));
        assert_int_equal(age.completed, cases[i].completed);
    }
    /* 730 days: 23.98 months by division, 24 by the calendar */
    struct growth_age second = growth_age_between(date("2005-03-01"), date("2007-03-01"));
    assert_true(second.days == 730 && second.months < 24 && second.completed == 24);
}

static void test_ages_without_dates(void **state)
{
    (void)state;
    assert_int_equal(growth_age_of_days(730).completed, 23);
    assert_int_equal(growth_age_of_days(731).completed, 24);
    assert_int_equal(growth_age_of_months(24).completed, 24);
    assert_int_equal(growth_age_of_months(23.999999).completed, 23);
    assert_int_equal(growth_age_of_days(-1).completed, -1);
    assert_int_equal(growth_age_of_days(1e300).completed, -1);
    assert_true(growth_whole_days(15.21875) == 15 && growth_whole_days(15.5) == 16);
}

static void test_prematurity(void **state)
{
    (void)state;
    struct growth_age year = growth_age_of_days(365);
    assert_true(growth_days_early(32, year) == 56);
    assert_close(growth_days_early(36.0 + 6.0 / 7, year), 22, 1e-9);
    assert_true(growth_days_early(37, year) == 0);
    assert_true(growth_days_early(NAN, year) == 0);
    assert_true(growth_days_early(32, growth_age_of_months(23.9)) == 56);
    assert_true(growth_days_early(32, growth_age_of_months(24)) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates_are_read),
        cmocka_unit_test(test_days_and_dates_are_inverse),
        cmocka_unit_test(test_a_birthday_is_a_birthday),
        cmocka_unit_test(test_ages_without_dates),
        cmocka_unit_test(test_prematurity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
