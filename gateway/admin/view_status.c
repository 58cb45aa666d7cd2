#include "gateway/admin/views.h"

enum { OPEN_MOST = 1000, OPEN_PAGES = 100 };

struct listing {
    struct arena *arena;
    const struct store_status *status;
    struct json *ehrs;
};

/* ---- one EHR ---- */

static void add_counts(struct arena *arena, struct json *entry, const char *name,
                       const uint64_t *counts, int first, int last, const char *(*word)(int))
{
    struct json *object = json_new_object(arena);
    for (int i = first; i <= last; i++) {
        if (counts[i] != 0) {
            view_number(arena, object, word(i), (int64_t)counts[i]);
        }
    }
    json_add(arena, entry, slice_of(name), object);
}

static const char *work_word(int state)
{
    return work_state_name((enum work_state)state);
}

static const char *row_word(int state)
{
    return row_state_name((enum row_state)state);
}

/* How far an EHR is in being looked at after `restore` or `rebase`, or what was found then. */
static void add_reconciliation(struct arena *arena, struct json *entry,
                               const struct reconciliation *told)
{
    if (told->since == 0) {
        return;
    }
    struct json *object = json_new_object(arena);
    uint64_t looked_up = 0;
    for (int i = 0; i < FINDING_COUNT; i++) {
        looked_up += told->found[i];
    }
    view_bool(arena, object, "on", told->on);
    view_text(arena, object, "after", told->after);
    view_time(arena, object, "since", told->since);
    view_time(arena, object, "ended", told->ended);
    view_number(arena, object, "looked-up", (int64_t)looked_up);
    view_number(arena, object, "of", (int64_t)(looked_up + told->left));
    for (int i = 0; i < FINDING_COUNT; i++) {
        view_number(arena, object, finding_name((enum finding)i), (int64_t)told->found[i]);
    }
    json_add(arena, entry, SLICE("reconciliation"), object);
}

static void add_stored(struct arena *arena, struct json *entry, const struct ehr_status *stored)
{
    view_bool(arena, entry, "writes-stopped", stored->writes_stopped);
    add_reconciliation(arena, entry, &stored->reconciliation);
    add_counts(arena, entry, "messages", stored->messages, WORK_RECEIVED, WORK_DROPPED, work_word);
    add_counts(arena, entry, "evaluations", stored->evaluations, WORK_RECEIVED, WORK_DROPPED,
               work_word);
    add_counts(arena, entry, "changes", stored->changes, ROW_PENDING, ROW_DROPPED, row_word);
    view_time(arena, entry, "oldest-due", stored->oldest_due);
    view_time(arena, entry, "oldest-change", stored->oldest_change);
    view_time(arena, entry, "watermark", stored->watermark);
    view_text(arena, entry, "error", stored->error);
    view_text(arena, entry, "do", stored->advice);
    view_time(arena, entry, "error-at", stored->error_at);
}

static void add_health(struct arena *arena, struct json *entry, const struct ehr_health *health)
{
    view_text(arena, entry, "condition", slice_of(ehr_condition_name(health->condition)));
    view_time(arena, entry, "tried-again", health->until);
    view_time(arena, entry, "down-until", health->down_until);
    view_number(arena, entry, "calls-waiting", (int64_t)health->waiting);
    view_number(arena, entry, "calls-under-way", (int64_t)health->under_way);
    view_number(arena, entry, "requests", (int64_t)health->requests);
    view_number(arena, entry, "failures", (int64_t)health->failures);
}

static const struct ehr_status *find_stored(const struct store_status *status, struct slice name)
{
    for (size_t i = 0; i < status->count; i++) {
        if (slice_equal(status->ehrs[i].ehr, name)) {
            return &status->ehrs[i];
        }
    }
    return NULL;
}

static void add_ehr(void *to, const struct config_ehr *ehr, const struct ehr_health *health)
{
    struct listing *listing = to;
    struct json *entry = json_new_object(listing->arena);
    const struct ehr_status *stored = find_stored(listing->status, ehr->name);
    view_text(listing->arena, entry, "ehr", ehr->name);
    view_text(listing->arena, entry, "base-url", ehr->base_url);
    view_text(listing->arena, entry, "mode", slice_of(config_mode_name(ehr->mode)));
    if (ehr->synthetic) {
        view_bool(listing->arena, entry, "synthetic", true);
    }
    if (ehr->evaluation == EVALUATION_PAUSED) {
        view_bool(listing->arena, entry, "evaluation-paused", true);
    }
    if (health != NULL) {
        add_health(listing->arena, entry, health);
    }
    if (stored != NULL) {
        add_stored(listing->arena, entry, stored);
    }
    json_append(listing->ehrs, entry);
}

