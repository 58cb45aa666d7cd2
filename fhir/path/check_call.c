#include "fhir/path/library.h"
#include "fhir/path/type.h"

#include <limits.h>

/* The static check of function calls, by the rows of functions.def. */

static const struct path_type *any(struct checker *checker)
{
    return type_any(checker->arena, checker->model);
}

static const struct path_type *one(struct checker *checker, enum path_kind kind)
{
    return type_times(checker->arena, type_system(checker->arena, checker->model, kind), 0, 1);
}

/* ---- the input ---- */

struct input_demand {
    unsigned kinds;
    bool single;
    const char *words;
};

static struct input_demand input_demand(enum input_rule rule)
{
    switch (rule) {
    case INPUT_ALL:
    case INPUT_ORDERED:
    case INPUT_NONE:
        break;
    case INPUT_CONTEXT:
    case INPUT_ONE:
    case INPUT_ITEM:
    case INPUT_BOOLEAN:
        return (struct input_demand){UINT_MAX, true, "one item"};
    case INPUT_BOOLEANS:
        return (struct input_demand){1U << PATH_BOOLEAN, false, "System.Boolean"};
    case INPUT_STRING:
        return (struct input_demand){1U << PATH_STRING, true, "a System.String"};
    case INPUT_STRINGS:
        return (struct input_demand){1U << PATH_STRING, false, "System.String"};
    case INPUT_MEASURES:
        return (struct input_demand){KINDS_MEASURE, false, "numbers or System.Quantity"};
    case INPUT_SORTABLE:
        return (struct input_demand){KINDS_MEASURE | KINDS_MOMENT | 1U << PATH_STRING, false,
                                     "values that have an order"};
    case INPUT_NUMBER:
        return (struct input_demand){KINDS_NUMBER, true, "a number"};
    case INPUT_MEASURE:
        return (struct input_demand){KINDS_MEASURE, true, "a number or a System.Quantity"};
    case INPUT_QUANTITY:
        return (struct input_demand){KINDS_MEASURE, true, "a System.Quantity"};
    case INPUT_BOUNDED:
        return (struct input_demand){KINDS_MEASURE | KINDS_MOMENT, true,
                                     "a number, a System.Quantity, a date or a time"};
    case INPUT_MOMENT:
        return (struct input_demand){KINDS_MOMENT, true, "a date or a time"};
    }
    return (struct input_demand){UINT_MAX, false, ""};
}

static void hint_input(struct checker *checker, struct diag *diag, const struct path_type *input,
                       unsigned kinds)
{
    if ((kinds & 1U << PATH_STRING) != 0 &&
        type_converts(input, KINDS_MEASURE | KINDS_MOMENT | 1U << PATH_BOOLEAN)) {
        diag_hint(checker->diags, diag, "toString() makes it a String");
        return;
    }
    for (unsigned i = 0; i < input->count; i++) {
        const struct model_type *type = type_ref_fhir(checker->model, input->refs[i]);
        if (type != NULL &&
            model_element_by_path(checker->model, type, SLICE("value")).element != NULL &&
            type->kind == MODEL_COMPLEX) {
            diag_hint(checker->diags, diag, "did you mean its element value?");
            return;
        }
    }
}

static void check_input(struct checker *checker, const struct node *node,
                        const struct path_type *input)
{
    enum input_rule rule = (enum input_rule)node->function->input;
    struct input_demand demand = input_demand(rule);
    struct slice name = arena_printf(checker->arena, "%s()", node->function->name);
    if (!type_converts(input, demand.kinds)) {
        struct diag *diag = diag_add(checker->diags, DIAG_PATH_INPUT_TYPE, node->mark,
                                     "%s is called on %s, not on %.*s", name.at, demand.words,
                                     SLICE_ARGS(check_type_words(checker, input)));
        hint_input(checker, diag, input, demand.kinds);
    } else if (demand.single) {
        check_single(checker, input, node->mark, name.at);
    }
    bool ordered = rule == INPUT_ORDERED;
    if (ordered && checker->scope->strict && input->unordered) {
        struct diag *diag =
            diag_add(checker->diags, DIAG_PATH_UNORDERED, node->mark,
                     "%s counts on an order that this collection does not have", name.at);
        diag_hint(checker->diags, diag,
                  "children(), descendants() and unions come in no order; use where() or sort()");
    }
}

/* ---- arguments ---- */

