#include "gateway/mapping/record.h"

#include "gateway/mapping/eval.h"

enum { RECORD_MOST = 5000, PARAMETER_MOST = 16 * 1024 };

struct record {
    const struct mapping *mapping;
    struct arena *arena;
    const struct source *source;
    struct diag_list *diags;
    const struct json *resources[RECORD_MOST];
    size_t count;
    const struct json *patient;
};

static struct slice type_of(const struct json *resource)
{
    return json_get_text(resource, "resourceType");
}

/* ---- reading ---- */

static bool keep(struct record *r, const struct json *resource)
{
    if (slice_is(type_of(resource), "Patient")) {
        if (r->patient != NULL) {
            diag_add(r->diags, DIAG_MAPPING_RECORD, json_span(r->source, resource),
                     "the record has a second Patient");
            return false;
        }
        r->patient = resource;
        return true;
    }
    if (r->count == RECORD_MOST) {
        diag_add(r->diags, DIAG_MAPPING_RECORD, json_span(r->source, resource),
                 "the record has more than %d resources", (int)RECORD_MOST);
        return false;
    }
    r->resources[r->count++] = resource;
    return true;
}

static bool read_record(struct record *r, const struct json *bundle)
{
    if (!slice_is(type_of(bundle), "Bundle")) {
        keep(r, bundle);
    }
    const struct json *entry =
        slice_is(type_of(bundle), "Bundle") ? json_first(json_get(bundle, "entry")) : NULL;
    for (; entry != NULL; entry = json_next(entry)) {
        const struct json *resource = json_get(entry, "resource");
        if (resource != NULL && !keep(r, resource)) {
            return false;
        }
    }
    if (r->patient == NULL) {
        struct diag *diag = diag_add(r->diags, DIAG_MAPPING_RECORD, json_span(r->source, bundle),
                                     "the record has no Patient");
        diag_hint(r->diags, diag, "a child is a Bundle with its Patient, Encounter and facts");
        return false;
    }
    return true;
}

struct slice record_language(const struct json *patient)
{
    const struct json *first = json_first(json_get(patient, "communication"));
    const struct json *chosen = first;
    for (const struct json *it = first; it != NULL; it = json_next(it)) {
        if (json_is(json_get(it, "preferred"), JSON_TRUE)) {
            chosen = it;
            break;
        }
    }
    const struct json *coding = json_first(json_get(json_get(chosen, "language"), "coding"));
    return json_get_text(coding, "code");
}

/* ---- which visit ---- */

static struct slice day_of(struct slice text)
{
    return slice_part(text, 0, 10);
}

static struct slice encounter_day(const struct json *encounter)
{
    return day_of(json_get_text(json_get(encounter, "period"), "start"));
}

static const struct json *find_encounter(const struct record *r, struct slice id)
{
    const struct json *latest = NULL;
    for (size_t i = 0; i < r->count; i++) {
        const struct json *it = r->resources[i];
        if (!slice_is(type_of(it), "Encounter") ||
            (id.len != 0 && !slice_equal(json_get_text(it, "id"), id))) {
            continue;
        }
        if (latest == NULL || slice_compare(encounter_day(it), encounter_day(latest)) >= 0) {
            latest = it;
        }
    }
    return latest;
}

static struct slice latest_measurement(const struct record *r)
{
    struct slice day = SLICE_NONE;
    for (size_t i = 0; i < r->count; i++) {
        if (mapping_starts(r->mapping, r->resources[i])) {
            struct slice at = day_of(resource_date(r->resources[i]));
            day = slice_compare(at, day) > 0 ? at : day;
        }
    }
    return day;
}

static bool is_day(struct slice text, struct datetime *date_out)
{
    return datetime_parse(text, FORM_FHIR_DATE, date_out, NULL) == STATUS_OK &&
           date_out->part == PART_DAY;
}

/* The day of an Encounter without a period: that of what was measured at it. */
static struct slice measured_at(const struct record *r, struct slice id)
{
    struct slice reference = arena_printf(r->arena, "Encounter/%.*s", SLICE_ARGS(id));
    for (size_t i = 0; i < r->count; i++) {
        struct slice of = json_get_text(json_get(r->resources[i], "encounter"), "reference");
        if (slice_equal(of, reference) && resource_date(r->resources[i]).len != 0) {
            return day_of(resource_date(r->resources[i]));
        }
    }
    return SLICE_NONE;
}

