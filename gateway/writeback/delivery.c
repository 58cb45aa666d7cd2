#include "gateway/writeback/delivery.h"

#include <stdlib.h>

#include "gateway/plan/dress.h"
#include "gateway/plan/plan_accept.h"
#include "gateway/plan/plan_diff.h"
#include "gateway/plan/plan_merge.h"
#include "gateway/writeback/look_up.h"

enum {
    DELIVERY_ARENA = 16 * 1024 * 1024,
    MS = 1000,
    HTTP_PRECONDITION_FAILED = 412,
    ROUNDS_MOST = 3, /* of reading, merging and sending, when the EHR's copy moves meanwhile */
};

struct delivery {
    struct delivery_options options;
    const struct change *change;
    delivery_done *done;
    void *arg;
    struct arena *arena;
    const struct json *wanted; /* the body, references resolved; NULL of a withdrawal */
    struct slice ehr_id;
    bool looked_up;
    bool sent;            /* a write left, and no answer said that it was not carried out */
    bool store_failed;    /* an item could not be looked up in the store now */
    bool edited;          /* what we write stands beside what a person changed */
    unsigned rounds;      /* of updates that met another version */
    struct slice met;     /* the version that an update names as the one it replaces */
    struct slice written; /* the id of what was updated */
    struct slice told;    /* for the operator: whose elements stand; empty: what the EHR said */
    enum look_up_way way; /* of the look-up that is under way */
    int conflict_status;  /* HTTP, of a create */
    bool unconditional;   /* the EHR took no condition: it was just looked up instead */
    struct ehr_answer *answer;  /* of the step being taken */
    struct ehr_request request; /* what the step asks for, and who takes its answer */
    enum status (*then)(struct delivery *d);
    struct delivery_end end;
};

/* One step: takes d->answer (NULL at the first). STATUS_OK: d->request is to be sent;
 * STATUS_ABSENT: d->end is told. */
typedef enum status step(struct delivery *d);

/* ---- the end ---- */

static enum status finish(struct delivery *d, enum row_state outcome, enum reason reason)
{
    d->end.result.outcome = outcome;
    d->end.result.reason = reason;
    return STATUS_ABSENT; /* no further step */
}

static int64_t now(const struct delivery *d)
{
    return clock_utc(d->options.clock);
}

int64_t delivery_backoff(const struct config_ehr *config, const struct clock *clock,
                         const struct random *random, unsigned tries)
{
    uint64_t wait = config->retry.first_ms;
    for (unsigned i = 1; i < tries && wait < config->retry.most_ms; i++) {
        wait *= 2;
    }
    if (wait > config->retry.most_ms) {
        wait = config->retry.most_ms;
    }
    uint64_t jitter = random_below(random, wait / 2 + 1); /* between half and the whole */
    return clock_utc(clock) + (int64_t)((wait - jitter) * MS);
}

static enum status try_later(struct delivery *d, bool may_have_landed)
{
    const struct config_ehr *config = ehr_config(d->options.ehr);
    if (d->change->tries >= config->retry.tries) {
        return finish(d, ROW_HELD,
                      may_have_landed ? REASON_OUTCOME_UNKNOWN : REASON_TRIES_EXHAUSTED);
    }
    int64_t at = delivery_backoff(config, d->options.clock, d->options.random, d->change->tries);
    if (may_have_landed) {
        int64_t settled = now(d) + (int64_t)config->unknown_settle_ms * MS;
        at = settled > at ? settled : at;
    }
    if (d->answer != NULL && d->answer->not_before > at) {
        at = d->answer->not_before;
    }
    d->end.result.not_before = at;
    return finish(d, may_have_landed ? ROW_UNKNOWN : ROW_SCHEDULED, REASON_NONE);
}

/* It is a person's by now: it stays as it is, and a clinician looks at it. */
static enum status leave(struct delivery *d, enum item_life life, struct slice why)
{
    d->end.note_life = true;
    d->end.life = life;
    d->told = why;
    return finish(d, ROW_HANDED_OVER, REASON_REVIEW);
}

