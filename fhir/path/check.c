#include "fhir/path/library.h"
#include "fhir/path/type.h"

#include <limits.h>

/*
 * The static check: what each node may yield, and every fault that follows from it. A faulty node
 * may yield anything, so that one mistake is told once. The same walk settles what evaluation would
 * otherwise look up: elements, functions, types, slots of variables.
 */

enum { REFS_MAX = 96 }; /* a set of more types than this counts as any type */

static const struct path_type *any(struct checker *checker)
{
    return type_any(checker->arena, checker->model);
}

static const struct path_type *system_type(struct checker *checker, enum path_kind kind)
{
    return type_system(checker->arena, checker->model, kind);
}

struct slice check_type_words(struct checker *checker, const struct path_type *type)
{
    if (type_is_nothing(type)) {
        return SLICE("an empty collection");
    }
    struct buf text;
    buf_init(&text, checker->arena, SIZE_MAX / 4);
    enum { SHOWN = 4 };
    for (unsigned i = 0; i < type->count && i < SHOWN; i++) {
        buf_add_cstr(&text, i == 0 ? "" : i + 1 == type->count ? " or " : ", ");
        buf_add_slice(&text, type_ref_text(checker->arena, type->model, type->refs[i]));
    }
    if (type->count > SHOWN) {
        buf_printf(&text, " or one of %d more", type->count - SHOWN);
    }
    return buf_view(&text);
}

bool check_single(struct checker *checker, const struct path_type *type, struct span span,
                  const char *what)
{
    if (type->min < 2 || checker->lazy != 0) {
        return false;
    }
    struct diag *diag = diag_add(checker->diags, DIAG_PATH_SINGLETON, span,
                                 "%s takes one item, and here are %d", what, type->min);
    diag_hint(checker->diags, diag, "pick one with first(), or go through them with select()");
    return true;
}

/* ---- types named in the text ---- */

static enum path_kind system_kind(struct slice name)
{
    for (int kind = PATH_BOOLEAN; kind < PATH_TYPE_INFO; kind++) {
        if (slice_is(name, kind_name((enum path_kind)kind))) {
            return (enum path_kind)kind;
        }
    }
    return PATH_NODE;
}

static void unknown_type(struct checker *checker, const struct type_spec *spec, struct slice name)
{
    struct diag *diag = diag_add(checker->diags, DIAG_PATH_UNKNOWN_TYPE, spec->span,
                                 "there is no type \"%.*s\"", SLICE_ARGS(spec->text));
    size_t count = model_type_count(checker->model);
    struct slice *names = ARENA_ARRAY(checker->arena, count + PATH_KIND_COUNT, struct slice);
    for (size_t i = 0; i < count; i++) {
        names[i] = model_type_name(checker->model, model_type_at(checker->model, i));
    }
    for (int kind = PATH_BOOLEAN; kind < PATH_TYPE_INFO; kind++) {
        names[count++] = slice_of(kind_name((enum path_kind)kind));
    }
    diag_hint_nearest(checker->diags, diag, name, names, count);
}

bool check_type_spec(struct checker *checker, struct type_spec *spec, bool exact)
{
    struct slice name = spec->text;
    bool fhir = true;
    bool system = true;
    if (slice_starts_with(name, SLICE("FHIR."))) {
        name = slice_part(name, 5, SIZE_MAX);
        system = false;
    } else if (slice_starts_with(name, SLICE("System."))) {
        name = slice_part(name, 7, SIZE_MAX);
        fhir = false;
    }
    const struct model_type *type = model_type_find(checker->model, name);
    enum path_kind kind = system_kind(name);
    spec->fhir = fhir ? type : NULL;
    spec->system = system ? kind : PATH_NODE;
    spec->exact = exact && (type == NULL || !type_is_open(checker->model, type));
    spec->known = spec->fhir != NULL || spec->system != PATH_NODE;
    /* A name of the other model is a type that no item has, but a type (suite: testType22). */
    if (!spec->known && (slice_is(name, "Any") || (type == NULL && kind == PATH_NODE))) {
        if (slice_is(name, "Any") && system) {
            return true;
        }
        unknown_type(checker, spec, name);
        return false;
    }
    return true;
}

