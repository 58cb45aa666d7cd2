#include "fhir/json/json.h"
#include "gateway/cli/arguments.h"
#include "gateway/cli/verbs.h"
#include "gateway/cli/workbench.h"

/* The trace of gateway/mapping/trace.h in lines that a clinician can follow. */

static void print_list(FILE *out, const char *before, const struct json *list)
{
    for (const struct json *it = json_first(list); it != NULL; it = json_next(it)) {
        fprintf(out, "%s%.*s", it == json_first(list) ? before : ", ", SLICE_ARGS(json_text(it)));
    }
}

static bool same(const struct json *a, const struct json *b, const char *name)
{
    return slice_equal(json_get_text(a, name), json_get_text(b, name));
}

/* The expression, the part that decided, what that saw, and what it came from. */
static void print_decision(FILE *out, const struct json *decision)
{
    const struct json *decided = json_get(decision, "decided-by");
    struct slice expression = json_get_text(decision, "expression");
    struct slice part = json_get_text(decided, "part");
    const struct json *because = json_get(decided, "because");
    bool alone = slice_equal(part, expression) && json_first(because) == NULL;
    if (expression.len != 0) {
        fprintf(out, "      %.*s%s%.*s\n", SLICE_ARGS(expression), alone ? " is " : "",
                SLICE_ARGS(alone ? json_get_text(decided, "value") : SLICE_NONE));
    }
    if (json_get_text(decision, "each").len != 0) {
        fprintf(out, "      for each of %.*s\n", SLICE_ARGS(json_get_text(decision, "each")));
    }
    if (part.len != 0 && !slice_equal(part, expression)) {
        fprintf(out, "      decided by %.*s, which is %.*s\n", SLICE_ARGS(part),
                SLICE_ARGS(json_get_text(decided, "value")));
    }
    for (const struct json *it = json_first(because); it != NULL; it = json_next(it)) {
        if (!same(it, decided, "part")) {
            fprintf(out, "      because %.*s is %.*s\n", SLICE_ARGS(json_get_text(it, "part")),
                    SLICE_ARGS(json_get_text(it, "value")));
        }
    }
    const struct json *names = json_get(decision, "names");
    if (json_first(names) != NULL) {
        print_list(out, "      from ", names);
        print_list(out, ": ", json_get(decision, "resources"));
        fputc('\n', out);
    }
}

static void print_head(FILE *out, const struct json *trace)
{
    struct slice plan = json_get_text(trace, "plan");
    struct slice reason = json_get_text(trace, "reason");
    const struct json *growth = json_get(trace, "growth");
    fprintf(out, "%.*s", SLICE_ARGS(json_get_text(trace, "outcome")));
    if (plan.len != 0) {
        fprintf(out, " %.*s", SLICE_ARGS(plan));
    } else if (reason.len != 0) {
        fprintf(out, ": %.*s", SLICE_ARGS(reason));
    }
    fputc('\n', out);
    print_list(out, "  the child: ", json_get(trace, "row"));
    if (json_first(json_get(trace, "row")) != NULL) {
        fputc('\n', out);
    }
    if (json_get_text(trace, "ask").len != 0) {
        fprintf(out, "  to ask: %.*s\n", SLICE_ARGS(json_get_text(trace, "ask")));
    }
    for (const struct json *it = json_first(growth); it != NULL; it = json_next(it)) {
        fprintf(out, "  growth %.*s: %.*s\n", SLICE_ARGS(json_name(it)), SLICE_ARGS(json_text(it)));
    }
}

static void print_facts(FILE *out, const struct json *facts)
{
    fputs("\nFacts\n", out);
    for (const struct json *it = json_first(facts); it != NULL; it = json_next(it)) {
        const struct json *resources = json_get(it, "resources");
        bool failed = slice_is(json_get_text(it, "state"), "failed");
        fprintf(out, "  %.*s: %s", SLICE_ARGS(json_get_text(it, "name")),
                failed                          ? "could not be fetched"
                : json_first(resources) == NULL ? "none"
                                                : "");
        print_list(out, "", resources);
        fputc('\n', out);
    }
}

static void print_rows(FILE *out, const struct json *rows)
{
    if (json_first(rows) != NULL) {
        fputs("\nRows\n", out);
    }
    for (const struct json *it = json_first(rows); it != NULL; it = json_next(it)) {
        fprintf(out, "  %.*s %s: %.*s\n", SLICE_ARGS(json_get_text(it, "at")),
                json_is(json_get(it, "met"), JSON_TRUE) ? "is met" : "not",
                SLICE_ARGS(json_get_text(it, "does")));
        struct slice because = json_get_text(it, "because");
        if (because.len != 0) {
            fprintf(out, "      %.*s\n", SLICE_ARGS(because));
        }
        if (json_get(it, "sources") != NULL) {
            print_list(out, "      by ", json_get(it, "sources"));
            fputc('\n', out);
        }
    }
}

