// label: threaded
// packages: eplan::ssl eplan::crypto
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <semaphore.h>
#include <signal.h>

#include "gateway/base/failpoint.h"
#include "gateway/http/client_job.h"
#include "raw_server.h"

struct world {
    struct certs *certs;
    struct arena *arena;
    struct diag_list diags;
    struct raw_server *server;
    struct http_client *client;
    struct http_site *site;
};

struct call {
    sem_t ended;
    struct http_result *result;
};

static void on_done(void *arg, struct http_result *result)
{
    struct call *call = arg;
    call->result = result;
    sem_post(&call->ended);
}

static struct http_site *make_site(struct world *world, uint16_t port,
                                   struct http_site_config config)
{
    char base[64];
    struct http_site *site = NULL;
    snprintf(base, sizeof base, "https://127.0.0.1:%u/fhir", port);
    config.base = slice_of(base);
    config.tls.ca_file = cert_path(world->certs, "ca.pem");
    config.connect_ms = 5000;
    config.max_in_flight = config.max_in_flight != 0 ? config.max_in_flight : 8;
    assert_int_equal(http_site_create(world->client, &config, &world->diags, &site), STATUS_OK);
    return site;
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    world->certs = certs_create();
    world->arena = arena_create(0);
    diag_init(&world->diags, world->arena, 20);
    world->server = raw_start(world->certs, "server", false);
    assert_int_equal(http_client_create(&(struct http_client_config){.clock = &clock_system,
                                                                     .max_items = 500,
                                                                     .max_bytes = 1000000},
                                        &world->client),
                     STATUS_OK);
    world->site = make_site(world, world->server->port, (struct http_site_config){0});
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    http_site_destroy(&world->site);
    http_client_destroy(&world->client);
    raw_stop(world->server);
    arena_destroy(&world->arena);
    certs_destroy(world->certs);
    free(world);
    return 0;
}

static enum status begin_at(struct world *world, struct http_site *site, struct call *call,
                            uint16_t port, struct http_request request, uint64_t *id)
{
    char url[128];
    snprintf(url, sizeof url, "https://127.0.0.1:%u%.*s", port, SLICE_ARGS(request.url));
    request.url = slice_of(url);
    request.deadline_ms = request.deadline_ms != 0 ? request.deadline_ms : 10000;
    request.max_reply = request.max_reply != 0 ? request.max_reply : 1000000;
    sem_init(&call->ended, 0, 0);
    call->result = NULL;
    return http_client_send(world->client, site, &request, on_done, call, id);
}

static struct http_result *wait_for(struct call *call)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 20;
    while (sem_timedwait(&call->ended, &end) != 0) {
        if (errno != EINTR) {
            fputs("waited too long\n", stderr);
            abort();
        }
    }
    sem_destroy(&call->ended);
    return call->result;
}

static struct http_result *call(struct world *world, struct http_request request)
{
    struct call one;
    assert_int_equal(begin_at(world, world->site, &one, world->server->port, request, NULL),
                     STATUS_OK);
    return wait_for(&one);
}

static struct http_result *get(struct world *world, const char *path)
{
    return call(world, (struct http_request){.method = HTTP_GET, .url = slice_of(path)});
}

static struct http_result *post(struct world *world, const char *path)
{
    return call(world, (struct http_request){
                           .method = HTTP_POST, .url = slice_of(path), .body = SLICE("{\"a\":1}")});
}

/* Checks how it ended, and lets it go. */
static void ended(struct http_result *result, enum http_outcome outcome, enum http_error error,
                  int status)
{
    if (result->outcome != outcome || result->error != error || result->status != status) {
        fail_msg("%s %s %d: %.*s", http_outcome_name(result->outcome),
                 http_error_name(result->error), result->status, SLICE_ARGS(result->detail));
    }
    http_result_destroy(result);
}

static bool header_is(const struct http_result *result, enum reply_header which, const char *text)
{
    return result->header[which].at != NULL && slice_is(result->header[which], text);
}

