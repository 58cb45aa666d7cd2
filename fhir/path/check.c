#include "fhir/path/library.h"
#include "fhir/path/type.h"

#include <limits.h>

/*
 * The static check: what each node may yield, and every fault that follows from it. A faulty node
 * may yield anything, so that one mistake is told once. The same walk settles what evaluation would
 * otherwise look up: elements, functions, types, slots of variables.
 */

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
    spec->fhir_name = spec->fhir != NULL ? model_type_name(checker->model, type) : SLICE_NONE;
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
        check_fuse_field(checker, node);
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
        struct surroundings around = {.self = check_context_type(&checker)};
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
