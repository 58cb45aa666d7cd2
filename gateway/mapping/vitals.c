#include <math.h>
#include <stdlib.h>

#include "fhir/types/measure.h"
#include "gateway/mapping/eval.h"

struct measurement {
    const struct json *observation; /* NULL: the visit has none */
    double value;                   /* kg or cm; NAN when its unit is not known */
    struct datetime date;
    bool dated;
};

static bool is_of_visit(const struct eval *e, const struct json *observation)
{
    struct slice encounter = json_get_text(json_get(observation, "encounter"), "reference");
    struct slice visit = e->input->visit.encounter;
    if (visit.len != 0 && encounter.len != 0) {
        size_t slash = encounter.len;
        while (slash != 0 && encounter.at[slash - 1] != '/') {
            slash--;
        }
        return slice_equal(slice_part(encounter, slash, SIZE_MAX), visit);
    }
    /* Without an encounter on one of the two: measurements of one calendar day belong together. */
    char day[DATETIME_TEXT];
    size_t len = datetime_print(&e->input->visit.date, day);
    return slice_equal(slice_part(resource_date(observation), 0, 10),
                       slice_from(day, len < 10 ? len : 10));
}

static bool is_measured(const struct json *observation)
{
    struct slice status = json_get_text(observation, "status");
    return slice_is(status, "final") || slice_is(status, "amended") ||
           slice_is(status, "corrected");
}

typedef enum status convert(struct decimal value, struct slice unit, struct diag_list *diags,
                            struct span span, struct decimal *out);

static double read_value(struct eval *e, const struct json *observation, convert *to_unit)
{
    const struct json *quantity = json_get(observation, "valueQuantity");
    struct slice unit = json_get_text(quantity, "code");
    if (unit.len == 0) {
        unit = json_get_text(quantity, "unit");
    }
    struct decimal value;
    struct decimal converted;
    char text[DECIMAL_TEXT];
    (void)e;
    if (json_get(quantity, "comparator") != NULL ||
        decimal_parse(json_text(json_get(quantity, "value")), &value) != STATUS_OK ||
        to_unit(value, unit, NULL, SPAN_NONE, &converted) != STATUS_OK) {
        return NAN;
    }
    decimal_print(converted, text);
    return strtod(text, NULL);
}

static bool later(const struct json *a, const struct json *b)
{
    struct datetime left;
    struct datetime right;
    if (datetime_parse(resource_date(a), FORM_FHIR_DATETIME, &left, NULL) == STATUS_OK &&
        datetime_parse(resource_date(b), FORM_FHIR_DATETIME, &right, NULL) == STATUS_OK) {
        return datetime_compare(&left, &right) == ORDER_GREATER;
    }
    return slice_compare(resource_date(a), resource_date(b)) > 0;
}

static struct measurement find_measurement(struct eval *e, const struct fact_rule *rule,
                                           convert *to_unit)
{
    struct measurement found = {.value = NAN};
    const struct json *array = NULL;
    for (size_t i = 0; i < e->input->fact_count; i++) {
        if (slice_equal(e->input->facts[i].name, rule->name)) {
            array = e->input->facts[i].resources;
        }
    }
    for (const struct json *it = json_first(array); it != NULL; it = json_next(it)) {
        if (is_measured(it) && is_of_visit(e, it) &&
            (found.observation == NULL || later(it, found.observation))) {
            found.observation = it;
        }
    }
    if (found.observation != NULL) {
        found.value = read_value(e, found.observation, to_unit);
        found.dated = datetime_parse(slice_part(resource_date(found.observation), 0, 10),
                                     FORM_FHIR_DATE, &found.date, NULL) == STATUS_OK;
    }
    return found;
}

/* ---- sex and age ---- */

static struct slice birth_sex(const struct json *patient)
{
    for (const struct json *it = json_first(json_get(patient, "extension")); it != NULL;
         it = json_next(it)) {
        if (slice_is(json_get_text(it, "url"),
                     "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex")) {
            return json_get_text(it, "valueCode");
        }
    }
    return SLICE_NONE;
}

/* The birth sex where the record has it, else the administrative gender: charts are by sex. */
static enum growth_sex chart_sex(const struct json *patient)
{
    struct slice birth = birth_sex(patient);
    struct slice gender = json_get_text(patient, "gender");
    if (slice_is(birth, "M") || (birth.len == 0 && slice_is(gender, "male"))) {
        return GROWTH_MALE;
    }
    if (slice_is(birth, "F") || (birth.len == 0 && slice_is(gender, "female"))) {
        return GROWTH_FEMALE;
    }
    return GROWTH_SEX_UNKNOWN;
}

