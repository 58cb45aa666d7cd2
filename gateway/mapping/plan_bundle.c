#include "gateway/base/digest.h"
#include "gateway/mapping/find.h"

enum { DEPTH_MOST = 64 };

static const char item_prefix[] = "#item:";

/* A urn:uuid whose last digits are the item's position, from 1. */
static struct slice item_url(struct arena *arena, size_t index)
{
    static const char first[] = "urn:uuid:00000000-0000-4000-8000-000000000000";
    char *url = arena_cstr(arena, slice_from(first, sizeof first - 1));
    size_t at = sizeof first - 1;
    for (size_t number = index + 1; number != 0; number /= 10) {
        url[--at] = (char)('0' + number % 10);
    }
    return slice_from(url, sizeof first - 1);
}

struct bundling {
    struct arena *arena;
    const struct evaluation_result *result;
    struct slice *urls; /* of each item */
};

/* Leads the references below to the items of the plan. */
static void resolve_below(const struct bundling *b, struct json *value, unsigned depth)
{
    for (const struct json *it = json_first(value); it != NULL; it = json_next(it)) {
        if (json_first(it) != NULL) {
            if (depth < DEPTH_MOST) {
                resolve_below(b, (struct json *)it, depth + 1);
            }
            continue;
        }
        struct slice text = json_text(it);
        if (text.len < sizeof item_prefix || text.at[0] != item_prefix[0] ||
            !slice_is(json_name(it), "reference") ||
            !slice_starts_with(text, slice_of(item_prefix))) {
            continue;
        }
        struct slice key = slice_part(text, sizeof item_prefix - 1, SIZE_MAX);
        for (size_t i = 0; i < b->result->item_count; i++) {
            if (slice_equal(b->result->items[i].key, key)) {
                struct json *url = json_new_string(b->arena, b->urls[i]);
                json_set(b->arena, value, SLICE("reference"), url);
                it = url;
                break;
            }
        }
    }
}

struct json *mapping_take_plan_bundle(struct arena *arena, const struct evaluation_result *result)
{
    struct bundling b = {.arena = arena, .result = result};
    struct json *bundle = json_new_object(arena);
    struct json *entries = json_new_array(arena);
    json_add(arena, bundle, SLICE("resourceType"), json_new_string(arena, SLICE("Bundle")));
    json_add(arena, bundle, SLICE("type"), json_new_string(arena, SLICE("collection")));
    b.urls = ARENA_ARRAY(arena, result->item_count + 1, struct slice);
    for (size_t i = 0; i < result->item_count; i++) {
        b.urls[i] = item_url(arena, i);
    }
    for (size_t i = 0; i < result->item_count; i++) {
        struct json *entry = json_new_object(arena);
        resolve_below(&b, result->items[i].resource, 0);
        json_add(arena, entry, SLICE("fullUrl"), json_new_string(arena, b.urls[i]));
        json_add(arena, entry, SLICE("resource"), result->items[i].resource);
        json_append(entries, entry);
    }
    if (result->item_count != 0) { /* FHIR has no empty arrays */
        json_add(arena, bundle, SLICE("entry"), entries);
    }
    return bundle;
}

struct json *mapping_plan_bundle(struct arena *arena, const struct evaluation_result *result)
{
    struct evaluation_result copy = *result;
    copy.items = ARENA_ARRAY(arena, result->item_count + 1, struct plan_item);
    for (size_t i = 0; i < result->item_count; i++) {
        copy.items[i] = result->items[i];
        copy.items[i].resource = json_copy(arena, result->items[i].resource);
    }
    return mapping_take_plan_bundle(arena, &copy);
}

struct slice mapping_plan_digest(struct arena *arena, const struct evaluation_result *result)
{
    if (result->item_count == 0) {
        return SLICE_NONE;
    }
    uint8_t hash[SHA256_SIZE];
    char text[SHA256_TEXT_SIZE];
    struct slice *parts = ARENA_ARRAY(arena, result->item_count * 3, struct slice);
    for (size_t i = 0; i < result->item_count; i++) {
        parts[i * 3] = result->items[i].key;
        parts[i * 3 + 1] = SLICE("\n"); /* no key has one */
        parts[i * 3 + 2] = json_write(arena, result->items[i].resource, JSON_COMPACT);
    }
    sha256_parts(parts, result->item_count * 3, hash);
    hex_write(hash, sizeof hash, text);
    return arena_copy(arena, slice_of(text));
}

size_t mapping_item_keys(const struct mapping *mapping, struct arena *arena, struct slice plan,
                         struct slice **keys_out)
{
    const struct plan_rule *rule = mapping_find_plan(mapping, plan);
    size_t count = 0;
    if (rule == NULL) {
        return 0;
    }
    struct slice *keys = ARENA_ARRAY(arena, rule->goal_count + rule->order_count + 1, struct slice);
    for (size_t i = 0; i < rule->goal_count; i++) {
        keys[count++] = rule->goals[i].key;
    }
    for (size_t i = 0; i < rule->order_count; i++) {
        keys[count++] = rule->orders[i].key;
    }
    keys[count++] = rule->care_plan.key;
    *keys_out = keys;
    return count;
}

struct slice mapping_item_type(struct slice key)
{
    return slice_starts_with(key, SLICE("goals."))    ? SLICE("Goal")
           : slice_starts_with(key, SLICE("orders.")) ? SLICE("ServiceRequest")
                                                      : SLICE("CarePlan");
}

struct slice mapping_prompt_text(const struct mapping *mapping, struct arena *arena,
                                 struct slice plan, struct slice key)
{
    enum { PROMPT_MOST = 64 * 1024 };
    struct slice language = mapping->staff_languages[0];
    const struct text_entry *entry = mapping_find_text(mapping, plan, language, FOR_STAFF, key);
    struct slice missing;
    struct buf out;
    buf_init(&out, arena, PROMPT_MOST);
    return entry != NULL &&
                   phrase_render(entry->phrase, language, NULL, 0, &out, &missing) == STATUS_OK
               ? buf_view(&out)
               : SLICE_NONE;
}

size_t mapping_family_languages(const struct mapping *mapping, const struct slice **languages_out)
{
    *languages_out = mapping->family_languages;
    return mapping->family_language_count;
}
