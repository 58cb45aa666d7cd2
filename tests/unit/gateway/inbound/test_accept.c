// packages: eplan::pq
// uses: gateway/store
#include "../store/fixture.h"

#include "gateway/inbound/accept.h"

static bool starts(void *arg, const struct config_ehr *ehr, const struct json *resource)
{
    (void)arg;
    (void)ehr;
    return slice_is(json_get_text(resource, "resourceType"), "Observation");
}

struct world {
    struct fixture *fixture;
    struct config_ehr ehr;
    struct inbound_host host;
};

static int open_world(void **state)
{
    json_library_init();
    static struct world world;
    world.fixture = begin();
    world.ehr = (struct config_ehr){.name = NORTH,
                                    .base_url = SLICE("https://ehr.example/fhir"),
                                    .settle_ms = 20000,
                                    .settle_most_ms = 120000};
    world.host = (struct inbound_host){
        .store = world.fixture->store, .clock = &world.fixture->options.clock, .starts = starts};
    *state = &world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    end(world->fixture);
    return 0;
}

static enum status accept_text(struct world *world, enum message_kind kind, const char *text,
                               struct store_accept *accept_out, const char **why_out)
{
    struct arena *arena = world->fixture->arena;
    struct diag_list diags;
    diag_init(&diags, arena, 5);
    struct arrival arrival = {
        .kind = kind, .ehr = &world->ehr, .sender = SLICE("lab"), .body = slice_of(text)};
    assert_int_equal(json_parse(arena, source_create(arena, SLICE("t"), slice_of(text)),
                                &LIMITS_DEFAULT, &diags, &arrival.json),
                     STATUS_OK);
    return accept_prepare(arena, &world->host, &arrival, accept_out, why_out);
}

/* Stores it, and says whether it was a repeat. */
static bool store_text(struct world *world, enum message_kind kind, const char *text,
                       struct message *message_out)
{
    struct store_accept accept;
    const char *why = NULL;
    assert_int_equal(accept_text(world, kind, text, &accept, &why), STATUS_OK);
    assert_int_equal(store_run(world->fixture->store, &accept.tx), STATUS_OK);
    *message_out = message_now(world->fixture, accept.out.message);
    return accept.out.repeat;
}

#define WEIGHT(id, version)                                                                        \
    "{\"resourceType\":\"Observation\",\"id\":\"" id "\",\"meta\":{\"versionId\":\"" version       \
    "\"},\"subject\":{\"reference\":\"Patient/p1\"},\"encounter\":{\"reference\":\"Encounter/"     \
    "e1\"}}"

static void test_a_poll_and_a_notification_of_one_version_are_one_message(void **state)
{
    struct world *world = *state;
    struct message first;
    struct message second;
    assert_false(store_text(world, MESSAGE_NOTIFICATION, WEIGHT("w1", "1"), &first));
    assert_true(store_text(world, MESSAGE_POLL, WEIGHT("w1", "1"), &second));
    assert_true(uuid_equal(first.id, second.id));
    assert_false(store_text(world, MESSAGE_POLL, WEIGHT("w1", "2"), &second));
    assert_int_equal(second.state, WORK_RECEIVED);
}

static void test_a_direct_message_is_its_senders(void **state)
{
    struct world *world = *state;
    struct message first;
    struct message second;
    assert_false(store_text(world, MESSAGE_DIRECT, WEIGHT("w1", "1"), &first));
    assert_true(store_text(world, MESSAGE_DIRECT, WEIGHT("w1", "1"), &second));
    assert_true(uuid_equal(first.id, second.id));
    assert_true(slice_is(first.sender, "lab"));
    assert_false(store_text(world, MESSAGE_POLL, WEIGHT("w1", "1"), &second));
}

