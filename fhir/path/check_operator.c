#include "fhir/path/library.h"
#include "fhir/path/operators.h"
#include "fhir/path/type.h"

/* The static check of operators. What pairs of types an operator takes is said once, in
 * operator_result(), for this check and for evaluation. */

static const struct path_type *one(struct checker *checker, enum path_kind kind)
{
    return type_times(checker->arena, type_system(checker->arena, checker->model, kind), 0, 1);
}

static bool is_math(enum operator_id op)
{
    return op >= OP_MULTIPLY && op <= OP_CONCATENATE;
}

static bool is_comparison(enum operator_id op)
{
    return op >= OP_LESS && op <= OP_GREATER_EQUAL;
}

static void hint_operand(struct checker *checker, struct diag *diag, enum operator_id op,
                         unsigned left, unsigned right)
{
    unsigned string = 1U << PATH_STRING;
    if ((left & KINDS_MOMENT) != 0 && (op == OP_ADD || op == OP_SUBTRACT)) {
        diag_hint(checker->diags, diag, "a duration has a unit: 7 days");
    } else if ((op == OP_ADD || op == OP_CONCATENATE) && ((left | right) & string) != 0) {
        diag_hint(checker->diags, diag, "toString() makes a String of a value");
    } else if (is_comparison(op) && (left | right) == (string | 1U << PATH_DECIMAL)) {
        diag_hint(checker->diags, diag, "toDecimal() makes a number of a String");
    } else if (is_comparison(op) && ((left | right) & 1U << PATH_BOOLEAN) != 0) {
        diag_hint(checker->diags, diag,
                  "is and the comparisons bind from left to right; set parentheses");
    }
}

static void report_operands(struct checker *checker, const struct node *node)
{
    enum operator_id op = (enum operator_id)node->op;
    unsigned left = type_kinds(node->input->type);
    unsigned right = type_kinds(node->right->type);
    enum diag_code code = DIAG_PATH_OPERAND;
    if (is_comparison(op)) {
        code = DIAG_PATH_COMPARISON;
    } else if ((op == OP_ADD || op == OP_SUBTRACT) && (left & ~(unsigned)KINDS_MOMENT) == 0) {
        code = DIAG_PATH_DATE_OPERAND;
    }
    struct diag *diag =
        diag_add(checker->diags, code, node->mark, "%s takes no %.*s and %.*s", operator_text(op),
                 SLICE_ARGS(check_type_words(checker, node->input->type)),
                 SLICE_ARGS(check_type_words(checker, node->right->type)));
    hint_operand(checker, diag, op, left, right);
}

/* The kinds that some pair of the operands' kinds gives. */
static unsigned result_kinds(enum operator_id op, unsigned left, unsigned right)
{
    unsigned kinds = 0;
    for (int l = PATH_BOOLEAN; l < PATH_TYPE_INFO; l++) {
        for (int r = PATH_BOOLEAN; r < PATH_TYPE_INFO; r++) {
            if ((left & 1U << l) != 0 && (right & 1U << r) != 0) {
                enum path_kind kind = operator_result(op, (enum path_kind)l, (enum path_kind)r);
                kinds |= kind != PATH_NODE ? 1U << kind : 0;
            }
        }
    }
    return kinds;
}

static const struct path_type *type_of_kinds(struct checker *checker, unsigned kinds)
{
    type_ref *refs = ARENA_ARRAY(checker->arena, PATH_KIND_COUNT, type_ref);
    struct path_type *type = ARENA_NEW(checker->arena, struct path_type);
    *type = (struct path_type){.model = checker->model, .refs = refs, .max = 1};
    for (int kind = PATH_BOOLEAN; kind < PATH_TYPE_INFO; kind++) {
        if ((kinds & 1U << kind) != 0) {
            type_add(type, refs, (type_ref)kind);
        }
    }
    return type;
}

static bool check_singles(struct checker *checker, const struct node *node)
{
    struct slice name = slice_of(operator_text(node->op));
    bool many = check_single(checker, node->input->type, node->input->span, name.at);
    return check_single(checker, node->right->type, node->right->span, name.at) || many;
}

static void check_math(struct checker *checker, struct node *node)
{
    enum operator_id op = (enum operator_id)node->op;
    const struct path_type *left = node->input->type;
    const struct path_type *right = node->right->type;
    bool empty = type_is_nothing(left) || type_is_nothing(right);
    bool many = check_singles(checker, node);
    if (op == OP_CONCATENATE) {
        unsigned string = 1U << PATH_STRING;
        if (!many && (!type_converts(left, string) || !type_converts(right, string))) {
            report_operands(checker, node);
        }
        node->type = one(checker, PATH_STRING);
        return;
    }
    unsigned kinds = result_kinds(op, type_kinds(left), type_kinds(right));
    if (!many && !empty && kinds == 0) {
        report_operands(checker, node);
        node->type = type_any(checker->arena, checker->model);
        return;
    }
    node->type = is_comparison(op) ? one(checker, PATH_BOOLEAN) : type_of_kinds(checker, kinds);
}

/* ---- how many items a union of literals has at least ---- */

enum { LITERALS_MAX = 16 };

