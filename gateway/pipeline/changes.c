#include "gateway/pipeline/steps.h"

#include "gateway/plan/dress.h"
#include "gateway/plan/plan_diff.h"

/*
 * From an evaluation's result to the rows of the outbox (DESIGN.md 2, plan diff;
 * decisions/adr-2611-life-of-a-plan.md):
 * - at most one open draft of ours for a child: a draft of another plan, or one whose ground is
 * gone, is withdrawn first, and everything else waits for that;
 * - a plan of which a person accepted or edited anything is never withdrawn or replaced: the child
 * is handed over; one that is still a draft is merged into;
 * - a plan that a person ended stays ended, until the event that the EHR's file names;
 * - no write when the mapping wants what it wanted last.
 */

enum { CHANGES_MOST = 128, SECONDS_OF_DAY = 86400 };

struct planner {
    const struct planning *in;
    struct items items; /* of the patient, as we know them */
    struct change *changes;
    size_t count;
    uint32_t order;     /* of the latest change */
    uint32_t withdrawn; /* order of the last withdrawal: what follows waits for it */
    uint32_t episode;
    struct slice invalid;        /* key of a resource that is no valid FHIR; empty: none */
    enum item_life touched;      /* of a plan that would have been withdrawn; 0: there is none */
    const struct item *replaced; /* the CarePlan that is withdrawn for this one; NULL: none */
    struct planned *out;
};

static bool is_ours(const struct planner *p, const struct item *item)
{
    return slice_equal(item->of.mapping, mapping_name(p->in->pipeline->options.mapping.mapping));
}

static struct item_key key_of(const struct planner *p, struct slice key, uint32_t episode)
{
    return (struct item_key){.ehr = p->in->ehr->name,
                             .patient = p->in->evaluation->patient,
                             .mapping = mapping_name(p->in->pipeline->options.mapping.mapping),
                             .plan = p->in->result->plan,
                             .key = key,
                             .episode = episode};
}

/* Shadow writes nothing, and pilot only for its departments: the rows are made all the same, and
 * ended. */
static void set_state(const struct planner *p, struct change *change)
{
    bool shadow = p->in->ehr->mode == MODE_SHADOW || !p->in->department_takes_part;
    change->state = shadow ? ROW_DROPPED : ROW_PENDING;
    change->reason = shadow ? REASON_SHADOW : REASON_NONE;
}

/* The end of the visit's calendar day where the EHR stands; UTC microseconds. */
static int64_t end_of_visit(const struct planner *p)
{
    const struct datetime *date = &p->in->visit.date;
    int64_t seconds =
        (datetime_day_number(date->year, date->month, date->day) + 1) * SECONDS_OF_DAY;
    int64_t east = zone_offset_minutes(p->in->ehr->timezone, seconds);
    return (seconds - east * 60) * 1000000;
}

static struct change *add_change(struct planner *p, enum change_kind kind, const struct item *item,
                                 uint32_t after)
{
    if (p->count == CHANGES_MOST) {
        arena_fail(p->in->arena, STATUS_LIMIT);
    }
    struct change *change = &p->changes[p->count++];
    *change = (struct change){.kind = kind, .item = *item, .order = ++p->order, .after = after};
    if (p->in->ehr->expire_ms != 0 && kind != CHANGE_WITHDRAW) {
        change->expires = end_of_visit(p) + (int64_t)p->in->ehr->expire_ms * 1000;
    }
    set_state(p, change);
    return change;
}

/* ---- what persons made of our plans ---- */

static bool is_care_plan(const struct item *item)
{
    return slice_is(item->resource_type, "CarePlan");
}

static bool is_same_plan(const struct item *a, const struct item *b)
{
    return slice_equal(a->of.mapping, b->of.mapping) && slice_equal(a->of.plan, b->of.plan) &&
           a->of.episode == b->of.episode;
}

/* How the plan stands that an item belongs to: a draft as long as every item of it is as we wrote
 * it. A goal that a person ended is an edit of its plan. */
