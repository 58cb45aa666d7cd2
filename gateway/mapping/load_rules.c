#include "gateway/mapping/growth_fields.h"
#include "gateway/mapping/load.h"

/* ---- head ---- */

static void read_mapping_name(struct loader *l, const struct yaml *node, void *target)
{
    ((struct mapping *)target)->name = load_name(l, node);
}

static void read_version(struct loader *l, const struct yaml *node, void *target)
{
    struct slice text = load_text(l, node);
    struct slice rest = text;
    struct slice part;
    uint64_t number;
    int parts = 0;
    bool good = true;
    while (slice_cut(&rest, '.', &part)) {
        good = good && slice_to_u64(part, &number);
        parts++;
    }
    if (text.len != 0 && (!good || parts != 3)) {
        load_fault(l, DIAG_MAPPING_VALUE, node->span, "a version has three numbers, such as 1.3.0");
    }
    ((struct mapping *)target)->version = text;
}

static void read_domain(struct loader *l, const struct yaml *node, void *target)
{
    size_t count;
    size_t which;
    const char *const *domains = mapping_domains(&count);
    if (load_choice(l, node, domains, count, &which)) {
        ((struct mapping *)target)->domain = slice_of(domains[which]);
    }
}

static void read_fhir(struct loader *l, const struct yaml *node, void *target)
{
    (void)target;
    struct slice text = load_text(l, node);
    if (text.len != 0 && !slice_equal(text, model_version(l->model))) {
        load_fault(l, DIAG_MAPPING_VALUE, node->span, "this gateway reads FHIR %.*s",
                   SLICE_ARGS(model_version(l->model)));
    }
}

/* An overlay's owner does not answer for the mapping that it extends: nobody stays nobody. */
static struct slice owner_of(struct loader *l, const struct yaml *node, struct slice before)
{
    struct slice name = load_text(l, node);
    return l->overlay && slice_is(before, "none") ? before : name;
}

static void read_clinical(struct loader *l, const struct yaml *node, void *target)
{
    struct mapping *m = target;
    m->owner_clinical = owner_of(l, node, m->owner_clinical);
}

static void read_informatics(struct loader *l, const struct yaml *node, void *target)
{
    struct mapping *m = target;
    m->owner_informatics = owner_of(l, node, m->owner_informatics);
}

static void read_review_by(struct loader *l, const struct yaml *node, void *target)
{
    (void)target;
    load_text(l, node);
}

static void read_owners(struct loader *l, const struct yaml *node, void *target)
{
    static const struct field fields[] = {{"clinical", true, read_clinical},
                                          {"informatics", true, read_informatics},
                                          {"review-by", true, read_review_by}};
    ((struct mapping *)target)->owners_span = node->span;
    load_map(l, node, fields, 3, target);
}

static void require_language(struct loader *l, const struct yaml *node, size_t count)
{
    if (node->kind == YAML_LIST && count == 0) {
        load_fault(l, DIAG_MAPPING_VALUE, node->span, "at least one language is needed here");
    }
}

/* An overlay adds languages to those there are. */
static void add_languages(struct loader *l, const struct yaml *node, struct slice **list,
                          size_t *count)
{
    size_t added = 0;
    struct slice *more = load_texts(l, node, &added);
    require_language(l, node, added);
    for (size_t i = 0; i < added; i++) {
        if (!load_is_listed(*list, *count, more[i])) {
            LOAD_ADD(l, *list, *count, more[i]);
        }
    }
}

static void read_staff_languages(struct loader *l, const struct yaml *node, void *target)
{
    struct mapping *m = target;
    add_languages(l, node, &m->staff_languages, &m->staff_language_count);
}

static void read_family_languages(struct loader *l, const struct yaml *node, void *target)
{
    struct mapping *m = target;
    add_languages(l, node, &m->family_languages, &m->family_language_count);
}

static void read_languages(struct loader *l, const struct yaml *node, void *target)
{
    struct field fields[] = {{"staff", !l->overlay, read_staff_languages},
                             {"family", !l->overlay, read_family_languages}};
    load_map(l, node, fields, 2, target);
}

/* ---- visit ---- */

