#include "fhir/json/json_scan.h"

#include <endian.h>
#include <stdbool.h>
#include <stdlib.h>

#include "fhir/base/buf.h"
#include "fhir/json/json.h"

struct key {
    struct slice text; /* escapes resolved */
    uint32_t start;    /* of the opening quote */
    uint32_t end;
};

struct level {
    bool object;
    uint32_t start;
    size_t keys_from; /* its first key in scanner.keys */
};

struct scanner {
    struct arena *arena;
    const struct source *source;
    const struct limits *limits;
    struct diag_list *diags;
    struct slice text;
    size_t at;
    struct json_scan out;
    size_t room;                 /* of out.values */
    struct json_scan_value next; /* its name, when it has one */
    struct key *keys;
    size_t key_count;
    size_t key_room;
    struct level *levels; /* JSON_DEPTH_MOST, of which most stay untouched */
    size_t depth;
};

static enum status fault(struct scanner *s, enum diag_code code, size_t start, size_t end,
                         const char *sentence, const char *hint)
{
    struct diag *diag = diag_add(
        s->diags, code, (struct span){s->source, (uint32_t)start, (uint32_t)end}, "%s", sentence);
    if (hint != NULL) {
        diag_hint(s->diags, diag, "%s", hint);
    }
    return code == DIAG_JSON_LIMIT ? STATUS_LIMIT : STATUS_INVALID;
}

/* The text ends too early: told at its end, with the place of what is still open. */
static enum status fault_at_end(struct scanner *s)
{
    struct span end = {s->source, (uint32_t)s->text.len, (uint32_t)s->text.len};
    if (s->depth == 0) {
        diag_add(s->diags, DIAG_JSON_SYNTAX, end, "the text ends where a value is expected");
        return STATUS_INVALID;
    }
    const struct level *open = &s->levels[s->depth - 1];
    struct diag *diag = diag_add(s->diags, DIAG_JSON_SYNTAX, end, "the text ends inside an %s",
                                 open->object ? "object" : "array");
    struct place place = span_place((struct span){s->source, open->start, open->start + 1});
    diag_hint(s->diags, diag, "it was opened in line %u, column %u; was the text cut off?",
              place.line, place.column);
    return STATUS_INVALID;
}

static void skip_blank(struct scanner *s)
{
    while (s->at < s->text.len) {
        char c = s->text.at[s->at];
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
            return;
        }
        s->at++;
    }
}

static char peek(const struct scanner *s)
{
    return s->at < s->text.len ? s->text.at[s->at] : '\0';
}

static void *grown(struct arena *arena, void *old, size_t used, size_t *room, size_t size)
{
    size_t more = *room != 0 ? *room * 2 : 64;
    void *fresh = arena_alloc(arena, more * size);
    if (used != 0) {
        memcpy(fresh, old, used * size);
    }
    *room = more;
    return fresh;
}

/* The value that begins at `start`, with the name that was seen before it. */
static enum status record(struct scanner *s, size_t start)
{
    if (s->out.count >= s->limits->nodes) {
        struct slice sentence = arena_printf(
            s->arena, "the document has more than the %zu values allowed", s->limits->nodes);
        return fault(s, DIAG_JSON_LIMIT, start, start + 1, sentence.at, NULL);
    }
    if (s->out.count == s->room) {
        s->out.values =
            grown(s->arena, s->out.values, s->out.count, &s->room, sizeof *s->out.values);
    }
    s->next.start = (uint32_t)start;
    s->out.values[s->out.count++] = s->next;
    s->next = (struct json_scan_value){0};
    return STATUS_OK;
}

/* ---- strings ---- */

static int hex4(const char *at)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) {
            return -1;
        }
        value = value * 16 + digit;
    }
    return value;
}