static enum item_life plan_life(const struct planner *p, const struct item *of)
{
    enum item_life life = ITEM_DRAFT;
    for (size_t i = 0; i < p->items.count; i++) {
        const struct item *item = &p->items.at[i];
        if (!is_same_plan(item, of)) {
            continue;
        }
        if (item->life == ITEM_ACCEPTED ||
            (is_care_plan(item) && (item->life == ITEM_REVOKED || item->life == ITEM_ENDED))) {
            return item->life;
        }
        if (item->life == ITEM_EDITED || item->life == ITEM_REVOKED || item->life == ITEM_ENDED) {
            life = ITEM_EDITED;
        }
    }
    return life;
}

/* One that is still open, and a person's. */
static bool is_touched(enum item_life life)
{
    return life == ITEM_ACCEPTED || life == ITEM_EDITED;
}

/* ---- withdrawing ---- */

static bool is_open(const struct planner *p, const struct item *item)
{
    return is_ours(p, item) && item->ehr_id.len != 0 &&
           (item->life == ITEM_DRAFT || is_touched(item->life));
}

static void withdraw_one(struct planner *p, const struct item *item)
{
    enum item_life life = plan_life(p, item);
    if (is_touched(life)) {
        p->touched = p->touched == ITEM_ACCEPTED ? ITEM_ACCEPTED : life;
        return;
    }
    add_change(p, CHANGE_WITHDRAW, item, p->order);
    p->withdrawn = p->order;
    if (is_care_plan(item)) {
        p->replaced = item;
    }
}

/* The CarePlan before what it refers to, so that no plan ever points at goals that were taken back.
 * A plan that a person touched stays, and is told in p->touched. */
static void withdraw(struct planner *p,
                     bool (*which)(const struct planner *p, const struct item *item))
{
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < p->items.count; i++) {
            const struct item *item = &p->items.at[i];
            if (is_open(p, item) && which(p, item) && is_care_plan(item) == (pass == 0)) {
                withdraw_one(p, item);
            }
        }
    }
}

static bool any_item(const struct planner *p, const struct item *item)
{
    (void)p;
    (void)item;
    return true;
}

static bool is_of_other_plan(const struct planner *p, const struct item *item)
{
    return !slice_equal(item->of.plan, p->in->result->plan) || item->of.episode != p->episode;
}

static bool is_wanted(const struct planner *p, const struct item *item)
{
    for (size_t i = 0; i < p->in->result->item_count; i++) {
        if (slice_equal(p->in->result->items[i].key, item->of.key)) {
            return true;
        }
    }
    return false;
}

static bool is_of_no_use(const struct planner *p, const struct item *item)
{
    return !is_of_other_plan(p, item) && !is_wanted(p, item);
}

static bool is_of_this_visit(const struct planner *p, const struct item *item)
{
    struct diag_list unheard;
    const struct json *base = NULL;
    diag_init(&unheard, p->in->arena, 1);
    json_parse(p->in->arena, source_create(p->in->arena, SLICE("base"), item->base),
               &LIMITS_DEFAULT, &unheard, &base);
    struct slice encounter = json_get_text(json_get(base, "encounter"), "reference");
    struct slice start = json_get_text(json_get(base, "period"), "start");
    return slice_equal(encounter, p->in->visit.key) || slice_equal(start, p->in->visit.key);
}

static bool has_draft_of_this_visit(const struct planner *p)
{
    for (size_t i = 0; i < p->items.count; i++) {
        const struct item *item = &p->items.at[i];
        if (is_open(p, item) && is_care_plan(item) && is_of_this_visit(p, item)) {
            return true;
        }
    }
    return false;
}

/* ---- proposing ---- */

static const struct item *known_item(const struct planner *p, struct slice key)
{
    for (size_t i = 0; i < p->items.count; i++) {
        const struct item *item = &p->items.at[i];
        if (is_ours(p, item) && slice_equal(item->of.plan, p->in->result->plan) &&
            slice_equal(item->of.key, key) && item->of.episode == p->episode &&
            (item->life == ITEM_DRAFT || item->life == ITEM_PLANNED || item->life == ITEM_EDITED)) {
            return item;
        }
    }
    return NULL;
}

