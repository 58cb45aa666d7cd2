#include "gateway/mapping/case_run.h"

/*
 * All that a case makes, as text: cases/NAME/whole.yaml, or whole-3.yaml of its third neighbour. It
 * is written by `eplan test --update` for a person to read, and compared word for word after that:
 * searches, row with its bands and sources, prompts, every resource, what the family reads.
 */

enum { DEPTH_MOST = 64, TEXT_MOST = 4 * 1024 * 1024 };

/* ---- what there is ---- */

static void add_text(struct arena *arena, struct json *object, struct slice name, struct slice text)
{
    json_add(arena, object, name, json_new_string(arena, text));
}

static struct json *add_object(struct arena *arena, struct json *object, const char *name)
{
    struct json *made = json_new_object(arena);
    json_add(arena, object, slice_of(name), made);
    return made;
}

static struct json *json_of(struct arena *arena, const struct yaml *node)
{
    if (node->kind == YAML_SCALAR) {
        return json_new_string(arena, node->scalar.text);
    }
    bool map = node->kind == YAML_MAP;
    struct json *made = map ? json_new_object(arena) : json_new_array(arena);
    for (const struct yaml *it = node->first; it != NULL; it = it->next) {
        if (map) {
            json_add(arena, made, it->key.text, json_of(arena, it));
        } else {
            json_append(made, json_of(arena, it));
        }
    }
    return made;
}

/* "age=child" is "child, 72 to 143" of a band. */
static void add_cell(struct arena *arena, struct json *row, const struct input *input,
                     struct slice cell)
{
    struct slice value = slice_part(cell, input->name.len + 1, SIZE_MAX);
    for (size_t i = 0; input->bands && i < input->count; i++) {
        if (!slice_equal(input->values[i], value)) {
            continue;
        }
        value = i + 1 < input->count
                    ? arena_printf(arena, "%.*s, %lld to %lld", SLICE_ARGS(value),
                                   (long long)input->from[i], (long long)input->from[i + 1] - 1)
                    : arena_printf(arena, "%.*s, from %lld", SLICE_ARGS(value),
                                   (long long)input->from[i]);
        break;
    }
    add_text(arena, row, input->name, value);
}

static void add_row(struct arena *arena, struct json *whole, const struct mapping *m,
                    const struct evaluation_result *result)
{
    struct json *row = add_object(arena, whole, "row");
    for (size_t i = 0; i < m->input_count && i < result->cell_count; i++) {
        add_cell(arena, row, &m->inputs[i], result->cells[i]);
    }
    if (result->row >= m->row_count) {
        return;
    }
    struct json *because = add_object(arena, whole, "because");
    for (size_t i = 0; i < m->rows[result->row].because_count; i++) {
        for (size_t k = 0; k < m->source_count; k++) {
            if (slice_equal(m->sources[k].name, m->rows[result->row].because[i])) {
                json_add(arena, because, m->sources[k].name, json_of(arena, m->sources[k].node));
            }
        }
    }
}

static void add_searches(struct arena *arena, struct json *whole, const struct mapping *m,
                         const struct case_run *run, const struct limits *limits)
{
    struct diag_list unheard;
    struct fact_request *requests;
    size_t count = 0;
    diag_init(&unheard, arena, 1);
    struct json *searches = add_object(arena, whole, "searches");
    if (mapping_requests(m, arena, run->input.patient, &run->input.visit, limits, &unheard,
                         &requests, &count) != STATUS_OK) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        add_text(arena, searches, requests[i].name, requests[i].query);
    }
}

/* "goal.water" and "goal.water.school" are texts of an item that was given the text "goal.water".
 */
static bool is_text_of(const struct item_rule *item, struct slice key)
{
    for (size_t i = 0; i < item->with_count; i++) {
        const struct path_items *given = &item->with[i].items;
        if (given->count == 1 && given->at[0].kind == PATH_STRING) {
            struct slice text = given->at[0].text;
            if (slice_equal(key, text) ||
                (slice_starts_with(key, text) && key.len > text.len && key.at[text.len] == '.')) {
                return true;
            }
        }
    }
    return false;
}

