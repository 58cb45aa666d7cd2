#include "gateway/ehr/searchset.h"

static struct slice link_of(const struct json *page, const char *relation)
{
    for (const struct json *link = json_first(json_get(page, "link")); link != NULL;
         link = json_next(link)) {
        if (slice_is(json_get_text(link, "relation"), relation)) {
            return json_get_text(link, "url");
        }
    }
    return SLICE_NONE;
}

/* scheme://host[:port], without a default port. */
static struct slice origin_of(struct slice url)
{
    size_t scheme = slice_find(url, SLICE("://"), 0);
    if (scheme == SIZE_MAX) {
        return SLICE_NONE;
    }
    size_t end = scheme + 3;
    while (end < url.len && url.at[end] != '/' && url.at[end] != '?' && url.at[end] != '#') {
        end++;
    }
    struct slice origin = slice_part(url, 0, end);
    struct slice port = slice_starts_with(url, SLICE("https:")) ? SLICE(":443") : SLICE(":80");
    if (slice_ends_with(origin, port)) {
        origin.len -= port.len;
    }
    return origin;
}

bool searchset_same_origin(struct slice a, struct slice b)
{
    struct slice first = origin_of(a);
    return first.at != NULL && slice_equal(first, origin_of(b));
}

static bool self_lacks(struct slice self, const char *name)
{
    size_t query = slice_find(self, SLICE("?"), 0);
    struct slice rest = query != SIZE_MAX ? slice_part(self, query + 1, SIZE_MAX) : SLICE_NONE;
    struct slice part;
    while (slice_cut(&rest, '&', &part)) {
        struct slice value = part;
        struct slice key;
        slice_cut(&value, '=', &key);
        struct slice plain;
        slice_cut(&key, ':', &plain);
        if (slice_is(plain, name)) {
            return false;
        }
    }
    return true;
}

/* Epic 4122, Medplum and others: a warning in the page says that a parameter was not understood. */
static bool outcome_says_ignored(const struct json *outcome)
{
    for (const struct json *issue = json_first(json_get(outcome, "issue")); issue != NULL;
         issue = json_next(issue)) {
        struct slice code = json_get_text(issue, "code");
        if (slice_is(code, "not-supported") || slice_is(code, "invalid") ||
            slice_is(code, "incomplete")) {
            return true;
        }
        struct slice detail =
            json_get_text(json_first(json_get(json_get(issue, "details"), "coding")), "code");
        if (slice_is(detail, "4122")) {
            return true;
        }
    }
    return false;
}

enum status searchset_read(struct arena *arena, const struct json *page, struct slice base_url,
                           const char *const *required, size_t count,
                           struct searchset *searchset_out, const char **why_out)
{
    if (!slice_is(json_get_text(page, "resourceType"), "Bundle") ||
        !slice_is(json_get_text(page, "type"), "searchset")) {
        *why_out = "the answer to a search is no Bundle of type searchset";
        return STATUS_INVALID;
    }
    struct searchset set = {.next = link_of(page, "next")};
    if (set.next.len != 0 && !searchset_same_origin(set.next, base_url)) {
        *why_out = "the link to the next page leads to another server";
        return STATUS_INVALID;
    }
    const struct json *entries = json_get(page, "entry");
    set.matches = ARENA_ARRAY(arena, json_count(entries) + 1, const struct json *);
    for (const struct json *entry = json_first(entries); entry != NULL; entry = json_next(entry)) {
        const struct json *resource = json_get(entry, "resource");
        struct slice mode = json_get_text(json_get(entry, "search"), "mode");
        if (slice_is(json_get_text(resource, "resourceType"), "OperationOutcome")) {
            set.filter_ignored = set.filter_ignored || outcome_says_ignored(resource);
        } else if (resource != NULL && (mode.len == 0 || slice_is(mode, "match"))) {
            set.matches[set.match_count++] = resource;
        }
    }
    struct slice self = link_of(page, "self");
    for (size_t i = 0; i < count && self.len != 0; i++) {
        set.filter_ignored = set.filter_ignored || self_lacks(self, required[i]);
    }
    *searchset_out = set;
    return STATUS_OK;
}
