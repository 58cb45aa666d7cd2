/*
 * What an operator may ask, answered from the store: on the control socket of a running daemon, or
 * by a verb that opened the stopped store itself. JSON in, JSON out:
 *   {"verb":"status","open":true}            {"verb":"show","what":ID,"ehr":NAME}
 *   {"verb":"stop-writes","ehr":NAME}        {"verb":"resume-writes"}
 * Answers are {"ok":true,...} or {"ok":false,"error":SENTENCE,"exit":STATUS}. Answers hold patient
 * ids and are for operators' eyes; nothing here is logged but who moved a switch.
 */
#ifndef GATEWAY_ADMIN_DESK_H
#define GATEWAY_ADMIN_DESK_H

#include <stdbool.h>

#include "fhir/json/json.h"
#include "gateway/base/clock.h"
#include "gateway/config/config.h"
#include "gateway/ehr/ehr.h"
#include "gateway/store/store.h"

/* health NULL: the daemon is not running. */
typedef void admin_each(void *to, const struct config_ehr *ehr, const struct ehr_health *health);

struct desk {
    struct store *store;
    const struct clock *clock;
    bool running;
    /* Calls each() for every configured EHR, on the asking thread. */
    void (*each_ehr)(void *arg, admin_each *each, void *to);
    /* Writes were stopped or resumed; may be NULL. */
    void (*switched)(void *arg);
    void *arg;
};

/* `account`: who asks, as the operating system names him. Never fails: what is wrong is told in the
 * answer. Lives in the arena, inside arena_run(). */
struct slice desk_answer(const struct desk *desk, struct arena *arena, struct slice request,
                         struct slice account);

#endif
