#include "gateway/inbound/subscribe.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "gateway/base/secret.h"
#include "gateway/inbound/worker.h"
#include "gateway/store/store_read.h"

static const int64_t ms_us = 1000;

enum {
    PATIENCE_MS = 1000, /* for the EHR to make a requested one active by itself */
    PATIENCE_TIMES = 2,
    SEARCH_PAGES = 20
};

/* One subscription, and how its upkeep stands. Touched by one step at a time. */
struct charge {
    const struct config_subscription *config;
    struct secret *secret;
    struct slice endpoint;
    struct slice written_version; /* of what we wrote last: whatever the EHR made of it, we do not
                                     write it again */
    char written_room[128];
    int64_t due; /* monotonic */
    unsigned patience;
    enum ehr_fault complained; /* NONE: nothing is wrong that was not said */
};

/* One look at one of them. */
struct visit {
    struct charge *charge;
    struct arena *arena;
    struct slice id; /* empty: not known */
    bool searched_all;
    struct arena *theirs_arena;
    const struct json *theirs;
    struct ehr_request request;
    struct store_save_subscription save;
};

struct subscriber {
    struct inbound_host host;
    struct ehr *ehr;
    const struct config_ehr *config;
    struct arena *arena;
    struct charge *charges;
    size_t count;
    struct worker *worker;
    _Atomic bool all_now; /* a nudge: whatever their times are */
    struct visit visit;
};

static int64_t monotonic(const struct subscriber *subscriber)
{
    return clock_monotonic(subscriber->host.clock);
}

static struct wanted_subscription wanted_of(const struct charge *charge)
{
    return (struct wanted_subscription){.endpoint = charge->endpoint,
                                        .criteria = charge->config->criteria,
                                        .full = charge->config->payload == PAYLOAD_FULL,
                                        .secret = secret_view(charge->secret)};
}

/* ---- the end of a visit ---- */

static void look(void *arg);

static void visit_end(struct subscriber *subscriber, int64_t wait_ms)
{
    struct visit *visit = &subscriber->visit;
    visit->charge->due = monotonic(subscriber) + wait_ms * ms_us;
    arena_destroy(&visit->theirs_arena);
    arena_wipe(visit->arena); /* the secret was in it */
    arena_destroy(&visit->arena);
    *visit = (struct visit){.charge = NULL};
    worker_go(subscriber->worker, look);
}

static int64_t interval_ms(const struct subscriber *subscriber)
{
    return (int64_t)subscriber->config->subscription_check_ms;
}

static int64_t retry_ms(const struct subscriber *subscriber)
{
    return (int64_t)subscriber->config->retry.first_ms;
}

static void saved_good(struct store_tx *tx, void *arg)
{
    struct subscriber *subscriber = arg;
    visit_end(subscriber, tx->status == STATUS_OK ? interval_ms(subscriber) : retry_ms(subscriber));
}

static void saved_waiting(struct store_tx *tx, void *arg)
{
    (void)tx;
    visit_end(arg, PATIENCE_MS);
}

static void saved_bad(struct store_tx *tx, void *arg)
{
    (void)tx;
    struct subscriber *subscriber = arg;
    visit_end(subscriber, interval_ms(subscriber));
}

/* What is not empty is kept by the store. */
static void save(struct subscriber *subscriber, struct slice status, const char *error,
                 store_done *then)
{
    struct visit *visit = &subscriber->visit;
    visit->save = (struct store_save_subscription)STORE_TX(SAVE_SUBSCRIPTION);
    visit->save.in.ehr = subscriber->config->name;
    visit->save.in.name = visit->charge->config->name;
    visit->save.in.ehr_id = visit->id;
    visit->save.in.status = status;
    visit->save.in.error = slice_of(error);
    if (store_submit(subscriber->host.store, &visit->save.tx, then, subscriber) != STATUS_OK) {
        visit->save.tx.status = STATUS_AGAIN;
        then(&visit->save.tx, subscriber);
    }
}

