#include <stdatomic.h>

#include "gateway/daemon/life.h"

enum { WATCH_MS = 1000 };

/* ---- a disk that takes nothing ---- */

static void probed(struct store_tx *tx, void *arg)
{
    struct daemon *daemon = arg;
    (void)tx; /* the store's load tells how it went */
    atomic_store(&daemon->watch.probing, false);
}

/* Something small is written, so that the end of the trouble is seen without new input. */
static void probe(struct daemon *daemon)
{
    if (atomic_exchange(&daemon->watch.probing, true)) {
        return;
    }
    daemon->watch.probe = (struct store_probe)STORE_TX(PROBE);
    if (store_submit(daemon->store, &daemon->watch.probe.tx, probed, daemon) != STATUS_OK) {
        atomic_store(&daemon->watch.probing, false);
    }
}

/* Told once when it begins and once when it is over. */
static void on_watch(void *arg)
{
    struct daemon *daemon = arg;
    bool failing = store_load(daemon->store).failing;
    if (failing && !daemon->watch.told) {
        LOG(daemon->log, LOG_ERROR, "store-failing",
            LOG_SLICE(FILE, daemon->current->config->gateway.state_dir),
            LOG_TEXT(ADVICE,
                     "make room on its disk, or make it writable; input is refused with 503 "
                     "until then, and what was accepted is kept"));
    } else if (!failing && daemon->watch.told) {
        LOG(daemon->log, LOG_WARNING, "store-well",
            LOG_SLICE(FILE, daemon->current->config->gateway.state_dir));
        pipeline_wake(daemon->current->pipeline);
    }
    daemon->watch.told = failing;
    if (failing) {
        probe(daemon);
    }
}

enum status watch_prepare(struct daemon *daemon)
{
    daemon->watch.timer = loop_timer_create(daemon->loop, on_watch, daemon);
    return daemon->watch.timer != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

void watch_start(struct daemon *daemon)
{
    loop_timer_start(daemon->watch.timer, WATCH_MS, true);
}

void watch_clear(struct daemon *daemon)
{
    loop_event_destroy(&daemon->watch.timer);
}
