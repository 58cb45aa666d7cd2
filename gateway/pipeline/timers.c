#include "gateway/pipeline/steps.h"

enum { MINUTE = 60, DAY = 24 * 60 * MINUTE, DETAIL_MOST = 4096 };

/* When the calendar day begins where the EHR stands. */
static int64_t beginning_of(const struct datetime *date, const struct zone *zone)
{
    int64_t local = clock_days(date->year, date->month, date->day) * DAY;
    int64_t at = local - (int64_t)zone_offset_minutes(zone, local) * MINUTE;
    at = local - (int64_t)zone_offset_minutes(zone, at) * MINUTE;
    return at * 1000000;
}

static void hand_over(const struct planning *planning, struct planned *planned, struct slice make)
{
    struct arena *arena = planning->arena;
    bool review = planned->outcome == WORK_HANDED_OVER && planned->reason == REASON_REVIEW;
    bool another = planned->outcome == WORK_HANDED_OVER && planned->reason == REASON_TIMER;
    if (review || another) { /* both are told */
        planned->detail =
            arena_printf(arena, "%.*s, %.*s", SLICE_ARGS(planned->detail), SLICE_ARGS(make));
        return;
    }
    planned->outcome = WORK_HANDED_OVER;
    planned->reason = REASON_TIMER;
    planned->detail = make;
}

void plan_timers(const struct planning *planning, struct planned *planned)
{
    const struct evaluation_result *result = planning->result;
    if (planned->outcome == WORK_HELD || planned->outcome == WORK_DROPPED) {
        return; /* nothing stands that could be waited for; a held visit is looked at anyway */
    }
    struct visit_timer *timers =
        ARENA_ARRAY(planning->arena, result->timer_count + 1, struct visit_timer);
    for (size_t i = 0; i < result->timer_count; i++) {
        const struct timer_due *timer = &result->timers[i];
        timers[i] =
            (struct visit_timer){timer->id, beginning_of(&timer->date, planning->ehr->timezone)};
        if (timers[i].due <= planning->evaluation->at) {
            hand_over(planning, planned, timer->make);
        }
    }
    planned->timers = timers;
    planned->timer_count = result->timer_count;
}
