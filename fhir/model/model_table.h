/* The tables behind a model; for model.c and the file that holds a version's generated rows. */
#ifndef FHIR_MODEL_MODEL_TABLE_H
#define FHIR_MODEL_MODEL_TABLE_H

#include "fhir/model/model.h"

enum { MODEL_NO_ROW = 0xffff, MODEL_PATH_ONLY = 255 };

/* One text after another, each with a NUL behind it. */
struct model_pool {
    const char *bytes;
    const uint32_t *at; /* count + 1 offsets into bytes */
};

/* A type that an element's value may have. */
struct model_value {
    uint16_t json_name;
    uint16_t type;
    uint16_t profile; /* a type, or MODEL_NO_ROW */
    uint16_t targets; /* first in the list of targets */
    uint8_t target_count;
};

/* What a name stands for: an element, and for a JSON name of a choice which of its types. */
struct model_name {
    uint16_t name;
    uint16_t element;
    uint8_t choice; /* MODEL_PATH_ONLY: the FHIRPath name of a choice, or a primitive's value */
};

struct model_code_row {
    uint16_t code;
    uint16_t system;
};

struct model {
    const char *version;
    struct model_pool strings; /* names, URLs, codes */
    struct model_pool texts;   /* of constraints */
    const struct model_type *types;
    const uint16_t *type_slots; /* hash table of types by name: row + 1, 0 free */
    const struct model_element *elements;
    const uint16_t *element_lists; /* rows of elements; a type has element_count from `elements` */
    const struct model_value *values;
    const uint16_t *targets; /* rows of types */
    const struct model_name *names;
    const uint16_t *slots; /* hash tables of names: a type has slot_mask + 1 from `slots`; row + 1,
                              0 free */
    const struct model_value_set *value_sets; /* by URL */
    const struct model_code_row *codes;
    const struct model_constraint *constraints;
    const uint16_t *constraint_lists; /* rows of constraints */
    uint16_t type_count;
    uint16_t type_slot_mask;
    uint16_t value_set_count;
    uint16_t constraint_count;
};

#endif
