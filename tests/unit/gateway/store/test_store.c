// packages: eplan::pq
// stores: postgresql
/* The transactions, one by one. After each test every rule of INVARIANTS.md is checked. */
#include "fixture.h"

#include <fcntl.h>

/* ---- a: accept ---- */

static void a_new_message_is_received_and_its_visit_due_after_settling(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct uuid id = accept_for(f, "north/Observation/w1/1", "p1", "Encounter/e1");
    struct message message = message_now(f, id);
    assert_message(f, id, WORK_RECEIVED, REASON_NONE);
    assert_int_equal(message.received, T0);
    assert_true(slice_is(message.payload, "{\"resourceType\":\"Observation\"}"));
    assert_true(slice_is(message.ehr, "north"));
    assert_true(slice_is(message.resource_type, "Observation"));
    assert_int_equal(claim_all(f, 10).out.count, 0);
    struct store_next next;
    assert_int_equal(store_read_next(f->store, NORTH, &next), STATUS_OK);
    assert_int_equal(next.evaluation, T0 + 20 * SECOND);
    assert_int_equal(next.change, INT64_MAX);
    advance(f, 20 * SECOND);
    struct store_claim_evaluations tx = claim_all(f, 10);
    assert_int_equal(tx.out.count, 1);
    assert_int_equal(tx.out.claims[0].message_count, 1);
    assert_true(uuid_equal(tx.out.claims[0].messages[0].id, id));
    assert_true(slice_is(tx.out.claims[0].evaluation.visit, "Encounter/e1"));
    assert_int_equal(tx.out.claims[0].evaluation.at, T0);
    end(f);
}

static void settling_ends_two_minutes_after_the_first(void **state)
{
    (void)state;
    struct fixture *f = begin();
    for (int i = 0; i < 20; i++) {
        char key[32];
        snprintf(key, sizeof key, "k%d", i);
        accept_for(f, key, "p1", "e1");
        struct store_next next;
        int64_t now = T0 + i * 10 * SECOND;
        int64_t quiet = now + 20 * SECOND;
        int64_t most = T0 + 120 * SECOND;
        if (now < most) {
            assert_int_equal(claim_all(f, 10).out.count, 0);
        }
        store_read_next(f->store, NORTH, &next);
        if (now >= most) {
            break;
        }
        assert_int_equal(next.evaluation, quiet < most ? quiet : most);
        advance(f, 10 * SECOND);
    }
    struct store_claim_evaluations tx = claim_all(f, 10);
    assert_int_equal(tx.out.count, 1); /* one evaluation for all of them */
    assert_int_equal(tx.out.claims[0].message_count, 13);
    end(f);
}

static void a_repeat_adds_no_row(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct uuid first = accept_for(f, "k", "p1", "e1");
    struct trigger trigger = {SLICE("p1"), SLICE("e1")};
    struct store_accept again = accept_tx("k", &trigger, 1);
    advance(f, 10 * SECOND);
    assert_int_equal(store_run(f->store, &again.tx), STATUS_OK);
    assert_true(again.out.repeat);
    assert_true(uuid_equal(again.out.message, first));
    struct store_next next;
    store_read_next(f->store, NORTH, &next);
    assert_int_equal(next.evaluation, T0 + 20 * SECOND); /* not put off */

    struct store_accept other = accept_tx("k", &trigger, 1);
    other.in.message.sender = SLICE("another");
    assert_int_equal(store_run(f->store, &other.tx), STATUS_OK);
    assert_false(other.out.repeat);
    struct store_accept elsewhere = accept_tx("k", &trigger, 1);
    elsewhere.in.message.ehr = SLICE("south");
    assert_int_equal(store_run(f->store, &elsewhere.tx), STATUS_OK);
    assert_false(elsewhere.out.repeat);
    end(f);
}

/* 30, 31, 30 kg must not end on 31. */
static void a_repeat_by_body_hash_makes_the_visit_due_again(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct trigger trigger = {SLICE("p1"), SLICE("e1")};
    struct store_accept tx = accept_tx("hash-of-30", &trigger, 1);
    tx.in.key_is_body_hash = true;
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    struct uuid message = tx.out.message;
    advance(f, 20 * SECOND);
    struct store_claim_evaluations claim = claim_all(f, 1);
    plan_as(f, &claim.out.claims[0].evaluation, WORK_DROPPED, REASON_RULE, NULL, 0);
    assert_message(f, message, WORK_DROPPED, REASON_RULE);
    tx = accept_tx("hash-of-30", &trigger, 1);
    tx.in.key_is_body_hash = true;
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    assert_true(tx.out.repeat);
    advance(f, 20 * SECOND);
    claim = claim_all(f, 1);
    assert_int_equal(claim.out.count, 1);
    assert_message(f, message, WORK_DROPPED, REASON_RULE); /* its own end stands */
    plan_as(f, &claim.out.claims[0].evaluation, WORK_DROPPED, REASON_RULE, NULL, 0);
    end(f);
}

