#include "gateway/admin/desk.h"

#include "gateway/admin/metrics.h"
#include "gateway/admin/views.h"

#define STOP_WRITES "stop-writes" /* the store's switch */

enum { EXIT_OF_ABSENT = 1, EXIT_OF_INPUT = 64, EXIT_OF_FAULT = 70, EXIT_OF_AGAIN = 75 };

/* ---- verbs ---- */

static enum status ask_status(struct asking *asking)
{
    return view_status(asking->desk, asking->arena, asking->request, asking->answer);
}

static enum status ask_show(struct asking *asking)
{
    enum status status = view_show(asking->desk, asking->arena, asking->request, asking->answer);
    if (status == STATUS_ABSENT) {
        asking->error = SLICE("there is no such message, and nothing is known of such a patient");
    } else if (status == STATUS_INVALID) {
        asking->error = SLICE("there are several EHRs: say which with --ehr NAME");
    }
    return status;
}

static enum status ask_metrics(struct asking *asking)
{
    struct slice text = SLICE_NONE;
    enum status status = metrics_write(asking->desk, asking->arena, &text);
    view_text(asking->arena, asking->answer, "metrics", text);
    return status;
}

static enum status set_switch(struct asking *asking, bool on)
{
    const struct desk *desk = asking->desk;
    struct store_set_switch set = STORE_TX(SET_SWITCH);
    struct slice ehr = json_get_text(asking->request, "ehr");
    if (ehr.len != 0 && !view_knows_ehr(desk, ehr)) {
        asking->error = arena_printf(asking->arena, "there is no EHR \"%.*s\"", SLICE_ARGS(ehr));
        return STATUS_ABSENT;
    }
    set.in.ehr = ehr;
    set.in.name = SLICE(STOP_WRITES);
    set.in.on = on;
    set.in.by = asking->account;
    enum status status = store_run(desk->store, &set.tx);
    if (status == STATUS_OK && desk->switched != NULL) {
        desk->switched(desk->arg);
    }
    view_bool(asking->arena, asking->answer, "stopped", on);
    view_text(asking->arena, asking->answer, "ehr", ehr);
    view_text(asking->arena, asking->answer, "by", asking->account);
    return status;
}

static enum status ask_stop(struct asking *asking)
{
    return set_switch(asking, true);
}

static enum status ask_resume(struct asking *asking)
{
    return set_switch(asking, false);
}

static const struct {
    const char *name;
    enum status (*run)(struct asking *asking);
} asks[] = {
#define ASK(name, run) {name, run},
#include "gateway/admin/asks.def"
#undef ASK
};

/* ---- the answer ---- */

static int exit_of(enum status status)
{
    return status == STATUS_ABSENT    ? EXIT_OF_ABSENT
           : status == STATUS_INVALID ? EXIT_OF_INPUT
           : status == STATUS_REFUSED ? EXIT_OF_ABSENT
           : status == STATUS_AGAIN   ? EXIT_OF_AGAIN
                                      : EXIT_OF_FAULT;
}

static struct slice refuse(struct asking *asking, enum status status)
{
    struct json *answer = json_new_object(asking->arena);
    struct slice error =
        asking->error.len != 0
            ? asking->error
            : arena_printf(asking->arena, "the store answered: %s", status_name(status));
    view_bool(asking->arena, answer, "ok", false);
    view_text(asking->arena, answer, "error", error);
    view_number(asking->arena, answer, "exit", exit_of(status));
    return json_write(asking->arena, answer, JSON_COMPACT);
}

bool desk_is_for_anyone(struct arena *arena, struct slice request)
{
    struct diag_list unheard;
    const struct json *json = NULL;
    diag_init(&unheard, arena, 1);
    json_parse(arena, source_create(arena, SLICE("request"), request), &LIMITS_DEFAULT, &unheard,
               &json);
    struct slice verb = json_get_text(json, "verb");
    return slice_is(verb, "accept") || slice_is(verb, "decline");
}

struct slice desk_answer(const struct desk *desk, struct arena *arena, struct slice request,
                         struct slice account)
{
    struct asking asking = {.desk = desk, .arena = arena, .account = account};
    struct diag_list unheard;
    diag_init(&unheard, arena, 1);
    asking.answer = json_new_object(arena);
    view_bool(arena, asking.answer, "ok", true);
    if (json_parse(arena, source_create(arena, SLICE("request"), request), &LIMITS_DEFAULT,
                   &unheard, &asking.request) != STATUS_OK) {
        asking.error = SLICE("the request is not JSON");
        return refuse(&asking, STATUS_INVALID);
    }
    struct slice verb = json_get_text(asking.request, "verb");
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        if (slice_is(verb, asks[i].name)) {
            enum status status = asks[i].run(&asking);
            return status == STATUS_OK ? json_write(arena, asking.answer, JSON_COMPACT)
                                       : refuse(&asking, status);
        }
    }
    asking.error = SLICE("there is no such request");
    return refuse(&asking, STATUS_INVALID);
}
