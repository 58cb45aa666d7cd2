// uses: gateway/plan
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/plan/dress.h"
#include "gateway/writeback/look_up.h"

static const char identifier[] = "0196f0a0-0000-7000-8000-000000000001";
#define MARKER                                                                                     \
    "\"identifier\":[{\"system\":\"" DRESS_IDENTIFIER_SYSTEM                                       \
    "\",\"value\":\"urn:uuid:0196f0a0-0000-7000-8000-000000000001\"}]"
#define PLAN(rest)                                                                                 \
    "{\"resourceType\":\"CarePlan\",\"id\":\"1\",\"status\":\"draft\",\"title\":\"Plan\","         \
    "\"period\":{\"start\":\"2026-05-01\"}" rest "}"

static const struct json *read_text(struct arena *arena, const char *text)
{
    struct diag_list diags;
    const struct json *json = NULL;
    diag_init(&diags, arena, 5);
    assert_int_equal(json_parse(arena, source_create(arena, SLICE("t"), slice_of(text)),
                                &LIMITS_DEFAULT, &diags, &json),
                     STATUS_OK);
    return json;
}

static struct change change_of(void)
{
    struct change change = {
        .item = {.resource_type = SLICE("CarePlan"), .of = {.patient = SLICE("7")}}};
    assert_true(uuid_read(slice_of(identifier), &change.item.identifier));
    return change;
}

static void the_best_way_is_taken_that_the_ehr_offers(void **state)
{
    (void)state;
    static const struct {
        bool search;
        bool identifier;
        bool patient;
        enum look_up_way first;
        enum look_up_way next;
    } rows[] = {
        {true, true, true, LOOK_UP_IDENTIFIER, LOOK_UP_PATIENT},
        {true, true, false, LOOK_UP_IDENTIFIER, LOOK_UP_NONE},
        {true, false, true, LOOK_UP_PATIENT, LOOK_UP_NONE},
        {true, false, false, LOOK_UP_NONE, LOOK_UP_NONE},
        {false, true, true, LOOK_UP_NONE, LOOK_UP_NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ability ability = {.search = rows[i].search,
                                  .search_identifier = rows[i].identifier,
                                  .search_patient = rows[i].patient};
        assert_int_equal(look_up_first(&ability), rows[i].first);
        assert_int_equal(look_up_next(rows[i].first, &ability), rows[i].next);
    }
    assert_int_equal(look_up_first(NULL), LOOK_UP_IDENTIFIER);
    assert_int_equal(look_up_next(LOOK_UP_IDENTIFIER, NULL), LOOK_UP_PATIENT);
    assert_int_equal(look_up_next(LOOK_UP_PATIENT, NULL), LOOK_UP_NONE);
}

static void the_day_narrows_where_the_ehr_knows_it(void **state)
{
    struct arena *arena = *state;
    struct change change = change_of();
    struct ability ability = {.search = true, .search_patient = true, .search_date = true};
    const struct json *wanted = read_text(arena, PLAN("," MARKER));
    struct ehr_request request = look_up_request(arena, LOOK_UP_PATIENT, &change, wanted, &ability);
    assert_true(slice_is(request.query, "patient=Patient/7&date=2026-05-01"));
    ability.search_date = false;
    request = look_up_request(arena, LOOK_UP_PATIENT, &change, wanted, &ability);
    assert_true(slice_is(request.query, "patient=Patient/7"));
    request = look_up_request(arena, LOOK_UP_IDENTIFIER, &change, wanted, &ability);
    assert_int_equal(request.verb, EHR_FIND);
}

static void the_marker_is_sought_in_what_came(void **state)
{
    struct arena *arena = *state;
    struct change change = change_of();
    const struct json *wanted = read_text(arena, PLAN("," MARKER));
    static const struct {
        enum look_up_way way;
        const char *matches[2];
        bool answered;
        size_t count;
        bool doubtful;
    } rows[] = {
        {LOOK_UP_IDENTIFIER, {NULL}, true, 0, false},
        {LOOK_UP_IDENTIFIER, {PLAN("," MARKER)}, true, 1, false},
        {LOOK_UP_IDENTIFIER, {PLAN("," MARKER), PLAN("," MARKER)}, true, 2, false},
        /* it did not read the question: another plan came */
        {LOOK_UP_IDENTIFIER, {PLAN(",\"identifier\":[{\"value\":\"x\"}]")}, false, 0, false},
        {LOOK_UP_PATIENT, {PLAN(",\"identifier\":[{\"value\":\"x\"}]")}, true, 0, false},
        {LOOK_UP_PATIENT, {PLAN(""), PLAN("," MARKER)}, true, 1, true},
        /* the content without the marker: the EHR did not keep it */
        {LOOK_UP_PATIENT, {PLAN("")}, true, 0, true},
        {LOOK_UP_PATIENT, {PLAN(",\"note\":[{\"text\":\"seen\"}]")}, true, 0, true},
        {LOOK_UP_PATIENT, {"{\"resourceType\":\"CarePlan\",\"title\":\"Other\"}"}, true, 0, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct json *matches[2];
        struct ehr_answer answer = {.outcome = EHR_DONE, .matches = matches};
        while (answer.match_count < 2 && rows[i].matches[answer.match_count] != NULL) {
            matches[answer.match_count] = read_text(arena, rows[i].matches[answer.match_count]);
            answer.match_count++;
        }
        struct look_up_found found = {.count = 99};
        assert_int_equal(look_up_read(arena, rows[i].way, &answer, &change, wanted, &found),
                         rows[i].answered);
        if (rows[i].answered) {
            assert_int_equal(found.count, rows[i].count);
            assert_int_equal(found.doubtful, rows[i].doubtful);
            assert_int_equal(found.ours != NULL, rows[i].count != 0);
        }
    }
    struct look_up_found found;
    struct ehr_answer refused = {.outcome = EHR_REFUSED};
    assert_false(look_up_read(arena, LOOK_UP_IDENTIFIER, &refused, &change, wanted, &found));
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
        cmocka_unit_test(the_best_way_is_taken_that_the_ehr_offers),
        cmocka_unit_test(the_day_narrows_where_the_ehr_knows_it),
        cmocka_unit_test(the_marker_is_sought_in_what_came),
    };
    return cmocka_run_group_tests(tests, make_arena, drop_arena);
}
