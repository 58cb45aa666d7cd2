/*
 * FHIRPath Date, DateTime and Time, which are FHIR's date, dateTime, instant and time: partial
 * (year ... fraction of a second), with an optional offset that is kept as written. By value; no
 * allocation, no clock, no time zone data: a zone is always an offset in minutes that the caller
 * gives. Gregorian calendar, years 1 to 9999, real calendar days only.
 *
 * Source: FHIR R4 datatypes.html#dateTime; FHIRPath N1 sections 2.1.4 (literals), 6.1, 6.2, 6.6.7
 * (date arithmetic); boundaries as the R4 test suite has them.
 * Tests: tests/unit/fhir/types/test_datetime.c, fuzzed by tests/fuzzers/fuzz_datetime.c.
 */
#ifndef FHIR_TYPES_DATETIME_H
#define FHIR_TYPES_DATETIME_H

#include <stdbool.h>
#include <stdint.h>

#include "fhir/base/slice.h"
#include "fhir/base/status.h"
#include "fhir/types/order.h"

enum datetime_kind { DATETIME_DATE, DATETIME_DATETIME, DATETIME_TIME };

/* The last part that is known. A Time starts at PART_HOUR. */
enum datetime_part {
    PART_YEAR,
    PART_MONTH,
    PART_DAY,
    PART_HOUR,
    PART_MINUTE,
    PART_SECOND,
    PART_FRACTION
};

enum datetime_zone {
    ZONE_NONE,       /* local time somewhere */
    ZONE_Z,          /* written Z */
    ZONE_OFFSET,     /* written +hh:mm or -hh:mm */
    ZONE_MINUS_ZERO, /* written -00:00 */
};

/* Parts behind `part` are at their least value (month and day 1, else 0); a Time has year, month,
 * day 1. */
struct datetime {
    uint32_t nanosecond;
    int16_t year;
    int16_t offset; /* minutes east of UTC, 0 without zone */
    uint8_t month;
    uint8_t day;
    uint8_t hour;
    uint8_t minute;
    uint8_t second;          /* 60 is allowed where FHIR allows it */
    uint8_t fraction_digits; /* as written, 1 .. 9, else 0 */
    uint8_t kind;            /* enum datetime_kind */
    uint8_t part;            /* enum datetime_part */
    uint8_t zone;            /* enum datetime_zone */
};

/* In what form a text stands. */
enum datetime_form {
    FORM_FHIR_DATE,     /* 2014, 2014-01, 2014-01-31 */
    FORM_FHIR_DATETIME, /* those, or with T, seconds and zone, as R4 requires */
    FORM_FHIR_INSTANT,  /* the whole, zone too */
    FORM_FHIR_TIME,     /* 08:05:00, fraction allowed, no zone */
    FORM_PATH_DATE,     /* FHIRPath toDate(): as FORM_FHIR_DATE */
    FORM_PATH_DATETIME, /* FHIRPath toDateTime(): date, or T and any part of the time; zone only
                           with a time */
    FORM_PATH_TIME,     /* FHIRPath toTime(): 08, 08:05, ...; a leading T is allowed */
    FORM_PATH_LITERAL   /* @2014, @2014T, @2014-01-01T08:05Z, @T08: the text decides the kind */
};

/* Where and why a text was refused. */
struct datetime_fault {
    uint32_t at;     /* byte offset in the text */
    const char *why; /* a sentence without full stop; static */
};

/* STATUS_INVALID: *fault_out (may be NULL) says why, *datetime_out is untouched. */
enum status datetime_parse(struct slice text, enum datetime_form form,
                           struct datetime *datetime_out, struct datetime_fault *fault_out);

enum { DATETIME_TEXT = 48 };

/* As FHIR and toString() have it: 2014-01-01T08:05:00.000+10:00, 08:05:00; a DateTime that ends at
 * year, month or day has no T. NUL-terminated; returns the length. */
size_t datetime_print(const struct datetime *a, char out[DATETIME_TEXT]);

/* As a FHIRPath literal: with @, the T of a Time, and the T of a partial DateTime. */
size_t datetime_print_literal(const struct datetime *a, char out[DATETIME_TEXT]);

/* ---- Equality and order ---- */

/*
 * FHIRPath comparison. A Date counts as a DateTime that ends where it ends; a Time against either
 * is ORDER_NONE. Each value is the span of time that its last known part leaves open; spans that do
 * not meet are less or greater, spans of the same part that are the same are equal, all else is
 * ORDER_UNKNOWN. Seconds and fractions are one part. A value without zone against one with a zone
 * may stand anywhere from +14:00 to -12:00.
 */
