#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/mapping/phrase.h"

struct row {
    const char *text;
    const char *value; /* of {n} */
    const char *want;  /* NULL: the phrase is refused */
    const char *sentence;
};

static const struct row rows[] = {
    {"plain", "1", "plain", NULL},
    {"", "1", "", NULL},
    {"a {n} b", "7", "a 7 b", NULL},
    {"{n, plural, one {# week} other {# weeks}}", "1", "1 week", NULL},
    {"{n, plural, one {# week} other {# weeks}}", "6", "6 weeks", NULL},
    {"{n, plural, one {} other {many}}", "1", "", NULL},
    {"{n,plural,other{x {n}}}", "1", "x 1", NULL},
    {"it''s '{'n'}' #", "1", "it's {n} #", NULL},
    {"1.0 {n, plural, one {one} other {other}}", "1.0", "1.0 other", NULL},
    {"{", "1", NULL, "a name is expected after the brace"},
    {"{n", "1", NULL, "this brace is not closed"},
    {"n}", "1", NULL, "this brace was never opened"},
    {"{n, select, a {b}}", "1", NULL, "only `plural` or `number` may follow a name here"},
    {"{n, plural, few {b}}", "1", NULL, "a plural has the forms one and other"},
    {"{n, plural, one {b}}", "1", NULL, "a plural needs the form `other`"},
    {"{n, plural, one {a} one {b} other {c}}", "1", NULL, "this form stands twice"},
};

static void check_row(struct arena *arena, const struct row *row)
{
    struct diag_list diags;
    diag_init(&diags, arena, 10);
    const struct phrase *phrase = NULL;
    struct source *source = source_create(arena, SLICE("text"), slice_of(row->text));
    enum status status = phrase_compile(arena, source, &diags, &phrase);
    if (row->want == NULL) {
        assert_int_equal(status, STATUS_INVALID);
        assert_string_equal(diags.first->sentence.at, row->sentence);
        return;
    }
    assert_int_equal(status, STATUS_OK);
    struct phrase_value value = {SLICE("n"), slice_of(row->value)};
    struct buf out;
    struct slice missing = SLICE_NONE;
    buf_init(&out, arena, 1000);
    assert_int_equal(phrase_render(phrase, SLICE("en"), &value, 1, &out, &missing), STATUS_OK);
    assert_string_equal(out.at, row->want);
}

static void phrases_render_or_say_why(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        check_row(arena, &rows[i]);
    }
    arena_destroy(&arena);
}

static void missing_value_is_named(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    struct diag_list diags;
    diag_init(&diags, arena, 10);
    const struct phrase *phrase = NULL;
    assert_int_equal(phrase_compile(arena, source_create(arena, SLICE("t"), SLICE("{a} {b} {a}")),
                                    &diags, &phrase),
                     STATUS_OK);
    const struct slice *names;
    assert_int_equal(phrase_names(phrase, &names), 2);
    struct phrase_value value = {SLICE("a"), SLICE("1")};
    struct buf out;
    struct slice missing = SLICE_NONE;
    buf_init(&out, arena, 100);
    assert_int_equal(phrase_render(phrase, SLICE("es"), &value, 1, &out, &missing), STATUS_ABSENT);
    assert_true(slice_is(missing, "b"));
    arena_destroy(&arena);
}

static enum status numbers_run(void *arg)
{
    static const struct {
        const char *language;
        const char *value;
        const char *want;
    } shown[] = {
        {"en", "1234.50", "1,234.50 steps 1,234.50"},
        {"es", "1234.5", "1234,5 steps 1234,5"},
        {"es", "12345", "12.345 steps 12.345"},
        {"es-MX", "1234.5", "1,234.5 steps 1,234.5"},
        {"en", "1", "1 step"},
        {"en", "1.0", "1.0 steps 1.0"},
        {"es", "1.0", "1,0 step"},
        {"en", "-1000", "-1,000 steps -1,000"},
        {"en", "many", "many steps many"},
    };
    struct arena *arena = arg;
    struct diag_list diags;
    const struct phrase *phrase = NULL;
    diag_init(&diags, arena, 5);
    struct source *source = source_create(
        arena, SLICE("t"), SLICE("{n, number} {n, plural, one {step} other {steps #}}"));
    assert_int_equal(phrase_compile(arena, source, &diags, &phrase), STATUS_OK);
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        struct phrase_value value = {SLICE("n"), slice_of(shown[i].value)};
        struct buf out;
        struct slice missing;
        buf_init(&out, arena, 1000);
        phrase_render(phrase, slice_of(shown[i].language), &value, 1, &out, &missing);
        assert_string_equal(out.at, shown[i].want);
    }
    assert_true(phrase_knows(SLICE("es-US")) && !phrase_knows(SLICE("fr")));
    return STATUS_OK;
}

static void numbers_are_written_as_the_language_does(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    assert_int_equal(arena_run(arena, numbers_run, arena), STATUS_OK);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phrases_render_or_say_why),
        cmocka_unit_test(numbers_are_written_as_the_language_does),
        cmocka_unit_test(missing_value_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