/* A Goal that we wrote stands in the EHR as version 1. */
static struct slice write_a_goal(struct world *world)
{
    struct fixture *f = world->fixture;
    struct evaluation_claim claim = ready(f, "k", "p1", "Encounter/e1");
    struct change change = change_of("p1", "goal", 1, 0);
    plan_as(f, &claim.evaluation, WORK_PLANNED, REASON_NONE, &change, 1);
    struct store_claim_changes claimed = claim_changes(f, false);
    assert_int_equal(claimed.out.count, 1);
    deliver(f, &claimed.out.changes[0]);
    struct item item;
    assert_int_equal(store_find_item(f->store, f->arena, change.item.identifier, &item), STATUS_OK);
    return item.ehr_id;
}

static const char *goal(struct world *world, struct slice id, const char *version)
{
    return arena_printf(world->fixture->arena,
                        "{\"resourceType\":\"Goal\",\"id\":\"%.*s\",\"meta\":{\"versionId\":"
                        "\"%s\"},\"subject\":{\"reference\":\"Patient/p1\"}}",
                        SLICE_ARGS(id), version)
        .at;
}

static void test_our_own_write_that_comes_back_ends_at_once(void **state)
{
    struct world *world = *state;
    struct slice id = write_a_goal(world);
    struct message message;
    assert_false(store_text(world, MESSAGE_NOTIFICATION, goal(world, id, "1"), &message));
    assert_int_equal(message.state, WORK_DROPPED);
    assert_int_equal(message.reason, REASON_OWN_WRITE);
    /* Another version of it is another's. */
    assert_false(store_text(world, MESSAGE_POLL, goal(world, id, "2"), &message));
    assert_int_equal(message.reason, REASON_NO_TRIGGER);
    assert_false(store_text(world, MESSAGE_POLL, goal(world, SLICE("other"), "1"), &message));
    assert_int_equal(message.reason, REASON_NO_TRIGGER);
}

static void test_what_is_refused(void **state)
{
    struct world *world = *state;
    static const struct {
        enum message_kind kind;
        const char *text;
        const char *why; /* a part of it; NULL: it is taken */
    } rows[] = {
        {MESSAGE_DIRECT, "[]", "no JSON object"},
        {MESSAGE_DIRECT, "{}", "resourceType is missing"},
        {MESSAGE_DIRECT, "{\"resourceType\":\"Obsrvation\"}", "did you mean \"Observation\"?"},
        {MESSAGE_DIRECT, "{\"resourceType\":\"Spaceship\"}", "no resource type of that name"},
        {MESSAGE_DIRECT, "{\"resourceType\":\"DomainResource\"}", "no resource type"},
        {MESSAGE_NOTIFICATION, "{\"resourceType\":\"Observation\"}", "must have an id"},
        {MESSAGE_DIRECT, "{\"resourceType\":\"Bundle\",\"type\":\"searchset\"}",
         "collection, batch or transaction"},
        {MESSAGE_DIRECT,
         "{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[{\"request\":{\"method\":"
         "\"DELETE\"}}]}",
         "POST or PUT"},
        {MESSAGE_DIRECT, "{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[{}]}",
         "has no resource"},
        {MESSAGE_DIRECT,
         "{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[{\"request\":{"
         "\"method\":\"POST\"},\"resource\":{\"resourceType\":\"Observation\",\"subject\":{"
         "\"reference\":\"Patient/p1\"},\"effectiveDateTime\":\"2026-01-02\"}}]}",
         NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct store_accept accept;
        const char *why = NULL;
        enum status status = accept_text(world, rows[i].kind, rows[i].text, &accept, &why);
        if (rows[i].why == NULL) {
            assert_int_equal(status, STATUS_OK);
            continue;
        }
        assert_int_equal(status, STATUS_INVALID);
        if (strstr(why, rows[i].why) == NULL) {
            fail_msg("\"%s\" does not say \"%s\"", why, rows[i].why);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_a_poll_and_a_notification_of_one_version_are_one_message, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_a_direct_message_is_its_senders, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(test_our_own_write_that_comes_back_ends_at_once, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(test_what_is_refused, open_world, close_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
