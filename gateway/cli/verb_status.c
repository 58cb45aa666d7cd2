#include "gateway/cli/ask.h"
#include "gateway/cli/verbs.h"

static struct slice text_or(const struct json *object, const char *name, const char *otherwise)
{
    struct slice text = json_get_text(object, name);
    return text.len != 0 ? text : slice_of(otherwise);
}

static void print_counts(struct cli *cli, const char *what, const struct json *counts)
{
    if (json_first(counts) == NULL) {
        return;
    }
    fprintf(cli->out, "  %-14s", what);
    for (const struct json *at = json_first(counts); at != NULL; at = json_next(at)) {
        fprintf(cli->out, " %.*s %.*s%s", SLICE_ARGS(json_text(at)), SLICE_ARGS(json_name(at)),
                json_next(at) != NULL ? "," : "\n");
    }
}

static struct slice number_of(const struct json *object, const char *name)
{
    return json_text(json_get(object, name));
}

/* After `restore` and `rebase`: how far it is, then what was found. */
static void print_reconciliation(struct cli *cli, const struct json *told)
{
    if (told == NULL) {
        return;
    }
    bool on = json_is(json_get(told, "on"), JSON_TRUE);
    fprintf(cli->out, "  %s: ", on ? "reconciling" : "reconciled");
    if (on) {
        fprintf(cli->out,
                "%.*s of %.*s looked up, after %.*s %.*s; nothing is written before the last\n",
                SLICE_ARGS(number_of(told, "looked-up")), SLICE_ARGS(number_of(told, "of")),
                SLICE_ARGS(json_get_text(told, "after")), SLICE_ARGS(ask_time(cli, told, "since")));
    } else {
        fprintf(cli->out, "%.*s looked up, after %.*s %.*s\n",
                SLICE_ARGS(number_of(told, "looked-up")), SLICE_ARGS(json_get_text(told, "after")),
                SLICE_ARGS(ask_time(cli, told, "ended")));
    }
    fprintf(cli->out,
            "  %-14s %.*s as we left them, %.*s changed, %.*s written since, %.*s not found, %.*s "
            "held\n",
            "found", SLICE_ARGS(number_of(told, "as-left")), SLICE_ARGS(number_of(told, "changed")),
            SLICE_ARGS(number_of(told, "written")), SLICE_ARGS(number_of(told, "not-found")),
            SLICE_ARGS(number_of(told, "held")));
}

static void print_ehr(struct cli *cli, const struct json *ehr)
{
    struct slice condition = json_get_text(ehr, "condition");
    struct slice error = json_get_text(ehr, "error");
    fprintf(cli->out, "%.*s: %.*s%s%s%s, %.*s\n", SLICE_ARGS(json_get_text(ehr, "ehr")),
            SLICE_ARGS(json_get_text(ehr, "mode")),
            json_is(json_get(ehr, "synthetic"), JSON_TRUE) ? ", synthetic" : "",
            json_is(json_get(ehr, "evaluation-paused"), JSON_TRUE) ? ", EVALUATION PAUSED" : "",
            json_is(json_get(ehr, "writes-stopped"), JSON_TRUE) ? ", WRITES STOPPED" : "",
            SLICE_ARGS(json_get_text(ehr, "base-url")));
    if (condition.len != 0) {
        fprintf(cli->out, "  %-14s %.*s, %.*s calls wait, %.*s under way\n", "connection",
                SLICE_ARGS(condition), SLICE_ARGS(json_text(json_get(ehr, "calls-waiting"))),
                SLICE_ARGS(json_text(json_get(ehr, "calls-under-way"))));
    }
    if (json_get(ehr, "down-until") != NULL) {
        fprintf(cli->out, "  %-14s until %.*s\n", "down by plan",
                SLICE_ARGS(ask_time(cli, ehr, "down-until")));
    }
    print_reconciliation(cli, json_get(ehr, "reconciliation"));
    print_counts(cli, "messages", json_get(ehr, "messages"));
    print_counts(cli, "evaluations", json_get(ehr, "evaluations"));
    print_counts(cli, "writes", json_get(ehr, "changes"));
    fprintf(cli->out, "  %-14s %.*s\n", "polled up to",
            SLICE_ARGS(ask_time(cli, ehr, "watermark")));
    if (error.len != 0) {
        fprintf(cli->out, "  %-14s %.*s (%.*s)\n  %-14s %.*s\n", "last error", SLICE_ARGS(error),
                SLICE_ARGS(ask_time(cli, ehr, "error-at")), "what to do",
                SLICE_ARGS(text_or(ehr, "do", "look at the log")));
    }
}