static void read_starts_on(struct loader *l, const struct yaml *node, void *target)
{
    struct mapping *m = target;
    bool whole;
    m->starts_on = load_pieces(l, node, &whole);
    if (m->starts_on == NULL) {
        return;
    }
    const struct model_type *type = load_query_type(l, node, m->starts_on);
    m->starts_type = type != NULL ? model_type_name(l->model, type) : SLICE_NONE;
    bool code_search = slice_ends_with(m->starts_on->literal, SLICE("?code="));
    for (const struct piece *piece = m->starts_on->next; piece != NULL; piece = piece->next) {
        code_search = code_search && (piece->set != NULL || slice_is(piece->literal, ","));
    }
    if (type != NULL && (!code_search || m->starts_on->next == NULL)) {
        struct diag *diag = load_fault(l, DIAG_MAPPING_VALUE, node->span,
                                       "a visit starts on a type and sets of codes");
        diag_hint(l->diags, diag,
                  "write \"Observation?code={{ %%sets.weight }},{{ %%sets.height }}\"");
    }
}

static void read_same(struct loader *l, const struct yaml *node, void *target)
{
    static const char *const words[] = {"encounter"};
    size_t which;
    (void)target;
    load_choice(l, node, words, 1, &which);
}

/* `eligible` names facts, which stand below it: it is read when they are known. */
static void read_visit(struct loader *l, const struct yaml *node, void *target)
{
    static const struct field fields[] = {
        {"eligible", true, NULL}, {"starts-on", true, read_starts_on}, {"same", true, read_same}};
    load_map(l, node, fields, l->overlay ? 1 : 3, target);
}

/* ---- growth ---- */

static const struct fact_rule *fact_named(struct loader *l, const struct yaml *node)
{
    const struct mapping *m = l->mapping;
    struct slice name = load_word(l, node);
    struct slice *names = ARENA_ARRAY(l->arena, m->fact_count + 1, struct slice);
    for (size_t i = 0; i < m->fact_count; i++) {
        if (slice_equal(m->facts[i].name, name)) {
            load_use_name(l, "", name);
            return &m->facts[i];
        }
        names[i] = m->facts[i].name;
    }
    if (name.len != 0) {
        struct diag *diag = load_fault(l, DIAG_MAPPING_UNDEFINED, node->span,
                                       "there is no fact \"%.*s\"", SLICE_ARGS(name));
        diag_hint_nearest(l->diags, diag, name, names, m->fact_count);
    }
    return NULL;
}

static void read_weight(struct loader *l, const struct yaml *node, void *target)
{
    ((struct mapping *)target)->weight = fact_named(l, node);
}

static void read_height(struct loader *l, const struct yaml *node, void *target)
{
    ((struct mapping *)target)->height = fact_named(l, node);
}

static void read_also(struct loader *l, const struct yaml *node, void *target)
{
    struct mapping *m = target;
    if (!load_is(l, node, YAML_LIST)) {
        return;
    }
    m->growth_also = ARENA_ARRAY(l->arena, node->count + 1, const struct fact_rule *);
    m->growth_also_count = 0; /* a folder with two such lists has told of the second */
    for (const struct yaml *entry = node->first; entry != NULL; entry = entry->next) {
        const struct fact_rule *fact = fact_named(l, entry);
        if (fact != NULL) {
            m->growth_also[m->growth_also_count++] = fact;
        }
    }
}

/* Read when all facts are known: their table does not move any more. */
static void read_growth(struct loader *l, const struct yaml *node)
{
    static const struct field fields[] = {
        {"weight", true, read_weight}, {"height", true, read_height}, {"also", false, read_also}};
    load_map(l, node, fields, 3, l->mapping);
}

/* ---- named expressions and holds ---- */

static void read_define(struct loader *l, const struct yaml *node)
{
    struct mapping *m = l->mapping;
    struct define define = {.name = node->key.text};
    load_new_variable(l, node);
    if (!load_expr(l, node, &define.expr)) {
        load_typed_variable(l, define.name, NULL); /* known, so that its users are not blamed too */
        return;
    }
    load_typed_variable(l, define.name, path_expr_type(define.expr.path));
    LOAD_ADD(l, m->defines, m->define_count, define);
}

static void read_hold_id(struct loader *l, const struct yaml *node, void *target)
{
    ((struct hold *)target)->id = load_word(l, node);
}

static void read_hold_when(struct loader *l, const struct yaml *node, void *target)
{
    struct hold *hold = target;
    if (load_expr(l, node, &hold->when) &&
        !path_type_may_be_system(path_expr_type(hold->when.path), PATH_BOOLEAN)) {
        load_fault(l, DIAG_MAPPING_VALUE, node->span,
                   "a hold is true or false, and this expression is neither");
    }
}

