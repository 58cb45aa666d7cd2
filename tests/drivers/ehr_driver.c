// uses: gateway/ehr gateway/http
/*
 * Calls to EHRs, one a line: ehr_driver CONFIG.
 *   {"n":1,"do":"read","type":"Patient","id":"7"}
 *   {"n":2,"do":"search","type":"Observation","query":"patient=Patient/7","pages":20}
 *   {"n":3,"do":"walk", as search}                  a line for each page, then the end
 *   {"n":4,"do":"find","type":"CarePlan","system":"s","value":"v"}
 *   {"n":5,"do":"create","type":"CarePlan","body":{...},"system":"s","value":"v"}
 *   {"n":6,"do":"update","type":"CarePlan","id":"7","version":"1","body":{...}}
 *   {"n":7,"do":"health"}  {"do":"ability","type":"CarePlan"}  {"do":"start"}  {"do":"stop"}
 *   {"n":8,"do":"advance","ms":60000}               the clock
 * Each with "ehr" where there are several, "lane" where it matters. The answer bears the same n.
 */
#include <stdlib.h>

#include "common/driver.h"

struct errand {
    struct driver *driver;
    int64_t n;
    struct ehr_answer *answer;
    const struct ehr_page *page;
};

static void put_ids(struct arena *arena, struct json *line, const struct json *const *matches,
                    size_t count)
{
    struct json *ids = json_new_array(arena);
    for (size_t i = 0; i < count; i++) {
        json_append(ids, json_new_string(arena, json_get_text(matches[i], "id")));
    }
    json_add(arena, line, SLICE("ids"), ids);
}

static int64_t ms_from_now(const struct errand *errand, int64_t utc_us)
{
    return utc_us == 0 ? 0 : (utc_us - clock_utc(&errand->driver->clock)) / 1000;
}

static enum status print_answer(void *arg)
{
    struct errand *errand = arg;
    const struct ehr_answer *answer = errand->answer;
    struct arena *arena = answer->arena;
    struct json *line = json_new_object(arena);
    put_number(arena, line, "n", errand->n);
    put_text(arena, line, "outcome", slice_of(ehr_outcome_name(answer->outcome)));
    put_text(arena, line, "fault", slice_of(ehr_fault_name(answer->fault)));
    put_number(arena, line, "status", answer->http_status);
    put_bool(arena, line, "created", answer->created);
    put_text(arena, line, "id", answer->id);
    put_text(arena, line, "version", answer->version);
    put_text(arena, line, "detail", answer->detail);
    put_number(arena, line, "wait", ms_from_now(errand, answer->not_before));
    put_number(arena, line, "date", answer->server_date / 1000000);
    put_ids(arena, line, answer->matches, answer->match_count);
    if (answer->resource != NULL) {
        json_add(arena, line, SLICE("resource"), json_copy(arena, answer->resource));
    }
    driver_print(errand->driver, arena, line);
    return STATUS_OK;
}

static void answered(struct ehr_answer *answer, void *arg)
{
    struct errand *errand = arg;
    errand->answer = answer;
    if (errand->n % 2 == 0) { /* every other answer is kept: both ways of owning it are shown */
        struct arena *kept = ehr_answer_keep(answer);
        (void)arena_run(kept, print_answer, errand);
        arena_destroy(&kept);
    } else {
        (void)arena_run(answer->arena, print_answer, errand);
    }
    free(errand);
}

static enum status print_page(void *arg)
{
    struct errand *errand = arg;
    const struct ehr_page *page = errand->page;
    struct arena *arena = arena_create(0);
    struct json *line = json_new_object(arena);
    put_number(arena, line, "n", errand->n);
    put_number(arena, line, "page", page->number);
    put_bool(arena, line, "last", page->is_last);
    put_number(arena, line, "date", page->server_date / 1000000);
    put_ids(arena, line, page->matches, page->match_count);
    driver_print(errand->driver, arena, line);
    arena_destroy(&arena);
    return STATUS_OK;
}

static void paged(const struct ehr_page *page, void *arg)
{
    struct errand *errand = arg;
    errand->page = page;
    (void)print_page(errand);
    ehr_walk_on(page->walk);
}

static void print_status(struct errand *errand, struct arena *arena, const char *word)
{
    struct json *line = json_new_object(arena);
    put_number(arena, line, "n", errand->n);
    put_text(arena, line, "status", slice_of(word));
    driver_print(errand->driver, arena, line);
    free(errand);
}