static void print_open_entry(struct cli *cli, const struct json *entry)
{
    struct slice detail = json_get_text(entry, "detail");
    fprintf(cli->out, "%.*s  %.*s  Patient/%.*s  %.*s\n  why: %.*s%s%.*s%s\n",
            SLICE_ARGS(text_or(entry, "state", "?")), SLICE_ARGS(text_or(entry, "ehr", "?")),
            SLICE_ARGS(text_or(entry, "patient", "(not known)")),
            SLICE_ARGS(text_or(entry, "visit", "(no visit)")),
            SLICE_ARGS(text_or(entry, "because", "?")), detail.len != 0 ? " (" : "",
            SLICE_ARGS(detail), detail.len != 0 ? ")" : "");
    fprintf(
        cli->out, "  what to do: %.*s\n  since %.*s; `eplan show %.*s%s%.*s` tells its whole way\n",
        SLICE_ARGS(text_or(entry, "do", "nothing")), SLICE_ARGS(ask_time(cli, entry, "since")),
        SLICE_ARGS(
            json_get_text(entry, json_get(entry, "message") != NULL ? "message" : "patient")),
        json_get(entry, "message") != NULL ? "" : " --ehr ",
        SLICE_ARGS(json_get(entry, "message") != NULL ? SLICE_NONE : json_get_text(entry, "ehr")));
}

/* Held work is something found: the exit status says so, for scripts. */
static int print_open(struct cli *cli, const struct json *answer)
{
    const struct json *open = json_get(answer, "open");
    size_t count = json_count(open);
    fprintf(cli->out, "\n%zu %s for a person\n", count, count == 1 ? "visit waits" : "visits wait");
    for (const struct json *at = json_first(open); at != NULL; at = json_next(at)) {
        print_open_entry(cli, at);
    }
    if (json_is(json_get(answer, "open-cut"), JSON_TRUE)) {
        fputs("there are more than are shown here\n", cli->out);
    }
    return count != 0 ? EXIT_FOUND : EXIT_DONE;
}

static void print_work(struct cli *cli, const struct json *answer)
{
    const struct json *mapping = json_get(answer, "mapping");
    struct slice why = json_get_text(answer, "reload-refused-because");
    if (mapping != NULL) {
        fprintf(cli->out, "mapping %.*s %.*s, %.*s, since %.*s\n",
                SLICE_ARGS(json_get_text(mapping, "name")),
                SLICE_ARGS(json_get_text(mapping, "version")),
                SLICE_ARGS(json_get_text(mapping, "hash")),
                SLICE_ARGS(ask_time(cli, mapping, "since")));
    }
    if (why.len != 0) {
        fprintf(cli->out, "A RELOAD WAS REFUSED %.*s: %.*s\n  %s\n",
                SLICE_ARGS(ask_time(cli, answer, "reload-refused")), SLICE_ARGS(why),
                "all goes on as it was; `eplan check-config` says every mistake");
    }
}

int verb_status(struct cli *cli, int argc, char **argv)
{
    struct ask ask;
    const struct json *answer = NULL;
    int exit = ask_read(cli, argc, argv, ASK_EHR | ASK_JSON | ASK_OPEN, &ask);
    if (exit == EXIT_DONE) {
        exit = ask_send(cli, "status", &ask, &answer);
    }
    if (exit != EXIT_DONE || ask.json) {
        return exit;
    }
    fprintf(
        cli->out, "eplan gateway, %s%s; store queue %.*s%s\n",
        json_is(json_get(answer, "running"), JSON_TRUE) ? "running" : "not running",
        json_is(json_get(answer, "all-writes-stopped"), JSON_TRUE) ? ", ALL WRITES STOPPED" : "",
        SLICE_ARGS(json_text(json_get(answer, "store-queue"))),
        json_is(json_get(answer, "store-failing"), JSON_TRUE) ? ", THE STORE CANNOT COMMIT" : "");
    print_work(cli, answer);
    const struct json *ehrs = json_get(answer, "ehrs");
    for (const struct json *at = json_first(ehrs); at != NULL; at = json_next(at)) {
        print_ehr(cli, at);
    }
    return ask.open ? print_open(cli, answer) : EXIT_DONE;
}
