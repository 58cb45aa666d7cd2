#include <string.h>

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
    bool postgres = slice_starts_with(config->gateway.store, SLICE("postgres"));
    struct slice environment = config->gateway.environment;
    enum status status =
        postgres ? store_restore_schema(config->gateway.store, environment, file, &diags)
                 : store_restore(config->gateway.state_dir, environment, file, &diags);
    if (status != STATUS_OK) {
        cli_print_diags(cli, &diags);
        return status == STATUS_REFUSED ? EXIT_AGAIN : EXIT_UNREADABLE;
    }
    /* It opens, is brought to this program's schema, and notes who did it. */
    exit = ask_note(cli, config_path, "restored", file);
    if (!postgres) {
        fprintf(cli->out, "%s stands in %.*s; what was there is store-replaced.db\n", file,
                SLICE_ARGS(config->gateway.state_dir));
    } else if (strcmp(file, "eplan") == 0) {
        fputs("the schema eplan is taken as brought back from an earlier time\n", cli->out);
    } else {
        fprintf(cli->out, "%s stands as the schema eplan; what was there is eplan_replaced\n",
                file);
    }
    fputs("nothing is written to an EHR before all that was open was looked up there; "
          "`eplan status` says how far it is\n",
          cli->out);
    return exit;
}
