#include "fhir/path/eval.h"

/* What happens before a function runs: its input and the arguments that are values, by the row of
 * functions.def. */

struct demand {
    unsigned kinds; /* bits of enum path_kind; 0: any */
    const char *words;
};

static struct demand input_demand(enum input_rule rule)
{
    static const struct demand demands[] = {
        [INPUT_ALL] = {0, NULL},
        [INPUT_STRING] = {1U << PATH_STRING, "a System.String"},
        [INPUT_NUMBER] = {KIND_NUMBERS, "a number"},
        [INPUT_MEASURE] = {KIND_NUMBERS | 1U << PATH_QUANTITY, "a number or a System.Quantity"},
        [INPUT_QUANTITY] = {KIND_NUMBERS | 1U << PATH_QUANTITY, "a System.Quantity"},
        [INPUT_BOUNDED] = {KIND_NUMBERS | 1U << PATH_QUANTITY | KIND_MOMENTS,
                           "a number, a System.Quantity, a date or a time"},
        [INPUT_MOMENT] = {KIND_MOMENTS, "a date or a time"}};
    return demands[rule];
}

static struct demand argument_demand(char letter)
{
    switch (letter) {
    case 's':
    case 'x':
        return (struct demand){1U << PATH_STRING, "a System.String"};
    case 'i':
    case 'I':
        return (struct demand){1U << PATH_INTEGER, "a System.Integer"};
    case 'n':
        return (struct demand){KIND_NUMBERS, "a number"};
    case 'q':
        return (struct demand){KIND_NUMBERS | 1U << PATH_QUANTITY, "a System.Quantity"};
    case 'b':
        return (struct demand){1U << PATH_BOOLEAN, "a System.Boolean"};
    default:
        return (struct demand){0, NULL};
    }
}

static void stop_several(struct evaluation *eval, const struct call *call)
{
    eval_stop(eval, DIAG_PATH_SINGLETON, call->node->mark,
              "pick one with first(), or go through them with select()",
              "%s() takes one item, and here are %zu", call->node->function->name,
              call->input.count);
}

/* False: the input is empty, and so is the result. */
static bool take_input(struct evaluation *eval, struct call *call)
{
    const struct node *node = call->node;
    enum input_rule rule = (enum input_rule)node->function->input;
    switch (rule) {
    case INPUT_ALL:
    case INPUT_ORDERED:
    case INPUT_NONE:
    case INPUT_BOOLEANS:
    case INPUT_STRINGS:
    case INPUT_MEASURES:
    case INPUT_SORTABLE:
        return true;
    default:
        break;
    }
    if (call->input.count > 1) {
        stop_several(eval, call);
    }
    if (call->input.count == 0) {
        return rule == INPUT_CONTEXT;
    }
    if (rule == INPUT_CONTEXT || rule == INPUT_ONE) {
        call->value = call->input.at[0];
        return true;
    }
    if (!item_value(eval, &call->input.at[0], node->mark, &call->value)) {
        return false;
    }
    if (rule == INPUT_ITEM || rule == INPUT_BOOLEAN) {
        return true;
    }
    struct demand demand = input_demand(rule);
    if (!kind_is(&call->value, demand.kinds)) {
        eval_stop(eval, DIAG_PATH_INPUT_TYPE, node->mark, NULL, "%s() is called on %s, not on %.*s",
                  node->function->name, demand.words,
                  SLICE_ARGS(item_words(eval, &call->input.at[0])));
    }
    return true;
}

/* False: an argument that is needed is empty, and so is the result. */
static bool take_argument(struct evaluation *eval, struct call *call, unsigned i)
{
    char letter = function_arg(call->node->function, i);
    struct demand demand = argument_demand(letter);
    const struct node *arg = call->node->args[i];
    if (demand.kinds == 0 || i >= VALUE_ARGS) {
        return true;
    }
    if (arg->kind == NODE_LITERAL) {
        call->args[i] = arg->literal;
        call->given[i] = true;
    } else {
        struct path_item room[ROOM];
        struct collection items = COLLECTION_ON(room);
        eval_node(eval, arg, call->frame, &items);
        call->given[i] =
            single_value(eval, collection_view(&items), arg->span, "this argument", &call->args[i]);
    }
    if (!call->given[i]) {
        return letter == 'I';
    }
    if (!kind_is(&call->args[i], demand.kinds)) {
        eval_stop(eval, DIAG_PATH_ARGUMENT_TYPE, arg->span, NULL, "%s() takes %s here, not %.*s",
                  call->node->function->name, demand.words,
                  SLICE_ARGS(item_words(eval, &call->args[i])));
    }
    return true;
}

/* Functions that look no further than the first item. */
static bool needs_one(const struct function *function)
{
    return function->run == fn_exists || function->run == fn_empty || function->run == fn_first;
}

void eval_call(struct evaluation *eval, const struct node *node, const struct frame *frame,
               struct collection *out)
{
    struct path_item room[ROOM];
    struct collection items = COLLECTION_ON(room);
    struct call call;
    call.node = node;
    call.frame = frame;
    call.input = frame->self;
    memset(call.given, 0, sizeof call.given);
    bool shown = eval->env->step != NULL;
    if (node->function->run == fn_exists && node->arg_count == 1 && !shown) {
        collection_add(eval, out, path_item_boolean(stream_exists(eval, node, frame)));
        return;
    }
    if (node->input != NULL) {
        if (!needs_one(node->function) || !stream_node(eval, node->input, frame, 1, &items)) {
            eval_node(eval, node->input, frame, &items);
        }
        call.input = collection_view(&items);
    }
    if (!take_input(eval, &call)) {
        return;
    }
    for (unsigned i = 0; i < node->arg_count; i++) {
        if (!take_argument(eval, &call, i)) {
            return;
        }
    }
    node->function->run(eval, &call, out);
}

void eval_argument(struct evaluation *eval, const struct call *call, unsigned i,
                   struct collection *out)
{
    eval_node(eval, call->node->args[i], call->frame, out);
}

struct frame frame_of(const struct call *call, const struct path_item *item, size_t index)
{
    return (struct frame){.self = {item, 1}, .total = call->frame->total, .index = (int64_t)index};
}
