/* States and reasons: one spelling, codes that never collide, words that a work-list may show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/work/change.h"
#include "gateway/work/state.h"

static void names_are_found_again(void **state)
{
    (void)state;
    for (unsigned code = WORK_RECEIVED; code <= WORK_DROPPED; code++) {
        enum work_state found = 0;
        assert_true(work_state_find(slice_of(work_state_name((enum work_state)code)), &found));
        assert_int_equal(found, code);
        assert_int_equal(work_state_is_end((enum work_state)code), code >= WORK_DONE);
    }
    for (unsigned code = 0; code < REASON_COUNT; code++) {
        enum reason found = REASON_NONE;
        assert_true(reason_find(slice_of(reason_name((enum reason)code)), &found));
        assert_int_equal(found, code); /* no two reasons share a name, and no code is unused */
    }
    for (unsigned code = ROW_PENDING; code <= ROW_DROPPED; code++) {
        assert_int_equal(row_state_is_end((enum row_state)code), code >= ROW_DELIVERED);
    }
    enum reason reason = REASON_RULE;
    assert_false(reason_find(SLICE("nonsense"), &reason));
    assert_int_equal(reason, REASON_RULE);
    assert_string_equal(reason_name((enum reason)999), "?");
    assert_string_equal(work_state_name((enum work_state)0), "?");
    assert_string_equal(row_state_name((enum row_state)99), "?");
}

static void sentences_name_no_category_and_no_diagnosis(void **state)
{
    (void)state;
    static const char *const never[] = {"obes",    "overweight", "BMI",    "percentile",
                                        "pregnan", "eating",     "weight", "diabet"};
    for (unsigned code = 0; code < REASON_COUNT; code++) {
        for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
            assert_null(strstr(reason_sentence((enum reason)code), never[i]));
            assert_null(strstr(reason_advice((enum reason)code), never[i]));
        }
        assert_true(strlen(reason_sentence((enum reason)code)) > 5);
    }
}

/* What a person has to look at says what to do. */
static void reasons_for_people_come_with_advice(void **state)
{
    (void)state;
    static const enum reason held[] = {
        REASON_SAFETY,   REASON_AMBIGUOUS_PATIENT, REASON_NO_PATIENT,       REASON_MERGED_PATIENT,
        REASON_OPERATOR, REASON_TRIES_EXHAUSTED,   REASON_CONFLICT,         REASON_POLICY,
        REASON_REFUSED,  REASON_OUTCOME_UNKNOWN,   REASON_PREDECESSOR,      REASON_DAMAGED,
        REASON_REVIEW,   REASON_FETCH_FAILED,      REASON_EVALUATION_FAILED};
    for (size_t i = 0; i < sizeof held / sizeof *held; i++) {
        assert_true(strlen(reason_advice(held[i])) > 5);
        assert_false(reason_none_needed(held[i]));
    }
}

static void lives_and_kinds_have_words(void **state)
{
    (void)state;
    assert_string_equal(item_life_name(ITEM_ACCEPTED), "accepted");
    assert_string_equal(item_life_name((enum item_life)77), "?");
    assert_string_equal(change_kind_name(CHANGE_WITHDRAW), "withdraw");
    assert_string_equal(change_kind_name((enum change_kind)0), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_again),
        cmocka_unit_test(sentences_name_no_category_and_no_diagnosis),
        cmocka_unit_test(reasons_for_people_come_with_advice),
        cmocka_unit_test(lives_and_kinds_have_words),
    };
    return cmocka_run_group_tests_name("states and reasons", tests, NULL, NULL);
}
