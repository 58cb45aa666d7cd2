#include "gateway/pipeline/steps.h"

#include <stdlib.h>

#include "gateway/base/failpoint.h"
#include "gateway/inbound/intake.h"
#include "gateway/patient/context.h"
#include "gateway/writeback/delivery.h"

/*
 * One visit: facts fetched (or read again from the row), mapping evaluated, plan stored. Each
 * function that ends in a call to the store or the EHR hands the job over with it and does not
 * touch it again.
 */
enum { DETAIL_MOST = 256 };

struct job {
    struct pipeline *pipeline;
    struct lane *lane;
    struct batch *batch;
    const struct evaluation_claim *claim;
    struct ehr *ehr;
    struct arena *arena;
    struct visit visit;
    char date[DATETIME_TEXT]; /* visit_date() */
    struct context context;
    struct slice facts;       /* the context as it is stored; empty: the store has it */
    struct trail_lines trail; /* that it was read: stored with it */
    struct standing_look look;
    struct items items;       /* as they stand in the EHR */
    char answer[DETAIL_MOST]; /* why the EHR gave nothing */
    union {
        struct store_release release;
        struct store_save_context save_context;
        struct store_save_plan save_plan;
        struct store_save_patient save_patient;
    } tx;
    /* While the context is saved, what comes behind it. */
    void (*then)(struct job *job);
    int64_t not_before;
    enum reason reason;
    struct slice detail; /* of what is given back, or the patient that this one was merged into */
};

static void job_end(struct job *job)
{
    struct lane *lane = job->lane;
    batch_release(job->batch);
    arena_destroy(&job->arena);
    free(job);
    pipeline_wake(lane->pipeline);
    atomic_fetch_sub(&lane->evaluations.under_way, 1);
}

static void ended(struct store_tx *tx, void *arg)
{
    struct job *job = arg;
    if (tx->status != STATUS_OK) { /* the row is as it was, and will be claimed again */
        char id[UUID_TEXT_SIZE];
        uuid_write(job->claim->evaluation.id, id);
        LOG(job->pipeline->options.log, LOG_WARNING, "evaluation-not-saved",
            LOG_SLICE(EHR, job->claim->evaluation.ehr), LOG_TEXT(EVALUATION, id),
            LOG_TEXT(CODE, status_name(tx->status)));
    }
    job_end(job);
}

static void submit(struct job *job, struct store_tx *tx, store_done *done)
{
    if (store_submit(job->pipeline->options.store, tx, done, job) != STATUS_OK) {
        job_end(job); /* the lease runs out, and the visit is claimed again */
    }
}

/* ---- what was read, saved without a plan ---- */

static void context_saved(struct store_tx *tx, void *arg)
{
    struct job *job = arg;
    if (tx->status != STATUS_OK) {
        job_end(job);
        return;
    }
    job->facts = SLICE_NONE;
    job->then(job);
}

/* A plan takes the context along. Where none is made, that it was read is saved all the same. */
static void save_context_then(struct job *job, void (*then)(struct job *job))
{
    if (job->facts.len == 0) {
        then(job);
        return;
    }
    job->then = then;
    job->tx.save_context = (struct store_save_context)STORE_TX(SAVE_CONTEXT);
    job->tx.save_context.in.evaluation = job->claim->evaluation.id;
    job->tx.save_context.in.fence = job->claim->evaluation.fence;
    job->tx.save_context.in.facts = job->facts;
    job->tx.save_context.in.trail = job->trail;
    submit(job, &job->tx.save_context.tx, context_saved);
}

/* ---- ends without a plan ---- */

static void release(struct job *job)
{
    job->tx.release = (struct store_release)STORE_TX(RELEASE);
    job->tx.release.in.evaluation = job->claim->evaluation.id;
    job->tx.release.in.fence = job->claim->evaluation.fence;
    job->tx.release.in.not_before = job->not_before;
    job->tx.release.in.reason = job->reason;
    job->tx.release.in.detail = job->detail;
    job->tx.release.in.again = true;
    submit(job, &job->tx.release.tx, ended);
}

static void give_back(struct job *job, int64_t not_before, enum reason reason, struct slice detail)
{
    job->not_before = not_before;
    job->reason = reason;
    job->detail = detail;
    save_context_then(job, release);
}