static void test_get(void **state)
{
    struct world *world = *state;
    const struct http_header headers[] = {{SLICE("Accept"), SLICE("application/fhir+json")},
                                          {SLICE("X-Empty"), SLICE("")}};
    struct http_result *result =
        call(world, (struct http_request){.method = HTTP_GET,
                                          .url = SLICE("/ok?_lastUpdated=ge2026&x=%7C"),
                                          .headers = headers,
                                          .header_count = 2});
    assert_int_equal(result->status, 404); /* the raw server knows paths without query only */
    assert_non_null(strstr(world->server->last, "GET /ok?_lastUpdated=ge2026&x=%7C HTTP/1.1\r\n"));
    assert_non_null(strstr(world->server->last, "\r\nAccept: application/fhir+json\r\n"));
    assert_non_null(strstr(world->server->last, "\r\nX-Empty:\r\n"));
    assert_non_null(strstr(world->server->last, "\r\nUser-Agent: eplan/"));
    http_result_destroy(result);
    result = get(world, "/ok");
    assert_true(slice_is(result->body, "ok"));
    assert_true(header_is(result, REPLY_ETAG, "W/\"3\""));
    assert_null(result->header[REPLY_RETRY_AFTER].at);
    assert_true(result->duration_us > 0);
    assert_true(result->ended_utc_us > 0);
    ended(result, HTTP_DONE, HTTP_ERROR_NONE, 200);
}

static void test_methods(void **state)
{
    struct world *world = *state;
    static const struct {
        enum http_method method;
        const char *body;
        const char *path;
        const char *line;
    } rows[] = {
        {HTTP_POST, "12345", "/ok", "POST /ok"},     {HTTP_PUT, "12345", "/ok", "PUT /ok"},
        {HTTP_PATCH, "12345", "/ok", "PATCH /ok"},   {HTTP_DELETE, "", "/ok", "DELETE /ok"},
        {HTTP_DELETE, "12345", "/ok", "DELETE /ok"}, {HTTP_OPTIONS, "", "/ok", "OPTIONS /ok"},
        {HTTP_POST, "", "/ok", "POST /ok"},          {HTTP_PUT, "", "/ok", "PUT /ok"},
        {HTTP_HEAD, "", "/head", "HEAD /head"},      {HTTP_GET, "", "/ok", "GET /ok"},
        {HTTP_GET, "", "/204", "GET /204"},
    };
    const struct http_header type = {SLICE("Content-Type"), SLICE("application/fhir+json")};
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_result *result =
            call(world, (struct http_request){.method = rows[i].method,
                                              .url = slice_of(rows[i].path),
                                              .headers = &type,
                                              .header_count = rows[i].body[0] != '\0',
                                              .body = slice_of(rows[i].body)});
        struct raw_note note = raw_note(world->server, i);
        assert_string_equal(note.line, rows[i].line);
        assert_int_equal(note.body, strlen(rows[i].body));
        assert_null(strcasestr(world->server->last, "Expect:"));
        assert_null(strcasestr(world->server->last, "urlencoded"));
        assert_null(strcasestr(world->server->last, "Transfer-Encoding"));
        if (rows[i].body[0] != '\0') {
            assert_non_null(strstr(world->server->last, "\r\n\r\n12345"));
            assert_non_null(strstr(world->server->last, "Content-Type: application/fhir+json\r\n"));
        }
        ended(result, HTTP_DONE, HTTP_ERROR_NONE, strcmp(rows[i].path, "/204") == 0 ? 204 : 200);
    }
}

static void test_headers_of_the_reply(void **state)
{
    struct world *world = *state;
    struct http_result *result = post(world, "/created");
    assert_true(header_is(result, REPLY_LOCATION, "/CarePlan/7/_history/1"));
    assert_true(header_is(result, REPLY_ETAG, "W/\"1\""));
    assert_true(header_is(result, REPLY_DATE, "Sun, 06 Nov 1994 08:49:37 GMT"));
    ended(result, HTTP_DONE, HTTP_ERROR_NONE, 201);
    result = get(world, "/429");
    assert_true(header_is(result, REPLY_RETRY_AFTER, "-5"));
    assert_true(header_is(result, REPLY_X_RATELIMIT_REMAINING, "0"));
    assert_true(header_is(result, REPLY_RATELIMIT, "limit=10, remaining=0, reset=30"));
    ended(result, HTTP_DONE, HTTP_ERROR_NONE, 429);
    result = get(world, "/hints"); /* those of the final reply only */
    assert_null(result->header[REPLY_ETAG].at);
    ended(result, HTTP_DONE, HTTP_ERROR_NONE, 200);
}

