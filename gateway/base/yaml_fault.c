#include "gateway/base/yaml_fault.h"

#include <stdio.h>

uint32_t yaml_line_start(struct slice text, uint32_t at)
{
    while (at > 0 && text.at[at - 1] != '\n' && text.at[at - 1] != '\r') {
        at--;
    }
    return at;
}

uint32_t yaml_line_end(struct slice text, uint32_t at)
{
    while (at < text.len && text.at[at] != '\n' && text.at[at] != '\r') {
        at++;
    }
    return at;
}

static struct slice bytes_between(const struct source *source, uint32_t from, uint32_t to)
{
    return slice_part(source->text, from, to > from ? to - from : 0);
}

static void add_quote_hint(struct diag_list *diags, struct diag *diag, struct slice value)
{
    bool has_double = slice_find(value, SLICE("\""), 0) != SIZE_MAX;
    bool has_single = slice_find(value, SLICE("'"), 0) != SIZE_MAX;
    bool has_backslash = slice_find(value, SLICE("\\"), 0) != SIZE_MAX;
    if (value.len > 60 || (has_single && (has_double || has_backslash))) {
        diag_hint(diags, diag, "quote this: put |- here and the value on a line of its own below");
    } else if (has_double || has_backslash) {
        diag_hint(diags, diag, "quote this: '%.*s'", SLICE_ARGS(value));
    } else {
        diag_hint(diags, diag, "quote this: \"%.*s\"", SLICE_ARGS(value));
    }
}

void yaml_fault_quote(const struct source *source, uint32_t from, uint32_t to,
                      struct diag_list *diags, const char *sentence)
{
    struct slice value = slice_trim(bytes_between(source, from, to));
    struct span span = {source, from, from + (uint32_t)value.len};
    add_quote_hint(diags, diag_add(diags, DIAG_YAML_QUOTE, span, "%s", sentence), value);
}

static bool is_key_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

/* Within { } of one line a value ends before ", key:" or before the brace: what is told to quote
 * does not take the rest of the map along. */
static uint32_t flow_value_end(const struct source *source, uint32_t at, uint32_t line_end)
{
    struct slice text = source->text;
    uint32_t open = at;
    for (uint32_t start = yaml_line_start(text, at); open > start && text.at[open - 1] != '{';) {
        open--;
    }
    if (open == yaml_line_start(text, at)) {
        return line_end;
    }
    for (uint32_t comma = at; comma + 2 < line_end; comma++) {
        uint32_t i = comma + 2;
        while (i < line_end && is_key_character(text.at[i])) {
            i++;
        }
        if (text.at[comma] == ',' && text.at[comma + 1] == ' ' && i > comma + 2 && i < line_end &&
            text.at[i] == ':') {
            return comma;
        }
    }
    while (line_end > at && (text.at[line_end - 1] == ' ' || text.at[line_end - 1] == '}')) {
        line_end--;
    }
    return line_end;
}

/* "{{" of this line that is open at `at`; UINT32_MAX: none. */
static uint32_t open_braces(const struct source *source, uint32_t at)
{
    for (uint32_t i = at, start = yaml_line_start(source->text, at); i >= start + 2; i--) {
        if (memcmp(source->text.at + i - 2, "{{", 2) == 0) {
            return i - 2;
        }
    }
    return UINT32_MAX;
}

static void report_first_character(const struct source *source, uint32_t at,
                                   struct diag_list *diags)
{
    char c = at < source->text.len ? source->text.at[at] : ' ';
    uint32_t line_end = yaml_line_end(source->text, at);
    uint32_t braces = open_braces(source, at);
    struct span span = {source, at, at + 1};
    if (c == '\t') {
        struct diag *diag = diag_add(diags, DIAG_YAML_SYNTAX, span, "a tab cannot indent a line");
        diag_hint(diags, diag, "use spaces");
    } else if (braces != UINT32_MAX) {
        size_t close = slice_find(source->text, SLICE("}}"), at);
        uint32_t to = close < line_end ? (uint32_t)close + 2 : line_end;
        yaml_fault_quote(source, braces, to, diags, "unquoted braces mean a map to YAML");
    } else if (c == '%' || c == '@' || c == '`') {
        char sentence[64];
        snprintf(sentence, sizeof sentence, "a value that begins with %c must be quoted", c);
        yaml_fault_quote(source, at, flow_value_end(source, at, line_end), diags, sentence);
    } else {
        diag_add(diags, DIAG_YAML_SYNTAX, span, "nothing can begin with this character");
    }
}

