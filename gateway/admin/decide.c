/*
 * A clinician's decision at the gateway: accept a draft, or decline it for some time. Off unless
 * the EHR's file lists the asking account for that Practitioner, who must be active in the EHR. The
 * decision is ordered as a plan of changes; what is no draft any more by then stays as it is.
 */
#include "gateway/admin/views.h"
#include "gateway/plan/dress.h"
#include "gateway/plan/narrative.h"
#include "gateway/plan/plan_accept.h"

enum { ITEMS_MOST = 64 };

static const int64_t DAY = INT64_C(86400000000); /* microseconds */

struct decision {
    struct asking *asking;
    bool accept;
    struct slice ehr;
    struct slice practitioner;
    struct slice speaker;
    struct items items;                  /* of the patient */
    const struct item *plan[ITEMS_MOST]; /* of the plan that is decided on; the CarePlan first */
    size_t count;
    struct slice goals; /* "water,active" */
    struct desk_acceptance sets;
    struct change changes[ITEMS_MOST];
    int64_t until;
};

static enum status refuse(struct decision *d, enum status status, const char *sentence)
{
    d->asking->error = slice_of(sentence);
    return status;
}

/* ---- who ---- */

struct lookup {
    struct decision *d;
    bool may;
};

static void find_acceptor(void *to, const struct config_ehr *ehr, const struct ehr_health *health)
{
    struct lookup *lookup = to;
    (void)health;
    for (size_t i = 0; slice_equal(ehr->name, lookup->d->ehr) && i < ehr->acceptors.count; i++) {
        lookup->may = lookup->may ||
                      (slice_equal(ehr->acceptors.at[i].account, lookup->d->asking->account) &&
                       slice_equal(ehr->acceptors.at[i].practitioner, lookup->d->practitioner));
    }
}

static enum status check_who(struct decision *d)
{
    static const struct slice prefix = {"Practitioner/", 13};
    const struct desk *desk = d->asking->desk;
    struct lookup lookup = {.d = d};
    const struct json *practitioner = NULL;
    if (!slice_starts_with(d->practitioner, prefix)) {
        return refuse(d, STATUS_INVALID, "say for whom: --as Practitioner/ID");
    }
    desk->each_ehr(desk->arg, find_acceptor, &lookup);
    if (!lookup.may) {
        return refuse(
            d, STATUS_REFUSED,
            "this account may not act for that Practitioner: the EHR's file does not list "
            "them together under accept");
    }
    enum status status =
        desk->read_ehr(desk->arg, d->asking->arena, d->ehr, SLICE("Practitioner"),
                       slice_part(d->practitioner, prefix.len, SIZE_MAX), &practitioner);
    if (status == STATUS_ABSENT ||
        (status == STATUS_OK && !json_is(json_get(practitioner, "active"), JSON_TRUE))) {
        return refuse(d, STATUS_REFUSED, "the EHR has no such Practitioner who is active");
    }
    return status == STATUS_OK ? STATUS_OK
                               : refuse(d, STATUS_AGAIN,
                                        "the EHR could not be asked for the "
                                        "Practitioner");
}

/* ---- what ---- */

static bool is_care_plan(const struct item *item)
{
    return slice_is(item->resource_type, "CarePlan");
}

static bool is_goal(const struct item *item)
{
    return slice_is(item->resource_type, "Goal");
}

static enum status find_named(struct decision *d, struct item *item)
{
    struct asking *asking = d->asking;
    struct slice rest = json_get_text(asking->request, "what");
    struct slice type = SLICE_NONE;
    struct uuid identifier;
    if (uuid_read(rest, &identifier)) {
        return store_find_item(asking->desk->store, asking->arena, identifier, item);
    }
    slice_cut(&rest, '/', &type);
    return store_find_item_by_resource(asking->desk->store, asking->arena,
                                       json_get_text(asking->request, "ehr"), type, rest, item);
}

