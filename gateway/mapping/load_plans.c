#include "gateway/mapping/describe.h"
#include "gateway/mapping/safety.h"

/* What a daemon may propose (clinical/REVIEW.md, "Who decides"); a mapping cannot ask for more. */
static const struct {
    const char *type;
    const char *element;
    const char *words[2];
} allowed[] = {
    {"CarePlan", "status", {"draft", NULL}},
    {"CarePlan", "intent", {"proposal", "plan"}},
    {"Goal", "lifecycleStatus", {"proposed", NULL}},
    {"ServiceRequest", "status", {"draft", NULL}},
    {"ServiceRequest", "intent", {"proposal", "plan"}},
};

static void check_allowed(struct loader *l, const struct yaml *resource, struct slice type)
{
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        if (!slice_is(type, allowed[i].type)) {
            continue;
        }
        const struct yaml *node = yaml_get(resource, allowed[i].element);
        if (node == NULL) {
            load_fault(l, DIAG_MAPPING_KEY_MISSING, resource->span,
                       "the element \"%s\" is missing here", allowed[i].element);
        } else if (node->kind == YAML_LIST) {
            continue; /* FHIR has one value here, and that is told */
        } else if (node->kind != YAML_SCALAR ||
                   (!slice_is(node->scalar.text, allowed[i].words[0]) &&
                    (allowed[i].words[1] == NULL ||
                     !slice_is(node->scalar.text, allowed[i].words[1])))) {
            struct diag *diag =
                load_fault(l, DIAG_MAPPING_FORBIDDEN, node->span,
                           "the gateway proposes; only a named person makes it more than that");
            diag_hint(l->diags, diag, "write %s: %s", allowed[i].element, allowed[i].words[0]);
        }
    }
    const struct yaml *contained = yaml_get(resource, "contained");
    if (contained != NULL) {
        load_fault(l, DIAG_MAPPING_FORBIDDEN, contained->key.span,
                   "a plan contains no other resources: each is an item of its own");
    }
    const struct yaml *author = yaml_get(resource, "author");
    if (author != NULL) {
        load_fault(l, DIAG_MAPPING_FORBIDDEN, author->key.span,
                   "a proposal has no author: nobody has accepted it yet");
    }
}

/* ---- one resource ---- */

static const struct template *load_resource(struct loader *l, const struct yaml *node,
                                            const char *wanted)
{
    const struct yaml *type_node = yaml_get(node, "resourceType");
    if (type_node == NULL) {
        load_fault(l, DIAG_MAPPING_KEY_MISSING, node->span,
                   "the element \"resourceType\" is missing here");
        return NULL;
    }
    struct slice name = load_text(l, type_node);
    const struct model_type *type = model_type_find(l->model, name);
    if (type == NULL || !slice_is(name, wanted)) {
        struct diag *diag =
            load_fault(l, DIAG_MAPPING_FORBIDDEN, type_node->span,
                       "a %s is expected here, not \"%.*s\"", wanted, SLICE_ARGS(name));
        diag_hint(l->diags, diag,
                  "a plan has a CarePlan, Goals and ServiceRequests; anything else is a prompt");
        return NULL;
    }
    check_allowed(l, node, name);
    return load_template(l, node, type);
}

/* ---- parts ---- */

static void read_part_name(struct loader *l, const struct yaml *node, void *target)
{
    ((struct part_rule *)target)->name = load_name(l, node);
}

struct parameter {
    struct slice name;
    struct slice kind; /* text-key, code, quantity */
    bool optional;
};

static struct parameter read_parameter(struct loader *l, const struct yaml *node);

/* What a plan is made of. */
static const char *const planned[] = {"CarePlan", "Goal", "ServiceRequest"};

static void read_params(struct loader *l, const struct yaml *node, void *target)
{
    if (load_is(l, node, YAML_MAP)) {
        ((struct part_rule *)target)->params = node;
        for (const struct yaml *it = node->first; it != NULL && l->describing; it = it->next) {
            read_parameter(l, it);
        }
    }
}

