#include "gateway/cli/arguments.h"
#include "gateway/cli/verbs.h"
#include "gateway/cli/workbench.h"
#include "gateway/mapping/plan_definition.h"

int verb_export(struct cli *cli, int argc, char **argv)
{
    bool plan_definition = false;
    const char *words[1];
    struct workbench bench;
    const struct argument_option options[] = {{"--plan-definition", &plan_definition, NULL}};
    int exit = arguments_read(cli, argc, argv, options, 1, words, 1, 1, "names one folder");
    if (exit == EXIT_DONE && !plan_definition) {
        return cli_usage(cli, "export", "wants --plan-definition: the form to write");
    }
    if (exit == EXIT_DONE) {
        exit = workbench_open(cli, "export", words[0], &bench);
    }
    if (exit == EXIT_DONE) {
        struct json *bundle = mapping_plan_definition(bench.mapping, cli->arena);
        fprintf(cli->out, "%.*s\n", SLICE_ARGS(json_write(cli->arena, bundle, JSON_PRETTY)));
    }
    return exit;
}