/* The CarePlan goes first: what is decided of its goals waits for it. */
static enum status take_plan(struct decision *d, const struct item *named)
{
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < d->items.count; i++) {
            const struct item *item = &d->items.at[i];
            if (d->count < ITEMS_MOST && item->ehr_id.len != 0 &&
                slice_equal(item->of.mapping, named->of.mapping) &&
                slice_equal(item->of.plan, named->of.plan) &&
                item->of.episode == named->of.episode && is_care_plan(item) == (pass == 0)) {
                d->plan[d->count++] = item;
            }
        }
    }
    return d->count != 0 && is_care_plan(d->plan[0]) &&
                   (d->plan[0]->life == ITEM_DRAFT || d->plan[0]->life == ITEM_EDITED)
               ? STATUS_OK
               : refuse(d, STATUS_REFUSED, "that plan is no draft any more");
}

static enum status find_plan(struct decision *d)
{
    struct asking *asking = d->asking;
    struct item named;
    enum status status = find_named(d, &named);
    if (status == STATUS_ABSENT) {
        return refuse(d, STATUS_ABSENT,
                      "there is no such item: name its identifier, or CarePlan/ID with --ehr NAME");
    }
    if (status == STATUS_OK) {
        d->ehr = named.of.ehr;
        if (d->speaker.len == 0) {
            d->speaker = arena_printf(asking->arena, "Patient/%.*s", SLICE_ARGS(named.of.patient));
        }
        status = store_list_items(asking->desk->store, asking->arena, named.of.ehr,
                                  named.of.patient, &d->items);
    }
    return status == STATUS_OK ? take_plan(d, &named) : status;
}

/* ---- goals ---- */

/* "water" names the item "goals.water". */
static bool names(struct slice word, const struct item *item)
{
    static const struct slice section = {"goals.", 6};
    return slice_starts_with(item->of.key, section) &&
           slice_equal(slice_part(item->of.key, section.len, SIZE_MAX), word);
}

static bool is_chosen(const struct decision *d, const struct item *item)
{
    struct slice rest = d->goals;
    struct slice word;
    while (slice_cut(&rest, ',', &word)) {
        if (names(word, item)) {
            return true;
        }
    }
    return false;
}

static enum status check_goals(struct decision *d)
{
    struct slice rest = d->goals;
    struct slice word;
    if (d->goals.len == 0) {
        return refuse(d, STATUS_INVALID,
                      "say which goals were chosen: --goals water,active (or "
                      "none)");
    }
    while (!slice_is(d->goals, "none") && slice_cut(&rest, ',', &word)) {
        bool found = false;
        for (size_t i = 0; i < d->count; i++) {
            found = found || names(word, d->plan[i]);
        }
        if (!found) {
            d->asking->error =
                arena_printf(d->asking->arena, "the plan has no goal \"%.*s\"", SLICE_ARGS(word));
            return STATUS_INVALID;
        }
    }
    return STATUS_OK;
}

/* ---- changes ---- */

static struct json *status_set(struct decision *d, const char *element, const char *status)
{
    struct json *set = json_new_object(d->asking->arena);
    json_add(d->asking->arena, set, slice_of(element),
             json_new_string(d->asking->arena, slice_of(status)));
    return set;
}

static const struct json *base_of(struct decision *d, const struct item *item)
{
    struct diag_list unheard;
    const struct json *base = NULL;
    diag_init(&unheard, d->asking->arena, 1);
    json_parse(d->asking->arena, source_create(d->asking->arena, SLICE("base"), item->base),
               &LIMITS_DEFAULT, &unheard, &base);
    return base;
}

/* Goals that were not chosen leave the CarePlan. */
static struct json *dropped_goals(struct decision *d)
{
    struct arena *arena = d->asking->arena;
    struct json *drop = json_new_array(arena);
    for (size_t i = 0; i < d->count; i++) {
        if (is_goal(d->plan[i]) && !is_chosen(d, d->plan[i])) {
            struct json *reference = json_new_object(arena);
            json_add(arena, reference, SLICE("reference"),
                     json_new_string(arena, dress_urn(arena, d->plan[i]->identifier)));
            json_append(drop, reference);
        }
    }
    return drop;
}