/* What is lacking, memory or the store, may be there in a second. */
static void give_back_soon(struct job *job)
{
    give_back(job, clock_utc(job->pipeline->options.clock) + 1000000, REASON_NONE, SLICE_NONE);
}

static void log_end(struct job *job, enum work_state outcome, enum reason reason)
{
    char id[UUID_TEXT_SIZE];
    uuid_write(job->claim->evaluation.id, id);
    LOG(job->pipeline->options.log, LOG_INFO, "evaluated",
        LOG_SLICE(EHR, job->claim->evaluation.ehr), LOG_TEXT(EVALUATION, id),
        LOG_TEXT(STATE, work_state_name(outcome)), LOG_TEXT(REASON, reason_name(reason)));
}

/* "2024-05-14" */
static struct slice visit_date(struct job *job)
{
    size_t len = datetime_print(&job->visit.date, job->date);
    return slice_from(job->date, len);
}

static void save_plan(struct job *job, const struct planned *planned, struct slice trace)
{
    const struct active_mapping *active = &job->pipeline->options.mapping;
    job->tx.save_plan = (struct store_save_plan)STORE_TX(SAVE_PLAN);
    job->tx.save_plan.tx.arena = job->arena;
    job->tx.save_plan.in.evaluation = job->claim->evaluation.id;
    job->tx.save_plan.in.fence = job->claim->evaluation.fence;
    job->tx.save_plan.in.outcome = planned->outcome;
    job->tx.save_plan.in.reason = planned->reason;
    job->tx.save_plan.in.detail = planned->detail;
    job->tx.save_plan.in.mapping = mapping_name(active->mapping);
    job->tx.save_plan.in.mapping_version = mapping_version(active->mapping);
    job->tx.save_plan.in.mapping_hash = active->hash;
    job->tx.save_plan.in.facts = job->facts;
    job->tx.save_plan.in.trail = job->facts.len != 0 ? job->trail : (struct trail_lines){NULL, 0};
    job->tx.save_plan.in.trace = trace;
    job->tx.save_plan.in.changes = planned->changes;
    job->tx.save_plan.in.change_count = planned->change_count;
    job->tx.save_plan.in.items = job->items.at;
    job->tx.save_plan.in.item_count = job->items.count;
    job->tx.save_plan.in.keeps_timers = trace.len == 0;
    job->tx.save_plan.in.timers = planned->timers;
    job->tx.save_plan.in.timer_count = planned->timer_count;
    job->tx.save_plan.in.visit_date = visit_date(job);
    log_end(job, planned->outcome, planned->reason);
    const struct store_submission save = {&job->tx.save_plan.tx, ended, job};
    if (deliveries_submit(job->lane, job->claim->evaluation.patient, GOING_NEW, &save) !=
        STATUS_OK) {
        job_end(job); /* the lease runs out, and the visit is claimed again */
    }
}

static void end_as(struct job *job, enum work_state outcome, enum reason reason,
                   struct slice detail)
{
    struct planned planned = {.outcome = outcome, .reason = reason, .detail = detail};
    save_plan(job, &planned, SLICE_NONE);
}

/* ---- evaluate ---- */

/* Pilot: is the encounter of a department that takes part? */
static bool takes_part(const struct config_ehr *ehr, const struct context *context)
{
    if (ehr->mode != MODE_PILOT) {
        return true;
    }
    for (size_t i = 0; i < context->count; i++) {
        const struct json *encounter = json_first(context->facts[i].resources);
        if (!slice_is(json_get_text(encounter, "resourceType"), "Encounter")) {
            continue;
        }
        struct slice provider = json_get_text(json_get(encounter, "serviceProvider"), "reference");
        const struct json *location = json_first(json_get(encounter, "location"));
        struct slice place = json_get_text(json_get(location, "location"), "reference");
        for (size_t k = 0; k < ehr->pilot_departments.count; k++) {
            if (slice_equal(provider, ehr->pilot_departments.at[k]) ||
                slice_equal(place, ehr->pilot_departments.at[k])) {
                return true;
            }
        }
    }
    return false;
}

/* A day came, and nobody was seen. */
static bool is_by_timer(const struct evaluation_claim *claim)
{
    for (size_t i = 0; i < claim->message_count; i++) {
        if (claim->messages[i].kind != MESSAGE_TIMER) {
            return false;
        }
    }
    return claim->message_count != 0;
}

struct evaluating {
    struct job *job;
    struct evaluation_result result;
    struct planned planned;
    struct slice trace;
    bool failed; /* the mapping could not be evaluated on these facts */
    struct slice detail;
};

