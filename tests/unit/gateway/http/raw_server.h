/*
 * A TLS server by hand, one thread per connection: the path of a request says how the server
 * behaves. It notes what it received, so that a test can count what a real EHR would have done.
 */
#ifndef TESTS_HTTP_RAW_SERVER_H
#define TESTS_HTTP_RAW_SERVER_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "certs.h"

enum { RAW_THREADS = 400, RAW_NOTES = 2000, RAW_REQUEST = 1 << 20 };

struct raw_note {
    unsigned connection; /* counted from 1 */
    char line[120];      /* "POST /path" */
    size_t body;         /* bytes */
};

struct raw_server {
    int fd;
    uint16_t port;
    SSL_CTX *context;
    pthread_t acceptor;
    pthread_t threads[RAW_THREADS];
    _Atomic unsigned connections;
    _Atomic unsigned resumed;
    _Atomic unsigned now;  /* requests being handled */
    _Atomic unsigned most; /* of `now`, ever */
    _Atomic bool stop;
    pthread_mutex_t lock; /* over what follows */
    struct raw_note notes[RAW_NOTES];
    unsigned note_count;
    char last[4096];   /* head of the latest request */
    char gzip[200000]; /* for /gzip-bomb */
    size_t gzip_len;
};

struct raw_connection {
    struct raw_server *server;
    unsigned number;
    int fd;
    SSL *ssl;
    char *request; /* RAW_REQUEST bytes */
    size_t len;
};

static bool raw_send(struct raw_connection *c, const void *at, size_t len)
{
    bool good = len == 0 || SSL_write(c->ssl, at, (int)len) == (int)len;
    ERR_clear_error();
    return good;
}

static bool raw_say(struct raw_connection *c, const char *text)
{
    return raw_send(c, text, strlen(text));
}

static void raw_reset(struct raw_connection *c)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

/* Until the client or the test ends it. */
static void raw_hang(struct raw_connection *c)
{
    struct pollfd p = {.fd = c->fd, .events = POLLRDHUP};
    while (!atomic_load(&c->server->stop) && poll(&p, 1, 20) == 0) {
    }
}

#define RAW_OK "HTTP/1.1 200 OK\r\n"

static bool raw_chunks(struct raw_connection *c, unsigned count)
{
    static const char zeros[16384];
    bool good = raw_say(c, RAW_OK "Transfer-Encoding: chunked\r\n\r\n");
    for (unsigned i = 0; good && i < count; i++) {
        good = raw_say(c, "4000\r\n") && raw_send(c, zeros, sizeof zeros) && raw_say(c, "\r\n");
    }
    return good && raw_say(c, "0\r\n\r\n");
}

static bool raw_gzip(struct raw_connection *c)
{
    char head[128];
    snprintf(head, sizeof head, RAW_OK "Content-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
             c->server->gzip_len);
    return raw_say(c, head) && raw_send(c, c->server->gzip, c->server->gzip_len);
}

static bool raw_long_head(struct raw_connection *c)
{
    char line[1100];
    bool good = raw_say(c, RAW_OK);
    memset(line, 'a', sizeof line);
    memcpy(line, "X-Long: ", 8);
    memcpy(line + 1000, "\r\n", 3);
    for (int i = 0; good && i < 100; i++) {
        good = raw_say(c, line);
    }
    return good && raw_say(c, "Content-Length: 0\r\n\r\n");
}

