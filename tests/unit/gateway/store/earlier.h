/* What a store of an earlier schema holds (tests/data/store), on whichever database it came up. */
#ifndef TESTS_UNIT_GATEWAY_STORE_EARLIER_H
#define TESTS_UNIT_GATEWAY_STORE_EARLIER_H

#include "fixture.h"
#include "gateway/store/store_sql.h"

static inline int last_schema(void)
{
    return sql_upgrades[sql_upgrade_count - 1].version;
}

static inline void check_queued_unknown_and_held(struct fixture *f)
{
    struct store_status status;
    assert_int_equal(store_read_status(f->store, f->arena, &status), STATUS_OK);
    assert_int_equal(status.count, 1);
    assert_int_equal(status.ehrs[0].messages[WORK_RECEIVED], 1);
    assert_int_equal(status.ehrs[0].messages[WORK_PLANNED], 1);
    assert_int_equal(status.ehrs[0].messages[WORK_HELD], 1);
    assert_int_equal(status.ehrs[0].evaluations[WORK_HELD], 1);
    assert_int_equal(status.ehrs[0].changes[ROW_UNKNOWN], 1);
    assert_int_equal(status.ehrs[0].changes[ROW_PENDING], 1);
    assert_int_equal(status.damaged, 0);
}

/* What schema 2 and 3 brought is kept as well. */
static inline void check_rows_of(struct fixture *f, int version)
{
    int64_t until = 0;
    struct standing_holds holds;
    enum status declined = store_find_declined(f->store, f->arena, NORTH, SLICE("p4"),
                                               SLICE("healthy-weight"), &until);
    assert_int_equal(declined, version >= 2 ? STATUS_OK : STATUS_ABSENT);
    assert_true(version < 2 || until == INT64_C(1790000000000000));
    assert_int_equal(store_list_holds(f->store, f->arena, &holds), STATUS_OK);
    assert_int_equal(holds.count, version >= 3 ? 1 : 0);
    struct item item;
    struct uuid identifier = {
        {0x50, 0x50, 0, 0, 0, 0, 0, 0, 0xd7, 0x4b, 0x99, 0x85, 0x26, 0x79, 0x7b, 0xc8}};
    assert_int_equal(store_find_item(f->store, f->arena, identifier, &item), STATUS_OK);
    assert_true(slice_is(item.version, version >= 2 ? "1.0.0" : ""));
}

/* The write of unknown outcome is looked up before anything is sent; then the second. */
static inline void check_writes(struct fixture *f)
{
    f->now = T0 + 1000 * SECOND;
    struct store_claim_changes look = claim_changes(f, false);
    assert_int_equal(look.out.count, 1);
    assert_true(look.out.changes[0].look_up);
    deliver(f, &look.out.changes[0]);
    struct store_claim_changes rest = claim_changes(f, false);
    assert_int_equal(rest.out.count, 1);
    assert_false(rest.out.changes[0].look_up);
    deliver(f, &rest.out.changes[0]);
    check_rules(f);
}

/* It was put back from its copy: both open writes wait until they were looked up (S19). */
static inline void check_restored(struct fixture *f)
{
    struct store_status status;
    assert_int_equal(store_read_status(f->store, f->arena, &status), STATUS_OK);
    assert_true(status.ehrs[0].reconciliation.on);
    assert_int_equal(status.ehrs[0].reconciliation.left, 2);
    assert_int_equal(claim_changes(f, false).out.count, 0);
}

#endif
