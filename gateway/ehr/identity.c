/*
 * Who we are to the EHR: nobody, the bearer of a token from a file, or a SMART Backend Services
 * client, whose token is asked for by one at a time, renewed at four fifths of its life, and, while
 * that fails, asked for at most once a minute.
 */
#include "gateway/ehr/engine.h"

#include <stddef.h>
#include <stdlib.h>

#include "gateway/ehr/token.h"
#include "gateway/http/jwt.h"

static const int64_t ms_us = 1000;
static const int64_t pause_us = (int64_t)TOKEN_PAUSE_MS * 1000;

/* ---- from files ---- */

static struct secret *bearer(struct slice token)
{
    char text[SECRET_MAX];
    static const char scheme[] = "Bearer ";
    size_t len = sizeof scheme - 1;
    if (token.len > sizeof text - len) {
        return NULL;
    }
    memcpy(text, scheme, len);
    memcpy(text + len, token.at, token.len);
    struct secret *header = secret_create(slice_from(text, len + token.len));
    explicit_bzero(text, sizeof text);
    return header;
}

static enum status load_bearer(const struct config_ehr *config, struct diag_list *diags,
                               struct secret **header_out)
{
    struct secret *token = NULL;
    char *path = arena_cstr(diags->arena, config->auth.token_file);
    enum status status = secret_load(path, SPAN_NONE, diags, &token);
    if (status != STATUS_OK) {
        return status;
    }
    if (!token_is_plain(secret_view(token))) {
        diag_add(diags, DIAG_SECRET_FILE, SPAN_NONE,
                 "%s holds no bearer token: there are spaces or control characters in it", path);
        status = STATUS_INVALID;
    } else {
        *header_out = bearer(secret_view(token));
        status = *header_out != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    }
    secret_destroy(&token);
    return status;
}

enum status token_create(struct ehr *ehr, struct diag_list *diags)
{
    struct token_keeper *keeper = &ehr->token;
    const struct config_auth *auth = &ehr->config->auth;
    keeper->refused_at = INT64_MIN;
    keeper->refresh_at = INT64_MAX;
    keeper->expires_at = INT64_MAX;
    if (auth->kind == AUTH_BEARER) {
        return load_bearer(ehr->config, diags, &keeper->header);
    }
    if (auth->kind == AUTH_SMART) {
        keeper->expires_at = INT64_MIN;
        keeper->refresh_at = INT64_MIN;
        return jose_key_load(arena_cstr(diags->arena, auth->key_file),
                             auth->algorithm == AUTH_RS384 ? JOSE_RS384 : JOSE_ES384, auth->key_id,
                             SPAN_NONE, diags, &keeper->key);
    }
    return STATUS_OK;
}

void token_destroy(struct ehr *ehr)
{
    jose_key_destroy(&ehr->token.key);
    secret_destroy(&ehr->token.header);
    arena_destroy(&ehr->token.discovery);
}

/* A file may have been renewed since. With the mutex. */
static bool reload_bearer(struct ehr *ehr)
{
    struct arena *arena = arena_create(0);
    if (arena == NULL) {
        return false;
    }
    struct diag_list diags;
    diag_init(&diags, arena, 1);
    struct secret *fresh = NULL;
    bool changed = load_bearer(ehr->config, &diags, &fresh) == STATUS_OK &&
                   !secret_equal(ehr->token.header, secret_view(fresh));
    if (changed) {
        secret_destroy(&ehr->token.header);
        ehr->token.header = fresh;
        ehr->token.generation++;
    } else {
        secret_destroy(&fresh);
    }
    arena_destroy(&arena);
    return changed;
}

/* ---- when ---- */

bool token_ready(struct ehr *ehr, int64_t now_us, bool *ask_out)
{
    struct token_keeper *keeper = &ehr->token;
    if (ehr->config->auth.kind != AUTH_SMART) {
        return true;
    }
    bool ready = keeper->header != NULL && now_us < keeper->expires_at;
    if (now_us >= keeper->refresh_at && !keeper->asking) {
        if (now_us >= keeper->next_at) {
            keeper->asking = true;
            ehr->busy++;
            *ask_out = true;
        } else if (!ready) {
            alarm_set(ehr->alarm, keeper->next_at);
        }
    }
    return ready;
}

