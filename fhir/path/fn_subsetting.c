#include "fhir/path/eval.h"

/* FHIRPath N1 sections 5.3 and 5.4. */

static void add_range(struct evaluation *eval, const struct call *call, size_t from, size_t to,
                      struct collection *out)
{
    if (from < to) {
        collection_add_all(eval, out, (struct path_items){call->input.at + from, to - from});
    }
}

/* A number of items as asked for, within 0 and the count. */
static size_t clamp(const struct call *call)
{
    int64_t number = call->args[0].integer;
    return number <= 0                            ? 0
           : (uint64_t)number < call->input.count ? (size_t)number
                                                  : call->input.count;
}

void fn_single(struct evaluation *eval, const struct call *call, struct collection *out)
{
    const struct path_item *item = single_item(eval, call->input, call->node->mark, "single()");
    if (item != NULL) {
        collection_add(eval, out, *item);
    }
}

void fn_first(struct evaluation *eval, const struct call *call, struct collection *out)
{
    add_range(eval, call, 0, call->input.count != 0, out);
}

void fn_last(struct evaluation *eval, const struct call *call, struct collection *out)
{
    size_t count = call->input.count;
    add_range(eval, call, count != 0 ? count - 1 : 0, count, out);
}

void fn_tail(struct evaluation *eval, const struct call *call, struct collection *out)
{
    add_range(eval, call, 1, call->input.count, out);
}

void fn_skip(struct evaluation *eval, const struct call *call, struct collection *out)
{
    add_range(eval, call, clamp(call), call->input.count, out);
}

void fn_take(struct evaluation *eval, const struct call *call, struct collection *out)
{
    add_range(eval, call, 0, clamp(call), out);
}

static struct item_set *set_of(struct evaluation *eval, const struct call *call)
{
    struct collection other = {NULL, 0, 0};
    eval_argument(eval, call, 0, &other);
    struct item_set *set = item_set_create(eval, other.count, call->node->mark);
    for (size_t i = 0; i < other.count; i++) {
        item_set_add(set, &other.at[i]);
    }
    return set;
}

void fn_intersect(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct item_set *other = set_of(eval, call);
    struct item_set *seen = item_set_create(eval, call->input.count, call->node->mark);
    for (size_t i = 0; i < call->input.count; i++) {
        if (item_set_has(other, &call->input.at[i]) && item_set_add(seen, &call->input.at[i])) {
            collection_add(eval, out, call->input.at[i]);
        }
    }
}

void fn_exclude(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct item_set *other = set_of(eval, call);
    for (size_t i = 0; i < call->input.count; i++) {
        if (!item_set_has(other, &call->input.at[i])) {
            collection_add(eval, out, call->input.at[i]);
        }
    }
}

void fn_union(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct collection all = {NULL, 0, 0};
    collection_add_all(eval, &all, call->input);
    eval_argument(eval, call, 0, &all);
    struct item_set *set = item_set_create(eval, all.count, call->node->mark);
    for (size_t i = 0; i < all.count; i++) {
        if (item_set_add(set, &all.at[i])) {
            collection_add(eval, out, all.at[i]);
        }
    }
}

/* The order is always that of preserveOrder. */
void fn_combine(struct evaluation *eval, const struct call *call, struct collection *out)
{
    collection_add_all(eval, out, call->input);
    eval_argument(eval, call, 0, out);
}
