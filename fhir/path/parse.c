#include "fhir/path/ast.h"

#include <stdlib.h>

/*
 * Precedence climbing over the grammar of FHIRPath N1 appendix B. One syntax error ends the
 * reading: what follows it would be guessed. A failed call returns NULL and has added its
 * diagnostic.
 */

struct parser {
    struct lexer lexer;
    struct token token; /* the next one, not taken yet */
    uint32_t end;       /* of the token taken last */
    size_t depth;
    const struct limits *limits;
};

/* Binding of binary operators, the higher the tighter (FHIRPath N1 section 6.8). */
struct binary {
    const char *text;
    enum operator_id op;
    int level;
    bool word;
};

enum { LEVEL_UNARY = 20, LEVEL_TYPE = 8 };

static const struct binary binaries[] = {
    {"*", OP_MULTIPLY, 10, false},   {"/", OP_DIVIDE, 10, false},
    {"div", OP_DIV, 10, true},       {"mod", OP_MOD, 10, true},
    {"+", OP_ADD, 9, false},         {"-", OP_SUBTRACT, 9, false},
    {"&", OP_CONCATENATE, 9, false}, {"is", OP_IS, LEVEL_TYPE, true},
    {"as", OP_AS, LEVEL_TYPE, true}, {"|", OP_UNION, 7, false},
    {"<=", OP_LESS_EQUAL, 6, false}, {">=", OP_GREATER_EQUAL, 6, false},
    {"<", OP_LESS, 6, false},        {">", OP_GREATER, 6, false},
    {"=", OP_EQUAL, 5, false},       {"!=", OP_NOT_EQUAL, 5, false},
    {"~", OP_EQUIVALENT, 5, false},  {"!~", OP_NOT_EQUIVALENT, 5, false},
    {"in", OP_IN, 4, true},          {"contains", OP_CONTAINS, 4, true},
    {"and", OP_AND, 3, true},        {"or", OP_OR, 2, true},
    {"xor", OP_XOR, 2, true},        {"implies", OP_IMPLIES, 1, true},
};

enum { BINARY_COUNT = sizeof binaries / sizeof *binaries };

const char *operator_text(enum operator_id op)
{
    for (size_t i = 0; i < BINARY_COUNT; i++) {
        if (binaries[i].op == op) {
            return binaries[i].text;
        }
    }
    return "";
}

static const struct binary *binary_of(const struct token *token)
{
    for (size_t i = 0; i < BINARY_COUNT; i++) {
        bool kind = binaries[i].word ? token->kind == TOKEN_NAME : token->kind == TOKEN_SIGN;
        if (kind && slice_is(token->text, binaries[i].text)) {
            return &binaries[i];
        }
    }
    return NULL;
}

/* Words that are never names without backticks. */
static bool is_reserved(const struct token *token)
{
    static const char *const words[] = {"and", "div", "false", "implies",
                                        "mod", "or",  "true",  "xor"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (token_is_word(token, words[i])) {
            return true;
        }
    }
    return token->kind == TOKEN_NAME && token->text.at[0] == '$';
}

static bool is_name(const struct token *token)
{
    return token->kind == TOKEN_DELIMITED || (token->kind == TOKEN_NAME && !is_reserved(token));
}

static void take(struct parser *parser)
{
    parser->end = parser->token.span.end;
    parser->token = lex_next(&parser->lexer);
}

static struct node *fail(struct parser *parser, const char *expected)
{
    const struct token *token = &parser->token;
    if (token->kind == TOKEN_BAD) {
        return NULL; /* told already */
    }
    if (token->kind == TOKEN_END) {
        diag_add(parser->lexer.diags, DIAG_PATH_SYNTAX, token->span,
                 "the expression ends where %s is expected", expected);
        return NULL;
    }
    struct diag *diag =
        diag_add(parser->lexer.diags, DIAG_PATH_SYNTAX, token->span,
                 "%s is expected here, not \"%.*s\"", expected, SLICE_ARGS(span_text(token->span)));
    if (token_is(token, "=")) {
        diag_hint(parser->lexer.diags, diag, "equality is written with one =");
    } else if (token_is(token, "&")) {
        diag_hint(parser->lexer.diags, diag, "logical and is written: and");
    } else if (token_is(token, "|")) {
        diag_hint(parser->lexer.diags, diag, "logical or is written: or");
    } else if (is_reserved(token) && token->text.at[0] != '$') {
        diag_hint(parser->lexer.diags, diag, "an element of that name is written `%.*s`",
                  SLICE_ARGS(token->text));
    }
    return NULL;
}

static struct node *limit(struct parser *parser, struct span span)
{
    diag_add(parser->lexer.diags, DIAG_PATH_NESTING, span, "the expression is nested too deep");
    return NULL;
}

