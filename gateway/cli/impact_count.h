/*
 * The counts of a mapping's impact: children by EHR, type of visit, category and language, and in
 * what way they come out otherwise. As a table and as JSON. Tests: tests/scenario/suite_impact.mjs.
 */
#ifndef GATEWAY_CLI_IMPACT_COUNT_H
#define GATEWAY_CLI_IMPACT_COUNT_H

#include "fhir/json/json.h"
#include "gateway/cli/cli.h"

enum impact_column {
#define COLUMN(id, name) IMPACT_##id,
#include "gateway/cli/impact_columns.def"
    IMPACT_COLUMNS
};

enum impact_dimension {
    IMPACT_BY_EHR,
    IMPACT_BY_VISIT_TYPE,
    IMPACT_BY_CATEGORY,
    IMPACT_BY_LANGUAGE,
    IMPACT_DIMENSIONS
};

/* Why a child is counted as it is: each list has its own sentences. */
enum impact_why {
    IMPACT_WHY_CHANGED, /* "held by staleVitals -> proposal hw-child" */
    IMPACT_WHY_FAILED,  /* "mapping-evaluation at plans/p.yaml:12" */
    IMPACT_WHY_UNKNOWN, /* "facts no longer kept" */
    IMPACT_WHYS
};

/* One child. Texts are borrowed until impact_add() returns; an empty one is counted as "none". */
struct impact_child {
    struct slice groups[IMPACT_DIMENSIONS];
    struct slice labels[IMPACT_DIMENSIONS]; /* in words; may be empty */
    enum impact_column outcome;
    bool changed;
    struct slice why[IMPACT_WHYS]; /* empty: does not apply */
};

struct impact_count;

/* Lives in the arena, as all that it keeps. */
struct impact_count *impact_count_create(struct arena *arena);
void impact_add(struct impact_count *count, const struct impact_child *child);
uint64_t impact_total(const struct impact_count *count, enum impact_column column);
void impact_print(const struct impact_count *count, FILE *out);
/* Members all, by, changes, fails, unknown. */
void impact_json(const struct impact_count *count, struct arena *arena, struct json *object);

#endif
