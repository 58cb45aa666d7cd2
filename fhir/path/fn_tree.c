#include "fhir/path/eval.h"

/* FHIRPath N1 section 5.8. */

struct collecting {
    struct sink sink;
    struct evaluation *eval;
    struct collection *out;
};

static bool collect(struct sink *sink, const struct path_item *item)
{
    const struct collecting *own = (const struct collecting *)sink;
    collection_add(own->eval, own->out, *item);
    return true;
}

void fn_children(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct collecting sink = {{collect}, eval, out};
    for (size_t i = 0; i < call->input.count; i++) {
        each_child(eval, &call->input.at[i], &sink.sink);
    }
}

/* Level by level: what a level adds is where the next one starts. */
void fn_descendants(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct collecting sink = {{collect}, eval, out};
    size_t from = out->count;
    fn_children(eval, call, out);
    for (; from < out->count; from++) {
        struct path_item item = out->at[from]; /* out moves when it grows */
        each_child(eval, &item, &sink.sink);
    }
}