enum order datetime_compare(const struct datetime *a, const struct datetime *b);

/* FHIRPath ~: unknown counts as not equivalent. */
bool datetime_equivalent(const struct datetime *a, const struct datetime *b);

/* ---- Arithmetic ---- */

enum calendar_unit {
    CALENDAR_NONE, /* no calendar unit */
    CALENDAR_YEAR,
    CALENDAR_MONTH,
    CALENDAR_WEEK,
    CALENDAR_DAY,
    CALENDAR_HOUR,
    CALENDAR_MINUTE,
    CALENDAR_SECOND,
    CALENDAR_MILLISECOND
};

/*
 * FHIRPath + and - (a negative amount) of a calendar duration. Years and months keep the day or
 * take the month's last; the offset is kept. Where the unit is finer than the last known part, the
 * amount is first cut to whole such parts (12 months, 365 days a year, 30 days a month): 2014 + 23
 * months is 2015. A Time goes round at midnight. STATUS_INVALID: a Time and a unit above hours.
 * STATUS_LIMIT: before year 1 or after 9999 (FHIRPath: empty).
 */
enum status datetime_add(const struct datetime *a, int64_t amount, enum calendar_unit unit,
                         struct datetime *sum_out);

/* Calendar days from a to b by their written dates, offsets not looked at; months: completed
 * calendar months (from the 31st of a month to the 30th of the next: 0). STATUS_ABSENT: one has no
 * day. */
enum status datetime_days_between(const struct datetime *a, const struct datetime *b,
                                  int64_t *days_out);
enum status datetime_months_between(const struct datetime *a, const struct datetime *b,
                                    int64_t *months_out);

/* ---- Precision and boundaries ---- */

/* FHIRPath precision(): the digits that are given. Date 4 6 8; DateTime 4 6 8 10 12 14 17; Time 2 4
 * 6 9. A fraction counts as three digits, or as many as it has beyond. */
int datetime_precision(const struct datetime *a);

/* What lowBoundary() means without an argument: 8, 17 or 9. */
int datetime_boundary_default(enum datetime_kind kind);

/*
 * The least or greatest moment that a may stand for, given to `precision` digits (values above,
 * STATUS_ABSENT for any other). What is more precise is cut. A DateTime without zone gets +14:00
 * (low) or -12:00 (high) once the result has a time. A DateTime that ends at the hour is read as
 * minute 00, since FHIR knows no hour without minutes: high(17) of 08 is 08:00:59.999 (suite,
 * HighBoundaryDateTimeMillisecond1); a Time that ends at the hour has no such rule.
 */
enum status datetime_low_boundary(const struct datetime *a, int precision, struct datetime *out);
enum status datetime_high_boundary(const struct datetime *a, int precision, struct datetime *out);

/* ---- Days, moments, offsets ---- */

/* Microseconds since 1970-01-01T00:00Z of the start of a; without zone it is taken to stand at
 * `offset` minutes east. A Time: STATUS_ABSENT. */
enum status datetime_to_utc(const struct datetime *a, int offset, int64_t *microseconds_out);

/* A DateTime in milliseconds, at `offset` minutes east of UTC; offset 0 prints as Z. STATUS_LIMIT:
 * year outside 1 .. 9999. Offset outside -840 .. 840: STATUS_INVALID. */
enum status datetime_from_utc(int64_t microseconds, int offset, struct datetime *datetime_out);

/* The calendar date that a's moment falls on at `offset` minutes east. Without zone, or without
 * time: its own date. STATUS_ABSENT: a Time. */
enum status datetime_local_date(const struct datetime *a, int offset, struct datetime *date_out);

/* The date alone, with its precision; a Time alone. STATUS_ABSENT: there is none. */
enum status datetime_date_part(const struct datetime *a, struct datetime *date_out);
enum status datetime_time_part(const struct datetime *a, struct datetime *time_out);

/* Days since 1970-01-01 of a calendar date, and back. */
int64_t datetime_day_number(int year, int month, int day);
void datetime_day_to_date(int64_t day_number, int *year_out, int *month_out, int *day_out);
int datetime_days_in_month(int year, int month);

/* A Date of day precision. STATUS_INVALID: no such day. */
enum status datetime_make_date(int year, int month, int day, struct datetime *date_out);

#endif
