#include "fhir/model/model.h"

#include "fhir/model/model_table.h"

static struct slice pool_text(const struct model_pool *pool, uint16_t row)
{
    uint32_t at = pool->at[row];
    return (struct slice){pool->bytes + at, pool->at[row + 1] - at - 1};
}

static struct slice string_at(const struct model *model, uint16_t row)
{
    return pool_text(&model->strings, row);
}

struct slice model_version(const struct model *model)
{
    return slice_of(model->version);
}

/* FNV-1a, 32 bit, folded: as hashTable() of make-model.mjs computes it. */
static uint32_t hash_name(struct slice name)
{
    uint32_t hash = 0x811c9dc5u;
    for (size_t i = 0; i < name.len; i++) {
        hash = (hash ^ (unsigned char)name.at[i]) * 0x01000193u;
    }
    return hash ^ hash >> 15;
}

/* ---- types ---- */

const struct model_type *model_type_find(const struct model *model, struct slice name)
{
    uint32_t mask = model->type_slot_mask;
    for (uint32_t at = hash_name(name) & mask; model->type_slots[at] != 0; at = (at + 1) & mask) {
        const struct model_type *type = &model->types[model->type_slots[at] - 1];
        if (slice_equal(string_at(model, type->name), name)) {
            return type;
        }
    }
    return NULL;
}

const struct model_type *model_system_type(const struct model *model, enum model_system system)
{
    /* They come first, in the order of the enum, which begins with "none". */
    return system > MODEL_SYSTEM_NONE && system < MODEL_SYSTEM_COUNT ? &model->types[system - 1]
                                                                     : NULL;
}

const struct model_type *model_type_at(const struct model *model, size_t i)
{
    return i < model->type_count ? &model->types[i] : NULL;
}

size_t model_type_index(const struct model *model, const struct model_type *type)
{
    return (size_t)(type - model->types);
}

size_t model_type_count(const struct model *model)
{
    return model->type_count;
}

struct slice model_type_name(const struct model *model, const struct model_type *type)
{
    return string_at(model, type->name);
}

const struct model_type *model_type_base(const struct model *model, const struct model_type *type)
{
    return type->base != MODEL_NO_ROW ? &model->types[type->base] : NULL;
}

bool model_is_subtype(const struct model *model, const struct model_type *type,
                      const struct model_type *base)
{
    while (type != NULL && type != base) {
        type = model_type_base(model, type);
    }
    return type != NULL;
}

struct slice model_type_regex(const struct model *model, const struct model_type *type)
{
    return type->regex != 0 ? string_at(model, type->regex) : SLICE_NONE;
}

/* ---- elements ---- */

static const struct model_name *find_name(const struct model *model, const struct model_type *type,
                                          struct slice name)
{
    const uint16_t *slots = model->slots + type->slots;
    uint32_t mask = type->slot_mask;
    for (uint32_t at = hash_name(name) & mask; slots[at] != 0; at = (at + 1) & mask) {
        const struct model_name *row = &model->names[slots[at] - 1];
        if (slice_equal(string_at(model, row->name), name)) {
            return row;
        }
    }
    return NULL;
}

static const struct model_value *element_value(const struct model *model,
                                               const struct model_element *element, size_t i)
{
    return i < element->type_count ? &model->values[element->types + i] : NULL;
}

struct model_member model_element_by_json(const struct model *model, const struct model_type *type,
                                          struct slice name)
{
    const struct model_name *row = find_name(model, type, name);
    if (row == NULL || row->choice == MODEL_PATH_ONLY) {
        return (struct model_member){NULL, NULL, 0};
    }
    const struct model_element *element = &model->elements[row->element];
    return (struct model_member){
        element, &model->types[model->values[element->types + row->choice].type], row->choice};
}

struct model_member model_element_by_path(const struct model *model, const struct model_type *type,
                                          struct slice name)
{
    const struct model_name *row = find_name(model, type, name);
    if (row == NULL) {
        return (struct model_member){NULL, NULL, 0};
    }
    const struct model_element *element = &model->elements[row->element];
    if (!model_is_choice(element)) {
        return (struct model_member){element, &model->types[model->values[element->types].type], 0};
    }
    return (struct model_member){row->choice == MODEL_PATH_ONLY ? element : NULL, NULL, 0};
}

const struct model_element *model_element_at(const struct model *model,
                                             const struct model_type *type, size_t i)
{
    return i < type->element_count ? &model->elements[model->element_lists[type->elements + i]]
                                   : NULL;
}

struct slice model_element_name(const struct model *model, const struct model_element *element)
{
    return string_at(model, element->name);
}

