#include "gateway/mapping/describe.h"

/* Facts: searches and reads, and what may take their place in an overlay or for one EHR. */

/* The resource type at the beginning of "Type?..." or "Type/..."; NULL, and a diagnostic, when it
 * is none. */
const struct model_type *load_query_type(struct loader *l, const struct yaml *node,
                                         const struct piece *pieces)
{
    struct slice literal = pieces->literal;
    size_t end = 0;
    while (end < literal.len && literal.at[end] != '?' && literal.at[end] != '/') {
        end++;
    }
    struct slice name = slice_part(literal, 0, end);
    const struct model_type *type = model_type_find(l->model, name);
    if (type == NULL || type->kind != MODEL_RESOURCE) {
        struct diag *diag = load_fault(l, DIAG_MAPPING_UNDEFINED, node->span,
                                       "\"%.*s\" is no resource type of FHIR", SLICE_ARGS(name));
        diag_hint(l->diags, diag, "a search begins as in \"Observation?code=...\"");
        return NULL;
    }
    return type;
}

/* ---- criteria ---- */

enum { CRITERIA_MOST = 32 };

struct criterion {
    struct slice name;
    struct slice text; /* name=value */
};

/* "Type?a=b&c=d" at its & that stand outside of {{ }}. */
static size_t criteria_of(struct slice search, struct criterion *out)
{
    size_t count = 0;
    size_t from = slice_find(search, SLICE("?"), 0);
    unsigned depth = 0;
    from = from == SIZE_MAX ? search.len : from + 1;
    for (size_t at = from; at <= search.len && count < CRITERIA_MOST; at++) {
        struct slice rest = slice_part(search, at, SIZE_MAX);
        depth += slice_starts_with(rest, SLICE("{{"));
        depth -= depth != 0 && slice_starts_with(rest, SLICE("}}"));
        if ((at == search.len || (search.at[at] == '&' && depth == 0)) && at > from) {
            struct criterion one = {.text = slice_part(search, from, at - from)};
            one.name = slice_part(one.text, 0, slice_find(one.text, SLICE("="), 0));
            out[count++] = one;
        }
        from = at < search.len && search.at[at] == '&' && depth == 0 ? at + 1 : from;
    }
    return count;
}

static const struct criterion *find_criterion(const struct criterion *list, size_t count,
                                              struct slice name)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(list[i].name, name)) {
            return &list[i];
        }
    }
    return NULL;
}

/* Some EHRs refuse a search without category. Conditions must still come from both lists. */
static bool is_harmless(const struct loader *l, const struct fact_rule *fact,
                        const struct criterion *added)
{
    bool condition =
        fact->type != NULL && slice_is(model_type_name(l->model, fact->type), "Condition");
    if (slice_is(added->name, "_count") || slice_is(added->name, "_sort")) {
        return true;
    }
    if (!slice_is(added->name, "category")) {
        return false;
    }
    return !condition ||
           (slice_find(added->text, SLICE("problem-list-item"), 0) != SIZE_MAX &&
            slice_find(added->text, SLICE("encounter-diagnosis"), 0) != SIZE_MAX) ||
           !load_hold_reads(l, fact->name);
}

static void check_instead(struct loader *l, const struct fact_rule *fact, const struct yaml *node)
{
    static const char *const kept[] = {"patient", "subject", "code", "date"};
    struct criterion was[CRITERIA_MOST];
    struct criterion is[CRITERIA_MOST];
    struct slice search = node->scalar.text;
    size_t was_count = criteria_of(fact->text, was);
    size_t is_count = criteria_of(search, is);
    struct slice type = slice_part(search, 0, slice_find(search, SLICE("?"), 0));
    if (fact->read || !slice_starts_with(fact->text, type) || type.len == search.len) {
        load_loosens(l, node->span, "this does not search for what the fact is made of",
                     "a search keeps its type of resource; what is read by its id stays so");
        return;
    }
    for (size_t i = 0; i < was_count; i++) {
        const struct criterion *now = find_criterion(is, is_count, was[i].name);
        bool keep = now != NULL;
        for (size_t k = 0; k < sizeof kept / sizeof *kept; k++) {
            keep = keep || slice_is(was[i].name, kept[k]);
        }
        if (keep && (now == NULL || !slice_equal(now->text, was[i].text))) {
            load_loosens(
                l, node->span,
                arena_printf(l->arena, "the criterion \"%.*s\" is not as it was",
                             SLICE_ARGS(was[i].text))
                    .at,
                "patient, code and date stay word for word; another may be left out whole");
        }
    }
    for (size_t i = 0; i < is_count; i++) {
        if (find_criterion(was, was_count, is[i].name) == NULL && !is_harmless(l, fact, &is[i])) {
            load_loosens(l, node->span,
                         arena_printf(l->arena, "the criterion \"%.*s\" may leave out what counts",
                                      SLICE_ARGS(is[i].text))
                             .at,
                         "add `category` (of conditions that a hold reads: problem-list-item and "
                         "encounter-diagnosis), `_count` or `_sort`");
        }
    }
}

