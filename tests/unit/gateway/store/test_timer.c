// packages: eplan::pq
// stores: postgresql
/* Timers: kept with a plan, replaced by the next one, void without it; each becomes one message
 * when it falls due. */
#include "fixture.h"

#define DAY (86400 * SECOND)

static struct visit_timer timer_of(const char *name, int64_t due)
{
    return (struct visit_timer){slice_of(name), due};
}

static void save(struct fixture *f, const struct evaluation_claim *claim,
                 const struct visit_timer *timers, size_t count)
{
    struct store_save_plan tx = plan_tx(&claim->evaluation, WORK_DONE, REASON_UNCHANGED, NULL, 0);
    tx.in.timers = timers;
    tx.in.timer_count = count;
    tx.in.visit_date = SLICE("2025-10-09");
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
}

static int64_t next_of(struct fixture *f)
{
    struct store_next next;
    assert_int_equal(store_read_next(f->store, NORTH, &next), STATUS_OK);
    return next.evaluation;
}

static void one_that_falls_due_makes_its_visit_due_once(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k1", "p1", "Encounter/e1");
    struct visit_timer timer = timer_of("recall", T0 + 42 * DAY);
    save(f, &claim, &timer, 1);
    assert_int_equal(next_of(f), timer.due);
    advance(f, 41 * DAY);
    assert_int_equal(claim_all(f, 10).out.count, 0);
    reopen(f);
    assert_int_equal(next_of(f), timer.due);
    advance(f, DAY);
    struct store_claim_evaluations rung = claim_all(f, 10);
    assert_int_equal(rung.out.count, 1);
    const struct evaluation_claim *again = &rung.out.claims[0];
    assert_true(slice_is(again->evaluation.patient, "p1"));
    assert_true(slice_is(again->evaluation.visit, "Encounter/e1"));
    assert_true(again->evaluation.at >= timer.due);
    assert_int_equal(again->message_count, 1);
    assert_int_equal(again->messages[0].kind, MESSAGE_TIMER);
    struct message message = message_now(f, again->messages[0].id);
    assert_true(slice_is(message.payload, "{\"timer\":\"recall\",\"date\":\"2025-10-09\"}"));
    reopen(f); /* as after a kill: the claim is lost, the visit still due */
    assert_int_equal(claim_all(f, 10).out.count, 1);
    check_rules(f);
    end(f);
}

static void it_is_not_kept_once_its_evaluation_saw_it_due(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k1", "p1", "e1");
    struct visit_timer timers[] = {timer_of("past", claim.evaluation.at),
                                   timer_of("meanwhile", claim.evaluation.at + SECOND)};
    save(f, &claim, timers, 2);
    struct store_claim_evaluations rung = claim_all(f, 10); /* 20 s later: the second is due */
    assert_int_equal(rung.out.count, 1);
    assert_int_equal(rung.out.claims[0].message_count, 1);
    save(f, &rung.out.claims[0], timers, 2);
    assert_int_equal(claim_all(f, 10).out.count, 0);
    assert_int_equal(next_of(f), INT64_MAX);
    end(f);
}

static void the_next_plan_of_the_visit_replaces_them(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k1", "p1", "e1");
    struct visit_timer first[] = {timer_of("recall", T0 + 10 * DAY),
                                  timer_of("referral", T0 + 5 * DAY)};
    save(f, &claim, first, 2);
    struct evaluation_claim other = ready(f, "k2", "p1", "e2"); /* another visit has its own */
    struct visit_timer own = timer_of("recall", T0 + 20 * DAY);
    save(f, &other, &own, 1);
    claim = ready(f, "k3", "p1", "e1");
    struct visit_timer second = timer_of("recall", T0 + 12 * DAY);
    save(f, &claim, &second, 1);
    assert_int_equal(next_of(f), T0 + 12 * DAY);
    claim = ready(f, "k4", "p1", "e1");
    struct store_save_plan failed =
        plan_tx(&claim.evaluation, WORK_HELD, REASON_EVALUATION_FAILED, NULL, 0);
    failed.in.keeps_timers = true;
    assert_int_equal(store_run(f->store, &failed.tx), STATUS_OK);
    assert_int_equal(next_of(f), T0 + 12 * DAY);
    claim = ready(f, "k5", "p1", "e1");
    save(f, &claim, NULL, 0); /* no plan: nothing to wait for */
    assert_int_equal(next_of(f), T0 + 20 * DAY);
    end(f);
}

static void a_plan_that_is_taken_back_ends_them(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k1", "p1", "e1");
    struct visit_timer timer = timer_of("recall", T0 + 10 * DAY);
    struct change change = change_of("p1", "a", 1, 0);
    struct store_save_plan plan = plan_tx(&claim.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
    plan.in.timers = &timer;
    plan.in.timer_count = 1;
    plan.in.visit_date = SLICE("2025-10-09");
    assert_int_equal(store_run(f->store, &plan.tx), STATUS_OK);
    deliver(f, &claim_changes(f, false).out.changes[0]);
    struct store_order order = STORE_TX(ORDER);
    struct change back = change_of("p1", "a", 1, 0);
    back.kind = CHANGE_WITHDRAW;
    order.in.ehr = NORTH;
    order.in.patient = SLICE("p1");
    order.in.visit = SLICE("e1");
    order.in.changes = &back;
    order.in.change_count = 1;
    order.in.what = SLICE("recalled");
    order.in.by = SLICE("nurse");
    order.in.ends_timers = true;
    assert_int_equal(next_of(f), timer.due);
    assert_int_equal(store_run(f->store, &order.tx), STATUS_OK);
    assert_int_equal(next_of(f), INT64_MAX);
    end(f);
}

static void many_ring_in_turn_and_none_twice(void **state)
{
    (void)state;
    enum { CHILDREN = 120 };
    struct fixture *f = begin();
    for (int i = 0; i < CHILDREN; i++) {
        char name[16];
        snprintf(name, sizeof name, "p%d", i);
        struct evaluation_claim claim = ready(f, name, name, "e1");
        struct visit_timer timer = timer_of("recall", T0 + 10 * DAY);
        save(f, &claim, &timer, 1);
    }
    advance(f, 10 * DAY);
    size_t rung = 0;
    for (int i = 0; i < 4; i++) {
        struct store_claim_evaluations tx = claim_all(f, CHILDREN);
        for (size_t k = 0; k < tx.out.count; k++) {
            assert_int_equal(tx.out.claims[k].message_count, 1);
            save(f, &tx.out.claims[k], NULL, 0);
        }
        rung += tx.out.count;
    }
    assert_int_equal(rung, CHILDREN);
    end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_falls_due_makes_its_visit_due_once),
        cmocka_unit_test(it_is_not_kept_once_its_evaluation_saw_it_due),
        cmocka_unit_test(the_next_plan_of_the_visit_replaces_them),
        cmocka_unit_test(a_plan_that_is_taken_back_ends_them),
        cmocka_unit_test(many_ring_in_turn_and_none_twice),
    };
    return cmocka_run_group_tests_name("store timer", tests, NULL, NULL);
}
