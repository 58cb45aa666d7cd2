#include "gateway/cli/ask.h"
#include "gateway/cli/selection.h"
#include "gateway/cli/verbs.h"

static void print_holds(struct cli *cli, const struct json *holds)
{
    for (const struct json *at = json_first(holds); at != NULL; at = json_next(at)) {
        struct slice patient = json_get_text(at, "patient");
        struct slice why = json_get_text(at, "why");
        fprintf(cli->out, "ON HOLD  %.*s  %s%.*s  since %.*s by %.*s%s%.*s\n",
                SLICE_ARGS(json_get_text(at, "ehr")),
                patient.len != 0 ? "Patient/" : "every patient", SLICE_ARGS(patient),
                SLICE_ARGS(ask_time(cli, at, "since")), SLICE_ARGS(json_get_text(at, "by")),
                why.len != 0 ? ": " : "", SLICE_ARGS(why));
    }
}

static void print_entry(struct cli *cli, const struct json *entry)
{
    struct slice patient = json_get_text(entry, "patient");
    struct slice because = json_get_text(entry, "because");
    bool message = json_get(entry, "message") != NULL;
    fprintf(cli->out, "%.*s  %.*s  %s%.*s  %.*s  since %.*s\n",
            SLICE_ARGS(json_get_text(entry, "state")), SLICE_ARGS(json_get_text(entry, "ehr")),
            patient.len != 0 ? "Patient/" : "(no patient known)", SLICE_ARGS(patient),
            SLICE_ARGS(message ? SLICE("(no visit known)") : json_get_text(entry, "visit")),
            SLICE_ARGS(ask_time(cli, entry, "since")));
    if (because.len != 0) {
        fprintf(cli->out, "  %.*s: %.*s\n", SLICE_ARGS(json_get_text(entry, "reason")),
                SLICE_ARGS(because));
    }
    fprintf(cli->out, "  %s %.*s\n", message ? "message" : "evaluation",
            SLICE_ARGS(json_get_text(entry, message ? "message" : "evaluation")));
}

int verb_queue(struct cli *cli, int argc, char **argv)
{
    struct selection selection = {NULL, false, NULL};
    const struct json *answer = NULL;
    struct slice text = SLICE_NONE;
    int exit = selection_read(cli, argc, argv, false, &selection);
    if (exit == EXIT_DONE) {
        exit = ask_request(cli, selection.config_path, selection.request, &answer, &text);
    }
    if (exit != EXIT_DONE || selection.json) {
        if (exit == EXIT_DONE) {
            fprintf(cli->out, "%.*s\n", SLICE_ARGS(text));
        }
        return exit;
    }
    const struct json *queue = json_get(answer, "queue");
    struct slice next = json_get_text(answer, "next");
    print_holds(cli, json_get(answer, "standing-holds"));
    for (const struct json *at = json_first(queue); at != NULL; at = json_next(at)) {
        print_entry(cli, at);
    }
    fprintf(cli->out, "%zu %s shown\n", json_count(queue),
            json_count(queue) == 1 ? "visit is" : "visits are");
    if (next.len != 0) {
        fprintf(cli->out, "there are more: the same with --from %.*s\n", SLICE_ARGS(next));
    }
    return EXIT_DONE;
}
