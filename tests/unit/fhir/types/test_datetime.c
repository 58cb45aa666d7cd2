/* Dates and times: forms, order of partial values, durations, boundaries, moments and offsets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "fhir/types/datetime.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static struct datetime make(const char *literal)
{
    struct datetime a = {0};
    struct datetime_fault fault;
    if (datetime_parse(slice_of(literal), FORM_PATH_LITERAL, &a, &fault) != STATUS_OK) {
        fail_msg("%s: at %u: %s", literal, (unsigned)fault.at, fault.why);
    }
    return a;
}

static const char *print(struct datetime a)
{
    static char text[2][DATETIME_TEXT];
    static int next;
    next = 1 - next;
    size_t len = datetime_print_literal(&a, text[next]);
    assert_int_equal(len, strlen(text[next]));
    return text[next];
}

static const char *word_of(enum status status, struct datetime a)
{
    switch (status) {
    case STATUS_OK:
        return print(a);
    case STATUS_ABSENT:
        return "absent";
    case STATUS_LIMIT:
        return "limit";
    default:
        return "invalid";
    }
}

static void assert_same(const struct datetime *a, const struct datetime *b)
{
    assert_string_equal(print(*a), print(*b));
    assert_int_equal(datetime_compare(a, b), ORDER_EQUAL);
}

/* ---- Text ---- */

