#include "gateway/mapping/build.h"
#include "gateway/mapping/safety.h"
#include "gateway/mapping/trace.h"
#include "gateway/plan/narrative.h"

/* The items of a plan: which of them this child gets, and each as a resource. */

static void add_narrative(struct eval *e, struct json *resource, bool care_plan)
{
    struct narrative narrative = {.language = e->mapping->staff_languages[0]};
    struct slice *lines = ARENA_ARRAY(e->arena, e->result->item_count + 1, struct slice);
    if (care_plan) {
        narrative.title = json_get_text(resource, "title");
        narrative.paragraphs[0] = json_get_text(resource, "description");
        narrative.paragraph_count = narrative.paragraphs[0].len != 0;
        for (size_t i = 0; i < e->result->item_count; i++) {
            struct slice line = narrative_description(e->result->items[i].resource);
            if (line.len != 0) {
                lines[narrative.line_count++] = line;
            }
        }
        narrative.lines = lines;
    } else {
        narrative.title = narrative_description(resource);
    }
    json_add(e->arena, resource, SLICE("text"), narrative_render(e->arena, &narrative));
}

static enum status build_item(struct eval *e, const struct item_rule *item)
{
    struct build b = {
        .eval = e, .item = item, .settled = item->settled != NULL && e->trace == NULL};
    for (size_t i = 0; i < item->with_count; i++) {
        evaluate_publish(e, item->with[i].place, item->with[i].items);
    }
    bool wanted;
    struct json *resource = NULL;
    trace_item(e, item);
    enum status status = build_is_wanted(&b, item->when, item->if_unknown, item->span, &wanted);
    enum truth short_of_food = TRUTH_FALSE;
    if (status == STATUS_OK && !wanted) {
        trace_left_out(e, item->span, item->when, "its condition does not hold");
    }
    for (size_t i = 0; i < e->mapping->food_at_risk_count && status == STATUS_OK && wanted &&
                       item->costs_money && short_of_food == TRUTH_FALSE;
         i++) {
        status = evaluate_truth(e, &e->mapping->food_at_risk[i], &short_of_food);
        if (status == STATUS_OK && short_of_food != TRUTH_FALSE) {
            trace_left_out(e, item->span, &e->mapping->food_at_risk[i],
                           "it costs money, and food may be short at home");
        }
    }
    if (status == STATUS_OK && wanted && short_of_food == TRUTH_FALSE) {
        status = build_value(&b, b.settled ? item->settled : item->resource, &resource);
    }
    for (size_t i = 0; i < item->with_count; i++) { /* no other item knows them */
        e->values[item->with[i].place - 1] = (struct path_items){NULL, 0};
    }
    if (status != STATUS_OK || resource == NULL) {
        return status;
    }
    struct slice type = json_get_text(resource, "resourceType");
    if (!b.settled || !item->narrated) {
        add_narrative(e, resource, slice_is(type, "CarePlan"));
    }
    trace_made(e, "text", "the narrative, from the texts of this plan");
    if (e->input->plan_intent_plan && json_get(resource, "intent") != NULL) {
        json_set(e->arena, resource, SLICE("intent"), json_new_string(e->arena, SLICE("plan")));
        trace_made(e, "intent", "plan, because this EHR reads only that");
    }
    /* What is in a settled resource was judged; the narrative holds nothing else. */
    const char *fault = b.settled
                            ? safety_type_fault(resource, e->plan->never, e->plan->never_count)
                            : safety_resource_fault(resource, e->plan->never, e->plan->never_count);
    if (fault != NULL) {
        diag_add(e->diags, DIAG_MAPPING_FORBIDDEN, item->span, "%s", fault);
        return STATUS_INVALID;
    }
    e->result->items[e->result->item_count++] =
        (struct plan_item){item->key, type, resource, b.text};
    return STATUS_OK;
}

enum status evaluate_prompts(struct eval *e, const struct prompt_rule *prompts, size_t count)
{
    enum status status = STATUS_OK;
    e->result->prompts = ARENA_ARRAY(e->arena, count + 1, struct slice);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct build b = {.eval = e};
        bool wanted;
        status = build_is_wanted(&b, prompts[i].when, UNKNOWN_INCLUDES, prompts[i].span, &wanted);
        if (status == STATUS_OK) {
            trace_prompt(e, &prompts[i], wanted);
        }
        if (status == STATUS_OK && wanted) {
            e->result->prompts[e->result->prompt_count++] = prompts[i].key;
        }
    }
    return status;
}

enum status evaluate_build(struct eval *e, const struct plan_rule *plan)
{
    e->plan = plan;
    e->memos = ARENA_ARRAY(e->arena, e->mapping->memo_count + 1, const struct json *);
    e->result->plan = plan->name;
    e->result->public_id = plan->public_id;
    e->result->items =
        ARENA_ARRAY(e->arena, plan->goal_count + plan->order_count + 1, struct plan_item);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < plan->goal_count && status == STATUS_OK; i++) {
        status = build_item(e, &plan->goals[i]);
    }
    for (size_t i = 0; i < plan->order_count && status == STATUS_OK; i++) {
        status = build_item(e, &plan->orders[i]);
    }
    if (status == STATUS_OK) {
        status = build_item(e, &plan->care_plan);
    }
    return status == STATUS_OK ? evaluate_prompts(e, plan->prompts, plan->prompt_count) : status;
}
