#include "gateway/ehr/engine.h"

#include <stddef.h>
#include <stdlib.h>

#include "gateway/ehr/url.h"

static const int64_t ms_us = 1000;
static const int64_t second_us = 1000000;

/* ---- making a call ---- */

static enum status check(const struct ehr_request *request)
{
    bool has_id = request->verb == EHR_READ || request->verb == EHR_UPDATE;
    bool good = request->verb == EHR_METADATA ||
                (url_is_type(request->type) && (!has_id || url_is_id(request->id)) &&
                 url_is_query(request->query) && url_is_query(request->system) &&
                 url_is_query(request->value) && url_is_query(request->version));
    return good ? STATUS_OK : STATUS_INVALID;
}

static void copy_request(struct arena *arena, struct ehr_request *request)
{
    request->type = arena_copy(arena, request->type);
    request->id = arena_copy(arena, request->id);
    request->query = arena_copy(arena, request->query);
    request->system = arena_copy(arena, request->system);
    request->value = arena_copy(arena, request->value);
    request->version = arena_copy(arena, request->version);
    request->body = arena_copy(arena, request->body);
    request->lane = arena_copy(arena, request->lane);
}

static struct slice make_url(struct call *call)
{
    const struct ehr_request *request = &call->request;
    struct slice base = call->ehr->config->base_url;
    struct arena *arena = call->arena;
    switch (request->verb) {
    case EHR_METADATA:
        return arena_printf(arena, "%.*s/metadata", SLICE_ARGS(base));
    case EHR_READ:
        if (request->version.len != 0) {
            return arena_printf(arena, "%.*s/%.*s/%.*s/_history/%.*s", SLICE_ARGS(base),
                                SLICE_ARGS(request->type), SLICE_ARGS(request->id),
                                SLICE_ARGS(url_escape_query(arena, request->version)));
        }
        __attribute__((fallthrough));
    case EHR_UPDATE:
        return arena_printf(arena, "%.*s/%.*s/%.*s", SLICE_ARGS(base), SLICE_ARGS(request->type),
                            SLICE_ARGS(request->id));
    case EHR_SEARCH:
    case EHR_FIND: {
        struct slice query = request->verb == EHR_FIND
                                 ? url_identifier(arena, request->system, request->value)
                                 : url_escape_query(arena, request->query);
        return arena_printf(arena, "%.*s/%.*s%s%.*s", SLICE_ARGS(base), SLICE_ARGS(request->type),
                            query.len != 0 ? "?" : "", SLICE_ARGS(query));
    }
    default:
        return arena_printf(arena, "%.*s/%.*s", SLICE_ARGS(base), SLICE_ARGS(request->type));
    }
}

static bool is_search(const struct call *call)
{
    return call->request.verb == EHR_SEARCH || call->request.verb == EHR_FIND;
}

static enum status prepare(void *arg)
{
    struct call *call = arg;
    copy_request(call->arena, &call->request);
    call->url = make_url(call);
    if (is_search(call)) {
        paging_begin(call);
    }
    return STATUS_OK;
}

static void call_destroy(struct call *call)
{
    send_clear(&call->send);
    arena_destroy(&call->page_arena);
    arena_destroy(&call->arena);
    free(call);
}

/* With the mutex. */
static void insert(struct ehr *ehr, struct call *call)
{
    struct call **at = &ehr->waiting;
    while (*at != NULL && (*at)->turn <= call->turn) {
        at = &(*at)->next;
    }
    call->next = *at;
    *at = call;
    ehr->waiting_count++;
}

static void set_deadline(struct call *call)
{
    uint64_t within = call->request.send_within_ms;
    call->send_by = within != 0 ? engine_now(call->ehr) + (int64_t)within * ms_us : INT64_MAX;
}

static enum status enqueue(struct ehr *ehr, struct call *call)
{
    enum status status = STATUS_OK;
    pthread_mutex_lock(&ehr->mutex);
    if (ehr->stopped) {
        status = STATUS_REFUSED;
    } else if (ehr->waiting_count >= WAITING_MOST) {
        status = STATUS_AGAIN;
    } else {
        ehr->busy++;
        call->turn = lanes_turn(&ehr->lanes, call->request.lane);
        set_deadline(call);
        insert(ehr, call);
    }
    pthread_mutex_unlock(&ehr->mutex);
    return status;
}

static void call_landed(struct landing *landing);

