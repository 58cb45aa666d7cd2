#include "fhir/json/json_scan.h"

#include <stdbool.h>
#include <stdlib.h>

#include "fhir/base/buf.h"

/* The JSON library itself stops at 1000; a document of that depth is no resource. */
enum { DEPTH_MOST = 512 };

struct key {
    uint64_t hash;
    struct slice text; /* decoded */
    uint32_t start;
};

struct level {
    bool object;
    size_t keys_from; /* its first key in scan->keys */
};

struct scanner {
    struct arena *arena;
    const struct source *source;
    const struct limits *limits;
    struct diag_list *diags;
    struct slice text;
    size_t at;
    struct json_scan out;
    size_t room; /* of out's arrays */
    struct key *keys;
    size_t key_count;
    size_t key_room;
    struct level levels[DEPTH_MOST];
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
    void *fresh = arena_array(arena, more, size);
    if (used != 0) {
        memcpy(fresh, old, used * size);
    }
    *room = more;
    return fresh;
}

static enum status record(struct scanner *s, size_t start, size_t number_length)
{
    if (s->out.count >= s->limits->nodes) {
        return fault(s, DIAG_JSON_LIMIT, start, start + 1, "the document has too many values",
                     NULL);
    }
    if (s->out.count == s->room) {
        size_t room = s->room;
        s->out.starts = grown(s->arena, s->out.starts, s->out.count, &room, sizeof *s->out.starts);
        s->out.lengths =
            grown(s->arena, s->out.lengths, s->out.count, &s->room, sizeof *s->out.lengths);
    }
    s->out.starts[s->out.count] = (uint32_t)start;
    s->out.lengths[s->out.count++] = (uint32_t)number_length;
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

/* At the opening quote. decoded is NULL when nobody wants the text. */
static enum status scan_string(struct scanner *s, struct buf *decoded)
{
    size_t start = s->at++;
    for (;;) {
        if (s->at >= s->text.len) {
            return fault(s, DIAG_JSON_SYNTAX, start, start + 1, "this string has no closing quote",
                         NULL);
        }
        unsigned char c = (unsigned char)s->text.at[s->at];
        if (c == '"') {
            s->at++;
            return STATUS_OK;
        }
        size_t from = s->at;
        if (c == '\\') {
            uint32_t code;
            enum status status = scan_escape(s, &code);
            if (status != STATUS_OK) {
                return status;
            }
            if (decoded != NULL) {
                buf_add_code(decoded, code);
            }
            continue;
        }
        if (c < 0x20) {
            return fault(s, DIAG_JSON_SYNTAX, from, from + 1,
                         "a control character stands in a string",
                         "write it as an escape, \\n or \\t for instance");
        }
        if (c < 0x80) {
            s->at++;
        } else if (utf8_next(s->text, &s->at) == UINT32_MAX) {
            return fault(s, DIAG_JSON_ENCODING, from, from + 1, "this byte is not UTF-8",
                         "save the file as UTF-8");
        }
        if (decoded != NULL) {
            buf_add(decoded, s->text.at + from, s->at - from);
        }
    }
}

/* ---- names ---- */

static enum status scan_key(struct scanner *s)
{
    size_t start = s->at;
    enum status status = scan_string(s, NULL);
    if (status != STATUS_OK) {
        return status;
    }
    struct slice text = {s->text.at + start + 1, s->at - start - 2};
    if (memchr(text.at, '\\', text.len) != NULL) {
        struct buf decoded;
        buf_init(&decoded, s->arena, s->text.len + 4);
        s->at = start;
        scan_string(s, &decoded);
        text = buf_view(&decoded);
    }
    if (s->key_count == s->key_room) {
        s->keys = grown(s->arena, s->keys, s->key_count, &s->key_room, sizeof *s->keys);
    }
    s->keys[s->key_count++] = (struct key){slice_hash(text), text, (uint32_t)start};
    return STATUS_OK;
}

static int key_compare(const void *left, const void *right)
{
    const struct key *a = left;
    const struct key *b = right;
    if (a->hash != b->hash) {
        return a->hash < b->hash ? -1 : 1;
    }
    int order = slice_compare(a->text, b->text);
    return order != 0 ? order : (a->start > b->start) - (a->start < b->start);
}

static const struct key *duplicate_key(struct key *keys, size_t count)
{
    enum { PAIRWISE = 24 }; /* below it comparing each with each is faster than sorting */
    if (count > PAIRWISE) {
        qsort(keys, count, sizeof *keys, key_compare);
        for (size_t i = 1; i < count; i++) {
            if (keys[i].hash == keys[i - 1].hash && slice_equal(keys[i].text, keys[i - 1].text)) {
                return &keys[i];
            }
        }
        return NULL;
    }
    for (size_t i = 1; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (keys[i].hash == keys[j].hash && slice_equal(keys[i].text, keys[j].text)) {
                return &keys[i];
            }
        }
    }
    return NULL;
}

