#include "gateway/mapping/from_definition.h"

#include "gateway/mapping/importing.h"

/* A row of the table takes a value of one input, and one is for what no action applies to. */
enum { ACTIONS_MOST = 60 };

/* ---- small things ---- */

void import_file(struct importing *x, struct slice path, struct buf *text)
{
    struct imported_file *file = arena_zalloc(x->arena, sizeof *file);
    file->path = path;
    file->text = buf_view(text);
    *x->file_end = file;
    x->file_end = &file->next;
}

void import_leave(struct importing *x, struct slice path, const char *why)
{
    struct left_out *left = arena_zalloc(x->arena, sizeof *left);
    left->path = path;
    left->why = why;
    *x->left_end = left;
    x->left_end = &left->next;
}

struct slice import_at(struct importing *x, struct slice at, const char *name)
{
    return arena_printf(x->arena, "%.*s.%s", SLICE_ARGS(at), name);
}

struct slice import_at_index(struct importing *x, struct slice at, const char *name, size_t i)
{
    return arena_printf(x->arena, "%.*s.%s[%zu]", SLICE_ARGS(at), name, i);
}

static bool among(struct slice name, const char *const *names)
{
    while (*names != NULL && !slice_is(name, *names)) {
        names++;
    }
    return *names != NULL;
}

void import_leave_others(struct importing *x, const struct json *object, struct slice at,
                         const char *const *read)
{
    static const char *const silent[] = {"resourceType", "id",  "meta", "text",
                                         "status",       "url", NULL};
    for (const struct json *it = json_first(object); it != NULL; it = json_next(it)) {
        if (!among(json_name(it), silent) && !among(json_name(it), read)) {
            import_leave(x, import_at(x, at, arena_cstr(x->arena, json_name(it))),
                         "has no place in a mapping");
        }
    }
}