static void read_part_resource(struct loader *l, const struct yaml *node, void *target)
{
    for (size_t i = 0; l->describing && i < sizeof planned / sizeof *planned; i++) {
        load_template(l, describe_or(l, node), model_type_find(l->model, slice_of(planned[i])));
    }
    if (!l->describing && load_is(l, node, YAML_MAP)) {
        ((struct part_rule *)target)->resource = node;
    }
}

void load_part(struct loader *l, const struct yaml *root)
{
    static const struct field fields[] = {{"part", true, read_part_name},
                                          {"params", true, read_params},
                                          {"resource", true, read_part_resource}};
    struct part_rule part = {.span = root->span};
    load_map(l, root, fields, 3, &part);
    for (size_t i = 0; i < l->part_count; i++) {
        if (part.name.len != 0 && slice_equal(l->parts[i].name, part.name)) {
            load_fault(l, DIAG_MAPPING_DUPLICATE, root->span,
                       "the part \"%.*s\" stands in %.*s already", SLICE_ARGS(part.name),
                       SLICE_ARGS(load_place(l, l->parts[i].span)));
        }
    }
    LOAD_ADD(l, l->parts, l->part_count, part);
}

static struct parameter read_parameter(struct loader *l, const struct yaml *node)
{
    static const char *const kinds[] = {"text-key", "code", "quantity"};
    struct parameter parameter = {.name = node->key.text};
    size_t which = 0;
    if (l->describing) {
        const struct yaml *map = describe_or(l, node);
        load_choice(l, describe_or(l, node), kinds, 3, &which);
        for (size_t i = 0; i < 3; i++) {
            describe_words(l, describe_member(l, map, kinds[i]), (const char *const[]){"optional"},
                           1);
        }
    } else if (node->kind == YAML_MAP && node->count == 1) {
        parameter.kind = node->first->key.text;
        parameter.optional = slice_is(node->first->scalar.text, "optional");
    } else if (load_choice(l, node, kinds, 3, &which)) {
        parameter.kind = slice_of(kinds[which]);
    }
    return parameter;
}

static void add_with(struct loader *l, struct item_rule *item, struct slice name,
                     struct path_item value, bool given)
{
    struct path_item *items = ARENA_NEW(l->arena, struct path_item);
    *items = value;
    struct with_value published = {.name = name,
                                   .place = load_place_of(l, name),
                                   .items = {items, given ? (size_t)1 : (size_t)0}};
    LOAD_ADD(l, item->with, item->with_count, published);
}

static struct slice unit_of(struct slice quantity)
{
    size_t space = slice_find(quantity, SLICE(" "), 0);
    return space == SIZE_MAX ? SLICE_NONE : slice_part(quantity, space + 1, SIZE_MAX);
}

/* "5 d/wk": a number, a space, a UCUM unit. */
static bool add_with_quantity(struct loader *l, struct item_rule *item, const struct yaml *argument,
                              struct slice name, struct slice unit_name)
{
    struct slice rest = argument != NULL ? load_text(l, argument) : SLICE_NONE;
    struct slice number = SLICE_NONE;
    struct decimal *value = ARENA_NEW(l->arena, struct decimal);
    if (argument != NULL && safety_unit(unit_of(rest)) != NULL) {
        load_fault(l, DIAG_MAPPING_FORBIDDEN, argument->span,
                   "a plan has no weight target and counts no calories");
        return false;
    }
    if (argument != NULL && (!slice_cut(&rest, ' ', &number) ||
                             decimal_parse(number, value) != STATUS_OK || rest.len == 0)) {
        load_fault(l, DIAG_MAPPING_VALUE, argument->span,
                   "a quantity is expected here, such as 5 d/wk");
        return false;
    }
    add_with(l, item, name, (struct path_item){.kind = PATH_DECIMAL, .decimal = value},
             argument != NULL);
    add_with(l, item, unit_name, path_item_string(rest), argument != NULL);
    load_system_variable(l, name, PATH_DECIMAL, false);
    load_system_variable(l, unit_name, PATH_STRING, false);
    return true;
}