static void print_health(struct errand *errand, struct arena *arena, struct ehr *ehr)
{
    struct ehr_health health = ehr_health(ehr);
    struct json *line = json_new_object(arena);
    put_number(arena, line, "n", errand->n);
    put_text(arena, line, "condition", slice_of(ehr_condition_name(health.condition)));
    put_text(arena, line, "fault", slice_of(ehr_fault_name(health.fault)));
    put_text(arena, line, "advice", slice_of(ehr_fault_advice(health.fault)));
    put_number(arena, line, "status", health.http_status);
    put_number(arena, line, "until", ms_from_now(errand, health.until));
    put_number(arena, line, "requests", (int64_t)health.requests);
    put_number(arena, line, "waiting", (int64_t)health.waiting);
    put_bool(arena, line, "capability", health.capability_known);
    put_number(arena, line, "skew", ms_from_now(errand, ehr_server_now(ehr)));
    driver_print(errand->driver, arena, line);
    free(errand);
}

static void print_ability(struct errand *errand, struct arena *arena, struct ehr *ehr,
                          const struct json *command)
{
    struct ability ability = {0};
    struct json *line = json_new_object(arena);
    struct slice type = json_get_text(command, "type");
    bool known = ehr_ability(ehr, arena_cstr(arena, type), &ability) == STATUS_OK;
    put_number(arena, line, "n", errand->n);
    put_bool(arena, line, "known", known);
    put_bool(arena, line, "create", ability.create);
    put_bool(arena, line, "conditional", ability.conditional_create);
    put_bool(arena, line, "versioned", ability.version_aware);
    put_bool(arena, line, "identifier", ability.search_identifier);
    driver_print(errand->driver, arena, line);
    free(errand);
}

static bool find_verb(struct slice name, enum ehr_verb *verb_out)
{
    static const char *const names[EHR_VERB_COUNT] = {
        [EHR_READ] = "read",     [EHR_SEARCH] = "search", [EHR_FIND] = "find",
        [EHR_CREATE] = "create", [EHR_UPDATE] = "update", [EHR_METADATA] = "metadata",
    };
    for (int i = 0; i < EHR_VERB_COUNT; i++) {
        if (slice_is(name, names[i])) {
            *verb_out = (enum ehr_verb)i;
            return true;
        }
    }
    return false;
}

static void call(struct errand *errand, struct arena *arena, struct ehr *ehr,
                 const struct json *command)
{
    struct slice name = json_get_text(command, "do");
    bool walks = slice_is(name, "walk");
    struct ehr_request request = {.verb = EHR_SEARCH};
    if (!walks && !find_verb(name, &request.verb)) {
        print_status(errand, arena, "no such command");
        return;
    }
    const struct json *body = json_get(command, "body");
    request.type = json_get_text(command, "type");
    request.id = json_get_text(command, "id");
    request.query = json_get_text(command, "query");
    request.system = json_get_text(command, "system");
    request.value = json_get_text(command, "value");
    request.version = json_get_text(command, "version");
    request.lane = json_get_text(command, "lane");
    request.pages_most = (unsigned)get_number(command, "pages", 0);
    request.send_within_ms = (uint64_t)get_number(command, "within", 0);
    request.only_new = json_is(json_get(command, "onlyNew"), JSON_TRUE);
    request.body = body != NULL ? json_write(arena, body, JSON_COMPACT) : SLICE_NONE;
    enum status status = walks ? ehr_walk_pages(ehr, &request, paged, answered, errand)
                               : ehr_call(ehr, &request, answered, errand);
    if (status != STATUS_OK) {
        print_status(errand, arena, status_name(status));
    }
}

static void take(void *arg, struct arena *arena, const struct json *command)
{
    struct errand *errand = calloc(1, sizeof *errand);
    *errand = (struct errand){.driver = arg, .n = get_number(command, "n", 0)};
    struct ehr *ehr = driver_find(arg, json_get_text(command, "ehr"));
    struct slice what = json_get_text(command, "do");
    if (slice_is(what, "health")) {
        print_health(errand, arena, ehr);
    } else if (slice_is(what, "ability")) {
        print_ability(errand, arena, ehr, command);
    } else if (slice_is(what, "start")) {
        ehr_start(ehr);
        print_status(errand, arena, "ok");
    } else if (slice_is(what, "stop")) {
        ehr_stop(ehr);
        print_status(errand, arena, "ok");
    } else {
        call(errand, arena, ehr, command);
    }
}

int main(int argc, char **argv)
{
    static struct driver driver;
    if (argc != 2 || !driver_open(&driver, argv[1])) {
        fprintf(stderr, "usage: ehr_driver CONFIG\n");
        return 64;
    }
    driver_run(&driver);
    driver_read(&driver, take, &driver);
    driver_drain_client(&driver);
    loop_stop(driver.loop);
    driver_join(&driver);
    driver_destroy_ehrs(&driver);
    driver_close(&driver);
    return 0;
}
