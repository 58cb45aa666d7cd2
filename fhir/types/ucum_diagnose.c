/* What to say about a unit that is not known. */
#include "fhir/types/measure.h"
#include "fhir/types/quantity.h"
#include "fhir/types/ucum_terms.h"

struct slice ucum_nearest(struct slice code)
{
    struct slice alias = measure_unit_code(code);
    if (alias.len > 0 && !slice_equal(alias, code)) {
        return alias;
    }
    return slice_nearest(code, ucum_codes, ucum_code_count);
}

void ucum_diagnose(struct diag_list *diags, struct span span, struct slice code)
{
    struct ucum_terms terms;
    enum status status = ucum_read_terms(code, &terms);
    if (status == STATUS_LIMIT) {
        diag_add(diags, DIAG_UNIT_UNKNOWN, span, "the unit \"%.*s\" is too long or too large",
                 SLICE_ARGS(code));
        return;
    }
    if (status == STATUS_OK) {
        struct diag *diag = diag_add(diags, DIAG_UNIT_UNKNOWN, span,
                                     "the unit \"%.*s\" cannot be used here", SLICE_ARGS(code));
        diag_hint(diags, diag, "Cel and [degF] cannot be multiplied or divided; use K");
        return;
    }
    bool whole = slice_equal(terms.unknown, code);
    struct diag *diag;
    if (whole) {
        diag = diag_add(diags, DIAG_UNIT_UNKNOWN, span,
                        "\"%.*s\" is no UCUM unit that is known here", SLICE_ARGS(code));
    } else {
        diag = diag_add(diags, DIAG_UNIT_UNKNOWN, span,
                        "\"%.*s\" in the unit \"%.*s\" is no UCUM unit that is known here",
                        SLICE_ARGS(terms.unknown), SLICE_ARGS(code));
    }
    struct slice nearest = ucum_nearest(code);
    if (nearest.len == 0) {
        nearest = ucum_nearest(terms.unknown);
    }
    if (nearest.len > 0) {
        diag_hint(diags, diag, "did you mean \"%.*s\"?", SLICE_ARGS(nearest));
    } else if (calendar_unit_of(code) != CALENDAR_NONE) {
        diag_hint(diags, diag, "write the calendar word without quotes: %.*s", SLICE_ARGS(code));
    }
}
