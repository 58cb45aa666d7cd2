#include "gateway/cli/folder.h"
#include "gateway/cli/test_update.h"
#include "gateway/cli/verbs.h"
#include "gateway/mapping/case.h"

enum { RUNS_MOST = 10000 };

struct tally {
    struct case_run *runs;
    size_t count;
    size_t failed;
    bool quiet;      /* to be written anew: what differs is seen in the files */
    size_t base;     /* cases of what is extended */
    size_t moved;    /* of them, those that come out otherwise */
    size_t loosened; /* and less safely */
};

static void tell_run(struct cli *cli, const struct case_run *run)
{
    fprintf(cli->out, "%s %.*s\n", run->passed ? "ok    " : "FAILED", SLICE_ARGS(run->name));
    for (size_t i = 0; i < run->difference_count; i++) {
        fprintf(cli->out, "         %.*s\n", SLICE_ARGS(run->differences[i]));
    }
}

/* A case of the mapping that is extended may come out otherwise, never less safely. */
static void tell_base(struct cli *cli, struct case_run *run, struct tally *tally)
{
    bool loosened = case_is_loosened(run);
    const char *got = run->status == STATUS_OK ? outcome_name(run->result.outcome) : "an error";
    const char *other = slice_is(run->wanted, got) ? "another " : "";
    tally->base++;
    tally->moved += !run->passed;
    tally->loosened += loosened;
    tally->failed += run->status != STATUS_OK;
    if (!run->passed) {
        fprintf(cli->out, "%s %.*s of what is extended: %.*s there, %s%s here\n",
                loosened || run->status != STATUS_OK ? "FAILED" : "moved ", SLICE_ARGS(run->name),
                SLICE_ARGS(run->wanted), other, got);
    }
}

static enum status run_cases(struct cli *cli, const struct mapping *mapping,
                             const struct folder *folder, struct diag_list *diags,
                             struct tally *tally)
{
    enum status worst = STATUS_OK;
    struct case_runner runner = {.validator = validator_create(cli->arena, model_r4()),
                                 .limits = LIMITS_DEFAULT,
                                 .files = folder->files,
                                 .file_count = folder->count};
    for (size_t i = 0; i < folder->count; i++) {
        struct case_run *runs;
        size_t count;
        if (!case_is_file(&folder->files[i])) {
            continue;
        }
        enum status status =
            case_run_file(&runner, mapping, cli->arena, &folder->files[i], diags, &runs, &count);
        if (status != STATUS_OK) {
            worst = status;
            continue;
        }
        for (size_t k = 0; k < count && tally->count < RUNS_MOST; k++) {
            if (folder->files[i].layer != 0) {
                tell_base(cli, &runs[k], tally);
                continue;
            }
            if (!tally->quiet) {
                tell_run(cli, &runs[k]);
            }
            tally->failed += !runs[k].passed;
            tally->runs[tally->count++] = runs[k];
        }
    }
    return worst;
}

int verb_test(struct cli *cli, int argc, char **argv)
{
    struct folder folder;
    struct diag_list diags;
    const struct mapping *mapping = NULL;
    bool update = argc > 1 && strcmp(argv[1], "--update") == 0;
    if (argc != 2 + update || argv[1 + update][0] == '-') {
        return cli_usage(cli, "test", "names one folder");
    }
    const char *path = argv[1 + update];
    if (folder_read(cli, path, &folder) != STATUS_OK) {
        return EXIT_UNREADABLE;
    }
    diag_init(&diags, cli->arena, LIMITS_DEFAULT.diagnostics);
    struct tally tally = {.runs = ARENA_ARRAY(cli->arena, RUNS_MOST, struct case_run),
                          .quiet = update};
    if (mapping_load(cli->arena, folder.files, folder.count, model_r4(), &LIMITS_DEFAULT, &diags,
                     &mapping) != STATUS_OK ||
        run_cases(cli, mapping, &folder, &diags, &tally) != STATUS_OK) {
        cli_print_diags(cli, &diags);
        return EXIT_FOUND;
    }
    if (update) {
        return test_update(cli, mapping, path, tally.runs, tally.count) ? EXIT_DONE
                                                                        : EXIT_UNREADABLE;
    }
    struct slice *uncovered;
    size_t open = case_uncovered(mapping, cli->arena, tally.runs, tally.count, &uncovered);
    for (size_t i = 0; i < open; i++) {
        fprintf(cli->out, "no case reaches the %.*s\n", SLICE_ARGS(uncovered[i]));
    }
    fprintf(cli->out, "%zu case%s, %zu failed, %zu not reached\n", tally.count,
            tally.count == 1 ? "" : "s", tally.failed, open);
    if (tally.base != 0) {
        fprintf(cli->out,
                "%zu case%s of what is extended, %zu come out otherwise, %zu less safely\n",
                tally.base, tally.base == 1 ? "" : "s", tally.moved, tally.loosened);
    }
    return tally.failed != 0 || tally.loosened != 0 || open != 0 || tally.count == 0 ? EXIT_FOUND
                                                                                     : EXIT_DONE;
}
