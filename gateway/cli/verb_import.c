#include "gateway/cli/arguments.h"
#include "gateway/cli/new_folder.h"
#include "gateway/cli/verbs.h"
#include "gateway/cli/workbench.h"
#include "gateway/mapping/from_definition.h"

static int write_files(struct cli *cli, const char *folder, const struct imported *imported)
{
    int exit = EXIT_DONE;
    size_t files = 0;
    size_t left = 0;
    for (const struct imported_file *it = imported->files; it != NULL && exit == EXIT_DONE;
         it = it->next) {
        struct slice path = arena_printf(cli->arena, "%s/%.*s", folder, SLICE_ARGS(it->path));
        exit = new_folder_write(cli, arena_cstr(cli->arena, path), it->text);
        files++;
    }
    for (const struct left_out *it = imported->left; it != NULL; it = it->next) {
        left++;
    }
    if (exit != EXIT_DONE) {
        return exit;
    }
    fprintf(cli->out, "%s: made of %zu files; %zu %s left out%s\n", folder, files, left,
            left == 1 ? "element was" : "elements were", left != 0 ? ":" : "");
    for (const struct left_out *it = imported->left; it != NULL; it = it->next) {
        fprintf(cli->out, "  %.*s: %s\n", SLICE_ARGS(it->path), it->why);
    }
    fprintf(cli->out, "what a person must add: eplan check %s\n", folder);
    return EXIT_DONE;
}

int verb_import(struct cli *cli, int argc, char **argv)
{
    const char *dir = NULL;
    const char *words[1];
    const struct argument_option options[] = {{"-o", NULL, &dir}};
    int exit = arguments_read(cli, argc, argv, options, 1, words, 1, 1, "names one file");
    if (exit != EXIT_DONE) {
        return exit;
    }
    struct limits limits = LIMITS_DEFAULT;
    struct diag_list diags;
    struct source *source;
    const struct json *bundle = NULL;
    struct imported imported;
    const char *fault = "";
    diag_init(&diags, cli->arena, limits.diagnostics);
    if (cli_read(cli, cli->arena, words[0], limits.bytes, &source) != STATUS_OK) {
        return EXIT_UNREADABLE;
    }
    if (json_parse(cli->arena, source, &limits, &diags, &bundle) != STATUS_OK) {
        cli_print_diags(cli, &diags);
        return EXIT_UNREADABLE;
    }
    if (mapping_from_definition(cli->arena, bundle, &imported, &fault) != STATUS_OK) {
        fprintf(cli->err, "%s: cannot be imported: %s\n", words[0], fault);
        return EXIT_UNREADABLE;
    }
    const char *folder = dir != NULL ? dir : arena_cstr(cli->arena, imported.name);
    return new_folder_free(cli, folder) ? write_files(cli, folder, &imported) : EXIT_UNREADABLE;
}