/* The part of `input` that is of the type named. */
const struct path_type *check_narrow(struct checker *checker, const struct type_spec *spec,
                                     const struct path_type *input)
{
    type_ref *refs = ARENA_ARRAY(checker->arena, (size_t)input->count + 2, type_ref);
    struct path_type narrow = {.model = checker->model, .refs = refs};
    for (unsigned i = 0; i < input->count; i++) {
        const struct model_type *type = type_ref_fhir(checker->model, input->refs[i]);
        if (type == NULL) {
            if (input->refs[i] == (type_ref)spec->system && spec->system != PATH_NODE) {
                type_add(&narrow, refs, input->refs[i]);
            }
        } else if (spec->fhir != NULL) {
            if (type == spec->fhir ||
                (!spec->exact && model_is_subtype(checker->model, type, spec->fhir))) {
                type_add(&narrow, refs, input->refs[i]);
            } else if (type_is_open(checker->model, type) &&
                       model_is_subtype(checker->model, spec->fhir, type)) {
                type_add(&narrow, refs, type_ref_of(checker->model, spec->fhir));
            }
        }
    }
    if (input->any) {
        if (spec->fhir != NULL) {
            type_add(&narrow, refs, type_ref_of(checker->model, spec->fhir));
        }
        if (spec->system != PATH_NODE) {
            type_add(&narrow, refs, (type_ref)spec->system);
        }
    }
    narrow.max = narrow.count != 0 ? input->max : 0;
    narrow.unordered = input->unordered;
    /* What cannot be there stays a type, so that a path behind it is still checked against it:
     * (Observation.value as Period).unit is a fault, as Period has no unit. */
    if (narrow.count == 0 && spec->fhir != NULL) {
        type_add(&narrow, refs, type_ref_of(checker->model, spec->fhir));
        narrow.max = input->max;
    }
    struct path_type *copy = ARENA_NEW(checker->arena, struct path_type);
    *copy = narrow;
    return copy;
}

/* ---- members ---- */

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

static void check_member(struct checker *checker, struct node *node, struct surroundings *around)
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

/* ---- variables ---- */

struct constant {
    const char *name;
    const char *value;
};

static const struct constant constants[] = {
    {"ucum", "http://unitsofmeasure.org"},
    {"sct", "http://snomed.info/sct"},
    {"loinc", "http://loinc.org"},
};

/* Constants become literals: %ucum, %`vs-name`, %`ext-name`. */
static bool check_constant(struct checker *checker, struct node *node)
{
    struct slice value = SLICE_NONE;
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
        if (slice_is(node->name, constants[i].name)) {
            value = slice_of(constants[i].value);
        }
    }
    if (slice_starts_with(node->name, SLICE("vs-"))) {
        value = arena_printf(checker->arena, "http://hl7.org/fhir/ValueSet/%.*s",
                             SLICE_ARGS(slice_part(node->name, 3, SIZE_MAX)));
    } else if (slice_starts_with(node->name, SLICE("ext-"))) {
        value = arena_printf(checker->arena, "http://hl7.org/fhir/StructureDefinition/%.*s",
                             SLICE_ARGS(slice_part(node->name, 4, SIZE_MAX)));
    }
    if (value.at == NULL) {
        return false;
    }
    node->kind = NODE_LITERAL;
    node->literal = path_item_string(value);
    node->type = system_type(checker, PATH_STRING);
    return true;
}

static const struct path_type *context_type(struct checker *checker)
{
    const struct path_scope *scope = checker->scope;
    if (scope->context == NULL) {
        return any(checker);
    }
    const struct path_type *type = type_fhir(checker->arena, checker->model, scope->context);
    return scope->context_many ? type_times(checker->arena, type, 0, TYPE_MANY)
                               : type_times(checker->arena, type, 0, 1);
}

static const struct path_type *resource_type(struct checker *checker, bool root)
{
    const struct model_type *context = checker->scope->context;
    if (!root && context != NULL && context->kind == MODEL_RESOURCE) {
        return context_type(checker);
    }
    return type_times(checker->arena,
                      type_fhir(checker->arena, checker->model,
                                model_type_find(checker->model, SLICE("Resource"))),
                      0, 1);
}

