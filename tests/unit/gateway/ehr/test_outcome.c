#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/ehr/outcome.h"

/* ---- the status line, row by row ---- */

struct status_row {
    int status;
    const char *read;
    const char *search;
    const char *create;
    const char *update;
    const char *fault; /* of the create, unless it is done */
};

static const struct status_row status_rows[] = {
    {200, "done", "done", "done", "done", "none"},
    {201, "unreadable", "unreadable", "done", "done", "none"},
    {202, "unreadable", "unreadable", "unknown", "unknown", "wrong-content"},
    {204, "unreadable", "unreadable", "done", "done", "none"},
    {206, "unreadable", "unreadable", "unknown", "unknown", "wrong-content"},
    {301, "unreadable", "unreadable", "refused", "refused", "redirect"},
    {302, "unreadable", "unreadable", "refused", "refused", "redirect"},
    {303, "unreadable", "unreadable", "unknown", "unknown", "redirect"},
    {304, "unreadable", "unreadable", "refused", "refused", "redirect"},
    {307, "unreadable", "unreadable", "refused", "refused", "redirect"},
    {308, "unreadable", "unreadable", "refused", "refused", "redirect"},
    {400, "refused", "refused", "refused", "refused", "refused"},
    {401, "unauthorized", "unauthorized", "unauthorized", "unauthorized", "unauthorized"},
    {403, "refused", "refused", "refused", "refused", "forbidden"},
    {404, "absent", "refused", "refused", "absent", "not-offered"},
    {405, "refused", "refused", "refused", "refused", "not-offered"},
    {406, "refused", "refused", "refused", "refused", "refused"},
    {408, "again", "again", "unknown", "unknown", "timeout"},
    {409, "refused", "refused", "conflict", "conflict", "conflict"},
    {410, "absent", "refused", "refused", "absent", "refused"},
    {412, "refused", "refused", "conflict", "conflict", "conflict"},
    {413, "refused", "refused", "refused", "refused", "refused"},
    {415, "refused", "refused", "refused", "refused", "refused"},
    {421, "again", "again", "again", "again", "server-error"},
    {422, "refused", "refused", "refused", "refused", "refused"},
    {423, "again", "again", "again", "again", "server-error"},
    {425, "again", "again", "again", "again", "server-error"},
    {428, "refused", "refused", "refused", "refused", "refused"},
    {429, "again", "again", "again", "again", "throttled"},
    {451, "refused", "refused", "refused", "refused", "refused"},
    {500, "again", "again", "unknown", "unknown", "server-error"},
    {501, "refused", "refused", "refused", "refused", "not-offered"},
    {502, "again", "again", "unknown", "unknown", "server-error"},
    {503, "again", "again", "again", "again", "throttled"},
    {504, "again", "again", "unknown", "unknown", "timeout"},
    {507, "again", "again", "unknown", "unknown", "server-error"},
    {599, "again", "again", "unknown", "unknown", "server-error"},
    {102, "unreadable", "unreadable", "unknown", "unknown", "wrong-content"},
    {0, "unreadable", "unreadable", "unknown", "unknown", "wrong-content"},
    {777, "unreadable", "unreadable", "unknown", "unknown", "wrong-content"},
};

static void test_each_status(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof status_rows / sizeof *status_rows; i++) {
        const struct status_row *row = &status_rows[i];
        enum ehr_fault fault;
        print_message("# %d\n", row->status);
        assert_string_equal(ehr_outcome_name(outcome_of_status(EHR_READ, row->status, &fault)),
                            row->read);
        assert_string_equal(ehr_outcome_name(outcome_of_status(EHR_METADATA, row->status, &fault)),
                            row->read);
        assert_string_equal(ehr_outcome_name(outcome_of_status(EHR_SEARCH, row->status, &fault)),
                            row->search);
        assert_string_equal(ehr_outcome_name(outcome_of_status(EHR_FIND, row->status, &fault)),
                            row->search);
        assert_string_equal(ehr_outcome_name(outcome_of_status(EHR_UPDATE, row->status, &fault)),
                            row->update);
        assert_string_equal(ehr_outcome_name(outcome_of_status(EHR_CREATE, row->status, &fault)),
                            row->create);
        assert_string_equal(ehr_fault_name(fault), row->fault);
    }
}

