/*
 * Who may send what: each subscription and each sender of each EHR is a door with a secret or the
 * name in a client certificate. Immutable after loading; any thread. Tests:
 * tests/unit/gateway/inbound/test_doors.c.
 */
#ifndef GATEWAY_INBOUND_DOORS_H
#define GATEWAY_INBOUND_DOORS_H

#include "gateway/base/secret.h"
#include "gateway/config/config.h"
#include "gateway/http/tls.h"

struct door {
    const struct config_ehr *ehr;
    const struct config_subscription *subscription; /* exactly one of these two */
    const struct config_sender *sender;
    struct secret *secret; /* NULL: known by its certificate */
};

struct doors {
    struct door *at;
    size_t count;
};

/* All mistakes of all files go to diags. Caller clears, also when it failed. */
enum status doors_load(const struct config *config, struct diag_list *diags,
                       struct doors *doors_out);
void doors_clear(struct doors *doors);

/*
 * Whose door: by "Authorization: Bearer ...", else by the certificate. NULL: nobody we know. The
 * time taken does not tell how near a secret was, nor whose.
 */
const struct door *doors_find(const struct doors *doors, struct slice authorization,
                              const struct tls_peer *peer);

/* May the sender of this door use the path (without the query)? */
bool door_allows_path(const struct door *door, struct slice path);

#endif