/* What the store knows and no file names: its rows wait. */
static void add_strays(struct listing *listing)
{
    for (size_t i = 0; i < listing->status->count; i++) {
        const struct ehr_status *stored = &listing->status->ehrs[i];
        const struct json *at = json_first(listing->ehrs);
        while (at != NULL && !slice_equal(json_get_text(at, "ehr"), stored->ehr)) {
            at = json_next(at);
        }
        if (at == NULL) {
            struct json *entry = json_new_object(listing->arena);
            view_text(listing->arena, entry, "ehr", stored->ehr);
            view_text(listing->arena, entry, "base-url", stored->base_url);
            view_text(listing->arena, entry, "mode", SLICE("not in use"));
            add_stored(listing->arena, entry, stored);
            json_append(listing->ehrs, entry);
        }
    }
}

/* ---- what a person must look at ---- */

static struct json *open_json(struct arena *arena, const struct open_entry *open)
{
    struct json *entry = json_new_object(arena);
    view_id(arena, entry, open->is_message ? "message" : "evaluation", open->id);
    view_text(arena, entry, "ehr", open->ehr);
    view_text(arena, entry, "patient", open->patient);
    view_text(arena, entry, "visit", open->visit);
    view_text(arena, entry, "state", slice_of(work_state_name(open->state)));
    view_reason(arena, entry, open->reason);
    view_text(arena, entry, "detail", open->detail);
    view_time(arena, entry, "since", open->ended);
    return entry;
}

static enum status add_open(const struct desk *desk, struct arena *arena, struct slice ehr,
                            struct json *answer)
{
    struct json *list = json_new_array(arena);
    struct uuid from = UUID_NONE;
    bool more = true;
    for (int page_number = 0; more && page_number < OPEN_PAGES; page_number++) {
        struct open_page page;
        enum status status = store_list_open(desk->store, arena, ehr, from, OPEN_MOST, &page);
        if (status != STATUS_OK) {
            return status;
        }
        for (size_t i = 0; i < page.count; i++) {
            json_append(list, open_json(arena, &page.at[i]));
        }
        from = page.next;
        more = !uuid_is_none(from);
    }
    json_add(arena, answer, SLICE("open"), list);
    view_bool(arena, answer, "open-cut", more);
    return STATUS_OK;
}

/* ---- what it works with ---- */

static void add_work(const struct desk *desk, struct arena *arena, struct json *answer)
{
    struct desk_work work = desk->work(desk->arg);
    struct json *mapping = json_new_object(arena);
    view_text(arena, mapping, "name", slice_of(work.mapping));
    view_text(arena, mapping, "version", slice_of(work.version));
    view_text(arena, mapping, "hash", slice_of(work.hash));
    view_time(arena, mapping, "since", work.loaded);
    json_add(arena, answer, SLICE("mapping"), mapping);
    view_time(arena, answer, "reload-refused", work.refused);
    view_text(arena, answer, "reload-refused-because", slice_of(work.refused_why));
}

/* ---- the whole ---- */

enum status view_status(const struct desk *desk, struct arena *arena, const struct json *request,
                        struct json *answer)
{
    struct store_status status;
    enum status result = store_read_status(desk->store, arena, &status);
    if (result != STATUS_OK) {
        return result;
    }
    struct store_load load = store_load(desk->store);
    struct listing listing = {arena, &status, json_new_array(arena)};
    view_bool(arena, answer, "running", desk->running);
    view_time(arena, answer, "time", clock_utc(desk->clock));
    view_bool(arena, answer, "all-writes-stopped", status.all_writes_stopped);
    view_number(arena, answer, "damaged", (int64_t)status.damaged);
    view_number(arena, answer, "store-queue", (int64_t)load.items);
    view_bool(arena, answer, "store-failing", load.failing);
    if (desk->work != NULL) {
        add_work(desk, arena, answer);
    }
    desk->each_ehr(desk->arg, add_ehr, &listing);
    add_strays(&listing);
    json_add(arena, answer, SLICE("ehrs"), listing.ehrs);
    return json_is(json_get(request, "open"), JSON_TRUE)
               ? add_open(desk, arena, json_get_text(request, "ehr"), answer)
               : STATUS_OK;
}
