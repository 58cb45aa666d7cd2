/*
 * An EHR that may know more than the store (after `restore` and `rebase`): nothing is written to it
 * before each open item was looked up there (INVARIANTS.md S19). Page by page: the items of a page
 * are asked for at once, and what was found is saved in one transaction, which says when it was the
 * last. Items are not touched: the next evaluation reads them as they stand, and an open write
 * looks before it is sent.
 */
#include "gateway/pipeline/steps.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/plan/plan_diff.h"
#include "gateway/writeback/delivery.h"
#include "gateway/writeback/look_up.h"

enum { PAGE_MOST = 16, ROUND_ARENA = 64 * 1024 * 1024, LOOK_ARENA = 16 * 1024 * 1024 };

struct round;

/* One item on its way. */
struct look {
    struct round *round;
    const struct item *item;
    struct arena *arena;
    struct change change; /* as look_up.h wants it: the item, and no body */
    struct ehr_request request;
    enum look_up_way way;
};

/* One page. */
struct round {
    struct lane *lane;
    struct arena *arena; /* of the page, and of what is saved */
    struct unreconciled page;
    struct look *looks;
    struct item_finding *findings;
    atomic_size_t waiting; /* looks that have no end yet, and one for who begins them */
    atomic_bool again;     /* one could not be told: the page is asked for again */
    _Atomic int64_t not_before;
    struct store_save_findings save;
};

/* ---- the end of a page ---- */

static void round_destroy(struct round *round)
{
    for (size_t i = 0; i < round->page.items.count; i++) {
        arena_destroy(&round->looks[i].arena);
    }
    arena_destroy(&round->arena);
    free(round);
}

/* The lane may be gone behind this. */
static void round_end(struct round *round)
{
    struct lane *lane = round->lane;
    round_destroy(round);
    atomic_store(&lane->reconciling.under_way, false);
}

static void next_round(struct lane *lane);

static void log_end(const struct lane *lane, const struct reconciliation *reached)
{
    char detail[240];
    size_t len = 0;
    uint64_t count = 0;
    for (int i = 0; i < FINDING_COUNT; i++) {
        count += reached->found[i];
        len +=
            (size_t)snprintf(detail + len, sizeof detail - len, "%s%llu %s", i == 0 ? "" : ", ",
                             (unsigned long long)reached->found[i], finding_name((enum finding)i));
    }
    LOG(lane->pipeline->options.log, LOG_INFO, "reconciled",
        LOG_SLICE(EHR, ehr_config(lane->ehr)->name), LOG_NUMBER(COUNT, count),
        LOG_SLICE(DETAIL, slice_from(detail, len)));
}

static void saved(struct store_tx *tx, void *arg)
{
    struct round *round = arg;
    struct lane *lane = round->lane;
    bool on = round->save.out.reached.on;
    if (tx->status != STATUS_OK) {
        round_end(round); /* the timer comes again */
        return;
    }
    atomic_store(&lane->reconciling.tries, 0);
    if (on && !atomic_load(&lane->pipeline->stopped)) {
        round_destroy(round);
        next_round(lane);
        return;
    }
    if (!on) {
        log_end(lane, &round->save.out.reached);
        pipeline_wake(lane->pipeline); /* what waited for it may be written */
    }
    round_end(round);
}

static void put_off(struct round *round)
{
    struct lane *lane = round->lane;
    struct pipeline *p = lane->pipeline;
    unsigned tries = atomic_fetch_add(&lane->reconciling.tries, 1) + 1;
    int64_t at =
        delivery_backoff(ehr_config(lane->ehr), p->options.clock, p->options.random, tries);
    int64_t asked = atomic_load(&round->not_before);
    atomic_store(&lane->reconciling.not_before, asked > at ? asked : at);
    round_end(round);
}

static void look_ended(struct round *round)
{
    if (atomic_fetch_sub(&round->waiting, 1) != 1) {
        return;
    }
    if (atomic_load(&round->again)) {
        put_off(round);
        return;
    }
    round->save = (struct store_save_findings)STORE_TX(SAVE_FINDINGS);
    round->save.tx.arena = round->arena;
    round->save.in.ehr = ehr_config(round->lane->ehr)->name;
    round->save.in.after = round->page.after;
    round->save.in.last = round->page.last;
    round->save.in.at = round->findings;
    round->save.in.count = round->page.items.count;
    if (store_submit(round->lane->pipeline->options.store, &round->save.tx, saved, round) !=
        STATUS_OK) {
        round_end(round); /* the timer comes again */
    }
}