/* `plan-digest`: whether another mapping makes the same plan of these facts can be said later. */
static struct slice write_trace(struct arena *arena, const struct evaluation_result *result)
{
    struct json *trace = mapping_trace(arena, result, false);
    struct slice digest = mapping_plan_digest(arena, result);
    if (digest.len != 0) {
        json_add(arena, trace, SLICE("plan-digest"), json_new_string(arena, digest));
    }
    return json_write(arena, trace, JSON_COMPACT);
}

static enum status evaluate_run(void *arg)
{
    struct evaluating *ev = arg;
    struct job *job = ev->job;
    struct pipeline *p = job->pipeline;
    const struct config_ehr *ehr = ehr_config(job->ehr);
    struct fact *facts = ARENA_ARRAY(job->arena, job->context.count + 1, struct fact);
    for (size_t i = 0; i < job->context.count; i++) {
        facts[i] = (struct fact){job->context.facts[i].name,
                                 job->context.facts[i].failed ? FACT_FAILED : FACT_FETCHED,
                                 job->context.facts[i].resources};
    }
    struct evaluation_input input = {.patient = job->context.patient,
                                     .visit = job->visit,
                                     .facts = facts,
                                     .fact_count = job->context.count,
                                     .evaluation_time = job->claim->evaluation.at,
                                     .plan_intent_plan = ehr->care_plan_intent == INTENT_PLAN,
                                     .protects_teens = ehr->protects_teens};
    struct diag_list diags;
    diag_init(&diags, job->arena, 20);
    enum status status = mapping_evaluate(p->options.mapping.mapping, job->arena, &input,
                                          &LIMITS_DEFAULT, &diags, &ev->result);
    if (status != STATUS_OK) {
        ev->failed = true;
        ev->detail = diags.first != NULL ? slice_of(diag_code_name(diags.first->code)) : SLICE_NONE;
        return STATUS_OK;
    }
    struct planning planning = {.pipeline = p,
                                .ehr = ehr,
                                .evaluation = &job->claim->evaluation,
                                .result = &ev->result,
                                .visit = job->visit,
                                .items = job->items,
                                .department_takes_part = takes_part(ehr, &job->context),
                                .by_timer = is_by_timer(job->claim),
                                .arena = job->arena};
    ev->trace = write_trace(job->arena, &ev->result);
    return plan_changes(&planning, &ev->planned);
}

static void evaluate(void *arg)
{
    struct evaluating ev = {.job = arg};
    struct job *job = arg;
    enum status status =
        FAILPOINT(EVALUATION_BEFORE) ? STATUS_NO_MEMORY : arena_run(job->arena, evaluate_run, &ev);
    if (status != STATUS_OK) {
        give_back_soon(job);
        return;
    }
    if (ev.failed) {
        end_as(job, WORK_HELD, REASON_EVALUATION_FAILED, ev.detail);
        return;
    }
    save_plan(job, &ev.planned, ev.trace);
}

/* ---- what stands in the EHR ---- */

static void try_again(struct job *job, int64_t not_before, struct slice detail)
{
    const struct config_ehr *ehr = ehr_config(job->ehr);
    int64_t at = delivery_backoff(ehr, job->pipeline->options.clock, job->pipeline->options.random,
                                  job->claim->evaluation.tries);
    give_back(job, not_before > at ? not_before : at, REASON_FETCH_FAILED, detail);
}

static void looked(void *arg, enum standing_end end, const struct standing *standing)
{
    struct job *job = arg;
    if (end == STANDING_KNOWN) {
        job->items = standing->items;
        evaluate(job);
    } else if (job->claim->evaluation.tries < ehr_config(job->ehr)->retry.tries) {
        try_again(job, standing->not_before, SLICE("standing"));
    } else {
        end_as(job, WORK_HELD, REASON_FETCH_FAILED, SLICE("standing"));
    }
}

/* ---- a patient who was merged into another ---- */

/* The other's id; empty: this one was not. */
static struct slice merged_into(const struct json *patient)
{
    static const struct slice prefix = {"Patient/", 8};
    for (const struct json *link = json_first(json_get(patient, "link")); link != NULL;
         link = json_next(link)) {
        struct slice other = json_get_text(json_get(link, "other"), "reference");
        if (slice_is(json_get_text(link, "type"), "replaced-by") &&
            slice_starts_with(other, prefix)) {
            return slice_part(other, prefix.len, SIZE_MAX);
        }
    }
    return SLICE_NONE;
}

