#include "gateway/patient/context.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { FACTS_MOST = 64, FETCH_ARENA = 64 * 1024 * 1024 };

/*
 * One fetch under way. Its answers come on several pool threads; each writes its own slot, and the
 * one that counts `waiting` down to zero owns the whole from then on.
 */
struct fetch {
    struct context_fetch spec;
    struct arena
        *arena; /* of the result: touched before the calls begin and after the last answer */
    struct slice patient_id; /* borrowed */
    const struct json *patient;
    struct arena *patient_arena;
    const struct context_request *requests;
    size_t count;
    struct slot *slots;
    atomic_size_t waiting;
};

struct slot {
    struct fetch *fetch;
    size_t index;
    enum ehr_outcome outcome;
    struct arena *arena; /* the answer's, kept */
    const struct json *const *matches;
    size_t match_count;
    const struct json *resource;
    int64_t not_before;
    struct slice detail;
};

enum { DETAIL_MOST = 256 };

static void release_answers(struct fetch *fetch)
{
    for (size_t i = 0; fetch->slots != NULL && i < fetch->count; i++) {
        arena_destroy(&fetch->slots[i].arena);
    }
    fetch->count = 0;
    arena_destroy(&fetch->patient_arena);
}

/* The detail may stand in an answer's arena: it is handed over in a buffer that lives during the
 * call. */
static void finish(struct fetch *fetch, struct context_result *result)
{
    char detail[DETAIL_MOST];
    struct slice cut = slice_part(result->detail, 0, sizeof detail);
    if (cut.len != 0) {
        memcpy(detail, cut.at, cut.len);
    }
    result->detail = slice_from(detail, cut.len);
    result->arena = fetch->arena;
    struct context_fetch spec = fetch->spec;
    release_answers(fetch);
    free(fetch);
    spec.done(spec.arg, result);
}

/* ---- the end: all answers are in ---- */

static struct json *resources_of(struct arena *arena, const struct slot *slot)
{
    struct json *array = json_new_array(arena);
    if (slot->resource != NULL) {
        json_append(array, json_copy(arena, slot->resource));
    }
    for (size_t i = 0; i < slot->match_count; i++) {
        json_append(array, json_copy(arena, slot->matches[i]));
    }
    return array;
}

static struct context_result no_memory(void)
{
    return (struct context_result){.end = CONTEXT_AGAIN,
                                   .detail = SLICE("no memory for the facts")};
}

struct gather {
    struct fetch *fetch;
    struct context_result result;
};

static enum status gather_run(void *arg)
{
    struct gather *g = arg;
    struct fetch *fetch = g->fetch;
    struct context_fact *facts = ARENA_ARRAY(fetch->arena, fetch->count + 1, struct context_fact);
    g->result.end = CONTEXT_COMPLETE;
    for (size_t i = 0; i < fetch->count; i++) {
        const struct slot *slot = &fetch->slots[i];
        facts[i].name = arena_copy(fetch->arena, fetch->requests[i].name);
        facts[i].query = arena_copy(fetch->arena, fetch->requests[i].query);
        if (slot->outcome == EHR_AGAIN || slot->outcome == EHR_UNAUTHORIZED) {
            g->result.end = CONTEXT_AGAIN;
            g->result.not_before =
                slot->not_before > g->result.not_before ? slot->not_before : g->result.not_before;
            g->result.detail = slot->detail;
            facts[i].failed = true;
        } else if (slot->outcome == EHR_DONE || slot->outcome == EHR_ABSENT) {
            facts[i].resources = resources_of(fetch->arena, slot);
        } else {
            facts[i].failed = true;
            g->result.detail = g->result.end == CONTEXT_COMPLETE ? slot->detail : g->result.detail;
            g->result.end = g->result.end == CONTEXT_COMPLETE ? CONTEXT_FAILED : g->result.end;
        }
    }
    g->result.context = (struct context){
        .patient = json_copy(fetch->arena, fetch->patient), .facts = facts, .count = fetch->count};
    return STATUS_OK;
}

static void gather(struct fetch *fetch)
{
    struct gather g = {.fetch = fetch};
    enum status status = arena_run(fetch->arena, gather_run, &g);
    if (status != STATUS_OK) {
        release_answers(fetch);
        arena_reset(fetch->arena); /* the caller still has an arena to work in */
        g.result =
            status == STATUS_NO_MEMORY
                ? no_memory()
                : (struct context_result){.end = CONTEXT_FAILED,
                                          .detail = SLICE("the facts are larger than allowed")};
    }
    finish(fetch, &g.result);
}

static void count_down(struct fetch *fetch)
{
    if (atomic_fetch_sub(&fetch->waiting, 1) == 1) {
        gather(fetch);
    }
}

/* ---- the facts ---- */

static void fact_done(struct ehr_answer *answer, void *arg)
{
    struct slot *slot = arg;
    slot->outcome = answer->outcome;
    slot->resource = answer->resource;
    slot->matches = answer->matches;
    slot->match_count = answer->match_count;
    slot->not_before = answer->not_before;
    slot->detail = answer->detail;
    slot->arena = ehr_answer_keep(answer);
    count_down(slot->fetch);
}

static enum status call_fact(struct fetch *fetch, struct slot *slot)
{
    struct slice query = fetch->requests[slot->index].query;
    struct ehr_request request = {.lane = fetch->patient_id};
    struct slice rest = query;
    if (fetch->requests[slot->index].read) {
        request.verb = EHR_READ;
        slice_cut(&rest, '/', &request.type);
        request.id = rest;
    } else {
        request.verb = EHR_SEARCH;
        slice_cut(&rest, '?', &request.type);
        request.query = rest;
    }
    return ehr_call(fetch->spec.ehr, &request, fact_done, slot);
}

