#include <string.h>

#include "gateway/cli/ask.h"
#include "gateway/cli/verbs.h"
#include "gateway/store/store_backup.h"

/* The copy is made by this process, beside the running daemon; the daemon notes it in the trail. */
static int note_backup(struct cli *cli, const char *config_path, const char *file)
{
    struct json *request = json_new_object(cli->arena);
    const struct json *answer = NULL;
    json_add(cli->arena, request, SLICE("verb"), json_new_string(cli->arena, SLICE("backup-made")));
    json_add(cli->arena, request, SLICE("what"), json_new_string(cli->arena, slice_of(file)));
    return ask_request(cli, config_path, request, &answer, NULL);
}

int verb_backup(struct cli *cli, int argc, char **argv)
{
    const char *config_path = "/etc/eplan/gateway.yaml";
    const char *file = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-c") == 0 && i + 1 < argc) {
            config_path = argv[++i];
        } else if (argv[i][0] != '-' && file == NULL) {
            file = argv[i];
        } else {
            return cli_usage(cli, "backup", "does not know \"%s\"", argv[i]);
        }
    }
    if (file == NULL) {
        return cli_usage(cli, "backup", "names the file to be made");
    }
    const struct config *config = NULL;
    struct diag_list diags;
    diag_init(&diags, cli->arena, 10);
    int exit = ask_config(cli, config_path, &config);
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
    exit = note_backup(cli, config_path, file);
    fprintf(cli->out, "%s: %llu bytes; whole as of now%s\n", file, (unsigned long long)bytes,
            exit == EXIT_DONE ? "" : ", but the trail could not note it");
    return exit;
}
