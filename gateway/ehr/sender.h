/*
 * One HTTP request to an EHR, and its exchange (outcome.h). The only place that knows the HTTP
 * client. Only the EHR's own origin is spoken to, and, for a token, the one that discovery named.
 */
#ifndef GATEWAY_EHR_SENDER_H
#define GATEWAY_EHR_SENDER_H

#include "fhir/base/diag.h"
#include "gateway/config/config.h"
#include "gateway/ehr/outcome.h"
#include "gateway/http/http.h"

struct http_client;
struct http_result;
struct sender;

struct send_order {
    bool writes;    /* the deadline of a write */
    bool may_leave; /* the URL may be of another origin: the token server's */
    enum send_method { SEND_GET, SEND_POST, SEND_PUT } method;
    struct slice url;
    const struct http_header *headers;
    size_t header_count;
    struct slice body;
    size_t answer_most; /* bytes of the answer's body */
};

/* Embedded in what sends. */
struct send {
    struct exchange exchange;        /* when done was called, until send_clear */
    void (*done)(struct send *send); /* on the HTTP client's thread: must be quick */
    struct http_result *result;
};

enum status sender_create(const struct config_ehr *config, struct http_client *client,
                          const struct clock *clock, struct diag_list *diags,
                          struct sender **sender_out);
void sender_destroy(struct sender **sender);

/* STATUS_OK: done will be called. Else nothing was begun: STATUS_AGAIN (too much under way),
 * STATUS_REFUSED (the client stops), STATUS_NO_MEMORY, STATUS_INVALID (the URL). The order is
 * copied. */
enum status send_start(struct sender *sender, struct send *send, const struct send_order *order);

/* Releases what the exchange's slices point into. */
void send_clear(struct send *send);

#endif
