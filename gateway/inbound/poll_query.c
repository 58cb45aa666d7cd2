/* What is asked for, and how far it was answered: the parts of polling that need no network. */
#include "gateway/inbound/poll.h"

#include <inttypes.h>

static struct slice type_of(struct slice search)
{
    struct slice type = SLICE_NONE;
    slice_cut(&search, '?', &type);
    return type;
}

bool poll_covers(struct slice poll, struct slice criteria)
{
    return slice_equal(type_of(poll), type_of(criteria));
}

static bool is_covered(const struct slice *polls, size_t count, struct slice criteria)
{
    for (size_t i = 0; i < count; i++) {
        if (poll_covers(polls[i], criteria)) {
            return true;
        }
    }
    return false;
}

struct poll_names poll_names(struct arena *arena, const struct config_ehr *ehr)
{
    size_t regular = ehr->poll.queries.count;
    size_t count = 0;
    struct slice *names = ARENA_ARRAY(arena, regular + ehr->subscriptions.count + 1, struct slice);
    for (size_t i = 0; i < regular; i++) {
        names[count++] = ehr->poll.queries.at[i];
    }
    for (size_t i = 0; i < ehr->subscriptions.count; i++) {
        struct slice criteria = ehr->subscriptions.at[i].criteria;
        if (!is_covered(names, count, criteria)) {
            names[count++] = criteria;
        }
    }
    return (struct poll_names){names, count, regular};
}

struct poll_search poll_search(struct arena *arena, struct slice name, int64_t since_us,
                               uint64_t page_size, bool sort)
{
    struct slice rest = name;
    struct slice type = SLICE_NONE;
    char since[CLOCK_TEXT_SIZE];
    slice_cut(&rest, '?', &type);
    clock_format(since_us, since);
    struct slice query =
        arena_printf(arena, "%.*s%s_lastUpdated=ge%s&_count=%" PRIu64 "%s", SLICE_ARGS(rest),
                     rest.len != 0 ? "&" : "", since, page_size, sort ? "&_sort=_lastUpdated" : "");
    return (struct poll_search){type, query};
}

int64_t poll_watermark(int64_t latest_seen_us, int64_t server_date_us)
{
    if (latest_seen_us == 0 || server_date_us == 0) {
        return latest_seen_us != 0 ? latest_seen_us : server_date_us;
    }
    return latest_seen_us < server_date_us ? latest_seen_us : server_date_us;
}
