/* One action that proposes, as a plan of a mapping with its texts for staff. */
#include "gateway/mapping/importing.h"

struct planning {
    struct importing *x;
    const struct definition *definition; /* the PlanDefinition */
    struct slice name;
    struct buf goals;
    struct buf orders;
    struct buf texts;
};

static struct slice unprefixed(struct slice title)
{
    struct slice part = title;
    for (struct slice rest = title; slice_cut(&rest, '.', &part);) {
    }
    return part;
}

/* A key that no item of the list has yet. */
static struct slice item_key(struct importing *x, const struct buf *list, struct slice text,
                             const char *otherwise)
{
    struct slice plain = import_word(x, unprefixed(text), otherwise);
    struct slice key = plain;
    for (unsigned n = 2;
         slice_find(buf_view(list), arena_printf(x->arena, "\n  %.*s:", SLICE_ARGS(key)), 0) !=
         SIZE_MAX;
         n++) {
        key = arena_printf(x->arena, "%.*s%u", SLICE_ARGS(plain), n);
    }
    return key;
}

static const struct json *find_goal(struct planning *p, struct slice id, size_t *index_out)
{
    size_t i = 0;
    const struct json *it = json_first(json_get(p->definition->resource, "goal"));
    for (; it != NULL && !slice_equal(json_get_text(it, "id"), id); it = json_next(it)) {
        i++;
    }
    *index_out = i;
    return it;
}

static struct slice concept_text(const struct json *concept)
{
    struct slice text = json_get_text(concept, "text");
    const struct json *coding = json_first(json_get(concept, "coding"));
    return text.len != 0 ? text : json_get_text(coding, "display");
}

/* "": it always applies. */
static struct slice when_of(struct importing *x, struct slice when)
{
    return slice_is(when, "true")
               ? SLICE("")
               : arena_printf(x->arena, "%.*s", SLICE_ARGS(import_quoted(x, when)));
}

static void add_goal(struct planning *p, struct slice title, struct slice id, struct slice when,
                     struct slice at)
{
    struct importing *x = p->x;
    size_t index;
    const struct json *goal = find_goal(p, id, &index);
    struct slice text = concept_text(json_get(goal, "description"));
    if (text.len == 0) {
        import_leave(x, at, "leads to no goal that says in words what it is");
        return;
    }
    struct slice key = item_key(x, &p->goals, title.len != 0 ? title : text, "goal");
    struct slice condition = when_of(x, when);
    buf_printf(&p->goals, "\n  %.*s: { $use: step, with: { text: goal.%.*s }%s%.*s }",
               SLICE_ARGS(key), SLICE_ARGS(key), condition.len != 0 ? ", $when: " : "",
               SLICE_ARGS(condition));
    buf_printf(&p->texts, "  goal.%.*s: %.*s\n", SLICE_ARGS(key),
               SLICE_ARGS(import_quoted(x, text)));
    if (!x->goals_used[index]) {
        x->goals_used[index] = true;
        import_leave_others(x, goal, import_at_index(x, p->definition->at, "goal", index),
                            (const char *const[]){"description", NULL});
    }
}

static void add_order(struct planning *p, const struct json *action, struct slice when,
                      struct slice at)
{
    static const char *const read[] = {"version", "name", "title", "kind", "code", "intent", NULL};
    struct importing *x = p->x;
    struct definition *activity =
        import_find(x, "ActivityDefinition", json_get_text(action, "definitionCanonical"));
    const struct json *resource = activity != NULL ? activity->resource : NULL;
    const struct json *coding = json_first(json_get(json_get(resource, "code"), "coding"));
    struct slice code = json_get_text(coding, "code");
    if (!slice_is(json_get_text(resource, "kind"), "ServiceRequest") || code.len == 0) {
        import_leave(x, import_at(x, at, "definitionCanonical"),
                     "leads to no ActivityDefinition of a ServiceRequest with a code");
        return;
    }
    struct slice title = json_get_text(action, "title");
    struct slice display = json_get_text(coding, "display");
    struct slice key = item_key(x, &p->orders, title.len != 0 ? title : display, "order");
    struct slice concept = import_word(
        x, arena_printf(x->arena, "%.*s %.*s", SLICE_ARGS(p->name), SLICE_ARGS(key)), "order");
    struct slice condition = when_of(x, when);
    buf_printf(&p->orders, "\n  %.*s:\n", SLICE_ARGS(key));
    if (condition.len != 0) {
        buf_printf(&p->orders, "    $when: %.*s\n", SLICE_ARGS(condition));
    }
    buf_printf(&p->orders,
               "    resourceType: ServiceRequest\n    status: draft\n    intent: proposal\n"
               "    code: { $code: %.*s }\n"
               "    subject: { reference: \"Patient/{{ %%patient.id }}\" }",
               SLICE_ARGS(concept));
    buf_printf(&x->codes, "  %.*s: { system: %.*s, code: %.*s, display: %.*s, status: memory }\n",
               SLICE_ARGS(concept), SLICE_ARGS(import_quoted(x, json_get_text(coding, "system"))),
               SLICE_ARGS(import_quoted(x, code)),
               SLICE_ARGS(import_quoted(x, display.len != 0 ? display : code)));
    if (!activity->used) {
        activity->used = true;
        import_leave_others(x, resource, activity->at, read);
    }
}

