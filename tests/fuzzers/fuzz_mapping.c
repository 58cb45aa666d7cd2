// uses: gateway/mapping fhir/json fhir/model
/*
 * A small folder through the loader: files of one input are separated by lines "=== PATH"; those of
 * what it extends are "=== ../PATH". Loading
 * ends, its verdict agrees with its messages, each message is UTF-8. What loads evaluates one child
 * twice: no crash, the same bytes both times, and never anything but a proposal.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/mapping/case.h"
#include "gateway/mapping/mapping.h"

enum { FILES_MOST = 16 };

struct attempt {
    struct arena *arena;
    struct slice text;
    struct mapping_file files[FILES_MOST];
    size_t count;
};

static void require(bool true_statement, const char *what)
{
    if (!true_statement) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

static void split(struct attempt *attempt)
{
    struct slice rest = attempt->text;
    while (attempt->count < FILES_MOST) {
        size_t mark = slice_find(rest, SLICE("=== "), 0);
        if (mark == SIZE_MAX) {
            return;
        }
        rest = slice_part(rest, mark + 4, SIZE_MAX);
        size_t line = slice_find(rest, SLICE("\n"), 0);
        if (line == SIZE_MAX) {
            return;
        }
        size_t end = slice_find(rest, SLICE("=== "), line);
        struct slice path = slice_part(rest, 0, line);
        struct slice text = slice_part(rest, line + 1, end == SIZE_MAX ? SIZE_MAX : end - line - 1);
        bool extended = slice_starts_with(path, SLICE("../"));
        attempt->files[attempt->count++] = (struct mapping_file){
            slice_part(path, extended ? 3 : 0, SIZE_MAX), path, text, extended};
        rest = slice_part(rest, line + 1 + text.len, SIZE_MAX);
    }
}

static void check_messages(struct arena *arena, const struct diag_list *diags)
{
    struct buf message;
    buf_init(&message, arena, SIZE_MAX / 4);
    diag_render_all(diags, &message);
    struct slice text = buf_view(&message);
    size_t broken = utf8_check(text);
    require(broken == SIZE_MAX, "messages are UTF-8");
}

static const struct json *parse(struct arena *arena, const char *text)
{
    struct diag_list diags;
    const struct json *json = NULL;
    diag_init(&diags, arena, 5);
    json_parse(arena, source_create(arena, SLICE("json"), slice_of(text)), &LIMITS_DEFAULT, &diags,
               &json);
    return json;
}

static const char child[] = "{\"resourceType\":\"Patient\",\"id\":\"c\",\"gender\":\"female\","
                            "\"birthDate\":\"2016-03-01\"}";
static const char observations[] =
    "[{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"coding\":[{\"system\":"
    "\"http://loinc.org\",\"code\":\"29463-7\"}]},\"encounter\":{\"reference\":\"Encounter/v\"},"
    "\"effectiveDateTime\":\"2024-05-14\",\"valueQuantity\":{\"value\":28,\"unit\":\"kg\"}},"
    "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"coding\":[{\"system\":"
    "\"http://loinc.org\",\"code\":\"8302-2\"}]},\"encounter\":{\"reference\":\"Encounter/v\"},"
    "\"effectiveDateTime\":\"2024-05-14\",\"valueQuantity\":{\"value\":124,\"unit\":\"cm\"}}]";
static const char encounters[] =
    "[{\"resourceType\":\"Encounter\",\"id\":\"v\",\"class\":{\"system\":\"http://terminology."
    "hl7.org/CodeSystem/v3-ActCode\",\"code\":\"AMB\"}}]";

static struct slice plan_of(struct arena *arena, const struct mapping *mapping,
                            const struct limits *limits)
{
    struct visit visit = {.key = SLICE("Encounter/v"), .encounter = SLICE("v")};
    struct diag_list diags;
    struct fact_request *requests;
    size_t count = 0;
    struct evaluation_result result;
    diag_init(&diags, arena, 20);
    datetime_parse(SLICE("2024-05-14"), FORM_FHIR_DATE, &visit.date, NULL);
    const struct json *patient = parse(arena, child);
    enum status status =
        mapping_requests(mapping, arena, patient, &visit, limits, &diags, &requests, &count);
    if (status == STATUS_OK) {
        struct fact *facts = ARENA_ARRAY(arena, count + 1, struct fact);
        for (size_t i = 0; i < count; i++) {
            bool visits = slice_starts_with(requests[i].query, SLICE("Encounter"));
            facts[i] = (struct fact){requests[i].name, FACT_FETCHED,
                                     parse(arena, visits ? encounters : observations)};
        }
        struct evaluation_input input = {
            .patient = patient, .visit = visit, .facts = facts, .fact_count = count};
        status = mapping_evaluate(mapping, arena, &input, limits, &diags, &result);
    }
    check_messages(arena, &diags);
    require((status == STATUS_OK) == (diags.errors == 0), "what fails says why");
    if (status != STATUS_OK) {
        return SLICE("failed");
    }
    for (size_t i = 0; i < result.item_count; i++) {
        const struct json *resource = result.items[i].resource;
        struct slice state = json_get_text(resource, "status");
        struct slice type = json_get_text(resource, "resourceType");
        require(slice_is(type, "CarePlan") || slice_is(type, "Goal") ||
                    slice_is(type, "ServiceRequest"),
                "a plan has three types of resources");
        require(slice_is(type, "Goal")
                    ? slice_is(json_get_text(resource, "lifecycleStatus"), "proposed")
                    : slice_is(state, "draft"),
                "a plan is a proposal");
    }
    return json_write(arena, mapping_plan_bundle(arena, &result), JSON_COMPACT);
}

static enum status attempt_run(void *arg)
{
    struct attempt *attempt = arg;
    struct arena *arena = attempt->arena;
    struct limits limits = LIMITS_DEFAULT;
    limits.steps = 20000;
    limits.items = 5000;
    limits.text = 1 << 16;
    struct diag_list diags;
    const struct mapping *mapping = NULL;
    diag_init(&diags, arena, 20);
    split(attempt);
    enum status status =
        mapping_load(arena, attempt->files, attempt->count, model_r4(), &limits, &diags, &mapping);
    require((status == STATUS_OK) == (diags.errors == 0), "the verdict agrees with the messages");
    check_messages(arena, &diags);
    if (status != STATUS_OK) {
        return STATUS_OK;
    }
    struct slice first = plan_of(arena, mapping, &limits);
    require(slice_equal(first, plan_of(arena, mapping, &limits)), "the same gives the same");
    for (size_t i = 0; i < attempt->count; i++) {
        struct case_runner runner = {.limits = limits};
        struct case_run *runs;
        size_t count;
        if (slice_starts_with(attempt->files[i].path, SLICE("cases/"))) {
            case_run_file(&runner, mapping, arena, &attempt->files[i], &diags, &runs, &count);
        }
    }
    return STATUS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool begun;
    if (!begun) {
        json_library_init();
        begun = true;
    }
    struct attempt attempt = {.arena = arena_create((size_t)256 << 20),
                              .text = slice_from((const char *)data, size)};
    if (attempt.arena != NULL) {
        arena_run(attempt.arena, attempt_run, &attempt);
    }
    arena_destroy(&attempt.arena);
    return 0;
}