static struct node *node_new(struct parser *parser, enum node_kind kind, struct span mark)
{
    struct node *node = ARENA_NEW(parser->lexer.arena, struct node);
    node->kind = (uint8_t)kind;
    node->span = node->mark = mark;
    node->depth = 1;
    return node;
}

/* Settles span and depth once the children are there. NULL when the tree is too deep. */
static struct node *finish(struct parser *parser, struct node *node)
{
    unsigned depth = 0;
    if (node->input != NULL) {
        node->span.start = node->input->span.start;
        depth = node->input->depth;
    }
    if (node->right != NULL && node->right->depth > depth) {
        depth = node->right->depth;
    }
    for (unsigned i = 0; i < node->arg_count; i++) {
        depth = node->args[i]->depth > depth ? node->args[i]->depth : depth;
    }
    node->depth = (uint16_t)(depth + 1);
    node->span.end = parser->end;
    return node->depth <= NODE_DEPTH_MAX ? node : limit(parser, node->mark);
}

static struct node *parse_level(struct parser *parser, int level);

static struct node *parse_whole(struct parser *parser)
{
    if (parser->depth >= parser->limits->depth) {
        return limit(parser, parser->token.span);
    }
    parser->depth++;
    struct node *node = parse_level(parser, 1);
    parser->depth--;
    return node;
}

/* ---- literals ---- */

static struct node *literal_fault(struct parser *parser, struct span span, const char *why,
                                  const char *hint)
{
    struct diag *diag = diag_add(parser->lexer.diags, DIAG_PATH_LITERAL, span, "%s", why);
    if (hint != NULL) {
        diag_hint(parser->lexer.diags, diag, "%s", hint);
    }
    return NULL;
}

/* The unit behind a number, if one stands there. */
static bool take_unit(struct parser *parser, struct quantity *quantity)
{
    const struct token *token = &parser->token;
    bool word = token->kind == TOKEN_NAME && calendar_unit_of(token->text) != CALENDAR_NONE;
    if (!word && token->kind != TOKEN_STRING) {
        return false;
    }
    quantity->unit = token->text;
    quantity->is_word = word;
    take(parser);
    return true;
}

static struct node *parse_number(struct parser *parser)
{
    struct token number = parser->token;
    struct node *node = node_new(parser, NODE_LITERAL, number.span);
    struct decimal value;
    if (decimal_parse_plain(number.text, &value) != STATUS_OK) {
        return literal_fault(parser, number.span, "this number has too many digits", NULL);
    }
    take(parser);
    struct quantity quantity = {.value = value};
    if (take_unit(parser, &quantity)) {
        struct quantity *copy = ARENA_NEW(parser->lexer.arena, struct quantity);
        *copy = quantity;
        node->mark.end = parser->end;
        node->literal = (struct path_item){.kind = PATH_QUANTITY, .quantity = copy};
        if (copy->unit.len == 0) {
            return literal_fault(parser, node->mark, "a quantity needs a unit in its quotes",
                                 "a number without unit is written 4 '1'");
        }
        return finish(parser, node);
    }
    if (memchr(number.text.at, '.', number.text.len) != NULL) {
        struct decimal *copy = ARENA_NEW(parser->lexer.arena, struct decimal);
        *copy = value;
        node->literal = (struct path_item){.kind = PATH_DECIMAL, .decimal = copy};
        return finish(parser, node);
    }
    int64_t whole;
    if (decimal_to_int64(value, &whole) != STATUS_OK || whole > INT32_MAX) {
        return literal_fault(parser, number.span,
                             "this number is larger than an Integer can be (2147483647)",
                             "write it as a Decimal, with .0");
    }
    node->literal = path_item_integer((int32_t)whole);
    return finish(parser, node);
}

static struct node *parse_datetime(struct parser *parser)
{
    struct token token = parser->token;
    struct datetime *value = ARENA_NEW(parser->lexer.arena, struct datetime);
    struct datetime_fault fault;
    if (datetime_parse(token.text, FORM_PATH_LITERAL, value, &fault) != STATUS_OK) {
        struct span span = token.span;
        span.start += fault.at < token.text.len ? fault.at : 0;
        return literal_fault(parser, span, fault.why,
                             "@2014, @2014-01-31, @2014-01-31T08:05:00Z, @T08:05");
    }
    static const enum path_kind kinds[] = {[DATETIME_DATE] = PATH_DATE,
                                           [DATETIME_DATETIME] = PATH_DATETIME,
                                           [DATETIME_TIME] = PATH_TIME};
    struct node *node = node_new(parser, NODE_LITERAL, token.span);
    node->literal = (struct path_item){.kind = kinds[value->kind], .datetime = value};
    take(parser);
    return finish(parser, node);
}

