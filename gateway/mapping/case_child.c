#include "gateway/mapping/case_run.h"
#include "gateway/mapping/describe.h"

/* ---- making resources ---- */

static void put(struct running *r, struct json *object, const char *name, const char *text)
{
    json_add(r->arena, object, slice_of(name), json_new_string(r->arena, slice_of(text)));
}

static void put_slice(struct running *r, struct json *object, const char *name, struct slice text)
{
    json_add(r->arena, object, slice_of(name), json_new_string(r->arena, text));
}

static struct json *reference_to(struct running *r, const char *reference)
{
    struct json *object = json_new_object(r->arena);
    put(r, object, "reference", reference);
    return object;
}

static struct json *new_resource(struct running *r, const char *type)
{
    struct json *resource = json_new_object(r->arena);
    put(r, resource, "resourceType", type);
    put_slice(r, resource, "id", arena_printf(r->arena, "case-%zu", r->resource_count));
    return resource;
}

/* "of: sibling": the record of another child, which a search should not have answered with. */
static struct json *subject_of(struct running *r, const struct yaml *node)
{
    struct slice of = case_text(yaml_get(node, "of"));
    return reference_to(r, of.len == 0 ? "Patient/child"
                                       : arena_cstr(r->arena, arena_printf(r->arena, "Patient/%.*s",
                                                                           SLICE_ARGS(of))));
}

static void keep(struct running *r, const struct json *resource)
{
    if (r->resource_count == RESOURCES_MOST) {
        arena_fail(r->arena, STATUS_LIMIT);
    }
    r->resources[r->resource_count++] = resource;
}

static struct json *concept_json(struct running *r, struct slice system, struct slice code)
{
    struct json *concept = json_new_object(r->arena);
    struct json *codings = json_new_array(r->arena);
    struct json *coding = json_new_object(r->arena);
    put_slice(r, coding, "system", system);
    put_slice(r, coding, "code", code);
    json_append(codings, coding);
    json_add(r->arena, concept, SLICE("coding"), codings);
    return concept;
}

/* A code of the mapping by its name in concepts/, or any as SYSTEM|CODE. */
static struct json *named_concept(struct running *r, const struct yaml *node, struct slice name)
{
    size_t bar = slice_find(name, SLICE("|"), 0);
    if (bar != SIZE_MAX) {
        return concept_json(r, slice_part(name, 0, bar), slice_part(name, bar + 1, SIZE_MAX));
    }
    const struct concept *concept = mapping_find_code(r->mapping, name);
    if (concept == NULL) {
        struct diag *diag = case_fault(r, node, "this names no code of concepts/");
        struct slice *names = ARENA_ARRAY(r->arena, r->mapping->code_count + 1, struct slice);
        for (size_t i = 0; i < r->mapping->code_count; i++) {
            names[i] = r->mapping->codes[i].name;
        }
        diag_hint_nearest(r->diags, diag, name, names, r->mapping->code_count);
        return json_new_object(r->arena);
    }
    return concept_json(r, concept->system, concept->code);
}

static struct slice date_text(struct running *r, const struct datetime *date)
{
    char text[DATETIME_TEXT];
    return arena_copy(r->arena, slice_from(text, datetime_print(date, text)));
}

/* "7 y 2 mo", "10 y", "5 mo" before the visit. */
static struct slice birth_date(struct running *r, const struct yaml *node)
{
    struct slice rest = case_text(node);
    struct slice part;
    struct datetime birth = r->visit_date;
    uint64_t number = 0;
    bool numeric = false;
    while (slice_cut(&rest, ' ', &part)) {
        if (!numeric) {
            numeric = slice_to_u64(part, &number) && number < 200;
        } else {
            enum calendar_unit unit = slice_is(part, "y")    ? CALENDAR_YEAR
                                      : slice_is(part, "mo") ? CALENDAR_MONTH
                                      : slice_is(part, "d")  ? CALENDAR_DAY
                                                             : CALENDAR_NONE;
            if (unit == CALENDAR_NONE ||
                datetime_add(&birth, -(int64_t)number, unit, &birth) != STATUS_OK) {
                case_fault(r, node, "an age is written as 7 y 2 mo");
            }
            numeric = false;
        }
    }
    return date_text(r, &birth);
}

