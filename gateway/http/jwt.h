/*
 * What a token claims: checked when others send one, written when we identify ourselves by SMART
 * Backend Services. Pure. Tests: tests/unit/gateway/http/test_jwt.c.
 */
#ifndef GATEWAY_HTTP_JWT_H
#define GATEWAY_HTTP_JWT_H

#include "gateway/base/clock.h"
#include "gateway/base/random.h"
#include "gateway/http/jose.h"

struct jwt_policy {
    struct slice issuer;   /* iss must be exactly this */
    struct slice audience; /* aud must be this, or an array that holds it */
    unsigned leeway_s;     /* of clocks that differ; at most 120 */
    unsigned longest_s;    /* exp may not be further away; 0: any */
    bool wants_jti;        /* for a caller that refuses repeats */
};

/* exp must be there. nbf is minded, iat is not (clocks differ, and nothing follows from it). */
enum jose_fault jwt_check(const struct jwt *jwt, const struct jwt_policy *policy,
                          int64_t now_utc_us);

/* ---- SMART Backend Services ---- */

struct client_assertion {
    struct slice client_id; /* iss and sub */
    struct slice token_url; /* aud: as discovered, byte for byte */
    unsigned valid_s;       /* at most 300 by the specification; 0: 240 */
};

/* A new jti each time. Lives in the arena. */
enum status client_assertion_write(struct arena *arena, const struct jose_key *key,
                                   const struct client_assertion *assertion,
                                   const struct clock *clock, const struct random *random,
                                   struct slice *token_out);

#endif