/* What stands in {{ }} of a search is one plain value. */
static const struct piece *load_search(struct loader *l, const struct yaml *node)
{
    bool whole;
    const struct piece *pieces = load_pieces(l, node, &whole);
    for (const struct piece *it = pieces; it != NULL; it = it->next) {
        static const enum path_kind plain[] = {PATH_STRING, PATH_INTEGER,  PATH_DECIMAL,
                                               PATH_DATE,   PATH_DATETIME, PATH_BOOLEAN};
        const struct path_type *type = it->expr != NULL ? path_expr_type(it->expr->path) : NULL;
        bool fits = type == NULL;
        for (size_t i = 0; i < sizeof plain / sizeof *plain && !fits; i++) {
            fits = path_type_may_be_system(type, plain[i]);
        }
        if (!fits) {
            struct diag *diag = load_fault(l, DIAG_MAPPING_VALUE, it->expr->span,
                                           "a search asks for a plain value, and this is %.*s",
                                           SLICE_ARGS(path_type_text(l->arena, type)));
            diag_hint(l->diags, diag, "name an element of it, such as %%patient.id");
        }
    }
    return pieces;
}

/* What FHIR can search a type by; NULL: a type that is not in the table. */
static const char *parameters_of(struct slice type)
{
    static const struct {
        const char *type;
        const char *parameters;
    } table[] = {
#define SEARCH(type, parameters) {type, parameters},
#include "gateway/mapping/search.def"
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (slice_is(type, table[i].type)) {
            return table[i].parameters;
        }
    }
    return NULL;
}

/* A server may read over a parameter that it does not know, and answer with too much. */
static void check_parameter(struct loader *l, const struct yaml *node, struct slice type,
                            struct slice name)
{
    enum { PARAMETERS_MOST = 64 };
    struct slice names[PARAMETERS_MOST];
    size_t count = 0;
    struct slice rest = slice_of(parameters_of(type));
    name = slice_part(name, 0, slice_find(name, SLICE(":"), 0));
    name = slice_part(name, 0, slice_find(name, SLICE("."), 0));
    bool found = rest.len == 0 || slice_starts_with(name, SLICE("_"));
    while (count < PARAMETERS_MOST && slice_cut(&rest, ' ', &names[count])) {
        found = found || slice_equal(names[count++], name);
    }
    if (!found) {
        struct diag *diag =
            load_fault(l, DIAG_MAPPING_UNDEFINED, node->span,
                       "FHIR does not search %.*s by \"%.*s\"", SLICE_ARGS(type), SLICE_ARGS(name));
        diag_hint_nearest(l->diags, diag, name, names, count);
    }
}

/* Each criterion is one that FHIR knows, and one of them is the child. */
static void check_criteria(struct loader *l, const struct yaml *node, const struct model_type *type)
{
    struct criterion list[CRITERIA_MOST];
    struct slice name = model_type_name(l->model, type);
    size_t count = criteria_of(node->scalar.text, list);
    bool child = false;
    for (size_t i = 0; i < count; i++) {
        bool whose = slice_is(list[i].name, "patient") || slice_is(list[i].name, "subject") ||
                     slice_is(list[i].name, "beneficiary") || slice_is(list[i].name, "for");
        child = child || (whose && slice_find(list[i].text, SLICE("%patient.id"), 0) != SIZE_MAX);
        check_parameter(l, node, name, list[i].name);
    }
    if (!child) {
        struct diag *diag = load_fault(l, DIAG_MAPPING_VALUE, node->span,
                                       "this search does not say whose: it finds other children");
        diag_hint(l->diags, diag, "write \"%.*s?patient={{ %%patient.id }}...\"", SLICE_ARGS(name));
    }
}

static void read_search(struct loader *l, const struct yaml *node, void *target)
{
    struct fact_rule *fact = target;
    fact->query = load_search(l, node);
    if (fact->query != NULL) {
        fact->text = node->scalar.text;
        fact->type = load_query_type(l, node, fact->query);
        if (fact->type != NULL) {
            check_criteria(l, node, fact->type);
        }
    }
}