/* The EHR did not do it. What passes is tried again soon; what lasts is said once, and tried again
 * by interval. */
static void failed(struct subscriber *subscriber, const struct ehr_answer *answer)
{
    struct charge *charge = subscriber->visit.charge;
    if (answer->outcome == EHR_AGAIN || answer->outcome == EHR_UNAUTHORIZED ||
        answer->outcome == EHR_CONFLICT || answer->outcome == EHR_UNKNOWN) {
        int64_t told = (answer->not_before - clock_utc(subscriber->host.clock)) / ms_us;
        visit_end(subscriber, told > retry_ms(subscriber) ? told : retry_ms(subscriber));
        return;
    }
    if (charge->complained != answer->fault) {
        charge->complained = answer->fault;
        LOG(subscriber->host.log, LOG_WARNING, "subscription-failed",
            LOG_SLICE(EHR, subscriber->config->name), LOG_TEXT(RESOURCE_TYPE, "Subscription"),
            LOG_TEXT(OUTCOME, ehr_fault_name(answer->fault)),
            LOG_NUMBER(STATUS, answer->http_status),
            LOG_TEXT(DETAIL, ehr_fault_sentence(answer->fault)),
            LOG_TEXT(ADVICE, ehr_fault_advice(answer->fault)));
    }
    save(subscriber, SLICE("error"), ehr_fault_sentence(answer->fault), saved_bad);
}

/* ---- calls ---- */

static void begin_call(struct subscriber *subscriber, ehr_done *done)
{
    if (worker_stopped(subscriber->worker) ||
        ehr_call(subscriber->ehr, &subscriber->visit.request, done, subscriber) != STATUS_OK) {
        visit_end(subscriber, retry_ms(subscriber));
    }
}

static void create(struct subscriber *subscriber);
static void search(struct subscriber *subscriber);
static void judge(struct subscriber *subscriber);

/* The answer's resource, kept until the visit ends. */
static void keep(struct subscriber *subscriber, struct ehr_answer *answer,
                 const struct json *resource)
{
    struct visit *visit = &subscriber->visit;
    arena_destroy(&visit->theirs_arena);
    visit->theirs = resource;
    visit->theirs_arena = ehr_answer_keep(answer);
}

/* A version that is longer is not remembered: then one write too many may follow. */
static void keep_version(struct charge *charge, struct slice version)
{
    bool fits = version.len <= sizeof charge->written_room;
    charge->written_version = fits ? slice_from(charge->written_room, version.len) : SLICE_NONE;
    if (fits && version.len != 0) {
        memcpy(charge->written_room, version.at, version.len);
    }
}

/* ---- writing ---- */

struct draft {
    struct subscriber *subscriber;
    const char *status;
    bool update;
};

static enum status write_body(void *arg)
{
    struct draft *draft = arg;
    struct visit *visit = &draft->subscriber->visit;
    const struct wanted_subscription wanted = wanted_of(visit->charge);
    const struct json *theirs = draft->update ? visit->theirs : NULL;
    const struct json *body = subscription_build(visit->arena, &wanted, theirs, draft->status);
    visit->request =
        (struct ehr_request){.verb = draft->update ? EHR_UPDATE : EHR_CREATE,
                             .type = SLICE("Subscription"),
                             .id = draft->update ? visit->id : SLICE_NONE,
                             .version = json_get_text(json_get(theirs, "meta"), "versionId"),
                             .body = json_write(visit->arena, body, JSON_COMPACT)};
    return STATUS_OK;
}

