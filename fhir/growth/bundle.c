#include "fhir/growth/bundle.h"

#include <math.h>
#include <stdlib.h>

#include "fhir/types/decimal.h"
#include "fhir/types/measure.h"

struct reader {
    struct arena *arena;
    const struct source *source;
    struct diag_list *diags;
    const struct json *patient;
    struct slice patient_url; /* the entry's fullUrl */
    struct growth_bundle *result;
};

static struct span span_of(const struct reader *reader, const struct json *json)
{
    uint32_t at = json_offset(json);
    return at == JSON_NO_OFFSET ? SPAN_NONE : (struct span){reader->source, at, at + 1};
}

/* system "": any. */
static bool has_system(const struct json *coding, const char *system)
{
    struct slice text = json_get_text(coding, "system");
    return system[0] == '\0' || slice_is(text, system);
}

/* ---- the child ---- */

static const struct json *extension(const struct json *of, const char *url)
{
    const struct json *list = json_get(of, "extension");
    for (const struct json *e = json_first(list); e != NULL; e = json_next(e)) {
        if (slice_is(json_get_text(e, "url"), url)) {
            return e;
        }
    }
    return NULL;
}

enum growth_sex growth_sex_of_patient(const struct json *patient, bool *is_birth_sex_out)
{
    static const char birth_sex_url[] =
        "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex";
    struct slice gender = json_get_text(patient, "gender");
    struct slice birth = json_get_text(extension(patient, birth_sex_url), "valueCode");
    enum growth_sex by_gender = slice_is(gender, "male")     ? GROWTH_MALE
                                : slice_is(gender, "female") ? GROWTH_FEMALE
                                                             : GROWTH_SEX_UNKNOWN;
    enum growth_sex by_birth = slice_is(birth, "M")   ? GROWTH_MALE
                               : slice_is(birth, "F") ? GROWTH_FEMALE
                                                      : GROWTH_SEX_UNKNOWN;
    *is_birth_sex_out = by_birth != GROWTH_SEX_UNKNOWN && by_birth != by_gender;
    return by_birth != GROWTH_SEX_UNKNOWN ? by_birth : by_gender;
}

static void read_patient(struct reader *reader)
{
    struct growth_child *child = &reader->result->child;
    child->sex = growth_sex_of_patient(reader->patient, &child->sex_is_birth_sex);
    child->birth_fault =
        growth_date_read(json_get_text(reader->patient, "birthDate"), &child->birth);
    child->gestational_weeks = NAN;
}

/* A reference to the child: by relative or absolute URL, or by the entry's fullUrl. Contained and
 * missing subjects are the child's too: a Bundle of one child need not repeat whose it is. */
static bool is_of_child(const struct reader *reader, const struct json *resource)
{
    struct slice reference = json_get_text(json_get(resource, "subject"), "reference");
    if (reference.len == 0 || reference.at[0] == '#' ||
        slice_equal(reference, reader->patient_url)) {
        return true;
    }
    struct slice id = json_get_text(reader->patient, "id");
    size_t cut = slice_find(reference, SLICE("/_history/"), 0);
    reference = slice_part(reference, 0, cut);
    if (!slice_ends_with(reference, id) || id.len == 0) {
        return false;
    }
    struct slice before = slice_part(reference, 0, reference.len - id.len);
    return slice_ends_with(before, SLICE("Patient/")) || slice_is(before, "urn:uuid:");
}

/* ---- observations ---- */

struct measured_row {
    const char *code;
    enum growth_kind kind;
    enum growth_position position;
};

static const struct measured_row measured_rows[] = {
#define MEASURED(code, kind, position) {code, GROWTH_##kind, GROWTH_##position},
#include "fhir/growth/measured.def"
#undef MEASURED
};

static bool has_code(const struct json *concept, const char *system, const char *code)
{
    const struct json *list = json_get(concept, "coding");
    for (const struct json *c = json_first(list); c != NULL; c = json_next(c)) {
        if (has_system(c, system) && slice_is(json_get_text(c, "code"), code)) {
            return true;
        }
    }
    return false;
}

static const char loinc[] = "http://loinc.org";

