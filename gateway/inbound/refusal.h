/* The replies of receiving: accepted, or refused with an OperationOutcome (FHIR R4
 * operationoutcome.html). Tests: tests/inbound/suite.mjs. */
#ifndef GATEWAY_INBOUND_REFUSAL_H
#define GATEWAY_INBOUND_REFUSAL_H

#include "fhir/base/arena.h"
#include "fhir/base/diag.h"
#include "gateway/http/server.h"

enum refusal {
    REFUSAL_NONE,
#define REFUSAL(id, name, status, code, sentence) REFUSAL_##id,
#include "gateway/inbound/refusals.def"
#undef REFUSAL
    REFUSAL_COUNT
};

const char *refusal_name(enum refusal refusal);

enum { REPLY_HEADERS_MOST = 4, REPLY_BODY = 512, RETRY_AFTER_SECONDS = 5 };

/* A reply and what it points into. */
struct reply_text {
    struct server_reply reply;
    struct http_header headers[REPLY_HEADERS_MOST];
    char body[REPLY_BODY];
};

/* With a sentence of refusals.def. allow: for 405, "POST, PUT"; else NULL. */
void refusal_reply(enum refusal refusal, const char *allow, struct reply_text *text);

/* 400: what is wrong with the body, and where. diags: of reading it, may be NULL. The body lives in
 * the arena. */
void refusal_invalid(struct arena *arena, const char *sentence, const struct diag_list *diags,
                     struct reply_text *text);

#endif