static void bind_code(struct loader *l, struct slice name, struct span span)
{
    const struct mapping *m = l->mapping;
    const struct concept *concept = mapping_find_code(m, name);
    load_use_name(l, "codes", name);
    if (concept != NULL) {
        load_check_code(l, concept, span);
        return;
    }
    struct slice *names = ARENA_ARRAY(l->arena, m->code_count + 1, struct slice);
    for (size_t i = 0; i < m->code_count; i++) {
        names[i] = m->codes[i].name;
    }
    struct diag *diag = load_fault(l, DIAG_MAPPING_UNDEFINED, span,
                                   "there is no code \"%.*s\" in concepts/", SLICE_ARGS(name));
    diag_hint_nearest(l->diags, diag, name, names, m->code_count);
}

static void bind_parameter(struct loader *l, struct item_rule *item,
                           const struct parameter *parameter, const struct yaml *use,
                           const struct yaml *argument)
{
    struct slice part = yaml_get(use, "$use")->scalar.text;
    struct slice name = arena_printf(l->arena, "with.%.*s", SLICE_ARGS(parameter->name));
    if (argument != NULL) {
        load_use_name(
            l, "params",
            arena_printf(l->arena, "%.*s.%.*s", SLICE_ARGS(part), SLICE_ARGS(parameter->name)));
    } else if (!parameter->optional) {
        load_fault(l, DIAG_MAPPING_KEY_MISSING, use->span, "the part needs \"%.*s\" in `with`",
                   SLICE_ARGS(parameter->name));
    }
    if (slice_is(parameter->kind, "quantity")) {
        add_with_quantity(l, item, argument, name,
                          arena_printf(l->arena, "%.*sUnit", SLICE_ARGS(name)));
        return;
    }
    struct slice text = argument != NULL ? load_text(l, argument) : SLICE_NONE;
    if (argument != NULL && slice_is(parameter->kind, "code")) {
        bind_code(l, text, argument->span);
    }
    if (argument != NULL && slice_is(parameter->kind, "text-key")) {
        load_use_text(l, text, argument->span);
    }
    add_with(l, item, name, path_item_string(text), argument != NULL);
    load_system_variable(l, name, PATH_STRING, false);
}

static void load_use(struct loader *l, const struct yaml *use, struct item_rule *item,
                     const char *wanted)
{
    const struct yaml *name_node = yaml_get(use, "$use");
    struct slice name = load_text(l, name_node);
    const struct part_rule *part = NULL;
    struct slice *names = ARENA_ARRAY(l->arena, l->part_count + 1, struct slice);
    for (size_t i = 0; i < l->part_count; i++) {
        names[i] = l->parts[i].name;
        part = slice_equal(names[i], name) ? &l->parts[i] : part;
    }
    if (part == NULL || part->params == NULL || part->resource == NULL) {
        struct diag *diag = load_fault(l, DIAG_MAPPING_UNDEFINED, name_node->span,
                                       "there is no part \"%.*s\" in parts/", SLICE_ARGS(name));
        diag_hint_nearest(l->diags, diag, name, names, l->part_count);
        return;
    }
    const struct yaml *with = yaml_get(use, "with");
    load_use_name(l, "parts", name);
    size_t before = l->variable_count;
    for (const struct yaml *param = part->params->first; param != NULL; param = param->next) {
        struct parameter parameter = read_parameter(l, param);
        bind_parameter(l, item, &parameter, use, yaml_get(with, parameter.name.at));
    }
    for (const struct yaml *given = with != NULL ? with->first : NULL; given != NULL;
         given = given->next) {
        if (yaml_get(part->params, given->key.text.at) == NULL) {
            load_fault(l, DIAG_MAPPING_KEY, given->key.span, "the part has no parameter \"%.*s\"",
                       SLICE_ARGS(given->key.text));
        }
    }
    item->resource = load_resource(l, part->resource, wanted);
    l->variable_count = before; /* %with.* is known inside the part only */
}

/* ---- items ---- */

