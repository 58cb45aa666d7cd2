#include "gateway/mapping/phrase.h"

#include <stdbool.h>

enum { DEPTH_MOST = 4, NAMES_MOST = 16 };

enum part_kind { PART_LITERAL, PART_VALUE, PART_PLURAL, PART_COUNT, PART_NUMBER };

struct part {
    enum part_kind kind;
    struct slice text; /* literal text, or the name of the value */
    const struct part *one;
    const struct part *other;
    const struct part *next;
};

struct phrase {
    const struct part *first;
    struct slice names[NAMES_MOST];
    size_t name_count;
};

struct reader {
    struct arena *arena;
    const struct source *source;
    struct diag_list *diags;
    struct slice text;
    size_t at;
    unsigned depth;
    struct slice plural; /* name that # stands for; SLICE_NONE outside a plural */
    struct phrase *phrase;
};

static enum status fault(struct reader *r, size_t start, size_t end, const char *sentence,
                         const char *hint)
{
    struct diag *diag =
        diag_add(r->diags, DIAG_PHRASE_SYNTAX,
                 (struct span){r->source, (uint32_t)start, (uint32_t)end}, "%s", sentence);
    if (hint != NULL) {
        diag_hint(r->diags, diag, "%s", hint);
    }
    return STATUS_INVALID;
}

static char peek(const struct reader *r)
{
    return r->at < r->text.len ? r->text.at[r->at] : '\0';
}

static void skip_blank(struct reader *r)
{
    while (peek(r) == ' ' || peek(r) == '\n' || peek(r) == '\t') {
        r->at++;
    }
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static struct slice read_name(struct reader *r)
{
    size_t start = r->at;
    while (is_name_char(peek(r))) {
        r->at++;
    }
    return slice_part(r->text, start, r->at - start);
}

static enum status remember_name(struct reader *r, struct slice name, size_t start)
{
    for (size_t i = 0; i < r->phrase->name_count; i++) {
        if (slice_equal(r->phrase->names[i], name)) {
            return STATUS_OK;
        }
    }
    if (r->phrase->name_count == NAMES_MOST) {
        return fault(r, start, r->at, "a text uses at most 16 different values", NULL);
    }
    r->phrase->names[r->phrase->name_count++] = name;
    return STATUS_OK;
}

/* Literal text up to a brace, or up to # inside a plural; takes '' and '{' apart. */
static struct slice read_literal(struct reader *r)
{
    struct buf out;
    buf_init(&out, r->arena, r->text.len + 1);
    for (;;) {
        char c = peek(r);
        if (r->at >= r->text.len || c == '{' || c == '}' || (c == '#' && r->plural.at != NULL)) {
            return buf_view(&out);
        }
        struct slice rest = slice_part(r->text, r->at, SIZE_MAX);
        if (slice_starts_with(rest, SLICE("''"))) {
            r->at++;
        } else if (rest.len >= 3 && c == '\'' && strchr("{}#", rest.at[1]) != NULL &&
                   rest.at[2] == '\'') {
            c = rest.at[1];
            r->at += 2;
        }
        buf_add_char(&out, c);
        r->at++;
    }
}

static enum status read_parts(struct reader *r, const struct part **first_out);

static enum status read_branch(struct reader *r, struct part *plural)
{
    size_t start = r->at;
    struct slice category = read_name(r);
    const struct part **branch = slice_is(category, "one")     ? &plural->one
                                 : slice_is(category, "other") ? &plural->other
                                                               : NULL;
    if (branch == NULL) {
        return fault(r, start, r->at > start ? r->at : start + 1,
                     "a plural has the forms one and other",
                     "write {n, plural, one {# step} other {# steps}}");
    }
    if (*branch != NULL) {
        return fault(r, start, r->at, "this form stands twice", NULL);
    }
    skip_blank(r);
    if (peek(r) != '{') {
        return fault(r, r->at, r->at + 1, "an opening brace is expected after the form", NULL);
    }
    r->at++;
    enum status status = read_parts(r, branch);
    if (status != STATUS_OK) {
        return status;
    }
    if (peek(r) != '}') {
        return fault(r, r->at, r->at + 1, "this form has no closing brace", NULL);
    }
    r->at++;
    skip_blank(r);
    return STATUS_OK;
}

/* Behind "{name," of a plural. */
static enum status read_plural(struct reader *r, struct part *part)
{
    size_t start = r->at;
    struct slice kind = read_name(r);
    if (slice_is(kind, "number")) {
        part->kind = PART_NUMBER;
        skip_blank(r);
        return STATUS_OK;
    }
    if (!slice_is(kind, "plural")) {
        return fault(r, start, r->at > start ? r->at : start + 1,
                     "only `plural` or `number` may follow a name here",
                     "write {n, plural, one {...} other {...}}");
    }
    skip_blank(r);
    if (peek(r) != ',') {
        return fault(r, r->at, r->at + 1, "a comma is expected after `plural`", NULL);
    }
    r->at++;
    skip_blank(r);
    part->kind = PART_PLURAL;
    struct slice outer = r->plural;
    r->plural = part->text;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && peek(r) != '}' && r->at < r->text.len) {
        status = read_branch(r, part);
    }
    r->plural = outer;
    if (status == STATUS_OK && part->other == NULL) {
        return fault(r, start, r->at, "a plural needs the form `other`", NULL);
    }
    return status;
}

