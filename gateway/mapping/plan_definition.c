#include "gateway/mapping/plan_definition.h"

#include "gateway/base/yaml.h"
#include "gateway/mapping/find.h"
#include "gateway/plan/narrative.h"

enum { TEXT_MOST = 64 * 1024 };

static const char canonical_base[] = "https://eplan.invalid/fhir";

struct exporting {
    const struct mapping *mapping;
    struct arena *arena;
    struct json *entries;
};

/* ---- making JSON ---- */

static struct json *text_json(struct exporting *x, struct slice text)
{
    return json_new_string(x->arena, text);
}

static void put(struct exporting *x, struct json *object, const char *name, struct slice text)
{
    json_add(x->arena, object, slice_of(name), text_json(x, text));
}

static void put_json(struct exporting *x, struct json *object, const char *name, struct json *value)
{
    json_add(x->arena, object, slice_of(name), value);
}

static struct json *one(struct json *array, struct json *value)
{
    json_append(array, value);
    return array;
}

/* FHIR has no empty lists. */
static void put_list(struct exporting *x, struct json *object, const char *name, struct json *list)
{
    if (json_first(list) != NULL) {
        put_json(x, object, name, list);
    }
}

static struct json *coding(struct exporting *x, struct slice system, struct slice code,
                           struct slice display)
{
    struct json *object = json_new_object(x->arena);
    put(x, object, "system", system);
    put(x, object, "code", code);
    if (display.len != 0) {
        put(x, object, "display", display);
    }
    return object;
}

static struct json *concept_of(struct exporting *x, const char *system, const char *code)
{
    struct json *object = json_new_object(x->arena);
    put_json(
        x, object, "coding",
        one(json_new_array(x->arena), coding(x, slice_of(system), slice_of(code), SLICE_NONE)));
    return object;
}

static struct json *text_concept(struct exporting *x, struct slice text)
{
    struct json *object = json_new_object(x->arena);
    put(x, object, "text", text);
    return object;
}

/* RFC 4648 section 4. */
static struct slice base64(struct exporting *x, struct slice bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct buf out;
    buf_init(&out, x->arena, TEXT_MOST * 2);
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t have = bytes.len - i < 3 ? bytes.len - i : 3;
        unsigned value = 0;
        for (size_t k = 0; k < 3; k++) {
            value = value << 8 | (k < have ? (unsigned char)bytes.at[i + k] : 0u);
        }
        for (size_t k = 0; k < 4; k++) {
            buf_add_char(&out, k <= have ? digits[value >> (18 - 6 * k) & 63] : '=');
        }
    }
    return buf_view(&out);
}