static struct store_accept deletion_tx(const char *key, const char *resource)
{
    struct store_accept tx = accept_tx(key, NULL, 0);
    tx.in.message.resource_id = slice_of(resource);
    tx.in.message.resource_version = SLICE_NONE;
    tx.in.message.payload = SLICE_NONE;
    tx.in.is_deletion = true;
    tx.in.end_state = WORK_DROPPED;
    tx.in.end_reason = REASON_WITHDRAWN;
    return tx;
}

static void a_deletion_makes_due_what_the_resource_made_due(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "w1 as 1", "p1", "Encounter/e1");
    struct uuid told = claim.messages[0].id;
    plan_as(f, &claim.evaluation, WORK_DROPPED, REASON_RULE, NULL, 0);
    for (int i = 0; i < 2; i++) { /* a second one finds what told of it, not the first deletion */
        struct store_accept tx =
            deletion_tx(i == 0 ? "Observation/w1/deleted/1" : "Observation/w1/deleted/2", "w1");
        assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
        assert_message(f, tx.out.message, WORK_RECEIVED, REASON_NONE);
        advance(f, 20 * SECOND);
        struct store_claim_evaluations due = claim_all(f, 10);
        assert_int_equal(due.out.count, 1);
        assert_true(slice_is(due.out.claims[0].evaluation.patient, "p1"));
        assert_true(slice_is(due.out.claims[0].evaluation.visit, "Encounter/e1"));
        assert_int_equal(due.out.claims[0].message_count, 2);
        assert_true(uuid_equal(due.out.claims[0].messages[0].id, told));
        plan_as(f, &due.out.claims[0].evaluation, WORK_HELD, REASON_SAFETY, NULL, 0);
        assert_message(f, tx.out.message, WORK_HELD, REASON_SAFETY);
        assert_message(f, told, WORK_DROPPED, REASON_RULE); /* its own end stands */
    }
    end(f);
}

/* In one group with the message that tells of it: nothing was sorted yet. */
static void a_deletion_finds_a_message_that_came_just_before(void **state)
{
    (void)state;
    struct fixture *f = begin();
    accept_for(f, "w1 as 1", "p1", "e1");
    struct store_accept tx = deletion_tx("deleted/1", "w1");
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    assert_message(f, tx.out.message, WORK_RECEIVED, REASON_NONE);
    struct store_accept again = deletion_tx("deleted/1", "w1");
    assert_int_equal(store_run(f->store, &again.tx), STATUS_OK);
    assert_true(again.out.repeat);
    end(f);
}

static void a_deletion_of_what_was_never_seen_is_dropped(void **state)
{
    (void)state;
    struct fixture *f = begin();
    accept_for(f, "w1 as 1", "p1", "e1");
    struct store_accept tx = deletion_tx("deleted/1", "w2");
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    assert_message(f, tx.out.message, WORK_DROPPED, REASON_WITHDRAWN);
    end(f);
}

static void a_key_is_a_repeat_within_its_window_only(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct trigger trigger = {SLICE("p1"), SLICE("e1")};
    struct store_accept tx = accept_tx("k", &trigger, 1);
    tx.in.key_window_us = 24 * 3600 * SECOND;
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    struct uuid first = tx.out.message;
    advance(f, 24 * 3600 * SECOND - 1);
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    assert_true(tx.out.repeat);
    advance(f, 1);
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    assert_false(tx.out.repeat);
    assert_false(uuid_equal(tx.out.message, first));
    end(f);
}

static void a_message_without_triggers_ends_at_once(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct store_accept tx = accept_tx("k", NULL, 0);
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_INVALID); /* no end was said */
    tx.in.end_state = WORK_DROPPED;
    tx.in.end_reason = REASON_NO_TRIGGER;
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    assert_message(f, tx.out.message, WORK_DROPPED, REASON_NO_TRIGGER);
    tx = accept_tx("k2", NULL, 0);
    tx.in.end_state = WORK_HELD;
    tx.in.end_reason = REASON_AMBIGUOUS_PATIENT;
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    struct open_page page;
    assert_int_equal(store_list_open(f->store, f->arena, SLICE_NONE, UUID_NONE, 10, &page),
                     STATUS_OK);
    assert_int_equal(page.count, 1);
    assert_true(page.at[0].is_message);
    assert_int_equal(page.at[0].reason, REASON_AMBIGUOUS_PATIENT);
    end(f);
}

