#include "fhir/json/json.h"
#include "gateway/cli/arguments.h"
#include "gateway/cli/ehr_child.h"
#include "gateway/cli/preview_diff.h"
#include "gateway/cli/verbs.h"
#include "gateway/mapping/family_page.h"

enum { GOALS_MOST = 16 };

struct preview {
    struct cli *cli;
    struct workbench bench;
    struct child_choice choice;
    struct child child;
    struct evaluation_result result;
    struct ehr_session *session;
    bool as_json;
    bool as_diff;
    bool as_decision;
    const char *page;
    const char *language;
    const char *goals;
};

static void tell_list(FILE *out, const char *what, const struct slice *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%s%.*s%s", i == 0 ? what : ", ", SLICE_ARGS(list[i]),
                i + 1 == count ? "\n" : "");
    }
}

static struct slice summary(const struct json *resource)
{
    static const char *const concepts[] = {"description", "code"};
    struct slice title = json_get_text(resource, "title");
    for (size_t i = 0; i < 2 && title.len == 0; i++) {
        title = json_get_text(json_get(resource, concepts[i]), "text");
    }
    return title;
}

/* What the clinician is asked, in the words of the first language of the staff. */
static void tell_prompts(const struct preview *p)
{
    const struct evaluation_result *result = &p->result;
    for (size_t i = 0; i < result->prompt_count; i++) {
        struct slice text =
            mapping_prompt_text(p->bench.mapping, p->cli->arena, result->plan, result->prompts[i]);
        fprintf(p->cli->out, "  prompt %.*s%s%.*s\n", SLICE_ARGS(result->prompts[i]),
                text.len != 0 ? ": " : "", SLICE_ARGS(text));
    }
}

static void tell_timers(FILE *out, const struct evaluation_result *result)
{
    for (size_t i = 0; i < result->timer_count; i++) {
        const struct timer_due *timer = &result->timers[i];
        char date[DATETIME_TEXT];
        datetime_print(&timer->date, date);
        fprintf(out, "  timer %.*s: %.*s, due %s\n", SLICE_ARGS(timer->id), SLICE_ARGS(timer->make),
                date);
    }
}

static void tell(const struct preview *p)
{
    FILE *out = p->cli->out;
    const struct evaluation_result *result = &p->result;
    fprintf(out, "%s", outcome_name(result->outcome));
    if (result->plan.len != 0) {
        fprintf(out, " %.*s (%.*s)", SLICE_ARGS(result->plan), SLICE_ARGS(result->public_id));
    } else if (result->reason.len != 0) {
        fprintf(out, ": %.*s", SLICE_ARGS(result->reason));
    }
    fputc('\n', out);
    tell_list(out, "  row: ", result->cells, result->cell_count);
    tell_list(out, "  held by: ", result->holds, result->hold_count);
    if (result->ask.len != 0) {
        fprintf(out, "  ask: %.*s\n", SLICE_ARGS(result->ask));
    }
    tell_prompts(p);
    tell_timers(out, result);
    for (size_t i = 0; i < result->item_count; i++) {
        const struct plan_item *item = &result->items[i];
        fprintf(out, "  %.*s %.*s: %.*s\n", SLICE_ARGS(item->type), SLICE_ARGS(item->key),
                SLICE_ARGS(summary(item->resource)));
    }
}

/* ---- the decision as JSON: for every outcome, with what no resource of a plan holds ---- */

static void put(struct arena *arena, struct json *object, const char *name, struct slice text)
{
    if (text.len != 0) {
        json_add(arena, object, slice_of(name), json_new_string(arena, text));
    }
}

static struct json *prompts_json(const struct preview *p)
{
    struct arena *arena = p->cli->arena;
    struct json *list = json_new_array(arena);
    for (size_t i = 0; i < p->result.prompt_count; i++) {
        struct slice key = p->result.prompts[i];
        struct json *prompt = json_new_object(arena);
        put(arena, prompt, "key", key);
        put(arena, prompt, "text",
            mapping_prompt_text(p->bench.mapping, arena, p->result.plan, key));
        json_append(list, prompt);
    }
    return list;
}

static struct json *timers_json(struct arena *arena, const struct evaluation_result *result)
{
    struct json *list = json_new_array(arena);
    for (size_t i = 0; i < result->timer_count; i++) {
        struct json *timer = json_new_object(arena);
        char date[DATETIME_TEXT];
        datetime_print(&result->timers[i].date, date);
        put(arena, timer, "id", result->timers[i].id);
        put(arena, timer, "make", result->timers[i].make);
        put(arena, timer, "due", slice_of(date));
        json_append(list, timer);
    }
    return list;
}

/* The trace as explain has it, with prompts in words, timers, and the plan. */
static void print_decision(const struct preview *p)
{
    struct arena *arena = p->cli->arena;
    struct json *decision = mapping_trace(arena, &p->result, true);
    json_set(arena, decision, SLICE("prompts"), prompts_json(p));
    json_add(arena, decision, SLICE("timers"), timers_json(arena, &p->result));
    put(arena, decision, "public-id", p->result.public_id);
    if (p->result.item_count != 0) {
        json_add(arena, decision, SLICE("bundle"), mapping_plan_bundle(arena, &p->result));
    }
    fprintf(p->cli->out, "%.*s\n", SLICE_ARGS(json_write(arena, decision, JSON_PRETTY)));
}

