#include "gateway/http/server.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <openssl/ssl.h>

#include "gateway/base/failpoint.h"
#include "gateway/http/server_conn.h"
#include "gateway/http/server_message.h"
#include "gateway/http/server_socket.h"

enum { LISTENERS = 8, HEADERS_MAX = 100 };

/* A request that was handed over; outlives its connection when the client goes away first. */
struct waiting {
    struct evhttp_request *req; /* NULL: the slot is free */
    uint32_t generation;        /* upper half of the id, so that a late reply finds nobody */
    uint32_t next_free;
};

struct server {
    struct server_config config;
    struct evhttp *http;
    struct evbuffer *scratch;
    struct evhttp_bound_socket *listeners[LISTENERS];
    unsigned listener_count;
    bool paused; /* listeners are disabled: no room, or no file descriptor */
    int ssl_index;
    struct conn_list conns;
    struct loop_event *tick;
    struct waiting *waiting;
    uint32_t first_free;
    struct server_load load;

    bool draining;
    int64_t drain_deadline_us;
    void (*drained)(void *arg, bool clean);
    void *drained_arg;
    struct loop_job check_drained;

    struct loop_job send_replies;
    pthread_mutex_t lock; /* over what is below */
    struct reply_node *first_reply;
    struct reply_node *last_reply;
    bool replies_posted; /* send_replies() will run and take them */
};

static const uint32_t no_slot = UINT32_MAX;

/* ---- connections ---- */

static void cut(struct server *server, struct conn *conn, enum guard guard)
{
    if (conn->state != CONN_CUT) {
        server->load.refused[guard]++;
        conn_enter(conn, CONN_CUT);
        /* evhttp sees the end and frees the connection in its own time. */
        shutdown(bufferevent_getfd(conn->owner), SHUT_RDWR);
    }
}

static struct server *server_of(const struct conn *conn)
{
    return (struct server *)(void *)((char *)conn->list - offsetof(struct server, conns));
}

static void pause_listeners(struct server *server, enum guard guard)
{
    server->load.refused[guard]++;
    if (!server->paused) {
        server->paused = true;
        LOG(server->config.log, LOG_WARNING, "listening-paused", LOG_TEXT(GUARD, guard_name(guard)),
            LOG_NUMBER(COUNT, server->conns.count));
        for (unsigned i = 0; i < server->listener_count; i++) {
            evconnlistener_disable(evhttp_bound_socket_get_listener(server->listeners[i]));
        }
    }
}

/* Also wakes listeners that on_accept_error() stopped. */
static void resume_listeners(struct server *server)
{
    if (server->conns.count < server->config.limits.max_connections) {
        if (server->paused) {
            LOG(server->config.log, LOG_INFO, "listening-resumed",
                LOG_NUMBER(COUNT, server->conns.count));
        }
        server->paused = false;
        for (unsigned i = 0; i < server->listener_count; i++) {
            evconnlistener_enable(evhttp_bound_socket_get_listener(server->listeners[i]));
        }
    }
}

/* Every new byte of a connection passes here before evhttp reads it. */
static void on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
    struct conn *conn = arg;
    if (conn->list == NULL || info->n_added == 0) {
        return;
    }
    struct server *server = server_of(conn);
    size_t length = evbuffer_get_length(input);
    if (conn->scan.state != HEAD_DONE) {
        struct evbuffer_ptr from;
        struct evbuffer_iovec part[4];
        evbuffer_ptr_set(input, &from, length - info->n_added, EVBUFFER_PTR_SET);
        int parts = evbuffer_peek(input, -1, &from, part, 4);
        for (int i = 0; i < parts && i < 4; i++) {
            head_scan_feed(&conn->scan, slice_from(part[i].iov_base, part[i].iov_len));
        }
        if (parts > 4) { /* cannot be: one read fills at most two chains */
            conn->scan.fault = GUARD_CONTROL;
        }
    }
    if (conn_count(conn, info->n_added, length)) {
        cut(server, conn, GUARD_HELD_BYTES);
    }
    while (server->conns.held > server->config.limits.max_held) {
        struct conn *greediest = conn_greediest(&server->conns);
        if (greediest == NULL) {
            break;
        }
        cut(server, greediest, GUARD_HELD_BYTES);
        conn_count_again(greediest, 0);
    }
    errno = 0; /* for on_output() */
}

