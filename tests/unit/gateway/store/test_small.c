// packages: eplan::pq
// stores: postgresql
/* Polls, subscriptions, switches and their like; status and lists; retention; the trail. */
#include "fixture.h"

static void run(struct fixture *f, struct store_tx *tx)
{
    assert_int_equal(store_run(f->store, tx), STATUS_OK);
}

static struct poll poll_now(struct fixture *f)
{
    struct poll poll;
    assert_int_equal(store_read_poll(f->store, f->arena, NORTH, SLICE("vitals"), &poll), STATUS_OK);
    return poll;
}

static void a_poll_keeps_what_was_asked_meanwhile(void **state)
{
    (void)state;
    struct fixture *f = begin();
    assert_int_equal(poll_now(f).asked, 0);
    struct store_poll_due due = STORE_TX(POLL_DUE);
    due.in.ehr = NORTH;
    due.in.name = SLICE("vitals");
    run(f, &due.tx);
    run(f, &due.tx);
    struct poll before = poll_now(f);
    assert_int_equal(before.asked, 2);
    run(f, &due.tx); /* while the poll is under way */
    struct store_save_poll save = STORE_TX(SAVE_POLL);
    save.in.ehr = NORTH;
    save.in.name = SLICE("vitals");
    save.in.error = SLICE("503");
    run(f, &save.tx); /* it failed: watermark and asked stay */
    assert_int_equal(poll_now(f).watermark, 0);
    assert_true(slice_is(poll_now(f).error, "503"));
    save.in.done = true;
    save.in.watermark = T0;
    save.in.asked = before.asked;
    save.in.error = SLICE_NONE;
    run(f, &save.tx);
    reopen(f);
    struct poll after = poll_now(f);
    assert_int_equal(after.watermark, T0);
    assert_int_equal(after.asked, 3);
    assert_int_equal(after.answered, 2);
    assert_int_equal(after.error.len, 0);
    save.in.watermark = T0 - 1; /* the watermark never moves back */
    save.in.asked = 1;
    run(f, &save.tx);
    assert_int_equal(poll_now(f).watermark, T0);
    assert_int_equal(poll_now(f).answered, 2);
    end(f);
}

static void the_small_ones_are_kept(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct subscription subscription;
    struct capability capability;
    struct slice into;
    assert_int_equal(store_read_subscription(f->store, f->arena, NORTH, SLICE("v"), &subscription),
                     STATUS_ABSENT);
    assert_int_equal(store_read_capability(f->store, f->arena, NORTH, &capability), STATUS_ABSENT);
    assert_int_equal(store_find_merge(f->store, f->arena, NORTH, SLICE("p1"), &into),
                     STATUS_ABSENT);
    struct store_save_subscription sub = STORE_TX(SAVE_SUBSCRIPTION);
    sub.in.ehr = NORTH;
    sub.in.name = SLICE("v");
    sub.in.ehr_id = SLICE("s1");
    sub.in.status = SLICE("active");
    run(f, &sub.tx);
    struct store_save_capability cap = STORE_TX(SAVE_CAPABILITY);
    cap.in.ehr = NORTH;
    cap.in.etag = SLICE("W/\"1\"");
    cap.in.body = SLICE("{}");
    run(f, &cap.tx);
    struct store_save_patient patient = STORE_TX(SAVE_PATIENT);
    patient.in.ehr = NORTH;
    patient.in.patient = SLICE("p1");
    patient.in.merged_into = SLICE("p9");
    run(f, &patient.tx);
    reopen(f);
    assert_int_equal(store_read_subscription(f->store, f->arena, NORTH, SLICE("v"), &subscription),
                     STATUS_OK);
    assert_true(slice_is(subscription.ehr_id, "s1"));
    assert_int_equal(store_read_capability(f->store, f->arena, NORTH, &capability), STATUS_OK);
    assert_true(slice_is(capability.body, "{}"));
    assert_int_equal(store_find_merge(f->store, f->arena, NORTH, SLICE("p1"), &into), STATUS_OK);
    assert_true(slice_is(into, "p9"));
    end(f);
}

static void an_ehr_keeps_its_base_url(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct store_bind_ehr bind = STORE_TX(BIND_EHR);
    bind.in.ehr = NORTH;
    bind.in.base_url = SLICE("https://a.example/r4");
    run(f, &bind.tx);
    run(f, &bind.tx);
    bind.in.base_url = SLICE("https://b.example/r4");
    assert_int_equal(store_run(f->store, &bind.tx), STATUS_REFUSED);
    bind.in.ehr = SLICE("south");
    run(f, &bind.tx);
    end(f);
}

