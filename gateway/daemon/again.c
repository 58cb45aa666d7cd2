#include "gateway/daemon/life.h"
#include "gateway/inbound/accept.h"
#include "gateway/store/store_read.h"

enum { READING_ARENA = 128 * 1024 * 1024 };

/* ---- a stored message is read again ---- */

/* One key for each message: read twice again, its visits are due again, and no row is added. */
static struct slice key_of(struct arena *arena, struct uuid message)
{
    char text[UUID_TEXT_SIZE];
    uuid_write(message, text);
    return arena_printf(arena, "read-again-%s", text);
}

struct reading {
    struct generation *generation;
    struct arena *arena;
    struct uuid id;
};

static enum status accept_again(const struct reading *reading, const struct message *message,
                                const struct json *json)
{
    struct inbound_host host = link_host(reading->generation);
    struct arrival arrival = {.kind = message->kind,
                              .ehr = config_find_ehr(reading->generation->config, message->ehr),
                              .sender = message->sender,
                              .body = message->payload,
                              .json = json};
    struct store_accept accept;
    const char *why;
    if (arrival.ehr == NULL ||
        accept_prepare(reading->arena, &host, &arrival, &accept, &why) != STATUS_OK ||
        accept.in.trigger_count == 0) {
        return STATUS_ABSENT;
    }
    accept.in.message.key = key_of(reading->arena, message->id);
    accept.in.key_is_body_hash = true;
    accept.in.key_window_us = 0;
    accept.in.settle_us = 0;
    return store_run(host.store, &accept.tx);
}

static enum status read_run(void *arg)
{
    const struct reading *reading = arg;
    struct message message;
    struct diag_list unheard;
    const struct json *json = NULL;
    diag_init(&unheard, reading->arena, 1);
    enum status status = store_read_message(reading->generation->daemon->store, reading->arena,
                                            reading->id, &message);
    if (status != STATUS_OK) {
        return status;
    }
    struct source *source = source_create(reading->arena, SLICE("message"), message.payload);
    if (json_parse(reading->arena, source, &LIMITS_DEFAULT, &unheard, &json) != STATUS_OK) {
        return STATUS_ABSENT;
    }
    return accept_again(reading, &message, json);
}

/* What it was held for is answered by what was read now. */
static enum status answer_old(struct store *store, struct arena *arena, struct uuid message,
                              struct slice by)
{
    struct store_lever tx = STORE_TX(LEVER);
    tx.tx.arena = arena;
    tx.in.lever = LEVER_DROP;
    tx.in.id = message;
    tx.in.most = 1;
    tx.in.by = by;
    tx.in.why = SLICE("it was read again, and tells of a visit now");
    return store_run(store, &tx.tx);
}

enum status again_read(void *arg, struct arena *arena, struct uuid id, struct slice by)
{
    struct daemon *daemon = arg;
    struct arena *own = arena_create(READING_ARENA);
    if (own == NULL) {
        return STATUS_NO_MEMORY;
    }
    pthread_mutex_lock(&daemon->lock); /* the generation stays as long as it is used */
    struct reading reading = {daemon->current, own, id};
    enum status status = arena_run(own, read_run, &reading);
    pthread_mutex_unlock(&daemon->lock);
    arena_destroy(&own);
    return status == STATUS_OK ? answer_old(daemon->store, arena, id, by) : status;
}