/* At a backslash. Moves behind the escape and stores its code point. */
static enum status scan_escape(struct scanner *s, uint32_t *code_out)
{
    size_t start = s->at;
    const char *p = s->text.at + s->at;
    size_t left = s->text.len - s->at;
    static const char plain[] = "\"\\/bfnrt";
    static const char means[] = "\"\\/\b\f\n\r\t";
    const char *hit = left >= 2 && p[1] != '\0' ? strchr(plain, p[1]) : NULL;
    if (hit != NULL) {
        *code_out = (unsigned char)means[hit - plain];
        s->at += 2;
        return STATUS_OK;
    }
    int unit = left >= 6 && p[1] == 'u' ? hex4(p + 2) : -1;
    if (unit < 0) {
        return fault(s, DIAG_JSON_SYNTAX, start, start + 2, "this escape is unknown",
                     "JSON knows \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with four hex digits");
    }
    if (unit == 0) {
        return fault(s, DIAG_JSON_ENCODING, start, start + 6, "U+0000 is not allowed in FHIR",
                     NULL);
    }
    s->at += 6;
    uint32_t code = (uint32_t)unit;
    if (code >= 0xd800 && code <= 0xdfff) {
        int low = left >= 12 && p[6] == '\\' && p[7] == 'u' ? hex4(p + 8) : -1;
        if (code > 0xdbff || low < 0xdc00 || low > 0xdfff) {
            return fault(s, DIAG_JSON_ENCODING, start, start + 6,
                         "half of a surrogate pair stands alone",
                         "write the character itself, or both halves");
        }
        code = 0x10000 + ((code - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
        s->at += 6;
    }
    *code_out = code;
    return STATUS_OK;
}

/* How many bytes at p need no look of their own: ASCII, no control character, quote or backslash.
 */
static size_t plain_bytes(const char *p, size_t left)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    size_t n = 0;
    for (; left - n >= 8; n += 8) {
        uint64_t word;
        memcpy(&word, p + n, 8);
        word = le64toh(word);
        /* A byte's high bit is set where the byte is special. A borrow can also mark bytes above a
         * special one, never below: the lowest mark is right. */
        uint64_t marks = ((word - ones * 0x20) | ((word ^ ones * '"') - ones) |
                          ((word ^ ones * '\\') - ones) | word) &
                         ones * 0x80;
        if (marks != 0) {
            return n + (size_t)__builtin_ctzll(marks) / 8;
        }
    }
    while (n < left && p[n] >= 0x20 && p[n] != '"' && p[n] != '\\') {
        n++;
    }
    return n;
}

/* In a string, at what plain_bytes() stops at, other than the closing quote. */
static enum status scan_special(struct scanner *s, uint32_t *code_out)
{
    size_t from = s->at;
    unsigned char c = (unsigned char)s->text.at[from];
    if (c == '\\' && from + 1 < s->text.len) {
        return scan_escape(s, code_out);
    }
    if (c < 0x20) {
        return fault(s, DIAG_JSON_SYNTAX, from, from + 1, "a control character stands in a string",
                     "write it as an escape, \\n or \\t for instance");
    }
    if (c >= 0x80) {
        *code_out = utf8_next(s->text, &s->at);
        if (*code_out == UINT32_MAX) {
            return fault(s, DIAG_JSON_ENCODING, from, from + 1, "this byte is not UTF-8",
                         "save the file as UTF-8");
        }
        return STATUS_OK;
    }
    s->at++; /* DEL, or a backslash at the end of the text */
    *code_out = c;
    return STATUS_OK;
}

/* At the opening quote. *length_out: bytes of the text, escapes resolved. decoded is NULL when
 * nobody wants the text itself. */
static enum status scan_string(struct scanner *s, size_t *length_out, struct buf *decoded)
{
    size_t start = s->at++;
    size_t length = 0;
    for (;;) {
        size_t plain = plain_bytes(s->text.at + s->at, s->text.len - s->at);
        if (decoded != NULL) {
            buf_add(decoded, s->text.at + s->at, plain);
        }
        s->at += plain;
        length += plain;
        if (s->at >= s->text.len) {
            return fault(s, DIAG_JSON_SYNTAX, start, start + 1, "this string has no closing quote",
                         NULL);
        }
        if (s->text.at[s->at] == '"') {
            s->at++;
            *length_out = length;
            return STATUS_OK;
        }
        uint32_t code = 0;
        enum status status = scan_special(s, &code);
        if (status != STATUS_OK) {
            return status;
        }
        char bytes[4];
        size_t count = utf8_put(code, bytes);
        if (decoded != NULL) {
            buf_add(decoded, bytes, count);
        }
        length += count;
    }
}

/* ---- names ---- */

static enum status scan_key(struct scanner *s)
{
    size_t start = s->at;
    size_t length;
    enum status status = scan_string(s, &length, NULL);
    if (status != STATUS_OK) {
        return status;
    }
    struct slice text = {s->text.at + start + 1, s->at - start - 2};
    if (length != text.len) { /* it has escapes */
        struct buf decoded;
        buf_init(&decoded, s->arena, length);
        s->at = start;
        scan_string(s, &length, &decoded);
        text = buf_view(&decoded);
    }
    if (s->key_count == s->key_room) {
        s->keys = grown(s->arena, s->keys, s->key_count, &s->key_room, sizeof *s->keys);
    }
    s->keys[s->key_count++] = (struct key){text, (uint32_t)start, (uint32_t)s->at};
    s->next = (struct json_scan_value){.name = (uint32_t)length,
                                       .name_at = (uint32_t)start + 1,
                                       .name_is_plain = length == s->at - start - 2};
    return STATUS_OK;
}

static int key_compare(const void *left, const void *right)
{
    const struct key *a = left;
    const struct key *b = right;
    int order = slice_compare(a->text, b->text);
    return order != 0 ? order : (a->start > b->start) - (a->start < b->start);
}

/* Stores the first two keys of the same text, if there are any. */
static bool duplicate_keys(struct key *keys, size_t count, const struct key *pair_out[2])
{
    enum { PAIRWISE = 24 }; /* below it comparing each with each is faster than sorting */
    bool sorted = count > PAIRWISE;
    if (sorted) {
        qsort(keys, count, sizeof *keys, key_compare);
    }
    for (size_t i = 1; i < count; i++) {
        for (size_t j = sorted ? i - 1 : 0; j < i; j++) {
            if (slice_equal(keys[i].text, keys[j].text)) {
                pair_out[0] = &keys[j];
                pair_out[1] = &keys[i];
                return true;
            }
        }
    }
    return false;
}

static enum status leave_level(struct scanner *s)
{
    struct level level = s->levels[--s->depth];
    size_t count = s->key_count - level.keys_from;
    s->key_count = level.keys_from;
    const struct key *pair[2];
    if (!level.object || !duplicate_keys(s->keys + level.keys_from, count, pair)) {
        return STATUS_OK;
    }
    struct place first = span_place((struct span){s->source, pair[0]->start, pair[0]->end});
    struct diag *diag = diag_add(s->diags, DIAG_JSON_DUPLICATE_KEY,
                                 (struct span){s->source, pair[1]->start, pair[1]->end},
                                 "\"%.*s\" stands twice in this object", SLICE_ARGS(pair[1]->text));
    diag_hint(s->diags, diag, "keep one of the two; the first stands in line %u, column %u",
              first.line, first.column);
    return STATUS_INVALID;
}

/* ---- numbers and words ---- */

static size_t digits_length(struct slice text, size_t from)
{
    size_t at = from;
    while (at < text.len && text.at[at] >= '0' && text.at[at] <= '9') {
        at++;
    }
    return at - from;
}

size_t json_number_length(struct slice text)
{
    size_t at = text.len != 0 && text.at[0] == '-';
    size_t digits = digits_length(text, at);
    if (digits == 0 || (digits > 1 && text.at[at] == '0')) {
        return 0;
    }
    at += digits;
    if (at < text.len && text.at[at] == '.') {
        digits = digits_length(text, at + 1);
        if (digits == 0) {
            return 0;
        }
        at += 1 + digits;
    }
    if (at < text.len && (text.at[at] == 'e' || text.at[at] == 'E')) {
        at++;
        at += at < text.len && (text.at[at] == '+' || text.at[at] == '-');
        digits = digits_length(text, at);
        if (digits == 0) {
            return 0;
        }
        at += digits;
    }
    return at;
}

/* Moves behind letters, digits and what else people write into words and numbers. */
static void skip_word(struct scanner *s)
{
    for (char c = peek(s); (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                           (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '+' || c == '-';
         c = peek(s)) {
        s->at++;
    }
}

static enum status scan_number(struct scanner *s)
{
    size_t start = s->at;
    size_t end = start + json_number_length(slice_part(s->text, start, SIZE_MAX));
    s->at = end;
    skip_word(s);
    if (end == start || s->at != end) {
        return fault(
            s, DIAG_JSON_SYNTAX, start, s->at, "this is not a JSON number",
            "digits without leading zero, then maybe a point with digits, then maybe an exponent");
    }
    if (end - start > JSON_NUMBER_MOST) {
        return fault(s, DIAG_JSON_LIMIT, start, end, "this number has more than 63 characters",
                     NULL);
    }
    s->next.text = (uint32_t)(end - start);
    s->next.is_number = true;
    return record(s, start);
}

static enum status scan_word(struct scanner *s)
{
    static const struct slice words[] = {{"true", 4}, {"false", 5}, {"null", 4}};
    enum { WORDS = sizeof words / sizeof *words };
    static const char values[] = "a value is an object, array, string, number, true, false or null";
    size_t start = s->at;
    skip_word(s);
    struct slice word = slice_part(s->text, start, s->at - start);
    for (size_t i = 0; i < WORDS; i++) {
        if (slice_equal(word, words[i])) {
            return record(s, start);
        }
    }
    if (word.len != 0) {
        struct diag *diag = diag_add(s->diags, DIAG_JSON_SYNTAX,
                                     (struct span){s->source, (uint32_t)start, (uint32_t)s->at},
                                     "\"%.*s\" is no JSON value", SLICE_ARGS(word));
        diag_hint(s->diags, diag, "%s", values);
        diag_hint_nearest(s->diags, diag, word, words, WORDS);
        return STATUS_INVALID;
    }
    if (start >= s->text.len) {
        return fault_at_end(s);
    }
    if (utf8_next(s->text, &s->at) == UINT32_MAX) {
        return fault(s, DIAG_JSON_ENCODING, start, start + 1, "this byte is not UTF-8",
                     "save the file as UTF-8");
    }
    return fault(s, DIAG_JSON_SYNTAX, start, s->at, "a value is expected here", values);
}

/* ---- structure ---- */

static enum status enter_level(struct scanner *s)
{
    size_t most = s->limits->depth < JSON_DEPTH_MOST ? s->limits->depth : JSON_DEPTH_MOST;
    if (s->depth >= most) {
        struct slice sentence = arena_printf(
            s->arena, "the document is nested deeper than the %zu levels allowed", most);
        return fault(s, DIAG_JSON_LIMIT, s->at, s->at + 1, sentence.at, NULL);
    }
    s->levels[s->depth++] = (struct level){peek(s) == '{', (uint32_t)s->at, s->key_count};
    enum status status = record(s, s->at);
    s->at++;
    skip_blank(s);
    return status;
}

/* Inside an object: the name and the colon. Leaves s->at at the member's value. */
static enum status scan_member_name(struct scanner *s)
{
    if (s->at >= s->text.len) {
        return fault_at_end(s);
    }
    if (peek(s) != '"') {
        return fault(s, DIAG_JSON_SYNTAX, s->at, s->at + 1,
                     "a member name in double quotes is expected here", NULL);
    }
    enum status status = scan_key(s);
    if (status != STATUS_OK) {
        return status;
    }
    skip_blank(s);
    if (s->at >= s->text.len) {
        return fault_at_end(s);
    }
    if (peek(s) != ':') {
        return fault(s, DIAG_JSON_SYNTAX, s->at, s->at + 1, "a colon is expected after the name",
                     NULL);
    }
    s->at++;
    skip_blank(s);
    return STATUS_OK;
}

/* At a comma. Leaves s->at at the value that follows. */
static enum status scan_comma(struct scanner *s, bool object)
{
    size_t comma = s->at++;
    skip_blank(s);
    if (peek(s) == '}' || peek(s) == ']') {
        return fault(s, DIAG_JSON_SYNTAX, comma, comma + 1, "nothing follows this comma",
                     "take it out: JSON has no comma behind the last value");
    }
    return object ? scan_member_name(s) : STATUS_OK;
}

/* Behind a value: closes levels and steps over a comma. *more_out: a further value follows at
 * s->at. */
static enum status scan_after_value(struct scanner *s, bool *more_out)
{
    *more_out = false;
    while (s->depth != 0) {
        skip_blank(s);
        bool object = s->levels[s->depth - 1].object;
        if (peek(s) == ',') {
            *more_out = true;
            return scan_comma(s, object);
        }
        if (s->at >= s->text.len) {
            return fault_at_end(s);
        }
        if (peek(s) != (object ? '}' : ']')) {
            return fault(s, DIAG_JSON_SYNTAX, s->at, s->at + 1,
                         object ? "a comma or } is expected here" : "a comma or ] is expected here",
                         NULL);
        }
        enum status status = leave_level(s);
        if (status != STATUS_OK) {
            return status;
        }
        s->at++;
    }
    return STATUS_OK;
}

/* At a value. *opened_out: it was a { or [ that is not empty, and its first value stands at s->at.
 */
static enum status scan_value(struct scanner *s, bool *opened_out)
{
    *opened_out = false;
    char c = peek(s);
    if (c == '{' || c == '[') {
        enum status status = enter_level(s);
        if (status != STATUS_OK) {
            return status;
        }
        if (peek(s) == (c == '{' ? '}' : ']')) {
            s->at++;
            return leave_level(s);
        }
        *opened_out = true;
        return c == '{' ? scan_member_name(s) : STATUS_OK;
    }
    if (c == '"') {
        size_t start = s->at;
        size_t length;
        enum status status = scan_string(s, &length, NULL);
        s->next.text = (uint32_t)length;
        s->next.is_plain = length == s->at - start - 2;
        return status == STATUS_OK ? record(s, start) : status;
    }
    if (c == '-' || c == '+' || c == '.' || (c >= '0' && c <= '9')) {
        return scan_number(s);
    }
    return scan_word(s);
}

static enum status scan_document(struct scanner *s)
{
    if (slice_starts_with(s->text, SLICE("\xef\xbb\xbf"))) {
        return fault(s, DIAG_JSON_ENCODING, 0, 3, "the text begins with a byte order mark",
                     "save it without one");
    }
    skip_blank(s);
    for (bool more = true; more;) {
        bool opened;
        enum status status = scan_value(s, &opened);
        if (status == STATUS_OK && !opened) {
            status = scan_after_value(s, &more);
        }
        if (status != STATUS_OK) {
            return status;
        }
    }
    skip_blank(s);
    if (s->at < s->text.len) {
        return fault(s, DIAG_JSON_TRAILING, s->at, s->at + 1,
                     "something follows the end of the value",
                     "one document holds one value; lines of NDJSON are read one by one");
    }
    return STATUS_OK;
}

enum status json_scan(struct arena *arena, const struct source *source, const struct limits *limits,
                      struct diag_list *diags, struct json_scan *scan_out)
{
    struct scanner *s = ARENA_NEW(arena, struct scanner);
    s->arena = arena;
    s->source = source;
    s->limits = limits;
    s->diags = diags;
    s->text = source->text;
    s->levels = arena_alloc(arena, JSON_DEPTH_MOST * sizeof *s->levels);
    if (s->text.len > limits->bytes || s->text.len > INT32_MAX) {
        struct slice sentence =
            arena_printf(arena, "the document is larger than the %zu bytes allowed", limits->bytes);
        return fault(s, DIAG_JSON_LIMIT, 0, 0, sentence.at, NULL);
    }
    s->room = s->text.len / 16 + 16;
    s->out.values = arena_alloc(arena, s->room * sizeof *s->out.values);
    enum status status = scan_document(s);
    if (status == STATUS_OK) {
        *scan_out = s->out;
    }
    return status;
}