/* Of any of our plans. */
static const struct item *accepted_item(const struct planner *p)
{
    for (size_t i = 0; i < p->items.count; i++) {
        const struct item *item = &p->items.at[i];
        if (item->life == ITEM_ACCEPTED && plan_life(p, item) == ITEM_ACCEPTED) {
            return item;
        }
    }
    return NULL;
}

/* The EHR's last word on an item, where it was just asked for. */
static enum item_life life_now(const struct planner *p, const struct item *stored)
{
    for (size_t i = 0; i < p->items.count; i++) {
        if (uuid_equal(p->items.at[i].identifier, stored->identifier)) {
            return p->items.at[i].life;
        }
    }
    return stored->life;
}

/* May a plan be proposed again that a person ended? */
static bool may_propose_again(const struct planner *p, const struct item *last)
{
    return p->in->ehr->after_revoke == AFTER_REVOKE_NEW_VISIT && last->visit.len != 0 &&
           !slice_equal(last->visit, p->in->evaluation->visit);
}

/* The episode of this proposal, and whether it may be made: the EHR's last word on this plan
 * counts. */
static enum status find_episode(struct planner *p, bool *ended_by_person_out)
{
    struct item last;
    struct item_key key = key_of(p, SLICE("care-plan"), 0);
    enum status status =
        store_find_item_by_key(p->in->pipeline->options.store, p->in->arena, &key, &last);
    *ended_by_person_out = false;
    p->episode = 1;
    if (status == STATUS_ABSENT) {
        return STATUS_OK;
    }
    if (status == STATUS_OK) {
        enum item_life life = life_now(p, &last);
        bool again = life == ITEM_REVOKED && may_propose_again(p, &last);
        *ended_by_person_out = life == ITEM_REVOKED && !again;
        p->episode =
            last.of.episode + (life == ITEM_WITHDRAWN || life == ITEM_ENDED || again ? 1 : 0);
    }
    return status;
}

static struct item item_of(const struct planner *p, struct slice key, struct slice type)
{
    const struct item *known = known_item(p, key);
    if (known != NULL) {
        return *known;
    }
    struct item item = {
        .of = key_of(p, key, p->episode), .resource_type = type, .life = ITEM_PLANNED};
    item.identifier = dress_identifier(p->in->pipeline->space, &item.of);
    return item;
}

struct resolving {
    const struct planner *planner;
};

static struct slice target_of(void *arg, struct slice key)
{
    const struct planner *p = ((const struct resolving *)arg)->planner;
    struct item item = item_of(p, key, SLICE_NONE);
    return dress_urn(p->in->arena, item.identifier);
}

/*
 * The base as it stands in the EHR refers to items by their ids there; the wanted resource by their
 * identifiers. Both are told in identifiers before they are compared.
 */
static struct slice identifier_of(void *arg, struct slice reference)
{
    const struct planner *p = ((const struct resolving *)arg)->planner;
    for (size_t i = 0; i < p->items.count; i++) {
        const struct item *item = &p->items.at[i];
        if (item->ehr_id.len != 0 && slice_ends_with(reference, item->ehr_id) &&
            slice_starts_with(reference, item->resource_type) &&
            reference.len == item->resource_type.len + 1 + item->ehr_id.len) {
            return dress_urn(p->in->arena, item->identifier);
        }
    }
    return reference;
}

static const struct json *read_stored(struct planner *p, struct slice text)
{
    struct diag_list unheard;
    const struct json *json = NULL;
    diag_init(&unheard, p->in->arena, 1);
    if (text.len != 0) {
        json_parse(p->in->arena, source_create(p->in->arena, SLICE("stored"), text),
                   &LIMITS_DEFAULT, &unheard, &json);
    }
    return json;
}

