#include "gateway/ehr/sender.h"

#include <stdlib.h>

#include "gateway/ehr/searchset.h"
#include "gateway/http/client.h"

/* Beside the calls of the budget: a token, its discovery. */
enum { BESIDE_THE_BUDGET = 2 };

struct sender {
    const struct config_ehr *config;
    struct http_client *client;
    struct http_site *site;
    struct arena *arena; /* texts of the configuration, NUL-terminated */
    struct tls_client_config tls;
    struct http_site *other; /* the token server, where it has another origin */
    struct slice other_url;  /* malloc'ed */
};

static const char *path_or_null(struct arena *arena, struct slice path)
{
    return path.len != 0 ? arena_cstr(arena, path) : NULL;
}

static enum status copy_paths(void *arg)
{
    struct sender *sender = arg;
    const struct config_ehr *config = sender->config;
    sender->tls = (struct tls_client_config){
        .ca_file = path_or_null(sender->arena, config->tls.ca_file),
        .cert_file = path_or_null(sender->arena, config->tls.certificate_file),
        .key_file = path_or_null(sender->arena, config->tls.key_file)};
    return STATUS_OK;
}

static enum status open_site(struct sender *sender, struct slice base, struct diag_list *diags,
                             struct http_site **site_out)
{
    const struct config_ehr *config = sender->config;
    const struct http_site_config site = {.base = base,
                                          .tls = sender->tls,
                                          .connect_ms = (unsigned)config->deadline.connect_ms,
                                          .max_in_flight = (unsigned)config->budget.parallel +
                                                           BESIDE_THE_BUDGET};
    return http_site_create(sender->client, &site, diags, site_out);
}

enum status sender_create(const struct config_ehr *config, struct http_client *client,
                          const struct clock *clock, struct diag_list *diags,
                          struct sender **sender_out)
{
    struct sender *sender = calloc(1, sizeof *sender);
    if (sender == NULL) {
        return STATUS_NO_MEMORY;
    }
    sender->config = config;
    sender->client = client;
    sender->arena = arena_create(0);
    enum status status = STATUS_NO_MEMORY;
    if (sender->arena != NULL) {
        status = arena_run(sender->arena, copy_paths, sender);
    }
    if (status == STATUS_OK) {
        status = tls_client_check(&sender->tls, clock, diags);
    }
    if (status == STATUS_OK) {
        status = open_site(sender, config->base_url, diags, &sender->site);
    }
    if (status != STATUS_OK) {
        sender_destroy(&sender);
        return status;
    }
    *sender_out = sender;
    return STATUS_OK;
}

static void close_other(struct sender *sender)
{
    http_site_destroy(&sender->other);
    free((char *)(uintptr_t)sender->other_url.at);
    sender->other_url = SLICE_NONE;
}

void sender_destroy(struct sender **sender)
{
    struct sender *it = *sender;
    if (it == NULL) {
        return;
    }
    close_other(it);
    http_site_destroy(&it->site);
    arena_destroy(&it->arena);
    free(it);
    *sender = NULL;
}

/* The site of another origin, made when it is first spoken to. */
static enum status find_other(struct sender *sender, struct slice url, struct http_site **site_out)
{
    if (sender->other != NULL && searchset_same_origin(sender->other_url, url)) {
        *site_out = sender->other;
        return STATUS_OK;
    }
    close_other(sender);
    char *copy = malloc(url.len + 1);
    struct arena *arena = copy != NULL ? arena_create(0) : NULL;
    if (arena == NULL) {
        free(copy);
        return STATUS_NO_MEMORY;
    }
    memcpy(copy, url.at, url.len);
    copy[url.len] = '\0';
    sender->other_url = slice_from(copy, url.len);
    struct diag_list diags;
    diag_init(&diags, arena, 1);
    enum status status = open_site(sender, sender->other_url, &diags, &sender->other);
    arena_destroy(&arena);
    if (status != STATUS_OK) {
        close_other(sender);
        return status;
    }
    *site_out = sender->other;
    return STATUS_OK;
}

