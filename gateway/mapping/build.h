/*
 * Templates to values, as items.c asks for while a plan is built and settle.c while a mapping is
 * loaded. For these files only.
 */
#ifndef GATEWAY_MAPPING_BUILD_H
#define GATEWAY_MAPPING_BUILD_H

#include "gateway/mapping/eval.h"

struct build {
    struct eval *eval;
    const struct item_rule *item; /* whose resource is built */
    unsigned depth;
    struct slice text; /* key of the first text */
    size_t listed;     /* entries of the list before what is built: a $each in it counts on */
    bool settled;      /* a settled template: fixed values are judged, the others are judged now */
};

/* *value_out NULL: the template yields nothing. STATUS_INVALID: diags says why. Lives in the arena.
 */
enum status build_value(struct build *b, const struct template *template, struct json **value_out);

/* Whether $when lets something be built. */
enum status build_is_wanted(struct build *b, const struct expr *when, enum if_unknown if_unknown,
                            struct span span, bool *wanted_out);

#endif
