#include "fhir/path/eval.h"

/*
 * The walker: one function per kind of node, recursion over a tree whose depth the parser bounded
 * (NODE_DEPTH_MAX). A fault is told at its node and ends the evaluation by arena_fail, which the
 * arena_run in path_evaluate catches.
 */

void eval_stop_told(struct evaluation *eval)
{
    eval->failed = STATUS_INVALID;
    arena_fail(eval->arena, STATUS_INVALID);
}

void eval_stop(struct evaluation *eval, enum diag_code code, struct span span, const char *hint,
               const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct slice sentence = arena_vprintf(eval->diags->arena, format, args);
    va_end(args);
    struct diag *diag = diag_add(eval->diags, code, span, "%s", sentence.at);
    if (hint != NULL) {
        diag_hint(eval->diags, diag, "%s", hint);
    }
    eval_stop_told(eval);
}

void eval_stop_limit(struct evaluation *eval, struct span span, const char *what)
{
    diag_add(eval->diags, DIAG_PATH_LIMIT, span, "the evaluation takes more %s than allowed", what);
    eval->failed = STATUS_LIMIT;
    arena_fail(eval->arena, STATUS_LIMIT);
}

/* ---- collections ---- */

enum { FIRST_CAP = 2 * ROOM }; /* of the first array in the arena */

static void collection_reserve(struct evaluation *eval, struct collection *collection, size_t more)
{
    if (collection->count + more > eval->limits->items) {
        eval_stop_limit(eval, eval->here->span, "items");
    }
    size_t cap = collection->cap > ROOM ? collection->cap * 2 : FIRST_CAP;
    while (cap < collection->count + more) {
        cap *= 2;
    }
    struct path_item *at = arena_alloc(eval->arena, cap * sizeof *at);
    if (collection->count != 0) {
        memcpy(at, collection->at, collection->count * sizeof *at);
    }
    collection->at = at;
    collection->cap = cap;
}

void collection_grow(struct evaluation *eval, struct collection *collection)
{
    collection_reserve(eval, collection, 1);
}

void collection_add_all(struct evaluation *eval, struct collection *collection,
                        struct path_items items)
{
    if (items.count == 0) {
        return;
    }
    if (collection->cap - collection->count < items.count) {
        collection_reserve(eval, collection, items.count);
    }
    memcpy(collection->at + collection->count, items.at, items.count * sizeof *items.at);
    collection->count += items.count;
}

/* ---- leaves ---- */

static struct path_item resource_item(struct evaluation *eval, bool root)
{
    const struct json *json = root ? eval->env->root_resource : eval->env->resource;
    if (json == NULL && root) {
        json = eval->env->resource;
    }
    if (json == NULL && eval->env->context.count == 1) {
        const struct path_item *context = &eval->env->context.at[0];
        json = context->kind == PATH_NODE ? context->node.resource : NULL;
    }
    return path_item_of(eval->model, json, NULL);
}

static void eval_variable(struct evaluation *eval, const struct node *node, struct collection *out)
{
    if (node->slot != 0) {
        collection_add_all(eval, out, eval->slots[node->slot - 1]);
        return;
    }
    if (node->place != 0 && node->place <= eval->env->placed_count) {
        collection_add_all(eval, out, eval->env->placed[node->place - 1]);
        return;
    }
    for (size_t i = 0; i < eval->env->value_count; i++) {
        if (slice_equal(eval->env->values[i].name, node->name)) {
            collection_add_all(eval, out, eval->env->values[i].items);
            return;
        }
    }
    bool root = slice_is(node->name, "rootResource");
    if (slice_is(node->name, "context")) {
        collection_add_all(eval, out, eval->env->context);
    } else if (root || slice_is(node->name, "resource")) {
        struct path_item item = resource_item(eval, root);
        if (item.node.json != NULL) {
            collection_add(eval, out, item);
        }
    }
}

/* A path that does not run in one pass, since each step is to be shown. */
static void eval_member(struct evaluation *eval, const struct node *node, const struct frame *frame,
                        struct collection *out)
{
    struct path_items input = frame->self;
    struct path_item room[ROOM];
    struct collection items = COLLECTION_ON(room);
    if (node->input != NULL) {
        eval_node(eval, node->input, frame, &items);
        input = collection_view(&items);
    }
    for (size_t i = 0; i < input.count; i++) {
        add_step(eval, node, &input.at[i], out);
    }
}

