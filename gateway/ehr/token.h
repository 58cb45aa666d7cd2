/*
 * SMART Backend Services (https://hl7.org/fhir/smart-app-launch/backend-services.html; WIRE 4.4),
 * the parts that need no network: what discovery says, what is asked, what is answered. Pure.
 * Tests: tests/unit/gateway/ehr/test_token.c.
 */
#ifndef GATEWAY_EHR_TOKEN_H
#define GATEWAY_EHR_TOKEN_H

#include "fhir/base/arena.h"
#include "fhir/json/json.h"

/*
 * The token endpoint out of .well-known/smart-configuration. `algorithm`: "ES384" or "RS384".
 * STATUS_INVALID: there is none, it is not https (http only on the same origin as the base), or
 * private_key_jwt or the algorithm is not among those it lists; *why_out is static.
 */
enum status token_read_discovery(struct arena *arena, const struct json *configuration,
                                 struct slice base_url, const char *algorithm,
                                 struct slice *endpoint_out, const char **why_out);

/* The form that is posted. */
struct slice token_form(struct arena *arena, struct slice scope, struct slice assertion);

struct token_reply {
    struct slice token;
    int64_t lives_us; /* from when it was asked for */
};

/* STATUS_INVALID: no token in it, or one that cannot stand in a header; *why_out is static. A reply
 * without expires_in is good for five minutes, the longest that the specification recommends. */
enum status token_read_reply(const struct json *reply, struct token_reply *reply_out,
                             const char **why_out);

/* A token as RFC 6750 2.1 allows it in a header. */
bool token_is_plain(struct slice token);

#endif
