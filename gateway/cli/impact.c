#include "gateway/cli/impact.h"

#include <sys/stat.h>

#include "gateway/cli/ask.h"
#include "gateway/cli/impact_count.h"
#include "gateway/cli/stored_child.h"
#include "gateway/cli/workbench.h"
#include "gateway/mapping/record.h"

enum { LAST_PRESET = 1000, LAST_MOST = 10000000, PAGE = 200, WORDS_MOST = 64 * 1024, MISTAKES = 5 };

struct impact {
    struct cli *cli;
    const struct selection *selection;
    struct workbench bench;
    const struct config *config;
    struct arena *kept; /* what outlives a page */
    struct impact_count *count;
    struct slice from; /* of the next page; empty: from the latest */
    struct slice as_of;
    uint64_t left;
    bool more;
};

/* ---- which folder ---- */

static bool holds_a_mapping(struct slice path)
{
    char file[4096];
    struct stat status;
    int len = snprintf(file, sizeof file, "%.*s/mapping.yaml", SLICE_ARGS(path));
    return len > 0 && (size_t)len < sizeof file && stat(file, &status) == 0 &&
           S_ISREG(status.st_mode);
}

bool impact_is_meant(const struct selection *selection)
{
    struct slice mapping = json_get_text(selection->request, "mapping");
    bool dry = json_is(json_get(selection->request, "dry"), JSON_TRUE);
    return slice_find(mapping, SLICE("/"), 0) != SIZE_MAX || slice_is(mapping, ".") ||
           slice_is(mapping, "..") || (dry && mapping.len != 0 && holds_a_mapping(mapping));
}

/* ---- what came out, in words ---- */

static struct slice joined(struct arena *arena, const struct json *list)
{
    struct buf out;
    buf_init(&out, arena, WORDS_MOST);
    for (const struct json *it = json_first(list); it != NULL; it = json_next(it)) {
        buf_printf(&out, "%s%.*s", out.len != 0 ? ", " : "", SLICE_ARGS(json_text(it)));
    }
    return buf_view(&out);
}

/* "proposal first-steps", "held by staleVitals", "handed over: no-template". */
static struct slice words_of(struct arena *arena, const struct json *trace)
{
    static const struct {
        const char *outcome;
        const char *words;
    } outcomes[] = {{"proposal", "proposal"},
                    {"hand-over", "handed over"},
                    {"hold", "held"},
                    {"drop", "dropped"},
                    {"not-eligible", "not eligible"}};
    struct slice outcome = json_get_text(trace, "outcome");
    struct slice plan = json_get_text(trace, "plan");
    struct slice reason = json_get_text(trace, "reason");
    struct slice holds = joined(arena, json_get(trace, "holds"));
    const char *words = "";
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++) {
        words = slice_is(outcome, outcomes[i].outcome) ? outcomes[i].words : words;
    }
    return plan.len != 0     ? arena_printf(arena, "%s %.*s", words, SLICE_ARGS(plan))
           : holds.len != 0  ? arena_printf(arena, "%s by %.*s", words, SLICE_ARGS(holds))
           : reason.len != 0 ? arena_printf(arena, "%s: %.*s", words, SLICE_ARGS(reason))
                             : slice_of(words);
}

static const char failed_words[] = "held: evaluation-failed";

/* Empty: nothing that a mapping decided. */
static struct slice words_before(struct arena *arena, const struct stored_child *stored)
{
    bool failed = slice_is(json_get_text(stored->entry, "reason"), "evaluation-failed");
    return stored->trace != NULL ? words_of(arena, stored->trace)
           : failed              ? slice_of(failed_words)
                                 : SLICE_NONE;
}

/* What is told of a child who comes out otherwise; empty: nothing does. */
static struct slice compare(struct arena *arena, const struct stored_child *stored,
                            const struct json *trace, struct slice digest)
{
    struct slice from = words_before(arena, stored);
    struct slice to = trace != NULL ? words_of(arena, trace) : slice_of(failed_words);
    if (from.len == 0) {
        return SLICE_NONE;
    }
    if (!slice_equal(from, to)) {
        return arena_printf(arena, "%.*s -> %.*s", SLICE_ARGS(from), SLICE_ARGS(to));
    }
    const struct json *before = stored->trace;
    const char *what =
        trace == NULL                                                          ? NULL
        : !slice_equal(json_get_text(before, "plan-digest"), digest)           ? "another content"
        : !json_equal(json_get(before, "ask"), json_get(trace, "ask"))         ? "another question"
        : !json_equal(json_get(before, "prompts"), json_get(trace, "prompts")) ? "other prompts"
                                                                               : NULL;
    return what != NULL ? arena_printf(arena, "%.*s: %s", SLICE_ARGS(to), what) : SLICE_NONE;
}

/* ---- the groups of a child ---- */

