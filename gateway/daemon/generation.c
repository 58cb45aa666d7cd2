#include <stdlib.h>

#include "gateway/daemon/parts.h"

enum { GENERATION_ARENA = 256 * 1024 * 1024 };

/* ---- what inbound asks and tells ---- */

static bool starts(void *arg, const struct config_ehr *ehr, const struct json *resource)
{
    (void)ehr;
    return mapping_starts(((struct generation *)arg)->mapping.mapping, resource);
}

static void accepted(void *arg, const struct config_ehr *ehr, struct uuid message)
{
    struct generation *generation = arg;
    char id[UUID_TEXT_SIZE];
    uuid_write(message, id);
    const struct log_item items[] = {LOG_SLICE(EHR, ehr->name), LOG_TEXT(MESSAGE, id)};
    log_later(generation->daemon->log, LOG_INFO, "message-stored", items, 2);
}

static void settled(void *arg)
{
    struct generation *generation = arg;
    loop_post(generation->daemon->loop, &generation->daemon->flush_log);
    pipeline_wake(generation->pipeline);
}

static void poll_due(void *arg, const struct config_ehr *ehr)
{
    struct generation *generation = arg;
    for (size_t i = 0; i < generation->link_count; i++) {
        if (generation->links[i].config == ehr) {
            poller_nudge(generation->links[i].poller);
        }
    }
}

struct inbound_host link_host(struct generation *generation)
{
    struct daemon *daemon = generation->daemon;
    return (struct inbound_host){.loop = daemon->loop,
                                 .pool = daemon->receive_pool,
                                 .store = daemon->store,
                                 .clock = &daemon->clock,
                                 .hasher = daemon->hasher,
                                 .log = daemon->log,
                                 .starts = starts,
                                 .accepted = accepted,
                                 .settled = settled,
                                 .poll_due = poll_due,
                                 .arg = generation};
}

/* ---- reading ---- */

struct making {
    struct generation *generation;
    bool strict;
    struct diag_list *diags;
};

static enum status read_all(void *arg)
{
    struct making *making = arg;
    struct generation *generation = making->generation;
    struct config_options options = {.check_files = true};
    enum status status = config_load(generation->arena, generation->daemon->config_path, &options,
                                     making->diags, &generation->config);
    return status == STATUS_OK ? active_load(generation->arena, generation->config, making->diags,
                                             &generation->mapping)
                               : status;
}

enum status generation_read(struct daemon *daemon, struct diag_list *diags,
                            struct generation **generation_out)
{
    struct generation *generation = calloc(1, sizeof *generation);
    if (generation == NULL) {
        return STATUS_NO_MEMORY;
    }
    generation->daemon = daemon;
    generation->arena = arena_create(GENERATION_ARENA);
    *generation_out = generation;
    struct making making = {.generation = generation, .diags = diags};
    return generation->arena != NULL ? arena_run(generation->arena, read_all, &making)
                                     : STATUS_NO_MEMORY;
}

/* ---- building ---- */

static enum status take_reply(void *arg, uint64_t request, const struct server_reply *reply)
{
    return server_reply(((struct daemon *)arg)->server, request, reply);
}

/* Where the port is the kernel's choice, so is that of the URL: "https://127.0.0.1:0". */
static struct slice public_url(const struct generation *generation)
{
    struct slice url = generation->config->gateway.listen.public_url;
    if (slice_ends_with(url, SLICE(":0"))) {
        return arena_printf(generation->arena, "%.*s%u",
                            SLICE_ARGS(slice_part(url, 0, url.len - 1)),
                            (unsigned)generation->daemon->port);
    }
    return url;
}

/* One EHR that cannot be used does not stop the others. */
static void add_link(struct making *making, const struct config_ehr *config)
{
    struct generation *generation = making->generation;
    struct link *link = &generation->links[generation->link_count];
    *link = (struct link){.generation = generation};
    if (active_is_released(&generation->mapping, config, clock_utc(&generation->daemon->clock),
                           making->diags) &&
        link_build(link, config, making->diags) == STATUS_OK) {
        generation->ehrs[generation->link_count++] = link->ehr;
        return;
    }
    link_clear(link);
    struct diag *diag = diag_add(making->diags, DIAG_EHR_LEFT_OUT, SPAN_NONE,
                                 "the EHR \"%.*s\" is left out", SLICE_ARGS(config->name));
    diag_hint(making->diags, diag, "correct what is said above, then reload");
}

