#include "gateway/inbound/intake.h"

#include <inttypes.h>

#include "gateway/base/digest.h"

static const int64_t second_us = 1000000;
static const int64_t body_window_us = (int64_t)24 * 3600 * 1000000;

struct slice intake_local_id(struct slice reference, const char *type, struct slice base_url)
{
    if (base_url.len != 0 && slice_starts_with(reference, base_url) &&
        reference.len > base_url.len && reference.at[base_url.len] == '/') {
        reference = slice_part(reference, base_url.len + 1, SIZE_MAX);
    }
    struct slice rest = reference;
    struct slice part = SLICE_NONE;
    if (!slice_cut(&rest, '/', &part) || !slice_is(part, type) || !slice_cut(&rest, '/', &part)) {
        return SLICE_NONE;
    }
    struct slice id = part;
    if (rest.at != NULL && !slice_starts_with(rest, SLICE("_history/"))) {
        return SLICE_NONE;
    }
    for (size_t i = 0; i < id.len; i++) { /* FHIR R4 datatypes.html, id */
        char c = id.at[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '.';
        if (!good) {
            return SLICE_NONE;
        }
    }
    return id.len != 0 && id.len <= 64 ? id : SLICE_NONE;
}

static struct slice reference_text(const struct json *resource, const char *element)
{
    return json_get_text(json_get(resource, element), "reference");
}

/* The calendar date of an element that is a dateTime or instant, in the offset it carries: its
 * first ten characters. */
static struct slice calendar_date(const struct json *resource)
{
    static const char *const elements[] = {"effectiveDateTime", "effectiveInstant", "issued"};
    struct slice text = SLICE_NONE;
    for (size_t i = 0; i < sizeof elements / sizeof *elements && text.len == 0; i++) {
        text = json_get_text(resource, elements[i]);
    }
    if (text.len == 0) {
        text = json_get_text(json_get(resource, "effectivePeriod"), "start");
    }
    return text.len >= 10 ? slice_part(text, 0, 10) : SLICE_NONE;
}

struct collector {
    struct arena *arena;
    const struct intake_request *request;
    struct trigger *triggers;
    size_t count;
    size_t most;
    bool ambiguous;  /* a resource that starts an evaluation, whose patient is not certain */
    bool incomplete; /* one without encounter and without a full date */
    bool full;
};

static void add_trigger(struct collector *c, struct slice patient, struct slice visit)
{
    for (size_t i = 0; i < c->count; i++) {
        if (slice_equal(c->triggers[i].patient, patient) &&
            slice_equal(c->triggers[i].visit, visit)) {
            return;
        }
    }
    if (c->count == c->most) {
        c->full = true;
        return;
    }
    c->triggers[c->count++] = (struct trigger){patient, visit};
}

static void look_at(struct collector *c, const struct json *resource)
{
    const struct intake_request *request = c->request;
    if (!json_is(resource, JSON_OBJECT) || !request->starts(request->arg, resource)) {
        return;
    }
    struct slice subject = reference_text(resource, "subject");
    if (subject.at == NULL) {
        subject = reference_text(resource, "patient");
    }
    struct slice patient = intake_local_id(subject, "Patient", request->base_url);
    if (patient.at == NULL) {
        c->ambiguous = true;
        return;
    }
    struct slice encounter =
        intake_local_id(reference_text(resource, "encounter"), "Encounter", request->base_url);
    struct slice visit = encounter.at != NULL
                             ? arena_printf(c->arena, "Encounter/%.*s", SLICE_ARGS(encounter))
                             : calendar_date(resource);
    if (visit.at == NULL) {
        c->incomplete = true;
        return;
    }
    add_trigger(c, patient, visit);
}

static void expect(struct collector *c, size_t most)
{
    c->most = most < INTAKE_TRIGGERS_MOST ? most : INTAKE_TRIGGERS_MOST;
    c->triggers = ARENA_ARRAY(c->arena, c->most, struct trigger);
}

static void look_at_message(struct collector *c)
{
    const struct json *json = c->request->json;
    if (!slice_is(json_get_text(json, "resourceType"), "Bundle")) {
        expect(c, 1);
        look_at(c, json);
        return;
    }
    expect(c, json_count(json_get(json, "entry")));
    for (const struct json *entry = json_first(json_get(json, "entry")); entry != NULL;
         entry = json_next(entry)) {
        look_at(c, json_get(entry, "resource"));
    }
}

static struct slice visit_date(const struct json *resource, struct slice patient,
                               struct slice visit, struct slice base_url)
{
    struct slice subject =
        intake_local_id(reference_text(resource, "subject"), "Patient", base_url);
    struct slice encounter =
        intake_local_id(reference_text(resource, "encounter"), "Encounter", base_url);
    struct slice date = calendar_date(resource);
    bool same =
        encounter.at != NULL
            ? slice_starts_with(visit, SLICE("Encounter/")) &&
                  slice_equal(slice_part(visit, sizeof "Encounter/" - 1, SIZE_MAX), encounter)
            : slice_equal(visit, date);
    return same && slice_equal(subject, patient) ? date : SLICE_NONE;
}

struct slice intake_visit_date(const struct json *json, struct slice patient, struct slice visit,
                               struct slice base_url)
{
    if (!slice_is(json_get_text(json, "resourceType"), "Bundle")) {
        return visit_date(json, patient, visit, base_url);
    }
    struct slice latest = SLICE_NONE;
    for (const struct json *entry = json_first(json_get(json, "entry")); entry != NULL;
         entry = json_next(entry)) {
        struct slice date = visit_date(json_get(entry, "resource"), patient, visit, base_url);
        latest = slice_compare(date, latest) > 0 ? date : latest;
    }
    return latest;
}

static struct slice body_hash(struct arena *arena, const struct hasher *hasher, struct slice body)
{
    uint8_t hash[SHA256_SIZE];
    char text[SHA256_TEXT_SIZE];
    hasher_sha256(hasher, body, hash);
    hex_write(hash, sizeof hash, text);
    return arena_copy(arena, slice_of(text));
}

static void make_key(struct arena *arena, const struct intake_request *request,
                     struct intake *intake)
{
    struct slice ehr = request->ehr;
    if (request->deleted) {
        intake->key = arena_printf(arena, "%.*s/%.*s/%.*s/deleted/%" PRId64, SLICE_ARGS(ehr),
                                   SLICE_ARGS(intake->type), SLICE_ARGS(intake->id),
                                   request->now / second_us);
        return;
    }
    struct slice hash = body_hash(arena, request->hasher, request->body);
    if (request->kind == MESSAGE_DIRECT) {
        intake->key =
            arena_printf(arena, "%.*s/%.*s", SLICE_ARGS(request->sender), SLICE_ARGS(hash));
        intake->key_is_body_hash = true;
        intake->key_window_us = body_window_us;
        return;
    }
    bool versioned = intake->version.len != 0;
    struct slice last = versioned ? intake->version : hash;
    intake->key = arena_printf(arena, "%.*s/%.*s/%.*s/%.*s", SLICE_ARGS(ehr),
                               SLICE_ARGS(intake->type), SLICE_ARGS(intake->id), SLICE_ARGS(last));
    intake->key_is_body_hash = !versioned;
}

static enum status describe(const struct intake_request *request, struct intake *intake,
                            const char **why_out)
{
    if (request->deleted) {
        intake->type = request->type;
        intake->id = request->id;
        return STATUS_OK;
    }
    intake->type = json_get_text(request->json, "resourceType");
    intake->id = json_get_text(request->json, "id");
    intake->version = json_get_text(json_get(request->json, "meta"), "versionId");
    if (intake->type.len == 0) {
        *why_out = "the body is no FHIR resource: resourceType is missing";
        return STATUS_INVALID;
    }
    if (request->type.len != 0 && !slice_equal(request->type, intake->type)) {
        *why_out = "the resource is of another type than the path says";
        return STATUS_INVALID;
    }
    if (request->id.len != 0 && !slice_equal(request->id, intake->id)) {
        *why_out = "the resource has another id than the path says";
        return STATUS_INVALID;
    }
    if (request->kind != MESSAGE_DIRECT && intake->id.len == 0) {
        *why_out = "a notified resource must have an id";
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

enum status intake_read(struct arena *arena, const struct intake_request *request,
                        struct intake *intake_out, const char **why_out)
{
    struct intake intake = {.end_state = WORK_DROPPED, .end_reason = REASON_NO_TRIGGER};
    enum status status = describe(request, &intake, why_out);
    if (status != STATUS_OK) {
        return status;
    }
    struct collector c = {.arena = arena, .request = request};
    if (request->deleted) {
        intake.end_reason = REASON_WITHDRAWN; /* unless the store knows whom it concerned */
    } else {
        look_at_message(&c);
    }
    if (c.full) {
        *why_out = "the Bundle concerns more visits than are taken at once";
        return STATUS_LIMIT;
    }
    if (c.ambiguous || c.incomplete) {
        /* Held when it stands alone; in a Bundle the certain ones go their way, and the whole is
         * one message. */
        intake.end_state = WORK_HELD;
        intake.end_reason = c.ambiguous ? REASON_AMBIGUOUS_PATIENT : REASON_INCOMPLETE;
    }
    intake.triggers = c.triggers;
    intake.trigger_count = c.count;
    make_key(arena, request, &intake);
    *intake_out = intake;
    return STATUS_OK;
}
