#include "fhir/base/diag.h"

#include <stdlib.h>

struct code_row {
    const char *name;
    enum severity severity;
    enum diag_kind kind;
    const char *summary;
};

static const struct code_row codes[DIAG_CODE_COUNT] = {
#define DIAG(id, name, severity, kind, summary) {name, severity, kind, summary},
#include "fhir/base/codes.def"
#undef DIAG
};

const char *diag_code_name(enum diag_code code)
{
    return codes[code].name;
}

const char *diag_code_summary(enum diag_code code)
{
    return codes[code].summary;
}

enum diag_kind diag_code_kind(enum diag_code code)
{
    return codes[code].kind;
}

enum severity diag_code_severity(enum diag_code code)
{
    return codes[code].severity;
}

const char *diag_kind_name(enum diag_kind kind)
{
    static const char *const names[] = {"syntax",    "semantic", "execution",
                                        "structure", "content",  "system"};
    return names[kind];
}

const char *diag_severity_name(enum severity severity)
{
    static const char *const names[] = {"fatal", "error", "warning", "note"};
    return names[severity];
}

void diag_init(struct diag_list *list, struct arena *arena, unsigned ceiling)
{
    *list = (struct diag_list){.arena = arena, .ceiling = ceiling};
}

struct diag *diag_add(struct diag_list *list, enum diag_code code, struct span span,
                      const char *format, ...)
{
    struct diag *diag = ARENA_NEW(list->arena, struct diag);
    va_list args;
    va_start(args, format);
    *diag = (struct diag){.code = code,
                          .severity = codes[code].severity,
                          .span = span,
                          .sentence = arena_vprintf(list->arena, format, args)};
    va_end(args);
    list->errors += diag->severity <= SEVERITY_ERROR;
    if (list->count >= list->ceiling) {
        list->dropped++;
        return diag;
    }
    list->count++;
    if (list->last != NULL) {
        list->last->next = diag;
    } else {
        list->first = diag;
    }
    list->last = diag;
    return diag;
}

void diag_hint(struct diag_list *list, struct diag *diag, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    diag->hint = arena_vprintf(list->arena, format, args);
    va_end(args);
}

void diag_hint_nearest(struct diag_list *list, struct diag *diag, struct slice word,
                       const struct slice *candidates, size_t count)
{
    struct slice near = slice_nearest(word, candidates, count);
    if (near.at != NULL) {
        diag_hint(list, diag, "did you mean \"%.*s\"?", SLICE_ARGS(near));
    }
}

struct sort_row {
    struct diag *diag;
    unsigned source; /* rank of its source, as first met */
    uint32_t start;
    unsigned order; /* as added: keeps the sort stable */
};

static int sort_compare(const void *left, const void *right)
{
    const struct sort_row *a = left;
    const struct sort_row *b = right;
    if (a->source != b->source) {
        return a->source < b->source ? -1 : 1;
    }
    if (a->start != b->start) {
        return a->start < b->start ? -1 : 1;
    }
    return a->order < b->order ? -1 : 1;
}

void diag_sort(struct diag_list *list)
{
    if (list->count < 2) {
        return;
    }
    struct sort_row *rows = ARENA_ARRAY(list->arena, list->count, struct sort_row);
    unsigned n = 0;
    for (struct diag *diag = list->first; diag != NULL; diag = diag->next, n++) {
        struct span outer = span_outermost(diag->span);
        rows[n] = (struct sort_row){.diag = diag, .source = n, .start = outer.start, .order = n};
        for (unsigned i = 0; i < n; i++) {
            if (span_outermost(rows[i].diag->span).source == outer.source) {
                rows[n].source = rows[i].source;
                break;
            }
        }
    }
    qsort(rows, n, sizeof *rows, sort_compare);
    list->first = rows[0].diag;
    for (unsigned i = 0; i < n; i++) {
        rows[i].diag->next = i + 1 < n ? rows[i + 1].diag : NULL;
    }
    list->last = rows[n - 1].diag;
}

enum { EXCERPT_MAX = 160 }; /* bytes of a line shown; a longer one is cut around the caret */

/* Control characters, and those that show nothing or turn the direction of what follows. */
static bool is_unseen(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200b && code <= 0x200f) ||
           (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
           code == 0xfeff;
}

/* Text of strangers on a terminal: a character that is not seen becomes a space, a malformed byte
 * U+FFFD, so that columns are kept, nothing is executed, and the whole stays valid UTF-8. */
static void render_text(struct slice text, struct buf *out)
{
    for (size_t at = 0; at < text.len;) {
        size_t from = at;
        uint32_t code = utf8_next(text, &at);
        if (code == UINT32_MAX) {
            at++;
            buf_add_code(out, 0xfffd);
        } else if (is_unseen(code)) {
            buf_add_char(out, ' ');
        } else {
            buf_add(out, text.at + from, at - from);
        }
    }
}

static void render_excerpt(struct place place, struct buf *out)
{
    size_t caret = 0;
    for (uint32_t i = 1; i < place.column && caret < place.text.len; i++) {
        if (utf8_next(place.text, &caret) == UINT32_MAX) {
            caret++;
        }
    }
    size_t from = 0;
    if (place.text.len > EXCERPT_MAX && caret > EXCERPT_MAX / 2) {
        from = caret - EXCERPT_MAX / 2;
        while (from < caret && ((unsigned char)place.text.at[from] & 0xc0) == 0x80) {
            from++;
        }
    }
    struct slice shown = slice_part(place.text, from, EXCERPT_MAX);
    while (shown.len != 0 && from + shown.len < place.text.len &&
           ((unsigned char)place.text.at[from + shown.len] & 0xc0) == 0x80) {
        shown.len--;
    }
    buf_add_cstr(out, "  ");
    render_text(shown, out);
    buf_add_cstr(out, "\n  ");
    size_t left = utf8_length(slice_part(place.text, from, caret - from));
    for (size_t i = 0; i < left; i++) {
        buf_add_char(out, ' ');
    }
    buf_add_char(out, '^');
    size_t room = utf8_length(shown) > left ? utf8_length(shown) - left : 1;
    for (size_t i = 1; i < place.width && i < room; i++) {
        buf_add_char(out, '~');
    }
    buf_add_char(out, '\n');
}

void diag_render(const struct diag *diag, struct buf *out)
{
    struct span span = span_outermost(diag->span);
    struct place place = span_place(span);
    if (span.source != NULL) {
        render_text(span.source->name, out);
        buf_printf(out, ":%u:%u: ", place.line, place.column);
    }
    buf_printf(out, "%s: ", diag_severity_name(diag->severity));
    if (diag->path.len != 0) {
        render_text(diag->path, out);
        buf_add_cstr(out, ": ");
    }
    render_text(diag->sentence, out);
    buf_printf(out, " [%s]\n", diag_code_name(diag->code));
    if (span.source != NULL && place.text.len != 0) {
        render_excerpt(place, out);
    }
    if (diag->hint.len != 0) {
        buf_add_cstr(out, "  hint: ");
        render_text(diag->hint, out);
        buf_add_char(out, '\n');
    }
}

void diag_render_all(const struct diag_list *list, struct buf *out)
{
    for (const struct diag *diag = list->first; diag != NULL; diag = diag->next) {
        diag_render(diag, out);
    }
    if (list->dropped != 0) {
        buf_printf(out, "and %u more\n", list->dropped);
    }
}