static void written(struct ehr_answer *answer, void *arg)
{
    struct subscriber *subscriber = arg;
    struct visit *visit = &subscriber->visit;
    if (answer->outcome != EHR_DONE) {
        failed(subscriber, answer);
        return;
    }
    visit->id = answer->id; /* lives as long as what is kept */
    keep(subscriber, answer, answer->resource);
    keep_version(visit->charge, answer->version);
    LOG(subscriber->host.log, LOG_INFO, "subscription-written",
        LOG_SLICE(EHR, subscriber->config->name), LOG_TEXT(RESOURCE_TYPE, "Subscription"),
        LOG_SLICE(STATE, json_get_text(answer->resource, "status")));
    save(subscriber, json_get_text(answer->resource, "status"), "", saved_waiting);
}

static void write_it(struct subscriber *subscriber, const char *status, bool update)
{
    struct draft draft = {subscriber, status, update};
    if (arena_run(subscriber->visit.arena, write_body, &draft) != STATUS_OK) {
        visit_end(subscriber, retry_ms(subscriber));
        return;
    }
    begin_call(subscriber, written);
}

/* FHIR R4: a client asks for it, and the server makes it active. Where it does not, judge() helps.
 */
static void create(struct subscriber *subscriber)
{
    subscriber->visit.charge->patience = PATIENCE_TIMES;
    write_it(subscriber, "requested", false);
}

/* ---- judging ---- */

static void put_right(struct subscriber *subscriber, const char *why)
{
    LOG(subscriber->host.log, LOG_WARNING, "subscription-repaired",
        LOG_SLICE(EHR, subscriber->config->name), LOG_TEXT(RESOURCE_TYPE, "Subscription"),
        LOG_TEXT(DETAIL, why));
    subscriber->visit.charge->patience = PATIENCE_TIMES;
    write_it(subscriber, "requested", true);
}

static void judge(struct subscriber *subscriber)
{
    struct visit *visit = &subscriber->visit;
    struct charge *charge = visit->charge;
    const struct wanted_subscription wanted = wanted_of(charge);
    enum subscription_verdict verdict =
        subscription_judge(&wanted, visit->theirs, ehr_server_now(subscriber->ehr),
                           3 * interval_ms(subscriber) * ms_us);
    struct slice version = json_get_text(json_get(visit->theirs, "meta"), "versionId");
    bool ours = version.len != 0 && slice_equal(version, charge->written_version);
    struct slice status = json_get_text(visit->theirs, "status");
    if (verdict == SUBSCRIPTION_CHANGED && ours) {
        verdict = slice_is(status, "requested") ? SUBSCRIPTION_WAITING : SUBSCRIPTION_GOOD;
    }
    switch (verdict) {
    case SUBSCRIPTION_GOOD:
        charge->complained = EHR_FAULT_NONE;
        charge->patience = PATIENCE_TIMES;
        save(subscriber, status, "", saved_good);
        return;
    case SUBSCRIPTION_WAITING:
        if (charge->patience-- > 1) {
            save(subscriber, status, "", saved_waiting);
        } else {
            charge->patience = PATIENCE_TIMES;
            write_it(subscriber, "active", true);
        }
        return;
    case SUBSCRIPTION_STOPPED:
        put_right(subscriber, "the EHR had stopped it");
        return;
    case SUBSCRIPTION_ENDING:
        put_right(subscriber, "its end was near");
        return;
    case SUBSCRIPTION_CHANGED:
        put_right(subscriber, "it was not as configured");
        return;
    }
}

/* ---- finding ---- */

/* Ours by endpoint; an active one before others. */
static const struct json *ours_among(const struct ehr_answer *answer, struct slice endpoint)
{
    const struct json *found = NULL;
    for (size_t i = 0; i < answer->match_count; i++) {
        const struct json *it = answer->matches[i];
        if (!slice_equal(json_get_text(json_get(it, "channel"), "endpoint"), endpoint)) {
            continue;
        }
        if (found == NULL || slice_is(json_get_text(it, "status"), "active")) {
            found = it;
        }
    }
    return found;
}