/* ---- whole exchanges ---- */

#define HTML "<html><title>Sign in</title></html>"
#define PLAN_7 "{\"resourceType\":\"CarePlan\",\"id\":\"7\",\"meta\":{\"versionId\":\"m\"}}"
#define PLAN_8 "{\"resourceType\":\"CarePlan\",\"id\":\"8\"}"
#define GOAL_7 "{\"resourceType\":\"Goal\",\"id\":\"7\"}"
#define SET "{\"resourceType\":\"Bundle\",\"type\":\"searchset\"}"
#define ISSUE(severity, code, rest)                                                                \
    "{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":\"" severity                  \
    "\",\"code\":\"" code "\"" rest "}]}"
#define EPIC(code)                                                                                 \
    ISSUE("error", "business-rule",                                                                \
          ",\"diagnostics\":\"Ana Example born 2016\",\"details\":{\"text\":\"Ana Example\","      \
          "\"coding\":[{\"system\":\"urn:oid:1.2.840.114350.1.13.0.1.7.2.657369\",\"code\":"       \
          "\"" code "\"}]}")

struct exchange_row {
    const char *what;
    enum ehr_verb verb;
    int status;
    const char *content_type;
    const char *etag;
    const char *location;
    const char *body;
    const char *outcome;
    const char *fault;
    const char *id; /* "" none */
    const char *version;
    const char *detail; /* NULL: not looked at */
};

#define JSON "application/fhir+json; charset=utf-8"
#define AT_7 "https://h/fhir/CarePlan/7/_history/l"