/* ---- one item ---- */

static void found(struct look *look, enum finding finding)
{
    struct round *round = look->round;
    round->findings[look - round->looks].finding = finding;
    look_ended(round);
}

/* An EHR that answers something else each time is not asked for ever: a person looks. */
static void later(struct look *look, const struct ehr_answer *answer)
{
    struct lane *lane = look->round->lane;
    if (answer != NULL && answer->outcome == EHR_UNREADABLE &&
        atomic_load(&lane->reconciling.tries) + 1 >= ehr_config(lane->ehr)->retry.tries) {
        found(look, FINDING_HELD);
        return;
    }
    if (answer != NULL && answer->not_before > atomic_load(&look->round->not_before)) {
        atomic_store(&look->round->not_before, answer->not_before);
    }
    atomic_store(&look->round->again, true);
    look_ended(look->round);
}

static const struct ability *abilities(const struct look *look, struct ability *ability)
{
    return ehr_ability(look->round->lane->ehr, look->item->resource_type.at, ability) == STATUS_OK
               ? ability
               : NULL;
}

/* What is to be done with an answer: tell it, ask in another way, or ask later. */
enum told { TOLD, TOLD_NEXT_WAY, TOLD_LATER };

struct telling {
    struct look *look;
    const struct ehr_answer *answer;
    enum told told;
    enum finding finding;
};

static bool is_as_left(struct look *look, const struct ehr_answer *answer)
{
    const struct item *item = look->item;
    struct diag_list unheard;
    const struct json *base = NULL;
    if (item->ehr_version.len != 0 && slice_equal(item->ehr_version, answer->version)) {
        return true;
    }
    diag_init(&unheard, look->arena, 1);
    return json_parse(look->arena, source_create(look->arena, SLICE("base"), item->base),
                      &LIMITS_DEFAULT, &unheard, &base) == STATUS_OK &&
           !plan_diff_touched(look->arena, base, answer->resource);
}

static enum status tell_read(void *arg)
{
    struct telling *telling = arg;
    const struct ehr_answer *answer = telling->answer;
    switch (answer->outcome) {
    case EHR_DONE:
        telling->told = answer->resource != NULL ? TOLD : TOLD_LATER;
        if (answer->resource != NULL) {
            telling->finding =
                is_as_left(telling->look, answer) ? FINDING_AS_LEFT : FINDING_CHANGED;
        }
        break;
    case EHR_ABSENT:
        telling->finding = FINDING_NONE;
        break;
    case EHR_AGAIN:
    case EHR_UNAUTHORIZED:
    case EHR_UNKNOWN:
    case EHR_UNREADABLE:
        telling->told = TOLD_LATER;
        break;
    default:
        telling->finding = FINDING_HELD;
    }
    return STATUS_OK;
}

static enum status tell_found(void *arg)
{
    struct telling *telling = arg;
    struct look *look = telling->look;
    const struct ehr_answer *answer = telling->answer;
    struct look_up_found ours = {.count = 0};
    bool unread = answer->outcome == EHR_UNREADABLE && answer->fault != EHR_FAULT_FILTER_IGNORED;
    if (answer->outcome == EHR_AGAIN || answer->outcome == EHR_UNAUTHORIZED || unread) {
        telling->told = TOLD_LATER;
    } else if (answer->fault == EHR_FAULT_POLICY || answer->fault == EHR_FAULT_MERGED) {
        telling->finding = FINDING_HELD;
    } else if (!look_up_read(look->arena, look->way, answer, &look->change, NULL, &ours)) {
        telling->told = TOLD_NEXT_WAY;
    } else {
        telling->finding = ours.count == 0   ? FINDING_NONE
                           : ours.count == 1 ? FINDING_WRITTEN
                                             : FINDING_HELD;
    }
    return STATUS_OK;
}

static void ask_way(struct look *look, enum look_up_way way);

