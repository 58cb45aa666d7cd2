#include "gateway/mapping/eval.h"
#include "gateway/mapping/growth_fields.h"
#include "gateway/mapping/safety.h"
#include "gateway/mapping/trace.h"

/* ---- expressions ---- */

void evaluate_publish(struct eval *e, unsigned place, struct path_items items)
{
    static const struct path_item none; /* is known, and yields nothing */
    e->values[place - 1] = (struct path_items){items.at != NULL ? items.at : &none, items.count};
}

void evaluate_publish_one(struct eval *e, unsigned place, struct path_item item)
{
    struct path_item *items = arena_alloc(e->arena, sizeof *items);
    *items = item;
    evaluate_publish(e, place, (struct path_items){items, 1});
}

enum status evaluate_expr(struct eval *e, const struct expr *expr, struct path_items *items_out)
{
    trace_expr(e);
    return path_evaluate(expr->path, &e->env, e->arena, e->limits, e->diags, items_out);
}

enum status evaluate_truth(struct eval *e, const struct expr *expr, enum truth *truth_out)
{
    struct path_items items;
    enum status status = evaluate_expr(e, expr, &items);
    if (status != STATUS_OK) {
        return status;
    }
    struct path_item value;
    if (items.count == 0) {
        *truth_out = TRUTH_UNKNOWN;
        return STATUS_OK;
    }
    if (items.count > 1 ||
        path_item_value(e->arena, e->mapping->model, &items.at[0], &value) != STATUS_OK ||
        value.kind != PATH_BOOLEAN) {
        diag_add(e->diags, DIAG_MAPPING_EVALUATION, expr->span, "this is neither true nor false");
        return STATUS_INVALID;
    }
    *truth_out = value.boolean ? TRUTH_TRUE : TRUTH_FALSE;
    return STATUS_OK;
}

enum status evaluate_text(struct eval *e, const struct expr *expr, struct slice *text_out)
{
    struct path_items items;
    enum status status = evaluate_expr(e, expr, &items);
    if (status != STATUS_OK) {
        return status;
    }
    if (items.count == 0) {
        return STATUS_ABSENT;
    }
    const struct json *json =
        items.count == 1 ? path_item_json(e->arena, e->mapping->model, &items.at[0]) : NULL;
    if (json == NULL || json_kind(json) == JSON_OBJECT || json_kind(json) == JSON_ARRAY ||
        json_kind(json) == JSON_NULL) {
        diag_add(e->diags, DIAG_MAPPING_EVALUATION, expr->span,
                 "a text needs one plain value here");
        return STATUS_INVALID;
    }
    bool truth = json_kind(json) == JSON_TRUE || json_kind(json) == JSON_FALSE;
    *text_out = !truth                         ? json_text(json)
                : json_kind(json) == JSON_TRUE ? SLICE("true")
                                               : SLICE("false");
    return STATUS_OK;
}

/* %sets.NAME yields the set's own text: mostly it need not be compared. */
static const struct concept_set *set_of_url(const struct mapping *m, struct slice url)
{
    for (size_t i = 0; i < m->set_count; i++) {
        if (m->sets[i].url.at == url.at) {
            return &m->sets[i];
        }
    }
    return mapping_find_set_by_url(m, url);
}

static enum path_member member_of(void *arg, struct slice url, struct slice system,
                                  struct slice code)
{
    const struct eval *e = arg;
    const struct concept_set *set = set_of_url(e->mapping, url);
    if (set == NULL) {
        return PATH_MEMBER_UNKNOWN_SET;
    }
    return concept_set_has(set, system, code, &e->visit->date) ? PATH_MEMBER_YES : PATH_MEMBER_NO;
}

/* ---- what a visit is ---- */

/* No expression sees race or ethnicity, however it is written. */
static const struct json *without_race(struct eval *e, const struct json *patient)
{
    bool has = false;
    struct json *kept = json_new_array(e->arena);
    const struct json *extensions = json_get(patient, "extension");
    for (const struct json *it = json_first(extensions); it != NULL; it = json_next(it)) {
        bool race = safety_is_race_extension(json_get_text(it, "url"));
        has = has || race;
        if (!race) {
            json_append(kept, json_copy(e->arena, it));
        }
    }
    if (!has) {
        return patient;
    }
    struct json *copy = json_copy(e->arena, patient);
    json_remove(copy, SLICE("extension"));
    if (json_first(kept) != NULL) {
        json_add(e->arena, copy, SLICE("extension"), kept);
    }
    return copy;
}