/* Connections are kept, so the next test means something. */
static void test_keep_alive(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < 5; i++) {
        ended(post(world, "/ok"), HTTP_DONE, HTTP_ERROR_NONE, 200);
    }
    assert_int_equal(atomic_load(&world->server->connections), 1);
}

/* The server acts on a write and hangs up: it got it once, and we know that we do not know. */
static void test_commit_and_hang_up(void **state)
{
    struct world *world = *state;
    static const struct {
        enum http_method method;
        const char *body;
        const char *line;
    } rows[] = {
        {HTTP_POST, "{}", "POST /hang-up"},   {HTTP_POST, "", "POST /hang-up"},
        {HTTP_PUT, "{}", "PUT /hang-up"},     {HTTP_PATCH, "{}", "PATCH /hang-up"},
        {HTTP_DELETE, "", "DELETE /hang-up"}, {HTTP_DELETE, "{}", "DELETE /hang-up"},
    };
    unsigned seen = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int reused = 0; reused <= 1; reused++) {
            unsigned before = raw_count(world->server, rows[i].line);
            if (reused) {
                ended(post(world, "/ok"), HTTP_DONE, HTTP_ERROR_NONE, 200);
                seen++;
            } else { /* a client that has no connection yet */
                http_site_destroy(&world->site);
                http_client_destroy(&world->client);
                http_client_create(&(struct http_client_config){.clock = &clock_system,
                                                                .max_items = 500,
                                                                .max_bytes = 1000000},
                                   &world->client);
                world->site = make_site(world, world->server->port, (struct http_site_config){0});
            }
            ended(call(world, (struct http_request){.method = rows[i].method,
                                                    .url = SLICE("/hang-up"),
                                                    .body = slice_of(rows[i].body)}),
                  HTTP_UNKNOWN, HTTP_ERROR_CONNECTION, 0);
            seen++;
            assert_int_equal(raw_count(world->server, rows[i].line), before + 1);
            if (reused && rows[i].body[0] != '\0') { /* it was the kept connection indeed */
                assert_int_equal(raw_note(world->server, seen - 1).connection,
                                 raw_note(world->server, seen - 2).connection);
            }
        }
    }
}

/* The same with RST instead of FIN. */
static void test_reset(void **state)
{
    struct world *world = *state;
    ended(post(world, "/rst"), HTTP_UNKNOWN, HTTP_ERROR_CONNECTION, 0);
    ended(post(world, "/ok"), HTTP_DONE, HTTP_ERROR_NONE, 200);
    ended(post(world, "/rst"), HTTP_UNKNOWN, HTTP_ERROR_CONNECTION, 0);
    assert_int_equal(raw_count(world->server, "POST /rst"), 2);
}

static void test_redirects_are_not_followed(void **state)
{
    struct world *world = *state;
    struct http_result *result = post(world, "/302");
    assert_true(header_is(result, REPLY_LOCATION, "/elsewhere"));
    ended(result, HTTP_DONE, HTTP_ERROR_NONE, 302);
    ended(post(world, "/307"), HTTP_DONE, HTTP_ERROR_NONE, 307);
    ended(get(world, "/302"), HTTP_DONE, HTTP_ERROR_NONE, 302);
    assert_int_equal(world->server->note_count, 3);
}

static void test_broken_replies(void **state)
{
    struct world *world = *state;
    struct http_result *result = post(world, "/partial");
    assert_true(slice_is(result->body, "ten bytes."));
    ended(result, HTTP_UNKNOWN, HTTP_ERROR_CONNECTION, 200); /* the status came, the body not */
    ended(post(world, "/cut-chunks"), HTTP_UNKNOWN, HTTP_ERROR_CONNECTION, 200);
    ended(post(world, "/nonsense"), HTTP_UNKNOWN, HTTP_ERROR_PROTOCOL, 0);
    ended(post(world, "/bad-gzip"), HTTP_UNKNOWN, HTTP_ERROR_PROTOCOL, 200);
    ended(get(world, "/long-head"), HTTP_UNKNOWN, HTTP_ERROR_TOO_LARGE, 200);
}

