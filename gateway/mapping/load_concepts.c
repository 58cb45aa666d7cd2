#include "gateway/mapping/load.h"

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

static const struct field concept_fields[] = {
    {"system", true, read_system},
    {"code", true, read_code},
    {"display", true, read_display},
    {"status", true, read_status},
};

static struct concept read_concept(struct loader *l, const struct yaml *node)
{
    struct concept concept = {.span = node->span, .status = CODE_MEMORY};
    load_map(l, node, concept_fields, sizeof concept_fields / sizeof *concept_fields, &concept);
    return concept;
}

/* ---- sets and codes ---- */

static void read_set(struct loader *l, const struct yaml *node)
{
    struct mapping *m = l->mapping;
    struct concept_set set = {.name = node->key.text, .span = node->key.span};
    if (mapping_find_set(m, set.name) != NULL) {
        struct diag *diag = load_fault(l, DIAG_MAPPING_DUPLICATE, node->key.span,
                                       "the set \"%.*s\" is defined twice", SLICE_ARGS(set.name));
        diag_hint(l->diags, diag, "it stands in %.*s already",
                  SLICE_ARGS(load_place(l, mapping_find_set(m, set.name)->span)));
        return;
    }
    set.url = arena_printf(l->arena, "urn:eplan:set:%.*s", SLICE_ARGS(set.name));
    if (!load_is(l, node, YAML_LIST)) {
        return;
    }
    if (node->count > CONCEPTS_MOST) {
        load_fault(l, DIAG_MAPPING_VALUE, node->key.span, "a set has at most %d codes",
                   CONCEPTS_MOST);
        return;
    }
    struct concept *concepts = ARENA_ARRAY(l->arena, node->count + 1, struct concept);
    for (const struct yaml *entry = node->first; entry != NULL; entry = entry->next) {
        concepts[set.count] = read_concept(l, entry);
        if (concept_set_has(&(struct concept_set){.concepts = concepts, .count = set.count},
                            concepts[set.count].system, concepts[set.count].code)) {
            load_fault(l, DIAG_MAPPING_DUPLICATE, entry->span, "this code stands in the set twice");
        }
        set.count++;
    }
    if (set.count == 0) {
        load_fault(l, DIAG_MAPPING_VALUE, node->span, "a set without codes has no member, ever");
    }
    set.concepts = concepts;
    LOAD_ADD(l, m->sets, m->set_count, set);
    load_system_variable(l, arena_printf(l->arena, "sets.%.*s", SLICE_ARGS(set.name)), PATH_STRING,
                         false);
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

static void read_codes(struct loader *l, const struct yaml *node, void *target)
{
    (void)target;
    struct mapping *m = l->mapping;
    if (!load_is(l, node, YAML_MAP)) {
        return;
    }
    if (node->count > CONCEPTS_MOST) {
        load_fault(l, DIAG_MAPPING_VALUE, node->key.span, "there are at most %d codes",
                   CONCEPTS_MOST);
        return;
    }
    for (const struct yaml *member = node->first; member != NULL; member = member->next) {
        struct concept concept = read_concept(l, member);
        concept.span = member->key.span;
        concept.name = member->key.text;
        if (mapping_find_code(m, concept.name) != NULL) {
            load_fault(l, DIAG_MAPPING_DUPLICATE, member->key.span,
                       "the code \"%.*s\" is defined twice", SLICE_ARGS(concept.name));
        }
        LOAD_ADD(l, m->codes, m->code_count, concept);
    }
}

void load_concepts(struct loader *l, const struct yaml *root)
{
    static const struct field fields[] = {{"sets", false, read_sets}, {"codes", false, read_codes}};
    load_map(l, root, fields, 2, NULL);
}