/* OpenSSL frees the connection's SSL: the last sign of its life. */
static void on_ssl_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int index, long argl,
                        void *argp)
{
    (void)parent;
    (void)ad;
    (void)index;
    (void)argl;
    (void)argp;
    struct conn *conn = ptr;
    if (conn == NULL) {
        return;
    }
    struct server *server = conn->list != NULL ? server_of(conn) : NULL;
    conn_remove(conn);
    free(conn);
    if (server != NULL) {
        resume_listeners(server);
        if (server->draining) {
            loop_post(server->config.loop, &server->check_drained);
        }
    }
}

/* evhttp takes a head that it has no memory for, for one that it cannot read, and answers 400 by
 * itself, on which a sender would give up. on_input() cleared errno. */
static void on_output(struct evbuffer *output, const struct evbuffer_cb_info *info, void *arg)
{
    (void)output;
    struct conn *conn = arg;
    if (conn->list != NULL && info->n_added != 0 && conn->state == CONN_READING &&
        errno == ENOMEM) {
        cut(server_of(conn), conn, GUARD_MEMORY);
    }
}

/* NULL: no memory. */
static struct bufferevent *make_connection(struct server *server, struct event_base *base,
                                           struct conn **conn_out)
{
    SSL *ssl = FAILPOINT(SERVER_TLS_NEW) ? NULL : SSL_new(tls_server_context(server->config.tls));
    struct conn *conn = calloc(1, sizeof *conn);
    if (ssl == NULL || conn == NULL || SSL_set_ex_data(ssl, server->ssl_index, conn) != 1) {
        free(conn);
        SSL_free(ssl);
        return NULL;
    }
    struct bufferevent *bev = bufferevent_openssl_socket_new(
        base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
    if (bev == NULL) {
        return NULL; /* libevent does not say whose the ssl is now: it is left where it is */
    }
    if (evbuffer_add_cb(bufferevent_get_input(bev), on_input, conn) == NULL ||
        evbuffer_add_cb(bufferevent_get_output(bev), on_output, conn) == NULL) {
        bufferevent_free(bev); /* and with it the ssl and conn */
        return NULL;
    }
    *conn_out = conn;
    return bev;
}

/* G2: given NULL, evhttp would go on in plain text on this port. Rather wait for memory, about a
 * second, and then end the process. */
static struct bufferevent *must_make_connection(struct server *server, struct event_base *base,
                                                struct conn **conn_out)
{
    enum { TRIES_MOST = 10 };
    for (unsigned tries = 0; tries < TRIES_MOST; tries++) {
        struct bufferevent *bev = make_connection(server, base, conn_out);
        if (bev != NULL) {
            return bev;
        }
        struct timespec wait = {.tv_nsec = (1L << tries) * 1000000};
        nanosleep(&wait, NULL);
    }
    fputs("eplan: no memory for a TLS connection\n", stderr);
    abort();
}

static struct bufferevent *on_accept(struct event_base *base, void *arg)
{
    struct server *server = arg;
    struct conn *conn;
    struct bufferevent *bev = must_make_connection(server, base, &conn);
    bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
    conn_add(&server->conns, conn, bev);
    server->load.accepted++;
    /* G4 */
    if (server->conns.count >= server->config.limits.max_connections) {
        struct conn *idle = conn_longest_idle(&server->conns);
        if (idle != NULL) {
            cut(server, idle, GUARD_CONNECTIONS);
        }
        pause_listeners(server, GUARD_CONNECTIONS);
    }
    return bev;
}

/* No descriptor for a connection that waits. The listener would spin; on_tick() looks again. (This
 * callback gets evhttp's argument, not ours.) */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
    (void)arg;
    evconnlistener_disable(listener);
}

