/*
 * A server in a thread of its own and a client by hand: OpenSSL on a blocking socket, so that a
 * test decides about every byte. Every wait has a ceiling of ten seconds.
 */
#ifndef TESTS_HTTP_SERVER_WORLD_H
#define TESTS_HTTP_SERVER_WORLD_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "certs.h"
#include "gateway/base/clock.h"
#include "gateway/http/server.h"

enum { CEILING_S = 10, KEPT = 64 };

struct world {
    struct certs *certs;
    struct arena *arena;
    struct diag_list diags;
    struct loop *loop;
    pthread_t thread;
    struct tls_server *tls;
    struct tls_server_config tls_config;
    struct server *server;
    struct server_config config;
    uint16_t port;
    _Atomic unsigned handled;

    pthread_mutex_t lock;              /* over kept */
    struct server_request *kept[KEPT]; /* of /keep..., to be answered by the test */
    unsigned kept_count;

    /* for on_loop() */
    sem_t done;
    struct loop_job job;
    void (*fn)(struct world *world);
    sem_t drained;
    bool drained_clean;
    struct server_load load;
};

static UNUSED void answer(struct server *server, uint64_t id, int status, struct slice body)
{
    const struct http_header headers[] = {{SLICE("Content-Type"), SLICE("text/plain")},
                                          {SLICE("X-Test"), SLICE("yes")}};
    struct server_reply reply = {
        .status = status, .headers = headers, .header_count = body.len != 0 ? 2 : 0, .body = body};
    if (server_reply(server, id, &reply) != STATUS_OK) {
        abort();
    }
}

/* /keep...: kept for the test. /big: a large reply. Else: 200 and the body back. */
static void handle(void *arg, struct server_request *request)
{
    struct world *world = arg;
    atomic_fetch_add(&world->handled, 1);
    if (slice_starts_with(request->path, SLICE("/keep"))) {
        pthread_mutex_lock(&world->lock);
        if (world->kept_count == KEPT) {
            abort();
        }
        world->kept[world->kept_count++] = request;
        pthread_mutex_unlock(&world->lock);
        return;
    }
    if (slice_is(request->path, "/big")) {
        size_t size = (size_t)32 << 20;
        char *big = malloc(size);
        memset(big, 'x', size);
        answer(world->server, request->id, 200, slice_from(big, size));
        free(big);
    } else {
        answer(world->server, request->id, 200, request->body);
    }
    server_request_destroy(request);
}

static void run_on_loop(void *arg)
{
    struct world *world = arg;
    world->fn(world);
    sem_post(&world->done);
}

static void wait_for(sem_t *sem)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += CEILING_S;
    while (sem_timedwait(sem, &end) != 0) {
        if (errno != EINTR) {
            fputs("waited too long\n", stderr);
            abort();
        }
    }
}

/* Runs fn on the loop's thread and waits for it. */
static void on_loop(struct world *world, void (*fn)(struct world *world))
{
    world->fn = fn;
    loop_post(world->loop, &world->job);
    wait_for(&world->done);
}

static void world_start_server(struct world *world)
{
    if (tls_server_create(&world->tls_config, &clock_system, &world->diags, &world->tls) !=
            STATUS_OK ||
        (world->config.tls = world->tls, server_create(&world->config, &world->server)) !=
            STATUS_OK ||
        server_listen(world->server, "127.0.0.1", 0, SPAN_NONE, &world->diags, &world->port) !=
            STATUS_OK) {
        fputs("the test's server did not start\n", stderr);
        abort();
    }
}

static void world_stop_server(struct world *world)
{
    server_destroy(&world->server);
    tls_server_destroy(&world->tls);
}

static void read_load(struct world *world)
{
    world->load = server_load(world->server);
}

static UNUSED struct server_load load_of(struct world *world)
{
    on_loop(world, read_load);
    return world->load;
}

static void *run_loop(void *arg)
{
    loop_run(((struct world *)arg)->loop);
    return NULL;
}

static UNUSED struct world *world_create(struct server_limits limits, enum tls_clients clients)
{
    struct world *world = calloc(1, sizeof *world);
    world->certs = certs_create();
    world->arena = arena_create(0);
    diag_init(&world->diags, world->arena, 20);
    world->loop = loop_create();
    sem_init(&world->done, 0, 0);
    sem_init(&world->drained, 0, 0);
    pthread_mutex_init(&world->lock, NULL);
    world->job = (struct loop_job){.run = run_on_loop, .arg = world};
    world->tls_config =
        (struct tls_server_config){.cert_file = strdup(cert_path(world->certs, "server.pem")),
                                   .key_file = strdup(cert_path(world->certs, "server.key")),
                                   .client_ca_file = strdup(cert_path(world->certs, "ca.pem")),
                                   .clients = clients};
    world->config = (struct server_config){.loop = world->loop,
                                           .clock = &clock_system,
                                           .limits = limits,
                                           .handler = handle,
                                           .handler_arg = world};
    if (pthread_create(&world->thread, NULL, run_loop, world) != 0) {
        abort();
    }
    on_loop(world, world_start_server);
    return world;
}

static UNUSED void world_destroy(struct world *world)
{
    on_loop(world, world_stop_server);
    loop_stop(world->loop);
    pthread_join(world->thread, NULL);
    loop_destroy(&world->loop);
    for (unsigned i = 0; i < world->kept_count; i++) {
        server_request_destroy(world->kept[i]);
    }
    free((void *)(uintptr_t)world->tls_config.cert_file);
    free((void *)(uintptr_t)world->tls_config.key_file);
    free((void *)(uintptr_t)world->tls_config.client_ca_file);
    pthread_mutex_destroy(&world->lock);
    sem_destroy(&world->done);
    sem_destroy(&world->drained);
    arena_destroy(&world->arena);
    certs_destroy(world->certs);
    free(world);
}

