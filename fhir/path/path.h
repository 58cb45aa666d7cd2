/*
 * FHIRPath: the whole public face. An expression is compiled once against a model and a scope, and
 * evaluated any number of times, from any number of threads: it is immutable. Compiling reports
 * every fault that can be proved, with its place; nothing is evaluated that did not compile.
 * Language: FHIRPath N1 (hl7.org/fhirpath/N1) with the trial-use functions that the R4 suite asks
 * for, and the FHIR additions (hl7.org/fhir/R4/fhirpath.html). Pure: the clock, documents that are
 * referred to and value sets come from the caller. Tests: tests/unit/fhir/path/, tests/fhirpath/,
 * fuzzed by tests/fuzzers/fuzz_path.c.
 */
#ifndef FHIR_PATH_PATH_H
#define FHIR_PATH_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "fhir/base/arena.h"
#include "fhir/base/buf.h"
#include "fhir/base/diag.h"
#include "fhir/base/limits.h"
#include "fhir/base/source.h"
#include "fhir/json/json.h"
#include "fhir/model/model.h"
#include "fhir/types/datetime.h"
#include "fhir/types/decimal.h"
#include "fhir/types/quantity.h"

/* ---- items ---- */

enum path_kind {
    PATH_NODE, /* a FHIR element or resource, or a JSON value of unknown type */
    PATH_BOOLEAN,
    PATH_STRING,
    PATH_INTEGER,
    PATH_DECIMAL,
    PATH_DATE,
    PATH_DATETIME,
    PATH_TIME,
    PATH_QUANTITY,
    PATH_TYPE_INFO, /* what type() gives */
    PATH_KIND_COUNT
};

/* A node points into the document it was found in and copies nothing. */
struct path_node {
    const struct json *json; /* the value; NULL or null when only `extra` is there */
    const struct json
        *extra; /* of a primitive: the object under "_name" (id, extension), or NULL */
    const struct json *resource; /* the resource it stands in (itself, for a resource), or NULL */
};

/* One item of a collection, passed by value. What it points to lives in the arena of the evaluation
 * or with the document. */
struct path_item {
    enum path_kind kind;
    const struct model_type *type; /* PATH_NODE: NULL until asked for by path_item_type, or when it
                                      is not known. PATH_TYPE_INFO: the FHIR type told of */
    union {
        struct path_node node;
        bool boolean;
        int64_t integer;   /* in the range of 32 bits */
        struct slice text; /* PATH_STRING */
        const struct decimal *decimal;
        const struct datetime *datetime; /* PATH_DATE, PATH_DATETIME, PATH_TIME */
        const struct quantity *quantity;
        enum path_kind described; /* PATH_TYPE_INFO with type NULL: the System type told of */
    };
};

struct path_items {
    const struct path_item *at;
    size_t count;
};

/* A resource (or any element, when its type is given). type NULL: by resourceType, else unknown. */
struct path_item path_item_of(const struct model *model, const struct json *json,
                              const struct model_type *type);
static inline struct path_item path_item_boolean(bool value)
{
    return (struct path_item){.kind = PATH_BOOLEAN, .boolean = value};
}
static inline struct path_item path_item_integer(int32_t value)
{
    return (struct path_item){.kind = PATH_INTEGER, .integer = value};
}
static inline struct path_item path_item_string(struct slice text) /* borrowed */
{
    return (struct path_item){.kind = PATH_STRING, .text = text};
}

/* The FHIR type of a node; NULL for other kinds and where it is not known. */
const struct model_type *path_item_type(const struct model *model, const struct path_item *item);

/* "FHIR.Quantity", "System.String"; "System.Any" for a node of unknown type. Lives in the arena. */
struct slice path_item_type_name(struct arena *arena, const struct model *model,
                                 const struct path_item *item);

/*
 * The item as FHIR JSON: a node as it stands in its document (null when it has no value but only
 * extensions), decimals with their digits, dates as text, a System.Quantity as a FHIR Quantity with
 * the UCUM system and code. Lives in the arena; of a node it is the document's own value, not a
 * copy.
 */
const struct json *path_item_json(struct arena *arena, const struct model *model,
                                  const struct path_item *item);

/* The System value of a primitive or Quantity node (FHIR R4, fhirpath.html 2.9.1); any other item
 * as it is. STATUS_ABSENT: it has no value. STATUS_INVALID: the text is not of its type. */
enum status path_item_value(struct arena *arena, const struct model *model,
                            const struct path_item *item, struct path_item *value_out);

/* ---- types of expressions ---- */

struct path_type; /* a set of types and how many items there may be; lives with its expression */

/* "FHIR.HumanName", "FHIR.HumanName (many)", "FHIR.Quantity | FHIR.string", "anything", "nothing".
 * Lives in the arena. */
struct slice path_type_text(struct arena *arena, const struct path_type *type);

/* Whether the result may have more than one item. */
bool path_type_is_many(const struct path_type *type);
/* False: no item of the result can be of that FHIR type (or convert to that System type). */
bool path_type_may_be(const struct path_type *type, const struct model_type *fhir_type);
bool path_type_may_be_system(const struct path_type *type, enum path_kind kind);