/* Plain replies by path. */
static const struct {
    const char *path;
    const char *reply;
    bool close;
} raw_replies[] = {
    {"/ok", RAW_OK "ETag: W/\"3\"\r\nContent-Length: 2\r\n\r\nok", false},
    {"/close", RAW_OK "Connection: close\r\nContent-Length: 2\r\n\r\nok", true},
    {"/created",
     "HTTP/1.1 201 Created\r\nLocation: /CarePlan/7/_history/1\r\nlocation: second\r\n"
     "ETAG:W/\"1\"\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n",
     false},
    {"/302", "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", false},
    {"/307", "HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
     false},
    {"/429",
     "HTTP/1.1 429 Too Many Requests\r\nRetry-After: -5\r\nX-RateLimit-Remaining: 0\r\n"
     "RateLimit: limit=10, remaining=0, reset=30\r\nContent-Length: 0\r\n\r\n",
     false},
    {"/hints",
     "HTTP/1.1 103 Early Hints\r\nETag: early\r\n\r\nHTTP/1.1 200 OK\r\nX-Other: 1\r\n"
     "Content-Length: 2\r\n\r\nok",
     false},
    {"/204", "HTTP/1.1 204 No Content\r\n\r\n", false},
    {"/head", RAW_OK "Content-Length: 500\r\n\r\n", false},
    {"/partial", RAW_OK "Content-Length: 100\r\n\r\nten bytes.", true},
    {"/cut-chunks", RAW_OK "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n5\r\nab", true},
    {"/nonsense", "hello, I am no HTTP server\r\n\r\n", true},
    {"/bad-gzip", RAW_OK "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nnogzp", false},
    {"/hang-up", "", true},
};

