#include "fhir/path/eval.h"

/* FHIRPath N1 section 5.6, trial use: encode, decode, escape, unescape. */

enum format { FORMAT_HEX, FORMAT_BASE64, FORMAT_URLBASE64, FORMAT_HTML, FORMAT_JSON, FORMAT_NONE };

static enum format format_of(struct slice name)
{
    static const char *const names[] = {"hex", "base64", "urlbase64", "html", "json"};
    for (int i = 0; i < FORMAT_NONE; i++) {
        if (slice_is(name, names[i])) {
            return (enum format)i;
        }
    }
    return FORMAT_NONE;
}

static enum format take_format(struct evaluation *eval, const struct call *call, bool coding)
{
    enum format format = format_of(call->args[0].text);
    bool fits = format != FORMAT_NONE && (format <= FORMAT_URLBASE64) == coding;
    if (!fits) {
        eval_stop(eval, DIAG_PATH_ARGUMENT_VALUE, call->node->args[0]->span,
                  coding ? "formats are 'hex', 'base64' and 'urlbase64'"
                         : "targets are 'html' and 'json'",
                  "%s() knows no '%.*s'", call->node->function->name,
                  SLICE_ARGS(call->args[0].text));
    }
    return format;
}

static void start(struct evaluation *eval, const struct call *call, struct buf *out)
{
    enum { WORST = 6 }; /* bytes of one byte in the longest form: \u001f, &quot; */
    if (call->value.text.len > eval->limits->text / WORST) {
        eval_stop_limit(eval, call->node->mark, "text");
    }
    buf_init(out, eval->arena, eval->limits->text);
}

static const char digits_plain[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char digits_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode_base64(struct slice text, const char *digits, struct buf *out)
{
    for (size_t i = 0; i < text.len; i += 3) {
        size_t left = text.len - i;
        uint32_t group = (uint32_t)(unsigned char)text.at[i] << 16;
        group |= left > 1 ? (uint32_t)(unsigned char)text.at[i + 1] << 8 : 0;
        group |= left > 2 ? (uint32_t)(unsigned char)text.at[i + 2] : 0;
        buf_add_char(out, digits[group >> 18]);
        buf_add_char(out, digits[group >> 12 & 63]);
        buf_add_char(out, left > 1 ? digits[group >> 6 & 63] : '=');
        buf_add_char(out, left > 2 ? digits[group & 63] : '=');
    }
}

static bool decode_base64(struct slice text, const char *digits, struct buf *out)
{
    size_t len = text.len;
    while (len != 0 && text.len - len < 2 && text.at[len - 1] == '=') {
        len--;
    }
    if (text.len % 4 != 0 || len % 4 == 1) {
        return false;
    }
    uint32_t group = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < len; i++) {
        const char *digit = text.at[i] != '\0' ? strchr(digits, text.at[i]) : NULL;
        if (digit == NULL) {
            return false;
        }
        group = group << 6 | (uint32_t)(digit - digits);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            buf_add_char(out, (char)(group >> bits & 255));
        }
    }
    return true;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool decode_hex(struct slice text, struct buf *out)
{
    for (size_t i = 0; i + 1 < text.len; i += 2) {
        int high = hex_digit(text.at[i]);
        int low = hex_digit(text.at[i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        buf_add_char(out, (char)(high * 16 + low));
    }
    return text.len % 2 == 0;
}

void fn_encode(struct evaluation *eval, const struct call *call, struct collection *out)
{
    enum format format = take_format(eval, call, true);
    struct slice text = call->value.text;
    struct buf result;
    start(eval, call, &result);
    if (format == FORMAT_HEX) {
        for (size_t i = 0; i < text.len; i++) {
            buf_printf(&result, "%02x", (unsigned char)text.at[i]);
        }
    } else {
        encode_base64(text, format == FORMAT_BASE64 ? digits_plain : digits_url, &result);
    }
    collection_add(eval, out, path_item_string(buf_view(&result)));
}

/* What does not decode to text, in UTF-8 and without NUL, is empty. */
void fn_decode(struct evaluation *eval, const struct call *call, struct collection *out)
{
    enum format format = take_format(eval, call, true);
    struct buf result;
    start(eval, call, &result);
    bool valid = format == FORMAT_HEX
                     ? decode_hex(call->value.text, &result)
                     : decode_base64(call->value.text,
                                     format == FORMAT_BASE64 ? digits_plain : digits_url, &result);
    struct slice text = buf_view(&result);
    if (valid && utf8_check(text) == SIZE_MAX &&
        (text.len == 0 || memchr(text.at, '\0', text.len) == NULL)) {
        collection_add(eval, out, path_item_string(text));
    }
}

/* ---- escapes ---- */

struct entity {
    char c;
    const char *text;
};

static const struct entity html_entities[] = {
    {'<', "&lt;"}, {'>', "&gt;"}, {'&', "&amp;"}, {'"', "&quot;"}, {'\'', "&#39;"}};

static const struct entity json_escapes[] = {{'"', "\\\""}, {'\\', "\\\\"}, {'\n', "\\n"},
                                             {'\r', "\\r"}, {'\t', "\\t"},  {'\f', "\\f"},
                                             {'\b', "\\b"}};

enum {
    HTML_COUNT = sizeof html_entities / sizeof *html_entities,
    JSON_COUNT = sizeof json_escapes / sizeof *json_escapes
};

static const char *escape_of(char c, const struct entity *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].c == c) {
            return rows[i].text;
        }
    }
    return NULL;
}

