// uses: fhir/json
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/plan/plan_accept.h"

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

#define DIV(body) "\"<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">" body "</div>\""

static const char base[] =
    "{\"resourceType\":\"CarePlan\",\"status\":\"draft\",\"title\":\"a\","
    "\"goal\":[{\"reference\":\"Goal/1\"},{\"reference\":\"Goal/2\"}],"
    "\"text\":{\"status\":\"generated\",\"div\":" DIV("<p>a</p><ul><li>x</li><li>y</li></ul>") "}}";
static const char decision[] =
    "{\"set\":{\"status\":\"active\",\"author\":{\"reference\":\"Practitioner/7\"}},"
    "\"drop\":[{\"reference\":\"Goal/2\"}],"
    "\"text\":{\"status\":\"generated\",\"div\":" DIV("<p></p><ul><li>x</li></ul>") "}}";

static void a_decision_sets_its_elements_and_leaves_the_rest(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    const struct json *theirs = read_text(
        arena,
        "{\"resourceType\":\"CarePlan\",\"id\":\"7\",\"status\":\"draft\",\"title\":\"Tuesday\","
        "\"note\":[{\"text\":\"n\"}],\"goal\":[{\"reference\":\"Goal/1\"},"
        "{\"reference\":\"Goal/2\"},{\"reference\":\"Goal/9\"}],"
        "\"text\":{\"status\":\"generated\",\"div\":" DIV(
            "<p>a</p><ul><li>x</li><li>y</li></ul>") "}}");
    const struct json *what = read_text(arena, decision);
    assert_false(plan_is_decided(what, theirs));
    struct json *decided = plan_decide(arena, what, read_text(arena, base), theirs);
    assert_string_equal(
        json_write(arena, decided, JSON_COMPACT).at,
        "{\"resourceType\":\"CarePlan\",\"id\":\"7\",\"status\":\"active\",\"title\":\"Tuesday\","
        "\"note\":[{\"text\":\"n\"}],\"text\":{\"status\":\"generated\",\"div\":" DIV(
            "<p>Tuesday</p><ul><li>x</li></ul>") "},"
                                                 "\"author\":{\"reference\":\"Practitioner/7\"},"
                                                 "\"goal\":[{\"reference\":\"Goal/"
                                                 "1\"},{\"reference\":\"Goal/9\"}]}");
    assert_true(plan_is_decided(what, decided));
    arena_destroy(&arena);
}

static void a_text_of_the_clinicians_stays(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    const struct json *theirs =
        read_text(arena, "{\"resourceType\":\"CarePlan\",\"status\":\"draft\","
                         "\"goal\":[{\"reference\":\"Goal/2\"}],"
                         "\"text\":{\"status\":\"additional\",\"div\":\"t\"}}");
    struct json *decided =
        plan_decide(arena, read_text(arena, decision), read_text(arena, base), theirs);
    assert_true(json_equal(json_get(decided, "text"), json_get(theirs, "text")));
    assert_null(json_get(decided, "goal")); /* no empty list */
    arena_destroy(&arena);
}

int main(void)
{
    json_library_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_decision_sets_its_elements_and_leaves_the_rest),
        cmocka_unit_test(a_text_of_the_clinicians_stays)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
