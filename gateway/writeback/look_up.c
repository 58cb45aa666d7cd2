#include "gateway/writeback/look_up.h"

#include "gateway/plan/dress.h"
#include "gateway/plan/plan_diff.h"

enum look_up_way look_up_first(const struct ability *ability)
{
    return ability == NULL || (ability->search && ability->search_identifier)
               ? LOOK_UP_IDENTIFIER
               : look_up_next(LOOK_UP_IDENTIFIER, ability);
}

enum look_up_way look_up_next(enum look_up_way way, const struct ability *ability)
{
    bool by_patient = ability == NULL || (ability->search && ability->search_patient);
    return way == LOOK_UP_IDENTIFIER && by_patient ? LOOK_UP_PATIENT : LOOK_UP_NONE;
}

/* The day on which what we write begins; empty: it says none. */
static struct slice begins(const struct json *wanted)
{
    struct slice day = json_get_text(json_get(wanted, "period"), "start");
    return slice_part(day.len != 0 ? day : json_get_text(wanted, "startDate"), 0, 10);
}

struct ehr_request look_up_request(struct arena *arena, enum look_up_way way,
                                   const struct change *change, const struct json *wanted,
                                   const struct ability *ability)
{
    if (way == LOOK_UP_IDENTIFIER) {
        return (struct ehr_request){.verb = EHR_FIND,
                                    .system = SLICE(DRESS_IDENTIFIER_SYSTEM),
                                    .value = dress_urn(arena, change->item.identifier)};
    }
    struct slice day = begins(wanted);
    struct slice query =
        arena_printf(arena, "patient=Patient/%.*s", SLICE_ARGS(change->item.of.patient));
    if (ability != NULL && ability->search_date && day.len != 0) {
        query = arena_printf(arena, "%.*s&%s=%.*s", SLICE_ARGS(query),
                             capability_date_search(change->item.resource_type), SLICE_ARGS(day));
    }
    return (struct ehr_request){.verb = EHR_SEARCH, .query = query};
}

static bool has_marker(const struct json *resource, struct slice value)
{
    for (const struct json *it = json_first(json_get(resource, "identifier")); it != NULL;
         it = json_next(it)) {
        if (slice_is(json_get_text(it, "system"), DRESS_IDENTIFIER_SYSTEM) &&
            slice_equal(json_get_text(it, "value"), value)) {
            return true;
        }
    }
    return false;
}

/* All that we want, but for the identifier, which the EHR did not keep. */
static bool has_content(struct arena *arena, const struct json *resource, const struct json *wanted)
{
    if (wanted == NULL || json_get(resource, "identifier") != NULL) {
        return false;
    }
    struct json *bare = json_copy(arena, wanted);
    json_remove(bare, SLICE("identifier"));
    return plan_diff_unchanged(arena, bare, resource);
}

bool look_up_read(struct arena *arena, enum look_up_way way, const struct ehr_answer *answer,
                  const struct change *change, const struct json *wanted,
                  struct look_up_found *found_out)
{
    struct look_up_found found = {.count = 0};
    struct slice marker = dress_urn(arena, change->item.identifier);
    if (answer->outcome != EHR_DONE) {
        return false;
    }
    for (size_t i = 0; i < answer->match_count; i++) {
        const struct json *match = answer->matches[i];
        if (has_marker(match, marker)) {
            found.ours = found.count == 0 ? match : found.ours;
            found.count++;
        } else {
            found.doubtful = found.doubtful || has_content(arena, match, wanted);
        }
    }
    /* Asked for our identifier, it gave what does not carry it: it did not read the question. */
    if (way == LOOK_UP_IDENTIFIER && found.count == 0 && answer->match_count != 0) {
        return false;
    }
    *found_out = found;
    return true;
}
