#include <string.h>

#include "gateway/cli/ask.h"
#include "gateway/cli/verbs.h"

struct recall {
    const char *config_path;
    const char *ehr;     /* NULL: every EHR */
    const char *mapping; /* NAME@VERSION */
    bool json;
    bool dry;
};

static int read_arguments(struct cli *cli, int argc, char **argv, struct recall *out)
{
    struct recall recall = {.config_path = "/etc/eplan/gateway.yaml"};
    for (int i = 1; i < argc; i++) {
        bool value = i + 1 < argc;
        if (strcmp(argv[i], "-c") == 0 && value) {
            recall.config_path = argv[++i];
        } else if (strcmp(argv[i], "--ehr") == 0 && value) {
            recall.ehr = argv[++i];
        } else if (strcmp(argv[i], "--mapping") == 0 && value) {
            recall.mapping = argv[++i];
        } else if (strcmp(argv[i], "--json") == 0) {
            recall.json = true;
        } else if (strcmp(argv[i], "--dry-run") == 0) {
            recall.dry = true;
        } else {
            return cli_usage(cli, argv[0], "does not know \"%s\"", argv[i]);
        }
    }
    if (recall.mapping == NULL) {
        return cli_usage(cli, argv[0], "names a mapping and its version: --mapping NAME@VERSION");
    }
    *out = recall;
    return EXIT_DONE;
}

static void add_text(struct cli *cli, struct json *object, const char *name, struct slice text)
{
    if (text.len != 0) {
        json_add(cli->arena, object, slice_of(name), json_new_string(cli->arena, text));
    }
}

static const struct json *request_of(struct cli *cli, const struct recall *recall,
                                     const struct json *before)
{
    struct json *request = json_new_object(cli->arena);
    add_text(cli, request, "verb", SLICE("recall"));
    add_text(cli, request, "mapping", slice_of(recall->mapping));
    add_text(cli, request, "ehr", slice_of(recall->ehr));
    add_text(cli, request, "from", json_get_text(before, "from"));
    add_text(cli, request, "after", json_get_text(before, "after"));
    json_add(cli->arena, request, SLICE("dry"), json_new_bool(cli->arena, recall->dry));
    return request;
}

static void print_plans(struct cli *cli, const struct json *plans, const char *what)
{
    for (const struct json *at = json_first(plans); at != NULL; at = json_next(at)) {
        fprintf(cli->out, "%s  %.*s  Patient/%.*s  %.*s/%.*s  %.*s\n", what,
                SLICE_ARGS(json_get_text(at, "ehr")), SLICE_ARGS(json_get_text(at, "patient")),
                SLICE_ARGS(json_get_text(at, "resource")), SLICE_ARGS(json_get_text(at, "ehr-id")),
                SLICE_ARGS(json_get_text(at, "life")));
    }
}

static uint64_t count_of(const struct json *answer, const char *name)
{
    uint64_t count = 0;
    slice_to_u64(json_text(json_get(answer, name)), &count);
    return count;
}

int verb_recall(struct cli *cli, int argc, char **argv)
{
    struct recall recall = {.config_path = NULL};
    const struct json *answer = NULL;
    uint64_t withdrawn = 0;
    uint64_t rest = 0;
    uint64_t unsent = 0;
    int exit = read_arguments(cli, argc, argv, &recall);
    while (exit == EXIT_DONE) {
        struct slice text = SLICE_NONE;
        exit =
            ask_request(cli, recall.config_path, request_of(cli, &recall, answer), &answer, &text);
        if (exit == EXIT_DONE && recall.json) {
            fprintf(cli->out, "%.*s\n", SLICE_ARGS(text));
        } else if (exit == EXIT_DONE) {
            print_plans(cli, json_get(answer, "withdrawn"),
                        recall.dry ? "would be withdrawn" : "is being withdrawn");
            print_plans(cli, json_get(answer, "rest"), "stays, a person touched it");
        }
        withdrawn += exit == EXIT_DONE ? count_of(answer, "withdrawn-count") : 0;
        rest += exit == EXIT_DONE ? count_of(answer, "rest-count") : 0;
        unsent += exit == EXIT_DONE ? count_of(answer, "unsent") : 0;
        if (exit != EXIT_DONE || json_get(answer, "from") == NULL) {
            break;
        }
    }
    if (exit == EXIT_DONE && !recall.json) {
        fprintf(cli->out,
                "%s: %llu %s, %llu stay with the person who touched them, %llu unsent writes "
                "dropped\n",
                recall.mapping, (unsigned long long)withdrawn,
                recall.dry ? "drafts would be withdrawn" : "drafts are being withdrawn",
                (unsigned long long)rest, (unsigned long long)unsent);
    }
    return exit == EXIT_DONE && rest != 0 ? EXIT_FOUND : exit;
}
