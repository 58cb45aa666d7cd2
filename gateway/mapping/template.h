/*
 * Expressions, texts with holes, and templates: what a plan's resources are made of. Part of
 * tree.h, for the files of this folder only; lives in the mapping's arena.
 */
#ifndef GATEWAY_MAPPING_TEMPLATE_H
#define GATEWAY_MAPPING_TEMPLATE_H

#include "fhir/path/path.h"
#include "gateway/mapping/concepts.h"

struct expr { /* a FHIRPath expression of the author, quoted in YAML */
    struct span span;
    const struct path_expr *path;
};

/* Text with holes: "Condition?patient={{ %patient.id }}". */
struct piece {
    struct slice literal; /* when set and expr are NULL */
    const struct concept_set
        *set; /* a hole that is %sets.NAME alone: in a search, its codes as tokens */
    const struct expr *expr;
    const struct piece *next;
};

enum if_unknown { UNKNOWN_IS_ERROR, UNKNOWN_OMITS, UNKNOWN_INCLUDES };

enum template_kind {
    TEMPLATE_OBJECT,
    TEMPLATE_LIST,
    TEMPLATE_LITERAL, /* json */
    TEMPLATE_EXPR,    /* one whole expression: keeps its type */
    TEMPLATE_PIECES,  /* text with holes */
    TEMPLATE_PHRASE,  /* $text */
    TEMPLATE_CODE,    /* $code */
    TEMPLATE_SITE,    /* $site: json of the mapping's site rows */
    TEMPLATE_REFS,    /* $refs: references to the items of a section */
    TEMPLATE_FIXED,   /* settled: json that is the same for every child */
};

struct template
{
    enum template_kind kind;
    struct slice name; /* of the member; empty in a list */
    struct span span;
    bool repeats;                  /* the element is an array in JSON */
    bool required;                 /* min > 0 */
    const struct model_type *type; /* of the element's value; NULL for a choice that is not told */
    const struct expr *each;
    const struct expr *when;
    enum if_unknown if_unknown;
    const struct template *first; /* members or entries */
    const struct template *next;
    const struct json *literal;
    struct expr expr;
    const struct piece *pieces;
    struct slice key; /* $text key, $refs section */
    struct slice
        wrap; /* $refs ... as: the member that holds the reference; empty: the reference itself */
    const struct concept *concept;
    /* Settled (settle.c) */
    const struct text_entry *entry; /* $text: the text itself; `key` is its key */
    unsigned memo; /* from 1: of the values that are the same all through an evaluation */
    bool judge;    /* an object whose members are judged when it is built (safety.h) */
};

/* What a part was given, or would have been. */
struct with_value {
    struct slice name; /* "with.text" */
    unsigned place;
    struct path_items items;
};

struct item_rule {
    struct slice key; /* "goals.water" */
    struct slice why; /* $why */
    bool costs_money; /* not for a home where food may be short, or where that is not known */
    const struct template *resource;
    const struct template *settled; /* the same resource, decided as far as it can be without a
                                       child; NULL: no part of it can */
    bool goal;
    bool narrated; /* the narrative is among what is settled */
    const struct expr *when;
    enum if_unknown if_unknown;
    /* of the part it uses: published as %with.NAME while its resource is built */
    struct with_value *with;
    size_t with_count;
    struct span span;
};

#endif
