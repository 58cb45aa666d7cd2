#include "fhir/path/library.h"
#include "fhir/path/type.h"

/* The static check of paths: which elements a name may mean, and what types they have. */

enum { REFS_MAX = 96 }; /* a set of more types than this counts as any type */

static const struct path_type *any(struct checker *checker)
{
    return type_any(checker->arena, checker->model);
}

struct member_search {
    struct path_type found;
    type_ref *refs;
    unsigned max; /* items per parent */
    bool some;    /* a type has the element */
};

static void search_add(struct checker *checker, struct member_search *search,
                       const struct model_type *type)
{
    type_ref ref = type_ref_of(checker->model, type);
    if (search->found.count == REFS_MAX) {
        search->found.any = true;
        return;
    }
    type_add(&search->found, search->refs, ref);
}

static bool search_type(struct checker *checker, struct member_search *search,
                        const struct model_type *type, struct slice name)
{
    struct model_member member = model_element_by_path(checker->model, type, name);
    if (member.element == NULL) {
        return false;
    }
    unsigned max = model_repeats(member.element) ? TYPE_MANY : 1;
    search->max = max > search->max ? max : search->max;
    search->some = true;
    if (member.type != NULL) {
        search_add(checker, search, member.type);
        return true;
    }
    for (size_t i = 0; i < member.element->type_count; i++) {
        search_add(checker, search, model_element_type(checker->model, member.element, i));
    }
    return true;
}

/* Resource, Element and their like: whatever is derived from them may stand there. */
static void search_open(struct checker *checker, struct member_search *search,
                        const struct model_type *open, struct slice name)
{
    for (size_t i = 0; i < model_type_count(checker->model); i++) {
        const struct model_type *type = model_type_at(checker->model, i);
        if (model_is_subtype(checker->model, type, open)) {
            search_type(checker, search, type, name);
        }
    }
}

static void search_system(struct member_search *search, enum path_kind kind, struct slice name)
{
    enum path_kind found = PATH_NODE;
    if (kind == PATH_TYPE_INFO) {
        if (slice_is(name, "namespace") || slice_is(name, "name") || slice_is(name, "baseType")) {
            found = PATH_STRING;
        }
    } else if (kind == PATH_QUANTITY) {
        found = slice_is(name, "value")  ? PATH_DECIMAL
                : slice_is(name, "unit") ? PATH_STRING
                                         : PATH_NODE;
    }
    if (found != PATH_NODE) {
        type_add(&search->found, search->refs, (type_ref)found);
        search->max = search->max > 1 ? search->max : 1;
        search->some = true;
    }
}

static struct member_search search_member(struct checker *checker, const struct path_type *input,
                                          struct slice name)
{
    struct member_search search = {.found = {.model = checker->model}};
    search.refs = ARENA_ARRAY(checker->arena, REFS_MAX + 1, type_ref);
    search.found.refs = search.refs;
    for (unsigned i = 0; i < input->count; i++) {
        const struct model_type *type = type_ref_fhir(checker->model, input->refs[i]);
        if (type == NULL) {
            search_system(&search, (enum path_kind)input->refs[i], name);
        } else if (!search_type(checker, &search, type, name) &&
                   type_is_open(checker->model, type)) {
            search_open(checker, &search, type, name);
        }
    }
    return search;
}

/* "valueQuantity": how JSON names what FHIRPath calls value. */
static bool hint_json_name(struct checker *checker, struct diag *diag,
                           const struct path_type *input, struct slice name)
{
    for (unsigned i = 0; i < input->count; i++) {
        const struct model_type *type = type_ref_fhir(checker->model, input->refs[i]);
        struct model_member member = {NULL, NULL, 0};
        if (type != NULL) {
            member = model_element_by_json(checker->model, type, name);
        }
        if (member.element != NULL && model_is_choice(member.element)) {
            diag_hint(checker->diags, diag,
                      "that is its name in JSON; in FHIRPath it is %.*s.ofType(%.*s)",
                      SLICE_ARGS(model_element_name(checker->model, member.element)),
                      SLICE_ARGS(model_type_name(checker->model, member.type)));
            return true;
        }
    }
    return false;
}