struct slice import_quoted(struct importing *x, struct slice text)
{
    return json_write(x->arena, json_new_string(x->arena, text), JSON_COMPACT);
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

struct slice import_word(struct importing *x, struct slice text, const char *otherwise)
{
    struct buf out;
    bool apart = false;
    buf_init(&out, x->arena, IMPORT_NAME_MOST + 1);
    for (size_t i = 0; i < text.len && out.len < IMPORT_NAME_MOST; i++) {
        char c = text.at[i];
        bool first = out.len == 0;
        if (is_lower(c) || is_upper(c) || (is_digit(c) && !first)) {
            buf_add_char(&out, apart && !first && is_lower(c) ? (char)(c - 'a' + 'A') : c);
        }
        apart = !is_lower(c) && !is_upper(c) && !is_digit(c);
    }
    return out.len != 0 ? buf_view(&out) : slice_of(otherwise);
}

struct slice import_slug(struct importing *x, struct slice text, const char *otherwise)
{
    struct buf out;
    bool apart = false;
    buf_init(&out, x->arena, IMPORT_NAME_MOST + 2);
    for (size_t i = 0; i < text.len && out.len < IMPORT_NAME_MOST; i++) {
        char c = text.at[i];
        bool first = out.len == 0;
        if (is_lower(c) || is_upper(c) || (is_digit(c) && !first)) {
            if (apart && !first) {
                buf_add_char(&out, '-');
            }
            buf_add_char(&out, is_upper(c) ? (char)(c - 'A' + 'a') : c);
        }
        apart = !is_lower(c) && !is_upper(c) && !is_digit(c);
    }
    return out.len != 0 ? buf_view(&out) : slice_of(otherwise);
}

struct definition *import_find(struct importing *x, const char *type, struct slice url)
{
    struct slice plain = SLICE_NONE;
    slice_cut(&url, '|', &plain);
    for (size_t i = 0; i < x->count && plain.len != 0; i++) {
        const struct json *resource = x->definitions[i].resource;
        if (slice_is(json_get_text(resource, "resourceType"), type) &&
            slice_equal(json_get_text(resource, "url"), plain)) {
            return &x->definitions[i];
        }
    }
    return NULL;
}

bool import_condition(struct importing *x, const struct json *action, struct slice at,
                      struct slice *expression_out)
{
    struct buf all;
    size_t i = 0;
    buf_init(&all, x->arena, IMPORT_FILE_MOST);
    const struct json *it = json_first(json_get(action, "condition"));
    for (; it != NULL; it = json_next(it), i++) {
        const struct json *expression = json_get(it, "expression");
        struct slice text = json_get_text(expression, "expression");
        const char *why =
            !slice_is(json_get_text(it, "kind"), "applicability")
                ? "does not say whether the action applies, so the whole action is left out"
            : !slice_is(json_get_text(expression, "language"), "text/fhirpath") || text.len == 0
                ? "is not FHIRPath, so the whole action is left out"
                : NULL;
        if (why != NULL) {
            import_leave(x, import_at_index(x, at, "condition", i), why);
            return false;
        }
        import_leave_others(x, it, import_at_index(x, at, "condition", i),
                            (const char *const[]){"kind", "expression", NULL});
        buf_printf(&all, i == 0 ? "%.*s" : ") and (%.*s", SLICE_ARGS(text));
    }
    *expression_out = i == 0  ? SLICE("true")
                      : i > 1 ? arena_printf(x->arena, "(%.*s)", SLICE_ARGS(buf_view(&all)))
                              : buf_view(&all);
    return true;
}

/* ---- holds ---- */

static void add_hold(struct importing *x, const struct json *action, struct slice at, size_t number)
{
    static const char *const read[] = {"prefix", "title", "textEquivalent", "condition", NULL};
    struct slice when;
    if (!import_condition(x, action, at, &when)) {
        return;
    }
    struct slice otherwise = arena_printf(x->arena, "hold%zu", number);
    struct slice id = import_word(x, json_get_text(action, "title"), otherwise.at);
    buf_printf(&x->rules,
               "  - { id: %.*s, when: %.*s, tell: clinician, sensitive: true, release: clinician "
               "}\n",
               SLICE_ARGS(id), SLICE_ARGS(import_quoted(x, when)));
    import_leave_others(x, action, at, read);
}

static void add_holds(struct importing *x, const struct definition *plan)
{
    size_t i = 0;
    buf_add_cstr(&x->rules,
                 "\nholds: # true or unknown stops the proposal. FHIR does not say which "
                 "are sensitive: all are, until a person says otherwise\n");
    const struct json *it = json_first(json_get(plan->resource, "action"));
    for (; it != NULL; it = json_next(it), i++) {
        if (slice_is(json_get_text(it, "prefix"), "hold")) {
            add_hold(x, it, import_at_index(x, plan->at, "action", i), i);
        }
    }
}

/* ---- the decision table ---- */

struct table {
    struct buf tests; /* iif(A, 'action1', iif(B, 'action2', */
    struct buf values;
    struct buf rows;
    struct buf sources;
    size_t count;
};

static bool source_known(const struct table *table, struct slice line)
{
    return slice_find(buf_view(&table->sources), line, 0) != SIZE_MAX;
}

/* `because: [A, B]` of a row, or nothing. */
static struct slice add_sources(struct importing *x, struct table *table, const struct json *action,
                                struct slice at)
{
    struct buf because;
    size_t i = 0;
    buf_init(&because, x->arena, IMPORT_FILE_MOST);
    const struct json *it = json_first(json_get(action, "documentation"));
    for (; it != NULL; it = json_next(it), i++) {
        struct slice path = import_at_index(x, at, "documentation", i);
        struct slice citation = json_get_text(it, "citation");
        if (citation.len == 0) {
            import_leave(x, path, "has no citation");
            continue;
        }
        struct slice key = import_slug(x, json_get_text(it, "label"), "");
        if (key.len == 0) {
            key = arena_printf(x->arena, "source-%zu-%zu", table->count, i + 1);
        }
        struct slice line = arena_printf(x->arena, "\n  %.*s: { citation: ", SLICE_ARGS(key));
        if (!source_known(table, line)) {
            buf_printf(&table->sources, "%.*s%.*s }", SLICE_ARGS(line),
                       SLICE_ARGS(import_quoted(x, citation)));
        }
        buf_printf(&because, "%s%.*s", because.len == 0 ? ", because: [" : ", ", SLICE_ARGS(key));
        import_leave_others(x, it, path, (const char *const[]){"type", "label", "citation", NULL});
    }
    buf_add_cstr(&because, because.len != 0 ? "]" : "");
    return buf_view(&because);
}

/* "propose: NAME" and the like; empty: the action does nothing that a row can do. */
static struct slice row_outcome(struct importing *x, const struct definition *plan,
                                const struct json *action, struct slice at)
{
    struct slice prefix = json_get_text(action, "prefix");
    struct slice title = json_get_text(action, "title");
    struct slice text = json_get_text(action, "textEquivalent");
    if (slice_is(prefix, "drop")) {
        return arena_printf(x->arena, "drop: %.*s", SLICE_ARGS(import_slug(x, title, "other")));
    }
    if (slice_is(prefix, "hand over")) {
        return arena_printf(x->arena, "hand-over: clinician, say: %.*s",
                            SLICE_ARGS(import_slug(x, text, "no-template")));
    }
    if (slice_is(prefix, "propose") || json_get(action, "action") != NULL ||
        json_get(action, "goalId") != NULL || json_get(action, "definitionCanonical") != NULL) {
        struct slice name = import_plan(x, plan, action, at);
        return arena_printf(x->arena, "propose: %.*s", SLICE_ARGS(name));
    }
    import_leave(x, at, "names no goal and no activity; whom it is for is handed over");
    return SLICE_NONE;
}

static void add_row(struct importing *x, struct table *table, const struct definition *plan,
                    const struct json *action, struct slice at)
{
    static const char *const read[] = {"prefix", "title",  "textEquivalent", "documentation",
                                       "action", "goalId", "condition",      "definitionCanonical",
                                       NULL};
    struct slice when;
    if (table->count == ACTIONS_MOST) {
        import_leave(x, at, "a mapping has at most 60 rows here; whom it is for is handed over");
        return;
    }
    if (!import_condition(x, action, at, &when)) {
        return;
    }
    struct slice outcome = row_outcome(x, plan, action, at);
    if (outcome.len == 0) {
        return;
    }
    struct slice because = add_sources(x, table, action, at);
    table->count++;
    buf_printf(&table->tests, "iif(%.*s, 'action%zu', ", SLICE_ARGS(when), table->count);
    buf_printf(&table->values, "action%zu, ", table->count);
    buf_printf(&table->rows, "    - { applies: action%zu, %.*s%.*s }\n", table->count,
               SLICE_ARGS(outcome), SLICE_ARGS(because));
    import_leave_others(x, action, at, read);
}

static void end_table(struct importing *x, struct table *table)
{
    buf_add_cstr(&table->tests, "'other'");
    for (size_t i = 0; i < table->count; i++) {
        buf_add_char(&table->tests, ')');
    }
    buf_printf(&x->rules,
               "\ndecide: # the first action that applies, as the PlanDefinition has them\n"
               "  inputs:\n    applies:\n      expr: %.*s\n      values: [%.*sother]\n"
               "  when-active: review\n"
               "  rows:\n%.*s    - { applies: other, hand-over: clinician, say: no-template }\n",
               SLICE_ARGS(import_quoted(x, buf_view(&table->tests))),
               SLICE_ARGS(buf_view(&table->values)), SLICE_ARGS(buf_view(&table->rows)));
    if (table->sources.len != 0) {
        buf_printf(&x->rules, "\nsources:%.*s\n", SLICE_ARGS(buf_view(&table->sources)));
    }
}

/* False: no action became a row. */
static bool add_table(struct importing *x, const struct definition *plan)
{
    struct table table = {.count = 0};
    size_t i = 0;
    buf_init(&table.tests, x->arena, IMPORT_FILE_MOST);
    buf_init(&table.values, x->arena, IMPORT_FILE_MOST);
    buf_init(&table.rows, x->arena, IMPORT_FILE_MOST);
    buf_init(&table.sources, x->arena, IMPORT_FILE_MOST);
    const struct json *it = json_first(json_get(plan->resource, "action"));
    for (; it != NULL; it = json_next(it), i++) {
        if (!slice_is(json_get_text(it, "prefix"), "hold")) {
            add_row(x, &table, plan, it, import_at_index(x, plan->at, "action", i));
        }
    }
    end_table(x, &table);
    return table.count != 0;
}

/* ---- the Bundle ---- */

static struct slice version_of(struct importing *x, const struct json *plan)
{
    struct slice version = json_get_text(plan, "version");
    size_t points = 0;
    for (size_t i = 0; i < version.len; i++) {
        points += version.at[i] == '.';
        if (version.at[i] != '.' && !is_digit(version.at[i])) {
            points = 9;
        }
    }
    return points == 2 ? arena_copy(x->arena, version) : SLICE("0.1.0");
}

static void begin_rules(struct importing *x, const struct definition *plan)
{
    const struct json *topic = json_first(json_get(plan->resource, "topic"));
    struct slice domain = import_slug(x, json_get_text(topic, "text"), "");
    struct slice version = version_of(x, plan->resource);
    buf_printf(
        &x->rules,
        "# Read from FHIR definitions. A person adds what they do not tell: for which visits "
        "(visit), texts for families, cases.\n"
        "mapping: %.*s\nversion: %.*s\n",
        SLICE_ARGS(x->out->name), SLICE_ARGS(version));
    if (domain.len != 0) {
        buf_printf(&x->rules, "domain: %.*s\n", SLICE_ARGS(domain));
    }
    buf_add_cstr(&x->rules, "fhir: \"4.0.1\"\n"
                            "owners: { clinical: none, informatics: none, review-by: none }\n"
                            "languages: { staff: [en], family: [en] }\n\n"
                            "visit: # add starts-on and eligible\n  same: encounter\n");
}

static void read_entries(struct importing *x, const struct json *bundle)
{
    const struct json *entries = json_get(bundle, "entry");
    size_t i = 0;
    x->definitions = ARENA_ARRAY(x->arena, json_count(entries) + 1, struct definition);
    for (const struct json *it = json_first(entries); it != NULL; it = json_next(it), i++) {
        const struct json *resource = json_get(it, "resource");
        struct slice entry = import_at_index(x, SLICE("Bundle"), "entry", i);
        if (json_is(resource, JSON_OBJECT)) {
            x->definitions[x->count++] =
                (struct definition){resource, import_at(x, entry, "resource"), false};
        } else {
            import_leave(x, entry, "has no resource");
        }
    }
}

static const struct definition *only_plan(struct importing *x, const char **fault_out)
{
    const struct definition *found = NULL;
    for (size_t i = 0; i < x->count; i++) {
        if (slice_is(json_get_text(x->definitions[i].resource, "resourceType"), "PlanDefinition")) {
            if (found != NULL) {
                *fault_out = "it has several PlanDefinitions: import each from a Bundle of its own";
                return NULL;
            }
            found = &x->definitions[i];
        }
    }
    if (found == NULL) {
        *fault_out = "it has no PlanDefinition";
    }
    return found;
}

/* Whole resources and goals that nothing was made of. */
static void leave_unused(struct importing *x, const struct definition *plan)
{
    static const char *const read[] = {"PlanDefinition", "Library", "ValueSet", NULL};
    size_t goals = json_count(json_get(plan->resource, "goal"));
    for (size_t i = 0; i < goals; i++) {
        if (!x->goals_used[i]) {
            import_leave(x, import_at_index(x, plan->at, "goal", i),
                         "is named by no action that became part of a plan");
        }
    }
    for (size_t i = 0; i < x->count; i++) {
        struct slice type = json_get_text(x->definitions[i].resource, "resourceType");
        if (slice_is(type, "ActivityDefinition") && !x->definitions[i].used) {
            import_leave(x, x->definitions[i].at, "became no order");
        } else if (!slice_is(type, "ActivityDefinition") && !among(type, read)) {
            import_leave(x, x->definitions[i].at, "is a resource of another type");
        }
    }
}

static void add_concepts(struct importing *x)
{
    struct buf codes;
    if (x->codes.len != 0) {
        buf_init(&codes, x->arena, IMPORT_FILE_MOST);
        buf_printf(&codes, "codes:\n%.*s", SLICE_ARGS(buf_view(&x->codes)));
        import_file(x, SLICE("concepts/orders.yaml"), &codes);
    }
}

enum status mapping_from_definition(struct arena *arena, const struct json *bundle,
                                    struct imported *imported_out, const char **fault_out)
{
    struct imported out = {.files = NULL};
    struct importing x = {.arena = arena, .out = &out};
    x.file_end = &out.files;
    x.left_end = &out.left;
    buf_init(&x.codes, arena, IMPORT_FILE_MOST);
    buf_init(&x.rules, arena, IMPORT_FILE_MOST);
    if (!slice_is(json_get_text(bundle, "resourceType"), "Bundle")) {
        *fault_out = "it is no Bundle: a Bundle with a PlanDefinition, and the Library, "
                     "ActivityDefinitions and ValueSets that it names, is expected";
        return STATUS_INVALID;
    }
    read_entries(&x, bundle);
    const struct definition *plan = only_plan(&x, fault_out);
    if (plan == NULL) {
        return STATUS_INVALID;
    }
    x.goals_used = ARENA_ARRAY(arena, json_count(json_get(plan->resource, "goal")) + 1, bool);
    struct slice title = json_get_text(plan->resource, "title");
    out.name =
        import_slug(&x, title.len != 0 ? title : json_get_text(plan->resource, "name"), "imported");
    import_leave_others(&x, plan->resource, plan->at,
                        (const char *const[]){"version", "name", "title", "type", "library",
                                              "topic", "goal", "action", NULL});
    begin_rules(&x, plan);
    import_sets(&x);
    import_libraries(&x);
    add_holds(&x, plan);
    if (!add_table(&x, plan)) {
        *fault_out = "no action of its PlanDefinition maps: an action proposes goals or activities "
                     "on conditions in FHIRPath";
        return STATUS_INVALID;
    }
    import_file(&x, SLICE("mapping.yaml"), &x.rules);
    add_concepts(&x);
    leave_unused(&x, plan);
    *imported_out = out;
    return STATUS_OK;
}