static void read_hold_tell(struct loader *l, const struct yaml *node, void *target)
{
    static const char *const words[] = {"nobody", "rooming", "clinician"};
    size_t which;
    if (load_choice(l, node, words, 3, &which)) {
        ((struct hold *)target)->tell = slice_of(words[which]);
    }
}

static void read_hold_release(struct loader *l, const struct yaml *node, void *target)
{
    static const char *const words[] = {"never", "new-measurement", "clinician"};
    size_t which;
    if (load_choice(l, node, words, 3, &which)) {
        ((struct hold *)target)->release = slice_of(words[which]);
    }
}

static void read_hold_sensitive(struct loader *l, const struct yaml *node, void *target)
{
    load_bool(l, node, &((struct hold *)target)->sensitive);
}

static void read_holds(struct loader *l, const struct yaml *node)
{
    static const struct field fields[] = {
        {"id", true, read_hold_id},
        {"when", true, read_hold_when},
        {"tell", true, read_hold_tell},
        {"release", true, read_hold_release},
        {"sensitive", false, read_hold_sensitive},
    };
    struct mapping *m = l->mapping;
    m->holds_span = node->key.span;
    if (!load_is(l, node, YAML_LIST)) {
        return;
    }
    for (const struct yaml *entry = node->first; entry != NULL; entry = entry->next) {
        struct hold hold = {.span = entry->span, .layer = l->layer};
        load_map(l, entry, fields, 5, &hold);
        for (size_t i = 0; i < m->hold_count; i++) {
            if (hold.id.len != 0 && slice_equal(m->holds[i].id, hold.id)) {
                struct diag *diag =
                    load_fault(l, DIAG_MAPPING_DUPLICATE, entry->span,
                               "the hold \"%.*s\" is defined twice", SLICE_ARGS(hold.id));
                diag_hint(l->diags, diag, "it stands in %.*s already",
                          SLICE_ARGS(load_place(l, m->holds[i].span)));
            }
        }
        LOAD_ADD(l, m->holds, m->hold_count, hold);
    }
}

/* ---- sources ---- */

static void read_citation(struct loader *l, const struct yaml *node, void *target)
{
    (void)target;
    load_text(l, node);
}

static void read_sources(struct loader *l, const struct yaml *node)
{
    static const struct field fields[] = {
        {"citation", true, read_citation}, {"doi", false, read_citation},
        {"url", false, read_citation},     {"date", false, read_citation},
        {"author", false, read_citation},  {"demographics", false, read_citation},
    };
    if (!load_is(l, node, YAML_MAP)) {
        return;
    }
    for (const struct yaml *member = node->first; member != NULL; member = member->next) {
        struct source_row row = {member->key.text, member, member->key.span};
        load_map(l, member, fields, sizeof fields / sizeof *fields, NULL);
        LOAD_ADD(l, l->mapping->sources, l->mapping->source_count, row);
    }
}

/* A home where food may be short: true or unknown leaves out what costs money. */
static void read_food_at_risk(struct loader *l, const struct yaml *node)
{
    struct expr *expr = ARENA_NEW(l->arena, struct expr);
    if (!load_expr(l, node, expr)) {
        return;
    }
    if (!path_type_may_be_system(path_expr_type(expr->path), PATH_BOOLEAN)) {
        load_fault(l, DIAG_MAPPING_VALUE, node->span,
                   "this is true or false, and the expression is neither");
    }
    LOAD_ADD(l, l->mapping->food_at_risk, l->mapping->food_at_risk_count, *expr);
}

/* ---- site rows ---- */

/* An overlay's row takes the place of the one there is. */
static void add_site_row(struct loader *l, struct site_row row)
{
    struct mapping *m = l->mapping;
    for (size_t i = 0; i < m->site_count; i++) {
        if (slice_equal(m->site[i].name, row.name)) {
            m->site[i] = row;
            return;
        }
    }
    LOAD_ADD(l, m->site, m->site_count, row);
}