/* Neither chunks nor gzip get past the ceiling. */
static void test_bombs(void **state)
{
    struct world *world = *state;
    FILE *gzip = popen("head -c 50000000 /dev/zero | gzip -9", "r");
    world->server->gzip_len = fread(world->server->gzip, 1, sizeof world->server->gzip, gzip);
    assert_int_equal(pclose(gzip), 0);
    static const char *const paths[] = {"/chunks", "/gzip-bomb"};
    for (size_t i = 0; i < 2; i++) {
        struct http_result *result =
            call(world, (struct http_request){
                            .method = HTTP_GET, .url = slice_of(paths[i]), .max_reply = 100000});
        assert_true(result->body.len <= 100000);
        ended(result, HTTP_UNKNOWN, HTTP_ERROR_TOO_LARGE, 200);
    }
    struct http_result *result =
        call(world, (struct http_request){
                        .method = HTTP_GET, .url = SLICE("/gzip-bomb"), .max_reply = 60000000});
    assert_int_equal(result->body.len, 50000000);
    ended(result, HTTP_DONE, HTTP_ERROR_NONE, 200);
}

static void test_deadline(void **state)
{
    struct world *world = *state;
    for (int writes = 0; writes <= 1; writes++) {
        int64_t start = clock_monotonic(&clock_system);
        ended(call(world, (struct http_request){.method = writes ? HTTP_POST : HTTP_GET,
                                                .url = SLICE("/hang"),
                                                .body = slice_of(writes ? "{}" : ""),
                                                .deadline_ms = 300}),
              HTTP_UNKNOWN, HTTP_ERROR_TIMEOUT, 0);
        int64_t took_ms = (clock_monotonic(&clock_system) - start) / 1000;
        assert_in_range(took_ms, 290, 8000);
    }
}

/* What never left us may be sent again. */
static void test_not_sent(void **state)
{
    struct world *world = *state;
    struct call one;
    struct http_request request = {.method = HTTP_POST, .url = SLICE("/ok"), .body = SLICE("{}")};
    /* Nobody listens: a port that was ours a moment ago. */
    struct raw_server *gone = raw_start(world->certs, "server", false);
    uint16_t port = gone->port;
    raw_stop(gone);
    struct http_site *site = make_site(world, port, (struct http_site_config){0});
    begin_at(world, site, &one, port, request, NULL);
    ended(wait_for(&one), HTTP_NOT_SENT, HTTP_ERROR_CONNECT, 0);
    http_site_destroy(&site);
    /* A certificate of an authority that is not ours. */
    struct raw_server *rogue = raw_start(world->certs, "rogue-server", false);
    site = make_site(world, rogue->port, (struct http_site_config){0});
    begin_at(world, site, &one, rogue->port, request, NULL);
    struct http_result *result = wait_for(&one);
    assert_non_null(strstr(result->detail.at, "certificate"));
    ended(result, HTTP_NOT_SENT, HTTP_ERROR_CERTIFICATE, 0);
    assert_int_equal(rogue->note_count, 0);
    http_site_destroy(&site);
    raw_stop(rogue);
}

static void test_name_without_address(void **state)
{
    struct world *world = *state;
    struct call one;
    struct http_site *site = NULL;
    struct http_site_config config = {
        .base = SLICE("https://ehr.invalid/fhir"), .connect_ms = 5000, .max_in_flight = 1};
    assert_int_equal(http_site_create(world->client, &config, &world->diags, &site), STATUS_OK);
    struct http_request request = {.method = HTTP_POST,
                                   .url = SLICE("https://EHR.invalid:443/fhir/Patient"),
                                   .body = SLICE("{}"),
                                   .deadline_ms = 10000,
                                   .max_reply = 1000};
    sem_init(&one.ended, 0, 0);
    assert_int_equal(http_client_send(world->client, site, &request, on_done, &one, NULL),
                     STATUS_OK);
    ended(wait_for(&one), HTTP_NOT_SENT, HTTP_ERROR_RESOLVE, 0);
    http_site_destroy(&site);
}

static bool not_loopback(void *arg, const char *address)
{
    atomic_fetch_add((_Atomic unsigned *)arg, 1);
    return strncmp(address, "127.", 4) != 0;
}

