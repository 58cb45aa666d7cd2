#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <time.h>

#include "fhir/model/model.h"

static const struct model *model;

static const struct model_type *type(const char *name)
{
    const struct model_type *found = model_type_find(model, slice_of(name));
    assert_non_null(found);
    return found;
}

static struct model_member json(const char *parent, const char *name)
{
    return model_element_by_json(model, type(parent), slice_of(name));
}

static struct model_member path(const char *parent, const char *name)
{
    return model_element_by_path(model, type(parent), slice_of(name));
}

static void assert_text(struct slice text, const char *expected)
{
    assert_true(text.at != NULL && text.at[text.len] == '\0');
    assert_string_equal(text.at, expected);
}

static void assert_type(const struct model_type *found, const char *expected)
{
    assert_non_null(found);
    assert_text(model_type_name(model, found), expected);
}

static void test_types(void **state)
{
    (void)state;
    assert_text(model_version(model), "4.0.1");
    assert_int_equal(type("Patient")->kind, MODEL_RESOURCE);
    assert_int_equal(type("HumanName")->kind, MODEL_COMPLEX);
    assert_int_equal(type("Patient.contact")->kind, MODEL_BACKBONE);
    assert_int_equal(type("dateTime")->kind, MODEL_PRIMITIVE);
    assert_int_equal(type("DomainResource")->abstract, 1);
    assert_int_equal(type("Patient")->abstract, 0);
    assert_null(model_type_find(model, SLICE("patient")));
    assert_null(model_type_find(model, SLICE("String")));
    assert_null(model_type_find(model, SLICE("")));
    assert_null(model_type_find(model, SLICE_NONE));
}

static void test_each_type_is_found_by_its_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < model_type_count(model); i++) {
        const struct model_type *row = model_type_at(model, i);
        assert_int_equal(model_type_index(model, row), i);
        if (row->kind != MODEL_SYSTEM) {
            assert_ptr_equal(model_type_find(model, model_type_name(model, row)), row);
        }
    }
    assert_null(model_type_at(model, model_type_count(model)));
}

static void test_inheritance(void **state)
{
    (void)state;
    assert_type(model_type_base(model, type("Patient")), "DomainResource");
    assert_type(model_type_base(model, type("DomainResource")), "Resource");
    assert_null(model_type_base(model, type("Resource")));
    assert_type(model_type_base(model, type("Age")), "Quantity");
    assert_type(model_type_base(model, type("id")), "string");
    assert_type(model_type_base(model, type("Patient.contact")), "BackboneElement");
    assert_type(model_type_base(model, type("Timing.repeat")), "Element");
    assert_true(model_is_subtype(model, type("Age"), type("Element")));
    assert_true(model_is_subtype(model, type("Age"), type("Age")));
    assert_false(model_is_subtype(model, type("Quantity"), type("Age")));
    assert_false(model_is_subtype(model, type("Bundle"), type("DomainResource")));
}

static void test_system_types(void **state)
{
    (void)state;
    assert_int_equal(type("instant")->system, MODEL_SYSTEM_DATETIME);
    assert_int_equal(type("date")->system, MODEL_SYSTEM_DATE);
    assert_int_equal(type("canonical")->system, MODEL_SYSTEM_STRING);
    assert_int_equal(type("positiveInt")->system, MODEL_SYSTEM_INTEGER);
    assert_int_equal(type("decimal")->system, MODEL_SYSTEM_DECIMAL);
    assert_int_equal(type("Age")->system, MODEL_SYSTEM_QUANTITY);
    assert_int_equal(type("Patient")->system, MODEL_SYSTEM_NONE);
    assert_type(model_system_type(model, MODEL_SYSTEM_QUANTITY), "Quantity");
    assert_type(model_system_type(model, MODEL_SYSTEM_DATETIME), "DateTime");
    assert_null(model_system_type(model, MODEL_SYSTEM_NONE));
    assert_int_equal(type("markdown")->format, MODEL_FORMAT_MARKDOWN);
    assert_int_equal(type("Quantity")->format, MODEL_FORMAT_NONE);
    assert_text(model_type_regex(model, type("id")), "[A-Za-z0-9\\-\\.]{1,64}");
    assert_null(model_type_regex(model, type("Patient")).at);
}

static void test_json_names(void **state)
{
    (void)state;
    assert_type(json("Patient", "birthDate").type, "date");
    assert_type(json("Patient", "contact").type, "Patient.contact");
    assert_type(json("Patient", "id").type, "id");
    assert_type(json("HumanName", "id").type, "string");
    assert_type(json("Extension", "url").type, "uri");
    assert_type(json("Bundle.entry", "resource").type, "Resource");
    assert_type(json("Narrative", "div").type, "xhtml");
    assert_null(json("Patient", "nmae").element);
    assert_null(json("Patient", "").element);
    assert_null(json("Patient", "resourceType").element);
    assert_null(json("string", "value").element);
}

