/*
 * A mapping: a folder of YAML that says for which visits which plan is proposed. Pure: bytes in,
 * plan out; the same mapping, facts and evaluation time give byte-identical plans. Who reads
 * folders, fetches facts and writes plans calls this; it calls nobody. The language:
 * mappings/README.md. Its shape: gateway/decisions/adr-2611-mapping-language.md. Tests:
 * tests/unit/gateway/mapping/, tests/mapping/; fuzzed by tests/fuzzers/fuzz_mapping.c.
 */
#ifndef GATEWAY_MAPPING_MAPPING_H
#define GATEWAY_MAPPING_MAPPING_H

#include <stdbool.h>

#include "fhir/base/arena.h"
#include "fhir/base/diag.h"
#include "fhir/base/limits.h"
#include "fhir/growth/growth.h"
#include "fhir/json/json.h"
#include "fhir/model/model.h"
#include "fhir/path/path.h"
#include "fhir/types/datetime.h"

/* ---- loading ---- */

struct mapping_file {
    struct slice path; /* below the mapping's folder: "plans/overweight-child-ready.yaml" */
    struct slice name; /* as shown in messages */
    struct slice text;
    unsigned layer; /* 0: of the folder itself; 1: of the one it extends; and so on */
};

/* What a mapping.yaml says it extends. */
struct mapping_extends {
    struct slice text; /* as written: "../healthy-weight" or "healthy-weight@1.3"; empty: nothing */
    struct slice path; /* of the folder, from the one that extends it */
    struct span span;
};

enum { MAPPING_LAYERS_MOST = 4 };

/*
 * Reads `extends` of one mapping.yaml, for whoever reads folders. A file with mistakes, or without
 * the key, extends nothing here: mapping_load() tells what is wrong. Lives in the arena.
 */
struct mapping_extends mapping_extends(struct arena *arena, const struct mapping_file *file);

/* Immutable once loaded; may be used by several threads at once. Lives in the arena it was loaded
 * into. */
struct mapping;

/*
 * Reads and checks all files of one folder, and of those it extends. Every mistake of the folder is
 * in diags, each with its place. STATUS_INVALID: there was an error; *mapping_out untouched.
 */
enum status mapping_load(struct arena *arena, const struct mapping_file *files, size_t count,
                         const struct model *model, const struct limits *limits,
                         struct diag_list *diags, const struct mapping **mapping_out);

struct slice mapping_name(const struct mapping *mapping);
struct slice mapping_version(const struct mapping *mapping);

/* Who owns which elements of a plan (`owns` of its template): patterns for gateway/plan/owns.h. */
struct mapping_owns {
    const struct slice *gateway;
    size_t gateway_count;
    const struct slice *clinician;
    size_t clinician_count;
};

/* False: the mapping has no plan of that name. Lives with the mapping. */
bool mapping_find_owns(const struct mapping *mapping, struct slice plan,
                       struct mapping_owns *owns_out);

/* What acceptance sets (`on-accept`): elements of a CarePlan, of each chosen Goal, of each order;
 * NULL: nothing. */
struct mapping_acceptance {
    struct json *care_plan;
    struct json *goal;
    struct json *order;
};

/*
 * acceptor: "Practitioner/7"; speaker: who spoke for the family, "Patient/3". STATUS_ABSENT: the
 * mapping has no plan of that name. STATUS_INVALID: an expression failed (diags). Lives in the
 * arena.
 */
enum status mapping_accept(const struct mapping *mapping, struct arena *arena, struct slice plan,
                           struct slice acceptor, struct slice speaker, const struct limits *limits,
                           struct diag_list *diags, struct mapping_acceptance *acceptance_out);

/*
 * What stands between this mapping and a real patient on the day `today`: unreviewed texts, parts
 * that were changed since they were approved or whose review is due (approvals.h), codes that are
 * not verified, a hold that clinical review requires and that is missing. Empty: released.
 * Diagnostics of severity error.
 */
void mapping_release_faults(const struct mapping *mapping, const struct datetime *today,
                            struct diag_list *diags);

/* A staff text of a plan that needs no values; empty: there is none. Lives in the arena. */
struct slice mapping_prompt_text(const struct mapping *mapping, struct arena *arena,
                                 struct slice plan, struct slice key);

/* The languages that families read. Lives with the mapping. */
size_t mapping_family_languages(const struct mapping *mapping, const struct slice **languages_out);

/* Keys of all items that a plan can have ("goals.water"), the CarePlan last. 0: no such plan. */
size_t mapping_item_keys(const struct mapping *mapping, struct arena *arena, struct slice plan,
                         struct slice **keys_out);
/* The resource type that an item of that key has. */
struct slice mapping_item_type(struct slice key);

/* ---- what a mapping wants to know ---- */

enum fact_take { TAKE_ONE, TAKE_ALL, TAKE_LATEST, TAKE_LATEST_BY_CODE };

/* One fact to be fetched for one visit. Strings live in the arena of the call. */
struct fact_request {
    struct slice name;  /* "conditions" */
    struct slice query; /* relative to the EHR's base: "Condition?patient=123", or "Encounter/9" for
                           a read */
    bool read;
};

struct visit {
    struct slice key;       /* the encounter's reference, else the local calendar date */
    struct slice encounter; /* id of the Encounter; empty when the visit has none */
    struct datetime date;   /* local calendar date of the visit: the evaluation clock */
    struct slice ehr;       /* its name in the configuration, for `per-ehr`; empty: none */
};

/*
 * Does a resource start an evaluation (visit.starts-on)? `resource` may be of any type; a
 * measurement that was entered in error or amended starts one too, because a plan may stand on it.
 */
