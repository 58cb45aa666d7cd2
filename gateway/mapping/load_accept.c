#include "gateway/mapping/load.h"
#include "gateway/plan/owns.h"

/* ---- on-accept ---- */

/* What acceptance sets: elements of the resource, one after the other. */
static const struct template *read_accepted(struct loader *l, const struct yaml *node,
                                            const char *type_name)
{
    const struct model_type *type = model_type_find(l->model, slice_of(type_name));
    struct template *object = ARENA_NEW(l->arena, struct template);
    *object = (struct template){.kind = TEMPLATE_OBJECT, .span = node->span};
    const struct template **last = &object->first;
    for (const struct yaml *member = load_is(l, node, YAML_MAP) ? node->first : NULL;
         member != NULL; member = member->next) {
        bool empty = member->kind == YAML_MAP && member->count == 0;
        struct template *value = load_template_member(l, member, type);
        if (empty) {
            load_fault(l, DIAG_MAPPING_SHAPE, member->key.span,
                       "there is nothing in this: FHIR has no empty elements");
        } else if (value != NULL) {
            *last = value;
            last = (const struct template **)&value->next;
        }
    }
    return object;
}

/* Accepting makes more of a proposal than it was: without this it would stay what it is. */
static void require_state(struct loader *l, const struct yaml *node, const char *element,
                          const char *const *words, size_t count)
{
    size_t which;
    const struct yaml *state = yaml_get(node, element);
    if (l->describing || node->kind != YAML_MAP) {
        return;
    }
    if (state == NULL) {
        struct diag *diag = load_fault(l, DIAG_MAPPING_KEY_MISSING, node->span,
                                       "the element \"%s\" is missing here", element);
        diag_hint(l->diags, diag,
                  "write %s: active; it would stay a proposal after it was accepted", element);
    } else if (state->kind == YAML_SCALAR) { /* of anything else its shape is told */
        load_choice(l, state, words, count, &which);
    }
}

static void accept_care_plan(struct loader *l, const struct yaml *node, void *target)
{
    static const char *const words[] = {"active"};
    ((struct plan_rule *)target)->accept_care_plan = read_accepted(l, node, "CarePlan");
    require_state(l, node, "status", words, 1);
}

static void accept_goals(struct loader *l, const struct yaml *node, void *target)
{
    static const char *const words[] = {"active", "accepted", "planned"};
    ((struct plan_rule *)target)->accept_goals = read_accepted(l, node, "Goal");
    require_state(l, node, "lifecycleStatus", words, 3);
}

static void accept_orders(struct loader *l, const struct yaml *node, void *target)
{
    ((struct plan_rule *)target)->accept_orders = read_accepted(l, node, "ServiceRequest");
}

/* What the clinician is asked at acceptance, to be charted as done. */
static void accept_record(struct loader *l, const struct yaml *node, void *target)
{
    static const char *const words[] = {"ask"};
    size_t which;
    ((struct plan_rule *)target)->accept_record = node;
    for (const struct yaml *member = load_is(l, node, YAML_MAP) ? node->first : NULL;
         member != NULL; member = member->next) {
        load_choice(l, member, words, 1, &which);
    }
}

void load_on_accept(struct loader *l, const struct yaml *node, void *target)
{
    static const struct field fields[] = {{"care-plan", true, accept_care_plan},
                                          {"goals", false, accept_goals},
                                          {"orders", false, accept_orders},
                                          {"record", false, accept_record}};
    load_map(l, node, fields, 4, target);
}

void load_check_accept(struct loader *l, const struct yaml *node, const struct plan_rule *plan)
{
    if (node != NULL && node->kind == YAML_MAP && plan->goal_count != 0 &&
        yaml_get(node, "goals") == NULL) {
        struct diag *diag = load_fault(l, DIAG_MAPPING_KEY_MISSING, node->span,
                                       "the key \"goals\" is missing here");
        diag_hint(
            l->diags, diag,
            "write goals: { lifecycleStatus: active }; those that the family chose would stay "
            "proposals");
    }
}

/* ---- owns ---- */

static struct slice section_type(struct slice item)
{
    return slice_is(item, "care-plan")                 ? SLICE("CarePlan")
           : slice_starts_with(item, SLICE("goals."))  ? SLICE("Goal")
           : slice_starts_with(item, SLICE("orders.")) ? SLICE("ServiceRequest")
                                                       : SLICE_NONE;
}

static bool is_element(struct loader *l, struct slice type_name, struct slice path)
{
    struct slice rest = path;
    struct slice name = SLICE_NONE;
    const struct model_type *type = model_type_find(l->model, type_name);
    while (type != NULL && slice_cut(&rest, '.', &name)) {
        struct model_member member = model_element_by_path(l->model, type, name);
        if (member.element == NULL) {
            member = model_element_by_json(l->model, type, name);
        }
        if (member.element == NULL) {
            return false;
        }
        type = member.type;
    }
    return rest.at == NULL;
}

static bool is_any_element(struct loader *l, struct slice path)
{
    return is_element(l, SLICE("CarePlan"), path) || is_element(l, SLICE("Goal"), path) ||
           is_element(l, SLICE("ServiceRequest"), path);
}

static void check_pattern(struct loader *l, const struct yaml *node)
{
    struct slice item;
    struct slice path;
    struct slice pattern = node->kind == YAML_SCALAR ? node->scalar.text : SLICE_NONE;
    bool split = plan_owns_split(pattern, &item, &path);
    struct slice type = split ? section_type(item) : SLICE_NONE;
    if (pattern.len == 0) {
        return; /* told already */
    }
    if (!split || (type.len == 0 && !slice_is(item, "*"))) {
        struct diag *diag = load_fault(l, DIAG_MAPPING_VALUE, node->span,
                                       "\"%.*s\" names no element of an item", SLICE_ARGS(pattern));
        diag_hint(l->diags, diag,
                  "write care-plan.ELEMENT, goals.*.ELEMENT, orders.KEY.ELEMENT or \"*.ELEMENT\"");
    } else if (type.len != 0 ? !is_element(l, type, path) : !is_any_element(l, path)) {
        load_fault(l, DIAG_MAPPING_ELEMENT, node->span, "\"%.*s\" is no element of %.*s",
                   SLICE_ARGS(path), SLICE_ARGS(type.len != 0 ? type : SLICE("what a plan has")));
    }
}

static struct slice *read_patterns(struct loader *l, const struct yaml *node, size_t *count_out)
{
    for (const struct yaml *it = node->kind == YAML_LIST ? node->first : NULL; it != NULL;
         it = it->next) {
        check_pattern(l, it);
    }
    return load_texts(l, node, count_out);
}

static void read_gateway(struct loader *l, const struct yaml *node, void *target)
{
    struct plan_rule *plan = target;
    plan->owns.gateway = read_patterns(l, node, &plan->owns.gateway_count);
}

static void read_clinician(struct loader *l, const struct yaml *node, void *target)
{
    struct plan_rule *plan = target;
    plan->owns.clinician = read_patterns(l, node, &plan->owns.clinician_count);
}

void load_owns(struct loader *l, const struct yaml *node, void *target)
{
    static const struct field fields[] = {{"gateway", true, read_gateway},
                                          {"clinician", true, read_clinician}};
    load_map(l, node, fields, 2, target);
}
