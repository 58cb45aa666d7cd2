/* What operators take and do; inside fhir/path only. */
#ifndef FHIR_PATH_OPERATORS_H
#define FHIR_PATH_OPERATORS_H

#include "fhir/path/ast.h"

/* Three-valued logic. */
enum truth { TRUTH_FALSE, TRUTH_TRUE, TRUTH_EMPTY };

static inline enum truth truth_of(bool value)
{
    return value ? TRUTH_TRUE : TRUTH_FALSE;
}

static inline enum truth truth_not(enum truth truth)
{
    return truth == TRUTH_EMPTY ? truth : truth_of(truth == TRUTH_FALSE);
}

/* The System kind that a math or comparison operator gives for a pair of kinds; PATH_NODE: it does
 * not take them. */
enum path_kind operator_result(enum operator_id op, enum path_kind left, enum path_kind right);

struct evaluation;
struct collection;

/* ---- op_equality.c: FHIRPath N1 section 6.1 ---- */

enum truth items_equal(struct evaluation *eval, struct path_items a, struct path_items b,
                       struct span span);
bool items_equivalent(struct evaluation *eval, struct path_items a, struct path_items b,
                      struct span span);
/* One item against one. */
enum truth item_equal(struct evaluation *eval, const struct path_item *a, const struct path_item *b,
                      struct span span);
bool item_equivalent(struct evaluation *eval, const struct path_item *a, const struct path_item *b,
                     struct span span);

/* ---- op_comparison.c: section 6.2 ---- */

/* Two System values; stops the evaluation when their kinds have no order. */
enum order value_order(struct evaluation *eval, const struct path_item *a,
                       const struct path_item *b, struct span span, enum operator_id op);
enum truth compare_items(struct evaluation *eval, enum operator_id op, const struct path_item *a,
                         const struct path_item *b, struct span span);

/* ---- op_math.c: sections 6.6 and 6.7 ---- */

/* Two System values; adds the result, or nothing. */
void math_items(struct evaluation *eval, enum operator_id op, const struct path_item *a,
                const struct path_item *b, struct span span, struct collection *out);
void negate_item(struct evaluation *eval, const struct path_item *a, struct span span,
                 struct collection *out);

/* ---- op_collections.c: section 6.4 ---- */

/* A set of items under =, in constant time per item. */
struct item_set;
struct item_set *item_set_create(struct evaluation *eval, size_t expected, struct span span);
/* False: an equal item is in it already. */
bool item_set_add(struct item_set *set, const struct path_item *item);
bool item_set_has(struct item_set *set, const struct path_item *item);

#endif