static const struct exchange_row exchange_rows[] = {
    {"read", EHR_READ, 200, JSON, "W/\"e\"", NULL, PLAN_7, "done", "none", "7", "e", "HTTP 200"},
    {"read, version from meta", EHR_READ, 200, JSON, NULL, NULL, PLAN_7, "done", "none", "7", "m",
     NULL},
    {"read, old media type", EHR_READ, 200, "application/json+fhir", NULL, NULL, PLAN_7, "done",
     "none", "7", "m", NULL},
    {"read, no media type", EHR_READ, 200, NULL, NULL, NULL, PLAN_7, "done", "none", "7", "m",
     NULL},
    {"read, byte order mark", EHR_READ, 200, JSON, NULL, NULL, "\xef\xbb\xbf" PLAN_7, "done",
     "none", "7", "m", NULL},
    {"read, another id", EHR_READ, 200, JSON, NULL, NULL, PLAN_8, "unreadable", "wrong-content", "",
     "", NULL},
    {"read, another type", EHR_READ, 200, JSON, NULL, NULL, GOAL_7, "unreadable", "wrong-content",
     "", "", NULL},
    {"read, login page", EHR_READ, 200, "text/html", NULL, NULL, HTML, "unreadable", "no-json", "",
     "", "HTTP 200: the answer is no FHIR JSON"},
    {"read, login page that says it is JSON", EHR_READ, 200, JSON, NULL, NULL, HTML, "unreadable",
     "no-json", "", "", NULL},
    {"read, cut JSON", EHR_READ, 200, JSON, NULL, NULL, "{\"resourceType\":", "unreadable",
     "no-json", "", "", NULL},
    {"read, duplicate name", EHR_READ, 200, JSON, NULL, NULL,
     "{\"resourceType\":\"CarePlan\",\"id\":\"7\",\"id\":\"8\"}", "unreadable", "no-json", "", "",
     NULL},
    {"read, outcome instead", EHR_READ, 200, JSON, NULL, NULL, ISSUE("error", "processing", ""),
     "unreadable", "wrong-content", "", "", NULL},
    {"read, nothing", EHR_READ, 200, JSON, NULL, NULL, "", "unreadable", "wrong-content", "", "",
     NULL},
    {"read, gone", EHR_READ, 410, JSON, NULL, NULL, ISSUE("error", "deleted", ""), "absent",
     "absent", "", "", NULL},
    {"read, break the glass", EHR_READ, 403, JSON, NULL, NULL, EPIC("4130"), "refused", "policy",
     "", "", "HTTP 403: business-rule (4130); a policy of the EHR forbids it"},
    {"read, merged", EHR_READ, 400, JSON, NULL, NULL, EPIC("4107"), "refused", "merged", "", "",
     NULL},

    {"search", EHR_SEARCH, 200, JSON, NULL, NULL, SET, "done", "none", "", "", NULL},
    {"search, one resource", EHR_SEARCH, 200, JSON, NULL, NULL, PLAN_7, "unreadable",
     "wrong-content", "", "", NULL},
    {"search, nothing", EHR_SEARCH, 200, JSON, NULL, NULL, "", "unreadable", "no-json", "", "",
     NULL},
    {"search, expired", EHR_SEARCH, 400, JSON, NULL, NULL, EPIC("4113"), "again", "pages-expired",
     "", "", NULL},

    {"create", EHR_CREATE, 201, JSON, "W/\"e\"", AT_7, PLAN_7, "done", "none", "7", "e", NULL},
    {"create, empty body (Oracle)", EHR_CREATE, 201, NULL, "W/\"0\"", AT_7, "", "done", "none", "7",
     "0", NULL},
    {"create, version from Location", EHR_CREATE, 201, NULL, NULL, AT_7, "", "done", "none", "7",
     "l", NULL},
    {"create, relative Location", EHR_CREATE, 201, NULL, NULL, "CarePlan/7", "", "done", "none",
     "7", "", NULL},
    {"create, text beside a Location", EHR_CREATE, 201, "text/plain", NULL, AT_7, "Created", "done",
     "none", "7", "l", NULL},
    {"create, outcome beside a Location", EHR_CREATE, 201, JSON, NULL, AT_7,
     ISSUE("information", "informational", ""), "done", "none", "7", "l", NULL},
    {"create, an error beside 201", EHR_CREATE, 201, JSON, NULL, AT_7,
     ISSUE("error", "processing", ""), "unknown", "wrong-content", "", "", NULL},
    {"create, neither Location nor body", EHR_CREATE, 201, NULL, NULL, NULL, "", "unknown",
     "wrong-content", "", "", NULL},
    {"create, Location and body differ", EHR_CREATE, 201, JSON, NULL, AT_7, PLAN_8, "unknown",
     "wrong-content", "", "", NULL},
    {"create, found its match", EHR_CREATE, 200, JSON, "W/\"e\"", NULL, PLAN_7, "done", "none", "7",
     "e", NULL},
    {"create, login page", EHR_CREATE, 200, "text/html", NULL, NULL, HTML, "unknown", "no-json", "",
     "", NULL},
    {"create, several matches or no conditions", EHR_CREATE, 412, JSON, NULL, NULL,
     ISSUE("error", "multiple-matches", ""), "conflict", "conflict", "", "",
     "HTTP 412: multiple-matches; another version stands in the EHR, or the condition did not "
     "hold"},
    {"create, duplicate (Epic)", EHR_CREATE, 422, JSON, NULL, NULL, EPIC("59141"), "conflict",
     "conflict", "", "", NULL},
    {"create, daily limit (Epic)", EHR_CREATE, 400, JSON, NULL, NULL, EPIC("4135"), "again",
     "daily-limit", "", "", NULL},
    {"the same number of another maker", EHR_CREATE, 400, JSON, NULL, NULL,
     ISSUE("error", "invalid",
           ",\"details\":{\"coding\":[{\"system\":\"urn:x\",\"code\":\"4135\"}]}"),
     "refused", "refused", "", "", NULL},
    {"create, transient", EHR_CREATE, 422, JSON, NULL, NULL, ISSUE("error", "transient", ""),
     "again", "server-error", "", "", NULL},
    {"create, timeout in words", EHR_CREATE, 400, JSON, NULL, NULL, ISSUE("error", "timeout", ""),
     "unknown", "timeout", "", "", NULL},
    {"read, timeout in words", EHR_READ, 400, JSON, NULL, NULL, ISSUE("error", "timeout", ""),
     "again", "timeout", "", "", NULL},
    {"create, a policy beside a transient", EHR_CREATE, 400, JSON, NULL, NULL,
     ISSUE("error", "transient",
           ",\"details\":{\"coding\":[{\"system\":\"urn:oid:1.2.840.114350.1\",\"code\":\"4131\"}"
           "]}"),
     "refused", "policy", "", "", NULL},

    {"update", EHR_UPDATE, 200, JSON, "W/\"e\"", NULL, PLAN_7, "done", "none", "7", "e", NULL},
    {"update, nothing but a version", EHR_UPDATE, 204, NULL, "W/\"e\"", NULL, "", "done", "none",
     "7", "e", NULL},
    {"update, strong ETag", EHR_UPDATE, 200, NULL, "\"3\"", NULL, "", "done", "none", "7", "3",
     NULL},
    {"update, bare ETag", EHR_UPDATE, 200, NULL, "3", NULL, "", "done", "none", "7", "3", NULL},
    {"update, another resource", EHR_UPDATE, 200, JSON, NULL, NULL, PLAN_8, "unknown",
     "wrong-content", "", "", NULL},
    {"update, STU3's conflict", EHR_UPDATE, 409, JSON, NULL, NULL, ISSUE("error", "conflict", ""),
     "conflict", "conflict", "", "", NULL},
    {"a code that is a sentence is not repeated", EHR_UPDATE, 422, JSON, NULL, NULL,
     ISSUE("error", "Ana Example", ""), "refused", "refused", "", "",
     "HTTP 422: the EHR does not accept the request"},
};

