#include "gateway/cli/ask.h"
#include "gateway/cli/verbs.h"
#include "gateway/store/store_backup.h"

/* The copy is made by this process, beside the running daemon, which notes it in the trail. */
int verb_backup(struct cli *cli, int argc, char **argv)
{
    const char *config_path;
    const char *file;
    const struct config *config = NULL;
    struct diag_list diags;
    diag_init(&diags, cli->arena, 10);
    int exit = ask_file(cli, argc, argv, "names the file to be made", &config_path, &file);
    if (exit == EXIT_DONE) {
        exit = ask_config(cli, config_path, &config);
    }
    if (exit != EXIT_DONE) {
        return exit;
    }
    uint64_t bytes = 0;
    if (slice_starts_with(config->gateway.store, SLICE("postgres"))) {
        fprintf(cli->err, "eplan backup: this store is in PostgreSQL, whose own tools copy it\n"
                          "  hint: pg_dump --schema=eplan --format=custom --file=FILE DATABASE\n");
        return EXIT_USAGE;
    }
    if (store_backup(config->gateway.state_dir, file, &diags, &bytes) != STATUS_OK) {
        cli_print_diags(cli, &diags);
        return EXIT_UNREADABLE;
    }
    exit = ask_note(cli, config_path, "backup-made", file);
    fprintf(cli->out, "%s: %llu bytes; whole as of now%s\n", file, (unsigned long long)bytes,
            exit == EXIT_DONE ? "" : ", but the trail could not note it");
    return exit;
}
