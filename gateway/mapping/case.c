#include "gateway/mapping/case.h"

#include <math.h>
#include <stdlib.h>

#include "gateway/base/yaml.h"
#include "gateway/mapping/eval.h"

enum { DIFFERENCES_MOST = 20, RESOURCES_MOST = 64, VARIATIONS_MOST = 100 };

struct running {
    const struct mapping *mapping;
    struct arena *arena;
    const struct limits *limits;
    struct diag_list *diags;
    const struct yaml *given;     /* of the case */
    const struct yaml *variation; /* of the neighbour, NULL for the case itself */
    const struct yaml *expect;
    const struct json *resources[RESOURCES_MOST];
    size_t resource_count;
    struct datetime visit_date;
    struct slice *differences;
    size_t difference_count;
};

static struct diag *fault(struct running *r, const struct yaml *node, const char *sentence)
{
    return diag_add(r->diags, DIAG_MAPPING_CASE, node->span, "%s", sentence);
}

/* ---- what is given: the neighbour's word, else the case's ---- */

static const struct yaml *given_map(const struct running *r, const char *key)
{
    const struct yaml *own = yaml_get(r->variation, key);
    return own != NULL ? own : yaml_get(r->given, key);
}

static const struct yaml *given(const struct running *r, const char *map, const char *key)
{
    const struct yaml *own = yaml_get(yaml_get(r->variation, map), key);
    return own != NULL ? own : yaml_get(yaml_get(r->given, map), key);
}

static struct slice text_of(const struct yaml *node)
{
    return node != NULL && node->kind == YAML_SCALAR ? node->scalar.text : SLICE_NONE;
}

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