/* A list whose entries have a name, a state and a decision. */
static void print_decisions(FILE *out, const char *title, const struct json *list, const char *name,
                            const char *state)
{
    if (json_first(list) != NULL) {
        fprintf(out, "\n%s\n", title);
    }
    for (const struct json *it = json_first(list); it != NULL; it = json_next(it)) {
        fprintf(out, "  %.*s: %.*s (%.*s)\n", SLICE_ARGS(json_get_text(it, name)),
                SLICE_ARGS(json_get_text(it, state)), SLICE_ARGS(json_get_text(it, "at")));
        print_decision(out, it);
    }
}

/* "goals.water (FILE:LINE)" */
static void print_item(FILE *out, const struct json *items, struct slice item)
{
    const struct json *it = json_first(items);
    while (it != NULL && !slice_equal(json_get_text(it, "item"), item)) {
        it = json_next(it);
    }
    fprintf(out, "  %.*s (%.*s)\n", SLICE_ARGS(item), SLICE_ARGS(json_get_text(it, "at")));
}

static void print_elements(FILE *out, const struct json *items, const struct json *elements)
{
    struct slice item = SLICE_NONE;
    if (json_first(elements) != NULL) {
        fputs("\nPlan\n", out);
    }
    for (const struct json *it = json_first(elements); it != NULL; it = json_next(it)) {
        if (!slice_equal(item, json_get_text(it, "item"))) {
            item = json_get_text(it, "item");
            print_item(out, items, item);
        }
        struct slice at = json_get_text(it, "at");
        struct slice text = json_get_text(it, "text-at");
        fprintf(out, "    %.*s = %.*s\n", SLICE_ARGS(json_get_text(it, "path")),
                SLICE_ARGS(json_get_text(it, "built")));
        fprintf(out, "      %.*s%s%.*s%s%.*s\n", SLICE_ARGS(json_get_text(it, "kind")),
                at.len != 0 ? ", " : "", SLICE_ARGS(at), text.len != 0 ? ", text " : "",
                SLICE_ARGS(text));
        print_decision(out, it);
    }
}

static void print_left_out(FILE *out, const struct json *list)
{
    if (json_first(list) != NULL) {
        fputs("\nLeft out\n", out);
    }
    for (const struct json *it = json_first(list); it != NULL; it = json_next(it)) {
        struct slice path = json_get_text(it, "path");
        fprintf(out, "  %.*s%s%.*s: %.*s (%.*s)\n", SLICE_ARGS(json_get_text(it, "item")),
                path.len != 0 ? " " : "", SLICE_ARGS(path), SLICE_ARGS(json_get_text(it, "why")),
                SLICE_ARGS(json_get_text(it, "at")));
        print_decision(out, it);
    }
}

static void print_trace(FILE *out, const struct json *trace)
{
    print_head(out, trace);
    print_facts(out, json_get(trace, "facts"));
    print_decisions(out, "Definitions", json_get(trace, "definitions"), "name", "value");
    print_decisions(out, "Eligible", json_get(trace, "eligible"), "name", "state");
    print_decisions(out, "Holds", json_get(trace, "hold-list"), "id", "state");
    print_decisions(out, "Inputs of the decision", json_get(trace, "inputs"), "name", "cell");
    print_rows(out, json_get(trace, "rows"));
    print_elements(out, json_get(trace, "items"), json_get(trace, "elements"));
    print_decisions(out, "Prompts", json_get(trace, "prompt-list"), "path", "value");
    print_left_out(out, json_get(trace, "left-out"));
}

int verb_explain(struct cli *cli, int argc, char **argv)
{
    bool as_json = false;
    const char *words[2];
    struct child_choice choice = {.what = NULL};
    const struct argument_option options[] = {{"--json", &as_json, NULL},
                                              {"--visit", NULL, &choice.visit},
                                              {"-c", NULL, &choice.config},
                                              {"--ehr", NULL, &choice.ehr}};
    int exit =
        arguments_read(cli, argc, argv, options, 4, words, 2, 2, "names a folder and a child");
    struct workbench bench;
    struct child child;
    struct evaluation_result result;
    if (exit == EXIT_DONE) {
        choice.what = words[1];
        exit = workbench_open(cli, "explain", words[0], &bench);
    }
    if (exit == EXIT_DONE) {
        exit = workbench_child(&bench, &choice, &child);
    }
    if (exit == EXIT_DONE) {
        exit = workbench_evaluate(&bench, &child, true, &result);
    }
    if (exit != EXIT_DONE) {
        return exit;
    }
    const struct json *trace = mapping_trace(cli->arena, &result, true);
    if (as_json) {
        fprintf(cli->out, "%.*s\n", SLICE_ARGS(json_write(cli->arena, trace, JSON_PRETTY)));
    } else {
        print_trace(cli->out, trace);
    }
    return EXIT_DONE;
}
