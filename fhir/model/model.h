/*
 * What FHIR says about its own types: "what is Patient.birthDate?". One constant table per FHIR
 * version, generated from the StructureDefinitions (tests/tools/make-model.mjs) and never edited.
 * Every call takes the model, so that a version is a parameter and never a fact of the program.
 * No call allocates or fails by memory; all rows and texts are static and live as long as the
 * program. Texts are NUL-terminated behind their length. Tests: tests/unit/fhir/model/.
 */
#ifndef FHIR_MODEL_MODEL_H
#define FHIR_MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fhir/base/slice.h"

struct model;

/* FHIR R4 (4.0.1). */
const struct model *model_r4(void);

/* "4.0.1" */
struct slice model_version(const struct model *model);

/* ---- types ---- */

enum model_kind {
    MODEL_SYSTEM,    /* FHIRPath's own: Boolean, String ... what the value of a primitive is */
    MODEL_PRIMITIVE, /* boolean, code, dateTime ... */
    MODEL_COMPLEX,   /* HumanName, Quantity, Element, BackboneElement ... */
    MODEL_BACKBONE,  /* defined in place, named by its path: "Patient.contact", "Timing.repeat" */
    MODEL_RESOURCE,  /* Patient, Bundle, Resource, DomainResource ... */
};

/* The FHIRPath System type that a FHIR value is converted to where one is asked for (FHIR R4,
 * fhirpath.html 2.9.1: instant is a DateTime; oid, uri ... are a String; Quantity, Age, Duration
 * ... a Quantity). */
enum model_system {
    MODEL_SYSTEM_NONE,
    MODEL_SYSTEM_BOOLEAN,
    MODEL_SYSTEM_STRING,
    MODEL_SYSTEM_INTEGER,
    MODEL_SYSTEM_DECIMAL,
    MODEL_SYSTEM_DATE,
    MODEL_SYSTEM_DATETIME,
    MODEL_SYSTEM_TIME,
    MODEL_SYSTEM_QUANTITY,
    MODEL_SYSTEM_COUNT
};

/* How the text of a primitive is written (FHIR R4, datatypes.html): one per primitive type. */
enum model_format {
    MODEL_FORMAT_NONE,
    MODEL_FORMAT_BASE64BINARY,
    MODEL_FORMAT_BOOLEAN,
    MODEL_FORMAT_CANONICAL,
    MODEL_FORMAT_CODE,
    MODEL_FORMAT_DATE,
    MODEL_FORMAT_DATETIME,
    MODEL_FORMAT_DECIMAL,
    MODEL_FORMAT_ID,
    MODEL_FORMAT_INSTANT,
    MODEL_FORMAT_INTEGER,
    MODEL_FORMAT_MARKDOWN,
    MODEL_FORMAT_OID,
    MODEL_FORMAT_POSITIVEINT,
    MODEL_FORMAT_STRING,
    MODEL_FORMAT_TIME,
    MODEL_FORMAT_UNSIGNEDINT,
    MODEL_FORMAT_URI,
    MODEL_FORMAT_URL,
    MODEL_FORMAT_UUID,
    MODEL_FORMAT_XHTML,
    MODEL_FORMAT_COUNT
};

/* One row; fields without a comment are places in the tables, for model.c alone. */
struct model_type {
    uint16_t name;
    uint16_t base;
    uint16_t elements;
    uint16_t element_count; /* inherited ones too, in the order that XML demands */
    uint16_t slots;
    uint16_t slot_mask;
    uint16_t constraints;
    uint8_t constraint_count; /* that hold for a value of this type, inherited ones too */
    uint8_t kind;             /* enum model_kind */
    uint8_t system;           /* enum model_system */
    uint8_t format;           /* enum model_format; MODEL_FORMAT_NONE unless MODEL_PRIMITIVE */
    uint8_t abstract;         /* 1: Element, BackboneElement, Resource, DomainResource */
    uint16_t regex;
};

/* "Patient", "Patient.contact", "dateTime"; exact case. System types are not found here. NULL: no
 * such type. */
const struct model_type *model_type_find(const struct model *model, struct slice name);

/* The row of FHIRPath's own type, of which model_type_name is "String" (without "System."). */
const struct model_type *model_system_type(const struct model *model, enum model_system system);

/* All types, in the order of their names within their kind; NULL at and behind the end. */
const struct model_type *model_type_at(const struct model *model, size_t i);
/* The place of a type in that order: less than model_type_count(), dense, for tables by type. */
size_t model_type_index(const struct model *model, const struct model_type *type);
size_t model_type_count(const struct model *model);

struct slice model_type_name(const struct model *model, const struct model_type *type);
/* baseDefinition; NULL for Element, Resource and the System types. Of "Patient.contact" it is
 * BackboneElement. */
const struct model_type *model_type_base(const struct model *model, const struct model_type *type);
/* The type itself, or one it inherits from, is `base`. */
bool model_is_subtype(const struct model *model, const struct model_type *type,
                      const struct model_type *base);
/* The specification's regular expression for a primitive; SLICE_NONE where it gives none. */
struct slice model_type_regex(const struct model *model, const struct model_type *type);

/* ---- elements ---- */

enum { MODEL_MANY = 255 }; /* max "*" */

enum model_flag {
    MODEL_CHOICE = 1,   /* written value[x]: its JSON name ends in the type's name */
    MODEL_MODIFIER = 2, /* isModifier */
    MODEL_XML_ATTR = 4, /* an XML attribute of its parent: Element.id, Extension.url, a value */
    MODEL_CONTENT = 8,  /* contentReference: its type is a backbone defined elsewhere */
};

/* One row. The same row may serve several types (Patient.meta, Observation.meta): it does not name
 * its parent. */
