/* One run of a case, as case.c and case_child.c hand it on. Lives in the arena of the call. */
#ifndef GATEWAY_MAPPING_CASE_RUN_H
#define GATEWAY_MAPPING_CASE_RUN_H

#include "gateway/base/yaml.h"
#include "gateway/mapping/case.h"
#include "gateway/mapping/eval.h"

enum { DIFFERENCES_MOST = 20, RESOURCES_MOST = 64, VARIATIONS_MOST = 100 };

struct running {
    const struct case_runner *runner;
    const struct mapping *mapping;
    struct arena *arena;
    struct diag_list *diags;
    const struct yaml *root;
    const struct yaml *given;     /* of the case */
    const struct yaml *variation; /* of the neighbour, NULL for the case itself */
    const struct yaml *expect;
    const struct yaml *expect_case; /* what a neighbour does not say is expected as of the case */
    const struct json *resources[RESOURCES_MOST];
    size_t resource_count;
    struct datetime visit_date;
    unsigned layer; /* of the case's file */
    struct slice *differences;
    size_t difference_count;
};

/* A mistake of the case file. */
struct diag *case_fault(struct running *r, const struct yaml *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Every key of the map is one of `known`; a node that is no map is a mistake. False: a mistake was
 * told. */
bool case_keys(struct running *r, const struct yaml *node, const char *const *known, size_t count);

/* The text of a scalar; SLICE_NONE for anything else, NULL too. */
struct slice case_text(const struct yaml *node);

/* What is given: the neighbour's word, else the case's. */
const struct yaml *case_given(const struct running *r, const char *key);
const struct yaml *case_given_in(const struct running *r, const char *map, const char *key);

/* Tells the mistakes of the whole file. False: it cannot be run. */
bool case_check_file(struct running *r);

struct loader;
/* The keys of a case, for a schema (describe.h). */
void case_describe(struct loader *l, const struct yaml *root);

/* ---- case_compare.c ---- */

enum { CASE_GROWTH_KEYS = 4 };
extern const char *const case_growth_keys[CASE_GROWTH_KEYS]; /* what `growth` can be compared by */

void case_differ(struct running *r, const char *what, struct slice want, struct slice got);

/* Adds what differs from the expectation. */
/* The outcome word of the neighbour, else of its case; SLICE_NONE: none. */
struct slice case_wanted(const struct running *r);
void case_compare(struct running *r, const struct evaluation_result *result);

/* ---- case_whole.c ---- */

/* Adds what differs from cases/NAME/whole.yaml, if there is one. */
void case_compare_whole(struct running *r, struct case_run *run);

/* ---- case_child.c ---- */

/* Tells the mistakes of a `given` (or of a neighbour, which has `expect` too). */
void case_check_given(struct running *r, const struct yaml *given, bool neighbour);

/* The child and what the EHR would answer to the mapping's searches. False: a mistake was told. */
bool case_make(struct running *r, struct evaluation_input *input_out);

#endif