bool mapping_starts(const struct mapping *mapping, const struct json *resource);

/* The facts declared, with their criteria filled in. STATUS_INVALID: a criterion yields nothing for
 * this visit. */
enum status mapping_requests(const struct mapping *mapping, struct arena *arena,
                             const struct json *patient, const struct visit *visit,
                             const struct limits *limits, struct diag_list *diags,
                             struct fact_request **requests_out, size_t *count_out);

/* ---- evaluating ---- */

enum fact_state { FACT_FETCHED, FACT_FAILED };

struct fact {
    struct slice name;
    enum fact_state state;
    const struct json *resources; /* array, as fetched; NULL when the fetch failed */
};

struct evaluation_input {
    const struct json *patient;
    struct visit visit;
    const struct fact *facts;
    size_t fact_count;
    int64_t evaluation_time; /* UTC microseconds, fixed when the evaluation was queued */
    bool plan_intent_plan;   /* the EHR reads only intent `plan` */
    bool protects_teens;     /* the EHR keeps an adolescent's plan from the family's portal */
    bool explain;            /* result.explanation is wanted: about twice the time */
};

enum outcome {
    OUTCOME_PROPOSAL,
    OUTCOME_HAND_OVER,
    OUTCOME_HOLD,
    OUTCOME_DROP,
    OUTCOME_NOT_ELIGIBLE,
};

/* One resource of a plan. Its reference to another item stands as "#item:KEY" until it is sent. */
struct plan_item {
    struct slice key;  /* "care-plan", "goals.water", "orders.lipid": lasting, unique in the plan */
    struct slice type; /* resource type */
    struct json *resource;
    struct slice text; /* key of its first text; of a goal the family has one too; may be empty */
};

/* An item of the work list to be made on a day, by this visit as it is known now. */
struct timer_due {
    struct slice id;   /* "recall": unique in the mapping */
    struct slice make; /* what the item is called: "recall-task" */
    struct datetime date;
};

struct evaluation_result {
    enum outcome outcome;
    struct slice reason;    /* one neutral word: a hold's id, a drop's name, "fetch-failed", what to
                               say; may be empty */
    bool sensitive;         /* the reason must not leave this process (hold.sensitive) */
    struct slice plan;      /* name of the plan template, for OUTCOME_PROPOSAL */
    struct slice public_id; /* the only name of the plan that may reach the EHR */
    struct slice ask;       /* what to ask the family ("readiness"); may be empty */
    size_t row;          /* of the decision table, from 0; SIZE_MAX: none was looked for or met */
    struct slice *cells; /* "age=child", ... the row's cell; cell_count of them */
    size_t cell_count;
    struct slice *holds; /* ids of all holds that are true or unknown */
    size_t hold_count;
    struct slice *prompts; /* text keys */
    size_t prompt_count;
    struct plan_item *items; /* goals first, then orders, the CarePlan last */
    size_t item_count;
    struct timer_due *timers; /* of a proposal or a hand-over; those of an earlier evaluation of the
                                 visit that are not here any more are void */
    size_t timer_count;
    struct growth_assessment growth; /* as assessed for this visit */
    bool assessed;                   /* false: there was nothing to assess */
    struct json *explanation; /* why (gateway/mapping/trace.h says of what members); NULL: was not
                                 asked for */
};

/*
 * STATUS_OK: *result_out tells the one outcome. Others: the mapping or the facts are at fault
 * (diags say where); the caller holds the child. All lives in the arena.
 */
enum status mapping_evaluate(const struct mapping *mapping, struct arena *arena,
                             const struct evaluation_input *input, const struct limits *limits,
                             struct diag_list *diags, struct evaluation_result *result_out);

/*
 * An expression on what the mapping's own expressions see of this child; its context are the
 * resources of the plan, when there is one (as in `that` of a case). STATUS_INVALID: it does not
 * compile or fails, or the mapping does; diags says why. Lives in the arena.
 */
enum status mapping_ask(const struct mapping *mapping, struct arena *arena,
                        const struct evaluation_input *input, const struct source *source,
                        const struct limits *limits, struct diag_list *diags,
                        struct path_items *items_out);

/* What an expression can name, without the %: "visit.date", "conditions". Lives in the arena. */
size_t mapping_names(const struct mapping *mapping, struct arena *arena,
                     const struct slice **names_out);

/*
 * What was decided, as the store keeps it and `eplan show` and `eplan explain` read it; with the
 * members of the explanation, when there is one. `sensitive_too`: for the author of a mapping, on
 * made-up children; else a sensitive hold is told by one neutral word, and nothing is explained.
 */
struct json *mapping_trace(struct arena *arena, const struct evaluation_result *result,
                           bool sensitive_too);

/*
 * The plan as a Bundle of type collection, for validating and showing: items get a urn:uuid by
 * their position, and the references among them lead there. Lives in the arena.
 */
struct json *mapping_plan_bundle(struct arena *arena, const struct evaluation_result *result);
/* The same of the resources themselves, not of copies: they belong to the Bundle from then on. */
struct json *mapping_take_plan_bundle(struct arena *arena, const struct evaluation_result *result);

/* SHA-256 over keys and resources of the plan, hexadecimal: the same for equal plans alone. Empty:
 * there is no plan. Lives in the arena. */
struct slice mapping_plan_digest(struct arena *arena, const struct evaluation_result *result);

const char *
outcome_name(enum outcome outcome); /* "proposal", "hand-over", "hold", "drop", "not-eligible" */

#endif
