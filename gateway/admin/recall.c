/*
 * The recall of a mapping version: what it wrote and nobody touched is withdrawn, the rest is
 * listed. What the store knows decides what is ordered; what the EHR holds is looked at once more
 * before each plan is withdrawn, whole or not at all. One request goes over some hundred children;
 * its answer says where the next begins.
 */
#include "gateway/admin/views.h"

enum { PAGE = 100, PATIENTS_MOST = 500, ITEMS_OF_PLAN_MOST = 64 };

struct recall {
    struct asking *asking;
    struct slice ehr;
    struct slice mapping;
    struct slice version;
    bool dry;
    struct json *withdrawn;
    struct json *rest;
    size_t withdrawn_count;
    size_t rest_count;
    size_t unsent;
    size_t patients;    /* gone over in this request */
    struct slice after; /* of the EHR to begin with: its last patient gone over before */
    bool more;          /* `ehr` and `after` say where to go on */
};

static bool is_same_plan(const struct item *a, const struct item *b)
{
    return slice_equal(a->of.mapping, b->of.mapping) && slice_equal(a->of.plan, b->of.plan) &&
           a->of.episode == b->of.episode;
}

static bool is_care_plan(const struct item *item)
{
    return slice_is(item->resource_type, "CarePlan");
}

/* The items of one plan that stand in the EHR. */
struct plan {
    const struct item *items[ITEMS_OF_PLAN_MOST];
    size_t count;
    const struct item *head; /* its CarePlan, else its first item */
    enum item_life life;     /* draft when nobody is known to have touched any of it */
    bool of_version;
};

static struct plan plan_of(const struct recall *r, const struct items *items, size_t first)
{
    struct plan plan = {.life = ITEM_DRAFT};
    for (size_t i = first; i < items->count && plan.count < ITEMS_OF_PLAN_MOST; i++) {
        const struct item *item = &items->at[i];
        if (!is_same_plan(item, &items->at[first]) || item->ehr_id.len == 0) {
            continue;
        }
        plan.items[plan.count++] = item;
        plan.head = plan.head == NULL || is_care_plan(item) ? item : plan.head;
        plan.of_version = plan.of_version || (slice_equal(item->of.mapping, r->mapping) &&
                                              slice_equal(item->version, r->version));
        if (item->life != ITEM_DRAFT && plan.life != ITEM_ACCEPTED) {
            plan.life = item->life;
        }
    }
    return plan;
}

static bool is_first_of_plan(const struct items *items, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (is_same_plan(&items->at[k], &items->at[i])) {
            return false;
        }
    }
    return true;
}

static void list(struct recall *r, struct json *array, size_t *count, const struct plan *plan)
{
    struct arena *arena = r->asking->arena;
    (*count)++;
    struct json *entry = json_new_object(arena);
    view_text(arena, entry, "ehr", r->ehr);
    view_text(arena, entry, "patient", plan->head->of.patient);
    view_text(arena, entry, "plan", plan->head->of.plan);
    view_text(arena, entry, "resource", plan->head->resource_type);
    view_text(arena, entry, "ehr-id", plan->head->ehr_id);
    view_text(arena, entry, "life", slice_of(item_life_name(plan->life)));
    json_append(array, entry);
}

/* First every item is looked at; only when nobody touched any of them the plan is withdrawn, the
 * CarePlan before what it refers to. */
static enum status order(struct recall *r, const struct plan *plan)
{
    struct arena *arena = r->asking->arena;
    struct change *changes = ARENA_ARRAY(arena, 2 * plan->count, struct change);
    uint32_t order = 0;
    uint32_t looked = (uint32_t)plan->count;
    for (size_t i = 0; i < plan->count; i++) {
        changes[order] = (struct change){.kind = CHANGE_CHECK, .item = *plan->items[i]};
        order++;
    }
    for (int pass = 0; pass < 2; pass++) {
        uint32_t after = pass == 0 ? looked : order;
        for (size_t i = 0; i < plan->count; i++) {
            if (is_care_plan(plan->items[i]) == (pass == 0)) {
                changes[order++] = (struct change){
                    .kind = CHANGE_WITHDRAW, .item = *plan->items[i], .after = after};
            }
        }
    }
    for (uint32_t i = 0; i < order; i++) {
        changes[i].order = i + 1;
        changes[i].state = ROW_PENDING;
    }
    struct store_order tx = STORE_TX(ORDER);
    tx.in.ehr = r->ehr;
    tx.in.patient = plan->head->of.patient;
    tx.in.visit = plan->head->visit;
    tx.in.changes = changes;
    tx.in.change_count = order;
    tx.in.what = SLICE("recalled");
    tx.in.ends_timers = true;
    tx.in.by = r->asking->account;
    tx.in.why = arena_printf(arena, "%.*s@%.*s", SLICE_ARGS(r->mapping), SLICE_ARGS(r->version));
    return store_run(r->asking->desk->store, &tx.tx);
}