static void test_forms_accepted(void **state)
{
    (void)state;
    static const struct {
        enum datetime_form form;
        const char *text;
        const char *literal;
    } cases[] = {
        {FORM_FHIR_DATE, "2014", "@2014"},
        {FORM_FHIR_DATE, "2014-01", "@2014-01"},
        {FORM_FHIR_DATE, "2016-02-29", "@2016-02-29"},
        {FORM_FHIR_DATE, "2000-02-29", "@2000-02-29"},
        {FORM_FHIR_DATE, "0001-01-01", "@0001-01-01"},
        {FORM_FHIR_DATETIME, "2014", "@2014T"},
        {FORM_FHIR_DATETIME, "2014-01-01", "@2014-01-01T"},
        {FORM_FHIR_DATETIME, "2014-01-01T08:05:00Z", "@2014-01-01T08:05:00Z"},
        {FORM_FHIR_DATETIME, "2014-01-01T08:05:00.5-05:00", "@2014-01-01T08:05:00.5-05:00"},
        {FORM_FHIR_DATETIME, "2014-01-01T08:05:00+00:00", "@2014-01-01T08:05:00+00:00"},
        {FORM_FHIR_DATETIME, "2014-01-01T08:05:00-00:00", "@2014-01-01T08:05:00-00:00"},
        {FORM_FHIR_DATETIME, "2016-12-31T23:59:60Z", "@2016-12-31T23:59:60Z"},
        {FORM_FHIR_DATETIME, "2015-02-07T13:28:17.239123456+14:00",
         "@2015-02-07T13:28:17.239123456+14:00"},
        {FORM_FHIR_INSTANT, "2015-02-07T13:28:17.239+02:00", "@2015-02-07T13:28:17.239+02:00"},
        {FORM_FHIR_TIME, "08:05:00", "@T08:05:00"},
        {FORM_FHIR_TIME, "08:05:00.000", "@T08:05:00.000"},
        {FORM_PATH_DATE, "2015-02-04", "@2015-02-04"},
        {FORM_PATH_DATETIME, "2015", "@2015T"},
        {FORM_PATH_DATETIME, "2015-02T", "@2015-02T"},
        {FORM_PATH_DATETIME, "2015-02-04T14", "@2015-02-04T14"},
        {FORM_PATH_DATETIME, "2015-02-04T14:34", "@2015-02-04T14:34"},
        {FORM_PATH_DATETIME, "2015-02-04T14:34:28.123", "@2015-02-04T14:34:28.123"},
        {FORM_PATH_DATETIME, "2015-02-04T14+05:30", "@2015-02-04T14+05:30"},
        {FORM_PATH_TIME, "14", "@T14"},
        {FORM_PATH_TIME, "14:34", "@T14:34"},
        {FORM_PATH_TIME, "T14:34:28.123", "@T14:34:28.123"},
        {FORM_PATH_LITERAL, "@2015T", "@2015T"},
        {FORM_PATH_LITERAL, "@2015-02-04T14:34:28Z", "@2015-02-04T14:34:28Z"},
        {FORM_PATH_LITERAL, "@T14:34", "@T14:34"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct datetime a;
        struct datetime_fault fault = {0, NULL};
        enum status status = datetime_parse(slice_of(cases[i].text), cases[i].form, &a, &fault);
        if (status != STATUS_OK) {
            fail_msg("%s: %s", cases[i].text, fault.why);
        }
        assert_string_equal(print(a), cases[i].literal);
        char text[DATETIME_TEXT];
        datetime_print(&a, text);
        size_t skip = cases[i].form == FORM_PATH_LITERAL ? 1 : 0;
        if (cases[i].form <= FORM_PATH_DATE) {
            assert_string_equal(text, cases[i].text + skip);
        }
    }
}

static void test_forms_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *why; /* a part of it */
        enum datetime_form form;
        unsigned at;
    } cases[] = {
        {"", "year", FORM_FHIR_DATE, 0},
        {"0000", "year", FORM_FHIR_DATE, 0},
        {"201", "year", FORM_FHIR_DATE, 3},
        {"2014-13", "month", FORM_FHIR_DATE, 5},
        {"2014-00", "month", FORM_FHIR_DATE, 5},
        {"2014-1-1", "month", FORM_FHIR_DATE, 6},
        {"2014-01-32", "day", FORM_FHIR_DATE, 8},
        {"2014-01-00", "day", FORM_FHIR_DATE, 8},
        {"2015-02-29", "no such day", FORM_FHIR_DATE, 8},
        {"1900-02-29", "no such day", FORM_FHIR_DATE, 8},
        {"2014-04-31", "no such day", FORM_FHIR_DATE, 8},
        {"2014-01-01T", "does not belong", FORM_FHIR_DATE, 10},
        {"2014-01-01 ", "does not belong", FORM_FHIR_DATE, 10},
        {" 2014", "year", FORM_FHIR_DATE, 0},
        {"2014T08:05:00Z", "whole date", FORM_FHIR_DATETIME, 4},
        {"2014-01-01T08:05Z", "seconds", FORM_FHIR_DATETIME, 16},
        {"2014-01-01T08:05:00", "zone", FORM_FHIR_DATETIME, 19},
        {"2014-01-01T24:00:00Z", "hour", FORM_FHIR_DATETIME, 11},
        {"2014-01-01T08:60:00Z", "minute", FORM_FHIR_DATETIME, 14},
        {"2014-01-01T08:05:61Z", "second", FORM_FHIR_DATETIME, 17},
        {"2014-01-01T08:05:00.Z", "digits", FORM_FHIR_DATETIME, 20},
        {"2014-01-01T08:05:00.1234567890Z", "nine", FORM_FHIR_DATETIME, 29},
        {"2014-01-01T08:05:00+14:01", "offset", FORM_FHIR_DATETIME, 19},
        {"2014-01-01T08:05:00+0100", "offset", FORM_FHIR_DATETIME, 22},
        {"2014-01-01T08:05:00z", "zone", FORM_FHIR_DATETIME, 19},
        {"2014-01-01T08:05:00Zx", "does not belong", FORM_FHIR_DATETIME, 20},
        {"2014-01-01", "instant", FORM_FHIR_INSTANT, 10},
        {"08:05", "seconds", FORM_FHIR_TIME, 5},
        {"08:05:00Z", "does not belong", FORM_FHIR_TIME, 8},
        {"2015-02T10", "whole date", FORM_PATH_DATETIME, 7},
        {"@T14:34:28Z", "does not belong", FORM_PATH_LITERAL, 10},
        {"@T14:34:28+10:00", "does not belong", FORM_PATH_LITERAL, 10},
        {"2015", "@", FORM_PATH_LITERAL, 0},
        {"@2015-02-04Z", "does not belong", FORM_PATH_LITERAL, 11},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct datetime a = {.year = 1234};
        struct datetime_fault fault = {0, NULL};
        enum status status = datetime_parse(slice_of(cases[i].text), cases[i].form, &a, &fault);
        if (status != STATUS_INVALID || fault.at != cases[i].at ||
            strstr(fault.why, cases[i].why) == NULL) {
            fail_msg("%s: status %d at %u: %s", cases[i].text, (int)status, (unsigned)fault.at,
                     fault.why);
        }
        assert_int_equal(a.year, 1234);
    }
    struct datetime a;
    assert_int_equal(datetime_parse(SLICE_NONE, FORM_PATH_TIME, &a, NULL), STATUS_INVALID);
}

