/*
 * Loading: the files of a folder become the tables of tree.h. Shared by load*.c only. Every reader
 * adds its mistakes to the loader's diagnostics and goes on, so that one run tells all.
 */
#ifndef GATEWAY_MAPPING_LOAD_H
#define GATEWAY_MAPPING_LOAD_H

#include "gateway/base/yaml.h"
#include "gateway/mapping/tree.h"

struct part_rule { /* a reusable resource: parts/NAME.yaml */
    struct slice name;
    const struct yaml *params;
    const struct yaml *resource;
    struct span span;
};

enum { VARIABLES_MOST = 256 };

struct loader {
    struct arena *arena;
    const struct model *model;
    const struct limits *limits;
    struct diag_list *diags;
    struct mapping *mapping;
    struct part_rule *parts;
    size_t part_count;
    struct path_variable variables[VARIABLES_MOST]; /* what expressions may name, so far */
    size_t variable_count;
    const struct model_type *each_type; /* $this inside a $each */
};

/* One key of a map: who reads it. `target` is what load_map was given. */
struct field {
    const char *key;
    bool required;
    void (*read)(struct loader *l, const struct yaml *node, void *target);
};

/* Reads a map by its table: unknown keys and missing ones are mistakes. False when node is no map.
 */
bool load_map(struct loader *l, const struct yaml *node, const struct field *fields, size_t count,
              void *target);

/* Each says what it expected, in one diagnostic, and returns false or SLICE_NONE. */
bool load_is(struct loader *l, const struct yaml *node, enum yaml_kind kind);
struct slice load_text(struct loader *l, const struct yaml *node);
struct slice load_word(struct loader *l,
                       const struct yaml *node); /* an identifier: letters, digits, _ */
struct slice load_name(struct loader *l, const struct yaml *node); /* a name: also - and . */
bool load_bool(struct loader *l, const struct yaml *node, bool *value_out);
bool load_choice(struct loader *l, const struct yaml *node, const char *const *words, size_t count,
                 size_t *which_out);
struct slice *load_texts(struct loader *l, const struct yaml *node, size_t *count_out);

void load_unknown_key(struct loader *l, const struct yaml *member, const struct slice *known,
                      size_t count);

/* ---- expressions (load_expr.c) ---- */

/* The quoted text is FHIRPath; an unquoted one is refused. */
bool load_expr(struct loader *l, const struct yaml *node, struct expr *expr_out);
/* The same for a part of a text, from byte `from`, `len` bytes. */
bool load_expr_part(struct loader *l, const struct yaml_text *text, size_t from, size_t len,
                    struct expr *expr_out);
/* Text with {{ holes }}; *whole_out: it is one hole and nothing else. NULL after a mistake. */
const struct piece *load_pieces(struct loader *l, const struct yaml *node, bool *whole_out);
/* Make %name known to the expressions that follow: of a System type, of a FHIR type, or as an
 * expression yields. */
void load_system_variable(struct loader *l, struct slice name, enum path_kind kind, bool many);
void load_fhir_variable(struct loader *l, struct slice name, const struct model_type *type,
                        bool many);
void load_typed_variable(struct loader *l, struct slice name, const struct path_type *type);

/* ---- one file each ---- */

void load_rules(struct loader *l, const struct yaml *root);     /* mapping.yaml */
void load_decide(struct loader *l, const struct yaml *node);    /* its decision table */
void load_plan(struct loader *l, const struct yaml *root);      /* plans/NAME.yaml */
void load_part(struct loader *l, const struct yaml *root);      /* parts/NAME.yaml */
void load_text_file(struct loader *l, const struct yaml *root); /* texts/NAME.LANGUAGE.yaml */
void load_concepts(struct loader *l, const struct yaml *root);  /* concepts/NAME.yaml */

/* A template for a value of an element (load_template.c). type NULL: not known, nothing is checked
 * against the model. */
const struct template *load_template(struct loader *l, const struct yaml *node,
                                     const struct model_type *type);
/* The value of a template without expressions; NULL when it has some. Lives in the arena. */
const struct json *template_constant(struct arena *arena, const struct template *template);

/* Grows a list in the arena by one; for tables filled while loading. */
#define LOAD_ADD(l, list, count, value)                                                            \
    do {                                                                                           \
        void *grown_ = load_grow((l), (list), (count), sizeof *(list));                            \
        (list) = grown_;                                                                           \
        ((list)[(count)++]) = (value);                                                             \
    } while (0)
void *load_grow(struct loader *l, const void *list, size_t count, size_t size);

/* An error of the loader with its place. */
struct diag *load_fault(struct loader *l, enum diag_code code, struct span span, const char *format,
                        ...) __attribute__((format(printf, 4, 5)));

#endif