/* Is there a file descriptor for one more connection? If not, an idle one has to go. */
static bool has_descriptor(struct server *server)
{
    if (server->listener_count == 0) {
        return true;
    }
    int probe = fcntl(evhttp_bound_socket_get_fd(server->listeners[0]), F_DUPFD_CLOEXEC, 0);
    if (probe >= 0) {
        close(probe);
        return true;
    }
    struct conn *idle = conn_longest_idle(&server->conns);
    if (idle != NULL) {
        cut(server, idle, GUARD_FILES);
    }
    pause_listeners(server, GUARD_FILES);
    return false;
}

static struct conn *conn_of(const struct server *server, struct evhttp_request *req)
{
    struct evhttp_connection *evcon = evhttp_request_get_connection(req);
    if (evcon == NULL) {
        return NULL; /* the client has gone */
    }
    return SSL_get_ex_data(bufferevent_openssl_get_ssl(evhttp_connection_get_bufferevent(evcon)),
                           server->ssl_index);
}

static void check_drained(void *arg)
{
    struct server *server = arg;
    bool late = clock_monotonic(server->config.clock) >= server->drain_deadline_us;
    void (*drained)(void *, bool) = server->drained;
    if (drained != NULL && (server->conns.count == 0 || late)) {
        server->drained = NULL;
        for (struct conn *conn = server->conns.first; conn != NULL; conn = conn->next) {
            cut(server, conn, GUARD_REPLY_TIME);
        }
        drained(server->drained_arg, server->conns.count == 0);
    }
}

/* G3: absolute deadlines. */
static void on_tick(void *arg)
{
    struct server *server = arg;
    int64_t now = clock_monotonic(server->config.clock);
    for (struct conn *conn = server->conns.first; conn != NULL; conn = conn->next) {
        if (conn->state == CONN_HANDSHAKE &&
            SSL_is_init_finished(bufferevent_openssl_get_ssl(conn->owner))) {
            conn_enter(conn, CONN_IDLE);
        }
        enum guard guard = conn_overdue(conn, now);
        if (guard != GUARD_NONE || (server->draining && conn->state == CONN_IDLE)) {
            cut(server, conn, guard);
        }
    }
    if (has_descriptor(server)) {
        resume_listeners(server);
    }
    if (server->draining) {
        check_drained(server);
    }
}

/* ---- requests ---- */

static bool read_method(struct evhttp_request *req, enum http_method *method_out)
{
    static const struct {
        enum evhttp_cmd_type theirs;
        enum http_method ours;
    } rows[] = {
        {EVHTTP_REQ_GET, HTTP_GET},         {EVHTTP_REQ_HEAD, HTTP_HEAD},
        {EVHTTP_REQ_POST, HTTP_POST},       {EVHTTP_REQ_PUT, HTTP_PUT},
        {EVHTTP_REQ_PATCH, HTTP_PATCH},     {EVHTTP_REQ_DELETE, HTTP_DELETE},
        {EVHTTP_REQ_OPTIONS, HTTP_OPTIONS},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].theirs == evhttp_request_get_command(req)) {
            *method_out = rows[i].ours;
            return true;
        }
    }
    return false;
}

/* The headers as slices of evhttp's own text. SIZE_MAX: more than HEADERS_MAX. */
static size_t list_headers(struct evhttp_request *req, struct http_header *headers)
{
    size_t count = 0;
    struct evkeyval *pair;
    TAILQ_FOREACH(pair, evhttp_request_get_input_headers(req), next)
    {
        if (count == HEADERS_MAX) {
            return SIZE_MAX;
        }
        headers[count++] =
            (struct http_header){.name = slice_of(pair->key), .value = slice_of(pair->value)};
    }
    return count;
}

