/* The tree of an expression, inside fhir/path only. Nodes live in the arena of the expression and
 * are immutable once path_compile has returned. */
#ifndef FHIR_PATH_AST_H
#define FHIR_PATH_AST_H

#include "fhir/path/path.h"

enum node_kind {
    NODE_EMPTY,    /* {} */
    NODE_LITERAL,  /* 1, 'a', @2014, 4 days */
    NODE_VARIABLE, /* %name */
    NODE_THIS,
    NODE_INDEX,
    NODE_TOTAL,
    NODE_MEMBER,  /* input.name; without input: of $this, or a type name at the start of a path */
    NODE_CALL,    /* input.name(args); without input: on $this */
    NODE_INDEXER, /* input[right] */
    NODE_UNARY,   /* sign right */
    NODE_BINARY,  /* input operator right */
    NODE_TYPE     /* input is/as type */
};

enum operator_id {
    OP_NONE,
    OP_MULTIPLY,
    OP_DIVIDE,
    OP_DIV,
    OP_MOD,
    OP_ADD,
    OP_SUBTRACT,
    OP_CONCATENATE,
    OP_IS,
    OP_AS,
    OP_UNION,
    OP_LESS,
    OP_GREATER,
    OP_LESS_EQUAL,
    OP_GREATER_EQUAL,
    OP_EQUAL,
    OP_NOT_EQUAL,
    OP_EQUIVALENT,
    OP_NOT_EQUIVALENT,
    OP_IN,
    OP_CONTAINS,
    OP_AND,
    OP_OR,
    OP_XOR,
    OP_IMPLIES
};

/* A type as written after is, as and in ofType(). */
struct type_spec {
    struct span span;
    struct slice text;             /* "FHIR.Quantity", without the backticks */
    const struct model_type *fhir; /* NULL: no FHIR type of that name */
    struct slice fhir_name;        /* of that type */
    enum path_kind system;         /* PATH_NODE: no System type of that name */
    bool exact;                    /* as and ofType: the FHIR type itself, not one derived */
    bool known;                    /* false: `is` gives false (a FHIR name under System) */
};

/* What a member step finds in an object of `type`, settled when the expression was compiled. */
struct member_plan {
    const struct model_type *type; /* the step is made for objects of this type; NULL: for none */
    const struct model_element *element;
    const struct model_type *result; /* type of the child; NULL: choice or resource */
    struct slice json_name;          /* of a choice: the part before the type's name */
    bool primitive;                  /* the child may have a "_name" sibling */
    bool choice;
    bool resource; /* the child tells its type by resourceType */
};

struct function;
struct node;

/* A name defined by defineVariable(), or given by the scope. */
struct binding {
    struct slice name;
    const struct path_type *type;
    unsigned slot;
    const struct binding *outer;
};

struct node {
    uint8_t kind;      /* enum node_kind */
    uint8_t op;        /* enum operator_id */
    bool descending;   /* an argument of sort(): followed by desc */
    bool negated;      /* an argument of sort(): -key, the sign itself is taken away */
    bool is_type_name; /* NODE_MEMBER without input that names the type of the context */
    bool parenthesized;
    uint16_t depth; /* of the tree below, 1 for a leaf */
    uint16_t arg_count;
    unsigned slot;    /* NODE_VARIABLE: of a defined variable, from 1; defineVariable: its own */
    unsigned place;   /* NODE_VARIABLE: of one of the scope, or 0 (path_variable.place) */
    struct span span; /* the whole */
    struct span mark; /* the name or the operator: where a message points */
    struct slice name;
    struct node *input;
    struct node *right;
    struct node **args;
    struct type_spec spec; /* is, as, ofType */
    struct path_item literal;
    const struct function *function;
    const struct path_type *type; /* what it may yield */
    struct member_plan plan;
    void *prepared; /* what a function made of its literal arguments when compiled */
};

struct path_expr {
    const struct source *source;
    const struct model *model;
    struct node *root;
    const struct path_type *type;
    unsigned slot_count; /* of defined variables */
};

/* ---- lex.c ---- */

enum token_kind {
    TOKEN_END,
    TOKEN_NAME,      /* also keywords */
    TOKEN_DELIMITED, /* `name` */
    TOKEN_STRING,
    TOKEN_NUMBER,
    TOKEN_DATETIME,
    TOKEN_SIGN, /* an operator or punctuation of one or two characters */
    TOKEN_BAD   /* a diagnostic has been added */
};

struct token {
    enum token_kind kind;
    struct span span;
    struct slice text; /* name and string: unescaped; others as written */
};

struct lexer {
    struct arena *arena;
    const struct source *source;
    struct diag_list *diags;
    size_t at;
};

struct token lex_next(struct lexer *lexer);
static inline bool token_is(const struct token *token, const char *sign)
{
    return token->kind == TOKEN_SIGN && slice_is(token->text, sign);
}
static inline bool token_is_word(const struct token *token, const char *word)
{
    return token->kind == TOKEN_NAME && slice_is(token->text, word);
}

/* ---- parse.c ---- */

/* How deep a tree may be at all, beside limits->depth for parentheses: it bounds every walk. */
enum { NODE_DEPTH_MAX = 400 };

enum status parse_expression(struct arena *arena, const struct source *source,
                             const struct limits *limits, struct diag_list *diags,
                             struct node **root_out);

const char *operator_text(enum operator_id op);

#endif