bool token_refused(struct ehr *ehr, uint64_t generation, int64_t now_us)
{
    struct token_keeper *keeper = &ehr->token;
    if (ehr->config->auth.kind == AUTH_NONE) {
        return false;
    }
    if (generation != keeper->generation) {
        return true; /* another call was refused before, and a newer one came */
    }
    if (ehr->config->auth.kind == AUTH_BEARER) {
        return reload_bearer(ehr);
    }
    if (keeper->expires_at == INT64_MIN) {
        return true; /* a newer one is on its way */
    }
    if (keeper->refused_at != INT64_MIN && now_us - keeper->refused_at < pause_us) {
        return false;
    }
    keeper->refused_at = now_us;
    keeper->refresh_at = INT64_MIN;
    keeper->expires_at = INT64_MIN;
    return true;
}

/* ---- asking ---- */

/* One request for a token, with the discovery before it where that is needed. */
struct asking {
    struct landing landing; /* first */
    struct ehr *ehr;
    struct arena *arena;
    struct send send;
    bool discovers; /* the request under way is the discovery */
    int64_t began;  /* monotonic */
    struct slice endpoint;
    struct slice url;
    struct slice body;
    const struct json *json; /* what was answered */
    const char *why;
    enum ehr_fault fault;
    struct slice detail;
};

static void asking_end(struct asking *asking)
{
    struct ehr *ehr = asking->ehr;
    send_clear(&asking->send);
    if (asking->arena != NULL) {
        arena_wipe(asking->arena);
    }
    arena_destroy(&asking->arena);
    free(asking);
    engine_pump(ehr);
    engine_idle(ehr);
}

static void fail(struct asking *asking, enum ehr_fault fault, const char *why)
{
    struct ehr *ehr = asking->ehr;
    const struct exchange *exchange = &asking->send.exchange;
    int64_t now = engine_now(ehr);
    uint64_t wait_ms = TOKEN_PAUSE_MS;
    if (exchange->end == EXCHANGE_ANSWERED) {
        (void)outcome_wait(exchange, clock_utc(ehr->options.clock), TOKEN_PAUSE_MS,
                           ehr->config->retry.most_ms > TOKEN_PAUSE_MS ? ehr->config->retry.most_ms
                                                                       : TOKEN_PAUSE_MS,
                           &wait_ms);
    }
    pthread_mutex_lock(&ehr->mutex);
    ehr->token.asking = false;
    ehr->token.next_at = now + (int64_t)wait_ms * ms_us;
    bool holds = ehr->token.header != NULL && now < ehr->token.expires_at;
    if (exchange->end == EXCHANGE_ANSWERED && !asking->discovers) {
        arena_destroy(&ehr->token.discovery); /* it may have moved */
    }
    pthread_mutex_unlock(&ehr->mutex);
    LOG(ehr->options.log, LOG_WARNING, "token-failed", LOG_SLICE(EHR, ehr->config->name),
        LOG_TEXT(OUTCOME, ehr_fault_name(fault)), LOG_NUMBER(STATUS, exchange->status),
        LOG_NUMBER(WAIT_MS, wait_ms), LOG_TEXT(DETAIL, why),
        LOG_TEXT(ADVICE, ehr_fault_advice(fault)));
    if (!holds) {
        struct note note = {.event = BREAKER_LOCKED,
                            .wait_us = (int64_t)wait_ms * ms_us,
                            .fault = fault,
                            .http_status = exchange->status};
        engine_note(ehr, &note);
    }
    asking_end(asking);
}

static enum status parse(void *arg)
{
    struct asking *asking = arg;
    struct diag_list diags;
    diag_init(&diags, asking->arena, 1);
    const struct limits limits = LIMITS_DEFAULT;
    const struct source *source =
        source_create(asking->arena, SLICE("answer"), asking->send.exchange.body);
    return json_parse(asking->arena, source, &limits, &diags, &asking->json);
}

static void asked(struct send *send)
{
    struct asking *asking = (struct asking *)(void *)((char *)send - offsetof(struct asking, send));
    land(&asking->landing);
}

