#include "gateway/cli/ask.h"
#include "gateway/cli/verbs.h"

/* "  NAME  TEXT" where there is one. */
static void print_field(struct cli *cli, int indent, const char *label, const struct json *object,
                        const char *name)
{
    const struct json *value = json_get(object, name);
    if (json_text(value).len != 0) {
        fprintf(cli->out, "%*s%-16s %.*s\n", indent, "", label, SLICE_ARGS(json_text(value)));
    }
}

static void print_end(struct cli *cli, int indent, const struct json *object)
{
    struct slice because = json_get_text(object, "because");
    fprintf(cli->out, "%*s%-16s %.*s", indent, "", "state",
            SLICE_ARGS(json_get_text(object, "state")));
    if (because.len != 0) {
        fprintf(cli->out, ": %.*s", SLICE_ARGS(because));
    }
    struct slice detail = json_get_text(object, "detail");
    if (detail.len != 0) {
        fprintf(cli->out, " (%.*s)", SLICE_ARGS(detail));
    }
    fputc('\n', cli->out);
    print_field(cli, indent, "what to do", object, "do");
}

static void print_words(struct cli *cli, const char *label, const struct json *words)
{
    if (json_first(words) == NULL) {
        return;
    }
    fprintf(cli->out, "  %-16s", label);
    for (const struct json *at = json_first(words); at != NULL; at = json_next(at)) {
        fprintf(cli->out, " %.*s%s", SLICE_ARGS(json_text(at)), json_next(at) != NULL ? "," : "\n");
    }
}

static void print_trace(struct cli *cli, const struct json *trace)
{
    const struct json *growth = json_get(trace, "growth");
    print_field(cli, 2, "decision", trace, "outcome");
    print_field(cli, 2, "reason", trace, "reason");
    print_field(cli, 2, "plan", trace, "plan");
    print_field(cli, 2, "to ask", trace, "ask");
    print_words(cli, "row", json_get(trace, "row"));
    print_words(cli, "holds", json_get(trace, "holds"));
    print_words(cli, "prompts", json_get(trace, "prompts"));
    for (const struct json *at = json_first(growth); at != NULL; at = json_next(at)) {
        fprintf(cli->out, "  growth %-9.*s %.*s\n", SLICE_ARGS(json_name(at)),
                SLICE_ARGS(json_text(at)));
    }
}

static void print_attempts(struct cli *cli, const struct json *way, struct slice change)
{
    const struct json *attempts = json_get(way, "attempts");
    for (const struct json *at = json_first(attempts); at != NULL; at = json_next(at)) {
        if (slice_equal(json_get_text(at, "change"), change)) {
            fprintf(cli->out, "    try %.*s, %.*s: %.*s %.*s %.*s\n",
                    SLICE_ARGS(json_text(json_get(at, "number"))),
                    SLICE_ARGS(ask_time(cli, at, "started")),
                    SLICE_ARGS(json_get_text(at, "outcome")),
                    SLICE_ARGS(json_text(json_get(at, "status"))),
                    SLICE_ARGS(json_get_text(at, "detail")));
        }
    }
}

static void print_change(struct cli *cli, const struct json *way, const struct json *change)
{
    struct slice id = json_get_text(change, "ehr-id");
    fprintf(cli->out, "  write %.*s: %.*s %.*s%s%.*s (%.*s)\n",
            SLICE_ARGS(json_text(json_get(change, "order"))),
            SLICE_ARGS(json_get_text(change, "kind")),
            SLICE_ARGS(json_get_text(change, "resource")), id.len != 0 ? "/" : "", SLICE_ARGS(id),
            SLICE_ARGS(json_get_text(change, "item")));
    print_end(cli, 4, change);
    print_attempts(cli, way, json_get_text(change, "change"));
}