/* A code of the mapping by its name in concepts/. */
static struct json *named_concept(struct running *r, const struct yaml *node, struct slice name)
{
    const struct concept *concept = mapping_find_code(r->mapping, name);
    if (concept == NULL) {
        struct diag *diag = fault(r, node, "this names no code of concepts/");
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
    struct slice rest = text_of(node);
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
                fault(r, node, "an age is written as 7 y 2 mo");
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
    struct slice sex = text_of(given(r, "child", "sex"));
    const struct yaml *age = given(r, "child", "age");
    struct slice deceased = text_of(given(r, "child", "deceased"));
    struct slice active = text_of(given(r, "child", "active"));
    put_slice(r, patient, "gender", sex.len != 0 ? sex : SLICE("unknown"));
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
    struct slice class = text_of(given(r, "visit", "class"));
    struct json *coding = json_new_object(r->arena);
    put(r, coding, "system", "http://terminology.hl7.org/CodeSystem/v3-ActCode");
    put_slice(r, coding, "code", class.len != 0 ? class : SLICE("AMB"));
    json_add(r->arena, encounter, SLICE("class"), coding);
    const struct yaml *type = given(r, "visit", "type");
    if (type != NULL) {
        struct json *types = json_new_array(r->arena);
        json_append(types, named_concept(r, type, text_of(type)));
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

/* "28.5 kg"; "none": not measured. */
static void make_measurement(struct running *r, const char *key, const char *code)
{
    const struct yaml *node = given(r, "visit", key);
    struct slice rest = text_of(node);
    struct slice number;
    if (rest.len == 0 || slice_is(rest, "none")) {
        return;
    }
    if (!slice_cut(&rest, ' ', &number) || rest.len == 0) {
        fault(r, node, "a measurement is written as 28.5 kg");
        return;
    }
    struct slice measured = text_of(given(r, "visit", "measured"));
    struct json *observation =
        new_observation(r, concept_json(r, SLICE("http://loinc.org"), slice_of(code)),
                        measured.len != 0 ? measured : date_text(r, &r->visit_date));
    struct json *quantity = json_new_object(r->arena);
    json_add(r->arena, quantity, SLICE("value"), json_new_number(r->arena, number));
    put_slice(r, quantity, "unit", rest);
    json_add(r->arena, observation, SLICE("valueQuantity"), quantity);
    keep(r, observation);
}

static void make_answers(struct running *r, const char *map)
{
    const struct yaml *node = given_map(r, map);
    for (const struct yaml *it = node != NULL && node->kind == YAML_MAP ? node->first : NULL;
         it != NULL; it = it->next) {
        struct json *observation =
            new_observation(r, named_concept(r, it, it->key.text), date_text(r, &r->visit_date));
        json_add(r->arena, observation, SLICE("valueCodeableConcept"),
                 named_concept(r, it, text_of(it)));
        keep(r, observation);
    }
}

static void make_conditions(struct running *r)
{
    const struct yaml *node = given_map(r, "conditions");
    for (const struct yaml *it = node != NULL && node->kind == YAML_LIST ? node->first : NULL;
         it != NULL; it = it->next) {
        struct json *condition = new_resource(r, "Condition");
        json_add(r->arena, condition, SLICE("clinicalStatus"),
                 concept_json(r, SLICE("http://terminology.hl7.org/CodeSystem/condition-clinical"),
                              SLICE("active")));
        json_add(r->arena, condition, SLICE("code"), named_concept(r, it, text_of(it)));
        json_add(r->arena, condition, SLICE("subject"), reference_to(r, "Patient/child"));
        keep(r, condition);
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
    const struct json *coding = json_first(json_get(json_get(resource, "code"), "coding"));
    for (const struct piece *piece = rule->query; piece != NULL; piece = piece->next) {
        if (piece->set != NULL) {
            by_code = true;
            if (concept_set_has(piece->set, json_get_text(coding, "system"),
                                json_get_text(coding, "code"))) {
                return true;
            }
        }
    }
    return !by_code;
}

static struct fact *make_facts(struct running *r)
{
    struct slice fails = text_of(given_map(r, "fetch-fails"));
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

/* ---- comparing ---- */

static void differ(struct running *r, const char *what, struct slice want, struct slice got)
{
    if (r->difference_count < DIFFERENCES_MOST) {
        r->differences[r->difference_count++] =
            arena_printf(r->arena, "%s: want %.*s, got %.*s", what, SLICE_ARGS(want),
                         SLICE_ARGS(got.len != 0 ? got : SLICE("nothing")));
    }
}

static void compare_text(struct running *r, const char *key, struct slice got)
{
    struct slice want = text_of(yaml_get(r->expect, key));
    if (want.len != 0 && !slice_equal(want, got)) {
        differ(r, key, want, got);
    }
}

static bool among(struct slice text, const struct slice *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(text, list[i])) {
            return true;
        }
    }
    return false;
}

static struct slice joined(struct running *r, const struct slice *list, size_t count)
{
    struct buf text;
    buf_init(&text, r->arena, 8192);
    for (size_t i = 0; i < count; i++) {
        buf_printf(&text, "%s%.*s", i != 0 ? " " : "", SLICE_ARGS(list[i]));
    }
    return buf_view(&text);
}

static void compare_row(struct running *r, const struct evaluation_result *result)
{
    const struct yaml *row = yaml_get(r->expect, "row");
    for (const struct yaml *it = row != NULL && row->kind == YAML_MAP ? row->first : NULL;
         it != NULL; it = it->next) {
        struct slice cell =
            arena_printf(r->arena, "%.*s=%.*s", SLICE_ARGS(it->key.text), SLICE_ARGS(text_of(it)));
        if (!among(cell, result->cells, result->cell_count)) {
            differ(r, "row", cell, joined(r, result->cells, result->cell_count));
        }
    }
}

static void compare_prompts(struct running *r, const struct evaluation_result *result)
{
    const struct yaml *prompts = yaml_get(r->expect, "prompts");
    if (prompts == NULL || prompts->kind != YAML_LIST) {
        return;
    }
    struct buf want;
    buf_init(&want, r->arena, 8192);
    for (const struct yaml *it = prompts->first; it != NULL; it = it->next) {
        buf_printf(&want, "%s%.*s", want.len != 0 ? " " : "", SLICE_ARGS(text_of(it)));
    }
    struct slice got = joined(r, result->prompts, result->prompt_count);
    if (!slice_equal(buf_view(&want), got)) {
        differ(r, "prompts", buf_view(&want), got);
    }
}

/* "90.4 +- 0.2" */
static void compare_growth(struct running *r, const struct evaluation_result *result)
{
    struct slice text = text_of(yaml_get(yaml_get(r->expect, "growth"), "percentile"));
    if (text.len == 0) {
        return;
    }
    char *end = NULL;
    double want = strtod(arena_cstr(r->arena, text), &end);
    double within = strncmp(end, " +- ", 4) == 0 ? strtod(end + 4, NULL) : 0.0;
    double got = result->growth.bmi_for_age.percentile;
    if (!(fabs(got - want) <= within)) {
        differ(r, "growth.percentile", text, arena_printf(r->arena, "%.2f", got));
    }
}

static void compare_that(struct running *r, const struct evaluation_result *result)
{
    const struct yaml *that = yaml_get(r->expect, "that");
    struct path_item *items = ARENA_ARRAY(r->arena, result->item_count + 1, struct path_item);
    for (size_t i = 0; i < result->item_count; i++) {
        items[i] = path_item_of(r->mapping->model, result->items[i].resource, NULL);
    }
    for (const struct yaml *it = that != NULL && that->kind == YAML_LIST ? that->first : NULL;
         it != NULL; it = it->next) {
        struct path_scope scope = {.model = r->mapping->model, .context_many = true};
        struct path_env env = {.context = {items, result->item_count}};
        const struct path_expr *expr = NULL;
        struct path_items got;
        if (it->kind != YAML_SCALAR ||
            path_compile(r->arena, yaml_source(r->arena, &it->scalar, SLICE("that")), &scope,
                         r->limits, r->diags, &expr) != STATUS_OK ||
            path_evaluate(expr, &env, r->arena, r->limits, r->diags, &got) != STATUS_OK) {
            differ(r, "that", text_of(it), SLICE("an error"));
        } else if (got.count != 1 || got.at[0].kind != PATH_BOOLEAN || !got.at[0].boolean) {
            differ(r, "that", text_of(it), got.count == 0 ? SLICE("nothing") : SLICE("false"));
        }
    }
}

static void compare(struct running *r, const struct evaluation_result *result)
{
    compare_text(r, "outcome", slice_of(outcome_name(result->outcome)));
    compare_text(r, "ask", result->ask);
    compare_text(r, "reason", result->reason);
    compare_text(r, "say", result->outcome == OUTCOME_HAND_OVER ? result->reason : SLICE_NONE);
    compare_text(r, "drop", result->outcome == OUTCOME_DROP ? result->reason : SLICE_NONE);
    compare_text(r, "plan", result->plan);
    struct slice hold = text_of(yaml_get(r->expect, "hold"));
    if (hold.len != 0 && !among(hold, result->holds, result->hold_count)) {
        differ(r, "hold", hold, joined(r, result->holds, result->hold_count));
    }
    compare_row(r, result);
    compare_prompts(r, result);
    compare_growth(r, result);
    compare_that(r, result);
}

/* ---- one run ---- */

static void run_one(struct running *r, struct case_run *run)
{
    struct diag_list diags;
    struct evaluation_result result = {.outcome = OUTCOME_HOLD};
    const struct yaml *date = given(r, "visit", "date");
    diag_init(&diags, r->arena, 10);
    r->resource_count = 0;
    r->difference_count = 0;
    r->differences = ARENA_ARRAY(r->arena, DIFFERENCES_MOST, struct slice);
    if (datetime_parse(text_of(date), FORM_FHIR_DATE, &r->visit_date, NULL) != STATUS_OK) {
        fault(r, date != NULL ? date : r->given, "a visit has a date: 2024-05-14");
        return;
    }
    make_encounter(r);
    make_measurement(r, "weight", "29463-7");
    make_measurement(r, "height", "8302-2");
    make_answers(r, "readiness");
    make_answers(r, "observations");
    make_conditions(r);
    struct evaluation_input input = {
        .patient = make_patient(r),
        .visit = {.key = SLICE("Encounter/visit"),
                  .encounter = SLICE("visit"),
                  .date = r->visit_date},
        .facts = make_facts(r),
        .fact_count = r->mapping->fact_count,
    };
    if (mapping_evaluate(r->mapping, r->arena, &input, r->limits, &diags, &result) != STATUS_OK) {
        struct buf text;
        buf_init(&text, r->arena, 64 * 1024);
        diag_render_all(&diags, &text);
        differ(r, "evaluation", SLICE("an outcome"), buf_view(&text));
    } else {
        compare(r, &result);
    }
    run->passed = r->difference_count == 0;
    run->differences = r->differences;
    run->difference_count = r->difference_count;
    run->row = joined(r, result.cells, result.cell_count);
    run->plan = result.plan;
    run->holds = result.holds;
    run->hold_count = result.hold_count;
}

static struct slice folder_name(struct slice path)
{
    struct slice rest = path;
    struct slice part = SLICE_NONE;
    slice_cut(&rest, '/', &part); /* cases */
    slice_cut(&rest, '/', &part);
    return part;
}

enum status case_run_file(const struct mapping *mapping, struct arena *arena,
                          const struct mapping_file *file, const struct limits *limits,
                          struct diag_list *diags, struct case_run **runs_out, size_t *count_out)
{
    const struct yaml *root = NULL;
    unsigned errors = diags->errors;
    struct source *source = source_create(arena, file->name, file->text);
    if (yaml_parse(arena, source, &YAML_LIMITS, diags, &root) != STATUS_OK) {
        return STATUS_INVALID;
    }
    struct running *r = ARENA_NEW(arena, struct running);
    *r = (struct running){.mapping = mapping, .arena = arena, .limits = limits, .diags = diags};
    r->given = yaml_get(root, "given");
    r->expect = yaml_get(root, "expect");
    if (r->given == NULL || r->expect == NULL || yaml_get(root, "why") == NULL) {
        fault(r, root, "a case has given, expect and why");
        return STATUS_INVALID;
    }
    const struct yaml *vary = yaml_get(root, "vary");
    size_t count = 1 + (vary != NULL && vary->kind == YAML_LIST ? vary->count : 0);
    if (count > VARIATIONS_MOST) {
        fault(r, vary, "a case has at most 99 neighbours");
        return STATUS_LIMIT;
    }
    struct case_run *runs = ARENA_ARRAY(arena, count, struct case_run);
    struct slice name = folder_name(file->path);
    runs[0].name = name;
    run_one(r, &runs[0]);
    const struct yaml *it = count > 1 ? vary->first : NULL;
    for (size_t i = 1; i < count; i++, it = it->next) {
        r->variation = it;
        r->expect = yaml_get(it, "expect");
        runs[i].name = arena_printf(arena, "%.*s/%zu", SLICE_ARGS(name), i);
        if (r->expect == NULL) {
            fault(r, it, "a neighbour says in `expect` what differs");
            continue;
        }
        run_one(r, &runs[i]);
    }
    if (diags->errors != errors) {
        return STATUS_INVALID;
    }
    *runs_out = runs;
    *count_out = count;
    return STATUS_OK;
}

size_t case_uncovered(const struct mapping *mapping, struct arena *arena,
                      const struct case_run *runs, size_t count, struct slice **uncovered_out)
{
    struct slice *uncovered =
        ARENA_ARRAY(arena, mapping->plan_count + mapping->hold_count + 1, struct slice);
    size_t found = 0;
    for (size_t i = 0; i < mapping->plan_count; i++) {
        bool reached = false;
        for (size_t k = 0; k < count; k++) {
            reached = reached || slice_equal(runs[k].plan, mapping->plans[i].name);
        }
        if (!reached) {
            uncovered[found++] =
                arena_printf(arena, "plan %.*s", SLICE_ARGS(mapping->plans[i].name));
        }
    }
    for (size_t i = 0; i < mapping->hold_count; i++) {
        bool reached = false;
        for (size_t k = 0; k < count; k++) {
            reached = reached || among(mapping->holds[i].id, runs[k].holds, runs[k].hold_count);
        }
        if (!reached) {
            uncovered[found++] = arena_printf(arena, "hold %.*s", SLICE_ARGS(mapping->holds[i].id));
        }
    }
    *uncovered_out = uncovered;
    return found;
}