static bool surely_differ(const struct path_item *a, const struct path_item *b)
{
    if (a->kind != b->kind) {
        return (1U << a->kind & KINDS_MEASURE) == 0 && (1U << a->kind & KINDS_MOMENT) == 0;
    }
    switch (a->kind) {
    case PATH_BOOLEAN:
        return a->boolean != b->boolean;
    case PATH_STRING:
        return !slice_equal(a->text, b->text);
    case PATH_INTEGER:
        return a->integer != b->integer;
    case PATH_DECIMAL:
        return !decimal_equal(*a->decimal, *b->decimal);
    default:
        return false;
    }
}

static void gather_literals(const struct node *node, const struct path_item **found,
                            unsigned *count)
{
    if (node->kind == NODE_BINARY && node->op == OP_UNION) {
        gather_literals(node->input, found, count);
        gather_literals(node->right, found, count);
        return;
    }
    if (node->kind != NODE_LITERAL || *count == LITERALS_MAX) {
        return;
    }
    for (unsigned i = 0; i < *count; i++) {
        if (!surely_differ(found[i], &node->literal)) {
            return;
        }
    }
    found[(*count)++] = &node->literal;
}

/* Two values of which none can equal the other: birthDate = '2014-05-06' is always false. */
static void warn_never_equal(struct checker *checker, const struct node *node)
{
    unsigned left = type_kinds(node->input->type);
    unsigned right = type_kinds(node->right->type);
    static const unsigned alike[] = {1U << PATH_BOOLEAN, 1U << PATH_STRING,
                                     KINDS_MEASURE,      1U << PATH_DATE | 1U << PATH_DATETIME,
                                     1U << PATH_TIME,    1U << PATH_NODE | 1U << PATH_TYPE_INFO};
    if (type_is_nothing(node->input->type) || type_is_nothing(node->right->type)) {
        return;
    }
    for (size_t i = 0; i < sizeof alike / sizeof *alike; i++) {
        if ((left & alike[i]) != 0 && (right & alike[i]) != 0) {
            return;
        }
    }
    struct diag *diag =
        diag_add(checker->diags, DIAG_PATH_NEVER_EQUAL, node->mark, "%.*s never equals %.*s",
                 SLICE_ARGS(check_type_words(checker, node->input->type)),
                 SLICE_ARGS(check_type_words(checker, node->right->type)));
    if (((left | right) & KINDS_MOMENT) != 0 && ((left | right) & 1U << PATH_STRING) != 0) {
        diag_hint(checker->diags, diag, "a date is written without quotes: @2014-05-06");
    }
}

static void check_union(struct checker *checker, struct node *node)
{
    const struct path_type *left = node->input->type;
    const struct path_type *right = node->right->type;
    const struct path_item *found[LITERALS_MAX];
    unsigned min = 0;
    gather_literals(node, found, &min);
    min = left->min > min ? left->min : min;
    min = right->min > min ? right->min : min;
    struct path_type *both = ARENA_NEW(checker->arena, struct path_type);
    *both = *type_times(checker->arena, type_either(checker->arena, left, right), min,
                        type_sum(left->max, right->max));
    both->unordered = !type_is_nothing(left) && !type_is_nothing(right);
    node->type = both;
}

void check_operator(struct checker *checker, struct node *node)
{
    enum operator_id op = (enum operator_id)node->op;
    if (is_math(op) || is_comparison(op)) {
        check_math(checker, node);
        return;
    }
    switch (op) {
    case OP_UNION:
        check_union(checker, node);
        return;
    case OP_EQUAL:
    case OP_NOT_EQUAL:
    case OP_EQUIVALENT:
    case OP_NOT_EQUIVALENT:
        warn_never_equal(checker, node);
        break;
    case OP_IN:
        warn_never_equal(checker, node);
        check_single(checker, node->input->type, node->input->span, "in");
        break;
    case OP_CONTAINS:
        warn_never_equal(checker, node);
        check_single(checker, node->right->type, node->right->span, "contains");
        break;
    case OP_AND:
    case OP_OR:
    case OP_XOR:
    case OP_IMPLIES:
        check_singles(checker, node);
        break;
    default:
        break;
    }
    node->type = one(checker, PATH_BOOLEAN);
}

void check_unary(struct checker *checker, struct node *node)
{
    const struct path_type *type = node->right->type;
    const char *sign = node->op == OP_SUBTRACT ? "-" : "+";
    if (!type_converts(type, KINDS_MEASURE)) {
        struct diag *diag = diag_add(checker->diags, DIAG_PATH_OPERAND, node->mark,
                                     "%s takes a number or a System.Quantity, not %.*s", sign,
                                     SLICE_ARGS(check_type_words(checker, type)));
        if (node->right->kind == NODE_CALL && !node->right->parenthesized) {
            diag_hint(checker->diags, diag,
                      "a sign applies to the whole path behind it; for the number write (%s1)",
                      sign);
        }
        node->type = type_any(checker->arena, checker->model);
        return;
    }
    check_single(checker, type, node->right->span, "a sign");
    node->type = type_of_kinds(checker, type_kinds(type) & KINDS_MEASURE);
}
