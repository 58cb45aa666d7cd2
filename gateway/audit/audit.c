#include "gateway/audit/audit.h"

#include "fhir/json/json.h"
#include "gateway/base/clock.h"

#define AGENT "ePlan gateway"

/* ---- building ---- */

static void add_text(struct arena *arena, struct json *object, const char *name, struct slice text)
{
    json_add(arena, object, slice_of(name), json_new_string(arena, text));
}

static void add_one(struct arena *arena, struct json *object, const char *name, struct json *value)
{
    struct json *array = json_new_array(arena);
    json_append(array, value);
    json_add(arena, object, slice_of(name), array);
}

static struct json *coding(struct arena *arena, const char *system, const char *code)
{
    struct json *it = json_new_object(arena);
    add_text(arena, it, "system", slice_of(system));
    add_text(arena, it, "code", slice_of(code));
    return it;
}

static struct json *concept(struct arena *arena, const char *system, const char *code)
{
    struct json *it = json_new_object(arena);
    add_one(arena, it, "coding", coding(arena, system, code));
    return it;
}

static struct slice reference_text(struct arena *arena, const struct audit_resource *resource)
{
    return resource->version.len != 0
               ? arena_printf(arena, "%.*s/%.*s/_history/%.*s", SLICE_ARGS(resource->type),
                              SLICE_ARGS(resource->id), SLICE_ARGS(resource->version))
               : arena_printf(arena, "%.*s/%.*s", SLICE_ARGS(resource->type),
                              SLICE_ARGS(resource->id));
}

static struct json *reference(struct arena *arena, const struct audit_resource *resource)
{
    struct json *it = json_new_object(arena);
    add_text(arena, it, "reference", reference_text(arena, resource));
    return it;
}

static struct json *named(struct arena *arena, struct slice display)
{
    struct json *it = json_new_object(arena);
    add_text(arena, it, "display", display);
    return it;
}

static struct slice instant(struct arena *arena, int64_t at)
{
    char text[CLOCK_TEXT_SIZE];
    clock_format(at, text);
    return arena_copy(arena, slice_of(text));
}

/* ---- AuditEvent: http://hl7.org/fhir/R4/auditevent.html ---- */

static const struct {
    const char *action;      /* audit-event-action */
    const char *interaction; /* restful-interaction */
    const char *operation;   /* v3-DataOperation */
    const char *word;
} acts[] = {
    [AUDIT_READ] = {"R", "read", "READ", "read"},
    [AUDIT_CREATE] = {"C", "create", "CREATE", "create"},
    [AUDIT_UPDATE] = {"U", "update", "UPDATE", "update"},
};

/* role: object-role, 1 is the patient, 4 a resource. */
static struct json *entity(struct arena *arena, const struct audit_resource *resource,
                           const char *role)
{
    struct json *it = json_new_object(arena);
    json_add(arena, it, SLICE("what"), reference(arena, resource));
    json_add(arena, it, SLICE("role"),
             coding(arena, "http://terminology.hl7.org/CodeSystem/object-role", role));
    return it;
}

struct slice audit_event(struct arena *arena, const struct audit_event *event)
{
    const struct audit_resource patient = {SLICE("Patient"), event->patient, SLICE_NONE};
    struct json *it = json_new_object(arena);
    struct json *agent = json_new_object(arena);
    struct json *source = json_new_object(arena);
    struct json *entities = json_new_array(arena);
    add_text(arena, it, "resourceType", SLICE("AuditEvent"));
    json_add(arena, it, SLICE("type"),
             coding(arena, "http://terminology.hl7.org/CodeSystem/audit-event-type", "rest"));
    add_one(arena, it, "subtype",
            coding(arena, "http://hl7.org/fhir/restful-interaction", acts[event->act].interaction));
    add_text(arena, it, "action", slice_of(acts[event->act].action));
    add_text(arena, it, "recorded", instant(arena, event->at));
    add_text(arena, it, "outcome", event->failed ? SLICE("4") : SLICE("0"));
    add_one(arena, it, "purposeOfEvent",
            concept(arena, "http://terminology.hl7.org/CodeSystem/v3-ActReason", "TREAT"));
    json_add(arena, agent, SLICE("who"), named(arena, SLICE(AGENT " " EPLAN_VERSION)));
    json_add(arena, agent, SLICE("requestor"), json_new_bool(arena, true));
    add_one(arena, it, "agent", agent);
    add_text(arena, source, "site", event->ehr);
    json_add(arena, source, SLICE("observer"), named(arena, SLICE(AGENT)));
    json_add(arena, it, SLICE("source"), source);
    json_append(entities, entity(arena, &patient, "1"));
    for (size_t i = 0; i < event->count; i++) {
        json_append(entities, entity(arena, &event->resources[i], "4"));
    }
    json_add(arena, it, SLICE("entity"), entities);
    return json_write(arena, it, JSON_COMPACT);
}

