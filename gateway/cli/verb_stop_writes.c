#include "gateway/cli/ask.h"
#include "gateway/cli/verbs.h"

static int set(struct cli *cli, int argc, char **argv, const char *sentence)
{
    struct ask ask;
    const struct json *answer = NULL;
    int exit = ask_read(cli, argc, argv, ASK_EHR, &ask);
    if (exit == EXIT_DONE) {
        exit = ask_send(cli, argv[0], &ask, &answer);
    }
    if (exit == EXIT_DONE) {
        fprintf(cli->out, "%s %s, noted for %.*s\n", sentence,
                ask.ehr != NULL ? ask.ehr : "every EHR", SLICE_ARGS(json_get_text(answer, "by")));
    }
    return exit;
}

int verb_stop_writes(struct cli *cli, int argc, char **argv)
{
    return set(cli, argc, argv,
               "nothing further is written (what is being sent comes to its end), until "
               "resume-writes, to");
}

int verb_resume_writes(struct cli *cli, int argc, char **argv)
{
    return set(cli, argc, argv, "writes go on to");
}
