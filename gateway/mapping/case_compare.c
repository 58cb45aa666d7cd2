#include <math.h>
#include <stdlib.h>

#include "fhir/validate/validate.h"
#include "gateway/mapping/case_run.h"

/* ---- comparing ---- */

void case_differ(struct running *r, const char *what, struct slice want, struct slice got)
{
    if (r->difference_count < DIFFERENCES_MOST) {
        r->differences[r->difference_count++] =
            arena_printf(r->arena, "%s: want %.*s, got %.*s", what, SLICE_ARGS(want),
                         SLICE_ARGS(got.len != 0 ? got : SLICE("nothing")));
    }
}

static void compare_text(struct running *r, const char *key, struct slice got)
{
    struct slice want = case_text(yaml_get(r->expect, key));
    if (want.len != 0 && !slice_equal(want, got)) {
        case_differ(r, key, want, got);
    }
}

static bool among(struct slice text, const struct slice *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(text, list[i])) {
            return true;
        }
    }
    return false;
}

static struct slice joined(struct running *r, const struct slice *list, size_t count)
{
    struct buf text;
    buf_init(&text, r->arena, 8192);
    for (size_t i = 0; i < count; i++) {
        buf_printf(&text, "%s%.*s", i != 0 ? " " : "", SLICE_ARGS(list[i]));
    }
    return buf_view(&text);
}

static void compare_row(struct running *r, const struct evaluation_result *result)
{
    const struct yaml *row = yaml_get(r->expect, "row");
    for (const struct yaml *it = row != NULL && row->kind == YAML_MAP ? row->first : NULL;
         it != NULL; it = it->next) {
        struct slice cell = arena_printf(r->arena, "%.*s=%.*s", SLICE_ARGS(it->key.text),
                                         SLICE_ARGS(case_text(it)));
        if (!among(cell, result->cells, result->cell_count)) {
            case_differ(r, "row", cell, joined(r, result->cells, result->cell_count));
        }
    }
}

/* These, in this order, and no other. */
static void compare_list(struct running *r, const char *key, const struct slice *list, size_t count)
{
    const struct yaml *wanted = yaml_get(r->expect, key);
    if (wanted == NULL || wanted->kind != YAML_LIST) {
        return;
    }
    struct buf want;
    buf_init(&want, r->arena, 8192);
    for (const struct yaml *it = wanted->first; it != NULL; it = it->next) {
        buf_printf(&want, "%s%.*s", want.len != 0 ? " " : "", SLICE_ARGS(case_text(it)));
    }
    struct slice got = joined(r, list, count);
    if (!slice_equal(buf_view(&want), got)) {
        case_differ(r, key, buf_view(&want), got);
    }
}

static void compare_timers(struct running *r, const struct evaluation_result *result)
{
    struct slice *ids = ARENA_ARRAY(r->arena, result->timer_count + 1, struct slice);
    for (size_t i = 0; i < result->timer_count; i++) {
        ids[i] = result->timers[i].id;
    }
    compare_list(r, "timers", ids, result->timer_count);
}

const char *const case_growth_keys[CASE_GROWTH_KEYS] = {"percentile", "bmi", "z", "percentOfP95"};

/* "90.4 +- 0.2" */
static void compare_growth(struct running *r, const struct evaluation_result *result)
{
    const struct growth_assessment *a = &result->growth;
    const double got[CASE_GROWTH_KEYS] = {a->bmi_for_age.percentile, a->bmi, a->bmi_for_age.z,
                                          a->percent_of_p95};
    for (size_t i = 0; i < CASE_GROWTH_KEYS; i++) {
        const struct yaml *node = yaml_get(yaml_get(r->expect, "growth"), case_growth_keys[i]);
        if (node == NULL) {
            continue;
        }
        char *end = NULL;
        double want = strtod(arena_cstr(r->arena, case_text(node)), &end);
        double within = strncmp(end, " +- ", 4) == 0 ? strtod(end + 4, &end) : 0.0;
        if (*end != '\0' || case_text(node).len == 0) {
            case_fault(r, node, "a number with its margin is expected here, such as 90.4 +- 0.2");
        } else if (!(fabs(got[i] - want) <= within)) {
            case_differ(r, case_growth_keys[i], case_text(node),
                        arena_printf(r->arena, "%.4f", got[i]));
        }
    }
}

