/*
 * Decimal text to double and back, without locale, fast enough for millions of rows. Reading is
 * correctly rounded for up to 19 significant digits and 19 decimals; writing gives the shortest
 * text that reads back as the same double (at most 17 digits). Tests:
 * tests/unit/fhir/growth/test_number.c.
 */
#ifndef FHIR_GROWTH_NUMBER_H
#define FHIR_GROWTH_NUMBER_H

#include <stdbool.h>

#include "fhir/base/slice.h"

/*
 * [+-]digits[.digits][e[+-]digits], a dot on either side of which digits may be missing, nothing
 * else around it. Digits after the 19th significant one, or the 19th decimal, are dropped. False,
 * and *value_out untouched: it is no such number, or has more than 19 zeros behind its digits.
 */
bool number_read(struct slice text, double *value_out);

enum { NUMBER_TEXT_MAX = 32 };

/* Writes value to out, not terminated; returns the length. Nothing (0) for NAN and infinities.
 * 0.000001 and below, and 1e21 and above, are written with an exponent. */
size_t number_write(double value, char out[NUMBER_TEXT_MAX]);

#endif