static void test_choice(void **state)
{
    (void)state;
    struct model_member found = json("Observation", "valueQuantity");
    assert_type(found.type, "Quantity");
    assert_true(model_is_choice(found.element));
    assert_text(model_element_name(model, found.element), "value");
    assert_text(model_element_json_name(model, found.element, found.choice), "valueQuantity");
    assert_ptr_equal(path("Observation", "value").element, found.element);
    assert_null(path("Observation", "value").type);
    assert_null(path("Observation", "valueQuantity").element);
    assert_null(json("Observation", "value").element);
    assert_null(json("Observation", "valueAddress").element);
    assert_null(json("Observation", "value[x]").element);
    assert_type(json("Extension", "valueDateTime").type, "dateTime");
    assert_int_equal(path("Extension", "value").element->type_count, 50);
}

static void test_content_references(void **state)
{
    (void)state;
    struct model_member found = json("Bundle.entry", "link");
    assert_type(found.type, "Bundle.link");
    assert_int_equal(found.element->flags & MODEL_CONTENT, MODEL_CONTENT);
    assert_type(json("Questionnaire.item", "item").type, "Questionnaire.item");
    assert_type(json("Observation.component", "referenceRange").type, "Observation.referenceRange");
}

static void test_primitive_value(void **state)
{
    (void)state;
    assert_ptr_equal(path("date", "value").type, model_system_type(model, MODEL_SYSTEM_DATE));
    assert_ptr_equal(path("instant", "value").type,
                     model_system_type(model, MODEL_SYSTEM_DATETIME));
    assert_type(path("Quantity", "value").type, "decimal");
}

static void test_cardinality_and_order(void **state)
{
    (void)state;
    const char *first[] = {"id",         "meta",      "implicitRules", "language",
                           "text",       "contained", "extension",     "modifierExtension",
                           "identifier", "active",    "name"};
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        assert_text(model_element_name(model, model_element_at(model, type("Patient"), i)),
                    first[i]);
    }
    assert_null(model_element_at(model, type("Patient"), type("Patient")->element_count));
    assert_int_equal(json("Observation", "code").element->min, 1);
    assert_int_equal(json("Observation", "code").element->max, 1);
    assert_true(model_repeats(json("Patient", "name").element));
    assert_int_equal(json("Patient", "name").element->max, MODEL_MANY);
    assert_false(model_repeats(json("Patient", "birthDate").element));
    assert_int_equal(json("Patient", "active").element->flags & MODEL_MODIFIER, MODEL_MODIFIER);
    assert_int_equal(json("Extension", "url").element->flags & MODEL_XML_ATTR, MODEL_XML_ATTR);
    assert_int_equal(json("HumanName", "id").element->flags & MODEL_XML_ATTR, MODEL_XML_ATTR);
    assert_int_equal(json("Patient", "id").element->flags & MODEL_XML_ATTR, 0);
}

static void test_targets(void **state)
{
    (void)state;
    struct model_member subject = json("CarePlan", "subject");
    assert_int_equal(model_target_count(model, subject.element, 0), 2);
    assert_type(model_target_at(model, subject.element, 0, 0), "Patient");
    assert_null(model_target_at(model, subject.element, 0, 2));
    assert_true(model_target_allows(model, subject.element, 0, type("Group")));
    assert_false(model_target_allows(model, subject.element, 0, type("Device")));
    struct model_member focus = json("Observation", "focus");
    assert_true(model_target_allows(model, focus.element, 0, type("Device")));
    struct model_member canonical = json("CarePlan", "instantiatesCanonical");
    assert_true(model_target_allows(model, canonical.element, 0, type("PlanDefinition")));
    assert_false(model_target_allows(model, canonical.element, 0, type("Patient")));
    struct model_member dose = json("Dosage.doseAndRate", "doseQuantity");
    assert_type(model_element_profile(model, dose.element, dose.choice), "SimpleQuantity");
    assert_null(model_element_profile(model, subject.element, 0));
}

