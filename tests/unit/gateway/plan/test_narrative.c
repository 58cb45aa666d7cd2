#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/plan/narrative.h"

static void every_value_is_escaped(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    const struct slice lines[] = {SLICE("a < b & c"), SLICE("\"quoted\" it's")};
    struct narrative narrative = {.title = SLICE("<script>"),
                                  .language = SLICE("en"),
                                  .paragraphs = {SLICE("x > y")},
                                  .paragraph_count = 1,
                                  .lines = lines,
                                  .line_count = 2};
    struct json *text = narrative_render(arena, &narrative);
    assert_string_equal(json_get_text(text, "status").at, "generated");
    assert_string_equal(
        json_get_text(text, "div").at,
        "<div xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\"><p>&lt;script&gt;</p><p>x &gt; "
        "y</p>"
        "<ul><li>a &lt; b &amp; c</li><li>&quot;quoted&quot; it&#39;s</li></ul></div>");
    assert_true(slice_is(narrative_language(text), "en"));
    assert_int_equal(narrative_language(NULL).len, 0);
    assert_null(narrative_renew(arena, NULL, text, true));
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_value_is_escaped)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
