#include "gateway/ehr/engine.h"

#include <stdlib.h>

static const int64_t ms_us = 1000;

/* ---- landing ---- */

static void run_landing(void *arg)
{
    struct landing *landing = arg;
    landing->run(landing);
}

void land(struct landing *landing)
{
    struct ehr *ehr = landing->ehr;
    struct pool_job job = {
        .run = run_landing, .drop = run_landing, .arg = landing, .bytes = landing->bytes};
    enum status status = pool_submit(ehr->options.pool, &job);
    if (status == STATUS_OK) {
        return;
    }
    if (status == STATUS_AGAIN) {
        pthread_mutex_lock(&ehr->mutex);
        bool keep = !ehr->stopped;
        if (keep) {
            landing->next = ehr->landed;
            ehr->landed = landing;
            alarm_set(ehr->alarm, engine_now(ehr) + LAND_AGAIN_MS * ms_us);
        }
        pthread_mutex_unlock(&ehr->mutex);
        if (keep) {
            return;
        }
    }
    landing->run(landing); /* it stops: nobody will have room any more */
}

static void land_again(struct ehr *ehr)
{
    pthread_mutex_lock(&ehr->mutex);
    struct landing *landed = ehr->landed;
    ehr->landed = NULL;
    pthread_mutex_unlock(&ehr->mutex);
    while (landed != NULL) {
        struct landing *landing = landed;
        landed = landing->next;
        land(landing);
    }
}

/* ---- the alarm ---- */

static void ring(void *arg)
{
    struct ehr *ehr = arg;
    land_again(ehr);
    knowledge_refresh(ehr);
    engine_pump(ehr);
}

/* ---- who goes ---- */

struct choice {
    struct call *go;
    struct call **go_tail;
    struct call *end;
    bool ask; /* for a token */
};

/* Takes the call out of the queue: it ends unsent. not_before: monotonic. */
static void end_one(struct ehr *ehr, struct choice *choice, struct call **at,
                    enum ehr_outcome outcome, enum ehr_fault fault, int64_t not_before)
{
    struct call *call = *at;
    *at = call->next;
    ehr->waiting_count--;
    call->answer = (struct ehr_answer){
        .outcome = outcome, .fault = fault, .not_before = engine_utc(ehr, not_before)};
    call->next = choice->end;
    choice->end = call;
}

static void end_all(struct ehr *ehr, struct choice *choice, enum ehr_outcome outcome,
                    enum ehr_fault fault, int64_t not_before)
{
    while (ehr->waiting != NULL) {
        end_one(ehr, choice, &ehr->waiting, outcome, fault, not_before);
    }
}

/* Those that have waited longer than their callers wanted. */
static void end_late(struct ehr *ehr, struct choice *choice, int64_t now)
{
    struct call **at = &ehr->waiting;
    while (*at != NULL) {
        if (now > (*at)->send_by) {
            end_one(ehr, choice, at, EHR_AGAIN, EHR_FAULT_BUDGET, now);
        } else {
            at = &(*at)->next;
        }
    }
}

/* The first in the order of turns that the budget lets go; NULL: none, and the timer is set. */
static struct call *take_next(struct ehr *ehr, int64_t now)
{
    int64_t soonest = INT64_MAX;
    for (struct call **at = &ehr->waiting; *at != NULL; at = &(*at)->next) {
        struct call *call = *at;
        int64_t wait_until = INT64_MAX;
        if (budget_take(&ehr->budget, verb_writes(call->request.verb), now, &wait_until)) {
            *at = call->next;
            call->next = NULL;
            ehr->waiting_count--;
            lanes_go(&ehr->lanes, call->turn);
            return call;
        }
        soonest = wait_until < soonest ? wait_until : soonest;
        if (wait_until == INT64_MAX) {
            break; /* when another has ended */
        }
    }
    if (soonest != INT64_MAX) {
        alarm_set(ehr->alarm, soonest);
    }
    return NULL;
}

/* After an outage, planned or not. With the mutex. */
static void catch_up(struct ehr *ehr, int64_t now)
{
    if (ehr->config->catch_up_per_minute != 0) {
        budget_catch_up(&ehr->budget, ehr->config->catch_up_per_minute, now);
    }
}

/* The end of the planned downtime that holds now, UTC; 0: none does. */
static int64_t down_until(const struct ehr *ehr)
{
    return downtime_end(ehr->downtimes, ehr->downtime_count, ehr->config->timezone,
                        clock_utc(ehr->options.clock));
}

/* True: it is down by plan, and what waited has ended unsent. With the mutex. */
static bool rest(struct ehr *ehr, struct choice *choice, int64_t now)
{
    int64_t until = down_until(ehr);
    if (until == 0 && ehr->was_down) {
        catch_up(ehr, now);
    }
    ehr->was_down = until != 0;
    if (until != 0) {
        end_all(ehr, choice, EHR_AGAIN, EHR_FAULT_DOWNTIME,
                now + until - clock_utc(ehr->options.clock));
    }
    return until != 0;
}

