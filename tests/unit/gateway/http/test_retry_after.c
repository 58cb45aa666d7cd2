#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/http/retry_after.h"

static const struct retry_bounds bounds = {.least_ms = 100, .most_ms = 3600000};
static const int64_t now = INT64_C(784111777) * 1000000; /* Sun, 06 Nov 1994 08:49:37 GMT */

/* RFC 9110 5.6.7: all three forms are one moment. */
static void test_dates(void **state)
{
    (void)state;
    static const char *const same[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
                                       "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
                                       "  Sun, 06 Nov 1994 08:49:37 GMT "};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        int64_t us = 0;
        assert_int_equal(http_date_read(slice_of(same[i]), &us), STATUS_OK);
        assert_int_equal(us, now);
    }
    int64_t us = 0;
    assert_int_equal(http_date_read(SLICE("Thu, 29 Feb 2024 23:59:60 GMT"), &us), STATUS_OK);
    assert_int_equal(us, INT64_C(1709251200) * 1000000);
    assert_int_equal(http_date_read(SLICE("Friday, 01-Jan-69 00:00:00 GMT"), &us), STATUS_OK);
    assert_int_equal(us, INT64_C(3124224000) * 1000000);
}

static void test_no_dates(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "now",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT+1",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Wed, 29 Feb 2023 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 anF 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "1994-11-06T08:49:37Z",
        "Sun, 06 Nov 1994 08:49:37 GMT Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 \1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t us = 5;
        assert_int_equal(http_date_read(slice_of(bad[i]), &us), STATUS_INVALID);
        assert_int_equal(us, 5);
    }
}

static void test_retry_after(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *date; /* of the reply */
        enum status status;
        uint64_t ms;
    } rows[] = {
        {"", "", STATUS_ABSENT, 0},
        {"  ", "", STATUS_ABSENT, 0},
        {"0", "", STATUS_OK, 100},
        {"7", "", STATUS_OK, 7000},
        {" 7 ", "", STATUS_OK, 7000},
        {"3600", "", STATUS_OK, 3600000},
        {"3601", "", STATUS_OK, 3600000},
        {"1000000000", "", STATUS_OK, 3600000},
        {"100000000000000000000", "", STATUS_OK, 3600000}, /* beyond 64 bits */
        {"-5", "", STATUS_INVALID, 0},
        {"+5", "", STATUS_INVALID, 0},
        {"1.5", "", STATUS_INVALID, 0},
        {"5 seconds", "", STATUS_INVALID, 0},
        {"soon", "", STATUS_INVALID, 0},
        {"Sun, 06 Nov 1994 08:49:47 GMT", "", STATUS_OK, 10000},
        {"Sun, 06 Nov 1994 08:49:37 GMT", "", STATUS_OK, 100},
        {"Sun, 06 Nov 1983 08:49:37 GMT", "", STATUS_OK, 100}, /* past */
        {"Fri, 06 Nov 2099 08:49:37 GMT", "", STATUS_OK, 3600000},
        /* The server's clock is an hour behind ours: its own date tells. */
        {"Sun, 06 Nov 1994 07:49:57 GMT", "Sun, 06 Nov 1994 07:49:37 GMT", STATUS_OK, 20000},
        {"Sun, 06 Nov 1994 08:49:47 GMT", "nonsense", STATUS_OK, 10000},
        {"7", "Sun, 06 Nov 1994 07:49:37 GMT", STATUS_OK, 7000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t ms = 0;
        assert_int_equal(
            retry_after_read(slice_of(rows[i].value), slice_of(rows[i].date), now, &bounds, &ms),
            rows[i].status);
        assert_int_equal(ms, rows[i].ms);
    }
}

static void test_rate_limit(void **state)
{
    (void)state;
    static const struct {
        const char *combined;
        const char *remaining;
        const char *reset;
        enum status status;
        uint64_t left;
        uint64_t ms;
    } rows[] = {
        {"", "", "", STATUS_ABSENT, 0, 0},
        {"limit=100, remaining=0, reset=30", "", "", STATUS_OK, 0, 30000},
        {"\"default\";r=12;t=9", "", "", STATUS_OK, 12, 9000},
        {"", "3", "60", STATUS_OK, 3, 60000},
        {"", "3", "", STATUS_OK, 3, 100},
        {"", "", "60", STATUS_OK, UINT64_MAX, 60000},
        {"", "0", "0", STATUS_OK, 0, 100},
        {"", "0", "99999999999999999999", STATUS_OK, 0, 3600000},
        {"", "0", "1700000000", STATUS_OK, 0, 3600000},    /* seconds since 1970 */
        {"", "0", "1700000000000", STATUS_OK, 0, 3600000}, /* milliseconds */
        {"", "0", "Sun, 06 Nov 1994 08:50:37 GMT", STATUS_OK, 0, 60000},
        {"", "0", "later", STATUS_INVALID, 0, 0},
        {"", "-1", "60", STATUS_INVALID, 0, 0},
        {"whatever", "", "", STATUS_INVALID, 0, 0},
        {";;,,=", "", "", STATUS_INVALID, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rate_limit limit = {0};
        assert_int_equal(rate_limit_read(slice_of(rows[i].combined), slice_of(rows[i].remaining),
                                         slice_of(rows[i].reset), now, &bounds, &limit),
                         rows[i].status);
        assert_int_equal(limit.remaining, rows[i].left);
        assert_int_equal(limit.wait_ms, rows[i].ms);
    }
    /* A reset given as a moment, seen from that year. */
    struct rate_limit limit = {0};
    assert_int_equal(rate_limit_read(SLICE_NONE, SLICE("0"), SLICE("1700000030"),
                                     INT64_C(1700000000) * 1000000, &bounds, &limit),
                     STATUS_OK);
    assert_int_equal(limit.wait_ms, 30000);
    assert_int_equal(rate_limit_read(SLICE_NONE, SLICE("0"), SLICE("1700000030500"),
                                     INT64_C(1700000000) * 1000000, &bounds, &limit),
                     STATUS_OK);
    assert_int_equal(limit.wait_ms, 30500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_no_dates),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_rate_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
