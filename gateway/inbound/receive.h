/*
 * From a request to a stored message and its answer (DESIGN.md 2, receive and inbox). A request is
 * answered 2xx only after its content survives kill -9; in every other case nothing of it is
 * stored.
 *
 *   POST PUT DELETE /notify/{ehr}/{subscription}[/{type}/{id}]   notifications of a Subscription
 *   POST            /fhir/{ehr}/{type}, /fhir/{ehr}              a resource; a Bundle as one
 * message PUT             /fhir/{ehr}/{type}/{id} With one EHR configured its name may be left out
 * behind /fhir.
 *
 *   200 without a body (notification), 202 with Location: /messages/{id} (direct; a repeat gets the
 *   first one's id), 400, 401, 403, 404, 405, 413, 415 with an OperationOutcome, 503 with
 * Retry-After. Tests: tests/unit/gateway/inbound/test_receive.c, tests/inbound/suite.mjs.
 */
#ifndef GATEWAY_INBOUND_RECEIVE_H
#define GATEWAY_INBOUND_RECEIVE_H

#include "gateway/http/server.h"
#include "gateway/inbound/inbound.h"

struct receive;

struct receive_options {
    struct inbound_host host;
    const struct config *config; /* borrowed: outlives the receiver */
    /* server_reply() of the server; a test takes the reply itself. Any thread. */
    enum status (*reply)(void *arg, uint64_t request, const struct server_reply *reply);
    void *reply_arg;
};

/*
 * Reads the files of all secrets: STATUS_INVALID, STATUS_REFUSED or STATUS_IO with diagnostics (all
 * mistakes in one run; a secret that two doors share is one of them, because it could not be told
 * who comes). Caller destroys.
 */
enum status receive_create(const struct receive_options *options, struct diag_list *diags,
                           struct receive **receive_out);

/* Is this path one of ours (/notify/..., /fhir/...)? */
bool receive_owns(struct slice path);

/*
 * A server_handler_fn, arg being the struct receive: takes the request and answers it exactly once.
 * On the loop's thread: who comes, whether he may, and how much he sends is looked at there; the
 * body is read on the pool.
 */
void receive_handle(void *arg, struct server_request *request);

/* From now on 503: the store or the gateway is not ready, or it drains. Any thread. */
void receive_pause(struct receive *receive, bool paused);

/* Requests that are not yet answered. */
size_t receive_busy(struct receive *receive);

/* When receive_busy is 0 and nobody calls receive_handle any more. Accepts NULL. */
void receive_destroy(struct receive **receive);

#endif
