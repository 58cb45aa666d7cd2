#include "gateway/http/jwt.h"

#include <stdio.h>

#include "gateway/base/uuid.h"

enum { LEEWAY_MOST_S = 120, VALID_S = 240, VALID_MOST_S = 300 };

/* RFC 7519 NumericDate, without its fraction. False: absent or no such number. */
static bool read_date(const struct json *claims, const char *name, int64_t *seconds_out)
{
    static const uint64_t year_10000 = 253402300800;
    const struct json *value = json_get(claims, name);
    uint64_t seconds = 0;
    if (!json_is(value, JSON_NUMBER)) {
        return false;
    }
    struct slice text = json_text(value);
    struct slice whole;
    slice_cut(&text, '.', &whole);
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') { /* an exponent */
            return false;
        }
    }
    if (!slice_to_u64(whole, &seconds) || seconds >= year_10000) {
        return false;
    }
    *seconds_out = (int64_t)seconds;
    return true;
}

static bool is_for(const struct json *aud, struct slice audience)
{
    if (json_is(aud, JSON_STRING)) {
        return slice_equal(json_text(aud), audience);
    }
    if (json_is(aud, JSON_ARRAY)) {
        for (const struct json *one = json_first(aud); one != NULL; one = json_next(one)) {
            if (json_is(one, JSON_STRING) && slice_equal(json_text(one), audience)) {
                return true;
            }
        }
    }
    return false;
}

static bool is_in_time(const struct json *claims, const struct jwt_policy *policy, int64_t now)
{
    int64_t leeway = policy->leeway_s < LEEWAY_MOST_S ? policy->leeway_s : LEEWAY_MOST_S;
    int64_t ends = 0;
    int64_t begins = 0;
    if (!read_date(claims, "exp", &ends) || now >= ends + leeway) {
        return false;
    }
    if (policy->longest_s != 0 && ends - now > (int64_t)policy->longest_s + leeway) {
        return false;
    }
    if (json_get(claims, "nbf") == NULL) {
        return true;
    }
    return read_date(claims, "nbf", &begins) && now >= begins - leeway;
}

enum jose_fault jwt_check(const struct jwt *jwt, const struct jwt_policy *policy,
                          int64_t now_utc_us)
{
    const struct json *claims = jwt->claims;
    bool good = json_is(json_get(claims, "iss"), JSON_STRING) &&
                slice_equal(json_get_text(claims, "iss"), policy->issuer) &&
                is_for(json_get(claims, "aud"), policy->audience) &&
                is_in_time(claims, policy, now_utc_us / 1000000) &&
                (!policy->wants_jti || json_get_text(claims, "jti").len != 0);
    return good ? JOSE_FINE : JOSE_CLAIMS;
}

enum status client_assertion_write(struct arena *arena, const struct jose_key *key,
                                   const struct client_assertion *assertion,
                                   const struct clock *clock, const struct random *random,
                                   struct slice *token_out)
{
    unsigned valid = assertion->valid_s != 0 ? assertion->valid_s : VALID_S;
    int64_t ends =
        clock_utc(clock) / 1000000 + (int64_t)(valid < VALID_MOST_S ? valid : VALID_MOST_S);
    char jti[UUID_TEXT_SIZE];
    uuid_write(uuid_v7(clock, random), jti);
    struct json *claims = json_new_object(arena);
    json_add(arena, claims, SLICE("iss"), json_new_string(arena, assertion->client_id));
    json_add(arena, claims, SLICE("sub"), json_new_string(arena, assertion->client_id));
    json_add(arena, claims, SLICE("aud"), json_new_string(arena, assertion->token_url));
    json_add(arena, claims, SLICE("exp"),
             json_new_number(arena, arena_printf(arena, "%lld", (long long)ends)));
    json_add(arena, claims, SLICE("jti"), json_new_string(arena, slice_of(jti)));
    return jose_sign(arena, key, json_write(arena, claims, JSON_COMPACT), token_out);
}