static const struct measured_row *measured_row(const struct json *observation)
{
    const struct json *code = json_get(observation, "code");
    for (size_t i = 0; i < sizeof measured_rows / sizeof *measured_rows; i++) {
        if (has_code(code, loinc, measured_rows[i].code)) {
            return &measured_rows[i];
        }
    }
    return NULL;
}

static bool is_valid_status(const struct json *observation)
{
    static const char *const valid[] = {"final", "amended", "corrected", "preliminary"};
    struct slice status = json_get_text(observation, "status");
    for (size_t i = 0; i < sizeof valid / sizeof *valid; i++) {
        if (slice_is(status, valid[i])) {
            return true;
        }
    }
    return status.len == 0;
}

/* Time of day as it is written: enough to order what was recorded on one day. */
static int64_t order_of(struct slice time)
{
    int64_t order = 0;
    for (size_t i = 11; i < time.len && i < 23; i++) {
        if (time.at[i] >= '0' && time.at[i] <= '9') {
            order = order * 10 + (time.at[i] - '0');
        } else if (time.at[i] != ':' && time.at[i] != '.') {
            break;
        }
    }
    return order;
}

static struct slice effective_text(const struct json *observation)
{
    struct slice text = json_get_text(observation, "effectiveDateTime");
    if (text.len == 0) {
        text = json_get_text(observation, "effectiveInstant");
    }
    if (text.len == 0) {
        text = json_get_text(json_get(observation, "effectivePeriod"), "start");
    }
    return text;
}

/* The value in the unit of its kind. False: there is none, and a warning says so. A unit of another
 * kind is kept as that, so that the visit can say it. */
static bool read_value(const struct reader *reader, const struct json *observation,
                       struct growth_measurement *m)
{
    const struct json *quantity = json_get(observation, "valueQuantity");
    struct decimal value;
    struct span span = span_of(reader, quantity != NULL ? quantity : observation);
    if (json_get(quantity, "comparator") != NULL) { /* "< 30 kg" is no weight */
        diag_add(reader->diags, DIAG_GROWTH_MEASUREMENT, span,
                 "a measurement that is only a bound (comparator) was left out");
        return false;
    }
    if (decimal_parse(json_text(json_get(quantity, "value")), &value) != STATUS_OK) {
        diag_add(reader->diags, DIAG_GROWTH_MEASUREMENT, span,
                 "a measurement without a value that can be read was left out");
        return false;
    }
    struct slice unit = json_get_text(quantity, "code");
    if (unit.len == 0) {
        unit = json_get_text(quantity, "unit");
    }
    enum status status = STATUS_OK;
    if (m->kind == GROWTH_WEIGHT) {
        status = measure_weight_kg(value, unit, NULL, span, &value);
    } else if (m->kind == GROWTH_HEIGHT || m->kind == GROWTH_HEAD) {
        status = measure_height_cm(value, unit, NULL, span, &value);
    }
    m->unit_unknown = status != STATUS_OK;
    m->value = decimal_to_double(value);
    if (m->unit_unknown) {
        struct diag *diag =
            diag_add(reader->diags, DIAG_GROWTH_MEASUREMENT, span,
                     "\"%.*s\" is no unit of a %s: the measurement was left out", SLICE_ARGS(unit),
                     m->kind == GROWTH_WEIGHT ? "weight" : "height");
        diag_hint(reader->diags, diag, "kg, g, [lb_av] and [oz_av]; cm, m, [in_i] and [ft_i] are");
    }
    return m->value >= 0;
}

static enum status add_measurement(struct reader *reader, const struct json *observation,
                                   const struct measured_row *row)
{
    struct growth_measurement m = {.kind = row->kind, .position = row->position};
    struct slice time = effective_text(observation);
    if (growth_date_read(time, &m.date) != GROWTH_DATE_OK) {
        diag_add(reader->diags, DIAG_GROWTH_MEASUREMENT, span_of(reader, observation),
                 "a measurement was left out: its date \"%.*s\" names no day", SLICE_ARGS(time));
        return STATUS_OK;
    }
    if (!read_value(reader, observation, &m)) {
        return STATUS_OK;
    }
    m.order = order_of(time);
    m.encounter = json_get_text(json_get(observation, "encounter"), "reference");
    if (reader->result->count == GROWTH_MEASUREMENTS_MAX) {
        diag_add(reader->diags, DIAG_GROWTH_BUNDLE, span_of(reader, observation),
                 "one child with more than %d measurements", GROWTH_MEASUREMENTS_MAX);
        return STATUS_LIMIT;
    }
    reader->result->measurements[reader->result->count++] = m;
    return STATUS_OK;
}