static struct json *make_patient(struct running *r)
{
    struct json *patient = json_new_object(r->arena);
    put(r, patient, "resourceType", "Patient");
    put(r, patient, "id", "child");
    struct slice sex = case_text(case_given_in(r, "child", "sex"));
    const struct yaml *age = case_given_in(r, "child", "age");
    struct slice deceased = case_text(case_given_in(r, "child", "deceased"));
    struct slice active = case_text(case_given_in(r, "child", "active"));
    struct slice name = case_text(case_given_in(r, "child", "name"));
    if (name.len != 0) {
        struct json *names = json_new_array(r->arena);
        struct json *human = json_new_object(r->arena);
        put_slice(r, human, "text", name);
        json_append(names, human);
        json_add(r->arena, patient, SLICE("name"), names);
    }
    put_slice(r, patient, "gender", sex.len != 0 ? sex : SLICE("unknown"));
    struct slice birth_sex = case_text(case_given_in(r, "child", "birth-sex"));
    if (birth_sex.len != 0) {
        struct json *extensions = json_new_array(r->arena);
        struct json *extension = json_new_object(r->arena);
        put(r, extension, "url",
            "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex");
        put_slice(r, extension, "valueCode", birth_sex);
        json_append(extensions, extension);
        json_add(r->arena, patient, SLICE("extension"), extensions);
    }
    if (age != NULL) {
        put_slice(r, patient, "birthDate", birth_date(r, age));
    }
    if (deceased.len != 0) {
        json_add(r->arena, patient, SLICE("deceasedBoolean"),
                 json_new_bool(r->arena, slice_is(deceased, "true")));
    }
    if (active.len != 0) {
        json_add(r->arena, patient, SLICE("active"),
                 json_new_bool(r->arena, slice_is(active, "true")));
    }
    return patient;
}

static void make_encounter(struct running *r)
{
    struct json *encounter = new_resource(r, "Encounter");
    json_set(r->arena, encounter, SLICE("id"), json_new_string(r->arena, SLICE("visit")));
    put(r, encounter, "status", "finished");
    struct slice class = case_text(case_given_in(r, "visit", "class"));
    struct json *coding = json_new_object(r->arena);
    put(r, coding, "system", "http://terminology.hl7.org/CodeSystem/v3-ActCode");
    put_slice(r, coding, "code", class.len != 0 ? class : SLICE("AMB"));
    json_add(r->arena, encounter, SLICE("class"), coding);
    const struct yaml *type = case_given_in(r, "visit", "type");
    if (type != NULL) {
        struct json *types = json_new_array(r->arena);
        json_append(types, named_concept(r, type, case_text(type)));
        json_add(r->arena, encounter, SLICE("type"), types);
    }
    json_add(r->arena, encounter, SLICE("subject"), reference_to(r, "Patient/child"));
    keep(r, encounter);
}

static struct json *new_observation(struct running *r, struct json *code, struct slice date)
{
    struct json *observation = new_resource(r, "Observation");
    put(r, observation, "status", "final");
    json_add(r->arena, observation, SLICE("code"), code);
    json_add(r->arena, observation, SLICE("subject"), reference_to(r, "Patient/child"));
    json_add(r->arena, observation, SLICE("encounter"), reference_to(r, "Encounter/visit"));
    put_slice(r, observation, "effectiveDateTime", date);
    return observation;
}

/* "28.5 kg". */
static void add_measurement(struct running *r, const struct yaml *node, const char *code,
                            struct slice status, struct slice at, struct json *subject)
{
    struct slice rest = case_text(node);
    struct slice number;
    struct decimal value;
    if (!slice_cut(&rest, ' ', &number) || rest.len == 0 ||
        decimal_parse(number, &value) != STATUS_OK) {
        case_fault(r, node, "a measurement is a number, a space and a unit, such as 28.5 kg");
        return;
    }
    struct json *observation =
        new_observation(r, concept_json(r, SLICE("http://loinc.org"), slice_of(code)), at);
    json_set(r->arena, observation, SLICE("status"), json_new_string(r->arena, status));
    json_set(r->arena, observation, SLICE("subject"), subject);
    struct json *quantity = json_new_object(r->arena);
    json_add(r->arena, quantity, SLICE("value"), json_new_number(r->arena, number));
    put_slice(r, quantity, "unit", rest);
    json_add(r->arena, observation, SLICE("valueQuantity"), quantity);
    keep(r, observation);
}