static void test_address_filter(void **state)
{
    struct world *world = *state;
    struct call one;
    _Atomic unsigned asked = 0;
    struct http_site *site = make_site(
        world, world->server->port,
        (struct http_site_config){.address_allowed = not_loopback, .address_arg = (void *)&asked});
    begin_at(world, site, &one, world->server->port,
             (struct http_request){
                 .method = HTTP_POST, .url = SLICE("/ok"), .body = SLICE("{\"secret\":1}")},
             NULL);
    ended(wait_for(&one), HTTP_NOT_SENT, HTTP_ERROR_ADDRESS, 0);
    assert_int_equal(atomic_load(&asked), 1);
    assert_int_equal(world->server->note_count, 0);
    http_site_destroy(&site);
}

static void test_client_certificate(void **state)
{
    struct world *world = *state;
    struct call one;
    struct raw_server *strict = raw_start(world->certs, "server", true);
    struct http_request request = {.method = HTTP_POST, .url = SLICE("/ok"), .body = SLICE("{}")};
    struct http_site *site = make_site(
        world, strict->port,
        (struct http_site_config){.tls = {.cert_file = cert_path(world->certs, "client.pem"),
                                          .key_file = cert_path(world->certs, "client.key")}});
    begin_at(world, site, &one, strict->port, request, NULL);
    ended(wait_for(&one), HTTP_DONE, HTTP_ERROR_NONE, 200);
    http_site_destroy(&site);
    site = make_site(world, strict->port, (struct http_site_config){0});
    begin_at(world, site, &one, strict->port, request, NULL);
    struct http_result *result = wait_for(&one);
    assert_int_not_equal(result->outcome, HTTP_DONE);
    http_result_destroy(result);
    assert_int_equal(strict->note_count, 1);
    http_site_destroy(&site);
    raw_stop(strict);
}

static void test_refused_before_sending(void **state)
{
    struct world *world = *state;
    char url[128];
    snprintf(url, sizeof url, "https://user:pw@127.0.0.1:%u/ok", world->server->port);
    const struct http_header good = {SLICE("Authorization"), SLICE("Bearer t0ken")};
    const struct http_header bad[] = {
        {SLICE("A"), SLICE("b\r\nX-Injected: 1")},
        {SLICE("A: b"), SLICE("c")},
        {SLICE(""), SLICE("c")},
        {{"A", 1}, {"b\0c", 3}},
    };
    const char *const foreign[] = {"https://example.org/ok",
                                   "https://127.0.0.1/ok",
                                   "http://127.0.0.1:1/ok",
                                   "file:///etc/passwd",
                                   "ok",
                                   url};
    struct call one;
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        struct http_request request = {.method = HTTP_GET,
                                       .url = slice_of(foreign[i]),
                                       .headers = &good,
                                       .header_count = 1,
                                       .deadline_ms = 1000,
                                       .max_reply = 1000};
        assert_int_equal(
            http_client_send(world->client, world->site, &request, on_done, &one, NULL),
            STATUS_REFUSED);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct http_request request = {
            .method = HTTP_GET, .url = SLICE("/ok"), .headers = &bad[i], .header_count = 1};
        assert_int_equal(begin_at(world, world->site, &one, world->server->port, request, NULL),
                         STATUS_INVALID);
        sem_destroy(&one.ended);
    }
    struct http_request request = {.method = HTTP_GET, .url = SLICE("/o k")};
    assert_int_equal(begin_at(world, world->site, &one, world->server->port, request, NULL),
                     STATUS_INVALID);
    sem_destroy(&one.ended);
    assert_int_equal(world->server->note_count, 0);
    assert_int_equal(http_client_load(world->client).items, 0);
}

static void test_bad_sites(void **state)
{
    struct world *world = *state;
    static const char *const bases[] = {"http://ehr.example/fhir", "ehr.example", "",
                                        "https://me@ehr.example/", "https://"};
    struct http_site *site = NULL;
    struct buf buf;
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        struct http_site_config config = {.base = slice_of(bases[i])};
        assert_int_equal(http_site_create(world->client, &config, &world->diags, &site),
                         STATUS_INVALID);
    }
    struct http_site_config config = {.base = SLICE("https://ehr.example/"),
                                      .tls = {.ca_file = "/nonexistent/ca.pem"}};
    assert_int_equal(http_site_create(world->client, &config, &world->diags, &site), STATUS_IO);
    assert_null(site);
    assert_int_equal(world->diags.errors, 6);
    buf_init(&buf, world->arena, 4096);
    diag_render(world->diags.first, &buf);
    assert_string_equal(buf.at,
                        "error: \"http://ehr.example/fhir\" is not the URL of an https server "
                        "[site-url]\n"
                        "  hint: write it as https://host/path, without user and password\n");
}

