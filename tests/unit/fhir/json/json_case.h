/* What the tests of fhir/json share: an arena, and reading a text that must be right. */
#ifndef TESTS_JSON_CASE_H
#define TESTS_JSON_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fhir/json/json.h"

/* A fresh arena as *state of each test. */
static inline int arena_setup(void **state)
{
    json_library_init();
    *state = arena_create(0);
    return *state != NULL ? 0 : -1;
}

static inline int arena_teardown(void **state)
{
    struct arena *arena = *state;
    arena_destroy(&arena);
    return 0;
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, arena_setup, arena_teardown)

struct reading {
    struct arena *arena;
    const struct source *source;
    struct limits limits;
    struct diag_list *diags;
    const struct json *json;
};

static inline enum status reading_run(void *arg)
{
    struct reading *reading = arg;
    return json_parse(reading->arena, reading->source, &reading->limits, reading->diags,
                      &reading->json);
}

/* Fails the test, with the message, when the text is wrong. Lives in the arena. */
static inline const struct json *parsed(struct arena *arena, struct slice text)
{
    struct diag_list diags;
    diag_init(&diags, arena, 10);
    struct reading reading = {.arena = arena,
                              .source = source_create(arena, SLICE("text"), text),
                              .limits = LIMITS_DEFAULT,
                              .diags = &diags};
    enum status status = arena_run(arena, reading_run, &reading);
    if (status != STATUS_OK) {
        struct buf message;
        buf_init(&message, arena, 100000);
        diag_render_all(&diags, &message);
        fail_msg("%s: %s", status_name(status), message.at);
    }
    return reading.json;
}

static inline const char *compact(struct arena *arena, const struct json *json)
{
    return json_write(arena, json, JSON_COMPACT).at;
}

#endif