static struct ehr_answer answer_to(struct arena *arena, const struct exchange_row *row)
{
    const struct ehr_request request = {
        .verb = row->verb, .type = SLICE("CarePlan"), .id = SLICE("7"), .value = SLICE("x")};
    struct ehr_request of_create = request;
    of_create.id = SLICE_NONE;
    const struct exchange exchange = {.end = EXCHANGE_ANSWERED,
                                      .status = row->status,
                                      .content_type = slice_of(row->content_type),
                                      .etag = slice_of(row->etag),
                                      .location = slice_of(row->location),
                                      .date = SLICE("Sun, 06 Nov 1994 08:49:37 GMT"),
                                      .body = slice_of(row->body)};
    struct ehr_answer answer = {.arena = arena};
    outcome_read(row->verb == EHR_CREATE ? &of_create : &request, &exchange, &answer);
    return answer;
}

static void test_each_exchange(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof exchange_rows / sizeof *exchange_rows; i++) {
        const struct exchange_row *row = &exchange_rows[i];
        struct arena *arena = arena_create(0);
        struct ehr_answer answer = answer_to(arena, row);
        print_message("# %s\n", row->what);
        assert_string_equal(ehr_outcome_name(answer.outcome), row->outcome);
        assert_string_equal(ehr_fault_name(answer.fault), row->fault);
        assert_true(slice_is(answer.id, row->id));
        assert_true(slice_is(answer.version, row->version));
        assert_true(answer.server_date == 784111777000000);
        assert_true(answer.resource == NULL || answer.outcome == EHR_DONE);
        assert_true(slice_find(answer.detail, SLICE("Ana"), 0) == SIZE_MAX);
        if (row->detail != NULL) {
            assert_string_equal(answer.detail.at, row->detail);
        }
        arena_destroy(&arena);
    }
}