static void a_message_may_concern_several_visits(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct trigger triggers[] = {{SLICE("p1"), SLICE("e1")}, {SLICE("p2"), SLICE("e2")}};
    struct store_accept tx = accept_tx("bundle", triggers, 2);
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    advance(f, 20 * SECOND);
    struct store_claim_evaluations claim = claim_all(f, 10);
    assert_int_equal(claim.out.count, 2);
    plan_as(f, &claim.out.claims[0].evaluation, WORK_DROPPED, REASON_RULE, NULL, 0);
    assert_message(f, tx.out.message, WORK_RECEIVED, REASON_NONE); /* the other is still open */
    plan_as(f, &claim.out.claims[1].evaluation, WORK_HELD, REASON_SAFETY, NULL, 0);
    assert_message(f, tx.out.message, WORK_HELD, REASON_SAFETY); /* held weighs most */
    end(f);
}

/* ---- b: claims ---- */

static void one_patient_has_one_claim(void **state)
{
    (void)state;
    struct fixture *f = begin();
    accept_for(f, "k1", "p1", "e1");
    accept_for(f, "k2", "p1", "e2");
    accept_for(f, "k3", "p2", "e3");
    advance(f, 20 * SECOND);
    struct store_claim_evaluations first = claim_all(f, 10);
    assert_int_equal(first.out.count, 2);
    assert_int_equal(claim_all(f, 10).out.count, 0);
    check_rules(f);
    plan_as(f, &first.out.claims[0].evaluation, WORK_DROPPED, REASON_RULE, NULL, 0);
    struct store_claim_evaluations second = claim_all(f, 10);
    assert_int_equal(second.out.count, 1);
    assert_true(slice_is(second.out.claims[0].evaluation.visit, "e2"));
    end(f);
}

static void a_claim_that_ran_out_is_taken_over_and_its_fence_is_void(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim old = ready(f, "k", "p1", "e1");
    struct store_renew renew = STORE_TX(RENEW);
    renew.in.id = old.evaluation.id;
    renew.in.fence = old.evaluation.fence;
    renew.in.lease_us = 100 * SECOND;
    assert_int_equal(store_run(f->store, &renew.tx), STATUS_OK);
    advance(f, 99 * SECOND);
    assert_int_equal(claim_all(f, 1).out.count, 0);
    advance(f, SECOND);
    struct store_claim_evaluations taken = claim_all(f, 1);
    assert_int_equal(taken.out.count, 1);
    assert_true(taken.out.claims[0].evaluation.fence > old.evaluation.fence);
    assert_int_equal(taken.out.claims[0].evaluation.tries, 2);
    assert_int_equal(taken.out.claims[0].evaluation.at, old.evaluation.at);
    assert_int_equal(store_run(f->store, &renew.tx), STATUS_REFUSED);
    struct store_save_plan late = plan_tx(&old.evaluation, WORK_HELD, REASON_SAFETY, NULL, 0);
    assert_int_equal(store_run(f->store, &late.tx), STATUS_REFUSED);
    struct store_save_context context = STORE_TX(SAVE_CONTEXT);
    context.in.evaluation = old.evaluation.id;
    context.in.fence = old.evaluation.fence;
    assert_int_equal(store_run(f->store, &context.tx), STATUS_REFUSED);
    end(f);
}

static void a_released_evaluation_waits_for_its_time(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k", "p1", "e1");
    struct store_release release = STORE_TX(RELEASE);
    release.in.evaluation = claim.evaluation.id;
    release.in.fence = claim.evaluation.fence;
    release.in.not_before = T0 + 100 * SECOND;
    release.in.reason = REASON_FETCH_FAILED;
    assert_int_equal(store_run(f->store, &release.tx), STATUS_OK);
    assert_int_equal(store_run(f->store, &release.tx), STATUS_REFUSED);
    accept_for(f, "k2", "p1", "e1"); /* does not hurry it */
    advance(f, 79 * SECOND);
    assert_int_equal(claim_all(f, 1).out.count, 0);
    advance(f, SECOND);
    struct store_claim_evaluations again = claim_all(f, 1);
    assert_int_equal(again.out.count, 1);
    assert_int_equal(again.out.claims[0].message_count, 2);
    end(f);
}

