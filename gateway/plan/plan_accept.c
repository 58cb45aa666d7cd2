#include "gateway/plan/plan_accept.h"

#include "gateway/plan/narrative.h"

struct json *plan_decision(struct arena *arena, struct json *set, struct json *drop,
                           struct json *text)
{
    struct json *decision = json_new_object(arena);
    if (set != NULL) {
        json_add(arena, decision, SLICE("set"), set);
    }
    if (drop != NULL) {
        json_add(arena, decision, SLICE("drop"), drop);
    }
    if (text != NULL) {
        json_add(arena, decision, SLICE("text"), text);
    }
    return decision;
}

static bool is_dropped(const struct json *drop, const struct json *goal)
{
    struct slice reference = json_get_text(goal, "reference");
    for (const struct json *it = json_first(drop); it != NULL; it = json_next(it)) {
        if (reference.len != 0 && slice_equal(json_get_text(it, "reference"), reference)) {
            return true;
        }
    }
    return false;
}

static void drop_goals(struct arena *arena, struct json *resource, const struct json *drop)
{
    struct json *left = json_new_array(arena);
    for (const struct json *it = json_first(json_get(resource, "goal")); it != NULL;
         it = json_next(it)) {
        if (!is_dropped(drop, it)) {
            json_append(left, json_copy(arena, it));
        }
    }
    json_remove(resource, SLICE("goal"));
    if (json_first(left) != NULL) {
        json_add(arena, resource, SLICE("goal"), left);
    }
}

static bool same_text(const struct json *base, const struct json *theirs)
{
    const struct json *text = json_get(base, "text");
    return text != NULL && json_get(theirs, "text") != NULL &&
           json_equal(text, json_get(theirs, "text"));
}

struct json *plan_decide(struct arena *arena, const struct json *decision, const struct json *base,
                         const struct json *theirs)
{
    struct json *decided = json_copy(arena, theirs);
    for (const struct json *it = json_first(json_get(decision, "set")); it != NULL;
         it = json_next(it)) {
        json_set(arena, decided, json_name(it), json_copy(arena, it));
    }
    if (json_get(decision, "drop") != NULL) {
        drop_goals(arena, decided, json_get(decision, "drop"));
    }
    struct json *text = same_text(base, theirs)
                            ? narrative_renew(arena, json_get(decision, "text"), decided, true)
                            : NULL;
    if (text != NULL) {
        json_set(arena, decided, SLICE("text"), text);
    }
    return decided;
}

bool plan_is_decided(const struct json *decision, const struct json *theirs)
{
    for (const struct json *it = json_first(json_get(decision, "set")); it != NULL;
         it = json_next(it)) {
        const struct json *there = json_member(theirs, json_name(it));
        if (there == NULL || !json_equal(it, there)) {
            return false;
        }
    }
    return true;
}