enum status call_begin(struct ehr *ehr, const struct ehr_request *request, ehr_page_fn *page,
                       ehr_done *done, void *arg)
{
    enum status status = check(request);
    if (status != STATUS_OK) {
        return status;
    }
    struct call *call = calloc(1, sizeof *call);
    struct arena *arena = call != NULL ? arena_create(CALL_ARENA) : NULL;
    if (arena == NULL) {
        free(call);
        return STATUS_NO_MEMORY;
    }
    call->ehr = ehr;
    call->landing = (struct landing){.run = call_landed, .ehr = ehr};
    call->request = *request;
    call->page = page;
    call->done = done;
    call->arg = arg;
    call->arena = arena;
    status = arena_run(arena, prepare, call);
    if (status == STATUS_OK) {
        status = enqueue(ehr, call);
    } else {
        status = STATUS_NO_MEMORY;
    }
    if (status != STATUS_OK) {
        call_destroy(call);
        return status;
    }
    engine_pump(ehr);
    return STATUS_OK;
}

enum status ehr_call(struct ehr *ehr, const struct ehr_request *request, ehr_done *done, void *arg)
{
    return call_begin(ehr, request, NULL, done, arg);
}

enum status ehr_walk_pages(struct ehr *ehr, const struct ehr_request *request, ehr_page_fn *page,
                           ehr_done *done, void *arg)
{
    if (request->verb != EHR_SEARCH) {
        return STATUS_INVALID;
    }
    return call_begin(ehr, request, page, done, arg);
}

/* ---- sending ---- */

enum { HEADERS_MOST = 8 };

struct outgoing {
    struct call *call;
    struct http_header headers[HEADERS_MOST];
    size_t count;
    struct secret *authorization; /* NULL: none */
};

static void add_header(struct outgoing *out, const char *name, struct slice value)
{
    out->headers[out->count++] = (struct http_header){slice_of(name), value};
}

static void add_conditions(struct outgoing *out)
{
    struct call *call = out->call;
    const struct ehr_request *request = &call->request;
    if (request->verb == EHR_CREATE && request->value.len != 0) {
        add_header(out, "If-None-Exist",
                   url_identifier(call->arena, request->system, request->value));
    }
    if (request->verb == EHR_UPDATE && request->version.len != 0) {
        add_header(out, "If-Match",
                   arena_printf(call->arena, "W/\"%.*s\"", SLICE_ARGS(request->version)));
    }
    if (request->verb == EHR_UPDATE && request->only_new) {
        add_header(out, "If-None-Match", SLICE("*"));
    }
}

static enum status build(void *arg)
{
    struct outgoing *out = arg;
    struct call *call = out->call;
    add_header(out, "Accept", SLICE("application/fhir+json"));
    if (verb_writes(call->request.verb)) {
        add_header(out, "Content-Type", SLICE("application/fhir+json; charset=utf-8"));
        add_header(out, "Prefer", SLICE("return=representation"));
        add_conditions(out);
    }
    if (out->authorization != NULL) {
        add_header(out, "Authorization", secret_view(out->authorization));
    }
    return STATUS_OK;
}

static void exchanged(struct send *send)
{
    struct call *call = (struct call *)(void *)((char *)send - offsetof(struct call, send));
    call->landing.bytes = send->exchange.body.len;
    land(&call->landing);
}

/* The token may be renewed while the request is made, so a copy goes. */
static enum status copy_token(struct ehr *ehr, struct secret **copy_out)
{
    enum status status = STATUS_OK;
    pthread_mutex_lock(&ehr->mutex);
    if (ehr->token.header != NULL) {
        *copy_out = secret_create(secret_view(ehr->token.header));
        status = *copy_out != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    }
    pthread_mutex_unlock(&ehr->mutex);
    return status;
}

void call_send(struct call *call)
{
    static const enum send_method methods[EHR_VERB_COUNT] = {
        [EHR_READ] = SEND_GET,    [EHR_SEARCH] = SEND_GET, [EHR_FIND] = SEND_GET,
        [EHR_CREATE] = SEND_POST, [EHR_UPDATE] = SEND_PUT, [EHR_METADATA] = SEND_GET,
    };
    struct outgoing out = {.call = call};
    call->send.done = exchanged;
    enum status status = copy_token(call->ehr, &out.authorization);
    if (status == STATUS_OK) {
        status = arena_run(call->arena, build, &out);
    }
    if (status == STATUS_OK) {
        bool writes = verb_writes(call->request.verb);
        struct send_order order = {.writes = writes,
                                   .method = methods[call->request.verb],
                                   .url = call->url,
                                   .headers = out.headers,
                                   .header_count = out.count,
                                   .body = writes ? call->request.body : SLICE_NONE,
                                   .answer_most = BODY_MOST};
        status = send_start(call->ehr->sender, &call->send, &order);
    }
    secret_destroy(&out.authorization);
    if (status != STATUS_OK) {
        enum ehr_fault fault = status == STATUS_REFUSED   ? EHR_FAULT_STOPPED
                               : status == STATUS_INVALID ? EHR_FAULT_CONNECT
                                                          : EHR_FAULT_MEMORY;
        call->send.exchange = (struct exchange){.end = EXCHANGE_NOT_SENT, .fault = fault};
        exchanged(&call->send);
    }
}