static void check_argument_value(struct checker *checker, const struct node *node, unsigned i,
                                 unsigned kinds, const char *words)
{
    const struct node *arg = node->args[i];
    if (!type_converts(arg->type, kinds)) {
        struct diag *diag = diag_add(checker->diags, DIAG_PATH_ARGUMENT_TYPE, arg->span,
                                     "%s() takes %s here, not %.*s", node->function->name, words,
                                     SLICE_ARGS(check_type_words(checker, arg->type)));
        diag_hint(checker->diags, diag, "it is used as %s", node->function->usage);
        return;
    }
    check_single(checker, arg->type, arg->span, "this argument");
}

static void check_criterion(struct checker *checker, const struct node *arg)
{
    if (type_is_nothing(arg->type) || type_converts(arg->type, 1U << PATH_BOOLEAN)) {
        if (arg->type->min < 2) {
            return;
        }
    }
    struct diag *diag = diag_add(checker->diags, DIAG_PATH_CRITERION, arg->span,
                                 "a criterion is one System.Boolean, not %.*s",
                                 SLICE_ARGS(check_type_words(checker, arg->type)));
    diag_hint(checker->diags, diag, "compare it with something, or ask whether it exists()");
}

static struct surroundings inside_of(const struct surroundings *around,
                                     const struct path_type *self)
{
    struct surroundings inside = *around;
    inside.self = self;
    return inside;
}

static const struct path_type *item_of(struct checker *checker, const struct path_type *input)
{
    return type_is_nothing(input) ? any(checker) : type_times(checker->arena, input, 1, 1);
}

/*
 * What repeat() yields is what it is applied to again: the last look knows both. A repeat() inside
 * a look ahead is not looked into so, or the time would double with each nesting.
 */
static void check_repeat(struct checker *checker, struct node *arg, const struct path_type *input,
                         const struct surroundings *around)
{
    enum { LOOKS_AHEAD = 2 };
    struct diag_list *diags = checker->diags;
    struct diag_list scratch;
    diag_init(&scratch, checker->arena, 1);
    const struct path_type *self = item_of(checker, input);
    for (int i = 0; i < LOOKS_AHEAD && checker->trial == 0; i++) {
        struct surroundings inside = inside_of(around, self);
        checker->diags = &scratch;
        checker->trial++;
        check_node(checker, arg, &inside);
        checker->trial--;
        checker->diags = diags;
        self = type_times(checker->arena, type_either(checker->arena, self, arg->type), 1, 1);
    }
    struct surroundings inside = inside_of(around, self);
    check_node(checker, arg, &inside);
    if (checker->trial != 0) {
        arg->type = any(checker);
    }
}

static void check_variable_name(struct checker *checker, const struct node *node,
                                const struct surroundings *around)
{
    const struct node *arg = node->args[0];
    if (arg->kind != NODE_LITERAL || arg->literal.kind != PATH_STRING) {
        diag_add(checker->diags, DIAG_PATH_ARGUMENT_TYPE, arg->span,
                 "the name of a variable is written as a string");
        return;
    }
    struct slice name = arg->literal.text;
    bool taken = slice_is(name, "context") || slice_is(name, "resource") ||
                 slice_is(name, "rootResource") || slice_is(name, "ucum") ||
                 slice_is(name, "sct") || slice_is(name, "loinc");
    for (size_t i = 0; i < checker->scope->variable_count; i++) {
        taken = taken || slice_equal(checker->scope->variables[i].name, name);
    }
    for (const struct binding *b = around->bindings; b != NULL; b = b->outer) {
        taken = taken || slice_equal(b->name, name);
    }
    if (taken) {
        diag_add(checker->diags, DIAG_PATH_VARIABLE_TWICE, arg->span, "%%%.*s is defined already",
                 SLICE_ARGS(name));
    }
}