static void eval_indexer(struct evaluation *eval, const struct node *node,
                         const struct frame *frame, struct collection *out)
{
    struct path_item room[ROOM];
    struct collection items = COLLECTION_ON(room);
    struct path_item index_room[ROOM];
    struct collection index = COLLECTION_ON(index_room);
    struct path_item at;
    eval_node(eval, node->input, frame, &items);
    eval_node(eval, node->right, frame, &index);
    if (!single_value(eval, collection_view(&index), node->right->span, "an index", &at)) {
        return;
    }
    if (at.kind != PATH_INTEGER) {
        eval_stop(eval, DIAG_PATH_ARGUMENT_TYPE, node->right->span, NULL,
                  "an index is a System.Integer, not %.*s", SLICE_ARGS(item_words(eval, &at)));
    }
    if (at.integer >= 0 && (uint64_t)at.integer < items.count) {
        collection_add(eval, out, items.at[at.integer]);
    }
}

/* ---- operators ---- */

static void eval_union(struct evaluation *eval, const struct node *node, const struct frame *frame,
                       struct collection *out)
{
    struct path_item room[ROOM];
    struct collection items = COLLECTION_ON(room);
    eval_node(eval, node->input, frame, &items);
    eval_node(eval, node->right, frame, &items);
    struct item_set *set = item_set_create(eval, items.count, node->mark);
    for (size_t i = 0; i < items.count; i++) {
        if (item_set_add(set, &items.at[i])) {
            collection_add(eval, out, items.at[i]);
        }
    }
}

static void eval_math(struct evaluation *eval, const struct node *node, const struct frame *frame,
                      struct collection *out)
{
    struct path_item rooms[2][ROOM];
    struct collection left = COLLECTION_ON(rooms[0]);
    struct collection right = COLLECTION_ON(rooms[1]);
    struct path_item a;
    struct path_item b;
    eval_node(eval, node->input, frame, &left);
    eval_node(eval, node->right, frame, &right);
    const char *sign = operator_text(node->op);
    bool has_a = single_value(eval, collection_view(&left), node->input->span, sign, &a);
    bool has_b = single_value(eval, collection_view(&right), node->right->span, sign, &b);
    if (node->op == OP_CONCATENATE) {
        a = has_a ? a : path_item_string(SLICE(""));
        b = has_b ? b : path_item_string(SLICE(""));
    } else if (!has_a || !has_b) {
        return;
    }
    math_items(eval, (enum operator_id)node->op, &a, &b, node->mark, out);
}

static enum truth truth_comparison(struct evaluation *eval, const struct node *node,
                                   const struct frame *frame)
{
    struct path_item rooms[2][ROOM];
    struct collection left = COLLECTION_ON(rooms[0]);
    struct collection right = COLLECTION_ON(rooms[1]);
    struct path_item a;
    struct path_item b;
    eval_node(eval, node->input, frame, &left);
    eval_node(eval, node->right, frame, &right);
    const char *sign = operator_text(node->op);
    bool has_a = single_value(eval, collection_view(&left), node->input->span, sign, &a);
    bool has_b = single_value(eval, collection_view(&right), node->right->span, sign, &b);
    if (!has_a || !has_b) {
        return TRUTH_EMPTY;
    }
    return compare_items(eval, (enum operator_id)node->op, &a, &b, node->mark);
}

/* What an operand yields; a literal without a copy. */
static struct path_items operand(struct evaluation *eval, const struct node *node,
                                 const struct frame *frame, struct collection *room)
{
    if (node->kind == NODE_LITERAL && eval->env->step == NULL) {
        return (struct path_items){&node->literal, 1};
    }
    eval_node(eval, node, frame, room);
    return collection_view(room);
}

/* The commonest criterion, system = 'text' on one element: by the JSON itself. False: not such a
 * one, or not so simple, and nothing is done. */