/* Why it is held: what is understood and not accepted would be refused again. */
static enum reason refusal(enum ehr_fault fault)
{
    switch (fault) {
    case EHR_FAULT_POLICY:
        return REASON_POLICY;
    case EHR_FAULT_MERGED:
        return REASON_MERGED_PATIENT;
    case EHR_FAULT_NOT_OFFERED:
        return REASON_NOT_SUPPORTED;
    default:
        return REASON_REFUSED;
    }
}

/* An answer that a step has no better use for. */
static enum status other_answer(struct delivery *d, bool write)
{
    switch (d->answer->outcome) {
    case EHR_UNKNOWN:
        return try_later(d, true);
    case EHR_AGAIN:
    case EHR_UNAUTHORIZED:
        return try_later(d, d->looked_up && d->change->look_up && !write);
    case EHR_CONFLICT:
        return finish(d, ROW_HELD, REASON_CONFLICT);
    case EHR_ABSENT: /* someone took it out of the EHR */
        if (d->change->item.ehr_id.len == 0) {
            return finish(d, ROW_HELD, REASON_CONFLICT);
        }
        return leave(d, ITEM_REVOKED, SLICE("ended-by-person"));
    case EHR_UNREADABLE:
        return try_later(d, write || d->change->look_up);
    default:
        return finish(d, ROW_HELD, refusal(d->answer->fault));
    }
}

/* Of what is no draft any more. */
static enum item_life life_of(const struct json *theirs)
{
    return plan_diff_is_ended(theirs)       ? ITEM_REVOKED
           : plan_diff_is_completed(theirs) ? ITEM_ENDED
                                            : ITEM_ACCEPTED;
}

/* What stands in the EHR is ours: it is the base of every later comparison. */
static enum status delivered(struct delivery *d, const struct json *theirs, struct slice id,
                             struct slice version)
{
    struct attempt_result *result = &d->end.result;
    bool edited = d->edited || d->change->item.life == ITEM_EDITED;
    bool ended = d->change->kind == CHANGE_ACCEPT && plan_diff_is_ended(theirs);
    result->life = d->change->kind == CHANGE_WITHDRAW || ended ? ITEM_WITHDRAWN
                   : !plan_diff_is_draft(theirs)               ? life_of(theirs)
                   : edited                                    ? ITEM_EDITED
                                                               : ITEM_DRAFT;
    result->ehr_id = arena_copy(d->arena, id);
    result->ehr_version = arena_copy(d->arena, version);
    result->base = json_write(d->arena, theirs, JSON_COMPACT);
    return finish(d, ROW_DELIVERED, REASON_DELIVERED);
}

/* ---- calling ---- */

static void take_step(struct delivery *d, step *next);

static void answered(struct ehr_answer *answer, void *arg)
{
    struct delivery *d = arg;
    d->answer = answer;
    d->end.result.http_status = answer->http_status;
    if (d->request.verb == EHR_CREATE || d->request.verb == EHR_UPDATE) {
        d->sent = answer->outcome == EHR_DONE || answer->outcome == EHR_UNKNOWN;
    }
    take_step(d, d->then);
}

/*
 * A write leaves only while the lease outlasts its deadline: later another owner may hold the row,
 * look the write up before it lands, and send it again. One whose turn comes too late is not sent.
 */
static enum status call(struct delivery *d, const struct ehr_request *request, step *then)
{
    d->request = *request;
    d->request.type = d->change->item.resource_type;
    d->request.lane = d->change->patient;
    d->then = then;
    if (request->verb == EHR_CREATE || request->verb == EHR_UPDATE) {
        int64_t deadline_ms = (int64_t)ehr_config(d->options.ehr)->deadline.write_ms;
        int64_t left_ms = (d->change->lease_until - now(d)) / MS - deadline_ms;
        if (left_ms <= 0) {
            return try_later(d, false);
        }
        d->request.send_within_ms = (uint64_t)left_ms;
    }
    return STATUS_OK;
}

static void end(struct delivery *d)
{
    char detail[256];
    struct slice said = d->answer != NULL ? d->answer->detail : SLICE_NONE;
    struct slice told = d->told.len != 0 ? d->told : said;
    told = slice_part(told, 0, sizeof detail);
    if (told.len != 0) {
        memcpy(detail, told.at, told.len);
    }
    d->end.result.detail = slice_from(detail, told.len);
    d->done(&d->end, d->arg);
    arena_destroy(&d->arena);
    free(d);
}

