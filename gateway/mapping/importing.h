/* Shared by from_definition*.c alone: what stands between a Bundle of definitions and YAML. */
#ifndef GATEWAY_MAPPING_IMPORTING_H
#define GATEWAY_MAPPING_IMPORTING_H

#include "fhir/base/buf.h"
#include "gateway/mapping/from_definition.h"

enum { IMPORT_FILE_MOST = 4 * 1024 * 1024, IMPORT_NAME_MOST = 60 };

/* A resource of the Bundle and where it stands there. */
struct definition {
    const struct json *resource;
    struct slice at; /* "Bundle.entry[3].resource" */
    bool used;       /* an ActivityDefinition that became an order */
};

struct importing {
    struct arena *arena;
    struct definition *definitions;
    size_t count;
    bool *goals_used; /* of the PlanDefinition, by their position */
    struct imported *out;
    struct imported_file **file_end;
    struct left_out **left_end;
    struct slice encounter; /* the fact that is the visit's Encounter; empty: there is none */
    struct slice weights;   /* the facts that measure growth; empty: there are none */
    struct slice heights;
    struct buf codes; /* of orders, as YAML under `codes:` */
    struct buf rules; /* mapping.yaml, as far as it is written */
};

void import_file(struct importing *x, struct slice path, struct buf *text);
void import_leave(struct importing *x, struct slice path, const char *why);
/* All members of the object that are not among `read`, which ends with NULL. Those that say nothing
 * of the plan (id, meta, narrative, status) are passed over. */
void import_leave_others(struct importing *x, const struct json *object, struct slice at,
                         const char *const *read);
/* "AT.NAME", and "AT.NAME[I]". */
struct slice import_at(struct importing *x, struct slice at, const char *name);
struct slice import_at_index(struct importing *x, struct slice at, const char *name, size_t i);

/* As a scalar of YAML, which takes the strings of JSON. */
struct slice import_quoted(struct importing *x, struct slice text);
/* What an expression can name: text where it is such a word, else its words run together. */
struct slice import_word(struct importing *x, struct slice text, const char *otherwise);
/* Lower-case letters, digits and hyphens. */
struct slice import_slug(struct importing *x, struct slice text, const char *otherwise);

/* The definition of that type and url (what follows a | is not compared); NULL: there is none. */
struct definition *import_find(struct importing *x, const char *type, struct slice url);

/*
 * All conditions of an action as one expression: "true" when there are none. False: one of them is
 * no FHIRPath, or does not say whether the action applies; it was left out.
 */
bool import_condition(struct importing *x, const struct json *action, struct slice at,
                      struct slice *expression_out);

/* from_definition_sets.c: concepts/sets.yaml; `facts` and `define` of mapping.yaml. */
void import_sets(struct importing *x);
void import_libraries(struct importing *x);
/* The name of the set that a ValueSet became; empty: it became none. */
struct slice import_set_name(struct importing *x, struct slice url);

/* from_definition_plan.c: plans/NAME.yaml and its texts. The name is the plan's own. */
struct slice import_plan(struct importing *x, const struct definition *plan,
                         const struct json *action, struct slice at);

#endif