static void a_message_during_evaluation_makes_the_visit_due_again(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct uuid first = accept_for(f, "k1", "p1", "e1");
    advance(f, 20 * SECOND);
    struct evaluation_claim claim = claim_all(f, 1).out.claims[0];
    struct uuid second = accept_for(f, "k2", "p1", "e1");
    plan_as(f, &claim.evaluation, WORK_HELD, REASON_SAFETY, NULL, 0);
    assert_message(f, first, WORK_HELD, REASON_SAFETY);
    assert_message(f, second, WORK_RECEIVED, REASON_NONE);
    advance(f, 20 * SECOND);
    claim = claim_all(f, 1).out.claims[0];
    assert_int_equal(claim.message_count, 1);
    plan_as(f, &claim.evaluation, WORK_DROPPED, REASON_RULE, NULL, 0);
    assert_message(f, second, WORK_DROPPED, REASON_RULE);
    /* The held one was answered by the later one: it is no longer on anyone's list. */
    struct open_page page;
    assert_int_equal(store_list_open(f->store, f->arena, NORTH, UUID_NONE, 10, &page), STATUS_OK);
    assert_int_equal(page.count, 0);
    end(f);
}

static void a_release_while_the_visit_is_due_again_coalesces(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct uuid first = accept_for(f, "k1", "p1", "e1");
    advance(f, 20 * SECOND);
    struct evaluation_claim claim = claim_all(f, 1).out.claims[0];
    struct uuid second = accept_for(f, "k2", "p1", "e1");
    assert_int_equal(claim_all(f, 1).out.count, 0); /* sorted: the visit waits a second time */
    struct store_release release = STORE_TX(RELEASE);
    release.in.evaluation = claim.evaluation.id;
    release.in.fence = claim.evaluation.fence;
    assert_int_equal(store_run(f->store, &release.tx), STATUS_OK);
    struct message_way way = way_of(f, first);
    assert_int_equal(way.evaluation_count, 2);
    assert_int_equal(way.evaluations[1].evaluation.reason, REASON_COALESCED);
    assert_message(f, first, WORK_RECEIVED, REASON_NONE);
    advance(f, 20 * SECOND);
    claim = claim_all(f, 1).out.claims[0];
    assert_int_equal(claim.message_count, 2);
    plan_as(f, &claim.evaluation, WORK_HANDED_OVER, REASON_NO_TEMPLATE, NULL, 0);
    assert_message(f, first, WORK_HANDED_OVER, REASON_NO_TEMPLATE);
    assert_message(f, second, WORK_HANDED_OVER, REASON_NO_TEMPLATE);
    end(f);
}

static void a_message_that_is_not_sorted_yet_joins_what_was_released(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct uuid first = accept_for(f, "k1", "p1", "e1");
    advance(f, 20 * SECOND);
    struct evaluation_claim claim = claim_all(f, 1).out.claims[0];
    struct uuid second = accept_for(f, "k2", "p1", "e1");
    struct store_release release = STORE_TX(RELEASE);
    release.in.evaluation = claim.evaluation.id;
    release.in.fence = claim.evaluation.fence;
    assert_int_equal(store_run(f->store, &release.tx), STATUS_OK);
    assert_message(f, second, WORK_RECEIVED, REASON_NONE);
    advance(f, 20 * SECOND);
    claim = claim_all(f, 1).out.claims[0];
    assert_int_equal(claim.message_count, 2);
    assert_int_equal(way_of(f, first).evaluation_count, 1);
    end(f);
}

/* ---- c: context ---- */

static void facts_survive_a_lost_claim_until_a_newer_message(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k1", "p1", "e1");
    struct store_save_context context = STORE_TX(SAVE_CONTEXT);
    context.in.evaluation = claim.evaluation.id;
    context.in.fence = claim.evaluation.fence;
    context.in.facts = SLICE("facts");
    assert_int_equal(store_run(f->store, &context.tx), STATUS_OK);
    assert_message(f, claim.messages[0].id, WORK_RESOLVED, REASON_NONE);
    reopen(f); /* as after a crash: claims end */
    claim = claim_all(f, 1).out.claims[0];
    assert_int_equal(claim.evaluation.state, WORK_RESOLVED);
    assert_true(slice_is(claim.facts, "facts"));
    reopen(f);
    accept_for(f, "k2", "p1", "e1");
    assert_int_equal(claim_all(f, 1).out.count, 0); /* it is put off: the visit settles again */
    assert_message(f, claim.messages[0].id, WORK_RECEIVED, REASON_NONE);
    advance(f, 20 * SECOND);
    claim = claim_all(f, 1).out.claims[0];
    assert_int_equal(claim.evaluation.state, WORK_RECEIVED);
    assert_int_equal(claim.facts.len, 0);
    end(f);
}

