/* What the files of the merge share (plan_merge.h). */
#ifndef GATEWAY_PLAN_MERGE_STEPS_H
#define GATEWAY_PLAN_MERGE_STEPS_H

#include "fhir/base/buf.h"
#include "gateway/plan/plan_merge.h"

struct merging {
    struct arena *arena;
    const struct model *model;
    const struct plan_owns *owns;
    struct slice item;
    struct buf path;
    unsigned depth;
    struct plan_merge *out;
};

/* Equal, but for extensions and what stands beside primitives (_name), which an EHR may add. Either
 * may be NULL. */
bool merge_alike(const struct json *a, const struct json *b);
/* Equal. Either may be NULL. */
bool merge_same(const struct json *a, const struct json *b);

void merge_note_kept(struct merging *m);
void merge_note_changed(struct merging *m);
/* Both changed it and theirs stays. */
void merge_note_conflict(struct merging *m);

/*
 * The value of the element at m->path, of that type (NULL: not known); a member whose side is NULL
 * is absent there. NULL: it is absent from the merged resource.
 */
struct json *merge_value(struct merging *m, const struct model_type *type,
                         const struct plan_sides *sides);

/* merge_list.c: as merge_value for lists that both sides changed. False: it is one element. */
bool merge_list(struct merging *m, const struct model_type *type, const struct plan_sides *sides,
                struct json **list_out);

#endif
