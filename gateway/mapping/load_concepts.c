#include "gateway/mapping/code_form.h"
#include "gateway/mapping/describe.h"

/* ---- one coding ---- */

static void read_system(struct loader *l, const struct yaml *node, void *target)
{
    struct concept *concept = target;
    concept->system = load_text(l, node);
    if (concept->system.len != 0 && slice_find(concept->system, SLICE(":"), 0) == SIZE_MAX) {
        load_fault(l, DIAG_MAPPING_VALUE, node->span, "a code system is named by its URI");
    }
}

static void read_code(struct loader *l, const struct yaml *node, void *target)
{
    ((struct concept *)target)->code = load_text(l, node);
}

static void read_display(struct loader *l, const struct yaml *node, void *target)
{
    ((struct concept *)target)->display = load_text(l, node);
}

static void read_status(struct loader *l, const struct yaml *node, void *target)
{
    static const char *const words[] = {"verified", "secondary", "memory"};
    size_t which = CODE_MEMORY;
    load_choice(l, node, words, 3, &which);
    ((struct concept *)target)->status = (enum code_status)which;
}

static const struct datetime *read_day(struct loader *l, const struct yaml *node)
{
    struct datetime *day = ARENA_NEW(l->arena, struct datetime);
    struct slice text = load_text(l, node);
    if (text.len == 0 || datetime_parse(text, FORM_FHIR_DATE, day, NULL) != STATUS_OK ||
        day->part != PART_DAY) {
        load_fault(l, DIAG_MAPPING_VALUE, node->span, "a day is expected here: 2025-10-01");
        return NULL;
    }
    return day;
}

static void read_from(struct loader *l, const struct yaml *node, void *target)
{
    ((struct concept *)target)->from = read_day(l, node);
}

static void read_until(struct loader *l, const struct yaml *node, void *target)
{
    ((struct concept *)target)->until = read_day(l, node);
}

static const struct field concept_fields[] = {
    {"system", true, read_system}, {"code", true, read_code},  {"display", true, read_display},
    {"status", true, read_status}, {"from", false, read_from}, {"until", false, read_until},
};

/* One code means one thing: another display says that one of the two is a slip. */
static void check_display(struct loader *l, const struct yaml *node, const struct concept *concept)
{
    for (size_t i = 0; i < l->concept_count; i++) {
        const struct concept *other = &l->concepts[i];
        if (slice_equal(other->system, concept->system) &&
            slice_equal(other->code, concept->code) &&
            !slice_equal(other->display, concept->display)) {
            struct diag *diag =
                load_fault(l, DIAG_MAPPING_DUPLICATE, node->span,
                           "the code %.*s is called \"%.*s\" in %.*s", SLICE_ARGS(concept->code),
                           SLICE_ARGS(other->display), SLICE_ARGS(load_place(l, other->span)));
            diag_hint(l->diags, diag, "one of the two is a slip; or give both one display");
            return;
        }
    }
    LOAD_ADD(l, l->concepts, l->concept_count, *concept);
}

enum { LENGTH_OF_CHANCE = 3 };

/* 33 or "active" may well mean something in two systems, 8152 or E66.3 hardly. */
static bool is_telling(struct slice code)
{
    bool digit = false;
    for (size_t i = 0; i < code.len; i++) {
        digit = digit || (code.at[i] >= '0' && code.at[i] <= '9');
    }
    return digit && code.len > LENGTH_OF_CHANCE;
}

static void check_one_system(struct loader *l, const struct yaml *code,
                             const struct concept *concept)
{
    if (!is_telling(concept->code)) {
        return;
    }
    for (size_t i = 0; i < l->concept_count; i++) {
        const struct concept *other = &l->concepts[i];
        if (slice_equal(other->code, concept->code) &&
            !slice_equal(other->system, concept->system)) {
            struct diag *diag =
                load_fault(l, DIAG_MAPPING_TWO_SYSTEMS, code->span,
                           "the code %.*s is one of %.*s in %.*s", SLICE_ARGS(concept->code),
                           SLICE_ARGS(other->system), SLICE_ARGS(load_place(l, other->span)));
            diag_hint(l->diags, diag, "one of the two is a slip, in the code or in its system");
            return;
        }
    }
}

/* What FHIR lists itself is looked up. */
static void check_listed(struct loader *l, const struct yaml *code, const struct concept *concept)
{
    const struct model_value_set *set = code_form_listed(l->model, concept->system);
    if (set == NULL || model_code_in(l->model, set, concept->system, concept->code)) {
        return;
    }
    struct slice *codes = ARENA_ARRAY(l->arena, set->code_count, struct slice);
    for (size_t i = 0; i < set->code_count; i++) {
        codes[i] = model_code_at(l->model, set, i).code;
    }
    struct diag *diag = load_fault(l, DIAG_MAPPING_VALUE, code->span, "%.*s has no code \"%.*s\"",
                                   SLICE_ARGS(concept->system), SLICE_ARGS(concept->code));
    diag_hint_nearest(l->diags, diag, concept->code, codes, set->code_count);
}

