/*
 * The HTTPS server: libevent's evhttp over OpenSSL behind an interface of ours, so that another
 * parser can take its place. It hands each whole request to one function on the loop's thread and
 * takes the reply later, from any thread, by the request's id. It parses no body. What it refuses
 * by itself stands in guards.def; ceilings and absolute deadlines are in struct server_limits.
 * Plain HTTP is never served. Tests: tests/unit/gateway/http/test_server*.c (also under TSan).
 */
#ifndef GATEWAY_HTTP_SERVER_H
#define GATEWAY_HTTP_SERVER_H

#include <stdint.h>

#include "fhir/base/diag.h"
#include "fhir/base/status.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/http/guard.h"
#include "gateway/http/http.h"
#include "gateway/http/tls.h"

struct server;

struct server_limits {
    size_t max_head;          /* bytes of request line and headers */
    size_t max_body;          /* bytes; a body that is larger is read to its end and refused */
    size_t max_held;          /* bytes of unfinished requests of all connections together */
    unsigned max_connections; /* further ones wait in the kernel; idle ones make room */
    unsigned max_waiting;     /* requests handed over and not yet answered; beyond it 503 */
    unsigned handshake_ms;    /* from accept to the end of the TLS handshake */
    unsigned idle_ms;         /* between requests */
    unsigned request_ms;      /* from a request's first byte to its last */
    unsigned reply_ms;        /* from its last byte to server_reply() */
    unsigned write_ms;        /* from server_reply() until the client took all of it */
};

#define SERVER_LIMITS_DEFAULT                                                                      \
    ((struct server_limits){.max_head = (size_t)16 * 1024,                                         \
                            .max_body = (size_t)4 * 1024 * 1024,                                   \
                            .max_held = (size_t)64 * 1024 * 1024,                                  \
                            .max_connections = 512,                                                \
                            .max_waiting = 1024,                                                   \
                            .handshake_ms = 5000,                                                  \
                            .idle_ms = 60000,                                                      \
                            .request_ms = 30000,                                                   \
                            .reply_ms = 60000,                                                     \
                            .write_ms = 30000})

/* One whole request. One block of memory: all slices live as long as the request. */
struct server_request {
    uint64_t id; /* for server_reply(); unique while the process lives */
    enum http_method method;
    struct slice path;                 /* as sent, without the query; begins with '/' */
    struct slice query;                /* behind '?'; empty when there is none */
    struct slice body;                 /* NUL-terminated behind its end */
    const struct http_header *headers; /* as sent, in order */
    size_t header_count;
    const struct tls_peer *peer; /* verified certificate; NULL: the client showed none */
    struct slice remote;         /* numeric address of the client */
    size_t bytes;                /* memory the request holds: for the ceiling of a queue */
};

/* SLICE_NONE when there is none; the first when there are more. */
struct slice server_request_header(const struct server_request *request, struct slice name);

/* Any thread. Accepts NULL. */
void server_request_destroy(struct server_request *request);

/*
 * Called on the loop's thread; must not block. Takes the request: it is answered exactly once by
 * server_reply(), at once or later, and destroyed by whoever holds it.
 */
typedef void server_handler_fn(void *arg, struct server_request *request);

/*
 * The body of a refusal, as the gateway's callers want it: writes it to out and returns its length,
 * less than `size`.
 */
typedef size_t server_refusal_fn(enum guard guard, char *out, size_t size);
enum { SERVER_REFUSAL_MAX = 2048 };

struct server_config {
    struct loop *loop;            /* borrowed; outlives the server */
    const struct clock *clock;    /* borrowed; monotonic time for deadlines */
    const struct tls_server *tls; /* borrowed; its context is read at each connection */
    struct log *log;              /* borrowed, may be NULL */
    struct server_limits limits;
    server_handler_fn *handler;
    void *handler_arg;
    server_refusal_fn *refusal; /* NULL: the guard's sentence as plain text */
    const char *refusal_type;   /* Content-Type of what refusal writes */
};

/* On the loop's thread, as all calls but server_reply(). STATUS_NO_MEMORY. Caller destroys. */
enum status server_create(const struct server_config *config, struct server **server_out);

/*
 * Binds a numeric address ("127.0.0.1", "::1", "0.0.0.0"); port 0: the kernel chooses. May be
 * called more than once. STATUS_IO: diags says why. *port_out: the real port.
 */
enum status server_listen(struct server *server, const char *address, uint16_t port,
                          struct span span, struct diag_list *diags, uint16_t *port_out);

/* A socket that already listens (systemd's socket activation); the server closes it. */
enum status server_listen_fd(struct server *server, int fd, struct diag_list *diags);

struct server_reply {
    int status;
    const struct http_header *headers; /* without Content-Length, Connection and Date */
    size_t header_count;
    struct slice body; /* empty: no body, and no Content-Type is made up */
    bool close;        /* end the connection behind it */
    bool more; /* the same thread replies again at once: the loop is woken by the last of them */
};

/*
 * Answers a request, from any thread. All is copied before it returns. A client that has gone
 * meanwhile is no error; an id that is unknown or already answered is ignored. STATUS_NO_MEMORY:
 * nothing will be sent, and the connection ends at its deadline.
 */
enum status server_reply(struct server *server, uint64_t id, const struct server_reply *reply);

/*
 * Takes no more connections (the listening sockets are closed, so that the kernel refuses instead
 * of queueing), ends idle ones, answers what is under way with Connection: close, and calls done
 * once: when no connection is left (true) or after limit_ms, when it cut the rest (false).
 */
void server_drain(struct server *server, unsigned limit_ms, void (*done)(void *arg, bool clean),
                  void *arg);

/* Cuts all connections. No thread may call server_reply() any more. Accepts NULL. */
void server_destroy(struct server **server);

struct server_load {
    unsigned connections;
    unsigned waiting;         /* requests handed over and not answered */
    size_t held;              /* bytes of unfinished requests */
    uint64_t accepted;        /* connections since the start */
    uint64_t requests;        /* handed over since the start */
    uint64_t replies;         /* sent whole since the start */
    uint64_t refused[GUARDS]; /* by guard since the start */
};
struct server_load server_load(const struct server *server);

#endif
