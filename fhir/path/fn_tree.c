#include "fhir/path/eval.h"

/* FHIRPath N1 section 5.8. */

static void add_children(struct evaluation *eval, const struct path_item *item,
                         struct collection *out)
{
    struct children children;
    struct path_item child;
    children_all(&children, eval, item);
    while (children_next(&children, &child)) {
        collection_add(eval, out, child);
    }
}

void fn_children(struct evaluation *eval, const struct call *call, struct collection *out)
{
    for (size_t i = 0; i < call->input.count; i++) {
        add_children(eval, &call->input.at[i], out);
    }
}

/* Level by level: what a level adds is where the next one starts. */
void fn_descendants(struct evaluation *eval, const struct call *call, struct collection *out)
{
    size_t from = out->count;
    fn_children(eval, call, out);
    for (; from < out->count; from++) {
        struct path_item item = out->at[from]; /* out moves when it grows */
        add_children(eval, &item, out);
    }
}
