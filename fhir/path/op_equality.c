#include <utf8proc.h>

#include "fhir/path/eval.h"

/*
 * FHIRPath N1 section 6.1. Elements without a System value are compared by their JSON, recursively:
 * numbers by value, text exactly (=) or without case and kind of white space (~), repeated elements
 * in order (=) or in any (~). The depth of a document is bounded by its reader.
 */

/* ---- JSON against JSON ---- */

static bool text_equivalent(struct slice a, struct slice b)
{
    size_t i = 0;
    size_t k = 0;
    while (i < a.len && k < b.len) {
        uint32_t left = utf8_next(a, &i);
        uint32_t right = utf8_next(b, &k);
        if (left == UINT32_MAX || right == UINT32_MAX) {
            return slice_equal(a, b);
        }
        if (left == right) {
            continue;
        }
        utf8proc_category_t cl = utf8proc_category((utf8proc_int32_t)left);
        utf8proc_category_t cr = utf8proc_category((utf8proc_int32_t)right);
        bool space_l = cl == UTF8PROC_CATEGORY_ZS || (left >= 9 && left <= 13);
        bool space_r = cr == UTF8PROC_CATEGORY_ZS || (right >= 9 && right <= 13);
        if (space_l && space_r) {
            continue;
        }
        if (utf8proc_tolower((utf8proc_int32_t)left) != utf8proc_tolower((utf8proc_int32_t)right) &&
            utf8proc_toupper((utf8proc_int32_t)left) != utf8proc_toupper((utf8proc_int32_t)right)) {
            return false;
        }
    }
    return i >= a.len && k >= b.len;
}

static bool number_equal(struct slice a, struct slice b, bool equivalent)
{
    struct decimal left;
    struct decimal right;
    if (decimal_parse(a, &left) != STATUS_OK || decimal_parse(b, &right) != STATUS_OK) {
        return slice_equal(a, b);
    }
    return equivalent ? decimal_equivalent(left, right) : decimal_equal(left, right);
}

static bool json_same(struct evaluation *eval, const struct json *a, const struct json *b,
                      bool equivalent);

static bool members_same(struct evaluation *eval, const struct json *a, const struct json *b,
                         bool equivalent)
{
    if (json_count(a) != json_count(b)) {
        return false;
    }
    for (const struct json *item = json_first(a); item != NULL; item = json_next(item)) {
        const struct json *other = json_member(b, json_name(item));
        if (other == NULL || !json_same(eval, item, other, equivalent)) {
            return false;
        }
    }
    return true;
}

static bool elements_same(struct evaluation *eval, const struct json *a, const struct json *b)
{
    const struct json *other = json_first(b);
    for (const struct json *item = json_first(a); item != NULL; item = json_next(item)) {
        if (other == NULL || !json_same(eval, item, other, false)) {
            return false;
        }
        other = json_next(other);
    }
    return other == NULL;
}

/* Each finds a partner of its own. */
static bool elements_equivalent(struct evaluation *eval, const struct json *a, const struct json *b)
{
    size_t count = json_count(a);
    if (count != json_count(b)) {
        return false;
    }
    bool *taken = ARENA_ARRAY(eval->arena, count + 1, bool);
    for (const struct json *item = json_first(a); item != NULL; item = json_next(item)) {
        size_t k = 0;
        const struct json *other = json_first(b);
        while (other != NULL && (taken[k] || !json_same(eval, item, other, true))) {
            other = json_next(other);
            k++;
        }
        if (other == NULL) {
            return false;
        }
        taken[k] = true;
    }
    return true;
}

static bool json_same(struct evaluation *eval, const struct json *a, const struct json *b,
                      bool equivalent)
{
    if (a == b) {
        return true;
    }
    if (a == NULL || b == NULL || json_kind(a) != json_kind(b)) {
        return false;
    }
    eval_step(eval, eval->here->span);
    switch (json_kind(a)) {
    case JSON_NUMBER:
        return number_equal(json_text(a), json_text(b), equivalent);
    case JSON_STRING:
        return equivalent ? text_equivalent(json_text(a), json_text(b))
                          : slice_equal(json_text(a), json_text(b));
    case JSON_ARRAY:
        return equivalent ? elements_equivalent(eval, a, b) : elements_same(eval, a, b);
    case JSON_OBJECT:
        return members_same(eval, a, b, equivalent);
    default:
        return true;
    }
}

/* ---- items ---- */

/* Both items as values; false: at least one has none, and then they are the same only as nodes. */
static bool both_values(struct evaluation *eval, const struct path_item *a,
                        const struct path_item *b, struct span span, struct path_item *x,
                        struct path_item *y)
{
    bool has_x = item_value(eval, a, span, x);
    bool has_y = item_value(eval, b, span, y);
    return has_x && has_y;
}

static bool nodes_same(struct evaluation *eval, const struct path_item *a,
                       const struct path_item *b, bool equivalent)
{
    if (a->kind != PATH_NODE || b->kind != PATH_NODE) {
        return false;
    }
    if (a->node.json == NULL || b->node.json == NULL) {
        return a->node.json == b->node.json &&
               json_same(eval, a->node.extra, b->node.extra, equivalent);
    }
    const struct model_type *x = path_item_type(eval->model, a);
    const struct model_type *y = path_item_type(eval->model, b);
    if (x != y && x != NULL && y != NULL) {
        return false;
    }
    return json_same(eval, a->node.json, b->node.json, equivalent);
}