/* The goals and the activity that one action names. */
static void add_items(struct planning *p, const struct json *action, struct slice at,
                      struct slice when)
{
    size_t i = 0;
    const struct json *it = json_first(json_get(action, "goalId"));
    struct slice title =
        json_count(json_get(action, "goalId")) == 1 ? json_get_text(action, "title") : SLICE_NONE;
    for (; it != NULL; it = json_next(it), i++) {
        add_goal(p, title, json_text(it), when, import_at_index(p->x, at, "goalId", i));
    }
    if (json_get(action, "definitionCanonical") != NULL) {
        add_order(p, action, when, at);
    }
}

static void add_children(struct planning *p, const struct json *action, struct slice at)
{
    static const char *const read[] = {"title", "condition", "goalId", "definitionCanonical", NULL};
    size_t i = 0;
    const struct json *it = json_first(json_get(action, "action"));
    for (; it != NULL; it = json_next(it), i++) {
        struct slice when;
        struct slice place = import_at_index(p->x, at, "action", i);
        if (!import_condition(p->x, it, place, &when)) {
            continue;
        }
        if (json_get(it, "goalId") == NULL && json_get(it, "definitionCanonical") == NULL) {
            import_leave(p->x, place, "names no goal and no activity");
            continue;
        }
        add_items(p, it, place, when);
        import_leave_others(p->x, it, place, read);
    }
}

static void write_care_plan(struct planning *p, struct buf *out)
{
    struct importing *x = p->x;
    buf_add_cstr(out, "care-plan:\n  resourceType: CarePlan\n  status: draft\n  intent: proposal\n"
                      "  title: { $text: title, for: staff }\n"
                      "  subject: { reference: \"Patient/{{ %patient.id }}\" }\n");
    if (x->encounter.len != 0) {
        buf_printf(out, "  encounter: { reference: \"Encounter/{{ %%%.*s.id }}\" }\n",
                   SLICE_ARGS(x->encounter));
    }
    buf_add_cstr(out, "  period: { start: \"{{ %visit.date }}\", end: \"{{ %visit.date + 3 months "
                      "}}\" }\n");
    buf_add_cstr(out, p->goals.len != 0 ? "  goal: { $refs: goals }\n" : "");
    buf_add_cstr(out, p->orders.len != 0 ? "  activity: { $refs: orders, as: reference }\n" : "");
}

static void write_plan(struct planning *p, struct slice public_id)
{
    struct buf out;
    buf_init(&out, p->x->arena, IMPORT_FILE_MOST);
    buf_printf(&out, "plan: %.*s\npublic-id: %.*s\n", SLICE_ARGS(p->name), SLICE_ARGS(public_id));
    write_care_plan(p, &out);
    if (p->goals.len != 0) {
        buf_printf(&out, "goals:\n  $choose: { max: 2, by: family, preselect: none }%.*s\n",
                   SLICE_ARGS(buf_view(&p->goals)));
    }
    if (p->orders.len != 0) {
        buf_printf(&out, "orders:%.*s\n", SLICE_ARGS(buf_view(&p->orders)));
    }
    buf_add_cstr(&out, "never: [Observation, Condition, MedicationRequest]\n"
                       "on-accept:\n"
                       "  care-plan: { status: active, intent: plan, author: { reference: \"{{ "
                       "%acceptor }}\" } }\n");
    buf_add_cstr(&out, p->goals.len != 0 ? "  goals: { lifecycleStatus: active, expressedBy: { "
                                           "reference: \"{{ %speaker }}\" } }\n"
                                         : "");
    buf_add_cstr(&out, "owns:\n  gateway: [care-plan.title, care-plan.period]\n"
                       "  clinician: [\"*.status\", \"*.note\"]\n");
    import_file(p->x, arena_printf(p->x->arena, "plans/%.*s.yaml", SLICE_ARGS(p->name)), &out);
}

