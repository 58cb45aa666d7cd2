/* What an expression may yield, as far as it is known before it runs; inside fhir/path only. */
#ifndef FHIR_PATH_TYPE_H
#define FHIR_PATH_TYPE_H

#include "fhir/path/ast.h"

/* A System type (its enum path_kind) or, from TYPE_FHIR on, a FHIR type (its index in the model).
 */
typedef uint16_t type_ref;

enum { TYPE_FHIR = 16, TYPE_MANY = UINT16_MAX };

struct path_type {
    const struct model *model;
    const type_ref *refs; /* no item can be of another type, but of one derived from these; none
                             and not `any`: the expression yields nothing */
    uint16_t count;
    uint16_t min; /* items at least ... */
    uint16_t max; /* ... and at most; TYPE_MANY: no bound */
    bool any;     /* items of any type */
    bool unordered;
};

const struct path_type *type_nothing(struct arena *arena, const struct model *model);
const struct path_type *type_any(struct arena *arena, const struct model *model);
/* Exactly one item. */
const struct path_type *type_system(struct arena *arena, const struct model *model,
                                    enum path_kind kind);
/* One item. */
const struct path_type *type_fhir(struct arena *arena, const struct model *model,
                                  const struct model_type *type);
/* The same types, another number of items. */
const struct path_type *type_times(struct arena *arena, const struct path_type *type, unsigned min,
                                   unsigned max);
/* The types of both; items: either of them. */
const struct path_type *type_either(struct arena *arena, const struct path_type *a,
                                    const struct path_type *b);
/* Adds one ref to a set under construction of which `refs` has room for it. */
void type_add(struct path_type *set, type_ref *refs, type_ref ref);

unsigned type_multiply(unsigned a, unsigned b);
unsigned type_sum(unsigned a, unsigned b);

static inline bool type_is_nothing(const struct path_type *type)
{
    return type->count == 0 && !type->any;
}

/* NULL for a System type. */
const struct model_type *type_ref_fhir(const struct model *model, type_ref ref);
type_ref type_ref_of(const struct model *model, const struct model_type *type);
/* The System kind an item of that type converts to; PATH_NODE: none. */
enum path_kind type_ref_system(const struct model *model, type_ref ref);
/* "FHIR.Patient", "System.String"; lives in the arena. */
struct slice type_ref_text(struct arena *arena, const struct model *model, type_ref ref);
const char *kind_name(enum path_kind kind);
/* FHIR's own (Resource, Element ...): an item is of a type derived from it. */
bool type_is_open(const struct model *model, const struct model_type *type);

/* Whether an item of that type may convert to one of the System kinds, a bit for each (1 <<
 * kind). */
enum {
    KINDS_NUMBER = 1 << PATH_INTEGER | 1 << PATH_DECIMAL,
    KINDS_MEASURE = KINDS_NUMBER | 1 << PATH_QUANTITY,
    KINDS_MOMENT = 1 << PATH_DATE | 1 << PATH_DATETIME | 1 << PATH_TIME
};
bool type_converts(const struct path_type *type, unsigned kinds);
/* The System kinds that an item may convert to; all of them when nothing is known. */
unsigned type_kinds(const struct path_type *type);

/* Settles what `name` means for objects of a FHIR type. False: there is no such element. */
bool member_plan_make(const struct model *model, const struct model_type *type, struct slice name,
                      struct member_plan *plan_out);

/* ---- check.c and check_*.c ---- */

struct checker {
    struct arena *arena;
    const struct model *model;
    const struct path_scope *scope;
    struct diag_list *diags;
    unsigned slots;
    unsigned trial; /* above 0: a look ahead of repeat(), whose faults are not told */
    unsigned lazy;  /* above 0: inside a branch of iif(), which may never be evaluated */
};

/* What holds where an expression stands. */
struct surroundings {
    const struct path_type *self;  /* $this, and the input of a path without one */
    const struct path_type *total; /* NULL: no $total here */
    const struct binding *bindings;
};

/* Settles node->type and all below; *around->bindings gains what the node defines for what follows
 * it in its path. Never fails: faults are added to the diagnostics and the type becomes anything.
 */
void check_node(struct checker *checker, struct node *node, struct surroundings *around);
void check_member(struct checker *checker, struct node *node, struct surroundings *around);
void check_variable(struct checker *checker, struct node *node, const struct surroundings *around);
/* %record.field, a NODE_MEMBER on a variable, becomes the variable of that whole name. */
void check_fuse_field(struct checker *checker, struct node *node);
const struct path_type *check_context_type(struct checker *checker);
void check_call(struct checker *checker, struct node *node, const struct path_type *input,
                struct surroundings *around);
void check_operator(struct checker *checker, struct node *node);
void check_unary(struct checker *checker, struct node *node);
/* Looks the name up; adds the diagnostic when there is no such type. */
bool check_type_spec(struct checker *checker, struct type_spec *spec, bool exact);
const struct path_type *check_narrow(struct checker *checker, const struct type_spec *spec,
                                     const struct path_type *input);
/* True, and a diagnostic, when there are surely several items where they would be evaluated. */
bool check_single(struct checker *checker, const struct path_type *type, struct span span,
                  const char *what);
/* How a type is called in a message: "FHIR.HumanName", "a FHIR.string or a FHIR.Quantity". */
struct slice check_type_words(struct checker *checker, const struct path_type *type);

#endif
