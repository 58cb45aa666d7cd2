#include "gateway/daemon/daemon.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/admin/opening.h"
#include "gateway/base/failpoint.h"
#include "gateway/daemon/life.h"
#include "gateway/daemon/parts.h"

enum { DIAGS_MOST = 400, DIAG_ARENA = 16 * 1024 * 1024, STEPS_MOST = 64 * PIPELINE_STEPS_MOST };

/* ---- the surroundings: clock, random bytes, libraries ---- */

/*
 * Work comes and goes by arenas of a few hundred KiB: memory that goes back to the kernel with each
 * of them costs more than the work itself. What each thread may keep is little, and they share two
 * heaps: a piece of work begins on one thread and ends on another, and with a heap for each thread
 * every one of them grew to what all work at once needs.
 */
static void keep_memory(void)
{
    enum { KEPT = 1024 * 1024, HEAPS = 2 };
    mallopt(M_ARENA_MAX, HEAPS);
    mallopt(M_TRIM_THRESHOLD, KEPT);
    mallopt(M_MMAP_THRESHOLD, KEPT);
}

static void use_surroundings(struct daemon *daemon)
{
    keep_memory();
    daemon->clock = clock_system;
    daemon->random = random_system;
#ifdef EPLAN_SEAMS
    char *shift = getenv("EPLAN_CLOCK_FILE");
    if (shift != NULL) {
        daemon->clock = clock_shifted(shift);
    }
#endif
}

static enum daemon_end check_surroundings(FILE *err)
{
    if (geteuid() == 0) {
        fputs("eplan run: refuses to run as root\n"
              "  hint: start it as a user of its own, as the systemd unit does\n",
              err);
        return DAEMON_ROOT;
    }
#ifdef EPLAN_SEAMS
    if (!failpoint_plan_from_environment()) {
        fputs("eplan run: EPLAN_FAILPOINTS is not a plan\n", err);
        return DAEMON_MISTAKES;
    }
#endif
    loop_library_init();
    return http_client_library_init() == STATUS_OK ? DAEMON_STOPPED : DAEMON_FAULT;
}

/* ---- parts that live as long as the process serves ---- */

enum log_level daemon_log_level(const struct config *config)
{
    static const enum log_level levels[] = {[LEVEL_ERROR] = LOG_ERROR,
                                            [LEVEL_WARNING] = LOG_WARNING,
                                            [LEVEL_INFO] = LOG_INFO,
                                            [LEVEL_DEBUG] = LOG_DEBUG};
    return levels[config->gateway.log_level];
}

