#include "fhir/path/eval.h"

/* FHIRPath N1 section 5.2, sort() and coalesce() of the trial-use additions. */

void fn_where(struct evaluation *eval, const struct call *call, struct collection *out)
{
    for (size_t i = 0; i < call->input.count; i++) {
        struct frame frame = frame_of(call, &call->input.at[i], i);
        if (eval_criterion(eval, call->node->args[0], &frame) == TRUTH_TRUE) {
            collection_add(eval, out, call->input.at[i]);
        }
    }
}

void fn_select(struct evaluation *eval, const struct call *call, struct collection *out)
{
    for (size_t i = 0; i < call->input.count; i++) {
        struct frame frame = frame_of(call, &call->input.at[i], i);
        eval_node(eval, call->node->args[0], &frame, out);
    }
}

void fn_of_type(struct evaluation *eval, const struct call *call, struct collection *out)
{
    const struct type_spec *spec = &call->node->spec;
    for (size_t i = 0; i < call->input.count; i++) {
        eval_step(eval, call->node->mark);
        if (item_is(eval, &call->input.at[i], spec)) {
            struct path_item item = call->input.at[i];
            if (item.kind == PATH_NODE && item.type == NULL && !spec->fhir->abstract) {
                item.type = spec->fhir; /* what the model would say, kept for the steps behind */
            }
            collection_add(eval, out, item);
        }
    }
}

/* Section 6.3: the function forms of the operators. */
void fn_is(struct evaluation *eval, const struct call *call, struct collection *out)
{
    const struct path_item *item = single_item(eval, call->input, call->node->mark, "is()");
    if (item != NULL) {
        collection_add(eval, out, path_item_boolean(item_is(eval, item, &call->node->spec)));
    }
}

void fn_as(struct evaluation *eval, const struct call *call, struct collection *out)
{
    const struct path_item *item = single_item(eval, call->input, call->node->mark, "as()");
    if (item != NULL && item_is(eval, item, &call->node->spec)) {
        collection_add(eval, out, *item);
    }
}

void fn_repeat(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct item_set *set = item_set_create(eval, call->input.count, call->node->mark);
    struct path_items queue = call->input;
    struct frame frame = frame_of(call, NULL, 0);
    frame.index = -1;
    while (queue.count != 0) {
        struct collection found = {NULL, 0, 0};
        size_t before = out->count;
        for (size_t i = 0; i < queue.count; i++) {
            frame.self = (struct path_items){&queue.at[i], 1};
            eval_node(eval, call->node->args[0], &frame, &found);
        }
        struct collection fresh = {NULL, 0, 0};
        for (size_t i = 0; i < found.count; i++) {
            if (item_set_add(set, &found.at[i])) {
                collection_add(eval, &fresh, found.at[i]);
            }
        }
        collection_add_all(eval, out, collection_view(&fresh));
        queue = collection_view(&fresh);
        if (out->count == before) {
            break;
        }
    }
}

void fn_repeat_all(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct path_items queue = call->input;
    struct frame frame = frame_of(call, NULL, 0);
    frame.index = -1;
    while (queue.count != 0) {
        struct collection found = {NULL, 0, 0};
        for (size_t i = 0; i < queue.count; i++) {
            frame.self = (struct path_items){&queue.at[i], 1};
            eval_node(eval, call->node->args[0], &frame, &found);
        }
        /* A projection that never ends meets the ceiling on items or steps. */
        collection_add_all(eval, out, collection_view(&found));
        queue = collection_view(&found);
    }
}

void fn_coalesce(struct evaluation *eval, const struct call *call, struct collection *out)
{
    size_t before = out->count;
    for (unsigned i = 0; i < call->node->arg_count && out->count == before; i++) {
        eval_argument(eval, call, i, out);
    }
}

/* ---- sort ---- */

enum { KEYS_MAX = 16 };

struct sort_key {
    struct path_item value;
    bool present;
};

struct sort_row {
    struct path_item item;
    struct sort_key *keys;
};

struct sorter {
    struct evaluation *eval;
    const struct call *call;
    unsigned keys;
};

static void sort_keys(struct sorter *sorter, struct sort_row *row)
{
    const struct node *node = sorter->call->node;
    row->keys = ARENA_ARRAY(sorter->eval->arena, sorter->keys, struct sort_key);
    if (node->arg_count == 0) {
        row->keys[0].present =
            item_value(sorter->eval, &row->item, node->mark, &row->keys[0].value);
        return;
    }
    for (unsigned k = 0; k < sorter->keys; k++) {
        struct path_item room[ROOM];
        struct collection items = COLLECTION_ON(room);
        struct frame frame = frame_of(sorter->call, &row->item, 0);
        frame.index = -1;
        eval_node(sorter->eval, node->args[k], &frame, &items);
        row->keys[k].present = single_value(sorter->eval, collection_view(&items),
                                            node->args[k]->span, "a sort key", &row->keys[k].value);
    }
}

/* An empty key is the lowest of all. A minus turns values, desc turns the whole order. */
static int sort_compare(struct sorter *sorter, const struct sort_row *a, const struct sort_row *b)
{
    const struct node *node = sorter->call->node;
    eval_step(sorter->eval, node->mark);
    for (unsigned k = 0; k < sorter->keys; k++) {
        const struct node *arg = node->arg_count != 0 ? node->args[k] : node;
        const struct sort_key *x = &a->keys[k];
        const struct sort_key *y = &b->keys[k];
        int order = (x->present > y->present) - (x->present < y->present);
        if (x->present && y->present) {
            enum order found = value_order(sorter->eval, &x->value, &y->value, arg->span, OP_LESS);
            order = found == ORDER_LESS ? -1 : found == ORDER_GREATER ? 1 : 0;
            order = arg->negated ? -order : order;
        }
        if (order != 0) {
            return arg->descending ? -order : order;
        }
    }
    return 0;
}

static void merge(struct sorter *sorter, struct sort_row *rows, struct sort_row *spare,
                  size_t middle, size_t count)
{
    memcpy(spare, rows, middle * sizeof *rows);
    size_t left = 0;
    size_t right = middle;
    size_t to = 0;
    while (left < middle) {
        if (right < count && sort_compare(sorter, &rows[right], &spare[left]) < 0) {
            rows[to++] = rows[right++];
        } else {
            rows[to++] = spare[left++];
        }
    }
}

/* Stable; runs of doubling length, from the bottom. */
static void merge_sort(struct sorter *sorter, struct sort_row *rows, size_t count)
{
    struct sort_row *spare = ARENA_ARRAY(sorter->eval->arena, count, struct sort_row);
    for (size_t run = 1; run < count; run *= 2) {
        for (size_t from = 0; from + run < count; from += 2 * run) {
            size_t len = count - from < 2 * run ? count - from : 2 * run;
            merge(sorter, rows + from, spare, run, len);
        }
    }
}

void fn_sort(struct evaluation *eval, const struct call *call, struct collection *out)
{
    if (call->input.count == 0) {
        return;
    }
    struct sorter sorter = {
        .eval = eval, .call = call, .keys = call->node->arg_count != 0 ? call->node->arg_count : 1};
    struct sort_row *rows = ARENA_ARRAY(eval->arena, call->input.count, struct sort_row);
    for (size_t i = 0; i < call->input.count; i++) {
        rows[i].item = call->input.at[i];
        sort_keys(&sorter, &rows[i]);
    }
    merge_sort(&sorter, rows, call->input.count);
    for (size_t i = 0; i < call->input.count; i++) {
        collection_add(eval, out, rows[i].item);
    }
}