static bool quick_equal(struct evaluation *eval, const struct node *node, const struct frame *frame,
                        enum truth *truth_out)
{
    const struct node *member = node->input;
    const struct node *text = node->right;
    if (node->op != OP_EQUAL || member->kind != NODE_MEMBER || member->input != NULL ||
        text->kind != NODE_LITERAL || text->literal.kind != PATH_STRING || frame->self.count != 1 ||
        eval->env->step != NULL) {
        return false;
    }
    const struct path_item *self = &frame->self.at[0];
    const struct member_plan *plan = &member->plan;
    if (self->kind != PATH_NODE || self->type == NULL || self->type != plan->type ||
        !plan->primitive || plan->result->system != MODEL_SYSTEM_STRING ||
        self->type->kind == MODEL_PRIMITIVE) {
        return false;
    }
    const struct json *value = json_member(self->node.json, plan->json_name);
    if (!json_is(value, JSON_STRING)) {
        return false;
    }
    eval_step(eval, node->mark);
    *truth_out = truth_of(slice_equal(json_text(value), text->literal.text));
    return true;
}

static enum truth truth_equality(struct evaluation *eval, const struct node *node,
                                 const struct frame *frame)
{
    enum truth quick;
    if (quick_equal(eval, node, frame, &quick)) {
        return quick;
    }
    struct path_item rooms[2][ROOM];
    struct collection left = COLLECTION_ON(rooms[0]);
    struct collection right = COLLECTION_ON(rooms[1]);
    struct path_items a = operand(eval, node->input, frame, &left);
    struct path_items b = operand(eval, node->right, frame, &right);
    switch (node->op) {
    case OP_EQUAL:
        return items_equal(eval, a, b, node->mark);
    case OP_NOT_EQUAL:
        return truth_not(items_equal(eval, a, b, node->mark));
    case OP_EQUIVALENT:
        return truth_of(items_equivalent(eval, a, b, node->mark));
    default:
        return truth_of(!items_equivalent(eval, a, b, node->mark));
    }
}

static enum truth truth_membership(struct evaluation *eval, const struct node *node,
                                   const struct frame *frame)
{
    bool in = node->op == OP_IN;
    struct path_item rooms[2][ROOM];
    struct collection one = COLLECTION_ON(rooms[0]);
    struct collection many = COLLECTION_ON(rooms[1]);
    eval_node(eval, in ? node->input : node->right, frame, &one);
    eval_node(eval, in ? node->right : node->input, frame, &many);
    const struct path_item *item =
        single_item(eval, collection_view(&one), node->mark, operator_text(node->op));
    if (item == NULL) {
        return TRUTH_EMPTY;
    }
    for (size_t i = 0; i < many.count; i++) {
        if (item_equal(eval, item, &many.at[i], node->mark) == TRUTH_TRUE) {
            return TRUTH_TRUE;
        }
    }
    return TRUTH_FALSE;
}

static enum truth truth_logic(struct evaluation *eval, const struct node *node,
                              const struct frame *frame)
{
    enum truth left = eval_truth(eval, node->input, frame);
    /* What the right side cannot change is not asked (section 6.5 allows it). */
    if ((node->op == OP_AND && left == TRUTH_FALSE) || (node->op == OP_OR && left == TRUTH_TRUE)) {
        return left;
    }
    if (node->op == OP_IMPLIES && left == TRUTH_FALSE) {
        return TRUTH_TRUE;
    }
    enum truth right = eval_truth(eval, node->right, frame);
    bool unknown = left == TRUTH_EMPTY || right == TRUTH_EMPTY;
    switch (node->op) {
    case OP_AND:
        return right == TRUTH_FALSE ? right : unknown ? TRUTH_EMPTY : TRUTH_TRUE;
    case OP_OR:
        return right == TRUTH_TRUE ? right : unknown ? TRUTH_EMPTY : TRUTH_FALSE;
    case OP_XOR:
        return unknown ? TRUTH_EMPTY : truth_of(left != right);
    default: /* implies, left true or empty */
        return left == TRUTH_TRUE || right == TRUTH_TRUE ? right : TRUTH_EMPTY;
    }
}

static enum truth truth_is(struct evaluation *eval, const struct node *node,
                           const struct frame *frame)
{
    struct path_item room[ROOM];
    struct collection items = COLLECTION_ON(room);
    eval_node(eval, node->input, frame, &items);
    const struct path_item *item =
        single_item(eval, collection_view(&items), node->mark, operator_text(node->op));
    return item == NULL ? TRUTH_EMPTY : truth_of(item_is(eval, item, &node->spec));
}

