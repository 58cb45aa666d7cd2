// packages: eplan::pq
/* What is known of items beside their base, what people order, and merges of patients. */
#include "fixture.h"

/* One item of the patient's plan, delivered. */
static struct change delivered(struct fixture *f, const char *patient, const char *key)
{
    char message[64];
    snprintf(message, sizeof message, "%s-%s", patient, key);
    struct evaluation_claim claim = ready(f, message, patient, "Encounter/1");
    struct change change = change_of(patient, key, 1, 0);
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
    struct change sent = claim_changes(f, false).out.changes[0];
    deliver(f, &sent);
    return sent;
}

static struct item stored(struct fixture *f, struct uuid identifier)
{
    struct item item;
    assert_int_equal(store_find_item(f->store, f->arena, identifier, &item), STATUS_OK);
    return item;
}

static struct store_order order_tx(const char *patient, const struct change *changes, size_t count)
{
    struct store_order tx = STORE_TX(ORDER);
    tx.in.ehr = NORTH;
    tx.in.patient = slice_of(patient);
    tx.in.visit = SLICE("Encounter/1");
    tx.in.changes = changes;
    tx.in.change_count = count;
    tx.in.what = SLICE("recalled");
    tx.in.by = SLICE("root");
    return tx;
}

static void what_was_wanted_is_kept_beside_the_base(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct change sent = delivered(f, "p1", "a");
    struct item item = stored(f, sent.item.identifier);
    assert_true(slice_is(item.wanted, "{\"resourceType\":\"Goal\"}"));
    assert_true(slice_is(item.base, "{\"resourceType\":\"Goal\",\"id\":\"g1\"}"));
    assert_true(slice_is(item.version, "1.0.0"));
    assert_true(slice_is(item.visit, "Encounter/1"));

    struct change withdraw = {
        .kind = CHANGE_WITHDRAW, .item = item, .order = 1, .state = ROW_PENDING};
    struct store_order tx = order_tx("p1", &withdraw, 1);
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    struct store_claim_changes claim = claim_changes(f, false);
    assert_true(slice_is(claim.out.changes[0].item.wanted, "{\"resourceType\":\"Goal\"}"));
    deliver(f, &claim.out.changes[0]);
    item = stored(f, sent.item.identifier);
    assert_true(
        slice_is(item.wanted, "{\"resourceType\":\"Goal\"}")); /* a withdrawal wants nothing */
    assert_true(slice_is(item.version, "1.0.0"));              /* nor has it a mapping */
    end(f);
}

static void an_order_is_a_plan_of_its_own(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct change sent = delivered(f, "p1", "a");
    const struct change changes[] = {
        {.kind = CHANGE_CHECK, .item = sent.item, .order = 1, .state = ROW_PENDING},
        {.kind = CHANGE_WITHDRAW, .item = sent.item, .order = 2, .after = 1, .state = ROW_PENDING}};
    struct store_order tx = order_tx("p1", changes, 2);
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    struct store_claim_changes claim = claim_changes(f, false);
    assert_int_equal(claim.out.count, 1); /* the withdrawal waits for the check */
    assert_int_equal(claim.out.changes[0].kind, CHANGE_CHECK);
    check_rules(f);
    assert_int_equal(record(f, &claim.out.changes[0], ROW_DROPPED, REASON_UNCHANGED, 0), STATUS_OK);
    claim = claim_changes(f, false);
    assert_int_equal(claim.out.changes[0].kind, CHANGE_WITHDRAW);
    deliver(f, &claim.out.changes[0]);

    /* What a person touched since: the check hands over, and the withdrawal ends with it. */
    tx = order_tx("p1", changes, 2);
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    claim = claim_changes(f, false);
    assert_int_equal(record(f, &claim.out.changes[0], ROW_HANDED_OVER, REASON_REVIEW, 0),
                     STATUS_OK);
    assert_int_equal(claim_changes(f, false).out.count, 0);
    struct patient_way way;
    assert_int_equal(store_show_patient(f->store, f->arena, NORTH, SLICE("p1"), 10, &way),
                     STATUS_OK);
    assert_int_equal(way.evaluation_count, 3);
    assert_int_equal(way.evaluations[0].evaluation.state, WORK_HANDED_OVER);
    assert_int_equal(way.evaluations[0].evaluation.reason, REASON_REVIEW);
    assert_int_equal(way.evaluations[1].evaluation.state, WORK_DONE);
    assert_true(slice_is(way.evaluations[0].trail[0].line.what, "recalled"));
    end(f);
}

static void an_order_without_changes_is_refused(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct store_order tx = order_tx("p1", NULL, 0);
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_INVALID);
    end(f);
}

