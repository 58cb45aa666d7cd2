// packages: eplan::sqlite eplan::pq
// stores: postgresql
/* S19: after restore and rebase nothing is written before what is open was looked up. */
#include "fixture.h"

#include <sqlite3.h>

#include "gateway/store/store_backup.h"

static enum status bind_ehr(struct fixture *f, const char *base_url)
{
    struct store_bind_ehr tx = STORE_TX(BIND_EHR);
    tx.in.ehr = NORTH;
    tx.in.base_url = slice_of(base_url);
    return store_run(f->store, &tx.tx);
}

static size_t rebase(struct fixture *f)
{
    struct store_rebase tx = STORE_TX(REBASE);
    tx.in.ehr = NORTH;
    tx.in.base_url = SLICE("https://new.example/fhir");
    tx.in.by = SLICE("admin");
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    return tx.out.open;
}

/* One that stands in the EHR as a draft, one that is to be written, one of unknown outcome. */
static void three_open_items(struct fixture *f)
{
    assert_int_equal(bind_ehr(f, "https://old.example/fhir"), STATUS_OK);
    struct evaluation_claim claim = ready(f, "k1", "p1", "e1");
    struct change change = change_of("p1", "a", 1, 0);
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
    struct store_claim_changes sent = claim_changes(f, false);
    deliver(f, &sent.out.changes[0]);
    claim = ready(f, "k2", "p2", "e2");
    change = change_of("p2", "a", 1, 0);
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
    sent = claim_changes(f, false);
    record(f, &sent.out.changes[0], ROW_UNKNOWN, REASON_OUTCOME_UNKNOWN, 0);
    claim = ready(f, "k3", "p3", "e3");
    change = change_of("p3", "a", 1, 0);
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
}

static struct reconciliation told(struct fixture *f)
{
    struct store_status status;
    assert_int_equal(store_read_status(f->store, f->arena, &status), STATUS_OK);
    assert_int_equal(status.count, 1);
    return status.ehrs[0].reconciliation;
}

static struct unreconciled page_of(struct fixture *f, size_t most)
{
    struct unreconciled page;
    assert_int_equal(store_read_unreconciled(f->store, f->arena, NORTH, most, &page), STATUS_OK);
    return page;
}

static enum status save(struct fixture *f, const struct unreconciled *page, enum finding finding,
                        struct reconciliation *reached)
{
    struct item_finding findings[16];
    struct store_save_findings tx = STORE_TX(SAVE_FINDINGS);
    assert_true(page->items.count <= 16);
    for (size_t i = 0; i < page->items.count; i++) {
        findings[i] = (struct item_finding){&page->items.at[i], finding};
    }
    tx.tx.arena = f->arena;
    tx.in.ehr = NORTH;
    tx.in.after = page->after;
    tx.in.last = page->last;
    tx.in.at = findings;
    tx.in.count = page->items.count;
    enum status status = store_run(f->store, &tx.tx);
    if (status == STATUS_OK && reached != NULL) {
        *reached = tx.out.reached;
    }
    return status;
}