static void post(struct asking *asking, const struct send_order *order)
{
    asking->send.done = asked;
    enum status status = send_start(asking->ehr->sender, &asking->send, order);
    if (status != STATUS_OK) {
        asking->send.exchange =
            (struct exchange){.end = EXCHANGE_NOT_SENT, .fault = EHR_FAULT_MEMORY};
        asked(&asking->send);
    }
}

/* Both clocks of an assertion are the server's, as far as we know it. */
static int64_t server_utc(void *state)
{
    return ehr_server_now(state);
}

static enum status build_assertion(void *arg)
{
    struct asking *asking = arg;
    struct ehr *ehr = asking->ehr;
    const struct config_auth *auth = &ehr->config->auth;
    const struct clock at_server = {.utc = server_utc, .state = ehr};
    const struct client_assertion wanted = {.client_id = auth->client_id,
                                            .token_url = asking->endpoint};
    struct slice assertion;
    enum status status = client_assertion_write(asking->arena, ehr->token.key, &wanted, &at_server,
                                                ehr->options.random, &assertion);
    if (status == STATUS_OK) {
        asking->body = token_form(asking->arena, auth->scope, assertion);
    }
    return status;
}

static void ask_for_token(struct asking *asking)
{
    if (arena_run(asking->arena, build_assertion, asking) != STATUS_OK) {
        asking->send.exchange = (struct exchange){.end = EXCHANGE_NOT_SENT};
        fail(asking, EHR_FAULT_TOKEN, "the assertion could not be signed with auth.key-file");
        return;
    }
    const struct http_header headers[] = {
        {SLICE("Accept"), SLICE("application/json")},
        {SLICE("Content-Type"), SLICE("application/x-www-form-urlencoded")},
    };
    asking->discovers = false;
    post(asking, &(struct send_order){.method = SEND_POST,
                                      .writes = true,
                                      .may_leave = true,
                                      .url = asking->endpoint,
                                      .headers = headers,
                                      .header_count = 2,
                                      .body = asking->body,
                                      .answer_most = SECRET_MAX});
}

static enum status make_url(void *arg)
{
    struct asking *asking = arg;
    asking->url = arena_printf(asking->arena, "%.*s/.well-known/smart-configuration",
                               SLICE_ARGS(asking->ehr->config->base_url));
    return STATUS_OK;
}

static void discover(struct asking *asking)
{
    if (arena_run(asking->arena, make_url, asking) != STATUS_OK) {
        fail(asking, EHR_FAULT_MEMORY, "there was no memory to ask for a token");
        return;
    }
    const struct http_header headers[] = {{SLICE("Accept"), SLICE("application/json")}};
    asking->discovers = true;
    post(asking, &(struct send_order){.method = SEND_GET,
                                      .url = asking->url,
                                      .headers = headers,
                                      .header_count = 1,
                                      .answer_most = 1 << 20});
}

static enum status take_discovery(void *arg)
{
    struct asking *asking = arg;
    enum status status = parse(asking);
    if (status != STATUS_OK) {
        asking->why = "the EHR's smart-configuration is no JSON";
        return status;
    }
    struct slice found;
    status = token_read_discovery(asking->arena, asking->json, asking->ehr->config->base_url,
                                  config_auth_algorithm_name(asking->ehr->config->auth.algorithm),
                                  &found, &asking->why);
    if (status == STATUS_OK) {
        asking->endpoint = found;
    }
    return status;
}

static enum status keep_endpoint(void *arg)
{
    struct token_keeper *keeper = arg;
    keeper->endpoint = arena_copy(keeper->discovery, keeper->endpoint);
    return STATUS_OK;
}

static void discovered(struct asking *asking)
{
    struct ehr *ehr = asking->ehr;
    if (asking->send.exchange.end != EXCHANGE_ANSWERED || asking->send.exchange.status != 200) {
        fail(asking, EHR_FAULT_DISCOVERY, "the EHR gave no .well-known/smart-configuration");
        return;
    }
    asking->why = "there was no memory to read the EHR's smart-configuration";
    if (arena_run(asking->arena, take_discovery, asking) != STATUS_OK) {
        fail(asking, EHR_FAULT_DISCOVERY, asking->why);
        return;
    }
    pthread_mutex_lock(&ehr->mutex);
    struct token_keeper *keeper = &ehr->token;
    arena_destroy(&keeper->discovery);
    keeper->discovery = arena_create(0);
    keeper->endpoint = asking->endpoint;
    if (keeper->discovery != NULL &&
        arena_run(keeper->discovery, keep_endpoint, keeper) != STATUS_OK) {
        arena_destroy(&keeper->discovery);
    }
    pthread_mutex_unlock(&ehr->mutex);
    send_clear(&asking->send);
    ask_for_token(asking);
}

