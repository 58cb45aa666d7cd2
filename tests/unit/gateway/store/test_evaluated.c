// packages: eplan::pq
// stores: postgresql
/* Children as they were evaluated last: whose facts are kept, in pages, sealed or not. */
#include "fixture.h"

#include <fcntl.h>

static void save_facts(struct fixture *f, const struct evaluation_claim *claim, const char *facts)
{
    struct store_save_context tx = STORE_TX(SAVE_CONTEXT);
    tx.in.evaluation = claim->evaluation.id;
    tx.in.fence = claim->evaluation.fence;
    tx.in.facts = slice_of(facts);
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
}

/* A visit that was evaluated; facts NULL: it never came to them. */
static struct uuid evaluated(struct fixture *f, const char *key, const char *patient,
                             const char *visit, const char *facts)
{
    struct evaluation_claim claim = ready(f, key, patient, visit);
    if (facts != NULL) {
        save_facts(f, &claim, facts);
    }
    struct store_save_plan tx =
        plan_tx(&claim.evaluation, facts != NULL ? WORK_DONE : WORK_HELD,
                facts != NULL ? REASON_UNCHANGED : REASON_NO_PATIENT, NULL, 0);
    tx.in.trace = facts != NULL ? SLICE("{\"outcome\":\"proposal\"}") : SLICE_NONE;
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_OK);
    return claim.evaluation.id;
}

static struct evaluated_page list(struct fixture *f, const struct work_filter *filter,
                                  struct uuid from, size_t most, size_t bytes)
{
    struct evaluated_page page;
    assert_int_equal(store_list_evaluated(f->store, f->arena, filter, from, most, bytes, &page),
                     STATUS_OK);
    return page;
}

static const struct work_filter everyone = {.answered = true};

static void each_child_once_by_its_latest_facts(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct uuid p1 = evaluated(f, "k1", "p1", "e1", "one");
    evaluated(f, "k2", "p2", "e2", "old");
    struct uuid p2 = evaluated(f, "k3", "p2", "e3", "new");
    struct uuid p3 = evaluated(f, "k4", "p3", "e4", NULL);
    evaluated(f, "k5", "p1", "e5", NULL); /* came to no facts: what is known is older */
    accept_for(f, "k6", "p2", "e6");      /* waits */
    struct evaluated_page page = list(f, &everyone, UUID_NONE, 10, 1000);
    assert_int_equal(page.count, 3);
    assert_true(uuid_is_none(page.next));
    assert_true(uuid_equal(page.at[0].evaluation.id, p3));
    assert_int_equal(page.at[0].facts.len, 0);
    assert_int_equal(page.at[0].evaluation.reason, REASON_NO_PATIENT);
    assert_true(uuid_equal(page.at[1].evaluation.id, p2));
    assert_true(slice_is(page.at[1].facts, "new"));
    assert_true(slice_is(page.at[1].trace, "{\"outcome\":\"proposal\"}"));
    assert_true(uuid_equal(page.at[2].evaluation.id, p1));
    assert_true(slice_is(page.at[2].facts, "one"));
    assert_false(page.at[2].damaged);
    end(f);
}

static void filters_are_held_against_the_one_that_stands(void **state)
{
    (void)state;
    struct fixture *f = begin();
    evaluated(f, "k1", "p1", "e1", "one");
    evaluated(f, "k2", "p2", "e2", NULL);
    struct work_filter held = {.states = 1U << WORK_HELD, .answered = true};
    assert_int_equal(list(f, &held, UUID_NONE, 10, 1000).count, 1);
    struct work_filter patient = {.patient = SLICE("p1"), .answered = true};
    assert_int_equal(list(f, &patient, UUID_NONE, 10, 1000).count, 1);
    struct work_filter elsewhere = {.ehr = SLICE("south"), .answered = true};
    assert_int_equal(list(f, &elsewhere, UUID_NONE, 10, 1000).count, 0);
    struct work_filter later = {.since = f->now + SECOND, .answered = true};
    assert_int_equal(list(f, &later, UUID_NONE, 10, 1000).count, 0);
    struct evaluated_page page;
    assert_int_equal(store_list_evaluated(f->store, f->arena, &held, UUID_NONE, 0, 1, &page),
                     STATUS_INVALID);
    end(f);
}