struct stepping {
    struct delivery *d;
    step *step;
};

static enum status run_step(void *arg)
{
    struct stepping *stepping = arg;
    return stepping->step(stepping->d);
}

/* Once a request is with the EHR its answer may come on another thread at once: d is not touched
 * after that. */
static void take_step(struct delivery *d, step *next)
{
    struct stepping stepping = {d, next};
    enum status status = arena_run(d->arena, run_step, &stepping);
    bool sent = d->sent;
    if (status == STATUS_OK) {
        d->answer = NULL;
        d->sent = d->sent || d->request.verb == EHR_CREATE || d->request.verb == EHR_UPDATE;
        if (ehr_call(d->options.ehr, &d->request, answered, d) == STATUS_OK) {
            return;
        }
    }
    if (status == STATUS_OK || status == STATUS_NO_MEMORY) {
        try_later(d, d->change->look_up || sent);
    } else if (status !=
               STATUS_ABSENT) { /* the arena: the resource is larger than anything we write */
        finish(d, d->change->look_up || sent ? ROW_UNKNOWN : ROW_HELD, REASON_UNREADABLE);
    }
    end(d);
}

/* ---- steps ---- */

static enum status after_read_back(struct delivery *d)
{
    if (d->answer->outcome != EHR_DONE || d->answer->resource == NULL) {
        return try_later(d, true); /* it was written; the next try finds it and reads it */
    }
    return delivered(d, d->answer->resource, d->answer->id, d->answer->version);
}

static enum status read_back(struct delivery *d, struct slice id)
{
    struct ehr_request request = {.verb = EHR_READ, .id = arena_copy(d->arena, id)};
    return call(d, &request, after_read_back);
}

static enum status after_write(struct delivery *d)
{
    if (d->answer->outcome == EHR_DONE && d->answer->id.len != 0) {
        return read_back(d, d->answer->id);
    }
    return other_answer(d, true);
}

static const struct ability *abilities(struct delivery *d, struct ability *ability)
{
    return ehr_ability(d->options.ehr, d->change->item.resource_type.at, ability) == STATUS_OK
               ? ability
               : NULL;
}

/* ---- looking up ---- */

static enum status cannot_know(struct delivery *d)
{
    d->told = SLICE("the EHR cannot be asked whether it was written");
    return finish(d, ROW_HELD, REASON_OUTCOME_UNKNOWN);
}

static enum status look_up(struct delivery *d, enum look_up_way way, step *then)
{
    struct ability ability;
    struct ehr_request request =
        look_up_request(d->arena, way, d->change, d->wanted, abilities(d, &ability));
    d->way = way;
    d->looked_up = true;
    return call(d, &request, then);
}

/* What of ours stands there. STATUS_OK: told in *found; STATUS_AGAIN: the next way is to be asked,
 * d->way; STATUS_ABSENT: the end is told. */
static enum status take_look_up(struct delivery *d, struct look_up_found *found)
{
    enum ehr_outcome outcome = d->answer->outcome;
    enum ehr_fault fault = d->answer->fault;
    if (outcome == EHR_AGAIN || outcome == EHR_UNAUTHORIZED ||
        (outcome == EHR_UNREADABLE && fault != EHR_FAULT_FILTER_IGNORED)) {
        return other_answer(d, false); /* the same question, later */
    }
    if (fault == EHR_FAULT_POLICY || fault == EHR_FAULT_MERGED) {
        return d->change->look_up ? cannot_know(d) : finish(d, ROW_HELD, refusal(fault));
    }
    if (look_up_read(d->arena, d->way, d->answer, d->change, d->wanted, found)) {
        return STATUS_OK;
    }
    struct ability ability;
    d->way = look_up_next(d->way, abilities(d, &ability));
    return STATUS_AGAIN;
}