/* Gestational age at birth, as weeks or days. */
static void read_gestation(struct reader *reader, const struct json *observation)
{
    static const char *const codes[] = {"76516-4", "11884-4", "49051-6"};
    const struct json *code = json_get(observation, "code");
    bool found = false;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        found |= has_code(code, loinc, codes[i]);
    }
    const struct json *quantity = json_get(observation, "valueQuantity");
    struct decimal value;
    if (!found || decimal_parse(json_text(json_get(quantity, "value")), &value) != STATUS_OK) {
        return;
    }
    struct slice unit = json_get_text(quantity, "code");
    double days = slice_is(unit, "d") ? 1 : slice_is(unit, "wk") ? 7 : NAN;
    reader->result->child.gestational_weeks = decimal_to_double(value) * days / 7;
}

static enum status read_observation(struct reader *reader, const struct json *observation)
{
    if (!is_valid_status(observation)) {
        return STATUS_OK;
    }
    const struct measured_row *row = measured_row(observation);
    if (row == NULL) {
        read_gestation(reader, observation);
        return STATUS_OK;
    }
    return add_measurement(reader, observation, row);
}

/* ---- conditions and plans ---- */

static void read_condition(struct reader *reader, const struct json *condition)
{
    static const struct {
        const char *system;
        const char *code;
    } edema[] = {{"http://snomed.info/sct", "79654002"},
                 {"http://snomed.info/sct", "267038008"},
                 {"http://hl7.org/fhir/sid/icd-10-cm", "R60.0"},
                 {"http://hl7.org/fhir/sid/icd-10-cm", "R60.1"},
                 {"http://hl7.org/fhir/sid/icd-10-cm", "R60.9"}};
    const struct json *status = json_get(condition, "clinicalStatus");
    const struct json *verified = json_get(condition, "verificationStatus");
    bool over = has_code(status, "", "resolved") || has_code(status, "", "inactive") ||
                has_code(verified, "", "refuted") || has_code(verified, "", "entered-in-error");
    for (size_t i = 0; i < sizeof edema / sizeof *edema; i++) {
        if (has_code(json_get(condition, "code"), edema[i].system, edema[i].code) && !over) {
            reader->result->child.edema = true;
        }
    }
}

static void read_plan(struct reader *reader, const struct json *plan)
{
    struct slice status = json_get_text(plan, "status");
    struct growth_date date;
    if (slice_is(status, "entered-in-error") || slice_is(status, "revoked") ||
        growth_date_read(json_get_text(json_get(plan, "period"), "start"), &date) !=
            GROWTH_DATE_OK ||
        reader->result->plan_count == GROWTH_MEASUREMENTS_MAX) {
        return;
    }
    reader->result->plans[reader->result->plan_count++] = date;
}

static int by_date(const void *a, const void *b)
{
    int64_t x = growth_date_days(*(const struct growth_date *)a);
    int64_t y = growth_date_days(*(const struct growth_date *)b);
    return (x > y) - (x < y);
}

/* ---- the Bundle ---- */

static enum status find_patient(struct reader *reader, const struct json *bundle, size_t *count_out)
{
    size_t count = 0;
    const struct json *entries = json_get(bundle, "entry");
    for (const struct json *e = json_first(entries); e != NULL; e = json_next(e), count++) {
        const struct json *resource = json_get(e, "resource");
        if (!slice_is(json_get_text(resource, "resourceType"), "Patient")) {
            continue;
        }
        if (reader->patient != NULL) {
            struct diag *diag = diag_add(reader->diags, DIAG_GROWTH_BUNDLE,
                                         span_of(reader, resource), "the Bundle has two patients");
            diag_hint(reader->diags, diag,
                      "growth is drawn for one child: give its resources only");
            return STATUS_INVALID;
        }
        reader->patient = resource;
        reader->patient_url = json_get_text(e, "fullUrl");
    }
    if (reader->patient == NULL) {
        diag_add(reader->diags, DIAG_GROWTH_BUNDLE, span_of(reader, bundle),
                 "the Bundle has no Patient: birth date and sex are not known");
        return STATUS_INVALID;
    }
    *count_out = count;
    return STATUS_OK;
}