/* What costs money is left out for a home where food may be short. */
static void read_costs(struct loader *l, const struct yaml *node)
{
    static const char *const words[] = {"money"};
    size_t which;
    if (load_choice(l, node, words, 1, &which) && l->mapping->food_at_risk_count == 0) {
        struct diag *diag = load_fault(l, DIAG_MAPPING_FORBIDDEN, node->span,
                                       "what costs money needs to know of homes that lack it");
        diag_hint(l->diags, diag, "add `food-at-risk:` with an expression to mapping.yaml");
    }
}

static const struct field use_fields[] = {{"$use", true, NULL},    {"with", false, NULL},
                                          {"$when", false, NULL},  {"$if-unknown", false, NULL},
                                          {"$costs", false, NULL}, {"$why", false, NULL}};
enum { USE_FIELDS = sizeof use_fields / sizeof *use_fields };

static void describe_item(struct loader *l, const struct yaml *node, const char *wanted)
{
    const struct yaml *use = describe_or(l, node);
    struct expr expr;
    load_map(l, use, use_fields, USE_FIELDS, NULL);
    load_text(l, yaml_get(use, "$use"));
    load_is(l, yaml_get(use, "with"), YAML_MAP);
    load_expr(l, yaml_get(use, "$when"), &expr);
    load_template(l, describe_or(l, node), model_type_find(l->model, slice_of(wanted)));
}

static void load_item(struct loader *l, const struct yaml *node, const char *section,
                      const char *wanted, struct item_rule *item)
{
    if (l->describing) {
        describe_item(l, node, wanted);
        return;
    }
    const struct yaml *costs = yaml_get(node, "$costs");
    *item = (struct item_rule){.span = node->key.span, .costs_money = costs != NULL};
    l->in_goals = section != NULL && slice_is(slice_of(section), "goals");
    l->item = node;
    load_check_words(l, node->key.text, node->key.span);
    if (costs != NULL) {
        read_costs(l, costs);
    }
    const struct yaml *why = yaml_get(node, "$why");
    if (why != NULL && why->kind == YAML_SCALAR) {
        item->why = why->scalar.text;
    }
    item->key = section != NULL
                    ? arena_printf(l->arena, "%s.%.*s", section, SLICE_ARGS(node->key.text))
                    : node->key.text;
    if (!load_is(l, node, YAML_MAP)) {
        return;
    }
    if (yaml_get(node, "$use") == NULL) {
        item->resource =
            load_resource(l, node, wanted); /* its own $when and $if-unknown are the template's */
        return;
    }
    static const char *const words[] = {"error", "omit", "include"};
    const struct yaml *when = yaml_get(node, "$when");
    const struct yaml *unknown = yaml_get(node, "$if-unknown");
    size_t which = 0;
    struct expr *expr = ARENA_NEW(l->arena, struct expr);
    load_map(l, node, use_fields, USE_FIELDS, NULL);
    if (when != NULL && load_expr(l, when, expr)) {
        item->when = expr;
    }
    if (unknown != NULL && load_choice(l, unknown, words, 3, &which)) {
        item->if_unknown = (enum if_unknown)which;
    }
    load_use(l, node, item, wanted);
}

/* target: how many items there are to choose from. */
static void read_most(struct loader *l, const struct yaml *node, void *target)
{
    uint64_t most = 0;
    const size_t *items = target;
    struct slice text = load_text(l, node);
    if (text.len != 0 && !l->describing &&
        (!slice_to_u64(text, &most) || most == 0 || most > *items)) {
        load_fault(l, DIAG_MAPPING_VALUE, node->span,
                   "a number from 1 to the %zu items of this section is expected here", *items);
    }
}

static void read_chooser(struct loader *l, const struct yaml *node, void *target)
{
    static const char *const words[] = {"family", "teen", "clinician"};
    size_t which;
    (void)target;
    load_choice(l, node, words, 3, &which);
}

/* Nobody's choice is made for them. */
static void read_preselect(struct loader *l, const struct yaml *node, void *target)
{
    static const char *const words[] = {"none"};
    size_t which;
    (void)target;
    load_choice(l, node, words, 1, &which);
}