/* ---- the result ---- */

static const enum ehr_fault faults[HTTP_ERRORS] = {
    [HTTP_ERROR_NONE] = EHR_FAULT_NONE,
    [HTTP_ERROR_RESOLVE] = EHR_FAULT_RESOLVE,
    [HTTP_ERROR_CONNECT] = EHR_FAULT_CONNECT,
    [HTTP_ERROR_ADDRESS] = EHR_FAULT_CONNECT,
    [HTTP_ERROR_CERTIFICATE] = EHR_FAULT_TLS,
    [HTTP_ERROR_OWN_FILES] = EHR_FAULT_TLS,
    [HTTP_ERROR_TLS] = EHR_FAULT_TLS,
    [HTTP_ERROR_TIMEOUT] = EHR_FAULT_TIMEOUT,
    [HTTP_ERROR_CONNECTION] = EHR_FAULT_HANG_UP,
    [HTTP_ERROR_PROTOCOL] = EHR_FAULT_PROTOCOL,
    [HTTP_ERROR_TOO_LARGE] = EHR_FAULT_TOO_LARGE,
    [HTTP_ERROR_CANCELLED] = EHR_FAULT_STOPPED,
    [HTTP_ERROR_LOCAL] = EHR_FAULT_MEMORY,
};

static enum exchange_end end_of(const struct http_result *result)
{
    if (result->outcome == HTTP_DONE) {
        return EXCHANGE_ANSWERED;
    }
    if (result->outcome == HTTP_NOT_SENT) {
        return EXCHANGE_NOT_SENT;
    }
    bool too_large = result->error == HTTP_ERROR_TOO_LARGE && result->status != 0;
    return too_large ? EXCHANGE_TOO_LARGE : EXCHANGE_CUT;
}

static struct slice one_of(struct slice a, struct slice b)
{
    return a.len != 0 ? a : b;
}

static void ended(void *arg, struct http_result *result)
{
    struct send *send = arg;
    const struct slice *header = result->header;
    send->result = result;
    send->exchange = (struct exchange){
        .end = end_of(result),
        .fault = faults[result->error],
        .status = result->status,
        .content_type = header[REPLY_CONTENT_TYPE],
        .etag = header[REPLY_ETAG],
        .location = header[REPLY_LOCATION],
        .date = header[REPLY_DATE],
        .retry_after = header[REPLY_RETRY_AFTER],
        .rate_limit = header[REPLY_RATELIMIT],
        .rate_remaining =
            one_of(header[REPLY_RATELIMIT_REMAINING], header[REPLY_X_RATELIMIT_REMAINING]),
        .rate_reset = one_of(header[REPLY_RATELIMIT_RESET], header[REPLY_X_RATELIMIT_RESET]),
        .body = result->body,
    };
    send->done(send);
}

enum status send_start(struct sender *sender, struct send *send, const struct send_order *order)
{
    static const enum http_method methods[] = {
        [SEND_GET] = HTTP_GET, [SEND_POST] = HTTP_POST, [SEND_PUT] = HTTP_PUT};
    const struct config_ehr *config = sender->config;
    struct http_site *site = sender->site;
    if (!searchset_same_origin(order->url, config->base_url)) {
        if (!order->may_leave) {
            return STATUS_REFUSED;
        }
        enum status status = find_other(sender, order->url, &site);
        if (status != STATUS_OK) {
            return status;
        }
    }
    const struct http_request request = {
        .method = methods[order->method],
        .url = order->url,
        .headers = order->headers,
        .header_count = order->header_count,
        .body = order->body,
        .deadline_ms =
            (unsigned)(order->writes ? config->deadline.write_ms : config->deadline.read_ms),
        .max_reply = order->answer_most};
    return http_client_send(sender->client, site, &request, ended, send, NULL);
}

void send_clear(struct send *send)
{
    http_result_destroy(send->result);
    send->result = NULL;
    send->exchange = (struct exchange){.end = EXCHANGE_NOT_SENT};
}