struct model_element {
    uint16_t name;
    uint16_t types;
    uint16_t value_set;
    uint16_t constraints;
    uint8_t type_count; /* 1 unless MODEL_CHOICE */
    uint8_t min;
    uint8_t max; /* MODEL_MANY: no upper bound. JSON writes an array when it is not 1 */
    uint8_t flags;
    uint8_t strength;         /* enum model_strength */
    uint8_t constraint_count; /* beside those of its type */
};

static inline bool model_is_choice(const struct model_element *element)
{
    return (element->flags & MODEL_CHOICE) != 0;
}

static inline bool model_repeats(const struct model_element *element)
{
    return element->max != 1;
}

/* What a name of a parent's child stands for. */
struct model_member {
    const struct model_element *element; /* NULL: there is no such child */
    const struct model_type *type; /* of the value; NULL for a choice asked for by FHIRPath name */
    unsigned choice;               /* which of the element's types that is; 0 for that NULL */
};

/*
 * By the JSON name of a member: "birthDate", "valueQuantity" (a choice is resolved: element value,
 * type Quantity). "value" and "value[x]" are no JSON names of a choice. A leading underscore is the
 * caller's to strip; "resourceType" is no element. Constant time.
 */
struct model_member model_element_by_json(const struct model *model, const struct model_type *type,
                                          struct slice name);

/*
 * By FHIRPath name: "birthDate", "value". "valueQuantity" is none. The `value` of a primitive is
 * found, and is of a System type. Constant time.
 */
struct model_member model_element_by_path(const struct model *model, const struct model_type *type,
                                          struct slice name);

/* Child i of the type, in order; NULL at and behind element_count. */
const struct model_element *model_element_at(const struct model *model,
                                             const struct model_type *type, size_t i);

/* The FHIRPath name: "value" for value[x]. */
struct slice model_element_name(const struct model *model, const struct model_element *element);

/* Type i of the element's types; a contentReference and a backbone give the backbone's row; NULL at
 * and behind type_count. Where a Resource may stand it is Resource. */
const struct model_type *model_element_type(const struct model *model,
                                            const struct model_element *element, size_t i);
/* The row of the datatype profile that a value of type i must also follow (SimpleQuantity: a
 * Quantity without comparator); its constraints hold for the value. NULL: none. */
const struct model_type *model_element_profile(const struct model *model,
                                               const struct model_element *element, size_t i);
/* The JSON name when the value is of type i: "valueQuantity", "birthDate". */
struct slice model_element_json_name(const struct model *model, const struct model_element *element,
                                     size_t i);

/*
 * Resource types that a value of type i may refer to: for Reference and canonical. An element that
 * names none may refer to any. "Any" of the specification is the one target Resource.
 */
size_t model_target_count(const struct model *model, const struct model_element *element, size_t i);
const struct model_type *model_target_at(const struct model *model,
                                         const struct model_element *element, size_t i,
                                         size_t target);
bool model_target_allows(const struct model *model, const struct model_element *element, size_t i,
                         const struct model_type *type);

/* ---- value sets ---- */

enum model_strength {
    MODEL_UNBOUND,
    MODEL_EXAMPLE,
    MODEL_PREFERRED,
    MODEL_EXTENSIBLE,
    MODEL_REQUIRED
};

struct model_value_set {
    uint16_t url;
    uint16_t codes;
    uint16_t code_count; /* 0 when not enumerable */
    uint8_t enumerable;  /* 1: the codes below are all; 0: they are not known here (mime types,
                            languages, or the binding is not required) */
};

/* NULL when the element has no binding. */
const struct model_value_set *model_element_value_set(const struct model *model,
                                                      const struct model_element *element);
/* By canonical URL, with or without "|4.0.1"; NULL: not known. O(log n). */
const struct model_value_set *model_value_set_find(const struct model *model, struct slice url);
/* Canonical, without version. */
struct slice model_value_set_url(const struct model *model, const struct model_value_set *set);

struct model_code {
    struct slice code;
    struct slice system;
};

/* Code i, in the order of codes (then systems). i must be less than code_count. */
struct model_code model_code_at(const struct model *model, const struct model_value_set *set,
                                size_t i);
/* system SLICE_NONE (at == NULL): any. The set must be enumerable. O(log n). */
bool model_code_in(const struct model *model, const struct model_value_set *set,
                   struct slice system, struct slice code);

/* ---- invariants ---- */

struct model_constraint {
    uint16_t key;
    uint16_t human;
    uint16_t expression;
    uint8_t warning;       /* 1: severity warning; 0: error */
    uint8_t best_practice; /* 1: elementdefinition-bestpractice */
};

/* All distinct ones, for tables by constraint; NULL at and behind the end. */
const struct model_constraint *model_constraint_at(const struct model *model, size_t i);
size_t model_constraint_index(const struct model *model, const struct model_constraint *constraint);
size_t model_constraint_count(const struct model *model);

/* Constraint i that holds for each value of the type; NULL at and behind constraint_count. */
const struct model_constraint *model_type_constraint(const struct model *model,
                                                     const struct model_type *type, size_t i);
/* Constraint i that holds for each value of the element, beside those of its type; NULL at and
 * behind constraint_count. */
const struct model_constraint *
model_element_constraint(const struct model *model, const struct model_element *element, size_t i);

/* "dom-6" */
struct slice model_constraint_key(const struct model *model,
                                  const struct model_constraint *constraint);
struct slice model_constraint_human(const struct model *model,
                                    const struct model_constraint *constraint);
/* FHIRPath; its context is the value that the constraint holds for. */
struct slice model_constraint_expression(const struct model *model,
                                         const struct model_constraint *constraint);

#endif
