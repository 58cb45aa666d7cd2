#include "fhir/model/model_table.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/*
 * A pool is a struct of char arrays, one per text, so that offsetof tells where each begins: no
 * pointers, hence nothing to relocate when the program starts, and no string longer than C allows.
 */
struct string_pool {
#define MODEL_STRINGS
#define S(number, text) char s##number[sizeof(text)];
#include "fhir/model/model_r4.inc"
#undef S
};

struct text_pool {
#define MODEL_TEXTS
#define S(number, text) char s##number[sizeof(text)];
#include "fhir/model/model_r4_constraints.inc"
#undef S
};

static const struct string_pool strings = {
#define MODEL_STRINGS
#define S(number, text) text,
#include "fhir/model/model_r4.inc"
#undef S
};

static const struct text_pool texts = {
#define MODEL_TEXTS
#define S(number, text) text,
#include "fhir/model/model_r4_constraints.inc"
#undef S
};

static const uint32_t string_at[] = {
#define MODEL_STRINGS
#define S(number, text) offsetof(struct string_pool, s##number),
#include "fhir/model/model_r4.inc"
#undef S
    sizeof(struct string_pool)};

static const uint32_t text_at[] = {
#define MODEL_TEXTS
#define S(number, text) offsetof(struct text_pool, s##number),
#include "fhir/model/model_r4_constraints.inc"
#undef S
    sizeof(struct text_pool)};

static const struct model_type types[] = {
#define MODEL_TYPES
#include "fhir/model/model_r4.inc"
};

static const uint16_t type_slots[] = {
#define MODEL_TYPE_SLOTS
#include "fhir/model/model_r4.inc"
};

static const struct model_element elements[] = {
#define MODEL_ELEMENTS
#include "fhir/model/model_r4.inc"
};

static const uint16_t element_lists[] = {
#define MODEL_ELEMENT_LISTS
#include "fhir/model/model_r4.inc"
};

static const struct model_value values[] = {
#define MODEL_VALUES
#include "fhir/model/model_r4.inc"
};

static const uint16_t targets[] = {
#define MODEL_TARGETS
#include "fhir/model/model_r4.inc"
};

static const struct model_name names[] = {
#define MODEL_MEMBERS
#include "fhir/model/model_r4.inc"
};

static const uint16_t slots[] = {
#define MODEL_SLOTS
#include "fhir/model/model_r4.inc"
};

static const struct model_value_set value_sets[] = {
#define MODEL_VALUE_SETS
#include "fhir/model/model_r4.inc"
};

static const struct model_code_row codes[] = {
#define MODEL_CODES
#include "fhir/model/model_r4.inc"
};

static const struct model_constraint constraints[] = {
#define MODEL_CONSTRAINTS
#include "fhir/model/model_r4_constraints.inc"
};

static const uint16_t constraint_lists[] = {
#define MODEL_CONSTRAINT_LISTS
#include "fhir/model/model_r4_constraints.inc"
};

static const struct model r4 = {
    .version = "4.0.1",
    .strings = {(const char *)&strings, string_at},
    .texts = {(const char *)&texts, text_at},
    .types = types,
    .type_slots = type_slots,
    .elements = elements,
    .element_lists = element_lists,
    .values = values,
    .targets = targets,
    .names = names,
    .slots = slots,
    .value_sets = value_sets,
    .codes = codes,
    .constraints = constraints,
    .constraint_lists = constraint_lists,
    .type_count = COUNT(types),
    .type_slot_mask = COUNT(type_slots) - 1,
    .value_set_count = COUNT(value_sets),
    .constraint_count = COUNT(constraints),
};

const struct model *model_r4(void)
{
    return &r4;
}