/* A family text of `shared` that the plan has not itself. */
static bool is_shared_by(const struct mapping *m, struct slice plan_name,
                         const struct text_file *file, const struct text_entry *entry)
{
    const struct plan_rule *plan = mapping_find_plan(m, plan_name);
    if (plan == NULL || !slice_equal(file->plan, SHARED_TEXTS) || entry->audience != FOR_FAMILY ||
        mapping_find_own_text(m, plan_name, file->language, FOR_FAMILY, entry->key) != NULL) {
        return false;
    }
    bool told = slice_is(entry->key, "title") || slice_is(entry->key, "intro");
    for (size_t i = 0; i < plan->goal_count && !told; i++) {
        told = is_text_of(&plan->goals[i], entry->key);
    }
    return told;
}

static void add_texts(struct arena *arena, struct json *whole, const struct mapping *m,
                      const struct evaluation_result *result)
{
    struct json *prompts = add_object(arena, whole, "prompts");
    for (size_t i = 0; i < result->prompt_count; i++) {
        for (size_t k = 0; k < m->staff_language_count; k++) {
            const struct text_entry *entry = mapping_find_text(
                m, result->plan, m->staff_languages[k], FOR_STAFF, result->prompts[i]);
            struct slice name = arena_printf(arena, "%.*s.%.*s", SLICE_ARGS(result->prompts[i]),
                                             SLICE_ARGS(m->staff_languages[k]));
            add_text(arena, prompts, name, entry != NULL ? entry->text : SLICE_NONE);
        }
    }
    struct json *family = add_object(arena, whole, "family");
    for (size_t i = 0; i < m->text_count; i++) {
        const struct text_file *file = &m->texts[i];
        bool own = slice_equal(file->plan, result->plan);
        for (size_t k = 0; k < file->count; k++) {
            if (own ? file->entries[k].audience == FOR_FAMILY
                    : is_shared_by(m, result->plan, file, &file->entries[k])) {
                struct slice name = arena_printf(arena, "%.*s.%.*s", SLICE_ARGS(file->language),
                                                 SLICE_ARGS(file->entries[k].key));
                json_set(arena, family, name, json_new_string(arena, file->entries[k].text));
            }
        }
    }
}

static const struct item_rule *rule_of(const struct plan_rule *plan, struct slice key)
{
    for (size_t i = 0; i < plan->goal_count; i++) {
        if (slice_equal(plan->goals[i].key, key)) {
            return &plan->goals[i];
        }
    }
    for (size_t i = 0; i < plan->order_count; i++) {
        if (slice_equal(plan->orders[i].key, key)) {
            return &plan->orders[i];
        }
    }
    return &plan->care_plan;
}

/* What the resources say to staff who read another language than the first, in which they are. */
static void add_staff(struct arena *arena, struct json *whole, const struct mapping *m,
                      const struct plan_rule *plan)
{
    struct json *staff = add_object(arena, whole, "staff");
    for (size_t i = 1; i < m->staff_language_count; i++) {
        for (size_t k = 0; k < plan->text_count; k++) {
            const struct text_entry *entry =
                mapping_find_text(m, plan->name, m->staff_languages[i], FOR_STAFF, plan->texts[k]);
            add_text(arena, staff,
                     arena_printf(arena, "%.*s.%.*s", SLICE_ARGS(m->staff_languages[i]),
                                  SLICE_ARGS(plan->texts[k])),
                     entry != NULL ? entry->text : SLICE_NONE);
        }
    }
}

static void add_given(struct arena *arena, struct json *object, const char *name,
                      struct json *given)
{
    if (given != NULL) {
        json_add(arena, object, slice_of(name), given);
    }
}

static void add_choice(struct arena *arena, struct json *choose, const char *name,
                       const struct yaml *node)
{
    if (node != NULL) {
        json_add(arena, choose, slice_of(name), json_of(arena, node));
    }
}

