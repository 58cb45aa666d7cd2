/*
 * One configured EHR: who we are to it, how much it is asked to bear, what it can do, and calls
 * whose outcome is told in eight words. The only user of the HTTP client. A call never blocks: it
 * waits for its turn in the budget, is sent, and its answer is handed to a function on a thread of
 * the pool, the body already read. Nothing is ever sent twice, but for one case: a request that was
 * refused with 401 was not carried out, and goes again once with a fresh token.
 * Tests: tests/unit/gateway/ehr/, tests/ehr-client/suite.mjs.
 */
#ifndef GATEWAY_EHR_EHR_H
#define GATEWAY_EHR_EHR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fhir/base/arena.h"
#include "fhir/base/diag.h"
#include "fhir/json/json.h"
#include "gateway/base/clock.h"
#include "gateway/base/durations.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/pool.h"
#include "gateway/base/random.h"
#include "gateway/config/config.h"
#include "gateway/ehr/capability.h"

struct ehr;
struct http_client;

/* ---- what can come of a call ---- */

enum ehr_outcome {
    EHR_DONE = 1,     /* the EHR did it; a conditional create that found its match too */
    EHR_ABSENT,       /* 404, 410: there is no such resource */
    EHR_CONFLICT,     /* 409, 412: another version stands there, or a condition did not hold. On a
                         create this is ambiguous (several matches, or conditions not supported):
                         the caller searches */
    EHR_REFUSED,      /* understood and not accepted; the same again would be refused again */
    EHR_UNAUTHORIZED, /* we are not let in; all calls are, until not_before */
    EHR_AGAIN,        /* not carried out for certain, or a read: again, not before not_before */
    EHR_UNKNOWN,      /* a write that may have been carried out: look it up before anything else */
    EHR_UNREADABLE,   /* a read was answered by something else than what was asked for */
};

const char *ehr_outcome_name(enum ehr_outcome outcome); /* "unreadable" */

/* What was the matter, more closely. One sentence and one piece of advice each. */
enum ehr_fault {
#define FAULT(id, name, sentence, advice) EHR_FAULT_##id,
#include "gateway/ehr/faults.def"
#undef FAULT
    EHR_FAULT_COUNT
};

const char *ehr_fault_name(enum ehr_fault fault); /* "filter-ignored" */
const char *ehr_fault_sentence(enum ehr_fault fault);
const char *ehr_fault_advice(enum ehr_fault fault); /* may be "" */

struct ehr_answer {
    enum ehr_outcome outcome;
    enum ehr_fault fault;
    int http_status;             /* of the last exchange; 0: there was no answer */
    bool created;                /* EHR_CREATE: it did not exist before */
    const struct json *resource; /* EHR_DONE: what the EHR holds; NULL where it answered without a
                                    body. Of a conditional create that found its match: theirs */
    struct slice id;             /* EHR_DONE of read, create, update */
    struct slice version;        /* opaque: from ETag, else meta.versionId, else Location; may be
                                    empty */
    const struct json *const *matches; /* EHR_DONE of search and find: of all pages, each resource
                                          once */
    size_t match_count;
    int64_t server_date; /* Date of the (first) answer, UTC microseconds; 0: it had none */
    int64_t not_before;  /* EHR_AGAIN, EHR_UNAUTHORIZED: UTC microseconds */
    struct slice detail; /* for the operator: status, codes and a sentence of ours; never a piece of
                            a message */
    struct arena *arena; /* all of the above lives here */
};

/*
 * Called exactly once, on a thread of the pool; at shutdown, when the pool takes no more jobs, on
 * the thread that stops. The answer is borrowed until it returns, unless its arena is kept.
 */
typedef void ehr_done(struct ehr_answer *answer, void *arg);

/* The answer's arena is now the caller's, who destroys it. Only inside ehr_done. */
struct arena *ehr_answer_keep(struct ehr_answer *answer);

/* ---- calls: from any thread ---- */

enum ehr_verb {
    EHR_READ,     /* type, id; version: as it was then */
    EHR_SEARCH,   /* type, query; all pages are collected */
    EHR_FIND,     /* type, system, value: by identifier. Did my write land? */
    EHR_CREATE,   /* type, body; with value: If-None-Exist identifier=system|value */
    EHR_UPDATE,   /* type, id, body; version: If-Match; only_new: If-None-Match * */
    EHR_METADATA, /* the CapabilityStatement */
    EHR_VERB_COUNT
};

struct ehr_request {
    enum ehr_verb verb;
    struct slice type; /* "Observation" */
    struct slice id;
    struct slice query; /* as a person writes it, "patient=Patient/7&code=http://loinc.org|8302-2":
                           characters that no URL may hold are escaped, %XX is left as it is */
    struct slice system;
    struct slice value;
    struct slice version;
    bool only_new;
    struct slice body;   /* JSON; its `id` is that of the URL (update), or is ignored (create) */
    struct slice lane;   /* for fairness: the patient's id; empty: nobody's */
    unsigned pages_most; /* a search over more has failed; 0: 100 */
    /* How long each of its requests may wait for its turn: later it is not sent any more, and the
     * call ends as EHR_AGAIN, so that no write leaves after its claim has run out. 0: as long as it
     * takes. */
    uint64_t send_within_ms;
};