/* The mapping wants what it wanted last: what a person made of it since is not proposed again. */
static bool is_unchanged(struct planner *p, const struct json *wanted, const struct item *item)
{
    const struct json *last = read_stored(p, item->wanted);
    const struct json *base = read_stored(p, item->base);
    struct slice unused;
    if (last != NULL || base == NULL) {
        return last != NULL && !plan_diff_touched(p->in->arena, last, wanted);
    }
    struct json *copy = json_copy(p->in->arena, base);
    struct resolving resolving = {p};
    dress_references(p->in->arena, copy, SLICE_NONE, identifier_of, &resolving, &unused);
    return plan_diff_unchanged(p->in->arena, wanted, copy);
}

/* Nothing leaves that is no valid FHIR R4: the mapping is at fault, and the child is held. */
static bool is_valid(struct planner *p, const struct json *wanted)
{
    struct diag_list diags;
    diag_init(&diags, p->in->arena, 20);
    return validate_resource(p->in->pipeline->options.mapping.validator, p->in->arena, NULL, wanted,
                             &LIMITS_DEFAULT, &diags) == STATUS_OK;
}

/* A draft that takes the place of another names it; it goes on doing so. */
static void add_replaces(struct planner *p, struct json *wanted, const struct item *item)
{
    const struct json *last = json_get(read_stored(p, item->wanted), "replaces");
    if (!is_care_plan(item) || json_get(wanted, "replaces") != NULL) {
        return;
    }
    if (last != NULL) {
        json_add(p->in->arena, wanted, SLICE("replaces"), json_copy(p->in->arena, last));
    } else if (p->replaced != NULL && item->life == ITEM_PLANNED) {
        struct json *list = json_new_array(p->in->arena);
        struct json *reference = json_new_object(p->in->arena);
        json_add(p->in->arena, reference, SLICE("reference"),
                 json_new_string(p->in->arena, dress_urn(p->in->arena, p->replaced->identifier)));
        json_append(list, reference);
        json_add(p->in->arena, wanted, SLICE("replaces"), list);
    }
}

static void propose_item(struct planner *p, const struct plan_item *planned, uint32_t after)
{
    struct arena *arena = p->in->arena;
    struct item item = item_of(p, planned->key, planned->type);
    struct dress dress = {p->in->result->public_id, p->in->ehr->synthetic};
    struct resolving resolving = {p};
    struct slice unused;
    struct json *wanted = json_copy(arena, planned->resource);
    dress_resource(arena, wanted, item.identifier, &dress);
    dress_references(arena, wanted, SLICE("#item:"), target_of, &resolving, &unused);
    add_replaces(p, wanted, &item);
    if (!is_valid(p, wanted)) {
        p->invalid = planned->key;
        return;
    }
    bool update = item.life == ITEM_DRAFT || item.life == ITEM_EDITED;
    if (update && is_unchanged(p, wanted, &item)) {
        return;
    }
    struct change *change = add_change(p, update ? CHANGE_UPDATE : CHANGE_CREATE, &item, after);
    change->body = json_write(arena, wanted, JSON_COMPACT);
}

static void propose(struct planner *p)
{
    const struct evaluation_result *result = p->in->result;
    for (size_t i = 0; i < result->item_count; i++) {
        bool last = slice_is(result->items[i].type, "CarePlan");
        propose_item(p, &result->items[i], last ? p->order : p->withdrawn);
    }
    if (p->invalid.len != 0) {
        p->count = 0;
        p->out->outcome = WORK_HELD;
        p->out->reason = REASON_EVALUATION_FAILED;
        p->out->detail = p->invalid;
        return;
    }
    withdraw(p, is_of_no_use); /* behind the CarePlan that no longer refers to them */
    p->out->outcome = p->count != 0 ? WORK_PLANNED : WORK_DONE;
    p->out->reason = p->count != 0 ? REASON_NONE : REASON_UNCHANGED;
}

/* ---- what each outcome means ---- */

static void hand_over(struct planner *p, enum reason reason, struct slice detail)
{
    p->out->outcome = WORK_HANDED_OVER;
    p->out->reason = reason;
    p->out->detail = detail;
}

