/*
 * The inside of an EHR: its state, and the calls on their way. For the files of this folder alone.
 *
 *   ehr_call -> waiting -> engine_pump -> send_start -> (HTTP client) -> land -> call_landed ->
 * done
 *
 * A call belongs to one of these places at a time and is touched by nobody else; what is shared is
 * under ehr->mutex, which is never held while a caller's function runs or a request is handed over.
 */
#ifndef GATEWAY_EHR_ENGINE_H
#define GATEWAY_EHR_ENGINE_H

#include <pthread.h>

#include "gateway/base/alarm.h"
#include "gateway/base/downtime.h"
#include "gateway/base/secret.h"
#include "gateway/ehr/breaker.h"
#include "gateway/ehr/budget.h"
#include "gateway/ehr/ehr.h"
#include "gateway/ehr/outcome.h"
#include "gateway/ehr/seen.h"
#include "gateway/ehr/sender.h"

struct jose_key;

enum {
    WAITING_MOST = 512,        /* calls that wait for their turn */
    PAGES_MOST = 100,          /* of a collected search, unless the request says otherwise */
    RESTARTS_MOST = 3,         /* of a search whose pages expired */
    BODY_MOST = 16 << 20,      /* bytes of one answer */
    CALL_ARENA = 160 << 20,    /* ceiling of one call's memory */
    PAGE_ARENA = 128 << 20,    /* of one page of a walk */
    LAND_AGAIN_MS = 5,         /* how long an answer waits when the pool is full */
    TOKEN_PAUSE_MS = 60 * 1000 /* at most one token request in this time while they fail */
};

/* ---- landing: from any thread to the pool ---- */

/* Embedded in what it serves. run is called once: on the pool, or at shutdown on any thread. */
struct landing {
    void (*run)(struct landing *landing);
    struct ehr *ehr;
    size_t bytes;
    struct landing *next;
};

/* Without ehr->mutex. */
void land(struct landing *landing);

/* ---- the token ---- */

struct token_keeper {
    struct jose_key *key;    /* smart: the private key */
    struct secret *header;   /* "Bearer ..."; NULL: none */
    uint64_t generation;     /* rises with each token */
    int64_t refresh_at;      /* monotonic; beyond it a new one is asked for, the old one is used */
    int64_t expires_at;      /* monotonic; INT64_MAX: never */
    bool asking;             /* a request for one is under way */
    int64_t next_at;         /* monotonic; not asked for before: the last request failed */
    int64_t refused_at;      /* when the last refresh because of a 401 was; INT64_MIN: never */
    struct arena *discovery; /* what was discovered lives here; NULL: nothing yet */
    struct slice endpoint;
};

enum status token_create(struct ehr *ehr, struct diag_list *diags);
void token_destroy(struct ehr *ehr);

/*
 * May requests go with what we have? When a new token is to be asked for, *ask_out is set, and the
 * caller calls token_ask() once it has left the mutex (it is the only one to be told so). With the
 * mutex.
 */
bool token_ready(struct ehr *ehr, int64_t now_us, bool *ask_out);
/* Without the mutex. */
void token_ask(struct ehr *ehr);
/*
 * A request that bore the token of `generation` was answered with 401. True: there is, or will be,
 * a newer one, and the request may go again. False: we are locked out. With the mutex.
 */
bool token_refused(struct ehr *ehr, uint64_t generation, int64_t now_us);

/* ---- calls ---- */