/* ---- Order ---- */

static void test_order(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        const char *b;
        enum order order;
    } cases[] = {
        {"@2012-04-15", "@2012-04-15", ORDER_EQUAL},
        {"@2012-04-15", "@2012-04-16", ORDER_LESS},
        {"@2012-04-15", "@2012-04-15T10:00:00", ORDER_UNKNOWN},
        {"@2012-04-15", "@2012-04-16T10:00:00", ORDER_LESS},
        {"@2012-04-15", "@2012-04-15T", ORDER_EQUAL},
        {"@2018-03", "@2018-03-01", ORDER_UNKNOWN},
        {"@2018-03", "@2018-04-01", ORDER_LESS},
        {"@2018", "@2017-12-31T23:59:59Z", ORDER_UNKNOWN},
        {"@2018", "@2017-12-30T23:59:59Z", ORDER_GREATER},
        {"@2012-04-15T15:30:31", "@2012-04-15T15:30:31.0", ORDER_EQUAL},
        {"@2012-04-15T15:30:31", "@2012-04-15T15:30:31.1", ORDER_LESS},
        {"@2018-03-01T10:30", "@2018-03-01T10:30:00", ORDER_UNKNOWN},
        {"@2012-04-15T15:00:00Z", "@2012-04-15T10:00:00", ORDER_UNKNOWN},
        {"@2012-04-15T15:00:00Z", "@2012-04-15T15:00:00", ORDER_UNKNOWN},
        {"@2012-04-15T15:00:00Z", "@2012-04-16T15:00:00", ORDER_LESS},
        {"@2012-04-15T15:00:00Z", "@2012-04-16T05:00:00", ORDER_UNKNOWN},
        {"@2012-04-15T15:00:00Z", "@2012-04-16T05:00:01", ORDER_LESS},
        {"@2012-04-15T15:00:00Z", "@2012-04-15T03:00:00", ORDER_UNKNOWN},
        {"@2012-04-15T15:00:00Z", "@2012-04-15T02:59:59", ORDER_GREATER},
        {"@2012-04-15T15:00:00+02:00", "@2012-04-15T16:00:00+03:00", ORDER_EQUAL},
        {"@2012-04-15T15:00:00Z", "@2012-04-15T15:00:00+00:00", ORDER_EQUAL},
        {"@2017-11-05T01:30:00.0-04:00", "@2017-11-05T01:15:00.0-05:00", ORDER_LESS},
        {"@2017-11-05T01:30:00.0-04:00", "@2017-11-05T00:30:00.0-05:00", ORDER_EQUAL},
        {"@2017-11-05T01:30-04:00", "@2017-11-05T00:30-05:00", ORDER_EQUAL},
        {"@2017-11-05T01:30-04:00", "@2017-11-05T00:30:00-05:00", ORDER_UNKNOWN},
        {"@2017-11-05T10+05:30", "@2017-11-05T10+05:00", ORDER_UNKNOWN},
        {"@2017-11-05T10+05:30", "@2017-11-05T11+05:00", ORDER_LESS},
        {"@1974-12-25", "@1974-12-25T12:34:00-10:00", ORDER_UNKNOWN},
        {"@1974-12-25", "@2026-01-05T12:34:00-10:00", ORDER_LESS},
        {"@T10:30", "@T10:30:00", ORDER_UNKNOWN},
        {"@T10:30:00", "@T10:30:00.0", ORDER_EQUAL},
        {"@T12:00:00", "@T14:00:00", ORDER_LESS},
        {"@T10", "@T11:30", ORDER_LESS},
        {"@1974-12-25", "@T12:14:15", ORDER_NONE},
        {"@1974-12-25T12:14:15", "@T12:14:15", ORDER_NONE},
        {"@2016-12-31T23:59:60Z", "@2016-12-31T23:59:59Z", ORDER_GREATER},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct datetime a = make(cases[i].a);
        struct datetime b = make(cases[i].b);
        if (datetime_compare(&a, &b) != cases[i].order ||
            datetime_compare(&b, &a) != order_reverse(cases[i].order)) {
            fail_msg("%s against %s: %d", cases[i].a, cases[i].b, (int)datetime_compare(&a, &b));
        }
        assert_int_equal(datetime_equivalent(&a, &b), cases[i].order == ORDER_EQUAL);
        assert_int_equal(datetime_compare(&a, &a), ORDER_EQUAL);
    }
}