static void test_value_sets(void **state)
{
    (void)state;
    struct model_member gender = json("Patient", "gender");
    assert_int_equal(gender.element->strength, MODEL_REQUIRED);
    const struct model_value_set *set = model_element_value_set(model, gender.element);
    assert_text(model_value_set_url(model, set),
                "http://hl7.org/fhir/ValueSet/administrative-gender");
    assert_int_equal(set->enumerable, 1);
    assert_int_equal(set->code_count, 4);
    assert_text(model_code_at(model, set, 0).code, "female");
    assert_text(model_code_at(model, set, 0).system, "http://hl7.org/fhir/administrative-gender");
    assert_true(model_code_in(model, set, SLICE_NONE, SLICE("other")));
    assert_true(model_code_in(model, set, SLICE("http://hl7.org/fhir/administrative-gender"),
                              SLICE("male")));
    assert_false(model_code_in(model, set, SLICE("http://example.org"), SLICE("male")));
    assert_false(model_code_in(model, set, SLICE_NONE, SLICE("Male")));
    assert_ptr_equal(model_value_set_find(
                         model, SLICE("http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1")),
                     set);
    assert_null(model_value_set_find(
        model, SLICE("http://hl7.org/fhir/ValueSet/administrative-gender|3.0.0")));
    assert_null(model_value_set_find(model, SLICE("http://example.org/none")));
    const struct model_value_set *mime =
        model_element_value_set(model, json("Attachment", "contentType").element);
    assert_int_equal(mime->enumerable, 0);
    assert_int_equal(json("Patient", "language").element->strength, MODEL_PREFERRED);
    assert_int_equal(json("Patient", "name").element->strength, MODEL_UNBOUND);
    assert_null(model_element_value_set(model, json("Patient", "name").element));
}

static void test_constraints(void **state)
{
    (void)state;
    const struct model_constraint *found = model_type_constraint(model, type("Patient.contact"), 1);
    assert_text(model_constraint_key(model, found), "pat-1");
    assert_text(model_constraint_expression(model, found),
                "name.exists() or telecom.exists() or address.exists() or organization.exists()");
    assert_int_equal(found->warning, 0);
    bool narrative = false;
    for (size_t i = 0; i < type("Patient")->constraint_count; i++) {
        const struct model_constraint *c = model_type_constraint(model, type("Patient"), i);
        if (slice_is(model_constraint_key(model, c), "dom-6")) {
            narrative = true;
            assert_int_equal(c->warning, 1);
            assert_int_equal(c->best_practice, 1);
        }
        assert_ptr_equal(model_constraint_at(model, model_constraint_index(model, c)), c);
    }
    assert_true(narrative);
    const struct model_element *div = json("Narrative", "div").element;
    assert_int_equal(div->constraint_count, 2);
    assert_text(model_constraint_key(model, model_element_constraint(model, div, 0)), "txt-1");
    assert_null(model_element_constraint(model, div, 2));
    assert_null(model_constraint_at(model, model_constraint_count(model)));
}

/* Each row is reached by its names, and its numbers lie within the tables. */
static void test_table_is_sound(void **state)
{
    (void)state;
    for (size_t t = 0; t < model_type_count(model); t++) {
        const struct model_type *parent = model_type_at(model, t);
        for (size_t i = 0; i < parent->element_count; i++) {
            const struct model_element *element = model_element_at(model, parent, i);
            assert_true(element->type_count != 0 && element->max != 0);
            assert_true(element->type_count == 1 || model_is_choice(element));
            assert_ptr_equal(
                model_element_by_path(model, parent, model_element_name(model, element)).element,
                element);
            for (size_t n = 0; n < element->type_count; n++) {
                const struct model_type *value = model_element_type(model, element, n);
                assert_non_null(value);
                if (value->kind == MODEL_SYSTEM) {
                    continue;
                }
                struct model_member found = model_element_by_json(
                    model, parent, model_element_json_name(model, element, n));
                assert_ptr_equal(found.element, element);
                assert_ptr_equal(found.type, value);
                assert_int_equal(found.choice, n);
            }
        }
    }
}

/* Printed, not judged: a shared machine's clock proves nothing. */
static void test_lookup_speed(void **state)
{
    (void)state;
    static const char *const names[] = {
        "resourceType", "id",   "status",        "category",
        "code",         "note", "valueQuantity", "effectiveDateTime"};
    struct slice slices[8];
    for (size_t i = 0; i < 8; i++) {
        slices[i] = slice_of(names[i]);
    }
    const struct model_type *observation = type("Observation");
    enum { ROUNDS = 200000 };
    struct timespec from;
    struct timespec to;
    unsigned found = 0;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (unsigned i = 0; i < ROUNDS; i++) {
        for (size_t n = 0; n < 8; n++) {
            found += model_element_by_json(model, observation, slices[n]).element != NULL;
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    assert_int_equal(found, 7 * ROUNDS);
    double ns = (double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec);
    print_message("# model_element_by_json: %.1f ns a call\n", ns / (8.0 * ROUNDS));
}

int main(void)
{
    model = model_r4();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_each_type_is_found_by_its_name),
        cmocka_unit_test(test_inheritance),
        cmocka_unit_test(test_system_types),
        cmocka_unit_test(test_json_names),
        cmocka_unit_test(test_choice),
        cmocka_unit_test(test_content_references),
        cmocka_unit_test(test_primitive_value),
        cmocka_unit_test(test_cardinality_and_order),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_value_sets),
        cmocka_unit_test(test_constraints),
        cmocka_unit_test(test_table_is_sound),
        cmocka_unit_test(test_lookup_speed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