static const struct {
    const char *key;
    const char *code;
} measured[] = {{"weight", "29463-7"}, {"height", "8302-2"}, {"percentile", "59576-9"}};

enum { MEASURED_COUNT = sizeof measured / sizeof *measured };

/* Those of the visit; "none": not measured. */
static void make_measurements_of_visit(struct running *r)
{
    struct slice at = case_text(case_given_in(r, "visit", "measured"));
    for (size_t i = 0; i < MEASURED_COUNT; i++) {
        const struct yaml *node = case_given_in(r, "visit", measured[i].key);
        if (node != NULL && !slice_is(case_text(node), "none")) {
            add_measurement(r, node, measured[i].code, SLICE("final"),
                            at.len != 0 ? at : date_text(r, &r->visit_date), subject_of(r, NULL));
        }
    }
}

/* More measurements, each with its own status and date: { weight: 30 kg, status: amended, at: ... }
 */
static void make_measurements(struct running *r)
{
    const struct yaml *list = case_given(r, "measurements");
    for (const struct yaml *it = list != NULL ? list->first : NULL; it != NULL; it = it->next) {
        struct slice status = case_text(yaml_get(it, "status"));
        struct slice at = case_text(yaml_get(it, "at"));
        for (size_t i = 0; i < MEASURED_COUNT; i++) {
            const struct yaml *node = yaml_get(it, measured[i].key);
            if (node != NULL) {
                add_measurement(r, node, measured[i].code,
                                status.len != 0 ? status : SLICE("final"),
                                at.len != 0 ? at : date_text(r, &r->visit_date), subject_of(r, it));
            }
        }
    }
}

/* Observations with a coded answer: { CODE: ANSWER }, by their names in concepts/. */
static void make_answers(struct running *r, const char *map)
{
    const struct yaml *node = case_given(r, map);
    for (const struct yaml *it = node != NULL ? node->first : NULL; it != NULL; it = it->next) {
        struct json *observation =
            new_observation(r, named_concept(r, it, it->key.text), date_text(r, &r->visit_date));
        json_add(r->arena, observation, SLICE("valueCodeableConcept"),
                 named_concept(r, it, case_text(it)));
        keep(r, observation);
    }
}

/* A condition: its name, or { code: NAME, status: resolved, verification: refuted }. */
static void make_condition(struct running *r, const struct yaml *node)
{
    static const char clinical[] = "http://terminology.hl7.org/CodeSystem/condition-clinical";
    static const char verified[] = "http://terminology.hl7.org/CodeSystem/condition-ver-status";
    const struct yaml *code = node->kind == YAML_MAP ? yaml_get(node, "code") : node;
    struct slice status = case_text(yaml_get(node, "status"));
    struct slice verification = case_text(yaml_get(node, "verification"));
    struct json *condition = new_resource(r, "Condition");
    json_add(r->arena, condition, SLICE("clinicalStatus"),
             concept_json(r, slice_of(clinical), status.len != 0 ? status : SLICE("active")));
    if (verification.len != 0) {
        json_add(r->arena, condition, SLICE("verificationStatus"),
                 concept_json(r, slice_of(verified), verification));
    }
    json_add(r->arena, condition, SLICE("code"),
             named_concept(r, code != NULL ? code : node, case_text(code)));
    json_add(r->arena, condition, SLICE("subject"), subject_of(r, node));
    keep(r, condition);
}

/* A medication: its name, or { reference: Medication/1 }, which tells nothing by itself. */
static void make_medication(struct running *r, const struct yaml *node)
{
    struct json *request = new_resource(r, "MedicationRequest");
    put(r, request, "status", "active");
    put(r, request, "intent", "order");
    const struct yaml *reference = yaml_get(node, "reference");
    if (reference != NULL) {
        json_add(r->arena, request, SLICE("medicationReference"),
                 reference_to(r, arena_cstr(r->arena, case_text(reference))));
    } else {
        json_add(r->arena, request, SLICE("medicationCodeableConcept"),
                 named_concept(r, node, case_text(node)));
    }
    json_add(r->arena, request, SLICE("subject"), reference_to(r, "Patient/child"));
    put_slice(r, request, "authoredOn", date_text(r, &r->visit_date));
    keep(r, request);
}

