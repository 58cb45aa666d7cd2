/* Dates and times from and to text: FHIR's forms and FHIRPath's. */
#include "fhir/types/datetime.h"

struct reading {
    struct slice text;
    size_t at;
    struct datetime value;
    const char *why; /* set once a fault is found, at `at` */
};

static bool refuse(struct reading *in, size_t at, const char *why)
{
    if (in->why == NULL) {
        in->at = at;
        in->why = why;
    }
    return false;
}

static bool at_end(const struct reading *in)
{
    return in->at == in->text.len;
}

static char peek(const struct reading *in)
{
    return at_end(in) ? '\0' : in->text.at[in->at];
}

static bool take_char(struct reading *in, char c)
{
    if (at_end(in) || in->text.at[in->at] != c) {
        return false;
    }
    in->at++;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Exactly count digits. */
static bool take_number(struct reading *in, int count, int least, int most, const char *why,
                        int *number_out)
{
    size_t start = in->at;
    int number = 0;
    for (int i = 0; i < count; i++) {
        if (!is_digit(peek(in))) {
            return refuse(in, in->at, why);
        }
        number = number * 10 + (in->text.at[in->at++] - '0');
    }
    if (number < least || number > most) {
        return refuse(in, start, why);
    }
    *number_out = number;
    return true;
}

/* YYYY, YYYY-MM or YYYY-MM-DD */
static bool take_date(struct reading *in)
{
    struct datetime *value = &in->value;
    int year;
    int month;
    int day;
    if (!take_number(in, 4, 1, 9999, "a year is four digits, 0001 to 9999", &year)) {
        return false;
    }
    value->year = (int16_t)year;
    value->part = PART_YEAR;
    if (!take_char(in, '-')) {
        return true;
    }
    if (!take_number(in, 2, 1, 12, "a month is two digits, 01 to 12", &month)) {
        return false;
    }
    value->month = (uint8_t)month;
    value->part = PART_MONTH;
    if (!take_char(in, '-')) {
        return true;
    }
    size_t start = in->at;
    if (!take_number(in, 2, 1, 31, "a day is two digits, 01 to 31", &day)) {
        return false;
    }
    if (day > datetime_days_in_month(year, month)) {
        return refuse(in, start, "this month has no such day");
    }
    value->day = (uint8_t)day;
    value->part = PART_DAY;
    return true;
}

static bool take_fraction(struct reading *in)
{
    uint32_t nanosecond = 0;
    uint32_t unit = 1000000000;
    uint8_t digits = 0;
    for (; is_digit(peek(in)); in->at++) {
        if (++digits > 9) {
            return refuse(in, in->at, "a fraction of a second has at most nine digits");
        }
        unit /= 10;
        nanosecond += (uint32_t)(in->text.at[in->at] - '0') * unit;
    }
    if (digits == 0) {
        return refuse(in, in->at, "digits must follow the point");
    }
    in->value.nanosecond = nanosecond;
    in->value.fraction_digits = digits;
    in->value.part = PART_FRACTION;
    return true;
}

/* hh, hh:mm, hh:mm:ss or hh:mm:ss.f */
static bool take_time(struct reading *in)
{
    struct datetime *value = &in->value;
    int number;
    if (!take_number(in, 2, 0, 23, "an hour is two digits, 00 to 23", &number)) {
        return false;
    }
    value->hour = (uint8_t)number;
    value->part = PART_HOUR;
    if (!take_char(in, ':')) {
        return true;
    }
    if (!take_number(in, 2, 0, 59, "a minute is two digits, 00 to 59", &number)) {
        return false;
    }
    value->minute = (uint8_t)number;
    value->part = PART_MINUTE;
    if (!take_char(in, ':')) {
        return true;
    }
    if (!take_number(in, 2, 0, 60, "a second is two digits, 00 to 59 (60 is a leap second)",
                     &number)) {
        return false;
    }
    value->second = (uint8_t)number;
    value->part = PART_SECOND;
    return take_char(in, '.') ? take_fraction(in) : true;
}

/* Z, +hh:mm, -hh:mm, or nothing */
static bool take_zone(struct reading *in)
{
    static const char why[] = "an offset is +hh:mm or -hh:mm, at most 14:00";
    struct datetime *value = &in->value;
    if (take_char(in, 'Z')) {
        value->zone = ZONE_Z;
        return true;
    }
    bool west = peek(in) == '-';
    if (!west && peek(in) != '+') {
        return true;
    }
    size_t start = in->at++;
    int hour;
    int minute;
    if (!take_number(in, 2, 0, 14, why, &hour)) {
        return false;
    }
    if (!take_char(in, ':')) {
        return refuse(in, in->at, why);
    }
    if (!take_number(in, 2, 0, 59, why, &minute)) {
        return false;
    }
    int offset = hour * 60 + minute;
    if (offset > 14 * 60) {
        return refuse(in, start, why);
    }
    value->offset = (int16_t)(west ? -offset : offset);
    value->zone = west && offset == 0 ? ZONE_MINUS_ZERO : ZONE_OFFSET;
    return true;
}

static bool require_part(struct reading *in, enum datetime_part part, const char *why)
{
    return in->value.part >= part ? true : refuse(in, in->at, why);
}

static bool require_zone(struct reading *in)
{
    return in->value.zone != ZONE_NONE
               ? true
               : refuse(in, in->at, "a zone must follow the time: Z, +hh:mm or -hh:mm");
}

/* ---- One function per form ---- */

static const char needs_day[] = "a time can only follow a whole date";
static const char needs_seconds[] = "hours, minutes and seconds must be given";

static bool read_date(struct reading *in)
{
    in->value.kind = DATETIME_DATE;
    return take_date(in);
}

static bool read_fhir_datetime(struct reading *in)
{
    in->value.kind = DATETIME_DATETIME;
    if (!take_date(in)) {
        return false;
    }
    if (peek(in) != 'T') {
        return true;
    }
    if (!require_part(in, PART_DAY, needs_day)) {
        return false;
    }
    in->at++;
    return take_time(in) && require_part(in, PART_SECOND, needs_seconds) && take_zone(in) &&
           require_zone(in);
}

static bool read_fhir_instant(struct reading *in)
{
    return read_fhir_datetime(in) &&
           require_part(in, PART_SECOND,
                        "an instant is a whole date, a time with seconds and a zone");
}

static bool read_fhir_time(struct reading *in)
{
    in->value.kind = DATETIME_TIME;
    return take_time(in) && require_part(in, PART_SECOND, needs_seconds);
}

/* What may follow the T of a FHIRPath DateTime. */
static bool take_path_time(struct reading *in)
{
    if (in->value.part < PART_DAY) {
        return refuse(in, in->at - 1, needs_day);
    }
    return take_time(in) && take_zone(in);
}

static bool read_path_datetime(struct reading *in)
{
    in->value.kind = DATETIME_DATETIME;
    if (!take_date(in) || !take_char(in, 'T')) {
        return in->why == NULL;
    }
    return at_end(in) ? true : take_path_time(in);
}

static bool read_path_time(struct reading *in)
{
    in->value.kind = DATETIME_TIME;
    take_char(in, 'T');
    return take_time(in);
}

static bool read_path_literal(struct reading *in)
{
    if (!take_char(in, '@')) {
        return refuse(in, in->at, "a date or time literal starts with @");
    }
    if (peek(in) == 'T') {
        return read_path_time(in);
    }
    if (!read_date(in) || !take_char(in, 'T')) {
        return in->why == NULL;
    }
    in->value.kind = DATETIME_DATETIME;
    return is_digit(peek(in)) ? take_path_time(in) : true;
}

enum status datetime_parse(struct slice text, enum datetime_form form,
                           struct datetime *datetime_out, struct datetime_fault *fault_out)
{
    static bool (*const readers[])(struct reading *) = {
        [FORM_FHIR_DATE] = read_date,
        [FORM_FHIR_DATETIME] = read_fhir_datetime,
        [FORM_FHIR_INSTANT] = read_fhir_instant,
        [FORM_FHIR_TIME] = read_fhir_time,
        [FORM_PATH_DATE] = read_date,
        [FORM_PATH_DATETIME] = read_path_datetime,
        [FORM_PATH_TIME] = read_path_time,
        [FORM_PATH_LITERAL] = read_path_literal,
    };
    struct reading in = {.text = text, .value = {.year = 1, .month = 1, .day = 1}};
    if (readers[form](&in) && !at_end(&in)) {
        refuse(&in, in.at, "this does not belong to a date or time");
    }
    if (in.why != NULL) {
        if (fault_out != NULL) {
            *fault_out = (struct datetime_fault){(uint32_t)in.at, in.why};
        }
        return STATUS_INVALID;
    }
    *datetime_out = in.value;
    return STATUS_OK;
}

/* ---- Printing ---- */

static char *put_number(char *out, int number, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        out[i] = (char)('0' + number % 10);
        number /= 10;
    }
    return out + digits;
}

