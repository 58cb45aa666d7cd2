#include "gateway/ehr/token.h"

#include "gateway/ehr/searchset.h"
#include "gateway/ehr/url.h"
#include "gateway/http/http.h"

static const int64_t second_us = 1000000;

enum { LIFE_SECONDS_DEFAULT = 300, LIFE_SECONDS_MOST = 24 * 3600 };

/* An absent list allows all; a present one must have the word. */
static bool lists(const struct json *list, const char *word)
{
    for (const struct json *it = json_first(list); it != NULL; it = json_next(it)) {
        if (slice_is(json_text(it), word)) {
            return true;
        }
    }
    return list == NULL;
}

enum status token_read_discovery(struct arena *arena, const struct json *configuration,
                                 struct slice base_url, const char *algorithm,
                                 struct slice *endpoint_out, const char **why_out)
{
    struct slice written = json_get_text(configuration, "token_endpoint");
    if (written.len == 0) {
        *why_out = "the EHR's smart-configuration names no token_endpoint";
        return STATUS_INVALID;
    }
    if (!lists(json_get(configuration, "token_endpoint_auth_methods_supported"),
               "private_key_jwt")) {
        *why_out = "the EHR's smart-configuration does not list private_key_jwt";
        return STATUS_INVALID;
    }
    if (!lists(json_get(configuration, "token_endpoint_auth_signing_alg_values_supported"),
               algorithm)) {
        *why_out = "the EHR's smart-configuration does not list our auth.algorithm";
        return STATUS_INVALID;
    }
    struct slice endpoint = url_resolve(arena, base_url, written);
    if (!slice_starts_with(endpoint, SLICE("https://")) &&
        !searchset_same_origin(endpoint, base_url)) {
        *why_out = "the EHR's token endpoint is not https";
        return STATUS_INVALID;
    }
    *endpoint_out = endpoint;
    return STATUS_OK;
}

struct slice token_form(struct arena *arena, struct slice scope, struct slice assertion)
{
    struct slice type =
        url_escape_value(arena, SLICE("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
    struct slice wanted = url_escape_value(arena, scope);
    return arena_printf(arena,
                        "grant_type=client_credentials&scope=%.*s&client_assertion_type=%.*s"
                        "&client_assertion=%.*s",
                        SLICE_ARGS(wanted), SLICE_ARGS(type), SLICE_ARGS(assertion));
}

bool token_is_plain(struct slice token)
{
    for (size_t i = 0; i < token.len; i++) {
        if (token.at[i] <= ' ' || token.at[i] > '~') {
            return false;
        }
    }
    return token.len != 0;
}

enum status token_read_reply(const struct json *reply, struct token_reply *reply_out,
                             const char **why_out)
{
    struct slice token = json_get_text(reply, "access_token");
    if (!token_is_plain(token)) {
        *why_out = "the token endpoint's answer has no usable access_token";
        return STATUS_INVALID;
    }
    if (!http_name_equal(json_get_text(reply, "token_type"), SLICE("bearer"))) {
        *why_out = "the token endpoint's answer is no bearer token";
        return STATUS_INVALID;
    }
    uint64_t seconds = 0;
    if (!slice_to_u64(json_text(json_get(reply, "expires_in")), &seconds) || seconds == 0) {
        seconds = LIFE_SECONDS_DEFAULT;
    }
    seconds = seconds < LIFE_SECONDS_MOST ? seconds : LIFE_SECONDS_MOST;
    *reply_out = (struct token_reply){token, (int64_t)seconds * second_us};
    return STATUS_OK;
}