/* At an opening brace. */
static enum status read_value(struct reader *r, struct part *part)
{
    size_t start = r->at++;
    skip_blank(r);
    size_t name_start = r->at;
    part->kind = PART_VALUE;
    part->text = read_name(r);
    if (part->text.len == 0) {
        return fault(r, start, r->at + 1, "a name is expected after the brace",
                     "write '{' with apostrophes to mean the brace itself");
    }
    enum status status = remember_name(r, part->text, name_start);
    skip_blank(r);
    if (status == STATUS_OK && peek(r) == ',') {
        r->at++;
        skip_blank(r);
        status = read_plural(r, part);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (peek(r) != '}') {
        return fault(r, start, start + 1, "this brace is not closed", NULL);
    }
    r->at++;
    return STATUS_OK;
}

static enum status read_parts(struct reader *r, const struct part **first_out)
{
    if (r->depth == DEPTH_MOST) {
        return fault(r, r->at, r->at + 1, "the forms are nested too deeply", NULL);
    }
    r->depth++;
    struct part *first = NULL;
    struct part *last = NULL;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && r->at < r->text.len && peek(r) != '}') {
        struct part *part = ARENA_NEW(r->arena, struct part);
        if (peek(r) == '{') {
            status = read_value(r, part);
        } else if (peek(r) == '#' && r->plural.at != NULL) {
            *part = (struct part){.kind = PART_COUNT, .text = r->plural};
            r->at++;
        } else {
            *part = (struct part){.kind = PART_LITERAL, .text = read_literal(r)};
        }
        if (last != NULL) {
            last->next = part;
        } else {
            first = part;
        }
        last = part;
    }
    r->depth--;
    if (first == NULL) { /* an empty form is a form: `one {}` */
        first = ARENA_NEW(r->arena, struct part);
    }
    *first_out = first;
    return status;
}

enum status phrase_compile(struct arena *arena, const struct source *source,
                           struct diag_list *diags, const struct phrase **phrase_out)
{
    struct phrase *phrase = ARENA_NEW(arena, struct phrase);
    struct reader r = {
        .arena = arena, .source = source, .diags = diags, .text = source->text, .phrase = phrase};
    enum status status = read_parts(&r, &phrase->first);
    if (status == STATUS_OK && r.at < r.text.len) {
        status = fault(&r, r.at, r.at + 1, "this brace was never opened",
                       "write '}' to mean the brace itself");
    }
    if (status == STATUS_OK) {
        *phrase_out = phrase;
    }
    return status;
}

size_t phrase_names(const struct phrase *phrase, const struct slice **names_out)
{
    *names_out = phrase->names;
    return phrase->name_count;
}

struct writer {
    struct slice language;
    const struct phrase_value *values;
    size_t count;
    struct buf *out;
    struct slice missing;
};