static void check_argument(struct checker *checker, struct node *node, unsigned i,
                           const struct path_type *input, const struct surroundings *around)
{
    struct node *arg = node->args[i];
    struct surroundings inside = inside_of(around, around->self);
    char letter = function_arg(node->function, i);
    if (strchr("wekg", letter) != NULL) {
        inside.self = item_of(checker, input);
    }
    bool conditional = node->function->input == INPUT_CONTEXT;
    if (letter == 't' || (letter == 'w' && conditional)) {
        inside.self =
            type_is_nothing(input) ? any(checker) : type_times(checker->arena, input, 0, 1);
    }
    if (letter == 'g') {
        inside.total = any(checker);
    }
    if (letter == 'r') {
        check_repeat(checker, arg, input, around);
        return;
    }
    checker->lazy += letter == 't';
    check_node(checker, arg, &inside);
    checker->lazy -= letter == 't';
    switch (letter) {
    case 'w':
        check_criterion(checker, arg);
        break;
    case 's':
    case 'x':
        check_argument_value(checker, node, i, 1U << PATH_STRING, "a System.String");
        break;
    case 'i':
    case 'I':
        check_argument_value(checker, node, i, 1U << PATH_INTEGER, "a System.Integer");
        break;
    case 'n':
        check_argument_value(checker, node, i, KINDS_NUMBER, "a number");
        break;
    case 'b':
        check_argument_value(checker, node, i, 1U << PATH_BOOLEAN, "a System.Boolean");
        break;
    case 'q':
        check_argument_value(checker, node, i, KINDS_MEASURE, "a System.Quantity");
        break;
    case 'k':
        check_single(checker, arg->type, arg->span, "a sort key");
        break;
    case 'v':
        check_variable_name(checker, node, around);
        break;
    default:
        break;
    }
}

/* ---- the result ---- */

static const struct path_type *either_of(struct checker *checker, const struct node *node,
                                         unsigned from)
{
    const struct path_type *type = node->args[from]->type;
    for (unsigned i = from + 1; i < node->arg_count; i++) {
        type = type_either(checker->arena, type, node->args[i]->type);
    }
    return type;
}

/* The System kinds of the input that are in `kinds`, each turned by `turn`. */
static const struct path_type *system_of(struct checker *checker, const struct path_type *input,
                                         unsigned kinds, enum path_kind integer,
                                         enum path_kind decimal)
{
    type_ref *refs = ARENA_ARRAY(checker->arena, PATH_KIND_COUNT, type_ref);
    struct path_type *type = ARENA_NEW(checker->arena, struct path_type);
    *type = (struct path_type){.model = checker->model, .refs = refs, .max = 1};
    unsigned may = type_kinds(input) & kinds;
    for (int kind = PATH_BOOLEAN; kind < PATH_TYPE_INFO; kind++) {
        if ((may & 1U << kind) != 0) {
            enum path_kind to = kind == PATH_INTEGER   ? integer
                                : kind == PATH_DECIMAL ? decimal
                                                       : (enum path_kind)kind;
            type_add(type, refs, (type_ref)to);
        }
    }
    return type;
}

static const struct path_type *named_type(struct checker *checker, const char *name, unsigned max)
{
    const struct model_type *type = model_type_find(checker->model, slice_of(name));
    return type_times(checker->arena, type_fhir(checker->arena, checker->model, type), 0, max);
}

static const struct path_type *clock_type(struct checker *checker, const struct node *node,
                                          enum path_kind kind)
{
    if (checker->scope->refuse_clock) {
        struct diag *diag = diag_add(checker->diags, DIAG_PATH_CLOCK, node->mark,
                                     "%s() is not to be asked here: the same input must give the "
                                     "same result",
                                     node->function->name);
        diag_hint(checker->diags, diag, "take the date from the visit");
    }
    return one(checker, kind);
}

static const struct path_type *plain_result(struct checker *checker, enum result_rule rule)
{
    static const enum path_kind kinds[] = {
        [RESULT_BOOLEAN] = PATH_BOOLEAN,   [RESULT_STRING] = PATH_STRING,
        [RESULT_STRINGS] = PATH_STRING,    [RESULT_INTEGER] = PATH_INTEGER,
        [RESULT_DECIMAL] = PATH_DECIMAL,   [RESULT_DATE] = PATH_DATE,
        [RESULT_DATETIME] = PATH_DATETIME, [RESULT_TIME] = PATH_TIME,
        [RESULT_QUANTITY] = PATH_QUANTITY, [RESULT_TYPE_INFO] = PATH_TYPE_INFO};
    bool many = rule == RESULT_STRINGS || rule == RESULT_TYPE_INFO;
    return type_times(checker->arena, type_system(checker->arena, checker->model, kinds[rule]), 0,
                      many ? TYPE_MANY : 1);
}

/* The specification promises no order for these (sections 5.1 to 5.4), though ours is always that
 * of the items found. */