/* ---- compiling ---- */

/*
 * What is known of %name before evaluation. A name may have a point in it: "visit.date" is a field
 * of a record %visit, which is no value itself; an expression names the field, %visit.date.
 */
struct path_variable {
    struct slice name;
    const struct path_type *type; /* of an expression compiled in the same model; NULL: see below */
    const struct model_type *fhir_type; /* when type is NULL: items of that type */
    bool is_system;                     /* when both are NULL: items of the System type `system`; */
    enum path_kind system;              /* else nothing is known of it */
    bool many;                          /* any number of items; else at most one */
    unsigned place; /* from 1: its value is path_env.placed[place - 1]; 0: it is found by name */
};

struct path_scope {
    const struct model *model;
    const struct model_type *context; /* type of %context and $this; NULL: unknown */
    bool context_many;                /* the context may be any number of items */
    const struct path_variable *variables;
    size_t variable_count;
    /* Whether memberOf() will find that value set beside those of the model; NULL: it is not asked
     * before evaluation. */
    bool (*has_value_set)(void *arg, struct slice url);
    void *arg;
    bool strict;       /* order-dependent functions on unordered collections are errors */
    bool refuse_clock; /* now(), today() and timeOfDay() are errors */
};

struct path_expr;

/*
 * Reads and checks source->text. STATUS_OK: *expr_out lives in the arena; warnings may stand in
 * diags. STATUS_INVALID: every fault found stands in diags, in the order of the text.
 * STATUS_LIMIT: the expression is too long or nested too deep; diags tells. The scope is needed
 * only during the call, the model and the source as long as the expression.
 */
enum status path_compile(struct arena *arena, const struct source *source,
                         const struct path_scope *scope, const struct limits *limits,
                         struct diag_list *diags, const struct path_expr **expr_out);

const struct path_type *path_expr_type(const struct path_expr *expr);
struct span path_expr_span(const struct path_expr *expr);

/* The expression is a path of element names only, from the context or a variable: no function, no
 * operator, no literal. */
bool path_expr_is_plain(const struct path_expr *expr);

/*
 * Calls `use` with the place of every variable of the expression that has one, as often as it
 * stands there. Returns whether it asks the caller for anything else: variables found by name,
 * memberOf(), resolve(), trace(), the clock. If not, it yields the same in the same context
 * whenever these variables do.
 */
bool path_expr_uses(const struct path_expr *expr, void (*use)(void *arg, unsigned place),
                    void *arg);

/* The tree as read, one node per line with its place and type. */
void path_print_tree(const struct path_expr *expr, struct buf *out);

/* ---- evaluating ---- */

/* The value of %name; found by name, so the order need not be that of the scope. Who evaluates
 * often gives variables places instead. */
struct path_value {
    struct slice name;
    struct path_items items;
};

enum path_member { PATH_MEMBER_YES, PATH_MEMBER_NO, PATH_MEMBER_UNKNOWN_SET };

struct path_env {
    struct path_items context;        /* %context and the first $this */
    const struct json *resource;      /* %resource; NULL: the context, when it is a resource */
    const struct json *root_resource; /* %rootResource; NULL: as %resource */
    const struct path_value *values;
    size_t value_count;
    const struct path_items *placed; /* values of variables that have a place */
    size_t placed_count;
    const struct datetime *now; /* a dateTime with offset; NULL: now() and its like are errors */
    /* A resource by reference or canonical, not "#id": NULL when it is not there. */
    const struct json *(*resolve)(void *arg, struct slice reference);
    /* Membership in a value set that the caller has loaded; NULL or PATH_MEMBER_UNKNOWN_SET: the
     * model's own are asked. */
    enum path_member (*member_of)(void *arg, struct slice url, struct slice system,
                                  struct slice code);
    /* trace(): what the function was given. */
    void (*trace)(void *arg, struct slice name, struct path_items items);
    /* After each node of the tree: what it yielded, and from what text. */
    void (*step)(void *arg, struct span span, struct path_items items);
    void *arg;
};

/*
 * STATUS_OK: *items_out lives in the arena, its nodes with their documents. STATUS_INVALID: the
 * evaluation failed, STATUS_LIMIT: it reached a ceiling on steps, items or text; the one diagnostic
 * stands in diags with its place. Allocates only in the arena; must run inside arena_run().
 */
enum status path_evaluate(const struct path_expr *expr, const struct path_env *env,
                          struct arena *arena, const struct limits *limits, struct diag_list *diags,
                          struct path_items *items_out);

/* ---- the library of functions, for help and documentation ---- */

struct path_function {
    const char *name;     /* "substring", or the operator's sign */
    const char *section;  /* "5.6 String manipulation" */
    const char *usage;    /* "substring(start [, length])" */
    const char *sentence; /* what it does */
};

/* Row i in the order of the specification; NULL behind the last. */
const struct path_function *path_function_at(size_t i);

#endif
