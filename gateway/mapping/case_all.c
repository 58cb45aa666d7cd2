#include "gateway/mapping/case.h"

static void tell_failed(const struct case_run *run, struct diag_list *diags)
{
    struct slice difference =
        run->difference_count != 0 ? run->differences[0] : SLICE("it could not be run");
    struct diag *diag = diag_add(
        diags, DIAG_MAPPING_CASE_FAILED, run->expect != NULL ? run->expect->span : SPAN_NONE,
        "the case \"%.*s\" fails: %.*s", SLICE_ARGS(run->name), SLICE_ARGS(difference));
    diag_hint(diags, diag,
              "eplan test says all that differs; correct the mapping, or what is expected");
}

/* Of what is extended: it may come out otherwise here, never less safely. */
static bool is_worse(const struct case_run *run)
{
    return run->status != STATUS_OK || case_is_loosened(run);
}

enum status case_pass_all(const struct case_runner *runner, const struct mapping *mapping,
                          struct arena *arena, const struct mapping_file *files, size_t count,
                          struct diag_list *diags)
{
    unsigned errors = diags->errors;
    for (size_t i = 0; i < count; i++) {
        struct arena_mark mark = arena_mark(arena);
        unsigned before = diags->count + diags->dropped;
        struct case_run *runs = NULL;
        size_t run_count = 0;
        if (!case_is_file(&files[i]) || case_run_file(runner, mapping, arena, &files[i], diags,
                                                      &runs, &run_count) != STATUS_OK) {
            continue;
        }
        for (size_t k = 0; k < run_count; k++) {
            if (files[i].layer == 0 ? !runs[k].passed : is_worse(&runs[k])) {
                tell_failed(&runs[k], diags);
            }
        }
        if (diags->count + diags->dropped == before) {
            arena_rewind(arena, mark); /* a diagnostic points into the text of its file */
        }
    }
    return diags->errors == errors ? STATUS_OK : STATUS_INVALID;
}