static void stopped_writes_stay_stopped(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k", "p1", "e1");
    struct change change = change_of("p1", "a", 1, 0);
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
    bool on;
    static const struct slice scopes[] = {{"", 0}, {"north", 5}};
    for (size_t i = 0; i < 2; i++) {
        struct store_set_switch tx = STORE_TX(SET_SWITCH);
        tx.in.ehr = scopes[i];
        tx.in.name = SLICE("stop-writes");
        tx.in.on = true;
        tx.in.by = SLICE("root");
        tx.in.why = SLICE("test");
        run(f, &tx.tx);
        reopen(f);
        assert_int_equal(store_read_switch(f->store, NORTH, SLICE("stop-writes"), &on), STATUS_OK);
        assert_true(on);
        store_read_switch(f->store, SLICE("south"), SLICE("stop-writes"), &on);
        assert_int_equal(on, i == 0);
        assert_int_equal(claim_changes(f, false).out.count, 0);
        struct store_next next;
        store_read_next(f->store, NORTH, &next);
        assert_int_equal(next.change, INT64_MAX);
        tx.in.on = false;
        run(f, &tx.tx);
    }
    assert_int_equal(claim_changes(f, false).out.count, 1);
    end(f);
}

static void status_counts_by_ehr_and_state(void **state)
{
    (void)state;
    struct fixture *f = begin();
    accept_for(f, "k1", "p1", "e1");
    accept_for(f, "k2", "p1", "e1");
    struct evaluation_claim claim = ready(f, "k3", "p2", "e2");
    (void)claim;
    struct store_note_ehr note = STORE_TX(NOTE_EHR);
    note.in.ehr = SLICE("south");
    note.in.error = SLICE("401");
    note.in.advice = SLICE("renew the key");
    run(f, &note.tx);
    struct store_status status;
    assert_int_equal(store_read_status(f->store, f->arena, &status), STATUS_OK);
    assert_int_equal(status.count, 2);
    const struct ehr_status *north = &status.ehrs[slice_is(status.ehrs[0].ehr, "north") ? 0 : 1];
    const struct ehr_status *south = &status.ehrs[slice_is(status.ehrs[0].ehr, "north") ? 1 : 0];
    assert_int_equal(north->messages[WORK_RECEIVED], 3);
    assert_int_equal(north->evaluations[WORK_RECEIVED], 2);
    assert_int_equal(north->changes[ROW_PENDING], 0);
    assert_true(slice_is(south->error, "401"));
    assert_int_equal(south->error_at, T0 + 20 * SECOND);
    end(f);
}

static void the_open_list_is_paged(void **state)
{
    (void)state;
    struct fixture *f = begin();
    for (int i = 0; i < 25; i++) {
        char key[16];
        char patient[16];
        snprintf(key, sizeof key, "k%d", i);
        snprintf(patient, sizeof patient, "p%d", i);
        struct evaluation_claim claim = ready(f, key, patient, "e");
        plan_as(f, &claim.evaluation, i % 2 == 0 ? WORK_HELD : WORK_HANDED_OVER, REASON_SAFETY,
                NULL, 0);
    }
    struct uuid from = UUID_NONE;
    size_t seen = 0;
    for (int pages = 0; pages < 10; pages++) {
        struct open_page page;
        assert_int_equal(store_list_open(f->store, f->arena, NORTH, from, 10, &page), STATUS_OK);
        for (size_t i = 0; i < page.count; i++) {
            char patient[16];
            snprintf(patient, sizeof patient, "p%zu", seen++);
            assert_true(slice_is(page.at[i].patient, patient));
        }
        from = page.next;
        if (uuid_is_none(from)) {
            break;
        }
    }
    assert_int_equal(seen, 25);
    struct open_page other;
    store_list_open(f->store, f->arena, SLICE("south"), UUID_NONE, 10, &other);
    assert_int_equal(other.count, 0);
    end(f);
}

