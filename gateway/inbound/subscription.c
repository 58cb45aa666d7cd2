/* What a Subscription should look like, and whether one does. */
#include "gateway/inbound/subscribe.h"

#include "gateway/base/digest.h"
#include "gateway/http/http.h"
#include "gateway/inbound/instant.h"

#define PAYLOAD "application/fhir+json"

static struct json *text(struct arena *arena, struct slice value)
{
    return json_new_string(arena, value);
}

static struct slice header_line(struct arena *arena, const struct wanted_subscription *wanted)
{
    return arena_printf(arena, "Authorization: Bearer %.*s", SLICE_ARGS(wanted->secret));
}

static struct json *copy_or_new(struct arena *arena, const struct json *theirs)
{
    return json_is(theirs, JSON_OBJECT) ? json_copy(arena, theirs) : json_new_object(arena);
}

const struct json *subscription_build(struct arena *arena, const struct wanted_subscription *wanted,
                                      const struct json *theirs, const char *status)
{
    struct json *it = copy_or_new(arena, theirs);
    struct json *channel = copy_or_new(arena, json_get(theirs, "channel"));
    struct json *header = json_new_array(arena);
    json_append(header, text(arena, header_line(arena, wanted)));
    json_set(arena, channel, SLICE("type"), text(arena, SLICE("rest-hook")));
    json_set(arena, channel, SLICE("endpoint"), text(arena, wanted->endpoint));
    json_remove(channel, SLICE("payload"));
    if (wanted->full) {
        json_set(arena, channel, SLICE("payload"), text(arena, SLICE(PAYLOAD)));
    }
    json_set(arena, channel, SLICE("header"), header);
    json_set(arena, it, SLICE("resourceType"), text(arena, SLICE("Subscription")));
    json_set(arena, it, SLICE("status"), text(arena, slice_of(status)));
    json_set(arena, it, SLICE("reason"),
             text(arena, SLICE("Changes that the ePlan gateway is to look at")));
    json_set(arena, it, SLICE("criteria"), text(arena, wanted->criteria));
    json_set(arena, it, SLICE("channel"), channel);
    json_remove(it, SLICE("error"));
    json_remove(it, SLICE("end"));
    return it;
}

/* "Authorization: Bearer secret", whatever the spaces and the case of the name. */
static bool is_our_header(struct slice line, struct slice secret)
{
    struct slice name;
    slice_cut(&line, ':', &name);
    line = slice_trim(line);
    struct slice scheme = slice_part(line, 0, 7);
    return http_name_equal(slice_trim(name), SLICE("Authorization")) &&
           http_name_equal(scheme, SLICE("Bearer ")) &&
           equal_in_constant_time(slice_trim(slice_part(line, 7, SIZE_MAX)), secret);
}

/* Some servers do not show what stands in the headers: none at all is no difference. */
static bool header_differs(const struct json *header, struct slice secret)
{
    for (const struct json *it = json_first(header); it != NULL; it = json_next(it)) {
        if (is_our_header(json_text(it), secret)) {
            return false;
        }
    }
    return json_first(header) != NULL;
}

static bool has_changed(const struct wanted_subscription *wanted, const struct json *theirs)
{
    const struct json *channel = json_get(theirs, "channel");
    bool full = json_get_text(channel, "payload").len != 0;
    return !slice_equal(json_get_text(theirs, "criteria"), wanted->criteria) ||
           !slice_equal(json_get_text(channel, "endpoint"), wanted->endpoint) ||
           !slice_is(json_get_text(channel, "type"), "rest-hook") || full != wanted->full ||
           header_differs(json_get(channel, "header"), wanted->secret);
}

enum subscription_verdict subscription_judge(const struct wanted_subscription *wanted,
                                             const struct json *theirs, int64_t now_us,
                                             int64_t margin_us)
{
    struct slice status = json_get_text(theirs, "status");
    int64_t end = instant_us(json_get_text(theirs, "end"));
    if (has_changed(wanted, theirs)) {
        return SUBSCRIPTION_CHANGED;
    }
    if (end != 0 && end <= now_us + margin_us) {
        return SUBSCRIPTION_ENDING;
    }
    if (slice_is(status, "active")) {
        return SUBSCRIPTION_GOOD;
    }
    return slice_is(status, "requested") ? SUBSCRIPTION_WAITING : SUBSCRIPTION_STOPPED;
}
