#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fhir/base/buf.h"
#include "fhir/diff/resource_diff.h"

static const struct json *read_text(struct arena *arena, const char *text)
{
    struct diag_list diags;
    diag_init(&diags, arena, 5);
    const struct json *json = NULL;
    assert_int_equal(json_parse(arena, source_create(arena, SLICE("t"), slice_of(text)),
                                &LIMITS_DEFAULT, &diags, &json),
                     STATUS_OK);
    return json;
}

struct row {
    const char *from;
    const char *to;
    const char *want; /* paths, each with - + or ~ before it */
};

static const struct row rows[] = {
    {"{\"resourceType\":\"Goal\",\"a\":1,\"b\":[1,{\"c\":2}]}",
     "{\"b\":[1,{\"c\":2}],\"a\":1,\"resourceType\":\"Goal\"}", ""},
    {"{\"resourceType\":\"Goal\",\"a\":1}", "{\"resourceType\":\"Goal\",\"a\":1.0}", "~Goal.a "},
    {"{\"resourceType\":\"Goal\",\"b\":[1,{\"c\":2}]}",
     "{\"resourceType\":\"Goal\",\"b\":[1,{\"c\":3},4]}", "~Goal.b[1].c +Goal.b[2] "},
    {"{\"resourceType\":\"Goal\",\"a\":1,\"x\":{}}",
     "{\"resourceType\":\"Goal\",\"d\":null,\"x\":[]}", "-Goal.a ~Goal.x +Goal.d "},
    {"{\"resourceType\":\"Goal\",\"meta\":{\"versionId\":\"1\"},\"text\":{}}",
     "{\"resourceType\":\"Goal\",\"meta\":{\"versionId\":\"2\"}}", ""},
    {"{\"resourceType\":\"Goal\",\"x\":{\"meta\":1}}",
     "{\"resourceType\":\"Goal\",\"x\":{\"meta\":2}}", "~Goal.x.meta "},
};

static void differences_are_told_by_path(void **state)
{
    (void)state;
    static const char *const ignore[] = {"meta", "text"};
    struct arena *arena = arena_create(0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct json *from = read_text(arena, rows[i].from);
        const struct json *to = read_text(arena, rows[i].to);
        struct resource_diff diff;
        resource_diff(arena, from, to, ignore, 2, 20, &diff);
        struct buf text;
        buf_init(&text, arena, 1000);
        for (size_t k = 0; k < diff.count; k++) {
            const struct element_change *change = &diff.changes[k];
            buf_add_char(&text, change->from == NULL ? '+' : change->to == NULL ? '-' : '~');
            buf_printf(&text, "%.*s ", SLICE_ARGS(change->path));
        }
        assert_string_equal(text.at, rows[i].want);
        assert_int_equal(resource_same(arena, from, to, ignore, 2), rows[i].want[0] == '\0');
    }
    arena_destroy(&arena);
}

static void the_list_has_a_ceiling(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    struct resource_diff diff;
    resource_diff(arena, read_text(arena, "{\"resourceType\":\"Goal\",\"a\":[1,2,3]}"),
                  read_text(arena, "{\"resourceType\":\"Goal\",\"a\":[4,5,6]}"), NULL, 0, 2, &diff);
    assert_int_equal(diff.count, 2);
    assert_true(diff.more);
    arena_destroy(&arena);
}

static void a_missing_resource_differs_as_a_whole(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    struct resource_diff diff;
    resource_diff(arena, NULL, read_text(arena, "{\"resourceType\":\"Goal\"}"), NULL, 0, 5, &diff);
    assert_int_equal(diff.count, 1);
    assert_string_equal(diff.changes[0].path.at, "Goal");
    arena_destroy(&arena);
}

static int setup(void **state)
{
    (void)state;
    json_library_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(differences_are_told_by_path),
        cmocka_unit_test(the_list_has_a_ceiling),
        cmocka_unit_test(a_missing_resource_differs_as_a_whole),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
