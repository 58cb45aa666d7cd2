#include "gateway/ehr/url.h"

#include "fhir/base/buf.h"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool url_is_type(struct slice type)
{
    if (type.len == 0 || type.len > 64 || type.at[0] < 'A' || type.at[0] > 'Z') {
        return false;
    }
    for (size_t i = 0; i < type.len; i++) {
        if (!is_letter(type.at[i])) {
            return false;
        }
    }
    return true;
}

bool url_is_id(struct slice id)
{
    for (size_t i = 0; i < id.len; i++) {
        char c = id.at[i];
        if (!is_letter(c) && !is_digit(c) && c != '-' && c != '.') {
            return false;
        }
    }
    return id.len != 0 && id.len <= 64;
}

bool url_is_query(struct slice query)
{
    for (size_t i = 0; i < query.len; i++) {
        unsigned char c = (unsigned char)query.at[i];
        if (c < ' ' || c == 0x7f || c == '#') {
            return false;
        }
    }
    return query.len <= URL_BYTES_MOST;
}

static void escape(struct buf *out, struct slice text, const char *also_allowed)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (is_letter(c) || is_digit(c) || (c != '\0' && strchr(also_allowed, c) != NULL)) {
            buf_add_char(out, c);
            continue;
        }
        unsigned char byte = (unsigned char)c;
        char escaped[3] = {'%', digits[byte >> 4], digits[byte & 15]};
        buf_add(out, escaped, sizeof escaped);
    }
}

struct slice url_escape_query(struct arena *arena, struct slice query)
{
    struct buf out;
    buf_init(&out, arena, (size_t)3 * URL_BYTES_MOST);
    escape(&out, query, "-._~!$&'()*+,;=:@/?%");
    return buf_view(&out);
}

struct slice url_escape_value(struct arena *arena, struct slice value)
{
    struct buf out;
    buf_init(&out, arena, 3 * value.len);
    escape(&out, value, "-._~");
    return buf_view(&out);
}

/* search.html 3.1.1.4.2 (escaping search parameters): a backslash before , $ | and itself. */
static void add_search_text(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (strchr(",$|\\", text.at[i]) != NULL && text.at[i] != '\0') {
            buf_add_char(out, '\\');
        }
        buf_add_char(out, text.at[i]);
    }
}

struct slice url_identifier(struct arena *arena, struct slice system, struct slice value)
{
    struct buf token;
    buf_init(&token, arena, 2 * (system.len + value.len) + 1);
    if (system.len != 0) {
        add_search_text(&token, system);
        buf_add_char(&token, '|');
    }
    add_search_text(&token, value);
    struct slice escaped = url_escape_value(arena, buf_view(&token));
    return arena_printf(arena, "identifier=%.*s", SLICE_ARGS(escaped));
}

/* Cuts the last segment off *rest. */
static struct slice cut_last(struct slice *rest)
{
    size_t at = rest->len;
    while (at > 0 && rest->at[at - 1] != '/') {
        at--;
    }
    struct slice last = slice_part(*rest, at, SIZE_MAX);
    *rest = slice_part(*rest, 0, at > 0 ? at - 1 : 0);
    return last;
}

bool url_read_location(struct slice location, struct slice type, struct slice *id_out,
                       struct slice *version_out)
{
    struct slice path;
    if (!slice_cut(&location, '?', &path)) {
        return false;
    }
    struct slice version = SLICE_NONE;
    struct slice id = cut_last(&path);
    struct slice before = path;
    if (slice_is(cut_last(&before), "_history")) {
        version = id;
        path = before;
        id = cut_last(&path);
    }
    if (!url_is_id(id) || !slice_equal(cut_last(&path), type)) {
        return false;
    }
    *id_out = id;
    *version_out = version;
    return true;
}

struct slice url_resolve(struct arena *arena, struct slice base, struct slice reference)
{
    if (slice_find(reference, SLICE("://"), 0) != SIZE_MAX) {
        return reference;
    }
    if (slice_starts_with(reference, SLICE("/"))) {
        size_t host = slice_find(base, SLICE("://"), 0);
        size_t end = host == SIZE_MAX ? 0 : host + 3;
        while (end < base.len && base.at[end] != '/') {
            end++;
        }
        return arena_printf(arena, "%.*s%.*s", SLICE_ARGS(slice_part(base, 0, end)),
                            SLICE_ARGS(reference));
    }
    return arena_printf(arena, "%.*s/%.*s", SLICE_ARGS(base), SLICE_ARGS(reference));
}