static void wait_until_flying(struct world *world, size_t count)
{
    for (int i = 0; http_client_load(world->client).in_flight < count; i++) {
        assert_true(i < 10000);
        usleep(1000);
    }
}

static void test_cancel(void **state)
{
    struct world *world = *state;
    struct call flying;
    struct call waiting;
    uint64_t ids[2] = {0, 0};
    struct http_request request = {.method = HTTP_POST, .url = SLICE("/hang"), .body = SLICE("{}")};
    struct http_site *site =
        make_site(world, world->server->port, (struct http_site_config){.max_in_flight = 1});
    begin_at(world, site, &flying, world->server->port, request, &ids[0]);
    while (raw_count(world->server, "POST /hang") == 0) {
        usleep(1000);
    }
    begin_at(world, site, &waiting, world->server->port, request, &ids[1]);
    http_client_cancel(world->client, 12345);
    http_client_cancel(world->client, ids[1]);
    ended(wait_for(&waiting), HTTP_NOT_SENT, HTTP_ERROR_CANCELLED, 0);
    http_client_cancel(world->client, ids[0]);
    ended(wait_for(&flying), HTTP_UNKNOWN, HTTP_ERROR_CANCELLED, 0);
    assert_int_equal(raw_count(world->server, "POST /hang"), 1);
    http_site_destroy(&site);
}

static void test_ceilings_of_the_queue(void **state)
{
    struct world *world = *state;
    struct http_client *small = NULL;
    struct call calls[4];
    struct call extra;
    struct http_request request = {.method = HTTP_GET, .url = SLICE("/hang")};
    http_site_destroy(&world->site);
    http_client_destroy(&world->client);
    http_client_create(
        &(struct http_client_config){.clock = &clock_system, .max_items = 4, .max_bytes = 100},
        &small);
    world->client = small;
    world->site = make_site(world, world->server->port, (struct http_site_config){0});
    for (int i = 0; i < 4; i++) {
        assert_int_equal(
            begin_at(world, world->site, &calls[i], world->server->port, request, NULL), STATUS_OK);
    }
    assert_int_equal(begin_at(world, world->site, &extra, world->server->port, request, NULL),
                     STATUS_AGAIN);
    sem_destroy(&extra.ended);
    assert_int_equal(http_client_drain(world->client, 50), STATUS_AGAIN);
    for (int i = 0; i < 4; i++) {
        http_result_destroy(wait_for(&calls[i]));
    }
    assert_int_equal(begin_at(world, world->site, &extra, world->server->port, request, NULL),
                     STATUS_REFUSED);
    sem_destroy(&extra.ended);
    http_site_destroy(&world->site);
    http_client_destroy(&world->client);
    http_client_create(
        &(struct http_client_config){.clock = &clock_system, .max_items = 4, .max_bytes = 100},
        &world->client);
    world->site = make_site(world, world->server->port, (struct http_site_config){0});
    char body[80] = {0};
    request = (struct http_request){
        .method = HTTP_POST, .url = SLICE("/slow"), .body = slice_from(body, sizeof body)};
    assert_int_equal(begin_at(world, world->site, &calls[0], world->server->port, request, NULL),
                     STATUS_OK);
    assert_int_equal(begin_at(world, world->site, &extra, world->server->port, request, NULL),
                     STATUS_AGAIN);
    sem_destroy(&extra.ended);
    assert_int_equal(http_client_drain(world->client, 10000), STATUS_OK);
    ended(wait_for(&calls[0]), HTTP_DONE, HTTP_ERROR_NONE, 200);
}