/* Until n requests of /keep have arrived. */
static UNUSED void wait_kept(struct world *world, unsigned n)
{
    for (int64_t end = clock_monotonic(&clock_system) + CEILING_S * 1000000;;) {
        pthread_mutex_lock(&world->lock);
        unsigned count = world->kept_count;
        pthread_mutex_unlock(&world->lock);
        if (count >= n) {
            return;
        }
        if (clock_monotonic(&clock_system) > end) {
            fputs("waited too long for a request\n", stderr);
            abort();
        }
        usleep(1000);
    }
}

/* ---- the client ---- */

static int tcp_connect(uint16_t port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval limit = {.tv_sec = CEILING_S};
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

struct client {
    int fd;
    SSL_CTX *context;
    SSL *ssl;
};

struct client_options {
    const char *cert; /* NAME of certs.h */
    int version;      /* TLS1_2_VERSION ...; 0: any */
};

/* False: the handshake failed; client is closed. */
static bool client_open_with(struct world *world, struct client *client,
                             const struct client_options *options)
{
    char name[64];
    *client = (struct client){.fd = tcp_connect(world->port)};
    client->context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_load_verify_file(client->context, cert_path(world->certs, "ca.pem"));
    SSL_CTX_set_verify(client->context, SSL_VERIFY_PEER, NULL);
    if (options->version != 0) {
        SSL_CTX_set_security_level(client->context, 0); /* so that TLS 1.1 is offered at all */
        SSL_CTX_set_min_proto_version(client->context, options->version);
        SSL_CTX_set_max_proto_version(client->context, options->version);
    }
    if (options->cert != NULL) {
        snprintf(name, sizeof name, "%s.pem", options->cert);
        SSL_CTX_use_certificate_file(client->context, cert_path(world->certs, name),
                                     SSL_FILETYPE_PEM);
        snprintf(name, sizeof name, "%s.key", options->cert);
        SSL_CTX_use_PrivateKey_file(client->context, cert_path(world->certs, name),
                                    SSL_FILETYPE_PEM);
    }
    client->ssl = SSL_new(client->context);
    SSL_set_fd(client->ssl, client->fd);
    if (client->fd < 0 || SSL_connect(client->ssl) != 1) {
        ERR_clear_error();
        SSL_free(client->ssl);
        SSL_CTX_free(client->context);
        close(client->fd);
        *client = (struct client){.fd = -1};
        return false;
    }
    return true;
}

static UNUSED bool client_open(struct world *world, struct client *client)
{
    return client_open_with(world, client, &(struct client_options){.cert = NULL});
}

/* As a process that died: no close_notify. */
static UNUSED void client_drop(struct client *client)
{
    SSL_free(client->ssl);
    SSL_CTX_free(client->context);
    close(client->fd);
    client->fd = -1;
}

/* Sends RST. */
static UNUSED void client_reset(struct client *client)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    client_drop(client);
}

static UNUSED bool client_send(struct client *client, struct slice text)
{
    while (text.len > 0) {
        int n = SSL_write(client->ssl, text.at, text.len > 1 << 20 ? 1 << 20 : (int)text.len);
        if (n <= 0) {
            ERR_clear_error();
            return false;
        }
        text = slice_part(text, (size_t)n, text.len);
    }
    return true;
}

/* Up to size - 1 bytes; 0: the connection ended; -1: nothing came for ten seconds. */
static UNUSED int client_read(struct client *client, char *at, int size)
{
    int n = SSL_read(client->ssl, at, size - 1);
    if (n <= 0) {
        int timed_out = SSL_get_error(client->ssl, n) == SSL_ERROR_WANT_READ;
        ERR_clear_error();
        at[0] = '\0';
        return timed_out ? -1 : 0;
    }
    at[n] = '\0';
    return n;
}

/* One whole reply by its Content-Length, or all until the end; returns the status, 0: none came. */
static UNUSED int client_reply(struct client *client, char *at, size_t size)
{
    size_t len = 0;
    size_t want = SIZE_MAX;
    at[0] = '\0';
    while (len < want && len < size - 1) {
        int n = client_read(client, at + len, (int)(size - len));
        if (n <= 0) {
            break;
        }
        len += (size_t)n;
        const char *head = strstr(at, "\r\n\r\n");
        if (head != NULL && want == SIZE_MAX) {
            const char *length = strstr(at, "Content-Length: ");
            want = (size_t)(head - at) + 4;
            want += length != NULL && length < head ? strtoul(length + 16, NULL, 10) : 0;
        }
    }
    return strncmp(at, "HTTP/1.", 7) == 0 ? atoi(at + 9) : 0;
}

/* Sends `request` on a connection of its own and reads one reply. */
static UNUSED int exchange(struct world *world, struct slice request, char *at, size_t size)
{
    struct client client;
    if (!client_open(world, &client)) {
        return -1;
    }
    client_send(&client, request);
    int status = client_reply(&client, at, size);
    client_drop(&client);
    return status;
}

/* The server closed: reads to the end. False: it did not within the ceiling. */
static UNUSED bool client_ended(struct client *client)
{
    char rest[4096];
    for (;;) {
        int n = client_read(client, rest, sizeof rest);
        if (n <= 0) {
            return n == 0;
        }
    }
}

#endif