static const struct json *find_encounter(const struct context *context, struct slice id)
{
    const struct json *any = NULL;
    for (size_t i = 0; i < context->count; i++) {
        const struct json *it = json_first(context->facts[i].resources);
        for (; it != NULL; it = json_next(it)) {
            bool encounter = slice_is(json_get_text(it, "resourceType"), "Encounter");
            if (encounter && id.len != 0 && slice_equal(json_get_text(it, "id"), id)) {
                return it;
            }
            any = encounter && any == NULL ? it : any;
        }
    }
    return any;
}

/* The first code of its type, else of its class. */
static void add_visit_type(const struct stored_child *stored, struct impact_child *child)
{
    const struct json *encounter = find_encounter(&stored->context, stored->input.visit.encounter);
    const struct json *coding =
        json_first(json_get(json_first(json_get(encounter, "type")), "coding"));
    coding = json_get_text(coding, "code").len != 0 ? coding : json_get(encounter, "class");
    child->groups[IMPACT_BY_VISIT_TYPE] = json_get_text(coding, "code");
    child->labels[IMPACT_BY_VISIT_TYPE] = json_get_text(coding, "display");
}

static void add_groups(const struct stored_child *stored, const struct json *trace,
                       struct impact_child *child)
{
    const struct json *growth = json_get(trace, "growth");
    growth = growth != NULL ? growth : json_get(stored->trace, "growth");
    child->groups[IMPACT_BY_CATEGORY] = json_get_text(growth, "category");
    child->groups[IMPACT_BY_LANGUAGE] = record_language(stored->context.patient);
    add_visit_type(stored, child);
}

/* ---- one child ---- */

static const enum impact_column of_outcome[] = {
    [OUTCOME_PROPOSAL] = IMPACT_PROPOSAL,
    [OUTCOME_HAND_OVER] = IMPACT_HANDED_OVER,
    [OUTCOME_HOLD] = IMPACT_HELD,
    [OUTCOME_DROP] = IMPACT_DROPPED,
    [OUTCOME_NOT_ELIGIBLE] = IMPACT_NOT_ELIGIBLE,
};

static struct slice first_mistake(struct arena *arena, const struct diag_list *diags)
{
    const struct diag *diag = diags->first;
    struct span span = diag != NULL ? span_outermost(diag->span) : SPAN_NONE;
    if (span.source == NULL) {
        return slice_of(diag != NULL ? diag_code_name(diag->code) : "evaluation-failed");
    }
    return arena_printf(arena, "%s at %.*s:%u", diag_code_name(diag->code),
                        SLICE_ARGS(span.source->name), span_place(span).line);
}

static void evaluate(struct impact *impact, struct stored_child *stored, struct diag_list *diags,
                     struct impact_child *child)
{
    struct arena *arena = impact->cli->arena;
    struct evaluation_result result;
    const struct json *trace = NULL;
    struct slice digest = SLICE_NONE;
    if (diags->errors == 0 && mapping_evaluate(impact->bench.mapping, arena, &stored->input,
                                               &LIMITS_DEFAULT, diags, &result) == STATUS_OK) {
        trace = mapping_trace(arena, &result, false);
        digest = mapping_plan_digest(arena, &result);
        child->outcome = of_outcome[result.outcome];
    } else {
        child->outcome = IMPACT_FAILS;
        child->why[IMPACT_WHY_FAILED] = first_mistake(arena, diags);
    }
    child->why[IMPACT_WHY_CHANGED] = compare(arena, stored, trace, digest);
    child->changed = child->why[IMPACT_WHY_CHANGED].len != 0;
    add_groups(stored, trace, child);
}

static void count_child(struct impact *impact, const struct json *entry)
{
    struct arena_mark mark = arena_mark(impact->cli->arena);
    struct stored_child stored = {.entry = entry};
    struct impact_child child = {.outcome = IMPACT_UNKNOWN};
    struct diag_list diags;
    diag_init(&diags, impact->cli->arena, MISTAKES);
    struct arena *arena = impact->cli->arena;
    struct slice unknown = stored_child_read(arena, impact->config, &stored);
    if (unknown.len == 0) {
        unknown = stored_child_give(arena, impact->bench.mapping, &stored, &diags);
    }
    if (unknown.len == 0) {
        evaluate(impact, &stored, &diags, &child);
    } else {
        child.why[IMPACT_WHY_UNKNOWN] = unknown;
        add_groups(&stored, NULL, &child);
    }
    child.groups[IMPACT_BY_EHR] = json_get_text(entry, "ehr");
    impact_add(impact->count, &child);
    arena_rewind(impact->cli->arena, mark);
}

/* ---- pages ---- */

static const struct json *page_request(const struct impact *impact)
{
    static const char *const filters[] = {"ehr", "patient", "state", "because", "older", "newer"};
    struct arena *arena = impact->cli->arena;
    struct json *request = json_new_object(arena);
    uint64_t limit = impact->left < PAGE ? impact->left : PAGE;
    json_add(arena, request, SLICE("verb"), json_new_string(arena, SLICE("evaluated")));
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        const struct json *filter = json_get(impact->selection->request, filters[i]);
        if (filter != NULL) {
            json_add(arena, request, slice_of(filters[i]), json_copy(arena, filter));
        }
    }
    json_add(arena, request, SLICE("limit"),
             json_new_number(arena, arena_printf(arena, "%llu", (unsigned long long)limit)));
    if (impact->from.len != 0) {
        json_add(arena, request, SLICE("from"), json_new_string(arena, impact->from));
        json_add(arena, request, SLICE("as-of"), json_new_number(arena, impact->as_of));
    }
    return request;
}

