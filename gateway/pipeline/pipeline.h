/*
 * The way of a message, joined: what the inbox holds becomes evaluations, an evaluation becomes a
 * plan, a plan becomes rows of the outbox, and those are brought to the EHR. The next step is
 * always found in the store, never in memory: a step gets its rows by value and ends by handing the
 * store one transaction or the EHR one request; it waits for neither. Stages see each other nowhere
 * but here.
 *
 *   receive, poll -> inbox -> [claim] -> resolve patient context -> evaluate mapping -> plan diff
 * -> outbox outbox -> [claim] -> write-back -> read back
 *
 * Files: pipeline.c claims and wakes; evaluation.c takes one visit to its plan; changes.c turns a
 * plan into changes; deliveries.c takes claimed changes to the EHR; reconciliation.c looks up what
 * was open, after a store was put back or an EHR moved. Tests: the scenario and fault suites.
 */
#ifndef GATEWAY_PIPELINE_PIPELINE_H
#define GATEWAY_PIPELINE_PIPELINE_H

#include "fhir/validate/validate.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/pool.h"
#include "gateway/base/random.h"
#include "gateway/config/config.h"
#include "gateway/ehr/ehr.h"
#include "gateway/mapping/mapping.h"
#include "gateway/store/store.h"

struct pipeline;

/* A mapping as it is active: work keeps the one it began with. Borrowed: outlives the pipeline. */
struct active_mapping {
    const struct mapping *mapping;
    struct slice hash; /* SHA-256 over its files, hexadecimal */
    const struct validator
        *validator; /* each resource is looked at before it is stored for writing */
};

struct pipeline_options {
    struct loop *loop; /* all borrowed */
    /* For steps alone: its queue holds at least PIPELINE_STEPS_MOST jobs, so that it never refuses
     * one. */
    struct pool *pool;
    struct store *store;
    const struct clock *clock;
    const struct random *random;
    struct log *log;
    const struct config *config;
    struct ehr *const *ehrs;
    size_t ehr_count;
    struct active_mapping mapping;
};

enum { PIPELINE_STEPS_MOST = 256 };

/* On the loop's thread or before it runs. STATUS_NO_MEMORY. Caller destroys. */
enum status pipeline_create(const struct pipeline_options *options, struct pipeline **pipeline_out);
void pipeline_start(struct pipeline *pipeline);

/* There may be something to do: a message was accepted, writes were resumed. Any thread; cheap. */
void pipeline_wake(struct pipeline *pipeline);

/* Claims nothing further; what is under way comes to its next row and stops. Any thread. */
void pipeline_stop(struct pipeline *pipeline);
size_t pipeline_busy(struct pipeline *pipeline);
/* After pipeline_stop, when it is not busy. Loop thread. Accepts NULL. */
void pipeline_destroy(struct pipeline **pipeline);

#endif
