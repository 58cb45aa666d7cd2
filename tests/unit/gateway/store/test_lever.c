// packages: eplan::pq
// stores: postgresql
/* People's levers: what each does, to what it does nothing, and that it may be pulled twice. */
#include "fixture.h"

static struct store_lever lever_tx(struct fixture *f, enum lever lever)
{
    struct store_lever tx = STORE_TX(LEVER);
    tx.tx.arena = f->arena;
    tx.in.lever = lever;
    tx.in.most = 100;
    tx.in.by = SLICE("nurse");
    tx.in.why = SLICE("asked by phone");
    return tx;
}

/* Of one thing, which has one visit. */
static struct lever_result pull(struct fixture *f, enum lever lever, struct uuid id)
{
    struct store_lever tx = lever_tx(f, lever);
    tx.in.id = id;
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    assert_int_equal(tx.out.count, 1);
    check_rules(f);
    return tx.out.at[0];
}

static void check_end(struct lever_result result, enum lever_end want, const char *why)
{
    assert_int_equal(result.end, want);
    assert_string_equal(result.why != NULL ? result.why : "", why);
}

static struct evaluation evaluation_now(struct fixture *f, struct uuid message, size_t n)
{
    struct message_way way = way_of(f, message); /* the latest first */
    assert_true(n < way.evaluation_count);
    return way.evaluations[n].evaluation;
}

static void end_as(struct fixture *f, const struct evaluation_claim *claim, enum work_state state,
                   enum reason reason)
{
    assert_int_equal(plan_as(f, &claim->evaluation, state, reason, NULL, 0), state);
}

static size_t trail_lines_of(struct fixture *f, struct uuid message, const char *what)
{
    struct message_way way = way_of(f, message);
    size_t count = 0;
    for (size_t i = 0; i < way.evaluation_count; i++) {
        for (size_t j = 0; j < way.evaluations[i].trail_count; j++) {
            const struct trail_line *line = &way.evaluations[i].trail[j].line;
            bool same = slice_is(line->what, what);
            count += same;
            assert_true(!same || slice_is(line->body, "by nurse\nasked by phone"));
        }
    }
    return count;
}

static void a_waiting_visit_is_held_and_released(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct uuid message = accept_for(f, "k1", "p1", "e1");
    check_end(pull(f, LEVER_HOLD, message), LEVER_DONE, "");
    assert_message(f, message, WORK_HELD, REASON_OPERATOR);
    check_end(pull(f, LEVER_HOLD, message), LEVER_ALREADY, "it is held");
    reopen(f);
    advance(f, 3600 * SECOND);
    assert_int_equal(claim_all(f, 10).out.count, 0);
    struct uuid held = evaluation_now(f, message, 0).id;
    check_end(pull(f, LEVER_RELEASE, held), LEVER_DONE, "");
    assert_message(f, message, WORK_RECEIVED, REASON_NONE);
    check_end(pull(f, LEVER_RELEASE, held), LEVER_ALREADY,
              "a later evaluation of the visit took its place");
    struct store_claim_evaluations claim = claim_all(f, 10);
    assert_int_equal(claim.out.count, 1);
    assert_int_equal(claim.out.claims[0].message_count, 1);
    end_as(f, &claim.out.claims[0], WORK_DONE, REASON_UNCHANGED);
    assert_message(f, message, WORK_DONE, REASON_UNCHANGED);
    assert_int_equal(trail_lines_of(f, message, "hold"), 1);
    assert_int_equal(trail_lines_of(f, message, "release"), 1);
    end(f);
}

static void a_claimed_visit_is_busy(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k1", "p1", "e1");
    static const enum lever levers[] = {LEVER_HOLD, LEVER_DROP};
    for (size_t i = 0; i < 2; i++) {
        check_end(pull(f, levers[i], claim.evaluation.id), LEVER_BUSY,
                  "it is being evaluated: try again");
    }
    end(f);
}