static void nothing_is_claimed_before_the_last_item_was_looked_up(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct reconciliation reached;
    three_open_items(f);
    assert_int_equal(told(f).since, 0);
    assert_int_equal(rebase(f), 2);
    assert_true(told(f).on);
    assert_int_equal(told(f).left, 3);
    struct store_claim_changes none = claim_changes(f, false);
    assert_int_equal(none.out.count, 0);
    assert_true(none.out.reconciling);
    struct store_next next;
    assert_int_equal(store_read_next(f->store, NORTH, &next), STATUS_OK);
    assert_true(next.change == INT64_MAX);
    struct unreconciled page = page_of(f, 2);
    assert_true(slice_is(page.base_url, "https://new.example/fhir"));
    assert_int_equal(page.items.count, 2);
    assert_true(slice_is(page.items.at[0].of.patient, "p1"));
    assert_true(page.items.at[0].base.len != 0);
    assert_int_equal(page.items.at[1].ehr_id.len, 0);
    assert_int_equal(save(f, &page, FINDING_AS_LEFT, &reached), STATUS_OK);
    assert_true(reached.on);
    assert_int_equal(reached.left, 1);
    assert_int_equal(save(f, &page, FINDING_AS_LEFT, NULL), STATUS_REFUSED); /* another was first */
    reopen(f);                                                               /* it is durable */
    assert_true(told(f).on);
    assert_int_equal(told(f).found[FINDING_AS_LEFT], 2);
    assert_int_equal(claim_changes(f, false).out.count, 0);
    page = page_of(f, 2);
    assert_int_equal(page.items.count, 1);
    assert_int_equal(save(f, &page, FINDING_NONE, &reached), STATUS_OK);
    assert_false(reached.on);
    assert_true(slice_is(reached.after, "rebase"));
    assert_int_equal(told(f).ended, f->now);
    assert_int_equal(told(f).found[FINDING_NONE], 1);
    assert_int_equal(store_read_unreconciled(f->store, f->arena, NORTH, 2, &page), STATUS_ABSENT);
    struct store_claim_changes after = claim_changes(f, false);
    assert_int_equal(after.out.count, 2);
    assert_true(after.out.changes[0].look_up && after.out.changes[1].look_up);
    end(f);
}

static void an_ehr_moves_by_its_name_and_a_persons(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct store_rebase tx = STORE_TX(REBASE);
    tx.in.ehr = NORTH;
    tx.in.base_url = SLICE("https://new.example/fhir");
    tx.in.by = SLICE("admin");
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_ABSENT);
    assert_int_equal(bind_ehr(f, "https://old.example/fhir"), STATUS_OK);
    rebase(f);
    assert_int_equal(bind_ehr(f, "https://old.example/fhir"), STATUS_REFUSED);
    assert_int_equal(bind_ehr(f, "https://new.example/fhir"), STATUS_OK);
    tx.in.by = SLICE_NONE;
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_INVALID);
    end(f);
}

static void evaluating_goes_on_and_what_it_plans_looks_first(void **state)
{
    (void)state;
    struct fixture *f = begin();
    three_open_items(f);
    rebase(f);
    struct evaluation_claim claim = ready(f, "k4", "p4", "e4");
    struct change change = change_of("p4", "a", 1, 0);
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
    assert_int_equal(claim_changes(f, false).out.count, 0);
    struct unreconciled page = page_of(f, 16);
    assert_int_equal(page.items.count, 3); /* what is new has nothing of before */
    assert_int_equal(save(f, &page, FINDING_WRITTEN, NULL), STATUS_OK);
    struct store_claim_changes sent = claim_changes(f, false);
    assert_int_equal(sent.out.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(sent.out.changes[i].look_up);
    }
    end(f);
}

static void what_cannot_be_known_is_held(void **state)
{
    (void)state;
    struct fixture *f = begin();
    three_open_items(f);
    rebase(f);
    struct unreconciled page = page_of(f, 16);
    assert_int_equal(save(f, &page, FINDING_HELD, NULL), STATUS_OK);
    assert_int_equal(told(f).found[FINDING_HELD], 3);
    assert_int_equal(claim_changes(f, false).out.count, 0);
    struct open_page open;
    assert_int_equal(store_list_open(f->store, f->arena, NORTH, UUID_NONE, 10, &open), STATUS_OK);
    assert_int_equal(open.count, 2);
    assert_int_equal(open.at[0].state, WORK_HELD);
    assert_int_equal(open.at[0].reason, REASON_OUTCOME_UNKNOWN);
    end(f);
}

static void with_nothing_open_the_first_page_is_the_last(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct reconciliation reached;
    assert_int_equal(bind_ehr(f, "https://old.example/fhir"), STATUS_OK);
    assert_int_equal(rebase(f), 0);
    assert_true(claim_changes(f, false).out.reconciling);
    struct unreconciled page = page_of(f, 16);
    assert_int_equal(page.items.count, 0);
    assert_int_equal(save(f, &page, FINDING_NONE, &reached), STATUS_OK);
    assert_false(reached.on);
    assert_false(claim_changes(f, false).out.reconciling);
    end(f);
}