/* The operators that give a Boolean. False: the node is none of them. */
static bool node_truth(struct evaluation *eval, const struct node *node, const struct frame *frame,
                       enum truth *truth_out)
{
    if (node->kind == NODE_TYPE && node->op == OP_IS) {
        *truth_out = truth_is(eval, node, frame);
        return true;
    }
    if (node->kind == NODE_CALL && node->function->run == fn_exists && node->arg_count == 1 &&
        eval->env->step == NULL) {
        *truth_out = truth_of(stream_exists(eval, node, frame));
        return true;
    }
    if (node->kind != NODE_BINARY) {
        return false;
    }
    switch ((enum operator_id)node->op) {
    case OP_LESS:
    case OP_GREATER:
    case OP_LESS_EQUAL:
    case OP_GREATER_EQUAL:
        *truth_out = truth_comparison(eval, node, frame);
        return true;
    case OP_EQUAL:
    case OP_NOT_EQUAL:
    case OP_EQUIVALENT:
    case OP_NOT_EQUIVALENT:
        *truth_out = truth_equality(eval, node, frame);
        return true;
    case OP_IN:
    case OP_CONTAINS:
        *truth_out = truth_membership(eval, node, frame);
        return true;
    case OP_AND:
    case OP_OR:
    case OP_XOR:
    case OP_IMPLIES:
        *truth_out = truth_logic(eval, node, frame);
        return true;
    default:
        return false;
    }
}

static void eval_as(struct evaluation *eval, const struct node *node, const struct frame *frame,
                    struct collection *out)
{
    struct path_item room[ROOM];
    struct collection items = COLLECTION_ON(room);
    eval_node(eval, node->input, frame, &items);
    const struct path_item *item =
        single_item(eval, collection_view(&items), node->mark, operator_text(node->op));
    if (item != NULL && item_is(eval, item, &node->spec)) {
        collection_add(eval, out, *item);
    }
}

static void eval_unary(struct evaluation *eval, const struct node *node, const struct frame *frame,
                       struct collection *out)
{
    struct path_item room[ROOM];
    struct collection items = COLLECTION_ON(room);
    struct path_item value;
    eval_node(eval, node->right, frame, &items);
    if (!single_value(eval, collection_view(&items), node->right->span, "a sign", &value)) {
        return;
    }
    if (!kind_is(&value, KIND_NUMBERS | 1U << PATH_QUANTITY)) {
        eval_stop(eval, DIAG_PATH_OPERAND, node->mark, NULL,
                  "a sign takes a number or a System.Quantity, not %.*s",
                  SLICE_ARGS(item_words(eval, &value)));
    }
    if (node->op == OP_SUBTRACT) {
        negate_item(eval, &value, node->mark, out);
    } else {
        collection_add(eval, out, value);
    }
}

/* ---- the walk ---- */

static void eval_inner(struct evaluation *eval, const struct node *node, const struct frame *frame,
                       struct collection *out)
{
    enum truth truth;
    switch ((enum node_kind)node->kind) {
    case NODE_EMPTY:
        return;
    case NODE_LITERAL:
        collection_add(eval, out, node->literal);
        return;
    case NODE_VARIABLE:
        eval_variable(eval, node, out);
        return;
    case NODE_THIS:
        collection_add_all(eval, out, frame->self);
        return;
    case NODE_INDEX:
        if (frame->index >= 0) {
            collection_add(eval, out, path_item_integer((int32_t)frame->index));
        }
        return;
    case NODE_TOTAL:
        collection_add_all(eval, out, frame->total);
        return;
    case NODE_MEMBER:
        eval_member(eval, node, frame, out);
        return;
    case NODE_CALL:
        eval_call(eval, node, frame, out);
        return;
    case NODE_INDEXER:
        eval_indexer(eval, node, frame, out);
        return;
    case NODE_UNARY:
        eval_unary(eval, node, frame, out);
        return;
    case NODE_TYPE:
    case NODE_BINARY:
        if (node_truth(eval, node, frame, &truth)) {
            collection_add_truth(eval, out, truth);
        } else if (node->kind == NODE_TYPE) {
            eval_as(eval, node, frame, out);
        } else if (node->op == OP_UNION) {
            eval_union(eval, node, frame, out);
        } else {
            eval_math(eval, node, frame, out);
        }
        return;
    }
}

