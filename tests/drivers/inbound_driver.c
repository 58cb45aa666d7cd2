// uses: gateway/inbound gateway/ehr gateway/store gateway/http
/*
 * Receiving, polling and subscription upkeep with a store, without evaluation: inbound_driver
 * CONFIG. Prints {"event":"ready","origin":"https://..."} when it listens,
 * {"event":"accepted","message":...} for each message. Messages start on Observations. Commands,
 * each answered with its n:
 *   {"n":1,"do":"message","id":UUID}   {"do":"status"}   {"do":"item", ...} makes an item known
 *   {"n":2,"do":"poll","name":...}   {"do":"subscription","name":...}
 *   {"n":3,"do":"start"}  polls and upkeep begin   {"do":"look"} upkeep now
 * {"do":"pause","on":true}
 */
#include <stdlib.h>

#include "common/driver.h"
#include "gateway/http/server.h"
#include "gateway/inbound/poll.h"
#include "gateway/inbound/receive.h"
#include "gateway/inbound/subscribe.h"
#include "gateway/store/store_read.h"

struct gateway {
    struct driver driver;
    struct store *store;
    struct tls_server *tls;
    struct server *server;
    struct receive *receive;
    struct poller **pollers;
    struct subscriber **subscribers;
    struct slice origin;
};

/* ---- what the rest of the gateway would do ---- */

static bool starts(void *arg, const struct config_ehr *ehr, const struct json *resource)
{
    (void)arg;
    (void)ehr;
    return slice_is(json_get_text(resource, "resourceType"), "Observation");
}

static void accepted(void *arg, const struct config_ehr *ehr, struct uuid message)
{
    struct gateway *gateway = arg;
    struct arena *arena = arena_create(0);
    struct json *line = json_new_object(arena);
    char id[UUID_TEXT_SIZE];
    uuid_write(message, id);
    put_text(arena, line, "event", SLICE("accepted"));
    put_text(arena, line, "ehr", ehr->name);
    put_text(arena, line, "message", slice_of(id));
    driver_print(&gateway->driver, arena, line);
    arena_destroy(&arena);
}

static size_t place_of(const struct gateway *gateway, const struct config_ehr *ehr)
{
    return (size_t)(ehr - gateway->driver.config->ehrs);
}

static void poll_due(void *arg, const struct config_ehr *ehr)
{
    struct gateway *gateway = arg;
    poller_nudge(gateway->pollers[place_of(gateway, ehr)]);
}

static enum status reply(void *arg, uint64_t request, const struct server_reply *it)
{
    struct gateway *gateway = arg;
    return server_reply(gateway->server, request, it);
}

/* ---- commands ---- */

static struct json *answer_to(struct arena *arena, const struct json *command)
{
    struct json *line = json_new_object(arena);
    put_number(arena, line, "n", get_number(command, "n", 0));
    return line;
}

static void put_message(struct gateway *gateway, struct arena *arena, const struct json *command,
                        struct json *line)
{
    struct uuid id = UUID_NONE;
    struct message message;
    uuid_read(json_get_text(command, "id"), &id);
    enum status status = store_read_message(gateway->store, arena, id, &message);
    put_text(arena, line, "found", slice_of(status_name(status)));
    if (status == STATUS_OK) {
        static const char *const kinds[] = {"", "notification", "direct", "poll"};
        put_text(arena, line, "ehr", message.ehr);
        put_text(arena, line, "kind", slice_of(kinds[message.kind]));
        put_text(arena, line, "sender", message.sender);
        put_text(arena, line, "key", message.key);
        put_text(arena, line, "type", message.resource_type);
        put_text(arena, line, "id", message.resource_id);
        put_text(arena, line, "version", message.resource_version);
        put_text(arena, line, "state", slice_of(work_state_name(message.state)));
        put_text(arena, line, "reason", slice_of(reason_name(message.reason)));
        put_text(arena, line, "payload", message.payload);
    }
}

/* Visits are sorted out when work is claimed; none is due here. */
static void sort_visits(struct gateway *gateway, struct arena *arena)
{
    for (size_t i = 0; i < gateway->driver.config->ehr_count; i++) {
        struct store_claim_evaluations claim = STORE_TX(CLAIM_EVALUATIONS);
        claim.tx.arena = arena;
        claim.in.ehr = gateway->driver.config->ehrs[i].name;
        claim.in.owner = SLICE("driver");
        claim.in.lease_us = 60000000;
        claim.in.most = 1;
        (void)store_run(gateway->store, &claim.tx);
    }
}

