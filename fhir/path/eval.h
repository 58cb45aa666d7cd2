/* One evaluation under way; inside fhir/path only. */
#ifndef FHIR_PATH_EVAL_H
#define FHIR_PATH_EVAL_H

#include "fhir/path/library.h"
#include "fhir/path/operators.h"

/* Items under construction. They start in a small array of the caller and move into the arena when
 * they outgrow it. */
struct collection {
    struct path_item *at;
    size_t count;
    size_t cap;
};

enum { ROOM = 4 };
#define COLLECTION_ON(room)                                                                        \
    ((struct collection){.at = (room), .cap = sizeof(room) / sizeof *(room)})

static inline struct path_items collection_view(const struct collection *collection)
{
    return (struct path_items){collection->at, collection->count};
}

/* What $this, $index and $total are. */
struct frame {
    struct path_items self;
    struct path_items total;
    int64_t index; /* -1: none */
};

struct regex_cache;
struct reference_index;

struct evaluation {
    struct arena *arena;
    const struct path_expr *expr;
    const struct model *model;
    const struct path_env *env;
    const struct limits *limits;
    struct diag_list *diags;
    size_t steps;
    const struct node *here; /* the node evaluated last: where a ceiling was met */
    enum status failed;      /* STATUS_OK until a fault has been told */
    struct path_items *slots;
    struct regex_cache *regexes;
    struct reference_index *references;
};

/* Tells the fault and ends the evaluation. */
void eval_stop(struct evaluation *eval, enum diag_code code, struct span span, const char *hint,
               const char *format, ...) __attribute__((noreturn, format(printf, 5, 6)));
/* The same for a diagnostic that has been added already. */
void eval_stop_told(struct evaluation *eval) __attribute__((noreturn));
void eval_stop_limit(struct evaluation *eval, struct span span, const char *what)
    __attribute__((noreturn));

void collection_grow(struct evaluation *eval, struct collection *collection);
static inline void collection_add(struct evaluation *eval, struct collection *collection,
                                  struct path_item item)
{
    if (collection->count == collection->cap) {
        collection_grow(eval, collection);
    }
    collection->at[collection->count++] = item;
}
void collection_add_all(struct evaluation *eval, struct collection *collection,
                        struct path_items items);
static inline void collection_add_truth(struct evaluation *eval, struct collection *collection,
                                        enum truth truth)
{
    if (truth != TRUTH_EMPTY) {
        collection_add(eval, collection, path_item_boolean(truth == TRUTH_TRUE));
    }
}

/* Adds what the node yields. */
void eval_node(struct evaluation *eval, const struct node *node, const struct frame *frame,
               struct collection *out);
/* A singleton evaluated to a Boolean; several items are a fault. */
enum truth eval_truth(struct evaluation *eval, const struct node *node, const struct frame *frame);
/* A criterion: one Boolean or nothing. */
enum truth eval_criterion(struct evaluation *eval, const struct node *node,
                          const struct frame *frame);

static inline void eval_step(struct evaluation *eval, struct span span)
{
    if (++eval->steps > eval->limits->steps) {
        eval_stop_limit(eval, span, "steps");
    }
}

/* ---- items ---- */

/*
 * The System value of an item: of a primitive or Quantity node its value, any other item itself (a
 * node stays a PATH_NODE). False: a primitive that has only extensions. A text that is not of its
 * type ends the evaluation.
 */
bool item_value(struct evaluation *eval, const struct path_item *item, struct span span,
                struct path_item *value_out);
/* The only item as value; false for none; several are a fault told of `what`. */
bool single_value(struct evaluation *eval, struct path_items items, struct span span,
                  const char *what, struct path_item *value_out);
const struct path_item *single_item(struct evaluation *eval, struct path_items items,
                                    struct span span, const char *what);
bool item_is(struct evaluation *eval, const struct path_item *item, const struct type_spec *spec);
struct slice item_words(struct evaluation *eval, const struct path_item *item);
/*
 * Children of a node, one by one, in the order of the document; what FHIR JSON splits in two (name
 * and _name) is one item. Everything is in the walk itself; nothing is allocated but values made.
 */
