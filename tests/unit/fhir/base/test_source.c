/* Offsets told as line, column and width; texts inside texts told in the outermost one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fhir/base/source.h"

static void assert_place(struct slice text, uint32_t start, uint32_t end, const char *want)
{
    struct arena *arena = arena_create(0);
    struct source *source = source_create(arena, SLICE("t"), text);
    struct place place = span_place((struct span){source, start, end});
    assert_string_equal(arena_printf(arena, "%u:%u+%u %.*s", place.line, place.column, place.width,
                                     SLICE_ARGS(place.text))
                            .at,
                        want);
    arena_destroy(&arena);
}

static void test_places(void **state)
{
    (void)state;
    struct slice text = SLICE("one\ntwo \xe2\x82\xac x\r\n\nlast");
    assert_place(text, 0, 1, "1:1+1 one");
    assert_place(text, 2, 3, "1:3+1 one");
    assert_place(text, 3, 4, "1:4+1 one"); /* the line end itself belongs to its line */
    assert_place(text, 4, 7, "2:1+3 two \xe2\x82\xac x");
    assert_place(text, 12, 13, "2:7+1 two \xe2\x82\xac x"); /* columns count characters */
    assert_place(text, 4, 99, "2:1+8 two \xe2\x82\xac x");  /* width ends with the line */
    assert_place(text, 15, 15, "3:1+1 ");
    assert_place(text, 16, 20, "4:1+4 last");
    assert_place(text, 20, 20, "4:5+1 last");
    assert_place(text, 4000, 5000, "4:5+1 last");
    assert_place(SLICE_NONE, 0, 0, "1:1+1 ");
    assert_place(SLICE("a\n"), 2, 2, "2:1+1 ");
}

static void test_line_of_a_file(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    struct source *source = source_create(arena, SLICE("x"), SLICE("third"));
    source->lines_before = 2;
    struct place place = span_place((struct span){source, 2, 3});
    assert_int_equal(place.line, 3);
    assert_int_equal(place.column, 3);
    arena_destroy(&arena);
}

static void test_no_place(void **state)
{
    (void)state;
    struct place place = span_place(SPAN_NONE);
    assert_int_equal(place.line, 1);
    assert_int_equal(span_text(SPAN_NONE).len, 0);
}

static void test_embedded_text(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    /* the expression a'b inside the YAML scalar 'a''b' */
    struct source *file = source_create(arena, SLICE("m.yaml"), SLICE("when: 'a''b'"));
    struct source *inner = source_create(arena, SLICE("expression"), SLICE("a'b"));
    static const uint32_t map[] = {7, 8, 10, 11};
    inner->outer = file;
    inner->map = map;
    struct span span = span_outermost((struct span){inner, 1, 3});
    assert_ptr_equal(span.source, file);
    assert_int_equal(span.start, 8);
    assert_int_equal(span.end, 11);
    span = span_outermost((struct span){inner, 50, 60}); /* beyond the end: the end */
    assert_int_equal(span.start, 11);
    assert_int_equal(span.end, 11);
    struct span joined = span_join((struct span){inner, 2, 3}, (struct span){inner, 0, 1});
    assert_int_equal(joined.start, 0);
    assert_int_equal(joined.end, 3);
    assert_true(slice_is(span_text(joined), "a'b"));
    assert_int_equal(span_text((struct span){inner, 3, 2}).len, 0);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_line_of_a_file),
        cmocka_unit_test(test_no_place),
        cmocka_unit_test(test_embedded_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
