// packages: eplan::pq
/* Several nodes on one PostgreSQL: claims, fences, keys, ids, leases; a server that goes away. */
#include "fixture.h"

#include <pthread.h>

#include "gateway/store/store_pg_dialect.h"

struct nodes {
    struct fixture *f; /* the first node, and what all share */
    struct store *second;
    char dir[64];
};

static struct store *open_node(struct fixture *f, const char *dir)
{
    struct store_options options = f->options;
    struct diag_list diags;
    struct buf text;
    struct store *store = NULL;
    options.state_dir = slice_of(dir);
    diag_init(&diags, f->arena, 10);
    buf_init(&text, f->arena, 10000);
    if (store_open(&options, &diags, &store) != STATUS_OK) {
        diag_render_all(&diags, &text);
        fail_msg("%s", text.at);
    }
    return store;
}

static struct nodes begin_nodes(void)
{
    struct nodes nodes = {.f = begin()};
    snprintf(nodes.dir, sizeof nodes.dir, "/tmp/eplan-test-store-XXXXXX");
    assert_non_null(mkdtemp(nodes.dir));
    nodes.second = open_node(nodes.f, nodes.dir);
    return nodes;
}

static void end_nodes(struct nodes *nodes)
{
    store_close(&nodes->second);
    remove_store(nodes->dir);
    end(nodes->f);
}

/* What the steps of the fixture do, done by the second node. */
static struct store *swap(struct nodes *nodes)
{
    struct store *first = nodes->f->store;
    nodes->f->store = nodes->second;
    nodes->second = first;
    return first;
}

static void a_key_is_one_message_whichever_node_took_it(void **state)
{
    (void)state;
    struct nodes nodes = begin_nodes();
    struct uuid id = accept_for(nodes.f, "k1", "p1", "e1");
    struct trigger trigger = {SLICE("p1"), SLICE("e1")};
    struct store_accept tx = accept_tx("k1", &trigger, 1);
    assert_int_equal(store_run(nodes.second, &tx.tx), STATUS_OK);
    assert_true(tx.out.repeat);
    assert_true(uuid_equal(tx.out.message, id));
    end_nodes(&nodes);
}

struct poster {
    struct store *store;
    unsigned repeats;
};

enum { SAME_KEYS = 300 };

static void *post_same_keys(void *arg)
{
    struct poster *poster = arg;
    for (int i = 0; i < SAME_KEYS; i++) {
        char key[16];
        char patient[16];
        snprintf(key, sizeof key, "k%d", i);
        snprintf(patient, sizeof patient, "p%d", i % 50);
        struct trigger trigger = {slice_of(patient), SLICE("e1")};
        struct store_accept tx = accept_tx(key, &trigger, 1);
        if (store_run(poster->store, &tx.tx) != STATUS_OK) {
            return poster;
        }
        poster->repeats += tx.out.repeat;
    }
    return NULL;
}

static void nodes_that_accept_the_same_at_once_keep_one_of_each(void **state)
{
    (void)state;
    struct nodes nodes = begin_nodes();
    struct poster posters[] = {{nodes.f->store, 0}, {nodes.second, 0}};
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, post_same_keys, &posters[i]), 0);
    }
    for (size_t i = 0; i < 2; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(posters[0].repeats + posters[1].repeats, SAME_KEYS);
    advance(nodes.f, 1000 * SECOND);
    size_t first = claim_all(nodes.f, 30).out.count;
    swap(&nodes);
    size_t second = claim_all(nodes.f, 1000).out.count;
    assert_int_equal(first, 30);
    assert_int_equal(second, 20); /* of fifty patients */
    swap(&nodes);
    end_nodes(&nodes);
}

static void one_patient_is_on_one_node(void **state)
{
    (void)state;
    struct nodes nodes = begin_nodes();
    struct evaluation_claim claim = ready(nodes.f, "k1", "p1", "e1");
    accept_for(nodes.f, "k2", "p1", "e2");
    accept_for(nodes.f, "k3", "p2", "e3");
    advance(nodes.f, 20 * SECOND);
    swap(&nodes);
    struct store_claim_evaluations tx = claim_all(nodes.f, 10);
    assert_int_equal(tx.out.count, 1);
    assert_true(slice_is(tx.out.claims[0].evaluation.patient, "p2"));
    assert_true(tx.out.claims[0].evaluation.fence > claim.evaluation.fence);
    /* The claim of the first runs out: the second takes it over, and the first is refused. */
    advance(nodes.f, 60 * SECOND);
    tx = claim_all(nodes.f, 10);
    assert_int_equal(tx.out.count, 2);
    swap(&nodes);
    struct store_save_plan late = plan_tx(&claim.evaluation, WORK_DROPPED, REASON_RULE, NULL, 0);
    assert_int_equal(store_run(nodes.f->store, &late.tx), STATUS_REFUSED);
    end_nodes(&nodes);
}

