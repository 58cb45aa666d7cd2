#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/ehr/capability.h"

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

#define STATEMENT(version, format, rest)                                                           \
    "{\"resourceType\":\"CapabilityStatement\",\"fhirVersion\":\"" version "\"," format            \
    "\"rest\":[{\"mode\":\"client\"},{\"mode\":\"server\"," rest "}]}"

static void test_facts(void **state)
{
    struct arena *arena = *state;
    static const struct {
        const char *text;
        bool good;
        bool transaction;
    } rows[] = {
        {STATEMENT("4.0.1", "\"format\":[\"xml\",\"json\"],",
                   "\"interaction\":[{\"code\":\"batch\"},{\"code\":\"transaction\"}]"),
         true, true},
        {STATEMENT("4.0.1", "\"format\":[\"application/fhir+json\"],", "\"resource\":[]"), true,
         false},
        {STATEMENT("4.0.1", "", "\"resource\":[]"), true, false},
        {STATEMENT("4.0.1", "\"format\":[\"application/fhir+xml\"],", "\"resource\":[]"), false,
         false},
        {STATEMENT("5.0.0", "", "\"resource\":[]"), false, false},
        {STATEMENT("3.0.2", "", "\"resource\":[]"), false, false},
        {"{\"resourceType\":\"OperationOutcome\"}", false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct capability_facts facts = {.transaction = false};
        const char *why = NULL;
        enum status status = capability_read(read_text(arena, rows[i].text), &facts, &why);
        assert_int_equal(status, rows[i].good ? STATUS_OK : STATUS_INVALID);
        assert_int_equal(facts.transaction, rows[i].transaction);
        assert_int_equal(why == NULL, rows[i].good);
    }
}

/* As seen in the field: repeated codes, an empty list, no versioning (field: WRITEBACK 3.1). */
static void test_abilities(void **state)
{
    struct arena *arena = *state;
    const struct json *statement = read_text(
        arena,
        STATEMENT(
            "4.0.1", "",
            "\"resource\":[{\"type\":\"Group\",\"interaction\":[]},"
            "{\"type\":\"CarePlan\",\"interaction\":[{\"code\":\"read\"},{\"code\":\"read\"},"
            "{\"code\":\"search-type\"}],\"searchParam\":[{\"name\":\"patient\"}]},"
            "{\"type\":\"Goal\",\"interaction\":[{\"code\":\"create\"},{\"code\":\"update\"}],"
            "\"versioning\":\"versioned-update\",\"conditionalCreate\":true,"
            "\"searchParam\":[{\"name\":\"identifier\"},{\"name\":\"_lastUpdated\"}]}]"));
    struct ability plan = capability_of(statement, "CarePlan");
    assert_true(plan.read && plan.search && !plan.create && !plan.update);
    assert_true(!plan.version_aware && !plan.conditional_create && !plan.search_identifier);
    struct ability goal = capability_of(statement, "Goal");
    assert_true(goal.create && goal.update && goal.version_aware && goal.conditional_create);
    assert_true(goal.search_identifier && goal.search_last_updated && !goal.update_create);
    struct ability none = capability_of(statement, "Task");
    assert_false(none.read || none.search || none.create || none.update);
    assert_false(capability_of(statement, "Group").read);
}

static int make_arena(void **state)
{
    json_library_init();
    *state = arena_create(0);
    return *state == NULL;
}

static int drop_arena(void **state)
{
    struct arena *arena = *state;
    arena_destroy(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_abilities),
    };
    return cmocka_run_group_tests(tests, make_arena, drop_arena);
}
