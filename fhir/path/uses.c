#include "fhir/path/library.h"

/* What an expression needs beside its context, told without evaluating it. */

struct walk {
    void (*use)(void *arg, unsigned place);
    void *arg;
    bool asks;
};

static bool asks_caller(const struct function *function)
{
    static function_run *const asking[] = {fn_member_of, fn_resolve, fn_trace,
                                           fn_now,       fn_today,   fn_time_of_day};
    for (size_t i = 0; i < sizeof asking / sizeof *asking; i++) {
        if (function->run == asking[i]) {
            return true;
        }
    }
    return false;
}

static bool is_of_context(struct slice name)
{
    return slice_is(name, "context") || slice_is(name, "resource") ||
           slice_is(name, "rootResource");
}

/* The parser has bounded the depth (NODE_DEPTH_MAX). */
static void walk_node(struct walk *walk, const struct node *node)
{
    if (node->kind == NODE_VARIABLE && node->slot == 0) {
        if (node->place != 0) {
            walk->use(walk->arg, node->place);
        } else if (!is_of_context(node->name)) {
            walk->asks = true; /* found by name when it is evaluated */
        }
    }
    if (node->kind == NODE_CALL) {
        walk->asks = walk->asks || asks_caller(node->function);
    }
    if (node->input != NULL) {
        walk_node(walk, node->input);
    }
    if (node->right != NULL) {
        walk_node(walk, node->right);
    }
    for (unsigned i = 0; i < node->arg_count; i++) {
        walk_node(walk, node->args[i]);
    }
}

bool path_expr_uses(const struct path_expr *expr, void (*use)(void *arg, unsigned place), void *arg)
{
    struct walk walk = {.use = use, .arg = arg};
    walk_node(&walk, expr->root);
    return walk.asks;
}
