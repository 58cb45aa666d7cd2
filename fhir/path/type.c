#include "fhir/path/type.h"

#include <limits.h>

static const type_ref system_refs[PATH_KIND_COUNT] = {
    PATH_NODE, PATH_BOOLEAN,  PATH_STRING, PATH_INTEGER,  PATH_DECIMAL,
    PATH_DATE, PATH_DATETIME, PATH_TIME,   PATH_QUANTITY, PATH_TYPE_INFO};

static struct path_type *type_new(struct arena *arena, struct path_type type)
{
    struct path_type *copy = ARENA_NEW(arena, struct path_type);
    *copy = type;
    return copy;
}

const struct path_type *type_nothing(struct arena *arena, const struct model *model)
{
    return type_new(arena, (struct path_type){.model = model});
}

const struct path_type *type_any(struct arena *arena, const struct model *model)
{
    return type_new(arena, (struct path_type){.model = model, .max = TYPE_MANY, .any = true});
}

const struct path_type *type_system(struct arena *arena, const struct model *model,
                                    enum path_kind kind)
{
    return type_new(
        arena, (struct path_type){
                   .model = model, .refs = &system_refs[kind], .count = 1, .min = 1, .max = 1});
}

const struct path_type *type_fhir(struct arena *arena, const struct model *model,
                                  const struct model_type *type)
{
    type_ref *refs = ARENA_ARRAY(arena, 1, type_ref);
    refs[0] = type_ref_of(model, type);
    return type_new(
        arena, (struct path_type){.model = model, .refs = refs, .count = 1, .min = 1, .max = 1});
}

const struct path_type *type_times(struct arena *arena, const struct path_type *type, unsigned min,
                                   unsigned max)
{
    if (type->min == min && type->max == max) {
        return type;
    }
    struct path_type *copy = type_new(arena, *type);
    copy->min = (uint16_t)min;
    copy->max = (uint16_t)max;
    return copy;
}

void type_add(struct path_type *set, type_ref *refs, type_ref ref)
{
    for (unsigned i = 0; i < set->count; i++) {
        if (refs[i] == ref) {
            return;
        }
    }
    refs[set->count++] = ref;
}

const struct path_type *type_either(struct arena *arena, const struct path_type *a,
                                    const struct path_type *b)
{
    struct path_type *both = type_new(arena, *a);
    both->unordered = a->unordered || b->unordered;
    both->min = a->min < b->min ? a->min : b->min;
    both->max = a->max > b->max ? a->max : b->max;
    both->any = a->any || b->any;
    if (both->any || b->count == 0) {
        return both;
    }
    type_ref *refs = ARENA_ARRAY(arena, (size_t)a->count + b->count, type_ref);
    if (a->count != 0) {
        memcpy(refs, a->refs, a->count * sizeof *refs);
    }
    for (unsigned i = 0; i < b->count; i++) {
        type_add(both, refs, b->refs[i]);
    }
    both->refs = refs;
    return both;
}

unsigned type_multiply(unsigned a, unsigned b)
{
    return a != 0 && b > TYPE_MANY / a ? TYPE_MANY : a * b;
}

unsigned type_sum(unsigned a, unsigned b)
{
    return a + b > TYPE_MANY ? TYPE_MANY : a + b;
}

const struct model_type *type_ref_fhir(const struct model *model, type_ref ref)
{
    return ref >= TYPE_FHIR ? model_type_at(model, ref - TYPE_FHIR) : NULL;
}

static enum path_kind kind_of_system(enum model_system system)
{
    static const enum path_kind kinds[MODEL_SYSTEM_COUNT] = {
        [MODEL_SYSTEM_NONE] = PATH_NODE,         [MODEL_SYSTEM_BOOLEAN] = PATH_BOOLEAN,
        [MODEL_SYSTEM_STRING] = PATH_STRING,     [MODEL_SYSTEM_INTEGER] = PATH_INTEGER,
        [MODEL_SYSTEM_DECIMAL] = PATH_DECIMAL,   [MODEL_SYSTEM_DATE] = PATH_DATE,
        [MODEL_SYSTEM_DATETIME] = PATH_DATETIME, [MODEL_SYSTEM_TIME] = PATH_TIME,
        [MODEL_SYSTEM_QUANTITY] = PATH_QUANTITY};
    return kinds[system];
}