static void relinked(struct store_tx *tx, void *arg)
{
    struct job *job = arg;
    if (tx->status != STATUS_OK) {
        job_end(job); /* the lease runs out, and the visit is claimed again */
        return;
    }
    end_as(job, WORK_HANDED_OVER, REASON_MERGED_PATIENT, SLICE_NONE);
}

/* Our plans belong to the other from now on; nothing is deleted. Visits filed under this id are for
 * a person to look at. */
static void relink(struct job *job)
{
    job->tx.save_patient = (struct store_save_patient)STORE_TX(SAVE_PATIENT);
    job->tx.save_patient.in.ehr = job->claim->evaluation.ehr;
    job->tx.save_patient.in.patient = job->claim->evaluation.patient;
    job->tx.save_patient.in.merged_into = job->detail;
    submit(job, &job->tx.save_patient.tx, relinked);
}

static void look(struct job *job)
{
    struct slice other = merged_into(job->context.patient);
    if (other.len != 0 && !slice_equal(other, job->claim->evaluation.patient)) {
        job->detail = other;
        save_context_then(job, relink);
        return;
    }
    job->look = (struct standing_look){.ehr = job->ehr,
                                       .store = job->pipeline->options.store,
                                       .arena = job->arena,
                                       .patient = job->claim->evaluation.patient,
                                       .done = looked,
                                       .arg = job};
    if (standing_begin(&job->look) != STATUS_OK) {
        try_again(job, 0, SLICE("standing"));
    }
}

/* ---- resolve patient context ---- */

static enum status write_context(void *arg)
{
    struct job *job = arg;
    job->context.date = visit_date(job);
    job->facts = context_write(job->arena, &job->context);
    job->trail = audited_context(job->pipeline, job->arena, &job->claim->evaluation, &job->context);
    return STATUS_OK;
}

static void take_context(struct job *job)
{
    enum status status = arena_run(job->arena, write_context, job);
    if (status != STATUS_OK) {
        job->facts = SLICE_NONE;
    }
    if (status == STATUS_NO_MEMORY) {
        give_back_soon(job);
        return;
    }
    if (status != STATUS_OK) {
        end_as(job, WORK_HELD, REASON_FETCH_FAILED, SLICE("too-large"));
        return;
    }
    look(job);
}

static enum status fact_requests(void *arg, struct arena *arena, const struct json *patient,
                                 const struct context_request **requests_out, size_t *count_out)
{
    struct job *job = arg;
    struct diag_list diags;
    struct fact_request *wanted;
    diag_init(&diags, arena, 5);
    enum status status = mapping_requests(job->pipeline->options.mapping.mapping, arena, patient,
                                          &job->visit, &LIMITS_DEFAULT, &diags, &wanted, count_out);
    if (status != STATUS_OK) {
        return status;
    }
    struct context_request *requests = ARENA_ARRAY(arena, *count_out + 1, struct context_request);
    for (size_t i = 0; i < *count_out; i++) {
        requests[i] = (struct context_request){wanted[i].name, wanted[i].query, wanted[i].read};
    }
    *requests_out = requests;
    return STATUS_OK;
}

static void context_done(void *arg, struct context_result *result)
{
    struct job *job = arg;
    const struct config_ehr *ehr = ehr_config(job->ehr);
    arena_destroy(&job->arena);
    job->arena = result->arena;
    job->context = result->context;
    struct slice detail = slice_part(result->detail, 0, sizeof job->answer);
    if (detail.len != 0) {
        memcpy(job->answer, detail.at, detail.len);
    }
    detail = slice_from(job->answer, detail.len);
    if (result->end == CONTEXT_NO_PATIENT) {
        end_as(job, WORK_HELD, REASON_NO_PATIENT, SLICE_NONE);
    } else if (result->end == CONTEXT_AGAIN && job->claim->evaluation.tries < ehr->retry.tries) {
        try_again(job, result->not_before, detail);
    } else if (result->end == CONTEXT_AGAIN || result->context.patient == NULL) {
        end_as(job, WORK_HELD, REASON_FETCH_FAILED, detail);
    } else {
        take_context(job);
    }
}