const struct model_type *model_element_type(const struct model *model,
                                            const struct model_element *element, size_t i)
{
    const struct model_value *value = element_value(model, element, i);
    return value != NULL ? &model->types[value->type] : NULL;
}

const struct model_type *model_element_profile(const struct model *model,
                                               const struct model_element *element, size_t i)
{
    const struct model_value *value = element_value(model, element, i);
    return value != NULL && value->profile != MODEL_NO_ROW ? &model->types[value->profile] : NULL;
}

struct slice model_element_json_name(const struct model *model, const struct model_element *element,
                                     size_t i)
{
    const struct model_value *value = element_value(model, element, i);
    return value != NULL ? string_at(model, value->json_name) : SLICE_NONE;
}

size_t model_target_count(const struct model *model, const struct model_element *element, size_t i)
{
    const struct model_value *value = element_value(model, element, i);
    return value != NULL ? value->target_count : 0;
}

const struct model_type *model_target_at(const struct model *model,
                                         const struct model_element *element, size_t i,
                                         size_t target)
{
    const struct model_value *value = element_value(model, element, i);
    return value != NULL && target < value->target_count
               ? &model->types[model->targets[value->targets + target]]
               : NULL;
}

bool model_target_allows(const struct model *model, const struct model_element *element, size_t i,
                         const struct model_type *type)
{
    size_t count = model_target_count(model, element, i);
    for (size_t n = 0; n < count; n++) {
        if (model_is_subtype(model, type, model_target_at(model, element, i, n))) {
            return true;
        }
    }
    return count == 0;
}

/* ---- value sets ---- */

const struct model_value_set *model_element_value_set(const struct model *model,
                                                      const struct model_element *element)
{
    return element->value_set != MODEL_NO_ROW ? &model->value_sets[element->value_set] : NULL;
}

const struct model_value_set *model_value_set_find(const struct model *model, struct slice url)
{
    struct slice rest = url;
    struct slice wanted = SLICE_NONE;
    struct slice version = SLICE_NONE;
    slice_cut(&rest, '|', &wanted);
    if (slice_cut(&rest, '|', &version) && !slice_is(version, model->version)) {
        return NULL;
    }
    size_t low = 0;
    size_t high = model->value_set_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct model_value_set *set = &model->value_sets[middle];
        int order = slice_compare(wanted, string_at(model, set->url));
        if (order == 0) {
            return set;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

struct slice model_value_set_url(const struct model *model, const struct model_value_set *set)
{
    return string_at(model, set->url);
}

struct model_code model_code_at(const struct model *model, const struct model_value_set *set,
                                size_t i)
{
    const struct model_code_row *row = &model->codes[set->codes + i];
    return (struct model_code){string_at(model, row->code), string_at(model, row->system)};
}

/* The first code that is not before `code`. */
static size_t code_lower_bound(const struct model *model, const struct model_value_set *set,
                               struct slice code)
{
    size_t low = 0;
    size_t high = set->code_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (slice_compare(model_code_at(model, set, middle).code, code) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool model_code_in(const struct model *model, const struct model_value_set *set,
                   struct slice system, struct slice code)
{
    for (size_t i = code_lower_bound(model, set, code); i < set->code_count; i++) {
        struct model_code row = model_code_at(model, set, i);
        if (!slice_equal(row.code, code)) {
            break;
        }
        if (system.at == NULL || slice_equal(row.system, system)) {
            return true;
        }
    }
    return false;
}

/* ---- invariants ---- */

const struct model_constraint *model_constraint_at(const struct model *model, size_t i)
{
    return i < model->constraint_count ? &model->constraints[i] : NULL;
}

size_t model_constraint_index(const struct model *model, const struct model_constraint *constraint)
{
    return (size_t)(constraint - model->constraints);
}

size_t model_constraint_count(const struct model *model)
{
    return model->constraint_count;
}

const struct model_constraint *model_type_constraint(const struct model *model,
                                                     const struct model_type *type, size_t i)
{
    return i < type->constraint_count
               ? &model->constraints[model->constraint_lists[type->constraints + i]]
               : NULL;
}

const struct model_constraint *
model_element_constraint(const struct model *model, const struct model_element *element, size_t i)
{
    return i < element->constraint_count
               ? &model->constraints[model->constraint_lists[element->constraints + i]]
               : NULL;
}

struct slice model_constraint_key(const struct model *model,
                                  const struct model_constraint *constraint)
{
    return pool_text(&model->texts, constraint->key);
}

struct slice model_constraint_human(const struct model *model,
                                    const struct model_constraint *constraint)
{
    return pool_text(&model->texts, constraint->human);
}

struct slice model_constraint_expression(const struct model *model,
                                         const struct model_constraint *constraint)
{
    return pool_text(&model->texts, constraint->expression);
}