static void make_procedure(struct running *r, const struct yaml *node)
{
    struct json *procedure = new_resource(r, "Procedure");
    put(r, procedure, "status", "completed");
    json_add(r->arena, procedure, SLICE("code"), named_concept(r, node, case_text(node)));
    json_add(r->arena, procedure, SLICE("subject"), reference_to(r, "Patient/child"));
    keep(r, procedure);
}

static void make_list(struct running *r, const char *key,
                      void (*make)(struct running *r, const struct yaml *node))
{
    const struct yaml *list = case_given(r, key);
    for (const struct yaml *it = list != NULL ? list->first : NULL; it != NULL; it = it->next) {
        make(r, it);
    }
}

/* ---- facts: what the EHR would answer to the mapping's searches ---- */

static bool answers(const struct fact_rule *rule, const struct json *resource,
                    const struct model *model)
{
    if (rule->type == NULL ||
        !slice_equal(json_get_text(resource, "resourceType"), model_type_name(model, rule->type))) {
        return false;
    }
    bool by_code = false;
    const struct json *code = json_get(resource, "code");
    code = code != NULL ? code : json_get(resource, "medicationCodeableConcept");
    const struct json *coding = json_first(json_get(code, "coding"));
    for (const struct piece *piece = rule->query; piece != NULL; piece = piece->next) {
        if (piece->set != NULL) {
            by_code = true;
            if (concept_set_has(piece->set, json_get_text(coding, "system"),
                                json_get_text(coding, "code"), NULL)) {
                return true;
            }
        }
    }
    return !by_code;
}

static struct fact *make_facts(struct running *r)
{
    struct slice fails = case_text(case_given(r, "fetch-fails"));
    struct fact *facts = ARENA_ARRAY(r->arena, r->mapping->fact_count + 1, struct fact);
    for (size_t i = 0; i < r->mapping->fact_count; i++) {
        const struct fact_rule *rule = &r->mapping->facts[i];
        struct json *array = json_new_array(r->arena);
        for (size_t k = 0; k < r->resource_count; k++) {
            if (answers(rule, r->resources[k], r->mapping->model)) {
                json_append(array, json_copy(r->arena, r->resources[k]));
            }
        }
        facts[i] = (struct fact){rule->name, FACT_FETCHED, array};
        if (slice_equal(fails, rule->name)) {
            facts[i] = (struct fact){rule->name, FACT_FAILED, NULL};
        }
    }
    return facts;
}

/* ---- the whole ---- */

struct given_key {
    const char *key;
    enum yaml_kind kind;
    const char *members[8]; /* of a map, or of each map of a list; none: any */
};

static const struct given_key given_keys[] = {
    {"child", YAML_MAP, {"sex", "birth-sex", "age", "language", "deceased", "active", "name"}},
    {"visit", YAML_MAP, {"date", "class", "type", "weight", "height", "percentile", "measured"}},
    {"measurements", YAML_LIST, {"weight", "height", "percentile", "status", "at", "of"}},
    {"readiness", YAML_MAP, {NULL}},
    {"observations", YAML_MAP, {NULL}},
    {"conditions", YAML_LIST, {"code", "status", "verification", "of"}},
    {"medications", YAML_LIST, {"reference"}},
    {"procedures", YAML_LIST, {NULL}},
    {"ehr", YAML_MAP, {"protects-teens"}},
    {"fetch-fails", YAML_SCALAR, {NULL}},
};

enum { GIVEN_COUNT = sizeof given_keys / sizeof *given_keys };