static enum status leave_level(struct scanner *s)
{
    struct level level = s->levels[--s->depth];
    if (!level.object) {
        return STATUS_OK;
    }
    const struct key *twice =
        duplicate_key(s->keys + level.keys_from, s->key_count - level.keys_from);
    s->key_count = level.keys_from;
    if (twice == NULL) {
        return STATUS_OK;
    }
    struct diag *diag = diag_add(
        s->diags, DIAG_JSON_DUPLICATE_KEY,
        (struct span){s->source, twice->start, twice->start + (uint32_t)twice->text.len + 2},
        "\"%.*s\" stands twice in this object", SLICE_ARGS(twice->text));
    diag_hint(s->diags, diag, "keep one of the two");
    return STATUS_INVALID;
}

/* ---- numbers and words ---- */

static size_t scan_digits(struct scanner *s)
{
    size_t from = s->at;
    while (peek(s) >= '0' && peek(s) <= '9') {
        s->at++;
    }
    return s->at - from;
}

static enum status scan_number(struct scanner *s)
{
    size_t start = s->at;
    s->at += peek(s) == '-';
    size_t whole = s->at;
    size_t digits = scan_digits(s);
    bool good = digits == 1 || (digits > 1 && s->text.at[whole] != '0');
    if (good && peek(s) == '.') {
        s->at++;
        good = scan_digits(s) != 0;
    }
    if (good && (peek(s) == 'e' || peek(s) == 'E')) {
        s->at++;
        s->at += peek(s) == '+' || peek(s) == '-';
        good = scan_digits(s) != 0;
    }
    if (!good) {
        return fault(
            s, DIAG_JSON_SYNTAX, start, s->at > start ? s->at : start + 1,
            "this is not a JSON number",
            "digits without leading zero, then maybe a point with digits, then maybe an exponent");
    }
    return record(s, start, s->at - start);
}

static enum status scan_word(struct scanner *s)
{
    static const struct slice words[] = {{"true", 4}, {"false", 5}, {"null", 4}};
    struct slice rest = slice_part(s->text, s->at, SIZE_MAX);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (slice_starts_with(rest, words[i])) {
            s->at += words[i].len;
            return record(s, s->at - words[i].len, 0);
        }
    }
    if (s->at >= s->text.len) {
        return fault(s, DIAG_JSON_SYNTAX, s->at, s->at, "the text ends where a value is expected",
                     NULL);
    }
    return fault(s, DIAG_JSON_SYNTAX, s->at, s->at + 1, "a value is expected here",
                 "a value is an object, array, string, number, true, false or null");
}

/* ---- structure ---- */

static enum status enter_level(struct scanner *s)
{
    size_t most = s->limits->depth < DEPTH_MOST ? s->limits->depth : DEPTH_MOST;
    if (s->depth >= most) {
        return fault(s, DIAG_JSON_LIMIT, s->at, s->at + 1, "the document is nested too deeply",
                     NULL);
    }
    s->levels[s->depth++] = (struct level){peek(s) == '{', s->key_count};
    enum status status = record(s, s->at, 0);
    s->at++;
    skip_blank(s);
    return status;
}

/* Inside an object: the name and the colon. Leaves s->at at the member's value. */
static enum status scan_member_name(struct scanner *s)
{
    if (peek(s) != '"') {
        return fault(s, DIAG_JSON_SYNTAX, s->at, s->at + 1,
                     "a member name in double quotes is expected here", NULL);
    }
    enum status status = scan_key(s);
    if (status != STATUS_OK) {
        return status;
    }
    skip_blank(s);
    if (peek(s) != ':') {
        return fault(s, DIAG_JSON_SYNTAX, s->at, s->at + 1, "a colon is expected after the name",
                     NULL);
    }
    s->at++;
    skip_blank(s);
    return STATUS_OK;
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
            s->at++;
            skip_blank(s);
            *more_out = true;
            return object ? scan_member_name(s) : STATUS_OK;
        }
        if (peek(s) != (object ? '}' : ']') || s->at >= s->text.len) {
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
        enum status status = record(s, s->at, 0);
        return status == STATUS_OK ? scan_string(s, NULL) : status;
    }
    if (c == '-' || (c >= '0' && c <= '9')) {
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
    if (s->text.len > limits->bytes || s->text.len > INT32_MAX) {
        return fault(s, DIAG_JSON_LIMIT, 0, 0, "the document is too large", NULL);
    }
    s->room = s->text.len / 16 + 16;
    s->out.starts = ARENA_ARRAY(arena, s->room, uint32_t);
    s->out.lengths = ARENA_ARRAY(arena, s->room, uint32_t);
    enum status status = scan_document(s);
    if (status == STATUS_OK) {
        *scan_out = s->out;
    }
    return status;
}