/* A plan of a person's stands: what we would have done with it is for a clinician to decide. */
static void review(struct planner *p, enum item_life life, const char *instead)
{
    hand_over(p, REASON_REVIEW,
              arena_printf(p->in->arena, "%s, %s", item_life_name(life), instead));
}

/* Nothing is proposed any more: drafts are taken back, and a person's plan is reviewed. */
static void settle_without_plan(struct planner *p, enum work_state outcome, enum reason reason,
                                struct slice detail)
{
    withdraw(p, any_item);
    p->out->outcome = outcome;
    p->out->reason = reason;
    p->out->detail = detail;
    if (p->touched != 0) {
        review(p, p->touched, "no-plan");
    }
}

static enum status is_declined(const struct planner *p, bool *declined_out)
{
    int64_t until = 0;
    enum status status = store_find_declined(
        p->in->pipeline->options.store, p->in->arena, p->in->ehr->name, p->in->evaluation->patient,
        mapping_name(p->in->pipeline->options.mapping.mapping), &until);
    *declined_out = status == STATUS_OK && p->in->evaluation->at < until;
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

static enum status settle_proposal(struct planner *p)
{
    bool ended_by_person;
    bool declined = false;
    enum status status = find_episode(p, &ended_by_person);
    if (status == STATUS_OK) {
        status = is_declined(p, &declined);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (declined) {
        settle_without_plan(p, WORK_DROPPED, REASON_DECLINED, SLICE_NONE);
        return STATUS_OK;
    }
    const struct item *accepted = accepted_item(p);
    if (accepted != NULL) {
        review(p, ITEM_ACCEPTED, is_of_other_plan(p, accepted) ? "other-plan" : "same-plan");
    } else if (ended_by_person) {
        hand_over(p, REASON_REVIEW, SLICE("ended-by-person"));
    } else if (p->in->by_timer) { /* it never makes a resource */
        p->out->outcome = WORK_DONE;
        p->out->reason = REASON_UNCHANGED;
    } else {
        withdraw(p, is_of_other_plan);
        if (p->touched != 0) {
            p->count = 0;
            review(p, p->touched, "other-plan");
        } else {
            propose(p);
        }
    }
    return STATUS_OK;
}

static enum status settle(struct planner *p)
{
    const struct evaluation_result *result = p->in->result;
    /* A sensitive reason never leaves the evaluation: one neutral word stands for all of them. */
    struct slice detail = result->sensitive ? SLICE("hold") : result->reason;
    bool fetch_failed = slice_is(result->reason, "fetch-failed");
    switch (result->outcome) {
    case OUTCOME_PROPOSAL:
        return settle_proposal(p);
    case OUTCOME_HAND_OVER:
        settle_without_plan(p, WORK_HANDED_OVER, REASON_NO_TEMPLATE, detail);
        break;
    case OUTCOME_HOLD:
        if (!fetch_failed && has_draft_of_this_visit(p)) { /* its ground is gone */
            settle_without_plan(p, WORK_HELD, REASON_SAFETY, detail);
            break;
        }
        p->out->outcome = WORK_HELD;
        p->out->reason = fetch_failed ? REASON_FETCH_FAILED : REASON_SAFETY;
        p->out->detail = detail;
        break;
    case OUTCOME_DROP:
        settle_without_plan(p, WORK_DROPPED, REASON_RULE, detail);
        break;
    case OUTCOME_NOT_ELIGIBLE:
        p->out->outcome = WORK_DROPPED;
        p->out->reason = REASON_NOT_ELIGIBLE;
        break;
    }
    return STATUS_OK;
}

enum status plan_changes(const struct planning *planning, struct planned *planned_out)
{
    struct planned planned = {.outcome = WORK_HELD};
    struct planner p = {.in = planning, .out = &planned};
    p.changes = ARENA_ARRAY(planning->arena, CHANGES_MOST, struct change);
    p.items = planning->items;
    enum status status = settle(&p);
    if (status == STATUS_OK) {
        planned.changes = p.changes;
        planned.change_count = p.count;
        plan_timers(planning, &planned);
        *planned_out = planned;
    }
    return status;
}
