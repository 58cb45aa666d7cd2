#include "gateway/cli/ask.h"
#include "gateway/cli/verbs.h"

/* argv: --ehr NAME URL, in any order. */
int verb_rebase(struct cli *cli, int argc, char **argv)
{
    struct ask ask;
    const struct json *answer = NULL;
    int exit = ask_read(cli, argc, argv, ASK_EHR | ASK_WHAT, &ask);
    if (exit == EXIT_DONE && ask.ehr == NULL) {
        return cli_usage(cli, "rebase", "names the EHR with --ehr");
    }
    if (exit == EXIT_DONE) {
        exit = ask_send(cli, "rebase", &ask, &answer);
    }
    if (exit == EXIT_DONE) {
        fprintf(
            cli->out,
            "%s is known under %s from the next start; nothing is written there before all that "
            "was open (%.*s writes, and drafts) was looked up\n",
            ask.ehr, ask.what, SLICE_ARGS(json_text(json_get(answer, "open"))));
    }
    return exit;
}