/* ---- Arithmetic ---- */

static void test_add(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        int64_t amount;
        enum calendar_unit unit;
        const char *sum;
    } cases[] = {
        {"@1973-12-25", 7, CALENDAR_DAY, "@1974-01-01"},
        {"@1973-12-25", 1, CALENDAR_WEEK, "@1974-01-01"},
        {"@1973-12-25", 1, CALENDAR_MONTH, "@1974-01-25"},
        {"@1973-12-25", 1, CALENDAR_YEAR, "@1974-12-25"},
        {"@1974-12-25", -1, CALENDAR_MONTH, "@1974-11-25"},
        {"@1973-12-25T00:00:00.000+10:00", 7, CALENDAR_DAY, "@1974-01-01T00:00:00.000+10:00"},
        {"@1973-12-25T00:00:00.000+10:00", 1, CALENDAR_SECOND, "@1973-12-25T00:00:01.000+10:00"},
        {"@1973-12-25T00:00:00.000+10:00", 10, CALENDAR_MILLISECOND,
         "@1973-12-25T00:00:00.010+10:00"},
        {"@1973-12-25T00:00:00.000+10:00", -1, CALENDAR_MILLISECOND,
         "@1973-12-24T23:59:59.999+10:00"},
        {"@1973-12-25T00:00:00+10:00", 10, CALENDAR_MILLISECOND, "@1973-12-25T00:00:00.010+10:00"},
        {"@1973-12-25T00:00:00.5", 1000, CALENDAR_MILLISECOND, "@1973-12-25T00:00:01.500"},
        {"@1973-12-25T00:00:00", 1000, CALENDAR_MILLISECOND, "@1973-12-25T00:00:01"},
        {"@1973-12-25T00:00:00.000+10:00", 1, CALENDAR_MINUTE, "@1973-12-25T00:01:00.000+10:00"},
        {"@1973-12-25T00:00:00.000+10:00", 1, CALENDAR_HOUR, "@1973-12-25T01:00:00.000+10:00"},
        {"@2016-02-29", 1, CALENDAR_YEAR, "@2017-02-28"},
        {"@2016-02-29", 4, CALENDAR_YEAR, "@2020-02-29"},
        {"@2016-02-29", -12, CALENDAR_MONTH, "@2015-02-28"},
        {"@2015-01-31", 1, CALENDAR_MONTH, "@2015-02-28"},
        {"@2016-01-31", 1, CALENDAR_MONTH, "@2016-02-29"},
        {"@2015-03-31", -1, CALENDAR_MONTH, "@2015-02-28"},
        {"@2014", 24, CALENDAR_MONTH, "@2016"},
        {"@2014", 23, CALENDAR_MONTH, "@2015"},
        {"@2014", -23, CALENDAR_MONTH, "@2013"},
        {"@2014", 364, CALENDAR_DAY, "@2014"},
        {"@2014", 365, CALENDAR_DAY, "@2015"},
        {"@2014", 52, CALENDAR_WEEK, "@2014"},
        {"@2014", 8760, CALENDAR_HOUR, "@2015"},
        {"@2014-03", 40, CALENDAR_DAY, "@2014-04"},
        {"@2014-03", 29, CALENDAR_DAY, "@2014-03"},
        {"@2014-12", 720, CALENDAR_HOUR, "@2015-01"},
        {"@2014-01-01", 23, CALENDAR_HOUR, "@2014-01-01"},
        {"@2014-01-01", 24, CALENDAR_HOUR, "@2014-01-02"},
        {"@2014-01-01", -86400, CALENDAR_SECOND, "@2013-12-31"},
        {"@2014-01-01T08", 90, CALENDAR_MINUTE, "@2014-01-01T09"},
        {"@2014-01-01T08:30", 59, CALENDAR_SECOND, "@2014-01-01T08:30"},
        {"@2014-01-01T08:30", 60000, CALENDAR_MILLISECOND, "@2014-01-01T08:31"},
        {"@2014T", 1, CALENDAR_YEAR, "@2015T"},
        {"@T23:30", 45, CALENDAR_MINUTE, "@T00:15"},
        {"@T00:15", -1, CALENDAR_HOUR, "@T23:15"},
        {"@T10", 25, CALENDAR_HOUR, "@T11"},
        {"@T10:30", 1, CALENDAR_DAY, "invalid"},
        {"@T10:30", 1, CALENDAR_YEAR, "invalid"},
        {"@2014", 1, CALENDAR_NONE, "invalid"},
        {"@9999-12-31", 1, CALENDAR_DAY, "limit"},
        {"@9999", 1, CALENDAR_YEAR, "limit"},
        {"@0001-01-01", -1, CALENDAR_DAY, "limit"},
        {"@0001-01-01", -1, CALENDAR_MONTH, "limit"},
        {"@2014-01-01", INT64_MAX, CALENDAR_WEEK, "limit"},
        {"@2014-01-01", INT64_MIN, CALENDAR_YEAR, "limit"},
        {"@2014-01-01T00:00:00", INT64_MAX, CALENDAR_HOUR, "limit"},
        {"@T00:00:00", INT64_MAX, CALENDAR_HOUR, "@T07:00:00"},
        {"@2016-12-31T23:59:60Z", 1, CALENDAR_SECOND, "@2017-01-01T00:00:01Z"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct datetime a = make(cases[i].a);
        struct datetime sum = a;
        const char *got = word_of(datetime_add(&a, cases[i].amount, cases[i].unit, &sum), sum);
        if (strcmp(got, cases[i].sum) != 0) {
            fail_msg("%s + %lld of unit %d is %s, not %s", cases[i].a, (long long)cases[i].amount,
                     (int)cases[i].unit, got, cases[i].sum);
        }
    }
}