static void pages_end_by_number_and_by_bytes(void **state)
{
    (void)state;
    enum { CHILDREN = 7 };
    struct fixture *f = begin();
    for (int i = 0; i < CHILDREN; i++) {
        char text[16];
        snprintf(text, sizeof text, "p%d", i);
        evaluated(f, text, text, "e1", "0123456789");
    }
    static const struct {
        size_t most;
        size_t bytes;
        size_t pages;
    } ways[] = {{3, 100000, 3}, {100, 50, 4}, {100, 0, 7}, {7, 100000, 1}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct uuid from = UUID_NONE;
        size_t pages = 0;
        size_t children = 0;
        do {
            struct evaluated_page page = list(f, &everyone, from, ways[i].most, ways[i].bytes);
            assert_true(page.count > 0);
            children += page.count;
            from = page.next;
            pages++;
        } while (!uuid_is_none(from));
        assert_int_equal(children, CHILDREN);
        assert_int_equal(pages, ways[i].pages);
    }
    end(f);
}

static void a_merged_record_is_no_child_of_its_own(void **state)
{
    (void)state;
    struct fixture *f = begin();
    evaluated(f, "k1", "p1", "e1", "one");
    evaluated(f, "k2", "p2", "e2", "two");
    struct store_save_patient merge = STORE_TX(SAVE_PATIENT);
    merge.in.ehr = NORTH;
    merge.in.patient = SLICE("p1");
    merge.in.merged_into = SLICE("p2");
    assert_int_equal(store_run(f->store, &merge.tx), STATUS_OK);
    struct evaluated_page page = list(f, &everyone, UUID_NONE, 10, 1000);
    assert_int_equal(page.count, 1);
    assert_true(slice_is(page.at[0].evaluation.patient, "p2"));
    end(f);
}

static struct keyring *some_keys(struct fixture *f)
{
    static const char text[] =
        "1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
    char path[] = "/tmp/eplan-test-keys-XXXXXX";
    struct keyring *keys = NULL;
    struct diag_list diags;
    int fd = mkstemp(path);
    diag_init(&diags, f->arena, 5);
    assert_true(fd >= 0 && write(fd, text, sizeof text - 1) == (ssize_t)sizeof text - 1);
    fchmod(fd, 0600);
    close(fd);
    assert_int_equal(keyring_load(path, &diags, &keys), STATUS_OK);
    unlink(path);
    return keys;
}

static void sealed_facts_are_opened(void **state)
{
    (void)state;
    struct fixture *f = begin();
    evaluated(f, "k1", "p1", "e1", "as it was");
    store_close(&f->store);
    struct keyring *keys = some_keys(f);
    f->options.keys = keys;
    open_store(f);
    evaluated(f, "k2", "p2", "e2", "sealed");
    struct evaluated_page page = list(f, &everyone, UUID_NONE, 10, 1000);
    assert_int_equal(page.count, 2);
    assert_true(slice_is(page.at[0].facts, "sealed"));
    assert_true(slice_is(page.at[1].facts, "as it was"));
    end(f);
    keyring_destroy(&keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_child_once_by_its_latest_facts),
        cmocka_unit_test(filters_are_held_against_the_one_that_stands),
        cmocka_unit_test(pages_end_by_number_and_by_bytes),
        cmocka_unit_test(a_merged_record_is_no_child_of_its_own),
        cmocka_unit_test(sealed_facts_are_opened),
    };
    return cmocka_run_group_tests_name("store evaluated", tests, NULL, NULL);
}