static const struct path_type *variable_type(struct checker *checker,
                                             const struct path_variable *variable)
{
    if (variable->type != NULL) {
        return variable->type;
    }
    if (variable->fhir_type == NULL && !variable->is_system) {
        return any(checker);
    }
    const struct path_type *one =
        variable->fhir_type != NULL ? type_fhir(checker->arena, checker->model, variable->fhir_type)
                                    : system_type(checker, variable->system);
    return type_times(checker->arena, one, 0, variable->many ? TYPE_MANY : 1);
}

static void unknown_variable(struct checker *checker, const struct node *node,
                             const struct surroundings *around)
{
    struct diag *diag = diag_add(checker->diags, DIAG_PATH_UNKNOWN_VARIABLE, node->mark,
                                 "there is no variable %%%.*s", SLICE_ARGS(node->name));
    static const char *const own[] = {"context", "resource", "rootResource",
                                      "ucum",    "sct",      "loinc"};
    enum { OWN = sizeof own / sizeof *own };
    size_t count = 0;
    for (const struct binding *b = around->bindings; b != NULL; b = b->outer) {
        count++;
    }
    struct slice *names =
        ARENA_ARRAY(checker->arena, OWN + count + checker->scope->variable_count, struct slice);
    count = 0;
    for (size_t i = 0; i < OWN; i++) {
        names[count++] = slice_of(own[i]);
    }
    for (const struct binding *b = around->bindings; b != NULL; b = b->outer) {
        names[count++] = b->name;
    }
    for (size_t i = 0; i < checker->scope->variable_count; i++) {
        names[count++] = checker->scope->variables[i].name;
    }
    struct slice near = slice_nearest(node->name, names, count);
    if (near.at != NULL) {
        diag_hint(checker->diags, diag, "did you mean %%%.*s?", SLICE_ARGS(near));
    }
}

static void check_variable(struct checker *checker, struct node *node,
                           const struct surroundings *around)
{
    for (const struct binding *b = around->bindings; b != NULL; b = b->outer) {
        if (slice_equal(b->name, node->name)) {
            node->slot = b->slot;
            node->type = b->type;
            return;
        }
    }
    for (size_t i = 0; i < checker->scope->variable_count; i++) {
        if (slice_equal(checker->scope->variables[i].name, node->name)) {
            node->type = variable_type(checker, &checker->scope->variables[i]);
            return;
        }
    }
    if (slice_is(node->name, "context")) {
        node->type = context_type(checker);
    } else if (slice_is(node->name, "resource") || slice_is(node->name, "rootResource")) {
        node->type = resource_type(checker, slice_is(node->name, "rootResource"));
    } else if (!check_constant(checker, node)) {
        unknown_variable(checker, node, around);
        node->type = any(checker);
    }
}

/* Is there a record of that name: a variable "NAME.field"? */
static bool is_record(const struct path_scope *scope, struct slice name)
{
    for (size_t i = 0; i < scope->variable_count; i++) {
        struct slice known = scope->variables[i].name;
        if (known.len > name.len && known.at[name.len] == '.' && slice_starts_with(known, name)) {
            return true;
        }
    }
    return false;
}

/* %visit.date: the field of a record is a variable of that whole name. */
static void fuse_field(struct checker *checker, struct node *node)
{
    struct node *input = node->input;
    if (input == NULL || input->kind != NODE_VARIABLE || !is_record(checker->scope, input->name)) {
        return;
    }
    node->kind = NODE_VARIABLE;
    node->name =
        arena_printf(checker->arena, "%.*s.%.*s", SLICE_ARGS(input->name), SLICE_ARGS(node->name));
    node->input = NULL;
}

/* ---- the walk ---- */

static void check_indexer(struct checker *checker, struct node *node, struct surroundings *around)
{
    check_node(checker, node->input, around);
    struct surroundings inside = *around;
    check_node(checker, node->right, &inside);
    const struct path_type *index = node->right->type;
    if (!type_converts(index, 1U << PATH_INTEGER)) {
        diag_add(checker->diags, DIAG_PATH_ARGUMENT_TYPE, node->right->span,
                 "an index is a System.Integer, not %.*s",
                 SLICE_ARGS(check_type_words(checker, index)));
    } else {
        check_single(checker, index, node->right->span, "an index");
    }
    if (checker->scope->strict && node->input->type->unordered) {
        diag_add(checker->diags, DIAG_PATH_UNORDERED, node->mark,
                 "an index counts on an order that this collection does not have");
    }
    node->type = type_times(checker->arena, node->input->type, 0,
                            type_is_nothing(node->input->type) ? 0 : 1);
}