static void choose(struct ehr *ehr, struct choice *choice)
{
    end_late(ehr, choice, engine_now(ehr));
    while (ehr->waiting != NULL) {
        int64_t now = engine_now(ehr);
        enum breaker_gate gate = breaker_gate(&ehr->breaker, now);
        if (ehr->stopped) {
            end_all(ehr, choice, EHR_AGAIN, EHR_FAULT_STOPPED, now);
            return;
        }
        if (rest(ehr, choice, now)) {
            return;
        }
        if (gate == BREAKER_PAUSED) {
            bool locked = ehr->breaker.condition == EHR_LOCKED;
            end_all(ehr, choice, locked ? EHR_UNAUTHORIZED : EHR_AGAIN, ehr->fault,
                    ehr->breaker.until_us);
            return;
        }
        if (gate == BREAKER_WAIT || !token_ready(ehr, now, &choice->ask)) {
            return;
        }
        struct call *call = take_next(ehr, now);
        if (call == NULL) {
            return;
        }
        call->generation = ehr->token.generation;
        ehr->requests++;
        *choice->go_tail = call;
        choice->go_tail = &call->next;
        if (gate == BREAKER_TRIAL) {
            breaker_try(&ehr->breaker);
            call->is_trial = true;
            return;
        }
    }
}

/* Those that would wait too long end on time, whatever the others wait for. */
static void watch_late(struct ehr *ehr)
{
    int64_t soonest = INT64_MAX;
    for (const struct call *call = ehr->waiting; call != NULL; call = call->next) {
        soonest = call->send_by < soonest ? call->send_by : soonest;
    }
    if (soonest != INT64_MAX) {
        alarm_set(ehr->alarm, soonest + 1);
    }
}

void engine_pump(struct ehr *ehr)
{
    struct choice choice = {.go = NULL};
    choice.go_tail = &choice.go;
    pthread_mutex_lock(&ehr->mutex);
    choose(ehr, &choice);
    watch_late(ehr);
    pthread_mutex_unlock(&ehr->mutex);
    while (choice.go != NULL) {
        struct call *call = choice.go;
        choice.go = call->next;
        call->next = NULL;
        call_send(call);
    }
    while (choice.end != NULL) {
        struct call *call = choice.end;
        choice.end = call->next;
        call_end_early(call);
    }
    if (choice.ask) {
        token_ask(ehr);
    }
}

/* ---- how it goes ---- */

static const char *const condition_names[] = {
    [EHR_NEW] = "new",         [EHR_WELL] = "well",     [EHR_ASKED] = "asked-to-wait",
    [EHR_FAILING] = "failing", [EHR_LOCKED] = "locked",
};

const char *ehr_condition_name(enum ehr_condition condition)
{
    return condition <= EHR_LOCKED ? condition_names[condition] : "?";
}

int64_t engine_utc(const struct ehr *ehr, int64_t monotonic_us)
{
    int64_t ahead = monotonic_us - engine_now(ehr);
    return clock_utc(ehr->options.clock) + (ahead > 0 ? ahead : 0);
}

static void tell(struct ehr *ehr, enum breaker_change change, const struct note *note,
                 int64_t wait_us)
{
    if (change == BREAKER_RAISED) {
        LOG(ehr->options.log, LOG_WARNING, "ehr-paused", LOG_SLICE(EHR, ehr->config->name),
            LOG_TEXT(OUTCOME, ehr_fault_name(note->fault)), LOG_NUMBER(STATUS, note->http_status),
            LOG_NUMBER(WAIT_MS, wait_us / ms_us), LOG_TEXT(DETAIL, ehr_fault_sentence(note->fault)),
            LOG_TEXT(ADVICE, ehr_fault_advice(note->fault)));
    } else if (change == BREAKER_CLEARED) {
        LOG(ehr->options.log, LOG_INFO, "ehr-well", LOG_SLICE(EHR, ehr->config->name));
    }
    if (change != BREAKER_SAME && ehr->options.health_changed != NULL) {
        ehr->options.health_changed(ehr->options.arg, ehr);
    }
}

int64_t engine_note(struct ehr *ehr, const struct note *note)
{
    uint64_t chance = 0;
    random_fill(ehr->options.random, &chance, sizeof chance);
    pthread_mutex_lock(&ehr->mutex);
    int64_t now = engine_now(ehr);
    /* What fails while it is down by plan says nothing, and raises nothing. */
    enum breaker_event event =
        note->event != BREAKER_WELL && down_until(ehr) != 0 ? BREAKER_SILENT : note->event;
    enum breaker_change change = breaker_note(&ehr->breaker, event, note->wait_us, now, chance);
    bool failed = event != BREAKER_WELL && event != BREAKER_SILENT;
    if (failed) {
        ehr->failures++;
    }
    if (change == BREAKER_RAISED || (change == BREAKER_SAME && failed)) {
        ehr->fault = note->fault;
        ehr->http_status = note->http_status;
    } else if (change == BREAKER_CLEARED) {
        ehr->fault = EHR_FAULT_NONE;
        ehr->http_status = 0;
        catch_up(ehr, now);
    }
    if (change != BREAKER_SAME) {
        ehr->since = clock_utc(ehr->options.clock);
    }
    int64_t retry_at = breaker_retry_at(&ehr->breaker, now);
    pthread_mutex_unlock(&ehr->mutex);
    tell(ehr, change, note, retry_at - now);
    return retry_at;
}

