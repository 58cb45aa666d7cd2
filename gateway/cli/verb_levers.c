#include "gateway/cli/ask.h"
#include "gateway/cli/impact.h"
#include "gateway/cli/selection.h"
#include "gateway/cli/verbs.h"

enum { SHOWN_MOST = 100 };

struct pulling {
    struct cli *cli;
    struct selection selection;
    bool dry;
    uint64_t limit; /* of all pages; 0: none */
    uint64_t done;
    uint64_t already;
    uint64_t busy;
    uint64_t refused;
    size_t shown;
};

static uint64_t number(const struct json *answer, const char *name)
{
    uint64_t value = 0;
    slice_to_u64(json_text(json_get(answer, name)), &value);
    return value;
}

/* What was done needs no line each; what was not, does. */
static void print_others(struct pulling *pulling, const struct json *answer)
{
    FILE *out = pulling->cli->out;
    const struct json *visits = json_get(answer, "visits");
    for (const struct json *at = json_first(visits); at != NULL; at = json_next(at)) {
        bool message = json_get(at, "message") != NULL;
        bool tell = pulling->dry || !slice_is(json_get_text(at, "end"), "done");
        if (!tell || pulling->shown++ >= SHOWN_MOST) {
            continue;
        }
        struct slice why = json_get_text(at, "why");
        fprintf(out, "%.*s  %.*s  %s%.*s  %.*s%s%.*s\n",
                SLICE_ARGS(json_get_text(at, message ? "message" : "evaluation")),
                SLICE_ARGS(json_get_text(at, "ehr")), message ? "" : "Patient/",
                SLICE_ARGS(json_get_text(at, "patient")), SLICE_ARGS(json_get_text(at, "visit")),
                why.len != 0 ? ": " : "", SLICE_ARGS(why));
    }
}

static int print_standing(struct pulling *pulling, const struct json *answer)
{
    struct slice patient = json_get_text(answer, "patient");
    bool on = json_is(json_get(answer, "standing"), JSON_TRUE);
    bool changed = json_is(json_get(answer, "changed"), JSON_TRUE);
    fprintf(pulling->cli->out, "%s%.*s at %.*s: %s%s\n",
            patient.len != 0 ? "Patient/" : "every patient", SLICE_ARGS(patient),
            SLICE_ARGS(json_get_text(answer, "ehr")),
            on ? "nothing is evaluated or written until `eplan release`" : "work goes on",
            changed || pulling->dry ? "" : " (it was so already)");
    return EXIT_DONE;
}

static int end_of(const struct pulling *pulling)
{
    return pulling->busy != 0                                               ? EXIT_AGAIN
           : pulling->refused != 0 || pulling->done + pulling->already == 0 ? EXIT_FOUND
                                                                            : EXIT_DONE;
}

static int print_sum(const struct pulling *pulling, struct slice did)
{
    FILE *out = pulling->cli->out;
    fprintf(out, "%llu %s %s%.*s", (unsigned long long)pulling->done,
            pulling->done == 1 ? "visit" : "visits", pulling->dry ? "would be " : "",
            SLICE_ARGS(did));
    if (pulling->already != 0) {
        fprintf(out, ", %llu had nothing to do", (unsigned long long)pulling->already);
    }
    if (pulling->busy != 0) {
        fprintf(out, ", %llu under way: try again", (unsigned long long)pulling->busy);
    }
    if (pulling->refused != 0) {
        fprintf(out, ", %llu refused", (unsigned long long)pulling->refused);
    }
    fputc('\n', out);
    return end_of(pulling);
}

static void take_page(struct pulling *pulling, const struct json *answer)
{
    pulling->done += number(answer, "done");
    pulling->already += number(answer, "already");
    pulling->busy += number(answer, "busy");
    pulling->refused += number(answer, "refused");
    if (!pulling->selection.json) {
        print_others(pulling, answer);
    }
}

/* One answer is one page; the next begins where it ended. */
static bool turn_page(struct pulling *pulling, const struct json *answer)
{
    struct slice next = json_get_text(answer, "next");
    if (next.len == 0 || pulling->limit != 0) {
        return false;
    }
    selection_set(pulling->cli, &pulling->selection, "from", next);
    selection_set(pulling->cli, &pulling->selection, "as-of", json_text(json_get(answer, "as-of")));
    return true;
}

static int pull_selection(struct cli *cli, const struct selection *selection)
{
    struct pulling pulling = {.cli = cli, .selection = *selection};
    const struct json *answer = NULL;
    struct slice text = SLICE_NONE;
    int exit;
    pulling.dry = json_is(json_get(pulling.selection.request, "dry"), JSON_TRUE);
    pulling.limit = number(pulling.selection.request, "limit");
    bool more = true;
    while (more) {
        exit = ask_request(cli, pulling.selection.config_path, pulling.selection.request, &answer,
                           &text);
        if (exit != EXIT_DONE) {
            return exit;
        }
        if (pulling.selection.json) {
            fprintf(cli->out, "%.*s\n", SLICE_ARGS(text));
        }
        take_page(&pulling, answer);
        more = turn_page(&pulling, answer);
    }
    if (pulling.selection.json) {
        return json_get(answer, "standing") != NULL ? EXIT_DONE : end_of(&pulling);
    }
    return json_get(answer, "standing") != NULL ? print_standing(&pulling, answer)
                                                : print_sum(&pulling, json_get_text(answer, "did"));
}

static int pull(struct cli *cli, int argc, char **argv)
{
    struct selection selection;
    int exit = selection_read(cli, argc, argv, true, &selection);
    if (exit != EXIT_DONE) {
        return exit;
    }
    if (json_get(selection.request, "last") != NULL) {
        return cli_usage(cli, argv[0], "--last goes with `replay --mapping FOLDER --dry-run`");
    }
    return pull_selection(cli, &selection);
}

int verb_hold(struct cli *cli, int argc, char **argv)
{
    return pull(cli, argc, argv);
}

int verb_release(struct cli *cli, int argc, char **argv)
{
    return pull(cli, argc, argv);
}

int verb_replay(struct cli *cli, int argc, char **argv)
{
    struct selection selection;
    int exit = selection_read(cli, argc, argv, true, &selection);
    if (exit == EXIT_DONE && impact_is_meant(&selection)) {
        return impact_run(cli, &selection);
    }
    return exit == EXIT_DONE ? pull(cli, argc, argv) : exit;
}

int verb_resend(struct cli *cli, int argc, char **argv)
{
    return pull(cli, argc, argv);
}

int verb_drop(struct cli *cli, int argc, char **argv)
{
    return pull(cli, argc, argv);
}