static void check_type_operator(struct checker *checker, struct node *node,
                                struct surroundings *around)
{
    check_node(checker, node->input, around);
    bool known = check_type_spec(checker, &node->spec, node->op == OP_AS);
    check_single(checker, node->input->type, node->input->span, operator_text(node->op));
    if (!known) {
        node->type = any(checker);
    } else if (node->op == OP_IS) {
        node->type = type_times(checker->arena, system_type(checker, PATH_BOOLEAN), 0, 1);
    } else {
        const struct path_type *narrow = check_narrow(checker, &node->spec, node->input->type);
        node->type = type_times(checker->arena, narrow, 0, narrow->max != 0);
    }
}

void check_node(struct checker *checker, struct node *node, struct surroundings *around)
{
    struct surroundings side = *around;
    if (node->kind == NODE_MEMBER) {
        fuse_field(checker, node);
    }
    switch ((enum node_kind)node->kind) {
    case NODE_EMPTY:
        node->type = type_nothing(checker->arena, checker->model);
        break;
    case NODE_LITERAL:
        node->type = system_type(checker, node->literal.kind);
        break;
    case NODE_VARIABLE:
        check_variable(checker, node, around);
        break;
    case NODE_THIS:
        node->type = around->self;
        break;
    case NODE_INDEX:
        node->type = type_times(checker->arena, system_type(checker, PATH_INTEGER), 0, 1);
        break;
    case NODE_TOTAL:
        node->type = around->total;
        if (around->total == NULL) {
            diag_add(checker->diags, DIAG_PATH_UNKNOWN_VARIABLE, node->mark,
                     "$total has a meaning only inside aggregate()");
            node->type = any(checker);
        }
        break;
    case NODE_MEMBER:
        check_member(checker, node, around);
        break;
    case NODE_CALL: {
        const struct path_type *input = around->self;
        if (node->input != NULL) {
            check_node(checker, node->input, around);
            input = node->input->type;
        }
        check_call(checker, node, input, around);
        break;
    }
    case NODE_INDEXER:
        check_indexer(checker, node, around);
        break;
    case NODE_UNARY:
        check_node(checker, node->right, &side);
        check_unary(checker, node);
        break;
    case NODE_BINARY:
        check_node(checker, node->input, &side);
        side = *around;
        check_node(checker, node->right, &side);
        check_operator(checker, node);
        break;
    case NODE_TYPE:
        check_type_operator(checker, node, &side);
        break;
    }
}

enum status path_compile(struct arena *arena, const struct source *source,
                         const struct path_scope *scope, const struct limits *limits,
                         struct diag_list *diags, const struct path_expr **expr_out)
{
    unsigned errors = diags->errors;
    struct node *root = NULL;
    if (source->text.len > limits->text || source->text.len > UINT32_MAX - 1) {
        diag_add(diags, DIAG_PATH_NESTING, (struct span){source, 0, 0},
                 "the expression is longer than allowed");
        return STATUS_LIMIT;
    }
    enum status status = parse_expression(arena, source, limits, diags, &root);
    struct checker checker = {
        .arena = arena, .model = scope->model, .scope = scope, .diags = diags};
    if (status == STATUS_OK) {
        struct surroundings around = {.self = context_type(&checker)};
        check_node(&checker, root, &around);
        if (diags->errors != errors) {
            diag_sort(diags);
        }
    }
    if (diags->errors != errors) {
        return STATUS_INVALID;
    }
    struct path_expr *expr = ARENA_NEW(arena, struct path_expr);
    *expr = (struct path_expr){.source = source,
                               .model = scope->model,
                               .root = root,
                               .type = root->type,
                               .slot_count = checker.slots};
    *expr_out = expr;
    return STATUS_OK;
}

const struct path_type *path_expr_type(const struct path_expr *expr)
{
    return expr->type;
}

struct span path_expr_span(const struct path_expr *expr)
{
    return expr->root->span;
}

bool path_expr_is_plain(const struct path_expr *expr)
{
    const struct node *node = expr->root;
    while (node != NULL && node->kind == NODE_MEMBER) {
        node = node->input;
    }
    return node == NULL || node->kind == NODE_VARIABLE || node->kind == NODE_THIS;
}