void call_requeue(struct call *call, bool new_turn)
{
    struct ehr *ehr = call->ehr;
    pthread_mutex_lock(&ehr->mutex);
    if (new_turn) {
        call->turn = lanes_turn(&ehr->lanes, call->request.lane);
        set_deadline(call);
    }
    insert(ehr, call);
    pthread_mutex_unlock(&ehr->mutex);
    engine_pump(ehr);
}

/* ---- the answer ---- */

struct reading {
    struct call *call;
    struct arena *arena; /* of this exchange: the call's, or the page's */
    enum paging_step step;
};

static enum status read_exchange(void *arg)
{
    struct reading *reading = arg;
    struct call *call = reading->call;
    call->answer = (struct ehr_answer){.arena = reading->arena};
    outcome_read(&call->request, &call->send.exchange, &call->answer);
    if (is_search(call)) {
        reading->step = paging_read(call, reading->arena);
    }
    return STATUS_OK;
}

/* What is remembered from page to page lives in the call's arena, so that one is open as well. */
static enum status read_in_both(void *arg)
{
    struct reading *reading = arg;
    return reading->arena != reading->call->arena
               ? arena_run(reading->arena, read_exchange, reading)
               : read_exchange(reading);
}

static void read_answer(struct reading *reading)
{
    struct call *call = reading->call;
    enum status status = STATUS_OK;
    if (call->page != NULL) {
        arena_destroy(&call->page_arena);
        call->page_arena = arena_create(PAGE_ARENA);
        reading->arena = call->page_arena;
        status = reading->arena != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    }
    if (status == STATUS_OK) {
        status = arena_run(call->arena, read_in_both, reading);
    }
    if (status != STATUS_OK) {
        enum ehr_fault fault = status == STATUS_LIMIT ? EHR_FAULT_TOO_LARGE : EHR_FAULT_MEMORY;
        bool writes = verb_writes(call->request.verb);
        bool sent = call->send.exchange.end != EXCHANGE_NOT_SENT;
        reading->step = PAGING_END;
        call->answer =
            (struct ehr_answer){.outcome = !sent                          ? EHR_AGAIN
                                           : writes                       ? EHR_UNKNOWN
                                           : fault == EHR_FAULT_TOO_LARGE ? EHR_UNREADABLE
                                                                          : EHR_AGAIN,
                                .fault = fault,
                                .http_status = call->send.exchange.status,
                                .detail = slice_of(ehr_fault_sentence(fault)),
                                .arena = call->arena};
    }
}

static struct note note_of(const struct call *call, int64_t now_utc)
{
    const struct exchange *exchange = &call->send.exchange;
    const struct config_ehr *config = call->ehr->config;
    struct note note = {
        .event = BREAKER_WELL, .fault = call->answer.fault, .http_status = exchange->status};
    uint64_t wait_ms = 0;
    bool told = exchange->end == EXCHANGE_ANSWERED &&
                outcome_wait(exchange, now_utc, 1000, config->retry.most_ms, &wait_ms) == STATUS_OK;
    bool ours = call->answer.fault == EHR_FAULT_STOPPED || call->answer.fault == EHR_FAULT_MEMORY;
    if (ours) {
        note.event = BREAKER_SILENT;
    } else if (call->answer.outcome == EHR_UNAUTHORIZED) {
        note.event = BREAKER_LOCKED;
        note.wait_us = TOKEN_PAUSE_MS * ms_us;
    } else if (exchange->status == 429 || (exchange->status == 503 && told)) {
        note.event = BREAKER_ASKED;
        note.wait_us = told ? (int64_t)wait_ms * ms_us : 0;
    } else if (outcome_is_failure(exchange, &call->answer)) {
        note.event = BREAKER_FAILED;
    }
    return note;
}

/* The end of today at the EHR, and a little. */
static int64_t tomorrow(const struct config_ehr *config, int64_t now_utc)
{
    int64_t now = now_utc / second_us;
    int64_t offset =
        config->timezone != NULL ? (int64_t)zone_offset_minutes(config->timezone, now) * 60 : 0;
    const int64_t day = INT64_C(24) * 3600;
    return (((now + offset) / day + 1) * day - offset + 300) * second_us;
}

