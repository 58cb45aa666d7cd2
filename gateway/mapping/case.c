#include "gateway/mapping/case_run.h"

/* ---- neighbours ---- */

size_t case_neighbours(struct arena *arena, const struct mapping_file *file)
{
    struct diag_list unheard;
    const struct yaml *root = NULL;
    diag_init(&unheard, arena, 1);
    struct source *source = source_create(arena, file->name, file->text);
    if (yaml_parse(arena, source, &YAML_LIMITS, &unheard, &root) != STATUS_OK) {
        return 0;
    }
    const struct yaml *vary = yaml_get(root, "vary");
    return vary != NULL && vary->kind == YAML_LIST ? vary->count : 0;
}

/* ---- one run ---- */

static void run_one(struct running *r, struct case_run *run)
{
    struct diag_list diags;
    struct evaluation_input input;
    struct evaluation_result result = {.outcome = OUTCOME_HOLD, .row = SIZE_MAX};
    diag_init(&diags, r->arena, 10);
    r->difference_count = 0;
    r->differences = ARENA_ARRAY(r->arena, DIFFERENCES_MOST, struct slice);
    if (!case_make(r, &input)) {
        return;
    }
    run->status =
        mapping_evaluate(r->mapping, r->arena, &input, &r->runner->limits, &diags, &result);
    if (run->status != STATUS_OK) {
        struct buf text;
        buf_init(&text, r->arena, (size_t)64 * 1024);
        diag_render_all(&diags, &text);
        case_differ(r, "evaluation", SLICE("an outcome"), slice_trim(buf_view(&text)));
    } else {
        run->result = result;
        run->input = input;
        case_compare(r, &result);
        case_compare_whole(r, run);
    }
    run->passed = r->difference_count == 0;
    run->differences = r->differences;
    run->difference_count = r->difference_count;
    run->result = result;
    run->expect = r->expect;
    run->wanted = case_wanted(r);
}

static struct slice folder_name(struct slice path)
{
    struct slice rest = path;
    struct slice part = SLICE_NONE;
    slice_cut(&rest, '/', &part); /* cases */
    slice_cut(&rest, '/', &part);
    return part;
}

/* Reads the file. NULL: it is no case. */
static struct running *open_case(const struct mapping *mapping, struct arena *arena,
                                 const struct mapping_file *file, struct diag_list *diags)
{
    unsigned errors = diags->errors;
    struct source *source = source_create(arena, file->name, file->text);
    struct running *r = ARENA_NEW(arena, struct running);
    *r = (struct running){.mapping = mapping, .arena = arena, .diags = diags, .layer = file->layer};
    if (yaml_parse(arena, source, &YAML_LIMITS, diags, &r->root) != STATUS_OK) {
        return NULL;
    }
    r->given = yaml_get(r->root, "given");
    r->expect = yaml_get(r->root, "expect");
    r->expect_case = r->expect;
    return case_check_file(r) && diags->errors == errors ? r : NULL;
}

enum status case_run_file(const struct case_runner *runner, const struct mapping *mapping,
                          struct arena *arena, const struct mapping_file *file,
                          struct diag_list *diags, struct case_run **runs_out, size_t *count_out)
{
    unsigned errors = diags->errors;
    struct running *r = open_case(mapping, arena, file, diags);
    if (r == NULL) {
        return STATUS_INVALID;
    }
    r->runner = runner;
    const struct yaml *vary = yaml_get(r->root, "vary");
    size_t count = 1 + (vary != NULL ? vary->count : 0);
    struct case_run *runs = ARENA_ARRAY(arena, count, struct case_run);
    struct slice name = folder_name(file->path);
    runs[0].name = name;
    run_one(r, &runs[0]);
    for (size_t i = 1; i < count; i++) {
        r->variation = i == 1 ? vary->first : r->variation->next;
        r->expect = yaml_get(r->variation, "expect");
        runs[i].name = arena_printf(arena, "%.*s/%zu", SLICE_ARGS(name), i);
        run_one(r, &runs[i]);
    }
    mapping_tell_once(diags); /* a neighbour repeats the mistakes of what it inherits */
    if (diags->errors != errors) {
        return STATUS_INVALID;
    }
    *runs_out = runs;
    *count_out = count;
    return STATUS_OK;
}

bool case_is_loosened(const struct case_run *run)
{
    enum outcome got = run->result.outcome;
    bool told = slice_is(run->wanted, "hold") || slice_is(run->wanted, "hand-over");
    bool silent = slice_is(run->wanted, "drop");
    return run->status == STATUS_OK &&
           ((got == OUTCOME_PROPOSAL && (told || silent)) || (got == OUTCOME_DROP && told));
}

enum status case_child(const struct mapping *mapping, struct arena *arena,
                       const struct mapping_file *file, size_t which, struct diag_list *diags,
                       struct child *child_out)
{
    struct running *r = open_case(mapping, arena, file, diags);
    if (r == NULL) {
        return STATUS_INVALID;
    }
    const struct yaml *vary = yaml_get(r->root, "vary");
    if (which > (vary != NULL ? vary->count : 0)) {
        return STATUS_ABSENT;
    }
    for (size_t i = 0; i < which; i++) {
        r->variation = i == 0 ? vary->first : r->variation->next;
    }
    struct child child = {.name = folder_name(file->path),
                          .title = case_text(yaml_get(r->root, "case"))};
    if (!case_make(r, &child.input)) {
        return STATUS_INVALID;
    }
    if (which != 0) {
        child.name = arena_printf(arena, "%.*s/%zu", SLICE_ARGS(child.name), which);
    }
    child.language = case_text(case_given_in(r, "child", "language"));
    *child_out = child;
    return STATUS_OK;
}