/* ---- Provenance: http://hl7.org/fhir/R4/provenance.html ---- */

struct slice audit_provenance(struct arena *arena, const struct audit_making *making)
{
    struct json *it = json_new_object(arena);
    struct json *agent = json_new_object(arena);
    struct json *what = named(
        arena, arena_printf(arena, "mapping %.*s %.*s, sha256 %.*s", SLICE_ARGS(making->mapping),
                            SLICE_ARGS(making->mapping_version), SLICE_ARGS(making->mapping_hash)));
    struct json *identifier = json_new_object(arena);
    struct json *source = json_new_object(arena);
    add_text(arena, it, "resourceType", SLICE("Provenance"));
    add_one(arena, it, "target", reference(arena, &making->target));
    add_text(arena, it, "recorded", instant(arena, making->at));
    json_add(arena, it, SLICE("activity"),
             concept(arena, "http://terminology.hl7.org/CodeSystem/v3-DataOperation",
                     acts[making->act].operation));
    json_add(arena, agent, SLICE("type"),
             concept(arena, "http://terminology.hl7.org/CodeSystem/provenance-participant-type",
                     "assembler"));
    json_add(arena, agent, SLICE("who"), named(arena, SLICE(AGENT " " EPLAN_VERSION)));
    add_one(arena, it, "agent", agent);
    add_text(arena, identifier, "value",
             arena_printf(arena, "%.*s|%.*s", SLICE_ARGS(making->mapping),
                          SLICE_ARGS(making->mapping_version)));
    json_add(arena, what, SLICE("identifier"), identifier);
    add_text(arena, source, "role", SLICE("source"));
    json_add(arena, source, SLICE("what"), what);
    add_one(arena, it, "entity", source);
    return json_write(arena, it, JSON_COMPACT);
}

/* ---- for a person ---- */

static const char *act_word(struct slice action)
{
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        if (slice_is(action, acts[i].action)) {
            return acts[i].word;
        }
    }
    return "?";
}

static struct slice told_of(const struct json *entity)
{
    return json_get_text(json_get(entity, "what"), "reference");
}

static struct slice event_sentence(struct arena *arena, const struct json *event)
{
    const struct json *patient = json_first(json_get(event, "entity"));
    const struct json *second = patient != NULL ? json_next(patient) : NULL;
    size_t others = second != NULL ? json_count(json_get(event, "entity")) - 1 : 0;
    const char *word = act_word(json_get_text(event, "action"));
    const char *failed = slice_is(json_get_text(event, "outcome"), "0") ? "" : ", not done";
    return others == 1 ? arena_printf(arena, "%s %.*s of %.*s%s", word, SLICE_ARGS(told_of(second)),
                                      SLICE_ARGS(told_of(patient)), failed)
                       : arena_printf(arena, "%s %zu resources of %.*s%s", word, others,
                                      SLICE_ARGS(told_of(patient)), failed);
}

struct slice audit_sentence(struct arena *arena, struct slice body)
{
    struct diag_list unheard;
    const struct json *json = NULL;
    diag_init(&unheard, arena, 1);
    if (body.len == 0 || json_parse(arena, source_create(arena, SLICE("trail"), body),
                                    &LIMITS_DEFAULT, &unheard, &json) != STATUS_OK) {
        return SLICE_NONE;
    }
    struct slice type = json_get_text(json, "resourceType");
    if (slice_is(type, "AuditEvent")) {
        return event_sentence(arena, json);
    }
    if (slice_is(type, "Provenance")) {
        const struct json *source = json_first(json_get(json, "entity"));
        struct slice target = json_get_text(json_first(json_get(json, "target")), "reference");
        struct slice mapping = json_get_text(json_get(source, "what"), "display");
        return arena_printf(arena, "%.*s made by %.*s", SLICE_ARGS(target), SLICE_ARGS(mapping));
    }
    return SLICE_NONE;
}