static void searched(struct ehr_answer *answer, void *arg)
{
    struct subscriber *subscriber = arg;
    struct visit *visit = &subscriber->visit;
    bool not_understood = answer->outcome == EHR_REFUSED || answer->outcome == EHR_UNREADABLE;
    if (not_understood && !visit->searched_all) {
        visit->searched_all = true; /* the parameter may be what it does not understand */
        search(subscriber);
        return;
    }
    if (answer->outcome == EHR_DONE) {
        const struct json *found = ours_among(answer, visit->charge->endpoint);
        if (found != NULL) {
            keep(subscriber, answer, found);
            visit->id = json_get_text(found, "id");
            judge(subscriber);
            return;
        }
    } else if (!not_understood) {
        failed(subscriber, answer);
        return;
    }
    create(subscriber);
}

static enum status write_query(void *arg)
{
    struct visit *visit = arg;
    visit->request = (struct ehr_request){
        .verb = EHR_SEARCH, .type = SLICE("Subscription"), .pages_most = SEARCH_PAGES};
    if (!visit->searched_all) {
        visit->request.query =
            arena_printf(visit->arena, "url=%.*s", SLICE_ARGS(visit->charge->endpoint));
    }
    return STATUS_OK;
}

static void search(struct subscriber *subscriber)
{
    if (arena_run(subscriber->visit.arena, write_query, &subscriber->visit) != STATUS_OK) {
        visit_end(subscriber, retry_ms(subscriber));
        return;
    }
    begin_call(subscriber, searched);
}

static void fetched(struct ehr_answer *answer, void *arg)
{
    struct subscriber *subscriber = arg;
    struct visit *visit = &subscriber->visit;
    if (answer->outcome == EHR_DONE) {
        keep(subscriber, answer, answer->resource);
        judge(subscriber);
    } else if (answer->outcome == EHR_ABSENT) {
        visit->id = SLICE_NONE;
        search(subscriber);
    } else {
        failed(subscriber, answer);
    }
}

/* ---- looking ---- */

