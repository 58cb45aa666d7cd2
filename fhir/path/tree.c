#include "fhir/path/library.h"
#include "fhir/path/type.h"

/* The tree as read, for `eplan fhirpath --ast`. */

static const char *kind_word(const struct node *node)
{
    static const char *const words[] = {
        [NODE_EMPTY] = "empty",    [NODE_LITERAL] = "literal", [NODE_VARIABLE] = "variable",
        [NODE_THIS] = "$this",     [NODE_INDEX] = "$index",    [NODE_TOTAL] = "$total",
        [NODE_MEMBER] = "element", [NODE_CALL] = "function",   [NODE_INDEXER] = "index",
        [NODE_UNARY] = "sign",     [NODE_BINARY] = "operator", [NODE_TYPE] = "operator"};
    return node->is_type_name ? "type" : words[node->kind];
}

static void print_node(const struct node *node, unsigned depth, struct buf *out)
{
    for (unsigned i = 0; i < depth; i++) {
        buf_add_cstr(out, "  ");
    }
    struct place place = span_place(node->mark);
    struct slice text = span_text(node->mark);
    if (node->kind == NODE_TYPE || node->spec.text.at != NULL) {
        buf_printf(out, "%s %.*s %.*s", kind_word(node), SLICE_ARGS(text),
                   SLICE_ARGS(node->spec.text));
    } else {
        buf_printf(out, "%s %.*s", kind_word(node), SLICE_ARGS(text));
    }
    buf_printf(out, "  %u:%u", place.line, place.column);
    if (node->type != NULL) {
        struct slice type = path_type_text(out->arena, node->type);
        buf_printf(out, "  : %.*s", SLICE_ARGS(type));
    }
    buf_add_char(out, '\n');
    if (node->input != NULL) {
        print_node(node->input, depth + 1, out);
    }
    if (node->right != NULL) {
        print_node(node->right, depth + 1, out);
    }
    for (unsigned i = 0; i < node->arg_count; i++) {
        print_node(node->args[i], depth + 1, out);
    }
}

void path_print_tree(const struct path_expr *expr, struct buf *out)
{
    print_node(expr->root, 0, out);
}