static struct node *parse_plain_literal(struct parser *parser, struct path_item value)
{
    struct node *node = node_new(parser, NODE_LITERAL, parser->token.span);
    node->literal = value;
    take(parser);
    return finish(parser, node);
}

static struct node *parse_empty(struct parser *parser)
{
    struct node *node = node_new(parser, NODE_EMPTY, parser->token.span);
    take(parser);
    if (!token_is(&parser->token, "}")) {
        return fail(parser, "}");
    }
    take(parser);
    node->mark.end = parser->end;
    return finish(parser, node);
}

static struct node *parse_variable(struct parser *parser)
{
    struct node *node = node_new(parser, NODE_VARIABLE, parser->token.span);
    take(parser);
    if (!is_name(&parser->token) && parser->token.kind != TOKEN_STRING) {
        return fail(parser, "the name of a variable");
    }
    node->name = parser->token.text;
    take(parser);
    node->mark.end = parser->end;
    return finish(parser, node);
}

/* ---- paths ---- */

/* Name ('.' Name)*; greedy, as the grammar has it. */
static bool parse_type_spec(struct parser *parser, struct type_spec *spec)
{
    struct buf text;
    buf_init(&text, parser->lexer.arena, parser->lexer.source->text.len + 1);
    spec->span = parser->token.span;
    for (;;) {
        if (!is_name(&parser->token)) {
            fail(parser, "the name of a type");
            return false;
        }
        buf_add_slice(&text, parser->token.text);
        take(parser);
        spec->span.end = parser->end;
        if (!token_is(&parser->token, ".")) {
            break;
        }
        /* `x is Patient.foo()`: the call belongs to no type */
        buf_add_char(&text, '.');
        take(parser);
    }
    spec->text = buf_view(&text);
    return true;
}

static bool takes_type(struct slice name)
{
    return slice_is(name, "is") || slice_is(name, "as") || slice_is(name, "ofType");
}

static bool parse_arguments(struct parser *parser, struct node *call)
{
    enum { FIRST = 4 };
    size_t cap = 0;
    bool sort = slice_is(call->name, "sort");
    while (!token_is(&parser->token, ")")) {
        if (call->arg_count != 0) {
            if (!token_is(&parser->token, ",")) {
                fail(parser, ", or )");
                return false;
            }
            take(parser);
        }
        struct node *arg = parse_whole(parser);
        if (arg == NULL) {
            return false;
        }
        if (sort && arg->kind == NODE_UNARY && arg->op == OP_SUBTRACT && !arg->parenthesized) {
            arg = arg->right; /* turns the order, also of strings and dates */
            arg->negated = true;
        }
        if (sort &&
            (token_is_word(&parser->token, "desc") || token_is_word(&parser->token, "asc"))) {
            arg->descending = token_is_word(&parser->token, "desc");
            take(parser);
        }
        if (call->arg_count == cap) {
            cap = cap == 0 ? FIRST : cap * 2;
            struct node **more = ARENA_ARRAY(parser->lexer.arena, cap, struct node *);
            for (unsigned i = 0; i < call->arg_count; i++) {
                more[i] = call->args[i];
            }
            call->args = more;
        }
        if (call->arg_count == UINT16_MAX) {
            fail(parser, ")");
            return false;
        }
        call->args[call->arg_count++] = arg;
    }
    return true;
}

/* The name has been taken and the next token is the parenthesis. */
static struct node *parse_call(struct parser *parser, struct node *input, struct token name)
{
    struct node *node = node_new(parser, NODE_CALL, name.span);
    node->name = name.text;
    node->input = input;
    take(parser);
    if (takes_type(name.text)) {
        if (!parse_type_spec(parser, &node->spec)) {
            return NULL;
        }
    } else if (!parse_arguments(parser, node)) {
        return NULL;
    }
    if (!token_is(&parser->token, ")")) {
        return fail(parser, ")");
    }
    take(parser);
    return finish(parser, node);
}