static void a_plan_is_held_and_resent_and_every_write_looks_first(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k1", "p1", "e1");
    struct uuid message = claim.messages[0].id;
    struct change changes[] = {change_of("p1", "a", 1, 0), change_of("p1", "b", 2, 1),
                               change_of("p1", "c", 3, 1)};
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, changes, 3);
    struct store_claim_changes sent = claim_changes(f, false);
    assert_int_equal(sent.out.count, 1);
    deliver(f, &sent.out.changes[0]);
    check_end(pull(f, LEVER_RESEND, message), LEVER_ALREADY, "its writes are under way");
    check_end(pull(f, LEVER_HOLD, message), LEVER_DONE, "");
    assert_message(f, message, WORK_HELD, REASON_OPERATOR);
    assert_int_equal(claim_changes(f, false).out.count, 0);
    check_end(pull(f, LEVER_RESEND, message), LEVER_DONE, "");
    assert_message(f, message, WORK_PLANNED, REASON_NONE);
    reopen(f);
    sent = claim_changes(f, false);
    assert_int_equal(sent.out.count, 2); /* what was delivered is not sent again */
    for (size_t i = 0; i < 2; i++) {
        assert_true(sent.out.changes[i].look_up);
        assert_int_equal(sent.out.changes[i].tries, 1);
        assert_true(slice_is(sent.out.changes[i].body, "{\"resourceType\":\"Goal\"}"));
        deliver(f, &sent.out.changes[i]);
    }
    assert_message(f, message, WORK_DONE, REASON_DELIVERED);
    struct message_way way = way_of(f, message);
    assert_int_equal(way.evaluation_count, 2);
    assert_true(
        uuid_equal(way.evaluations[1].evaluation.replaced_by, way.evaluations[0].evaluation.id));
    struct open_page open;
    assert_int_equal(store_list_open(f->store, f->arena, NORTH, UUID_NONE, 10, &open), STATUS_OK);
    assert_int_equal(open.count, 0);
    end(f);
}

static void in_flight_comes_to_its_end_and_is_not_taken_back(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k1", "p1", "e1");
    struct uuid message = claim.messages[0].id;
    struct change changes[] = {change_of("p1", "a", 1, 0), change_of("p1", "b", 2, 1)};
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, changes, 1);
    struct change sent = claim_changes(f, false).out.changes[0];
    static const enum lever levers[] = {LEVER_HOLD, LEVER_DROP};
    for (size_t i = 0; i < 2; i++) {
        check_end(pull(f, levers[i], message), LEVER_BUSY,
                  "its writes are on their way: wait for their end");
    }
    deliver(f, &sent);
    assert_message(f, message, WORK_DONE, REASON_DELIVERED);
    check_end(pull(f, LEVER_RESEND, message), LEVER_REFUSED, "it has no write to send again");
    check_end(pull(f, LEVER_DROP, message), LEVER_REFUSED, "it is done");
    check_end(pull(f, LEVER_HOLD, message), LEVER_REFUSED,
              "it has ended: hold its patient instead");
    end(f);
}

static void what_a_newer_plan_wrote_is_not_sent_again(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k1", "p1", "e1");
    struct uuid message = claim.messages[0].id;
    struct change change = change_of("p1", "a", 1, 0);
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
    struct change sent = claim_changes(f, false).out.changes[0];
    assert_int_equal(record(f, &sent, ROW_HELD, REASON_REFUSED, 0), STATUS_OK);
    claim = ready(f, "k2", "p1", "e2"); /* another visit, the same item */
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
    check_end(pull(f, LEVER_RESEND, message), LEVER_ALREADY, "a newer plan took its place");
    sent = claim_changes(f, false).out.changes[0];
    deliver(f, &sent);
    check_end(pull(f, LEVER_RELEASE, message), LEVER_ALREADY, "a newer plan took its place");
    end(f);
}

static void too_late_is_not_resent(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k1", "p1", "e1");
    struct change change = change_of("p1", "a", 1, 0);
    change.expires = f->now + 60 * SECOND;
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
    check_end(pull(f, LEVER_HOLD, claim.evaluation.id), LEVER_DONE, "");
    advance(f, 61 * SECOND);
    check_end(pull(f, LEVER_RESEND, claim.evaluation.id), LEVER_REFUSED,
              "it would come too late for its visit");
    end(f);
}

static void a_held_visit_is_dropped_and_leaves_the_list(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k1", "p1", "e1");
    struct uuid message = claim.messages[0].id;
    end_as(f, &claim, WORK_HELD, REASON_SAFETY);
    check_end(pull(f, LEVER_DROP, message), LEVER_DONE, "");
    assert_message(f, message, WORK_DROPPED, REASON_OPERATOR);
    struct open_page open;
    assert_int_equal(store_list_open(f->store, f->arena, NORTH, UUID_NONE, 10, &open), STATUS_OK);
    assert_int_equal(open.count, 0);
    struct store_lever again = lever_tx(f, LEVER_DROP);
    again.in.id = message;
    assert_int_equal(store_run(f->store, &again.tx), STATUS_OK);
    assert_int_equal(again.out.count, 2);
    check_end(again.out.at[0], LEVER_ALREADY, "a later evaluation of the visit took its place");
    check_end(again.out.at[1], LEVER_ALREADY, "it is dropped");
    check_rules(f);
    end(f);
}