static void read_site(struct loader *l, const struct yaml *node)
{
    if (!load_is(l, node, YAML_MAP)) {
        return;
    }
    for (const struct yaml *member = node->first; member != NULL; member = member->next) {
        const struct template *value = load_template(l, member, NULL);
        struct site_row row = {.name = member->key.text, .span = member->key.span};
        row.value = value != NULL ? template_constant(l->arena, value) : NULL;
        if (value != NULL && row.value == NULL) {
            load_fault(l, DIAG_MAPPING_VALUE, member->span,
                       "a site row holds values only, no expressions");
        }
        add_site_row(l, row);
    }
}

/* ---- the whole ---- */

struct published {
    const char *name;
    enum path_kind kind;
};

/* The typed variables that every mapping has; %growth.* has one with `growth:` (mappings/README.md,
 * "What an expression can name"). */
static const struct published published[] = {
    {"visit.date", PATH_DATE}, {"visit.encounter", PATH_STRING},    {"acceptor", PATH_STRING},
    {"speaker", PATH_STRING},  {"ehr.protectsTeens", PATH_BOOLEAN},
};

static void publish(struct loader *l, bool growth)
{
    load_fhir_variable(l, SLICE("patient"), model_type_find(l->model, SLICE("Patient")), false);
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        load_system_variable(l, slice_of(published[i].name), published[i].kind, false);
    }
    for (int i = 0; growth && i < GROWTH_FIELD_COUNT; i++) {
        enum growth_field field = (enum growth_field)i;
        load_system_variable(l, growth_variable_name(field), growth_variable_kind(field),
                             growth_variable_is_many(field));
    }
}

static void read_eligible(struct loader *l, const struct yaml *node)
{
    struct expr eligible;
    if (!load_expr(l, node, &eligible)) {
        return;
    }
    if (!path_type_may_be_system(path_expr_type(eligible.path), PATH_BOOLEAN)) {
        load_fault(l, DIAG_MAPPING_VALUE, node->span,
                   "a visit is eligible or not, and this expression is neither true nor false");
    }
    LOAD_ADD(l, l->mapping->eligible, l->mapping->eligible_count, eligible);
}

/* In the order in which one may name another, whatever the order in the file. */
static void read_in_order(struct loader *l, const struct yaml *root)
{
    const struct yaml *node = yaml_get(root, "growth");
    if (node != NULL && !l->overlay) {
        read_growth(l, node);
    }
    node = yaml_get(root, "define");
    for (const struct yaml *member = node != NULL && load_is(l, node, YAML_MAP) ? node->first
                                                                                : NULL;
         member != NULL; member = member->next) {
        read_define(l, member);
    }
    node = yaml_get(yaml_get(root, "visit"), "eligible");
    if (node != NULL) {
        read_eligible(l, node);
    }
    node = yaml_get(root, "food-at-risk");
    if (node != NULL) {
        read_food_at_risk(l, node);
    }
    node = yaml_get(root, "sources");
    if (node != NULL) {
        read_sources(l, node);
    }
    node = yaml_get(root, "holds");
    if (node != NULL) {
        read_holds(l, node);
    }
    node = yaml_get(root, "decide");
    if (node != NULL) {
        load_decide(l, node);
    }
    node = yaml_get(root, "timers");
    if (node != NULL) {
        load_timers(l, node);
    }
    node = yaml_get(root, "due");
    if (node != NULL) {
        load_due(l, node);
    }
    node = yaml_get(root, "site");
    if (node != NULL) {
        read_site(l, node);
    }
}

/* ---- what extends another mapping ---- */

/* "NAME@VERSION": of a folder of that name beside this one. */
static bool split_version(struct slice text, struct slice *name_out, struct slice *version_out)
{
    size_t at = slice_find(text, SLICE("@"), 0);
    *name_out = slice_part(text, 0, at);
    *version_out = at == SIZE_MAX ? SLICE_NONE : slice_part(text, at + 1, SIZE_MAX);
    return at != SIZE_MAX;
}

struct mapping_extends mapping_extends(struct arena *arena, const struct mapping_file *file)
{
    struct mapping_extends extends = {.span = SPAN_NONE};
    struct diag_list unheard;
    const struct yaml *root = NULL;
    struct slice name;
    struct slice version;
    diag_init(&unheard, arena, 1);
    struct source *source = source_create(arena, file->name, file->text);
    if (yaml_parse(arena, source, &YAML_LIMITS, &unheard, &root) != STATUS_OK) {
        return extends;
    }
    const struct yaml *node = yaml_get(root, "extends");
    if (node == NULL || node->kind != YAML_SCALAR || node->scalar.text.len == 0) {
        return extends;
    }
    extends.text = node->scalar.text;
    extends.span = node->span;
    extends.path = split_version(extends.text, &name, &version)
                       ? arena_printf(arena, "../%.*s", SLICE_ARGS(name))
                       : extends.text;
    return extends;
}

