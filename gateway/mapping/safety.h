/*
 * What no mapping may do, whatever it says (clinical review): judge or name a category where a
 * family can read it, set a weight target or count calories, read race or ethnicity. Asked when a
 * mapping is loaded, and again of every resource that is built: a value may come from the record.
 * Pure. Tests: tests/unit/gateway/mapping/test_safety.c, tests/diagnostics/mapping/.
 */
#ifndef GATEWAY_MAPPING_SAFETY_H
#define GATEWAY_MAPPING_SAFETY_H

#include "fhir/json/json.h"

/* The judging word that begins a word of the text, in any case; NULL: none. Static. */
const char *safety_judging_word(struct slice text);

/* A text that tells how much to weigh or to eat ("5 lb", "1500 calories"): the unit; NULL: none. */
const char *safety_amount_word(struct slice text);

/* A unit (UCUM or as people write it) of weight or of energy: "weight-target" or "calories"; NULL:
 * neither. */
const char *safety_unit(struct slice unit);
/* The same of a LOINC code that a goal measures: weight, BMI and their percentiles; energy. */
const char *safety_measure(struct slice code);

/* What names race or ethnicity in an expression or a search; NULL: nothing does. */
const char *safety_race_word(struct slice text);
bool safety_is_race_extension(struct slice url);

/*
 * A built resource. NULL: nothing is wrong; else a sentence, which quotes nothing of the record.
 * `kinds`: the plan's own `never`; kind_count of them.
 */
const char *safety_resource_fault(const struct json *resource, const struct slice *kinds,
                                  size_t kind_count);

/*
 * Its parts, for who builds a resource of values that were judged before and of some that were not.
 * All sentences are as above; `goal`: it stands in a Goal.
 */
/* The type itself, and that nothing is contained. */
const char *safety_type_fault(const struct json *resource, const struct slice *kinds,
                              size_t kind_count);
/* All that stands in an object or array. */
const char *safety_value_fault(const struct json *value, bool goal);
/* One member by itself: `object` tells whether it stands beside a value. */
const char *safety_member_fault(const struct json *object, const struct json *member, bool goal);
/* False: safety_member_fault() has nothing to say of a member of that name. */
bool safety_is_judged(struct slice name);

#endif