/* An id of FHIR: letters, digits, - and . only. */
static struct slice id_of(struct exporting *x, struct slice a, struct slice b)
{
    struct buf out;
    buf_init(&out, x->arena, 256);
    struct slice both =
        b.len != 0 ? arena_printf(x->arena, "%.*s-%.*s", SLICE_ARGS(a), SLICE_ARGS(b)) : a;
    for (size_t i = 0; i < both.len && i < 64; i++) {
        char c = both.at[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '.';
        buf_add_char(&out, plain ? c : '-');
    }
    return buf_view(&out);
}

/* What a machine may call it: a letter, then letters, digits and underscores. */
static struct slice computable(struct exporting *x, struct slice name)
{
    struct buf out;
    buf_init(&out, x->arena, 256);
    bool upper = true;
    for (size_t i = 0; i < name.len && i < 200; i++) {
        char c = name.at[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (plain) {
            buf_add_char(&out, upper && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
        }
        upper = !plain;
    }
    return buf_view(&out);
}

static struct slice canonical(struct exporting *x, const char *type, struct slice id)
{
    return arena_printf(x->arena, "%s/%s/%.*s", canonical_base, type, SLICE_ARGS(id));
}

/* Begins a definition and puts it into the Bundle. */
static struct json *add_definition(struct exporting *x, const char *type, struct slice id,
                                   struct slice name, struct slice title)
{
    struct json *resource = json_new_object(x->arena);
    struct json *entry = json_new_object(x->arena);
    put(x, resource, "resourceType", slice_of(type));
    put(x, resource, "id", id);
    put_json(
        x, resource, "text",
        narrative_render(x->arena, &(struct narrative){.title = title, .language = SLICE("en")}));
    put(x, resource, "url", canonical(x, type, id));
    put(x, resource, "version", x->mapping->version);
    put(x, resource, "name", computable(x, name));
    put(x, resource, "title", title);
    put(x, resource, "status", SLICE("draft"));
    put(x, entry, "fullUrl", canonical(x, type, id));
    put_json(x, entry, "resource", resource);
    json_append(x->entries, entry);
    return resource;
}

static struct slice expression_text(const struct expr *expr)
{
    return span_text(path_expr_span(expr->path));
}

static struct json *condition(struct exporting *x, struct slice text)
{
    struct json *object = json_new_object(x->arena);
    struct json *expression = json_new_object(x->arena);
    put(x, expression, "language", SLICE("text/fhirpath"));
    put(x, expression, "expression", text);
    put(x, object, "kind", SLICE("applicability"));
    put_json(x, object, "expression", expression);
    return one(json_new_array(x->arena), object);
}

/* ---- Library ---- */

static struct json *data_requirement(struct exporting *x, const struct fact_rule *fact)
{
    struct json *object = json_new_object(x->arena);
    struct json *filters = json_new_array(x->arena);
    put(x, object, "id", id_of(x, fact->name, SLICE_NONE));
    put(x, object, "type",
        fact->type != NULL ? model_type_name(x->mapping->model, fact->type) : SLICE("Resource"));
    for (const struct piece *it = fact->query; it != NULL; it = it->next) {
        if (it->set != NULL) {
            struct json *filter = json_new_object(x->arena);
            put(x, filter, "path", SLICE("code"));
            put(x, filter, "valueSet",
                canonical(x, "ValueSet", id_of(x, x->mapping->name, it->set->name)));
            json_append(filters, filter);
        }
    }
    put_list(x, object, "codeFilter", filters);
    if (fact->take != TAKE_ALL && fact->take != TAKE_LATEST_BY_CODE) {
        put_json(x, object, "limit", json_new_number(x->arena, SLICE("1")));
    }
    return object;
}

static void add_library(struct exporting *x)
{
    const struct mapping *m = x->mapping;
    struct json *library =
        add_definition(x, "Library", id_of(x, m->name, SLICE_NONE), m->name,
                       arena_printf(x->arena, "Expressions of %.*s", SLICE_ARGS(m->name)));
    struct json *requirements = json_new_array(x->arena);
    struct json *contents = json_new_array(x->arena);
    put_json(x, library, "type",
             concept_of(x, "http://terminology.hl7.org/CodeSystem/library-type", "logic-library"));
    for (size_t i = 0; i < m->fact_count; i++) {
        json_append(requirements, data_requirement(x, &m->facts[i]));
    }
    for (size_t i = 0; i < m->define_count; i++) {
        struct json *content = json_new_object(x->arena);
        put(x, content, "contentType", SLICE("text/fhirpath"));
        put(x, content, "data", base64(x, expression_text(&m->defines[i].expr)));
        put(x, content, "title", m->defines[i].name);
        json_append(contents, content);
    }
    put_list(x, library, "dataRequirement", requirements);
    put_list(x, library, "content", contents);
}

/* ---- ValueSets ---- */

static void add_value_set(struct exporting *x, const struct concept_set *set)
{
    struct json *resource =
        add_definition(x, "ValueSet", id_of(x, x->mapping->name, set->name), set->name, set->name);
    struct json *compose = json_new_object(x->arena);
    struct json *includes = json_new_array(x->arena);
    struct json *concepts = NULL;
    struct slice system = SLICE_NONE;
    for (size_t i = 0; i < set->count; i++) {
        const struct concept *concept = &set->concepts[i];
        if (concepts == NULL || !slice_equal(system, concept->system)) {
            struct json *include = json_new_object(x->arena);
            concepts = json_new_array(x->arena);
            system = concept->system;
            put(x, include, "system", system);
            put_json(x, include, "concept", concepts);
            json_append(includes, include);
        }
        struct json *object = json_new_object(x->arena);
        put(x, object, "code", concept->code);
        if (concept->display.len != 0) {
            put(x, object, "display", concept->display);
        }
        json_append(concepts, object);
    }
    if (set->count != 0) {
        put_json(x, compose, "include", includes);
        put_json(x, resource, "compose", compose);
    }
}

/* ---- goals and orders ---- */

static const struct template *member_of(const struct template *object, const char *name)
{
    const struct template *it = object != NULL ? object->first : NULL;
    while (it != NULL && !slice_is(it->name, name)) {
        it = it->next;
    }
    return it;
}

/* The key of the text that a goal is described by. */
static struct slice goal_key(const struct item_rule *goal)
{
    for (size_t i = 0; i < goal->with_count; i++) {
        if (slice_is(goal->with[i].name, "with.text") && goal->with[i].items.count == 1) {
            return goal->with[i].items.at[0].text;
        }
    }
    const struct template *text = member_of(member_of(goal->resource, "description"), "text");
    return text != NULL && text->kind == TEMPLATE_PHRASE && text->pieces != NULL
               ? text->pieces->literal
               : SLICE_NONE;
}

static struct slice goal_id(struct exporting *x, const struct plan_rule *plan,
                            const struct item_rule *goal)
{
    return id_of(x, plan->name, goal->key);
}

static struct json *goal_json(struct exporting *x, const struct plan_rule *plan,
                              const struct item_rule *goal)
{
    struct json *object = json_new_object(x->arena);
    struct slice text = mapping_prompt_text(x->mapping, x->arena, plan->name, goal_key(goal));
    put(x, object, "id", goal_id(x, plan, goal));
    put_json(x, object, "description", text_concept(x, text.len != 0 ? text : goal->key));
    return object;
}

static const struct expr *item_when(const struct item_rule *item)
{
    return item->when != NULL ? item->when : item->resource->when;
}

static struct slice order_id(struct exporting *x, const struct plan_rule *plan,
                             const struct item_rule *order)
{
    return id_of(x, plan->name, order->key);
}

/* What an order asks for; of one made by a part, the code that the plan gives it. */
static const struct concept *order_concept(struct exporting *x, const struct item_rule *order)
{
    const struct template *code = member_of(order->resource, "code");
    const struct concept *concept =
        code != NULL && code->kind == TEMPLATE_CODE ? code->concept : NULL;
    for (size_t i = 0; i < order->with_count && concept == NULL; i++) {
        if (slice_is(order->with[i].name, "with.code") && order->with[i].items.count == 1) {
            concept = mapping_find_code(x->mapping, order->with[i].items.at[0].text);
        }
    }
    return concept;
}

static void add_activity(struct exporting *x, const struct plan_rule *plan,
                         const struct item_rule *order)
{
    struct slice id = order_id(x, plan, order);
    const struct concept *concept = order_concept(x, order);
    struct json *resource = add_definition(x, "ActivityDefinition", id, id,
                                           concept != NULL ? concept->display : order->key);
    put(x, resource, "kind", SLICE("ServiceRequest"));
    if (concept != NULL) {
        struct json *codes = json_new_object(x->arena);
        put_json(x, codes, "coding",
                 one(json_new_array(x->arena),
                     coding(x, concept->system, concept->code, concept->display)));
        put_json(x, resource, "code", codes);
    }
    put(x, resource, "intent", SLICE("proposal"));
}

/* ---- actions ---- */

static struct json *plan_action(struct exporting *x, const struct plan_rule *plan)
{
    struct json *actions = json_new_array(x->arena);
    for (size_t i = 0; i < plan->goal_count; i++) {
        struct json *action = json_new_object(x->arena);
        put(x, action, "title", plan->goals[i].key);
        if (item_when(&plan->goals[i]) != NULL) {
            put_json(x, action, "condition",
                     condition(x, expression_text(item_when(&plan->goals[i]))));
        }
        put_json(x, action, "goalId",
                 one(json_new_array(x->arena), text_json(x, goal_id(x, plan, &plan->goals[i]))));
        json_append(actions, action);
    }
    for (size_t i = 0; i < plan->order_count; i++) {
        const struct item_rule *order = &plan->orders[i];
        struct json *action = json_new_object(x->arena);
        put(x, action, "title", order->key);
        if (item_when(order) != NULL) {
            put_json(x, action, "condition", condition(x, expression_text(item_when(order))));
        }
        put(x, action, "definitionCanonical",
            canonical(x, "ActivityDefinition", order_id(x, plan, order)));
        json_append(actions, action);
    }
    return actions;
}

/* An input is among the row's values: FHIRPath that a reader of PlanDefinitions can evaluate. */
static void add_test(struct buf *out, const struct input *input, uint64_t cells)
{
    struct slice expr = expression_text(&input->expr);
    size_t taken = 0;
    if ((cells >> CELL_UNKNOWN & 1) != 0) {
        return; /* any */
    }
    buf_printf(out, "%s(", out->len != 0 ? " and " : "");
    for (size_t i = 0; i < input->count; i++) {
        if ((cells >> i & 1) == 0) {
            continue;
        }
        buf_add_cstr(out, taken++ != 0 ? " or " : "");
        if (!input->bands) {
            buf_printf(out, "(%.*s) = '%.*s'", SLICE_ARGS(expr), SLICE_ARGS(input->values[i]));
        } else if (i + 1 == input->count) {
            buf_printf(out, "(%.*s) >= %lld", SLICE_ARGS(expr), (long long)input->from[i]);
        } else {
            buf_printf(out, "((%.*s) >= %lld and (%.*s) < %lld)", SLICE_ARGS(expr),
                       (long long)input->from[i], SLICE_ARGS(expr), (long long)input->from[i + 1]);
        }
    }
    buf_add_char(out, ')');
}

static struct json *row_documentation(struct exporting *x, const struct row *row)
{
    struct json *list = json_new_array(x->arena);
    for (size_t i = 0; i < row->because_count; i++) {
        for (size_t k = 0; k < x->mapping->source_count; k++) {
            if (slice_equal(x->mapping->sources[k].name, row->because[i])) {
                struct json *artifact = json_new_object(x->arena);
                put(x, artifact, "type", SLICE("citation"));
                put(x, artifact, "label", row->because[i]);
                const struct yaml *citation = yaml_get(x->mapping->sources[k].node, "citation");
                put(x, artifact, "citation",
                    citation != NULL ? citation->scalar.text : row->because[i]);
                json_append(list, artifact);
            }
        }
    }
    return list;
}

static struct json *row_action(struct exporting *x, const struct row *row)
{
    static const char *const titles[] = {"propose", "hand over", "drop"};
    struct json *action = json_new_object(x->arena);
    struct buf test;
    buf_init(&test, x->arena, TEXT_MOST);
    for (size_t i = 0; i < x->mapping->input_count; i++) {
        add_test(&test, &x->mapping->inputs[i], row->cells[i]);
    }
    put(x, action, "prefix", slice_of(titles[row->action]));
    put(x, action, "title", row->target);
    if (row->say.len != 0 || row->ask.len != 0) {
        put(x, action, "textEquivalent", row->say.len != 0 ? row->say : row->ask);
    }
    put_list(x, action, "documentation", row_documentation(x, row));
    if (test.len != 0) {
        put_json(x, action, "condition", condition(x, buf_view(&test)));
    }
    if (row->action == ACTION_PROPOSE) {
        put_list(x, action, "action", plan_action(x, mapping_find_plan(x->mapping, row->target)));
    }
    return action;
}

static struct json *hold_action(struct exporting *x, const struct hold *hold)
{
    struct json *action = json_new_object(x->arena);
    put(x, action, "prefix", SLICE("hold"));
    put(x, action, "title", hold->id);
    put(x, action, "textEquivalent", SLICE("No proposal while this is true, or not known."));
    put_json(x, action, "condition", condition(x, expression_text(&hold->when)));
    return action;
}

static struct json *all_goals(struct exporting *x)
{
    struct json *goals = json_new_array(x->arena);
    for (size_t i = 0; i < x->mapping->plan_count; i++) {
        for (size_t k = 0; k < x->mapping->plans[i].goal_count; k++) {
            json_append(goals, goal_json(x, &x->mapping->plans[i], &x->mapping->plans[i].goals[k]));
        }
    }
    return goals;
}

static void add_plan_definition(struct exporting *x)
{
    const struct mapping *m = x->mapping;
    struct slice id = id_of(x, m->name, SLICE_NONE);
    struct json *plan = add_definition(x, "PlanDefinition", id, m->name, m->name);
    struct json *actions = json_new_array(x->arena);
    put_json(
        x, plan, "type",
        concept_of(x, "http://terminology.hl7.org/CodeSystem/plan-definition-type", "eca-rule"));
    if (m->domain.len != 0) {
        put_json(x, plan, "topic", one(json_new_array(x->arena), text_concept(x, m->domain)));
    }
    put(x, plan, "description",
        SLICE("Proposals for a named clinician to accept, change or leave. Exactly one of the "
              "actions propose, hand over and drop applies, unless a hold does."));
    put_json(x, plan, "library",
             one(json_new_array(x->arena), text_json(x, canonical(x, "Library", id))));
    put_list(x, plan, "goal", all_goals(x));
    for (size_t i = 0; i < m->hold_count; i++) {
        json_append(actions, hold_action(x, &m->holds[i]));
    }
    for (size_t i = 0; i < m->row_count; i++) {
        json_append(actions, row_action(x, &m->rows[i]));
    }
    put_list(x, plan, "action", actions);
}

struct json *mapping_plan_definition(const struct mapping *mapping, struct arena *arena)
{
    struct exporting x = {mapping, arena, json_new_array(arena)};
    struct json *bundle = json_new_object(arena);
    put(&x, bundle, "resourceType", SLICE("Bundle"));
    put(&x, bundle, "type", SLICE("collection"));
    add_plan_definition(&x);
    add_library(&x);
    for (size_t i = 0; i < mapping->plan_count; i++) {
        for (size_t k = 0; k < mapping->plans[i].order_count; k++) {
            add_activity(&x, &mapping->plans[i], &mapping->plans[i].orders[k]);
        }
    }
    for (size_t i = 0; i < mapping->set_count; i++) {
        add_value_set(&x, &mapping->sets[i]);
    }
    put_json(&x, bundle, "entry", x.entries);
    return bundle;
}
