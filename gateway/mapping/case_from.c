#include "gateway/mapping/case_from.h"

#include "gateway/mapping/eval.h"

enum { YAML_MOST = 512 * 1024, NUMBER_MOST = 12 };

/* All visits of cases that are made take place on this day. */
static const char made_up_day[] = "2024-05-14";

struct making {
    const struct mapping *mapping;
    struct arena *arena;
    const struct child *child;
    struct datetime day; /* made up */
    struct buf out;
    size_t left_out;
};

/* ---- the allow-lists ---- */

static const char *const sexes[] = {"male", "female", "other", "unknown", NULL};
static const char *const birth_sexes[] = {"M", "F", "UNK", NULL};
static const char *const classes[] = {"AMB",   "EMER",   "FLD",   "HH", "IMP", "ACUTE",
                                      "NONAC", "OBSENC", "PRENC", "SS", "VR",  NULL};
static const char *const observed[] = {"registered", "preliminary",      "final",     "amended",
                                       "corrected",  "entered-in-error", "cancelled", NULL};
static const char *const clinical[] = {"active",    "recurrence", "relapse", "inactive",
                                       "remission", "resolved",   NULL};
static const char *const verified[] = {
    "unconfirmed", "provisional", "differential", "confirmed", "refuted", "entered-in-error", NULL};
static const char *const units[] = {"kg", "g",  "[lb_av]", "lb", "[oz_av]", "cm",
                                    "m",  "mm", "[in_i]",  "in", "%",       NULL};

/* The list's own word, never the record's; NULL: it is not in the list. */
static const char *allowed(struct slice word, const char *const *list)
{
    for (size_t i = 0; list[i] != NULL; i++) {
        if (slice_is(word, list[i])) {
            return list[i];
        }
    }
    return NULL;
}

static const struct concept *find_concept(const struct concept *concepts, size_t count,
                                          const struct json *coding)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(concepts[i].code, json_get_text(coding, "code")) &&
            slice_equal(concepts[i].system, json_get_text(coding, "system"))) {
            return &concepts[i];
        }
    }
    return NULL;
}

/* What the mapping calls one of the codings: a name of `codes`, else SYSTEM|CODE as its own sets
 * have it; empty: it knows none. */
static struct slice known_code(const struct making *m, const struct json *concept)
{
    const struct json *coding = json_first(json_get(concept, "coding"));
    for (; coding != NULL; coding = json_next(coding)) {
        const struct concept *found =
            find_concept(m->mapping->codes, m->mapping->code_count, coding);
        if (found != NULL) {
            return found->name;
        }
        for (size_t i = 0; i < m->mapping->set_count && found == NULL; i++) {
            found = find_concept(m->mapping->sets[i].concepts, m->mapping->sets[i].count, coding);
        }
        if (found != NULL) {
            return arena_printf(m->arena, "\"%.*s|%.*s\"", SLICE_ARGS(found->system),
                                SLICE_ARGS(found->code));
        }
    }
    return SLICE_NONE;
}

/* Digits, a point and a sign, and not many of them. */
static bool is_number(struct slice text)
{
    struct decimal value;
    bool plain = text.len != 0 && text.len <= NUMBER_MOST;
    for (size_t i = 0; i < text.len; i++) {
        plain = plain && ((text.at[i] >= '0' && text.at[i] <= '9') || text.at[i] == '.' ||
                          text.at[i] == '-');
    }
    return plain && decimal_parse(text, &value) == STATUS_OK;
}

/* "28.5 kg"; empty: no such quantity. */
static struct slice quantity_text(const struct making *m, const struct json *quantity)
{
    struct slice number = json_text(json_get(quantity, "value"));
    const char *unit = allowed(json_get_text(quantity, "code"), units);
    unit = unit != NULL ? unit : allowed(json_get_text(quantity, "unit"), units);
    return unit != NULL && is_number(number)
               ? arena_printf(m->arena, "\"%.*s %s\"", SLICE_ARGS(number), unit)
               : SLICE_NONE;
}

