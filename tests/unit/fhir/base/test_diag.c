/* The list of diagnostics and the text a person reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fhir/base/diag.h"

struct fixture {
    struct arena *arena;
    struct diag_list list;
    struct source *source;
};

static int setup(void **state)
{
    static struct fixture fixture;
    fixture.arena = arena_create(0);
    diag_init(&fixture.list, fixture.arena, 10);
    fixture.source =
        source_create(fixture.arena, SLICE("f.json"), SLICE("{\n\t\"caf\xc3\xa9\": 1,,\n}\n"));
    *state = &fixture;
    return fixture.arena != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_destroy(&f->arena);
    return 0;
}

static const char *rendered(struct fixture *f)
{
    struct buf out;
    buf_init(&out, f->arena, 100000);
    diag_render_all(&f->list, &out);
    return out.at;
}

static struct span at(struct fixture *f, uint32_t start, uint32_t end)
{
    return (struct span){f->source, start, end};
}

static void test_text_with_place_and_hint(void **state)
{
    struct fixture *f = *state;
    struct diag *diag = diag_add(&f->list, DIAG_JSON_SYNTAX, at(f, 3, 10), "the %s is odd", "name");
    diag_hint(&f->list, diag, "use %d letters", 3);
    assert_string_equal(rendered(f), "f.json:2:2: error: the name is odd [json-syntax]\n"
                                     "   \"caf\xc3\xa9\": 1,,\n"
                                     "   ^~~~~~\n"
                                     "  hint: use 3 letters\n");
    assert_int_equal(f->list.errors, 1);
}

static void test_text_without_place(void **state)
{
    struct fixture *f = *state;
    struct diag *diag = diag_add(&f->list, DIAG_JSON_LIMIT, SPAN_NONE, "too large");
    diag->path = SLICE("Patient.name");
    assert_string_equal(rendered(f), "error: Patient.name: too large [json-limit]\n");
}

static void test_beyond_the_ceiling_they_are_counted(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 13; i++) {
        struct diag *diag = diag_add(&f->list, DIAG_JSON_SYNTAX, SPAN_NONE, "fault %d", i);
        diag_hint(&f->list, diag, "also on one that is not kept");
    }
    assert_int_equal(f->list.count, 10);
    assert_int_equal(f->list.dropped, 3);
    assert_int_equal(f->list.errors, 13);
    assert_non_null(strstr(rendered(f), "fault 9 [json-syntax]\n"));
    assert_null(strstr(rendered(f), "fault 10"));
    assert_non_null(strstr(rendered(f), "and 3 more\n"));
}

static void test_sorting_is_by_place_and_stable(void **state)
{
    struct fixture *f = *state;
    struct source *other = source_create(f->arena, SLICE("g.json"), SLICE("xyz"));
    diag_add(&f->list, DIAG_JSON_SYNTAX, at(f, 5, 6), "3");
    diag_add(&f->list, DIAG_JSON_SYNTAX, (struct span){other, 1, 2}, "6");
    diag_add(&f->list, DIAG_JSON_SYNTAX, at(f, 2, 9), "1");
    diag_add(&f->list, DIAG_JSON_SYNTAX, (struct span){other, 0, 2}, "5");
    diag_add(&f->list, DIAG_JSON_SYNTAX, at(f, 2, 3), "2");
    diag_add(&f->list, DIAG_JSON_SYNTAX, at(f, 7, 8), "4");
    diag_sort(&f->list);
    char order[8] = "";
    size_t n = 0;
    for (struct diag *diag = f->list.first; diag != NULL; diag = diag->next) {
        order[n++] = diag->sentence.at[0];
        assert_true((diag->next == NULL) == (diag == f->list.last));
    }
    assert_string_equal(order, "123456");
}

static void test_a_long_line_is_cut_around_the_caret(void **state)
{
    struct fixture *f = *state;
    struct buf line;
    buf_init(&line, f->arena, 10000);
    for (int i = 0; i < 500; i++) {
        buf_add_cstr(&line, "\xc3\xa9");
    }
    line.at[600] = '!'; /* byte 600 and 601 are one character: replace both */
    line.at[601] = '?';
    struct source *source = source_create(f->arena, SLICE("l"), buf_view(&line));
    diag_add(&f->list, DIAG_JSON_SYNTAX, (struct span){source, 600, 602}, "here");
    const char *text = rendered(f);
    assert_true(strncmp(text, "l:1:301: error: here", 20) == 0);
    struct slice rest = slice_of(text);
    struct slice shown;
    struct slice caret;
    slice_cut(&rest, '\n', &shown);
    slice_cut(&rest, '\n', &shown);
    slice_cut(&rest, '\n', &caret);
    assert_int_equal(utf8_check(shown), SIZE_MAX); /* no character is cut in two */
    size_t column = utf8_length(slice_part(shown, 0, slice_find(shown, SLICE("!?"), 0)));
    assert_int_equal(slice_find(caret, SLICE("^~"), 0), column);
    assert_true(shown.len <= 162);
}

static void test_what_is_quoted_cannot_play_tricks(void **state)
{
    struct fixture *f = *state;
    struct source *source = source_create(f->arena, SLICE("a\x1b[2Jb"), SLICE("\x1b[31m\x7f\xff!"));
    struct diag *diag = diag_add(&f->list, DIAG_JSON_SYNTAX, (struct span){source, 6, 7},
                                 "\"%s\" is odd", "x\x1b[0m\ny\xfe");
    diag_hint(&f->list, diag, "not \r\xe2\x80\xae!");
    assert_string_equal(rendered(f),
                        "a [2Jb:1:7: error: \"x [0m y\xef\xbf\xbd\" is odd [json-syntax]\n"
                        "   [31m \xef\xbf\xbd!\n"
                        "        ^\n"
                        "  hint: not   !\n");
}

static void test_nearest_hint(void **state)
{
    struct fixture *f = *state;
    static const struct slice names[] = {{"name", 4}, {"gender", 6}};
    struct diag *diag = diag_add(&f->list, DIAG_JSON_SYNTAX, SPAN_NONE, "x");
    diag_hint_nearest(&f->list, diag, SLICE("weight"), names, 2);
    assert_int_equal(diag->hint.len, 0);
    diag_hint_nearest(&f->list, diag, SLICE("nmae"), names, 2);
    assert_string_equal(diag->hint.at, "did you mean \"name\"?");
}

static void test_every_code_has_a_row(void **state)
{
    (void)state;
    for (int i = 0; i < DIAG_CODE_COUNT; i++) {
        enum diag_code code = (enum diag_code)i;
        assert_true(diag_code_name(code)[0] != '\0');
        assert_true(diag_code_summary(code)[0] != '\0');
        assert_non_null(diag_kind_name(diag_code_kind(code)));
        assert_non_null(diag_severity_name(diag_code_severity(code)));
        for (int j = 0; j < i; j++) { /* editors and scripts match on names */
            assert_string_not_equal(diag_code_name(code), diag_code_name((enum diag_code)j));
        }
    }
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(test_text_with_place_and_hint),
        WITH(test_text_without_place),
        WITH(test_beyond_the_ceiling_they_are_counted),
        WITH(test_sorting_is_by_place_and_stable),
        WITH(test_a_long_line_is_cut_around_the_caret),
        WITH(test_what_is_quoted_cannot_play_tricks),
        WITH(test_nearest_hint),
        WITH(test_every_code_has_a_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