/* A node that starts takes back what it had itself; what others have stays theirs. */
static void a_start_recovers_this_nodes_claims_only(void **state)
{
    (void)state;
    struct nodes nodes = begin_nodes();
    const char *const patients[] = {"p1", "p2"};
    struct change sent[2];
    for (size_t i = 0; i < 2; i++) {
        struct evaluation_claim claim = ready(nodes.f, patients[i], patients[i], "e1");
        struct change change = change_of(patients[i], "a", 1, 0);
        plan_as(nodes.f, &claim.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
        struct store_claim_changes tx = claim_changes(nodes.f, false);
        assert_int_equal(tx.out.count, 1);
        sent[i] = tx.out.changes[0];
        swap(&nodes);
    }
    reopen(nodes.f); /* the first, which claimed p1 */
    assert_int_equal(record(nodes.f, &sent[0], ROW_DELIVERED, REASON_DELIVERED, 0), STATUS_REFUSED);
    swap(&nodes);
    deliver(nodes.f, &sent[1]);
    swap(&nodes);
    /* It waits for the EHR to settle, and is then looked up by whoever comes first. */
    assert_int_equal(claim_changes(nodes.f, false).out.count, 0);
    advance(nodes.f, 30 * SECOND);
    swap(&nodes);
    struct store_claim_changes tx = claim_changes(nodes.f, false);
    assert_int_equal(tx.out.count, 1);
    assert_true(tx.out.changes[0].look_up);
    swap(&nodes);
    end_nodes(&nodes);
}

static size_t claim_alone(struct nodes *nodes)
{
    struct store_claim_changes tx = STORE_TX(CLAIM_CHANGES);
    tx.tx.arena = nodes->f->arena;
    tx.in.ehr = NORTH;
    tx.in.owner = SLICE("one");
    tx.in.lease_us = 60 * SECOND;
    tx.in.settle_us = 30 * SECOND;
    tx.in.patients_most = 1;
    tx.in.changes_most = 1;
    tx.in.alone = true;
    assert_int_equal(store_run(nodes->f->store, &tx.tx), STATUS_OK);
    return tx.out.count;
}

static void an_ehr_without_conditions_has_one_writer(void **state)
{
    (void)state;
    struct nodes nodes = begin_nodes();
    const char *const patients[] = {"p1", "p2", "p3"};
    for (size_t i = 0; i < 3; i++) {
        struct evaluation_claim claim = ready(nodes.f, patients[i], patients[i], "e1");
        struct change change = change_of(patients[i], "a", 1, 0);
        plan_as(nodes.f, &claim.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
    }
    assert_int_equal(claim_alone(&nodes), 1);
    swap(&nodes);
    assert_int_equal(claim_alone(&nodes), 0);
    advance(nodes.f, 89 * SECOND);
    assert_int_equal(claim_alone(&nodes), 0); /* the first one's claim may not have settled */
    advance(nodes.f, 1 * SECOND);
    assert_int_equal(claim_alone(&nodes), 1);
    swap(&nodes);
    assert_int_equal(claim_alone(&nodes), 0);
    end_nodes(&nodes);
}

static void ids_of_nodes_differ(void **state)
{
    (void)state;
    enum { EACH = 500 };
    struct nodes nodes = begin_nodes();
    struct uuid *ids = ARENA_ARRAY(nodes.f->arena, 2 * EACH, struct uuid);
    for (size_t i = 0; i < EACH; i++) { /* the clock stands still */
        ids[2 * i] = store_new_id(nodes.f->store);
        ids[2 * i + 1] = store_new_id(nodes.second);
    }
    for (size_t i = 0; i < 2 * EACH; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_false(uuid_equal(ids[i], ids[j]));
        }
    }
    end_nodes(&nodes);
}

static void a_server_that_goes_away_comes_back(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct uuid before = accept_for(f, "k1", "p1", "e1");
    postgres_stop_server(&postgres_of_program, SIGQUIT); /* as kill -9 of a database */
    struct trigger trigger = {SLICE("p1"), SLICE("e1")};
    struct store_accept tx = accept_tx("k2", &trigger, 1);
    struct message message;
    assert_int_equal(store_run(f->store, &tx.tx), STATUS_IO);
    assert_true(store_load(f->store).failing);
    assert_int_equal(store_read_message(f->store, f->arena, before, &message), STATUS_IO);
    postgres_start_server(&postgres_of_program);
    enum status status = STATUS_IO;
    for (int i = 0; i < 100 && status != STATUS_OK; i++) { /* it asks once a second */
        tx = accept_tx("k2", &trigger, 1);
        status = store_run(f->store, &tx.tx);
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    assert_int_equal(status, STATUS_OK);
    assert_false(store_load(f->store).failing);
    assert_message(f, before, WORK_RECEIVED, REASON_NONE);
    advance(f, 20 * SECOND);
    assert_int_equal(claim_all(f, 10).out.count, 1);
    end(f);
}

static void check_refused(struct fixture *f, enum status want, const char *want_text)
{
    struct diag_list diags;
    struct store *store = NULL;
    struct buf text;
    diag_init(&diags, f->arena, 10);
    buf_init(&text, f->arena, 10000);
    assert_int_equal(store_open(&f->options, &diags, &store), want);
    assert_null(store);
    diag_render_all(&diags, &text);
    assert_string_equal(text.at, want_text);
}

static void what_is_not_this_store_is_refused(void **state)
{
    (void)state;
    struct fixture *f = begin();
    accept_for(f, "k1", "p1", "e1");
    store_close(&f->store);
    f->options.environment = SLICE("production");
    check_refused(f, STATUS_REFUSED,
                  "error: postgresql: is the store of environment \"test\", not of \"production\""
                  " [store-open]\n  hint: name another database, or correct the environment\n");
    f->options.environment = SLICE("test");
    postgres_run("UPDATE eplan.meta SET value = '99' WHERE name = 'version'");
    struct diag_list diags;
    struct store *store = NULL;
    diag_init(&diags, f->arena, 10);
    assert_int_equal(store_open(&f->options, &diags, &store), STATUS_REFUSED);
    assert_true(slice_starts_with(diags.first->sentence, SLICE("the store has schema 99")));
    discard(f);
}

/* What SQLite alone understands is found here, whether or not a test comes to it. */
static void every_statement_is_understood(void **state)
{
    (void)state;
    static const char *const texts[] = {
#define SQL(id, text) text,
#include "gateway/store/statements.def"
#undef SQL
    };
    struct fixture *f = begin();
    char url[192];
    char text[8192];
    PGconn *conn = PQconnectdb(postgres_url_of("postgres", url));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_true(pg_dialect(texts[i], text, sizeof text));
        PGresult *result = PQprepare(conn, "", text, 0, NULL);
        const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        /* Here nobody says of what type a parameter is. */
        bool guess = code != NULL && (strcmp(code, "42P18") == 0 || strcmp(code, "42P08") == 0 ||
                                      strstr(PQresultErrorMessage(result), "unknown") != NULL);
        if (PQresultStatus(result) != PGRES_COMMAND_OK && !guess) {
            fail_msg("%s\n%s", text, PQresultErrorMessage(result));
        }
        PQclear(result);
    }
    PQfinish(conn);
    end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_one_message_whichever_node_took_it),
        cmocka_unit_test(nodes_that_accept_the_same_at_once_keep_one_of_each),
        cmocka_unit_test(one_patient_is_on_one_node),
        cmocka_unit_test(a_start_recovers_this_nodes_claims_only),
        cmocka_unit_test(an_ehr_without_conditions_has_one_writer),
        cmocka_unit_test(ids_of_nodes_differ),
        cmocka_unit_test(a_server_that_goes_away_comes_back),
        cmocka_unit_test(what_is_not_this_store_is_refused),
        cmocka_unit_test(every_statement_is_understood),
    };
    setenv("EPLAN_TEST_STORE", "postgresql", 1);
    return postgres_url() != NULL ? cmocka_run_group_tests_name("store nodes", tests, NULL, NULL)
                                  : 0;
}