struct call {
    struct landing landing; /* first: a landing is its call */
    struct ehr *ehr;
    struct call *next; /* in the queue, ordered by turn */
    uint64_t turn;
    int64_t send_by;            /* monotonic; INT64_MAX: it waits as long as it takes */
    struct ehr_request request; /* texts live in the arena */
    ehr_done *done;
    ehr_page_fn *page; /* NULL: pages are collected */
    void *arg;
    struct arena *arena;
    struct ehr_answer answer;
    struct send send;
    bool is_trial;    /* it tries a paused EHR */
    bool was_refused; /* with 401, once */
    bool ends_early;  /* the answer stands already: nothing was sent */
    bool stop_walk;
    uint64_t generation;      /* of the token it bears */
    struct slice url;         /* of the next request */
    struct arena *page_arena; /* of a walk: the page that is being looked at */
    struct paging {
        struct slice first; /* the URL to begin anew from */
        const char **required;
        size_t required_count;
        struct seen urls;
        struct seen resources; /* "Type/id" */
        const struct json **matches;
        size_t room;
        size_t match_count;
        unsigned number; /* of the page that was read last */
        unsigned restarts;
        bool is_last;
        int64_t server_date;
    } paging;
};

struct ehr {
    struct ehr_options options;
    const struct config_ehr *config;
    struct sender *sender;
    struct downtime downtimes[DOWNTIMES_MOST];
    size_t downtime_count;
    pthread_mutex_t mutex;
    /* all below: under the mutex */
    bool started;
    bool stopped;
    bool was_down; /* by plan, when it was last looked at */
    size_t busy;
    struct budget budget;
    struct lanes lanes;
    struct breaker breaker;
    struct call *waiting;
    size_t waiting_count;
    struct landing *landed; /* the pool was full */
    struct token_keeper token;
    int64_t skew_us; /* the EHR's clock less ours */
    int64_t since;   /* UTC, of the condition */
    enum ehr_fault fault;
    int http_status;
    uint64_t requests;
    uint64_t failures;
    struct durations plans; /* from receipt to visible */
    struct {
        struct arena *arena; /* NULL: none yet */
        const struct json *statement;
        struct capability_facts facts;
        bool asking;
        int64_t fetched_at; /* monotonic */
        int64_t next_at;    /* monotonic */
        unsigned tries;
    } capability;
    struct alarm *alarm; /* needs no mutex */
};

static inline int64_t engine_now(const struct ehr *ehr)
{
    return clock_monotonic(ehr->options.clock);
}

/* Lets go whatever may go. Without the mutex. */
void engine_pump(struct ehr *ehr);
/* One thing less under way; the last one may let ehr_destroy go. Without the mutex. */
void engine_idle(struct ehr *ehr);

struct note {
    enum breaker_event event;
    int64_t wait_us;
    enum ehr_fault fault;
    int http_status;
};
/* Tells the breaker how an exchange went, and the world if that changes something. Without the
 * mutex. Returns the monotonic time before which the call should not come again. */
int64_t engine_note(struct ehr *ehr, const struct note *note);

/* Begins a call of ours or another's; see ehr_call. */
enum status call_begin(struct ehr *ehr, const struct ehr_request *request, ehr_page_fn *page,
                       ehr_done *done, void *arg);
/* Hands the call's request over. Without the mutex. */
void call_send(struct call *call);
/* Ends a call that waited: outcome, fault and time stand in its answer. Without the mutex. */
void call_end_early(struct call *call);
/* Puts a call back into the queue for its next exchange. Without the mutex. */
void call_requeue(struct call *call, bool new_turn);
/* done, and the call is gone. Without the mutex. */
void call_end(struct call *call);

/* UTC of a monotonic time of the future, by the clocks as they stand now. */
int64_t engine_utc(const struct ehr *ehr, int64_t monotonic_us);

/* ---- pages (paging.c) ---- */

void paging_begin(struct call *call);
/* What to do after a page, or an answer that should have been one, was read into the answer. */
enum paging_step { PAGING_NEXT, PAGING_SHOW, PAGING_END };
enum paging_step paging_read(struct call *call, struct arena *arena);

/* ---- the CapabilityStatement (knowledge.c) ---- */

/* Fetches it when it is due; sets the timer for the next time. Without the mutex. */
void knowledge_refresh(struct ehr *ehr);
/* A call was told that the EHR does not offer what its statement said. With the mutex. */
void knowledge_doubt(struct ehr *ehr);

#endif