static void the_way_of_a_patient_is_shown(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k1", "p1", "e1");
    struct change change = change_of("p1", "a", 1, 0);
    struct store_save_plan tx = plan_tx(&claim.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
    struct trail_line line = {.what = SLICE("evaluated"),
                              .subject = claim.evaluation.id,
                              .patient = SLICE("p1"),
                              .body = SLICE("{\"resourceType\":\"AuditEvent\"}")};
    tx.in.trail = (struct trail_lines){&line, 1};
    run(f, &tx.tx);
    struct patient_way way;
    assert_int_equal(store_show_patient(f->store, f->arena, NORTH, SLICE("p1"), 10, &way),
                     STATUS_OK);
    assert_int_equal(way.evaluation_count, 1);
    assert_int_equal(way.items.count, 1);
    assert_int_equal(way.evaluations[0].trail_count, 1);
    assert_true(
        slice_is(way.evaluations[0].trail[0].line.body, "{\"resourceType\":\"AuditEvent\"}"));
    assert_true(slice_is(way.evaluations[0].evaluation.mapping_version, "1.0.0"));
    assert_int_equal(store_show_patient(f->store, f->arena, NORTH, SLICE("p2"), 10, &way),
                     STATUS_ABSENT);
    end(f);
}

static void retention_removes_what_has_ended(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "done", "p1", "e1");
    struct change change = change_of("p1", "a", 1, 0);
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
    deliver(f, &claim_changes(f, false).out.changes[0]);
    struct uuid done = claim.messages[0].id;
    claim = ready(f, "held", "p2", "e1");
    plan_as(f, &claim.evaluation, WORK_HELD, REASON_SAFETY, NULL, 0);
    struct uuid held = claim.messages[0].id;
    claim = ready(f, "over", "p3", "e1");
    plan_as(f, &claim.evaluation, WORK_HANDED_OVER, REASON_NO_TEMPLATE, NULL, 0);
    struct uuid over = claim.messages[0].id;
    struct uuid waiting = accept_for(f, "waiting", "p4", "e1");
    advance(f, 3600 * SECOND);
    struct store_retain retain = STORE_TX(RETAIN);
    retain.in.done_before = T0 + 3000 * SECOND;
    retain.in.handed_over_before = 0;
    retain.in.most = 100;
    run(f, &retain.tx);
    assert_int_equal(retain.out.removed, 2); /* the message and its evaluation */
    struct message message;
    assert_int_equal(store_read_message(f->store, f->arena, done, &message), STATUS_ABSENT);
    assert_message(f, held, WORK_HELD, REASON_SAFETY);
    assert_message(f, over, WORK_HANDED_OVER, REASON_NO_TEMPLATE);
    assert_message(f, waiting, WORK_RECEIVED, REASON_NONE);
    struct items items;
    assert_int_equal(store_list_items(f->store, f->arena, NORTH, SLICE("p1"), &items), STATUS_OK);
    assert_int_equal(items.count, 1); /* what stands in the EHR stays known */
    retain.in.handed_over_before = T0 + 3000 * SECOND;
    run(f, &retain.tx);
    assert_int_equal(retain.out.removed, 2);
    run(f, &retain.tx);
    assert_int_equal(retain.out.removed, 0);
    end(f);
}

static void an_item_is_noted_as_a_person_left_it(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "k", "p1", "e1");
    struct change change = change_of("p1", "a", 1, 0);
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
    deliver(f, &claim_changes(f, false).out.changes[0]);
    struct store_note_item note = STORE_TX(NOTE_ITEM);
    note.in.identifier = change.item.identifier;
    note.in.life = ITEM_REVOKED;
    note.in.ehr_version = SLICE("7");
    run(f, &note.tx);
    struct item item;
    assert_int_equal(store_find_item(f->store, f->arena, change.item.identifier, &item), STATUS_OK);
    assert_int_equal(item.life, ITEM_REVOKED);
    assert_true(slice_is(item.ehr_version, "7"));
    struct items items;
    store_list_items(f->store, f->arena, NORTH, SLICE("p1"), &items);
    assert_int_equal(items.count, 0);
    note.in.identifier = identifier_of("none");
    assert_int_equal(store_run(f->store, &note.tx), STATUS_ABSENT);
    end(f);
}

static void a_small_arena_fails_one_question_or_transaction_only(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct uuid id = accept_for(f, "k", "p1", "e1");
    advance(f, 20 * SECOND);
    struct arena *small = arena_create(64);
    struct message message;
    assert_int_equal(store_read_message(f->store, small, id, &message), STATUS_LIMIT);
    struct store_claim_evaluations tx = STORE_TX(CLAIM_EVALUATIONS);
    tx.tx.arena = small;
    tx.in.ehr = NORTH;
    tx.in.owner = SLICE("one");
    tx.in.lease_us = SECOND;
    tx.in.most = 10;
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_LIMIT);
    assert_int_equal(claim_all(f, 10).out.count, 1); /* it was not claimed by the failed one */
    assert_message(f, id, WORK_RECEIVED, REASON_NONE);
    arena_destroy(&small);
    end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_poll_keeps_what_was_asked_meanwhile),
        cmocka_unit_test(the_small_ones_are_kept),
        cmocka_unit_test(an_ehr_keeps_its_base_url),
        cmocka_unit_test(stopped_writes_stay_stopped),
        cmocka_unit_test(status_counts_by_ehr_and_state),
        cmocka_unit_test(the_open_list_is_paged),
        cmocka_unit_test(the_way_of_a_patient_is_shown),
        cmocka_unit_test(retention_removes_what_has_ended),
        cmocka_unit_test(an_item_is_noted_as_a_person_left_it),
        cmocka_unit_test(a_small_arena_fails_one_question_or_transaction_only),
    };
    return cmocka_run_group_tests_name("store small", tests, NULL, NULL);
}