static enum status open_log(struct daemon *daemon, const struct config *config)
{
    struct log_config options = {.clock = &daemon->clock,
                                 .level = daemon_log_level(config),
                                 .audience = LOG_OPERATOR,
                                 .journal = getenv("JOURNAL_STREAM") != NULL,
                                 .sink = log_to_fd,
                                 .sink_arg = log_fd_arg(STDERR_FILENO)};
    daemon->log = log_create(&options);
    return daemon->log != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static void flush_log(void *arg)
{
    log_flush(arg);
}

/* Requests wait in the first, answers of EHRs in the second; the third never refuses a step. */
static enum status open_pools(struct daemon *daemon, const struct config_gateway *gateway)
{
    unsigned threads = (unsigned)gateway->pool_threads;
    struct pool_config receive = {threads, gateway->queue_items, gateway->queue_bytes};
    struct pool_config steps = {threads, STEPS_MOST, SIZE_MAX};
    struct pool_config answers = {threads, gateway->queue_items, gateway->queue_bytes};
    daemon->hasher = hasher_create();
    enum status status =
        daemon->hasher != NULL ? pool_create(&receive, &daemon->receive_pool) : STATUS_NO_MEMORY;
    if (status == STATUS_OK) {
        status = pool_create(&steps, &daemon->step_pool);
    }
    return status == STATUS_OK ? pool_create(&answers, &daemon->answer_pool) : status;
}

static enum status open_client(struct daemon *daemon, const struct config_gateway *gateway)
{
    struct http_client_config options = {
        .clock = &daemon->clock, .max_items = 1024, .max_bytes = gateway->queue_bytes};
    return http_client_create(&options, &daemon->client);
}

static const char *or_none(struct slice path)
{
    return path.len != 0 ? path.at : NULL;
}

enum status daemon_tls(struct daemon *daemon, const struct config_gateway *gateway,
                       struct diag_list *diags)
{
    static const enum tls_clients clients[] = {[CLIENT_CERTIFICATE_NONE] = TLS_CLIENTS_NONE,
                                               [CLIENT_CERTIFICATE_OPTIONAL] = TLS_CLIENTS_OPTIONAL,
                                               [CLIENT_CERTIFICATE_REQUIRED] =
                                                   TLS_CLIENTS_REQUIRED};
    struct tls_server_config options = {.cert_file = gateway->tls.certificate_file.at,
                                        .key_file = gateway->tls.key_file.at,
                                        .clients = clients[gateway->tls.client_certificate],
                                        .client_ca_file = or_none(gateway->tls.client_ca_file)};
    if (options.client_ca_file == NULL) {
        options.clients = TLS_CLIENTS_NONE; /* nobody could be verified */
    }
    return daemon->tls == NULL ? tls_server_create(&options, &daemon->clock, diags, &daemon->tls)
                               : tls_server_reload(daemon->tls, &options, diags);
}

static void handle_request(void *arg, struct server_request *request)
{
    struct daemon *daemon = arg;
    if (receive_owns(request->path)) {
        receive_handle(daemon->current->receive, request);
        return;
    }
    if (slice_is(request->path, "/metrics")) {
        scrape_handle(daemon, request);
        return;
    }
    struct server_reply reply = {.status = 404};
    server_reply(daemon->server, request->id, &reply);
    server_request_destroy(request);
}

static enum status open_server(struct daemon *daemon, const struct config_gateway *gateway,
                               struct diag_list *diags)
{
    struct server_config options = {.loop = daemon->loop,
                                    .clock = &daemon->clock,
                                    .tls = daemon->tls,
                                    .log = daemon->log,
                                    .limits = SERVER_LIMITS_DEFAULT,
                                    .handler = handle_request,
                                    .handler_arg = daemon};
    options.limits.max_head = gateway->limits.header_bytes;
    options.limits.max_body = gateway->limits.body_bytes;
    options.limits.max_connections = (unsigned)gateway->limits.connections;
    options.limits.handshake_ms = (unsigned)gateway->limits.handshake_ms;
    options.limits.request_ms = (unsigned)gateway->limits.request_ms;
    options.limits.reply_ms = (unsigned)gateway->limits.request_ms;
    options.limits.write_ms = (unsigned)gateway->limits.request_ms;
    options.limits.idle_ms = (unsigned)gateway->limits.idle_ms;
    enum status status = server_create(&options, &daemon->server);
    return status == STATUS_OK
               ? server_listen(daemon->server, gateway->listen.address.at,
                               (uint16_t)gateway->listen.port, SPAN_NONE, diags, &daemon->port)
               : status;
}

/*
 * From the bottom up. Requests are answered only once the loop runs, and by then all is there; the
 * store has recovered before anything that works on it is made.
 */
static enum status open_parts(struct daemon *daemon, struct diag_list *diags)
{
    const struct config_gateway *gateway = &daemon->current->config->gateway;
    enum status status = open_log(daemon, daemon->current->config);
    if (status == STATUS_OK) {
        status = opening_store(daemon->current->config, &daemon->clock, &daemon->random, diags,
                               &daemon->keys, &daemon->store);
    }
    if (status == STATUS_OK) {
        daemon->loop = loop_create();
        daemon->flush_log = (struct loop_job){.run = flush_log, .arg = daemon->log};
        status = daemon->loop != NULL ? open_pools(daemon, gateway) : STATUS_NO_MEMORY;
    }
    if (status == STATUS_OK) {
        status = open_client(daemon, gateway);
    }
    if (status == STATUS_OK) {
        status = daemon_tls(daemon, gateway, diags);
    }
    if (status == STATUS_OK) {
        status = open_server(daemon, gateway, diags);
    }
    if (status == STATUS_OK) {
        status = generation_build(daemon->current, false, diags);
    }
    return status == STATUS_OK ? life_prepare(daemon, diags) : status;
}

/* From the top down; whatever was not made is skipped. */
static void close_parts(struct daemon *daemon)
{
    admin_destroy(&daemon->admin);
    life_clear(daemon);
    if (daemon->server != NULL) {
        server_destroy(&daemon->server);
    }
    if (daemon->client != NULL) {
        http_client_drain(daemon->client, 0);
    }
    pool_destroy(&daemon->receive_pool);
    pool_destroy(&daemon->answer_pool);
    pool_destroy(&daemon->step_pool);
    hasher_destroy(&daemon->hasher);
    while (daemon->retired != NULL) {
        struct generation *generation = daemon->retired;
        daemon->retired = generation->next;
        generation_destroy(&generation);
    }
    generation_destroy(&daemon->current);
    http_client_destroy(&daemon->client);
    tls_server_destroy(&daemon->tls);
    store_close(&daemon->store);
    keyring_destroy(&daemon->keys);
    loop_destroy(&daemon->loop);
    log_destroy(&daemon->log);
}

/* ---- the whole ---- */

static enum daemon_end end_of(enum status status)
{
    return status == STATUS_NO_MEMORY || status == STATUS_LIMIT ? DAEMON_FAULT
           : status == STATUS_IO                                ? DAEMON_UNREADABLE
                                                                : DAEMON_MISTAKES;
}

static void print_diags(FILE *err, struct diag_list *diags)
{
    struct buf text;
    buf_init(&text, diags->arena, DIAG_ARENA / 4);
    diag_render_all(diags, &text);
    fwrite(text.at, 1, text.len, err);
    fflush(err);
}

struct starting {
    struct daemon *daemon;
    struct diag_list diags;
    enum status status;
};

static enum status start_run(void *arg)
{
    struct starting *starting = arg;
    struct daemon *daemon = starting->daemon;
    starting->status = generation_read(daemon, &starting->diags, &daemon->current);
    if (starting->status == STATUS_OK) {
        starting->status = open_parts(daemon, &starting->diags);
    }
    print_diags(daemon->err, &starting->diags);
    return starting->status;
}

static enum status start(struct daemon *daemon)
{
    struct starting starting = {.daemon = daemon};
    struct arena *arena = arena_create(DIAG_ARENA);
    if (arena == NULL) {
        return STATUS_NO_MEMORY;
    }
    diag_init(&starting.diags, arena, DIAGS_MOST);
    enum status status = arena_run(arena, start_run, &starting);
    arena_destroy(&arena);
    return status;
}

enum daemon_end daemon_run(struct slice config_path, FILE *err)
{
    enum daemon_end end = check_surroundings(err);
    struct daemon daemon = {.config_path = config_path, .err = err, .stop.clean = true};
    if (end != DAEMON_STOPPED) {
        return end;
    }
    use_surroundings(&daemon);
    pthread_mutex_init(&daemon.lock, NULL);
    enum status status = start(&daemon);
    if (status == STATUS_OK) {
        end = life_serve(&daemon);
    } else {
        end = end_of(status);
        fprintf(err, "eplan run: did not start\n");
    }
    close_parts(&daemon);
    pthread_mutex_destroy(&daemon.lock);
    return end;
}