static void test_between(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        const char *b;
        int64_t days;
        int64_t months;
    } cases[] = {
        {"@2014-01-01", "@2014-01-01", 0, 0},
        {"@2014-01-01", "@2015-01-01", 365, 12},
        {"@2016-02-28", "@2016-03-01", 2, 0},
        {"@2014-01-31", "@2014-02-28", 28, 0},
        {"@2014-01-31", "@2014-03-31", 59, 2},
        {"@2014-02-28", "@2014-01-31", -28, 0},
        {"@2016-02-29", "@2018-02-28", 730, 23},
        {"@2016-02-29", "@2018-03-01", 731, 24},
        {"@2014-03-15", "@2014-02-20", -23, 0},
        {"@2014-03-15", "@2014-02-15", -28, -1},
        {"@2014-03-15", "@2013-03-14", -366, -12},
        {"@2014-05-20", "@2014-05-03", -17, 0},
        {"@2014-01-01T23:59:59Z", "@2014-01-02T00:00:00+10:00", 1, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct datetime a = make(cases[i].a);
        struct datetime b = make(cases[i].b);
        int64_t days;
        int64_t months;
        assert_int_equal(datetime_days_between(&a, &b, &days), STATUS_OK);
        assert_int_equal(datetime_months_between(&a, &b, &months), STATUS_OK);
        if (days != cases[i].days || months != cases[i].months) {
            fail_msg("%s to %s: %lld days, %lld months", cases[i].a, cases[i].b, (long long)days,
                     (long long)months);
        }
    }
    struct datetime month = make("@2014-01");
    struct datetime hour = make("@T10");
    int64_t days;
    assert_int_equal(datetime_days_between(&month, &month, &days), STATUS_ABSENT);
    assert_int_equal(datetime_months_between(&hour, &hour, &days), STATUS_ABSENT);
}

