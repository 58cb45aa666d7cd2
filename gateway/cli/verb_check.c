#include "gateway/cli/folder.h"
#include "gateway/cli/report.h"
#include "gateway/cli/verbs.h"
#include "gateway/cli/workbench.h"
#include "gateway/mapping/case.h"

enum { RUNS_MOST = 10000 };

struct check {
    struct cli *cli;
    const char *path;
    bool release;
    enum report_format format;
    struct folder folder;
    struct diag_list diags;
    const struct mapping *mapping;
};

static bool read_options(struct check *check, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (slice_is(SLICE("--release"), argv[i])) {
            check->release = true;
        } else if (!report_option(argv[i], &check->format)) {
            if (check->path != NULL || argv[i][0] == '-') {
                return false;
            }
            check->path = argv[i];
        }
    }
    return check->path != NULL;
}

/* Cases are part of the folder: what is wrong in them is told here, what differs by `eplan test`.
 */
static void check_cases(struct check *check)
{
    struct arena *arena = check->cli->arena;
    struct case_runner runner = {.limits = LIMITS_DEFAULT};
    struct case_run *all = ARENA_ARRAY(arena, RUNS_MOST, struct case_run);
    size_t count = 0;
    for (size_t i = 0; i < check->folder.count; i++) {
        const struct mapping_file *file = &check->folder.files[i];
        struct case_run *runs;
        size_t more = 0;
        if (!case_is_file(file)) {
            continue;
        }
        if (check->mapping == NULL) {
            const struct yaml *root;
            yaml_parse(arena, source_create(arena, file->name, file->text), &YAML_LIMITS,
                       &check->diags, &root);
        } else if (case_run_file(&runner, check->mapping, arena, file, &check->diags, &runs,
                                 &more) == STATUS_OK) {
            for (size_t k = 0; k < more && count < RUNS_MOST; k++) {
                all[count++] = runs[k];
            }
        }
    }
    if (check->mapping != NULL && check->diags.errors == 0) {
        case_tell_plans(check->mapping, all, count, &check->diags);
    }
}

static int tell(struct check *check)
{
    struct cli *cli = check->cli;
    unsigned errors = check->diags.errors;
    report_print(cli, check->format, &check->diags);
    if (check->format == REPORT_TEXT && errors != 0) {
        fprintf(cli->err, "%s: %u mistake%s\n", check->path, errors, errors == 1 ? "" : "s");
    } else if (check->format == REPORT_TEXT) {
        fprintf(cli->out, "%s: %.*s %.*s is well formed\n", check->path,
                SLICE_ARGS(mapping_name(check->mapping)),
                SLICE_ARGS(mapping_version(check->mapping)));
    }
    return errors != 0 ? EXIT_FOUND : EXIT_DONE;
}

int verb_check(struct cli *cli, int argc, char **argv)
{
    struct check check = {.cli = cli};
    if (!read_options(&check, argc, argv)) {
        return cli_usage(cli, "check", "names one folder");
    }
    if (folder_read(cli, check.path, &check.folder) != STATUS_OK) {
        return EXIT_UNREADABLE;
    }
    diag_init(&check.diags, cli->arena, LIMITS_DEFAULT.diagnostics);
    mapping_load(cli->arena, check.folder.files, check.folder.count, model_r4(), &LIMITS_DEFAULT,
                 &check.diags, &check.mapping);
    check_cases(&check);
    if (check.release && check.mapping != NULL) {
        struct datetime today = workbench_today();
        mapping_release_faults(check.mapping, &today, &check.diags);
    }
    return tell(&check);
}