/* The lines of the plan's text: the goals that were chosen, and the orders. */
static struct json *chosen_text(struct decision *d)
{
    struct arena *arena = d->asking->arena;
    struct slice *lines = ARENA_ARRAY(arena, d->count, struct slice);
    struct narrative narrative = {
        .lines = lines, .language = narrative_language(json_get(base_of(d, d->plan[0]), "text"))};
    for (size_t i = 1; i < d->count; i++) {
        struct slice line = narrative_description(base_of(d, d->plan[i]));
        if (line.len != 0 && (!is_goal(d->plan[i]) || is_chosen(d, d->plan[i]))) {
            lines[narrative.line_count++] = line;
        }
    }
    return narrative_render(arena, &narrative);
}

static struct json *decision_on(struct decision *d, const struct item *item)
{
    struct arena *arena = d->asking->arena;
    if (is_care_plan(item)) {
        return d->accept ? plan_decision(arena, d->sets.care_plan, dropped_goals(d), chosen_text(d))
                         : plan_decision(arena, status_set(d, "status", "revoked"), NULL, NULL);
    }
    if (is_goal(item)) {
        struct json *set = !d->accept           ? status_set(d, "lifecycleStatus", "rejected")
                           : is_chosen(d, item) ? d->sets.goal
                                                : status_set(d, "lifecycleStatus", "cancelled");
        return set != NULL ? plan_decision(arena, json_copy(arena, set), NULL, NULL) : NULL;
    }
    struct json *set = d->accept ? d->sets.order : status_set(d, "status", "revoked");
    return set != NULL ? plan_decision(arena, json_copy(arena, set), NULL, NULL) : NULL;
}

static size_t make_changes(struct decision *d)
{
    size_t count = 0;
    for (size_t i = 0; i < d->count; i++) {
        struct json *decision = decision_on(d, d->plan[i]);
        if (decision != NULL) {
            d->changes[count] =
                (struct change){.kind = CHANGE_ACCEPT,
                                .item = *d->plan[i],
                                .order = (uint32_t)count + 1,
                                .after = i == 0 ? 0 : 1,
                                .state = ROW_PENDING,
                                .body = json_write(d->asking->arena, decision, JSON_COMPACT)};
            count++;
        }
    }
    return count;
}

/* ---- the record of it ---- */

static void add_agent(struct arena *arena, struct json *agents, const char *type, const char *how,
                      struct slice who)
{
    struct json *agent = json_new_object(arena);
    struct json *coding = json_new_object(arena);
    struct json *codings = json_new_array(arena);
    struct json *concept = json_new_object(arena);
    struct json *reference = json_new_object(arena);
    view_text(arena, coding, "system",
              SLICE("http://terminology.hl7.org/CodeSystem/provenance-participant-type"));
    view_text(arena, coding, "code", slice_of(type));
    json_append(codings, coding);
    json_add(arena, concept, SLICE("coding"), codings);
    json_add(arena, agent, SLICE("type"), concept);
    view_text(arena, reference, how, who);
    json_add(arena, agent, SLICE("who"), reference);
    json_append(agents, agent);
}

static struct slice provenance(struct decision *d, const char *activity)
{
    struct arena *arena = d->asking->arena;
    struct json *record = json_new_object(arena);
    struct json *targets = json_new_array(arena);
    struct json *agents = json_new_array(arena);
    struct json *concept = json_new_object(arena);
    view_text(arena, record, "resourceType", SLICE("Provenance"));
    for (size_t i = 0; i < d->count; i++) {
        struct json *target = json_new_object(arena);
        view_text(arena, target, "reference",
                  arena_printf(arena, "%.*s/%.*s", SLICE_ARGS(d->plan[i]->resource_type),
                               SLICE_ARGS(d->plan[i]->ehr_id)));
        json_append(targets, target);
    }
    json_add(arena, record, SLICE("target"), targets);
    view_time(arena, record, "recorded", clock_utc(d->asking->desk->clock));
    view_text(arena, concept, "text", slice_of(activity));
    json_add(arena, record, SLICE("activity"), concept);
    add_agent(arena, agents, "author", "reference", d->practitioner);
    add_agent(arena, agents, "enterer", "display", d->asking->account);
    add_agent(arena, agents, "assembler", "display", SLICE("ePlan gateway"));
    json_add(arena, record, SLICE("agent"), agents);
    return json_write(arena, record, JSON_COMPACT);
}