static void check_code(struct loader *l, const struct yaml *node, const struct concept *concept)
{
    const struct yaml *code = yaml_get(node, "code");
    const char *fault = concept->code.len != 0 && concept->system.len != 0
                            ? code_form_fault(concept->system, concept->code)
                            : NULL;
    if (fault != NULL && code != NULL) {
        load_fault(l, DIAG_MAPPING_VALUE, code->span, "%s", fault);
    } else if (concept->code.len != 0) {
        check_listed(l, code, concept);
        check_one_system(l, code, concept);
        check_display(l, node, concept);
    }
}

static struct concept read_concept(struct loader *l, const struct yaml *node)
{
    struct concept concept = {.span = node->span, .status = CODE_MEMORY};
    load_map(l, node, concept_fields, sizeof concept_fields / sizeof *concept_fields, &concept);
    load_check_race(l, concept.system, node->span);
    load_check_race(l, concept.code, node->span);
    check_code(l, node, &concept);
    if (concept.from != NULL && concept.until != NULL &&
        datetime_compare(concept.until, concept.from) == ORDER_LESS) {
        load_fault(l, DIAG_MAPPING_DATES, node->span, "this code ends before it begins");
    }
    return concept;
}

/* ---- sets and codes ---- */

static void read_set_site(struct loader *l, const struct yaml *node, void *target)
{
    load_bool(l, node, &((struct concept_set *)target)->site);
}

/* a ends before b begins. */
static bool is_before(const struct concept *a, const struct concept *b)
{
    return a->until != NULL && b->from != NULL && datetime_compare(a->until, b->from) == ORDER_LESS;
}

/* A code may stand twice in a set, for two times that do not meet. */
static void check_periods(struct loader *l, const struct yaml *node, const struct concept_set *set,
                          const struct concept *concept)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct concept *other = &set->concepts[i];
        if (!slice_equal(other->code, concept->code) ||
            !slice_equal(other->system, concept->system)) {
            continue;
        }
        if (!is_before(other, concept) && !is_before(concept, other)) {
            bool dated = concept->from != NULL || concept->until != NULL;
            load_fault(l, dated ? DIAG_MAPPING_DATES : DIAG_MAPPING_DUPLICATE, node->span,
                       dated ? "this code stands in the set twice on some days"
                             : "this code stands in the set twice");
        }
    }
}

static void read_set_codes(struct loader *l, const struct yaml *node, void *target)
{
    struct concept_set *set = target;
    if (!load_is(l, node, YAML_LIST)) {
        return;
    }
    if (node->count + set->count > CONCEPTS_MOST) {
        load_fault(l, DIAG_MAPPING_VALUE, node->key.span, "a set has at most %d codes",
                   CONCEPTS_MOST);
        return;
    }
    struct concept *concepts = ARENA_ARRAY(l->arena, node->count + set->count + 1, struct concept);
    for (size_t i = 0; i < set->count; i++) {
        concepts[i] = set->concepts[i];
    }
    set->concepts = concepts;
    for (const struct yaml *entry = node->first; entry != NULL; entry = entry->next) {
        struct concept concept = read_concept(l, entry);
        check_periods(l, entry, set, &concept);
        concepts[set->count++] = concept;
    }
    if (set->count == 0) {
        load_fault(l, DIAG_MAPPING_VALUE, node->span, "a set without codes has no member, ever");
    }
}

/* A list of codes, or a map that says more of the set. */
static void read_set_value(struct loader *l, const struct yaml *node, struct concept_set *set)
{
    static const struct field fields[] = {{"codes", true, read_set_codes},
                                          {"site", false, read_set_site}};
    if (l->describing) {
        load_map(l, describe_or(l, node), fields, 2, set);
        read_set_codes(l, describe_or(l, node), set);
    } else if (node->kind == YAML_MAP) {
        load_map(l, node, fields, 2, set);
    } else {
        read_set_codes(l, node, set);
    }
}

/* A set of the mapping that is extended: the site's own is written anew, another one grows. */
static void override_set(struct loader *l, const struct yaml *node, struct concept_set *set)
{
    if (set->site) {
        set->count = 0;
    } else {
        struct grown_set grown = {set->name, node->key.span};
        LOAD_ADD(l, l->grown, l->grown_count, grown);
    }
    set->span = node->key.span;
    read_set_value(l, node, set);
}

