#include "gateway/inbound/receive.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "gateway/http/router.h"
#include "gateway/inbound/accept.h"
#include "gateway/inbound/doors.h"
#include "gateway/inbound/poll.h"
#include "gateway/inbound/refusal.h"

enum { SPARE_ARENAS = 64, SPARE_BYTES = 64 * 1024 };

struct receive {
    struct receive_options options;
    struct doors doors;
    size_t body_most;
    _Atomic bool paused;
    _Atomic size_t busy;
    /* What came in during this turn of the loop goes to the pool together: the loop's thread. */
    struct loop_job hand_on;
    struct receipt *first;
    struct receipt *last;
    pthread_mutex_t lock; /* over the two below */
    size_t spare_count;
    struct arena *spare[SPARE_ARENAS]; /* empty, with their memory, for the next messages */
};

enum way { WAY_NOTIFY, WAY_NOTIFY_BELOW, WAY_ONE, WAY_TWO, WAY_THREE, WAY_PUT_TWO, WAY_PUT_THREE };

/* With one EHR alone its name may be left out, so a part may be an EHR or a type: see find_ehr. */
static const struct route routes[] = {
    {HTTP_POST, "/notify/{}/{}", WAY_NOTIFY},
    {HTTP_PUT, "/notify/{}/{}", WAY_NOTIFY},
    {HTTP_DELETE, "/notify/{}/{}", WAY_NOTIFY},
    {HTTP_POST, "/notify/{}/{}/{}/{}", WAY_NOTIFY_BELOW},
    {HTTP_PUT, "/notify/{}/{}/{}/{}", WAY_NOTIFY_BELOW},
    {HTTP_DELETE, "/notify/{}/{}/{}/{}", WAY_NOTIFY_BELOW},
    {HTTP_POST, "/fhir", WAY_ONE},
    {HTTP_POST, "/fhir/{}", WAY_TWO},
    {HTTP_POST, "/fhir/{}/{}", WAY_THREE},
    {HTTP_PUT, "/fhir/{}/{}", WAY_PUT_TWO},
    {HTTP_PUT, "/fhir/{}/{}/{}", WAY_PUT_THREE},
};

/* A request on its way from the loop to its reply. */
struct receipt {
    struct receive *receive;
    struct receipt *next; /* of those that go together */
    struct server_request *request;
    const struct door *door;
    struct slice type; /* what the path says */
    struct slice id;
    bool deleted;
    bool is_empty; /* a notification that says no more than that something changed */
    struct arena *arena;
    struct store_accept accept;
    struct store_poll_due *dues;
    size_t due_count;
    _Atomic size_t due_left;
    _Atomic bool due_failed;
    struct reply_text text;
};

/* ---- arenas: the memory of one message is that of a later one ---- */

/* NULL: no memory. */
static struct arena *take_arena(struct receive *receive)
{
    pthread_mutex_lock(&receive->lock);
    struct arena *arena = receive->spare_count != 0 ? receive->spare[--receive->spare_count] : NULL;
    pthread_mutex_unlock(&receive->lock);
    return arena != NULL ? arena : arena_create(0);
}

/* One that grew is not kept. Sets *arena to NULL; accepts NULL. */
static void give_arena(struct receive *receive, struct arena **arena)
{
    if (*arena != NULL && arena_used(*arena) <= SPARE_BYTES) {
        arena_reset(*arena);
        pthread_mutex_lock(&receive->lock);
        if (receive->spare_count < SPARE_ARENAS) {
            receive->spare[receive->spare_count++] = *arena;
            *arena = NULL;
        }
        pthread_mutex_unlock(&receive->lock);
    }
    arena_destroy(arena);
}

/* ---- replies ---- */

static void receipt_destroy(struct receipt *receipt)
{
    struct receive *receive = receipt->receive;
    server_request_destroy(receipt->request);
    give_arena(receive, &receipt->arena);
    free(receipt);
    atomic_fetch_sub(&receive->busy, 1);
}

/* Sends what stands in the text, and the receipt is gone. */
static void reply(struct receipt *receipt)
{
    const struct receive_options *options = &receipt->receive->options;
    (void)options->reply(options->reply_arg, receipt->request->id, &receipt->text.reply);
    receipt_destroy(receipt);
}

