#include "gateway/mapping/eval.h"

static enum status date_of(struct eval *e, const struct expr *expr, struct datetime *date_out)
{
    struct slice text = SLICE_NONE;
    enum status status = evaluate_text(e, expr, &text);
    if (status == STATUS_OK &&
        datetime_parse(slice_part(text, 0, 10), FORM_FHIR_DATE, date_out, NULL) != STATUS_OK) {
        diag_add(e->diags, DIAG_MAPPING_EVALUATION, expr->span, "a timer runs from a date");
        return STATUS_INVALID;
    }
    return status;
}

/* No date to run from: no timer. `unless` not known: the timer stands, for a person to look. */
enum status evaluate_timers(struct eval *e)
{
    const struct mapping *m = e->mapping;
    struct evaluation_result *result = e->result;
    result->timers = ARENA_ARRAY(e->arena, m->timer_count + 1, struct timer_due);
    for (size_t i = 0; i < m->timer_count; i++) {
        const struct timer_rule *rule = &m->timers[i];
        struct timer_due due = {.id = rule->id, .make = rule->make};
        enum truth unless = TRUTH_FALSE;
        enum status status = date_of(e, &rule->from, &due.date);
        if (status == STATUS_ABSENT) {
            continue;
        }
        if (status == STATUS_OK && rule->unless != NULL) {
            status = evaluate_truth(e, rule->unless, &unless);
        }
        if (status != STATUS_OK) {
            return status;
        }
        if (unless != TRUTH_TRUE &&
            datetime_add(&due.date, (int64_t)rule->wait, rule->unit, &due.date) == STATUS_OK) {
            result->timers[result->timer_count++] = due;
        }
    }
    return STATUS_OK;
}