static bool find_visit(struct record *r, struct slice wanted, struct visit *visit_out)
{
    struct visit visit = {.key = wanted};
    if (wanted.len != 0 && is_day(wanted, &visit.date)) {
        *visit_out = visit;
        return true;
    }
    if (slice_starts_with(wanted, SLICE("Encounter/"))) {
        wanted = slice_part(wanted, sizeof "Encounter/" - 1, SIZE_MAX);
    }
    const struct json *encounter = find_encounter(r, wanted);
    struct slice day = encounter != NULL ? encounter_day(encounter) : latest_measurement(r);
    if (encounter != NULL) {
        visit.encounter = json_get_text(encounter, "id");
        visit.key = arena_printf(r->arena, "Encounter/%.*s", SLICE_ARGS(visit.encounter));
        day = day.len != 0 ? day : measured_at(r, visit.encounter);
    } else {
        visit.key = day;
    }
    if ((wanted.len != 0 && encounter == NULL) || !is_day(day, &visit.date)) {
        struct diag *diag =
            diag_add(r->diags, DIAG_MAPPING_RECORD, SPAN_NONE, "the record has no visit%s%.*s",
                     wanted.len != 0 ? " " : "", SLICE_ARGS(wanted));
        diag_hint(r->diags, diag,
                  "name one with --visit: the id of an Encounter, or a date such as 2024-05-14");
        return false;
    }
    *visit_out = visit;
    return true;
}

enum status record_visit(const struct mapping *mapping, struct arena *arena,
                         const struct json *resources, struct slice wanted, struct diag_list *diags,
                         struct visit *visit_out)
{
    struct record *r = ARENA_NEW(arena, struct record);
    *r = (struct record){.mapping = mapping, .arena = arena, .diags = diags};
    for (const struct json *it = json_first(resources); it != NULL; it = json_next(it)) {
        if (!keep(r, it)) {
            return STATUS_INVALID;
        }
    }
    return find_visit(r, wanted, visit_out) ? STATUS_OK : STATUS_INVALID;
}

/* ---- answering a search ---- */

/* %XX undone. */
static struct slice decoded(struct record *r, struct slice text)
{
    struct buf out;
    buf_init(&out, r->arena, PARAMETER_MOST);
    for (size_t i = 0; i < text.len; i++) {
        static const char digits[] = "0123456789ABCDEF";
        const char *high =
            text.at[i] == '%' && i + 2 < text.len ? strchr(digits, text.at[i + 1]) : NULL;
        const char *low = high != NULL ? strchr(digits, text.at[i + 2]) : NULL;
        if (low != NULL) {
            buf_add_char(&out, (char)((high - digits) * 16 + (low - digits)));
            i += 2;
        } else {
            buf_add_char(&out, text.at[i]);
        }
    }
    return buf_view(&out);
}

/* system|code, or code alone, among the codings of a value: a code, Coding, CodeableConcept or a
 * list of them. */
static bool has_token(const struct json *value, struct slice system, struct slice code,
                      unsigned depth)
{
    if (value == NULL || depth == 4) {
        return false;
    }
    if (json_is(value, JSON_STRING)) {
        return slice_equal(json_text(value), code);
    }
    if (json_is(value, JSON_ARRAY)) {
        for (const struct json *it = json_first(value); it != NULL; it = json_next(it)) {
            if (has_token(it, system, code, depth + 1)) {
                return true;
            }
        }
        return false;
    }
    if (json_get(value, "coding") != NULL) {
        return has_token(json_get(value, "coding"), system, code, depth + 1);
    }
    return slice_equal(json_get_text(value, "code"), code) &&
           (system.len == 0 || slice_equal(json_get_text(value, "system"), system));
}

static bool meets_tokens(const struct json *value, struct slice tokens)
{
    struct slice token;
    while (slice_cut(&tokens, ',', &token)) {
        struct slice rest = token;
        struct slice system = SLICE_NONE;
        slice_cut(&rest, '|', &system);
        bool has_system = rest.at != NULL;
        if (has_token(value, has_system ? system : SLICE_NONE, has_system ? rest : token, 0)) {
            return true;
        }
    }
    return false;
}

static const struct {
    const char *parameter;
    const char *elements[2];
} tokens[] = {
    {"code", {"code", "medicationCodeableConcept"}},
    {"category", {"category", NULL}},
    {"status", {"status", NULL}},
    {"type", {"type", NULL}},
    {"clinical-status", {"clinicalStatus", NULL}},
};

/* "ge2023-05-14": FHIR prefixes, on calendar days. */
static bool meets_date(const struct json *resource, struct slice criterion)
{
    static const struct {
        const char *prefix;
        bool less;
        bool equal;
        bool greater;
    } prefixes[] = {{"ge", false, true, true},
                    {"gt", false, false, true},
                    {"le", true, true, false},
                    {"lt", true, false, false},
                    {"eq", false, true, false}};
    struct slice day = day_of(resource_date(resource));
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        if (slice_starts_with(criterion, slice_of(prefixes[i].prefix))) {
            int order = slice_compare(day, day_of(slice_part(criterion, 2, SIZE_MAX)));
            return day.len != 0 && (order < 0    ? prefixes[i].less
                                    : order == 0 ? prefixes[i].equal
                                                 : prefixes[i].greater);
        }
    }
    return slice_equal(day, day_of(criterion));
}

