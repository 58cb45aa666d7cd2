#include "gateway/plan/dress.h"

#include <stdio.h>

struct uuid dress_identifier(struct uuid space, const struct item_key *key)
{
    char episode[16];
    snprintf(episode, sizeof episode, "%u", (unsigned)key->episode);
    /* A separator that is in none of the parts, so that two different keys never make one name. */
    const struct slice bar = SLICE("\n");
    const struct slice parts[] = {key->ehr,  bar, key->patient, bar, key->mapping,     bar,
                                  key->plan, bar, key->key,     bar, slice_of(episode)};
    return uuid_v5(space, parts, sizeof parts / sizeof *parts);
}

struct slice dress_urn(struct arena *arena, struct uuid identifier)
{
    char text[UUID_TEXT_SIZE];
    uuid_write(identifier, text);
    return arena_printf(arena, "urn:uuid:%s", text);
}

static struct json *coding(struct arena *arena, const char *system, struct slice code)
{
    struct json *coding = json_new_object(arena);
    json_add(arena, coding, SLICE("system"), json_new_string(arena, slice_of(system)));
    json_add(arena, coding, SLICE("code"), json_new_string(arena, code));
    return coding;
}

static struct json *array_of(struct arena *arena, struct json *only)
{
    struct json *array = json_new_array(arena);
    json_append(array, only);
    return array;
}

void dress_resource(struct arena *arena, struct json *resource, struct uuid identifier,
                    const struct dress *dress)
{
    struct json *meta = json_new_object(arena);
    struct json *security = json_new_array(arena);
    const struct json *given = json_get(json_get(resource, "meta"), "security");
    for (const struct json *it = json_first(given); it != NULL; it = json_next(it)) {
        json_append(security, json_copy(arena, it));
    }
    if (dress->synthetic) {
        json_append(security, coding(arena, "http://terminology.hl7.org/CodeSystem/v3-ActReason",
                                     SLICE("HTEST")));
    }
    if (json_first(security) != NULL) {
        json_add(arena, meta, SLICE("security"), security);
    }
    json_add(arena, meta, SLICE("tag"),
             array_of(arena, coding(arena, DRESS_TAG_SYSTEM, dress->public_id)));
    json_set(arena, resource, SLICE("meta"), meta);

    struct json *own = json_new_object(arena);
    json_add(arena, own, SLICE("system"), json_new_string(arena, SLICE(DRESS_IDENTIFIER_SYSTEM)));
    json_add(arena, own, SLICE("value"), json_new_string(arena, dress_urn(arena, identifier)));
    json_set(arena, resource, SLICE("identifier"), array_of(arena, own));

    if (slice_is(json_get_text(resource, "resourceType"), "CarePlan")) {
        struct json *device = json_new_object(arena);
        json_add(arena, device, SLICE("type"), json_new_string(arena, SLICE("Device")));
        json_add(arena, device, SLICE("display"), json_new_string(arena, SLICE("ePlan gateway")));
        json_set(arena, resource, SLICE("contributor"), array_of(arena, device));
    }
}

struct renaming {
    struct arena *arena;
    struct slice prefix;
    struct slice (*target)(void *arg, struct slice key);
    void *arg;
    struct slice missing;
};

/* Depth is bounded: the mapping's templates and the JSON reader both have a ceiling. */
static enum status rename_below(struct renaming *r, struct json *value)
{
    for (const struct json *it = json_first(value); it != NULL; it = json_next(it)) {
        if (json_kind(it) == JSON_OBJECT || json_kind(it) == JSON_ARRAY) {
            enum status status = rename_below(r, (struct json *)it);
            if (status != STATUS_OK) {
                return status;
            }
        } else if (slice_is(json_name(it), "reference") &&
                   slice_starts_with(json_text(it), r->prefix)) {
            struct slice key = slice_part(json_text(it), r->prefix.len, SIZE_MAX);
            struct slice target = r->target(r->arg, key);
            if (target.at == NULL) {
                r->missing = key;
                return STATUS_ABSENT;
            }
            struct json *text = json_new_string(r->arena, target);
            json_set(r->arena, value, SLICE("reference"), text);
            it = text;
        }
    }
    return STATUS_OK;
}

enum status dress_references(struct arena *arena, struct json *resource, struct slice prefix,
                             struct slice (*target)(void *arg, struct slice key), void *arg,
                             struct slice *key_out)
{
    struct renaming r = {.arena = arena, .prefix = prefix, .target = target, .arg = arg};
    enum status status = rename_below(&r, resource);
    if (status == STATUS_ABSENT) {
        *key_out = r.missing;
    }
    return status;
}