/* False: the connection is to be closed. */
static bool raw_behave(struct raw_connection *c, const char *path)
{
    for (size_t i = 0; i < sizeof raw_replies / sizeof *raw_replies; i++) {
        if (strcmp(path, raw_replies[i].path) == 0) {
            return raw_say(c, raw_replies[i].reply) && !raw_replies[i].close;
        }
    }
    if (strcmp(path, "/rst") == 0) {
        raw_reset(c);
        return false;
    }
    if (strcmp(path, "/slow") == 0) {
        usleep(50000);
        return raw_say(c, RAW_OK "Content-Length: 2\r\n\r\nok");
    }
    if (strcmp(path, "/chunks") == 0) {
        return raw_chunks(c, 256);
    }
    if (strcmp(path, "/gzip-bomb") == 0) {
        return raw_gzip(c);
    }
    if (strcmp(path, "/long-head") == 0) {
        return raw_long_head(c);
    }
    if (strcmp(path, "/hang") == 0) {
        raw_hang(c);
        return false;
    }
    return raw_say(c, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
}

/* Bytes of head and body, 0 while it is not whole. */
static size_t raw_whole(const char *request, size_t len)
{
    const char *end = strstr(request, "\r\n\r\n");
    if (end == NULL) {
        return 0;
    }
    const char *length = strcasestr(request, "\r\nContent-Length: ");
    size_t whole = (size_t)(end - request) + 4;
    whole += length != NULL && length < end ? strtoul(length + 18, NULL, 10) : 0;
    return whole <= len ? whole : 0;
}

static bool raw_handle(struct raw_connection *c, size_t whole)
{
    struct raw_server *server = c->server;
    char path[100] = "";
    pthread_mutex_lock(&server->lock);
    struct raw_note *note = &server->notes[server->note_count++ % RAW_NOTES];
    note->connection = c->number;
    snprintf(note->line, sizeof note->line, "%.*s", (int)strcspn(c->request, "\r"), c->request);
    *strrchr(note->line, ' ') = '\0';
    note->body = whole - (size_t)(strstr(c->request, "\r\n\r\n") + 4 - c->request);
    snprintf(server->last, sizeof server->last, "%s", c->request);
    snprintf(path, sizeof path, "%s", strchr(note->line, ' ') + 1);
    pthread_mutex_unlock(&server->lock);
    unsigned now = atomic_fetch_add(&server->now, 1) + 1;
    unsigned most = atomic_load(&server->most);
    while (now > most && !atomic_compare_exchange_weak(&server->most, &most, now)) {
    }
    bool more = raw_behave(c, path);
    atomic_fetch_sub(&server->now, 1);
    memmove(c->request, c->request + whole, c->len - whole + 1);
    c->len -= whole;
    return more;
}

static void raw_serve(struct raw_connection *c)
{
    for (;;) {
        size_t whole = raw_whole(c->request, c->len);
        if (whole != 0) {
            if (!raw_handle(c, whole)) {
                return;
            }
            continue;
        }
        struct pollfd p = {.fd = c->fd, .events = POLLIN};
        while (SSL_pending(c->ssl) == 0 && poll(&p, 1, 20) == 0) {
            if (atomic_load(&c->server->stop)) {
                return;
            }
        }
        int n = SSL_read(c->ssl, c->request + c->len, (int)(RAW_REQUEST - 1 - c->len));
        if (n <= 0) {
            return;
        }
        c->len += (size_t)n;
        c->request[c->len] = '\0';
    }
}

static void *raw_connection_main(void *arg)
{
    struct raw_connection *c = arg;
    struct timeval limit = {.tv_sec = 10};
    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    c->request = calloc(1, RAW_REQUEST);
    c->ssl = SSL_new(c->server->context);
    SSL_set_fd(c->ssl, c->fd);
    if (SSL_accept(c->ssl) == 1) {
        if (SSL_session_reused(c->ssl)) {
            atomic_fetch_add(&c->server->resumed, 1);
        }
        raw_serve(c);
    }
    ERR_clear_error();
    SSL_free(c->ssl);
    close(c->fd);
    free(c->request);
    free(c);
    return NULL;
}

static void *raw_accept_main(void *arg)
{
    struct raw_server *server = arg;
    while (!atomic_load(&server->stop)) {
        struct pollfd p = {.fd = server->fd, .events = POLLIN};
        if (poll(&p, 1, 20) <= 0) {
            continue;
        }
        struct raw_connection *c = calloc(1, sizeof *c);
        c->server = server;
        c->fd = accept(server->fd, NULL, NULL);
        unsigned number = atomic_load(&server->connections) + 1;
        c->number = number;
        if (c->fd < 0 || number > RAW_THREADS ||
            pthread_create(&server->threads[number - 1], NULL, raw_connection_main, c) != 0) {
            abort();
        }
        atomic_store(&server->connections, number); /* c belongs to its thread by now */
    }
    return NULL;
}

/* cert: NAME of certs.h. clients: a client certificate is demanded. */
static UNUSED struct raw_server *raw_start(struct certs *certs, const char *cert, bool clients)
{
    struct raw_server *server = calloc(1, sizeof *server);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    char name[64];
    server->context = SSL_CTX_new(TLS_server_method());
    snprintf(name, sizeof name, "%s.pem", cert);
    SSL_CTX_use_certificate_chain_file(server->context, cert_path(certs, name));
    snprintf(name, sizeof name, "%s.key", cert);
    SSL_CTX_use_PrivateKey_file(server->context, cert_path(certs, name), SSL_FILETYPE_PEM);
    if (clients) {
        SSL_CTX_load_verify_file(server->context, cert_path(certs, "ca.pem"));
        SSL_CTX_set_verify(server->context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           NULL);
        SSL_CTX_set_session_id_context(server->context, (const unsigned char *)"raw", 3);
    }
    pthread_mutex_init(&server->lock, NULL);
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server->fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(server->fd, 64) != 0 ||
        getsockname(server->fd, (struct sockaddr *)&at, &len) != 0 ||
        pthread_create(&server->acceptor, NULL, raw_accept_main, server) != 0) {
        abort();
    }
    server->port = ntohs(at.sin_port);
    return server;
}

static UNUSED void raw_stop(struct raw_server *server)
{
    atomic_store(&server->stop, true);
    pthread_join(server->acceptor, NULL);
    for (unsigned i = 0; i < atomic_load(&server->connections); i++) {
        pthread_join(server->threads[i], NULL);
    }
    close(server->fd);
    SSL_CTX_free(server->context);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

/* How many requests with this line it received whole. */
static UNUSED unsigned raw_count(struct raw_server *server, const char *line)
{
    unsigned count = 0;
    pthread_mutex_lock(&server->lock);
    for (unsigned i = 0; i < server->note_count && i < RAW_NOTES; i++) {
        count += strcmp(server->notes[i].line, line) == 0;
    }
    pthread_mutex_unlock(&server->lock);
    return count;
}

static UNUSED struct raw_note raw_note(struct raw_server *server, unsigned index)
{
    pthread_mutex_lock(&server->lock);
    struct raw_note note = server->notes[index];
    pthread_mutex_unlock(&server->lock);
    return note;
}

#endif