static void print_evaluation(struct cli *cli, const struct json *way)
{
    fprintf(cli->out, "\nvisit %.*s of Patient/%.*s at %.*s\n",
            SLICE_ARGS(json_get_text(way, "visit")), SLICE_ARGS(json_get_text(way, "patient")),
            SLICE_ARGS(json_get_text(way, "ehr")));
    print_field(cli, 2, "evaluation", way, "evaluation");
    print_end(cli, 2, way);
    fprintf(cli->out, "  %-16s %.*s\n", "evaluated for",
            SLICE_ARGS(ask_time(cli, way, "evaluation-time")));
    if (json_get(way, "mapping") != NULL) {
        fprintf(cli->out, "  %-16s %.*s %.*s, %.*s\n", "mapping",
                SLICE_ARGS(json_get_text(way, "mapping")),
                SLICE_ARGS(json_get_text(way, "mapping-version")),
                SLICE_ARGS(slice_part(json_get_text(way, "mapping-hash"), 0, 12)));
    }
    print_field(cli, 2, "replaced by", way, "replaced-by");
    print_trace(cli, json_get(way, "trace"));
    const struct json *changes = json_get(way, "changes");
    for (const struct json *at = json_first(changes); at != NULL; at = json_next(at)) {
        print_change(cli, way, at);
    }
    const struct json *trail = json_get(way, "trail");
    for (const struct json *at = json_first(trail); at != NULL; at = json_next(at)) {
        fprintf(cli->out, "  trail %.*s, %.*s: %.*s%s%.*s\n",
                SLICE_ARGS(json_text(json_get(at, "number"))), SLICE_ARGS(ask_time(cli, at, "at")),
                SLICE_ARGS(json_get_text(at, "what")), json_get(at, "told") != NULL ? ", " : "",
                SLICE_ARGS(json_get_text(at, "told")));
    }
}

static void print_message(struct cli *cli, const struct json *message)
{
    fprintf(cli->out, "message %.*s\n", SLICE_ARGS(json_get_text(message, "message")));
    fprintf(cli->out, "  %-16s %.*s by %.*s from %.*s\n", "received",
            SLICE_ARGS(ask_time(cli, message, "received")),
            SLICE_ARGS(json_get_text(message, "kind")), SLICE_ARGS(json_get_text(message, "ehr")));
    fprintf(cli->out, "  %-16s %.*s/%.*s version %.*s\n", "resource",
            SLICE_ARGS(json_get_text(message, "resource")),
            SLICE_ARGS(json_get_text(message, "resource-id")),
            SLICE_ARGS(json_get_text(message, "resource-version")));
    print_end(cli, 2, message);
}

static void print_items(struct cli *cli, const struct json *answer)
{
    fprintf(cli->out, "Patient/%.*s at %.*s\n", SLICE_ARGS(json_get_text(answer, "patient")),
            SLICE_ARGS(json_get_text(answer, "ehr")));
    const struct json *items = json_get(answer, "items");
    for (const struct json *at = json_first(items); at != NULL; at = json_next(at)) {
        fprintf(cli->out, "  %.*s: %.*s/%.*s version %.*s, %.*s\n",
                SLICE_ARGS(json_get_text(at, "item")), SLICE_ARGS(json_get_text(at, "resource")),
                SLICE_ARGS(json_get_text(at, "ehr-id")),
                SLICE_ARGS(json_get_text(at, "ehr-version")),
                SLICE_ARGS(json_get_text(at, "life")));
    }
}

int verb_show(struct cli *cli, int argc, char **argv)
{
    struct ask ask;
    const struct json *answer = NULL;
    int exit = ask_read(cli, argc, argv, ASK_EHR | ASK_JSON | ASK_WHAT, &ask);
    if (exit == EXIT_DONE) {
        exit = ask_send(cli, "show", &ask, &answer);
    }
    if (exit != EXIT_DONE || ask.json) {
        return exit;
    }
    if (json_get(answer, "message") != NULL) {
        print_message(cli, json_get(answer, "message"));
    } else {
        print_items(cli, answer);
    }
    const struct json *ways = json_get(answer, "evaluations");
    for (const struct json *at = json_first(ways); at != NULL; at = json_next(at)) {
        print_evaluation(cli, at);
    }
    return EXIT_DONE;
}
