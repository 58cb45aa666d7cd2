/*
 * Requests and replies as blocks of memory that can go from thread to thread. Private to
 * gateway/http.
 */
#ifndef GATEWAY_HTTP_SERVER_MESSAGE_H
#define GATEWAY_HTTP_SERVER_MESSAGE_H

#include "gateway/http/server.h"

/*
 * Copies all but the body, for which *body_out has body_len bytes (and a NUL behind them) to be
 * filled. id, method and peer are the caller's to set. NULL: no memory. Caller destroys by
 * server_request_destroy().
 */
struct server_request *request_create(struct slice target, const struct http_header *headers,
                                      size_t count, struct slice remote, size_t body_len,
                                      char **body_out);

struct reply_node {
    struct reply_node *next;
    uint64_t id;
    struct server_reply reply; /* its slices are NUL-terminated, and live as long as the node */
};

/* NULL: no memory. Caller frees, by free(). */
struct reply_node *reply_copy(uint64_t id, const struct server_reply *reply);

#endif
