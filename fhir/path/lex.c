#include "fhir/path/ast.h"

/*
 * FHIRPath N1 section 8, with the escapes and comments of the grammar. A token's text is what it
 * means: strings and names come without quotes and escapes.
 */

static char peek(const struct lexer *lexer, size_t ahead)
{
    size_t at = lexer->at + ahead;
    return at < lexer->source->text.len ? lexer->source->text.at[at] : '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static struct span span_of(const struct lexer *lexer, size_t start)
{
    return (struct span){lexer->source, (uint32_t)start, (uint32_t)lexer->at};
}

static struct token token_of(const struct lexer *lexer, enum token_kind kind, size_t start)
{
    struct span span = span_of(lexer, start);
    return (struct token){kind, span, span_text(span)};
}

static struct token bad(const struct lexer *lexer, size_t start)
{
    return token_of(lexer, TOKEN_BAD, start);
}

/* False: a comment does not end, and the diagnostic is added. */
static bool skip_space(struct lexer *lexer)
{
    for (;;) {
        char c = peek(lexer, 0);
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            lexer->at++;
        } else if (c == '/' && peek(lexer, 1) == '/') {
            while (lexer->at < lexer->source->text.len && peek(lexer, 0) != '\n' &&
                   peek(lexer, 0) != '\r') {
                lexer->at++;
            }
        } else if (c == '/' && peek(lexer, 1) == '*') {
            size_t start = lexer->at;
            size_t end = slice_find(lexer->source->text, SLICE("*/"), lexer->at + 2);
            if (end == SIZE_MAX) {
                lexer->at += 2;
                diag_add(lexer->diags, DIAG_PATH_SYNTAX, span_of(lexer, start),
                         "this comment does not end");
                lexer->at = lexer->source->text.len;
                return false;
            }
            lexer->at = end + 2;
        } else {
            return true;
        }
    }
}

