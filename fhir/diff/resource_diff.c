#include "fhir/diff/resource_diff.h"

#include "fhir/base/buf.h"

enum { PATH_MOST = 4096 };

struct walk {
    struct arena *arena;
    const char *const *ignore;
    size_t ignored;
    size_t ceiling;
    struct buf path;
    struct resource_diff *out;
};

static void note(struct walk *w, const struct json *from, const struct json *to)
{
    if (w->out->count == w->ceiling) {
        w->out->more = true;
        return;
    }
    w->out->changes[w->out->count++] =
        (struct element_change){arena_copy(w->arena, buf_view(&w->path)), from, to};
}

static void path_cut(struct walk *w, size_t len)
{
    w->path.len = len;
    w->path.at[len] = '\0';
}

static void diff_value(struct walk *w, const struct json *from, const struct json *to);

static bool is_ignored(const struct walk *w, bool top, struct slice name)
{
    for (size_t i = 0; top && i < w->ignored; i++) {
        if (slice_is(name, w->ignore[i])) {
            return true;
        }
    }
    return false;
}

static void diff_members(struct walk *w, const struct json *from, const struct json *to, bool top)
{
    size_t len = w->path.len;
    for (const struct json *a = json_first(from); a != NULL && !w->out->more; a = json_next(a)) {
        if (!is_ignored(w, top, json_name(a))) {
            buf_printf(&w->path, ".%.*s", SLICE_ARGS(json_name(a)));
            diff_value(w, a, json_member(to, json_name(a)));
            path_cut(w, len);
        }
    }
    for (const struct json *b = json_first(to); b != NULL && !w->out->more; b = json_next(b)) {
        if (!is_ignored(w, top, json_name(b)) && json_member(from, json_name(b)) == NULL) {
            buf_printf(&w->path, ".%.*s", SLICE_ARGS(json_name(b)));
            note(w, NULL, b);
            path_cut(w, len);
        }
    }
}

static void diff_elements(struct walk *w, const struct json *from, const struct json *to)
{
    size_t len = w->path.len;
    size_t index = 0;
    const struct json *a = json_first(from);
    const struct json *b = json_first(to);
    for (; (a != NULL || b != NULL) && !w->out->more; index++) {
        buf_printf(&w->path, "[%zu]", index);
        diff_value(w, a, b);
        path_cut(w, len);
        a = a != NULL ? json_next(a) : NULL;
        b = b != NULL ? json_next(b) : NULL;
    }
}

/* Depth is bounded by the parser's ceiling on nesting. */
static void diff_value(struct walk *w, const struct json *from, const struct json *to)
{
    if (from == NULL || to == NULL || json_kind(from) != json_kind(to)) {
        if (from != to) {
            note(w, from, to);
        }
    } else if (json_kind(from) == JSON_OBJECT) {
        diff_members(w, from, to, false);
    } else if (json_kind(from) == JSON_ARRAY) {
        diff_elements(w, from, to);
    } else if (!slice_equal(json_text(from), json_text(to))) {
        note(w, from, to);
    }
}

void resource_diff(struct arena *arena, const struct json *from, const struct json *to,
                   const char *const *ignore, size_t ignored, size_t ceiling,
                   struct resource_diff *diff_out)
{
    *diff_out =
        (struct resource_diff){.changes = ARENA_ARRAY(arena, ceiling, struct element_change)};
    struct walk w = {
        .arena = arena, .ignore = ignore, .ignored = ignored, .ceiling = ceiling, .out = diff_out};
    buf_init(&w.path, arena, PATH_MOST);
    buf_add_slice(&w.path, json_get_text(from != NULL ? from : to, "resourceType"));
    if (json_is(from, JSON_OBJECT) && json_is(to, JSON_OBJECT)) {
        diff_members(&w, from, to, true);
    } else {
        diff_value(&w, from, to);
    }
}

bool resource_same(struct arena *arena, const struct json *from, const struct json *to,
                   const char *const *ignore, size_t ignored)
{
    struct arena_mark mark = arena_mark(arena);
    struct resource_diff diff;
    resource_diff(arena, from, to, ignore, ignored, 1, &diff);
    bool same = diff.count == 0;
    arena_rewind(arena, mark);
    return same;
}
