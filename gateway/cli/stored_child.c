#include "gateway/cli/stored_child.h"

#include "gateway/base/uuid.h"
#include "gateway/cli/ask.h"
#include "gateway/mapping/record.h"

static const struct json *parse(struct arena *arena, struct slice text)
{
    struct diag_list unheard;
    const struct json *json = NULL;
    diag_init(&unheard, arena, 1);
    bool read = text.len != 0 && json_parse(arena, source_create(arena, SLICE("stored"), text),
                                            &LIMITS_DEFAULT, &unheard, &json) == STATUS_OK;
    return read ? json : NULL;
}

struct slice stored_child_read(struct arena *arena, const struct config *config,
                               struct stored_child *stored)
{
    static const struct slice prefix = {"Encounter/", 10};
    struct slice facts = json_get_text(stored->entry, "facts");
    struct slice visit = json_get_text(stored->entry, "visit");
    struct slice name = json_get_text(stored->entry, "ehr");
    const struct config_ehr *ehr = config_find_ehr(config, name);
    struct evaluation_input input = {.visit = {.key = visit, .ehr = name}};
    uint64_t at = 0;
    stored->trace = parse(arena, json_get_text(stored->entry, "trace"));
    if (json_is(json_get(stored->entry, "damaged"), JSON_TRUE)) {
        return SLICE("facts are damaged");
    }
    if (facts.len == 0) {
        return SLICE("facts no longer kept");
    }
    if (context_read(arena, facts, &stored->context) != STATUS_OK ||
        datetime_parse(stored->context.date, FORM_FHIR_DATE, &input.visit.date, NULL) !=
            STATUS_OK ||
        !slice_to_u64(json_text(json_get(stored->entry, "at")), &at)) {
        return SLICE("facts kept without their searches, by an earlier version");
    }
    if (slice_starts_with(visit, prefix)) {
        input.visit.encounter = slice_part(visit, prefix.len, SIZE_MAX);
    }
    input.patient = stored->context.patient;
    input.evaluation_time = (int64_t)at;
    input.plan_intent_plan = ehr != NULL && ehr->care_plan_intent == INTENT_PLAN;
    input.protects_teens = ehr != NULL && ehr->protects_teens;
    stored->input = input;
    return SLICE_NONE;
}

static const struct context_fact *find_fact(const struct context *context, struct slice query)
{
    for (size_t i = 0; i < context->count; i++) {
        if (slice_equal(context->facts[i].query, query)) {
            return &context->facts[i];
        }
    }
    return NULL;
}

struct slice stored_child_give(struct arena *arena, const struct mapping *mapping,
                               struct stored_child *stored, struct diag_list *diags)
{
    struct fact_request *requests;
    size_t count;
    if (mapping_requests(mapping, arena, stored->input.patient, &stored->input.visit,
                         &LIMITS_DEFAULT, diags, &requests, &count) != STATUS_OK) {
        return SLICE_NONE; /* diags: the evaluation fails */
    }
    struct fact *facts = ARENA_ARRAY(arena, count + 1, struct fact);
    for (size_t i = 0; i < count; i++) {
        const struct context_fact *found = find_fact(&stored->context, requests[i].query);
        if (found == NULL && requests[i].query.len != 0) {
            return arena_printf(arena, "its search for \"%.*s\" was not made then",
                                SLICE_ARGS(requests[i].name));
        }
        bool failed = found != NULL && found->failed;
        facts[i] = (struct fact){requests[i].name, failed ? FACT_FAILED : FACT_FETCHED,
                                 failed          ? NULL
                                 : found != NULL ? found->resources
                                                 : json_new_array(arena)};
    }
    stored->input.facts = facts;
    stored->input.fact_count = count;
    return SLICE_NONE;
}

/* ---- one message or visit ---- */

bool stored_child_is_meant(const char *what)
{
    struct uuid id;
    return uuid_read(slice_of(what), &id);
}

/* Of several visits the latest that began. */
static const struct json *ask_for(struct cli *cli, const struct child_choice *choice)
{
    struct json *request = json_new_object(cli->arena);
    const struct json *answer = NULL;
    json_add(cli->arena, request, SLICE("verb"), json_new_string(cli->arena, SLICE("evaluated")));
    json_add(cli->arena, request, SLICE("what"),
             json_new_string(cli->arena, slice_of(choice->what)));
    if (ask_request(cli, choice->config, request, &answer, NULL) != EXIT_DONE) {
        return NULL;
    }
    const struct json *latest = NULL;
    for (const struct json *it = json_first(json_get(answer, "children")); it != NULL;
         it = json_next(it)) {
        latest = it;
    }
    if (latest == NULL) {
        fprintf(cli->err, "%s: no visit was evaluated for it\n", choice->what);
    }
    return latest;
}

int stored_child_find(struct workbench *bench, const struct child_choice *choice,
                      struct child *child_out)
{
    struct cli *cli = bench->cli;
    const struct config *config;
    int exit = ask_config(cli, choice->config, &config);
    if (exit != EXIT_DONE) {
        return exit;
    }
    struct stored_child stored = {.entry = ask_for(cli, choice)};
    if (stored.entry == NULL) {
        return EXIT_UNREADABLE;
    }
    struct slice missing = stored_child_read(cli->arena, config, &stored);
    if (missing.len == 0) {
        missing = stored_child_give(cli->arena, bench->mapping, &stored, &bench->diags);
    }
    if (missing.len != 0) {
        fprintf(cli->err, "%s: %.*s\n", choice->what, SLICE_ARGS(missing));
        return EXIT_UNREADABLE;
    }
    if (bench->diags.errors != 0) {
        fprintf(cli->err, "%s: the mapping cannot say what it asks for: %s\n", choice->what,
                diag_code_summary(bench->diags.first->code));
        return EXIT_EVALUATION;
    }
    *child_out = (struct child){.name = slice_of(choice->what),
                                .input = stored.input,
                                .language = record_language(stored.context.patient)};
    return EXIT_DONE;
}