static void put_status(struct gateway *gateway, struct arena *arena, struct json *line)
{
    struct store_status status;
    sort_visits(gateway, arena);
    if (store_read_status(gateway->store, arena, &status) != STATUS_OK) {
        return;
    }
    for (size_t i = 0; i < status.count; i++) {
        const struct ehr_status *it = &status.ehrs[i];
        struct json *one = json_new_object(arena);
        uint64_t messages = 0;
        uint64_t evaluations = 0;
        for (size_t k = 0; k < WORK_STATES; k++) {
            messages += it->messages[k];
            evaluations += it->evaluations[k];
        }
        put_number(arena, one, "messages", (int64_t)messages);
        put_number(arena, one, "evaluations", (int64_t)evaluations);
        json_add(arena, line, it->ehr, one);
    }
}

static void put_poll(struct gateway *gateway, struct arena *arena, const struct json *command,
                     struct json *line)
{
    struct poll poll;
    if (store_read_poll(gateway->store, arena, gateway->driver.config->ehrs[0].name,
                        json_get_text(command, "name"), &poll) == STATUS_OK) {
        put_number(arena, line, "watermark", poll.watermark / 1000);
        put_number(arena, line, "asked", (int64_t)poll.asked);
        put_number(arena, line, "answered", (int64_t)poll.answered);
        put_number(arena, line, "lastDone", poll.last_done / 1000);
        put_text(arena, line, "error", poll.error);
    }
}

static void put_subscription(struct gateway *gateway, struct arena *arena,
                             const struct json *command, struct json *line)
{
    struct subscription subscription;
    if (store_read_subscription(gateway->store, arena, gateway->driver.config->ehrs[0].name,
                                json_get_text(command, "name"), &subscription) == STATUS_OK) {
        put_text(arena, line, "id", subscription.ehr_id);
        put_text(arena, line, "status", subscription.status);
        put_text(arena, line, "error", subscription.error);
    }
}

static void start_all(struct gateway *gateway)
{
    for (size_t i = 0; i < gateway->driver.config->ehr_count; i++) {
        ehr_start(gateway->driver.ehrs[i]);
        poller_start(gateway->pollers[i]);
        subscriber_start(gateway->subscribers[i]);
    }
}

static void take(void *arg, struct arena *arena, const struct json *command)
{
    struct gateway *gateway = arg;
    struct slice what = json_get_text(command, "do");
    struct json *line = answer_to(arena, command);
    if (slice_is(what, "message")) {
        put_message(gateway, arena, command, line);
    } else if (slice_is(what, "status")) {
        put_status(gateway, arena, line);
    } else if (slice_is(what, "poll")) {
        put_poll(gateway, arena, command, line);
    } else if (slice_is(what, "subscription")) {
        put_subscription(gateway, arena, command, line);
    } else if (slice_is(what, "start")) {
        start_all(gateway);
    } else if (slice_is(what, "look")) {
        subscriber_nudge(gateway->subscribers[0]);
    } else if (slice_is(what, "pause")) {
        receive_pause(gateway->receive, json_is(json_get(command, "on"), JSON_TRUE));
    }
    driver_print(&gateway->driver, arena, line);
}

/* ---- life ---- */

static bool complain(struct driver *driver, const struct diag_list *diags)
{
    struct buf text;
    buf_init(&text, driver->arena, 1 << 20);
    diag_render_all(diags, &text);
    fprintf(stderr, "driver: cannot begin\n%.*s", SLICE_ARGS(buf_view(&text)));
    return false;
}

static bool listen_at(struct gateway *gateway, struct diag_list *diags)
{
    struct driver *driver = &gateway->driver;
    const struct config_gateway *config = &driver->config->gateway;
    const struct tls_server_config tls = {
        .cert_file = arena_cstr(driver->arena, config->tls.certificate_file),
        .key_file = arena_cstr(driver->arena, config->tls.key_file),
        .client_ca_file = config->tls.client_ca_file.len != 0
                              ? arena_cstr(driver->arena, config->tls.client_ca_file)
                              : NULL,
        .clients = config->tls.client_ca_file.len != 0 ? TLS_CLIENTS_OPTIONAL : TLS_CLIENTS_NONE};
    if (tls_server_create(&tls, &clock_system, diags, &gateway->tls) != STATUS_OK) {
        return false;
    }
    struct server_config server = {.loop = driver->loop,
                                   .clock = &clock_system,
                                   .tls = gateway->tls,
                                   .log = driver->log,
                                   .limits = SERVER_LIMITS_DEFAULT,
                                   .handler = receive_handle,
                                   .handler_arg = gateway->receive};
    server.limits.max_body = (size_t)config->limits.body_bytes;
    uint16_t port = 0;
    if (server_create(&server, &gateway->server) != STATUS_OK ||
        server_listen(gateway->server, "127.0.0.1", (uint16_t)config->listen.port, SPAN_NONE, diags,
                      &port) != STATUS_OK) {
        return false;
    }
    gateway->origin = arena_printf(driver->arena, "https://127.0.0.1:%u", (unsigned)port);
    return true;
}

