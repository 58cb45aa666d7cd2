#include "gateway/daemon/life.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/daemon/notify.h"

enum {
    TICK_MS = 20,     /* while something ends */
    CUT_US = 5000000, /* after `drain`, for calls that were cut off to be recorded */
    RETAIN_FIRST_MS = 60 * 1000,
    RETAIN_MOST = 1000,
    MS = 1000,
};

static int64_t now(const struct daemon *daemon)
{
    return clock_monotonic(&daemon->clock);
}

/* ---- a stop ---- */

static size_t work(const struct daemon *daemon)
{
    size_t count = generation_work(daemon->current);
    for (struct generation *g = daemon->retired; g != NULL; g = g->next) {
        count += generation_work(g);
    }
    return count + (size_t)!daemon->stop.server_done;
}

static size_t calls(const struct daemon *daemon)
{
    size_t count = generation_calls(daemon->current);
    for (struct generation *g = daemon->retired; g != NULL; g = g->next) {
        count += generation_calls(g);
    }
    return count;
}

static void stop_calls(struct daemon *daemon)
{
    daemon->stop.stage = STOP_CALLS;
    generation_stop_calls(daemon->current);
    for (struct generation *g = daemon->retired; g != NULL; g = g->next) {
        generation_stop_calls(g);
    }
}

/* All calls end at once with what is then known of them; that is recorded, and the rest is the next
 * start's. */
static void cut_off(struct daemon *daemon)
{
    LOG(daemon->log, LOG_WARNING, "drain-cut-off", LOG_NUMBER(COUNT, work(daemon)));
    stop_calls(daemon);
    daemon->stop.stage = STOP_CUT;
    daemon->stop.clean = false;
    daemon->stop.until = now(daemon) + CUT_US;
    http_client_drain(daemon->client, 0);
}

static void step_stop(struct daemon *daemon)
{
    bool over = now(daemon) >= daemon->stop.until;
    if (daemon->stop.stage == STOP_WORK && work(daemon) == 0) {
        stop_calls(daemon);
    }
    enum stop_stage stage = daemon->stop.stage;
    if ((stage == STOP_CALLS && calls(daemon) == 0) ||
        (stage == STOP_CUT && (work(daemon) + calls(daemon) == 0 || over))) {
        loop_stop(daemon->loop);
    } else if (stage != STOP_CUT && over) {
        cut_off(daemon);
    }
}

static void server_done(void *arg, bool clean)
{
    struct daemon *daemon = arg;
    (void)clean; /* a client that was cut off got no answer, so nothing was promised to it */
    daemon->stop.server_done = true;
}

static void begin_stop(struct daemon *daemon, const char *signal_name)
{
    uint64_t drain_ms = daemon->current->config->gateway.drain_ms;
    if (daemon->stop.stage != STOP_NOT) {
        return;
    }
    notify_service_manager("STOPPING=1");
    LOG(daemon->log, LOG_INFO, "stopping", LOG_TEXT(SIGNAL, signal_name));
    daemon->stop.stage = STOP_WORK;
    daemon->stop.until = now(daemon) + (int64_t)drain_ms * MS;
    receive_pause(daemon->current->receive, true);
    generation_stop(daemon->current);
    server_drain(daemon->server, (unsigned)drain_ms, server_done, daemon);
    loop_timer_start(daemon->tick, TICK_MS, true);
}

static void on_terminate(void *arg)
{
    begin_stop(arg, "SIGTERM");
}

static void on_interrupt(void *arg)
{
    begin_stop(arg, "SIGINT");
}

static void on_hangup(void *arg)
{
    struct daemon *daemon = arg;
    if (daemon->stop.stage == STOP_NOT) {
        reload(daemon);
        loop_timer_start(daemon->tick, TICK_MS, true);
    }
}

/* ---- what ends beside the present generation ---- */

static bool is_over(struct generation *generation)
{
    if (generation_work(generation) != 0) {
        return false;
    }
    generation_stop_calls(generation);
    return generation_calls(generation) == 0;
}

