#include "gateway/plan/plan_merge.h"

#include "fhir/diff/resource_diff.h"
#include "gateway/plan/merge_steps.h"
#include "gateway/plan/narrative.h"
#include "gateway/plan/plan_diff.h"

enum { PATH_MOST = 4096, DEPTH_MOST = 16 };

/* ---- comparing ---- */

/* What an EHR may add to an element without changing it. */
static bool is_added(struct slice name)
{
    return slice_is(name, "extension") || (name.len != 0 && name.at[0] == '_');
}

static bool members_alike(const struct json *a, const struct json *b)
{
    for (const struct json *it = json_first(a); it != NULL; it = json_next(it)) {
        if (!is_added(json_name(it)) && !merge_alike(it, json_member(b, json_name(it)))) {
            return false;
        }
    }
    for (const struct json *it = json_first(b); it != NULL; it = json_next(it)) {
        if (!is_added(json_name(it)) && json_member(a, json_name(it)) == NULL) {
            return false;
        }
    }
    return true;
}

static bool elements_alike(const struct json *a, const struct json *b)
{
    const struct json *left = json_first(a);
    const struct json *right = json_first(b);
    while (left != NULL && right != NULL && merge_alike(left, right)) {
        left = json_next(left);
        right = json_next(right);
    }
    return left == NULL && right == NULL;
}

/* FHIR has no empty lists: an element that is one is absent. */
static const struct json *present(const struct json *value)
{
    return json_is(value, JSON_ARRAY) && json_first(value) == NULL ? NULL : value;
}

/* Depth is bounded by the parser's ceiling on nesting. */
bool merge_alike(const struct json *a, const struct json *b)
{
    a = present(a);
    b = present(b);
    if (a == NULL || b == NULL || json_kind(a) != json_kind(b)) {
        return a == b;
    }
    switch (json_kind(a)) {
    case JSON_OBJECT:
        return members_alike(a, b);
    case JSON_ARRAY:
        return elements_alike(a, b);
    default:
        return slice_equal(json_text(a), json_text(b));
    }
}

bool merge_same(const struct json *a, const struct json *b)
{
    return a == NULL || b == NULL ? a == b : json_equal(a, b);
}

/* ---- notes ---- */

static void note(struct merging *m, struct plan_paths *paths)
{
    struct slice path = buf_view(&m->path);
    for (size_t i = 0; i < paths->count; i++) {
        if (slice_equal(paths->at[i], path)) {
            return;
        }
    }
    if (paths->count < PLAN_MERGE_PATHS) {
        paths->at[paths->count++] = arena_copy(m->arena, path);
    }
}

void merge_note_kept(struct merging *m)
{
    note(m, &m->out->kept);
}

void merge_note_changed(struct merging *m)
{
    note(m, &m->out->changed);
}

void merge_note_conflict(struct merging *m)
{
    note(m, &m->out->kept);
    m->out->conflicts++;
}

struct slice plan_paths_text(struct arena *arena, const struct plan_paths *paths)
{
    struct buf out;
    buf_init(&out, arena, (size_t)PLAN_MERGE_PATHS * (PATH_MOST + 2));
    for (size_t i = 0; i < paths->count; i++) {
        buf_printf(&out, "%s%.*s", i != 0 ? ", " : "", SLICE_ARGS(paths->at[i]));
    }
    return buf_view(&out);
}

/* ---- elements ---- */

static struct json *copy(struct merging *m, const struct json *value)
{
    return value != NULL ? json_copy(m->arena, value) : NULL;
}

/* Ours in the place of theirs; what the EHR added to theirs as extensions stays. */
static struct json *adopt(struct merging *m, const struct json *ours, const struct json *theirs)
{
    struct json *value = copy(m, ours);
    const struct json *added = json_get(theirs, "extension");
    merge_note_changed(m);
    if (json_is(value, JSON_OBJECT) && added != NULL && json_get(value, "extension") == NULL) {
        json_add(m->arena, value, SLICE("extension"), json_copy(m->arena, added));
    }
    return value;
}

static const struct json *side(const struct json *object, struct slice name)
{
    return json_is(object, JSON_OBJECT) ? present(json_member(object, name)) : NULL;
}

static void merge_member(struct merging *m, const struct model_type *type, struct slice name,
                         const struct plan_sides *of, struct json *out)
{
    const struct plan_sides sides = {.wanted = side(of->wanted, name),
                                     .base = side(of->base, name),
                                     .theirs = side(of->theirs, name),
                                     .ours = side(of->ours, name)};
    size_t len = m->path.len;
    const struct model_type *member =
        type != NULL ? model_element_by_json(m->model, type, name).type : NULL;
    buf_printf(&m->path, "%s%.*s", len != 0 ? "." : "", SLICE_ARGS(name));
    struct json *value = merge_value(m, member, &sides);
    m->path.len = len;
    const struct json *empty = sides.theirs == NULL ? json_member(of->theirs, name) : NULL;
    if (value == NULL && empty != NULL) {
        value = json_copy(m->arena, empty); /* nothing to write it for */
    }
    if (value != NULL) {
        json_add(m->arena, out, name, value);
    }
}