static void send_now(struct conn *conn, struct evhttp_request *req, int status, const char *phrase,
                     struct evbuffer *body);

/* G5 and the rest: what the sender did wrong, in one sentence, and the end of the connection. */
static void refuse(struct server *server, struct conn *conn, struct evhttp_request *req,
                   enum guard guard)
{
    int status = guard_status(guard);
    server->load.refused[guard]++;
    LOG(server->config.log, LOG_DEBUG, "request-refused", LOG_TEXT(GUARD, guard_name(guard)),
        LOG_NUMBER(STATUS, status));
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
    conn->last = true; /* evhttp keeps a connection open on which it saw an absolute URI */
    evhttp_add_header(headers, "Connection", "close");
    char text[SERVER_REFUSAL_MAX];
    bool own = server->config.refusal != NULL;
    int len = own ? (int)server->config.refusal(guard, text, sizeof text)
                  : snprintf(text, sizeof text, "%s\n", guard_sentence(guard));
    evhttp_add_header(headers, "Content-Type",
                      own ? server->config.refusal_type : "text/plain; charset=utf-8");
    if (status == 503) {
        evhttp_add_header(headers, "Retry-After", "1");
    }
    evbuffer_add(server->scratch, text, (size_t)len);
    send_now(conn, req, status, http_status_phrase(status), server->scratch);
}

static uint32_t take_slot(struct server *server, struct evhttp_request *req)
{
    uint32_t slot = server->first_free;
    if (slot != no_slot) {
        server->first_free = server->waiting[slot].next_free;
        server->waiting[slot].req = req;
        server->waiting[slot].generation++;
        server->load.waiting++;
    }
    return slot;
}

static void give_slot(struct server *server, uint32_t slot)
{
    server->waiting[slot].req = NULL;
    server->waiting[slot].next_free = server->first_free;
    server->first_free = slot;
    server->load.waiting--;
}

static void hand_over(struct server *server, struct conn *conn, struct evhttp_request *req,
                      enum http_method method, const struct http_header *headers, size_t count)
{
    char *remote = NULL;
    ev_uint16_t port = 0;
    evhttp_connection_get_peer(evhttp_request_get_connection(req), &remote, &port);
    uint32_t slot = take_slot(server, req);
    if (slot == no_slot) {
        refuse(server, conn, req, GUARD_BUSY);
        return;
    }
    struct evbuffer *input = evhttp_request_get_input_buffer(req);
    char *body = NULL;
    struct server_request *request =
        request_create(slice_of(evhttp_request_get_uri(req)), headers, count, slice_of(remote),
                       evbuffer_get_length(input), &body);
    if (request == NULL) {
        give_slot(server, slot);
        refuse(server, conn, req, GUARD_MEMORY);
        return;
    }
    evbuffer_remove(input, body, request->body.len);
    if (!conn->peer_known) {
        conn->peer = tls_peer_create(bufferevent_openssl_get_ssl(conn->owner));
        conn->peer_known = true;
    }
    request->id = (uint64_t)server->waiting[slot].generation << 32 | slot;
    request->method = method;
    request->peer = tls_peer_keep(conn->peer);
    server->load.requests++;
    server->config.handler(server->config.handler_arg, request);
}