static const struct phrase_value *find_value(struct writer *w, struct slice name)
{
    for (size_t i = 0; i < w->count; i++) {
        if (slice_equal(w->values[i].name, name)) {
            return &w->values[i];
        }
    }
    w->missing = name;
    return NULL;
}

/* CLDR: how a language writes numbers, and which it counts as one. */
struct number_rule {
    const char *language;
    char decimal;
    char group;
    size_t group_from; /* digits before the point from which they are grouped */
    bool one_any; /* 1.0 is one too (es: n = 1); else 1 without decimals alone (en: i = 1, v = 0) */
};

static const struct number_rule rules[] = {
    {"en", '.', ',', 4, false},   {"es-419", '.', ',', 4, true}, {"es-MX", '.', ',', 4, true},
    {"es-US", '.', ',', 4, true}, {"es-PR", '.', ',', 4, true},  {"es", ',', '.', 5, true},
};

/* The rule of the language and region, else of the language; NULL: none is known. */
static const struct number_rule *rule_of(struct slice language)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        struct slice name = slice_of(rules[i].language);
        if (slice_starts_with(language, name) &&
            (language.len == name.len || language.at[name.len] == '-')) {
            return &rules[i];
        }
    }
    return NULL;
}

bool phrase_knows(struct slice language)
{
    return rule_of(language) != NULL;
}

static bool is_one(const struct number_rule *rule, struct slice number)
{
    struct slice rest = number;
    struct slice whole = SLICE_NONE;
    slice_cut(&rest, '.', &whole);
    bool zeros = rule != NULL && rule->one_any;
    for (size_t i = 0; i < rest.len && zeros; i++) {
        zeros = rest.at[i] == '0';
    }
    return slice_is(whole, "1") && (rest.at == NULL || zeros);
}

/* "1234.5" as the language writes it; what is no number stays as it is. */
static void write_number(struct writer *w, struct slice number)
{
    const struct number_rule *rule = rule_of(w->language);
    struct slice rest = number;
    struct slice whole = SLICE_NONE;
    uint64_t checked = 0;
    slice_cut(&rest, '.', &whole);
    bool minus = whole.len != 0 && whole.at[0] == '-';
    struct slice digits = slice_part(whole, minus, SIZE_MAX);
    if (rule == NULL || !slice_to_u64(digits, &checked)) {
        buf_add_slice(w->out, number);
        return;
    }
    buf_add_cstr(w->out, minus ? "-" : "");
    for (size_t i = 0; i < digits.len; i++) {
        if (i != 0 && (digits.len - i) % 3 == 0 && digits.len >= rule->group_from) {
            buf_add_char(w->out, rule->group);
        }
        buf_add_char(w->out, digits.at[i]);
    }
    if (rest.at != NULL) {
        buf_add_char(w->out, rule->decimal);
        buf_add_slice(w->out, rest);
    }
}

static enum status write_parts(struct writer *w, const struct part *part)
{
    for (; part != NULL; part = part->next) {
        if (part->kind == PART_LITERAL) {
            buf_add_slice(w->out, part->text);
            continue;
        }
        const struct phrase_value *value = find_value(w, part->text);
        if (value == NULL) {
            return STATUS_ABSENT;
        }
        if (part->kind == PART_NUMBER || part->kind == PART_COUNT) {
            write_number(w, value->text);
            continue;
        }
        if (part->kind != PART_PLURAL) {
            buf_add_slice(w->out, value->text);
            continue;
        }
        const struct part *form = is_one(rule_of(w->language), value->text) && part->one != NULL
                                      ? part->one
                                      : part->other;
        enum status status = write_parts(w, form);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

enum status phrase_render(const struct phrase *phrase, struct slice language,
                          const struct phrase_value *values, size_t count, struct buf *out,
                          struct slice *missing_out)
{
    struct writer w = {.language = language, .values = values, .count = count, .out = out};
    enum status status = write_parts(&w, phrase->first);
    if (status == STATUS_ABSENT) {
        *missing_out = w.missing;
    }
    return status;
}
