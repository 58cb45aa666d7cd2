#include "gateway/plan/owns.h"

bool plan_owns_split(struct slice pattern, struct slice *item_out, struct slice *element_out)
{
    struct slice rest = pattern;
    struct slice first;
    struct slice second;
    slice_cut(&rest, '.', &first);
    size_t item = first.len;
    if (slice_is(first, "goals") || slice_is(first, "orders")) {
        slice_cut(&rest, '.', &second);
        item += 1 + second.len;
    }
    if (first.len == 0 || rest.at == NULL || rest.len == 0) {
        return false;
    }
    *item_out = slice_part(pattern, 0, item);
    *element_out = rest;
    return true;
}

/* "*", "care-plan", "goals.water", or "goals.*" for every goal. */
static bool item_matches(struct slice pattern, struct slice item)
{
    if (slice_is(pattern, "*") || slice_equal(pattern, item)) {
        return true;
    }
    struct slice section = slice_part(pattern, 0, pattern.len - (pattern.len != 0));
    return slice_ends_with(pattern, SLICE(".*")) && slice_starts_with(item, section);
}

static bool is_listed(const struct slice *patterns, size_t count, struct slice item,
                      struct slice element)
{
    for (size_t i = 0; i < count; i++) {
        struct slice of;
        struct slice path;
        if (!plan_owns_split(patterns[i], &of, &path) || !item_matches(of, item) ||
            !slice_starts_with(element, path)) {
            continue;
        }
        if (element.len == path.len || element.at[path.len] == '.') {
            return true;
        }
    }
    return false;
}

enum plan_owner plan_owns_find(const struct plan_owns *owns, struct slice item,
                               struct slice element)
{
    if (owns == NULL) {
        return OWNER_NONE;
    }
    if (is_listed(owns->clinician, owns->clinician_count, item, element)) {
        return OWNER_CLINICIAN;
    }
    return is_listed(owns->gateway, owns->gateway_count, item, element) ? OWNER_GATEWAY
                                                                        : OWNER_NONE;
}