/* What comes after the proposal: who chooses how many, and what acceptance writes then. */
static void add_acceptance(struct arena *arena, struct json *whole, const struct mapping *m,
                           const struct plan_rule *plan, const struct limits *limits)
{
    struct diag_list unheard;
    struct mapping_acceptance acceptance = {NULL, NULL, NULL};
    struct json *choose = add_object(arena, whole, "choose");
    add_choice(arena, choose, "goals", plan->goals_choose);
    add_choice(arena, choose, "orders", plan->orders_choose);
    struct json *accept = add_object(arena, whole, "on-accept");
    diag_init(&unheard, arena, 1);
    if (mapping_accept(m, arena, plan->name, SLICE("Practitioner/acceptor"),
                       SLICE("RelatedPerson/speaker"), limits, &unheard,
                       &acceptance) != STATUS_OK) {
        add_text(arena, accept, SLICE("error"), SLICE("an expression failed"));
    }
    add_given(arena, accept, "care-plan", acceptance.care_plan);
    add_given(arena, accept, "goals", acceptance.goal);
    add_given(arena, accept, "orders", acceptance.order);
    if (plan->accept_record != NULL) {
        json_add(arena, accept, SLICE("record"), json_of(arena, plan->accept_record));
    }
}

static struct json *whole_of(const struct mapping *m, struct arena *arena,
                             const struct case_run *run, const struct limits *limits)
{
    const struct evaluation_result *result = &run->result;
    const struct plan_rule *plan = mapping_find_plan(m, result->plan);
    struct json *whole = json_new_object(arena);
    add_text(arena, whole, SLICE("outcome"), slice_of(outcome_name(result->outcome)));
    add_text(arena, whole, SLICE("reason"), result->reason);
    add_text(arena, whole, SLICE("ask"), result->ask);
    add_text(arena, whole, SLICE("public-id"), result->public_id);
    add_row(arena, whole, m, result);
    add_searches(arena, whole, m, run, limits);
    add_texts(arena, whole, m, result);
    if (plan != NULL) {
        add_staff(arena, whole, m, plan);
        add_acceptance(arena, whole, m, plan, limits);
    }
    struct json *timers = add_object(arena, whole, "timers");
    for (size_t i = 0; i < result->timer_count; i++) {
        char day[DATETIME_TEXT];
        size_t len = datetime_print(&result->timers[i].date, day);
        add_text(
            arena, timers, result->timers[i].id,
            arena_printf(arena, "%.*s on %.*s", SLICE_ARGS(result->timers[i].make), (int)len, day));
    }
    struct json *why = add_object(arena, whole, "why");
    struct json *plans = add_object(arena, whole, "plan");
    for (size_t i = 0; i < result->item_count && plan != NULL; i++) {
        const struct item_rule *rule = rule_of(plan, result->items[i].key);
        if (rule->why.len != 0) {
            add_text(arena, why, rule->key, rule->why);
        }
        json_add(arena, plans, result->items[i].key, json_copy(arena, result->items[i].resource));
    }
    return whole;
}

/* ---- writing ---- */

static void write_value(struct buf *out, const struct json *value, unsigned depth)
{
    enum json_kind kind = json_kind(value);
    bool nested = kind == JSON_OBJECT || kind == JSON_ARRAY;
    if (!nested || json_first(value) == NULL || depth == DEPTH_MOST) {
        buf_printf(out, " %s\n", json_write(out->arena, value, JSON_COMPACT).at);
        return;
    }
    buf_add_char(out, '\n');
    for (const struct json *it = json_first(value); it != NULL; it = json_next(it)) {
        buf_printf(out, "%*s", (int)depth * 2, "");
        if (kind == JSON_OBJECT) {
            buf_printf(out, "%.*s:", SLICE_ARGS(json_name(it)));
        } else {
            buf_add_char(out, '-');
        }
        write_value(out, it, depth + 1);
    }
}

struct slice case_whole_text(const struct mapping *mapping, struct arena *arena,
                             const struct case_run *run, const struct limits *limits)
{
    struct buf out;
    buf_init(&out, arena, TEXT_MOST);
    buf_add_cstr(
        &out,
        "# All that this case makes, as `eplan test --update` wrote it: read it, then keep it.");
    write_value(&out, whole_of(mapping, arena, run, limits), 0);
    return buf_view(&out);
}

/* ---- comparing ---- */

static void compare(struct running *r, struct slice path, const struct yaml *want,
                    const struct json *got, unsigned depth);

