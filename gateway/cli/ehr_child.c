#include "gateway/cli/ehr_child.h"

#include "gateway/mapping/record.h"

struct asking {
    struct workbench *bench;
    struct ehr_session *session;
    struct slice patient;
};

static void tell(struct asking *a, const char *what, const struct ehr_answer *answer)
{
    fprintf(a->bench->cli->err, "%s: %s%s%.*s\n", what,
            answer != NULL ? ehr_outcome_name(answer->outcome) : "not sent",
            answer != NULL && answer->detail.len != 0 ? ": " : "",
            SLICE_ARGS(answer != NULL ? answer->detail : SLICE_NONE));
}

static struct json *search(struct asking *a, struct slice type, struct slice query)
{
    struct ehr_request request = {
        .verb = EHR_SEARCH, .type = type, .query = query, .lane = a->patient};
    const struct ehr_answer *answer = ehr_session_ask(a->session, &request);
    if (answer == NULL || answer->outcome != EHR_DONE) {
        tell(a, arena_cstr(a->bench->cli->arena, type), answer);
        return NULL;
    }
    struct json *found = json_new_array(a->bench->cli->arena);
    for (size_t i = 0; i < answer->match_count; i++) {
        json_append(found, json_copy(a->bench->cli->arena, answer->matches[i]));
    }
    return found;
}

/* An EHR that has no such resource has answered. */
static struct json *read_one(struct asking *a, struct slice type, struct slice id)
{
    struct ehr_request request = {.verb = EHR_READ, .type = type, .id = id, .lane = a->patient};
    const struct ehr_answer *answer = ehr_session_ask(a->session, &request);
    struct json *found = json_new_array(a->bench->cli->arena);
    if (answer != NULL && answer->outcome == EHR_ABSENT) {
        return found;
    }
    if (answer == NULL || answer->outcome != EHR_DONE || answer->resource == NULL) {
        tell(a, arena_cstr(a->bench->cli->arena, type), answer);
        return NULL;
    }
    json_append(found, json_copy(a->bench->cli->arena, answer->resource));
    return found;
}

/* "Type?query" or "Type/id". */
static struct json *fetch(struct asking *a, const struct fact_request *request)
{
    struct slice rest = request->query;
    struct slice type = SLICE_NONE;
    slice_cut(&rest, request->read ? '/' : '?', &type);
    if (request->query.len == 0) {
        return json_new_array(a->bench->cli->arena); /* known to be absent */
    }
    return request->read ? read_one(a, type, rest) : search(a, type, rest);
}

static int fetch_facts(struct asking *a, struct child *child)
{
    struct workbench *bench = a->bench;
    struct fact_request *requests;
    size_t count;
    if (mapping_requests(bench->mapping, bench->cli->arena, child->input.patient,
                         &child->input.visit, &LIMITS_DEFAULT, &bench->diags, &requests,
                         &count) != STATUS_OK) {
        cli_print_diags(bench->cli, &bench->diags);
        return EXIT_EVALUATION;
    }
    struct fact *facts = ARENA_ARRAY(bench->cli->arena, count + 1, struct fact);
    for (size_t i = 0; i < count; i++) {
        const struct json *found = fetch(a, &requests[i]);
        facts[i] =
            (struct fact){requests[i].name, found != NULL ? FACT_FETCHED : FACT_FAILED, found};
    }
    child->input.facts = facts;
    child->input.fact_count = count;
    return EXIT_DONE;
}

/* The Patient with its Encounters, from which the visit is chosen as of a record. */
static int find_visit(struct asking *a, const struct child_choice *choice, struct child *child)
{
    struct arena *arena = a->bench->cli->arena;
    struct json *patients = read_one(a, SLICE("Patient"), a->patient);
    if (patients == NULL) {
        return EXIT_AGAIN;
    }
    if (json_first(patients) == NULL) {
        fprintf(a->bench->cli->err, "the EHR has no such Patient\n");
        return EXIT_UNREADABLE;
    }
    child->input.patient = json_first(patients);
    struct json *encounters =
        search(a, SLICE("Encounter"), arena_printf(arena, "patient=%.*s", SLICE_ARGS(a->patient)));
    if (encounters == NULL) {
        return EXIT_AGAIN;
    }
    struct visit visit;
    struct slice wanted = choice->visit != NULL ? slice_of(choice->visit) : SLICE_NONE;
    if (record_visit(a->bench->mapping, arena, encounters, wanted, &a->bench->diags, &visit) !=
        STATUS_OK) {
        cli_print_diags(a->bench->cli, &a->bench->diags);
        return EXIT_UNREADABLE;
    }
    visit.ehr = ehr_session_ehr(a->session)->name; /* facts may be asked for otherwise there */
    child->input.visit = visit;
    return EXIT_DONE;
}

int ehr_session_child(struct workbench *bench, struct ehr_session *session,
                      const struct child_choice *choice, struct child *child_out)
{
    struct asking a = {bench, session, slice_of(choice->what)};
    struct child child = {.name = a.patient};
    if (slice_starts_with(a.patient, SLICE("Patient/"))) {
        a.patient = slice_part(a.patient, sizeof "Patient/" - 1, SIZE_MAX);
    }
    int exit = find_visit(&a, choice, &child);
    if (exit == EXIT_DONE) {
        exit = fetch_facts(&a, &child);
    }
    if (exit == EXIT_DONE) {
        child.input.plan_intent_plan = ehr_session_ehr(session)->care_plan_intent == INTENT_PLAN;
        child.input.protects_teens = ehr_session_ehr(session)->protects_teens;
        child.language = record_language(child.input.patient);
        *child_out = child;
    }
    return exit;
}

int ehr_child(struct workbench *bench, const struct child_choice *choice, struct child *child_out)
{
    struct ehr_session *session = NULL;
    int exit = ehr_session_open(bench->cli, choice->config, choice->ehr, &session);
    return exit == EXIT_DONE ? ehr_session_child(bench, session, choice, child_out) : exit;
}
