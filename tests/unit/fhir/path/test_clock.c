/* Who gives no time, or refuses the clock, is told so: no command does either. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fhir/json/json.h"
#include "fhir/path/path.h"

struct asking {
    struct arena *arena;
    struct diag_list diags;
    bool refuse_clock;
};

static enum status ask(void *arg)
{
    struct asking *a = arg;
    const struct source *source =
        source_create(a->arena, SLICE("expression"), SLICE("now() > @2024"));
    struct limits limits = LIMITS_DEFAULT;
    struct path_scope scope = {.model = model_r4(), .refuse_clock = a->refuse_clock};
    const struct path_expr *expr;
    enum status status = path_compile(a->arena, source, &scope, &limits, &a->diags, &expr);
    if (status != STATUS_OK) {
        return status;
    }
    struct path_env env = {0};
    struct path_items items;
    return path_evaluate(expr, &env, a->arena, &limits, &a->diags, &items);
}

static void assert_told(bool refuse_clock, const char *want)
{
    json_library_init();
    struct arena *arena = arena_create(0);
    struct asking asking = {.arena = arena, .refuse_clock = refuse_clock};
    diag_init(&asking.diags, arena, 10);
    assert_int_equal(arena_run(arena, ask, &asking), STATUS_INVALID);
    struct buf out;
    buf_init(&out, arena, 10000);
    diag_render_all(&asking.diags, &out);
    assert_string_equal(out.at, want);
    arena_destroy(&arena);
}

static void test_no_time_was_given(void **state)
{
    (void)state;
    assert_told(false,
                "expression:1:1: error: now() has no answer: the evaluation was given no time "
                "[path-no-clock]\n"
                "  now() > @2024\n"
                "  ^~~\n");
}

static void test_the_clock_is_refused(void **state)
{
    (void)state;
    assert_told(true,
                "expression:1:1: error: now() is not to be asked here: the same input must give "
                "the same result [path-clock]\n"
                "  now() > @2024\n"
                "  ^~~\n"
                "  hint: take the date from the visit\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_time_was_given),
        cmocka_unit_test(test_the_clock_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