/* At most so many at a time; the others wait in order; a site that hangs holds up no other. */
static void test_in_flight_per_site(void **state)
{
    struct world *world = *state;
    struct call hanging;
    struct call late;
    struct call calls[12];
    struct http_site *other =
        make_site(world, world->server->port, (struct http_site_config){.max_in_flight = 1});
    struct http_site *three =
        make_site(world, world->server->port, (struct http_site_config){.max_in_flight = 3});
    struct http_request hang = {.method = HTTP_GET, .url = SLICE("/hang"), .deadline_ms = 1500};
    struct http_request slow = {.method = HTTP_GET, .url = SLICE("/slow")};
    begin_at(world, other, &hanging, world->server->port, hang, NULL);
    wait_until_flying(world, 1);
    hang.deadline_ms = 200; /* over before its turn comes */
    begin_at(world, other, &late, world->server->port, hang, NULL);
    for (int i = 0; i < 12; i++) {
        begin_at(world, three, &calls[i], world->server->port, slow, NULL);
    }
    for (int i = 0; i < 12; i++) {
        ended(wait_for(&calls[i]), HTTP_DONE, HTTP_ERROR_NONE, 200);
    }
    assert_int_equal(atomic_load(&world->server->most), 4); /* three and the one that hangs */
    ended(wait_for(&late), HTTP_NOT_SENT, HTTP_ERROR_TIMEOUT, 0);
    ended(wait_for(&hanging), HTTP_UNKNOWN, HTTP_ERROR_TIMEOUT, 0);
    http_site_destroy(&other);
    http_site_destroy(&three);
}

/* A site may go while its requests are under way, as when a configuration is replaced. */
static void test_site_goes_first(void **state)
{
    struct world *world = *state;
    struct call calls[6];
    struct http_site *site =
        make_site(world, world->server->port, (struct http_site_config){.max_in_flight = 2});
    struct http_request slow = {.method = HTTP_GET, .url = SLICE("/slow")};
    for (int i = 0; i < 6; i++) {
        begin_at(world, site, &calls[i], world->server->port, slow, NULL);
    }
    http_site_destroy(&site);
    for (int i = 0; i < 6; i++) {
        ended(wait_for(&calls[i]), HTTP_DONE, HTTP_ERROR_NONE, 200);
    }
}

/* New connections resume the TLS session of the handle that they are made with. */
static void test_tls_resumption(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < 4; i++) {
        ended(get(world, "/close"), HTTP_DONE, HTTP_ERROR_NONE, 200);
    }
    assert_int_equal(atomic_load(&world->server->connections), 4);
    assert_int_equal(atomic_load(&world->server->resumed), 3);
}

static void test_environment_has_no_say(void **state)
{
    struct world *world = *state;
    setenv("https_proxy", "http://127.0.0.1:1/", 1);
    setenv("ALL_PROXY", "socks5://127.0.0.1:1/", 1);
    ended(get(world, "/ok"), HTTP_DONE, HTTP_ERROR_NONE, 200);
    unsetenv("https_proxy");
    unsetenv("ALL_PROXY");
}

static void test_seams(void **state)
{
#ifdef EPLAN_SEAMS
    struct world *world = *state;
    struct call one;
    char to[64];
    struct http_site *site = NULL;
    snprintf(to, sizeof to, "localhost:443:127.0.0.1:%u", world->server->port);
    struct http_site_config config = {.base = SLICE("https://localhost/fhir"),
                                      .tls = {.ca_file = cert_path(world->certs, "ca.pem")},
                                      .connect_ms = 5000,
                                      .max_in_flight = 1,
                                      .connect_to = to};
    assert_int_equal(http_site_create(world->client, &config, &world->diags, &site), STATUS_OK);
    struct http_request request = {.method = HTTP_POST,
                                   .url = SLICE("https://localhost/ok"),
                                   .body = SLICE("{}"),
                                   .deadline_ms = 10000,
                                   .max_reply = 1000};
    sem_init(&one.ended, 0, 0);
    http_client_send(world->client, site, &request, on_done, &one, NULL);
    ended(wait_for(&one), HTTP_DONE, HTTP_ERROR_NONE, 200);
    http_site_destroy(&site);
    assert_true(failpoint_plan(SLICE("client.before-send=fail@1;client.after-send=fail@1")));
    ended(post(world, "/created"), HTTP_NOT_SENT, HTTP_ERROR_LOCAL, 0);
    assert_int_equal(raw_count(world->server, "POST /created"), 0);
    ended(post(world, "/created"), HTTP_UNKNOWN, HTTP_ERROR_CONNECTION, 0);
    assert_int_equal(raw_count(world->server, "POST /created"), 1);
    assert_true(failpoint_plan(SLICE("")));
#else
    (void)state;
    skip();
#endif
}

