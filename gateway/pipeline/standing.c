#include "gateway/pipeline/steps.h"

#include <stdlib.h>

#include "gateway/plan/plan_diff.h"

/*
 * Before a visit is planned: how what we wrote for the child stands in the EHR now, item by item.
 * A person may have accepted, edited or ended it since; an item that could not be read is never
 * taken for unchanged.
 */
struct look {
    const struct standing_look *of;
    struct item *items;
    size_t count;
    size_t next;
    struct ehr_request request;
};

static bool is_in_ehr(const struct item *item)
{
    return item->ehr_id.len != 0;
}

static const struct json *read_base(struct arena *arena, struct slice text)
{
    struct diag_list unheard;
    const struct json *base = NULL;
    diag_init(&unheard, arena, 1);
    json_parse(arena, source_create(arena, SLICE("base"), text), &LIMITS_DEFAULT, &unheard, &base);
    return base;
}

enum item_life standing_life(struct arena *arena, const struct item *item,
                             const struct json *theirs)
{
    if (plan_diff_is_ended(theirs)) {
        return ITEM_REVOKED;
    }
    if (plan_diff_is_completed(theirs)) {
        return ITEM_ENDED;
    }
    if (!plan_diff_is_draft(theirs)) {
        return ITEM_ACCEPTED;
    }
    if (item->life != ITEM_DRAFT) {
        return item->life == ITEM_ACCEPTED ? ITEM_ACCEPTED : ITEM_EDITED;
    }
    const struct json *base = read_base(arena, item->base);
    return base == NULL || plan_diff_touched(arena, base, theirs) ? ITEM_EDITED : ITEM_DRAFT;
}

struct telling {
    struct look *look;
    const struct ehr_answer *answer;
};

static enum status tell_run(void *arg)
{
    struct telling *telling = arg;
    struct look *look = telling->look;
    struct item *item = &look->items[look->next];
    item->life = telling->answer->outcome == EHR_ABSENT
                     ? ITEM_REVOKED
                     : standing_life(look->of->arena, item, telling->answer->resource);
    return STATUS_OK;
}

static void end(struct look *look, enum standing_end how, int64_t not_before)
{
    const struct standing_look *of = look->of;
    struct standing standing = {.items = {look->items, look->count}, .not_before = not_before};
    free(look);
    of->done(of->arg, how, &standing);
}

static void go_on(struct look *look);

static void answered(struct ehr_answer *answer, void *arg)
{
    struct look *look = arg;
    struct telling telling = {look, answer};
    bool told =
        (answer->outcome == EHR_DONE && answer->resource != NULL) || answer->outcome == EHR_ABSENT;
    if (!told || arena_run(look->of->arena, tell_run, &telling) != STATUS_OK) {
        end(look, STANDING_AGAIN, answer->not_before);
        return;
    }
    look->next++;
    go_on(look);
}

/* Once a request is with the EHR its answer may come on another thread at once. */
static void go_on(struct look *look)
{
    while (look->next < look->count && !is_in_ehr(&look->items[look->next])) {
        look->next++;
    }
    if (look->next == look->count) {
        end(look, STANDING_KNOWN, 0);
        return;
    }
    const struct item *item = &look->items[look->next];
    look->request = (struct ehr_request){.verb = EHR_READ,
                                         .type = item->resource_type,
                                         .id = item->ehr_id,
                                         .lane = look->of->patient};
    if (ehr_call(look->of->ehr, &look->request, answered, look) != STATUS_OK) {
        end(look, STANDING_AGAIN, 0);
    }
}

static enum status list_run(void *arg)
{
    struct look *look = arg;
    struct items items = {NULL, 0};
    enum status status =
        store_list_items(look->of->store, look->of->arena, ehr_config(look->of->ehr)->name,
                         look->of->patient, &items);
    if (status == STATUS_OK) {
        look->items = ARENA_ARRAY(look->of->arena, items.count + 1, struct item);
        for (size_t i = 0; i < items.count; i++) {
            look->items[i] = items.at[i];
        }
        look->count = items.count;
    }
    return status;
}

enum status standing_begin(const struct standing_look *of)
{
    struct look *look = calloc(1, sizeof *look);
    if (look == NULL) {
        return STATUS_NO_MEMORY;
    }
    look->of = of;
    enum status status = arena_run(of->arena, list_run, look);
    if (status != STATUS_OK) {
        free(look);
        return status;
    }
    go_on(look);
    return STATUS_OK;
}