/* $this, $index, $total; NULL without diagnostic when it is none of them. */
static struct node *parse_dollar(struct parser *parser)
{
    static const struct {
        const char *text;
        enum node_kind kind;
    } rows[] = {{"$this", NODE_THIS}, {"$index", NODE_INDEX}, {"$total", NODE_TOTAL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (token_is_word(&parser->token, rows[i].text)) {
            struct node *node = node_new(parser, rows[i].kind, parser->token.span);
            take(parser);
            return finish(parser, node);
        }
    }
    return fail(parser, "$this, $index or $total");
}

static struct node *parse_invocation(struct parser *parser, struct node *input)
{
    if (parser->token.kind == TOKEN_NAME && parser->token.text.at[0] == '$') {
        if (input != NULL) {
            return fail(parser, "the name of an element or function");
        }
        return parse_dollar(parser);
    }
    if (!is_name(&parser->token)) {
        return fail(parser, input != NULL ? "the name of an element or function" : "a value");
    }
    struct token name = parser->token;
    take(parser);
    if (token_is(&parser->token, "(")) {
        return parse_call(parser, input, name);
    }
    struct node *node = node_new(parser, NODE_MEMBER, name.span);
    node->name = name.text;
    node->input = input;
    return finish(parser, node);
}

static struct node *parse_term(struct parser *parser)
{
    const struct token *token = &parser->token;
    switch (token->kind) {
    case TOKEN_STRING:
        return parse_plain_literal(parser, path_item_string(token->text));
    case TOKEN_NUMBER:
        return parse_number(parser);
    case TOKEN_DATETIME:
        return parse_datetime(parser);
    case TOKEN_NAME:
        if (token_is_word(token, "true") || token_is_word(token, "false")) {
            return parse_plain_literal(parser, path_item_boolean(token_is_word(token, "true")));
        }
        return parse_invocation(parser, NULL);
    case TOKEN_DELIMITED:
        return parse_invocation(parser, NULL);
    default:
        break;
    }
    if (token_is(token, "%")) {
        return parse_variable(parser);
    }
    if (token_is(token, "{")) {
        return parse_empty(parser);
    }
    if (!token_is(token, "(")) {
        return fail(parser, "a value");
    }
    uint32_t start = token->span.start;
    take(parser);
    struct node *node = parse_whole(parser);
    if (node == NULL) {
        return NULL;
    }
    if (!token_is(&parser->token, ")")) {
        return fail(parser, ")");
    }
    take(parser);
    node->span.start = start;
    node->span.end = parser->end;
    node->parenthesized = true;
    return node;
}

static struct node *parse_path(struct parser *parser)
{
    struct node *node = parse_term(parser);
    while (node != NULL) {
        if (token_is(&parser->token, ".")) {
            take(parser);
            node = parse_invocation(parser, node);
        } else if (token_is(&parser->token, "[")) {
            struct node *index = node_new(parser, NODE_INDEXER, parser->token.span);
            take(parser);
            index->input = node;
            index->right = parse_whole(parser);
            if (index->right == NULL) {
                return NULL;
            }
            if (!token_is(&parser->token, "]")) {
                return fail(parser, "]");
            }
            take(parser);
            index->mark.end = parser->end;
            node = finish(parser, index);
        } else {
            return node;
        }
    }
    return NULL;
}

static struct node *parse_unary(struct parser *parser)
{
    if (!token_is(&parser->token, "+") && !token_is(&parser->token, "-")) {
        return parse_path(parser);
    }
    struct node *node = node_new(parser, NODE_UNARY, parser->token.span);
    node->op = token_is(&parser->token, "-") ? OP_SUBTRACT : OP_ADD;
    take(parser);
    if (parser->depth >= parser->limits->depth) {
        return limit(parser, node->mark);
    }
    parser->depth++;
    node->right = parse_unary(parser);
    parser->depth--;
    return node->right != NULL ? finish(parser, node) : NULL;
}

static struct node *parse_level(struct parser *parser, int level)
{
    struct node *left = parse_unary(parser);
    while (left != NULL) {
        const struct binary *binary = binary_of(&parser->token);
        if (binary == NULL || binary->level < level) {
            return left;
        }
        struct node *node = node_new(parser, NODE_BINARY, parser->token.span);
        node->op = (uint8_t)binary->op;
        node->input = left;
        take(parser);
        if (binary->level == LEVEL_TYPE) {
            node->kind = NODE_TYPE;
            if (!parse_type_spec(parser, &node->spec)) {
                return NULL;
            }
        } else {
            node->right = parse_level(parser, binary->level + 1);
            if (node->right == NULL) {
                return NULL;
            }
        }
        left = finish(parser, node);
    }
    return NULL;
}

enum status parse_expression(struct arena *arena, const struct source *source,
                             const struct limits *limits, struct diag_list *diags,
                             struct node **root_out)
{
    unsigned errors = diags->errors;
    struct parser parser = {.lexer = {.arena = arena, .source = source, .diags = diags},
                            .limits = limits};
    parser.token = lex_next(&parser.lexer);
    struct node *root = NULL;
    if (parser.token.kind == TOKEN_END) {
        diag_add(diags, DIAG_PATH_SYNTAX, parser.token.span, "there is no expression");
    } else {
        root = parse_whole(&parser);
    }
    if (root != NULL && parser.token.kind != TOKEN_END) {
        fail(&parser, "an operator or the end");
    }
    if (diags->errors != errors) {
        return STATUS_INVALID;
    }
    *root_out = root;
    return STATUS_OK;
}
