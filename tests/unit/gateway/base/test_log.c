// label: threaded
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/log.h"

static int64_t fixed(void *state)
{
    (void)state;
    return 1709210096789012;
}
static const struct clock clock_fixed = {.utc = fixed, .monotonic = fixed, .state = NULL};

struct kept {
    char at[1 << 20];
    size_t len;
    bool refuse;
};

static bool keep(void *arg, struct slice line)
{
    struct kept *kept = arg;
    if (kept->refuse || line.len > sizeof kept->at - 1 - kept->len) {
        return false;
    }
    memcpy(kept->at + kept->len, line.at, line.len);
    kept->len += line.len;
    kept->at[kept->len] = '\0';
    return true;
}

static struct log *make(struct kept *kept, enum log_class audience, bool journal)
{
    struct log_config config = {.clock = &clock_fixed,
                                .level = LOG_INFO,
                                .audience = audience,
                                .journal = journal,
                                .sink = keep,
                                .sink_arg = kept};
    struct log *log = log_create(&config);
    assert_non_null(log);
    return log;
}

static void test_line(void **state)
{
    struct kept *kept = *state;
    kept->len = 0;
    struct log *log = make(kept, LOG_OPERATOR, false);
    LOG(log, LOG_INFO, "message-stored", LOG_TEXT(EHR, "north"), LOG_NUMBER(BYTES, -4096),
        LOG_TEXT(MESSAGE, "6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
        LOG_TEXT(DETAIL, "say \"no\" \\ yes"));
    assert_string_equal(kept->at, "{\"time\":\"2024-02-29T12:34:56.789Z\",\"level\":\"info\","
                                  "\"event\":\"message-stored\",\"ehr\":\"north\",\"bytes\":-4096,"
                                  "\"message\":\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\","
                                  "\"detail\":\"say \\\"no\\\" \\\\ yes\"}\n");
    log_destroy(&log);
    assert_null(log);
    log_destroy(&log);
    LOG(NULL, LOG_ERROR, "nothing", LOG_NUMBER(COUNT, 1)); /* no log: no line */
}

/* What does not have the shape of its field is withheld: a name or a note cannot pass as an id. */
static void test_withheld(void **state)
{
    struct kept *kept = *state;
    kept->len = 0;
    struct log *log = make(kept, LOG_OPERATOR, false);
    LOG(log, LOG_INFO, "x", LOG_TEXT(MESSAGE, "Anna Example"), LOG_TEXT(EHR, "Anna Example"),
        LOG_TEXT(REASON, ""), LOG_TEXT(DETAIL, "a\nb"), LOG_TEXT(STATUS, "200"),
        LOG_NUMBER(REASON, 3));
    assert_null(strstr(kept->at, "Anna"));
    size_t found = 0;
    for (const char *at = kept->at; (at = strstr(at, "\"(withheld)\"")) != NULL; at++) {
        found++;
    }
    assert_int_equal(found, 6);
    assert_non_null(strstr(kept->at, "\"status\":\"(withheld)\""));
    log_destroy(&log);
}

static void test_audience_and_level(void **state)
{
    struct kept *kept = *state;
    kept->len = 0;
    struct log *log = make(kept, LOG_PUBLIC, true);
    LOG(log, LOG_DEBUG, "unseen", LOG_NUMBER(COUNT, 1));
    assert_int_equal(kept->len, 0);
    LOG(log, LOG_WARNING, "seen", LOG_NUMBER(COUNT, 1), LOG_NUMBER(PORT, 8443),
        LOG_TEXT(DETAIL, "inside"));
    assert_string_equal(kept->at, "<4>{\"time\":\"2024-02-29T12:34:56.789Z\",\"level\":\"warning\","
                                  "\"event\":\"seen\",\"count\":1}\n");
    log_set_level(log, LOG_DEBUG);
    assert_true(log_wants(log, LOG_DEBUG));
    log_destroy(&log);
    enum log_level level = LOG_ERROR;
    assert_true(log_level_read(SLICE("debug"), &level));
    assert_int_equal(level, LOG_DEBUG);
    assert_false(log_level_read(SLICE("loud"), &level));
}

/* No field of the table may be able to say who a patient is. */
static void test_no_patient_field(void **state)
{
    (void)state;
    static const char *const forbidden[] = {"patient", "name",  "mrn",  "birth", "body",
                                            "value",   "token", "path", "query", "url"};
    for (int i = 0; i < LOG_FIELDS; i++) {
        for (size_t k = 0; k < sizeof forbidden / sizeof *forbidden; k++) {
            assert_null(strstr(log_field_name((enum log_field)i), forbidden[k]));
        }
    }
}

static void test_lost_lines_are_counted(void **state)
{
    struct kept *kept = *state;
    kept->len = 0;
    struct log *log = make(kept, LOG_OPERATOR, false);
    kept->refuse = true;
    LOG(log, LOG_INFO, "a", LOG_NUMBER(COUNT, 1));
    LOG(log, LOG_INFO, "b", LOG_NUMBER(COUNT, 2));
    kept->refuse = false;
    LOG(log, LOG_INFO, "c", LOG_NUMBER(COUNT, 3));
    assert_non_null(strstr(kept->at, "\"event\":\"c\",\"count\":3,\"dropped\":2}"));
    kept->len = 0;
    LOG(log, LOG_INFO, "d", LOG_NUMBER(COUNT, 4));
    assert_null(strstr(kept->at, "dropped"));
    log_destroy(&log);
}

static void test_long_line_is_cut_whole(void **state)
{
    struct kept *kept = *state;
    kept->len = 0;
    struct log *log = make(kept, LOG_OPERATOR, false);
    char quotes[241];
    memset(quotes, '"', 240);
    quotes[240] = '\0';
    struct log_item items[20];
    for (size_t i = 0; i < 20; i++) {
        items[i] = LOG_TEXT(DETAIL, quotes);
    }
    log_write(log, LOG_INFO, "long", items, 20);
    assert_true(kept->len <= LOG_LINE_MAX);
    assert_int_equal(kept->at[kept->len - 1], '\n');
    assert_int_equal(kept->at[kept->len - 2], '}');
    assert_int_equal(kept->at[kept->len - 3], '"');
    log_destroy(&log);
}

enum { WRITERS = 4, LINES = 500 };

static void *write_many(void *arg)
{
    for (int i = 0; i < LINES; i++) {
        LOG(arg, LOG_INFO, "many", LOG_NUMBER(COUNT, i), LOG_TEXT(DETAIL, "some words to write"));
    }
    return NULL;
}

/* Through a pipe with a slow reader: every line whole, none within another. */
static void test_threads(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct log_config config = {.clock = &clock_fixed,
                                .level = LOG_INFO,
                                .audience = LOG_OPERATOR,
                                .sink = log_to_fd,
                                .sink_arg = log_fd_arg(ends[1])};
    struct log *log = log_create(&config);
    pthread_t threads[WRITERS];
    for (size_t i = 0; i < WRITERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, log), 0);
    }
    FILE *in = fdopen(ends[0], "r");
    char line[LOG_LINE_MAX + 2];
    for (int n = 0; n < WRITERS * LINES; n++) {
        assert_non_null(fgets(line, sizeof line, in));
        size_t len = strlen(line);
        assert_memory_equal(line, "{\"time\":\"", 9);
        assert_string_equal(line + len - 3, "\"}\n");
        assert_null(strstr(line + 1, "{\"time\""));
    }
    for (size_t i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
    }
    fclose(in);
    close(ends[1]);
    log_destroy(&log);
}

/* A pipe that nobody reads costs lines, not the daemon. */
static void test_stalled_reader(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    char page[4096] = {0};
    while (write(ends[1], page, sizeof page) > 0) {
    }
    assert_false(log_to_fd(log_fd_arg(ends[1]), SLICE("{}\n")));
    close(ends[0]);
    close(ends[1]);
}

static int set_up(void **state)
{
    *state = calloc(1, sizeof(struct kept));
    return *state == NULL;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH(test_line),
        WITH(test_withheld),
        WITH(test_audience_and_level),
        cmocka_unit_test(test_no_patient_field),
        WITH(test_lost_lines_are_counted),
        WITH(test_long_line_is_cut_whole),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_stalled_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
