// uses: gateway/patient
/* The stored form of a context: what was written is read back, and nothing else is taken for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/patient/context.h"

static const struct json *parse(struct arena *arena, const char *text)
{
    struct diag_list diags;
    const struct json *json = NULL;
    diag_init(&diags, arena, 5);
    assert_int_equal(json_parse(arena, source_create(arena, SLICE("test"), slice_of(text)),
                                &LIMITS_DEFAULT, &diags, &json),
                     STATUS_OK);
    return json;
}

static enum status read_text(struct arena *arena, const char *text, struct context *out)
{
    return context_read(arena, slice_of(text), out);
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    const struct context_fact facts[] = {
        {.name = SLICE("weights"),
         .query = SLICE("Observation?patient=7&code=29463-7"),
         .resources = parse(arena, "[{\"resourceType\":\"Observation\",\"v\":28.50}]")},
        {.name = SLICE("hvs"), .query = SLICE("Observation?patient=7"), .failed = true},
        {.name = SLICE("encounter"), .resources = parse(arena, "[]")},
    };
    struct context context = {.patient =
                                  parse(arena, "{\"resourceType\":\"Patient\",\"id\":\"7\"}"),
                              .date = SLICE("2024-05-14"),
                              .facts = facts,
                              .count = 3};
    struct slice text = context_write(arena, &context);
    struct context again;
    assert_int_equal(context_read(arena, text, &again), STATUS_OK);
    assert_true(slice_is(again.date, "2024-05-14"));
    assert_true(json_equal(again.patient, context.patient));
    assert_int_equal(again.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(slice_equal(again.facts[i].name, facts[i].name));
        assert_true(slice_equal(again.facts[i].query, facts[i].query));
        assert_int_equal(again.facts[i].failed, facts[i].failed);
    }
    assert_true(slice_equal(context_write(arena, &again), text));
    arena_destroy(&arena);
}

static void what_was_stored_without_queries_is_read(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    struct context context;
    assert_int_equal(read_text(arena,
                               "{\"patient\":{\"id\":\"7\"},\"facts\":[{\"name\":\"weights\","
                               "\"resources\":[]}]}",
                               &context),
                     STATUS_OK);
    assert_int_equal(context.date.len, 0);
    assert_int_equal(context.facts[0].query.len, 0);
    arena_destroy(&arena);
}

static void other_bytes_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "[]", "{\"patient\":7,\"facts\":[]}",
                                        "{\"patient\":{}}", "{\"patient\":{},\"facts\":["};
    struct arena *arena = arena_create(0);
    struct context context;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(read_text(arena, texts[i], &context), STATUS_INVALID);
    }
    arena_destroy(&arena);
}

int main(void)
{
    json_library_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(what_was_stored_without_queries_is_read),
        cmocka_unit_test(other_bytes_are_refused),
    };
    return cmocka_run_group_tests_name("context", tests, NULL, NULL);
}
