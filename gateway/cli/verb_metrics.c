#include "gateway/cli/ask.h"
#include "gateway/cli/verbs.h"

int verb_metrics(struct cli *cli, int argc, char **argv)
{
    struct ask ask;
    const struct json *answer = NULL;
    int exit = ask_read(cli, argc, argv, 0, &ask);
    if (exit == EXIT_DONE) {
        exit = ask_send(cli, "metrics", &ask, &answer);
    }
    if (exit == EXIT_DONE) {
        struct slice text = json_get_text(answer, "metrics");
        fwrite(text.at, 1, text.len, cli->out);
    }
    return exit;
}