/* ---- d, e, f: plans and delivery ---- */

static void a_plan_is_delivered_in_order_and_ends_its_message(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k", "p1", "e1");
    struct uuid message = claim.messages[0].id;
    struct change changes[] = {change_of("p1", "water", 1, 0), change_of("p1", "active", 2, 0),
                               change_of("p1", "plan", 3, 2)};
    assert_int_equal(plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, changes, 3),
                     WORK_PLANNED);
    assert_message(f, message, WORK_PLANNED, REASON_NONE);
    struct store_claim_changes goals = claim_changes(f, false);
    assert_int_equal(goals.out.count, 2);
    assert_true(slice_is(goals.out.changes[0].item.of.key, "water"));
    assert_true(slice_is(goals.out.changes[0].body, "{\"resourceType\":\"Goal\"}"));
    assert_int_equal(goals.out.changes[0].tries, 1);
    assert_int_equal(goals.out.changes[0].state, ROW_IN_FLIGHT);
    assert_int_equal(claim_changes(f, false).out.count, 0); /* one at a time for a patient */
    check_rules(f);
    deliver(f, &goals.out.changes[0]);
    deliver(f, &goals.out.changes[1]);
    assert_message(f, message, WORK_PLANNED, REASON_NONE);
    struct store_claim_changes plan = claim_changes(f, false);
    assert_int_equal(plan.out.count, 1);
    assert_true(slice_is(plan.out.changes[0].item.of.key, "plan"));
    deliver(f, &plan.out.changes[0]);
    assert_message(f, message, WORK_DONE, REASON_DELIVERED);
    struct item item;
    assert_int_equal(store_find_item(f->store, f->arena, changes[2].item.identifier, &item),
                     STATUS_OK);
    assert_int_equal(item.life, ITEM_DRAFT);
    assert_true(slice_is(item.base, "{\"resourceType\":\"Goal\",\"id\":\"g1\"}"));
    struct item same;
    assert_int_equal(
        store_find_item_by_resource(f->store, f->arena, NORTH, SLICE("Goal"), item.ehr_id, &same),
        STATUS_OK);
    assert_true(uuid_equal(same.identifier, item.identifier));
    item.of.episode = 0;
    assert_int_equal(store_find_item_by_key(f->store, f->arena, &item.of, &same), STATUS_OK);
    assert_int_equal(same.of.episode, 1);
    end(f);
}

static void the_rows_of_a_transaction_are_claimed_together(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k", "p1", "e1");
    struct change changes[] = {change_of("p1", "water", 1, 0), change_of("p1", "plan", 2, 1)};
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, changes, 2);
    struct store_claim_changes all = claim_changes(f, true);
    assert_int_equal(all.out.count, 2);
    struct attempt_result results[2];
    for (int i = 0; i < 2; i++) {
        results[i] = (struct attempt_result){.change = all.out.changes[i].id,
                                             .fence = all.out.changes[i].fence,
                                             .outcome = ROW_DELIVERED,
                                             .reason = REASON_DELIVERED,
                                             .life = ITEM_DRAFT,
                                             .ehr_id = i == 0 ? SLICE("g") : SLICE("c"),
                                             .ehr_version = SLICE("1")};
    }
    struct store_record_attempts tx = STORE_TX(RECORD_ATTEMPTS);
    tx.in.results = results;
    tx.in.count = 2;
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    assert_int_equal(tx.out.evaluations_ended, 1);
    assert_message(f, claim.messages[0].id, WORK_DONE, REASON_DELIVERED);
    end(f);
}