static struct growth_age age_at(const struct json *patient, struct slice measured)
{
    struct growth_date birth;
    struct growth_date day;
    if (growth_date_read(json_get_text(patient, "birthDate"), &birth) != GROWTH_DATE_OK ||
        growth_date_read(measured, &day) != GROWTH_DATE_OK) {
        return GROWTH_AGE_UNKNOWN;
    }
    return growth_age_between(birth, day);
}

/* ---- publishing ---- */

static void publish_number(struct eval *e, const char *name, double value, int places)
{
    struct decimal *decimal = ARENA_NEW(e->arena, struct decimal);
    if (isnan(value) || decimal_from_double(value, places, decimal) != STATUS_OK) {
        evaluate_publish(e, slice_of(name), (struct path_items){NULL, 0});
        return;
    }
    evaluate_publish_one(e, name, (struct path_item){.kind = PATH_DECIMAL, .decimal = decimal});
}

static void publish_word(struct eval *e, const char *name, const char *word)
{
    if (word[0] == '\0') {
        evaluate_publish(e, slice_of(name), (struct path_items){NULL, 0});
    } else {
        evaluate_publish_one(e, name, path_item_string(slice_of(word)));
    }
}

static void publish_quantity(struct eval *e, const char *name, double value, const char *unit)
{
    struct quantity *quantity = ARENA_NEW(e->arena, struct quantity);
    quantity->unit = slice_of(unit);
    if (isnan(value) || decimal_from_double(value, 6, &quantity->value) != STATUS_OK) {
        evaluate_publish(e, slice_of(name), (struct path_items){NULL, 0});
        return;
    }
    evaluate_publish_one(e, name, (struct path_item){.kind = PATH_QUANTITY, .quantity = quantity});
}

static void publish_assessment(struct eval *e, const struct growth_assessment *a,
                               const struct growth_input *input)
{
    const char *sex = input->sex == GROWTH_MALE     ? "male"
                      : input->sex == GROWTH_FEMALE ? "female"
                                                    : "";
    publish_word(e, "growth.sex", sex);
    if (a->age.completed >= 0) {
        evaluate_publish_one(e, "growth.ageMonths", path_item_integer(a->age.completed));
    } else {
        evaluate_publish(e, SLICE("growth.ageMonths"), (struct path_items){NULL, 0});
    }
    publish_quantity(e, "growth.weight", input->weight_kg, "kg");
    publish_quantity(e, "growth.height", input->height_cm, "cm");
    publish_number(e, "growth.bmi", a->bmi, 8);
    publish_number(e, "growth.z", a->bmi_for_age.z, 8);
    publish_number(e, "growth.percentile", a->bmi_for_age.percentile, 8);
    publish_number(e, "growth.percentOfP95", a->percent_of_p95, 8);
    publish_word(e, "growth.category", growth_category_name(a->category));
    publish_word(e, "growth.chart",
                 a->chart == GROWTH_CHART_NONE ? "" : growth_chart_name(a->chart));
    evaluate_publish_one(e, "growth.implausible",
                         path_item_boolean((a->flags & growth_flags_implausible()) != 0));
}

void evaluate_growth(struct eval *e)
{
    struct measurement weight = find_measurement(e, e->mapping->weight, measure_weight_kg);
    struct measurement height = find_measurement(e, e->mapping->height, measure_height_cm);
    struct growth_input input = growth_input_none();
    /* The older of the two decides how fresh the pair is; a visit without either is dated by
     * itself. */
    const struct measurement *dating = weight.dated ? &weight : &height;
    if (weight.dated && height.dated &&
        datetime_compare(&height.date, &weight.date) == ORDER_LESS) {
        dating = &height;
    }
    char day[DATETIME_TEXT];
    size_t len = datetime_print(dating->dated ? &dating->date : &e->input->visit.date, day);
    input.sex = chart_sex(e->input->patient);
    input.age = age_at(e->input->patient, slice_from(day, len));
    input.weight_kg = weight.value;
    input.height_cm = height.value;
    growth_assess(&input, &e->result->growth);
    e->result->assessed = true;
    publish_assessment(e, &e->result->growth, &input);
    if (dating->dated) {
        struct datetime *date = ARENA_NEW(e->arena, struct datetime);
        *date = dating->date;
        evaluate_publish_one(e, "growth.measured",
                             (struct path_item){.kind = PATH_DATE, .datetime = date});
    } else {
        evaluate_publish(e, SLICE("growth.measured"), (struct path_items){NULL, 0});
    }
}
