#include "gateway/ehr/budget.h"

static const int64_t minute_us = INT64_C(60) * 1000000;

/* `burst` at once and then one every interval: at most burst + (60 s - 1 us) / interval within any
 * 60 seconds, which is per_minute. */
static struct rate rate_of(uint64_t per_minute)
{
    uint64_t burst = per_minute / 4 > 0 ? per_minute / 4 : 1;
    uint64_t even = per_minute - burst + 1;
    int64_t interval = (minute_us + (int64_t)even - 1) / (int64_t)even;
    return (struct rate){
        .interval_us = interval, .tolerance_us = (int64_t)(burst - 1) * interval, .due_us = 0};
}

/* When it may go; now or earlier: now. */
static int64_t rate_next(const struct rate *rate)
{
    return rate->due_us - rate->tolerance_us;
}

static void rate_take(struct rate *rate, int64_t now_us)
{
    rate->due_us = (rate->due_us > now_us ? rate->due_us : now_us) + rate->interval_us;
}

void budget_init(struct budget *budget, uint64_t per_minute, uint64_t writes_per_minute,
                 uint64_t parallel)
{
    *budget = (struct budget){
        .all = rate_of(per_minute), .writes = rate_of(writes_per_minute), .parallel = parallel};
}

void budget_catch_up(struct budget *budget, uint64_t per_minute, int64_t now_us)
{
    budget->catch_up = rate_of(per_minute);
    /* As if a burst had just gone: the first is due after one interval. */
    budget->catch_up.due_us = now_us + budget->catch_up.tolerance_us + budget->catch_up.interval_us;
    budget->catching_up = true;
}

/* Nothing is owed any more: less came than the rate lets go. */
static void end_catch_up(struct budget *budget, int64_t now_us)
{
    if (budget->catching_up && budget->catch_up.due_us <= now_us) {
        budget->catching_up = false;
    }
}

bool budget_take(struct budget *budget, bool is_write, int64_t now_us, int64_t *wait_until_us_out)
{
    if (budget->under_way >= budget->parallel) {
        *wait_until_us_out = INT64_MAX;
        return false;
    }
    int64_t next = rate_next(&budget->all);
    end_catch_up(budget, now_us);
    if (budget->catching_up && rate_next(&budget->catch_up) > next) {
        next = rate_next(&budget->catch_up);
    }
    if (is_write && rate_next(&budget->writes) > next) {
        next = rate_next(&budget->writes);
    }
    if (next > now_us) {
        *wait_until_us_out = next;
        return false;
    }
    rate_take(&budget->all, now_us);
    if (budget->catching_up) {
        rate_take(&budget->catch_up, now_us);
    }
    if (is_write) {
        rate_take(&budget->writes, now_us);
    }
    budget->under_way++;
    return true;
}

void budget_done(struct budget *budget)
{
    budget->under_way--;
}

uint64_t lanes_turn(struct lanes *lanes, struct slice lane)
{
    uint64_t *last = &lanes->last[slice_hash(lane) % LANES];
    *last = (*last > lanes->now ? *last : lanes->now) + 1;
    return *last;
}

void lanes_go(struct lanes *lanes, uint64_t turn)
{
    if (turn > lanes->now) {
        lanes->now = turn;
    }
}