/* Not compared: theirs stays as it is. `id` of an element is the EHR's. */
static bool is_theirs(struct slice name, bool top)
{
    return is_added(name) || slice_is(name, "id") ||
           (top &&
            (slice_is(name, "meta") || slice_is(name, "text") || slice_is(name, "resourceType")));
}

static struct json *merge_members(struct merging *m, const struct model_type *type,
                                  const struct plan_sides *sides, bool top)
{
    struct json *out = json_new_object(m->arena);
    for (const struct json *it = json_first(sides->theirs); it != NULL; it = json_next(it)) {
        if (is_theirs(json_name(it), top)) {
            json_add(m->arena, out, json_name(it), json_copy(m->arena, it));
        } else {
            merge_member(m, type, json_name(it), sides, out);
        }
    }
    for (const struct json *it = json_first(sides->ours); it != NULL; it = json_next(it)) {
        if (!is_theirs(json_name(it), top) && json_member(sides->theirs, json_name(it)) == NULL) {
            merge_member(m, type, json_name(it), sides, out);
        }
    }
    return out;
}

/* An object that is merged member by member: a backbone element in all that have it. */
static bool has_members(struct merging *m, const struct model_type *type,
                        const struct plan_sides *sides)
{
    return type != NULL && type->kind == MODEL_BACKBONE && m->depth < DEPTH_MOST &&
           json_is(sides->theirs, JSON_OBJECT) && json_is(sides->ours, JSON_OBJECT) &&
           json_is(sides->base, JSON_OBJECT);
}

static struct json *settle_conflict(struct merging *m, enum plan_owner owner,
                                    const struct plan_sides *sides)
{
    if (owner == OWNER_GATEWAY) {
        return adopt(m, sides->ours, sides->theirs);
    }
    merge_note_conflict(m);
    return copy(m, sides->theirs);
}

struct json *merge_value(struct merging *m, const struct model_type *type,
                         const struct plan_sides *sides)
{
    enum plan_owner owner = plan_owns_find(m->owns, m->item, buf_view(&m->path));
    bool touched = !merge_alike(sides->theirs, sides->base);
    if (merge_same(sides->ours, sides->wanted) || owner == OWNER_CLINICIAN) {
        if (touched && !merge_alike(sides->theirs, sides->ours)) {
            merge_note_kept(m);
        }
        return copy(m, sides->theirs);
    }
    if (merge_alike(sides->theirs, sides->ours)) {
        return copy(m, sides->theirs);
    }
    if (!touched) {
        return adopt(m, sides->ours, sides->theirs);
    }
    struct json *merged = NULL;
    m->depth++;
    if (has_members(m, type, sides)) {
        merged = merge_members(m, type, sides, false);
    } else if (m->depth >= DEPTH_MOST || !merge_list(m, type, sides, &merged)) {
        merged = settle_conflict(m, owner, sides);
    }
    m->depth--;
    return merged;
}

/* ---- text ---- */

/* The lines of a text of ours speak of the goals and orders that the CarePlan refers to. */
static bool same_lines(const struct json *merged, const struct json *ours)
{
    return merge_alike(json_get(merged, "goal"), json_get(ours, "goal")) &&
           merge_alike(json_get(merged, "activity"), json_get(ours, "activity"));
}

static void merge_text(struct merging *m, const struct plan_sides *sides)
{
    const struct json *theirs = json_get(sides->theirs, "text");
    const struct json *ours = json_get(sides->ours, "text");
    bool touched = !merge_same(theirs, json_get(sides->base, "text"));
    if (touched || ours == NULL) {
        return; /* theirs was copied */
    }
    struct json *text =
        narrative_renew(m->arena, ours, m->out->merged, same_lines(m->out->merged, sides->ours));
    if (text != NULL) {
        json_set(m->arena, m->out->merged, SLICE("text"), text);
    }
}

/* ---- the whole ---- */

void plan_merge(struct arena *arena, const struct model *model, const struct plan_sides *sides,
                const struct plan_owns *owns, struct slice item, struct plan_merge *merge_out)
{
    static const char *const ignored[] = {"meta", "text", "id"};
    struct plan_sides of = *sides;
    *merge_out = (struct plan_merge){0};
    struct merging m = {
        .arena = arena, .model = model, .owns = owns, .item = item, .out = merge_out};
    buf_init(&m.path, arena, PATH_MOST);
    if (of.wanted == NULL) {
        of.wanted = plan_merge_assume(arena, of.base, of.ours);
    }
    const struct model_type *type =
        model_type_find(model, json_get_text(of.theirs, "resourceType"));
    merge_out->merged = merge_members(&m, type, &of, true);
    merge_out->unchanged = resource_same(arena, merge_out->merged, of.theirs, ignored,
                                         sizeof ignored / sizeof *ignored);
    merge_text(&m, &of);
}

struct json *plan_merge_assume(struct arena *arena, const struct json *base,
                               const struct json *ours)
{
    struct json *wanted = json_new_object(arena);
    for (const struct json *it = json_first(base); it != NULL; it = json_next(it)) {
        if (plan_diff_is_ours(ours, json_name(it))) {
            json_add(arena, wanted, json_name(it), json_copy(arena, it));
        }
    }
    return wanted;
}