/* Books what the exchange says about the EHR. False: the call goes again with another token. */
static bool book(struct call *call)
{
    struct ehr *ehr = call->ehr;
    int64_t now_utc = clock_utc(ehr->options.clock);
    int64_t date = 0;
    bool again = false;
    if (call->answer.server_date != 0) {
        date = call->answer.server_date;
    }
    pthread_mutex_lock(&ehr->mutex);
    budget_done(&ehr->budget);
    if (date != 0) {
        ehr->skew_us = date - now_utc;
    }
    if (call->answer.outcome == EHR_UNAUTHORIZED && !call->was_refused && !ehr->stopped) {
        again = token_refused(ehr, call->generation, engine_now(ehr));
    }
    if (call->answer.fault == EHR_FAULT_NOT_OFFERED) {
        knowledge_doubt(ehr);
    }
    if (again && call->is_trial) {
        ehr->breaker.trial = false; /* it is still to be tried */
    }
    pthread_mutex_unlock(&ehr->mutex);
    call->is_trial = false;
    if (again) {
        call->was_refused = true;
        return false;
    }
    struct note note = note_of(call, now_utc);
    int64_t retry_at = engine_note(ehr, &note);
    if (call->answer.fault == EHR_FAULT_DAILY_LIMIT) {
        call->answer.not_before = tomorrow(ehr->config, now_utc);
    } else if (call->answer.outcome == EHR_AGAIN || call->answer.outcome == EHR_UNAUTHORIZED) {
        call->answer.not_before = engine_utc(ehr, retry_at);
    }
    return true;
}

static void show_page(struct call *call)
{
    struct ehr_page page = {.walk = (struct ehr_walk *)call,
                            .matches = call->paging.matches,
                            .match_count = call->paging.match_count,
                            .number = call->paging.number,
                            .is_last = call->paging.is_last,
                            .server_date = call->paging.server_date};
    call->page(&page, call->arg);
}

static void call_landed(struct landing *landing)
{
    struct call *call = (struct call *)(void *)landing;
    struct ehr *ehr = call->ehr;
    if (call->ends_early) {
        call_end(call);
        return;
    }
    struct reading reading = {.call = call, .arena = call->arena, .step = PAGING_END};
    read_answer(&reading);
    bool settled = book(call);
    send_clear(&call->send);
    if (!settled) {
        call_requeue(call, false);
    } else if (reading.step == PAGING_NEXT) {
        call_requeue(call, true);
    } else {
        engine_pump(ehr);
        if (reading.step == PAGING_SHOW) {
            show_page(call);
        } else {
            call_end(call);
        }
    }
}

/* What stands in the answer already is the answer. */
static void land_as_it_is(struct call *call)
{
    call->answer.arena = call->arena;
    call->answer.detail = slice_of(ehr_fault_sentence(call->answer.fault));
    call->ends_early = true;
    call->landing.bytes = 0;
    land(&call->landing);
}

void call_end_early(struct call *call)
{
    call->answer.server_date = call->paging.server_date;
    land_as_it_is(call);
}

void call_end(struct call *call)
{
    struct ehr *ehr = call->ehr;
    call->done(&call->answer, call->arg);
    call_destroy(call);
    engine_idle(ehr);
}

struct arena *ehr_answer_keep(struct ehr_answer *answer)
{
    struct call *call = (struct call *)(void *)((char *)answer - offsetof(struct call, answer));
    struct arena *kept = answer->arena;
    if (kept == call->page_arena) {
        call->page_arena = NULL;
    } else {
        call->arena = NULL;
    }
    return kept;
}

/* ---- walking ---- */

static void leave_page(struct call *call, enum ehr_outcome outcome, enum ehr_fault fault)
{
    call->answer = (struct ehr_answer){.outcome = outcome,
                                       .fault = fault,
                                       .http_status = call->answer.http_status,
                                       .server_date = call->paging.server_date};
    arena_destroy(&call->page_arena);
}

void ehr_walk_on(struct ehr_walk *walk)
{
    struct call *call = (struct call *)walk;
    leave_page(call, EHR_DONE, EHR_FAULT_NONE);
    if (call->paging.is_last) {
        land_as_it_is(call);
    } else {
        call_requeue(call, true);
    }
}

void ehr_walk_stop(struct ehr_walk *walk)
{
    struct call *call = (struct call *)walk;
    leave_page(call, EHR_AGAIN, EHR_FAULT_STOPPED);
    call->answer.not_before = clock_utc(call->ehr->options.clock);
    land_as_it_is(call);
}