/* The day of a date, as far from the made-up visit as it was from the real one; empty: none. */
static struct slice shifted(const struct making *m, struct slice text)
{
    const struct datetime *visit = &m->child->input.visit.date;
    struct datetime day;
    char out[DATETIME_TEXT];
    if (datetime_parse(slice_part(text, 0, 10), FORM_FHIR_DATE, &day, NULL) != STATUS_OK ||
        day.part != PART_DAY) {
        return SLICE_NONE;
    }
    int64_t apart = datetime_day_number(day.year, day.month, day.day) -
                    datetime_day_number(visit->year, visit->month, visit->day);
    if (datetime_add(&m->day, apart, CALENDAR_DAY, &day) != STATUS_OK) {
        return SLICE_NONE;
    }
    return arena_copy(m->arena, slice_from(out, datetime_print(&day, out)));
}

/* ---- the child ---- */

static bool is_after(const struct datetime *a, const struct datetime *b)
{
    return datetime_compare(a, b) == ORDER_GREATER;
}

/* Years, months and days, taken off the visit in this order, as a case takes them. */
static bool age_text(const struct making *m, struct slice birth_text, struct slice *text_out,
                     int *years_out)
{
    const struct datetime *visit = &m->child->input.visit.date;
    struct datetime birth;
    struct datetime at = *visit;
    struct datetime next;
    int parts[3] = {0, 0, 0};
    static const enum calendar_unit steps[] = {CALENDAR_YEAR, CALENDAR_MONTH, CALENDAR_DAY};
    if (datetime_parse(birth_text, FORM_FHIR_DATE, &birth, NULL) != STATUS_OK ||
        birth.part != PART_DAY || is_after(&birth, visit)) {
        return false;
    }
    for (int i = 0; i < 3; i++) {
        struct datetime from = at;
        while (parts[i] < 150 &&
               datetime_add(&from, -(int64_t)(parts[i] + 1), steps[i], &next) == STATUS_OK &&
               !is_after(&birth, &next)) {
            parts[i]++;
            at = next;
        }
    }
    *text_out = arena_printf(m->arena, "%d y %d mo %d d", parts[0], parts[1], parts[2]);
    *years_out = parts[0];
    return true;
}

static const char *birth_sex(const struct json *patient)
{
    static const char url[] = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex";
    const struct json *it = json_first(json_get(patient, "extension"));
    for (; it != NULL; it = json_next(it)) {
        if (slice_is(json_get_text(it, "url"), url)) {
            return allowed(json_get_text(it, "valueCode"), birth_sexes);
        }
    }
    return NULL;
}

static void write_child(struct making *m, struct slice age)
{
    const struct json *patient = m->child->input.patient;
    const char *sex = allowed(json_get_text(patient, "gender"), sexes);
    const struct json *deceased = json_get(patient, "deceasedBoolean");
    bool died = json_is(deceased, JSON_TRUE) || json_get(patient, "deceasedDateTime") != NULL;
    buf_printf(&m->out, "  child: { sex: %s, age: %.*s", sex != NULL ? sex : "unknown",
               SLICE_ARGS(age));
    if (birth_sex(patient) != NULL) {
        buf_printf(&m->out, ", birth-sex: %s", birth_sex(patient));
    }
    if (died) {
        buf_add_cstr(&m->out, ", deceased: true");
    }
    if (json_is(json_get(patient, "active"), JSON_FALSE)) {
        buf_add_cstr(&m->out, ", active: false");
    }
    for (size_t i = 0; i < m->mapping->family_language_count; i++) {
        if (slice_equal(m->mapping->family_languages[i], m->child->language)) {
            buf_printf(&m->out, ", language: %.*s", SLICE_ARGS(m->mapping->family_languages[i]));
        }
    }
    buf_add_cstr(&m->out, " }\n");
}

/* ---- facts ---- */

static const struct json *resources_of(const struct making *m, const struct fact_rule *rule)
{
    for (size_t i = 0; rule != NULL && i < m->child->input.fact_count; i++) {
        if (slice_equal(m->child->input.facts[i].name, rule->name)) {
            return m->child->input.facts[i].resources;
        }
    }
    return NULL;
}

