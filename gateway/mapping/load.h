/*
 * Loading: the files of a folder become the tables of tree.h. Shared by load*.c only. Every reader
 * adds its mistakes to the loader's diagnostics and goes on, so that one run tells all.
 */
#ifndef GATEWAY_MAPPING_LOAD_H
#define GATEWAY_MAPPING_LOAD_H

#include "gateway/base/yaml.h"
#include "gateway/mapping/find.h"

struct part_rule { /* a reusable resource: parts/NAME.yaml */
    struct slice name;
    const struct yaml *params;
    const struct yaml *resource;
    struct span span;
};

struct text_use { /* $text: key of a plan's resource or prompt */
    struct slice plan;
    struct slice key;
    struct span span;
    bool goal; /* the family reads it too */
};

struct grown_set { /* a set to which an overlay adds codes */
    struct slice name;
    struct span span;
};

enum { VARIABLES_MOST = 256, CONCEPTS_MOST = 4096 };

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
    struct slice plan;                  /* the plan that is read */
    bool in_goals;                      /* one of its goals is */
    const struct yaml *item;            /* the item that is read */
    struct text_use *text_uses;
    size_t text_use_count;
    struct slice
        *uses; /* every name that is used: "codes.lipidPanel", "readyState"; with repeats */
    size_t use_count;
    bool unread; /* a file is no YAML: what others name may stand in it */
    bool no_rules;
    bool describing; /* nodes note how they are read (describe.h) */
    struct json *definitions;
    const struct model_type **to_define;
    size_t to_define_count;
    unsigned layer;           /* of the file that is read; 0 is the folder's own */
    bool overlay;             /* something was read that this layer extends */
    struct concept *concepts; /* all that were read, of sets and codes */
    size_t concept_count;
    struct grown_set *grown;
    size_t grown_count;
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

struct diag *load_unknown_key(struct loader *l, const struct yaml *member,
                              const struct slice *known, size_t count);

bool load_is_listed(const struct slice *list, size_t count, struct slice word);

/* ---- names (load_names.c) ---- */

/* Something of that kind ("codes") and name is used. */
void load_use_name(struct loader *l, const char *kind, struct slice name);
/* Every %name of an expression. */
void load_use_names_of(struct loader *l, struct slice expression);
/* Warnings for what nothing uses; `files`: those of cases/ may name codes. */
void load_tell_unused(struct loader *l, const struct mapping_file *files, size_t count);

/* ---- checks on the whole folder (load_check.c) ---- */

void load_check_whole(struct loader *l);
/* "file:line" of a span, for a hint. Lives in the arena. */
struct slice load_place(struct loader *l, struct span span);

/* A text that the family can read, an id, a title: no word that judges, no amount. False: a mistake
 * was told. */
bool load_check_words(struct loader *l, struct slice text, struct span span);

/* ---- expressions (load_expr.c) ---- */

/* What names race or ethnicity is refused, with false. */
bool load_check_race(struct loader *l, struct slice text, struct span span);
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

/* The names that every mapping can have get their places. */
void load_fixed_places(struct loader *l);
/* The place of %name; a new one for a new name. */
unsigned load_place_of(struct loader *l, struct slice name);
/* Facts, definitions and sets know their places: for the end of loading. */
void load_settle_places(struct loader *l);

/* ---- settling (settle.c) ---- */

/* Decides of every item's template what no child can change: for the end of loading, in a mapping
 * without mistakes. */
void settle_plans(struct loader *l);

/* ---- overlays (load_overlay.c) ---- */

/* Something of the extended mapping may not be said otherwise. */
void load_loosens(struct loader *l, struct span span, const char *sentence, const char *hint);
/* Rows from `first` on are the overlay's: each may hand over what was proposed, never the other way
 * round. Moves them before the others. */
void load_overlay_rows(struct loader *l, size_t first);
/* Whether a hold reads %name, directly or through definitions and growth. */
bool load_hold_reads(const struct loader *l, struct slice name);
/* Sets that grew: a hold reads them, or they are the site's. */
void load_check_grown(struct loader *l);
/* Tells a fact or definition whose name is taken. */
void load_new_variable(struct loader *l, const struct yaml *member);

/* ---- facts (load_facts.c) ---- */

/* `facts` of mapping.yaml; target is the mapping. */
void load_facts(struct loader *l, const struct yaml *node, void *target);
struct fact_rule *load_find_fact(const struct mapping *m, struct slice name);
/* The resource type at the beginning of "Type?..." or "Type/..."; NULL, and a diagnostic, when it
 * is none. */
const struct model_type *load_query_type(struct loader *l, const struct yaml *node,
                                         const struct piece *pieces);

/* ---- one file each ---- */

void load_rules(struct loader *l, const struct yaml *root);     /* mapping.yaml */
void load_timers(struct loader *l, const struct yaml *node);    /* its timers */
void load_decide(struct loader *l, const struct yaml *node);    /* its decision table */
void load_due(struct loader *l, const struct yaml *node);       /* what is due when handed over */
void load_plan(struct loader *l, const struct yaml *root);      /* plans/NAME.yaml */
void load_part(struct loader *l, const struct yaml *root);      /* parts/NAME.yaml */
void load_text_file(struct loader *l, const struct yaml *root); /* texts/NAME.LANGUAGE.yaml */
void load_concepts(struct loader *l, const struct yaml *root);  /* concepts/NAME.yaml */

/* What becomes of a plan once a person acts on it (load_accept.c); target: its plan_rule. */
void load_on_accept(struct loader *l, const struct yaml *node, void *target);
/* What the goals become, of a plan that has some; node: `on-accept`, or NULL. */
void load_check_accept(struct loader *l, const struct yaml *node, const struct plan_rule *plan);
void load_owns(struct loader *l, const struct yaml *node, void *target);
void load_approvals(struct loader *l, const struct yaml *root); /* approvals.yaml */
/* The hash of each part of the folder. */
void load_parts(struct loader *l, const struct mapping_file *files, size_t count);

/* A list of { $text, $when }. */
struct prompt_rule *load_prompts(struct loader *l, const struct yaml *node, size_t *count_out);

/* A $text key of the plan that is read; SLICE_NONE: one that only evaluation knows. */
void load_use_text(struct loader *l, struct slice key, struct span span);
/* A code that a plan shows or a goal measures. */
void load_check_code(struct loader *l, const struct concept *concept, struct span span);

/* A template for a value of an element (load_template.c). type NULL: not known, nothing is checked
 * against the model. */
const struct template *load_template(struct loader *l, const struct yaml *node,
                                     const struct model_type *type);
/* One member of an object of that type, with its name; NULL after a mistake. */
struct template *load_template_member(struct loader *l, const struct yaml *node,
                                      const struct model_type *parent);
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