static void publish_visit(struct eval *e, const struct json *patient, const struct visit *visit)
{
    e->visit = visit;
    struct path_item item = path_item_of(e->mapping->model, without_race(e, patient), NULL);
    item.type = path_item_type(e->mapping->model, &item); /* found once for all */
    evaluate_publish_one(e, PLACE_PATIENT, item);
    struct datetime *date = ARENA_NEW(e->arena, struct datetime);
    *date = visit->date;
    evaluate_publish_one(e, PLACE_VISIT_DATE,
                         (struct path_item){.kind = PATH_DATE, .datetime = date});
    if (visit->encounter.len != 0) {
        struct slice reference = arena_join(e->arena, SLICE("Encounter/"), visit->encounter);
        evaluate_publish_one(e, PLACE_VISIT_ENCOUNTER, path_item_string(reference));
    } else {
        evaluate_publish(e, PLACE_VISIT_ENCOUNTER, (struct path_items){NULL, 0});
    }
}

struct eval *evaluate_create(const struct mapping *mapping, struct arena *arena,
                             const struct limits *limits, struct diag_list *diags)
{
    struct eval *e = ARENA_NEW(arena, struct eval);
    e->mapping = mapping;
    e->arena = arena;
    e->limits = limits;
    e->diags = diags;
    e->env.member_of = member_of;
    e->env.arg = e;
    e->values = arena_alloc(arena, mapping->value_count * sizeof *e->values);
    for (size_t i = 0; i < mapping->value_count; i++) {
        e->values[i] = mapping->values[i].items;
    }
    e->env.placed = e->values;
    e->env.placed_count = mapping->value_count;
    return e;
}

/* ---- what it wants to know ---- */

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr("-._~/:", c) != NULL;
}

/* A value of a query: everything but the plain characters percent-encoded (RFC 3986 section 2). */
static void add_encoded(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (is_plain(text.at[i])) {
            buf_add_char(out, text.at[i]);
        } else {
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)text.at[i]);
        }
    }
}

/* FHIR token list: system|code,system|code */
static void add_tokens(struct buf *out, const struct concept_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        buf_add_cstr(out, i != 0 ? "," : "");
        add_encoded(out, set->concepts[i].system);
        buf_add_cstr(out, "%7C");
        add_encoded(out, set->concepts[i].code);
    }
}

enum { QUERY_MOST = 16 * 1024 };

/* STATUS_ABSENT: a read whose reference is not known for this visit. */
static enum status fill_query(struct eval *e, const struct fact_rule *rule, struct slice ehr,
                              struct slice *query_out)
{
    struct buf out;
    const struct piece *query = rule->query;
    buf_init(&out, e->arena, QUERY_MOST);
    for (size_t i = 0; i < rule->variant_count; i++) {
        query = slice_equal(rule->variants[i].ehr, ehr) ? rule->variants[i].query : query;
    }
    for (const struct piece *piece = query; piece != NULL; piece = piece->next) {
        if (piece->set != NULL) {
            add_tokens(&out, piece->set);
            continue;
        }
        if (piece->expr == NULL) {
            buf_add_slice(&out, piece->literal);
            continue;
        }
        struct slice text = SLICE_NONE;
        enum status status = evaluate_text(e, piece->expr, &text);
        if (status == STATUS_ABSENT && !rule->read) {
            diag_add(e->diags, DIAG_MAPPING_EVALUATION, piece->expr->span,
                     "this criterion yields nothing for the visit");
            return STATUS_INVALID;
        }
        if (status != STATUS_OK) {
            return status;
        }
        add_encoded(&out, text);
    }
    *query_out = buf_view(&out);
    return STATUS_OK;
}

enum status mapping_requests(const struct mapping *mapping, struct arena *arena,
                             const struct json *patient, const struct visit *visit,
                             const struct limits *limits, struct diag_list *diags,
                             struct fact_request **requests_out, size_t *count_out)
{
    struct eval *e = evaluate_create(mapping, arena, limits, diags);
    publish_visit(e, patient, visit);
    struct fact_request *requests =
        ARENA_ARRAY(arena, mapping->fact_count + 1, struct fact_request);
    size_t count = 0;
    for (size_t i = 0; i < mapping->fact_count; i++) {
        struct fact_request request = {.name = mapping->facts[i].name,
                                       .read = mapping->facts[i].read};
        enum status status = fill_query(e, &mapping->facts[i], visit->ehr, &request.query);
        if (status != STATUS_OK && status != STATUS_ABSENT) {
            return status;
        }
        requests[count++] =
            request; /* an absent one has an empty query: the fact is known to be absent */
    }
    *requests_out = requests;
    *count_out = count;
    return STATUS_OK;
}

