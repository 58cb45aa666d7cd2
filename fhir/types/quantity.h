/*
 * FHIRPath Quantity: a decimal and a unit, which is a UCUM code ('mg') or a calendar word (month).
 * By value; the unit's text is borrowed and must outlive the quantity; units that arithmetic makes
 * are copied into the arena given.
 *
 * Calendar words (FHIRPath N1 section 2.1.7, 6.1): week, day and all below are the same as wk, d,
 * h, min, s, ms. year and month are not comparable with 'a' and 'mo' or any definite duration
 * (ORDER_UNKNOWN), but equivalent (~) to them. 1 year is 12 months; a year or month against weeks
 * and below is ORDER_UNKNOWN. A calendar word in quotes ('month') counts as the word.
 *
 * Unknown units: two quantities of the very same unit text are compared and added by value whatever
 * the unit. Otherwise a unit that is not known ends the call with STATUS_INVALID, and one
 * diagnostic (unit-unknown) is added to diags when that is not NULL.
 * Tests: tests/unit/fhir/types/test_quantity.c, fuzzed by tests/fuzzers/fuzz_quantity.c.
 */
#ifndef FHIR_TYPES_QUANTITY_H
#define FHIR_TYPES_QUANTITY_H

#include <stdbool.h>

#include "fhir/base/arena.h"
#include "fhir/base/diag.h"
#include "fhir/types/datetime.h"
#include "fhir/types/decimal.h"
#include "fhir/types/order.h"
#include "fhir/types/ucum.h"

struct quantity {
    struct decimal value;
    struct slice unit; /* UCUM code or calendar word; "1" without unit, never empty */
    bool is_word;      /* unit is a calendar word written without quotes: months */
};

/* The unit a calendar word names, singular or plural ("day", "days"); else CALENDAR_NONE. */
enum calendar_unit calendar_unit_of(struct slice word);

struct quantity quantity_of_number(struct decimal value);

/*
 * The text of toQuantity(): 1, 1.0, 4 days, 1 'wk'. The number as decimal_parse_plain. The unit is
 * borrowed from text. STATUS_INVALID: not in that form (a unit in quotes need not be known).
 */
enum status quantity_parse(struct slice text, struct quantity *quantity_out);

/*
 * A FHIR Quantity. code and system may be SLICE_NONE, unit is the human text. With the UCUM system:
 * the code; the codes a, mo, d, h, min, s become the calendar words (FHIR R4
 * fhirpath.html#quantity). Without code: the unit text, else "1". Borrows code or unit.
 */
struct quantity quantity_of_fhir(struct decimal value, struct slice system, struct slice code,
                                 struct slice unit);

enum { QUANTITY_TEXT = 256 };

/* 4 'g', 1 month. NUL-terminated; a unit longer than fits is cut. Returns the length. */
size_t quantity_print(const struct quantity *a, char out[QUANTITY_TEXT]);

/* ORDER_NONE: different dimensions. */
enum status quantity_compare(const struct quantity *a, const struct quantity *b,
                             struct diag_list *diags, struct span span, enum order *order_out);

/* FHIRPath ~: both in the larger unit of the two, then decimal_equivalent. Different dimensions:
 * false. */
enum status quantity_equivalent(const struct quantity *a, const struct quantity *b,
                                struct diag_list *diags, struct span span, bool *equivalent_out);

/* FHIRPath comparable(): true when the dimensions are the same; false for units not known. */
bool quantity_comparable(const struct quantity *a, const struct quantity *b);

/*
 * a + b and a - b, in the smaller unit of the two. STATUS_ABSENT: not comparable (FHIRPath: empty).
 */
enum status quantity_add(const struct quantity *a, const struct quantity *b,
                         struct diag_list *diags, struct span span, struct quantity *sum_out);
enum status quantity_subtract(const struct quantity *a, const struct quantity *b,
                              struct diag_list *diags, struct span span,
                              struct quantity *difference_out);

/*
 * The unit as ucum_combine has it; a number (unit '1') leaves the other's unit as it is written.
 * Weeks and below count as their UCUM units; years and months can be multiplied with and divided by
 * numbers, and divided by one another. STATUS_ABSENT: division by zero. STATUS_INVALID: units not
 * known, or that cannot be combined (unit-unfit).
 */
enum status quantity_multiply(struct arena *arena, const struct quantity *a,
                              const struct quantity *b, struct diag_list *diags, struct span span,
                              struct quantity *product_out);
enum status quantity_divide(struct arena *arena, const struct quantity *a, const struct quantity *b,
                            struct diag_list *diags, struct span span,
                            struct quantity *quotient_out);

/* a in the unit `code` (a UCUM code or a calendar word). STATUS_ABSENT: not comparable. */
enum status quantity_convert(const struct quantity *a, struct slice code, struct diag_list *diags,
                             struct span span, struct quantity *quantity_out);

/*
 * What a adds to a date: the unit, and the value without its fraction (7.7 days is 7, 0.1 's' is
 * 0). 'wk', 'd', 'h', 'min', 's', 'ms' count as their words. STATUS_INVALID: no such unit; 'a' and
 * 'mo' are none, since they have no fixed length in the calendar. STATUS_LIMIT: the value does not
 * fit.
 */
enum status quantity_calendar(const struct quantity *a, enum calendar_unit *unit_out,
                              int64_t *amount_out);

/* Sign, and the unit kept. */
struct quantity quantity_negate(struct quantity a);
struct quantity quantity_abs(struct quantity a);

#endif
