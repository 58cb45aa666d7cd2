/*
 * Cases: what a mapping must do for one made-up child, as YAML beside it (mappings/README.md,
 * "Cases"). Pure. A case describes a child and a visit in a few words; `vary` makes neighbours of
 * it that differ in what they name. Tests: tests/unit/gateway/mapping/test_case.c, `eplan test
 * mappings/healthy-weight`.
 */
#ifndef GATEWAY_MAPPING_CASE_H
#define GATEWAY_MAPPING_CASE_H

#include "fhir/validate/validate.h"
#include "gateway/base/yaml.h"
#include "gateway/mapping/mapping.h"

struct case_runner {
    const struct validator *validator; /* a plan that is not valid FHIR fails its case; NULL: not
                                          looked at */
    struct limits limits;
    const struct mapping_file *files; /* of the folder: what cases make whole is looked up here */
    size_t file_count;
};

struct case_run {
    struct slice name; /* "overweight-7y-ready", "overweight-7y-ready/3" for its third neighbour */
    bool passed;
    const struct slice
        *differences; /* "outcome: want hold, got proposal"; difference_count of them */
    size_t difference_count;
    enum status status;              /* of mapping_evaluate() */
    struct evaluation_result result; /* when status is STATUS_OK */
    const struct yaml *expect;
    struct slice wanted; /* the outcome expected: "proposal" */
    struct evaluation_input input;
    bool whole;              /* it was compared with cases/NAME/whole.yaml */
    struct slice whole_file; /* the text of that */
};

/* How many neighbours the case of a file has; 0 where it cannot be read. */
size_t case_neighbours(struct arena *arena, const struct mapping_file *file);

/*
 * Runs the case of one file and its neighbours. STATUS_INVALID: the file is no case; diags says
 * where. All lives in the arena.
 */
enum status case_run_file(const struct case_runner *runner, const struct mapping *mapping,
                          struct arena *arena, const struct mapping_file *file,
                          struct diag_list *diags, struct case_run **runs_out, size_t *count_out);

/* cases/NAME/case.yaml; other files of that folder belong to it. */
bool case_is_file(const struct mapping_file *file);

/* All that a run makes, as the text of its whole.yaml, and the path of that below the folder. Live
 * in the arena. */
struct slice case_whole_text(const struct mapping *mapping, struct arena *arena,
                             const struct case_run *run, const struct limits *limits);
struct slice case_whole_path(struct arena *arena, struct slice name);

/*
 * Runs every case of the folder's files: what a mapping must pass before it becomes active. One
 * diagnostic for each that fails. STATUS_INVALID: there was one, or a file is no case. What was
 * made for a case that passed is released again; diags must live in another arena.
 */
enum status case_pass_all(const struct case_runner *runner, const struct mapping *mapping,
                          struct arena *arena, const struct mapping_file *files, size_t count,
                          struct diag_list *diags);

/*
 * Of a case of the mapping that an overlay extends: it comes out less safely than there (a plan, or
 * silence, where somebody was told).
 */
bool case_is_loosened(const struct case_run *run);

/* A warning for each plan of the folder that no run of the list comes to. */
void case_tell_plans(const struct mapping *mapping, const struct case_run *runs, size_t count,
                     struct diag_list *diags);

/* A child and a visit to be evaluated: of a case, of a record, of an EHR. */
struct child {
    struct slice name;             /* "overweight-7y-ready/3" */
    struct slice title;            /* what the case is, in words; empty: it is none */
    struct evaluation_input input; /* explain is not set */
    struct slice language;         /* that the family reads, as the record says; may be empty */
};

/*
 * What a case gives (which 0), or its neighbour of that number. STATUS_INVALID: the file is no
 * case, diags says where; STATUS_ABSENT: it has no such neighbour. All lives in the arena.
 */
enum status case_child(const struct mapping *mapping, struct arena *arena,
                       const struct mapping_file *file, size_t which, struct diag_list *diags,
                       struct child *child_out);

/* Rows, plans and holds of the folder itself that no passed run of the list shows, each in words:
 * "plan NAME". A hold is shown by a case that expects it by its id. */
size_t case_uncovered(const struct mapping *mapping, struct arena *arena,
                      const struct case_run *runs, size_t count, struct slice **uncovered_out);

#endif
