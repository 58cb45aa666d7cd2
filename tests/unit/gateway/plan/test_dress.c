// uses: fhir/json
/* What a plan's resource wears in the EHR: what the template says of its secrecy stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/plan/dress.h"

struct trial {
    struct arena *arena;
    bool marked;
    bool synthetic;
    size_t labels;
    bool restricted;
};

static enum status run(void *arg)
{
    struct trial *t = arg;
    struct diag_list diags;
    const struct json *given = NULL;
    diag_init(&diags, t->arena, 5);
    struct source *source = source_create(
        t->arena, SLICE("json"),
        t->marked ? SLICE("{\"resourceType\":\"Goal\",\"meta\":{\"security\":[{\"code\":\"R\"}]}}")
                  : SLICE("{\"resourceType\":\"Goal\"}"));
    assert_int_equal(json_parse(t->arena, source, &LIMITS_DEFAULT, &diags, &given), STATUS_OK);
    struct json *goal = json_copy(t->arena, given);
    struct dress dress = {.public_id = SLICE("st-01"), .synthetic = t->synthetic};
    dress_resource(t->arena, goal, (struct uuid){{0}}, &dress);
    const struct json *security = json_get(json_get(goal, "meta"), "security");
    t->labels = security != NULL ? json_count(security) : 0;
    t->restricted = slice_is(json_get_text(json_first(security), "code"), "R");
    return STATUS_OK;
}

static void labels(bool marked, bool synthetic, size_t count, bool restricted)
{
    json_library_init();
    struct trial t = {.arena = arena_create(0), .marked = marked, .synthetic = synthetic};
    assert_int_equal(arena_run(t.arena, run, &t), STATUS_OK);
    assert_int_equal(t.labels, count);
    assert_int_equal(t.restricted, restricted);
    arena_destroy(&t.arena);
}

static void what_the_template_marks_stays_marked(void **state)
{
    (void)state;
    labels(false, false, 0, false);
    labels(false, true, 1, false);
    labels(true, false, 1, true);
    labels(true, true, 2, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_the_template_marks_stays_marked)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