static enum status read_entry(struct reader *reader, const struct json *resource)
{
    struct slice type = json_get_text(resource, "resourceType");
    bool observation = slice_is(type, "Observation");
    if (!observation && !slice_is(type, "Condition") && !slice_is(type, "CarePlan")) {
        return STATUS_OK;
    }
    if (!is_of_child(reader, resource)) {
        diag_add(reader->diags, DIAG_GROWTH_MEASUREMENT, span_of(reader, resource),
                 "the %.*s of another patient was left out", SLICE_ARGS(type));
        return STATUS_OK;
    }
    if (observation) {
        return read_observation(reader, resource);
    }
    if (slice_is(type, "Condition")) {
        read_condition(reader, resource);
    } else {
        read_plan(reader, resource);
    }
    return STATUS_OK;
}

static void begin(struct reader *reader, size_t count)
{
    size_t room = count < GROWTH_MEASUREMENTS_MAX ? count : GROWTH_MEASUREMENTS_MAX;
    reader->result->measurements = ARENA_ARRAY(reader->arena, room, struct growth_measurement);
    reader->result->plans = ARENA_ARRAY(reader->arena, room, struct growth_date);
    read_patient(reader);
}

static void end(struct reader *reader)
{
    struct growth_bundle *result = reader->result;
    if (result->plan_count > 0) {
        qsort(result->plans, result->plan_count, sizeof *result->plans, by_date);
    }
}

enum status growth_bundle_read(struct arena *arena, const struct json *bundle,
                               const struct source *source, struct diag_list *diags,
                               struct growth_bundle *bundle_out)
{
    struct growth_bundle result = {.count = 0};
    struct reader reader = {.arena = arena, .source = source, .diags = diags, .result = &result};
    if (!slice_is(json_get_text(bundle, "resourceType"), "Bundle")) {
        diag_add(diags, DIAG_GROWTH_BUNDLE, span_of(&reader, bundle),
                 "this is no Bundle, which growth is read from");
        return STATUS_INVALID;
    }
    size_t count = 0;
    enum status status = find_patient(&reader, bundle, &count);
    if (status != STATUS_OK) {
        return status;
    }
    begin(&reader, count);
    const struct json *entries = json_get(bundle, "entry");
    for (const struct json *e = json_first(entries); e != NULL; e = json_next(e)) {
        status = read_entry(&reader, json_get(e, "resource"));
        if (status != STATUS_OK) {
            return status;
        }
    }
    end(&reader);
    *bundle_out = result;
    return STATUS_OK;
}

/* ---- resources without a Bundle ---- */

static int by_type_and_id(const void *a, const void *b)
{
    const struct json *x = *(const struct json *const *)a;
    const struct json *y = *(const struct json *const *)b;
    int order = slice_compare(json_get_text(x, "resourceType"), json_get_text(y, "resourceType"));
    return order != 0 ? order : slice_compare(json_get_text(x, "id"), json_get_text(y, "id"));
}

static bool is_same_resource(const struct json *a, const struct json *b)
{
    return a == b || (by_type_and_id(&a, &b) == 0 && json_get_text(a, "id").len != 0);
}

enum status growth_resources_read(struct arena *arena, const struct json *patient,
                                  const struct json *const *resources, size_t count,
                                  struct diag_list *diags, struct growth_bundle *bundle_out)
{
    struct growth_bundle result = {.count = 0};
    struct reader reader = {.arena = arena, .diags = diags, .patient = patient, .result = &result};
    const struct json **sorted = ARENA_ARRAY(arena, count + 1, const struct json *);
    for (size_t i = 0; i < count; i++) {
        sorted[i] = resources[i];
    }
    qsort(sorted, count, sizeof(const struct json *), by_type_and_id);
    begin(&reader, count);
    for (size_t i = 0; i < count; i++) {
        enum status status = i != 0 && is_same_resource(sorted[i - 1], sorted[i])
                                 ? STATUS_OK
                                 : read_entry(&reader, sorted[i]);
        if (status != STATUS_OK) {
            return status;
        }
    }
    end(&reader);
    *bundle_out = result;
    return STATUS_OK;
}
