#include "gateway/base/digest.h"
#include "gateway/mapping/find.h"

enum { DEPTH_MOST = 64 };

static const char item_prefix[] = "#item:";

static struct slice item_url(struct arena *arena, size_t index)
{
    return arena_printf(arena, "urn:uuid:00000000-0000-4000-8000-%012zu", index + 1);
}

/* The text itself, or the URL of the item that it refers to. */
static struct slice resolved(struct arena *arena, const struct evaluation_result *result,
                             struct slice text)
{
    if (text.len == 0 || text.at[0] != item_prefix[0] ||
        !slice_starts_with(text, slice_of(item_prefix))) {
        return text;
    }
    struct slice key = slice_part(text, sizeof item_prefix - 1, SIZE_MAX);
    for (size_t i = 0; i < result->item_count; i++) {
        if (slice_equal(result->items[i].key, key)) {
            return item_url(arena, i);
        }
    }
    return text;
}

static struct json *copy_resolved(struct arena *arena, const struct evaluation_result *result,
                                  const struct json *value, unsigned depth)
{
    enum json_kind kind = json_kind(value);
    if (depth == DEPTH_MOST || (kind != JSON_OBJECT && kind != JSON_ARRAY)) {
        return kind == JSON_STRING
                   ? json_new_string(arena, resolved(arena, result, json_text(value)))
                   : json_copy(arena, value);
    }
    struct json *copy = kind == JSON_OBJECT ? json_new_object(arena) : json_new_array(arena);
    for (const struct json *it = json_first(value); it != NULL; it = json_next(it)) {
        struct json *member = copy_resolved(arena, result, it, depth + 1);
        if (kind == JSON_OBJECT) {
            json_add(arena, copy, json_name(it), member);
        } else {
            json_append(copy, member);
        }
    }
    return copy;
}

struct json *mapping_plan_bundle(struct arena *arena, const struct evaluation_result *result)
{
    struct json *bundle = json_new_object(arena);
    struct json *entries = json_new_array(arena);
    json_add(arena, bundle, SLICE("resourceType"), json_new_string(arena, SLICE("Bundle")));
    json_add(arena, bundle, SLICE("type"), json_new_string(arena, SLICE("collection")));
    for (size_t i = 0; i < result->item_count; i++) {
        struct json *entry = json_new_object(arena);
        json_add(arena, entry, SLICE("fullUrl"), json_new_string(arena, item_url(arena, i)));
        json_add(arena, entry, SLICE("resource"),
                 copy_resolved(arena, result, result->items[i].resource, 0));
        json_append(entries, entry);
    }
    if (result->item_count != 0) { /* FHIR has no empty arrays */
        json_add(arena, bundle, SLICE("entry"), entries);
    }
    return bundle;
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
