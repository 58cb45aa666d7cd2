#include "gateway/inbound/poll.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "gateway/inbound/accept.h"
#include "gateway/inbound/instant.h"
#include "gateway/inbound/worker.h"
#include "gateway/store/store_read.h"

static const int64_t ms_us = 1000;

enum {
    GAP_MS = 500,  /* between two polls of one name, however often they are asked for */
    FULL_MS = 100, /* until a full store is offered the rest of a page */
    PAGE_MEMORY = 128 << 20
};

/* What is known of one poll beside the store. */
struct schedule {
    int64_t not_before; /* monotonic */
    int64_t next;       /* monotonic: by its interval; INT64_MAX: when asked for only */
    bool known;         /* next was set from the store */
    bool complained;    /* a lasting fault was logged */
};

/* One poll under way: touched by one step at a time. */
struct round {
    size_t name;
    struct arena *arena; /* of what lasts for the round */
    struct poll stored;  /* as it was before */
    int64_t latest_seen;
    int64_t server_date;
    struct ehr_walk *walk; /* the page that is being stored */
    struct arena *page;    /* of that page */
    const struct ehr_page *shown;
    struct store_accept *accepts;
    size_t count;
    size_t given; /* to the store */
    size_t unreadable;
    bool is_last;
    struct ehr_request request;
    struct store_save_poll save;
};

struct poller {
    struct inbound_host host;
    struct ehr *ehr;
    const struct config_ehr *config;
    struct arena *arena; /* of the names */
    struct poll_names names;
    struct schedule *schedules;
    struct worker *worker;
    struct round round;
    _Atomic size_t left; /* accepts that the store has not yet answered, and one more */
    _Atomic bool store_failed;
};

static int64_t monotonic(const struct poller *poller)
{
    return clock_monotonic(poller->host.clock);
}

/* ---- the end of a round ---- */

static void look_again(struct poller *poller);

static void round_clear(struct poller *poller)
{
    arena_destroy(&poller->round.page);
    arena_destroy(&poller->round.arena);
    poller->round = (struct round){.name = 0};
}

static void saved(struct store_tx *tx, void *arg)
{
    struct poller *poller = arg;
    struct schedule *schedule = &poller->schedules[poller->round.name];
    if (tx->status != STATUS_OK) {
        schedule->not_before = monotonic(poller) + (int64_t)poller->config->retry.first_ms * ms_us;
    }
    round_clear(poller);
    look_again(poller);
}

/* Keeps how far the poll came. `error` is static. */
static void save(struct poller *poller, bool done, int64_t watermark, uint64_t asked,
                 const char *error, store_done *then)
{
    struct round *round = &poller->round;
    round->save = (struct store_save_poll)STORE_TX(SAVE_POLL);
    round->save.in.ehr = poller->config->name;
    round->save.in.name = poller->names.at[round->name];
    round->save.in.done = done;
    round->save.in.watermark = watermark;
    round->save.in.asked = asked;
    round->save.in.error = slice_of(error);
    if (store_submit(poller->host.store, &round->save.tx, then, poller) != STATUS_OK) {
        round->save.tx.status = STATUS_AGAIN;
        then(&round->save.tx, poller);
    }
}

/* The same again soon would fare no better. */
static bool is_lasting(const struct ehr_answer *answer)
{
    return answer->outcome == EHR_REFUSED || answer->outcome == EHR_UNREADABLE ||
           answer->outcome == EHR_ABSENT;
}

static void complain(struct poller *poller, const struct ehr_answer *answer)
{
    struct schedule *schedule = &poller->schedules[poller->round.name];
    if (is_lasting(answer) && !schedule->complained) {
        schedule->complained = true;
        LOG(poller->host.log, LOG_WARNING, "poll-failed", LOG_SLICE(EHR, poller->config->name),
            LOG_NUMBER(COUNT, poller->round.name + 1),
            LOG_TEXT(OUTCOME, ehr_fault_name(answer->fault)),
            LOG_NUMBER(STATUS, answer->http_status),
            LOG_TEXT(DETAIL, ehr_fault_sentence(answer->fault)),
            LOG_TEXT(ADVICE, ehr_fault_advice(answer->fault)));
    }
}