static char *put_date(char *out, const struct datetime *a)
{
    out = put_number(out, a->year, 4);
    if (a->part >= PART_MONTH) {
        *out++ = '-';
        out = put_number(out, a->month, 2);
    }
    if (a->part >= PART_DAY) {
        *out++ = '-';
        out = put_number(out, a->day, 2);
    }
    return out;
}

static char *put_time(char *out, const struct datetime *a)
{
    out = put_number(out, a->hour, 2);
    if (a->part >= PART_MINUTE) {
        *out++ = ':';
        out = put_number(out, a->minute, 2);
    }
    if (a->part >= PART_SECOND) {
        *out++ = ':';
        out = put_number(out, a->second, 2);
    }
    if (a->part == PART_FRACTION) {
        char digits[9];
        put_number(digits, (int)a->nanosecond, 9);
        *out++ = '.';
        for (int i = 0; i < a->fraction_digits; i++) {
            *out++ = digits[i];
        }
    }
    return out;
}

static char *put_zone(char *out, const struct datetime *a)
{
    if (a->zone == ZONE_Z) {
        *out++ = 'Z';
    } else if (a->zone != ZONE_NONE) {
        int offset = a->offset < 0 ? -a->offset : a->offset;
        *out++ = a->offset < 0 || a->zone == ZONE_MINUS_ZERO ? '-' : '+';
        out = put_number(out, offset / 60, 2);
        *out++ = ':';
        out = put_number(out, offset % 60, 2);
    }
    return out;
}

static char *put_datetime(char *out, const struct datetime *a)
{
    if (a->kind == DATETIME_TIME) {
        return put_time(out, a);
    }
    out = put_date(out, a);
    if (a->part >= PART_HOUR) {
        *out++ = 'T';
        out = put_zone(put_time(out, a), a);
    }
    return out;
}

size_t datetime_print(const struct datetime *a, char out[DATETIME_TEXT])
{
    char *end = put_datetime(out, a);
    *end = '\0';
    return (size_t)(end - out);
}

size_t datetime_print_literal(const struct datetime *a, char out[DATETIME_TEXT])
{
    char *end = out;
    *end++ = '@';
    if (a->kind == DATETIME_TIME) {
        *end++ = 'T';
    }
    end = put_datetime(end, a);
    if (a->kind == DATETIME_DATETIME && a->part < PART_HOUR) {
        *end++ = 'T';
    }
    *end = '\0';
    return (size_t)(end - out);
}