static void a_recall_ends_what_was_not_sent_of_its_version_alone(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct evaluation_claim claim = ready(f, "m1", "p1", "Encounter/1");
    struct change change = change_of("p1", "a", 1, 0);
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
    claim = ready(f, "m2", "p2", "Encounter/2");
    change = change_of("p2", "a", 1, 0);
    struct store_save_plan other =
        plan_tx(&claim.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
    other.in.mapping_version = SLICE("2.0.0");
    assert_int_equal(store_run(f->store, &other.tx), STATUS_OK);

    struct store_recall tx = STORE_TX(RECALL);
    tx.in.ehr = NORTH;
    tx.in.mapping = SLICE("healthy-weight");
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_INVALID);
    tx.in.version = SLICE("1.0.0");
    tx.in.by = SLICE("root");
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    assert_int_equal(tx.out.dropped, 1);
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    assert_int_equal(tx.out.dropped, 0);
    struct store_claim_changes left = claim_changes(f, false);
    assert_int_equal(left.out.count, 1);
    assert_true(slice_is(left.out.changes[0].patient, "p2"));
    end(f);
}

static void whom_a_version_wrote_to_is_told_in_pages(void **state)
{
    (void)state;
    struct fixture *f = begin();
    static const char *const ids[] = {"p1", "p2", "p3"};
    for (size_t i = 0; i < 3; i++) {
        delivered(f, ids[i], ids[i]);
    }
    struct written_by by = {
        .ehr = NORTH, .mapping = SLICE("healthy-weight"), .version = SLICE("1.0.0"), .most = 2};
    struct patients patients;
    assert_int_equal(store_list_written(f->store, f->arena, &by, &patients), STATUS_OK);
    assert_int_equal(patients.count, 2);
    by.after = patients.at[1];
    assert_int_equal(store_list_written(f->store, f->arena, &by, &patients), STATUS_OK);
    assert_int_equal(patients.count, 1);
    assert_true(slice_is(patients.at[0], "p3"));
    by = (struct written_by){
        .ehr = NORTH, .mapping = SLICE("healthy-weight"), .version = SLICE("1.0.1"), .most = 2};
    assert_int_equal(store_list_written(f->store, f->arena, &by, &patients), STATUS_OK);
    assert_int_equal(patients.count, 0);
    end(f);
}

/* Identifiers stay; episodes follow those that the other has. */
static void a_merge_re_links_items_and_deletes_none(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct change one = delivered(f, "p1", "a");
    struct change two = delivered(f, "p2", "a");
    struct store_save_patient tx = STORE_TX(SAVE_PATIENT);
    tx.in.ehr = NORTH;
    tx.in.patient = SLICE("p1");
    tx.in.merged_into = SLICE("p1");
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_INVALID);
    tx.in.merged_into = SLICE("p2");
    for (int times = 0; times < 2; times++) { /* safe to repeat */
        assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
        struct item moved = stored(f, one.item.identifier);
        assert_true(slice_is(moved.of.patient, "p2"));
        assert_int_equal(moved.of.episode, 2);
        assert_int_equal(stored(f, two.item.identifier).of.episode, 1);
    }
    struct items items;
    assert_int_equal(store_list_items(f->store, f->arena, NORTH, SLICE("p1"), &items), STATUS_OK);
    assert_int_equal(items.count, 0);
    assert_int_equal(store_list_items(f->store, f->arena, NORTH, SLICE("p2"), &items), STATUS_OK);
    assert_int_equal(items.count, 2);
    end(f);
}

static void how_items_stand_is_noted_with_the_plan(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct change sent = delivered(f, "p1", "a");
    struct evaluation_claim claim = ready(f, "m2", "p1", "Encounter/2");
    struct item found = stored(f, sent.item.identifier);
    found.life = ITEM_EDITED;
    struct store_save_plan tx =
        plan_tx(&claim.evaluation, WORK_HANDED_OVER, REASON_REVIEW, NULL, 0);
    tx.in.items = &found;
    tx.in.item_count = 1;
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    assert_int_equal(stored(f, sent.item.identifier).life, ITEM_EDITED);
    struct items items;
    assert_int_equal(store_list_items(f->store, f->arena, NORTH, SLICE("p1"), &items), STATUS_OK);
    assert_int_equal(items.count, 1); /* an edited draft is open */
    end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_wanted_is_kept_beside_the_base),
        cmocka_unit_test(an_order_is_a_plan_of_its_own),
        cmocka_unit_test(an_order_without_changes_is_refused),
        cmocka_unit_test(a_recall_ends_what_was_not_sent_of_its_version_alone),
        cmocka_unit_test(whom_a_version_wrote_to_is_told_in_pages),
        cmocka_unit_test(a_merge_re_links_items_and_deletes_none),
        cmocka_unit_test(how_items_stand_is_noted_with_the_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