static void a_retry_waits_and_counts(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k", "p1", "e1");
    struct change change = change_of("p1", "water", 1, 0);
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
    struct change first = claim_changes(f, false).out.changes[0];
    int64_t later = T0 + 60 * SECOND;
    assert_int_equal(record(f, &first, ROW_SCHEDULED, REASON_NONE, later), STATUS_OK);
    assert_int_equal(record(f, &first, ROW_SCHEDULED, REASON_NONE, later), STATUS_REFUSED);
    struct store_next next;
    store_read_next(f->store, NORTH, &next);
    assert_int_equal(next.change, later);
    assert_int_equal(claim_changes(f, false).out.count, 0);
    advance(f, 40 * SECOND);
    struct change second = claim_changes(f, false).out.changes[0];
    assert_int_equal(second.tries, 2);
    assert_false(second.look_up);
    assert_int_equal(record(f, &second, ROW_HELD, REASON_TRIES_EXHAUSTED, 0), STATUS_OK);
    assert_message(f, claim.messages[0].id, WORK_HELD, REASON_TRIES_EXHAUSTED);
    struct message_way way = way_of(f, claim.messages[0].id);
    assert_int_equal(way.evaluations[0].attempt_count, 2);
    assert_int_equal(way.evaluations[0].attempts[0].outcome, ROW_SCHEDULED);
    assert_int_equal(way.evaluations[0].attempts[1].http_status, 503);
    end(f);
}

static void an_unknown_outcome_is_looked_up_before_anything_else(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k", "p1", "e1");
    struct change changes[] = {change_of("p1", "water", 1, 0), change_of("p1", "active", 2, 0)};
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, changes, 2);
    struct store_claim_changes sent = claim_changes(f, false);
    int64_t settled = T0 + 50 * SECOND;
    assert_int_equal(record(f, &sent.out.changes[0], ROW_UNKNOWN, REASON_OUTCOME_UNKNOWN, settled),
                     STATUS_OK);
    assert_int_equal(record(f, &sent.out.changes[1], ROW_SCHEDULED, REASON_NONE, 0), STATUS_OK);
    /* A message arrives: the patient is not evaluated while this is unknown. */
    accept_for(f, "k2", "p1", "e1");
    advance(f, 29 * SECOND);
    assert_int_equal(claim_changes(f, false).out.count, 0); /* nor is the other one sent */
    assert_int_equal(claim_all(f, 1).out.count, 0);
    advance(f, SECOND);
    struct store_claim_changes look = claim_changes(f, false);
    assert_int_equal(look.out.count, 1);
    assert_true(look.out.changes[0].look_up);
    deliver(f, &look.out.changes[0]); /* it was found */
    assert_int_equal(claim_all(f, 1).out.count, 1);
    end(f);
}

static void what_was_in_flight_at_a_crash_is_unknown_after_it(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k", "p1", "e1");
    struct change change = change_of("p1", "water", 1, 0);
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
    struct change old = claim_changes(f, false).out.changes[0];
    reopen(f);
    check_rules(f);
    assert_int_equal(record(f, &old, ROW_DELIVERED, REASON_DELIVERED, 0), STATUS_REFUSED);
    assert_int_equal(claim_changes(f, false).out.count, 0);
    advance(f, 30 * SECOND); /* settle */
    struct store_claim_changes look = claim_changes(f, false);
    assert_int_equal(look.out.count, 1);
    assert_true(look.out.changes[0].look_up);
    assert_int_equal(look.out.changes[0].tries, 2);
    deliver(f, &look.out.changes[0]);
    assert_message(f, claim.messages[0].id, WORK_DONE, REASON_DELIVERED);
    end(f);
}

static void a_lost_lease_makes_a_change_unknown(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k", "p1", "e1");
    struct change change = change_of("p1", "water", 1, 0);
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
    struct change old = claim_changes(f, false).out.changes[0];
    advance(f, 60 * SECOND);
    assert_int_equal(claim_changes(f, false).out.count, 0); /* found lost; now it settles */
    assert_int_equal(record(f, &old, ROW_DELIVERED, REASON_DELIVERED, 0), STATUS_REFUSED);
    advance(f, 30 * SECOND);
    assert_true(claim_changes(f, false).out.changes[0].look_up);
    end(f);
}

static void what_waits_for_a_failed_change_ends_with_it(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k", "p1", "e1");
    struct change changes[] = {change_of("p1", "a", 1, 0), change_of("p1", "b", 2, 0),
                               change_of("p1", "plan", 3, 2)};
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, changes, 3);
    struct store_claim_changes sent = claim_changes(f, false);
    assert_int_equal(record(f, &sent.out.changes[0], ROW_HELD, REASON_CONFLICT, 0), STATUS_OK);
    check_rules(f);
    assert_message(f, claim.messages[0].id, WORK_PLANNED, REASON_NONE);
    deliver(f, &sent.out.changes[1]);
    assert_message(f, claim.messages[0].id, WORK_HELD, REASON_CONFLICT);
    struct message_way way = way_of(f, claim.messages[0].id);
    assert_int_equal(way.evaluations[0].change_count, 3);
    assert_int_equal(way.evaluations[0].changes[2].reason, REASON_PREDECESSOR);
    end(f);
}