struct children {
    struct evaluation *eval;
    const struct path_item *parent;
    const struct json *object;        /* whose members are looked through; NULL: not, or no more */
    const struct json *member;        /* the next one of them */
    const struct model_type *type;    /* of the parent */
    const struct member_plan *choice; /* only members that are this value[x] count */
    const struct member_plan *plan;   /* of what comes next */
    const struct json *value;         /* the next value, element of an array or not */
    const struct json *extra;
    bool listed;
    bool single; /* `item` below is the next and only child */
    struct path_item item;
    struct member_plan own;
};

/* Those called by the name of a NODE_MEMBER; of a node of unknown type by JSON name. */
void children_named(struct children *children, struct evaluation *eval, const struct node *node,
                    const struct path_item *parent);
void children_all(struct children *children, struct evaluation *eval,
                  const struct path_item *parent);
/* False: there is no more. */
bool children_next(struct children *children, struct path_item *child_out);
/* The value, namespace ... of a System value; false: it has none of that name. */
bool system_member(struct evaluation *eval, const struct path_item *item, struct slice name,
                   struct path_item *member_out);

/* ---- stream.c ---- */

/* Adds what the node yields, `wanted` items of it at most, when it is a path that runs in one pass;
 * else false, and nothing is done. */
bool stream_node(struct evaluation *eval, const struct node *node, const struct frame *frame,
                 size_t wanted, struct collection *out);
/* The answer of exists(criteria). */
bool stream_exists(struct evaluation *eval, const struct node *node, const struct frame *frame);
/* One element step from one item. */
void add_step(struct evaluation *eval, const struct node *node, const struct path_item *item,
              struct collection *out);
struct path_item item_decimal(struct evaluation *eval, struct decimal value);
struct path_item item_quantity(struct evaluation *eval, struct quantity value);
struct path_item item_datetime(struct evaluation *eval, const struct datetime *value);
struct decimal value_decimal(const struct path_item *value);   /* of an Integer or Decimal */
struct quantity value_quantity(const struct path_item *value); /* or of a number */
static inline bool kind_is(const struct path_item *item, unsigned kinds)
{
    return (1U << item->kind & kinds) != 0;
}
enum {
    KIND_NUMBERS = 1 << PATH_INTEGER | 1 << PATH_DECIMAL,
    KIND_MOMENTS = 1 << PATH_DATE | 1 << PATH_DATETIME | 1 << PATH_TIME
};
/* The text of an item as toString() has it; false: it has none. */
bool item_text(struct evaluation *eval, const struct path_item *value, struct slice *text_out);

/* ---- calls ---- */

enum { VALUE_ARGS = 3 };

/* What a function is given. `value` is set for the input rules that ask for one item or value;
 * args[i] for the letters that are values, and given[i] when the argument is there and not empty.
 */
struct call {
    const struct node *node;
    const struct frame *frame;
    struct path_items input;
    struct path_item value;
    struct path_item args[VALUE_ARGS];
    bool given[VALUE_ARGS];
};

void eval_call(struct evaluation *eval, const struct node *node, const struct frame *frame,
               struct collection *out);
/* Argument i with the $this of the caller. */
void eval_argument(struct evaluation *eval, const struct call *call, unsigned i,
                   struct collection *out);
/* Argument i with $this and $index of one item. */
struct frame frame_of(const struct call *call, const struct path_item *item, size_t index);

/* ---- regex.c, the only user of PCRE2 ---- */

enum truth regex_matches(struct evaluation *eval, struct slice pattern, struct slice flags,
                         bool full, struct slice text, struct span span);
struct slice regex_replace(struct evaluation *eval, struct slice pattern, struct slice flags,
                           struct slice text, struct slice substitution, struct span span);

/* ---- fn_html.c ---- */

/* Whether a narrative holds only what FHIR R4 narrative.html allows (txt-1, txt-2). */
bool html_is_allowed(struct arena *arena, struct slice html);

#endif