/* A whole request has arrived. */
static void on_request(struct evhttp_request *req, void *arg)
{
    struct server *server = arg;
    struct conn *conn = conn_of(server, req);
    struct evbuffer *input = bufferevent_get_input(conn->owner);
    size_t behind = evbuffer_get_length(input);
    enum guard guard = conn->scan.fault;
    if (conn->state != CONN_CUT) {
        conn_enter(conn, CONN_ANSWERING);
    }
    conn_count_again(conn, behind);
    conn->scan = (struct head_scan){.fault = guard};
    if (behind != 0) { /* the client did not wait for the reply */
        head_scan_feed(&conn->scan, slice_from((char *)evbuffer_pullup(input, -1), behind));
    }
    struct http_header headers[HEADERS_MAX];
    size_t count = list_headers(req, headers);
    enum http_method method;
    if (guard == GUARD_NONE && count == SIZE_MAX) {
        guard = GUARD_HEADER_COUNT;
    }
    if (guard == GUARD_NONE) {
        const struct head head = {.is_http_1_0 = req->major == 1 && req->minor == 0,
                                  .target = slice_of(evhttp_request_get_uri(req)),
                                  .headers = headers,
                                  .header_count = count};
        guard = head_check(&head);
    }
    if (guard == GUARD_NONE && evbuffer_get_length(evhttp_request_get_input_buffer(req)) >
                                   server->config.limits.max_body) {
        guard = GUARD_BODY;
    }
    if (guard == GUARD_NONE && !read_method(req, &method)) {
        guard = GUARD_METHOD;
    }
    if (guard != GUARD_NONE) {
        refuse(server, conn, req, guard);
        return;
    }
    hand_over(server, conn, req, method, headers, count);
}

/* ---- replies ---- */

/* The client took all of it. */
static void on_sent(struct evhttp_request *req, void *arg)
{
    (void)req;
    struct conn *conn = arg;
    struct server *server = server_of(conn);
    size_t buffered = evbuffer_get_length(bufferevent_get_input(conn->owner));
    server->load.replies++;
    (void)FAILPOINT(SERVER_AFTER_REPLY);
    if (conn->last) {
        cut(server, conn, GUARD_NONE);
    } else if (conn->state != CONN_CUT) {
        conn_enter(conn, buffered != 0 ? CONN_READING : CONN_IDLE);
    }
}

static void send_now(struct conn *conn, struct evhttp_request *req, int status, const char *phrase,
                     struct evbuffer *body)
{
    if (conn->state != CONN_CUT) {
        conn_enter(conn, CONN_WRITING);
    }
    evhttp_request_set_on_complete_cb(req, on_sent, conn);
    if (evhttp_request_get_command(req) == EVHTTP_REQ_HEAD) {
        char length[24];
        snprintf(length, sizeof length, "%zu", evbuffer_get_length(body));
        evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Length", length);
        evbuffer_drain(body, evbuffer_get_length(body));
    }
    evhttp_send_reply(req, status, phrase, body);
}

static void send_reply(struct server *server, const struct reply_node *node)
{
    uint32_t slot = (uint32_t)node->id;
    if (slot >= server->config.limits.max_waiting || server->waiting[slot].req == NULL ||
        server->waiting[slot].generation != node->id >> 32) {
        return;
    }
    struct evhttp_request *req = server->waiting[slot].req;
    give_slot(server, slot);
    struct conn *conn = conn_of(server, req);
    if (conn == NULL) {
        evhttp_request_free(req);
        return;
    }
    if (FAILPOINT(SERVER_BEFORE_REPLY)) {
        cut(server, conn, GUARD_NONE);
    }
    const struct server_reply *reply = &node->reply;
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
    bool whole = evbuffer_add(server->scratch, reply->body.at, reply->body.len) == 0;
    for (size_t i = 0; whole && i < reply->header_count; i++) {
        const struct http_header *header = &reply->headers[i];
        whole = evhttp_add_header(headers, header->name.at, header->value.at) == 0;
    }
    if (reply->close || server->draining) {
        whole = evhttp_add_header(headers, "Connection", "close") == 0 && whole;
    }
    if (!whole) { /* no memory: no reply rather than half of one */
        cut(server, conn, GUARD_NONE);
    }
    send_now(conn, req, reply->status, http_status_phrase(reply->status), server->scratch);
}

