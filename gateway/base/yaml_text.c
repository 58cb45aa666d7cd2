/* Places inside a scalar: each byte of what it means is found again in what was written. */
#include "gateway/base/yaml.h"

/*
 * Walks the text and the bytes it was written as side by side. Non-blank characters stand in the
 * same order in both; only blanks are added, dropped or changed (folding, indentation), and quoted
 * styles have escapes. So a non-blank byte is placed exactly, a folded blank at the blank it came
 * from.
 */
struct walk {
    const char *file;
    uint32_t at;  /* the next byte as written */
    uint32_t end; /* behind the last one */
    enum yaml_style style;
    struct slice text;
    size_t next;        /* the next byte as meant */
    uint32_t escape_at; /* the escape that the bytes up to escape_end come from */
    size_t escape_end;
};

static bool is_blank_byte(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Length of the blank at `at`: one byte, or a line break of several (NEL, LS, PS); 0: none. */
static uint32_t blank_length(const char *at, uint32_t left)
{
    if (left != 0 && is_blank_byte(*at)) {
        return 1;
    }
    if (left >= 2 && memcmp(at, "\xc2\x85", 2) == 0) {
        return 2;
    }
    if (left >= 3 && (memcmp(at, "\xe2\x80\xa8", 3) == 0 || memcmp(at, "\xe2\x80\xa9", 3) == 0)) {
        return 3;
    }
    return 0;
}

static uint32_t break_length(const char *at, uint32_t left)
{
    bool blank = left != 0 && (*at == ' ' || *at == '\t');
    return blank ? 0 : blank_length(at, left);
}

static void walk_begin(struct walk *walk, const struct yaml_text *text)
{
    *walk = (struct walk){.file = text->span.source->text.at,
                          .at = text->span.start,
                          .end = text->span.end,
                          .style = text->style,
                          .text = text->text};
    switch (text->style) {
    case YAML_PLAIN:
        break;
    case YAML_SINGLE_QUOTED:
    case YAML_DOUBLE_QUOTED:
        walk->at += walk->at < walk->end;
        walk->end -= walk->at < walk->end;
        break;
    case YAML_LITERAL:
    case YAML_FOLDED: /* the header line */
        while (walk->at < walk->end &&
               break_length(walk->file + walk->at, walk->end - walk->at) == 0) {
            walk->at++;
        }
        walk->at += break_length(walk->file + walk->at, walk->end - walk->at);
        break;
    }
}

static size_t hex_digits(char kind)
{
    return kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
}

static unsigned hex_value(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a') + 10;
}

/* The bytes that an escape of a double-quoted text stands for; 0: a line break that is no more.
 * *length_out: how long it was written. */
static size_t escape_bytes(const struct walk *walk, char out[4], uint32_t *length_out)
{
    static const struct {
        char letter;
        uint32_t code;
    } rows[] = {{'0', 0},  {'a', 7},   {'b', 8},    {'t', 9},    {'\t', 9},     {'n', 10},
                {'v', 11}, {'f', 12},  {'r', 13},   {'e', 27},   {' ', 32},     {'"', 34},
                {'/', 47}, {'\\', 92}, {'N', 0x85}, {'_', 0xa0}, {'L', 0x2028}, {'P', 0x2029}};
    const char *at = walk->file + walk->at;
    uint32_t left = walk->end - walk->at;
    size_t digits = left > 1 ? hex_digits(at[1]) : 0;
    *length_out = 1;
    if (left < 2 + digits) {
        return 0;
    }
    *length_out = 2 + (uint32_t)digits;
    if (digits != 0) {
        uint32_t code = 0;
        for (size_t i = 0; i < digits; i++) {
            code = code << 4 | hex_value(at[2 + i]);
        }
        return utf8_put(code, out);
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].letter == at[1]) {
            return utf8_put(rows[i].code, out);
        }
    }
    uint32_t line_break = left > 1 ? break_length(at + 1, left - 1) : 0;
    *length_out = line_break != 0 ? 1 + line_break : 2;
    return 0;
}

/* At a backslash of a double-quoted text. True: the escape is the next of the text, and was taken.
 */
static bool walk_escape(struct walk *walk)
{
    char bytes[4];
    uint32_t length;
    size_t n = escape_bytes(walk, bytes, &length);
    struct slice here = slice_part(walk->text, walk->next, n);
    bool matches = n != 0 && slice_equal(here, slice_from(bytes, n));
    if (matches) {
        walk->escape_at = walk->at;
        walk->escape_end = walk->next + n;
    }
    walk->at += length;
    return matches;
}

/* Where the next byte of the text was written. */
static uint32_t walk_next(struct walk *walk)
{
    if (walk->next < walk->escape_end) {
        walk->next++;
        return walk->escape_at;
    }
    char want = walk->text.at[walk->next];
    while (walk->at < walk->end) {
        const char *here = walk->file + walk->at;
        uint32_t blank = blank_length(here, walk->end - walk->at);
        bool same = *here == want &&
                    (blank <= 1 || slice_starts_with(slice_part(walk->text, walk->next, blank),
                                                     slice_from(here, blank)));
        if (*here == '\\' && walk->style == YAML_DOUBLE_QUOTED) {
            if (walk_escape(walk)) {
                walk->next++;
                return walk->escape_at;
            }
        } else if (same) {
            uint32_t at = walk->at++;
            walk->at += want == '\'' && walk->style == YAML_SINGLE_QUOTED;
            walk->next++;
            return at;
        } else if (blank != 0 && is_blank_byte(want)) {
            uint32_t at = walk->at;
            walk->at += blank;
            walk->next++;
            return at;
        } else if (blank != 0) {
            walk->at += blank;
        } else {
            break; /* a blank of the text that was not written, as at the end of a folded block */
        }
    }
    walk->next++;
    return walk->at;
}

struct source *yaml_source(struct arena *arena, const struct yaml_text *text, struct slice name)
{
    struct source *source = source_create(arena, name, text->text);
    uint32_t *map = ARENA_ARRAY(arena, text->text.len + 1, uint32_t);
    struct walk walk;
    walk_begin(&walk, text);
    for (size_t i = 0; i < text->text.len; i++) {
        map[i] = walk_next(&walk);
    }
    map[text->text.len] = walk.at;
    source->outer = text->span.source;
    source->map = map;
    return source;
}

struct span yaml_span(const struct yaml_text *text, size_t from, size_t to)
{
    struct span span = {text->span.source, text->span.end, text->span.end};
    struct walk walk;
    if (text->span.source == NULL) {
        return SPAN_NONE;
    }
    walk_begin(&walk, text);
    while (walk.next < text->text.len && walk.next < to) {
        size_t i = walk.next;
        uint32_t at = walk_next(&walk);
        if (i == from) {
            span.start = at;
        }
    }
    span.end = walk.at;
    if (from >= to || from >= text->text.len) {
        span.start = span.end;
    }
    return span;
}

const struct yaml *yaml_get(const struct yaml *map, const char *key)
{
    if (map == NULL || map->kind != YAML_MAP) {
        return NULL;
    }
    for (const struct yaml *member = map->first; member != NULL; member = member->next) {
        if (slice_is(member->key.text, key)) {
            return member;
        }
    }
    return NULL;
}

const char *yaml_kind_name(enum yaml_kind kind)
{
    static const char *const names[] = {"a text", "a list", "a map"};
    return names[kind];
}