static bool is_of_visit(const struct making *m, const struct json *resource)
{
    struct slice encounter = m->child->input.visit.encounter;
    struct slice of = json_get_text(json_get(resource, "encounter"), "reference");
    return encounter.len != 0 && of.len != 0
               ? slice_equal(of, arena_printf(m->arena, "Encounter/%.*s", SLICE_ARGS(encounter)))
               : slice_is(shifted(m, resource_date(resource)), made_up_day);
}

static bool is_good(const struct json *resource)
{
    struct slice status = json_get_text(resource, "status");
    return slice_is(status, "final") || slice_is(status, "amended") ||
           slice_is(status, "corrected");
}

/* The last final one of the visit stands in `visit`; all the others in `measurements`. */
static const struct json *visit_measurement(const struct making *m, const struct fact_rule *rule)
{
    const struct json *found = NULL;
    const struct json *it = json_first(resources_of(m, rule));
    for (; it != NULL; it = json_next(it)) {
        if (is_of_visit(m, it) && is_good(it) &&
            quantity_text(m, json_get(it, "valueQuantity")).len != 0) {
            found = it;
        }
    }
    return found;
}

static const struct json *encounter_of(const struct making *m)
{
    for (size_t i = 0; i < m->child->input.fact_count; i++) {
        const struct json *it = json_first(m->child->input.facts[i].resources);
        if (slice_is(json_get_text(it, "resourceType"), "Encounter")) {
            return it;
        }
    }
    return NULL;
}

static void write_visit(struct making *m, const struct json *weight, const struct json *height)
{
    const struct json *encounter = encounter_of(m);
    const char *class = allowed(json_get_text(json_get(encounter, "class"), "code"), classes);
    struct slice type = SLICE_NONE;
    const struct json *it = json_first(json_get(encounter, "type"));
    for (; it != NULL && type.len == 0; it = json_next(it)) {
        type = known_code(m, it);
    }
    buf_printf(&m->out, "  visit: { date: %s, class: %s", made_up_day,
               class != NULL ? class : "unknown");
    if (type.len != 0) {
        buf_printf(&m->out, ", type: %.*s", SLICE_ARGS(type));
    }
    if (weight != NULL) {
        buf_printf(&m->out, ", weight: %.*s",
                   SLICE_ARGS(quantity_text(m, json_get(weight, "valueQuantity"))));
    }
    if (height != NULL) {
        buf_printf(&m->out, ", height: %.*s",
                   SLICE_ARGS(quantity_text(m, json_get(height, "valueQuantity"))));
    }
    struct slice measured = weight != NULL ? shifted(m, resource_date(weight)) : SLICE_NONE;
    if (measured.len != 0 && !slice_is(measured, made_up_day)) {
        buf_printf(&m->out, ", measured: %.*s", SLICE_ARGS(measured));
    }
    buf_add_cstr(&m->out, " }\n");
}

/* Opens the key before its first entry. */
static void begin_entry(struct making *m, const char *key, bool *open)
{
    if (!*open) {
        buf_printf(&m->out, "  %s:\n", key);
        *open = true;
    }
}

static void write_measurement(struct making *m, const struct json *it, const char *kind, bool *open)
{
    struct slice quantity = quantity_text(m, json_get(it, "valueQuantity"));
    struct slice at = shifted(m, resource_date(it));
    const char *status = allowed(json_get_text(it, "status"), observed);
    if (quantity.len == 0 || at.len == 0 || status == NULL) {
        m->left_out++;
        return;
    }
    begin_entry(m, "measurements", open);
    buf_printf(&m->out, "    - { %s: %.*s, status: %s, at: %.*s }\n", kind, SLICE_ARGS(quantity),
               status, SLICE_ARGS(at));
}

static void write_measurements(struct making *m, const struct json *weight,
                               const struct json *height)
{
    static const char *const kinds[] = {"weight", "height"};
    const struct fact_rule *const rules[] = {m->mapping->weight, m->mapping->height};
    bool open = false;
    for (size_t k = 0; k < 2; k++) {
        const struct json *it = json_first(resources_of(m, rules[k]));
        for (; it != NULL; it = json_next(it)) {
            if (it != weight && it != height) {
                write_measurement(m, it, kinds[k], &open);
            }
        }
    }
}

