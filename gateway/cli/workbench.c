#include "gateway/cli/workbench.h"

#include <errno.h>
#include <sys/stat.h>

#include "fhir/json/json.h"
#include "gateway/base/clock.h"
#include "gateway/cli/ehr_child.h"
#include "gateway/cli/stored_child.h"
#include "gateway/mapping/record.h"

int workbench_open(struct cli *cli, const char *verb, const char *path, struct workbench *bench_out)
{
    struct workbench bench = {.cli = cli, .verb = verb};
    if (folder_read(cli, path, &bench.folder) != STATUS_OK) {
        return EXIT_UNREADABLE;
    }
    diag_init(&bench.diags, cli->arena, LIMITS_DEFAULT.diagnostics);
    if (mapping_load(cli->arena, bench.folder.files, bench.folder.count, model_r4(),
                     &LIMITS_DEFAULT, &bench.diags, &bench.mapping) != STATUS_OK) {
        cli_print_diags(cli, &bench.diags);
        fprintf(cli->err, "%s: %u mistake%s\n", path, bench.diags.errors,
                bench.diags.errors == 1 ? "" : "s");
        return EXIT_UNREADABLE;
    }
    diag_init(&bench.diags, cli->arena, LIMITS_DEFAULT.diagnostics); /* warnings are check's */
    *bench_out = bench;
    return EXIT_DONE;
}

/* "cases/NAME/case.yaml" of "NAME" or "NAME/3"; NULL: there is none. */
static const struct mapping_file *find_case(const struct workbench *bench, struct slice name,
                                            size_t *which_out)
{
    size_t slash = slice_find(name, SLICE("/"), 0);
    struct slice path = arena_printf(bench->cli->arena, "cases/%.*s/case.yaml",
                                     SLICE_ARGS(slice_part(name, 0, slash)));
    uint64_t which = 0;
    if (slash != SIZE_MAX &&
        (!slice_to_u64(slice_part(name, slash + 1, SIZE_MAX), &which) || which > SIZE_MAX / 2)) {
        return NULL;
    }
    for (size_t i = 0; i < bench->folder.count; i++) {
        if (slice_equal(bench->folder.files[i].path, path)) {
            *which_out = (size_t)which;
            return &bench->folder.files[i];
        }
    }
    return NULL;
}

static int of_file(struct workbench *bench, const struct child_choice *choice,
                   struct child *child_out)
{
    struct limits limits = LIMITS_DEFAULT;
    struct source *source;
    const struct json *json;
    struct arena *arena = bench->cli->arena;
    if (cli_read(bench->cli, arena, choice->what, limits.bytes, &source) != STATUS_OK) {
        return EXIT_UNREADABLE;
    }
    struct slice visit = choice->visit != NULL ? slice_of(choice->visit) : SLICE_NONE;
    if (json_parse(arena, source, &limits, &bench->diags, &json) != STATUS_OK ||
        record_child(bench->mapping, arena, json, source, visit, &bench->diags, child_out) !=
            STATUS_OK) {
        cli_print_diags(bench->cli, &bench->diags);
        return EXIT_UNREADABLE;
    }
    return EXIT_DONE;
}

static bool is_file(const char *path)
{
    struct stat status;
    return strcmp(path, "-") == 0 || (stat(path, &status) == 0 && S_ISREG(status.st_mode));
}

int workbench_child(struct workbench *bench, const struct child_choice *choice,
                    struct child *child_out)
{
    struct cli *cli = bench->cli;
    size_t which = 0;
    if (choice->ehr != NULL) {
        return ehr_child(bench, choice, child_out);
    }
    const struct mapping_file *file = find_case(bench, slice_of(choice->what), &which);
    if (file == NULL && is_file(choice->what)) {
        return of_file(bench, choice, child_out);
    }
    if (file == NULL && stored_child_is_meant(choice->what)) {
        return stored_child_find(bench, choice, child_out);
    }
    enum status status = STATUS_ABSENT;
    if (file != NULL) {
        status = case_child(bench->mapping, cli->arena, file, which, &bench->diags, child_out);
    }
    if (status == STATUS_INVALID) {
        cli_print_diags(cli, &bench->diags);
        return EXIT_UNREADABLE;
    }
    if (status != STATUS_OK) {
        fprintf(cli->err,
                "eplan %s: there is no case and no file \"%s\"; `eplan test` lists the cases\n",
                bench->verb, choice->what);
        return EXIT_UNREADABLE;
    }
    return EXIT_DONE;
}

int workbench_evaluate(struct workbench *bench, const struct child *child, bool explain,
                       struct evaluation_result *result_out)
{
    struct evaluation_input input = child->input;
    input.explain = explain;
    if (mapping_evaluate(bench->mapping, bench->cli->arena, &input, &LIMITS_DEFAULT, &bench->diags,
                         result_out) != STATUS_OK) {
        cli_print_diags(bench->cli, &bench->diags);
        return EXIT_EVALUATION;
    }
    return EXIT_DONE;
}

struct datetime workbench_today(void)
{
    struct datetime today = {0};
    datetime_from_utc(clock_utc(&clock_system), 0, &today);
    datetime_date_part(&today, &today);
    return today;
}

int workbench_write(struct cli *cli, const char *path, struct slice bytes)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? cli->out : fopen(path, "wb");
    bool ok = file != NULL && fwrite(bytes.at, 1, bytes.len, file) == bytes.len;
    if (file != NULL && !standard) {
        ok = fclose(file) == 0 && ok;
    }
    if (!ok) {
        fprintf(cli->err, "%s: cannot be written: %s\n", path, strerror(errno));
        return EXIT_FAULT;
    }
    return EXIT_DONE;
}
