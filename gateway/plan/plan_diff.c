#include "gateway/plan/plan_diff.h"

#include "fhir/diff/resource_diff.h"

enum { CHANGES_MOST = 64 };

static const char *const ignored[] = {"meta", "text", "id"};
enum { IGNORED = sizeof ignored / sizeof *ignored };

/* Elements of our templates that may come and go between two plans of one item. */
static const char *const comes_and_goes[] = {"addresses",       "goal",     "activity", "target",
                                             "reasonReference", "encounter"};

static struct slice top_element(struct slice path)
{
    struct slice rest = path;
    struct slice part = SLICE_NONE;
    slice_cut(&rest, '.', &part); /* the type */
    size_t end = 0;
    while (end < rest.len && rest.at[end] != '.' && rest.at[end] != '[') {
        end++;
    }
    return slice_part(rest, 0, end);
}

bool plan_diff_is_ours(const struct json *wanted, struct slice element)
{
    if (json_member(wanted, element) != NULL) {
        return true;
    }
    for (size_t i = 0; i < sizeof comes_and_goes / sizeof *comes_and_goes; i++) {
        if (slice_is(element, comes_and_goes[i])) {
            return true;
        }
    }
    return false;
}

bool plan_diff_unchanged(struct arena *arena, const struct json *wanted, const struct json *base)
{
    struct resource_diff diff;
    resource_diff(arena, wanted, base, ignored, IGNORED, CHANGES_MOST, &diff);
    for (size_t i = 0; i < diff.count; i++) {
        const struct element_change *change = &diff.changes[i];
        struct slice element = top_element(change->path);
        bool whole = change->from == NULL && json_member(wanted, element) == NULL;
        if (!whole || plan_diff_is_ours(wanted, element)) {
            return false;
        }
    }
    return !diff.more;
}

bool plan_diff_touched(struct arena *arena, const struct json *base, const struct json *theirs)
{
    return !resource_same(arena, base, theirs, ignored, IGNORED);
}

static struct slice status_of(const struct json *theirs)
{
    struct slice status = json_get_text(theirs, "status");
    return status.len != 0 ? status : json_get_text(theirs, "lifecycleStatus");
}

bool plan_diff_is_draft(const struct json *theirs)
{
    struct slice status = status_of(theirs);
    return slice_is(status, "draft") || slice_is(status, "proposed");
}

bool plan_diff_is_ended(const struct json *theirs)
{
    static const char *const ends[] = {"entered-in-error", "revoked", "cancelled", "rejected"};
    struct slice status = status_of(theirs);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        if (slice_is(status, ends[i])) {
            return true;
        }
    }
    return false;
}

bool plan_diff_is_completed(const struct json *theirs)
{
    return slice_is(status_of(theirs), "completed");
}

struct json *plan_diff_withdraw(struct arena *arena, const struct json *theirs)
{
    struct json *withdrawn = json_copy(arena, theirs);
    bool goal = slice_is(json_get_text(theirs, "resourceType"), "Goal");
    json_set(arena, withdrawn, goal ? SLICE("lifecycleStatus") : SLICE("status"),
             json_new_string(arena, SLICE("entered-in-error")));
    return withdrawn;
}
