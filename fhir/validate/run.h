/* One run of the validator; what its parts share. */
#ifndef FHIR_VALIDATE_RUN_H
#define FHIR_VALIDATE_RUN_H

#include "fhir/validate/validate.h"

/* Where the walk stands, from the resource down; lives on the stack of the walk. */
struct frame {
    const struct frame *up; /* NULL: the resource that was given */
    struct slice name;      /* FHIRPath name of the element, or the type of the resource */
    size_t index;           /* FRAME_SINGLE, or which one of a repeating element */
    size_t depth;
};

#define FRAME_SINGLE SIZE_MAX

/* Keys in order, for finding one among many; made on first use. */
struct text_index {
    struct index_row {
        struct slice key;
        const struct json *value;
    } * rows;
    size_t count;
    bool made;
};

struct run {
    const struct validator *validator;
    const struct model *model;
    struct arena *arena;
    const struct source *source; /* may be NULL */
    const struct limits *limits;
    struct diag_list *diags;
    const struct json *resource; /* the one the walk is in: %resource */
    const struct json *root;     /* the one it is contained in, else itself: %rootResource */
    const struct json *bundle;   /* the innermost Bundle around it, or NULL */
    struct text_index contained; /* of root, by id */
    struct text_index entries;   /* of bundle: entry.resource by fullUrl and by Type/id */
    unsigned advice;             /* warnings added */
    bool limited;                /* a ceiling was reached */
};

/* An element's value as JSON has it. */
struct value {
    const struct model_member *member; /* NULL for the resource that was given */
    const struct model_type *type;
    const struct json *json;  /* NULL: only `extra` is there */
    const struct json *extra; /* of a primitive: the object under "_name", or NULL */
};

/* ---- place.c: telling ---- */

/* "Patient.name[0].given[1]". Lives in the arena. */
struct slice frame_path(struct arena *arena, const struct frame *frame);

/* "an array"; static. */
const char *kind_words(const struct json *json);

/* The list takes no more: looking further, or for a hint, would be for nothing. */
static inline bool run_is_full(const struct run *run)
{
    return run->diags->count >= run->diags->ceiling;
}

/* diag_add with place and path. Warnings take at most half of the list, so that they hide no
 * error. */
struct diag *run_add(struct run *run, enum diag_code code, const struct json *at,
                     const struct frame *frame, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* ---- structure.c ---- */

/* `expected`: Resource, or what the element demands. */
void check_resource(struct run *run, const struct model_member *member,
                    const struct model_type *expected, const struct json *json,
                    const struct frame *frame);

/* ---- primitive.c ---- */

void check_primitive(struct run *run, const struct value *value, const struct frame *frame);

/* ---- narrative.c ---- */

/* NULL when the text is a div of XHTML, else why it is not; static. */
const char *narrative_fault(struct slice text);

/* ---- binding.c: the element is bound with strength required ---- */

void check_binding(struct run *run, const struct value *value, const struct frame *frame);

/* ---- reference.c ---- */

void check_reference(struct run *run, const struct value *value, const struct frame *frame);
void check_bundle_entry(struct run *run, const struct json *entry, const struct frame *frame);

/* A contained resource by id, an entry's resource by full URL or by "Type/id"; NULL: not there. */
const struct json *find_contained(struct run *run, struct slice id);
const struct json *find_entry(struct run *run, struct slice url);

/* ---- invariant.c ---- */

/* faulty: the structure below has faults, so an invariant that cannot be evaluated is no news. */
void check_invariants(struct run *run, const struct value *value, bool faulty,
                      const struct frame *frame);

#endif