/* Both were sent in one transaction that was cut off; one is found to have failed, the other not to
 * be there: it must not wait for ever. */
static void a_change_that_is_put_back_behind_a_failed_one_ends(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k", "p1", "e1");
    struct change changes[] = {change_of("p1", "a", 1, 0), change_of("p1", "plan", 2, 1)};
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, changes, 2);
    assert_int_equal(claim_changes(f, true).out.count, 2);
    reopen(f);
    advance(f, 30 * SECOND);
    struct store_claim_changes look = claim_changes(f, false);
    assert_int_equal(look.out.count, 2);
    assert_int_equal(record(f, &look.out.changes[0], ROW_HELD, REASON_REFUSED, 0), STATUS_OK);
    assert_int_equal(record(f, &look.out.changes[1], ROW_SCHEDULED, REASON_NONE, 0), STATUS_OK);
    assert_message(f, claim.messages[0].id, WORK_HELD, REASON_REFUSED);
    end(f);
}

static void shadow_mode_writes_nothing_and_is_done(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k", "p1", "e1");
    struct change changes[] = {change_of("p1", "a", 1, 0), change_of("p1", "plan", 2, 1)};
    for (int i = 0; i < 2; i++) {
        changes[i].state = ROW_DROPPED;
        changes[i].reason = REASON_SHADOW;
    }
    assert_int_equal(plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, changes, 2),
                     WORK_DONE);
    assert_message(f, claim.messages[0].id, WORK_DONE, REASON_SHADOW);
    assert_int_equal(claim_changes(f, false).out.count, 0);
    end(f);
}

static void a_plan_without_changes_is_unchanged(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k", "p1", "e1");
    assert_int_equal(plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, NULL, 0), WORK_DONE);
    assert_message(f, claim.messages[0].id, WORK_DONE, REASON_UNCHANGED);
    end(f);
}

static void a_newer_plan_supersedes_what_was_not_sent(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim old = ready(f, "k1", "p1", "e1");
    struct change changes[] = {change_of("p1", "water", 1, 0), change_of("p1", "plan", 2, 1)};
    plan_as(f, &old.evaluation, WORK_PLANNED, REASON_NONE, changes, 2);
    struct evaluation_claim newer = ready(f, "k2", "p1", "e1");
    /* The patient is being evaluated: nothing of the old plan is sent meanwhile. */
    assert_int_equal(claim_changes(f, false).out.count, 0);
    struct change other = change_of("p1", "water", 1, 0);
    other.body = SLICE("{\"resourceType\":\"Goal\",\"v\":2}");
    plan_as(f, &newer.evaluation, WORK_PLANNED, REASON_NONE, &other, 1);
    assert_message(f, old.messages[0].id, WORK_DONE, REASON_SUPERSEDED);
    struct store_claim_changes sent = claim_changes(f, false);
    assert_int_equal(sent.out.count, 1);
    assert_true(slice_is(sent.out.changes[0].body, "{\"resourceType\":\"Goal\",\"v\":2}"));
    deliver(f, &sent.out.changes[0]);
    assert_message(f, newer.messages[0].id, WORK_DONE, REASON_DELIVERED);
    end(f);
}

static void an_item_written_from_another_visit_is_superseded_too(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim old = ready(f, "k1", "p1", "e1");
    struct change change = change_of("p1", "plan", 1, 0);
    plan_as(f, &old.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
    struct evaluation_claim newer = ready(f, "k2", "p1", "e2");
    plan_as(f, &newer.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
    assert_message(f, old.messages[0].id, WORK_DONE, REASON_SUPERSEDED);
    assert_int_equal(claim_changes(f, false).out.count, 1);
    end(f);
}

static void an_identifier_is_stored_once(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k1", "p1", "e1");
    struct change change = change_of("p1", "plan", 1, 0);
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
    deliver(f, &claim_changes(f, false).out.changes[0]);
    claim = ready(f, "k2", "p1", "e1");
    struct change other = change;
    other.item.identifier = identifier_of("another");
    struct store_save_plan tx = plan_tx(&claim.evaluation, WORK_PLANNED, REASON_NONE, &other, 1);
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_REFUSED); /* same key, other identifier */
    other = change;
    other.item.of.key = SLICE("else");
    tx = plan_tx(&claim.evaluation, WORK_PLANNED, REASON_NONE, &other, 1);
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_REFUSED); /* same identifier, other key */
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
    end(f);
}