static bool is_measure(const struct path_item *item)
{
    return kind_is(item, KIND_NUMBERS | 1U << PATH_QUANTITY);
}

static enum truth truth_of_order(enum order order)
{
    return order == ORDER_UNKNOWN ? TRUTH_EMPTY : truth_of(order == ORDER_EQUAL);
}

static bool same_type_info(const struct path_item *x, const struct path_item *y)
{
    return x->type == y->type && (x->type != NULL || x->described == y->described);
}

static enum truth quantities_equal(struct evaluation *eval, const struct path_item *x,
                                   const struct path_item *y, struct span span)
{
    struct quantity left = value_quantity(x);
    struct quantity right = value_quantity(y);
    enum order order;
    if (quantity_compare(&left, &right, eval->diags, span, &order) != STATUS_OK) {
        eval_stop_told(eval);
    }
    return order == ORDER_NONE ? TRUTH_EMPTY : truth_of_order(order);
}

static enum truth values_equal(struct evaluation *eval, const struct path_item *x,
                               const struct path_item *y, struct span span)
{
    if (kind_is(x, KIND_NUMBERS) && kind_is(y, KIND_NUMBERS)) {
        return truth_of(x->kind == PATH_INTEGER && y->kind == PATH_INTEGER
                            ? x->integer == y->integer
                            : decimal_equal(value_decimal(x), value_decimal(y)));
    }
    if (is_measure(x) && is_measure(y)) {
        return quantities_equal(eval, x, y, span);
    }
    if (kind_is(x, KIND_MOMENTS) && kind_is(y, KIND_MOMENTS)) {
        return truth_of_order(datetime_compare(x->datetime, y->datetime));
    }
    if (x->kind != y->kind) {
        return TRUTH_FALSE;
    }
    switch (x->kind) {
    case PATH_BOOLEAN:
        return truth_of(x->boolean == y->boolean);
    case PATH_STRING:
        return truth_of(slice_equal(x->text, y->text));
    default:
        return truth_of(same_type_info(x, y));
    }
}

enum truth item_equal(struct evaluation *eval, const struct path_item *a, const struct path_item *b,
                      struct span span)
{
    struct path_item x;
    struct path_item y;
    eval_step(eval, span);
    if (!both_values(eval, a, b, span, &x, &y)) {
        return truth_of(nodes_same(eval, a, b, false));
    }
    if (x.kind == PATH_NODE || y.kind == PATH_NODE) {
        return truth_of(nodes_same(eval, &x, &y, false));
    }
    return values_equal(eval, &x, &y, span);
}

bool item_equivalent(struct evaluation *eval, const struct path_item *a, const struct path_item *b,
                     struct span span)
{
    struct path_item x;
    struct path_item y;
    bool equivalent;
    eval_step(eval, span);
    if (!both_values(eval, a, b, span, &x, &y)) {
        return nodes_same(eval, a, b, true);
    }
    if (x.kind == PATH_NODE || y.kind == PATH_NODE) {
        return nodes_same(eval, &x, &y, true);
    }
    if (kind_is(&x, KIND_NUMBERS) && kind_is(&y, KIND_NUMBERS)) {
        return decimal_equivalent(value_decimal(&x), value_decimal(&y));
    }
    if (is_measure(&x) && is_measure(&y)) {
        struct quantity left = value_quantity(&x);
        struct quantity right = value_quantity(&y);
        if (quantity_equivalent(&left, &right, eval->diags, span, &equivalent) != STATUS_OK) {
            eval_stop_told(eval);
        }
        return equivalent;
    }
    if (kind_is(&x, KIND_MOMENTS) && kind_is(&y, KIND_MOMENTS)) {
        return datetime_equivalent(x.datetime, y.datetime);
    }
    if (x.kind == PATH_STRING && y.kind == PATH_STRING) {
        return text_equivalent(x.text, y.text);
    }
    return values_equal(eval, &x, &y, span) == TRUTH_TRUE;
}

/* ---- collections ---- */

enum truth items_equal(struct evaluation *eval, struct path_items a, struct path_items b,
                       struct span span)
{
    if (a.count == 0 || b.count == 0) {
        return TRUTH_EMPTY;
    }
    if (a.count != b.count) {
        return TRUTH_FALSE;
    }
    bool unknown = false;
    for (size_t i = 0; i < a.count; i++) {
        enum truth truth = item_equal(eval, &a.at[i], &b.at[i], span);
        if (truth == TRUTH_FALSE) {
            return truth;
        }
        unknown = unknown || truth == TRUTH_EMPTY;
    }
    return unknown ? TRUTH_EMPTY : TRUTH_TRUE;
}

bool items_equivalent(struct evaluation *eval, struct path_items a, struct path_items b,
                      struct span span)
{
    if (a.count != b.count) {
        return false;
    }
    bool *taken = ARENA_ARRAY(eval->arena, b.count + 1, bool);
    for (size_t i = 0; i < a.count; i++) {
        size_t k = 0;
        while (k < b.count && (taken[k] || !item_equivalent(eval, &a.at[i], &b.at[k], span))) {
            k++;
        }
        if (k == b.count) {
            return false;
        }
        taken[k] = true;
    }
    return true;
}