/* per-ehr: { NAME: "search" }; read when the fact's own search is known. */
static void read_variants(struct loader *l, const struct yaml *node, struct fact_rule *fact)
{
    /* An overlay's word for an EHR stands behind the one it takes the place of: the last counts. */
    struct fact_variant *variants =
        ARENA_ARRAY(l->arena, fact->variant_count + node->count + 1, struct fact_variant);
    for (size_t i = 0; i < fact->variant_count; i++) {
        variants[i] = fact->variants[i];
    }
    for (const struct yaml *it = load_is(l, node, YAML_MAP) ? node->first : NULL; it != NULL;
         it = it->next) {
        struct fact_variant variant = {.ehr = it->key.text, .query = load_search(l, it)};
        if (variant.query != NULL) {
            check_instead(l, fact, it);
            variants[fact->variant_count++] = variant;
        }
    }
    fact->variants = variants;
}

static void read_read(struct loader *l, const struct yaml *node, void *target)
{
    struct fact_rule *fact = target;
    bool whole;
    fact->read = true;
    fact->query = load_pieces(l, node, &whole);
    /* The one reference known before anything is fetched is that of the visit's Encounter. */
    fact->type = model_type_find(l->model, SLICE("Encounter"));
    if (fact->query != NULL && !whole) {
        fact->type = load_query_type(l, node, fact->query);
    }
}

static void read_take(struct loader *l, const struct yaml *node, void *target)
{
    static const char *const words[] = {"one", "all", "latest", "latest-by-code"};
    size_t which = TAKE_ALL;
    load_choice(l, node, words, 4, &which);
    ((struct fact_rule *)target)->take = (enum fact_take)which;
}

struct fact_rule *load_find_fact(const struct mapping *m, struct slice name)
{
    for (size_t i = 0; i < m->fact_count; i++) {
        if (slice_equal(m->facts[i].name, name)) {
            return &m->facts[i];
        }
    }
    return NULL;
}

static void override_search(struct loader *l, const struct yaml *node, void *target)
{
    struct fact_rule *fact = target;
    const struct piece *query = load_search(l, node);
    if (query != NULL) {
        check_instead(l, fact, node);
        fact->query = query;
    }
}

static void override_take(struct loader *l, const struct yaml *node, void *target)
{
    struct fact_rule now = {.take = ((struct fact_rule *)target)->take};
    read_take(l, node, &now);
    if (now.take != ((struct fact_rule *)target)->take) {
        load_loosens(l, node->span, "an overlay takes of what is found what the mapping takes",
                     "leave `take` out, or give the fact another name");
    }
}

/* An overlay's word on a fact of the mapping it extends. False: the fact is new. */
static bool override_fact(struct loader *l, const struct yaml *node)
{
    static const struct field fields[] = {{"search", false, override_search},
                                          {"take", false, override_take},
                                          {"per-ehr", false, NULL}};
    if (l->describing && l->overlay) {
        struct fact_rule described = {.name = node->key.text};
        const struct yaml *one = describe_or(l, node);
        load_map(l, one, fields, 3, &described);
        read_variants(l, yaml_get(one, "per-ehr"), &described);
        return false;
    }
    struct fact_rule *fact = l->overlay ? load_find_fact(l->mapping, node->key.text) : NULL;
    if (fact == NULL) {
        return false;
    }
    if (load_map(l, node, fields, 3, fact) && yaml_get(node, "per-ehr") != NULL) {
        read_variants(l, yaml_get(node, "per-ehr"), fact);
    }
    return true;
}

static void read_fact(struct loader *l, const struct yaml *node)
{
    static const struct field fields[] = {{"search", false, read_search},
                                          {"read", false, read_read},
                                          {"take", true, read_take},
                                          {"per-ehr", false, NULL}};
    struct mapping *m = l->mapping;
    struct fact_rule fact = {.name = node->key.text, .span = node->key.span};
    if (override_fact(l, node)) {
        return;
    }
    node = l->describing && l->overlay ? describe_or(l, node) : node;
    if (!load_map(l, node, fields, 4, &fact)) {
        return;
    }
    if (yaml_get(node, "search") == NULL && yaml_get(node, "read") == NULL) {
        load_fault(l, DIAG_MAPPING_KEY_MISSING, node->span, "a fact needs `search` or `read`");
        return;
    }
    load_new_variable(l, node);
    if (yaml_get(node, "per-ehr") != NULL) {
        read_variants(l, yaml_get(node, "per-ehr"), &fact);
    }
    bool many = fact.take == TAKE_ALL || fact.take == TAKE_LATEST_BY_CODE;
    load_fhir_variable(l, fact.name, fact.type, many);
    LOAD_ADD(l, m->facts, m->fact_count, fact);
}

void load_facts(struct loader *l, const struct yaml *node, void *target)
{
    (void)target;
    if (load_is(l, node, YAML_MAP)) {
        for (const struct yaml *member = node->first; member != NULL; member = member->next) {
            read_fact(l, member);
        }
    }
}
