#include "gateway/http/server_message.h"

#include <stdlib.h>

struct slice server_request_header(const struct server_request *request, struct slice name)
{
    const struct http_header *header =
        http_header_find(request->headers, request->header_count, name);
    return header != NULL ? header->value : SLICE_NONE;
}

void server_request_destroy(struct server_request *request)
{
    if (request != NULL) {
        tls_peer_release(request->peer);
        free(request);
    }
}

static struct slice copy_text(char **at, struct slice text)
{
    if (text.len != 0) {
        memcpy(*at, text.at, text.len);
    }
    struct slice copy = slice_from(*at, text.len);
    (*at)[text.len] = '\0';
    *at += text.len + 1;
    return copy;
}

struct server_request *request_create(struct slice target, const struct http_header *headers,
                                      size_t count, struct slice remote, size_t body_len,
                                      char **body_out)
{
    size_t size = sizeof(struct server_request) + count * sizeof *headers + target.len + 2 +
                  remote.len + 1 + body_len + 1;
    for (size_t i = 0; i < count; i++) {
        size += headers[i].name.len + headers[i].value.len + 2;
    }
    struct server_request *request = malloc(size);
    if (request == NULL) {
        return NULL;
    }
    struct http_header *own = (struct http_header *)(void *)(request + 1);
    char *at = (char *)(own + count);
    *request = (struct server_request){.headers = own, .header_count = count, .bytes = size};
    for (size_t i = 0; i < count; i++) {
        own[i].name = copy_text(&at, headers[i].name);
        own[i].value = copy_text(&at, headers[i].value);
    }
    struct slice path;
    slice_cut(&target, '?', &path);
    request->path = copy_text(&at, path);
    request->query = copy_text(&at, target);
    request->remote = copy_text(&at, remote);
    at[body_len] = '\0';
    request->body = slice_from(at, body_len);
    *body_out = at;
    return request;
}

struct reply_node *reply_copy(uint64_t id, const struct server_reply *reply)
{
    size_t size = sizeof(struct reply_node) + reply->header_count * sizeof *reply->headers +
                  reply->body.len + 1;
    for (size_t i = 0; i < reply->header_count; i++) {
        size += reply->headers[i].name.len + reply->headers[i].value.len + 2;
    }
    struct reply_node *node = malloc(size);
    if (node == NULL) {
        return NULL;
    }
    struct http_header *own = (struct http_header *)(void *)(node + 1);
    char *at = (char *)(own + reply->header_count);
    *node = (struct reply_node){.id = id, .reply = *reply};
    for (size_t i = 0; i < reply->header_count; i++) {
        own[i].name = copy_text(&at, reply->headers[i].name);
        own[i].value = copy_text(&at, reply->headers[i].value);
    }
    node->reply.headers = own;
    node->reply.body = copy_text(&at, reply->body);
    return node;
}
