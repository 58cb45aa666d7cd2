/* One evaluation allocates only in its arena: with an arena that is warm, it never asks the system.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fhir/path/path.h"

/* A sanitizer has an allocator, and under ASan an arena asks it for each object. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static size_t asked; /* how often anything in this process asked for memory */

#if !SANITIZED
extern void *__libc_malloc(size_t size);               /* NOLINT(bugprone-reserved-identifier) */
extern void *__libc_calloc(size_t count, size_t size); /* NOLINT(bugprone-reserved-identifier) */
extern void *__libc_realloc(void *at, size_t size);    /* NOLINT(bugprone-reserved-identifier) */

void *malloc(size_t size)
{
    asked++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    asked++;
    return __libc_calloc(count, size);
}

void *realloc(void *at, size_t size)
{
    asked++;
    return __libc_realloc(at, size);
}
#endif

static const char patient[] =
    "{\"resourceType\":\"Patient\",\"id\":\"p\",\"birthDate\":\"2014-05-06\",\"name\":"
    "[{\"family\":\"Oak\",\"given\":[\"Ana\",\"Luz\"]},{\"family\":\"Elm\"}],\"extension\":"
    "[{\"url\":\"http://example.org/weight\",\"valueQuantity\":{\"value\":70.50,\"unit\":\"kg\","
    "\"system\":\"http://unitsofmeasure.org\",\"code\":\"kg\"}}]}";

static const char *const expressions[] = {
    "Patient.name.where(family = 'Oak').given.first() & ' ' & name.family.last()",
    "Patient.descendants().ofType(string).distinct().count()",
    "Patient.name.given.select(matches('^[A-Z][a-z]+$') and replaceMatches('a', 'o') != $this)",
    "Patient.extension.value.ofType(Quantity) > 150 '[lb_av]'",
    "Patient.birthDate + 11 years <= @2026-11-22",
    "Patient.name.given.aggregate($total & $this.upper(), '').encode('base64')",
    "(1 | 2 | 3).repeat(iif($this < 10, $this * 2.5, {})).sort()",
    "Patient.name.family.join(', ').length() / 3.0",
};

enum { EXPRESSIONS = sizeof expressions / sizeof *expressions };

struct job {
    struct arena *compiled; /* the document and the expression */
    struct arena *arena;    /* of the evaluation */
    const char *text;
    struct path_env env;
    struct limits limits;
    const struct path_expr *expr;
    size_t items;
};

static enum status prepare(void *arg)
{
    struct job *job = arg;
    struct diag_list diags;
    const struct json *json;
    diag_init(&diags, job->compiled, 10);
    struct path_item *context = ARENA_NEW(job->compiled, struct path_item);
    enum status status =
        json_parse(job->compiled, source_create(job->compiled, SLICE("data"), slice_of(patient)),
                   &job->limits, &diags, &json);
    if (status != STATUS_OK) {
        return status;
    }
    *context = path_item_of(model_r4(), json, NULL);
    job->env.context = (struct path_items){context, 1};
    struct path_scope scope = {.model = model_r4(), .context = path_item_type(model_r4(), context)};
    return path_compile(job->compiled,
                        source_create(job->compiled, SLICE("expression"), slice_of(job->text)),
                        &scope, &job->limits, &diags, &job->expr);
}

static enum status evaluate(void *arg)
{
    struct job *job = arg;
    struct diag_list diags;
    struct path_items items;
    diag_init(&diags, job->arena, 10);
    enum status status =
        path_evaluate(job->expr, &job->env, job->arena, &job->limits, &diags, &items);
    job->items = status == STATUS_OK ? items.count : 0;
    return status;
}

static void test_a_warm_arena_is_all_it_needs(void **state)
{
    (void)state;
    if (SANITIZED) {
        skip();
    }
    json_library_init();
    for (size_t i = 0; i < EXPRESSIONS; i++) {
        struct job job = {.compiled = arena_create(0),
                          .arena = arena_create(0),
                          .text = expressions[i],
                          .limits = LIMITS_DEFAULT};
        assert_int_equal(arena_run(job.compiled, prepare, &job), STATUS_OK);
        assert_int_equal(arena_run(job.arena, evaluate, &job), STATUS_OK);
        assert_int_not_equal(job.items, 0);
        arena_reset(job.arena);
        size_t before = asked;
        enum status status = arena_run(job.arena, evaluate, &job);
        size_t after = asked;
        assert_int_equal(status, STATUS_OK);
        assert_int_equal(after - before, 0);
        assert_int_not_equal(before, 0); /* it does count */
        arena_destroy(&job.arena);
        arena_destroy(&job.compiled);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_warm_arena_is_all_it_needs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
