#include "gateway/inbound/accept.h"

#include "fhir/model/model.h"
#include "gateway/inbound/intake.h"
#include "gateway/store/store_read.h"

struct asker {
    const struct inbound_host *host;
    const struct config_ehr *ehr;
};

static bool starts(void *arg, const struct json *resource)
{
    const struct asker *asker = arg;
    return asker->host->starts(asker->host->arg, asker->ehr, resource);
}

static bool is_resource_type(struct slice type)
{
    const struct model *model = model_r4();
    const struct model_type *row = model_type_find(model, type);
    return row != NULL && row->kind == MODEL_RESOURCE && row->abstract == 0;
}

static const char *unknown_type(struct arena *arena, struct slice type)
{
    const struct model *model = model_r4();
    size_t count = 0;
    struct slice *names = ARENA_ARRAY(arena, model_type_count(model), struct slice);
    for (size_t i = 0; i < model_type_count(model); i++) {
        struct slice name = model_type_name(model, model_type_at(model, i));
        if (is_resource_type(name)) {
            names[count++] = name;
        }
    }
    struct slice nearest = slice_nearest(type, names, count);
    if (nearest.len == 0) {
        return "FHIR R4 has no resource type of that name";
    }
    return arena_printf(arena, "FHIR R4 has no resource type of that name; did you mean \"%.*s\"?",
                        SLICE_ARGS(nearest))
        .at;
}

/* A Bundle is taken whole or not at all, so all of it must be something to take. */
static const char *fault_of_bundle(const struct json *bundle)
{
    struct slice type = json_get_text(bundle, "type");
    if (!slice_is(type, "collection") && !slice_is(type, "batch") &&
        !slice_is(type, "transaction")) {
        return "a Bundle is taken when its type is collection, batch or transaction";
    }
    for (const struct json *entry = json_first(json_get(bundle, "entry")); entry != NULL;
         entry = json_next(entry)) {
        struct slice method = json_get_text(json_get(entry, "request"), "method");
        if (method.len != 0 && !slice_is(method, "POST") && !slice_is(method, "PUT")) {
            return "an entry of the Bundle asks for something else than POST or PUT";
        }
        const struct json *resource = json_get(entry, "resource");
        if (!is_resource_type(json_get_text(resource, "resourceType"))) {
            return "an entry of the Bundle has no resource of a type that FHIR R4 knows";
        }
    }
    return NULL;
}

static enum status check(struct arena *arena, const struct arrival *arrival, const char **why_out)
{
    if (arrival->deleted) {
        return STATUS_OK;
    }
    if (!json_is(arrival->json, JSON_OBJECT)) {
        *why_out = "the body is no FHIR resource: it is no JSON object";
        return STATUS_INVALID;
    }
    struct slice type = json_get_text(arrival->json, "resourceType");
    if (type.len != 0 && !is_resource_type(type)) {
        *why_out = unknown_type(arena, type);
        return STATUS_INVALID;
    }
    if (arrival->kind == MESSAGE_DIRECT && slice_is(type, "Bundle")) {
        *why_out = fault_of_bundle(arrival->json);
        return *why_out != NULL ? STATUS_INVALID : STATUS_OK;
    }
    return STATUS_OK;
}

static bool is_own_write(struct arena *arena, const struct inbound_host *host,
                         const struct arrival *arrival, const struct intake *intake)
{
    struct item item;
    return arrival->kind != MESSAGE_DIRECT && intake->version.len != 0 &&
           store_find_item_by_resource(host->store, arena, arrival->ehr->name, intake->type,
                                       intake->id, &item) == STATUS_OK &&
           slice_equal(item.ehr_version, intake->version);
}

enum status accept_prepare(struct arena *arena, const struct inbound_host *host,
                           const struct arrival *arrival, struct store_accept *accept_out,
                           const char **why_out)
{
    enum status status = check(arena, arrival, why_out);
    if (status != STATUS_OK) {
        return status;
    }
    struct asker asker = {host, arrival->ehr};
    const struct config_ehr *ehr = arrival->ehr;
    struct slice sender = arrival->kind == MESSAGE_DIRECT ? arrival->sender : ehr->name;
    int64_t now = clock_utc(host->clock);
    const struct intake_request request = {.kind = arrival->kind,
                                           .ehr = ehr->name,
                                           .base_url = ehr->base_url,
                                           .sender = sender,
                                           .body = arrival->body,
                                           .hasher = host->hasher,
                                           .json = arrival->json,
                                           .deleted = arrival->deleted,
                                           .type = arrival->type,
                                           .id = arrival->id,
                                           .now = now,
                                           .starts = starts,
                                           .arg = &asker};
    struct intake intake;
    status = intake_read(arena, &request, &intake, why_out);
    if (status != STATUS_OK) {
        return status;
    }
    if (is_own_write(arena, host, arrival, &intake)) {
        intake.trigger_count = 0;
        intake.end_state = WORK_DROPPED;
        intake.end_reason = REASON_OWN_WRITE;
    }
    *accept_out = (struct store_accept)STORE_TX(ACCEPT);
    accept_out->tx.arena = arena;
    accept_out->in.message = (struct message){.ehr = ehr->name,
                                              .kind = arrival->kind,
                                              .sender = sender,
                                              .key = intake.key,
                                              .resource_type = intake.type,
                                              .resource_id = intake.id,
                                              .resource_version = intake.version,
                                              .received = now,
                                              .payload = arrival->body};
    accept_out->in.is_deletion = arrival->deleted;
    accept_out->in.key_is_body_hash = intake.key_is_body_hash;
    accept_out->in.key_window_us = intake.key_window_us;
    accept_out->in.triggers = intake.triggers;
    accept_out->in.trigger_count = intake.trigger_count;
    accept_out->in.settle_us = (int64_t)ehr->settle_ms * 1000;
    accept_out->in.settle_most_us = (int64_t)ehr->settle_most_ms * 1000;
    accept_out->in.end_state = intake.end_state;
    accept_out->in.end_reason = intake.end_reason;
    return STATUS_OK;
}
