/* Making documents: members added, replaced, taken out, copied; comparing; telling where. */
#include "json_case.h"

static struct json *object_of(struct arena *arena, const char *text)
{
    return json_copy(arena, parsed(arena, slice_of(text)));
}

static void test_new_values(void **state)
{
    struct arena *arena = *state;
    struct json *object = json_new_object(arena);
    struct json *array = json_new_array(arena);
    json_add(arena, object, SLICE("text"), json_new_string(arena, SLICE("a\"\\\n\x01/\xc3\xa9")));
    json_add(arena, object, SLICE("number"), json_new_number(arena, SLICE("70.50")));
    json_add(arena, object, SLICE("list"), array);
    json_append(array, json_new_bool(arena, true));
    json_append(array, json_new_bool(arena, false));
    json_append(array, json_new_null(arena));
    json_append(array, json_new_object(arena));
    json_append(array, json_new_array(arena));
    assert_string_equal(compact(arena, object),
                        "{\"text\":\"a\\\"\\\\\\n\\u0001/\xc3\xa9\",\"number\":70.50,"
                        "\"list\":[true,false,null,{},[]]}");
    assert_int_equal(json_offset(object), JSON_NO_OFFSET);
    assert_int_equal(json_get_text(object, "text").len, 8);
    assert_string_equal(json_text(json_get(object, "number")).at, "70.50");
}

