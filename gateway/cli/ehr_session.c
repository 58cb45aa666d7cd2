#include "gateway/cli/ehr_session.h"

#include "gateway/http/client.h"

enum { SESSION_ITEMS = 16, SESSION_BYTES = 64 * 1024 * 1024, DRAIN_MS = 1000 };

static const char *const default_config = "/etc/eplan/gateway.yaml";

struct ehr_session {
    struct cli *cli;
    const struct config *config;
    const struct config_ehr *ehr_config;
    struct clock clock;
    struct random random;
    struct loop *loop;
    struct pool *pool;
    struct http_client *client;
    struct ehr *ehr;
    struct loop_job wake;
    struct ehr_answer *answer; /* of the call that is waited for */
    struct arena *kept;        /* where it lives */
};

/* ---- life ---- */

static void stop_loop(void *arg)
{
    loop_stop(((struct ehr_session *)arg)->loop);
}

static void keep_arena(void *arg)
{
    struct arena *arena = arg;
    arena_destroy(&arena);
}

static void close_session(void *arg)
{
    struct ehr_session *s = arg;
    if (s->ehr != NULL) {
        ehr_stop(s->ehr);
    }
    if (s->client != NULL) {
        http_client_drain(s->client, DRAIN_MS);
    }
    if (s->pool != NULL) {
        pool_drain(s->pool, DRAIN_MS);
        pool_destroy(&s->pool);
    }
    ehr_destroy(&s->ehr);
    http_client_destroy(&s->client);
    loop_destroy(&s->loop);
}

static enum status open_parts(struct ehr_session *s, struct diag_list *diags)
{
    struct pool_config pool = {1, SESSION_ITEMS, SESSION_BYTES};
    struct http_client_config client = {
        .clock = &s->clock, .max_items = SESSION_ITEMS, .max_bytes = SESSION_BYTES};
    loop_library_init();
    enum status status = http_client_library_init();
    s->loop = status == STATUS_OK ? loop_create() : NULL;
    if (s->loop == NULL) {
        return STATUS_NO_MEMORY;
    }
    status = pool_create(&pool, &s->pool);
    if (status == STATUS_OK) {
        status = http_client_create(&client, &s->client);
    }
    struct ehr_options options = {.config = s->ehr_config,
                                  .loop = s->loop,
                                  .pool = s->pool,
                                  .client = s->client,
                                  .clock = &s->clock,
                                  .random = &s->random};
    if (status == STATUS_OK) {
        status = ehr_create(&options, diags, &s->ehr);
    }
    return status;
}

int ehr_session_open(struct cli *cli, const char *config, const char *ehr,
                     struct ehr_session **session_out)
{
    struct diag_list diags;
    struct config_options options = {.check_files = false};
    struct ehr_session *s = ARENA_NEW(cli->arena, struct ehr_session);
    const char *path = config != NULL ? config : default_config;
    diag_init(&diags, cli->arena, LIMITS_DEFAULT.diagnostics);
    s->cli = cli;
    s->clock = clock_system;
    s->random = random_system;
    s->wake = (struct loop_job){.run = stop_loop, .arg = s};
    if (config_load(cli->arena, slice_of(path), &options, &diags, &s->config) != STATUS_OK) {
        cli_print_diags(cli, &diags);
        return EXIT_UNREADABLE;
    }
    s->ehr_config = config_find_ehr(s->config, slice_of(ehr));
    if (s->ehr_config == NULL) {
        cli_print_diags(cli, &diags);
        fprintf(cli->err, "%s: there is no EHR \"%s\"\n", path, ehr);
        return EXIT_UNREADABLE;
    }
    arena_defer(cli->arena, close_session, s);
    enum status status = open_parts(s, &diags);
    if (status != STATUS_OK) {
        cli_print_diags(cli, &diags);
        fprintf(cli->err, "the EHR \"%s\" cannot be asked: %s\n", ehr, status_name(status));
        return status == STATUS_NO_MEMORY ? EXIT_FAULT : EXIT_UNREADABLE;
    }
    ehr_start(s->ehr);
    *session_out = s;
    return EXIT_DONE;
}

const struct config *ehr_session_config(const struct ehr_session *session)
{
    return session->config;
}

const struct config_ehr *ehr_session_ehr(const struct ehr_session *session)
{
    return session->ehr_config;
}

/* ---- one call ---- */

static void answered(struct ehr_answer *answer, void *arg)
{
    struct ehr_session *s = arg;
    struct arena *arena = ehr_answer_keep(answer);
    struct ehr_answer *kept = ARENA_NEW(arena, struct ehr_answer);
    *kept = *answer;
    s->answer = kept;
    s->kept = arena;
    loop_post(s->loop, &s->wake);
}

const struct ehr_answer *ehr_session_ask(struct ehr_session *s, const struct ehr_request *request)
{
    s->answer = NULL;
    if (ehr_call(s->ehr, request, answered, s) != STATUS_OK || loop_run(s->loop) != STATUS_OK) {
        return NULL;
    }
    if (s->answer != NULL) {
        arena_defer(s->cli->arena, keep_arena, s->kept);
    }
    return s->answer;
}