void case_describe_given(struct loader *l, const struct yaml *node)
{
    for (size_t i = 0; i < GIVEN_COUNT; i++) {
        const struct given_key *key = &given_keys[i];
        const struct yaml *member = describe_member(l, node, key->key);
        load_is(l, member, key->kind);
        bool list = key->kind == YAML_LIST;
        const struct yaml *map = list ? describe_or(l, member->first) : member;
        if (list) {
            load_text(l, describe_or(l, member->first));
        }
        for (size_t k = 0; k < 8 && key->members[k] != NULL; k++) {
            load_text(l, describe_member(l, map, key->members[k]));
        }
        if (key->members[0] != NULL) {
            describe_close(l, map);
        }
    }
}

static size_t member_count(const struct given_key *key)
{
    size_t count = 0;
    while (count < 8 && key->members[count] != NULL) {
        count++;
    }
    return count;
}

static void check_values(struct running *r, const struct yaml *map)
{
    for (const struct yaml *it = map->first; it != NULL; it = it->next) {
        if (it->kind != YAML_SCALAR) {
            case_fault(r, it, "a text is expected here, not %s", yaml_kind_name(it->kind));
        }
    }
}

static void check_given_key(struct running *r, const struct given_key *key, const struct yaml *node)
{
    size_t members = member_count(key);
    if (node->kind != key->kind) {
        static const char *const wanted[] = {"a text", "a list", "a map"};
        case_fault(r, node, "`%s` is %s, not %s", key->key, wanted[key->kind],
                   yaml_kind_name(node->kind));
        return;
    }
    if (key->kind == YAML_MAP) {
        if (members != 0) {
            case_keys(r, node, key->members, members);
        }
        check_values(r, node);
    }
    for (const struct yaml *it = key->kind == YAML_LIST ? node->first : NULL; it != NULL;
         it = it->next) {
        if (it->kind == YAML_MAP && members != 0) {
            case_keys(r, it, key->members, members);
            check_values(r, it);
        } else if (it->kind != YAML_SCALAR || slice_is(slice_of(key->key), "measurements")) {
            case_fault(r, it, "an entry of `%s` is not %s", key->key, yaml_kind_name(it->kind));
        }
    }
}

void case_check_given(struct running *r, const struct yaml *given, bool neighbour)
{
    const char *known[GIVEN_COUNT + 1];
    for (size_t i = 0; i < GIVEN_COUNT; i++) {
        known[i] = given_keys[i].key;
    }
    known[GIVEN_COUNT] = "expect";
    if (!case_keys(r, given, known, GIVEN_COUNT + neighbour)) {
        return;
    }
    for (size_t i = 0; i < GIVEN_COUNT; i++) {
        const struct yaml *node = yaml_get(given, given_keys[i].key);
        if (node != NULL) {
            check_given_key(r, &given_keys[i], node);
        }
    }
    const struct yaml *fails = yaml_get(given, "fetch-fails");
    bool found = fails == NULL;
    for (size_t i = 0; i < r->mapping->fact_count; i++) {
        found = found || slice_equal(r->mapping->facts[i].name, case_text(fails));
    }
    if (!found) {
        case_fault(r, fails, "there is no fact \"%.*s\" in mapping.yaml",
                   SLICE_ARGS(case_text(fails)));
    }
}

bool case_make(struct running *r, struct evaluation_input *input_out)
{
    unsigned errors = r->diags->errors;
    const struct yaml *date = case_given_in(r, "visit", "date");
    r->resource_count = 0;
    if (datetime_parse(case_text(date), FORM_FHIR_DATE, &r->visit_date, NULL) != STATUS_OK ||
        r->visit_date.part != PART_DAY) {
        case_fault(r, date != NULL ? date : r->given, "a visit has a date: 2024-05-14");
        return false;
    }
    make_encounter(r);
    make_measurements_of_visit(r);
    make_measurements(r);
    make_answers(r, "readiness");
    make_answers(r, "observations");
    make_list(r, "conditions", make_condition);
    make_list(r, "medications", make_medication);
    make_list(r, "procedures", make_procedure);
    *input_out = (struct evaluation_input){
        .patient = make_patient(r),
        .visit = {.key = SLICE("Encounter/visit"),
                  .encounter = SLICE("visit"),
                  .date = r->visit_date},
        .facts = make_facts(r),
        .fact_count = r->mapping->fact_count,
        .protects_teens = slice_is(case_text(case_given_in(r, "ehr", "protects-teens")), "true"),
    };
    return r->diags->errors == errors;
}
