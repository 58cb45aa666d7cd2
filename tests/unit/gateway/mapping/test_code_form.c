// uses: fhir/model
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/mapping/code_form.h"

#define SNOMED "http://snomed.info/sct"
#define LOINC "http://loinc.org"
#define ICD "http://hl7.org/fhir/sid/icd-10-cm"
#define RXNORM "http://www.nlm.nih.gov/research/umls/rxnorm"

static const struct {
    const char *system;
    const char *code;
    bool good;
} rows[] = {
    {SNOMED, "195967001", true},  {SNOMED, "22298006", true},   {SNOMED, "731000124108", true},
    {SNOMED, "195967002", false}, {SNOMED, "195976001", false}, {SNOMED, "19596", false},
    {SNOMED, "E66.3", false},     {SNOMED, "", false},          {LOINC, "29463-7", true},
    {LOINC, "8302-2", true},      {LOINC, "59576-9", true},     {LOINC, "29463-8", false},
    {LOINC, "24963-7", false},    {LOINC, "LA33-6", true},      {LOINC, "LA137-2", true},
    {LOINC, "LA6568-5", true},    {LOINC, "LA30122-8", true},   {LOINC, "LA30122-7", false},
    {LOINC, "29463", false},      {LOINC, "AMB", false},        {LOINC, "LP6960-1", true},
    {ICD, "E66.3", true},         {ICD, "Z68.53", true},        {ICD, "F50.0", true},
    {ICD, "E10", true},           {ICD, "C4A.10", true},        {ICD, "29463-7", false},
    {ICD, "E66.", false},         {ICD, "E6", false},           {RXNORM, "8152", true},
    {RXNORM, "E66", false},       {RXNORM, "427362008", false}, {RXNORM, "08152", false},
    {"urn:other", "any", true},
};

static void tells_the_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *fault = code_form_fault(slice_of(rows[i].system), slice_of(rows[i].code));
        if ((fault == NULL) != rows[i].good) {
            print_message("%s %s: %s\n", rows[i].system, rows[i].code,
                          fault != NULL ? fault : "good");
        }
        assert_int_equal(fault == NULL, rows[i].good);
    }
}

/* condition-clinical is a value set of all its codes; of ActCode, and of SNOMED CT, FHIR lists none
 * or a part. */
static void knows_what_fhir_lists(void **state)
{
    const struct model *r4 = model_r4();
    struct slice system = SLICE("http://terminology.hl7.org/CodeSystem/condition-clinical");
    const struct model_value_set *set = code_form_listed(r4, system);
    (void)state;
    assert_non_null(set);
    assert_true(model_code_in(r4, set, system, SLICE("relapse")));
    assert_false(model_code_in(r4, set, system, SLICE("relapsed")));
    assert_non_null(code_form_listed(r4, SLICE("http://hl7.org/fhir/goal-status")));
    assert_null(code_form_listed(r4, SLICE("http://terminology.hl7.org/CodeSystem/v3-ActCode")));
    assert_null(code_form_listed(r4, SLICE(SNOMED)));
    assert_null(code_form_listed(r4, SLICE("http://hl7.org/fhir/")));
    assert_null(code_form_listed(r4, SLICE_NONE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tells_the_form),
                                       cmocka_unit_test(knows_what_fhir_lists)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