/* ---- the page ---- */

/* "water,active": the goals that the family chose. */
static size_t read_goals(const struct preview *p, struct slice *goals)
{
    struct slice rest = p->goals != NULL ? slice_of(p->goals) : SLICE_NONE;
    struct slice part;
    size_t count = 0;
    while (count < GOALS_MOST && slice_cut(&rest, ',', &part)) {
        goals[count++] = arena_printf(p->cli->arena, "goals.%.*s", SLICE_ARGS(part));
    }
    return count;
}

static int write_page(struct preview *p)
{
    struct slice goals[GOALS_MOST];
    struct family_text text;
    struct family_choice choice = {.language = p->language != NULL ? slice_of(p->language)
                                                                   : p->child.language,
                                   .goals = goals,
                                   .goal_count = read_goals(p, goals)};
    if (mapping_family_text(p->bench.mapping, p->cli->arena, &p->result, &choice, &p->bench.diags,
                            &text) != STATUS_OK) {
        cli_print_diags(p->cli, &p->bench.diags);
        return EXIT_EVALUATION;
    }
    struct slice html = family_page_html(p->cli->arena, &text, &p->child.input.visit.date);
    int exit = workbench_write(p->cli, p->page, html);
    if (exit == EXIT_DONE && text.language.len == 0) {
        fprintf(p->cli->err, "%.*s: no family text in \"%.*s\": the page asks for an interpreter\n",
                SLICE_ARGS(p->child.name), SLICE_ARGS(choice.language));
        return EXIT_FOUND;
    }
    return exit;
}

static int no_plan(const struct preview *p)
{
    fprintf(p->cli->err, "%.*s: no plan: %s%s%.*s\n", SLICE_ARGS(p->child.name),
            outcome_name(p->result.outcome), p->result.reason.len != 0 ? ": " : "",
            SLICE_ARGS(p->result.reason));
    return EXIT_FOUND;
}

static int show(struct preview *p)
{
    bool planned = p->result.item_count != 0;
    if (!planned && (p->as_json || p->as_diff || p->page != NULL)) {
        return no_plan(p);
    }
    if (p->as_diff) {
        return preview_diff(&p->bench, p->session, &p->child, &p->result);
    }
    if (p->page != NULL) {
        return write_page(p);
    }
    if (p->as_decision) {
        print_decision(p);
    } else if (p->as_json) {
        struct json *bundle = mapping_take_plan_bundle(p->cli->arena, &p->result);
        fprintf(p->cli->out, "%.*s\n", SLICE_ARGS(json_write(p->cli->arena, bundle, JSON_PRETTY)));
    } else {
        tell(p);
    }
    return planned ? EXIT_DONE : EXIT_FOUND;
}

static int find_child(struct preview *p)
{
    if (p->choice.ehr == NULL) {
        return workbench_child(&p->bench, &p->choice, &p->child);
    }
    int exit = ehr_session_open(p->cli, p->choice.config, p->choice.ehr, &p->session);
    return exit == EXIT_DONE ? ehr_session_child(&p->bench, p->session, &p->choice, &p->child)
                             : exit;
}

int verb_preview(struct cli *cli, int argc, char **argv)
{
    struct preview p = {.cli = cli};
    const char *words[2];
    const struct argument_option options[] = {
        {"--json", &p.as_json, NULL},       {"--decision", &p.as_decision, NULL},
        {"--diff", &p.as_diff, NULL},       {"--page", NULL, &p.page},
        {"--lang", NULL, &p.language},      {"--goals", NULL, &p.goals},
        {"--visit", NULL, &p.choice.visit}, {"-c", NULL, &p.choice.config},
        {"--ehr", NULL, &p.choice.ehr},
    };
    int exit = arguments_read(cli, argc, argv, options, sizeof options / sizeof *options, words, 2,
                              2, "names a folder and a child: a case, a file or a patient");
    if (exit != EXIT_DONE) {
        return exit;
    }
    if (p.as_json + p.as_decision + p.as_diff + (p.page != NULL) > 1) {
        return cli_usage(cli, "preview", "shows one of --json, --decision, --page and --diff");
    }
    if (p.as_diff && p.choice.ehr == NULL) {
        return cli_usage(cli, "preview", "--diff wants --ehr: what stands where?");
    }
    p.choice.what = words[1];
    exit = workbench_open(cli, "preview", words[0], &p.bench);
    if (exit == EXIT_DONE) {
        exit = find_child(&p);
    }
    if (exit == EXIT_DONE) {
        exit = workbench_evaluate(&p.bench, &p.child, false, &p.result);
    }
    return exit == EXIT_DONE ? show(&p) : exit;
}
