/* What the files of this folder share. */
#ifndef GATEWAY_PIPELINE_STEPS_H
#define GATEWAY_PIPELINE_STEPS_H

#include <stdatomic.h>

#include "gateway/patient/context.h"
#include "gateway/pipeline/pipeline.h"
#include "gateway/store/store_read.h"

/* Of one EHR at once. An evaluation asks about a dozen things and holds up to a MiB meanwhile: a
 * dozen of them keep any budget of requests busy. */
enum { EVALUATIONS_MOST = 12, DELIVERIES_MOST = 64, STEP_ARENA = 96 * 1024 * 1024 };

struct pipeline {
    struct pipeline_options options;
    struct uuid space; /* identifier-namespace */
    char owner[32];    /* who claims: this process */
    struct loop_event *timer;
    struct loop_event *wake_timer; /* a wake that came too soon after the last look */
    int64_t looked;                /* monotonic */
    struct loop_job wake_job;
    atomic_bool stopped;
    struct lane *lanes; /* one for each EHR */
};

/* What is claimed of one kind for one EHR. */
struct claims {
    atomic_bool claiming;    /* a claim is with the store */
    atomic_bool again;       /* and it was woken meanwhile */
    atomic_size_t under_way; /* rows claimed that have not come to their next state */
};

/* How far an EHR is in being looked at after `restore` or `rebase`. */
struct reconciling {
    atomic_bool on; /* at the start it may be so; a claim of changes says it later */
    atomic_bool under_way;
    atomic_uint tries;          /* of the page that could not be told */
    _Atomic int64_t not_before; /* UTC microseconds */
};

/* The work of one EHR. */
struct lane {
    struct pipeline *pipeline;
    struct ehr *ehr;
    struct claims evaluations;
    struct claims changes;
    struct reconciling reconciling;
};

/* Rows of one claim live in one arena; the last of them to end releases it. */
struct batch {
    struct arena *arena;
    atomic_size_t users;
};
void batch_release(struct batch *batch);

/* Puts a job on the pool. It always fits (PIPELINE_STEPS_MOST). */
void pipeline_submit(struct pipeline *p, void (*run)(void *arg), void *arg);

/* ---- evaluation.c ---- */

/* Takes one claimed evaluation from here to the store; takes one use of the batch. Pool thread. */
void evaluation_begin(struct lane *lane, struct batch *batch, const struct evaluation_claim *claim);

/* ---- standing.c ---- */

enum standing_end {
    STANDING_KNOWN,
    STANDING_AGAIN, /* an item could not be read: again, not before not_before */
};

/* The patient's items as the store lists them, their life as the EHR shows it. */
struct standing {
    struct items items; /* live in the look's arena */
    int64_t not_before;
};

struct standing_look {
    struct ehr *ehr;
    struct store *store;
    struct arena *arena; /* the look's alone until done */
    struct slice patient;
    /* Called once, on a pool thread or within standing_begin; the standing is borrowed until it
     * returns. */
    void (*done)(void *arg, enum standing_end end, const struct standing *standing);
    void *arg;
};

/* STATUS_OK: done was or will be called; the look is borrowed until then. */
enum status standing_begin(const struct standing_look *of);

/* How an item stands, of which the EHR holds `theirs`. */
enum item_life standing_life(struct arena *arena, const struct item *item,
                             const struct json *theirs);

/* ---- changes.c ---- */

struct planning {
    struct pipeline *pipeline;
    const struct config_ehr *ehr;
    const struct evaluation *evaluation;
    const struct evaluation_result *result;
    struct visit visit;
    struct items items;         /* of the patient, as they stand in the EHR */
    bool department_takes_part; /* pilot: the encounter is of a listed department */
    bool by_timer;              /* no message but timers: nothing is proposed anew */
    struct arena *arena;
};

struct planned {
    enum work_state outcome;
    enum reason reason;
    struct slice detail;
    const struct change *changes;
    size_t change_count;
    const struct visit_timer *timers; /* what the mapping waits for from now on */
    size_t timer_count;
};

/* What the result means for the EHR: reads the patient's items from the store. Other than
 * STATUS_OK: try again. */
enum status plan_changes(const struct planning *planning, struct planned *planned_out);

/* ---- timers.c ---- */

/* Adds the timers that the mapping gives a visit with a proposal or a hand-over. One that fell due
 * by the evaluation's time makes it a hand-over, whose detail names what is to be done. */
void plan_timers(const struct planning *planning, struct planned *planned);

/* ---- audited.c: lines of the trail; live in the arena, inside arena_run() ---- */

/* What was read of the patient. */
struct trail_lines audited_context(struct pipeline *p, struct arena *arena,
                                   const struct evaluation *evaluation,
                                   const struct context *context);
/* A try that reached the EHR; a delivered one with its Provenance. None: nothing was sent. */
struct trail_lines audited_attempt(struct pipeline *p, struct arena *arena,
                                   const struct change *change,
                                   const struct attempt_result *result);

/* ---- deliveries.c ---- */

enum going_on {
    GOING_NEW,   /* a plan begins: not while much is under way */
    GOING_BEGUN, /* what was begun is brought to its end first */
};

/*
 * Submits a transaction that may make changes of the patient ready, and in the same commit the
 * claim of those: the next request goes out after one commit and not after two. The patient is
 * borrowed until done. Any thread.
 */
enum status deliveries_submit(struct lane *lane, struct slice patient, enum going_on how,
                              const struct store_submission *of);

/* Claims and delivers as long as there is something; wakes itself. Any thread. */
void deliveries_wake(struct lane *lane);

/* ---- reconciliation.c ---- */

/* Looks up the next open items of an EHR that is reconciled, if it is; wakes the pipeline. Any
 * thread. */
void reconciliation_wake(struct lane *lane);

#endif