/* The name and version asked for are those of what was read; 1.3 is any 1.3.x. */
static void read_extends(struct loader *l, const struct yaml *node, void *target)
{
    const struct mapping *m = target;
    struct slice name;
    struct slice version;
    if (!split_version(load_text(l, node), &name, &version)) {
        return;
    }
    struct slice rest = slice_part(m->version, version.len, SIZE_MAX);
    if (!slice_equal(name, m->name) || !slice_starts_with(m->version, version) ||
        (rest.len != 0 && rest.at[0] != '.')) {
        struct diag *diag =
            load_fault(l, DIAG_MAPPING_VALUE, node->span, "what was read is %.*s %.*s",
                       SLICE_ARGS(m->name), SLICE_ARGS(m->version));
        diag_hint(l->diags, diag, "check what changed, run the cases, then write this version");
    }
}

static void refuse_growth(struct loader *l, const struct yaml *node, void *target)
{
    (void)target;
    load_loosens(l, node->key.span, "an overlay does not say how growth is assessed",
                 "change the search of a fact instead");
}

static void refuse_domain(struct loader *l, const struct yaml *node, void *target)
{
    (void)target;
    load_loosens(l, node->key.span, "the domain of an overlay is that of what it extends",
                 "leave the key out: the same holds are asked for");
}

/* New facts have moved the table of facts. */
static void settle_growth(struct mapping *m)
{
    if (m->weight != NULL && m->height != NULL) {
        m->weight = load_find_fact(m, m->weight->name);
        m->height = load_find_fact(m, m->height->name);
    }
    for (size_t i = 0; i < m->growth_also_count; i++) {
        m->growth_also[i] = load_find_fact(m, m->growth_also[i]->name);
    }
}

/* `extends` stands before name and version of the overlay's own: keys are read in their order. */
static void load_overlay(struct loader *l, const struct yaml *root)
{
    static const struct field fields[] = {
        {"extends", true, NULL},
        {"mapping", true, read_mapping_name},
        {"version", true, read_version},
        {"domain", false, refuse_domain},
        {"fhir", false, read_fhir},
        {"owners", true, read_owners},
        {"languages", false, read_languages},
        {"visit", false, read_visit},
        {"facts", false, load_facts},
        {"growth", false, refuse_growth},
        {"define", false, NULL},
        {"food-at-risk", false, NULL},
        {"holds", false, NULL},
        {"decide", false, NULL},
        {"timers", false, NULL},
        {"due", false, NULL},
        {"sources", false, NULL},
        {"site", false, NULL},
    };
    const struct yaml *extends = yaml_get(root, "extends");
    if (extends != NULL) {
        read_extends(l, extends, l->mapping);
    }
    if (load_map(l, root, fields, sizeof fields / sizeof *fields, l->mapping)) {
        settle_growth(l->mapping);
        read_in_order(l, root);
    }
}

void load_rules(struct loader *l, const struct yaml *root)
{
    const struct yaml *extends = yaml_get(root, "extends");
    if (l->overlay) {
        load_overlay(l, root);
        return;
    }
    if (extends != NULL) {
        load_fault(l, DIAG_MAPPING_FILE, extends->span, "what this extends was not read");
        return;
    }
    static const struct field fields[] = {
        {"mapping", true, read_mapping_name},
        {"version", true, read_version},
        {"domain", false, read_domain},
        {"fhir", true, read_fhir},
        {"owners", true, read_owners},
        {"languages", true, read_languages},
        {"visit", true, read_visit},
        {"facts", true, load_facts},
        {"growth", false, NULL},
        {"define", false, NULL},
        {"food-at-risk", false, NULL},
        {"holds", true, NULL},
        {"decide", true, NULL},
        {"timers", false, NULL},
        {"due", false, NULL},
        {"sources", false, NULL},
        {"site", false, NULL},
    };
    publish(l, yaml_get(root, "growth") != NULL);
    if (load_map(l, root, fields, sizeof fields / sizeof *fields, l->mapping)) {
        read_in_order(l, root);
    }
}
