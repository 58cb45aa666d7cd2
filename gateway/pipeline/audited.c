#include "gateway/pipeline/steps.h"

#include "gateway/audit/audit.h"

/* What the trail is told of reads and writes; the layer audit knows how FHIR says it. */

static struct audit_resource resource_of(const struct json *json)
{
    return (struct audit_resource){json_get_text(json, "resourceType"), json_get_text(json, "id"),
                                   json_get_text(json_get(json, "meta"), "versionId")};
}

struct trail_lines audited_context(struct pipeline *p, struct arena *arena,
                                   const struct evaluation *evaluation,
                                   const struct context *context)
{
    size_t most = 1;
    for (size_t i = 0; i < context->count; i++) {
        most += json_count(context->facts[i].resources);
    }
    struct audit_resource *resources = ARENA_ARRAY(arena, most, struct audit_resource);
    struct trail_line *line = ARENA_NEW(arena, struct trail_line);
    struct audit_event event = {.act = AUDIT_READ,
                                .ehr = evaluation->ehr,
                                .patient = evaluation->patient,
                                .at = clock_utc(p->options.clock),
                                .resources = resources};
    for (size_t i = 0; i < context->count; i++) {
        for (const struct json *at = json_first(context->facts[i].resources); at != NULL;
             at = json_next(at)) {
            struct audit_resource one = resource_of(at);
            if (one.type.len != 0 && one.id.len != 0) {
                resources[event.count++] = one;
            }
        }
    }
    *line = (struct trail_line){.what = SLICE("fetched"),
                                .subject = evaluation->id,
                                .patient = evaluation->patient,
                                .body = audit_event(arena, &event)};
    return (struct trail_lines){line, 1};
}

static struct slice made_by(struct pipeline *p, struct arena *arena, const struct change *change,
                            const struct attempt_result *result, int64_t at)
{
    struct evaluation evaluation;
    if (store_read_evaluation(p->options.store, arena, change->evaluation, &evaluation) !=
        STATUS_OK) {
        evaluation = (struct evaluation){.mapping = change->item.of.mapping};
    }
    const struct audit_making making = {
        .target = {change->item.resource_type, result->ehr_id, result->ehr_version},
        .act = change->kind == CHANGE_CREATE ? AUDIT_CREATE : AUDIT_UPDATE,
        .at = at,
        .mapping = evaluation.mapping,
        .mapping_version = evaluation.mapping_version,
        .mapping_hash = evaluation.mapping_hash};
    return audit_provenance(arena, &making);
}

struct trail_lines audited_attempt(struct pipeline *p, struct arena *arena,
                                   const struct change *change, const struct attempt_result *result)
{
    bool done = result->outcome == ROW_DELIVERED;
    bool asked = result->http_status != 0 || result->outcome == ROW_UNKNOWN;
    const struct audit_resource target = {change->item.resource_type,
                                          done ? result->ehr_id : change->item.ehr_id,
                                          done ? result->ehr_version : SLICE_NONE};
    const struct audit_event event = {.act = change->kind == CHANGE_CREATE ? AUDIT_CREATE
                                                                           : AUDIT_UPDATE,
                                      .failed = !done,
                                      .ehr = change->ehr,
                                      .patient = change->patient,
                                      .at = clock_utc(p->options.clock),
                                      .resources = &target,
                                      .count = target.id.len != 0};
    struct trail_line *lines = ARENA_ARRAY(arena, 2, struct trail_line);
    if (!done && !asked) {
        return (struct trail_lines){NULL, 0}; /* nothing left the gateway */
    }
    lines[0] = (struct trail_line){.what = done ? SLICE("written") : SLICE("attempted"),
                                   .subject = change->id,
                                   .patient = change->patient,
                                   .body = audit_event(arena, &event)};
    if (done) {
        lines[1] = (struct trail_line){.what = SLICE("made"),
                                       .subject = change->id,
                                       .patient = change->patient,
                                       .body = made_by(p, arena, change, result, event.at)};
    }
    return (struct trail_lines){lines, done ? 2 : 1};
}
