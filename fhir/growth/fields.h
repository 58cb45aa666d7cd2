/*
 * %growth as a typed table: the names, types and values of fields.def, for whoever publishes them
 * in FHIRPath or prints them. Pure; nothing is allocated.
 */
#ifndef FHIR_GROWTH_FIELDS_H
#define FHIR_GROWTH_FIELDS_H

#include "fhir/growth/record.h"

enum growth_field {
#define FIELD(id, name, type, value, sentence) GROWTH_FIELD_##id,
#include "fhir/growth/fields.def"
#undef FIELD
    GROWTH_FIELD_COUNT
};

/* FHIRPath: Integer, Decimal, String, any number of String, Boolean, Date, Quantity in 'kg' and
 * 'cm'. */
enum growth_field_type {
    GROWTH_INTEGER,
    GROWTH_DECIMAL,
    GROWTH_STRING,
    GROWTH_STRINGS,
    GROWTH_BOOLEAN,
    GROWTH_DATE,
    GROWTH_KILOGRAMS,
    GROWTH_CENTIMETRES
};

struct growth_value {
    enum growth_field_type type;
    union {
        double number;      /* INTEGER (whole), DECIMAL, KILOGRAMS, CENTIMETRES */
        const char *text;   /* STRING; static */
        growth_flags flags; /* STRINGS: growth_flag_name of each that is set, in order */
        bool truth;
        struct growth_date date;
    };
};

const char *growth_field_name(enum growth_field field);
enum growth_field_type growth_field_type(enum growth_field field);
const char *growth_field_sentence(enum growth_field field);

/* False: there is no field of that name. */
bool growth_field_find(struct slice name, enum growth_field *field_out);

/* False, and *value_out untouched: the field is empty. A set of flags without members is empty. */
bool growth_field_get(const struct growth_child *child, const struct growth_visit *visit,
                      enum growth_field field, struct growth_value *value_out);

#endif
