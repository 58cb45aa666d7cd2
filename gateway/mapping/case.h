/*
 * Cases: what a mapping must do for one made-up child, as YAML beside it (mappings/README.md,
 * "Cases"). Pure. A case describes a child and a visit in a few words; `vary` makes neighbours of
 * it that differ in what they name. Tests: tests/unit/gateway/mapping/test_case.c, `eplan test
 * mappings/healthy-weight`.
 */
#ifndef GATEWAY_MAPPING_CASE_H
#define GATEWAY_MAPPING_CASE_H

#include "gateway/mapping/mapping.h"

struct case_run {
    struct slice name; /* "overweight-7y-ready", "overweight-7y-ready/3" for its third neighbour */
    bool passed;
    const struct slice
        *differences; /* "want outcome hold, got proposal"; difference_count of them */
    size_t difference_count;
    struct slice row;  /* the cell that was met, "age=child category=..." ; empty when none was */
    struct slice plan; /* the plan that was proposed; empty: none */
    const struct slice *holds;
    size_t hold_count;
};

/*
 * Runs the case of one file and its neighbours. STATUS_INVALID: the file is no case; diags says
 * where. All lives in the arena.
 */
enum status case_run_file(const struct mapping *mapping, struct arena *arena,
                          const struct mapping_file *file, const struct limits *limits,
                          struct diag_list *diags, struct case_run **runs_out, size_t *count_out);

/* Plans and holds that no run of the list reached: each as "plan NAME" or "hold ID". */
size_t case_uncovered(const struct mapping *mapping, struct arena *arena,
                      const struct case_run *runs, size_t count, struct slice **uncovered_out);

#endif
