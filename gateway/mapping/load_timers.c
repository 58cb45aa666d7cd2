#include "gateway/mapping/load.h"

/*
 * Timers: what no arriving resource will ever trigger ("nobody accepted within two weeks"). A timer
 * makes an item of the work list for a person, and never a resource.
 */

static void read_id(struct loader *l, const struct yaml *node, void *target)
{
    ((struct timer_rule *)target)->id = load_word(l, node);
}

static void read_from(struct loader *l, const struct yaml *node, void *target)
{
    struct timer_rule *timer = target;
    if (!load_expr(l, node, &timer->from)) {
        return;
    }
    const struct path_type *type = path_expr_type(timer->from.path);
    if (!path_type_may_be_system(type, PATH_DATE) &&
        !path_type_may_be_system(type, PATH_DATETIME)) {
        load_fault(l, DIAG_MAPPING_VALUE, node->span, "a timer runs from a date, and this is %.*s",
                   SLICE_ARGS(path_type_text(l->arena, type)));
    }
}

/* "6 weeks". */
static void read_wait(struct loader *l, const struct yaml *node, void *target)
{
    struct timer_rule *timer = target;
    struct slice rest = load_text(l, node);
    struct slice number = SLICE_NONE;
    bool good = slice_cut(&rest, ' ', &number) && slice_to_u64(number, &timer->wait) &&
                timer->wait != 0 && timer->wait <= 1000;
    timer->unit = good ? calendar_unit_of(rest) : CALENDAR_NONE;
    if (timer->unit == CALENDAR_NONE || timer->unit > CALENDAR_DAY) {
        struct diag *diag = load_fault(l, DIAG_MAPPING_VALUE, node->span,
                                       "a timer waits for days, weeks, months or years");
        diag_hint(l->diags, diag, "write 6 weeks");
    }
}

static void read_unless(struct loader *l, const struct yaml *node, void *target)
{
    struct timer_rule *timer = target;
    struct expr *expr = ARENA_NEW(l->arena, struct expr);
    if (!load_expr(l, node, expr)) {
        return;
    }
    if (!path_type_may_be_system(path_expr_type(expr->path), PATH_BOOLEAN)) {
        load_fault(l, DIAG_MAPPING_VALUE, node->span,
                   "`unless` is true or false, and this expression is neither");
    }
    timer->unless = expr;
}

static void read_make(struct loader *l, const struct yaml *node, void *target)
{
    ((struct timer_rule *)target)->make = load_name(l, node);
    load_check_words(l, ((struct timer_rule *)target)->make, node->span);
}

void load_timers(struct loader *l, const struct yaml *node)
{
    static const struct field fields[] = {{"id", true, read_id},
                                          {"from", true, read_from},
                                          {"wait", true, read_wait},
                                          {"unless", false, read_unless},
                                          {"make", true, read_make}};
    struct mapping *m = l->mapping;
    for (const struct yaml *it = load_is(l, node, YAML_LIST) ? node->first : NULL; it != NULL;
         it = it->next) {
        struct timer_rule timer = {.span = it->span};
        load_map(l, it, fields, sizeof fields / sizeof *fields, &timer);
        for (size_t i = 0; i < m->timer_count; i++) {
            if (timer.id.len != 0 && slice_equal(m->timers[i].id, timer.id)) {
                load_fault(l, DIAG_MAPPING_DUPLICATE, it->span,
                           "the timer \"%.*s\" stands in %.*s already", SLICE_ARGS(timer.id),
                           SLICE_ARGS(load_place(l, m->timers[i].span)));
            }
        }
        LOAD_ADD(l, m->timers, m->timer_count, timer);
    }
}
