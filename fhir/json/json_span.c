/* Places of values in the text they were read from. The text was checked when it was read. */
#include <string.h>

#include "fhir/json/json.h"

static bool ends_token(char c)
{
    return strchr(" \t\r\n,:]}[{\"/>=<", c) != NULL;
}

/* Behind the string that opens at `at`. */
static size_t string_end(struct slice text, size_t at)
{
    for (at++; at < text.len && text.at[at] != '"'; at++) {
        at += text.at[at] == '\\';
    }
    return at < text.len ? at + 1 : text.len;
}

struct span json_span(const struct source *source, const struct json *json)
{
    uint32_t start = json != NULL ? json_offset(json) : JSON_NO_OFFSET;
    if (source == NULL || start >= source->text.len) {
        return SPAN_NONE;
    }
    struct slice text = source->text;
    size_t end = (size_t)start + 1;
    if (text.at[start] == '"') {
        end = string_end(text, start);
    } else if (text.at[start] != '{' && text.at[start] != '[') {
        while (end < text.len && !ends_token(text.at[end])) {
            end++;
        }
    }
    return (struct span){source, start, (uint32_t)end};
}

struct span json_name_span(const struct source *source, const struct json *member)
{
    struct span span = json_span(source, member);
    if (span.source == NULL || source->text.at[span.start] == '<') {
        return span;
    }
    const char *text = source->text.at;
    size_t end = span.start; /* behind the closing quote of the name, after this */
    while (end > 0 && text[end - 1] != '"') {
        end--;
    }
    if (end < 2) {
        return span;
    }
    size_t start = end - 1;
    for (bool escaped = true; start > 0 && escaped;) {
        start--;
        size_t backslashes = 0;
        while (backslashes < start && text[start - 1 - backslashes] == '\\') {
            backslashes++;
        }
        escaped = text[start] != '"' || backslashes % 2 != 0;
    }
    return (struct span){source, (uint32_t)start, (uint32_t)end};
}

/* Bytes of text that the escape at p stands for, and its own length. */
static size_t escape_width(const char *p, size_t *raw_out)
{
    unsigned unit = 0;
    if (p[1] != 'u') {
        *raw_out = 2;
        return 1;
    }
    for (int i = 2; i < 6; i++) {
        char c = p[i];
        unit = unit * 16 + (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    bool pair = unit >= 0xd800 && unit <= 0xdfff;
    *raw_out = pair ? 12 : 6;
    return pair ? 4 : unit >= 0x800 ? 3 : unit >= 0x80 ? 2 : 1;
}

struct source *json_string_source(struct arena *arena, const struct source *source,
                                  const struct json *string, struct slice name)
{
    struct slice text = json_text(string);
    struct source *inner = source_create(arena, name, text);
    uint32_t start = json_offset(string);
    if (source == NULL || start >= source->text.len || source->text.at[start] != '"') {
        return inner;
    }
    uint32_t *map = arena_alloc(arena, (text.len + 1) * sizeof *map);
    size_t raw = (size_t)start + 1;
    for (size_t i = 0; i < text.len;) {
        size_t from = raw;
        size_t raw_width = 1;
        size_t width =
            source->text.at[raw] == '\\' ? escape_width(source->text.at + raw, &raw_width) : 1;
        raw += raw_width;
        for (size_t k = 0; k < width && i < text.len; k++) {
            map[i++] = (uint32_t)from;
        }
    }
    map[text.len] = (uint32_t)raw;
    inner->outer = source;
    inner->map = map;
    return inner;
}