static void compare_that(struct running *r, const struct evaluation_result *result)
{
    const struct yaml *that = yaml_get(r->expect, "that");
    struct path_item *items = ARENA_ARRAY(r->arena, result->item_count + 1, struct path_item);
    for (size_t i = 0; i < result->item_count; i++) {
        items[i] = path_item_of(r->mapping->model, result->items[i].resource, NULL);
    }
    for (const struct yaml *it = that != NULL && that->kind == YAML_LIST ? that->first : NULL;
         it != NULL; it = it->next) {
        struct path_scope scope = {.model = r->mapping->model, .context_many = true};
        struct path_env env = {.context = {items, result->item_count}};
        const struct path_expr *expr = NULL;
        struct path_items got;
        if (it->kind != YAML_SCALAR ||
            path_compile(r->arena, yaml_source(r->arena, &it->scalar, SLICE("that")), &scope,
                         &r->runner->limits, r->diags, &expr) != STATUS_OK ||
            path_evaluate(expr, &env, r->arena, &r->runner->limits, r->diags, &got) != STATUS_OK) {
            case_differ(r, "that", case_text(it), SLICE("an error"));
        } else if (got.count != 1 || got.at[0].kind != PATH_BOOLEAN || !got.at[0].boolean) {
            case_differ(r, "that", case_text(it),
                        got.count == 0 ? SLICE("nothing") : SLICE("false"));
        }
    }
}

struct slice case_wanted(const struct running *r)
{
    const struct yaml *own = yaml_get(r->expect, "outcome");
    return case_text(own != NULL ? own : yaml_get(r->expect_case, "outcome"));
}

/* The outcome with what made it: a person who reads a failed case wants to know why. */
static struct slice outcome_text(struct running *r, const struct evaluation_result *result)
{
    const char *name = outcome_name(result->outcome);
    if (result->hold_count != 0) {
        return arena_printf(r->arena, "%s: %.*s", name,
                            SLICE_ARGS(joined(r, result->holds, result->hold_count)));
    }
    return result->reason.len != 0
               ? arena_printf(r->arena, "%s: %.*s", name, SLICE_ARGS(result->reason))
               : slice_of(name);
}

/* All holds, in any order; the only ones. */
static void compare_holds(struct running *r, const struct evaluation_result *result)
{
    const struct yaml *holds = yaml_get(r->expect, "holds");
    bool same = holds == NULL || holds->count == result->hold_count;
    struct buf want;
    buf_init(&want, r->arena, 8192);
    for (const struct yaml *it = holds != NULL ? holds->first : NULL; it != NULL; it = it->next) {
        buf_printf(&want, "%s%.*s", want.len != 0 ? " " : "", SLICE_ARGS(case_text(it)));
        same = same && among(case_text(it), result->holds, result->hold_count);
    }
    if (!same) {
        case_differ(r, "holds", buf_view(&want), joined(r, result->holds, result->hold_count));
    }
}

/* What a plan consists of is valid FHIR, each resource and all together. */
static void compare_valid(struct running *r, const struct evaluation_result *result)
{
    if (r->runner->validator == NULL || result->item_count == 0) {
        return;
    }
    struct diag_list diags;
    diag_init(&diags, r->arena, DIFFERENCES_MOST);
    struct json *bundle = mapping_plan_bundle(r->arena, result);
    if (validate_resource(r->runner->validator, r->arena, NULL, bundle, &r->runner->limits,
                          &diags) != STATUS_OK) {
        for (const struct diag *diag = diags.first; diag != NULL; diag = diag->next) {
            if (diag->severity <= SEVERITY_ERROR) {
                case_differ(r, "valid FHIR", SLICE("no fault"),
                            arena_printf(r->arena, "%.*s: %.*s", SLICE_ARGS(diag->path),
                                         SLICE_ARGS(diag->sentence)));
            }
        }
    }
}

void case_compare(struct running *r, const struct evaluation_result *result)
{
    struct slice outcome = case_wanted(r);
    if (!slice_is(outcome, outcome_name(result->outcome))) {
        case_differ(r, "outcome", outcome, outcome_text(r, result));
    }
    compare_text(r, "ask", result->ask);
    compare_text(r, "reason", result->reason);
    compare_text(r, "say", result->outcome == OUTCOME_HAND_OVER ? result->reason : SLICE_NONE);
    compare_text(r, "drop", result->outcome == OUTCOME_DROP ? result->reason : SLICE_NONE);
    compare_text(r, "plan", result->plan);
    struct slice hold = case_text(yaml_get(r->expect, "hold"));
    if (hold.len != 0 && !among(hold, result->holds, result->hold_count)) {
        case_differ(r, "hold", hold, joined(r, result->holds, result->hold_count));
    }
    compare_holds(r, result);
    compare_row(r, result);
    compare_list(r, "prompts", result->prompts, result->prompt_count);
    compare_timers(r, result);
    compare_growth(r, result);
    compare_that(r, result);
    compare_valid(r, result);
}