bool mapping_starts(const struct mapping *mapping, const struct json *resource)
{
    if (!slice_equal(json_get_text(resource, "resourceType"), mapping->starts_type)) {
        return false;
    }
    const struct json *coding = json_first(json_get(json_get(resource, "code"), "coding"));
    for (; coding != NULL; coding = json_next(coding)) {
        for (const struct piece *piece = mapping->starts_on; piece != NULL; piece = piece->next) {
            if (piece->set != NULL && concept_set_has(piece->set, json_get_text(coding, "system"),
                                                      json_get_text(coding, "code"), NULL)) {
                return true;
            }
        }
    }
    return false;
}

/* ---- deciding ---- */

static enum status find_value(struct eval *e, const struct input *input, size_t *value_out,
                              struct slice *text_out)
{
    struct slice text = SLICE_NONE;
    enum status status = evaluate_text(e, &input->expr, &text);
    *value_out = CELL_UNKNOWN;
    if (status == STATUS_ABSENT) {
        return STATUS_OK;
    }
    if (status != STATUS_OK) {
        return status;
    }
    *text_out = text;
    uint64_t number = 0;
    if (input->bands && !slice_to_u64(text, &number)) {
        diag_add(e->diags, DIAG_MAPPING_EVALUATION, input->span,
                 "the input %.*s is no whole number", SLICE_ARGS(input->name));
        return STATUS_INVALID;
    }
    for (size_t i = input->count; i-- > 0;) {
        if (input->bands ? number >= (uint64_t)input->from[i]
                         : slice_equal(text, input->values[i])) {
            *value_out = i;
            *text_out = input->values[i];
            return STATUS_OK;
        }
    }
    diag_add(e->diags, DIAG_MAPPING_EVALUATION, input->span,
             "\"%.*s\" is no value of the input %.*s", SLICE_ARGS(text), SLICE_ARGS(input->name));
    return STATUS_INVALID;
}

static enum status find_row(struct eval *e, const struct row **row_out)
{
    const struct mapping *m = e->mapping;
    size_t at[INPUTS_MOST];
    e->result->cells = ARENA_ARRAY(e->arena, m->input_count + 1, struct slice);
    for (size_t i = 0; i < m->input_count; i++) {
        struct slice text = SLICE("unknown");
        enum status status = find_value(e, &m->inputs[i], &at[i], &text);
        if (status != STATUS_OK) {
            return status;
        }
        e->result->cells[e->result->cell_count++] =
            at[i] == CELL_UNKNOWN ? m->inputs[i].unknown : m->inputs[i].cells[at[i]];
        trace_input(e, &m->inputs[i], text);
    }
    *row_out = NULL;
    e->result->row = SIZE_MAX;
    for (size_t r = 0; r < m->row_count; r++) {
        bool matches = true;
        for (size_t i = 0; i < m->input_count; i++) {
            matches = matches && (m->rows[r].cells[i] >> at[i] & 1) != 0;
        }
        matches = matches && *row_out == NULL; /* an overlay's rows come first */
        trace_row(e, &m->rows[r], at, matches);
        if (matches) {
            *row_out = &m->rows[r];
            e->result->row = r;
            if (e->trace == NULL) {
                return STATUS_OK;
            }
        }
    }
    return STATUS_OK;
}

/* Handed over is not forgotten: what is due is told with it. */
static enum status tell_due(struct eval *e, struct slice say)
{
    const struct mapping *m = e->mapping;
    for (size_t i = 0; i < m->due_count; i++) {
        if (slice_equal(m->due[i].say, say)) {
            return evaluate_prompts(e, m->due[i].prompts, m->due[i].prompt_count);
        }
    }
    return STATUS_OK;
}