static void write_condition(struct making *m, const struct json *it, bool *open)
{
    struct slice code = known_code(m, json_get(it, "code"));
    const struct json *status = json_first(json_get(json_get(it, "clinicalStatus"), "coding"));
    const struct json *ver = json_first(json_get(json_get(it, "verificationStatus"), "coding"));
    const char *status_word = allowed(json_get_text(status, "code"), clinical);
    const char *verified_word = allowed(json_get_text(ver, "code"), verified);
    if (code.len == 0) {
        m->left_out++;
        return;
    }
    begin_entry(m, "conditions", open);
    buf_printf(&m->out, "    - { code: %.*s", SLICE_ARGS(code));
    if (status_word != NULL) {
        buf_printf(&m->out, ", status: %s", status_word);
    }
    if (verified_word != NULL) {
        buf_printf(&m->out, ", verification: %s", verified_word);
    }
    buf_add_cstr(&m->out, " }\n");
}

static void write_medication(struct making *m, const struct json *it, bool *open)
{
    struct slice code = known_code(m, json_get(it, "medicationCodeableConcept"));
    bool referred = json_get(it, "medicationReference") != NULL;
    if (code.len == 0 && !referred) {
        m->left_out++;
        return;
    }
    begin_entry(m, "medications", open);
    if (referred) {
        buf_add_cstr(&m->out, "    - { reference: Medication/1 }\n");
    } else {
        buf_printf(&m->out, "    - %.*s\n", SLICE_ARGS(code));
    }
}

static void write_procedure(struct making *m, const struct json *it, bool *open)
{
    struct slice code = known_code(m, json_get(it, "code"));
    if (code.len == 0) {
        m->left_out++;
        return;
    }
    begin_entry(m, "procedures", open);
    buf_printf(&m->out, "    - %.*s\n", SLICE_ARGS(code));
}

static void write_answer(struct making *m, const struct json *it, bool *open)
{
    struct slice code = known_code(m, json_get(it, "code"));
    struct slice answer = known_code(m, json_get(it, "valueCodeableConcept"));
    if (code.len == 0 || answer.len == 0) {
        m->left_out++;
        return;
    }
    begin_entry(m, "observations", open);
    buf_printf(&m->out, "    %.*s: %.*s\n", SLICE_ARGS(code), SLICE_ARGS(answer));
}

/* A resource that several facts have is told once. */
static bool was_told(const struct making *m, size_t fact, const struct json *resource)
{
    struct slice id = json_get_text(resource, "id");
    for (size_t i = 0; i < fact && id.len != 0; i++) {
        const struct json *it = json_first(m->child->input.facts[i].resources);
        for (; it != NULL; it = json_next(it)) {
            if (slice_equal(json_get_text(it, "id"), id) &&
                slice_equal(json_get_text(it, "resourceType"),
                            json_get_text(resource, "resourceType"))) {
                return true;
            }
        }
    }
    return false;
}

static bool is_of(const struct fact *fact, const struct fact_rule *rule)
{
    return rule != NULL && slice_equal(fact->name, rule->name);
}

static void write_kind(struct making *m, const char *type,
                       void (*write)(struct making *m, const struct json *it, bool *open))
{
    bool open = false;
    for (size_t i = 0; i < m->child->input.fact_count; i++) {
        const struct fact *fact = &m->child->input.facts[i];
        bool measured = is_of(fact, m->mapping->weight) || is_of(fact, m->mapping->height);
        const struct json *it = measured ? NULL : json_first(fact->resources);
        for (; it != NULL; it = json_next(it)) {
            if (slice_is(json_get_text(it, "resourceType"), type) && !was_told(m, i, it)) {
                write(m, it, &open);
            }
        }
    }
}

/* ---- what comes out ---- */