static const struct path_type *in_no_order(struct checker *checker, const struct node *node,
                                           const struct path_type *type)
{
    const struct function *function = node->function;
    bool kept = function->run == fn_combine && node->arg_count == 2;
    if (kept || type->max <= 1 ||
        (function->run != fn_distinct && function->run != fn_intersect &&
         function->result != RESULT_UNION && function->result != RESULT_REPEAT)) {
        return type;
    }
    struct path_type *copy = ARENA_NEW(checker->arena, struct path_type);
    *copy = *type;
    copy->unordered = true;
    return copy;
}

static const struct path_type *collection_result(struct checker *checker, const struct node *node,
                                                 const struct path_type *input)
{
    struct arena *arena = checker->arena;
    switch ((enum result_rule)node->function->result) {
    case RESULT_ITEM:
        return type_times(arena, input, 0, type_is_nothing(input) ? 0 : 1);
    case RESULT_SOME:
        return type_times(arena, input, 0, input->max);
    case RESULT_SORTED: {
        struct path_type *sorted = ARENA_NEW(arena, struct path_type);
        *sorted = *input;
        sorted->unordered = false;
        return sorted;
    }
    case RESULT_UNION: {
        const struct path_type *other = node->args[0]->type;
        return type_times(arena, type_either(arena, input, other),
                          input->min > other->min ? input->min : other->min,
                          type_sum(input->max, other->max));
    }
    case RESULT_PROJECTION: {
        const struct path_type *each = node->args[0]->type;
        return type_times(arena, each, 0, type_multiply(input->max, each->max));
    }
    case RESULT_REPEAT:
        return type_times(arena, node->args[0]->type, 0, TYPE_MANY);
    case RESULT_ARGUMENTS:
        return type_times(arena, either_of(checker, node, 0), 0, either_of(checker, node, 0)->max);
    case RESULT_BRANCHES: {
        const struct path_type *type = either_of(checker, node, 1);
        return type_times(arena, type, node->arg_count == 3 ? type->min : 0, type->max);
    }
    case RESULT_AGGREGATE:
        return type_times(arena, either_of(checker, node, 0), 0, TYPE_MANY);
    default:
        return input;
    }
}

static const struct path_type *result_type(struct checker *checker, const struct node *node,
                                           const struct path_type *input)
{
    enum result_rule rule = (enum result_rule)node->function->result;
    if (rule <= RESULT_TYPE_INFO) {
        return plain_result(checker, rule);
    }
    switch (rule) {
    case RESULT_SAME:
        return system_of(checker, input, UINT_MAX, PATH_INTEGER, PATH_DECIMAL);
    case RESULT_WHOLE:
        return system_of(checker, input, KINDS_MEASURE, PATH_INTEGER, PATH_INTEGER);
    case RESULT_ROUND:
    case RESULT_AVERAGE:
        return system_of(checker, input, KINDS_MEASURE, PATH_DECIMAL, PATH_DECIMAL);
    case RESULT_POWER:
        return type_either(checker->arena, one(checker, PATH_INTEGER), one(checker, PATH_DECIMAL));
    case RESULT_BOUNDARY:
        return system_of(checker, input, KINDS_MEASURE | KINDS_MOMENT, PATH_DECIMAL, PATH_DECIMAL);
    case RESULT_CLOCK_DATETIME:
        return clock_type(checker, node, PATH_DATETIME);
    case RESULT_CLOCK_DATE:
        return clock_type(checker, node, PATH_DATE);
    case RESULT_CLOCK_TIME:
        return clock_type(checker, node, PATH_TIME);
    case RESULT_CHILDREN: {
        struct path_type *type = ARENA_NEW(checker->arena, struct path_type);
        *type = *any(checker);
        type->unordered = true;
        return type;
    }
    case RESULT_EXTENSION:
        return named_type(checker, "Extension", TYPE_MANY);
    case RESULT_RESOURCES:
        return named_type(checker, "Resource", input->max);
    case RESULT_SYSTEM_VALUE:
        return type_times(checker->arena, any(checker), 0, 1);
    default:
        return collection_result(checker, node, input);
    }
}

/* ---- the call ---- */

static void unknown_function(struct checker *checker, const struct node *node,
                             const struct path_type *input)
{
    struct diag *diag = diag_add(checker->diags, DIAG_PATH_UNKNOWN_FUNCTION, node->mark,
                                 "there is no function %.*s()", SLICE_ARGS(node->name));
    for (unsigned i = 0; i < input->count; i++) {
        const struct model_type *type = type_ref_fhir(checker->model, input->refs[i]);
        if (type != NULL &&
            model_element_by_path(checker->model, type, node->name).element != NULL) {
            diag_hint(checker->diags, diag, "the element %.*s is written without parentheses",
                      SLICE_ARGS(node->name));
            return;
        }
    }
    struct slice near = function_nearest(node->name);
    if (near.at != NULL) {
        diag_hint(checker->diags, diag, "did you mean %.*s()?", SLICE_ARGS(near));
    }
}

