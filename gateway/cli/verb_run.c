#include <string.h>

#include "gateway/cli/verbs.h"
#include "gateway/daemon/daemon.h"

int verb_run(struct cli *cli, int argc, char **argv)
{
    static const int exits[] = {
        [DAEMON_STOPPED] = EXIT_DONE,   [DAEMON_CUT_OFF] = EXIT_AGAIN,
        [DAEMON_MISTAKES] = EXIT_FOUND, [DAEMON_UNREADABLE] = EXIT_UNREADABLE,
        [DAEMON_ROOT] = EXIT_USAGE,     [DAEMON_FAULT] = EXIT_FAULT};
    const char *path = "/etc/eplan/gateway.yaml";
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-c") == 0 && i + 1 < argc) {
            path = argv[++i];
        } else {
            return cli_usage(cli, "run", "does not know \"%s\"", argv[i]);
        }
    }
    return exits[daemon_run(slice_of(path), cli->err)];
}