static void unknown_element(struct checker *checker, const struct node *node,
                            const struct path_type *input)
{
    struct diag *diag = diag_add(checker->diags, DIAG_PATH_UNKNOWN_ELEMENT, node->mark,
                                 "\"%.*s\" is no element of %.*s", SLICE_ARGS(node->name),
                                 SLICE_ARGS(check_type_words(checker, input)));
    if (hint_json_name(checker, diag, input, node->name)) {
        return;
    }
    size_t count = 0;
    for (unsigned i = 0; i < input->count; i++) {
        const struct model_type *type = type_ref_fhir(checker->model, input->refs[i]);
        count += type != NULL ? type->element_count : 0;
    }
    struct slice *names = ARENA_ARRAY(checker->arena, count + 1, struct slice);
    count = 0;
    for (unsigned i = 0; i < input->count; i++) {
        const struct model_type *type = type_ref_fhir(checker->model, input->refs[i]);
        for (size_t k = 0; type != NULL && k < type->element_count; k++) {
            names[count++] =
                model_element_name(checker->model, model_element_at(checker->model, type, k));
        }
    }
    diag_hint_nearest(checker->diags, diag, node->name, names, count);
    if (diag->hint.len == 0 && function_find(node->name) != NULL) {
        diag_hint(checker->diags, diag, "a function is called with parentheses: %.*s()",
                  SLICE_ARGS(node->name));
    }
}

static void plan_member(struct checker *checker, struct node *node, const struct path_type *input)
{
    if (input->count != 1 || input->any) {
        return;
    }
    const struct model_type *type = type_ref_fhir(checker->model, input->refs[0]);
    if (type != NULL && !type_is_open(checker->model, type)) {
        member_plan_make(checker->model, type, node->name, &node->plan);
    }
}

/* A path that starts with the name of its context's type: Patient.name. False: the name is none. */
static bool check_type_name(struct checker *checker, struct node *node,
                            const struct path_type *self)
{
    const struct model_type *type = model_type_find(checker->model, node->name);
    if (type == NULL || node->name.at[0] < 'A' || node->name.at[0] > 'Z') {
        return false;
    }
    struct type_spec spec = {.fhir = type};
    type_ref *refs = ARENA_ARRAY(checker->arena, (size_t)self->count + 1, type_ref);
    struct path_type narrow = {
        .model = checker->model, .refs = refs, .max = self->max, .unordered = self->unordered};
    for (unsigned i = 0; i < self->count; i++) {
        const struct model_type *other = type_ref_fhir(checker->model, self->refs[i]);
        if (other != NULL && model_is_subtype(checker->model, other, type)) {
            type_add(&narrow, refs, self->refs[i]);
        } else if (other != NULL && model_is_subtype(checker->model, type, other)) {
            type_add(&narrow, refs, type_ref_of(checker->model, type));
        }
    }
    if (self->any) {
        type_add(&narrow, refs, type_ref_of(checker->model, spec.fhir));
    }
    if (narrow.count == 0) {
        struct diag *diag =
            diag_add(checker->diags, DIAG_PATH_CONTEXT, node->mark,
                     "the path starts at %.*s, not at FHIR.%.*s",
                     SLICE_ARGS(check_type_words(checker, self)), SLICE_ARGS(node->name));
        diag_hint(checker->diags, diag, "leave the type out, or go to one with ofType(%.*s)",
                  SLICE_ARGS(node->name));
        node->type = any(checker);
        return true;
    }
    node->is_type_name = true;
    node->plan.type = type;
    struct path_type *copy = ARENA_NEW(checker->arena, struct path_type);
    *copy = narrow;
    node->type = copy;
    return true;
}

void check_member(struct checker *checker, struct node *node, struct surroundings *around)
{
    const struct path_type *input = around->self;
    if (node->input != NULL) {
        check_node(checker, node->input, around);
        input = node->input->type;
    }
    if (type_is_nothing(input) && node->input != NULL) {
        node->type = input;
        return;
    }
    struct member_search search = search_member(checker, input, node->name);
    if (!search.some) {
        if (node->input == NULL && check_type_name(checker, node, input)) {
            return;
        }
        if (input->any || type_is_nothing(input)) {
            node->type = any(checker);
            return;
        }
        unknown_element(checker, node, input);
        node->type = any(checker);
        return;
    }
    plan_member(checker, node, input);
    struct path_type *found = ARENA_NEW(checker->arena, struct path_type);
    *found = search.found;
    found->any = found->any || input->any;
    found->max = (uint16_t)type_multiply(input->max, search.max);
    found->unordered = input->unordered;
    node->type = found;
}
