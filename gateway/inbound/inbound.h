/*
 * What receive, poll and subscription upkeep share: whom they hand their work to. All pointers are
 * borrowed and outlive them.
 */
#ifndef GATEWAY_INBOUND_INBOUND_H
#define GATEWAY_INBOUND_INBOUND_H

#include <stdbool.h>

#include "fhir/json/json.h"
#include "gateway/base/clock.h"
#include "gateway/base/digest.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/pool.h"
#include "gateway/config/config.h"
#include "gateway/store/store.h"

struct inbound_host {
    struct loop *loop;
    struct pool *pool;
    struct store *store;
    const struct clock *clock;
    const struct hasher *hasher; /* may be NULL */
    struct log *log;             /* may be NULL */
    /* Does a mapping start on this resource? Any thread. */
    bool (*starts)(void *arg, const struct config_ehr *ehr, const struct json *resource);
    /* A message was stored (not a repeat). Any thread, often the store's writer: it must be quick.
     * May be NULL. */
    void (*accepted)(void *arg, const struct config_ehr *ehr, struct uuid message);
    /* Once behind all that were stored together: evaluations may be due. As above. */
    void (*settled)(void *arg);
    /* A poll was made due: poller_nudge(). Any thread; may be NULL. */
    void (*poll_due)(void *arg, const struct config_ehr *ehr);
    void *arg;
};

#endif
