/*
 * A request of the HTTP client on its way, and its result: memory and bookkeeping, no library.
 * Private to gateway/http.
 */
#ifndef GATEWAY_HTTP_CLIENT_JOB_H
#define GATEWAY_HTTP_CLIENT_JOB_H

#include "gateway/http/client.h"

/* DETAIL_SIZE: what libcurl asks of an error buffer. */
enum { REPLY_HEAD_MAX = 64 * 1024, DETAIL_MAX = 240, DETAIL_SIZE = 256 };

/* Text of one kept header, within result_block.text. */
struct kept_header {
    uint32_t at;
    uint32_t len;
    bool set;
};

struct result_block {
    struct http_result public; /* first member */
    char *body;
    size_t body_len;
    size_t body_cap;
    char *text; /* of the kept headers */
    size_t text_len;
    size_t text_cap;
    struct kept_header kept[REPLY_HEADERS];
    char detail[DETAIL_SIZE];
};

struct job {
    struct job *next;
    struct http_site *site;
    struct http_request request; /* its slices are copies, NUL-terminated, in this block */
    http_done_fn *done;
    void *arg;
    int64_t start_us;    /* monotonic */
    int64_t deadline_us; /* monotonic */
    struct result_block *result;
    size_t given;          /* bytes of the body that libcurl took */
    size_t head_seen;      /* bytes of reply heads */
    enum http_error error; /* found by a callback; NONE: libcurl's code tells */
    void *handle;          /* libcurl's, while in flight */
    void *header_list;     /* libcurl's */
};

/* Copies the request. NULL: no memory. */
struct job *job_create(const struct http_request *request);
/* Frees the result too, if it is still there. Accepts NULL. */
void job_destroy(struct job *job);

/* Characters that would break the request's form: a header injected through a value. */
bool request_is_clean(const struct http_request *request);

/* False: no memory, or over the ceiling (job->error tells). */
bool result_add_body(struct job *job, struct slice bytes);
/* One line of the reply's head, with its line end. False as above. */
bool result_add_header(struct job *job, struct slice line);

/* Sets what the caller of done sees: slices, times, and a detail made printable. */
void result_finish(struct result_block *result, struct slice detail);

/*
 * The rule of outcomes, in one place. `failed`: no whole reply came. A request with a body was not
 * sent while none of its body was; one without body while none of its head was. Everything else is
 * unknown: the server may have acted on what it got.
 */
enum http_outcome outcome_of(bool failed, size_t body_len, size_t body_given, size_t head_sent);

#endif
