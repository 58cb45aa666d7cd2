#include "gateway/cli/folder.h"
#include "gateway/cli/verbs.h"

static int tell(struct cli *cli, const struct diag_list *diags, const char *path)
{
    cli_print_diags(cli, diags);
    if (diags->errors != 0) {
        fprintf(cli->err, "%s: %u mistake%s\n", path, diags->errors, diags->errors == 1 ? "" : "s");
        return EXIT_FOUND;
    }
    return EXIT_DONE;
}

int verb_check(struct cli *cli, int argc, char **argv)
{
    bool release = argc > 1 && slice_is(slice_of(argv[1]), "--release");
    if (argc != 2 + release || argv[1 + release][0] == '-') {
        return cli_usage(cli, "check", "names one folder");
    }
    const char *path = argv[1 + release];
    struct folder folder;
    if (folder_read(cli, path, &folder) != STATUS_OK) {
        return EXIT_UNREADABLE;
    }
    struct diag_list diags;
    diag_init(&diags, cli->arena, LIMITS_DEFAULT.diagnostics);
    const struct mapping *mapping = NULL;
    if (mapping_load(cli->arena, folder.files, folder.count, model_r4(), &LIMITS_DEFAULT, &diags,
                     &mapping) == STATUS_OK) {
        if (release) {
            mapping_release_faults(mapping, &diags);
        }
        if (diags.errors == 0) {
            fprintf(cli->out, "%s: %.*s %.*s is well formed\n", path,
                    SLICE_ARGS(mapping_name(mapping)), SLICE_ARGS(mapping_version(mapping)));
        }
    }
    return tell(cli, &diags, path);
}