/* A page is let go before the next one is asked for: memory does not grow with the children. */
static int turn_page(struct impact *impact)
{
    struct arena_mark mark = arena_mark(impact->cli->arena);
    const struct json *answer = NULL;
    int exit = ask_request(impact->cli, impact->selection->config_path, page_request(impact),
                           &answer, NULL);
    if (exit != EXIT_DONE) {
        return exit;
    }
    const struct json *child = json_first(json_get(answer, "children"));
    for (; child != NULL && impact->left != 0; child = json_next(child)) {
        count_child(impact, child);
        impact->left--;
    }
    impact->from = arena_copy(impact->kept, json_get_text(answer, "next"));
    impact->as_of = arena_copy(impact->kept, json_text(json_get(answer, "as-of")));
    impact->more = impact->from.len != 0 && impact->left != 0;
    arena_rewind(impact->cli->arena, mark);
    return EXIT_DONE;
}

/* ---- the verb ---- */

static int check_selection(struct cli *cli, const struct selection *selection, uint64_t *last_out)
{
    static const char *const others[] = {"what", "why", "all", "limit", "from"};
    const struct json *request = selection->request;
    uint64_t last = LAST_PRESET;
    if (!json_is(json_get(request, "dry"), JSON_TRUE)) {
        return cli_usage(cli, "replay", "only tries a mapping's folder: add --dry-run");
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (json_get(request, others[i]) != NULL) {
            return cli_usage(cli, "replay",
                             "tries a mapping on the last children: with --last N, --ehr, "
                             "--patient, --state, --because, --older, --newer");
        }
    }
    slice_to_u64(json_text(json_get(request, "last")), &last);
    if (last > LAST_MOST) {
        return cli_usage(cli, "replay", "--last is at most %d", LAST_MOST);
    }
    *last_out = last;
    return EXIT_DONE;
}

static void drop_kept(void *arg)
{
    struct arena *arena = arg;
    arena_destroy(&arena);
}

static void show(const struct impact *impact, uint64_t last)
{
    FILE *out = impact->cli->out;
    struct arena *arena = impact->cli->arena;
    struct slice name = mapping_name(impact->bench.mapping);
    struct slice version = mapping_version(impact->bench.mapping);
    if (impact->selection->json) {
        struct json *object = json_new_object(arena);
        json_add(arena, object, SLICE("mapping"), json_new_string(arena, name));
        json_add(arena, object, SLICE("version"), json_new_string(arena, version));
        json_add(arena, object, SLICE("dry-run"), json_new_bool(arena, true));
        json_add(arena, object, SLICE("last"),
                 json_new_number(arena, arena_printf(arena, "%llu", (unsigned long long)last)));
        impact_json(impact->count, arena, object);
        fprintf(out, "%.*s\n", SLICE_ARGS(json_write(arena, object, JSON_PRETTY)));
        return;
    }
    fprintf(out,
            "%.*s %.*s on the stored facts of the last %llu children; nothing was written or "
            "sent\n",
            SLICE_ARGS(name), SLICE_ARGS(version),
            (unsigned long long)impact_total(impact->count, IMPACT_CHILDREN));
    impact_print(impact->count, out);
}

static int read_all(struct impact *impact)
{
    struct slice folder = json_get_text(impact->selection->request, "mapping");
    int exit = workbench_open(impact->cli, "replay", arena_cstr(impact->cli->arena, folder),
                              &impact->bench);
    if (exit == EXIT_DONE) {
        exit = ask_config(impact->cli, impact->selection->config_path, &impact->config);
    }
    while (exit == EXIT_DONE && impact->more) {
        exit = turn_page(impact);
    }
    return exit;
}

int impact_run(struct cli *cli, const struct selection *selection)
{
    struct impact impact = {.cli = cli, .selection = selection, .more = true};
    int exit = check_selection(cli, selection, &impact.left);
    if (exit != EXIT_DONE) {
        return exit;
    }
    uint64_t last = impact.left;
    impact.kept = arena_create(0);
    if (impact.kept == NULL) {
        return EXIT_FAULT;
    }
    arena_defer(cli->arena, drop_kept, impact.kept);
    impact.count = impact_count_create(impact.kept);
    exit = read_all(&impact);
    if (exit != EXIT_DONE) {
        return exit;
    }
    show(&impact, last);
    bool as_it_was = impact_total(impact.count, IMPACT_CHANGED) == 0 &&
                     impact_total(impact.count, IMPACT_UNKNOWN) == 0 &&
                     impact_total(impact.count, IMPACT_FAILS) == 0 &&
                     impact_total(impact.count, IMPACT_CHILDREN) != 0;
    return as_it_was ? EXIT_DONE : EXIT_FOUND;
}