enum { SENDERS = 4, EACH = 100 };

struct tally {
    struct world *world;
    _Atomic unsigned ended;
    _Atomic unsigned good;
};

static void on_tally(void *arg, struct http_result *result)
{
    struct tally *tally = arg;
    atomic_fetch_add(&tally->good, result->status == 200 || result->status == 201);
    atomic_fetch_add(&tally->ended, 1);
    http_result_destroy(result);
}

static void *send_many(void *arg)
{
    struct tally *tally = arg;
    struct world *world = tally->world;
    char url[64];
    for (int i = 0; i < EACH;) {
        snprintf(url, sizeof url, "https://127.0.0.1:%u%s", world->server->port,
                 i % 2 != 0 ? "/ok" : "/created");
        struct http_request request = {.method = i % 2 != 0 ? HTTP_GET : HTTP_POST,
                                       .url = slice_of(url),
                                       .body = slice_of(i % 2 != 0 ? "" : "{\"a\":1}"),
                                       .deadline_ms = 20000,
                                       .max_reply = 1000};
        enum status status =
            http_client_send(world->client, world->site, &request, on_tally, tally, NULL);
        if (status == STATUS_OK) {
            i++;
        } else if (status != STATUS_AGAIN) {
            break;
        }
    }
    return NULL;
}

static void test_threads(void **state)
{
    struct world *world = *state;
    struct tally tally = {.world = world};
    pthread_t threads[SENDERS];
    for (size_t i = 0; i < SENDERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, send_many, &tally), 0);
    }
    for (size_t i = 0; i < SENDERS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(http_client_drain(world->client, 20000), STATUS_OK);
    assert_int_equal(atomic_load(&tally.ended), SENDERS * EACH);
    assert_int_equal(atomic_load(&tally.good), SENDERS * EACH);
    assert_int_equal(raw_count(world->server, "POST /created"), SENDERS * EACH / 2);
    assert_int_equal(http_client_load(world->client).bytes, 0);
}

/* The rule itself. */
static void test_outcomes(void **state)
{
    (void)state;
    static const struct {
        bool failed;
        size_t body;
        size_t given;
        size_t head;
        enum http_outcome outcome;
    } rows[] = {
        {false, 0, 0, 50, HTTP_DONE},   {false, 9, 9, 50, HTTP_DONE},
        {true, 0, 0, 0, HTTP_NOT_SENT}, {true, 0, 0, 1, HTTP_UNKNOWN},
        {true, 9, 0, 0, HTTP_NOT_SENT}, {true, 9, 0, 50, HTTP_NOT_SENT},
        {true, 9, 1, 50, HTTP_UNKNOWN}, {true, 9, 9, 0, HTTP_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(outcome_of(rows[i].failed, rows[i].body, rows[i].given, rows[i].head),
                         rows[i].outcome);
    }
    for (int i = 0; i < HTTP_ERRORS; i++) {
        assert_true(http_error_name((enum http_error)i)[0] != '\0');
        assert_true(i == HTTP_ERROR_NONE || http_error_advice((enum http_error)i)[0] != '\0');
    }
    assert_string_equal(http_outcome_name(HTTP_NOT_SENT), "not-sent");
}

int main(void)
{
    if (http_client_library_init() != STATUS_OK) {
        return 1;
    }
    signal(SIGPIPE, SIG_IGN);
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH(test_get),
        WITH(test_methods),
        WITH(test_headers_of_the_reply),
        WITH(test_keep_alive),
        WITH(test_commit_and_hang_up),
        WITH(test_reset),
        WITH(test_redirects_are_not_followed),
        WITH(test_broken_replies),
        WITH(test_bombs),
        WITH(test_deadline),
        WITH(test_not_sent),
        WITH(test_name_without_address),
        WITH(test_address_filter),
        WITH(test_client_certificate),
        WITH(test_refused_before_sending),
        WITH(test_bad_sites),
        WITH(test_cancel),
        WITH(test_ceilings_of_the_queue),
        WITH(test_in_flight_per_site),
        WITH(test_site_goes_first),
        WITH(test_tls_resumption),
        WITH(test_environment_has_no_say),
        WITH(test_seams),
        WITH(test_threads),
        cmocka_unit_test(test_outcomes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
