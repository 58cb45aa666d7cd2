// label: threaded
// packages: eplan::ssl eplan::crypto
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/failpoint.h"
#include "server_world.h"

static int set_up(void **state)
{
    *state = world_create(SERVER_LIMITS_DEFAULT, TLS_CLIENTS_NONE);
    return 0;
}

static int tear_down(void **state)
{
    world_destroy(*state);
    return 0;
}

static void test_everything_is_handed_over(void **state)
{
    struct world *world = *state;
    struct client client;
    char text[4096];
    assert_true(client_open(world, &client));
    client_send(&client, SLICE("PUT /keep/Observation/1?a=b&c=%20?d HTTP/1.1\r\nHost: x\r\n"
                               "content-type: application/fhir+json\r\nX-Secret:  s \r\n"
                               "Content-Length: 5\r\n\r\n{\"a\"}"));
    wait_kept(world, 1);
    struct server_request *request = world->kept[0];
    assert_int_equal(request->method, HTTP_PUT);
    assert_true(slice_is(request->path, "/keep/Observation/1"));
    assert_true(slice_is(request->query, "a=b&c=%20?d"));
    assert_true(slice_is(request->body, "{\"a\"}"));
    assert_true(slice_is(request->remote, "127.0.0.1"));
    assert_null(request->peer);
    assert_true(
        slice_is(server_request_header(request, SLICE("Content-Type")), "application/fhir+json"));
    assert_true(slice_is(server_request_header(request, SLICE("x-secret")), "s"));
    assert_null(server_request_header(request, SLICE("absent")).at);
    assert_int_equal(request->header_count, 4);
    answer(world->server, request->id, 202, SLICE("later"));
    assert_int_equal(client_reply(&client, text, sizeof text), 202);
    assert_non_null(strstr(text, "\r\nContent-Type: text/plain\r\n"));
    assert_non_null(strstr(text, "\r\nX-Test: yes\r\n"));
    assert_string_equal(text + strlen(text) - 9, "\r\n\r\nlater");
    client_drop(&client);
}

