#include "fhir/path/eval.h"

/*
 * Sets of items under = (FHIRPath N1 section 6.4 and the functions that leave equal items out). A
 * hash that is the same for items that may be equal finds the few to compare: text by its bytes,
 * numbers by their value, elements by their content in any order of members. What = converts
 * between (dates, quantities) shares one hash per kind.
 */

struct entry {
    struct path_item item;
    uint64_t hash;
    uint32_t next; /* in the chain of its bucket, 0: the last */
};

struct item_set {
    struct evaluation *eval;
    struct span span;
    struct entry *entries; /* from 1 */
    uint32_t count;
    uint32_t cap;
    uint32_t *buckets; /* NULL while the set is small and searched through */
    uint32_t mask;
    bool measures; /* it has met a quantity: numbers share its hash, since 50 '%' may equal 0.5 */
};

enum { SMALL = 8 };
enum { HASH_NOTHING = 1, HASH_TIME = 5, HASH_MEASURE = 6 };

static uint64_t mix(uint64_t hash)
{
    hash ^= hash >> 33;
    hash *= UINT64_C(0xff51afd7ed558ccd);
    return hash ^ hash >> 33;
}

static uint64_t hash_number(struct decimal value)
{
    struct decimal reduced = decimal_reduce(value);
    return mix((uint64_t)reduced.coefficient ^ (uint64_t)(reduced.coefficient >> 64) ^
               (uint64_t)reduced.scale << 56);
}

static uint64_t hash_json(struct evaluation *eval, const struct json *json)
{
    struct decimal value;
    uint64_t hash = mix((uint64_t)json_kind(json) + 1);
    eval_step(eval, eval->here->span);
    switch (json_kind(json)) {
    case JSON_NUMBER:
        return decimal_parse(json_text(json), &value) == STATUS_OK ? hash_number(value) : hash;
    case JSON_STRING:
        return mix(slice_hash(json_text(json)));
    case JSON_ARRAY:
        for (const struct json *item = json_first(json); item != NULL; item = json_next(item)) {
            hash = mix(hash + hash_json(eval, item));
        }
        return hash;
    case JSON_OBJECT:
        for (const struct json *item = json_first(json); item != NULL; item = json_next(item)) {
            hash += mix(slice_hash(json_name(item)) ^ hash_json(eval, item));
        }
        return hash;
    default:
        return hash;
    }
}

/* Equal moments begin at the same time: both have an offset, or neither has. */
static uint64_t hash_moment(const struct datetime *moment)
{
    int64_t microseconds = 0;
    return datetime_to_utc(moment, 0, &microseconds) == STATUS_OK ? mix((uint64_t)microseconds)
                                                                  : HASH_TIME;
}

static uint64_t hash_item(struct item_set *set, const struct path_item *item)
{
    struct path_item value;
    if (!item_value(set->eval, item, set->span, &value)) {
        return HASH_NOTHING;
    }
    switch (value.kind) {
    case PATH_NODE:
        return hash_json(set->eval, value.node.json);
    case PATH_BOOLEAN:
        return value.boolean ? 2 : 3;
    case PATH_STRING:
        return mix(slice_hash(value.text));
    case PATH_TYPE_INFO:
        return 4;
    case PATH_DATE:
    case PATH_DATETIME:
    case PATH_TIME:
        return hash_moment(value.datetime);
    case PATH_QUANTITY:
        set->measures = true;
        return HASH_MEASURE;
    default:
        return set->measures ? HASH_MEASURE : hash_number(value_decimal(&value));
    }
}

static void set_index(struct item_set *set);

static uint64_t hash_value(struct item_set *set, const struct path_item *item)
{
    bool measures = set->measures;
    uint64_t hash = hash_item(set, item);
    if (set->measures != measures && set->buckets != NULL) {
        set_index(set);
    }
    return hash;
}

static void set_index(struct item_set *set)
{
    uint32_t size = 16;
    while (size < set->cap * 2) {
        size *= 2;
    }
    set->buckets = ARENA_ARRAY(set->eval->arena, size, uint32_t);
    set->mask = size - 1;
    for (uint32_t i = 1; i <= set->count && !set->measures; i++) {
        hash_item(set, &set->entries[i].item); /* is there a quantity? */
    }
    for (uint32_t i = 1; i <= set->count; i++) {
        set->entries[i].hash = hash_item(set, &set->entries[i].item);
        uint32_t *bucket = &set->buckets[set->entries[i].hash & set->mask];
        set->entries[i].next = *bucket;
        *bucket = i;
    }
}

struct item_set *item_set_create(struct evaluation *eval, size_t expected, struct span span)
{
    struct item_set *set = ARENA_NEW(eval->arena, struct item_set);
    set->eval = eval;
    set->span = span;
    set->cap = expected < SMALL ? SMALL : (uint32_t)expected;
    set->entries = arena_alloc(eval->arena, ((size_t)set->cap + 1) * sizeof *set->entries);
    return set;
}

static bool is_equal(struct item_set *set, uint32_t i, const struct path_item *item)
{
    return item_equal(set->eval, &set->entries[i].item, item, set->span) == TRUTH_TRUE;
}

static bool set_find(struct item_set *set, const struct path_item *item, uint64_t hash)
{
    if (set->buckets == NULL) {
        for (uint32_t i = 1; i <= set->count; i++) {
            if (is_equal(set, i, item)) {
                return true;
            }
        }
        return false;
    }
    for (uint32_t i = set->buckets[hash & set->mask]; i != 0; i = set->entries[i].next) {
        if (set->entries[i].hash == hash && is_equal(set, i, item)) {
            return true;
        }
    }
    return false;
}

static void set_grow(struct item_set *set)
{
    uint32_t cap = set->cap * 2;
    struct entry *entries = arena_alloc(set->eval->arena, ((size_t)cap + 1) * sizeof *set->entries);
    memcpy(entries + 1, set->entries + 1, set->count * sizeof *entries);
    set->entries = entries;
    set->cap = cap;
    if (set->buckets != NULL) {
        set_index(set);
    }
}

bool item_set_has(struct item_set *set, const struct path_item *item)
{
    return set_find(set, item, set->buckets != NULL ? hash_value(set, item) : 0);
}

bool item_set_add(struct item_set *set, const struct path_item *item)
{
    uint64_t hash = set->buckets != NULL ? hash_value(set, item) : 0;
    if (set_find(set, item, hash)) {
        return false;
    }
    if (set->count == set->cap) {
        set_grow(set);
        hash = set->buckets != NULL ? hash_value(set, item) : 0;
    }
    uint32_t i = ++set->count;
    set->entries[i] = (struct entry){.item = *item, .hash = hash};
    if (set->buckets != NULL) {
        uint32_t *bucket = &set->buckets[hash & set->mask];
        set->entries[i].next = *bucket;
        *bucket = i;
    } else if (set->count == SMALL) {
        set_index(set);
    }
    return true;
}
