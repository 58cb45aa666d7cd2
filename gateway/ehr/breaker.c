#include "gateway/ehr/breaker.h"

void breaker_init(struct breaker *breaker, uint64_t first_ms, uint64_t most_ms)
{
    *breaker = (struct breaker){.first_us = (int64_t)first_ms * 1000,
                                .most_us = (int64_t)most_ms * 1000,
                                .condition = EHR_NEW};
}

enum breaker_gate breaker_gate(const struct breaker *breaker, int64_t now_us)
{
    if (now_us < breaker->until_us) {
        return BREAKER_PAUSED;
    }
    if (breaker->condition == EHR_NEW || breaker->condition == EHR_WELL) {
        return BREAKER_OPEN;
    }
    return breaker->trial ? BREAKER_WAIT : BREAKER_TRIAL;
}

void breaker_try(struct breaker *breaker)
{
    breaker->trial = true;
}

/* first * 2^n, at most most; of that, a random part between a half and the whole. */
static int64_t backoff(const struct breaker *breaker, uint64_t chance)
{
    int64_t pause = breaker->first_us;
    for (unsigned i = 1; i < breaker->pauses && pause < breaker->most_us; i++) {
        pause *= 2;
    }
    if (pause > breaker->most_us) {
        pause = breaker->most_us;
    }
    return pause - (int64_t)(chance % (uint64_t)(pause / 2 + 1));
}

static enum breaker_change pause_as(struct breaker *breaker, enum ehr_condition condition,
                                    int64_t wait_us, int64_t now_us, uint64_t chance)
{
    bool was_well = breaker->condition == EHR_WELL || breaker->condition == EHR_NEW;
    /* What was under way when the pause began says nothing new. */
    if (!was_well && now_us < breaker->until_us && condition != EHR_ASKED) {
        return BREAKER_SAME;
    }
    breaker->pauses++;
    int64_t own = backoff(breaker, chance);
    int64_t pause = wait_us > own || condition == EHR_ASKED ? wait_us : own;
    if (condition == EHR_ASKED && wait_us == 0) {
        pause = own;
    }
    int64_t until = now_us + pause;
    breaker->until_us = until > breaker->until_us ? until : breaker->until_us;
    bool changed = breaker->condition != condition;
    breaker->condition = condition;
    breaker->trial = false;
    return changed ? BREAKER_RAISED : BREAKER_SAME;
}

enum breaker_change breaker_note(struct breaker *breaker, enum breaker_event event, int64_t wait_us,
                                 int64_t now_us, uint64_t chance)
{
    switch (event) {
    case BREAKER_SILENT:
        breaker->trial = false;
        return BREAKER_SAME;
    case BREAKER_WELL: {
        /* An answer to a call from before the pause does not end it. */
        if (now_us < breaker->until_us) {
            return BREAKER_SAME;
        }
        bool changed = breaker->condition != EHR_WELL && breaker->condition != EHR_NEW;
        breaker->condition = EHR_WELL;
        breaker->failures = 0;
        breaker->pauses = 0;
        breaker->trial = false;
        return changed ? BREAKER_CLEARED : BREAKER_SAME;
    }
    case BREAKER_FAILED:
        breaker->failures++;
        if (breaker->failures < BREAKER_FAILURES && breaker->condition != EHR_FAILING &&
            breaker->condition != EHR_LOCKED && breaker->condition != EHR_ASKED) {
            return BREAKER_SAME;
        }
        return pause_as(breaker, EHR_FAILING, wait_us, now_us, chance);
    case BREAKER_ASKED:
        return pause_as(breaker, EHR_ASKED, wait_us, now_us, chance);
    case BREAKER_LOCKED:
        return pause_as(breaker, EHR_LOCKED, wait_us, now_us, chance);
    }
    return BREAKER_SAME;
}

int64_t breaker_retry_at(const struct breaker *breaker, int64_t now_us)
{
    int64_t own = now_us + breaker->first_us;
    return breaker->until_us > own ? breaker->until_us : own;
}
