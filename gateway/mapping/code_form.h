/*
 * The form of a code, where its system gives codes a form: a check digit tells most misprints.
 * Pure. Sources: SNOMED CT TIG, "Check-digit" (Verhoeff) and "Partition identifier"; LOINC Users'
 * Guide (mod 10); ICD-10-CM tabular list; RxNorm (RxCUI are numbers). Tests:
 * tests/unit/gateway/mapping/test_code_form.c.
 */
#ifndef GATEWAY_MAPPING_CODE_FORM_H
#define GATEWAY_MAPPING_CODE_FORM_H

#include "fhir/model/model.h"

/* NULL: well formed, or of a system whose form is not known here; else a sentence. Static. */
const char *code_form_fault(struct slice system, struct slice code);

/* The codes of a system that FHIR R4 lists whole in a value set of its name, such as
 * condition-clinical; NULL: of any other. */
const struct model_value_set *code_form_listed(const struct model *model, struct slice system);

#endif