/* "a: b: c", or a line that is indented as if it belonged to the value above. */
static void report_second_colon(const struct source *source, uint32_t at, struct diag_list *diags)
{
    uint32_t start = yaml_line_start(source->text, at);
    size_t first = slice_find(source->text, SLICE(": "), start);
    if (first < at) {
        uint32_t from = (uint32_t)first + 2;
        yaml_fault_quote(source, from, yaml_line_end(source->text, at), diags,
                         "a plain value cannot have \": \" in it");
        return;
    }
    while (start < at && source->text.at[start] == ' ') {
        start++;
    }
    struct diag *diag = diag_add(diags, DIAG_YAML_SYNTAX, (struct span){source, start, at},
                                 "this key cannot stand here");
    diag_hint(diags, diag, "keys of one map begin in the same column");
}

static void report_expected_key(const struct source *source, uint32_t at, struct diag_list *diags)
{
    struct slice before = bytes_between(source, yaml_line_start(source->text, at), at);
    struct slice trimmed = slice_trim(before);
    char last = trimmed.len != 0 ? trimmed.at[trimmed.len - 1] : '\0';
    struct span span = {source, at, yaml_line_end(source->text, at)};
    if (last == '"' || last == '\'') {
        struct diag *diag =
            diag_add(diags, DIAG_YAML_SYNTAX, span, "something follows the quoted text");
        diag_hint(diags, diag,
                  last == '"' ? "a quote inside \"...\" is written \\\""
                              : "a quote inside '...' is written twice");
        return;
    }
    struct diag *diag = diag_add(
        diags, DIAG_YAML_SYNTAX, span,
        trimmed.len == 0 ? "this line is indented like none of the lines it could belong to"
                         : "a key was expected here");
    diag_hint(diags, diag, "keys of one map begin in the same column");
}

static void report_escape(const struct source *source, uint32_t at, struct diag_list *diags)
{
    uint32_t from = at > 0 && source->text.at[at - 1] == '\\' ? at - 1 : at;
    struct span span = {source, from, from + 2 <= source->text.len ? from + 2 : from};
    struct diag *diag = diag_add(diags, DIAG_YAML_SYNTAX, span,
                                 "this is no escape that a text in double quotes can have");
    diag_hint(diags, diag, "write \\\\ for a backslash, or use single quotes");
}

void yaml_fault_report(const struct source *source, const struct yaml_fault *fault,
                       struct diag_list *diags)
{
    static const struct {
        const char *problem;
        void (*report)(const struct source *source, uint32_t at, struct diag_list *diags);
    } reports[] = {
        {"found character that cannot start any token", report_first_character},
        {"mapping values are not allowed in this context", report_second_colon},
        {"did not find expected key", report_expected_key},
        {"found unknown escape character", report_escape},
    };
    static const struct {
        const char *problem;
        const char *context; /* NULL: any */
        bool at_context;
        const char *sentence;
        const char *hint;
    } rows[] = {
        {"found unexpected end of stream", "while scanning a quoted scalar", true,
         "this quote is never closed", "close it, or use a block: |-"},
        {"found unexpected document indicator", "while scanning a quoted scalar", true,
         "this quote is never closed", "close it, or use a block: |-"},
        {"did not find expected ',' or ']'", NULL, true, "this list is never closed",
         "add ], or a comma between its entries"},
        {"did not find expected ',' or '}'", NULL, true, "this map is never closed",
         "add }, or a comma between its members"},
        {"did not find expected '-' indicator", NULL, false,
         "this line does not belong to the list above it",
         "entries of one list begin with - in the same column"},
        {"block sequence entries are not allowed in this context", NULL, false,
         "a list cannot begin here", "put its first - on a line of its own"},
        {"found a tab character where an indentation space is expected", NULL, false,
         "a tab cannot indent a line", "use spaces"},
        {"found a tab character that violates indentation", NULL, false,
         "a tab cannot indent a line", "use spaces"},
        {"could not find expected ':'", NULL, true, "this line has no \": \" behind its key",
         "write key: value, or indent a text that goes on from the line above"},
    };
    for (size_t i = 0; i < sizeof reports / sizeof *reports; i++) {
        if (strcmp(reports[i].problem, fault->problem) == 0) {
            reports[i].report(source, fault->at, diags);
            return;
        }
    }
    struct span span = {source, fault->at, fault->at + (fault->at < source->text.len)};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].problem, fault->problem) == 0 &&
            (rows[i].context == NULL ||
             (fault->context != NULL && strcmp(rows[i].context, fault->context) == 0))) {
            if (rows[i].at_context) {
                span = (struct span){source, fault->context_at, fault->context_at + 1};
            }
            struct diag *diag = diag_add(diags, DIAG_YAML_SYNTAX, span, "%s", rows[i].sentence);
            diag_hint(diags, diag, "%s", rows[i].hint);
            return;
        }
    }
    diag_add(diags, DIAG_YAML_SYNTAX, span, "this is not YAML: %s", fault->problem);
}