static enum status order(struct decision *d)
{
    struct asking *asking = d->asking;
    const char *what = d->accept ? "accepted" : "declined";
    struct trail_line line = {.what = SLICE("provenance"),
                              .patient = d->plan[0]->of.patient,
                              .body = provenance(d, what)};
    struct store_order tx = STORE_TX(ORDER);
    tx.in.ehr = d->ehr;
    tx.in.patient = d->plan[0]->of.patient;
    tx.in.visit = d->plan[0]->visit;
    tx.in.changes = d->changes;
    tx.in.change_count = make_changes(d);
    tx.in.what = slice_of(what);
    tx.in.ends_timers = !d->accept;
    tx.in.by = asking->account;
    tx.in.why = arena_printf(asking->arena, "as %.*s", SLICE_ARGS(d->practitioner));
    tx.in.mapping = d->accept ? SLICE_NONE : d->plan[0]->of.mapping;
    tx.in.declined_until = d->until;
    tx.in.trail = (struct trail_lines){&line, 1};
    enum status status = store_run(asking->desk->store, &tx.tx);
    if (status == STATUS_OK) {
        view_text(asking->arena, asking->answer, "did", slice_of(what));
        view_text(asking->arena, asking->answer, "as", d->practitioner);
        view_text(asking->arena, asking->answer, "by", asking->account);
        view_id(asking->arena, asking->answer, "evaluation", tx.out.evaluation);
    }
    if (status == STATUS_OK && asking->desk->switched != NULL) {
        asking->desk->switched(asking->desk->arg);
    }
    return status;
}

/* ---- the questions ---- */

static enum status begin(struct asking *asking, bool accept, struct decision *d)
{
    *d = (struct decision){.asking = asking,
                           .accept = accept,
                           .practitioner = json_get_text(asking->request, "as"),
                           .speaker = json_get_text(asking->request, "speaker"),
                           .goals = json_get_text(asking->request, "goals")};
    if (asking->desk->read_ehr == NULL || asking->desk->on_accept == NULL) {
        return refuse(d, STATUS_AGAIN,
                      "the gateway does not run: it asks the EHR for the Practitioner");
    }
    enum status status = find_plan(d);
    return status == STATUS_OK ? check_who(d) : status;
}

enum status ask_accept(struct asking *asking)
{
    struct decision *d = ARENA_NEW(asking->arena, struct decision);
    const struct desk *desk = asking->desk;
    enum status status = begin(asking, true, d);
    if (status == STATUS_OK) {
        status = check_goals(d);
    }
    if (status != STATUS_OK) {
        return status;
    }
    const struct item_key *key = &d->plan[0]->of;
    status = desk->on_accept(desk->arg, asking->arena, key, d->practitioner, d->speaker, &d->sets);
    if (status != STATUS_OK || d->sets.care_plan == NULL) {
        return refuse(d, STATUS_REFUSED,
                      "the active mapping has no on-accept for this plan, or it failed");
    }
    return order(d);
}

/* "6-months", "2-weeks", "1-year" from now; 0: it is none. A month has 30.4375 days. */
static int64_t until_of(struct slice text, int64_t now)
{
    static const struct {
        const char *unit;
        int64_t quarters_of_hours;
    } units[] = {{"day", 96}, {"week", 672}, {"month", 2922}, {"year", 35064}};
    struct slice rest = text;
    struct slice number = SLICE_NONE;
    uint64_t count = 0;
    slice_cut(&rest, '-', &number);
    if (slice_ends_with(rest, SLICE("s"))) {
        rest.len--;
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (slice_is(rest, units[i].unit) && slice_to_u64(number, &count) && count >= 1 &&
            count <= 1000) {
            return now + (int64_t)count * units[i].quarters_of_hours * (DAY / 96);
        }
    }
    return 0;
}

enum status ask_decline(struct asking *asking)
{
    struct decision *d = ARENA_NEW(asking->arena, struct decision);
    enum status status = begin(asking, false, d);
    if (status != STATUS_OK) {
        return status;
    }
    d->until = until_of(json_get_text(asking->request, "for"), clock_utc(asking->desk->clock));
    return d->until != 0 ? order(d) : refuse(d, STATUS_INVALID, "say for how long: --for 6-months");
}