static void refuse(struct receipt *receipt, enum refusal refusal)
{
    refusal_reply(refusal, NULL, &receipt->text);
    reply(receipt);
}

/* ---- on the loop's thread: who, where, how much ---- */

static bool is_json(struct slice content_type)
{
    static const char *const types[] = {"application/fhir+json", "application/json",
                                        "application/json+fhir"};
    struct slice type = content_type.len != 0 ? http_media_type(content_type) : SLICE_NONE;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (http_name_equal(type, slice_of(types[i]))) {
            return true;
        }
    }
    return false;
}

/* The EHR of a direct message, and how many parts of the path its name took. */
static const struct config_ehr *find_ehr(const struct config *config,
                                         const struct route_match *match, size_t *taken_out)
{
    const struct config_ehr *ehr =
        match->part_count != 0 ? config_find_ehr(config, match->part[0]) : NULL;
    *taken_out = ehr != NULL;
    bool is_put = match->id == WAY_PUT_TWO || match->id == WAY_PUT_THREE;
    size_t rest = match->part_count - *taken_out;
    bool fits = is_put ? rest == 2 : rest <= 1;
    if (ehr == NULL && fits && config->ehr_count == 1) {
        return &config->ehrs[0];
    }
    return fits ? ehr : NULL;
}

static enum refusal enter_notify(struct receipt *receipt, const struct route_match *match)
{
    const struct door *door = receipt->door;
    if (door->subscription == NULL || !slice_equal(match->part[0], door->ehr->name) ||
        !slice_equal(match->part[1], door->subscription->name)) {
        return REFUSAL_FORBIDDEN;
    }
    if (match->id == WAY_NOTIFY_BELOW) {
        receipt->type = match->part[2];
        receipt->id = match->part[3];
    }
    return REFUSAL_NONE;
}

static enum refusal enter_direct(struct receipt *receipt, const struct route_match *match)
{
    size_t taken = 0;
    const struct config_ehr *ehr = find_ehr(receipt->receive->options.config, match, &taken);
    if (ehr == NULL) {
        return REFUSAL_NOT_FOUND;
    }
    if (ehr != receipt->door->ehr || !door_allows_path(receipt->door, receipt->request->path)) {
        return REFUSAL_FORBIDDEN;
    }
    if (match->part_count > taken) {
        receipt->type = match->part[taken];
    }
    if (match->part_count > taken + 1) {
        receipt->id = match->part[taken + 1];
    }
    return REFUSAL_NONE;
}

/* DELETE below the path (HAPI), or a header (Medplum: X-Medplum-Interaction). */
static void see_deletion(struct receipt *receipt)
{
    const struct server_request *request = receipt->request;
    receipt->deleted = request->method == HTTP_DELETE;
    if (slice_is(server_request_header(request, SLICE("X-Medplum-Interaction")), "delete")) {
        struct slice rest = server_request_header(request, SLICE("X-Medplum-Deleted-Resource"));
        receipt->deleted = true;
        slice_cut(&rest, '/', &receipt->type);
        receipt->id = rest;
    }
}

static enum refusal enter(struct receipt *receipt, struct route_match *match)
{
    const struct receive *receive = receipt->receive;
    const struct server_request *request = receipt->request;
    receipt->door = doors_find(
        &receive->doors, server_request_header(request, SLICE("Authorization")), request->peer);
    if (receipt->door == NULL) {
        return REFUSAL_UNKNOWN;
    }
    enum route_result found =
        route_find(routes, sizeof routes / sizeof *routes, request->method, request->path, match);
    if (found != ROUTE_FOUND) {
        return found == ROUTE_NO_METHOD ? REFUSAL_METHOD : REFUSAL_NOT_FOUND;
    }
    bool notify = match->id == WAY_NOTIFY || match->id == WAY_NOTIFY_BELOW;
    enum refusal refusal = notify ? enter_notify(receipt, match) : enter_direct(receipt, match);
    if (refusal != REFUSAL_NONE) {
        return refusal;
    }
    if (notify) {
        see_deletion(receipt);
        receipt->is_empty = !receipt->deleted &&
                            (request->body.len == 0 || slice_is(slice_trim(request->body), "{}"));
    }
    if (request->body.len > receive->body_most) {
        return REFUSAL_TOO_LARGE;
    }
    bool needs_json = !receipt->deleted && !receipt->is_empty;
    if (needs_json && !is_json(server_request_header(request, SLICE("Content-Type")))) {
        return REFUSAL_MEDIA_TYPE;
    }
    return REFUSAL_NONE;
}