/* ---- Precision, boundaries ---- */

static void test_precision(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        int precision;
    } cases[] = {{"@2014", 4},
                 {"@2014-01", 6},
                 {"@2014-01-05", 8},
                 {"@2014-01-05T10", 10},
                 {"@2014-01-05T10:30", 12},
                 {"@2014-01-05T10:30:00", 14},
                 {"@2014-01-05T10:30:00.0", 17},
                 {"@2014-01-05T10:30:00.000", 17},
                 {"@2014-01-05T10:30:00.000000", 20},
                 {"@T10", 2},
                 {"@T10:30", 4},
                 {"@T10:30:00", 6},
                 {"@T10:30:00.000", 9}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct datetime a = make(cases[i].a);
        assert_int_equal(datetime_precision(&a), cases[i].precision);
    }
    assert_int_equal(datetime_boundary_default(DATETIME_DATE), 8);
    assert_int_equal(datetime_boundary_default(DATETIME_DATETIME), 17);
    assert_int_equal(datetime_boundary_default(DATETIME_TIME), 9);
}

static void test_boundaries(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        int precision;
        const char *low;
        const char *high;
    } cases[] = {
        {"@2014", 6, "@2014-01", "@2014-12"},
        {"@2014", 8, "@2014-01-01", "@2014-12-31"},
        {"@2014", 4, "@2014", "@2014"},
        {"@2016-02", 8, "@2016-02-01", "@2016-02-29"},
        {"@2014-02-03", 4, "@2014", "@2014"},
        {"@2014", 10, "absent", "absent"},
        {"@2014", 5, "absent", "absent"},
        {"@2014", -1, "absent", "absent"},
        {"@2014T", 17, "@2014-01-01T00:00:00.000+14:00", "@2014-12-31T23:59:59.999-12:00"},
        {"@2014-01-01T08", 17, "@2014-01-01T08:00:00.000+14:00", "@2014-01-01T08:00:59.999-12:00"},
        {"@2014-01-01T08", 12, "@2014-01-01T08:00+14:00", "@2014-01-01T08:00-12:00"},
        {"@2014-01-01T08", 8, "@2014-01-01T", "@2014-01-01T"},
        {"@2014-01-01T08Z", 8, "@2014-01-01T", "@2014-01-01T"},
        {"@2014-01-01T08:05+08:00", 17, "@2014-01-01T08:05:00.000+08:00",
         "@2014-01-01T08:05:59.999+08:00"},
        {"@2014-01-01T08:05-05:00", 14, "@2014-01-01T08:05:00-05:00", "@2014-01-01T08:05:59-05:00"},
        {"@2014-01-01T08:05:31.5Z", 17, "@2014-01-01T08:05:31.500Z", "@2014-01-01T08:05:31.599Z"},
        {"@2014-01-01T08:05:31.123456Z", 17, "@2014-01-01T08:05:31.123Z",
         "@2014-01-01T08:05:31.123Z"},
        {"@2014-01-01T08:05:31.123Z", 10, "@2014-01-01T08Z", "@2014-01-01T08Z"},
        {"@T10:30", 9, "@T10:30:00.000", "@T10:30:59.999"},
        {"@T10", 9, "@T10:00:00.000", "@T10:59:59.999"},
        {"@T10", 4, "@T10:00", "@T10:59"},
        {"@T10:30", 2, "@T10", "@T10"},
        {"@T10:30", 17, "absent", "absent"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct datetime a = make(cases[i].a);
        struct datetime low = a;
        struct datetime high = a;
        assert_string_equal(word_of(datetime_low_boundary(&a, cases[i].precision, &low), low),
                            cases[i].low);
        assert_string_equal(word_of(datetime_high_boundary(&a, cases[i].precision, &high), high),
                            cases[i].high);
    }
}