static enum status adopt(struct delivery *d, const struct look_up_found *found)
{
    const struct json *theirs = found->ours;
    if (found->count > 1) {
        d->told = SLICE("more than one resource carries our identifier");
        return finish(d, ROW_HELD, REASON_CONFLICT);
    }
    return delivered(d, theirs, json_get_text(theirs, "id"),
                     json_get_text(json_get(theirs, "meta"), "versionId"));
}

/* ---- creating ---- */

static enum status create(struct delivery *d);

/* A conflict of a create is ambiguous: several matches, conditions that are not supported, or a
 * duplicate by the EHR's own rules. The EHR was asked. */
static enum status after_found_conflict(struct delivery *d)
{
    struct look_up_found found = {.count = 0};
    enum status status = take_look_up(d, &found);
    if (status == STATUS_AGAIN) {
        return d->way == LOOK_UP_NONE ? finish(d, ROW_HELD, REASON_CONFLICT)
                                      : look_up(d, d->way, after_found_conflict);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (found.count != 0) {
        return adopt(d, &found);
    }
    if (d->conflict_status != HTTP_PRECONDITION_FAILED || d->unconditional || found.doubtful) {
        return finish(d, ROW_HELD, REASON_CONFLICT);
    }
    d->unconditional = true; /* nothing of ours stands there: it takes no conditions */
    return create(d);
}

static enum status after_create(struct delivery *d)
{
    struct ability ability;
    enum look_up_way way = look_up_first(abilities(d, &ability));
    if (d->answer->outcome != EHR_CONFLICT) {
        return after_write(d);
    }
    d->conflict_status = d->answer->http_status;
    return way == LOOK_UP_NONE ? finish(d, ROW_HELD, REASON_CONFLICT)
                               : look_up(d, way, after_found_conflict);
}

static enum status create(struct delivery *d)
{
    struct ability ability;
    const struct ability *known = abilities(d, &ability);
    if (known != NULL && !known->create) {
        return finish(d, ROW_HELD, REASON_NOT_SUPPORTED);
    }
    struct ehr_request request = {.verb = EHR_CREATE,
                                  .body = json_write(d->arena, d->wanted, JSON_COMPACT)};
    if (!d->unconditional && (known == NULL || known->conditional_create)) {
        request.system = SLICE(DRESS_IDENTIFIER_SYSTEM);
        request.value = dress_urn(d->arena, d->change->item.identifier);
    }
    return call(d, &request, after_create);
}

/* Before a create: it may have landed, or the EHR takes no conditions. */
static enum status after_look_up(struct delivery *d)
{
    struct look_up_found found = {.count = 0};
    enum status status = take_look_up(d, &found);
    if (status == STATUS_AGAIN && d->way != LOOK_UP_NONE) {
        return look_up(d, d->way, after_look_up);
    }
    if (status == STATUS_AGAIN) {
        return d->change->look_up ? cannot_know(d) : create(d);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (found.count != 0) {
        return adopt(d, &found);
    }
    return found.doubtful && d->change->look_up ? cannot_know(d) : create(d);
}

static enum status begin_create(struct delivery *d)
{
    struct ability ability;
    const struct ability *known = abilities(d, &ability);
    bool guarded = known == NULL || known->conditional_create;
    enum look_up_way way = look_up_first(known);
    if (guarded && !d->change->look_up) {
        return create(d);
    }
    if (way != LOOK_UP_NONE) {
        return look_up(d, way, after_look_up);
    }
    /* What was never sent may go; what may have been sent may not, but under a condition. */
    return d->change->look_up && !guarded ? cannot_know(d) : create(d);
}

/* ---- updates and withdrawals ---- */

static struct slice target_of(void *arg, struct slice key)
{
    struct delivery *d = arg;
    struct uuid identifier;
    struct slice target = SLICE_NONE;
    if (uuid_read(key, &identifier)) {
        enum status status = d->options.find(d->options.find_arg, d->arena, identifier, &target);
        d->store_failed = d->store_failed || status_may_pass(status);
    }
    return target;
}

static struct slice target_or_itself(void *arg, struct slice key)
{
    struct delivery *d = arg;
    struct slice target = target_of(arg, key);
    return target.len != 0 ? target : arena_printf(d->arena, "urn:uuid:%.*s", SLICE_ARGS(key));
}

static enum status after_read(struct delivery *d);

static enum status read_current(struct delivery *d)
{
    struct ehr_request request = {.verb = EHR_READ, .id = d->ehr_id};
    return call(d, &request, after_read);
}

/* That there is no such version is good: the EHR counts, but not by one. */
static enum status after_between(struct delivery *d)
{
    if (d->answer->outcome == EHR_ABSENT) {
        return read_back(d, d->written);
    }
    d->end.note_life = true;
    d->end.life = ITEM_EDITED;
    d->told =
        SLICE("replaced a version that came between look and write: the EHR keeps no If-Match");
    return finish(d, ROW_HELD, REASON_CONFLICT);
}

/* An EHR that does not keep If-Match takes an update although another version came in between. It
 * can be seen afterwards where versions are counted. SLICE_NONE: none is seen. */
static struct slice version_between(struct delivery *d)
{
    struct ability ability;
    const struct ability *known = abilities(d, &ability);
    uint64_t met;
    uint64_t made;
    bool skipped = d->answer->outcome == EHR_DONE && (known == NULL || !known->version_aware) &&
                   slice_to_u64(d->met, &met) && slice_to_u64(d->answer->version, &made) &&
                   made > met && made - met > 1;
    return skipped ? arena_printf(d->arena, "%llu", (unsigned long long)(made - 1)) : SLICE_NONE;
}

/* Another version stood there, so it was not written: read it, and look again. */
static enum status after_update(struct delivery *d)
{
    struct slice between = version_between(d);
    if (between.len != 0) {
        d->written = arena_copy(d->arena, d->answer->id);
        struct ehr_request request = {.verb = EHR_READ, .id = d->written, .version = between};
        return call(d, &request, after_between);
    }
    if (d->answer->outcome != EHR_CONFLICT) {
        return after_write(d);
    }
    d->edited = false;
    d->told = SLICE_NONE;
    return ++d->rounds < ROUNDS_MOST ? read_current(d) : try_later(d, false);
}

static enum status update(struct delivery *d, const struct json *body)
{
    d->met = arena_copy(d->arena, d->answer->version);
    struct ehr_request request = {.verb = EHR_UPDATE,
                                  .id = d->ehr_id,
                                  .version = d->met,
                                  .body = json_write(d->arena, body, JSON_COMPACT)};
    return call(d, &request, after_update);
}

/* A stored body, its references as the EHR writes them; NULL: there is none. */
static const struct json *stored(struct delivery *d, struct slice text)
{
    struct diag_list unheard;
    const struct json *read = NULL;
    struct slice missing;
    diag_init(&unheard, d->arena, 1);
    if (text.len == 0 || json_parse(d->arena, source_create(d->arena, SLICE("body"), text),
                                    &LIMITS_DEFAULT, &unheard, &read) != STATUS_OK) {
        return NULL;
    }
    struct json *body = json_copy(d->arena, read);
    dress_references(d->arena, body, SLICE("urn:uuid:"), target_or_itself, d, &missing);
    return body;
}

static enum status merge(struct delivery *d, const struct json *base, const struct json *theirs)
{
    const struct plan_sides sides = {.wanted = stored(d, d->change->item.wanted),
                                     .base = base,
                                     .theirs = theirs,
                                     .ours = d->wanted};
    struct plan_merge merge;
    if (d->store_failed) {
        return try_later(d, d->change->look_up);
    }
    plan_merge(d->arena, d->options.model, &sides, &d->options.owns, d->change->item.of.key,
               &merge);
    d->edited = plan_diff_touched(d->arena, base, theirs);
    if (merge.kept.count != 0) {
        d->told = arena_printf(d->arena, "the clinician's: %.*s",
                               SLICE_ARGS(plan_paths_text(d->arena, &merge.kept)));
    }
    if (merge.conflicts > PLAN_MERGE_CONFLICTS_MOST) {
        d->end.note_life = true;
        d->end.life = ITEM_EDITED;
        return finish(d, ROW_HELD, REASON_CONFLICT);
    }
    if (merge.unchanged) {
        delivered(d, theirs, d->answer->id, d->answer->version);
        return finish(d, ROW_DELIVERED, REASON_UNCHANGED);
    }
    return update(d, merge.merged);
}

/* The earlier try did land. */
static bool has_landed(struct delivery *d, const struct json *theirs)
{
    return d->change->look_up &&
           (d->change->kind == CHANGE_WITHDRAW ? plan_diff_is_ended(theirs)
                                               : plan_diff_unchanged(d->arena, d->wanted, theirs));
}

static enum status after_read(struct delivery *d)
{
    const struct change *change = d->change;
    if (d->answer->outcome != EHR_DONE || d->answer->resource == NULL) {
        return other_answer(d, false);
    }
    const struct json *theirs = json_copy(d->arena, d->answer->resource);
    if (has_landed(d, theirs)) {
        return delivered(d, theirs, d->answer->id, d->answer->version);
    }
    const struct json *base = stored(d, change->item.base);
    if (d->store_failed) {
        return try_later(d, change->look_up);
    }
    if (!plan_diff_is_draft(theirs)) {
        enum item_life life = life_of(theirs);
        return leave(d, life, life == ITEM_ACCEPTED ? SLICE("accepted") : SLICE("ended-by-person"));
    }
    if (change->kind ==
        CHANGE_ACCEPT) { /* of the draft as it stands, with what persons made of it */
        return update(d, plan_decide(d->arena, d->wanted, base, theirs));
    }
    if (base == NULL) {
        return finish(d, ROW_HELD, REASON_DAMAGED);
    }
    if (change->kind == CHANGE_UPDATE) {
        return merge(d, base, theirs);
    }
    if (change->item.life == ITEM_EDITED || plan_diff_touched(d->arena, base, theirs)) {
        return leave(d, ITEM_EDITED, SLICE("edited"));
    }
    if (change->kind == CHANGE_CHECK) {
        return finish(d, ROW_DROPPED, REASON_UNCHANGED);
    }
    return update(d, plan_diff_withdraw(d->arena, theirs));
}

/* ---- the beginning ---- */

static enum status resolve_body(struct delivery *d)
{
    if (d->change->kind == CHANGE_WITHDRAW || d->change->kind == CHANGE_CHECK) {
        return STATUS_OK;
    }
    struct diag_list unheard;
    diag_init(&unheard, d->arena, 1);
    const struct json *read = NULL;
    struct slice missing;
    struct source *source = source_create(d->arena, SLICE("body"), d->change->body);
    enum status status = json_parse(d->arena, source, &LIMITS_DEFAULT, &unheard, &read);
    if (status != STATUS_OK) {
        return finish(d, ROW_HELD, REASON_DAMAGED);
    }
    struct json *body = json_copy(d->arena, read);
    status = dress_references(d->arena, body, SLICE("urn:uuid:"), target_of, d, &missing);
    if (d->store_failed) {
        return try_later(d, d->change->look_up);
    }
    if (status != STATUS_OK) {
        return finish(d, ROW_HELD, REASON_PREDECESSOR);
    }
    d->wanted = body;
    return STATUS_OK;
}

static enum status begin(struct delivery *d)
{
    enum status status = resolve_body(d);
    if (status != STATUS_OK) {
        return status;
    }
    if (d->change->kind != CHANGE_CREATE) {
        d->looked_up = d->change->look_up;
        return read_current(d);
    }
    return begin_create(d);
}

enum status delivery_begin(const struct delivery_options *options, const struct change *change,
                           delivery_done *done, void *arg)
{
    struct delivery *d = calloc(1, sizeof *d);
    struct arena *arena = arena_create(DELIVERY_ARENA);
    if (d == NULL || arena == NULL) {
        free(d);
        arena_destroy(&arena);
        return STATUS_NO_MEMORY;
    }
    *d = (struct delivery){.options = *options,
                           .change = change,
                           .done = done,
                           .arg = arg,
                           .arena = arena,
                           .ehr_id = change->item.ehr_id};
    d->end.result.change = change->id;
    d->end.result.fence = change->fence;
    take_step(d, begin);
    return STATUS_OK;
}