static void expect_of(struct making *m, const struct evaluation_result *r)
{
    buf_printf(&m->out, "expect:\n  outcome: %s\n", outcome_name(r->outcome));
    for (size_t i = 0; i < r->cell_count && r->row != SIZE_MAX; i++) {
        struct slice value = r->cells[i];
        struct slice input = SLICE_NONE;
        slice_cut(&value, '=', &input);
        buf_printf(&m->out, "%s%.*s: %.*s%s", i == 0 ? "  row: { " : ", ", SLICE_ARGS(input),
                   SLICE_ARGS(value), i + 1 == r->cell_count ? " }\n" : "");
    }
    if (r->plan.len != 0) {
        buf_printf(&m->out, "  plan: %.*s\n", SLICE_ARGS(r->plan));
    }
    for (size_t i = 0; i < r->hold_count; i++) {
        buf_printf(&m->out, "%s%.*s%s", i == 0 ? "  holds: [" : ", ", SLICE_ARGS(r->holds[i]),
                   i + 1 == r->hold_count ? "]\n" : "");
    }
}

static const char *child_words(const char *sex)
{
    return sex == NULL                  ? "child"
           : strcmp(sex, "female") == 0 ? "girl"
           : strcmp(sex, "male") == 0   ? "boy"
                                        : "child";
}

/* What the draft comes to, evaluated as a case. */
static enum status evaluate_draft(struct making *m, struct slice yaml, struct diag_list *diags,
                                  struct evaluation_result *result_out)
{
    struct mapping_file file = {
        .path = SLICE("cases/made/case.yaml"), .name = SLICE("the case"), .text = yaml};
    struct child child;
    enum status status = case_child(m->mapping, m->arena, &file, 0, diags, &child);
    return status == STATUS_OK ? mapping_evaluate(m->mapping, m->arena, &child.input,
                                                  &LIMITS_DEFAULT, diags, result_out)
                               : status;
}

enum status case_from_child(const struct mapping *mapping, struct arena *arena,
                            const struct child *child, struct diag_list *diags,
                            struct case_draft *draft_out)
{
    struct making m = {.mapping = mapping, .arena = arena, .child = child};
    struct evaluation_result of_record;
    struct evaluation_result of_case;
    struct slice age = SLICE_NONE;
    int years = 0;
    datetime_parse(slice_of(made_up_day), FORM_FHIR_DATE, &m.day, NULL);
    if (!age_text(&m, json_get_text(child->input.patient, "birthDate"), &age, &years)) {
        diag_add(diags, DIAG_MAPPING_RECORD, SPAN_NONE,
                 "the record has no whole date of birth before the visit");
        return STATUS_INVALID;
    }
    enum status status =
        mapping_evaluate(mapping, arena, &child->input, &LIMITS_DEFAULT, diags, &of_record);
    if (status != STATUS_OK) {
        return status;
    }
    const struct json *weight = visit_measurement(&m, mapping->weight);
    const struct json *height = visit_measurement(&m, mapping->height);
    const char *sex = allowed(json_get_text(child->input.patient, "gender"), sexes);
    buf_init(&m.out, arena, YAML_MOST);
    buf_printf(&m.out, "case: %d y %s\nwhy: Made of a record; say here what it shows.\ngiven:\n",
               years, child_words(sex));
    write_child(&m, age);
    write_visit(&m, weight, height);
    write_measurements(&m, weight, height);
    write_kind(&m, "Condition", write_condition);
    write_kind(&m, "MedicationRequest", write_medication);
    write_kind(&m, "Procedure", write_procedure);
    write_kind(&m, "Observation", write_answer);
    struct slice given = arena_copy(arena, buf_view(&m.out));
    struct slice probe = arena_printf(arena, "%.*sexpect: { outcome: hold }\n", SLICE_ARGS(given));
    status = evaluate_draft(&m, probe, diags, &of_case);
    if (status != STATUS_OK) {
        return status;
    }
    expect_of(&m, &of_case);
    *draft_out = (struct case_draft){
        .yaml = buf_view(&m.out),
        .left_out = m.left_out,
        .same_outcome = of_record.outcome == of_case.outcome &&
                        slice_equal(of_record.plan, of_case.plan) && of_record.row == of_case.row &&
                        of_record.hold_count == of_case.hold_count,
        .record_outcome = slice_of(outcome_name(of_record.outcome)),
        .case_outcome = slice_of(outcome_name(of_case.outcome)),
    };
    return STATUS_OK;
}