static void test_created_or_there_before(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *condition;
        bool created;
    } rows[] = {{201, "x", true}, {200, "x", false}, {201, "", true}, {200, "", true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *arena = arena_create(0);
        const struct ehr_request request = {
            .verb = EHR_CREATE, .type = SLICE("CarePlan"), .value = slice_of(rows[i].condition)};
        const struct exchange exchange = {
            .end = EXCHANGE_ANSWERED, .status = rows[i].status, .body = SLICE(PLAN_7)};
        struct ehr_answer answer = {.arena = arena};
        outcome_read(&request, &exchange, &answer);
        assert_int_equal(answer.outcome, EHR_DONE);
        assert_int_equal(answer.created, rows[i].created);
        arena_destroy(&arena);
    }
}

static void test_no_answer(void **state)
{
    (void)state;
    static const struct {
        enum exchange_end end;
        enum ehr_verb verb;
        int status;
        const char *outcome;
        const char *fault;
        bool failure;
    } rows[] = {
        {EXCHANGE_NOT_SENT, EHR_READ, 0, "again", "connect", true},
        {EXCHANGE_NOT_SENT, EHR_CREATE, 0, "again", "connect", true},
        {EXCHANGE_CUT, EHR_READ, 0, "again", "connect", true},
        {EXCHANGE_CUT, EHR_SEARCH, 200, "again", "connect", true},
        {EXCHANGE_CUT, EHR_CREATE, 0, "unknown", "connect", true},
        {EXCHANGE_CUT, EHR_UPDATE, 201, "unknown", "connect", true},
        {EXCHANGE_TOO_LARGE, EHR_READ, 200, "unreadable", "too-large", false},
        {EXCHANGE_TOO_LARGE, EHR_UPDATE, 200, "unknown", "too-large", false},
        {EXCHANGE_TOO_LARGE, EHR_UPDATE, 412, "conflict", "conflict", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *arena = arena_create(0);
        const struct ehr_request request = {
            .verb = rows[i].verb, .type = SLICE("CarePlan"), .id = SLICE("7")};
        const struct exchange exchange = {
            .end = rows[i].end, .status = rows[i].status, .fault = EHR_FAULT_CONNECT};
        struct ehr_answer answer = {.arena = arena};
        outcome_read(&request, &exchange, &answer);
        assert_string_equal(ehr_outcome_name(answer.outcome), rows[i].outcome);
        assert_string_equal(ehr_fault_name(answer.fault), rows[i].fault);
        assert_int_equal(outcome_is_failure(&exchange, &answer), rows[i].failure);
        arena_destroy(&arena);
    }
}

static void test_how_long_to_wait(void **state)
{
    (void)state;
    const int64_t now = 784111777000000; /* Sun, 06 Nov 1994 08:49:37 GMT */
    static const struct {
        const char *retry_after;
        const char *rate_limit;
        uint64_t wait_ms; /* 0: it does not say */
    } rows[] = {
        {"24", NULL, 24000},
        {"0", NULL, 1000},
        {"Sun, 06 Nov 1994 08:50:37 GMT", NULL, 60000},
        {"Sat, 05 Nov 1994 08:49:37 GMT", NULL, 1000},
        {"99999999999999999999", NULL, 900000},
        {"1000000000", NULL, 900000},
        {NULL, NULL, 0},
        {"-5", NULL, 0},
        {"soon", NULL, 0},
        {NULL, "\"fhirInteractions\";r=0;t=24", 24000},
        {NULL, "\"fhirInteractions\";r=17;t=24", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct exchange exchange = {.retry_after = slice_of(rows[i].retry_after),
                                          .rate_limit = slice_of(rows[i].rate_limit)};
        uint64_t wait_ms = 0;
        enum status status = outcome_wait(&exchange, now, 1000, 900000, &wait_ms);
        assert_int_equal(status, rows[i].wait_ms != 0 ? STATUS_OK : STATUS_ABSENT);
        assert_int_equal(wait_ms, rows[i].wait_ms);
    }
}

static int setup(void **state)
{
    (void)state;
    json_library_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_status),
        cmocka_unit_test(test_each_exchange),
        cmocka_unit_test(test_created_or_there_before),
        cmocka_unit_test(test_no_answer),
        cmocka_unit_test(test_how_long_to_wait),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
