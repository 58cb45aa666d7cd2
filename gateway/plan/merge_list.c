#include "gateway/plan/merge_steps.h"

enum { ITEMS_MOST = 256, KEY_MOST = 4 * 1024 * 1024 };

/* One of the four versions of a list, with the key of each item. */
struct version {
    const struct json *items[ITEMS_MOST];
    struct slice keys[ITEMS_MOST];
    size_t count;
    bool keyed; /* some item has a key of its own */
    bool whole; /* some item has none: it is matched by whole equality */
};

enum { WANTED, BASE, THEIRS, OURS, VERSIONS };

struct matching {
    struct version at[VERSIONS];
};

/* ---- keys ---- */

static struct slice coded(struct arena *arena, const struct json *coding)
{
    struct slice code = json_get_text(coding, "code");
    return code.len == 0
               ? SLICE_NONE
               : arena_printf(arena, "code %.*s|%.*s", SLICE_ARGS(json_get_text(coding, "system")),
                              SLICE_ARGS(code));
}

static struct slice concept_key(struct arena *arena, const struct json *concept)
{
    return coded(arena, json_first(json_get(concept, "coding")));
}

static struct slice identifier_key(struct arena *arena, const struct json *item)
{
    const struct json *identifier = json_first(json_get(item, "identifier"));
    struct slice value = json_get_text(identifier, "value");
    if (value.len != 0) {
        return arena_printf(arena, "identifier %.*s|%.*s",
                            SLICE_ARGS(json_get_text(identifier, "system")), SLICE_ARGS(value));
    }
    struct slice id = json_get_text(item, "id");
    return id.len != 0 ? arena_printf(arena, "id %.*s", SLICE_ARGS(id)) : SLICE_NONE;
}

static struct slice reference_key(struct arena *arena, const struct json *item)
{
    struct slice direct = json_get_text(item, "reference");
    struct slice reference =
        direct.len != 0 ? direct : json_get_text(json_get(item, "reference"), "reference");
    return reference.len != 0 ? arena_printf(arena, "reference %.*s", SLICE_ARGS(reference))
                              : SLICE_NONE;
}

/* identifier or element id, else reference, else code: of the item itself, or of what it measures
 * or does. */
static struct slice key_of(struct arena *arena, const struct json *item)
{
    static const char *const concepts[] = {"code", "measure"};
    struct slice key = identifier_key(arena, item);
    if (key.len == 0) {
        key = reference_key(arena, item);
    }
    if (key.len == 0) {
        key = coded(arena, item); /* a Coding */
    }
    if (key.len == 0) {
        key = concept_key(arena, item); /* a CodeableConcept */
    }
    for (size_t i = 0; key.len == 0 && i < sizeof concepts / sizeof *concepts; i++) {
        key = concept_key(arena, json_get(item, concepts[i]));
    }
    return key.len != 0 ? key : concept_key(arena, json_get(json_get(item, "detail"), "code"));
}

static size_t find(const struct version *version, struct slice key)
{
    size_t i = 0;
    while (i < version->count && !slice_equal(version->keys[i], key)) {
        i++;
    }
    return i;
}

static const struct json *item_of(const struct version *version, struct slice key)
{
    size_t i = find(version, key);
    return i < version->count ? version->items[i] : NULL;
}

/* False: too long, no list, or two items with one key. */
static bool take(struct arena *arena, const struct json *list, struct version *version)
{
    version->count = 0;
    if (list != NULL && !json_is(list, JSON_ARRAY)) {
        return false;
    }
    for (const struct json *it = json_first(list); it != NULL; it = json_next(it)) {
        struct slice key = key_of(arena, it);
        if (key.len != 0) {
            version->keyed = true;
        } else {
            version->whole = true;
            key = json_write(arena, it, JSON_COMPACT);
        }
        if (version->count == ITEMS_MOST || find(version, key) != version->count) {
            return false;
        }
        version->keys[version->count] = key;
        version->items[version->count++] = it;
    }
    return true;
}

/* Is something in `a` that is not in `b`? */
static bool has_more(const struct version *a, const struct version *b)
{
    for (size_t i = 0; i < a->count; i++) {
        if (item_of(b, a->keys[i]) == NULL) {
            return true;
        }
    }
    return false;
}

/* Matched by whole equality, an item that both rewrote looks like one taken out and two added. */
static bool both_rewrote(const struct matching *all)
{
    const struct version *base = &all->at[BASE];
    for (size_t i = 0; i < base->count; i++) {
        if (item_of(&all->at[THEIRS], base->keys[i]) == NULL &&
            item_of(&all->at[OURS], base->keys[i]) == NULL) {
            return has_more(&all->at[THEIRS], base) && has_more(&all->at[OURS], &all->at[WANTED]);
        }
    }
    return false;
}

static bool match(struct merging *m, const struct plan_sides *sides, struct matching *all)
{
    const struct json *lists[VERSIONS] = {sides->wanted, sides->base, sides->theirs, sides->ours};
    bool keyed = false;
    bool whole = false;
    for (size_t i = 0; i < VERSIONS; i++) {
        if (!take(m->arena, lists[i], &all->at[i])) {
            return false;
        }
        keyed = keyed || all->at[i].keyed;
        whole = whole || all->at[i].whole;
    }
    return !(keyed && whole) && !(whole && both_rewrote(all));
}

/* ---- merging ---- */

static struct json *merge_item(struct merging *m, const struct model_type *type,
                               const struct matching *all, struct slice key)
{
    const struct plan_sides sides = {.wanted = item_of(&all->at[WANTED], key),
                                     .base = item_of(&all->at[BASE], key),
                                     .theirs = item_of(&all->at[THEIRS], key),
                                     .ours = item_of(&all->at[OURS], key)};
    return merge_value(m, type, &sides);
}

static void append(struct json *list, struct json *item)
{
    if (item != NULL) {
        json_append(list, item);
    }
}

/* Theirs in their order, then what is new of ours. An item that they took out stays out, one that
 * we want no more goes if they left it as it was: merge_value says so of each. */
bool merge_list(struct merging *m, const struct model_type *type, const struct plan_sides *sides,
                struct json **list_out)
{
    if (!json_is(sides->theirs, JSON_ARRAY) || !json_is(sides->ours, JSON_ARRAY)) {
        return false;
    }
    struct matching *all = ARENA_NEW(m->arena, struct matching);
    if (!match(m, sides, all)) {
        return false;
    }
    struct json *list = json_new_array(m->arena);
    const struct version *theirs = &all->at[THEIRS];
    const struct version *ours = &all->at[OURS];
    for (size_t i = 0; i < theirs->count; i++) {
        append(list, merge_item(m, type, all, theirs->keys[i]));
    }
    for (size_t i = 0; i < ours->count; i++) {
        if (item_of(theirs, ours->keys[i]) == NULL) {
            append(list, merge_item(m, type, all, ours->keys[i]));
        }
    }
    *list_out = json_first(list) != NULL ? list : NULL;
    return true;
}