static enum status recall_patient(struct recall *r, struct slice patient)
{
    struct items items = {NULL, 0};
    enum status status =
        store_list_items(r->asking->desk->store, r->asking->arena, r->ehr, patient, &items);
    for (size_t i = 0; status == STATUS_OK && i < items.count; i++) {
        struct plan plan = plan_of(r, &items, i);
        if (!is_first_of_plan(&items, i) || plan.count == 0 || !plan.of_version) {
            continue;
        }
        if (plan.life != ITEM_DRAFT) {
            list(r, r->rest, &r->rest_count, &plan);
            continue;
        }
        list(r, r->withdrawn, &r->withdrawn_count, &plan);
        status = r->dry ? STATUS_OK : order(r, &plan);
    }
    return status;
}

static enum status drop_unsent(struct recall *r)
{
    struct store_recall tx = STORE_TX(RECALL);
    enum status status = STATUS_OK;
    tx.in.ehr = r->ehr;
    tx.in.mapping = r->mapping;
    tx.in.version = r->version;
    tx.in.by = r->asking->account;
    do {
        status = store_run(r->asking->desk->store, &tx.tx);
        r->unsent += status == STATUS_OK ? tx.out.dropped : 0;
    } while (status == STATUS_OK && tx.out.dropped != 0);
    return status;
}

static enum status recall_ehr(struct recall *r)
{
    struct written_by by = {.ehr = r->ehr,
                            .mapping = r->mapping,
                            .version = r->version,
                            .after = r->after,
                            .most = PAGE};
    struct patients patients = {NULL, 0};
    enum status status = r->dry ? STATUS_OK : drop_unsent(r);
    do {
        if (status == STATUS_OK) {
            status = store_list_written(r->asking->desk->store, r->asking->arena, &by, &patients);
        }
        for (size_t i = 0; status == STATUS_OK && i < patients.count; i++) {
            status = recall_patient(r, patients.at[i]);
            by.after = patients.at[i];
        }
        r->patients += patients.count;
    } while (status == STATUS_OK && patients.count == PAGE && r->patients < PATIENTS_MOST);
    r->after = by.after;
    r->more = patients.count == PAGE;
    return status;
}

/* ---- the question ---- */

struct each {
    struct recall *recall;
    struct slice only; /* empty: every EHR */
    struct slice from; /* an earlier request ended within this one; empty: from the first */
    bool found;
    enum status status;
};

static void recall_each(void *to, const struct config_ehr *ehr, const struct ehr_health *health)
{
    struct each *each = to;
    (void)health;
    if (each->only.len != 0 && !slice_equal(each->only, ehr->name)) {
        return;
    }
    each->found = true;
    if (each->status != STATUS_OK || each->recall->more ||
        (each->from.len != 0 && !slice_equal(each->from, ehr->name))) {
        return;
    }
    each->from = SLICE_NONE;
    each->recall->ehr = ehr->name;
    each->status = recall_ehr(each->recall);
    each->recall->after = each->recall->more ? each->recall->after : SLICE_NONE;
}

static void answer(struct recall *r)
{
    struct asking *asking = r->asking;
    json_add(asking->arena, asking->answer, SLICE("withdrawn"), r->withdrawn);
    json_add(asking->arena, asking->answer, SLICE("rest"), r->rest);
    view_number(asking->arena, asking->answer, "withdrawn-count", (int64_t)r->withdrawn_count);
    view_number(asking->arena, asking->answer, "rest-count", (int64_t)r->rest_count);
    view_number(asking->arena, asking->answer, "unsent", (int64_t)r->unsent);
    view_bool(asking->arena, asking->answer, "dry", r->dry);
    if (r->more) {
        view_text(asking->arena, asking->answer, "from", r->ehr);
        view_text(asking->arena, asking->answer, "after", r->after);
    }
    view_text(asking->arena, asking->answer, "by", asking->account);
}

enum status ask_recall(struct asking *asking)
{
    struct slice rest = json_get_text(asking->request, "mapping");
    struct recall r = {.asking = asking,
                       .dry = json_is(json_get(asking->request, "dry"), JSON_TRUE),
                       .withdrawn = json_new_array(asking->arena),
                       .rest = json_new_array(asking->arena)};
    struct each each = {.recall = &r,
                        .only = json_get_text(asking->request, "ehr"),
                        .from = json_get_text(asking->request, "from")};
    r.after = json_get_text(asking->request, "after");
    slice_cut(&rest, '@', &r.mapping);
    r.version = rest;
    if (r.mapping.len == 0 || r.version.len == 0) {
        asking->error = SLICE("name the mapping and its version: --mapping NAME@VERSION");
        return STATUS_INVALID;
    }
    asking->desk->each_ehr(asking->desk->arg, recall_each, &each);
    if (each.status == STATUS_OK && !each.found) {
        asking->error =
            arena_printf(asking->arena, "there is no EHR \"%.*s\"", SLICE_ARGS(each.only));
        return STATUS_ABSENT;
    }
    if (each.status == STATUS_OK) {
        answer(&r);
    }
    if (!r.dry && asking->desk->switched != NULL) {
        asking->desk->switched(asking->desk->arg);
    }
    return each.status;
}
