/*
 * What a mapping is once it is loaded: the tables that loading fills and evaluating reads. For the
 * files of this folder only. All lives in the mapping's arena and never changes after
 * mapping_load().
 */
#ifndef GATEWAY_MAPPING_TREE_H
#define GATEWAY_MAPPING_TREE_H

#include "fhir/path/path.h"
#include "fhir/types/quantity.h"
#include "gateway/base/yaml.h"
#include "gateway/mapping/concepts.h"
#include "gateway/mapping/mapping.h"
#include "gateway/mapping/phrase.h"
#include "gateway/mapping/template.h"

/*
 * What %name is: expressions know it by its place, which is its index in mapping.values + 1. Some
 * places are the same in every mapping.
 */
enum {
    PLACE_PATIENT = 1,
    PLACE_VISIT_DATE,
    PLACE_VISIT_ENCOUNTER,
    PLACE_ACCEPTOR,
    PLACE_SPEAKER,
    PLACE_PROTECTS_TEENS,
    PLACE_GROWTH, /* of the first growth field; the others follow */
};

struct named_value {
    struct slice name;
    struct path_items items; /* of a set: its URL; nothing of what only a child tells */
    bool used;               /* an expression of the mapping names it */
};

/* Another search for the same fact, for one EHR. */
struct fact_variant {
    struct slice ehr;
    const struct piece *query;
};

struct fact_rule {
    struct slice name;
    bool read;
    const struct piece *query;
    struct slice text; /* of the search, as written */
    const struct fact_variant *variants;
    size_t variant_count;
    enum fact_take take;
    const struct model_type *type; /* of its resources; NULL for a read whose type is not written */
    unsigned place;
    struct span span;
};

struct define {
    struct slice name;
    unsigned place;
    struct expr expr;
};

struct hold {
    struct slice id;
    struct expr when;
    struct slice tell;
    struct slice release;
    bool sensitive;
    struct span span;
    unsigned layer; /* of the file: 0 is the folder's own */
};

enum {
    INPUTS_MOST = 8,
    CELL_VALUES_MOST = 62,
    CELL_UNKNOWN = 63
}; /* bit of an input without a value */

struct input {
    struct slice name;
    struct expr expr;
    bool bands;
    const struct slice *values; /* names of the bands or values */
    const struct slice *cells;  /* "age=child": how a row's cell is told, of each of them */
    struct slice unknown;       /* the same without a value */
    const int64_t *from;        /* bands: lower bound of each, ascending; the last is open */
    size_t count;
    struct span span;
};

enum action { ACTION_PROPOSE, ACTION_HAND_OVER, ACTION_DROP };

struct row {
    uint64_t cells[INPUTS_MOST]; /* bits of the values that match; `any` has CELL_UNKNOWN too */
    enum action action;
    struct slice target; /* plan, whom to hand to, or the name of the drop */
    struct slice say;
    struct slice ask;
    const struct slice *because;
    size_t because_count;
    struct span span;
    unsigned layer; /* rows of an overlay come first, and take cells from those below */
};

struct prompt_rule {
    struct slice key;
    const struct expr *when;
    struct span span;
};

/* What is due for a child that is handed over, by what the row says. */
struct due_rule {
    struct slice say;
    const struct prompt_rule *prompts;
    size_t prompt_count;
    struct span span;
    unsigned layer;
};

struct plan_rule {
    struct slice name;
    struct slice public_id;
    struct span public_id_span;
    struct item_rule care_plan;
    struct item_rule *goals;
    size_t goal_count;
    struct item_rule *orders;
    size_t order_count;
    const struct prompt_rule *prompts;
    size_t prompt_count;
    struct slice *never;
    size_t never_count;
    struct mapping_owns owns;
    const struct template *accept_care_plan; /* on-accept; NULL: it says nothing of them */
    const struct template *accept_goals;
    const struct template *accept_orders;
    const struct yaml *accept_record; /* what the clinician is asked then; NULL: nothing */
    const struct yaml *goals_choose;  /* `$choose`; NULL: there is none */
    const struct yaml *orders_choose;
    const struct slice *texts; /* keys of the staff texts in its resources, without prompts */
    size_t text_count;
    struct span span;
    unsigned layer;
};

enum audience { FOR_STAFF, FOR_FAMILY };

struct text_entry {
    struct slice key;
    enum audience audience;
    const struct phrase *phrase;
    struct slice text; /* as written */
    struct span span;
};

struct text_file {
    struct slice plan;
    struct slice language;
    struct slice reviewed_by; /* "none": nobody */
    uint64_t grade;
    struct text_entry *entries;
    size_t count;
    struct span span;
    unsigned layer;
};

struct source_row { /* what `because` may name */
    struct slice name;
    const struct yaml *node;
    struct span span;
};

/* What makes an item of the work list when its time has come. */
struct timer_rule {
    struct slice id;
    struct expr from;
    uint64_t wait; /* in units */
    enum calendar_unit unit;
    const struct expr *unless; /* NULL: always */
    struct slice make;
    struct span span;
};

struct site_row {
    struct slice name;
    const struct json *value;
    struct span span;
};

struct part_hash {
    struct slice part; /* "rules", "texts.es" */
    struct slice hash; /* "sha256:..." */
};

struct approval;

struct mapping {
    struct arena *arena;
    const struct model *model;
    struct slice name;
    struct slice version;
    struct slice domain; /* whose required holds apply; empty: those of all */
    struct slice owner_clinical;
    struct slice owner_informatics;
    struct span owners_span;
    struct slice *staff_languages;
    size_t staff_language_count;
    struct slice *family_languages;
    size_t family_language_count;
    const struct piece *starts_on;
    struct slice starts_type;
    struct expr *eligible; /* all must be true: the mapping's, then each overlay's */
    size_t eligible_count;
    struct expr *food_at_risk; /* all must be false; none: no item costs money */
    size_t food_at_risk_count;
    struct named_value *values; /* what expressions can name, by place */
    size_t value_count;
    size_t memo_count;
    const struct fact_rule *weight; /* which facts growth is assessed from; NULL: it is not */
    const struct fact_rule *height;
    const struct fact_rule **growth_also; /* edema, gestational age, the record's own percentile */
    size_t growth_also_count;
    struct fact_rule *facts;
    size_t fact_count;
    struct define *defines;
    size_t define_count;
    struct hold *holds;
    size_t hold_count;
    struct span holds_span;
    struct input *inputs;
    size_t input_count;
    struct row *rows;
    size_t row_count;
    struct due_rule *due;
    size_t due_count;
    struct plan_rule *plans;
    size_t plan_count;
    struct text_file *texts;
    size_t text_count;
    struct concept_set *sets;
    size_t set_count;
    struct concept *codes;
    size_t code_count;
    struct timer_rule *timers;
    size_t timer_count;
    struct source_row *sources;
    size_t source_count;
    struct site_row *site;
    size_t site_count;
    struct approval *approvals;
    size_t approval_count;
    struct part_hash *parts; /* of the folder, for approvals */
    size_t part_count;
};

#endif
