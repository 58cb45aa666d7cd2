#include <string.h>

#include "gateway/cli/ask.h"
#include "gateway/cli/verbs.h"

static uint64_t number(const struct json *answer, const char *name)
{
    uint64_t value = 0;
    slice_to_u64(json_text(json_get(answer, name)), &value);
    return value;
}

/* The next page of records; the first when there is no answer yet. */
static const struct json *request_of(struct cli *cli, const struct json *answer)
{
    static const char *const places[] = {"table", "after"};
    struct json *request = json_new_object(cli->arena);
    json_add(cli->arena, request, SLICE("verb"), json_new_string(cli->arena, SLICE("rotate")));
    for (size_t i = 0; answer != NULL && i < 2; i++) {
        json_add(cli->arena, request, slice_of(places[i]),
                 json_new_number(cli->arena, json_text(json_get(answer, places[i]))));
    }
    return request;
}

int verb_rotate(struct cli *cli, int argc, char **argv)
{
    const char *config_path = "/etc/eplan/gateway.yaml";
    const struct json *answer = NULL;
    uint64_t resealed = 0;
    uint64_t damaged = 0;
    if (argc == 3 && strcmp(argv[1], "-c") == 0) {
        config_path = argv[2];
    } else if (argc != 1) {
        return cli_usage(cli, "rotate", "does not know \"%s\"", argv[1]);
    }
    do {
        int exit = ask_request(cli, config_path, request_of(cli, answer), &answer, NULL);
        if (exit != EXIT_DONE) {
            return exit;
        }
        resealed += number(answer, "resealed");
        damaged += number(answer, "damaged");
    } while (!json_is(json_get(answer, "done"), JSON_TRUE));
    fprintf(cli->out, "%llu records were sealed under the current key\n",
            (unsigned long long)resealed);
    if (damaged != 0) {
        fprintf(cli->out, "%llu could not be opened and were left: `eplan verify` names them\n",
                (unsigned long long)damaged);
    }
    return damaged != 0 ? EXIT_FOUND : EXIT_DONE;
}