static struct slice below(struct running *r, struct slice path, struct slice name)
{
    return path.len == 0 ? name
                         : arena_printf(r->arena, "%.*s.%.*s", SLICE_ARGS(path), SLICE_ARGS(name));
}

static struct slice short_text(struct running *r, const struct json *got)
{
    return json_kind(got) == JSON_STRING ? json_text(got) : json_write(r->arena, got, JSON_COMPACT);
}

static void compare_objects(struct running *r, struct slice path, const struct yaml *want,
                            const struct json *got, unsigned depth)
{
    for (const struct yaml *it = want->first; it != NULL; it = it->next) {
        const struct json *member = json_member(got, it->key.text);
        struct slice place = below(r, path, it->key.text);
        if (member == NULL) {
            case_differ(r, place.at, SLICE("a value"), SLICE_NONE);
        } else {
            compare(r, place, it, member, depth + 1);
        }
    }
    for (const struct json *it = json_first(got); it != NULL; it = json_next(it)) {
        if (yaml_get(want, arena_cstr(r->arena, json_name(it))) == NULL) {
            case_differ(r, below(r, path, json_name(it)).at, SLICE("nothing"), short_text(r, it));
        }
    }
}

static void compare_arrays(struct running *r, struct slice path, const struct yaml *want,
                           const struct json *got, unsigned depth)
{
    const struct json *it = json_first(got);
    size_t at = 0;
    for (const struct yaml *entry = want->first; entry != NULL && it != NULL;
         entry = entry->next, it = json_next(it)) {
        compare(r, arena_printf(r->arena, "%.*s[%zu]", SLICE_ARGS(path), at++), entry, it,
                depth + 1);
    }
    size_t count = json_count(got);
    if (count != want->count) {
        case_differ(r, path.at, arena_printf(r->arena, "%zu entries", want->count),
                    arena_printf(r->arena, "%zu", count));
    }
}

static void compare(struct running *r, struct slice path, const struct yaml *want,
                    const struct json *got, unsigned depth)
{
    static const enum json_kind kinds[] = {JSON_STRING, JSON_ARRAY, JSON_OBJECT};
    enum json_kind kind = json_kind(got);
    bool scalar = kind != JSON_ARRAY && kind != JSON_OBJECT;
    if (depth == DEPTH_MOST || (scalar ? JSON_STRING : kind) != kinds[want->kind]) {
        case_differ(r, path.at, slice_of(yaml_kind_name(want->kind)), short_text(r, got));
    } else if (kind == JSON_OBJECT) {
        compare_objects(r, path, want, got, depth);
    } else if (kind == JSON_ARRAY) {
        compare_arrays(r, path, want, got, depth);
    } else if (!slice_equal(want->scalar.text, short_text(r, got))) {
        case_differ(r, path.at, want->scalar.text, short_text(r, got));
    }
}

void case_compare_whole(struct running *r, struct case_run *run)
{
    struct slice path = case_whole_path(r->arena, run->name);
    for (size_t i = 0; i < r->runner->file_count; i++) {
        const struct mapping_file *file = &r->runner->files[i];
        const struct yaml *want = NULL;
        if (file->layer != r->layer || !slice_equal(file->path, path)) {
            continue;
        }
        struct source *source = source_create(r->arena, file->name, file->text);
        run->whole = true;
        run->whole_file = file->text;
        if (yaml_parse(r->arena, source, &YAML_LIMITS, r->diags, &want) == STATUS_OK) {
            compare(r, SLICE_NONE, want, whole_of(r->mapping, r->arena, run, &r->runner->limits),
                    0);
        }
    }
}

struct slice case_whole_path(struct arena *arena, struct slice name)
{
    struct slice rest = name;
    struct slice folder = SLICE_NONE;
    slice_cut(&rest, '/', &folder);
    return rest.len == 0 ? arena_printf(arena, "cases/%.*s/whole.yaml", SLICE_ARGS(folder))
                         : arena_printf(arena, "cases/%.*s/whole-%.*s.yaml", SLICE_ARGS(folder),
                                        SLICE_ARGS(rest));
}

bool case_is_file(const struct mapping_file *file)
{
    return slice_starts_with(file->path, SLICE("cases/")) &&
           slice_ends_with(file->path, SLICE("/case.yaml"));
}