void fn_escape(struct evaluation *eval, const struct call *call, struct collection *out)
{
    bool html = take_format(eval, call, false) == FORMAT_HTML;
    struct slice text = call->value.text;
    struct buf result;
    start(eval, call, &result);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        const char *escape =
            html ? escape_of(c, html_entities, HTML_COUNT) : escape_of(c, json_escapes, JSON_COUNT);
        if (escape != NULL) {
            buf_add_cstr(&result, escape);
        } else if (!html && (unsigned char)c < 0x20) {
            buf_printf(&result, "\\u%04x", (unsigned char)c);
        } else {
            buf_add_char(&result, c);
        }
    }
    collection_add(eval, out, path_item_string(buf_view(&result)));
}

/* &#233; and &#xe9;; *at stands behind "&#". False: none, *at unmoved. */
static bool numeric_entity(struct slice text, size_t *at, struct buf *out)
{
    bool hex = *at < text.len && (text.at[*at] | 0x20) == 'x';
    uint32_t code = 0;
    size_t i = *at + hex;
    size_t first = i;
    for (; i < text.len && i - first < 7; i++) {
        int digit = hex_digit(text.at[i]);
        if (digit < 0 || (!hex && digit > 9)) {
            break;
        }
        code = code * (hex ? 16 : 10) + (uint32_t)digit;
    }
    if (i == first || i >= text.len || text.at[i] != ';' || code == 0 || code > 0x10FFFF ||
        (code >= 0xD800 && code <= 0xDFFF)) {
        return false;
    }
    buf_add_code(out, code);
    *at = i + 1;
    return true;
}

static void unescape_html(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < text.len;) {
        size_t number = i + 2;
        if (slice_starts_with(slice_part(text, i, 2), SLICE("&#")) &&
            numeric_entity(text, &number, out)) {
            i = number;
            continue;
        }
        size_t k = 0;
        struct slice rest = slice_part(text, i, SIZE_MAX);
        while (k < HTML_COUNT && !slice_starts_with(rest, slice_of(html_entities[k].text))) {
            k++;
        }
        if (k < HTML_COUNT) {
            buf_add_char(out, html_entities[k].c);
            i += strlen(html_entities[k].text);
        } else if (slice_starts_with(rest, SLICE("&apos;"))) {
            buf_add_char(out, '\'');
            i += 6;
        } else {
            buf_add_char(out, text.at[i++]);
        }
    }
}

static bool code_unit(struct slice text, size_t at, uint32_t *unit_out)
{
    uint32_t unit = 0;
    for (size_t i = at; i < at + 4; i++) {
        int digit = i < text.len ? hex_digit(text.at[i]) : -1;
        if (digit < 0) {
            return false;
        }
        unit = unit * 16 + (uint32_t)digit;
    }
    *unit_out = unit;
    return true;
}

/* The \uXXXX at *at, with its second half; moves *at behind it. */
static bool unescape_code(struct slice text, size_t *at, struct buf *out)
{
    uint32_t code;
    uint32_t low;
    if (!code_unit(text, *at + 2, &code)) {
        return false;
    }
    size_t next = *at + 6;
    if (code >= 0xD800 && code < 0xDC00 && slice_equal(slice_part(text, next, 2), SLICE("\\u")) &&
        code_unit(text, next + 2, &low) && low >= 0xDC00 && low <= 0xDFFF) {
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        next += 6;
    }
    if (code == 0 || (code >= 0xD800 && code <= 0xDFFF)) {
        return false;
    }
    buf_add_code(out, code);
    *at = next;
    return true;
}

static bool unescape_json(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < text.len;) {
        if (text.at[i] != '\\') {
            buf_add_char(out, text.at[i++]);
            continue;
        }
        char c = i + 1 < text.len ? text.at[i + 1] : '\0';
        if (c == 'u') {
            if (!unescape_code(text, &i, out)) {
                return false;
            }
            continue;
        }
        size_t k = 0;
        while (k < JSON_COUNT && json_escapes[k].text[1] != c) {
            k++;
        }
        if (k == JSON_COUNT && c != '/') {
            return false;
        }
        buf_add_char(out, k < JSON_COUNT ? json_escapes[k].c : '/');
        i += 2;
    }
    return true;
}

/* Text that is no JSON string inside is empty. */
void fn_unescape(struct evaluation *eval, const struct call *call, struct collection *out)
{
    bool html = take_format(eval, call, false) == FORMAT_HTML;
    struct buf result;
    start(eval, call, &result);
    if (html) {
        unescape_html(call->value.text, &result);
    } else if (!unescape_json(call->value.text, &result)) {
        return;
    }
    collection_add(eval, out, path_item_string(buf_view(&result)));
}
