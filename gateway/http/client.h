/*
 * The HTTP client: libcurl's multi interface in a thread of its own. A request is handed over with
 * a function that gets its result; nobody waits. What a write that broke off has done is never
 * guessed: the outcome says whether the server can have got it, and libcurl has no means to send a
 * body a second time by itself. https only, no redirect is followed, no proxy is taken from the
 * environment. Tests: tests/unit/gateway/http/test_client*.c (also under TSan).
 */
#ifndef GATEWAY_HTTP_CLIENT_H
#define GATEWAY_HTTP_CLIENT_H

#include <stdint.h>

#include "fhir/base/diag.h"
#include "fhir/base/status.h"
#include "gateway/base/clock.h"
#include "gateway/http/http.h"
#include "gateway/http/tls.h"

struct http_client;
struct http_site;

enum http_outcome {
    HTTP_DONE,     /* status and whole body have come */
    HTTP_NOT_SENT, /* the server has not got the request (or not its body): it may be sent again */
    HTTP_UNKNOWN   /* it may have: look before sending again. For a safe method: no answer came. */
};

enum http_error {
#define CLIENT_ERROR(id, name, advice) HTTP_ERROR_##id,
#include "gateway/http/client_errors.def"
#undef CLIENT_ERROR
    HTTP_ERRORS
};

enum reply_header {
#define REPLY_HEADER(id, name, meaning) REPLY_##id,
#include "gateway/http/reply_headers.def"
#undef REPLY_HEADER
    REPLY_HEADERS
};

const char *http_outcome_name(enum http_outcome outcome); /* "not-sent" */
const char *http_error_name(enum http_error error);       /* "certificate" */
const char *http_error_advice(enum http_error error);

struct http_result {
    uint64_t id;
    enum http_outcome outcome;
    enum http_error error; /* NONE with HTTP_DONE */
    int status;            /* 0: no final status line came; may stand beside an error */
    struct slice header[REPLY_HEADERS]; /* as sent, the first of its name; at == NULL: absent */
    struct slice body;                  /* decoded from gzip; with an error: what had come */
    struct slice detail;  /* what libcurl or OpenSSL says, printable ASCII; may be empty */
    int64_t duration_us;  /* from http_client_send() */
    int64_t ended_utc_us; /* our clock, when it ended: for a Retry-After without Date */
};

/* Any thread. Accepts NULL. */
void http_result_destroy(struct http_result *result);

/* Called once per accepted request, on the client's thread: must not block. Takes the result. */
typedef void http_done_fn(void *arg, struct http_result *result);

/* Once per process, before any thread. STATUS_NO_MEMORY. */
enum status http_client_library_init(void);

struct http_client_config {
    const struct clock *clock; /* borrowed */
    size_t max_items;          /* requests accepted and not yet ended */
    size_t max_bytes;          /* of their bodies */
};

/* STATUS_NO_MEMORY. Caller destroys. */
enum status http_client_create(const struct http_client_config *config,
                               struct http_client **client_out);

/* ---- sites: one per EHR or token server ---- */

struct http_site_config {
    struct slice base;            /* https URL; requests go to its scheme, host and port alone */
    struct tls_client_config tls; /* files are read at each new connection: renewals take effect */
    const char *pinned_key;       /* "sha256//BASE64" of the server's key; NULL: none */
    unsigned connect_ms;          /* name, connection and handshake together */
    unsigned max_in_flight;       /* requests at a time; the others wait in order */
    bool http2;                   /* offer HTTP/2 */
    /* False: this address is not talked to. NULL: all are. Called before anything is sent. */
    bool (*address_allowed)(void *arg, const char *address);
    void *address_arg;
#ifdef EPLAN_SEAMS
    const char
        *connect_to; /* "HOST:PORT:ADDRESS:PORT": where to connect instead; NULL: nowhere else */
#endif
};

/* Copies the configuration. STATUS_INVALID: diags says what is wrong with base or files. */
enum status http_site_create(struct http_client *client, const struct http_site_config *config,
                             struct diag_list *diags, struct http_site **site_out);

/* Requests under way go on. Accepts NULL. Any thread; before http_client_destroy(). */
void http_site_destroy(struct http_site **site);

/* ---- requests ---- */

struct http_request {
    enum http_method method;
    struct slice url;                  /* https, of the site's scheme, host and port; no userinfo */
    const struct http_header *headers; /* Authorization, Accept, Content-Type, If-Match ... */
    size_t header_count;
    struct slice body;
    unsigned deadline_ms; /* from now to the last byte of the reply, waiting in line included */
    size_t max_reply;     /* bytes of body, decoded */
};

/*
 * All is copied. STATUS_AGAIN: max_items or max_bytes reached. STATUS_REFUSED: draining, or the URL
 * is not of the site. STATUS_INVALID: URL or a header has characters that do not belong there. In
 * all these cases done is not called. *id_out may be NULL. Any thread.
 */
enum status http_client_send(struct http_client *client, struct http_site *site,
                             const struct http_request *request, http_done_fn *done, void *arg,
                             uint64_t *id_out);

/* Ends it soon, with HTTP_ERROR_CANCELLED and the outcome that is then true. Unknown ids are
 * ignored. Any thread. */
void http_client_cancel(struct http_client *client, uint64_t id);

/* Accepts no more and waits: STATUS_OK: all ended by themselves; STATUS_AGAIN: some were cancelled
 * after timeout_ms. Afterwards every done has returned. Not from done. */
enum status http_client_drain(struct http_client *client, unsigned timeout_ms);

/* Drains without waiting. All sites must be destroyed. Accepts NULL. Not from done. */
void http_client_destroy(struct http_client **client);

struct http_client_load {
    size_t items;     /* accepted and not ended */
    size_t bytes;     /* of their bodies */
    size_t in_flight; /* of them with libcurl */
};
struct http_client_load http_client_load(struct http_client *client);

#endif