type_ref type_ref_of(const struct model *model, const struct model_type *type)
{
    if (type->kind == MODEL_SYSTEM) {
        return (type_ref)kind_of_system((enum model_system)type->system);
    }
    return (type_ref)(TYPE_FHIR + model_type_index(model, type));
}

enum path_kind type_ref_system(const struct model *model, type_ref ref)
{
    const struct model_type *type = type_ref_fhir(model, ref);
    return type != NULL ? kind_of_system((enum model_system)type->system) : (enum path_kind)ref;
}

const char *kind_name(enum path_kind kind)
{
    static const char *const names[PATH_KIND_COUNT] = {
        "Any",  "Boolean",  "String", "Integer",  "Decimal",
        "Date", "DateTime", "Time",   "Quantity", "SimpleTypeInfo"};
    return names[kind];
}

struct slice type_ref_text(struct arena *arena, const struct model *model, type_ref ref)
{
    const struct model_type *type = type_ref_fhir(model, ref);
    if (type == NULL) {
        return arena_printf(arena, "System.%s", kind_name((enum path_kind)ref));
    }
    return arena_printf(arena, "FHIR.%.*s", SLICE_ARGS(model_type_name(model, type)));
}

bool type_is_open(const struct model *model, const struct model_type *type)
{
    (void)model;
    return type->abstract != 0;
}

/* An open type converts to nothing by itself, but what is derived from Element may. */
static unsigned ref_kinds(const struct model *model, type_ref ref)
{
    const struct model_type *type = type_ref_fhir(model, ref);
    if (type != NULL && type->abstract && type->kind != MODEL_RESOURCE) {
        return UINT_MAX;
    }
    return 1U << type_ref_system(model, ref);
}

unsigned type_kinds(const struct path_type *type)
{
    if (type->any) {
        return UINT_MAX;
    }
    unsigned kinds = 0;
    for (unsigned i = 0; i < type->count; i++) {
        kinds |= ref_kinds(type->model, type->refs[i]);
    }
    return kinds;
}

bool type_converts(const struct path_type *type, unsigned kinds)
{
    return type_is_nothing(type) || (type_kinds(type) & kinds) != 0;
}

/* ---- the public view ---- */

bool path_type_is_many(const struct path_type *type)
{
    return type->max > 1;
}

bool path_type_may_be(const struct path_type *type, const struct model_type *fhir_type)
{
    if (type->any) {
        return true;
    }
    for (unsigned i = 0; i < type->count; i++) {
        const struct model_type *ref = type_ref_fhir(type->model, type->refs[i]);
        if (ref != NULL && (model_is_subtype(type->model, ref, fhir_type) ||
                            model_is_subtype(type->model, fhir_type, ref))) {
            return true;
        }
    }
    return false;
}

bool path_type_may_be_system(const struct path_type *type, enum path_kind kind)
{
    return !type_is_nothing(type) && type_converts(type, 1U << kind);
}

struct slice path_type_text(struct arena *arena, const struct path_type *type)
{
    if (type_is_nothing(type)) {
        return SLICE("nothing");
    }
    struct buf text;
    buf_init(&text, arena, SIZE_MAX / 4);
    if (type->any) {
        buf_add_cstr(&text, "anything");
    }
    for (unsigned i = 0; !type->any && i < type->count; i++) {
        if (i != 0) {
            buf_add_cstr(&text, " | ");
        }
        buf_add_slice(&text, type_ref_text(arena, type->model, type->refs[i]));
    }
    if (type->max > 1 && !type->any) {
        buf_add_cstr(&text, " (many)");
    }
    return buf_view(&text);
}

/* ---- members ---- */

bool member_plan_make(const struct model *model, const struct model_type *type, struct slice name,
                      struct member_plan *plan_out)
{
    struct model_member member = model_element_by_path(model, type, name);
    if (member.element == NULL) {
        return false;
    }
    struct member_plan plan = {.type = type,
                               .element = member.element,
                               .result = member.type,
                               .json_name = model_element_name(model, member.element),
                               .choice = model_is_choice(member.element)};
    if (!plan.choice) {
        plan.primitive = plan.result->kind == MODEL_PRIMITIVE;
        plan.resource = plan.result->kind == MODEL_RESOURCE;
    }
    *plan_out = plan;
    return true;
}