static void test_set_replaces_in_place(void **state)
{
    struct arena *arena = *state;
    static const char *const rows[][3] = {
        {"{\"a\":1}", "a", "{\"a\":9,\"z\":0}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", "a", "{\"a\":9,\"b\":2,\"c\":3,\"z\":0}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", "b", "{\"a\":1,\"b\":9,\"c\":3,\"z\":0}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", "c", "{\"a\":1,\"b\":2,\"c\":9,\"z\":0}"},
        {"{\"a\":1,\"b\":2}", "b", "{\"a\":1,\"b\":9,\"z\":0}"},
        {"{\"a\":1}", "b", "{\"a\":1,\"b\":9,\"z\":0}"},
        {"{}", "a", "{\"a\":9,\"z\":0}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct json *object = object_of(arena, rows[i][0]);
        json_set(arena, object, slice_of(rows[i][1]), json_new_number(arena, SLICE("9")));
        /* what is added next must come last: the links are whole */
        json_add(arena, object, SLICE("z"), json_new_number(arena, SLICE("0")));
        assert_string_equal(compact(arena, object), rows[i][2]);
    }
}

static void test_set_with_the_same_value(void **state)
{
    struct arena *arena = *state;
    struct json *object = json_new_object(arena);
    struct json *value = json_new_string(arena, SLICE("x"));
    json_add(arena, object, SLICE("a"), value);
    json_set(arena, object, SLICE("a"), value);
    json_add(arena, object, SLICE("b"), json_new_null(arena));
    assert_string_equal(compact(arena, object), "{\"a\":\"x\",\"b\":null}");
}

static void test_what_was_replaced_can_be_added_elsewhere(void **state)
{
    struct arena *arena = *state;
    struct json *object = json_new_object(arena);
    struct json *first = json_new_string(arena, SLICE("first"));
    json_add(arena, object, SLICE("a"), first);
    json_add(arena, object, SLICE("b"), json_new_null(arena));
    json_set(arena, object, SLICE("a"), json_new_null(arena));
    struct json *array = json_new_array(arena);
    json_append(array, json_new_null(arena));
    json_append(array, first);
    assert_string_equal(compact(arena, array), "[null,\"first\"]");
    assert_string_equal(compact(arena, object), "{\"a\":null,\"b\":null}");
}

static void test_remove(void **state)
{
    struct arena *arena = *state;
    static const char *const rows[][3] = {
        {"{\"a\":1}", "a", "{\"z\":0}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", "a", "{\"b\":2,\"c\":3,\"z\":0}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", "b", "{\"a\":1,\"c\":3,\"z\":0}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", "c", "{\"a\":1,\"b\":2,\"z\":0}"},
        {"{\"a\":1}", "A", "{\"a\":1,\"z\":0}"},
        {"{}", "a", "{\"z\":0}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct json *object = object_of(arena, rows[i][0]);
        json_remove(object, slice_of(rows[i][1]));
        json_add(arena, object, SLICE("z"), json_new_number(arena, SLICE("0")));
        assert_string_equal(compact(arena, object), rows[i][2]);
    }
}

static void test_copies_are_apart(void **state)
{
    struct arena *arena = *state;
    const struct json *from =
        parsed(arena, SLICE("{\"a\":[1,{\"b\":\"x\"}],\"c\":70.50,\"d\":{\"e\":[]},\"f\":null}"));
    struct json *copy = json_copy(arena, from);
    assert_true(json_equal(copy, from));
    assert_int_equal(json_offset(json_get(copy, "c")), json_offset(json_get(from, "c")));
    json_set(arena, copy, SLICE("c"), json_new_null(arena));
    json_remove(copy, SLICE("a"));
    assert_string_equal(compact(arena, from),
                        "{\"a\":[1,{\"b\":\"x\"}],\"c\":70.50,\"d\":{\"e\":[]},\"f\":null}");
    assert_string_equal(compact(arena, copy), "{\"c\":null,\"d\":{\"e\":[]},\"f\":null}");
    /* a copied member is a value without name */
    struct json *member = json_copy(arena, json_get(from, "c"));
    assert_null(json_name(member).at);
    assert_int_equal(json_name(member).len, 0);
}

static void test_equal(void **state)
{
    struct arena *arena = *state;
    static const struct {
        const char *a;
        const char *b;
        bool equal;
    } rows[] = {
        {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true},
        {"{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}", false},
        {"{\"a\":1}", "{\"a\":1,\"b\":2}", false},
        {"[1,2]", "[2,1]", false},
        {"[1,2]", "[1,2]", true},
        {"[1]", "[1,1]", false},
        {"70.50", "70.5", false},
        {"1", "\"1\"", false},
        {"\"\\u0041\"", "\"A\"", true},
        {"\"a\"", "\"ab\"", false},
        {"true", "false", false},
        {"null", "null", true},
        {"{}", "[]", false},
        {"{}", "{}", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct json *a = parsed(arena, slice_of(rows[i].a));
        const struct json *b = parsed(arena, slice_of(rows[i].b));
        assert_int_equal(json_equal(a, b), rows[i].equal);
        assert_int_equal(json_equal(b, a), rows[i].equal);
    }
    assert_true(json_equal(NULL, NULL));
    assert_false(json_equal(NULL, parsed(arena, SLICE("null"))));
}

static void test_pointer(void **state)
{
    struct arena *arena = *state;
    const struct json *root = parsed(
        arena, SLICE("{\"entry\":[{},{\"resource\":{\"id\":\"x\"}}],\"a/b~c\":1,\"\":[true]}"));
    const struct json *resource =
        json_get(json_next(json_first(json_get(root, "entry"))), "resource");
    assert_string_equal(json_pointer(arena, root, json_get(resource, "id")).at,
                        "/entry/1/resource/id");
    assert_string_equal(json_pointer(arena, root, json_get(root, "a/b~c")).at, "/a~1b~0c");
    assert_string_equal(json_pointer(arena, root, json_first(json_get(root, ""))).at, "//0");
    assert_string_equal(json_pointer(arena, root, root).at, "");
    assert_string_equal(json_pointer(arena, resource, json_get(resource, "id")).at, "/id");
    assert_null(json_pointer(arena, resource, root).at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(test_new_values),
        WITH_ARENA(test_set_replaces_in_place),
        WITH_ARENA(test_set_with_the_same_value),
        WITH_ARENA(test_what_was_replaced_can_be_added_elsewhere),
        WITH_ARENA(test_remove),
        WITH_ARENA(test_copies_are_apart),
        WITH_ARENA(test_equal),
        WITH_ARENA(test_pointer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
