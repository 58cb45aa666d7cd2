/* What the files of this folder share. */
#ifndef GATEWAY_DAEMON_PARTS_H
#define GATEWAY_DAEMON_PARTS_H

#include <pthread.h>

#include "gateway/admin/admin.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/pool.h"
#include "gateway/base/random.h"
#include "gateway/base/secret.h"
#include "gateway/config/config.h"
#include "gateway/daemon/daemon.h"
#include "gateway/ehr/ehr.h"
#include "gateway/http/client.h"
#include "gateway/http/server.h"
#include "gateway/inbound/poll.h"
#include "gateway/inbound/receive.h"
#include "gateway/inbound/subscribe.h"
#include "gateway/pipeline/pipeline.h"
#include "gateway/store/store.h"

/* One EHR and all that keeps us in touch with it. */
struct link {
    struct generation *generation;
    const struct config_ehr *config;
    struct ehr *ehr;
    struct poller *poller;
    struct subscriber *subscriber;
};

/*
 * All that is made from one reading of the configuration and the mapping. A reload builds the next
 * one whole and lets the last one finish: two may work side by side, because what they take is
 * claimed in the store.
 */
struct generation {
    struct daemon *daemon;
    struct generation *next; /* older ones that finish */
    struct arena *arena;     /* configuration, mapping, what stands here */
    const struct config *config;
    struct active_mapping mapping;
    struct slice public_url;
    struct secret *metrics_token; /* NULL: nobody may ask for /metrics */
    struct link *links;
    struct ehr **ehrs;
    size_t link_count;
    struct receive *receive;
    struct pipeline *pipeline;
    int64_t taken_over; /* UTC */
};

enum stop_stage {
    STOP_NOT,   /* it serves */
    STOP_WORK,  /* nothing new is taken; what is under way comes to its next row */
    STOP_CALLS, /* only answers of EHRs are still awaited */
    STOP_CUT,   /* the time is over: all calls are cut off */
};

struct daemon {
    struct slice config_path;
    FILE *err;
    struct clock clock;
    struct random random;
    struct log *log;
    struct loop *loop;
    struct keyring *keys; /* of sealed records; may be NULL */
    struct store *store;
    struct hasher *hasher;
    struct pool *receive_pool;
    struct pool *answer_pool; /* answers of EHRs */
    struct pool *step_pool;
    struct tls_server *tls;
    struct server *server;
    struct http_client *client;
    struct admin *admin;
    pthread_mutex_t lock; /* guards `current` for threads other than the loop's */
    struct generation *current;
    struct {
        int64_t at; /* UTC; 0: the last reload was none, or was taken over */
        char why[480];
    } refused; /* under the lock, as `current` */
    struct generation *retired;
    uint16_t port;
    struct loop_event *terminate;
    struct loop_event *interrupt;
    struct loop_event *hangup;
    struct loop_event *tick;   /* looks after retired generations and a stop */
    struct loop_event *retain; /* removes what is older than it needs to be */
    struct loop_job flush_log; /* lines that wait for each other go out with each turn */
    struct {                   /* watch.c */
        struct loop_event *timer;
        bool told; /* that the store cannot commit */
        _Atomic bool probing;
        struct store_probe probe;
    } watch;
    struct {
        enum stop_stage stage;
        bool server_done;
        bool clean;
        int64_t until; /* monotonic */
    } stop;
};

/* ---- active.c ---- */

/*
 * Reads, checks and hashes the one mapping that the configuration names, and runs its cases: one
 * that does not do what they expect is refused as one with mistakes is. Lives in the arena.
 * STATUS_INVALID, STATUS_IO: diags says every mistake.
 */
enum status active_load(struct arena *arena, const struct config *config, struct diag_list *diags,
                        struct active_mapping *active_out);

/* May this EHR be written to with this mapping, at this time (UTC microseconds: approvals end)?
 * Else diags says all that is missing. */
bool active_is_released(const struct active_mapping *active, const struct config_ehr *ehr,
                        int64_t now, struct diag_list *diags);

/* ---- generation.c ---- */

/*
 * Reads the configuration and the mapping. STATUS_INVALID, STATUS_IO: diags says why, in texts that
 * the generation holds: it is handed out in any case (but STATUS_NO_MEMORY: it may be NULL), and
 * outlives the printing. On the loop's thread, as all of these. Caller destroys.
 */
enum status generation_read(struct daemon *daemon, struct diag_list *diags,
                            struct generation **generation_out);

/*
 * Makes its parts, none of which does anything yet. An EHR that cannot be used is left out, and
 * diags says why; `strict`: then nothing is made.
 */
enum status generation_build(struct generation *generation, bool strict, struct diag_list *diags);

void generation_start(struct generation *generation);
/* Takes nothing new. */
void generation_stop(struct generation *generation);
/* Work that has not come to its next row. */
size_t generation_work(struct generation *generation);
/* No further calls to EHRs; those under way come to their end. */
void generation_stop_calls(struct generation *generation);
size_t generation_calls(struct generation *generation);
/* When neither is left. Accepts NULL. */
void generation_destroy(struct generation **generation);

/* ---- decide.c: of struct desk (admin/desk.h) ---- */

enum status decide_read(void *arg, struct arena *arena, struct slice ehr, struct slice type,
                        struct slice id, const struct json **resource_out);
enum status decide_on_accept(void *arg, struct arena *arena, const struct item_key *key,
                             struct slice acceptor, struct slice speaker,
                             struct desk_acceptance *acceptance_out);

/* ---- link.c ---- */

/* Memory comes from the generation's arena. */
enum status link_build(struct link *link, const struct config_ehr *config, struct diag_list *diags);
void link_start(struct link *link);
void link_stop(struct link *link);
size_t link_work(const struct link *link);
/* Accepts a half-built one. */
void link_clear(struct link *link);

struct inbound_host link_host(struct generation *generation);

/* ---- report.c ---- */

/* Each diagnostic as a line of the log. */
void report_diags(struct log *log, const char *event, const struct diag_list *diags);

/* ---- ready.c ---- */

/* {"pid":..,"port":..,"control":".."} by rename, so that whoever waits for it reads it whole. */
enum status ready_write(const struct daemon *daemon);
void ready_remove(const struct daemon *daemon);

#endif
