// packages: eplan::pq
// stores: postgresql
// label: threaded
/* A claim behind what makes a patient's changes ready: one commit for both. */
#include "fixture.h"

#include <pthread.h>

/* ---- waiting for several ---- */

struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    size_t ended;
};

static void count(struct store_tx *tx, void *arg)
{
    struct waiting *waiting = arg;
    (void)tx;
    pthread_mutex_lock(&waiting->lock);
    waiting->ended++;
    pthread_cond_signal(&waiting->wake);
    pthread_mutex_unlock(&waiting->lock);
}

/* Both are done, in one commit. */
static void run_both(struct fixture *f, struct store_tx *first, struct store_tx *second)
{
    struct waiting waiting = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    const struct store_submission both[] = {{first, count, &waiting}, {second, count, &waiting}};
    uint64_t commits = store_load(f->store).commits;
    assert_int_equal(store_submit_together(f->store, both, 2), STATUS_OK);
    pthread_mutex_lock(&waiting.lock);
    while (waiting.ended < 2) {
        pthread_cond_wait(&waiting.wake, &waiting.lock);
    }
    pthread_mutex_unlock(&waiting.lock);
    assert_int_equal(store_load(f->store).commits, commits + 1);
}

static struct store_claim_changes claim_of(struct fixture *f, struct slice patient)
{
    struct store_claim_changes tx = STORE_TX(CLAIM_CHANGES);
    tx.tx.arena = f->arena;
    tx.in.ehr = NORTH;
    tx.in.patient = patient;
    tx.in.owner = SLICE("one");
    tx.in.lease_us = 60 * SECOND;
    tx.in.settle_us = 30 * SECOND;
    tx.in.patients_most = 10;
    tx.in.changes_most = 100;
    return tx;
}

static size_t claimed_of(struct fixture *f, struct slice patient)
{
    struct store_claim_changes tx = claim_of(f, patient);
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    return tx.out.count;
}

static struct attempt_result delivered(const struct change *change, const char *id)
{
    return (struct attempt_result){.change = change->id,
                                   .fence = change->fence,
                                   .outcome = ROW_DELIVERED,
                                   .reason = REASON_DELIVERED,
                                   .life = ITEM_DRAFT,
                                   .ehr_id = slice_of(id),
                                   .ehr_version = SLICE("1")};
}

/* ---- tests ---- */

static void each_step_of_a_plan_is_claimed_with_what_allows_it(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k", "p1", "e1");
    struct change changes[] = {change_of("p1", "water", 1, 0), change_of("p1", "active", 2, 0),
                               change_of("p1", "plan", 3, 2)};
    struct store_save_plan plan = plan_tx(&claim.evaluation, WORK_PLANNED, REASON_NONE, changes, 3);
    struct store_claim_changes goals = claim_of(f, SLICE("p1"));
    plan.in.facts = SLICE("facts");
    run_both(f, &plan.tx, &goals.tx);
    assert_int_equal(plan.tx.status, STATUS_OK);
    assert_int_equal(goals.out.count, 2);
    assert_int_equal(goals.out.changes[0].state, ROW_IN_FLIGHT);

    struct attempt_result result = delivered(&goals.out.changes[0], "g1");
    struct store_record_attempts record = STORE_TX(RECORD_ATTEMPTS);
    struct store_claim_changes none = claim_of(f, SLICE("p1"));
    record.in.results = &result;
    record.in.count = 1;
    run_both(f, &record.tx, &none.tx); /* the other goal is under way */
    assert_int_equal(none.tx.status, STATUS_OK);
    assert_int_equal(none.out.count, 0);

    struct store_claim_changes last = claim_of(f, SLICE("p1"));
    result = delivered(&goals.out.changes[1], "g2");
    run_both(f, &record.tx, &last.tx);
    assert_int_equal(last.out.count, 1);
    assert_int_equal(last.out.changes[0].order, 3);
    result = delivered(&last.out.changes[0], "c1");
    assert_int_equal(store_run(f->store, &record.tx), STATUS_OK);
    assert_message(f, claim.messages[0].id, WORK_DONE, REASON_DELIVERED);
    end(f);
}

static void a_refused_plan_makes_nothing_ready(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k", "p1", "e1");
    struct change change = change_of("p1", "water", 1, 0);
    struct evaluation stale = claim.evaluation;
    stale.fence--;
    struct store_save_plan plan = plan_tx(&stale, WORK_PLANNED, REASON_NONE, &change, 1);
    struct store_claim_changes next = claim_of(f, SLICE("p1"));
    run_both(f, &plan.tx, &next.tx);
    assert_int_equal(plan.tx.status, STATUS_REFUSED);
    assert_int_equal(next.tx.status, STATUS_OK);
    assert_int_equal(next.out.count, 0);
    end(f);
}

static void one_patient_is_claimed_alone_and_by_the_same_rules(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim one = ready(f, "k1", "p1", "e1");
    struct change first = change_of("p1", "water", 1, 0);
    plan_as(f, &one.evaluation, WORK_PLANNED, REASON_NONE, &first, 1);
    struct evaluation_claim two = ready(f, "k2", "p2", "e2");
    struct change second = change_of("p2", "water", 1, 0);
    plan_as(f, &two.evaluation, WORK_PLANNED, REASON_NONE, &second, 1);
    assert_int_equal(claimed_of(f, SLICE("p3")), 0);

    struct store_set_hold hold = STORE_TX(SET_HOLD);
    hold.in.ehr = NORTH;
    hold.in.patient = SLICE("p1");
    hold.in.on = true;
    hold.in.by = SLICE("ada");
    assert_int_equal(store_run(f->store, &hold.tx), STATUS_OK);
    assert_int_equal(claimed_of(f, SLICE("p1")), 0);
    assert_int_equal(claimed_of(f, SLICE("p2")), 1);
    hold.in.on = false;
    assert_int_equal(store_run(f->store, &hold.tx), STATUS_OK);

    ready(f, "k3", "p1", "e1"); /* the patient is being evaluated again */
    assert_int_equal(claimed_of(f, SLICE("p1")), 0);
    reopen(f);
    assert_int_equal(claimed_of(f, SLICE("p1")), 1);
    assert_int_equal(claimed_of(f, SLICE("p1")), 0);
    end(f);
}

static void all_are_queued_or_none(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct waiting waiting = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    store_close(&f->store);
    f->options.queue_items = 1; /* four times that for what is no new input */
    open_store(f);
    enum { MANY = 5 };
    struct store_claim_changes claims[MANY];
    struct store_submission of[MANY];
    for (size_t i = 0; i < MANY; i++) {
        claims[i] = claim_of(f, SLICE("p1"));
        of[i] = (struct store_submission){&claims[i].tx, count, &waiting};
    }
    assert_int_equal(store_submit_together(f->store, of, MANY), STATUS_AGAIN);
    assert_int_equal(store_load(f->store).items, 0);
    assert_int_equal(waiting.ended, 0);
    end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_step_of_a_plan_is_claimed_with_what_allows_it),
        cmocka_unit_test(a_refused_plan_makes_nothing_ready),
        cmocka_unit_test(one_patient_is_claimed_alone_and_by_the_same_rules),
        cmocka_unit_test(all_are_queued_or_none),
    };
    return cmocka_run_group_tests_name("store together", tests, NULL, NULL);
}
