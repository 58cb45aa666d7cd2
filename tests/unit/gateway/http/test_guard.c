#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/http/guard.h"

static struct head_scan scan_by(struct slice text, size_t step)
{
    struct head_scan scan = {0};
    for (size_t at = 0; at < text.len; at += step) {
        head_scan_feed(&scan, slice_part(text, at, step));
    }
    return scan;
}

static void test_scan(void **state)
{
    (void)state;
    const struct {
        struct slice text;
        enum guard fault;
        bool done;
    } rows[] = {
        {SLICE("GET / HTTP/1.1\r\nA: b\r\n\r\n\0\n\x01"), GUARD_NONE, true},
        {SLICE("GET / HTTP/1.1\r\nA:\tb\xc3\xa9\r\n\r\n"), GUARD_NONE, true},
        {SLICE("GET / HTTP/1.1\r\nA: b\r\n"), GUARD_NONE, false},
        {SLICE("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n"), GUARD_FOLDED_LINE, true},
        {SLICE("GET / HTTP/1.1\r\nA: b\r\n\tc\r\n\r\n"), GUARD_FOLDED_LINE, true},
        {SLICE("GET / HTTP/1.1\nA: b\r\n\r\n"), GUARD_BARE_LINE_END, true},
        {SLICE("GET / HTTP/1.1\r\nA: b\n\r\n"), GUARD_BARE_LINE_END, true},
        {SLICE("GET / HTTP/1.1\r\nA: b\r\n\n"), GUARD_BARE_LINE_END, true},
        {SLICE("GET / HTTP/1.1\r\nA: b\rc\r\n\r\n"), GUARD_BARE_LINE_END, true},
        {SLICE("GET / HTTP/1.1\r\nA: b\r\r\n\r\n"), GUARD_BARE_LINE_END, true},
        {SLICE("GET / HTTP/1.1\r\n\rA: b\r\n\r\n"), GUARD_BARE_LINE_END, true},
        {SLICE("\r\nGET / HTTP/1.1\r\n\r\n"), GUARD_BARE_LINE_END, true},
        {SLICE("\nGET / HTTP/1.1\r\n\r\n"), GUARD_BARE_LINE_END, true},
        {SLICE("GET / HTTP/1.1\r\nA: b\0c\r\n\r\n"), GUARD_CONTROL, true},
        {SLICE("GET / HTTP/1.1\r\nA: b\x7f\r\n\r\n"), GUARD_CONTROL, true},
        {SLICE("GET /\x0b HTTP/1.1\r\n\r\n"), GUARD_CONTROL, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t step = 1; step <= rows[i].text.len; step++) {
            struct head_scan scan = scan_by(rows[i].text, step);
            assert_int_equal(scan.fault, rows[i].fault);
            assert_int_equal(scan.state == HEAD_DONE, rows[i].done);
        }
    }
}

#define H(name, value)                                                                             \
    {                                                                                              \
        {"" name, sizeof(name) - 1},                                                               \
        {                                                                                          \
            "" value, sizeof(value) - 1                                                            \
        }                                                                                          \
    }

static void test_check(void **state)
{
    (void)state;
    static const struct {
        bool old;
        const char *target;
        struct http_header headers[3];
        size_t count;
        enum guard guard;
    } rows[] = {
        {false, "/", {H("Host", "x")}, 1, GUARD_NONE},
        {false, "/a?b=c#", {H("Host", "x")}, 1, GUARD_TARGET},
        {false, "", {H("Host", "x")}, 1, GUARD_TARGET},
        {false, "a", {H("Host", "x")}, 1, GUARD_TARGET},
        {false, "/\xc3\xa9", {H("Host", "x")}, 1, GUARD_TARGET},
        {false, "/a\\b", {H("Host", "x")}, 1, GUARD_TARGET},
        {false, "/", {H("A", "x")}, 1, GUARD_HOST},
        {true, "/", {H("A", "x")}, 1, GUARD_NONE},
        {true, "/", {H("Host", "x"), H("HOST", "x")}, 2, GUARD_HOST},
        {false, "/", {H("Host", "x"), H("", "x")}, 2, GUARD_HEADER_NAME},
        {false, "/", {H("Host", "x"), H("a:b", "x")}, 2, GUARD_HEADER_NAME},
        {false, "/", {H("Host", "x"), H("a\0b", "x")}, 2, GUARD_HEADER_NAME},
        {false, "/", {H("Host", "x"), H("content-length", "0")}, 2, GUARD_NONE},
        {false, "/", {H("Host", "x"), H("content-length", "")}, 2, GUARD_CONTENT_LENGTH},
        {false, "/", {H("Host", "x"), H("content-length", "1,1")}, 2, GUARD_CONTENT_LENGTH},
        {false, "/", {H("Host", "x"), H("content-length", "0x1")}, 2, GUARD_CONTENT_LENGTH},
        {false,
         "/",
         {H("Host", "x"), H("content-length", "1234567890123456789")},
         2,
         GUARD_CONTENT_LENGTH},
        {false, "/", {H("Host", "x"), H("Transfer-Encoding", "Chunked")}, 2, GUARD_NONE},
        {false,
         "/",
         {H("Host", "x"), H("Transfer-Encoding", "chunked, chunked")},
         2,
         GUARD_TRANSFER_ENCODING},
        {true,
         "/",
         {H("Host", "x"), H("Transfer-Encoding", "chunked")},
         2,
         GUARD_TRANSFER_ENCODING},
        {false,
         "/",
         {H("Host", "x"), H("Transfer-Encoding", "chunked"), H("Content-Length", "1")},
         3,
         GUARD_TRANSFER_ENCODING},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct head head = {.is_http_1_0 = rows[i].old,
                            .target = slice_of(rows[i].target),
                            .headers = rows[i].headers,
                            .header_count = rows[i].count};
        assert_int_equal(head_check(&head), rows[i].guard);
    }
}

/* Every row of the table can be told to someone. */
static void test_table(void **state)
{
    (void)state;
    for (int i = GUARD_NONE + 1; i < GUARDS; i++) {
        assert_true(guard_name((enum guard)i)[0] != '\0');
        assert_true(guard_sentence((enum guard)i)[0] != '\0');
        int status = guard_status((enum guard)i);
        assert_true(status == 0 || http_status_phrase(status)[0] != '\0');
    }
}

static void test_words(void **state)
{
    (void)state;
    assert_true(http_name_equal(SLICE("eTag"), SLICE("ETAG")));
    assert_false(http_name_equal(SLICE("a[b"), SLICE("a{b")));
    assert_true(slice_is(http_media_type(SLICE(" application/fhir+json ; charset=utf-8")),
                         "application/fhir+json"));
    assert_string_equal(http_method_name(HTTP_PATCH), "PATCH");
    assert_true(http_method_is_safe(HTTP_HEAD));
    assert_false(http_method_is_safe(HTTP_PUT));
    assert_string_equal(http_status_phrase(299), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scan),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
