#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/ehr/capability.h"
#include "gateway/ehr/searchset.h"

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

static const char *const asked[] = {"_lastUpdated"};

#define PAGE(rest) "{\"resourceType\":\"Bundle\",\"type\":\"searchset\"" rest "}"

static void a_page_gives_matches_and_the_next_link(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    struct searchset set;
    const char *why = NULL;
    const struct json *page = read_text(
        arena, PAGE(",\"link\":[{\"relation\":\"self\",\"url\":\"https://e/f/"
                    "Observation?_lastUpdated=ge1&x=2\"},"
                    "{\"relation\":\"next\",\"url\":\"https://e:443/other?tok=%20\"}],\"entry\":["
                    "{\"resource\":{\"resourceType\":\"Observation\",\"id\":\"1\"},\"search\":{"
                    "\"mode\":\"match\"}},"
                    "{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"2\"},\"search\":{"
                    "\"mode\":\"include\"}},"
                    "{\"resource\":{\"resourceType\":\"Observation\",\"id\":\"3\"}}]"));
    assert_int_equal(searchset_read(arena, page, SLICE("https://e/f"), asked, 1, &set, &why),
                     STATUS_OK);
    assert_int_equal(set.match_count, 2);
    assert_string_equal(json_get_text(set.matches[1], "id").at, "3");
    assert_string_equal(set.next.at, "https://e:443/other?tok=%20");
    assert_false(set.filter_ignored);
    arena_destroy(&arena);
}

static void an_ignored_filter_is_noticed(void **state)
{
    (void)state;
    static const char *const pages[] = {
        PAGE(",\"link\":[{\"relation\":\"self\",\"url\":\"https://e/f/Observation?code=1\"}]"),
        PAGE(",\"link\":[{\"relation\":\"self\",\"url\":\"https://e/f/Observation\"}]"),
        PAGE(",\"entry\":[{\"resource\":{\"resourceType\":\"OperationOutcome\",\"issue\":[{"
             "\"severity\":\"warning\","
             "\"code\":\"not-supported\"}]},\"search\":{\"mode\":\"outcome\"}}]"),
        PAGE(",\"entry\":[{\"resource\":{\"resourceType\":\"OperationOutcome\",\"issue\":[{"
             "\"severity\":\"warning\","
             "\"code\":\"processing\",\"details\":{\"coding\":[{\"code\":\"4122\"}]}}]}}]"),
    };
    struct arena *arena = arena_create(0);
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        struct searchset set;
        const char *why = NULL;
        assert_int_equal(searchset_read(arena, read_text(arena, pages[i]), SLICE("https://e/f"),
                                        asked, 1, &set, &why),
                         STATUS_OK);
        assert_true(set.filter_ignored);
        assert_int_equal(set.match_count, 0);
    }
    arena_destroy(&arena);
}

static void what_is_no_page_or_leads_elsewhere_is_refused(void **state)
{
    (void)state;
    static const char *const pages[] = {
        "{\"resourceType\":\"Bundle\",\"type\":\"history\"}",
        "{\"resourceType\":\"OperationOutcome\"}",
        PAGE(",\"link\":[{\"relation\":\"next\",\"url\":\"https://evil/f?x\"}]"),
        PAGE(",\"link\":[{\"relation\":\"next\",\"url\":\"http://e/f?x\"}]"),
        PAGE(",\"link\":[{\"relation\":\"next\",\"url\":\"/f?x\"}]"),
        PAGE(",\"link\":[{\"relation\":\"next\",\"url\":\"https://e.evil/f?x\"}]"),
    };
    struct arena *arena = arena_create(0);
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        struct searchset set;
        const char *why = NULL;
        assert_int_equal(searchset_read(arena, read_text(arena, pages[i]), SLICE("https://e/f"),
                                        asked, 1, &set, &why),
                         STATUS_INVALID);
        assert_non_null(why);
    }
    arena_destroy(&arena);
}

static void a_statement_tells_how_to_write(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    const struct json *statement =
        read_text(arena, "{\"resourceType\":\"CapabilityStatement\",\"fhirVersion\":\"4.0.1\","
                         "\"format\":[\"xml\",\"json\"],"
                         "\"rest\":[{\"mode\":\"client\"},{\"mode\":\"server\",\"resource\":[{"
                         "\"type\":\"Goal\",\"interaction\":["
                         "{\"code\":\"create\"},{\"code\":\"read\"}],\"conditionalCreate\":true,"
                         "\"versioning\":\"versioned\","
                         "\"searchParam\":[{\"name\":\"identifier\"}]}]}]}");
    struct capability_facts facts;
    const char *why = NULL;
    assert_int_equal(capability_read(statement, &facts, &why), STATUS_OK);
    assert_false(facts.transaction);
    struct ability goal = capability_of(statement, "Goal");
    assert_true(goal.create && goal.read && goal.conditional_create && goal.version_aware &&
                goal.search_identifier);
    assert_false(goal.update || goal.search || goal.update_create || goal.search_last_updated);
    assert_false(capability_of(statement, "CarePlan").create);
    assert_int_equal(
        capability_read(read_text(arena,
                                  "{\"resourceType\":\"CapabilityStatement\",\"fhirVersion\":"
                                  "\"3.0.2\"}"),
                        &facts, &why),
        STATUS_INVALID);
    assert_string_equal(why, "the EHR speaks another version of FHIR than R4 (4.0.1)");
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
        cmocka_unit_test(a_page_gives_matches_and_the_next_link),
        cmocka_unit_test(an_ignored_filter_is_noticed),
        cmocka_unit_test(what_is_no_page_or_leads_elsewhere_is_refused),
        cmocka_unit_test(a_statement_tells_how_to_write),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
