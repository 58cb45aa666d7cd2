#include "gateway/mapping/case_run.h"

/* What no case shows. */

static bool row_is_reached(size_t row, const struct case_run *runs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (runs[i].passed && runs[i].result.row == row) {
            return true;
        }
    }
    return false;
}

static bool plan_is_reached(struct slice plan, const struct case_run *runs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (runs[i].passed && slice_equal(runs[i].result.plan, plan)) {
            return true;
        }
    }
    return false;
}

static bool plan_is_whole(struct slice plan, const struct case_run *runs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (runs[i].passed && runs[i].whole && slice_equal(runs[i].result.plan, plan)) {
            return true;
        }
    }
    return false;
}

/* A hold that came along with another one is not shown by that: a case must name it. */
static bool hold_is_shown(struct slice id, const struct case_run *runs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct yaml *holds = yaml_get(runs[i].expect, "holds");
        bool named = slice_equal(case_text(yaml_get(runs[i].expect, "hold")), id);
        for (const struct yaml *it = holds != NULL ? holds->first : NULL; it != NULL;
             it = it->next) {
            named = named || slice_equal(case_text(it), id);
        }
        if (runs[i].passed && named) {
            return true;
        }
    }
    return false;
}

/* ---- what a plan or a hand-over says ---- */

struct seen {
    bool with;
    bool without;
};

static bool has_item(const struct evaluation_result *result, struct slice key)
{
    for (size_t i = 0; i < result->item_count; i++) {
        if (slice_equal(result->items[i].key, key)) {
            return true;
        }
    }
    return false;
}

static bool has_prompt(const struct evaluation_result *result, struct slice key)
{
    for (size_t i = 0; i < result->prompt_count; i++) {
        if (slice_equal(result->prompts[i], key)) {
            return true;
        }
    }
    return false;
}

/* of: a plan, or what the row of a hand-over says. */
static struct seen look_for(struct slice of, struct slice key, bool prompt,
                            const struct case_run *runs, size_t count)
{
    struct seen seen = {false, false};
    for (size_t i = 0; i < count; i++) {
        const struct evaluation_result *result = &runs[i].result;
        bool hand_over = result->outcome == OUTCOME_HAND_OVER;
        if (runs[i].passed && slice_equal(hand_over ? result->reason : result->plan, of)) {
            bool with = prompt ? has_prompt(result, key) : has_item(result, key);
            seen.with |= with;
            seen.without |= !with;
        }
    }
    return seen;
}

/* What no case shows, in words. */
struct covering {
    const struct mapping *mapping;
    struct arena *arena;
    const struct case_run *runs;
    size_t count;
    struct slice *open; /* in the arena */
    size_t open_count;
};

static void add_open(struct covering *c, struct slice words)
{
    c->open[c->open_count++] = words;
}

static bool is_literal(const struct expr *expr)
{
    struct slice text = span_text(expr->span);
    return slice_find(text, SLICE("%"), 0) == SIZE_MAX && text.len != 0;
}

/* A definition that names nothing is a switch: while it stands as it does, no child shows the other
 * side of it. */
static bool is_switched(const struct mapping *mapping, const struct expr *when)
{
    struct slice text = when != NULL ? span_text(when->span) : SLICE_NONE;
    size_t at = 0;
    while ((at = slice_find(text, SLICE("%"), at)) != SIZE_MAX) {
        struct slice rest = slice_part(text, ++at, SIZE_MAX);
        for (size_t i = 0; i < mapping->define_count; i++) {
            const struct define *define = &mapping->defines[i];
            if (is_literal(&define->expr) && slice_starts_with(rest, define->name)) {
                return true;
            }
        }
    }
    return false;
}

/* Something that the plan, or a hand-over, says or has: shown by a case, and where it depends on
 * something, left out in another. */
static void cover_one(struct covering *c, const char *what, struct slice of, struct slice key,
                      bool depends, bool prompt)
{
    struct seen seen = look_for(of, key, prompt, c->runs, c->count);
    if (!seen.with) {
        add_open(c,
                 arena_printf(c->arena, "%s %.*s of %.*s", what, SLICE_ARGS(key), SLICE_ARGS(of)));
    } else if (depends && !seen.without) {
        add_open(c, arena_printf(c->arena, "%.*s without the %s %.*s", SLICE_ARGS(of), what,
                                 SLICE_ARGS(key)));
    }
}

