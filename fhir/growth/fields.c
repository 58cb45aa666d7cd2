#include "fhir/growth/fields.h"

#include <math.h>

struct field_row {
    const char *name;
    enum growth_field_type type;
    const char *sentence;
};

static const struct field_row rows[] = {
#define FIELD(id, name, type, value, sentence) {name, GROWTH_##type, sentence},
#include "fhir/growth/fields.def"
#undef FIELD
};

const char *growth_field_name(enum growth_field field)
{
    return rows[field].name;
}

enum growth_field_type growth_field_type(enum growth_field field)
{
    return rows[field].type;
}

const char *growth_field_sentence(enum growth_field field)
{
    return rows[field].sentence;
}

bool growth_field_find(struct slice name, enum growth_field *field_out)
{
    for (int i = 0; i < GROWTH_FIELD_COUNT; i++) {
        if (slice_is(name, rows[i].name)) {
            *field_out = (enum growth_field)i;
            return true;
        }
    }
    return false;
}

static const char *sex_name(enum growth_sex sex)
{
    static const char *const names[] = {"", "male", "female"};
    return names[sex];
}

static bool put_number(struct growth_value *value, double number)
{
    value->number = number;
    return !isnan(number);
}

static bool put_text(struct growth_value *value, const char *text)
{
    value->text = text;
    return text[0] != '\0';
}

static bool put_flags(struct growth_value *value, growth_flags flags)
{
    value->flags = flags;
    return flags != 0;
}

static bool put_truth(struct growth_value *value, bool truth)
{
    value->truth = truth;
    return true;
}

static bool put_date(struct growth_value *value, struct growth_date date)
{
    value->date = date;
    return date.year != 0;
}

#define PUT_INTEGER put_number
#define PUT_DECIMAL put_number
#define PUT_KILOGRAMS put_number
#define PUT_CENTIMETRES put_number
#define PUT_STRING put_text
#define PUT_STRINGS put_flags
#define PUT_BOOLEAN put_truth
#define PUT_DATE put_date

bool growth_field_get(const struct growth_child *child, const struct growth_visit *visit,
                      enum growth_field field, struct growth_value *value_out)
{
    const struct growth_child *c = child;
    const struct growth_visit *v = visit;
    const struct growth_assessment *a = &visit->assessment;
    const struct growth_trend *t = &visit->trend;
    struct growth_value value = {.type = rows[field].type};
    bool present = false;
    switch (field) {
#define FIELD(id, name, type, expression, sentence)                                                \
    case GROWTH_FIELD_##id:                                                                        \
        present = PUT_##type(&value, expression);                                                  \
        break;
#include "fhir/growth/fields.def"
#undef FIELD
    case GROWTH_FIELD_COUNT:
        break;
    }
    if (present) {
        *value_out = value;
    }
    return present;
}