/*
 * All of the request is copied. STATUS_OK: done will be called. STATUS_AGAIN: too many calls wait;
 * STATUS_REFUSED: the EHR was stopped; STATUS_INVALID: type, id or query cannot be part of a URL;
 * STATUS_NO_MEMORY: in all of these nothing was begun and done is not called.
 */
enum status ehr_call(struct ehr *ehr, const struct ehr_request *request, ehr_done *done, void *arg);

/* One page of a search that is walked page by page (polling). */
struct ehr_walk;
struct ehr_page {
    struct ehr_walk *walk;
    const struct json *const *matches;
    size_t match_count;
    unsigned number; /* from 1; 1 again: the pages had expired, and the walk began anew */
    bool is_last;
    int64_t server_date; /* Date of the first page of this beginning */
};

/*
 * Called for each page, on a thread of the pool. The page lives until ehr_walk_on or ehr_walk_stop,
 * exactly one of which is called, in here or later, from any thread; nothing is fetched before.
 */
typedef void ehr_page_fn(const struct ehr_page *page, void *arg);
void ehr_walk_on(struct ehr_walk *walk);   /* the next page; behind the last: done */
void ehr_walk_stop(struct ehr_walk *walk); /* no more: done is called with EHR_AGAIN, stopped */

/* As ehr_call with EHR_SEARCH, page by page; done comes behind the last, without matches. */
enum status ehr_walk_pages(struct ehr *ehr, const struct ehr_request *request, ehr_page_fn *page,
                           ehr_done *done, void *arg);

/* ---- life ---- */

struct ehr_options {
    const struct config_ehr *config; /* borrowed: outlives the EHR */
    struct loop *loop;               /* borrowed, as all of these */
    struct pool *pool;
    struct http_client *client;
    const struct clock *clock;
    const struct random *random;
    struct log *log; /* may be NULL */
    /* A CapabilityStatement came in, to be kept in the store. Pool thread; may be NULL. */
    void (*keep_capability)(void *arg, struct slice etag, struct slice body);
    /* Its health changed: raised once, cleared once. Pool thread; may be NULL. */
    void (*health_changed)(void *arg, struct ehr *ehr);
    void *arg;
};

/*
 * Before the loop runs, or on its thread. Reads key, token and certificate files: STATUS_INVALID,
 * STATUS_REFUSED or STATUS_IO with diagnostics that say what to do. Caller destroys.
 */
enum status ehr_create(const struct ehr_options *options, struct diag_list *diags,
                       struct ehr **ehr_out);

/* The statement kept by an earlier run, used until a new one came in; one that cannot be read is
 * left alone. Before ehr_start. */
void ehr_use_capability(struct ehr *ehr, struct slice body);

/* From now on token and CapabilityStatement are fetched and renewed. */
void ehr_start(struct ehr *ehr);

/* Calls that wait end as EHR_AGAIN, new ones are STATUS_REFUSED; those under way come to their end.
 * Any thread. */
void ehr_stop(struct ehr *ehr);

/* Calls begun whose done has not returned. */
size_t ehr_busy(struct ehr *ehr);

/* After ehr_stop, when ehr_busy is 0; on the loop's thread or after it ended. Accepts NULL. */
void ehr_destroy(struct ehr **ehr);

/* ---- what is known of it: any thread ---- */

const struct config_ehr *ehr_config(const struct ehr *ehr);

/* STATUS_ABSENT: no CapabilityStatement was seen yet. */
enum status ehr_ability(struct ehr *ehr, const char *type, struct ability *ability_out);
enum status ehr_transactions(struct ehr *ehr, bool *supported_out);

/* The EHR's idea of now, by the last Date it sent; ours while it has sent none. UTC microseconds.
 */
int64_t ehr_server_now(struct ehr *ehr);

enum ehr_condition {
    EHR_NEW,     /* no answer yet */
    EHR_WELL,    /* the last exchange was one */
    EHR_ASKED,   /* it asked us to wait: 429 or 503 with a time */
    EHR_FAILING, /* it cannot be reached or fails; tried again at `until` */
    EHR_LOCKED,  /* it does not let us in; tried again at `until` */
};
const char *ehr_condition_name(enum ehr_condition condition);

struct ehr_health {
    enum ehr_condition condition;
    int64_t until;      /* UTC microseconds; 0: now */
    int64_t since;      /* of the condition */
    int64_t down_until; /* by plan (downtime); 0: it is not */
    enum ehr_fault fault;
    int http_status;
    size_t waiting;
    size_t under_way;
    uint64_t requests; /* sent since the start, all kinds */
    uint64_t failures;
    bool capability_known;
    struct durations_summary plans; /* from a message's receipt to its plan read back */
};
struct ehr_health ehr_health(struct ehr *ehr);

/* A plan stands in the EHR, so long after its message was received. */
void ehr_note_plan(struct ehr *ehr, int64_t took_us);

#endif