/* Takes what the endpoint gave. */
static void take_token(struct asking *asking, const struct token_reply *reply)
{
    struct ehr *ehr = asking->ehr;
    struct secret *header = bearer(reply->token);
    if (header == NULL) {
        fail(asking, EHR_FAULT_TOKEN, "the token is longer than allowed");
        return;
    }
    pthread_mutex_lock(&ehr->mutex);
    struct token_keeper *keeper = &ehr->token;
    secret_destroy(&keeper->header);
    keeper->header = header;
    keeper->generation++;
    keeper->refresh_at = asking->began + reply->lives_us / 5 * 4;
    keeper->expires_at = asking->began + reply->lives_us;
    keeper->next_at = 0;
    keeper->asking = false;
    pthread_mutex_unlock(&ehr->mutex);
    asking_end(asking);
}

/* RFC 6749 5.2: the error's code is one of a few words; its description is not repeated. */
static const char *error_code(const struct json *reply)
{
    static const char *const codes[] = {
        "invalid_request",     "invalid_client",         "invalid_grant",
        "unauthorized_client", "unsupported_grant_type", "invalid_scope",
    };
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (slice_is(json_get_text(reply, "error"), codes[i])) {
            return codes[i];
        }
    }
    return "the token endpoint refused";
}

static void token_answered(struct asking *asking)
{
    const struct exchange *exchange = &asking->send.exchange;
    if (exchange->end != EXCHANGE_ANSWERED) {
        fail(asking, EHR_FAULT_TOKEN, ehr_fault_sentence(exchange->fault));
        return;
    }
    bool read = arena_run(asking->arena, parse, asking) == STATUS_OK;
    struct token_reply reply;
    const char *why = "the token endpoint's answer is no JSON";
    if (exchange->status != 200) {
        fail(asking, EHR_FAULT_TOKEN, error_code(read ? asking->json : NULL));
    } else if (!read || token_read_reply(asking->json, &reply, &why) != STATUS_OK) {
        fail(asking, EHR_FAULT_TOKEN, why);
    } else {
        take_token(asking, &reply);
    }
}

static void begin(struct asking *asking)
{
    struct ehr *ehr = asking->ehr;
    struct slice set = ehr->config->auth.token_url;
    pthread_mutex_lock(&ehr->mutex);
    if (set.len != 0) {
        asking->endpoint = set;
    } else if (ehr->token.discovery != NULL) {
        /* Only the one that asks changes it, and that is this one. */
        asking->endpoint = ehr->token.endpoint;
    }
    pthread_mutex_unlock(&ehr->mutex);
    if (asking->endpoint.len != 0) {
        ask_for_token(asking);
    } else {
        discover(asking);
    }
}

static void asking_landed(struct landing *landing)
{
    struct asking *asking = (struct asking *)(void *)landing;
    if (asking->began == INT64_MIN) {
        asking->began = engine_now(asking->ehr);
        begin(asking);
    } else if (asking->discovers) {
        discovered(asking);
    } else {
        token_answered(asking);
    }
}

void token_ask(struct ehr *ehr)
{
    struct asking *asking = calloc(1, sizeof *asking);
    struct arena *arena = asking != NULL ? arena_create(0) : NULL;
    if (arena == NULL) {
        free(asking);
        pthread_mutex_lock(&ehr->mutex);
        ehr->token.asking = false;
        ehr->token.next_at = engine_now(ehr) + pause_us;
        alarm_set(ehr->alarm, ehr->token.next_at);
        pthread_mutex_unlock(&ehr->mutex);
        engine_idle(ehr);
        return;
    }
    asking->ehr = ehr;
    asking->arena = arena;
    asking->began = INT64_MIN;
    asking->landing = (struct landing){.run = asking_landed, .ehr = ehr};
    land(&asking->landing); /* signing is work for the pool */
}
