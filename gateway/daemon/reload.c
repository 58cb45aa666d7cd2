#include <stdlib.h>

#include "gateway/daemon/life.h"
#include "gateway/daemon/notify.h"

enum { RELOAD_ARENA = 16 * 1024 * 1024, RELOAD_DIAGS = 400 };

struct reloading {
    struct daemon *daemon;
    struct diag_list diags;
    struct generation *next;
};

/* What is read at start only must be as it was: half a change would be neither configuration. */
static enum status check_restart(struct reloading *reloading)
{
    struct config_texts differ = config_restart_differences(
        reloading->diags.arena, reloading->daemon->current->config, reloading->next->config);
    for (size_t i = 0; i < differ.count; i++) {
        struct diag *diag =
            diag_add(&reloading->diags, DIAG_CONFIG_CONFLICT, SPAN_NONE,
                     "%.*s: a change of this needs a restart", SLICE_ARGS(differ.at[i]));
        diag_hint(&reloading->diags, diag,
                  "restart the gateway, or put it back and reload for the rest");
    }
    return differ.count == 0 ? STATUS_OK : STATUS_INVALID;
}

static enum status reload_run(void *arg)
{
    struct reloading *reloading = arg;
    struct daemon *daemon = reloading->daemon;
    enum status status = generation_read(daemon, &reloading->diags, &reloading->next);
    if (status == STATUS_OK && reloading->diags.errors != 0) {
        status = STATUS_INVALID; /* an EHR's file that was good before would silently be left out */
    }
    if (status == STATUS_OK) {
        status = check_restart(reloading);
    }
    if (status == STATUS_OK) {
        status = generation_build(reloading->next, true, &reloading->diags);
    }
    return status == STATUS_OK
               ? daemon_tls(daemon, &reloading->next->config->gateway, &reloading->diags)
               : status;
}

static void take_over(struct daemon *daemon, struct generation *next)
{
    struct generation *last = daemon->current;
    log_set_level(daemon->log, daemon_log_level(next->config));
    next->taken_over = clock_utc(&daemon->clock);
    pthread_mutex_lock(&daemon->lock);
    daemon->current = next;
    daemon->refused.at = 0;
    daemon->refused.why[0] = '\0';
    pthread_mutex_unlock(&daemon->lock);
    last->next = daemon->retired;
    daemon->retired = last;
    generation_stop(last);
    generation_start(next);
}

/* For `eplan status`: the first mistake, where it is. */
static void remember_refusal(struct daemon *daemon, const struct diag_list *diags,
                             enum status status)
{
    char why[sizeof daemon->refused.why];
    const struct diag *diag = diags->first;
    while (diag != NULL && diag->severity != SEVERITY_ERROR && diag->next != NULL) {
        diag = diag->next;
    }
    if (diag == NULL) {
        snprintf(why, sizeof why, "%s", status_name(status));
    } else if (diag->span.source != NULL) {
        struct span span = span_outermost(diag->span);
        struct place place = span_place(span);
        snprintf(why, sizeof why, "%.*s:%u:%u: %.*s", SLICE_ARGS(span.source->name), place.line,
                 place.column, SLICE_ARGS(diag->sentence));
    } else {
        snprintf(why, sizeof why, "%.*s", SLICE_ARGS(diag->sentence));
    }
    pthread_mutex_lock(&daemon->lock);
    daemon->refused.at = clock_utc(&daemon->clock);
    memcpy(daemon->refused.why, why, sizeof why);
    pthread_mutex_unlock(&daemon->lock);
}

static void try_reload(struct reloading *reloading)
{
    struct daemon *daemon = reloading->daemon;
    enum status status = arena_run(reloading->diags.arena, reload_run, reloading);
    report_diags(daemon->log, "reload-diagnostic", &reloading->diags);
    if (status == STATUS_OK) {
        take_over(daemon, reloading->next);
        LOG(daemon->log, LOG_INFO, "reloaded", LOG_NUMBER(COUNT, daemon->current->link_count),
            LOG_SLICE(VERSION, mapping_version(daemon->current->mapping.mapping)));
        return;
    }
    remember_refusal(daemon, &reloading->diags, status); /* whose texts the generation holds */
    generation_destroy(&reloading->next);
    LOG(daemon->log, LOG_ERROR, "reload-refused", LOG_TEXT(CODE, status_name(status)),
        LOG_TEXT(ADVICE, "the gateway goes on as it was; correct what the lines above say"));
}

void reload(struct daemon *daemon)
{
    struct reloading reloading = {.daemon = daemon};
    struct arena *arena = arena_create(RELOAD_ARENA);
    char text[64];
    if (arena == NULL) {
        LOG(daemon->log, LOG_ERROR, "reload-refused",
            LOG_TEXT(CODE, status_name(STATUS_NO_MEMORY)));
        return;
    }
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld",
             (long long)clock_monotonic(&daemon->clock));
    notify_service_manager(text);
    diag_init(&reloading.diags, arena, RELOAD_DIAGS);
    try_reload(&reloading);
    arena_destroy(&arena);
    notify_service_manager("READY=1");
}
