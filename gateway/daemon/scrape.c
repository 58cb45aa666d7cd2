/* GET /metrics on the listener, for whoever knows the token that metrics.token-file names. */
#include <stdlib.h>

#include "gateway/admin/metrics.h"
#include "gateway/daemon/life.h"

struct scrape {
    struct daemon *daemon;
    struct server_request *request;
    struct arena *arena;
    struct slice text;
};

static void scrape_reply(struct scrape *scrape, int status)
{
    struct http_header type = {SLICE("Content-Type"), SLICE(METRICS_TYPE)};
    struct server_reply reply = {
        .status = status, .headers = &type, .header_count = 1, .body = scrape->text};
    server_reply(scrape->daemon->server, scrape->request->id, &reply);
    server_request_destroy(scrape->request);
    arena_destroy(&scrape->arena);
    free(scrape);
}

static enum status write_text(void *arg)
{
    struct scrape *scrape = arg;
    struct desk desk = life_desk(scrape->daemon);
    return metrics_write(&desk, scrape->arena, &scrape->text);
}

static void run(void *arg)
{
    struct scrape *scrape = arg;
    scrape_reply(scrape, arena_run(scrape->arena, write_text, scrape) == STATUS_OK ? 200 : 503);
}

static void drop(void *arg)
{
    scrape_reply(arg, 503);
}

void scrape_handle(struct daemon *daemon, struct server_request *request)
{
    const struct secret *token = daemon->current->metrics_token;
    struct scrape *scrape = calloc(1, sizeof *scrape);
    struct server_reply reply = {.status = 503};
    if (token == NULL) {
        reply.status = 404;
    } else if (request->method != HTTP_GET) {
        reply.status = 405;
    } else if (!secret_equal(token,
                             http_bearer(server_request_header(request, SLICE("Authorization"))))) {
        reply.status = 401;
    } else if (scrape != NULL) {
        *scrape = (struct scrape){
            .daemon = daemon, .request = request, .arena = arena_create(0), .text = SLICE_NONE};
        struct pool_job job = {run, drop, scrape, request->bytes};
        if (scrape->arena != NULL && pool_submit(daemon->receive_pool, &job) == STATUS_OK) {
            return;
        }
        arena_destroy(&scrape->arena);
    }
    free(scrape);
    server_reply(daemon->server, request->id, &reply);
    server_request_destroy(request);
}
