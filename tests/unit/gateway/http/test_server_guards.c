// label: threaded
// packages: eplan::ssl eplan::crypto
/* The guards of the HTTP server, each against the fault that it is for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "gateway/base/failpoint.h"
#include "server_world.h"

/* Short enough to wait for, far enough apart to tell them. */
static const struct server_limits tight = {.max_head = 2000,
                                           .max_body = 10000,
                                           .max_held = 3000000,
                                           .max_connections = 4,
                                           .max_waiting = 2,
                                           .handshake_ms = 300,
                                           .idle_ms = 2000,
                                           .request_ms = 600,
                                           .reply_ms = 2500,
                                           .write_ms = 500};

static int set_up(void **state)
{
    *state = world_create(tight, TLS_CLIENTS_NONE);
    return 0;
}

static int tear_down(void **state)
{
    world_destroy(*state);
    return 0;
}

static int64_t ms_since(int64_t start)
{
    return (clock_monotonic(&clock_system) - start) / 1000;
}

#define NOW clock_monotonic(&clock_system)

static uint64_t refusals(struct world *world, enum guard guard)
{
    return load_of(world).refused[guard];
}

static void still_serves(struct world *world)
{
    char text[1024];
    assert_int_equal(exchange(world, SLICE("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), text, sizeof text),
                     200);
}

/* G1: the server's end of our connection, found among this process's descriptors. */
static void test_g1_no_delay(void **state)
{
    struct world *world = *state;
    struct client client;
    struct sockaddr_in ours;
    socklen_t len = sizeof ours;
    bool found = false;
    assert_true(client_open(world, &client));
    assert_int_equal(getsockname(client.fd, (struct sockaddr *)&ours, &len), 0);
    for (int fd = 0; fd < 200; fd++) {
        struct sockaddr_in theirs;
        len = sizeof theirs;
        if (fd != client.fd && getpeername(fd, (struct sockaddr *)&theirs, &len) == 0 &&
            len == sizeof theirs && theirs.sin_port == ours.sin_port) {
            int on = 0;
            len = sizeof on;
            assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
            assert_int_equal(on, 1);
            found = true;
        }
    }
    assert_true(found);
    client_drop(&client);
}

/* G2: plain HTTP on the TLS port gets no HTTP. */
static void test_g2_plain_text(void **state)
{
    struct world *world = *state;
    char text[1024];
    int fd = tcp_connect(world->port);
    assert_int_equal(send(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27, 0), 27);
    ssize_t n;
    while ((n = recv(fd, text, sizeof text - 1, 0)) > 0) {
        text[n] = '\0';
        assert_null(strstr(text, "HTTP"));
    }
    assert_true(n == 0 || errno == ECONNRESET);
    close(fd);
    assert_int_equal(atomic_load(&world->handled), 0);
    still_serves(world);
}

/* G2: when OpenSSL gives no connection object for a second the process ends; plain text is never
 * served. */
static void test_g2_no_ssl_object(void **state)
{
    (void)state;
#ifdef EPLAN_SEAMS
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork(); /* before any thread: this test has no world */
    if (child == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        freopen("/dev/null", "w", stderr);
        failpoint_plan(SLICE("server.tls-new=fail"));
        struct world *world = world_create(tight, TLS_CLIENTS_NONE);
        if (write(ends[1], &world->port, sizeof world->port) != sizeof world->port ||
            write(ends[1], world->certs->dir, sizeof world->certs->dir) < 0) {
            _exit(1);
        }
        alarm(CEILING_S);
        for (;;) {
            pause();
        }
    }
    struct world world = {.port = 0};
    char dir[sizeof((struct certs *)NULL)->dir];
    char command[128];
    assert_int_equal(read(ends[0], &world.port, sizeof world.port), sizeof world.port);
    assert_int_equal(read(ends[0], dir, sizeof dir), sizeof dir);
    int fd = tcp_connect(world.port);
    assert_true(fd >= 0);
    send(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27, MSG_NOSIGNAL);
    char text[64];
    assert_true(recv(fd, text, sizeof text, 0) <= 0);
    close(fd);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    snprintf(command, sizeof command, "rm -rf '%s'", dir); /* the child could not */
    assert_int_equal(system(command), 0);
    close(ends[0]);
    close(ends[1]);
#else
    skip();
#endif
}

/* G2: memory that comes back in time costs nobody the connection. */
static void test_g2_ssl_object_at_the_second_try(void **state)
{
#ifdef EPLAN_SEAMS
    struct world *world = *state;
    assert_true(failpoint_plan(SLICE("server.tls-new=fail@1")));
    still_serves(world);
    assert_true(failpoint_passed(FAILPOINT_SERVER_TLS_NEW) >= 2);
    assert_true(failpoint_plan(SLICE("")));
#else
    (void)state;
    skip();
#endif
}

/* G3: a handshake that never comes. */
static void test_g3_handshake(void **state)
{
    struct world *world = *state;
    char c;
    int64_t start = NOW;
    int fd = tcp_connect(world->port);
    assert_int_equal(recv(fd, &c, 1, 0), 0);
    assert_in_range(ms_since(start), 300, 5000);
    close(fd);
    assert_int_equal(refusals(world, GUARD_HANDSHAKE_TIME), 1);
}

/* One byte at a time, so that the connection is never idle: how long until the server ends it. */
static int64_t drip(struct world *world, struct slice begin)
{
    struct client client;
    assert_true(client_open(world, &client));
    int64_t start = NOW;
    assert_true(client_send(&client, begin));
    struct timeval brief = {.tv_usec = 20000};
    setsockopt(client.fd, SOL_SOCKET, SO_RCVTIMEO, &brief, sizeof brief);
    char text[64];
    while (client_send(&client, SLICE("a")) && client_read(&client, text, sizeof text) < 0) {
        assert_true(ms_since(start) < CEILING_S * 1000);
    }
    client_drop(&client);
    return ms_since(start);
}

static void test_g3_dripped_head(void **state)
{
    struct world *world = *state;
    assert_in_range(drip(world, SLICE("GET / HTTP/1.1\r\nHost: x\r\nA: ")), 600, 5000);
    assert_int_equal(refusals(world, GUARD_REQUEST_TIME), 1);
    assert_int_equal(atomic_load(&world->handled), 0);
}

static void test_g3_dripped_body(void **state)
{
    struct world *world = *state;
    assert_in_range(
        drip(world, SLICE("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n")), 600,
        5000);
    assert_int_equal(refusals(world, GUARD_REQUEST_TIME), 1);
    assert_int_equal(atomic_load(&world->handled), 0);
}

static void test_g3_idle(void **state)
{
    struct world *world = *state;
    struct client client;
    assert_true(client_open(world, &client));
    int64_t start = NOW;
    assert_true(client_ended(&client));
    assert_in_range(ms_since(start), 1900, 8000);
    client_drop(&client);
    assert_int_equal(refusals(world, GUARD_IDLE_TIME), 1);
}

static void test_g3_reply_that_never_comes(void **state)
{
    struct world *world = *state;
    struct client client;
    assert_true(client_open(world, &client));
    client_send(&client, SLICE("GET /keep HTTP/1.1\r\nHost: x\r\n\r\n"));
    int64_t start = NOW;
    assert_true(client_ended(&client));
    assert_in_range(ms_since(start), 2300, 9000);
    client_drop(&client);
    assert_int_equal(refusals(world, GUARD_REPLY_TIME), 1);
    /* Its answer, much later, finds nobody. */
    answer(world->server, world->kept[0]->id, 200, SLICE("late"));
    still_serves(world);
}

static void test_g3_reply_that_nobody_reads(void **state)
{
    struct world *world = *state;
    struct client client;
    assert_true(client_open(world, &client));
    client_send(&client, SLICE("GET /big HTTP/1.1\r\nHost: x\r\n\r\n"));
    int64_t start = NOW;
    while (refusals(world, GUARD_WRITE_TIME) == 0) {
        assert_true(ms_since(start) < CEILING_S * 1000);
        usleep(10000);
    }
    assert_true(ms_since(start) >= 450);
    client_drop(&client);
}

/* G4: at the ceiling further connections wait in the kernel, and are served when one ends. */
static void test_g4_connections(void **state)
{
    struct world *world = *state;
    struct client busy[3];
    for (size_t i = 0; i < 3; i++) {
        assert_true(client_open(world, &busy[i]));
        client_send(&busy[i], SLICE("GET /x HTTP/1.1\r\nHost: "));
    }
    int fourth = tcp_connect(world->port);
    int64_t start = NOW;
    while (refusals(world, GUARD_CONNECTIONS) == 0) {
        assert_true(ms_since(start) < CEILING_S * 1000);
        usleep(1000);
    }
    assert_int_equal(load_of(world).connections, 4);
    uint64_t accepted = load_of(world).accepted;
    int fifth = tcp_connect(world->port); /* the kernel takes it, the server does not */
    assert_true(fifth >= 0);
    usleep(30000);
    assert_int_equal(load_of(world).accepted, accepted);
    close(fourth);
    still_serves(world);
    close(fifth);
    for (size_t i = 0; i < 3; i++) {
        client_drop(&busy[i]);
    }
}

/* G4: one that only idles makes room at once, long before its own deadline. */
static void test_g4_idle_ones_make_room(void **state)
{
    struct world *world = *state;
    struct client idle[3];
    char text[1024];
    int64_t start = NOW;
    for (size_t i = 0; i < 3; i++) {
        assert_true(client_open(world, &idle[i]));
        client_send(&idle[i], SLICE("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert_int_equal(client_reply(&idle[i], text, sizeof text), 200);
    }
    still_serves(world);
    assert_true(ms_since(start) < 1900);
    assert_true(client_ended(&idle[0])); /* the one that idled longest */
    for (size_t i = 0; i < 3; i++) {
        client_drop(&idle[i]);
    }
}

/* No descriptor left: the server pauses instead of spinning, and goes on when there is one. */
static void test_g4_no_descriptor(void **state)
{
    struct world *world = *state;
    struct rlimit before;
    struct rlimit few;
    int reserve = tcp_connect(world->port); /* a connection that is accepted before */
    int64_t start = NOW;
    while (load_of(world).accepted == 0) {
        assert_true(ms_since(start) < CEILING_S * 1000);
    }
    int late = socket(AF_INET, SOCK_STREAM, 0);
    getrlimit(RLIMIT_NOFILE, &before);
    few = before;
    few.rlim_cur = (rlim_t)late + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(world->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int rc = connect(late, (struct sockaddr *)&at, sizeof at);
    while (rc == 0 && load_of(world).refused[GUARD_FILES] == 0 &&
           ms_since(start) < CEILING_S * 1000) {
        usleep(1000);
    }
    uint64_t refused = load_of(world).refused[GUARD_FILES];
    usleep(50000);
    uint64_t again = load_of(world).refused[GUARD_FILES];
    setrlimit(RLIMIT_NOFILE, &before);
    assert_int_equal(rc, 0);
    assert_true(refused >= 1 && again - refused < 10); /* a few ticks, no spinning */
    close(reserve);
    close(late);
    still_serves(world);
}

/* G5: what evhttp lets through. Each is answered once, and the connection ends. */
static void test_g5_heads(void **state)
{
    struct world *world = *state;
#define OK_BODY "\r\nContent-Length: 2\r\n\r\nhi"
    static const struct {
        const char *request;
        size_t len; /* 0: strlen */
        enum guard guard;
    } rows[] = {
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi", 0,
         GUARD_CONTENT_LENGTH},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!", 0,
         GUARD_CONTENT_LENGTH},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\nhi", 0, GUARD_CONTENT_LENGTH},
        {"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 0,
         GUARD_TRANSFER_ENCODING},
        {"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n", 0,
         GUARD_TRANSFER_ENCODING},
        {"POST / HTTP/1.1" OK_BODY, 0, GUARD_HOST},
        {"POST / HTTP/1.1\r\nHost: " OK_BODY, 0, GUARD_HOST},
        {"POST / HTTP/1.1\r\nHost: x\r\nHost: y" OK_BODY, 0, GUARD_HOST},
        {"POST / HTTP/1.1\r\nHost: x\r\nA B: c" OK_BODY, 0, GUARD_HEADER_NAME},
        {"POST / HTTP/1.1\r\nHost: x\r\nA : c" OK_BODY, 0, GUARD_HEADER_NAME},
        {"POST http://x/ HTTP/1.1\r\nHost: x" OK_BODY, 0, GUARD_TARGET},
        {"POST //x/ HTTP/1.1\r\nHost: x" OK_BODY, 0, GUARD_TARGET},
        {"POST /a#b HTTP/1.1\r\nHost: x" OK_BODY, 0, GUARD_TARGET},
        {"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 0, GUARD_TARGET},
        {"POST / HTTP/1.1\r\nHost: x\r\nA: b\r\n c" OK_BODY, 0, GUARD_FOLDED_LINE},
        {"POST / HTTP/1.1\r\nHost: x\nA: b" OK_BODY, 0, GUARD_BARE_LINE_END},
        {"POST / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\nContent-Length: 2\r\n\r\nhi", 58, GUARD_CONTROL},
        {"POST / HTTP/1.1\r\nHost: x\r\nA: b\x01" OK_BODY, 0, GUARD_CONTROL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[2048];
        char want[256];
        struct client client;
        size_t len = rows[i].len != 0 ? rows[i].len : strlen(rows[i].request);
        uint64_t before = refusals(world, rows[i].guard);
        assert_true(client_open(world, &client));
        client_send(&client, slice_from(rows[i].request, len));
        if (client_reply(&client, text, sizeof text) != 400) {
            fail_msg("row %zu: %s", i, text);
        }
        snprintf(want, sizeof want, "\r\n\r\n%s\n", guard_sentence(rows[i].guard));
        if (strstr(text, want) == NULL) {
            fail_msg("row %zu: %s", i, text);
        }
        assert_true(client_ended(&client));
        client_drop(&client);
        assert_int_equal(refusals(world, rows[i].guard), before + 1);
    }
    assert_int_equal(atomic_load(&world->handled), 0);
}

/* What evhttp refuses by itself stays refused. */
static void test_g5_library_refusals(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *request;
        int status;
    } rows[] = {
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
         "2\r\nhi\r\n0\r\n\r\n",
         400},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -2\r\n\r\nhi", 400},
        {"nonsense\r\n\r\n", 400},
        {"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhi\r\n0\r\n\r\n",
         400},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[2048];
        int status = exchange(world, slice_of(rows[i].request), text, sizeof text);
        if (status < 400 || status > 501) {
            fail_msg("row %zu: %d %s", i, status, text);
        }
    }
    assert_int_equal(atomic_load(&world->handled), 0);
    still_serves(world);
}

static void test_g5_fuzzy_method(void **state)
{
    struct world *world = *state;
    char text[2048];
    static const char *const methods[] = {"BREW", "TRACE", "CONNECT", "get", "PROPFIND"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        char request[128];
        snprintf(request, sizeof request, "%s / HTTP/1.1\r\nHost: x\r\n\r\n", methods[i]);
        int status = exchange(world, slice_of(request), text, sizeof text);
        if (status == 200 || status > 501) {
            fail_msg("%s: %d %s", methods[i], status, text);
        }
    }
    assert_int_equal(atomic_load(&world->handled), 0);
}

/* G6: head and body; the sender is told, nothing is handed over. */
static void test_g6_sizes(void **state)
{
    struct world *world = *state;
    char big[40000];
    char text[2048];
    int head = snprintf(big, sizeof big, "GET / HTTP/1.1\r\nHost: x\r\nA: %0*d\r\n\r\n", 5000, 0);
    int status = exchange(world, slice_from(big, (size_t)head), text, sizeof text);
    assert_true(status == 400 || status == 431 || status == 413);
    head = snprintf(big, sizeof big,
                    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10001\r\n\r\n%0*d", 10001, 0);
    assert_int_equal(exchange(world, slice_from(big, (size_t)head), text, sizeof text), 413);
    assert_non_null(strstr(text, "\r\n\r\nThe body is larger than this server takes.\n"));
    head = snprintf(big, sizeof big,
                    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "7530\r\n%0*d\r\n0\r\n\r\n",
                    30000, 0);
    assert_int_equal(exchange(world, slice_from(big, (size_t)head), text, sizeof text), 413);
    /* Far too large: evhttp's own answer, to a length at its end and to chunks at once. */
    char *huge = malloc(1200000);
    head =
        snprintf(huge, 1200000, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1100000\r\n\r\n%0*d",
                 1100000, 0);
    assert_int_equal(exchange(world, slice_from(huge, (size_t)head), text, sizeof text), 413);
    head = snprintf(huge, 1200000,
                    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "10c8e0\r\n%0*d",
                    100, 0);
    assert_int_equal(exchange(world, slice_from(huge, (size_t)head), text, sizeof text), 413);
    free(huge);
    head = snprintf(big, sizeof big,
                    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n%0*d", 10000, 0);
    assert_int_equal(exchange(world, slice_from(big, (size_t)head), text, 100), 200);
    assert_int_equal(atomic_load(&world->handled), 1);
}

/* A length beyond all numbers is waited for no longer than any other request. */
static void test_g6_absurd_length(void **state)
{
    struct world *world = *state;
    char text[1024];
    int64_t start = NOW;
    assert_int_equal(exchange(world,
                              SLICE("POST / HTTP/1.1\r\nHost: x\r\n"
                                    "Content-Length: 99999999999999999999999\r\n\r\nhi"),
                              text, sizeof text),
                     0);
    assert_in_range(ms_since(start), 600, 5000);
    assert_int_equal(atomic_load(&world->handled), 0);
}

/* A chunk-size line, or a pipelined request, that never ends. */
static void test_g6_endless_lines(void **state)
{
    struct world *world = *state;
    static const char *const begins[] = {
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;",
        "GET /keep HTTP/1.1\r\nHost: x\r\n\r\nGET /",
        "GET /",
    };
    char block[10000];
    memset(block, 'a', sizeof block);
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
        struct client client;
        int64_t start = NOW;
        assert_true(client_open(world, &client));
        client_send(&client, slice_of(begins[i]));
        struct timeval brief = {.tv_usec = 100000};
        setsockopt(client.fd, SOL_SOCKET, SO_SNDTIMEO, &brief, sizeof brief);
        while (client_send(&client, slice_from(block, sizeof block))) {
            assert_true(ms_since(start) < CEILING_S * 1000);
            assert_true(load_of(world).held <= 1200000); /* what one connection may hold */
        }
        client_drop(&client);
    }
    if (world->kept_count == 1) {
        answer(world->server, world->kept[0]->id, 200, SLICE_NONE);
    }
    still_serves(world);
}

/* Many half-sent bodies: the ceiling over all connections costs the greediest its connection. */
static void test_g6_held_by_all(void **state)
{
    (void)state;
    struct server_limits limits = tight;
    limits.max_connections = 40;
    limits.max_held = 100000;
    limits.request_ms = 9000;
    struct world *world = world_create(limits, TLS_CLIENTS_NONE);
    struct client clients[20];
    char request[10000];
    int len = snprintf(request, sizeof request,
                       "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n%0*d", 9000, 0);
    for (size_t i = 0; i < 20; i++) {
        assert_true(client_open(world, &clients[i]));
        client_send(&clients[i], slice_from(request, (size_t)len));
    }
    int64_t start = NOW;
    while (refusals(world, GUARD_HELD_BYTES) < 5) {
        assert_true(ms_since(start) < CEILING_S * 1000);
        usleep(1000);
    }
    assert_true(load_of(world).held <= 100000);
    still_serves(world); /* a small request passes between them */
    for (size_t i = 0; i < 20; i++) {
        client_drop(&clients[i]);
    }
    start = NOW;
    while (load_of(world).connections != 0) {
        assert_true(ms_since(start) < CEILING_S * 1000);
        usleep(1000);
    }
    assert_int_equal(load_of(world).held, 0);
    world_destroy(world);
}

static size_t outcome(enum guard guard, char *out, size_t size)
{
    return (size_t)snprintf(out, size, "{\"why\":\"%s\"}", guard_name(guard));
}

static void speak_json(struct world *world)
{
    world_stop_server(world);
    world->config.refusal = outcome;
    world->config.refusal_type = "application/json";
    world_start_server(world);
}

/* Refusals in the words of whoever runs the server. */
static void test_refusal_of_the_caller(void **state)
{
    struct world *world = *state;
    char text[2048];
    on_loop(world, speak_json);
    assert_int_equal(exchange(world, SLICE("GET / HTTP/1.1\r\n\r\n"), text, sizeof text), 400);
    assert_non_null(strstr(text, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(text, "\r\n\r\n{\"why\":\"host\"}"));
}

/* Beyond max_waiting: 503 with Retry-After, and room again when one is answered. */
static void test_busy(void **state)
{
    struct world *world = *state;
    struct client clients[2];
    char text[1024];
    for (unsigned i = 0; i < 2; i++) {
        assert_true(client_open(world, &clients[i]));
        client_send(&clients[i], SLICE("GET /keep HTTP/1.1\r\nHost: x\r\n\r\n"));
        wait_kept(world, i + 1);
    }
    assert_int_equal(exchange(world, SLICE("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), text, sizeof text),
                     503);
    assert_non_null(strstr(text, "Retry-After: 1\r\n"));
    answer(world->server, world->kept[0]->id, 200, SLICE_NONE);
    assert_int_equal(client_reply(&clients[0], text, sizeof text), 200);
    still_serves(world);
    client_drop(&clients[0]);
    client_drop(&clients[1]);
}

int main(void)
{
    loop_library_init();
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_g2_no_ssl_object), /* first: it forks, and there is no thread yet */
        WITH(test_g1_no_delay),
        WITH(test_g2_plain_text),
        WITH(test_g2_ssl_object_at_the_second_try),
        WITH(test_g3_handshake),
        WITH(test_g3_dripped_head),
        WITH(test_g3_dripped_body),
        WITH(test_g3_idle),
        WITH(test_g3_reply_that_never_comes),
        WITH(test_g3_reply_that_nobody_reads),
        WITH(test_g4_connections),
        WITH(test_g4_idle_ones_make_room),
        WITH(test_g4_no_descriptor),
        WITH(test_g5_heads),
        WITH(test_g5_library_refusals),
        WITH(test_g5_fuzzy_method),
        WITH(test_g6_sizes),
        WITH(test_g6_absurd_length),
        WITH(test_g6_endless_lines),
        cmocka_unit_test(test_g6_held_by_all),
        WITH(test_refusal_of_the_caller),
        WITH(test_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
