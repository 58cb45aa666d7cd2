#include "gateway/admin/views.h"
#include "gateway/audit/audit.h"

enum { EVALUATIONS_SHOWN = 20 };

/* ---- the way of one evaluation ---- */

static struct json *change_json(struct arena *arena, const struct change *change)
{
    struct json *entry = json_new_object(arena);
    view_id(arena, entry, "change", change->id);
    view_text(arena, entry, "kind", slice_of(change_kind_name(change->kind)));
    view_text(arena, entry, "resource", change->item.resource_type);
    view_text(arena, entry, "item", change->item.of.key);
    view_id(arena, entry, "identifier", change->item.identifier);
    view_text(arena, entry, "ehr-id", change->item.ehr_id);
    view_number(arena, entry, "order", change->order);
    view_text(arena, entry, "state", slice_of(row_state_name(change->state)));
    view_reason(arena, entry, change->reason);
    view_text(arena, entry, "detail", change->detail);
    view_number(arena, entry, "tries", change->tries);
    view_time(arena, entry, "not-before", change->not_before);
    view_time(arena, entry, "ended", change->ended);
    return entry;
}

static struct json *attempt_json(struct arena *arena, const struct attempt *attempt)
{
    struct json *entry = json_new_object(arena);
    view_id(arena, entry, "change", attempt->change);
    view_number(arena, entry, "number", attempt->number);
    view_time(arena, entry, "started", attempt->started);
    view_time(arena, entry, "ended", attempt->ended);
    if (attempt->ended != 0) {
        view_text(arena, entry, "outcome", slice_of(row_state_name(attempt->outcome)));
    }
    if (attempt->http_status != 0) {
        view_number(arena, entry, "status", attempt->http_status);
    }
    view_reason(arena, entry, attempt->reason);
    view_text(arena, entry, "detail", attempt->detail);
    return entry;
}

static struct json *trail_json(struct arena *arena, const struct trail_record *record)
{
    struct json *entry = json_new_object(arena);
    view_number(arena, entry, "number", (int64_t)record->number);
    view_time(arena, entry, "at", record->at);
    view_text(arena, entry, "what", record->line.what);
    struct slice rest = record->line.body;
    struct slice first;
    if (slice_starts_with(rest, SLICE("by ")) && slice_cut(&rest, '\n', &first)) {
        view_text(arena, entry, "by", slice_part(first, 3, SIZE_MAX)); /* what a person did */
        view_text(arena, entry, "why", rest);
    }
    view_text(arena, entry, "told", audit_sentence(arena, record->line.body));
    return entry;
}

/* The trace as the pipeline stored it; a row without one is left without. */
static void add_trace(struct arena *arena, struct json *entry, struct slice trace)
{
    struct diag_list unheard;
    const struct json *json = NULL;
    diag_init(&unheard, arena, 1);
    if (trace.len != 0 && json_parse(arena, source_create(arena, SLICE("trace"), trace),
                                     &LIMITS_DEFAULT, &unheard, &json) == STATUS_OK) {
        json_add(arena, entry, SLICE("trace"), json_copy(arena, json));
    }
}

static struct json *evaluation_json(struct arena *arena, const struct evaluation_way *way)
{
    const struct evaluation *evaluation = &way->evaluation;
    struct json *entry = json_new_object(arena);
    struct json *changes = json_new_array(arena);
    struct json *attempts = json_new_array(arena);
    struct json *trail = json_new_array(arena);
    view_id(arena, entry, "evaluation", evaluation->id);
    view_text(arena, entry, "ehr", evaluation->ehr);
    view_text(arena, entry, "patient", evaluation->patient);
    view_text(arena, entry, "visit", evaluation->visit);
    view_text(arena, entry, "state", slice_of(work_state_name(evaluation->state)));
    view_reason(arena, entry, evaluation->reason);
    view_text(arena, entry, "detail", evaluation->detail);
    view_time(arena, entry, "due", evaluation->due);
    view_time(arena, entry, "evaluation-time", evaluation->at);
    view_number(arena, entry, "tries", evaluation->tries);
    view_time(arena, entry, "ended", evaluation->ended);
    view_text(arena, entry, "mapping", evaluation->mapping);
    view_text(arena, entry, "mapping-version", evaluation->mapping_version);
    view_text(arena, entry, "mapping-hash", evaluation->mapping_hash);
    view_id(arena, entry, "replaced-by", evaluation->replaced_by);
    add_trace(arena, entry, way->trace);
    for (size_t i = 0; i < way->change_count; i++) {
        json_append(changes, change_json(arena, &way->changes[i]));
    }
    for (size_t i = 0; i < way->attempt_count; i++) {
        json_append(attempts, attempt_json(arena, &way->attempts[i]));
    }
    for (size_t i = 0; i < way->trail_count; i++) {
        json_append(trail, trail_json(arena, &way->trail[i]));
    }
    json_add(arena, entry, SLICE("changes"), changes);
    json_add(arena, entry, SLICE("attempts"), attempts);
    json_add(arena, entry, SLICE("trail"), trail);
    return entry;
}