static void what_comes_too_late_expires(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k1", "p1", "e1");
    struct change changes[] = {change_of("p1", "a", 1, 0), change_of("p1", "plan", 2, 1)};
    changes[0].expires = changes[1].expires = T0 + 100 * SECOND;
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, changes, 2);
    advance(f, 100 * SECOND);
    assert_int_equal(claim_changes(f, false).out.count, 0);
    assert_message(f, claim.messages[0].id, WORK_DROPPED, REASON_EXPIRED);
    end(f);
}

static void bad_plans_are_refused_whole(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k1", "p1", "e1");
    struct change changes[] = {change_of("p1", "a", 1, 0), change_of("p1", "b", 2, 2)};
    struct store_save_plan tx = plan_tx(&claim.evaluation, WORK_PLANNED, REASON_NONE, changes, 2);
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_INVALID); /* waits for itself */
    struct item item;
    assert_int_equal(store_find_item(f->store, f->arena, changes[0].item.identifier, &item),
                     STATUS_ABSENT); /* nothing of it stayed */
    changes[1].after = 1;
    changes[1].order = 1;
    tx = plan_tx(&claim.evaluation, WORK_PLANNED, REASON_NONE, changes, 2);
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_INVALID);
    tx = plan_tx(&claim.evaluation, WORK_RECEIVED, REASON_NONE, NULL, 0);
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_INVALID);
    tx = plan_tx(&claim.evaluation, WORK_HELD, REASON_SAFETY, NULL, 0);
    tx.in.evaluation = identifier_of("none");
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_ABSENT);
    end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_message_is_received_and_its_visit_due_after_settling),
        cmocka_unit_test(settling_ends_two_minutes_after_the_first),
        cmocka_unit_test(a_repeat_adds_no_row),
        cmocka_unit_test(a_repeat_by_body_hash_makes_the_visit_due_again),
        cmocka_unit_test(a_deletion_makes_due_what_the_resource_made_due),
        cmocka_unit_test(a_deletion_finds_a_message_that_came_just_before),
        cmocka_unit_test(a_deletion_of_what_was_never_seen_is_dropped),
        cmocka_unit_test(a_key_is_a_repeat_within_its_window_only),
        cmocka_unit_test(a_message_without_triggers_ends_at_once),
        cmocka_unit_test(a_message_may_concern_several_visits),
        cmocka_unit_test(one_patient_has_one_claim),
        cmocka_unit_test(a_claim_that_ran_out_is_taken_over_and_its_fence_is_void),
        cmocka_unit_test(a_released_evaluation_waits_for_its_time),
        cmocka_unit_test(a_message_during_evaluation_makes_the_visit_due_again),
        cmocka_unit_test(a_release_while_the_visit_is_due_again_coalesces),
        cmocka_unit_test(a_message_that_is_not_sorted_yet_joins_what_was_released),
        cmocka_unit_test(facts_survive_a_lost_claim_until_a_newer_message),
        cmocka_unit_test(a_plan_is_delivered_in_order_and_ends_its_message),
        cmocka_unit_test(the_rows_of_a_transaction_are_claimed_together),
        cmocka_unit_test(a_retry_waits_and_counts),
        cmocka_unit_test(an_unknown_outcome_is_looked_up_before_anything_else),
        cmocka_unit_test(what_was_in_flight_at_a_crash_is_unknown_after_it),
        cmocka_unit_test(a_lost_lease_makes_a_change_unknown),
        cmocka_unit_test(what_waits_for_a_failed_change_ends_with_it),
        cmocka_unit_test(a_change_that_is_put_back_behind_a_failed_one_ends),
        cmocka_unit_test(shadow_mode_writes_nothing_and_is_done),
        cmocka_unit_test(a_plan_without_changes_is_unchanged),
        cmocka_unit_test(a_newer_plan_supersedes_what_was_not_sent),
        cmocka_unit_test(an_item_written_from_another_visit_is_superseded_too),
        cmocka_unit_test(an_identifier_is_stored_once),
        cmocka_unit_test(what_comes_too_late_expires),
        cmocka_unit_test(bad_plans_are_refused_whole),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
