/* What the EHR says it can do: fetched at the start, by interval, and when a call is told
 * otherwise. */
#include "gateway/ehr/engine.h"

static const int64_t ms_us = 1000;
static const int64_t doubt_pause_us = (int64_t)600 * 1000000; /* asked again at most so often */

struct fresh {
    const struct json *statement;
    struct arena *arena;
    struct slice body;
};

static enum status write_body(void *arg)
{
    struct fresh *fresh = arg;
    fresh->body = json_write(fresh->arena, fresh->statement, JSON_COMPACT);
    return STATUS_OK;
}

/* Takes the arena over. */
static void take_over(struct ehr *ehr, struct arena *arena, const struct json *statement,
                      const struct capability_facts *facts)
{
    pthread_mutex_lock(&ehr->mutex);
    struct arena *old = ehr->capability.arena;
    ehr->capability.arena = arena;
    ehr->capability.statement = statement;
    ehr->capability.facts = *facts;
    pthread_mutex_unlock(&ehr->mutex);
    arena_destroy(&old);
}

static void schedule(struct ehr *ehr, bool fetched)
{
    const struct config_ehr *config = ehr->config;
    pthread_mutex_lock(&ehr->mutex);
    int64_t wait_ms = (int64_t)config->capability_ms;
    if (!fetched) {
        wait_ms = (int64_t)config->retry.first_ms;
        for (unsigned i = 0; i < ehr->capability.tries && wait_ms < (int64_t)config->retry.most_ms;
             i++) {
            wait_ms *= 2;
        }
        wait_ms =
            wait_ms < (int64_t)config->retry.most_ms ? wait_ms : (int64_t)config->retry.most_ms;
    }
    ehr->capability.tries = fetched ? 0 : ehr->capability.tries + 1;
    ehr->capability.asking = false;
    ehr->capability.fetched_at = fetched ? engine_now(ehr) : ehr->capability.fetched_at;
    ehr->capability.next_at = engine_now(ehr) + wait_ms * ms_us;
    alarm_set(ehr->alarm, ehr->capability.next_at);
    pthread_mutex_unlock(&ehr->mutex);
}

static void answered(struct ehr_answer *answer, void *arg)
{
    struct ehr *ehr = arg;
    struct capability_facts facts;
    const char *why = NULL;
    if (answer->outcome != EHR_DONE) {
        schedule(ehr, false);
        return;
    }
    if (capability_read(answer->resource, &facts, &why) != STATUS_OK) {
        LOG(ehr->options.log, LOG_WARNING, "capability-unusable", LOG_SLICE(EHR, ehr->config->name),
            LOG_TEXT(DETAIL, why), LOG_TEXT(ADVICE, ehr_fault_advice(EHR_FAULT_NO_CAPABILITY)));
        schedule(ehr, false);
        return;
    }
    struct fresh fresh = {.statement = answer->resource, .arena = answer->arena};
    if (ehr->options.keep_capability != NULL &&
        arena_run(fresh.arena, write_body, &fresh) == STATUS_OK) {
        ehr->options.keep_capability(ehr->options.arg, answer->version, fresh.body);
    }
    const struct json *statement = answer->resource;
    take_over(ehr, ehr_answer_keep(answer), statement, &facts);
    schedule(ehr, true);
}

void knowledge_refresh(struct ehr *ehr)
{
    pthread_mutex_lock(&ehr->mutex);
    bool may = ehr->started && !ehr->stopped && !ehr->capability.asking;
    bool due = may && engine_now(ehr) >= ehr->capability.next_at;
    if (due) {
        ehr->capability.asking = true;
    } else if (may) {
        alarm_set(ehr->alarm, ehr->capability.next_at);
    }
    pthread_mutex_unlock(&ehr->mutex);
    if (due) {
        const struct ehr_request request = {.verb = EHR_METADATA};
        if (call_begin(ehr, &request, NULL, answered, ehr) != STATUS_OK) {
            schedule(ehr, false);
        }
    }
}

void knowledge_doubt(struct ehr *ehr)
{
    int64_t now = engine_now(ehr);
    if (now - ehr->capability.fetched_at > doubt_pause_us && ehr->capability.next_at > now) {
        ehr->capability.next_at = now;
        alarm_set(ehr->alarm, now);
    }
}

struct kept {
    struct arena *arena;
    struct slice body;
    const struct json *statement;
    struct capability_facts facts;
};

static enum status read_kept(void *arg)
{
    struct kept *kept = arg;
    struct diag_list diags;
    diag_init(&diags, kept->arena, 1);
    const struct limits limits = LIMITS_DEFAULT;
    struct slice body = arena_copy(kept->arena, kept->body);
    const struct source *source = source_create(kept->arena, SLICE("CapabilityStatement"), body);
    enum status status = json_parse(kept->arena, source, &limits, &diags, &kept->statement);
    const char *why = NULL;
    return status == STATUS_OK ? capability_read(kept->statement, &kept->facts, &why) : status;
}

void ehr_use_capability(struct ehr *ehr, struct slice body)
{
    struct kept kept = {.arena = arena_create(CALL_ARENA), .body = body};
    if (kept.arena == NULL) {
        return;
    }
    if (arena_run(kept.arena, read_kept, &kept) == STATUS_OK) {
        take_over(ehr, kept.arena, kept.statement, &kept.facts);
    } else {
        arena_destroy(&kept.arena);
    }
}

enum status ehr_ability(struct ehr *ehr, const char *type, struct ability *ability_out)
{
    enum status status = STATUS_ABSENT;
    pthread_mutex_lock(&ehr->mutex);
    if (ehr->capability.arena != NULL) {
        *ability_out = capability_of(ehr->capability.statement, type);
        status = STATUS_OK;
    }
    pthread_mutex_unlock(&ehr->mutex);
    return status;
}

enum status ehr_transactions(struct ehr *ehr, bool *supported_out)
{
    enum status status = STATUS_ABSENT;
    pthread_mutex_lock(&ehr->mutex);
    if (ehr->capability.arena != NULL) {
        *supported_out = ehr->capability.facts.transaction;
        status = STATUS_OK;
    }
    pthread_mutex_unlock(&ehr->mutex);
    return status;
}
