#include "fhir/path/eval.h"

/*
 * A path such as entry.resource.ofType(Observation).where(...).value runs as one pass: each item
 * goes through all steps before the next one is looked at, no collection stands between the steps,
 * and who needs one item stops there. Steps are elements, where(), select() and ofType(); what they
 * are called on last (a variable, another function, $this) is evaluated before.
 */

enum { STEPS_MAX = 24 };

struct stream {
    struct evaluation *eval;
    const struct frame *frame;
    const struct node *steps[STEPS_MAX]; /* the first one is applied first */
    unsigned count;
    int64_t index[STEPS_MAX]; /* items that have come to the step */
    struct collection *out;
    size_t wanted; /* items in `out` that are enough */
};

static bool is_step(const struct node *node)
{
    if (node->kind == NODE_MEMBER) {
        return true;
    }
    return node->kind == NODE_CALL &&
           (node->function->run == fn_where || node->function->run == fn_of_type ||
            node->function->run == fn_select);
}

static bool pass(struct stream *stream, unsigned step, const struct path_item *item);

/*
 * The plain case of an element step: an object of the type that the step was made for, no choice,
 * no extensions beside a primitive. False: not plain, nothing is done; else *more_out.
 */
static bool pass_plain(struct stream *stream, unsigned step, const struct path_item *item,
                       bool *more_out)
{
    const struct node *node = stream->steps[step];
    const struct member_plan *plan = &node->plan;
    if (item->kind != PATH_NODE || item->type == NULL || item->type != plan->type || plan->choice ||
        plan->type->kind == MODEL_PRIMITIVE) {
        return false;
    }
    const struct json *extra = NULL;
    const struct json *value = plan->primitive
                                   ? json_member_beside(item->node.json, plan->json_name, &extra)
                                   : json_member(item->node.json, plan->json_name);
    if (extra != NULL) {
        return false;
    }
    bool list = json_is(value, JSON_ARRAY);
    *more_out = true;
    for (value = list ? json_first(value) : value; value != NULL;
         value = list ? json_next(value) : NULL) {
        struct path_item child = {.kind = PATH_NODE, .type = plan->resource ? NULL : plan->result};
        child.node.json = value;
        child.node.resource = plan->resource ? value : item->node.resource;
        eval_step(stream->eval, node->span);
        if (!json_is(value, JSON_NULL) && !pass(stream, step + 1, &child)) {
            *more_out = false;
            break;
        }
    }
    return true;
}

static bool pass_member(struct stream *stream, unsigned step, const struct path_item *item)
{
    const struct node *node = stream->steps[step];
    bool more;
    if (!node->is_type_name && pass_plain(stream, step, item, &more)) {
        return more;
    }
    if (!node->is_type_name) {
        struct children children;
        struct path_item child;
        children_named(&children, stream->eval, node, item);
        while (children_next(&children, &child)) {
            if (!pass(stream, step + 1, &child)) {
                return false;
            }
        }
        return true;
    }
    const struct model_type *type = path_item_type(stream->eval->model, item);
    if (type == NULL || !model_is_subtype(stream->eval->model, type, node->plan.type)) {
        return true;
    }
    struct path_item typed = *item;
    typed.type = type;
    return pass(stream, step + 1, &typed);
}

static bool pass_type(struct stream *stream, unsigned step, const struct path_item *item)
{
    const struct type_spec *spec = &stream->steps[step]->spec;
    eval_step(stream->eval, stream->steps[step]->mark);
    if (!item_is(stream->eval, item, spec)) {
        return true;
    }
    if (item->kind != PATH_NODE || item->type != NULL || spec->fhir->abstract) {
        return pass(stream, step + 1, item);
    }
    struct path_item typed = *item;
    typed.type = spec->fhir; /* what the model would say, kept for the steps behind */
    return pass(stream, step + 1, &typed);
}

static bool pass_select(struct stream *stream, unsigned step, const struct frame *frame)
{
    struct path_item room[ROOM];
    struct collection items = COLLECTION_ON(room);
    eval_node(stream->eval, stream->steps[step]->args[0], frame, &items);
    for (size_t i = 0; i < items.count; i++) {
        if (!pass(stream, step + 1, &items.at[i])) {
            return false;
        }
    }
    return true;
}

static bool pass_call(struct stream *stream, unsigned step, const struct path_item *item)
{
    const struct node *node = stream->steps[step];
    struct frame frame = {
        .self = {item, 1}, .total = stream->frame->total, .index = stream->index[step]++};
    if (node->function->run == fn_select) {
        return pass_select(stream, step, &frame);
    }
    return eval_criterion(stream->eval, node->args[0], &frame) != TRUTH_TRUE ||
           pass(stream, step + 1, item);
}

static bool pass(struct stream *stream, unsigned step, const struct path_item *item)
{
    if (step == stream->count) {
        collection_add(stream->eval, stream->out, *item);
        return stream->out->count < stream->wanted;
    }
    const struct node *node = stream->steps[step];
    if (node->kind == NODE_MEMBER) {
        return pass_member(stream, step, item);
    }
    return node->function->run == fn_of_type ? pass_type(stream, step, item)
                                             : pass_call(stream, step, item);
}

static void run(struct evaluation *eval, const struct node *node, const struct frame *frame,
                size_t wanted, struct collection *out)
{
    struct stream stream;
    stream.eval = eval;
    stream.frame = frame;
    stream.out = out;
    stream.wanted = wanted > SIZE_MAX - out->count ? SIZE_MAX : out->count + wanted;
    unsigned count = 1;
    const struct node *base = node->input;
    while (base != NULL && count < STEPS_MAX && is_step(base)) {
        base = base->input;
        count++;
    }
    stream.count = count;
    for (const struct node *step = node; count != 0; step = step->input) {
        stream.steps[--count] = step;
        stream.index[count] = 0;
    }
    struct path_item room[ROOM];
    struct collection items = COLLECTION_ON(room);
    struct path_items input = frame->self;
    if (base != NULL && base->kind != NODE_THIS) {
        eval_node(eval, base, frame, &items);
        input = collection_view(&items);
    }
    for (size_t i = 0; i < input.count && pass(&stream, 0, &input.at[i]); i++) {
    }
}

bool stream_node(struct evaluation *eval, const struct node *node, const struct frame *frame,
                 size_t wanted, struct collection *out)
{
    /* With a step function each node shows what it yielded, so each is evaluated by itself. */
    if (!is_step(node) || eval->env->step != NULL) {
        return false;
    }
    run(eval, node, frame, wanted, out);
    return true;
}

bool stream_exists(struct evaluation *eval, const struct node *node, const struct frame *frame)
{
    struct path_item room[1];
    struct collection found = COLLECTION_ON(room);
    run(eval, node, frame, 1, &found);
    return found.count != 0;
}

void add_step(struct evaluation *eval, const struct node *node, const struct path_item *item,
              struct collection *out)
{
    struct frame frame = {.index = -1}; /* an element step asks for none */
    struct stream stream = {.eval = eval, .frame = &frame, .steps = {node}, .count = 1, .out = out};
    stream.wanted = SIZE_MAX;
    pass(&stream, 0, item);
}
