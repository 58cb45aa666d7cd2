/* Compact and pretty text, and the way back. */
#include "json_case.h"

static void test_pretty(void **state)
{
    struct arena *arena = *state;
    const struct json *json = parsed(
        arena,
        SLICE("{\"a\":[1,{\"b\":\"x: [\\\"{,\\\\\"}],\"c\":{},\"d\":[],\"e\":{\"f\":[[]]}}"));
    assert_string_equal(json_write(arena, json, JSON_PRETTY).at, "{\n"
                                                                 "  \"a\": [\n"
                                                                 "    1,\n"
                                                                 "    {\n"
                                                                 "      \"b\": \"x: [\\\"{,\\\\\"\n"
                                                                 "    }\n"
                                                                 "  ],\n"
                                                                 "  \"c\": {},\n"
                                                                 "  \"d\": [],\n"
                                                                 "  \"e\": {\n"
                                                                 "    \"f\": [\n"
                                                                 "      []\n"
                                                                 "    ]\n"
                                                                 "  }\n"
                                                                 "}");
    static const char *const scalars[] = {"1.50", "\"x\"", "\"\"", "true", "null", "{}", "[]"};
    for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++) {
        json = parsed(arena, slice_of(scalars[i]));
        assert_string_equal(json_write(arena, json, JSON_PRETTY).at, scalars[i]);
    }
}

static void test_there_and_back(void **state)
{
    struct arena *arena = *state;
    static const char *const texts[] = {
        "{\"resourceType\":\"Observation\",\"valueQuantity\":{\"value\":70.50,\"unit\":\"kg\"}}",
        "[9007199254740993,1e400,-0.0,\"\xf0\x9f\x98\x80\",\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\"]",
        "{\"given\":[\"Ann\",null],\"_given\":[null,{\"extension\":[{\"url\":\"u\"}]}]}",
        "{\"\":{\"\":[{},[],[[]],\"\"]}}",
        "\"\x7f \xc2\x80 \xe2\x80\xa8\"",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const struct json *json = parsed(arena, slice_of(texts[i]));
        struct slice once = json_write(arena, json, JSON_COMPACT);
        assert_true(json_equal(parsed(arena, once), json));
        assert_string_equal(compact(arena, parsed(arena, once)), once.at);
        struct slice pretty = json_write(arena, json, JSON_PRETTY);
        assert_true(json_equal(parsed(arena, pretty), json));
        assert_string_equal(compact(arena, parsed(arena, pretty)), once.at);
    }
}

static void test_large_text_grows_the_buffer(void **state)
{
    struct arena *arena = *state;
    struct json *array = json_new_array(arena);
    char *wide = arena_alloc(arena, 20000);
    memset(wide, 'x', 20000);
    for (int i = 0; i < 20; i++) {
        json_append(array, json_new_string(arena, slice_from(wide, 20000)));
    }
    struct slice text = json_write(arena, array, JSON_COMPACT);
    assert_int_equal(text.len, 20 * 20003 + 1);
    assert_true(json_equal(parsed(arena, text), array));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(test_pretty),
        WITH_ARENA(test_there_and_back),
        WITH_ARENA(test_large_text_grows_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