static void bury_retired(struct daemon *daemon)
{
    for (struct generation **at = &daemon->retired; *at != NULL;) {
        struct generation *generation = *at;
        if (is_over(generation)) {
            *at = generation->next;
            generation_destroy(&generation);
        } else {
            at = &generation->next;
        }
    }
}

static void on_tick(void *arg)
{
    struct daemon *daemon = arg;
    if (daemon->stop.stage != STOP_NOT) {
        step_stop(daemon);
        return;
    }
    bury_retired(daemon);
    if (daemon->retired == NULL) {
        loop_timer_stop(daemon->tick);
    }
}

/* ---- retention ---- */

struct retaining {
    struct daemon *daemon;
    struct store_retain tx;
    size_t removed; /* in all */
};

static void retained(struct store_tx *tx, void *arg);

static void retain_some(struct retaining *retaining)
{
    if (store_submit(retaining->daemon->store, &retaining->tx.tx, retained, retaining) !=
        STATUS_OK) {
        free(retaining); /* it comes again with the timer */
    }
}

/* As long as there is something, a bounded piece at a time: other work goes in between. */
static void retained(struct store_tx *tx, void *arg)
{
    struct retaining *retaining = arg;
    size_t removed = tx->status == STATUS_OK ? retaining->tx.out.removed : 0;
    retaining->removed += removed;
    if (removed != 0) {
        retain_some(retaining);
        return;
    }
    if (retaining->removed != 0) {
        LOG(retaining->daemon->log, LOG_INFO, "retention-removed",
            LOG_NUMBER(COUNT, retaining->removed));
    }
    free(retaining);
}

static void on_retain(void *arg)
{
    struct daemon *daemon = arg;
    const struct config_gateway *gateway = &daemon->current->config->gateway;
    struct retaining *retaining = calloc(1, sizeof *retaining);
    loop_timer_start(daemon->retain, gateway->retention.every_ms, false);
    if (retaining == NULL) {
        return;
    }
    int64_t utc = clock_utc(&daemon->clock);
    retaining->daemon = daemon;
    retaining->tx = (struct store_retain)STORE_TX(RETAIN);
    retaining->tx.in.done_before = utc - (int64_t)gateway->retention.done_ms * MS;
    retaining->tx.in.handed_over_before = utc - (int64_t)gateway->retention.handed_over_ms * MS;
    retaining->tx.in.most = RETAIN_MOST;
    retain_some(retaining);
}

/* ---- the control socket's questions ---- */

static void each_ehr(void *arg, admin_each *each, void *to)
{
    struct daemon *daemon = arg;
    pthread_mutex_lock(&daemon->lock);
    const struct generation *generation = daemon->current;
    for (size_t i = 0; i < generation->link_count; i++) {
        struct ehr_health health = ehr_health(generation->ehrs[i]);
        each(to, generation->links[i].config, &health);
    }
    pthread_mutex_unlock(&daemon->lock);
}

static void cut(struct slice text, char *out, size_t room)
{
    snprintf(out, room, "%.*s", SLICE_ARGS(slice_part(text, 0, room - 1)));
}

static struct desk_work work_of(void *arg)
{
    struct daemon *daemon = arg;
    struct desk_work work = {.loaded = 0};
    pthread_mutex_lock(&daemon->lock);
    const struct active_mapping *active = &daemon->current->mapping;
    cut(mapping_name(active->mapping), work.mapping, sizeof work.mapping);
    cut(mapping_version(active->mapping), work.version, sizeof work.version);
    cut(slice_part(active->hash, 0, 12), work.hash, sizeof work.hash);
    work.loaded = daemon->current->taken_over;
    work.refused = daemon->refused.at;
    memcpy(work.refused_why, daemon->refused.why, sizeof work.refused_why);
    pthread_mutex_unlock(&daemon->lock);
    return work;
}

