#include "gateway/plan/narrative.h"

#include "fhir/base/buf.h"

enum { NARRATIVE_MOST = 256 * 1024 }; /* bytes; a page a person reads is far smaller */

static void add_escaped(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        switch (text.at[i]) {
        case '&':
            buf_add_cstr(out, "&amp;");
            break;
        case '<':
            buf_add_cstr(out, "&lt;");
            break;
        case '>':
            buf_add_cstr(out, "&gt;");
            break;
        case '"':
            buf_add_cstr(out, "&quot;");
            break;
        case '\'':
            buf_add_cstr(out, "&#39;");
            break;
        default:
            buf_add_char(out, text.at[i]);
        }
    }
}

struct slice narrative_escape(struct arena *arena, struct slice text)
{
    struct buf out;
    buf_init(&out, arena, NARRATIVE_MOST);
    add_escaped(&out, text);
    return buf_view(&out);
}

static void add_element(struct buf *out, const char *name, struct slice text)
{
    buf_printf(out, "<%s>", name);
    add_escaped(out, text);
    buf_printf(out, "</%s>", name);
}

struct json *narrative_render(struct arena *arena, const struct narrative *narrative)
{
    struct buf out;
    buf_init(&out, arena, NARRATIVE_MOST);
    buf_add_cstr(&out, "<div xmlns=\"http://www.w3.org/1999/xhtml\"");
    if (narrative->language.len != 0) {
        buf_add_cstr(&out, " lang=\"");
        add_escaped(&out, narrative->language);
        buf_add_cstr(&out, "\"");
    }
    buf_add_cstr(&out, ">");
    add_element(&out, "p", narrative->title);
    for (size_t i = 0; i < narrative->paragraph_count; i++) {
        add_element(&out, "p", narrative->paragraphs[i]);
    }
    if (narrative->line_count != 0) {
        buf_add_cstr(&out, "<ul>");
        for (size_t i = 0; i < narrative->line_count; i++) {
            add_element(&out, "li", narrative->lines[i]);
        }
        buf_add_cstr(&out, "</ul>");
    }
    buf_add_cstr(&out, "</div>");
    struct json *text = json_new_object(arena);
    json_add(arena, text, SLICE("status"), json_new_string(arena, SLICE("generated")));
    json_add(arena, text, SLICE("div"), json_new_string(arena, buf_view(&out)));
    return text;
}
