/*
 * Why an evaluation came out as it did: for every element of the plan the place in the mapping, the
 * expression and what it came from; for every hold, row, item and condition the part that decided.
 * Collected while evaluating, into JSON, and only when it was asked for: without a trace every call
 * here does nothing. For the files of this folder; lives in the arena of the evaluation. Tests:
 * tests/mapping/suite_explain.mjs.
 *
 * Members: facts [{name, state, resources}]; eligible [{name, state} + DECISION]; definitions
 * [{name} + DECISION]; hold-list [{id, state, sensitive} + DECISION]; inputs [{name, cell} +
 * DECISION]; rows [{at, does, met, because}]; items [{item, at}]; elements [{item, path, kind,
 * built, at, text, text-at} + DECISION]; left-out [{item, path, why} + DECISION]; prompt-list
 * [{item, path} + DECISION]. DECISION: {at, expression, each, value, decided-by {part, value,
 * because [{part, value}]}, names, resources}. `at` is FILE:LINE.
 */
#ifndef GATEWAY_MAPPING_TRACE_H
#define GATEWAY_MAPPING_TRACE_H

#include "gateway/mapping/eval.h"

void trace_begin(struct eval *e); /* from now on the evaluation is explained */
void trace_expr(struct eval *e);  /* an expression begins: forgets the steps of the last one */
struct json *trace_take(struct eval *e);

void trace_fact(struct eval *e, const struct fact_rule *rule, const struct fact *fact,
                struct path_items kept);
void trace_eligible(struct eval *e, const struct expr *eligible, enum truth truth);
void trace_define(struct eval *e, const struct define *define, struct path_items items);
void trace_hold(struct eval *e, const struct hold *hold, enum truth truth);
void trace_input(struct eval *e, const struct input *input, struct slice cell);
/* `met`: of all inputs; at[i]: the value of input i, as CELL_UNKNOWN or its index. */
void trace_row(struct eval *e, const struct row *row, const size_t *at, bool met);

/* ---- while a plan is built ---- */

/* Where the element stands that is built: "Goal.target[1].dueDate". */
void trace_item(struct eval *e, const struct item_rule *item);
size_t trace_enter(struct eval *e, struct slice name); /* returns what trace_leave() goes back to */
size_t trace_enter_index(struct eval *e, size_t index);
void trace_leave(struct eval *e, size_t mark);

/* What $this is one of from now on; returns what it was one of before. */
const struct expr *trace_each(struct eval *e, const struct expr *each);

/* The text that the next element is made of. */
void trace_text(struct eval *e, const struct text_entry *entry);
/* A value was built. */
void trace_element(struct eval *e, const struct template *template, const struct json *value);
/* One that no template names: the narrative. */
void trace_made(struct eval *e, const char *name, const char *how);
/* Not built. `when` NULL: for the reason alone. */
void trace_left_out(struct eval *e, struct span span, const struct expr *when, const char *why);

void trace_prompt(struct eval *e, const struct prompt_rule *prompt, bool wanted);

#endif
