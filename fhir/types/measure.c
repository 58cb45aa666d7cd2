#include "fhir/types/measure.h"

#include "fhir/types/ucum.h"

struct alias {
    struct slice text;
    struct slice code;
    bool weight;
    bool height;
};

static const struct alias aliases[] = {
#define ALIAS(text, code, weight, height)                                                          \
    {{text, sizeof(text) - 1}, {code, sizeof(code) - 1}, weight, height},
#include "fhir/types/measure_units.def"
#undef ALIAS
};
enum { ALIASES = sizeof aliases / sizeof *aliases };

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool equal_but_case(struct slice text, struct slice lower_case)
{
    if (text.len != lower_case.len) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (lower(text.at[i]) != lower_case.at[i]) {
            return false;
        }
    }
    return true;
}

/* Space around, case and one full stop behind do not count: "Lbs. " is "lbs". */
static const struct alias *find_alias(struct slice unit)
{
    unit = slice_trim(unit);
    if (slice_ends_with(unit, SLICE("."))) {
        unit.len--;
    }
    for (size_t i = 0; i < ALIASES; i++) {
        if (equal_but_case(unit, aliases[i].text)) {
            return &aliases[i];
        }
    }
    return NULL;
}

struct slice measure_unit_code(struct slice unit)
{
    const struct alias *alias = find_alias(unit);
    return alias != NULL ? alias->code : SLICE_NONE;
}

static enum status convert(struct decimal value, const struct alias *alias, struct slice target,
                           struct decimal *out)
{
    struct ucum_unit from;
    struct ucum_unit to;
    if (slice_equal(alias->code, target)) { /* the commonest case, at once */
        *out = value;
        return STATUS_OK;
    }
    enum status status = ucum_parse(alias->code, &from);
    if (status == STATUS_OK) {
        status = ucum_parse(target, &to);
    }
    return status == STATUS_OK ? ucum_convert(value, &from, &to, out) : status;
}

enum status measure_weight_kg(struct decimal value, struct slice unit, struct diag_list *diags,
                              struct span span, struct decimal *kilograms_out)
{
    const struct alias *alias = find_alias(unit);
    if (alias != NULL && alias->weight) {
        return convert(value, alias, SLICE("kg"), kilograms_out);
    }
    if (diags != NULL) {
        struct diag *diag = diag_add(diags, DIAG_MEASURE_UNIT, span,
                                     "\"%.*s\" is no unit of weight", SLICE_ARGS(unit));
        diag_hint(diags, diag, "units of weight are kg, g, [lb_av] and [oz_av]");
    }
    return STATUS_INVALID;
}

enum status measure_height_cm(struct decimal value, struct slice unit, struct diag_list *diags,
                              struct span span, struct decimal *centimetres_out)
{
    const struct alias *alias = find_alias(unit);
    if (alias != NULL && alias->height) {
        return convert(value, alias, SLICE("cm"), centimetres_out);
    }
    if (diags != NULL) {
        struct diag *diag = diag_add(diags, DIAG_MEASURE_UNIT, span,
                                     "\"%.*s\" is no unit of height", SLICE_ARGS(unit));
        diag_hint(diags, diag, "units of height are cm, m, mm, [in_i], [in_us] and [ft_i]");
    }
    return STATUS_INVALID;
}