static bool hex4(struct slice text, size_t at, uint32_t *code_out)
{
    uint32_t code = 0;
    for (size_t i = at; i < at + 4; i++) {
        char c = i < text.len ? text.at[i] : '\0';
        uint32_t digit;
        if (is_digit(c)) {
            digit = (uint32_t)(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            digit = (uint32_t)(c - 'a' + 10);
        } else if (c >= 'A' && c <= 'F') {
            digit = (uint32_t)(c - 'A' + 10);
        } else {
            return false;
        }
        code = code * 16 + digit;
    }
    *code_out = code;
    return true;
}

/* \uXXXX, with the second half of a surrogate pair. Moves *at behind it. */
static bool unescape_unicode(struct slice text, size_t *at, struct buf *out)
{
    uint32_t code;
    if (!hex4(text, *at, &code)) {
        return false;
    }
    size_t next = *at + 4;
    if (code >= 0xD800 && code < 0xDC00) {
        uint32_t low;
        if (slice_part(text, next, 2).len != 2 || text.at[next] != '\\' ||
            text.at[next + 1] != 'u' || !hex4(text, next + 2, &low) || low < 0xDC00 ||
            low > 0xDFFF) {
            return false;
        }
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        next += 6;
    }
    if (code == 0 || (code >= 0xDC00 && code <= 0xDFFF)) {
        return false;
    }
    buf_add_code(out, code);
    *at = next;
    return true;
}

static char simple_escape(char c)
{
    switch (c) {
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case '\'':
    case '"':
    case '`':
    case '\\':
    case '/':
        return c;
    default:
        return '\0';
    }
}

/* FHIRPath N1 section 2.1.2: a backslash before anything else is dropped. Told, since it is rarely
 * meant. */
static void warn_escape(struct lexer *lexer, size_t at)
{
    size_t end = at + 2 < lexer->source->text.len ? at + 2 : lexer->source->text.len;
    struct span span = {lexer->source, (uint32_t)at, (uint32_t)end};
    struct diag *diag = diag_add(lexer->diags, DIAG_PATH_ESCAPE, span,
                                 "this is no escape: the backslash is left out");
    diag_hint(lexer->diags, diag, "a backslash itself is written \\\\");
}

static struct token lex_quoted(struct lexer *lexer, char quote)
{
    struct slice text = lexer->source->text;
    size_t start = lexer->at;
    struct buf out;
    buf_init(&out, lexer->arena, text.len + 1);
    size_t at = start + 1;
    while (at < text.len && text.at[at] != quote) {
        size_t run = at;
        while (at < text.len && text.at[at] != quote && text.at[at] != '\\') {
            at++;
        }
        buf_add(&out, text.at + run, at - run);
        if (at >= text.len || text.at[at] == quote) {
            break;
        }
        char c = at + 1 < text.len ? text.at[at + 1] : '\0';
        char plain = simple_escape(c);
        size_t code = at + 2;
        if (plain != '\0') {
            buf_add_char(&out, plain);
            at += 2;
        } else if (c == 'u' && unescape_unicode(text, &code, &out)) {
            at = code;
        } else {
            warn_escape(lexer, at);
            at++;
        }
    }
    if (at >= text.len) {
        lexer->at = start + 1;
        diag_add(lexer->diags, DIAG_PATH_SYNTAX, span_of(lexer, start), "this %s does not end",
                 quote == '\'' ? "string" : "name");
        lexer->at = text.len;
        return bad(lexer, start);
    }
    lexer->at = at + 1;
    struct token token = token_of(lexer, quote == '\'' ? TOKEN_STRING : TOKEN_DELIMITED, start);
    token.text = buf_view(&out);
    return token;
}

static struct token lex_number(struct lexer *lexer)
{
    size_t start = lexer->at;
    while (is_digit(peek(lexer, 0))) {
        lexer->at++;
    }
    if (peek(lexer, 0) == '.' && is_digit(peek(lexer, 1))) {
        lexer->at++;
        while (is_digit(peek(lexer, 0))) {
            lexer->at++;
        }
    }
    return token_of(lexer, TOKEN_NUMBER, start);
}

/* Takes `separator` and two digits, if they are there. */
static bool take_pair(struct lexer *lexer, char separator)
{
    size_t skip = separator != '\0';
    if ((skip != 0 && peek(lexer, 0) != separator) || !is_digit(peek(lexer, skip)) ||
        !is_digit(peek(lexer, skip + 1))) {
        return false;
    }
    lexer->at += skip + 2;
    return true;
}

static void take_time(struct lexer *lexer)
{
    if (take_pair(lexer, '\0') && take_pair(lexer, ':') && take_pair(lexer, ':') &&
        peek(lexer, 0) == '.' && is_digit(peek(lexer, 1))) {
        lexer->at++;
        while (is_digit(peek(lexer, 0))) {
            lexer->at++;
        }
    }
}

static void take_zone(struct lexer *lexer)
{
    char c = peek(lexer, 0);
    if (c == 'Z') {
        lexer->at++;
    } else if ((c == '+' || c == '-') && is_digit(peek(lexer, 1)) && is_digit(peek(lexer, 2)) &&
               peek(lexer, 3) == ':' && is_digit(peek(lexer, 4)) && is_digit(peek(lexer, 5))) {
        lexer->at += 6;
    }
}

static struct token lex_datetime(struct lexer *lexer)
{
    size_t start = lexer->at++;
    if (peek(lexer, 0) == 'T') {
        lexer->at++;
        take_time(lexer);
        size_t zone = lexer->at;
        take_zone(lexer);
        if (lexer->at != zone) {
            struct diag *diag = diag_add(lexer->diags, DIAG_PATH_TIME_ZONE, span_of(lexer, zone),
                                         "a time has no offset");
            diag_hint(lexer->diags, diag, "leave it out, or write a date before the T");
            return bad(lexer, start);
        }
        return token_of(lexer, TOKEN_DATETIME, start);
    }
    while (is_digit(peek(lexer, 0)) && lexer->at - start < 5) {
        lexer->at++;
    }
    if (take_pair(lexer, '-')) {
        take_pair(lexer, '-');
    }
    if (peek(lexer, 0) == 'T') {
        lexer->at++;
        take_time(lexer);
        if (is_digit(lexer->source->text.at[lexer->at - 1])) {
            take_zone(lexer);
        }
    }
    return token_of(lexer, TOKEN_DATETIME, start);
}

static struct token lex_sign(struct lexer *lexer)
{
    static const char *const twos[] = {"<=", ">=", "!=", "!~"};
    size_t start = lexer->at;
    for (size_t i = 0; i < sizeof twos / sizeof *twos; i++) {
        if (peek(lexer, 0) == twos[i][0] && peek(lexer, 1) == twos[i][1]) {
            lexer->at += 2;
            return token_of(lexer, TOKEN_SIGN, start);
        }
    }
    if (strchr("()[]{}.,+-*/&|<>=~%", peek(lexer, 0)) != NULL) {
        lexer->at++;
        return token_of(lexer, TOKEN_SIGN, start);
    }
    size_t next = start;
    if (utf8_next(lexer->source->text, &next) == UINT32_MAX) {
        next = start + 1;
    }
    lexer->at = next;
    struct diag *diag = diag_add(lexer->diags, DIAG_PATH_SYNTAX, span_of(lexer, start),
                                 "this character has no meaning here");
    char c = lexer->source->text.at[start];
    if (c == '"') {
        diag_hint(lexer->diags, diag, "a string stands in single quotes: 'text'");
    } else if (c == '!') {
        diag_hint(lexer->diags, diag, "negation is a function: x.not()");
    }
    return bad(lexer, start);
}

struct token lex_next(struct lexer *lexer)
{
    if (!skip_space(lexer)) {
        return bad(lexer, lexer->at);
    }
    size_t start = lexer->at;
    if (start >= lexer->source->text.len) {
        return token_of(lexer, TOKEN_END, start);
    }
    char c = peek(lexer, 0);
    if (is_letter(c) || (c == '$' && is_letter(peek(lexer, 1)))) {
        lexer->at++;
        while (is_letter(peek(lexer, 0)) || is_digit(peek(lexer, 0))) {
            lexer->at++;
        }
        return token_of(lexer, TOKEN_NAME, start);
    }
    if (is_digit(c)) {
        return lex_number(lexer);
    }
    if (c == '\'' || c == '`') {
        return lex_quoted(lexer, c);
    }
    if (c == '@') {
        return lex_datetime(lexer);
    }
    return lex_sign(lexer);
}