static void read_choose(struct loader *l, const struct yaml *node, size_t items)
{
    static const struct field fields[] = {
        {"max", true, read_most}, {"by", true, read_chooser}, {"preselect", true, read_preselect}};
    load_map(l, node, fields, 3, &items);
}

static struct item_rule *load_items(struct loader *l, const struct yaml *node, const char *section,
                                    const char *wanted, size_t *count_out)
{
    *count_out = 0;
    if (node->kind == YAML_LIST) {
        struct diag *diag = load_fault(l, DIAG_MAPPING_SHAPE, node->span,
                                       "these items have no keys: %s are a map", section);
        diag_hint(l->diags, diag,
                  "give each a key that lasts: by it an item is found again in the EHR");
        return NULL;
    }
    if (!load_is(l, node, YAML_MAP)) {
        return NULL;
    }
    if (l->describing) {
        describe_member(l, node, "$choose");
    }
    struct item_rule *items = ARENA_ARRAY(l->arena, node->count + 1, struct item_rule);
    for (const struct yaml *member = node->first; member != NULL; member = member->next) {
        if (slice_is(member->key.text, "$choose")) {
            read_choose(l, member, node->count - 1);
        } else {
            load_item(l, member, section, wanted, &items[(*count_out)++]);
        }
    }
    return items;
}

/* ---- the plan ---- */

static void read_name(struct loader *l, const struct yaml *node, void *target)
{
    ((struct plan_rule *)target)->name = load_name(l, node);
}

static void read_public_id(struct loader *l, const struct yaml *node, void *target)
{
    struct plan_rule *plan = target;
    plan->public_id = load_name(l, node);
    plan->public_id_span = node->span;
    load_check_words(l, plan->public_id, node->span);
}

static void read_care_plan(struct loader *l, const struct yaml *node, void *target)
{
    load_item(l, node, NULL, "CarePlan", &((struct plan_rule *)target)->care_plan);
}

static void read_goals(struct loader *l, const struct yaml *node, void *target)
{
    struct plan_rule *plan = target;
    plan->goals_choose = yaml_get(node, "$choose");
    plan->goals = load_items(l, node, "goals", "Goal", &plan->goal_count);
}

static void read_orders(struct loader *l, const struct yaml *node, void *target)
{
    struct plan_rule *plan = target;
    plan->orders_choose = yaml_get(node, "$choose");
    plan->orders = load_items(l, node, "orders", "ServiceRequest", &plan->order_count);
}

struct prompt_rule *load_prompts(struct loader *l, const struct yaml *node, size_t *count_out)
{
    *count_out = 0;
    if (!load_is(l, node, YAML_LIST)) {
        return NULL;
    }
    struct prompt_rule *prompts = ARENA_ARRAY(l->arena, node->count + 1, struct prompt_rule);
    for (const struct yaml *entry = node->first; entry != NULL; entry = entry->next) {
        static const struct field fields[] = {{"$text", true, NULL}, {"$when", false, NULL}};
        struct prompt_rule prompt = {.span = entry->span};
        if (!load_map(l, entry, fields, 2, NULL)) {
            continue;
        }
        const struct yaml *key = yaml_get(entry, "$text");
        const struct yaml *when = yaml_get(entry, "$when");
        struct expr *expr = ARENA_NEW(l->arena, struct expr);
        prompt.key = key != NULL ? load_name(l, key) : SLICE_NONE;
        if (prompt.key.len != 0) {
            l->in_goals = false;
            load_use_text(l, prompt.key, key->span);
        }
        prompt.when = when != NULL && load_expr(l, when, expr) ? expr : NULL;
        prompts[(*count_out)++] = prompt;
    }
    return prompts;
}

static void read_prompts(struct loader *l, const struct yaml *node, void *target)
{
    struct plan_rule *plan = target;
    plan->prompts = load_prompts(l, node, &plan->prompt_count);
}

