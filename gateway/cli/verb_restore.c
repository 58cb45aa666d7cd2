#include <string.h>

#include "gateway/cli/ask.h"
#include "gateway/cli/verbs.h"
#include "gateway/store/store_backup.h"

/* The restored store opens, is brought to this program's schema, and notes who did it. */
static int note_restore(struct cli *cli, const char *config_path, const char *file)
{
    struct json *request = json_new_object(cli->arena);
    const struct json *answer = NULL;
    json_add(cli->arena, request, SLICE("verb"), json_new_string(cli->arena, SLICE("restored")));
    json_add(cli->arena, request, SLICE("what"), json_new_string(cli->arena, slice_of(file)));
    return ask_request(cli, config_path, request, &answer, NULL);
}

int verb_restore(struct cli *cli, int argc, char **argv)
{
    const char *config_path = "/etc/eplan/gateway.yaml";
    const char *file = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-c") == 0 && i + 1 < argc) {
            config_path = argv[++i];
        } else if (argv[i][0] != '-' && file == NULL) {
            file = argv[i];
        } else {
            return cli_usage(cli, "restore", "does not know \"%s\"", argv[i]);
        }
    }
    if (file == NULL) {
        return cli_usage(cli, "restore", "names the backup");
    }
    const struct config *config = NULL;
    struct diag_list diags;
    diag_init(&diags, cli->arena, 10);
    int exit = ask_config(cli, config_path, &config);
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
    exit = note_restore(cli, config_path, file);
    fprintf(cli->out,
            "%s stands in %.*s; what was there is store-replaced.db\n"
            "each write that was open is looked up in its EHR before it is sent\n",
            file, SLICE_ARGS(config->gateway.state_dir));
    return exit;
}