static enum status build_receive(struct making *making)
{
    struct generation *generation = making->generation;
    struct receive_options options = {.host = link_host(generation),
                                      .config = generation->config,
                                      .reply = take_reply,
                                      .reply_arg = generation->daemon};
    return receive_create(&options, making->diags, &generation->receive);
}

static enum status build_pipeline(struct generation *generation)
{
    struct daemon *daemon = generation->daemon;
    struct pipeline_options options = {.loop = daemon->loop,
                                       .pool = daemon->step_pool,
                                       .store = daemon->store,
                                       .clock = &daemon->clock,
                                       .random = &daemon->random,
                                       .log = daemon->log,
                                       .config = generation->config,
                                       .ehrs = generation->ehrs,
                                       .ehr_count = generation->link_count,
                                       .mapping = generation->mapping};
    return pipeline_create(&options, &generation->pipeline);
}

static enum status load_metrics_token(struct making *making)
{
    struct generation *generation = making->generation;
    struct slice file = generation->config->gateway.metrics.token_file;
    return file.len != 0 ? secret_load(arena_cstr(generation->arena, file), SPAN_NONE,
                                       making->diags, &generation->metrics_token)
                         : STATUS_OK;
}

static enum status build_all(void *arg)
{
    struct making *making = arg;
    struct generation *generation = making->generation;
    size_t count = generation->config->ehr_count;
    unsigned errors = making->diags->errors;
    generation->public_url = public_url(generation);
    generation->links = ARENA_ARRAY(generation->arena, count + 1, struct link);
    generation->ehrs = ARENA_ARRAY(generation->arena, count + 1, struct ehr *);
    for (size_t i = 0; i < count; i++) {
        add_link(making, &generation->config->ehrs[i]);
    }
    if (making->strict && making->diags->errors != errors) {
        return STATUS_INVALID;
    }
    if (count != 0 && generation->link_count == 0) {
        return STATUS_INVALID; /* nothing is left to work with */
    }
    enum status status = load_metrics_token(making);
    if (status == STATUS_OK) {
        status = build_receive(making);
    }
    return status == STATUS_OK ? build_pipeline(generation) : status;
}

enum status generation_build(struct generation *generation, bool strict, struct diag_list *diags)
{
    struct making making = {generation, strict, diags};
    return arena_run(generation->arena, build_all, &making);
}

/* ---- life ---- */

void generation_start(struct generation *generation)
{
    for (size_t i = 0; i < generation->link_count; i++) {
        link_start(&generation->links[i]);
    }
    pipeline_start(generation->pipeline);
}

void generation_stop(struct generation *generation)
{
    pipeline_stop(generation->pipeline);
    for (size_t i = 0; i < generation->link_count; i++) {
        link_stop(&generation->links[i]);
    }
}

size_t generation_work(struct generation *generation)
{
    size_t work = pipeline_busy(generation->pipeline) + receive_busy(generation->receive);
    for (size_t i = 0; i < generation->link_count; i++) {
        work += link_work(&generation->links[i]);
    }
    return work;
}

void generation_stop_calls(struct generation *generation)
{
    for (size_t i = 0; i < generation->link_count; i++) {
        ehr_stop(generation->ehrs[i]);
    }
}

size_t generation_calls(struct generation *generation)
{
    size_t calls = 0;
    for (size_t i = 0; i < generation->link_count; i++) {
        calls += ehr_busy(generation->ehrs[i]);
    }
    return calls;
}

void generation_destroy(struct generation **generation)
{
    struct generation *g = generation != NULL ? *generation : NULL;
    if (g == NULL) {
        return;
    }
    pipeline_destroy(&g->pipeline);
    receive_destroy(&g->receive);
    for (size_t i = 0; i < g->link_count; i++) {
        link_clear(&g->links[i]);
    }
    secret_destroy(&g->metrics_token);
    arena_destroy(&g->arena);
    free(g);
    *generation = NULL;
}