static enum status decide(struct eval *e)
{
    struct evaluation_result *result = e->result;
    const struct row *row = NULL;
    enum status status = find_row(e, &row);
    if (status != STATUS_OK) {
        return status;
    }
    if (row == NULL) { /* an input is unknown, and no row says `any` for it */
        result->outcome = OUTCOME_HOLD;
        result->reason = SLICE("unknown-input");
        return STATUS_OK;
    }
    result->ask = row->ask;
    result->reason = row->action == ACTION_HAND_OVER ? row->say
                     : row->action == ACTION_DROP    ? row->target
                                                     : SLICE_NONE;
    result->outcome = row->action == ACTION_HAND_OVER ? OUTCOME_HAND_OVER
                      : row->action == ACTION_DROP    ? OUTCOME_DROP
                                                      : OUTCOME_PROPOSAL;
    if (row->action == ACTION_PROPOSE) {
        status = evaluate_build(e, mapping_find_plan(e->mapping, row->target));
    } else if (row->action == ACTION_HAND_OVER) {
        status = tell_due(e, row->say);
    }
    return status == STATUS_OK && row->action != ACTION_DROP ? evaluate_timers(e) : status;
}

/* All holds are evaluated, so that a person sees every reason at once; true or unknown stops. */
static enum status check_holds(struct eval *e)
{
    const struct mapping *m = e->mapping;
    e->result->holds = ARENA_ARRAY(e->arena, m->hold_count + 1, struct slice);
    for (size_t i = 0; i < m->hold_count; i++) {
        enum truth truth;
        enum status status = evaluate_truth(e, &m->holds[i].when, &truth);
        if (status != STATUS_OK) {
            return status;
        }
        trace_hold(e, &m->holds[i], truth);
        if (truth == TRUTH_FALSE) {
            continue;
        }
        e->result->outcome = OUTCOME_HOLD;
        e->result->sensitive = e->result->sensitive || m->holds[i].sensitive;
        e->result->holds[e->result->hold_count++] = m->holds[i].id;
    }
    if (e->result->hold_count != 0) {
        e->result->reason = e->result->holds[0];
    }
    return STATUS_OK;
}

static enum status publish_defines(struct eval *e)
{
    for (size_t i = 0; i < e->mapping->define_count; i++) {
        struct path_items items;
        enum status status = evaluate_expr(e, &e->mapping->defines[i].expr, &items);
        if (status != STATUS_OK) {
            return status;
        }
        trace_define(e, &e->mapping->defines[i], items);
        evaluate_publish(e, e->mapping->defines[i].place, items);
    }
    return STATUS_OK;
}

