/*
 * What an operator may ask, answered from the store: on the control socket of a running daemon, or
 * by a verb that opened the stopped store itself. JSON in, JSON out:
 *   {"verb":"status","open":true}            {"verb":"show","what":ID,"ehr":NAME}
 *   {"verb":"stop-writes","ehr":NAME}        {"verb":"resume-writes"}
 *   {"verb":"recall","mapping":"NAME@VERSION","ehr":NAME,"dry":true}, and to go on "from" and
 *   "after" as the answer gave them
 *   {"verb":"accept","what":IDENTIFIER,"as":"Practitioner/7","goals":"water,active","speaker":...}
 *   {"verb":"decline","what":IDENTIFIER,"as":"Practitioner/7","for":"6-months"}
 *   {"verb":"queue",FILTER}                  {"verb":"backup-made","what":FILE}
 *   {"verb":"evaluated",FILTER}: of each child the visit evaluated last, with its stored facts; or
 *   {"verb":"evaluated","what":ID}: the visits of a message, or one visit
 *   {"verb":"hold"|"release"|"replay"|"resend"|"drop","what":ID or FILTER,"why":TEXT,"dry":true}
 *   {"verb":"restored","what":FILE}          {"verb":"rebase","ehr":NAME,"what":URL}
 *   {"verb":"rotate"}, and to go on "table" and "after" as the answer gave them
 * FILTER: "ehr", "patient", "mapping":"NAME@VERSION", "state":"held,planned", "because":REASON,
 * "older" and "newer" (seconds), "all":true, "limit", and to go on behind a page "from" and "as-of"
 * as the answer gave them. Answers are {"ok":true,...} or
 * {"ok":false,"error":SENTENCE,"exit":STATUS}. Answers hold patient ids and are for operators'
 * eyes; nothing here is logged but who moved a switch.
 */
#ifndef GATEWAY_ADMIN_DESK_H
#define GATEWAY_ADMIN_DESK_H

#include <stdbool.h>

#include "fhir/json/json.h"
#include "gateway/base/clock.h"
#include "gateway/config/config.h"
#include "gateway/ehr/ehr.h"
#include "gateway/store/store.h"

/* health NULL: the daemon is not running. */
typedef void admin_each(void *to, const struct config_ehr *ehr, const struct ehr_health *health);

/* What a running daemon works with, and what became of reloads. Texts are cut to their room. */
struct desk_work {
    char mapping[96];
    char version[64];
    char hash[16];         /* of the mapping's files: its beginning */
    int64_t loaded;        /* when it was taken over */
    int64_t refused;       /* when a reload was refused last, and none was taken over since; 0 */
    char refused_why[480]; /* the first mistake, with its place */
};

/* What acceptance sets on a CarePlan, on each chosen Goal, on each order; NULL: nothing. */
struct desk_acceptance {
    struct json *care_plan;
    struct json *goal;
    struct json *order;
};

struct desk {
    struct store *store;
    const struct clock *clock;
    bool running;
    /* Calls each() for every configured EHR, on the asking thread. */
    void (*each_ehr)(void *arg, admin_each *each, void *to);
    /* Any thread; NULL: it is not running. */
    struct desk_work (*work)(void *arg);
    /* Reads a stored message again, as if it came in now; `by`: the account that asked.
     * STATUS_ABSENT: it tells of no visit. NULL: nobody runs who could. */
    enum status (*read_again)(void *arg, struct arena *arena, struct uuid message, struct slice by);
    /* There may be something to do: writes were resumed, visits released; may be NULL. */
    void (*switched)(void *arg);
    /* Reads a resource from the EHR and waits for it. STATUS_ABSENT: there is none; STATUS_AGAIN:
     * it could not be asked. NULL: nobody runs who could. */
    enum status (*read_ehr)(void *arg, struct arena *arena, struct slice ehr, struct slice type,
                            struct slice id, const struct json **resource_out);
    /* `on-accept` of the active mapping for an item's plan. STATUS_ABSENT: it has none. NULL as
     * above. */
    enum status (*on_accept)(void *arg, struct arena *arena, const struct item_key *key,
                             struct slice acceptor, struct slice speaker,
                             struct desk_acceptance *acceptance_out);
    void *arg;
};

/* Verbs that any account may ask that reaches the socket: who may is decided by the EHR's file. */
bool desk_is_for_anyone(struct arena *arena, struct slice request);

/* `account`: who asks, as the operating system names him. Never fails: what is wrong is told in the
 * answer. Lives in the arena, inside arena_run(). */
struct slice desk_answer(const struct desk *desk, struct arena *arena, struct slice request,
                         struct slice account);

#endif