static bool check_count(struct checker *checker, const struct node *node)
{
    const struct function *function = node->function;
    if (node->arg_count >= function->min && node->arg_count <= function->max) {
        return true;
    }
    bool range = function->min != function->max;
    struct slice takes =
        function->max == 0 ? SLICE("no argument")
        : range ? arena_printf(checker->arena, "%d to %d arguments", function->min, function->max)
                : arena_printf(checker->arena, "%d argument%s", function->min,
                               function->min == 1 ? "" : "s");
    struct diag *diag =
        diag_add(checker->diags, DIAG_PATH_ARGUMENT_COUNT, node->mark,
                 "%s() takes %s, and is given %d", function->name, takes.at, node->arg_count);
    diag_hint(checker->diags, diag, "it is used as %s", function->usage);
    return false;
}

static void check_arguments_only(struct checker *checker, struct node *node,
                                 const struct path_type *self, const struct surroundings *around)
{
    for (unsigned i = 0; i < node->arg_count; i++) {
        struct surroundings inside = inside_of(around, self);
        check_node(checker, node->args[i], &inside);
    }
    node->type = any(checker);
}

static void define_variable(struct checker *checker, struct node *node,
                            const struct path_type *input, struct surroundings *around)
{
    if (node->args[0]->kind != NODE_LITERAL || node->args[0]->literal.kind != PATH_STRING) {
        return;
    }
    struct binding *binding = ARENA_NEW(checker->arena, struct binding);
    node->slot = ++checker->slots;
    *binding = (struct binding){.name = node->args[0]->literal.text,
                                .type = node->arg_count == 2 ? node->args[1]->type : input,
                                .slot = node->slot,
                                .outer = around->bindings};
    around->bindings = binding;
}

static void check_type_call(struct checker *checker, struct node *node,
                            const struct path_type *input)
{
    bool is = slice_is(node->name, "is");
    bool known = check_type_spec(checker, &node->spec, !is);
    bool many = node->function->result == RESULT_TYPE_MANY;
    if (!many) {
        check_single(checker, input, node->mark,
                     arena_printf(checker->arena, "%s()", node->function->name).at);
    }
    if (!known) {
        node->type = any(checker);
    } else if (is) {
        node->type = one(checker, PATH_BOOLEAN);
    } else {
        const struct path_type *narrow = check_narrow(checker, &node->spec, input);
        node->type = many ? narrow : type_times(checker->arena, narrow, 0, narrow->max != 0);
    }
}

/* A value set that is named and will not be there. */
static void check_value_set(struct checker *checker, const struct node *node)
{
    const struct path_scope *scope = checker->scope;
    const struct node *arg = node->args[0];
    if (scope->has_value_set == NULL || arg->kind != NODE_LITERAL ||
        arg->literal.kind != PATH_STRING || scope->has_value_set(scope->arg, arg->literal.text)) {
        return;
    }
    const struct model_value_set *set = model_value_set_find(checker->model, arg->literal.text);
    if (set == NULL || !set->enumerable) {
        diag_add(checker->diags, DIAG_PATH_VALUE_SET, arg->span,
                 "the value set '%.*s' is not loaded", SLICE_ARGS(arg->literal.text));
    }
}

void check_call(struct checker *checker, struct node *node, const struct path_type *input,
                struct surroundings *around)
{
    node->function = function_find(node->name);
    if (node->function == NULL) {
        unknown_function(checker, node, input);
        check_arguments_only(checker, node, any(checker), around);
        return;
    }
    if (node->spec.text.at != NULL) {
        check_type_call(checker, node, input);
        return;
    }
    if (!check_count(checker, node)) {
        check_arguments_only(checker, node, any(checker), around);
        return;
    }
    check_input(checker, node, input);
    for (unsigned i = 0; i < node->arg_count; i++) {
        check_argument(checker, node, i, input, around);
    }
    node->type = in_no_order(checker, node, result_type(checker, node, input));
    if (node->function->run == fn_member_of) {
        check_value_set(checker, node);
    }
    if (function_arg(node->function, 0) == 'v') {
        define_variable(checker, node, input, around);
    }
}
