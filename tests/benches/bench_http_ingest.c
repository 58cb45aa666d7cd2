// uses: gateway/http gateway/base fhir/base
// packages: eplan::sqlite Threads::Threads
/*
 * The same work as bench_bare_ingest, through gateway/http: what its guards, copies and hand-over
 * cost, before there is any FHIR.
 *   bench_http_ingest CERTIFICATE KEY DATABASE READY-FILE       until SIGTERM
 */
#include <signal.h>

#include "gateway/http/server.h"
#include "ingest_rows.h"

struct bench {
    struct loop *loop;
    struct server *server;
    struct rows rows;
};

static void on_request(void *arg, struct server_request *request)
{
    struct bench *bench = arg;
    struct row *row = malloc(sizeof *row + request->body.len);
    rows_must(row != NULL, "malloc");
    row->id = request->id;
    row->len = request->body.len;
    memcpy(row->body, request->body.at, request->body.len);
    server_request_destroy(request);
    rows_add(&bench->rows, row);
}

static void on_committed(void *arg, struct row *list)
{
    struct bench *bench = arg;
    const struct server_reply reply = {.status = 202};
    for (struct row *next; list != NULL; list = next) {
        next = list->next;
        rows_must(server_reply(bench->server, list->id, &reply) == STATUS_OK, "replying");
        free(list);
    }
}

static void on_term(void *arg)
{
    loop_stop(((struct bench *)arg)->loop);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    struct tls_server *tls = NULL;
    struct diag_list diags;
    uint16_t port = 0;
    if (argc != 5) {
        fprintf(stderr, "usage: %s CERTIFICATE KEY DATABASE READY-FILE\n", argv[0]);
        return 64;
    }
    loop_library_init();
    struct arena *arena = arena_create(0);
    diag_init(&diags, arena, 5);
    bench.loop = loop_create();
    rows_open(&bench.rows, argv[3], on_committed, &bench);
    const struct tls_server_config files = {.cert_file = argv[1], .key_file = argv[2]};
    rows_must(tls_server_create(&files, &clock_system, &diags, &tls) == STATUS_OK, "TLS");
    const struct server_config config = {.loop = bench.loop,
                                         .clock = &clock_system,
                                         .tls = tls,
                                         .limits = SERVER_LIMITS_DEFAULT,
                                         .handler = on_request,
                                         .handler_arg = &bench};
    rows_must(server_create(&config, &bench.server) == STATUS_OK &&
                  server_listen(bench.server, "127.0.0.1", 0, SPAN_NONE, &diags, &port) ==
                      STATUS_OK,
              "listening");
    struct loop_event *term = loop_signal_create(bench.loop, SIGTERM, on_term, &bench);
    rows_say_ready(argv[4], port);
    loop_run(bench.loop);
    rows_close(&bench.rows);
    loop_event_destroy(&term);
    server_destroy(&bench.server);
    tls_server_destroy(&tls);
    loop_destroy(&bench.loop);
    arena_destroy(&arena);
    return 0;
}
