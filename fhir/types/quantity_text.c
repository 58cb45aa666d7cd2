/* Quantities from FHIR and from and to text. */
#include "fhir/types/quantity.h"

struct quantity quantity_of_fhir(struct decimal value, struct slice system, struct slice code,
                                 struct slice unit)
{
    /* FHIR R4 fhirpath.html#quantity: these codes of UCUM stand for the calendar durations. */
    static const struct {
        struct slice code;
        struct slice word;
    } durations[] = {{{"a", 1}, {"year", 4}},     {{"mo", 2}, {"month", 5}},
                     {{"d", 1}, {"day", 3}},      {{"h", 1}, {"hour", 4}},
                     {{"min", 3}, {"minute", 6}}, {{"s", 1}, {"second", 6}}};
    if (code.len == 0) {
        code = unit;
    } else if (slice_is(system, "http://unitsofmeasure.org")) {
        for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
            if (slice_equal(code, durations[i].code)) {
                return (struct quantity){value, durations[i].word, true};
            }
        }
    }
    return code.len > 0 ? (struct quantity){value, code, false} : quantity_of_number(value);
}

static bool is_in_number(char c)
{
    return (c >= '0' && c <= '9') || c == '.' || c == '+' || c == '-';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

enum status quantity_parse(struct slice text, struct quantity *quantity_out)
{
    size_t end = 0;
    while (end < text.len && is_in_number(text.at[end])) {
        end++;
    }
    struct decimal value;
    enum status status = decimal_parse_plain(slice_part(text, 0, end), &value);
    if (status != STATUS_OK) {
        return status;
    }
    size_t start = end;
    while (start < text.len && is_space(text.at[start])) {
        start++;
    }
    struct slice unit = slice_part(text, start, text.len);
    if (unit.len == 0) {
        *quantity_out = quantity_of_number(value);
        return start == end ? STATUS_OK : STATUS_INVALID;
    }
    if (unit.at[0] != '\'') {
        bool is_word = start > end && calendar_unit_of(unit) != CALENDAR_NONE;
        if (is_word) {
            *quantity_out = (struct quantity){value, unit, true};
        }
        return is_word ? STATUS_OK : STATUS_INVALID;
    }
    if (unit.len < 3 || slice_find(unit, SLICE("'"), 1) != unit.len - 1) {
        return STATUS_INVALID;
    }
    *quantity_out = (struct quantity){value, slice_part(unit, 1, unit.len - 2), false};
    return STATUS_OK;
}

size_t quantity_print(const struct quantity *a, char out[QUANTITY_TEXT])
{
    size_t len = decimal_print(a->value, out);
    size_t room = QUANTITY_TEXT - len - sizeof " ''";
    struct slice unit = slice_part(a->unit, 0, room);
    out[len++] = ' ';
    if (!a->is_word) {
        out[len++] = '\'';
    }
    memcpy(out + len, unit.at, unit.len);
    len += unit.len;
    if (!a->is_word) {
        out[len++] = '\'';
    }
    out[len] = '\0';
    return len;
}
