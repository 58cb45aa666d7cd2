/* From a received resource to the transaction that stores it: the same for a notification, a direct
 * message and a poll. Tests: tests/unit/gateway/inbound/test_accept.c. */
#ifndef GATEWAY_INBOUND_ACCEPT_H
#define GATEWAY_INBOUND_ACCEPT_H

#include "gateway/inbound/inbound.h"

struct arrival {
    enum message_kind kind;
    const struct config_ehr *ehr;
    struct slice sender;     /* of a direct message; else the EHR itself */
    struct slice body;       /* as received */
    const struct json *json; /* the same, read; NULL for a deletion */
    bool deleted;
    struct slice type; /* what the path or header says; may be empty */
    struct slice id;
};

/*
 * Fills in *accept_out, which borrows from the arrival and the arena. STATUS_INVALID, STATUS_LIMIT:
 * it is nothing that can be taken; *why_out is a sentence for the sender. Asks the store whether it
 * is a write of our own that comes back; such a one is stored and ends at once.
 */
enum status accept_prepare(struct arena *arena, const struct inbound_host *host,
                           const struct arrival *arrival, struct store_accept *accept_out,
                           const char **why_out);

#endif
