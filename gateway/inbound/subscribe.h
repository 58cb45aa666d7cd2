/*
 * The Subscriptions that the gateway keeps at an EHR (FHIR R4 subscription.html; WIRE 4.2). Each is
 * made once, found again by its stored id or by its endpoint, and looked at by interval: one that
 * is gone, off, in error, near its end or not as configured is put right. The secret travels in
 * channel.header as "Authorization: Bearer ...". Made in every mode: it is how changes reach us,
 * and no clinical resource. Tests: tests/unit/gateway/inbound/test_subscription.c,
 * tests/inbound/suite.mjs.
 */
#ifndef GATEWAY_INBOUND_SUBSCRIBE_H
#define GATEWAY_INBOUND_SUBSCRIBE_H

#include "gateway/ehr/ehr.h"
#include "gateway/inbound/inbound.h"

struct subscriber;

/*
 * Upkeep of all subscriptions of one EHR. public_url: of our listener, borrowed. Reads the secrets'
 * files: STATUS_INVALID (with a colon, a space or a control character in it, a secret does not
 * survive the header), STATUS_REFUSED, STATUS_IO with diagnostics. Caller destroys.
 */
enum status subscriber_create(const struct inbound_host *host, struct ehr *ehr,
                              struct slice public_url, struct diag_list *diags,
                              struct subscriber **subscriber_out);
void subscriber_start(struct subscriber *subscriber);
/* Look at all of them now. Any thread. */
void subscriber_nudge(struct subscriber *subscriber);
void subscriber_stop(struct subscriber *subscriber);
bool subscriber_busy(struct subscriber *subscriber);
void subscriber_destroy(struct subscriber **subscriber);

/* ---- pure parts (subscription.c) ---- */

struct wanted_subscription {
    struct slice endpoint; /* https://.../notify/{ehr}/{name} */
    struct slice criteria;
    bool full; /* with payload */
    struct slice secret;
};

/* A Subscription as it should be. `theirs`: what stands there (its id and all that is not ours is
 * kept), or NULL. status: "requested" or "active". Lives in the arena. */
const struct json *subscription_build(struct arena *arena, const struct wanted_subscription *wanted,
                                      const struct json *theirs, const char *status);

enum subscription_verdict {
    SUBSCRIPTION_GOOD,
    SUBSCRIPTION_WAITING, /* requested: the EHR has not made it active yet */
    SUBSCRIPTION_STOPPED, /* error or off */
    SUBSCRIPTION_ENDING,  /* its `end` is near or past */
    SUBSCRIPTION_CHANGED, /* not what is wanted: criteria, endpoint, payload or header */
};
enum subscription_verdict subscription_judge(const struct wanted_subscription *wanted,
                                             const struct json *theirs, int64_t now_us,
                                             int64_t margin_us);

#endif