static void fetch(struct job *job)
{
    struct context_fetch spec = {.ehr = job->ehr,
                                 .patient = job->claim->evaluation.patient,
                                 .requests = fact_requests,
                                 .done = context_done,
                                 .arg = job};
    if (context_fetch(&spec) != STATUS_OK) {
        give_back(job, clock_utc(job->pipeline->options.clock) + 1000000, REASON_FETCH_FAILED,
                  SLICE_NONE);
    }
}

/* ---- the visit ---- */

struct dating {
    struct job *job;
    struct slice date;
};

/* The latest calendar date of what was measured at the visit, as the messages that made it due say.
 */
static enum status date_run(void *arg)
{
    struct dating *dating = arg;
    struct job *job = dating->job;
    const struct evaluation *evaluation = &job->claim->evaluation;
    struct slice base_url = ehr_config(job->ehr)->base_url;
    for (size_t i = 0; i < job->claim->message_count; i++) {
        struct message message;
        struct diag_list unheard;
        const struct json *json = NULL;
        diag_init(&unheard, job->arena, 1);
        enum status status = store_read_message(job->pipeline->options.store, job->arena,
                                                job->claim->messages[i].id, &message);
        if (status_may_pass(status)) {
            return status;
        }
        if (status != STATUS_OK) {
            continue;
        }
        struct source *source = source_create(job->arena, SLICE("message"), message.payload);
        if (json_parse(job->arena, source, &LIMITS_DEFAULT, &unheard, &json) != STATUS_OK) {
            continue;
        }
        struct slice date =
            message.kind == MESSAGE_TIMER
                ? json_get_text(json, "date")
                : intake_visit_date(json, evaluation->patient, evaluation->visit, base_url);
        if (date.at != NULL && slice_compare(date, dating->date) > 0) {
            dating->date = date;
        }
    }
    return STATUS_OK;
}

/* STATUS_ABSENT: the messages name no day; others: they cannot be read now. */
static enum status find_visit(struct job *job)
{
    static const struct slice encounter = {"Encounter/", 10};
    struct slice key = job->claim->evaluation.visit;
    struct dating dating = {.job = job};
    job->visit.key = key;
    job->visit.ehr = job->claim->evaluation.ehr;
    if (slice_starts_with(key, encounter)) {
        job->visit.encounter = slice_part(key, encounter.len, SIZE_MAX);
        enum status status = arena_run(job->arena, date_run, &dating);
        if (status != STATUS_OK) {
            return status == STATUS_LIMIT ? STATUS_ABSENT : status;
        }
    } else {
        dating.date = key;
    }
    bool found = datetime_parse(dating.date, FORM_FHIR_DATE, &job->visit.date, NULL) == STATUS_OK &&
                 job->visit.date.part == PART_DAY;
    return found ? STATUS_OK : STATUS_ABSENT;
}

/* ---- the beginning ---- */

static enum status read_context(void *arg)
{
    struct job *job = arg;
    return context_read(job->arena, job->claim->facts, &job->context);
}

static void resume(struct job *job)
{
    if (job->claim->facts.len != 0 && arena_run(job->arena, read_context, job) == STATUS_OK) {
        look(job);
    } else {
        fetch(job);
    }
}

void evaluation_begin(struct lane *lane, struct batch *batch, const struct evaluation_claim *claim)
{
    struct job *job = calloc(1, sizeof *job);
    struct arena *arena = arena_create(STEP_ARENA);
    if (job == NULL || arena == NULL) {
        free(job);
        arena_destroy(&arena);
        batch_release(batch);
        atomic_fetch_sub(&lane->evaluations.under_way, 1);
        return; /* the lease runs out */
    }
    *job = (struct job){.pipeline = lane->pipeline,
                        .lane = lane,
                        .batch = batch,
                        .claim = claim,
                        .ehr = lane->ehr,
                        .arena = arena};
    if (claim->evaluation.tries > ehr_config(lane->ehr)->retry.tries) {
        /* Claimed so often and never brought to an end: it fails us, or took the process with it.
         */
        end_as(job, WORK_HELD, REASON_TRIES_EXHAUSTED, SLICE_NONE);
        return;
    }
    enum status status = find_visit(job);
    if (status == STATUS_OK) {
        resume(job);
    } else if (status == STATUS_ABSENT) {
        end_as(job, WORK_HELD, REASON_INCOMPLETE, SLICE("visit-date"));
    } else {
        give_back_soon(job);
    }
}
