#include "gateway/cli/ask.h"
#include "gateway/cli/verbs.h"
#include "gateway/store/store_backup.h"

int verb_restore(struct cli *cli, int argc, char **argv)
{
    const char *config_path;
    const char *file;
    const struct config *config = NULL;
    struct diag_list diags;
    diag_init(&diags, cli->arena, 10);
    int exit = ask_file(cli, argc, argv, "names the backup", &config_path, &file);
    if (exit == EXIT_DONE) {
        exit = ask_config(cli, config_path, &config);
    }
    if (exit != EXIT_DONE) {
        return exit;
    }
    if (slice_starts_with(config->gateway.store, SLICE("postgres"))) {
        fprintf(cli->err,
                "eplan restore: this store is in PostgreSQL, whose own tools bring it back\n"
                "  hint: stop every gateway, drop the schema eplan, and use pg_restore; before an"
                " upgrade the schema was copied to eplan_<version>\n");
        return EXIT_USAGE;
    }
    enum status status =
        store_restore(config->gateway.state_dir, config->gateway.environment, file, &diags);
    if (status != STATUS_OK) {
        cli_print_diags(cli, &diags);
        return status == STATUS_REFUSED ? EXIT_AGAIN : EXIT_UNREADABLE;
    }
    /* It opens, is brought to this program's schema, and notes who did it. */
    exit = ask_note(cli, config_path, "restored", file);
    fprintf(cli->out,
            "%s stands in %.*s; what was there is store-replaced.db\n"
            "each write that was open is looked up in its EHR before it is sent\n",
            file, SLICE_ARGS(config->gateway.state_dir));
    return exit;
}
