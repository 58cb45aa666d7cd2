#include "gateway/plan/narrative.h"

#include "fhir/base/buf.h"

enum { NARRATIVE_MOST = 256 * 1024 }; /* bytes; a page a person reads is far smaller */

static const char *escape_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

static void add_escaped(struct buf *out, struct slice text)
{
    static const bool special[256] = {
        ['&'] = true, ['<'] = true, ['>'] = true, ['"'] = true, ['\''] = true};
    size_t plain = 0; /* where what is not added yet begins */
    for (size_t i = 0; i < text.len; i++) {
        if (special[(unsigned char)text.at[i]]) {
            buf_add(out, text.at + plain, i - plain);
            buf_add_cstr(out, escape_of(text.at[i]));
            plain = i + 1;
        }
    }
    buf_add(out, text.at + plain, text.len - plain);
}

struct slice narrative_escape(struct arena *arena, struct slice text)
{
    struct buf out;
    buf_init(&out, arena, NARRATIVE_MOST);
    add_escaped(&out, text);
    return buf_view(&out);
}

struct tag {
    struct slice open;
    struct slice close;
};

static const struct tag paragraph = {{"<p>", 3}, {"</p>", 4}};
static const struct tag entry = {{"<li>", 4}, {"</li>", 5}};

static void add_element(struct buf *out, const struct tag *tag, struct slice text)
{
    buf_add_slice(out, tag->open);
    add_escaped(out, text);
    buf_add_slice(out, tag->close);
}

/* Bytes, but for what is escaped. */
static size_t usual_length(const struct narrative *narrative)
{
    enum { AROUND = 128, ELEMENT = 16 };
    size_t len = AROUND + narrative->title.len;
    for (size_t i = 0; i < narrative->paragraph_count; i++) {
        len += ELEMENT + narrative->paragraphs[i].len;
    }
    for (size_t i = 0; i < narrative->line_count; i++) {
        len += ELEMENT + narrative->lines[i].len;
    }
    return len < NARRATIVE_MOST ? len : 0;
}

static struct json *as_narrative(struct arena *arena, const struct buf *div)
{
    struct json *text = json_new_object(arena);
    json_add(arena, text, SLICE("status"), json_new_string(arena, SLICE("generated")));
    json_add(arena, text, SLICE("div"), json_new_string(arena, buf_view(div)));
    return text;
}

struct json *narrative_render(struct arena *arena, const struct narrative *narrative)
{
    struct buf out;
    buf_init(&out, arena, NARRATIVE_MOST);
    buf_reserve(&out, usual_length(narrative));
    buf_add_cstr(&out, "<div xmlns=\"http://www.w3.org/1999/xhtml\"");
    if (narrative->language.len != 0) {
        buf_add_cstr(&out, " lang=\"");
        add_escaped(&out, narrative->language);
        buf_add_cstr(&out, "\"");
    }
    buf_add_cstr(&out, ">");
    add_element(&out, &paragraph, narrative->title);
    for (size_t i = 0; i < narrative->paragraph_count; i++) {
        add_element(&out, &paragraph, narrative->paragraphs[i]);
    }
    if (narrative->line_count != 0) {
        buf_add_cstr(&out, "<ul>");
        for (size_t i = 0; i < narrative->line_count; i++) {
            add_element(&out, &entry, narrative->lines[i]);
        }
        buf_add_cstr(&out, "</ul>");
    }
    buf_add_cstr(&out, "</div>");
    return as_narrative(arena, &out);
}

struct slice narrative_description(const struct json *resource)
{
    struct slice text = json_get_text(json_get(resource, "description"), "text");
    return text.len != 0 ? text : json_get_text(json_get(resource, "code"), "text");
}

struct slice narrative_language(const struct json *text)
{
    static const struct slice name = {" lang=\"", 7};
    struct slice div = json_get_text(text, "div");
    size_t end = slice_find(div, SLICE(">"), 0);
    size_t at = slice_find(slice_part(div, 0, end), name, 0);
    struct slice rest = at != SIZE_MAX ? slice_part(div, at + name.len, SIZE_MAX) : SLICE_NONE;
    struct slice language = SLICE_NONE;
    slice_cut(&rest, '"', &language);
    return language;
}

/* The shape is fixed: what stands before the first paragraph and the list are taken as they are. */
struct json *narrative_renew(struct arena *arena, const struct json *text,
                             const struct json *resource, bool with_lines)
{
    struct slice div = json_get_text(text, "div");
    size_t begin = slice_find(div, SLICE("<p>"), 0);
    size_t list = slice_find(div, SLICE("<ul>"), 0);
    bool care_plan = slice_is(json_get_text(resource, "resourceType"), "CarePlan");
    if (!slice_is(json_get_text(text, "status"), "generated") || begin == SIZE_MAX ||
        !slice_ends_with(div, SLICE("</div>"))) {
        return NULL;
    }
    struct buf out;
    buf_init(&out, arena, NARRATIVE_MOST);
    buf_add_slice(&out, slice_part(div, 0, begin));
    add_element(&out, &paragraph,
                care_plan ? json_get_text(resource, "title") : narrative_description(resource));
    struct slice description = json_get_text(resource, "description");
    if (care_plan && description.len != 0) {
        add_element(&out, &paragraph, description);
    }
    buf_add_slice(&out, list != SIZE_MAX && with_lines ? slice_part(div, list, SIZE_MAX)
                                                       : SLICE("</div>"));
    return as_narrative(arena, &out);
}