static void woken(void *arg)
{
    struct daemon *daemon = arg;
    pthread_mutex_lock(&daemon->lock);
    pipeline_wake(daemon->current->pipeline);
    pthread_mutex_unlock(&daemon->lock);
}

struct desk life_desk(struct daemon *daemon)
{
    return (struct desk){.store = daemon->store,
                         .clock = &daemon->clock,
                         .running = true,
                         .each_ehr = each_ehr,
                         .work = work_of,
                         .read_again = again_read,
                         .switched = woken,
                         .read_ehr = decide_read,
                         .on_accept = decide_on_accept,
                         .arg = daemon};
}

static enum status open_admin(struct daemon *daemon, struct diag_list *diags)
{
    struct admin_options options = {.state_dir = daemon->current->config->gateway.state_dir,
                                    .log = daemon->log,
                                    .account = geteuid(),
                                    .desk = life_desk(daemon)};
    return admin_create(&options, diags, &daemon->admin);
}

/* ---- the beginning ---- */

enum status life_prepare(struct daemon *daemon, struct diag_list *diags)
{
    daemon->terminate = loop_signal_create(daemon->loop, SIGTERM, on_terminate, daemon);
    daemon->interrupt = loop_signal_create(daemon->loop, SIGINT, on_interrupt, daemon);
    daemon->hangup = loop_signal_create(daemon->loop, SIGHUP, on_hangup, daemon);
    daemon->tick = loop_timer_create(daemon->loop, on_tick, daemon);
    daemon->retain = loop_timer_create(daemon->loop, on_retain, daemon);
    if (daemon->terminate == NULL || daemon->interrupt == NULL || daemon->hangup == NULL ||
        daemon->tick == NULL || daemon->retain == NULL || watch_prepare(daemon) != STATUS_OK) {
        return STATUS_NO_MEMORY;
    }
    return open_admin(daemon, diags);
}

void life_clear(struct daemon *daemon)
{
    loop_event_destroy(&daemon->terminate);
    loop_event_destroy(&daemon->interrupt);
    loop_event_destroy(&daemon->hangup);
    loop_event_destroy(&daemon->tick);
    loop_event_destroy(&daemon->retain);
    watch_clear(daemon);
}

enum daemon_end life_serve(struct daemon *daemon)
{
    const struct active_mapping *active = &daemon->current->mapping;
    daemon->current->taken_over = clock_utc(&daemon->clock);
    generation_start(daemon->current);
    watch_start(daemon);
    uint64_t every_ms = daemon->current->config->gateway.retention.every_ms;
    loop_timer_start(daemon->retain, every_ms < RETAIN_FIRST_MS ? every_ms : RETAIN_FIRST_MS,
                     false);
    LOG(daemon->log, LOG_INFO, "started", LOG_TEXT(VERSION, EPLAN_VERSION),
        LOG_NUMBER(PORT, daemon->port), LOG_NUMBER(COUNT, daemon->current->link_count),
        LOG_SLICE(MAPPING, mapping_name(active->mapping)));
    if (ready_write(daemon) != STATUS_OK) {
        LOG(daemon->log, LOG_ERROR, "ready-file",
            LOG_SLICE(FILE, daemon->current->config->gateway.listen.ready_file),
            LOG_TEXT(ADVICE, "the gateway serves, but its ready-file could not be written"));
    }
    notify_service_manager("READY=1");
    enum status status = loop_run(daemon->loop);
    ready_remove(daemon);
    LOG(daemon->log, daemon->stop.clean ? LOG_INFO : LOG_WARNING, "stopped",
        LOG_NUMBER(COUNT, work(daemon)));
    if (status != STATUS_OK) {
        return DAEMON_FAULT;
    }
    if (work(daemon) + calls(daemon) != 0) {
        /* Something hangs and may still touch what would be taken apart. The store survives this.
         */
        _exit(75);
    }
    return daemon->stop.clean ? DAEMON_STOPPED : DAEMON_CUT_OFF;
}