static enum status read_stored(void *arg)
{
    struct subscriber *subscriber = arg;
    struct visit *visit = &subscriber->visit;
    struct subscription stored;
    enum status status =
        store_read_subscription(subscriber->host.store, visit->arena, subscriber->config->name,
                                visit->charge->config->name, &stored);
    if (status == STATUS_OK) {
        visit->id = stored.ehr_id;
    }
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

static void begin(struct subscriber *subscriber, struct charge *charge)
{
    struct visit *visit = &subscriber->visit;
    *visit = (struct visit){.charge = charge, .arena = arena_create(0)};
    if (visit->arena == NULL) {
        charge->due = monotonic(subscriber) + retry_ms(subscriber) * ms_us;
        worker_go(subscriber->worker, look);
        return;
    }
    if (arena_run(visit->arena, read_stored, subscriber) != STATUS_OK) {
        visit_end(subscriber, retry_ms(subscriber));
        return;
    }
    if (visit->id.len == 0) {
        search(subscriber);
        return;
    }
    visit->request =
        (struct ehr_request){.verb = EHR_READ, .type = SLICE("Subscription"), .id = visit->id};
    begin_call(subscriber, fetched);
}

static void look(void *arg)
{
    struct subscriber *subscriber = arg;
    int64_t now = monotonic(subscriber);
    int64_t next = INT64_MAX;
    bool all = atomic_exchange(&subscriber->all_now, false);
    for (size_t i = 0; all && i < subscriber->count; i++) {
        subscriber->charges[i].due = now;
    }
    for (size_t i = 0; i < subscriber->count && !worker_stopped(subscriber->worker); i++) {
        struct charge *charge = &subscriber->charges[i];
        if (charge->due <= now) {
            begin(subscriber, charge);
            return;
        }
        next = charge->due < next ? charge->due : next;
    }
    worker_rest(subscriber->worker, next);
}

/* ---- life ---- */

static bool survives_a_header(struct slice secret)
{
    for (size_t i = 0; i < secret.len; i++) {
        if (secret.at[i] <= ' ' || secret.at[i] > '~' || secret.at[i] == ':') {
            return false;
        }
    }
    return true;
}

static enum status load_charge(struct subscriber *subscriber, struct slice public_url,
                               const struct config_subscription *config, struct diag_list *diags)
{
    struct charge *charge = &subscriber->charges[subscriber->count];
    char *path = arena_cstr(subscriber->arena, config->secret_file);
    charge->config = config;
    charge->patience = PATIENCE_TIMES;
    charge->endpoint =
        arena_printf(subscriber->arena, "%.*s/notify/%.*s/%.*s", SLICE_ARGS(public_url),
                     SLICE_ARGS(subscriber->config->name), SLICE_ARGS(config->name));
    enum status status = secret_load(path, SPAN_NONE, diags, &charge->secret);
    if (status != STATUS_OK) {
        return status;
    }
    subscriber->count++;
    if (!survives_a_header(secret_view(charge->secret))) {
        struct diag *diag = diag_add(diags, DIAG_SECRET_FILE, SPAN_NONE,
                                     "%s: a colon, a space or a control character in a "
                                     "subscription's secret does not survive the EHR",
                                     path);
        diag_hint(diags, diag, "make one with: openssl rand -hex 32");
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

struct loading {
    struct subscriber *subscriber;
    struct slice public_url;
    struct diag_list *diags;
};

static enum status load_all(void *arg)
{
    struct loading *loading = arg;
    struct subscriber *subscriber = loading->subscriber;
    const struct config_ehr *config = subscriber->config;
    enum status result = STATUS_OK;
    subscriber->charges =
        ARENA_ARRAY(subscriber->arena, config->subscriptions.count + 1, struct charge);
    for (size_t i = 0; i < config->subscriptions.count; i++) {
        enum status status = load_charge(subscriber, loading->public_url,
                                         &config->subscriptions.at[i], loading->diags);
        result = result == STATUS_OK ? status : result;
    }
    return result;
}

enum status subscriber_create(const struct inbound_host *host, struct ehr *ehr,
                              struct slice public_url, struct diag_list *diags,
                              struct subscriber **subscriber_out)
{
    struct subscriber *subscriber = calloc(1, sizeof *subscriber);
    if (subscriber == NULL) {
        return STATUS_NO_MEMORY;
    }
    subscriber->host = *host;
    subscriber->ehr = ehr;
    subscriber->config = ehr_config(ehr);
    subscriber->arena = arena_create(0);
    subscriber->worker = worker_create(host->loop, host->pool, host->clock, look, subscriber);
    enum status status = STATUS_NO_MEMORY;
    if (subscriber->arena != NULL && subscriber->worker != NULL) {
        struct loading loading = {subscriber, public_url, diags};
        status = arena_run(subscriber->arena, load_all, &loading);
    }
    if (status != STATUS_OK) {
        subscriber_destroy(&subscriber);
        return status;
    }
    *subscriber_out = subscriber;
    return STATUS_OK;
}

void subscriber_start(struct subscriber *subscriber)
{
    worker_start(subscriber->worker);
}

void subscriber_nudge(struct subscriber *subscriber)
{
    atomic_store(&subscriber->all_now, true);
    worker_nudge(subscriber->worker);
}

void subscriber_stop(struct subscriber *subscriber)
{
    worker_stop(subscriber->worker);
}

bool subscriber_busy(struct subscriber *subscriber)
{
    return worker_busy(subscriber->worker);
}

void subscriber_destroy(struct subscriber **subscriber)
{
    struct subscriber *it = *subscriber;
    if (it == NULL) {
        return;
    }
    worker_destroy(&it->worker);
    for (size_t i = 0; i < it->count; i++) {
        secret_destroy(&it->charges[i].secret);
    }
    arena_destroy(&it->arena);
    free(it);
    *subscriber = NULL;
}