/* ---- on the pool ---- */

static void accepted(struct store_tx *tx, void *arg);

/* Another receipt of the same commit is answered at once behind this one. */
static bool another_follows(const struct store_tx *tx, const struct receive *receive)
{
    const struct store_tx *next = tx->queue.next;
    return next != NULL && next->queue.done == accepted &&
           ((const struct receipt *)next->queue.arg)->receive == receive;
}

/* On the store's writer. The loop is woken once for all receipts of a commit: woken for each, it
 * would take the processor from the writer after each. */
static void accepted(struct store_tx *tx, void *arg)
{
    struct receipt *receipt = arg;
    struct receive *receive = receipt->receive;
    const struct inbound_host *host = &receive->options.host;
    bool more = another_follows(tx, receive);
    struct uuid id = receipt->accept.out.message;
    bool stored = tx->status == STATUS_OK;
    if (stored && !receipt->accept.out.repeat && host->accepted != NULL) {
        host->accepted(host->arg, receipt->door->ehr, id);
    }
    if (!more && host->settled != NULL) {
        host->settled(host->arg);
    }
    if (!stored) {
        refuse(receipt, REFUSAL_BUSY);
        return;
    }
    receipt->text.reply = (struct server_reply){.status = 200};
    if (receipt->accept.in.message.kind == MESSAGE_DIRECT) {
        static const char prefix[] = "/messages/";
        char *location = receipt->text.body;
        memcpy(location, prefix, sizeof prefix);
        uuid_write(id, location + sizeof prefix - 1);
        receipt->text.headers[0] = (struct http_header){SLICE("Location"), slice_of(location)};
        receipt->text.reply = (struct server_reply){
            .status = 202, .headers = receipt->text.headers, .header_count = 1};
    }
    receipt->text.reply.more = more;
    reply(receipt);
}

/* False: the reply says what is wrong, and where. */
static bool read_json(struct receipt *receipt, const struct json **json_out)
{
    struct arena *arena = receipt->arena;
    struct slice text = receipt->request->body;
    if (slice_starts_with(text, SLICE("\xef\xbb\xbf"))) { /* a byte order mark is forgiven */
        text = slice_part(text, 3, SIZE_MAX);
    }
    struct diag_list diags;
    diag_init(&diags, arena, 20);
    const struct limits limits = LIMITS_DEFAULT;
    const struct source *source = source_create(arena, SLICE("body"), text);
    if (json_parse(arena, source, &limits, &diags, json_out) != STATUS_OK) {
        refusal_invalid(arena, "", &diags, &receipt->text);
        return false;
    }
    return true;
}

