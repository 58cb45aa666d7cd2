#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/plan/owns.h"

static void the_lists_settle_by_element(void **state)
{
    static const struct slice gateway[] = {{"care-plan.title", 15},
                                           {"care-plan.period", 16},
                                           {"goals.*.description", 19},
                                           {"goals.water.status", 18}};
    static const struct slice clinician[] = {{"*.status", 8}, {"orders.lipid.code", 17}};
    static const struct plan_owns owns = {gateway, 4, clinician, 2};
    static const struct {
        const char *item;
        const char *element;
        enum plan_owner owner;
    } rows[] = {
        {"care-plan", "title", OWNER_GATEWAY},
        {"care-plan", "titles", OWNER_NONE},
        {"care-plan", "period.start", OWNER_GATEWAY},
        {"care-plan", "description", OWNER_NONE},
        {"goals.water", "description", OWNER_GATEWAY},
        {"goals.water", "description.text", OWNER_GATEWAY},
        {"goals", "description", OWNER_NONE},
        {"orders.water", "description", OWNER_NONE},
        {"goals.water", "title", OWNER_NONE},
        {"care-plan", "status", OWNER_CLINICIAN},
        {"goals.water", "status", OWNER_CLINICIAN}, /* both lists */
        {"orders.lipid", "code", OWNER_CLINICIAN},
        {"orders.ferritin", "code", OWNER_NONE},
        {"care-plan", "", OWNER_NONE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(plan_owns_find(&owns, slice_of(rows[i].item), slice_of(rows[i].element)),
                         rows[i].owner);
    }
    assert_int_equal(plan_owns_find(NULL, SLICE("care-plan"), SLICE("title")), OWNER_NONE);
}

static void a_pattern_has_an_item_and_an_element(void **state)
{
    struct slice item;
    struct slice element;
    (void)state;
    static const char *const faults[] = {"",       "title",       "care-plan.",
                                         ".title", "goals.water", "goals.*."};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        assert_false(plan_owns_split(slice_of(faults[i]), &item, &element));
    }
    assert_true(plan_owns_split(SLICE("goals.*.target.dueDate"), &item, &element));
    assert_true(slice_is(item, "goals.*") && slice_is(element, "target.dueDate"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_lists_settle_by_element),
                                       cmocka_unit_test(a_pattern_has_an_item_and_an_element)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
