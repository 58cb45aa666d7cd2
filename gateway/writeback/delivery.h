/*
 * Delivery: one row of the outbox is brought to the EHR as FHIR REST takes it, and read back
 * (DESIGN.md 2, "One write"). What may have been sent is looked up before it is sent again. A
 * withdrawal is made only on what we wrote last; an update of a draft that a person changed is
 * merged into what stands there (gateway/plan/plan_merge.h); what is no draft any more is theirs,
 * and a person is told. Both name the version that was read, and are told anew from what stands
 * there when it is another by then. Tests: the scenario and fault suites.
 */
#ifndef GATEWAY_WRITEBACK_DELIVERY_H
#define GATEWAY_WRITEBACK_DELIVERY_H

#include "fhir/model/model.h"
#include "gateway/base/clock.h"
#include "gateway/base/random.h"
#include "gateway/ehr/ehr.h"
#include "gateway/plan/owns.h"
#include "gateway/work/change.h"

#include "gateway/store/store_tx.h"

struct delivery_options {
    struct ehr *ehr;
    const struct clock *clock;
    const struct random *random;
    /* "Type/id" in the EHR of an item by its identifier. STATUS_ABSENT: it has none yet; others: it
     * is not known now. The text lives in the arena given. */
    enum status (*find)(void *arg, struct arena *arena, struct uuid identifier,
                        struct slice *target_out);
    void *find_arg;
    const struct model *model;
    struct plan_owns owns; /* of the plan that the change belongs to */
};

struct delivery_end {
    struct attempt_result result; /* to be recorded */
    bool note_life; /* the item was found to be otherwise than we knew: `life` says how */
    enum item_life life;
};

/* Called once, on a pool thread. The end is borrowed until it returns. */
typedef void delivery_done(const struct delivery_end *end, void *arg);

/*
 * The change is borrowed until done returns. STATUS_OK: done will be called; others as ehr_call:
 * nothing was begun, and the change may be scheduled again.
 */
enum status delivery_begin(const struct delivery_options *options, const struct change *change,
                           delivery_done *done, void *arg);

/* When to try again after `tries` tries: doubling with jitter, capped. UTC microseconds. */
int64_t delivery_backoff(const struct config_ehr *config, const struct clock *clock,
                         const struct random *random, unsigned tries);

#endif