static enum status read_message(void *arg)
{
    struct receipt *receipt = arg;
    const struct server_request *request = receipt->request;
    struct arena *arena = receipt->arena;
    const struct door *door = receipt->door;
    struct arrival arrival = {.kind = door->sender != NULL ? MESSAGE_DIRECT : MESSAGE_NOTIFICATION,
                              .ehr = door->ehr,
                              .sender = door->sender != NULL ? door->sender->name : door->ehr->name,
                              .body = request->body,
                              .deleted = receipt->deleted,
                              .type = receipt->type,
                              .id = receipt->id};
    const char *why = "a deletion must say which resource was deleted, as {type}/{id} in the path";
    if (receipt->deleted) {
        arrival.body = SLICE_NONE;
        if (arrival.type.len == 0 || arrival.id.len == 0) {
            refusal_invalid(arena, why, NULL, &receipt->text);
            return STATUS_INVALID;
        }
    } else if (!read_json(receipt, &arrival.json)) {
        return STATUS_INVALID;
    }
    if (arrival.kind == MESSAGE_DIRECT && receipt->type.len == 0 &&
        !slice_is(json_get_text(arrival.json, "resourceType"), "Bundle")) {
        refusal_invalid(arena, "only a Bundle is taken here; post a resource to its type's path",
                        NULL, &receipt->text);
        return STATUS_INVALID;
    }
    enum status status =
        accept_prepare(arena, &receipt->receive->options.host, &arrival, &receipt->accept, &why);
    if (status != STATUS_OK) {
        refusal_invalid(arena, why, NULL, &receipt->text);
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

/* True: it is to be stored; false: it was answered. */
static bool take_message(struct receipt *receipt)
{
    enum status status = arena_run(receipt->arena, read_message, receipt);
    if (status == STATUS_INVALID) {
        reply(receipt);
    } else if (status != STATUS_OK) {
        refuse(receipt, status == STATUS_LIMIT ? REFUSAL_TOO_LARGE : REFUSAL_BUSY);
    }
    return status == STATUS_OK;
}

/* ---- a notification without content ---- */

static void due_done(struct receipt *receipt, size_t count, bool failed)
{
    if (failed) {
        atomic_store(&receipt->due_failed, true);
    }
    if (atomic_fetch_sub(&receipt->due_left, count) != count) {
        return;
    }
    if (atomic_load(&receipt->due_failed)) {
        refuse(receipt, REFUSAL_BUSY);
        return;
    }
    const struct inbound_host *host = &receipt->receive->options.host;
    if (host->poll_due != NULL) {
        host->poll_due(host->arg, receipt->door->ehr);
    }
    receipt->text.reply = (struct server_reply){.status = 200};
    reply(receipt);
}

static void due_stored(struct store_tx *tx, void *arg)
{
    due_done(arg, 1, tx->status != STATUS_OK);
}

/* Every poll that looks for what this subscription looks for. */
static enum status list_dues(void *arg)
{
    struct receipt *receipt = arg;
    const struct door *door = receipt->door;
    struct poll_names names = poll_names(receipt->arena, door->ehr);
    receipt->dues = ARENA_ARRAY(receipt->arena, names.count + 1, struct store_poll_due);
    for (size_t i = 0; i < names.count; i++) {
        if (poll_covers(names.at[i], door->subscription->criteria)) {
            struct store_poll_due *due = &receipt->dues[receipt->due_count++];
            *due = (struct store_poll_due)STORE_TX(POLL_DUE);
            due->in.ehr = door->ehr->name;
            due->in.name = names.at[i];
        }
    }
    return STATUS_OK;
}

static void take_empty(struct receipt *receipt)
{
    if (arena_run(receipt->arena, list_dues, receipt) != STATUS_OK) {
        refuse(receipt, REFUSAL_BUSY);
        return;
    }
    /* One more is held back until all were handed over. */
    atomic_store(&receipt->due_left, receipt->due_count + 1);
    size_t count = receipt->due_count;
    size_t given = 0;
    while (given < count &&
           store_submit(receipt->receive->options.host.store, &receipt->dues[given].tx, due_stored,
                        receipt) == STATUS_OK) {
        given++;
    }
    due_done(receipt, count - given + 1, given < count);
}

static bool take(struct receipt *receipt)
{
    receipt->arena = take_arena(receipt->receive);
    if (receipt->arena == NULL || atomic_load(&receipt->receive->paused)) {
        refuse(receipt, REFUSAL_BUSY);
    } else if (receipt->is_empty) {
        take_empty(receipt);
    } else {
        return take_message(receipt);
    }
    return false;
}

enum { TOGETHER_MOST = 16, TOGETHER_BYTES = 256 * 1024 };

/* First all are read, then all are given to the store: it commits them as one group. */
static void take_all(void *arg)
{
    struct store_tx *txs[TOGETHER_MOST];
    void *receipts[TOGETHER_MOST];
    size_t count = 0;
    struct store *store = ((const struct receipt *)arg)->receive->options.host.store;
    for (struct receipt *receipt = arg, *next; receipt != NULL; receipt = next) {
        next = receipt->next;
        if (take(receipt)) {
            txs[count] = &receipt->accept.tx;
            receipts[count++] = receipt;
        }
    }
    enum status status; /* why not all: they are all told the same */
    for (size_t i = store_submit_all(store, txs, receipts, count, accepted, &status); i < count;
         i++) {
        refuse(receipts[i], REFUSAL_BUSY);
    }
}

static void drop_all(void *arg)
{
    for (struct receipt *receipt = arg, *next; receipt != NULL; receipt = next) {
        next = receipt->next;
        refuse(receipt, REFUSAL_BUSY);
    }
}

/* ---- on the loop's thread: what came together goes together ---- */

static struct receipt *cut_off(struct receive *receive, size_t *bytes_out)
{
    struct receipt *list = receive->first;
    struct receipt *last = list;
    size_t bytes = list->request->bytes;
    for (size_t count = 1; count < TOGETHER_MOST && last->next != NULL && bytes < TOGETHER_BYTES;
         count++) {
        last = last->next;
        bytes += last->request->bytes;
    }
    receive->first = last->next;
    last->next = NULL;
    *bytes_out = bytes;
    return list;
}

static void hand_on(void *arg)
{
    struct receive *receive = arg;
    while (receive->first != NULL) {
        struct pool_job job = {.run = take_all, .drop = drop_all};
        job.arg = cut_off(receive, &job.bytes);
        if (pool_submit(receive->options.host.pool, &job) != STATUS_OK) {
            drop_all(job.arg);
        }
    }
    receive->last = NULL;
}

static void gather(struct receive *receive, struct receipt *receipt)
{
    if (receive->last != NULL) {
        receive->last->next = receipt;
    } else {
        receive->first = receipt;
        loop_post(receive->options.host.loop, &receive->hand_on);
    }
    receive->last = receipt;
}

/* ---- from outside ---- */

void receive_handle(void *arg, struct server_request *request)
{
    struct receive *receive = arg;
    struct receipt *receipt = calloc(1, sizeof *receipt);
    if (receipt == NULL) {
        struct reply_text text;
        refusal_reply(REFUSAL_BUSY, NULL, &text);
        (void)receive->options.reply(receive->options.reply_arg, request->id, &text.reply);
        server_request_destroy(request);
        return;
    }
    atomic_fetch_add(&receive->busy, 1);
    receipt->receive = receive;
    receipt->request = request;
    struct route_match match = {.id = 0};
    enum refusal refusal = enter(receipt, &match);
    if (refusal != REFUSAL_NONE) {
        refusal_reply(refusal, match.allow, &receipt->text);
        reply(receipt);
        return;
    }
    if (atomic_load(&receive->paused)) {
        refuse(receipt, REFUSAL_BUSY);
        return;
    }
    gather(receive, receipt);
}

bool receive_owns(struct slice path)
{
    return slice_starts_with(path, SLICE("/notify/")) || slice_is(path, "/fhir") ||
           slice_starts_with(path, SLICE("/fhir/"));
}

enum status receive_create(const struct receive_options *options, struct diag_list *diags,
                           struct receive **receive_out)
{
    struct receive *receive = calloc(1, sizeof *receive);
    if (receive == NULL) {
        return STATUS_NO_MEMORY;
    }
    receive->options = *options;
    pthread_mutex_init(&receive->lock, NULL);
    receive->hand_on = (struct loop_job){.run = hand_on, .arg = receive};
    receive->body_most = (size_t)options->config->gateway.limits.body_bytes;
    enum status status = doors_load(options->config, diags, &receive->doors);
    if (status != STATUS_OK) {
        receive_destroy(&receive);
        return status;
    }
    *receive_out = receive;
    return STATUS_OK;
}

void receive_pause(struct receive *receive, bool paused)
{
    atomic_store(&receive->paused, paused);
}

size_t receive_busy(struct receive *receive)
{
    return atomic_load(&receive->busy);
}

void receive_destroy(struct receive **receive)
{
    if (*receive != NULL) {
        loop_withdraw((*receive)->options.host.loop, &(*receive)->hand_on);
        doors_clear(&(*receive)->doors);
        while ((*receive)->spare_count != 0) {
            arena_destroy(&(*receive)->spare[--(*receive)->spare_count]);
        }
        pthread_mutex_destroy(&(*receive)->lock);
        free(*receive);
        *receive = NULL;
    }
}