/* Monotonic time of the next try after a failure. */
static int64_t retry_time(const struct poller *poller, const struct ehr_answer *answer)
{
    int64_t now = monotonic(poller);
    int64_t wait = (int64_t)poller->config->retry.first_ms * ms_us;
    if (is_lasting(answer)) {
        wait = (int64_t)poller->config->retry.most_ms * ms_us;
    }
    int64_t told = answer->not_before - clock_utc(poller->host.clock);
    return now + (told > wait ? told : wait);
}

static void walked(struct ehr_answer *answer, void *arg)
{
    struct poller *poller = arg;
    struct round *round = &poller->round;
    struct schedule *schedule = &poller->schedules[round->name];
    int64_t now = monotonic(poller);
    if (answer->outcome == EHR_DONE && !atomic_load(&poller->store_failed)) {
        schedule->complained = false;
        schedule->not_before = now + GAP_MS * ms_us;
        schedule->next =
            round->name < poller->names.regular && poller->config->poll.interval_ms != 0
                ? now + (int64_t)poller->config->poll.interval_ms * ms_us
                : INT64_MAX;
        int64_t watermark = poll_watermark(round->latest_seen, round->server_date);
        save(poller, true, watermark != 0 ? watermark : round->stored.watermark,
             round->stored.asked, "", saved);
        return;
    }
    schedule->not_before = retry_time(poller, answer);
    complain(poller, answer);
    save(poller, false, 0, 0,
         atomic_load(&poller->store_failed) ? "the store did not take a page"
                                            : ehr_fault_sentence(answer->fault),
         saved);
}

/* ---- a page ---- */

/* A resource that cannot be taken is counted and said, and does not stop the others. */
static enum status prepare_page(void *arg)
{
    struct poller *poller = arg;
    struct round *round = &poller->round;
    const struct ehr_page *shown = round->shown;
    round->accepts = ARENA_ARRAY(round->page, shown->match_count + 1, struct store_accept);
    for (size_t i = 0; i < shown->match_count; i++) {
        const struct json *resource = shown->matches[i];
        struct arrival arrival = {.kind = MESSAGE_POLL,
                                  .ehr = poller->config,
                                  .body = json_write(round->page, resource, JSON_COMPACT),
                                  .json = resource};
        const char *why = NULL;
        int64_t changed = instant_us(json_get_text(json_get(resource, "meta"), "lastUpdated"));
        round->latest_seen = changed > round->latest_seen ? changed : round->latest_seen;
        if (accept_prepare(round->page, &poller->host, &arrival, &round->accepts[round->count],
                           &why) == STATUS_OK) {
            round->count++;
        } else {
            round->unreadable++;
        }
    }
    return STATUS_OK;
}

/* The page is stored, or will not be: go on, or end. */
static void page_done(void *arg)
{
    struct poller *poller = arg;
    struct round *round = &poller->round;
    struct ehr_walk *walk = round->walk;
    bool stop = atomic_load(&poller->store_failed) || worker_stopped(poller->worker);
    if (round->unreadable != 0) {
        LOG(poller->host.log, LOG_WARNING, "poll-skipped", LOG_SLICE(EHR, poller->config->name),
            LOG_NUMBER(COUNT, round->unreadable),
            LOG_TEXT(DETAIL, "resources without what every resource has: a type and an id"));
    }
    arena_destroy(&round->page);
    round->walk = NULL;
    if (stop && !round->is_last) {
        ehr_walk_stop(walk);
    } else {
        ehr_walk_on(walk);
    }
}

static void release(struct poller *poller)
{
    if (atomic_fetch_sub(&poller->left, 1) == 1) {
        worker_go(poller->worker, page_done);
    }
}

static void accepted(struct store_tx *tx, void *arg)
{
    struct poller *poller = arg;
    const struct store_accept *accept = (const struct store_accept *)(void *)tx;
    if (tx->status != STATUS_OK) {
        atomic_store(&poller->store_failed, true);
    } else if (!accept->out.repeat && poller->host.accepted != NULL) {
        poller->host.accepted(poller->host.arg, poller->config, accept->out.message);
    }
    const struct store_tx *next = tx->queue.next;
    if ((next == NULL || next->queue.done != accepted) && poller->host.settled != NULL) {
        poller->host.settled(poller->host.arg);
    }
    release(poller);
}

