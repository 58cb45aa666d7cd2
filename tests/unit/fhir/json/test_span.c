/* Places of values, names, and of what stands inside strings. */
#include "json_case.h"

static const char text[] =
    "{ \"a\\\"\\\\\" :\n [12.50, \"x\\\"y\", true,{\"b\":{}}],\"e\":\"\\u00e9\\ud83d\\ude00\\n!\"}";

static void assert_span(struct span span, const char *want)
{
    assert_int_equal(span_text(span).len, strlen(want));
    assert_memory_equal(span_text(span).at, want, strlen(want));
}

static void test_values_and_names(void **state)
{
    struct arena *arena = *state;
    struct source *source = source_create(arena, SLICE("t"), slice_of(text));
    const struct json *root = parsed(arena, source->text);
    assert_span(json_span(source, root), "{");
    const struct json *a = json_get(root, "a\"\\");
    assert_span(json_span(source, a), "[");
    assert_span(json_name_span(source, a), "\"a\\\"\\\\\"");
    const struct json *item = json_first(a);
    assert_span(json_span(source, item), "12.50");
    item = json_next(item);
    assert_span(json_span(source, item), "\"x\\\"y\"");
    item = json_next(item);
    assert_span(json_span(source, item), "true");
    item = json_next(item);
    assert_span(json_name_span(source, json_get(item, "b")), "\"b\"");
    assert_null(json_span(NULL, item).source);
    assert_null(json_span(source, NULL).source);
    assert_null(json_span(source, json_new_null(arena)).source);
    assert_null(json_name_span(source, json_new_null(arena)).source);
}

static void test_inside_a_string(void **state)
{
    struct arena *arena = *state;
    struct source *source = source_create(arena, SLICE("t"), slice_of(text));
    const struct json *e = json_get(parsed(arena, source->text), "e");
    struct source *inner = json_string_source(arena, source, e, SLICE("inside"));
    assert_string_equal(inner->text.at, "\xc3\xa9\xf0\x9f\x98\x80\n!");
    assert_span(span_outermost((struct span){inner, 0, 2}), "\\u00e9");
    assert_span(span_outermost((struct span){inner, 2, 6}), "\\ud83d\\ude00");
    assert_span(span_outermost((struct span){inner, 6, 7}), "\\n");
    assert_span(span_outermost((struct span){inner, 7, 8}), "!");
    struct span end = span_outermost((struct span){inner, 8, 8});
    assert_int_equal(source->text.at[end.start], '"');
    inner = json_string_source(arena, source, json_new_string(arena, SLICE("x")), SLICE("inside"));
    assert_null(inner->outer);
    inner = json_string_source(arena, NULL, e, SLICE("inside"));
    assert_null(inner->outer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(test_values_and_names),
        WITH_ARENA(test_inside_a_string),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