static void read_set(struct loader *l, const struct yaml *node)
{
    struct mapping *m = l->mapping;
    struct concept_set set = {.name = node->key.text, .span = node->key.span, .layer = l->layer};
    for (size_t i = 0; i < m->set_count; i++) {
        if (!slice_equal(m->sets[i].name, set.name)) {
            continue;
        }
        if (m->sets[i].layer != l->layer) {
            override_set(l, node, &m->sets[i]);
            return;
        }
        struct diag *diag = load_fault(l, DIAG_MAPPING_DUPLICATE, node->key.span,
                                       "the set \"%.*s\" is defined twice", SLICE_ARGS(set.name));
        diag_hint(l->diags, diag, "it stands in %.*s already",
                  SLICE_ARGS(load_place(l, m->sets[i].span)));
        return;
    }
    set.url = arena_printf(l->arena, "urn:eplan:set:%.*s", SLICE_ARGS(set.name));
    set.variable = arena_printf(l->arena, "sets.%.*s", SLICE_ARGS(set.name));
    read_set_value(l, node, &set);
    LOAD_ADD(l, m->sets, m->set_count, set);
    load_system_variable(l, set.variable, PATH_STRING, false);
}

static void read_sets(struct loader *l, const struct yaml *node, void *target)
{
    (void)target;
    if (load_is(l, node, YAML_MAP)) {
        for (const struct yaml *member = node->first; member != NULL; member = member->next) {
            read_set(l, member);
        }
    }
}

/* One name, one code after the other: from always, until today and on, without a gap. */
static struct concept read_versions(struct loader *l, const struct yaml *list)
{
    struct concept *versions = ARENA_ARRAY(l->arena, list->count + 1, struct concept);
    size_t count = 0;
    for (const struct yaml *it = list->first; it != NULL; it = it->next) {
        struct concept *one = &versions[count++];
        *one = read_concept(l, it);
        if (count == 1) {
            continue;
        }
        const struct concept *before = &versions[count - 2];
        versions[count - 2].later = one;
        struct datetime next;
        if (before->until == NULL || one->from == NULL ||
            datetime_add(before->until, 1, CALENDAR_DAY, &next) != STATUS_OK ||
            datetime_compare(&next, one->from) != ORDER_EQUAL) {
            struct diag *diag = load_fault(l, DIAG_MAPPING_DATES, it->span,
                                           "between this code and the one before it is a gap, or "
                                           "they overlap");
            diag_hint(l->diags, diag, "`from` is the day after the `until` of the one before");
        }
    }
    if (count != 0 && (versions[0].from != NULL || versions[count - 1].until != NULL)) {
        load_fault(l, DIAG_MAPPING_DATES, list->span,
                   "the first code has no `from`, and the last no `until`: no day is without one");
    }
    return versions[0];
}

/* A site's own code for the same thing stands before the mapping's. */
static void add_code(struct loader *l, struct concept concept)
{
    struct mapping *m = l->mapping;
    concept.layer = l->layer;
    for (size_t i = 0; i < m->code_count; i++) {
        if (!slice_equal(m->codes[i].name, concept.name)) {
            continue;
        }
        if (m->codes[i].layer == l->layer) {
            load_fault(l, DIAG_MAPPING_DUPLICATE, concept.span,
                       "the code \"%.*s\" is defined twice", SLICE_ARGS(concept.name));
            return;
        }
        struct concept *also = ARENA_NEW(l->arena, struct concept);
        *also = m->codes[i];
        concept.also = also;
        m->codes[i] = concept;
        return;
    }
    LOAD_ADD(l, m->codes, m->code_count, concept);
}

static void read_codes(struct loader *l, const struct yaml *node, void *target)
{
    (void)target;
    if (!load_is(l, node, YAML_MAP)) {
        return;
    }
    if (node->count > CONCEPTS_MOST) {
        load_fault(l, DIAG_MAPPING_VALUE, node->key.span, "there are at most %d codes",
                   CONCEPTS_MOST);
        return;
    }
    for (const struct yaml *member = node->first; member != NULL; member = member->next) {
        if (l->describing) {
            read_concept(l, describe_or(l, member));
            const struct yaml *list = describe_or(l, member);
            load_is(l, list, YAML_LIST);
            read_concept(l, list->first);
            return;
        }
        struct concept concept =
            member->kind == YAML_LIST ? read_versions(l, member) : read_concept(l, member);
        concept.span = member->key.span;
        concept.name = member->key.text;
        add_code(l, concept);
    }
}

void load_concepts(struct loader *l, const struct yaml *root)
{
    static const struct field fields[] = {{"sets", false, read_sets}, {"codes", false, read_codes}};
    load_map(l, root, fields, 2, NULL);
}
