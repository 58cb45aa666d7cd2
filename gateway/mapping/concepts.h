/* Codes and sets of them, with the days on which they count. For the files of this folder only. */
#ifndef GATEWAY_MAPPING_CONCEPTS_H
#define GATEWAY_MAPPING_CONCEPTS_H

#include <stdbool.h>

#include "fhir/base/source.h"
#include "fhir/types/datetime.h"

enum code_status { CODE_VERIFIED, CODE_SECONDARY, CODE_MEMORY };

struct concept {
    struct slice name;            /* of an entry of `codes`; empty in a set */
    const struct datetime *from;  /* first day it counts; NULL: always has */
    const struct datetime *until; /* last day; NULL: it has none */
    const struct concept *later;  /* of `codes`: what takes its place after that */
    const struct concept *also;   /* the code of the mapping that is extended; NULL: none */
    struct slice system;
    struct slice code;
    struct slice display;
    enum code_status status;
    struct span span;
    unsigned layer;
};

struct concept_set {
    struct slice name;
    struct slice url;      /* what %sets.NAME yields: the canonical that memberOf() is asked for */
    struct slice variable; /* sets.NAME */
    const struct concept *concepts;
    size_t count;
    struct span span;
    bool site; /* the mapping's author leaves it to the site */
    unsigned layer;
};

/* date NULL: on any day. */
bool concept_set_has(const struct concept_set *set, struct slice system, struct slice code,
                     const struct datetime *date);
bool concept_counts(const struct concept *concept, const struct datetime *date);
/* Of a code and those that take its place: the one of that day. */
const struct concept *concept_on(const struct concept *concept, const struct datetime *date);

#endif