static struct reply_node *take_replies(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    struct reply_node *nodes = server->first_reply;
    server->first_reply = NULL;
    server->last_reply = NULL;
    server->replies_posted = false;
    pthread_mutex_unlock(&server->lock);
    return nodes;
}

static void send_replies(void *arg)
{
    struct server *server = arg;
    struct reply_node *node = take_replies(server);
    while (node != NULL) {
        struct reply_node *next = node->next;
        send_reply(server, node);
        free(node);
        node = next;
    }
}

enum status server_reply(struct server *server, uint64_t id, const struct server_reply *reply)
{
    struct reply_node *node = reply_copy(id, reply);
    if (node == NULL) {
        loop_post(server->config.loop, &server->send_replies); /* for those before it */
        return STATUS_NO_MEMORY;
    }
    pthread_mutex_lock(&server->lock);
    if (server->first_reply == NULL) {
        server->first_reply = node;
    } else {
        server->last_reply->next = node;
    }
    server->last_reply = node;
    bool post = !reply->more && !server->replies_posted;
    server->replies_posted = server->replies_posted || post;
    pthread_mutex_unlock(&server->lock);
    if (post) {
        loop_post(server->config.loop, &server->send_replies);
    }
    return STATUS_OK;
}

/* ---- life ---- */

static void set_up_http(struct server *server)
{
    const struct server_limits *limits = &server->config.limits;
    evhttp_set_bevcb(server->http, on_accept, server);
    evhttp_set_gencb(server->http, on_request, server);
    /* G6 */
    evhttp_set_max_headers_size(server->http, (ev_ssize_t)limits->max_head);
    evhttp_set_max_body_size(server->http, (ev_ssize_t)(limits->max_body + CONN_BODY_EXTRA));
    /* A body that is too long is read to its end (thrown away, within request_ms), so that the
     * sender gets the 413 and not a reset. */
    evhttp_set_flags(server->http, EVHTTP_SERVER_LINGERING_CLOSE);
    evhttp_set_default_content_type(server->http, NULL);
    evhttp_set_allowed_methods(server->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST |
                                                 EVHTTP_REQ_PUT | EVHTTP_REQ_PATCH |
                                                 EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS);
    /* evhttp's own time-outs stay out of the way of the deadlines here. */
    evhttp_set_timeout(server->http, 24 * 3600);
}

enum status server_create(const struct server_config *config, struct server **server_out)
{
    struct server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        return STATUS_NO_MEMORY;
    }
    server->config = *config;
    server->conns.limits = &server->config.limits;
    server->conns.clock = config->clock;
    server->send_replies = (struct loop_job){.run = send_replies, .arg = server};
    server->check_drained = (struct loop_job){.run = check_drained, .arg = server};
    pthread_mutex_init(&server->lock, NULL);
    server->waiting = calloc(config->limits.max_waiting, sizeof *server->waiting);
    server->scratch = evbuffer_new();
    server->http = evhttp_new(loop_base(config->loop));
    server->tick = loop_timer_create(config->loop, on_tick, server);
    /* The index stays with the process: there is one per server ever made. */
    server->ssl_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, on_ssl_free);
    if (server->waiting == NULL || server->scratch == NULL || server->http == NULL ||
        server->tick == NULL || server->ssl_index < 0) {
        server_destroy(&server);
        return STATUS_NO_MEMORY;
    }
    for (uint32_t i = 0; i < config->limits.max_waiting; i++) {
        server->waiting[i].next_free = i + 1 < config->limits.max_waiting ? i + 1 : no_slot;
    }
    set_up_http(server);
    loop_timer_start(server->tick, conn_tick_ms(&config->limits), true);
    *server_out = server;
    return STATUS_OK;
}