/* Gives the store what it takes; the rest waits until there is room. */
static void give(void *arg)
{
    struct poller *poller = arg;
    struct round *round = &poller->round;
    while (round->given < round->count) {
        struct store_tx *tx = &round->accepts[round->given].tx;
        atomic_fetch_add(&poller->left, 1);
        enum status status = store_submit(poller->host.store, tx, accepted, poller);
        if (status == STATUS_OK) {
            round->given++;
            continue;
        }
        atomic_fetch_sub(&poller->left, 1);
        if (status == STATUS_AGAIN && !worker_stopped(poller->worker)) {
            worker_go_at(poller->worker, give, monotonic(poller) + FULL_MS * ms_us);
            return;
        }
        atomic_store(&poller->store_failed, true);
        break;
    }
    release(poller);
}

static void show(const struct ehr_page *page, void *arg)
{
    struct poller *poller = arg;
    struct round *round = &poller->round;
    round->walk = page->walk;
    round->shown = page;
    round->is_last = page->is_last;
    round->count = 0;
    round->given = 0;
    round->unreadable = 0;
    if (page->number == 1) {
        round->server_date = page->server_date;
        round->latest_seen = 0;
    }
    round->page = arena_create(PAGE_MEMORY);
    atomic_store(&poller->left, 1);
    if (round->page == NULL || arena_run(round->page, prepare_page, poller) != STATUS_OK) {
        atomic_store(&poller->store_failed, true);
        round->count = 0;
    }
    round->shown = NULL;
    give(poller);
}

/* ---- the beginning of a round ---- */

static enum status make_request(void *arg)
{
    struct poller *poller = arg;
    struct round *round = &poller->round;
    const struct config_ehr *config = poller->config;
    struct slice name = poller->names.at[round->name];
    struct slice rest = name;
    struct slice type = SLICE_NONE;
    struct ability ability = {0};
    slice_cut(&rest, '?', &type);
    (void)ehr_ability(poller->ehr, arena_cstr(round->arena, type), &ability);
    struct poll_search search = poll_search(
        round->arena, name, round->stored.watermark - (int64_t)config->poll.overlap_ms * ms_us,
        config->poll.page_size, ability.search_last_updated);
    round->request = (struct ehr_request){.verb = EHR_SEARCH,
                                          .type = search.type,
                                          .query = search.query,
                                          .pages_most = (unsigned)config->poll.pages_most};
    return STATUS_OK;
}

static void not_begun(struct poller *poller)
{
    poller->schedules[poller->round.name].not_before =
        monotonic(poller) + (int64_t)poller->config->retry.first_ms * ms_us;
    round_clear(poller);
    look_again(poller);
}

static void begin(void *arg)
{
    struct poller *poller = arg;
    struct round *round = &poller->round;
    if (worker_stopped(poller->worker) ||
        arena_run(round->arena, make_request, poller) != STATUS_OK ||
        ehr_walk_pages(poller->ehr, &round->request, show, walked, poller) != STATUS_OK) {
        not_begun(poller);
    }
}

static void baseline_saved(struct store_tx *tx, void *arg)
{
    struct poller *poller = arg;
    if (tx->status == STATUS_OK) {
        worker_go(poller->worker, begin);
    } else {
        not_begun(poller);
    }
}

/*
 * The first poll of all looks back from now; that this was the beginning is kept before anything is
 * asked, so that a first poll that fails for hours misses nothing.
 */
static void begin_round(struct poller *poller)
{
    struct round *round = &poller->round;
    atomic_store(&poller->store_failed, false);
    if (round->stored.watermark != 0) {
        begin(poller);
        return;
    }
    round->stored.watermark = ehr_server_now(poller->ehr);
    save(poller, true, round->stored.watermark, round->stored.answered, "", baseline_saved);
}

/* ---- what is due ---- */

struct sighting {
    struct poller *poller;
    struct arena *arena;
    size_t name;
    struct poll stored;
};