static void a_planned_visit_is_dropped_with_its_writes(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k1", "p1", "e1");
    struct uuid message = claim.messages[0].id;
    struct change changes[] = {change_of("p1", "a", 1, 0), change_of("p1", "b", 2, 1)};
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, changes, 2);
    check_end(pull(f, LEVER_DROP, message), LEVER_DONE, "");
    assert_message(f, message, WORK_DROPPED, REASON_OPERATOR);
    assert_int_equal(claim_changes(f, false).out.count, 0);
    end(f);
}

static void an_ended_visit_is_evaluated_again(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k1", "p1", "e1");
    struct uuid message = claim.messages[0].id;
    end_as(f, &claim, WORK_DONE, REASON_UNCHANGED);
    advance(f, 1000 * SECOND);
    struct lever_result result = pull(f, LEVER_REPLAY, claim.evaluation.id);
    check_end(result, LEVER_DONE, "");
    check_end(pull(f, LEVER_REPLAY, result.answer), LEVER_ALREADY,
              "the visit waits to be evaluated");
    struct store_claim_evaluations again = claim_all(f, 10);
    assert_int_equal(again.out.count, 1);
    assert_true(uuid_equal(again.out.claims[0].evaluation.id, result.answer));
    assert_int_equal(again.out.claims[0].evaluation.at, f->now);
    assert_message(f, message, WORK_DONE, REASON_UNCHANGED); /* its end stays */
    end_as(f, &again.out.claims[0], WORK_HELD, REASON_SAFETY);
    assert_message(f, message, WORK_DONE, REASON_UNCHANGED);
    end(f);
}

static void a_message_without_a_visit(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct store_accept tx = accept_tx("k1", NULL, 0);
    tx.in.end_state = WORK_HELD;
    tx.in.end_reason = REASON_AMBIGUOUS_PATIENT;
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    check_end(pull(f, LEVER_HOLD, tx.out.message), LEVER_REFUSED, "no visit is known of it");
    assert_int_equal(pull(f, LEVER_REPLAY, tx.out.message).end, LEVER_READ_AGAIN);
    check_end(pull(f, LEVER_DROP, tx.out.message), LEVER_DONE, "");
    assert_message(f, tx.out.message, WORK_DROPPED, REASON_OPERATOR);
    check_end(pull(f, LEVER_DROP, tx.out.message), LEVER_ALREADY, "a person dropped it");
    end(f);
}

/* ---- filters ---- */

static size_t found(struct fixture *f, struct work_filter filter)
{
    struct work_entries entries;
    assert_int_equal(store_list_work(f->store, f->arena, &filter, UUID_NONE, 100, &entries),
                     STATUS_OK);
    assert_true(uuid_is_none(entries.next));
    return entries.count;
}

static void filters_name_what_they_say(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k1", "p1", "e1");
    struct change change = change_of("p1", "a", 1, 0);
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
    claim = ready(f, "k2", "p2", "e2");
    end_as(f, &claim, WORK_HELD, REASON_SAFETY);
    int64_t later = f->now;
    accept_for(f, "k3", "p3", "e3");
    struct store_accept without = accept_tx("k4", NULL, 0);
    without.in.end_state = WORK_HELD;
    without.in.end_reason = REASON_AMBIGUOUS_PATIENT;
    assert_int_equal(store_run(f->store, &without.tx), STATUS_OK);
    assert_int_equal(found(f, (struct work_filter){0}), 4);
    assert_int_equal(found(f, (struct work_filter){.ehr = NORTH}), 4);
    assert_int_equal(found(f, (struct work_filter){.ehr = SLICE("south")}), 0);
    assert_int_equal(found(f, (struct work_filter){.patient = SLICE("p2")}), 1);
    assert_int_equal(found(f, (struct work_filter){.mapping = SLICE("healthy-weight")}), 2);
    assert_int_equal(found(f, (struct work_filter){.mapping = SLICE("healthy-weight"),
                                                   .mapping_version = SLICE("2")}),
                     0);
    assert_int_equal(found(f, (struct work_filter){.states = 1U << WORK_HELD}), 2);
    assert_int_equal(found(f, (struct work_filter){.states = 1U << WORK_HELD | 1U << WORK_PLANNED}),
                     3);
    assert_int_equal(found(f, (struct work_filter){.reason = REASON_SAFETY}), 1);
    assert_int_equal(found(f, (struct work_filter){.since = later}), 2);
    assert_int_equal(found(f, (struct work_filter){.until = later}), 2);
    assert_int_equal(found(f, (struct work_filter){.states = 1U << WORK_RECEIVED}), 1);
    end(f);
}