static void cover_prompts(struct covering *c, struct slice of, const struct prompt_rule *prompts,
                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_switched(c->mapping, prompts[i].when)) {
            cover_one(c, "prompt", of, prompts[i].key, prompts[i].when != NULL, true);
        }
    }
}

static void cover_items(struct covering *c, struct slice of, const struct item_rule *items,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct template *resource = items[i].resource;
        const struct expr *when = items[i].when != NULL ? items[i].when
                                  : resource != NULL    ? resource->when
                                                        : NULL;
        if (!is_switched(c->mapping, when)) {
            cover_one(c, "item", of, items[i].key, when != NULL || items[i].costs_money, false);
        }
    }
}

static void cover_rows(struct covering *c)
{
    const struct mapping *mapping = c->mapping;
    for (size_t i = 0; i < mapping->row_count; i++) {
        if (mapping->rows[i].layer == 0 && !row_is_reached(i, c->runs, c->count)) {
            struct place place = span_place(span_outermost(mapping->rows[i].span));
            add_open(c, arena_printf(c->arena, "row of mapping.yaml, line %u", place.line));
        }
    }
}

static void cover_plans(struct covering *c)
{
    const struct mapping *mapping = c->mapping;
    for (size_t i = 0; i < mapping->plan_count; i++) {
        const struct plan_rule *plan = &mapping->plans[i];
        if (plan->layer != 0) {
            continue;
        }
        if (!plan_is_reached(plan->name, c->runs, c->count)) {
            add_open(c, arena_printf(c->arena, "plan %.*s", SLICE_ARGS(plan->name)));
            continue;
        }
        if (!plan_is_whole(plan->name, c->runs, c->count)) {
            add_open(c,
                     arena_printf(c->arena, "plan %.*s whole (write it with `eplan test --update`)",
                                  SLICE_ARGS(plan->name)));
        }
        cover_items(c, plan->name, plan->goals, plan->goal_count);
        cover_items(c, plan->name, plan->orders, plan->order_count);
        cover_prompts(c, plan->name, plan->prompts, plan->prompt_count);
    }
}

static size_t things_of(const struct mapping *mapping)
{
    size_t most = mapping->row_count + mapping->hold_count;
    for (size_t i = 0; i < mapping->plan_count; i++) {
        const struct plan_rule *plan = &mapping->plans[i];
        most += 1 + plan->goal_count + plan->order_count + plan->prompt_count;
    }
    for (size_t i = 0; i < mapping->due_count; i++) {
        most += mapping->due[i].prompt_count;
    }
    return most;
}

size_t case_uncovered(const struct mapping *mapping, struct arena *arena,
                      const struct case_run *runs, size_t count, struct slice **uncovered_out)
{
    struct covering c = {.mapping = mapping, .arena = arena, .runs = runs, .count = count};
    c.open = ARENA_ARRAY(arena, things_of(mapping) + 1, struct slice);
    cover_rows(&c);
    cover_plans(&c);
    for (size_t i = 0; i < mapping->due_count; i++) {
        const struct due_rule *due = &mapping->due[i];
        if (due->layer == 0) {
            cover_prompts(&c, due->say, due->prompts, due->prompt_count);
        }
    }
    for (size_t i = 0; i < mapping->hold_count; i++) {
        if (mapping->holds[i].layer == 0 && !hold_is_shown(mapping->holds[i].id, runs, count)) {
            add_open(&c, arena_printf(arena, "hold %.*s", SLICE_ARGS(mapping->holds[i].id)));
        }
    }
    *uncovered_out = c.open;
    return c.open_count;
}

void case_tell_plans(const struct mapping *mapping, const struct case_run *runs, size_t count,
                     struct diag_list *diags)
{
    for (size_t i = 0; i < mapping->plan_count; i++) {
        const struct plan_rule *plan = &mapping->plans[i];
        bool found = plan->layer != 0;
        for (size_t k = 0; k < count && !found; k++) {
            found = slice_equal(runs[k].result.plan, plan->name);
        }
        if (!found) {
            struct diag *diag =
                diag_add(diags, DIAG_MAPPING_UNCASED,
                         (struct span){plan->span.source, plan->span.start, plan->span.start},
                         "no case comes to the plan \"%.*s\"", SLICE_ARGS(plan->name));
            diag_hint(diags, diag, "write one in cases/; `eplan test` asks for it");
        }
    }
}