static void call_facts(struct fetch *fetch)
{
    /* One more than there are calls, so that no answer ends the fetch while calls are still being
     * made. */
    atomic_store(&fetch->waiting, fetch->count + 1);
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it cannot end here */
    for (size_t i = 0; i < fetch->count; i++) {
        struct slot *slot = &fetch->slots[i];
        if (fetch->requests[i].query.len == 0) {
            slot->outcome = EHR_ABSENT;
            count_down(fetch);
            continue;
        }
        enum status status = call_fact(fetch, slot);
        if (status != STATUS_OK) {
            slot->outcome = status == STATUS_INVALID ? EHR_REFUSED : EHR_AGAIN;
            slot->detail = SLICE("the EHR's queue takes no more calls");
            count_down(fetch);
        }
    }
    count_down(fetch);
}

/* ---- the Patient ---- */

static enum status plan_facts(void *arg)
{
    struct fetch *fetch = arg;
    enum status status = fetch->spec.requests(fetch->spec.arg, fetch->arena, fetch->patient,
                                              &fetch->requests, &fetch->count);
    if (status == STATUS_OK && fetch->count > FACTS_MOST) {
        status = STATUS_LIMIT;
    }
    if (status == STATUS_OK) {
        fetch->slots = ARENA_ARRAY(fetch->arena, fetch->count + 1, struct slot);
        for (size_t i = 0; i < fetch->count; i++) {
            fetch->slots[i] = (struct slot){.fetch = fetch, .index = i};
        }
    }
    return status;
}

static void patient_done(struct ehr_answer *answer, void *arg)
{
    struct fetch *fetch = arg;
    struct context_result result = {
        .end = CONTEXT_FAILED, .detail = answer->detail, .not_before = answer->not_before};
    if (answer->outcome == EHR_DONE && answer->resource != NULL) {
        fetch->patient = answer->resource;
        fetch->patient_arena = ehr_answer_keep(answer);
        enum status status = arena_run(fetch->arena, plan_facts, fetch);
        if (status == STATUS_OK) {
            call_facts(fetch);
            return;
        }
        fetch->count = 0;
        result.detail = SLICE("mapping");
        if (status == STATUS_NO_MEMORY) {
            result = no_memory();
        }
    } else if (answer->outcome == EHR_ABSENT) {
        result.end = CONTEXT_NO_PATIENT;
    } else if (answer->outcome == EHR_AGAIN || answer->outcome == EHR_UNAUTHORIZED) {
        result.end = CONTEXT_AGAIN;
    }
    finish(fetch, &result);
}

enum status context_fetch(const struct context_fetch *spec)
{
    struct fetch *fetch = calloc(1, sizeof *fetch);
    struct arena *arena = arena_create(FETCH_ARENA);
    if (fetch == NULL || arena == NULL) {
        free(fetch);
        arena_destroy(&arena);
        return STATUS_NO_MEMORY;
    }
    fetch->spec = *spec;
    fetch->arena = arena;
    fetch->patient_id = spec->patient;
    struct ehr_request request = {.verb = EHR_READ,
                                  .type = SLICE("Patient"),
                                  .id = fetch->patient_id,
                                  .lane = fetch->patient_id};
    enum status status = ehr_call(spec->ehr, &request, patient_done, fetch);
    if (status != STATUS_OK) {
        arena_destroy(&arena);
        free(fetch);
    }
    return status;
}

/* ---- the stored form ---- */

struct slice context_write(struct arena *arena, const struct context *context)
{
    struct json *whole = json_new_object(arena);
    struct json *facts = json_new_array(arena);
    json_add(arena, whole, SLICE("date"), json_new_string(arena, context->date));
    json_add(arena, whole, SLICE("patient"), json_copy(arena, context->patient));
    for (size_t i = 0; i < context->count; i++) {
        struct json *fact = json_new_object(arena);
        json_add(arena, fact, SLICE("name"), json_new_string(arena, context->facts[i].name));
        json_add(arena, fact, SLICE("query"), json_new_string(arena, context->facts[i].query));
        if (!context->facts[i].failed) {
            json_add(arena, fact, SLICE("resources"),
                     json_copy(arena, context->facts[i].resources));
        }
        json_append(facts, fact);
    }
    json_add(arena, whole, SLICE("facts"), facts);
    return json_write(arena, whole, JSON_COMPACT);
}

enum status context_read(struct arena *arena, struct slice text, struct context *context_out)
{
    struct diag_list unheard;
    diag_init(&unheard, arena, 1);
    const struct json *whole = NULL;
    struct source *source = source_create(arena, SLICE("context"), text);
    if (json_parse(arena, source, &LIMITS_DEFAULT, &unheard, &whole) != STATUS_OK) {
        return STATUS_INVALID;
    }
    const struct json *list = json_get(whole, "facts");
    struct context_fact *facts = ARENA_ARRAY(arena, json_count(list) + 1, struct context_fact);
    size_t count = 0;
    for (const struct json *it = json_first(list); it != NULL; it = json_next(it), count++) {
        facts[count] = (struct context_fact){.name = json_get_text(it, "name"),
                                             .query = json_get_text(it, "query"),
                                             .resources = json_get(it, "resources")};
        facts[count].failed = facts[count].resources == NULL;
    }
    if (!json_is(json_get(whole, "patient"), JSON_OBJECT) || !json_is(list, JSON_ARRAY)) {
        return STATUS_INVALID;
    }
    *context_out = (struct context){.patient = json_get(whole, "patient"),
                                    .date = json_get_text(whole, "date"),
                                    .facts = facts,
                                    .count = count};
    return STATUS_OK;
}