/* ---- Moments, offsets, the calendar ---- */

static void test_moments(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        int offset;
        int64_t microseconds;
    } cases[] = {
        {"@1970-01-01T00:00:00Z", 0, 0},
        {"@1970-01-01T00:00:00", 60, -3600000000},
        {"@1970-01-01T00:00:00-05:00", 60, 18000000000},
        {"@1969-12-31T23:59:59.999999Z", 0, -1},
        {"@2014", -300, 1388552400000000},
        {"@0001-01-01", 0, -62135596800000000},
        {"@9999-12-31T23:59:59.999Z", 0, 253402300799999000},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct datetime a = make(cases[i].a);
        int64_t microseconds;
        assert_int_equal(datetime_to_utc(&a, cases[i].offset, &microseconds), STATUS_OK);
        assert_true(microseconds == cases[i].microseconds);
    }
    struct datetime time = make("@T10");
    int64_t microseconds;
    assert_int_equal(datetime_to_utc(&time, 0, &microseconds), STATUS_ABSENT);

    static const struct {
        int64_t microseconds;
        int offset;
        const char *text;
    } back[] = {
        {0, 0, "@1970-01-01T00:00:00.000Z"},
        {-1, 0, "@1969-12-31T23:59:59.999Z"},
        {0, -300, "@1969-12-31T19:00:00.000-05:00"},
        {1767225599999999, 330, "@2026-01-01T05:29:59.999+05:30"},
        {INT64_MAX, 0, "limit"},
        {INT64_MIN, -840, "limit"},
        {0, 841, "invalid"},
    };
    for (size_t i = 0; i < COUNT(back); i++) {
        struct datetime a = {0};
        enum status status = datetime_from_utc(back[i].microseconds, back[i].offset, &a);
        assert_string_equal(word_of(status, a), back[i].text);
    }
}

static void test_local_date(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        int offset;
        const char *date;
    } cases[] = {
        {"@2014-01-01T03:00:00Z", -300, "@2013-12-31"},
        {"@2014-01-01T22:00:00-05:00", -300, "@2014-01-01"},
        {"@2014-01-01T22:00:00-05:00", 0, "@2014-01-02"},
        {"@2014-01-01T22:00:00", -300, "@2014-01-01"},
        {"@2014-01-01", -300, "@2014-01-01"},
        {"@2014-01", 840, "@2014-01"},
        {"@9999-12-31T23:00:00Z", 840, "limit"},
        {"@T10", 0, "absent"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct datetime a = make(cases[i].a);
        struct datetime date = a;
        assert_string_equal(word_of(datetime_local_date(&a, cases[i].offset, &date), date),
                            cases[i].date);
    }
    struct datetime a = make("@2014-01-01T22:00:00.5-05:00");
    struct datetime part;
    assert_int_equal(datetime_date_part(&a, &part), STATUS_OK);
    assert_string_equal(print(part), "@2014-01-01");
    assert_int_equal(datetime_time_part(&a, &part), STATUS_OK);
    assert_string_equal(print(part), "@T22:00:00.5");
    a = make("@2014");
    assert_int_equal(datetime_time_part(&a, &part), STATUS_ABSENT);
    assert_int_equal(datetime_make_date(2015, 2, 29, &part), STATUS_INVALID);
    assert_int_equal(datetime_make_date(2016, 2, 29, &part), STATUS_OK);
    assert_string_equal(print(part), "@2016-02-29");
}

/* Every day of the calendar once, there and back. */
static void test_calendar(void **state)
{
    (void)state;
    int64_t expected = -719162;
    for (int year = 1; year <= 9999; year++) {
        for (int month = 1; month <= 12; month++) {
            for (int day = 1; day <= datetime_days_in_month(year, month); day++) {
                int y;
                int m;
                int d;
                datetime_day_to_date(expected, &y, &m, &d);
                if (datetime_day_number(year, month, day) != expected || y != year || m != month ||
                    d != day) {
                    fail_msg("%d-%d-%d", year, month, day);
                }
                expected++;
            }
        }
    }
    assert_true(expected == 2932897);
}

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005U + 1442695040888963407U;
    return *seed >> 17;
}

