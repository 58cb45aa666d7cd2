/*
 * Asking an EHR what changed, search by search (standards: WIRE 4.1.9 to 4.1.13). A poll looks back
 * `overlap` behind its watermark, because a change may be committed later than the time it bears;
 * what was seen before is recognised by its key. The watermark is a time of the EHR's own clock and
 * moves only when the last page is stored. A poll is due by its interval, or when a notification
 * without content asked for it. Tests: tests/unit/gateway/inbound/test_poll_query.c,
 * tests/inbound/suite.mjs.
 */
#ifndef GATEWAY_INBOUND_POLL_H
#define GATEWAY_INBOUND_POLL_H

#include "gateway/ehr/ehr.h"
#include "gateway/inbound/inbound.h"

struct poller;

/* On the loop's thread, or before it runs. STATUS_NO_MEMORY. Caller destroys. */
enum status poller_create(const struct inbound_host *host, struct ehr *ehr,
                          struct poller **poller_out);
void poller_start(struct poller *poller);

/* Look whether a poll is due (a notification said so). Any thread. */
void poller_nudge(struct poller *poller);

/* Begins no further poll; a walk under way ends behind its page, its watermark unmoved. Any thread.
 */
void poller_stop(struct poller *poller);
/* A poll is under way. */
bool poller_busy(struct poller *poller);
/* After poller_stop, when it is not busy; on the loop's thread or after it. Accepts NULL. */
void poller_destroy(struct poller **poller);

/* ---- pure parts ---- */

/*
 * The polls of an EHR by name: its queries, and behind them the criteria of those subscriptions
 * that no query covers, which are polled only when they were asked for. Lives in the arena.
 */
struct poll_names {
    const struct slice *at;
    size_t count;
    size_t regular; /* the first of them are polled by interval */
};
struct poll_names poll_names(struct arena *arena, const struct config_ehr *ehr);

/* Does the poll look for what the criteria of a subscription look for: the same resource type? */
bool poll_covers(struct slice poll, struct slice criteria);

/* "Observation" and "category=vital-signs&_lastUpdated=ge2026-...&_count=100" of one poll. */
struct poll_search {
    struct slice type;
    struct slice query;
};
struct poll_search poll_search(struct arena *arena, struct slice name, int64_t since_us,
                               uint64_t page_size, bool sort);

/*
 * The next watermark: the latest change seen, but never later than the EHR's own time at the first
 * page; that time when nothing was seen; 0 when neither is known.
 */
int64_t poll_watermark(int64_t latest_seen_us, int64_t server_date_us);

#endif
