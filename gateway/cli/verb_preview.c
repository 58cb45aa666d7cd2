#include "fhir/json/json.h"
#include "gateway/cli/folder.h"
#include "gateway/cli/verbs.h"
#include "gateway/mapping/case.h"

struct preview {
    struct cli *cli;
    struct folder folder;
    const struct mapping *mapping;
    struct diag_list diags;
    struct slice name; /* of the run: "healthy-9y/2" */
    bool as_json;
};

/* "cases/NAME/case.yaml" of "NAME" or "NAME/3"; NULL: there is none. */
static const struct mapping_file *find_case(const struct preview *p)
{
    size_t slash = slice_find(p->name, SLICE("/"), 0);
    struct slice path = arena_printf(p->cli->arena, "cases/%.*s/case.yaml",
                                     SLICE_ARGS(slice_part(p->name, 0, slash)));
    for (size_t i = 0; i < p->folder.count; i++) {
        if (slice_equal(p->folder.files[i].path, path)) {
            return &p->folder.files[i];
        }
    }
    return NULL;
}

static void tell_list(FILE *out, const char *what, const struct slice *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%s%.*s%s", i == 0 ? what : ", ", SLICE_ARGS(list[i]),
                i + 1 == count ? "\n" : "");
    }
}

static struct slice summary(const struct json *resource)
{
    static const char *const concepts[] = {"description", "code"};
    struct slice title = json_get_text(resource, "title");
    for (size_t i = 0; i < 2 && title.len == 0; i++) {
        title = json_get_text(json_get(resource, concepts[i]), "text");
    }
    return title;
}

static void tell(const struct preview *p, const struct evaluation_result *result)
{
    FILE *out = p->cli->out;
    fprintf(out, "%s", outcome_name(result->outcome));
    if (result->plan.len != 0) {
        fprintf(out, " %.*s (%.*s)", SLICE_ARGS(result->plan), SLICE_ARGS(result->public_id));
    } else if (result->reason.len != 0) {
        fprintf(out, ": %.*s", SLICE_ARGS(result->reason));
    }
    fputc('\n', out);
    tell_list(out, "  row: ", result->cells, result->cell_count);
    tell_list(out, "  held by: ", result->holds, result->hold_count);
    if (result->ask.len != 0) {
        fprintf(out, "  ask: %.*s\n", SLICE_ARGS(result->ask));
    }
    tell_list(out, "  prompts: ", result->prompts, result->prompt_count);
    for (size_t i = 0; i < result->item_count; i++) {
        const struct plan_item *item = &result->items[i];
        fprintf(out, "  %.*s %.*s: %.*s\n", SLICE_ARGS(item->type), SLICE_ARGS(item->key),
                SLICE_ARGS(summary(item->resource)));
    }
}

static int show(const struct preview *p, const struct case_run *run)
{
    const struct evaluation_result *result = &run->result;
    if (run->status != STATUS_OK) {
        for (size_t i = 0; i < run->difference_count; i++) {
            fprintf(p->cli->err, "%.*s\n", SLICE_ARGS(run->differences[i]));
        }
        return EXIT_EVALUATION;
    }
    if (p->as_json && result->item_count != 0) {
        struct slice text =
            json_write(p->cli->arena, mapping_plan_bundle(p->cli->arena, result), JSON_PRETTY);
        fprintf(p->cli->out, "%.*s\n", SLICE_ARGS(text));
    } else if (!p->as_json) {
        tell(p, result);
    } else {
        fprintf(p->cli->err, "%.*s: no plan: %s%s%.*s\n", SLICE_ARGS(run->name),
                outcome_name(result->outcome), result->reason.len != 0 ? ": " : "",
                SLICE_ARGS(result->reason));
    }
    return result->item_count != 0 ? EXIT_DONE : EXIT_FOUND;
}

static int run_case(struct preview *p)
{
    struct case_runner runner = {.limits = LIMITS_DEFAULT};
    struct case_run *runs;
    size_t count;
    const struct mapping_file *file = find_case(p);
    if (file != NULL && case_run_file(&runner, p->mapping, p->cli->arena, file, &p->diags, &runs,
                                      &count) != STATUS_OK) {
        cli_print_diags(p->cli, &p->diags);
        return EXIT_UNREADABLE;
    }
    for (size_t i = 0; file != NULL && i < count; i++) {
        if (slice_equal(runs[i].name, p->name)) {
            return show(p, &runs[i]);
        }
    }
    fprintf(p->cli->err, "eplan preview: there is no case \"%.*s\"; `eplan test` lists them\n",
            SLICE_ARGS(p->name));
    return EXIT_UNREADABLE;
}

int verb_preview(struct cli *cli, int argc, char **argv)
{
    struct preview p = {.cli = cli};
    p.as_json = argc == 4 && slice_is(slice_of(argv[3]), "--json");
    if (argc != 3 + p.as_json || argv[1][0] == '-' || argv[2][0] == '-') {
        return cli_usage(cli, "preview", "names a folder and one of its cases");
    }
    if (folder_read(cli, argv[1], &p.folder) != STATUS_OK) {
        return EXIT_UNREADABLE;
    }
    diag_init(&p.diags, cli->arena, LIMITS_DEFAULT.diagnostics);
    p.name = slice_of(argv[2]);
    if (mapping_load(cli->arena, p.folder.files, p.folder.count, model_r4(), &LIMITS_DEFAULT,
                     &p.diags, &p.mapping) != STATUS_OK) {
        cli_print_diags(cli, &p.diags);
        return EXIT_UNREADABLE;
    }
    return run_case(&p);
}