static void write_texts(struct planning *p, struct slice title)
{
    struct buf out;
    buf_init(&out, p->x->arena, IMPORT_FILE_MOST);
    buf_printf(&out,
               "text: %.*s\nlanguage: en\ngrade: 6\n"
               "reviewed: { as: family-text, by: none, on: none }\nstaff:\n  title: %.*s\n%.*s",
               SLICE_ARGS(p->name), SLICE_ARGS(import_quoted(p->x, title)),
               SLICE_ARGS(buf_view(&p->texts)));
    import_file(p->x, arena_printf(p->x->arena, "texts/%.*s.en.yaml", SLICE_ARGS(p->name)), &out);
}

static const struct imported_file *find_file(const struct importing *x, struct slice path)
{
    const struct imported_file *it = x->out->files;
    while (it != NULL && !slice_equal(it->path, path)) {
        it = it->next;
    }
    return it;
}

/* Written with the first plan that has goals. */
static void need_step(struct importing *x)
{
    struct buf out;
    if (find_file(x, SLICE("parts/step.yaml")) != NULL) {
        return;
    }
    buf_init(&out, x->arena, IMPORT_FILE_MOST);
    buf_add_cstr(&out, "part: step\nparams:\n  text: text-key\nresource:\n  resourceType: Goal\n"
                       "  lifecycleStatus: proposed\n"
                       "  description: { text: { $text: \"{{ %with.text }}\", for: staff } }\n"
                       "  subject: { reference: \"Patient/{{ %patient.id }}\" }\n"
                       "  startDate: \"{{ %visit.date }}\"\n");
    import_file(x, SLICE("parts/step.yaml"), &out);
}

static struct slice plan_path(struct importing *x, struct slice name)
{
    return arena_printf(x->arena, "plans/%.*s.yaml", SLICE_ARGS(name));
}

/* An earlier action of the same title and content: two rows of one plan. */
static bool stands_before(const struct definition *plan, const struct json *action)
{
    const struct json *it = json_first(json_get(plan->resource, "action"));
    for (; it != NULL && it != action; it = json_next(it)) {
        const struct json *mine = json_get(action, "action");
        const struct json *theirs = json_get(it, "action");
        if (slice_equal(json_get_text(it, "title"), json_get_text(action, "title")) &&
            mine != NULL && theirs != NULL && json_equal(mine, theirs)) {
            return true;
        }
    }
    return false;
}

struct slice import_plan(struct importing *x, const struct definition *plan,
                         const struct json *action, struct slice at)
{
    struct planning p = {.x = x, .definition = plan};
    struct slice title = json_get_text(action, "title");
    struct slice plain = import_slug(x, title, "plan");
    size_t number = 1;
    p.name = plain;
    if (find_file(x, plan_path(x, plain)) != NULL && stands_before(plan, action)) {
        return plain;
    }
    while (find_file(x, plan_path(x, p.name)) != NULL) {
        p.name = arena_printf(x->arena, "%.*s-%zu", SLICE_ARGS(plain), ++number);
    }
    for (const struct imported_file *it = x->out->files; it != NULL; it = it->next) {
        number += slice_starts_with(it->path, SLICE("plans/"));
    }
    buf_init(&p.goals, x->arena, IMPORT_FILE_MOST);
    buf_init(&p.orders, x->arena, IMPORT_FILE_MOST);
    buf_init(&p.texts, x->arena, IMPORT_FILE_MOST);
    add_items(&p, action, at, SLICE("true"));
    add_children(&p, action, at);
    if (p.goals.len != 0) {
        need_step(x);
    }
    write_plan(&p, arena_printf(x->arena, "im-%02zu", number));
    write_texts(&p, title.len != 0 ? title : p.name);
    return p.name;
}