static enum status read_stored(void *arg)
{
    struct sighting *sighting = arg;
    struct poller *poller = sighting->poller;
    return store_read_poll(poller->host.store, sighting->arena, poller->config->name,
                           poller->names.at[sighting->name], &sighting->stored);
}

/* The interval goes on where it was before a restart, by the time that was stored. */
static void place_in_time(struct poller *poller, const struct sighting *sighting)
{
    struct schedule *schedule = &poller->schedules[sighting->name];
    int64_t interval = (int64_t)poller->config->poll.interval_ms * ms_us;
    schedule->known = true;
    schedule->next = INT64_MAX;
    if (sighting->name < poller->names.regular && interval != 0) {
        int64_t past = clock_utc(poller->host.clock) - sighting->stored.last_done;
        bool late = past >= interval || past < 0;
        schedule->next = monotonic(poller) + (late ? 0 : interval - past);
    }
}

/* True: a round began. False: *next_out is when to look again. */
static bool look_at(struct poller *poller, size_t name, int64_t *next_out)
{
    struct sighting sighting = {.poller = poller, .arena = arena_create(0), .name = name};
    struct schedule *schedule = &poller->schedules[name];
    int64_t now = monotonic(poller);
    *next_out = now + (int64_t)poller->config->retry.first_ms * ms_us;
    if (sighting.arena == NULL || arena_run(sighting.arena, read_stored, &sighting) != STATUS_OK) {
        arena_destroy(&sighting.arena);
        return false;
    }
    if (!schedule->known) {
        place_in_time(poller, &sighting);
    }
    bool asked = sighting.stored.asked > sighting.stored.answered;
    bool first = sighting.stored.watermark == 0;
    int64_t due = asked || first ? now : schedule->next;
    due = due > schedule->not_before ? due : schedule->not_before;
    *next_out = due;
    if (due > now) {
        arena_destroy(&sighting.arena);
        return false;
    }
    poller->round =
        (struct round){.name = name, .arena = sighting.arena, .stored = sighting.stored};
    begin_round(poller);
    return true;
}

static void look(void *arg)
{
    struct poller *poller = arg;
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < poller->names.count && !worker_stopped(poller->worker); i++) {
        int64_t at = INT64_MAX;
        if (look_at(poller, i, &at)) {
            return;
        }
        next = at < next ? at : next;
    }
    worker_rest(poller->worker, next);
}

static void look_again(struct poller *poller)
{
    worker_go(poller->worker, look);
}

/* ---- life ---- */

static enum status list_names(void *arg)
{
    struct poller *poller = arg;
    poller->names = poll_names(poller->arena, poller->config);
    poller->schedules = ARENA_ARRAY(poller->arena, poller->names.count + 1, struct schedule);
    return STATUS_OK;
}

enum status poller_create(const struct inbound_host *host, struct ehr *ehr,
                          struct poller **poller_out)
{
    struct poller *poller = calloc(1, sizeof *poller);
    if (poller == NULL) {
        return STATUS_NO_MEMORY;
    }
    poller->host = *host;
    poller->ehr = ehr;
    poller->config = ehr_config(ehr);
    poller->arena = arena_create(0);
    poller->worker = worker_create(host->loop, host->pool, host->clock, look, poller);
    if (poller->arena == NULL || poller->worker == NULL ||
        arena_run(poller->arena, list_names, poller) != STATUS_OK) {
        poller_destroy(&poller);
        return STATUS_NO_MEMORY;
    }
    *poller_out = poller;
    return STATUS_OK;
}

void poller_start(struct poller *poller)
{
    worker_start(poller->worker);
}

void poller_nudge(struct poller *poller)
{
    worker_nudge(poller->worker);
}

void poller_stop(struct poller *poller)
{
    worker_stop(poller->worker);
}

bool poller_busy(struct poller *poller)
{
    return worker_busy(poller->worker);
}

void poller_destroy(struct poller **poller)
{
    if (*poller != NULL) {
        worker_destroy(&(*poller)->worker);
        arena_destroy(&(*poller)->arena);
        free(*poller);
        *poller = NULL;
    }
}