void engine_idle(struct ehr *ehr)
{
    pthread_mutex_lock(&ehr->mutex);
    ehr->busy--;
    pthread_mutex_unlock(&ehr->mutex);
}

/* ---- life ---- */

enum status ehr_create(const struct ehr_options *options, struct diag_list *diags,
                       struct ehr **ehr_out)
{
    struct ehr *ehr = calloc(1, sizeof *ehr);
    if (ehr == NULL) {
        return STATUS_NO_MEMORY;
    }
    ehr->options = *options;
    ehr->config = options->config;
    pthread_mutex_init(&ehr->mutex, NULL);
    const struct config_ehr *config = ehr->config;
    budget_init(&ehr->budget, config->budget.per_minute, config->budget.writes_per_minute,
                config->budget.parallel);
    breaker_init(&ehr->breaker, config->retry.first_ms, config->retry.most_ms);
    for (size_t i = 0; i < config->downtime.count && i < DOWNTIMES_MOST; i++) {
        if (downtime_read(config->downtime.at[i], &ehr->downtimes[ehr->downtime_count]) ==
            STATUS_OK) { /* the configuration was checked */
            ehr->downtime_count++;
        }
    }
    ehr->since = clock_utc(options->clock);
    ehr->alarm = alarm_create(options->loop, options->clock, ring, ehr);
    enum status status = ehr->alarm != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    if (status == STATUS_OK) {
        status = token_create(ehr, diags);
    }
    if (status == STATUS_OK) {
        status = sender_create(config, options->client, options->clock, diags, &ehr->sender);
    }
    if (status != STATUS_OK) {
        ehr_destroy(&ehr);
        return status;
    }
    *ehr_out = ehr;
    return STATUS_OK;
}

void ehr_start(struct ehr *ehr)
{
    pthread_mutex_lock(&ehr->mutex);
    ehr->started = true;
    pthread_mutex_unlock(&ehr->mutex);
    knowledge_refresh(ehr);
}

void ehr_stop(struct ehr *ehr)
{
    pthread_mutex_lock(&ehr->mutex);
    ehr->stopped = true;
    pthread_mutex_unlock(&ehr->mutex);
    land_again(ehr);
    engine_pump(ehr);
}

size_t ehr_busy(struct ehr *ehr)
{
    pthread_mutex_lock(&ehr->mutex);
    size_t busy = ehr->busy;
    pthread_mutex_unlock(&ehr->mutex);
    return busy;
}

void ehr_destroy(struct ehr **ehr)
{
    struct ehr *it = *ehr;
    if (it == NULL) {
        return;
    }
    alarm_destroy(&it->alarm);
    sender_destroy(&it->sender);
    token_destroy(it);
    arena_destroy(&it->capability.arena);
    pthread_mutex_destroy(&it->mutex);
    free(it);
    *ehr = NULL;
}

const struct config_ehr *ehr_config(const struct ehr *ehr)
{
    return ehr->config;
}

int64_t ehr_server_now(struct ehr *ehr)
{
    pthread_mutex_lock(&ehr->mutex);
    int64_t skew = ehr->skew_us;
    pthread_mutex_unlock(&ehr->mutex);
    return clock_utc(ehr->options.clock) + skew;
}

void ehr_note_plan(struct ehr *ehr, int64_t took_us)
{
    pthread_mutex_lock(&ehr->mutex);
    durations_add(&ehr->plans, took_us);
    pthread_mutex_unlock(&ehr->mutex);
}

struct ehr_health ehr_health(struct ehr *ehr)
{
    pthread_mutex_lock(&ehr->mutex);
    int64_t now = engine_now(ehr);
    struct ehr_health health = {
        .condition = ehr->breaker.condition,
        .until = now < ehr->breaker.until_us ? engine_utc(ehr, ehr->breaker.until_us) : 0,
        .since = ehr->since,
        .fault = ehr->fault,
        .http_status = ehr->http_status,
        .waiting = ehr->waiting_count,
        .under_way = (size_t)ehr->budget.under_way,
        .requests = ehr->requests,
        .failures = ehr->failures,
        .capability_known = ehr->capability.arena != NULL,
        .plans = durations_summary(&ehr->plans),
    };
    pthread_mutex_unlock(&ehr->mutex);
    health.down_until = down_until(ehr);
    return health;
}