static enum status evaluate(struct eval *e)
{
    const struct fact_rule *failed = NULL;
    publish_visit(e, e->input->patient, &e->input->visit);
    enum status status = evaluate_facts(e, &failed);
    if (status != STATUS_OK) {
        return status;
    }
    if (failed != NULL) { /* a fact that could not be fetched is never taken for absent */
        e->result->outcome = OUTCOME_HOLD;
        e->result->reason = SLICE("fetch-failed");
        return STATUS_OK;
    }
    if (!evaluate_is_of_one_child(e)) {
        e->result->outcome = OUTCOME_HOLD;
        e->result->reason = SLICE("another-child");
        return STATUS_OK;
    }
    enum truth eligible = TRUTH_TRUE;
    evaluate_publish_one(
        e, PLACE_PROTECTS_TEENS,
        (struct path_item){.kind = PATH_BOOLEAN, .boolean = e->input->protects_teens});
    status = evaluate_growth(e);
    if (status == STATUS_OK) {
        status = publish_defines(e);
    }
    for (size_t i = 0;
         i < e->mapping->eligible_count && status == STATUS_OK && eligible == TRUTH_TRUE; i++) {
        status = evaluate_truth(e, &e->mapping->eligible[i], &eligible);
        if (status == STATUS_OK) {
            trace_eligible(e, &e->mapping->eligible[i], eligible);
        }
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (eligible != TRUTH_TRUE) {
        e->result->outcome = OUTCOME_NOT_ELIGIBLE;
        return STATUS_OK;
    }
    status = check_holds(e);
    return status == STATUS_OK && e->result->hold_count == 0 ? decide(e) : status;
}

/* ---- one expression by itself ---- */

/* Names of what is published; what they are is known only when they are evaluated. */
static enum status compile_asked(struct eval *e, const struct source *source,
                                 const struct path_expr **expr_out)
{
    const struct mapping *m = e->mapping;
    struct path_scope scope = {.model = m->model, .context_many = true, .refuse_clock = true};
    struct path_variable *variables =
        ARENA_ARRAY(e->arena, m->value_count + 1, struct path_variable);
    for (size_t i = 0; i < m->value_count; i++) {
        if (e->values[i].at != NULL) {
            variables[scope.variable_count++] = (struct path_variable){
                .name = m->values[i].name, .many = true, .place = (unsigned)i + 1};
        }
    }
    scope.variables = variables;
    return path_compile(e->arena, source, &scope, e->limits, e->diags, expr_out);
}

enum status mapping_ask(const struct mapping *mapping, struct arena *arena,
                        const struct evaluation_input *input, const struct source *source,
                        const struct limits *limits, struct diag_list *diags,
                        struct path_items *items_out)
{
    struct eval *e = evaluate_create(mapping, arena, limits, diags);
    struct evaluation_result result = {.outcome = OUTCOME_HOLD, .row = SIZE_MAX};
    const struct path_expr *expr = NULL;
    e->input = input;
    e->result = &result;
    e->all = true;
    enum status status = evaluate(e);
    if (status == STATUS_OK) {
        status = compile_asked(e, source, &expr);
    }
    if (status != STATUS_OK) {
        return status;
    }
    struct path_item *items = ARENA_ARRAY(arena, result.item_count + 1, struct path_item);
    for (size_t i = 0; i < result.item_count; i++) {
        items[i] = path_item_of(mapping->model, result.items[i].resource, NULL);
    }
    e->env.context = (struct path_items){items, result.item_count};
    return path_evaluate(expr, &e->env, arena, limits, diags, items_out);
}

size_t mapping_names(const struct mapping *mapping, struct arena *arena,
                     const struct slice **names_out)
{
    static const char *const fixed[] = {"patient", "visit.date", "visit.encounter"};
    size_t room =
        3 + mapping->set_count + mapping->fact_count + mapping->define_count + GROWTH_FIELD_COUNT;
    struct slice *names = ARENA_ARRAY(arena, room, struct slice);
    size_t count = 0;
    for (size_t i = 0; i < 3; i++) {
        names[count++] = slice_of(fixed[i]);
    }
    for (size_t i = 0; i < mapping->fact_count; i++) {
        names[count++] = mapping->facts[i].name;
    }
    for (size_t i = 0; i < mapping->define_count; i++) {
        names[count++] = mapping->defines[i].name;
    }
    for (int i = 0; i < GROWTH_FIELD_COUNT; i++) {
        names[count++] = growth_variable_name((enum growth_field)i);
    }
    for (size_t i = 0; i < mapping->set_count; i++) {
        names[count++] = arena_printf(arena, "sets.%.*s", SLICE_ARGS(mapping->sets[i].name));
    }
    *names_out = names;
    return count;
}

enum status mapping_evaluate(const struct mapping *mapping, struct arena *arena,
                             const struct evaluation_input *input, const struct limits *limits,
                             struct diag_list *diags, struct evaluation_result *result_out)
{
    struct eval *e = evaluate_create(mapping, arena, limits, diags);
    struct evaluation_result result = {.outcome = OUTCOME_HOLD, .row = SIZE_MAX};
    e->input = input;
    e->result = &result;
    if (input->explain) {
        trace_begin(e);
    }
    enum status status = evaluate(e);
    if (status == STATUS_OK) {
        result.explanation = trace_take(e);
        *result_out = result;
    }
    return status;
}

enum status mapping_accept(const struct mapping *mapping, struct arena *arena, struct slice plan,
                           struct slice acceptor, struct slice speaker, const struct limits *limits,
                           struct diag_list *diags, struct mapping_acceptance *acceptance_out)
{
    const struct plan_rule *rule = mapping_find_plan(mapping, plan);
    struct eval *e = evaluate_create(mapping, arena, limits, diags);
    struct mapping_acceptance acceptance = {NULL, NULL, NULL};
    if (rule == NULL) {
        return STATUS_ABSENT;
    }
    e->plan = rule;
    evaluate_publish_one(e, PLACE_ACCEPTOR, path_item_string(acceptor));
    evaluate_publish_one(e, PLACE_SPEAKER, path_item_string(speaker));
    enum status status = evaluate_object(e, rule->accept_care_plan, &acceptance.care_plan);
    if (status == STATUS_OK) {
        status = evaluate_object(e, rule->accept_goals, &acceptance.goal);
    }
    if (status == STATUS_OK) {
        status = evaluate_object(e, rule->accept_orders, &acceptance.order);
    }
    if (status == STATUS_OK) {
        *acceptance_out = acceptance;
    }
    return status;
}