enum status server_listen_fd(struct server *server, int fd, struct diag_list *diags)
{
    int on = 1;
    /* G1: accepted sockets inherit it; without it each reply waits for a delayed ACK. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    evutil_make_socket_nonblocking(fd);
    struct evhttp_bound_socket *bound = server->listener_count < LISTENERS
                                            ? evhttp_accept_socket_with_handle(server->http, fd)
                                            : NULL;
    if (bound == NULL) {
        diag_add(diags, DIAG_LISTEN, SPAN_NONE, "the listening socket cannot be used (at most %d)",
                 LISTENERS);
        return STATUS_IO;
    }
    evconnlistener_set_error_cb(evhttp_bound_socket_get_listener(bound), on_accept_error);
    server->listeners[server->listener_count++] = bound;
    return STATUS_OK;
}

enum status server_listen(struct server *server, const char *address, uint16_t port,
                          struct span span, struct diag_list *diags, uint16_t *port_out)
{
    uint16_t real = 0;
    int fd = socket_open(address, port, &real);
    if (fd < 0) {
        int error = errno;
        struct diag *diag =
            diag_add(diags, DIAG_LISTEN, span, "cannot listen on %s, port %u: %s", address,
                     (unsigned)port, error == EINVAL ? "not an address" : strerrordesc_np(error));
        diag_hint(diags, diag, "%s",
                  error == EADDRINUSE ? "another program has this port: stop it, or choose another"
                  : error == EACCES   ? "ports below 1024 need a privilege: choose one above"
                                      : "write a numeric address of this machine, as 127.0.0.1");
        return STATUS_IO;
    }
    enum status status = server_listen_fd(server, fd, diags);
    if (status != STATUS_OK) {
        close(fd);
        return status;
    }
    *port_out = real;
    return STATUS_OK;
}

/* G9: a disabled listener would still let the kernel accept. */
static void close_listeners(struct server *server)
{
    while (server->listener_count > 0) {
        evhttp_del_accept_socket(server->http, server->listeners[--server->listener_count]);
    }
}

void server_drain(struct server *server, unsigned limit_ms, void (*done)(void *arg, bool clean),
                  void *arg)
{
    server->draining = true;
    server->drained = done;
    server->drained_arg = arg;
    server->drain_deadline_us = clock_monotonic(server->config.clock) + (int64_t)limit_ms * 1000;
    close_listeners(server);
    for (struct conn *conn = server->conns.first; conn != NULL; conn = conn->next) {
        if (conn->state == CONN_IDLE || conn->state == CONN_HANDSHAKE) {
            cut(server, conn, GUARD_NONE);
        }
    }
    loop_post(server->config.loop, &server->check_drained);
}

/* Requests whose client has gone belong to nobody else; the others go with their connections. */
static void free_waiting(struct server *server)
{
    for (uint32_t i = 0; server->waiting != NULL && i < server->config.limits.max_waiting; i++) {
        struct evhttp_request *req = server->waiting[i].req;
        if (req != NULL && evhttp_request_get_connection(req) == NULL) {
            evhttp_request_free(req);
        }
    }
}

void server_destroy(struct server **server)
{
    if (server == NULL || *server == NULL) {
        return;
    }
    struct server *s = *server;
    loop_event_destroy(&s->tick);
    loop_withdraw(s->config.loop, &s->send_replies);
    loop_withdraw(s->config.loop, &s->check_drained);
    for (struct reply_node *node = take_replies(s), *next; node != NULL; node = next) {
        next = node->next;
        free(node);
    }
    free_waiting(s);
    /* Their memory goes when libevent frees them, at the next turn of the loop or with it. */
    while (s->conns.first != NULL) {
        conn_remove(s->conns.first);
    }
    if (s->http != NULL) {
        evhttp_free(s->http);
    }
    if (s->scratch != NULL) {
        evbuffer_free(s->scratch);
    }
    pthread_mutex_destroy(&s->lock);
    free(s->waiting);
    free(s);
    *server = NULL;
}

struct server_load server_load(const struct server *server)
{
    struct server_load load = server->load;
    load.connections = server->conns.count;
    load.held = server->conns.held;
    return load;
}