static bool open_store(struct gateway *gateway, struct diag_list *diags)
{
    const struct config_gateway *config = &gateway->driver.config->gateway;
    const struct store_options options = {.state_dir = config->state_dir,
                                          .environment = config->environment,
                                          .queue_items = (size_t)config->queue_items,
                                          .clock = gateway->driver.clock,
                                          .random = random_system};
    if (store_open(&options, diags, &gateway->store) != STATUS_OK) {
        return false;
    }
    for (size_t i = 0; i < gateway->driver.config->ehr_count; i++) {
        const struct config_ehr *ehr = &gateway->driver.config->ehrs[i];
        struct store_bind_ehr bind = STORE_TX(BIND_EHR);
        bind.in.ehr = ehr->name;
        bind.in.base_url = ehr->base_url;
        if (store_run(gateway->store, &bind.tx) != STATUS_OK) {
            return false;
        }
    }
    return true;
}

static bool open_inbound(struct gateway *gateway, struct diag_list *diags)
{
    struct driver *driver = &gateway->driver;
    size_t count = driver->config->ehr_count;
    const struct inbound_host host = {.loop = driver->loop,
                                      .pool = driver->pool,
                                      .store = gateway->store,
                                      .clock = &driver->clock,
                                      .log = driver->log,
                                      .starts = starts,
                                      .accepted = accepted,
                                      .poll_due = poll_due,
                                      .arg = gateway};
    const struct receive_options receive = {
        .host = host, .config = driver->config, .reply = reply, .reply_arg = gateway};
    if (receive_create(&receive, diags, &gateway->receive) != STATUS_OK ||
        !listen_at(gateway, diags)) {
        return false;
    }
    gateway->pollers = ARENA_ARRAY(driver->arena, count + 1, struct poller *);
    gateway->subscribers = ARENA_ARRAY(driver->arena, count + 1, struct subscriber *);
    for (size_t i = 0; i < count; i++) {
        struct ehr *ehr = driver->ehrs[i];
        if (poller_create(&host, ehr, &gateway->pollers[i]) != STATUS_OK ||
            subscriber_create(&host, ehr, gateway->origin, diags, &gateway->subscribers[i]) !=
                STATUS_OK) {
            return false;
        }
    }
    return true;
}

static enum status open_rest(void *arg)
{
    struct gateway *gateway = arg;
    struct diag_list diags;
    diag_init(&diags, gateway->driver.arena, 50);
    if (!open_store(gateway, &diags) || !open_inbound(gateway, &diags)) {
        complain(&gateway->driver, &diags);
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

static void say_ready(struct gateway *gateway)
{
    struct arena *arena = arena_create(0);
    struct json *line = json_new_object(arena);
    put_text(arena, line, "event", SLICE("ready"));
    put_text(arena, line, "origin", gateway->origin);
    driver_print(&gateway->driver, arena, line);
    arena_destroy(&arena);
}

static bool all_rest(void *arg)
{
    struct gateway *gateway = arg;
    bool rest = receive_busy(gateway->receive) == 0;
    for (size_t i = 0; i < gateway->driver.config->ehr_count; i++) {
        rest =
            rest && !poller_busy(gateway->pollers[i]) && !subscriber_busy(gateway->subscribers[i]);
    }
    return rest;
}

static void drained(void *arg, bool clean)
{
    (void)clean;
    struct gateway *gateway = arg;
    loop_stop(gateway->driver.loop);
}

static void drain(void *arg)
{
    struct gateway *gateway = arg;
    server_drain(gateway->server, 1000, drained, gateway);
}

static void close_all(struct gateway *gateway)
{
    struct driver *driver = &gateway->driver;
    size_t count = driver->config->ehr_count;
    receive_pause(gateway->receive, true);
    for (size_t i = 0; i < count; i++) {
        poller_stop(gateway->pollers[i]);
        subscriber_stop(gateway->subscribers[i]);
        ehr_stop(driver->ehrs[i]);
    }
    driver_drain_client(driver);
    driver_wait(all_rest, gateway);
    struct loop_job job = {.run = drain, .arg = gateway};
    loop_post(driver->loop, &job);
    driver_join(driver);
    server_destroy(&gateway->server);
    tls_server_destroy(&gateway->tls);
    for (size_t i = 0; i < count; i++) {
        poller_destroy(&gateway->pollers[i]);
        subscriber_destroy(&gateway->subscribers[i]);
    }
    driver_destroy_ehrs(driver);
    receive_destroy(&gateway->receive);
    store_close(&gateway->store);
    driver_close(driver);
}

int main(int argc, char **argv)
{
    static struct gateway gateway;
    if (argc != 2 || !driver_open(&gateway.driver, argv[1]) ||
        arena_run(gateway.driver.arena, open_rest, &gateway) != STATUS_OK) {
        fprintf(stderr, "usage: inbound_driver CONFIG\n");
        return 64;
    }
    driver_run(&gateway.driver);
    say_ready(&gateway);
    driver_read(&gateway.driver, take, &gateway);
    close_all(&gateway);
    return 0;
}
