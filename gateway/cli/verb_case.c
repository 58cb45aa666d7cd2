#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/cli/arguments.h"
#include "gateway/cli/stored_child.h"
#include "gateway/cli/verbs.h"
#include "gateway/cli/workbench.h"
#include "gateway/mapping/case_from.h"

/* Nothing that is printed here quotes the record: not even its diagnostics, of which only the codes
 * are told. */

static void tell_codes(struct cli *cli, const struct diag_list *diags)
{
    for (const struct diag *diag = diags->first; diag != NULL; diag = diag->next) {
        fprintf(cli->err, "  %s: %s\n", diag_code_name(diag->code), diag_code_summary(diag->code));
    }
}

static bool is_folder_name(const char *name)
{
    size_t len = strlen(name);
    return len != 0 && len <= 100 && name[0] != '-' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static int write_case(struct cli *cli, const char *folder, const char *name, struct slice yaml)
{
    char *cases = arena_cstr(cli->arena, arena_printf(cli->arena, "%s/cases", folder));
    char *own = arena_cstr(cli->arena, arena_printf(cli->arena, "%s/%s", cases, name));
    char *path = arena_cstr(cli->arena, arena_printf(cli->arena, "%s/case.yaml", own));
    if ((mkdir(cases, 0777) != 0 && errno != EEXIST) || mkdir(own, 0777) != 0) {
        fprintf(cli->err, "%s: cannot be made: %s\n", own, strerror(errno));
        return EXIT_UNREADABLE;
    }
    int exit = workbench_write(cli, path, yaml);
    if (exit == EXIT_DONE) {
        fprintf(cli->out, "wrote %s: say in it what it shows\n", path);
    }
    return exit;
}

/* The child, with all that the reading of it would print kept back. */
static int read_child(struct workbench *bench, const struct child_choice *choice,
                      struct child *child_out)
{
    struct cli quiet = *bench->cli;
    struct cli *cli = bench->cli;
    if (choice->ehr == NULL && stored_child_is_meant(choice->what)) {
        return workbench_child(bench, choice, child_out);
    }
    FILE *nowhere = fopen("/dev/null", "w");
    if (nowhere == NULL) {
        return EXIT_FAULT;
    }
    quiet.err = nowhere;
    bench->cli = &quiet;
    int exit = workbench_child(bench, choice, child_out);
    bench->cli = cli;
    fclose(nowhere);
    if (exit != EXIT_DONE) {
        fprintf(cli->err, "the record cannot be read\n");
        tell_codes(cli, &bench->diags);
    }
    return exit;
}

static int make_case(struct workbench *bench, const struct child *child, const char *folder,
                     const char *name)
{
    struct cli *cli = bench->cli;
    struct case_draft draft;
    if (case_from_child(bench->mapping, cli->arena, child, &bench->diags, &draft) != STATUS_OK) {
        fputs("the record cannot be made a case\n", cli->err);
        tell_codes(cli, &bench->diags);
        return EXIT_EVALUATION;
    }
    if (draft.left_out != 0) {
        fprintf(cli->err,
                "note: %zu resource%s left out: the mapping knows none of their codes, or "
                "a case cannot say them\n",
                draft.left_out, draft.left_out == 1 ? " is" : "s are");
    }
    if (!draft.same_outcome) {
        fprintf(cli->err,
                "note: the record comes to %.*s, the case to %.*s: what decides was left "
                "out\n",
                SLICE_ARGS(draft.record_outcome), SLICE_ARGS(draft.case_outcome));
    }
    int exit = EXIT_DONE;
    if (name == NULL) {
        fprintf(cli->out, "%.*s", SLICE_ARGS(draft.yaml));
    } else {
        exit = write_case(cli, folder, name, draft.yaml);
    }
    return exit == EXIT_DONE && !draft.same_outcome ? EXIT_FOUND : exit;
}

int verb_case(struct cli *cli, int argc, char **argv)
{
    bool deidentify = false;
    const char *folder = NULL;
    const char *name = NULL;
    const char *words[2];
    struct child_choice choice = {.what = NULL};
    struct workbench bench;
    struct child child;
    const struct argument_option options[] = {{"--deidentify", &deidentify, NULL},
                                              {"--for", NULL, &folder},
                                              {"--name", NULL, &name},
                                              {"--visit", NULL, &choice.visit},
                                              {"-c", NULL, &choice.config},
                                              {"--ehr", NULL, &choice.ehr}};
    int exit = arguments_read(cli, argc, argv, options, sizeof options / sizeof *options, words, 2,
                              2, "is used as: case from CHILD --deidentify --for FOLDER");
    if (exit != EXIT_DONE) {
        return exit;
    }
    if (strcmp(words[0], "from") != 0 || folder == NULL) {
        return cli_usage(cli, "case", "is used as: case from CHILD --deidentify --for FOLDER");
    }
    if (!deidentify) {
        return cli_usage(cli, "case", "makes a case of a record only with --deidentify");
    }
    if (name != NULL && !is_folder_name(name)) {
        return cli_usage(cli, "case", "a name is lower-case letters, digits and hyphens");
    }
    exit = workbench_open(cli, "case", folder, &bench);
    if (exit == EXIT_DONE) {
        choice.what = words[1];
        exit = read_child(&bench, &choice, &child);
    }
    return exit == EXIT_DONE ? make_case(&bench, &child, folder, name) : exit;
}
