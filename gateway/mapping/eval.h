/*
 * One evaluation, as evaluate.c, facts.c, vitals.c and build.c hand it on. Lives in the arena of
 * the call.
 */
#ifndef GATEWAY_MAPPING_EVAL_H
#define GATEWAY_MAPPING_EVAL_H

#include "gateway/mapping/find.h"

struct trace;

struct eval {
    const struct mapping *mapping;
    struct arena *arena;
    const struct limits *limits;
    struct diag_list *diags;
    const struct evaluation_input *input;
    const struct visit *visit;
    struct path_env env;
    struct path_items *values; /* what each %name yields so far, by place; `at` NULL: not known */
    bool all;                  /* also what no expression of the mapping names is published */
    const struct plan_rule *plan; /* while its items are built */
    const struct json **memos;    /* values that were built and can be met again, or NULL */
    struct evaluation_result *result;
    struct trace *trace; /* NULL: nobody asked why */
};

/* One that nothing is known in but the mapping. Lives in the arena. */
struct eval *evaluate_create(const struct mapping *mapping, struct arena *arena,
                             const struct limits *limits, struct diag_list *diags);

void evaluate_publish(struct eval *e, unsigned place, struct path_items items);
void evaluate_publish_one(struct eval *e, unsigned place, struct path_item item);

/* The value of an expression; STATUS_INVALID when it failed (diags says where). */
enum status evaluate_expr(struct eval *e, const struct expr *expr, struct path_items *items_out);

enum truth { TRUTH_FALSE, TRUTH_TRUE, TRUTH_UNKNOWN };
/* Empty is unknown; one item of another type than Boolean, or several, is a failure. */
enum status evaluate_truth(struct eval *e, const struct expr *expr, enum truth *truth_out);

/* One item as text ("5", "2024-05-14", "Patient/1"); STATUS_ABSENT when it is empty. */
enum status evaluate_text(struct eval *e, const struct expr *expr, struct slice *text_out);

/* ---- facts.c ---- */

/* Publishes every fetched fact by its rule. *failed_out: one that could not be fetched, or NULL. */
enum status evaluate_facts(struct eval *e, const struct fact_rule **failed_out);
/* False: a fact is another patient's. */
bool evaluate_is_of_one_child(const struct eval *e);
/* The date a resource is about, as written; SLICE_NONE: none. Observation.effective,
 * Condition.recordedDate ... */
struct slice resource_date(const struct json *resource);
/* Entered in error, refuted, cancelled: not a fact. */
bool resource_is_void(const struct json *resource);

/* ---- timers.c ---- */

/* Those that run from this visit on, with their days. */
enum status evaluate_timers(struct eval *e);

/* ---- vitals.c ---- */

/* Assesses growth from the visit's weight and height and publishes %growth.*. */
enum status evaluate_growth(struct eval *e);

/* ---- build.c ---- */

/* The value of an object template by itself; *value_out is NULL when nothing is in it. */
enum status evaluate_object(struct eval *e, const struct template *object, struct json **value_out);

/* ---- items.c ---- */

/* Those whose $when is true or unknown. */
enum status evaluate_prompts(struct eval *e, const struct prompt_rule *prompts, size_t count);

enum status evaluate_build(struct eval *e, const struct plan_rule *plan);

#endif