static void read_never(struct loader *l, const struct yaml *node, void *target)
{
    struct plan_rule *plan = target;
    plan->never = load_texts(l, node, &plan->never_count);
    for (const struct yaml *it = node->kind == YAML_LIST ? node->first : NULL; it != NULL;
         it = it->next) {
        struct slice word = it->kind == YAML_SCALAR ? it->scalar.text : SLICE_NONE;
        const struct model_type *type = model_type_find(l->model, word);
        if (word.len != 0 && !slice_is(word, "weight-target") && !slice_is(word, "calories") &&
            (type == NULL || type->kind != MODEL_RESOURCE)) {
            struct diag *diag =
                load_fault(l, DIAG_MAPPING_VALUE, it->span,
                           "\"%.*s\" is nothing that a plan could have", SLICE_ARGS(word));
            diag_hint(l->diags, diag, "write weight-target, calories, or a type of resource");
        }
    }
}

static void check_never_item(struct loader *l, const struct plan_rule *plan,
                             const struct item_rule *item)
{
    const struct template *type = item->resource != NULL ? item->resource->first : NULL;
    while (type != NULL && !slice_is(type->name, "resourceType")) {
        type = type->next;
    }
    for (size_t i = 0; i < plan->never_count && type != NULL; i++) {
        if (slice_equal(plan->never[i], json_text(type->literal))) {
            load_fault(l, DIAG_MAPPING_FORBIDDEN, item->span, "the plan's `never` forbids a %.*s",
                       SLICE_ARGS(plan->never[i]));
        }
    }
}

static void check_never(struct loader *l, const struct plan_rule *plan)
{
    check_never_item(l, plan, &plan->care_plan);
    for (size_t i = 0; i < plan->goal_count; i++) {
        check_never_item(l, plan, &plan->goals[i]);
    }
    for (size_t i = 0; i < plan->order_count; i++) {
        check_never_item(l, plan, &plan->orders[i]);
    }
}

/* What its resources say to staff, each text once. */
static void take_texts(struct loader *l, size_t first, struct plan_rule *plan)
{
    struct slice *texts = ARENA_ARRAY(l->arena, l->text_use_count - first + 1, struct slice);
    for (size_t i = first; i < l->text_use_count; i++) {
        struct slice key = l->text_uses[i].key;
        bool known = load_is_listed(texts, plan->text_count, key);
        for (size_t k = 0; k < plan->prompt_count && !known; k++) {
            known = slice_equal(plan->prompts[k].key, key);
        }
        if (!known) {
            texts[plan->text_count++] = key;
        }
    }
    plan->texts = texts;
}

void load_plan(struct loader *l, const struct yaml *root)
{
    static const struct field fields[] = {
        {"plan", true, read_name},           {"public-id", true, read_public_id},
        {"care-plan", true, read_care_plan}, {"goals", false, read_goals},
        {"orders", false, read_orders},      {"prompts", false, read_prompts},
        {"never", true, read_never},         {"on-accept", true, load_on_accept},
        {"owns", true, load_owns},
    };
    struct mapping *m = l->mapping;
    struct plan_rule plan = {.span = root->span, .layer = l->layer};
    const struct yaml *name = yaml_get(root, "plan");
    l->plan = name != NULL && name->kind == YAML_SCALAR ? name->scalar.text : SLICE_NONE;
    size_t texts_before = l->text_use_count;
    load_map(l, root, fields, sizeof fields / sizeof *fields, &plan);
    load_check_accept(l, yaml_get(root, "on-accept"), &plan);
    take_texts(l, texts_before, &plan);
    if (plan.name.len != 0 && mapping_find_plan(m, plan.name) != NULL) {
        struct diag *diag = load_fault(l, DIAG_MAPPING_DUPLICATE, root->span,
                                       "the plan \"%.*s\" is defined twice", SLICE_ARGS(plan.name));
        diag_hint(l->diags, diag, "it stands in %.*s already; a plan of one's own has its own name",
                  SLICE_ARGS(load_place(l, mapping_find_plan(m, plan.name)->span)));
    }
    if (slice_equal(plan.name, SHARED_TEXTS)) {
        load_fault(l, DIAG_MAPPING_VALUE, name->span,
                   "no plan is called \"shared\": the texts of that name belong to all plans");
    }
    check_never(l, &plan);
    LOAD_ADD(l, m->plans, m->plan_count, plan);
}
