#include <string.h>

#include "gateway/cli/ask.h"
#include "gateway/cli/verbs.h"

/* What both verbs take, as the request names it. */
static const struct {
    const char *option;
    const char *member;
} options[] = {
    {"--ehr", "ehr"},         {"--as", "as"},   {"--goals", "goals"},
    {"--speaker", "speaker"}, {"--for", "for"},
};

static const char *member_of(const char *option)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (strcmp(options[i].option, option) == 0) {
            return options[i].member;
        }
    }
    return NULL;
}

static void add_text(struct cli *cli, struct json *request, const char *name, const char *text)
{
    json_set(cli->arena, request, slice_of(name), json_new_string(cli->arena, slice_of(text)));
}

static int decide(struct cli *cli, int argc, char **argv)
{
    const char *config_path = "/etc/eplan/gateway.yaml";
    const struct json *answer = NULL;
    struct json *request = json_new_object(cli->arena);
    add_text(cli, request, "verb", argv[0]);
    for (int i = 1; i < argc; i++) {
        const char *member = member_of(argv[i]);
        bool value = i + 1 < argc;
        if (strcmp(argv[i], "-c") == 0 && value) {
            config_path = argv[++i];
        } else if (member != NULL && value) {
            add_text(cli, request, member, argv[++i]);
        } else if (argv[i][0] != '-' && json_get(request, "what") == NULL) {
            add_text(cli, request, "what", argv[i]);
        } else {
            return cli_usage(cli, argv[0], "does not know \"%s\"", argv[i]);
        }
    }
    if (json_get(request, "what") == NULL || json_get(request, "as") == NULL) {
        return cli_usage(cli, argv[0], "names a plan and for whom: ITEM --as Practitioner/ID");
    }
    int exit = ask_request(cli, config_path, request, &answer, NULL);
    if (exit == EXIT_DONE) {
        fprintf(cli->out, "%.*s for %.*s, entered by %.*s; the EHR is being told\n",
                SLICE_ARGS(json_get_text(answer, "did")), SLICE_ARGS(json_get_text(answer, "as")),
                SLICE_ARGS(json_get_text(answer, "by")));
    }
    return exit;
}

int verb_accept(struct cli *cli, int argc, char **argv)
{
    return decide(cli, argc, argv);
}

int verb_decline(struct cli *cli, int argc, char **argv)
{
    return decide(cli, argc, argv);
}