static void a_second_beginning_looks_at_all_again(void **state)
{
    (void)state;
    struct fixture *f = begin();
    three_open_items(f);
    rebase(f);
    struct unreconciled page = page_of(f, 2);
    assert_int_equal(save(f, &page, FINDING_CHANGED, NULL), STATUS_OK);
    rebase(f);
    assert_int_equal(told(f).left, 3);
    assert_int_equal(told(f).found[FINDING_CHANGED], 0);
    assert_int_equal(page_of(f, 16).items.count, 3);
    end(f);
}

/* ---- restore ---- */

/* A copy of the store as it stands; its name is written to `name`. */
static void copy(struct fixture *f, char name[128])
{
    struct diag_list diags;
    uint64_t bytes = 0;
    diag_init(&diags, f->arena, 4);
    if (f->options.store.len == 0) {
        snprintf(name, 128, "%s/store-1.db", f->dir);
        assert_int_equal(store_backup(slice_of(f->dir), name, &diags, &bytes), STATUS_OK);
    } else {
        snprintf(name, 128, "eplan_copy");
        postgres_run("SET client_min_messages = error; DROP SCHEMA IF EXISTS eplan_copy CASCADE");
        postgres_run("CREATE SCHEMA eplan_copy; DO $$DECLARE t text; BEGIN FOR t IN SELECT "
                     "tablename FROM pg_tables WHERE schemaname = 'eplan' LOOP EXECUTE "
                     "format('CREATE TABLE eplan_copy.%I (LIKE eplan.%I INCLUDING ALL)', t, t); "
                     "EXECUTE format('INSERT INTO eplan_copy.%I SELECT * FROM eplan.%I', t, t); "
                     "END LOOP; END$$; CREATE SEQUENCE eplan_copy.fence START 1000");
    }
}

static enum status restore(struct fixture *f, const char *name, struct diag_list *diags)
{
    diag_init(diags, f->arena, 4);
    return f->options.store.len == 0
               ? store_restore(slice_of(f->dir), f->options.environment, name, diags)
               : store_restore_schema(f->options.store, f->options.environment, name, diags);
}

static void put_back(struct fixture *f, const char *name)
{
    struct diag_list diags;
    enum status status = restore(f, name, &diags);
    if (status != STATUS_OK) {
        fail_msg("%s %s", status_name(status), diags.first->sentence.at);
    }
}

static void a_restored_store_reconciles_every_ehr(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct diag_list diags;
    char name[128];
    three_open_items(f);
    copy(f, name);
    accept_for(f, "k9", "p9", "e9");
    assert_int_equal(restore(f, name, &diags), STATUS_REFUSED); /* it runs */
    store_close(&f->store);
    put_back(f, name);
    open_store(f);
    assert_true(told(f).on);
    assert_true(slice_is(told(f).after, "restore"));
    assert_int_equal(told(f).left, 3);
    assert_int_equal(claim_changes(f, false).out.count, 0);
    struct unreconciled page = page_of(f, 16);
    assert_int_equal(save(f, &page, FINDING_WRITTEN, NULL), STATUS_OK);
    reopen(f); /* once only */
    assert_false(told(f).on);
    assert_int_equal(told(f).found[FINDING_WRITTEN], 3);
    check_rules(f);
    f->options.environment = SLICE("production");
    store_close(&f->store);
    assert_int_equal(restore(f, name, &diags), STATUS_REFUSED);
    f->options.environment = SLICE("test");
    assert_int_equal(restore(f, "none", &diags),
                     f->options.store.len == 0 ? STATUS_IO : STATUS_INVALID);
    open_store(f);
    accept_for(f, "k9", "p9", "e9"); /* numbers go on */
    end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_claimed_before_the_last_item_was_looked_up),
        cmocka_unit_test(an_ehr_moves_by_its_name_and_a_persons),
        cmocka_unit_test(evaluating_goes_on_and_what_it_plans_looks_first),
        cmocka_unit_test(what_cannot_be_known_is_held),
        cmocka_unit_test(with_nothing_open_the_first_page_is_the_last),
        cmocka_unit_test(a_second_beginning_looks_at_all_again),
        cmocka_unit_test(a_restored_store_reconciles_every_ehr),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