static void a_filter_is_pulled_by_pages_and_a_dry_one_changes_nothing(void **state)
{
    (void)state;
    struct fixture *f = begin();
    for (int i = 0; i < 5; i++) {
        char text[8];
        snprintf(text, sizeof text, "p%d", i);
        accept_for(f, text, text, "e1");
    }
    size_t done = 0;
    struct store_lever tx = lever_tx(f, LEVER_HOLD);
    tx.in.filter.states = 1U << WORK_RECEIVED;
    tx.in.dry = true;
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    assert_int_equal(tx.out.count, 5);
    assert_int_equal(tx.out.at[4].end, LEVER_DONE);
    assert_int_equal(found(f, (struct work_filter){.states = 1U << WORK_HELD}), 0);
    tx.in.dry = false;
    tx.in.most = 2;
    do {
        assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
        done += tx.out.count;
        tx.in.from = tx.out.next;
    } while (!uuid_is_none(tx.out.next));
    assert_int_equal(done, 5);
    assert_int_equal(found(f, (struct work_filter){.states = 1U << WORK_HELD}), 5);
    end(f);
}

static void an_unknown_id_is_absent_and_a_nameless_person_refused(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct store_lever tx = lever_tx(f, LEVER_HOLD);
    tx.in.id = (struct uuid){{1, 2, 3}};
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_ABSENT);
    tx.in.by = SLICE_NONE;
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_INVALID);
    end(f);
}

/* ---- standing holds ---- */

static bool set_hold(struct fixture *f, const char *patient, bool on)
{
    struct store_set_hold tx = STORE_TX(SET_HOLD);
    tx.in.ehr = NORTH;
    tx.in.patient = slice_of(patient);
    tx.in.on = on;
    tx.in.by = SLICE("nurse");
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    return tx.out.changed;
}

static void a_standing_hold_stops_one_patient_and_survives_a_restart(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k0", "p1", "e0");
    struct change change = change_of("p1", "a", 1, 0);
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
    assert_true(set_hold(f, "p1", true));
    assert_false(set_hold(f, "p1", true));
    accept_for(f, "k1", "p1", "e1");
    accept_for(f, "k2", "p2", "e2");
    advance(f, 20 * SECOND);
    reopen(f);
    struct store_claim_evaluations due = claim_all(f, 10);
    assert_int_equal(due.out.count, 1);
    assert_true(slice_is(due.out.claims[0].evaluation.patient, "p2"));
    assert_int_equal(claim_changes(f, false).out.count, 0);
    struct store_next next;
    assert_int_equal(store_read_next(f->store, NORTH, &next), STATUS_OK);
    assert_int_equal(next.change, INT64_MAX); /* nothing to look for until it is lifted */
    struct standing_holds holds;
    assert_int_equal(store_list_holds(f->store, f->arena, &holds), STATUS_OK);
    assert_int_equal(holds.count, 1);
    assert_true(slice_is(holds.at[0].patient, "p1"));
    assert_true(slice_is(holds.at[0].by, "nurse"));
    assert_true(set_hold(f, "p1", false));
    assert_false(set_hold(f, "p1", false));
    assert_int_equal(claim_all(f, 10).out.count, 1);
    end(f);
}

static void a_standing_hold_stops_an_ehr(void **state)
{
    (void)state;
    struct fixture *f = begin();
    accept_for(f, "k1", "p1", "e1");
    accept_for(f, "k2", "p2", "e2");
    advance(f, 20 * SECOND);
    assert_true(set_hold(f, "", true));
    assert_int_equal(claim_all(f, 10).out.count, 0);
    assert_true(set_hold(f, "", false));
    assert_int_equal(claim_all(f, 10).out.count, 2);
    end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_waiting_visit_is_held_and_released),
        cmocka_unit_test(a_claimed_visit_is_busy),
        cmocka_unit_test(a_plan_is_held_and_resent_and_every_write_looks_first),
        cmocka_unit_test(in_flight_comes_to_its_end_and_is_not_taken_back),
        cmocka_unit_test(what_a_newer_plan_wrote_is_not_sent_again),
        cmocka_unit_test(too_late_is_not_resent),
        cmocka_unit_test(a_held_visit_is_dropped_and_leaves_the_list),
        cmocka_unit_test(a_planned_visit_is_dropped_with_its_writes),
        cmocka_unit_test(an_ended_visit_is_evaluated_again),
        cmocka_unit_test(a_message_without_a_visit),
        cmocka_unit_test(filters_name_what_they_say),
        cmocka_unit_test(a_filter_is_pulled_by_pages_and_a_dry_one_changes_nothing),
        cmocka_unit_test(an_unknown_id_is_absent_and_a_nameless_person_refused),
        cmocka_unit_test(a_standing_hold_stops_one_patient_and_survives_a_restart),
        cmocka_unit_test(a_standing_hold_stops_an_ehr),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