static struct datetime random_moment(uint64_t *seed)
{
    static const uint8_t parts[] = {PART_YEAR,   PART_MONTH,  PART_DAY,     PART_HOUR,
                                    PART_MINUTE, PART_SECOND, PART_FRACTION};
    struct datetime full;
    int offset = (int)(next_random(seed) % 1681) - 840;
    int64_t microseconds = (int64_t)(next_random(seed) % 4102444800) * 1000000;
    microseconds += (int64_t)(next_random(seed) % 1000) * 1000;
    assert_int_equal(datetime_from_utc(microseconds, offset, &full), STATUS_OK);
    int part = parts[next_random(seed) % COUNT(parts)];
    static const int digits[] = {4, 6, 8, 10, 12, 14, 17};
    assert_int_equal(datetime_low_boundary(&full, digits[part], &full), STATUS_OK);
    if (next_random(seed) % 3 == 0) {
        full.zone = ZONE_NONE;
        full.offset = 0;
    }
    return full;
}

static void test_properties(void **state)
{
    (void)state;
    uint64_t seed = 42;
    for (int round = 0; round < 20000; round++) {
        struct datetime a = random_moment(&seed);
        struct datetime b = random_moment(&seed);
        char text[DATETIME_TEXT];
        struct datetime back;
        size_t len = datetime_print_literal(&a, text);
        assert_int_equal(datetime_parse(slice_from(text, len), FORM_PATH_LITERAL, &back, NULL),
                         STATUS_OK);
        assert_same(&back, &a);
        assert_int_equal(datetime_compare(&a, &b), order_reverse(datetime_compare(&b, &a)));

        struct datetime low;
        struct datetime high;
        int digits = datetime_boundary_default((enum datetime_kind)a.kind);
        assert_int_equal(datetime_low_boundary(&a, digits, &low), STATUS_OK);
        assert_int_equal(datetime_high_boundary(&a, digits, &high), STATUS_OK);
        enum order order = datetime_compare(&low, &high);
        assert_true(order == ORDER_LESS || order == ORDER_EQUAL);
        assert_true(datetime_compare(&low, &a) != ORDER_GREATER);
        /* What is certain of the values is certain of their boundaries. */
        bool zoned = a.zone != ZONE_NONE && b.zone != ZONE_NONE;
        if (zoned && datetime_compare(&a, &b) == ORDER_LESS) {
            struct datetime later;
            assert_int_equal(datetime_low_boundary(&b, digits, &later), STATUS_OK);
            assert_true(datetime_compare(&high, &later) == ORDER_LESS);
        }
        int64_t amount = (int64_t)(next_random(&seed) % 1000);
        struct datetime moved;
        if (a.part >= PART_DAY && datetime_add(&a, amount, CALENDAR_DAY, &moved) == STATUS_OK) {
            int64_t days;
            assert_int_equal(datetime_days_between(&a, &moved, &days), STATUS_OK);
            assert_true(days == amount);
            assert_int_equal(datetime_add(&moved, -amount, CALENDAR_DAY, &back), STATUS_OK);
            assert_same(&back, &a);
        }
    }
}

/* The same results under three zones of the environment: nothing here reads it. */
static void test_no_zone_is_read(void **state)
{
    (void)state;
    static const char *const zones[] = {"UTC", "America/New_York", "Pacific/Apia"};
    for (size_t i = 0; i < COUNT(zones); i++) {
        assert_int_equal(setenv("TZ", zones[i], 1), 0);
        tzset();
        test_order(state);
        test_add(state);
        test_boundaries(state);
        test_moments(state);
        test_local_date(state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms_accepted), cmocka_unit_test(test_forms_refused),
        cmocka_unit_test(test_order),          cmocka_unit_test(test_add),
        cmocka_unit_test(test_between),        cmocka_unit_test(test_precision),
        cmocka_unit_test(test_boundaries),     cmocka_unit_test(test_moments),
        cmocka_unit_test(test_local_date),     cmocka_unit_test(test_calendar),
        cmocka_unit_test(test_properties),     cmocka_unit_test(test_no_zone_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