static void add_evaluations(struct arena *arena, struct json *answer,
                            const struct evaluation_way *ways, size_t count)
{
    struct json *list = json_new_array(arena);
    for (size_t i = 0; i < count; i++) {
        json_append(list, evaluation_json(arena, &ways[i]));
    }
    json_add(arena, answer, SLICE("evaluations"), list);
}

/* ---- a message ---- */

static const char *kind_name(enum message_kind kind)
{
    static const char *const names[] = {[MESSAGE_NOTIFICATION] = "notification",
                                        [MESSAGE_DIRECT] = "direct",
                                        [MESSAGE_POLL] = "poll",
                                        [MESSAGE_TIMER] = "timer"};
    return kind >= MESSAGE_NOTIFICATION && kind <= MESSAGE_TIMER ? names[kind] : "?";
}

static enum status show_message(const struct desk *desk, struct arena *arena, struct uuid id,
                                struct json *answer)
{
    struct message_way way;
    enum status status = store_show_message(desk->store, arena, id, &way);
    if (status != STATUS_OK) {
        return status;
    }
    struct json *entry = json_new_object(arena);
    view_id(arena, entry, "message", way.message.id);
    view_text(arena, entry, "ehr", way.message.ehr);
    view_text(arena, entry, "kind", slice_of(kind_name(way.message.kind)));
    view_text(arena, entry, "sender", way.message.sender);
    view_text(arena, entry, "resource", way.message.resource_type);
    view_text(arena, entry, "resource-id", way.message.resource_id);
    view_text(arena, entry, "resource-version", way.message.resource_version);
    view_time(arena, entry, "received", way.message.received);
    view_text(arena, entry, "state", slice_of(work_state_name(way.message.state)));
    view_reason(arena, entry, way.message.reason);
    view_time(arena, entry, "ended", way.message.ended);
    json_add(arena, answer, SLICE("message"), entry);
    add_evaluations(arena, answer, way.evaluations, way.evaluation_count);
    return STATUS_OK;
}

/* ---- a patient ---- */

static struct json *item_json(struct arena *arena, const struct item *item)
{
    struct json *entry = json_new_object(arena);
    view_id(arena, entry, "identifier", item->identifier);
    view_text(arena, entry, "resource", item->resource_type);
    view_text(arena, entry, "mapping", item->of.mapping);
    view_text(arena, entry, "mapping-version", item->version);
    view_text(arena, entry, "plan", item->of.plan);
    view_text(arena, entry, "item", item->of.key);
    view_number(arena, entry, "episode", item->of.episode);
    view_text(arena, entry, "life", slice_of(item_life_name(item->life)));
    view_text(arena, entry, "ehr-id", item->ehr_id);
    view_text(arena, entry, "ehr-version", item->ehr_version);
    view_time(arena, entry, "base-read", item->base_at);
    return entry;
}

static enum status show_patient(const struct desk *desk, struct arena *arena, struct slice ehr,
                                struct slice patient, struct json *answer)
{
    struct patient_way way;
    enum status status =
        store_show_patient(desk->store, arena, ehr, patient, EVALUATIONS_SHOWN, &way);
    if (status != STATUS_OK || (way.evaluation_count == 0 && way.items.count == 0)) {
        return status != STATUS_OK ? status : STATUS_ABSENT;
    }
    struct json *items = json_new_array(arena);
    for (size_t i = 0; i < way.items.count; i++) {
        json_append(items, item_json(arena, &way.items.at[i]));
    }
    view_text(arena, answer, "patient", patient);
    view_text(arena, answer, "ehr", ehr);
    json_add(arena, answer, SLICE("items"), items);
    add_evaluations(arena, answer, way.evaluations, way.evaluation_count);
    return STATUS_OK;
}

enum status view_show(const struct desk *desk, struct arena *arena, const struct json *request,
                      struct json *answer)
{
    struct slice what = json_get_text(request, "what");
    struct slice ehr = json_get_text(request, "ehr");
    struct slice prefix = SLICE("Patient/");
    struct uuid id;
    if (uuid_read(what, &id)) {
        enum status status = show_message(desk, arena, id, answer);
        if (status != STATUS_ABSENT) {
            return status;
        }
    }
    if (slice_starts_with(what, prefix)) {
        what = slice_part(what, prefix.len, SIZE_MAX);
    }
    if (view_which_ehr(desk, arena, ehr, &ehr) != STATUS_OK) {
        return STATUS_INVALID;
    }
    return show_patient(desk, arena, ehr, what, answer);
}