/* Keep-alive: many requests on one connection; an empty reply has no Content-Type. */
static void test_keep_alive(void **state)
{
    struct world *world = *state;
    struct client client;
    char text[4096];
    assert_true(client_open(world, &client));
    for (int i = 0; i < 50; i++) {
        client_send(&client, SLICE("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert_int_equal(client_reply(&client, text, sizeof text), 200);
        assert_null(strstr(text, "Content-Type"));
        assert_non_null(strstr(text, "Content-Length: 0\r\n"));
    }
    client_drop(&client);
    assert_int_equal(load_of(world).accepted, 1);
    assert_int_equal(load_of(world).requests, 50);
}

static void test_pipelined(void **state)
{
    struct world *world = *state;
    struct client client;
    char text[4096];
    assert_true(client_open(world, &client));
    client_send(&client, SLICE("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\none"
                               "POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "2\r\ntw\r\n1\r\no\r\n0\r\n\r\n"
                               "POST /c HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nthree"));
    size_t len = 0;
    while (strstr(text, "three") == NULL || len == 0) {
        int n = client_read(&client, text + len, (int)(sizeof text - len));
        assert_true(n > 0);
        len += (size_t)n;
    }
    const char *one = strstr(text, "\r\n\r\none");
    const char *two = strstr(text, "\r\n\r\ntwo");
    const char *three = strstr(text, "\r\n\r\nthree");
    assert_true(one != NULL && two > one && three > two);
    client_drop(&client);
}

static void test_expect_continue(void **state)
{
    struct world *world = *state;
    struct client client;
    char text[4096];
    assert_true(client_open(world, &client));
    client_send(&client, SLICE("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                               "Content-Length: 3\r\n\r\n"));
    assert_int_equal(client_reply(&client, text, sizeof text), 100);
    client_send(&client, SLICE("abc"));
    assert_int_equal(client_reply(&client, text, sizeof text), 200);
    client_drop(&client);
}

static void test_head_and_options(void **state)
{
    struct world *world = *state;
    struct client client;
    char text[4096];
    assert_true(client_open(world, &client));
    client_send(&client, SLICE("HEAD /keep HTTP/1.1\r\nHost: x\r\n\r\n"));
    wait_kept(world, 1);
    assert_int_equal(world->kept[0]->method, HTTP_HEAD);
    answer(world->server, world->kept[0]->id, 200, SLICE("12345"));
    client_send(&client, SLICE("OPTIONS /x HTTP/1.1\r\nHost: x\r\n\r\n"));
    size_t len = 0;
    while (len == 0 || strstr(strstr(text, "HTTP/1.1") + 1, "HTTP/1.1") == NULL) {
        int n = client_read(&client, text + len, (int)(sizeof text - len));
        assert_true(n > 0);
        len += (size_t)n;
    }
    assert_non_null(strstr(text, "Content-Length: 5\r\n"));
    assert_null(strstr(text, "12345")); /* the length of a body that is not sent */
    client_drop(&client);
}

/* The client goes away, politely or not, while its reply is being made. */
static void test_client_aborts(void **state)
{
    struct world *world = *state;
    char text[4096];
    for (unsigned i = 0; i < 20; i++) {
        struct client client;
        assert_true(client_open(world, &client));
        client_send(&client,
                    SLICE("POST /keep HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"));
        wait_kept(world, i + 1);
        if (i % 2 == 0) {
            client_reset(&client);
        } else {
            client_drop(&client);
        }
    }
    for (unsigned i = 0; i < 20; i++) {
        answer(world->server, world->kept[i]->id, 202, SLICE("too late"));
    }
    /* An answer twice, and one to nobody, change nothing. */
    answer(world->server, world->kept[3]->id, 202, SLICE("again"));
    answer(world->server, UINT64_MAX, 202, SLICE("nobody"));
    answer(world->server, 0, 202, SLICE("nobody"));
    assert_int_equal(exchange(world, SLICE("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), text, sizeof text),
                     200);
    assert_int_equal(load_of(world).waiting, 0);
}

/* Destroyed with replies that nobody will send. Leaks are for AddressSanitizer to find. */
static void test_destroy_while_waiting(void **state)
{
    struct world *world = *state;
    struct client stays;
    struct client goes;
    assert_true(client_open(world, &stays));
    assert_true(client_open(world, &goes));
    client_send(&stays, SLICE("GET /keep HTTP/1.1\r\nHost: x\r\n\r\n"));
    client_send(&goes, SLICE("GET /keep HTTP/1.1\r\nHost: x\r\n\r\n"));
    wait_kept(world, 2);
    client_reset(&goes);
    on_loop(world, world_stop_server);
    assert_true(client_ended(&stays));
    client_drop(&stays);
    on_loop(world, world_start_server);
}

enum { CLIENTS = 6, REQUESTS = 60, ANSWERERS = 3 };

static void *ask_many(void *arg)
{
    struct world *world = arg;
    char text[4096];
    uintptr_t good = 0;
    for (int i = 0; i < REQUESTS; i++) {
        struct client client;
        if (!client_open(world, &client)) {
            break;
        }
        client_send(&client,
                    SLICE("POST /keep HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"));
        if (i % 4 == 3) {
            client_reset(&client);
            good++;
            continue;
        }
        good += client_reply(&client, text, sizeof text) == 202;
        client_drop(&client);
    }
    return (void *)good;
}

struct answerer {
    struct world *world;
    _Atomic bool stop;
};

static void *answer_many(void *arg)
{
    struct answerer *answerer = arg;
    struct world *world = answerer->world;
    while (!atomic_load(&answerer->stop)) {
        struct server_request *request = NULL;
        pthread_mutex_lock(&world->lock);
        if (world->kept_count > 0) {
            request = world->kept[--world->kept_count];
        }
        pthread_mutex_unlock(&world->lock);
        if (request != NULL) {
            answer(world->server, request->id, 202, SLICE("ok"));
            server_request_destroy(request);
        } else {
            usleep(200);
        }
    }
    return NULL;
}

/* G7: replies from several threads, clients that come and go. */
static void test_replies_from_threads(void **state)
{
    struct world *world = *state;
    struct answerer answerer = {.world = world};
    pthread_t askers[CLIENTS];
    pthread_t answerers[ANSWERERS];
    for (size_t i = 0; i < ANSWERERS; i++) {
        assert_int_equal(pthread_create(&answerers[i], NULL, answer_many, &answerer), 0);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        assert_int_equal(pthread_create(&askers[i], NULL, ask_many, world), 0);
    }
    uintptr_t good = 0;
    for (size_t i = 0; i < CLIENTS; i++) {
        void *result = NULL;
        pthread_join(askers[i], &result);
        good += (uintptr_t)result;
    }
    atomic_store(&answerer.stop, true);
    for (size_t i = 0; i < ANSWERERS; i++) {
        pthread_join(answerers[i], NULL);
    }
    assert_int_equal(good, CLIENTS * REQUESTS);
}

static void on_drained(void *arg, bool clean)
{
    struct world *world = arg;
    world->drained_clean = clean;
    sem_post(&world->drained);
}

static void drain_long(struct world *world)
{
    server_drain(world->server, CEILING_S * 1000, on_drained, world);
}

static void drain_short(struct world *world)
{
    server_drain(world->server, 100, on_drained, world);
}

/* G9: the kernel refuses new connections; idle ones end; what is under way is answered. */
static void test_drain(void **state)
{
    struct world *world = *state;
    struct client idle;
    struct client busy;
    char text[4096];
    assert_true(client_open(world, &idle));
    client_send(&idle, SLICE("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_int_equal(client_reply(&idle, text, sizeof text), 200);
    assert_true(client_open(world, &busy));
    client_send(&busy, SLICE("GET /keep HTTP/1.1\r\nHost: x\r\n\r\n"));
    wait_kept(world, 1);
    on_loop(world, drain_long);
    assert_int_equal(tcp_connect(world->port), -1);
    assert_int_equal(errno, ECONNREFUSED);
    assert_true(client_ended(&idle));
    answer(world->server, world->kept[0]->id, 202, SLICE("done"));
    assert_int_equal(client_reply(&busy, text, sizeof text), 202);
    assert_non_null(strstr(text, "Connection: close\r\n"));
    assert_true(client_ended(&busy));
    wait_for(&world->drained);
    assert_true(world->drained_clean);
    client_drop(&idle);
    client_drop(&busy);
}

static void test_drain_has_a_limit(void **state)
{
    struct world *world = *state;
    struct client busy;
    assert_true(client_open(world, &busy));
    client_send(&busy, SLICE("GET /keep HTTP/1.1\r\nHost: x\r\n\r\n"));
    wait_kept(world, 1);
    on_loop(world, drain_short);
    wait_for(&world->drained);
    assert_false(world->drained_clean);
    assert_true(client_ended(&busy));
    client_drop(&busy);
}

static void test_reply_can_close(void **state)
{
    struct world *world = *state;
    struct client client;
    char text[4096];
    assert_true(client_open(world, &client));
    client_send(&client, SLICE("GET /keep HTTP/1.1\r\nHost: x\r\n\r\n"));
    wait_kept(world, 1);
    struct server_reply reply = {.status = 401, .close = true};
    assert_int_equal(server_reply(world->server, world->kept[0]->id, &reply), STATUS_OK);
    assert_int_equal(client_reply(&client, text, sizeof text), 401);
    assert_memory_equal(text, "HTTP/1.1 401 Unauthorized\r\n", 27);
    assert_true(client_ended(&client));
    client_drop(&client);
}

/* The first waits for the second, which wakes the loop for both. */
static void test_replies_of_one_turn(void **state)
{
    struct world *world = *state;
    struct client clients[2];
    char text[4096];
    for (unsigned i = 0; i < 2; i++) {
        assert_true(client_open(world, &clients[i]));
        client_send(&clients[i], SLICE("GET /keep HTTP/1.1\r\nHost: x\r\n\r\n"));
        wait_kept(world, i + 1);
    }
    struct server_reply reply = {.status = 202, .more = true};
    assert_int_equal(server_reply(world->server, world->kept[0]->id, &reply), STATUS_OK);
    assert_int_equal(load_of(world).replies, 0);
    reply.more = false;
    assert_int_equal(server_reply(world->server, world->kept[1]->id, &reply), STATUS_OK);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(client_reply(&clients[i], text, sizeof text), 202);
        client_drop(&clients[i]);
    }
}

/* A fault test's crash between commit and reply, without the crash. */
static void test_failpoint_before_reply(void **state)
{
#ifdef EPLAN_SEAMS
    struct world *world = *state;
    char text[4096];
    assert_true(failpoint_plan(SLICE("server.before-reply=fail@1")));
    assert_int_equal(exchange(world, SLICE("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), text, sizeof text),
                     0);
    assert_int_equal(atomic_load(&world->handled), 1);
    assert_int_equal(exchange(world, SLICE("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), text, sizeof text),
                     200);
    assert_true(failpoint_plan(SLICE("")));
#else
    (void)state;
    skip();
#endif
}

static void try_to_listen(struct world *world)
{
    uint16_t port = 1;
    assert_int_equal(
        server_listen(world->server, "127.0.0.1", world->port, SPAN_NONE, &world->diags, &port),
        STATUS_IO);
    assert_int_equal(
        server_listen(world->server, "example.org", 0, SPAN_NONE, &world->diags, &port), STATUS_IO);
    assert_int_equal(port, 1);
}

static void test_cannot_listen(void **state)
{
    struct world *world = *state;
    on_loop(world, try_to_listen);
    struct buf buf;
    char want[512];
    buf_init(&buf, world->arena, 4096);
    diag_render_all(&world->diags, &buf);
    snprintf(want, sizeof want,
             "error: cannot listen on 127.0.0.1, port %u: Address already in use [listen]\n"
             "  hint: another program has this port: stop it, or choose another\n"
             "error: cannot listen on example.org, port 0: not an address [listen]\n"
             "  hint: write a numeric address of this machine, as 127.0.0.1\n",
             world->port);
    assert_string_equal(buf.at, want);
}

int main(void)
{
    loop_library_init();
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH(test_everything_is_handed_over),
        WITH(test_keep_alive),
        WITH(test_pipelined),
        WITH(test_expect_continue),
        WITH(test_head_and_options),
        WITH(test_client_aborts),
        WITH(test_destroy_while_waiting),
        WITH(test_replies_from_threads),
        WITH(test_drain),
        WITH(test_drain_has_a_limit),
        WITH(test_reply_can_close),
        WITH(test_replies_of_one_turn),
        WITH(test_failpoint_before_reply),
        WITH(test_cannot_listen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