enum meeting { MEETS, MEETS_NOT, NOT_ANSWERED };

static enum meeting meets(const struct json *resource, struct slice name, struct slice value)
{
    if (slice_is(name, "patient") || slice_is(name, "subject") ||
        slice_starts_with(name, SLICE("_"))) {
        return MEETS; /* the record is one child's; _count and _sort change nothing */
    }
    if (slice_is(name, "date") || slice_is(name, "authoredon") || slice_is(name, "recorded-date")) {
        return meets_date(resource, value) ? MEETS : MEETS_NOT;
    }
    if (slice_is(name, "encounter")) {
        struct slice of = json_get_text(json_get(resource, "encounter"), "reference");
        return slice_equal(of, value) || slice_ends_with(of, value) ? MEETS : MEETS_NOT;
    }
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        if (slice_is(name, tokens[i].parameter)) {
            bool met = meets_tokens(json_get(resource, tokens[i].elements[0]), value) ||
                       (tokens[i].elements[1] != NULL &&
                        meets_tokens(json_get(resource, tokens[i].elements[1]), value));
            return met ? MEETS : MEETS_NOT;
        }
    }
    return NOT_ANSWERED;
}

static bool answer_search(struct record *r, const struct fact_request *request, struct json *found)
{
    struct slice rest = request->query;
    struct slice type = SLICE_NONE;
    slice_cut(&rest, '?', &type);
    for (size_t i = 0; i < r->count; i++) {
        struct slice criteria = rest;
        struct slice criterion;
        bool all = slice_equal(type_of(r->resources[i]), type);
        while (all && slice_cut(&criteria, '&', &criterion)) {
            struct slice value = criterion;
            struct slice name = SLICE_NONE;
            slice_cut(&value, '=', &name);
            enum meeting meeting = meets(r->resources[i], name, decoded(r, value));
            if (meeting == NOT_ANSWERED) {
                diag_add(
                    r->diags, DIAG_MAPPING_RECORD, SPAN_NONE,
                    "a record cannot answer the search parameter \"%.*s\" of the fact \"%.*s\"",
                    SLICE_ARGS(name), SLICE_ARGS(request->name));
                return false;
            }
            all = meeting == MEETS;
        }
        if (all) {
            json_append(found, json_copy(r->arena, r->resources[i]));
        }
    }
    return true;
}

static void answer_read(struct record *r, const struct fact_request *request, struct json *found)
{
    struct slice id = request->query;
    struct slice type = SLICE_NONE;
    slice_cut(&id, '/', &type);
    for (size_t i = 0; i < r->count && id.len != 0; i++) {
        if (slice_equal(type_of(r->resources[i]), type) &&
            slice_equal(json_get_text(r->resources[i], "id"), id)) {
            json_append(found, json_copy(r->arena, r->resources[i]));
        }
    }
}

/* ---- the whole ---- */

enum status record_child(const struct mapping *mapping, struct arena *arena,
                         const struct json *bundle, const struct source *source,
                         struct slice wanted, struct diag_list *diags, struct child *child_out)
{
    struct record *r = ARENA_NEW(arena, struct record);
    struct child child = {.name = SLICE("record")};
    struct fact_request *requests = NULL;
    size_t count = 0;
    *r = (struct record){.mapping = mapping, .arena = arena, .source = source, .diags = diags};
    if (!read_record(r, bundle) || !find_visit(r, wanted, &child.input.visit)) {
        return STATUS_INVALID;
    }
    enum status status = mapping_requests(mapping, arena, r->patient, &child.input.visit,
                                          &LIMITS_DEFAULT, diags, &requests, &count);
    struct fact *facts = ARENA_ARRAY(arena, count + 1, struct fact);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct json *found = json_new_array(arena);
        if (requests[i].read) {
            answer_read(r, &requests[i], found);
        } else if (!answer_search(r, &requests[i], found)) {
            return STATUS_INVALID;
        }
        facts[i] = (struct fact){requests[i].name, FACT_FETCHED, found};
    }
    if (status == STATUS_OK) {
        child.input.patient = r->patient;
        child.input.facts = facts;
        child.input.fact_count = count;
        child.language = record_language(r->patient);
        *child_out = child;
    }
    return status;
}
