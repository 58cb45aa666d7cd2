#include "gateway/cli/verbs.h"

int verb_version(struct cli *cli, int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        return cli_usage(cli, "version", "takes no arguments");
    }
    fputs("eplan " EPLAN_VERSION "\n", cli->out);
    return EXIT_DONE;
}