static void answered(struct ehr_answer *answer, void *arg)
{
    struct look *look = arg;
    struct ability ability;
    struct telling telling = {look, answer, TOLD, FINDING_HELD};
    bool read = look->request.verb == EHR_READ;
    if (arena_run(look->arena, read ? tell_read : tell_found, &telling) != STATUS_OK) {
        telling.told = TOLD;
        telling.finding = FINDING_HELD; /* larger than anything we write */
    }
    if (telling.told == TOLD_LATER) {
        later(look, answer);
    } else if (telling.told == TOLD_NEXT_WAY) {
        ask_way(look, look_up_next(look->way, abilities(look, &ability)));
    } else {
        found(look, telling.finding);
    }
}

static void ask(struct look *look)
{
    look->request.type = look->item->resource_type;
    look->request.lane = look->item->of.patient;
    if (ehr_call(look->round->lane->ehr, &look->request, answered, look) != STATUS_OK) {
        later(look, NULL);
    }
}

static enum status make_request(void *arg)
{
    struct look *look = arg;
    struct ability ability;
    look->request =
        look_up_request(look->arena, look->way, &look->change, NULL, abilities(look, &ability));
    return STATUS_OK;
}

static void ask_way(struct look *look, enum look_up_way way)
{
    look->way = way;
    if (way == LOOK_UP_NONE || arena_run(look->arena, make_request, look) != STATUS_OK) {
        found(look, FINDING_HELD);
        return;
    }
    ask(look);
}

static void look_begin(struct look *look)
{
    struct ability ability;
    if (look->item->ehr_id.len != 0) {
        look->request = (struct ehr_request){.verb = EHR_READ, .id = look->item->ehr_id};
        ask(look);
    } else {
        ask_way(look, look_up_first(abilities(look, &ability)));
    }
}

/* ---- a page ---- */

static enum status read_page(void *arg)
{
    struct round *round = arg;
    const struct lane *lane = round->lane;
    enum status status =
        store_read_unreconciled(lane->pipeline->options.store, round->arena,
                                ehr_config(lane->ehr)->name, PAGE_MOST, &round->page);
    if (status != STATUS_OK) {
        return status;
    }
    size_t count = round->page.items.count;
    round->looks = ARENA_ARRAY(round->arena, count + 1, struct look);
    round->findings = ARENA_ARRAY(round->arena, count + 1, struct item_finding);
    for (size_t i = 0; i < count; i++) {
        const struct item *item = &round->page.items.at[i];
        round->findings[i] = (struct item_finding){.item = item};
        round->looks[i] = (struct look){
            .round = round,
            .item = item,
            .arena = arena_create(LOOK_ARENA),
            .change = {.ehr = item->of.ehr, .patient = item->of.patient, .item = *item}};
        status = round->looks[i].arena != NULL ? status : STATUS_NO_MEMORY;
    }
    return status;
}

static void round_begin(void *arg)
{
    struct round *round = arg;
    struct lane *lane = round->lane;
    enum status status = arena_run(round->arena, read_page, round);
    bool elsewhere =
        status == STATUS_OK && !slice_equal(round->page.base_url, ehr_config(lane->ehr)->base_url);
    if (status == STATUS_ABSENT) {
        atomic_store(&lane->reconciling.on, false);
    }
    if (status != STATUS_OK || elsewhere) { /* it moved: the next start asks it where it is now */
        round_end(round);
        return;
    }
    atomic_store(&round->waiting, round->page.items.count + 1);
    for (size_t i = 0; i < round->page.items.count; i++) {
        look_begin(&round->looks[i]);
    }
    look_ended(round);
}

/* Under way: from here to round_end(). */
static void next_round(struct lane *lane)
{
    struct round *round = calloc(1, sizeof *round);
    struct arena *arena = arena_create(ROUND_ARENA);
    if (round == NULL || arena == NULL) {
        free(round);
        arena_destroy(&arena);
        atomic_store(&lane->reconciling.under_way, false);
        return; /* the timer comes again */
    }
    *round = (struct round){.lane = lane, .arena = arena};
    pipeline_submit(lane->pipeline, round_begin, round);
}

void reconciliation_wake(struct lane *lane)
{
    struct reconciling *state = &lane->reconciling;
    if (atomic_load(&state->on) &&
        clock_utc(lane->pipeline->options.clock) >= atomic_load(&state->not_before) &&
        !atomic_exchange(&state->under_way, true)) {
        next_round(lane);
    }
}