static void show_step(struct evaluation *eval, const struct node *node, struct path_items items)
{
    if (eval->env->step != NULL) {
        eval->env->step(eval->env->arg, node->span, items);
    }
}

void eval_node(struct evaluation *eval, const struct node *node, const struct frame *frame,
               struct collection *out)
{
    eval->here = node;
    eval_step(eval, node->span);
    if (stream_node(eval, node, frame, SIZE_MAX, out)) {
        return;
    }
    size_t before = out->count;
    eval_inner(eval, node, frame, out);
    show_step(eval, node, (struct path_items){out->at + before, out->count - before});
}

static enum truth truth_of_items(struct evaluation *eval, const struct node *node,
                                 struct path_items items)
{
    struct path_item value;
    if (!single_value(eval, items, node->span, "a condition", &value)) {
        return TRUTH_EMPTY;
    }
    /* Section 4.5: one item of another type counts as true. */
    return value.kind == PATH_BOOLEAN ? truth_of(value.boolean) : TRUTH_TRUE;
}

enum truth eval_truth(struct evaluation *eval, const struct node *node, const struct frame *frame)
{
    enum truth truth;
    eval_step(eval, node->span);
    if (eval->env->step == NULL && node_truth(eval, node, frame, &truth)) {
        return truth;
    }
    struct path_item room[ROOM];
    struct collection items = COLLECTION_ON(room);
    eval_node(eval, node, frame, &items);
    return truth_of_items(eval, node, collection_view(&items));
}

enum truth eval_criterion(struct evaluation *eval, const struct node *node,
                          const struct frame *frame)
{
    enum truth truth;
    eval_step(eval, node->span);
    if (eval->env->step == NULL && node_truth(eval, node, frame, &truth)) {
        return truth;
    }
    struct path_item room[ROOM];
    struct collection items = COLLECTION_ON(room);
    eval_node(eval, node, frame, &items);
    struct path_item value;
    if (items.count == 0) {
        return TRUTH_EMPTY;
    }
    if (items.count > 1) {
        eval_stop(eval, DIAG_PATH_CRITERION, node->span, "ask whether they exist()",
                  "a criterion is one System.Boolean, not %zu items", items.count);
    }
    if (!item_value(eval, &items.at[0], node->span, &value)) {
        return TRUTH_EMPTY;
    }
    if (value.kind != PATH_BOOLEAN) {
        eval_stop(eval, DIAG_PATH_CRITERION, node->span,
                  "compare it with something, or ask whether it exists()",
                  "a criterion is one System.Boolean, not %.*s",
                  SLICE_ARGS(item_words(eval, &items.at[0])));
    }
    return truth_of(value.boolean);
}

/* ---- the call from outside ---- */

struct evaluate_work {
    struct evaluation eval;
    struct collection items;
};

static enum status evaluate_run(void *arg)
{
    struct evaluate_work *work = arg;
    struct frame frame = {.self = work->eval.env->context, .index = 0};
    eval_node(&work->eval, work->eval.expr->root, &frame, &work->items);
    return STATUS_OK;
}

enum status path_evaluate(const struct path_expr *expr, const struct path_env *env,
                          struct arena *arena, const struct limits *limits, struct diag_list *diags,
                          struct path_items *items_out)
{
    struct evaluate_work work = {.eval = {.arena = arena,
                                          .expr = expr,
                                          .here = expr->root,
                                          .model = expr->model,
                                          .env = env,
                                          .limits = limits,
                                          .diags = diags}};
    if (expr->slot_count != 0) {
        work.eval.slots = ARENA_ARRAY(arena, expr->slot_count, struct path_items);
    }
    enum status status = arena_run(arena, evaluate_run, &work);
    if (status != STATUS_OK && work.eval.failed == STATUS_OK) {
        arena_fail(arena, status); /* the arena gave out: the caller's affair */
    }
    if (status == STATUS_OK) {
        *items_out = collection_view(&work.items);
    }
    return status;
}
