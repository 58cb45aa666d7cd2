/*
 * The control socket: <state>/control.sock, mode 0660. One JSON object on a line comes in, one goes
 * out, the connection ends. A thread of its own serves one asker at a time, each within a few
 * seconds and a few KiB; who may ask is told by the kernel (the peer's uid: ours or root's). What
 * is asked is answered by the desk. Tests: tests/unit/gateway/admin/test_admin.c,
 * tests/scenario/suite_admin.mjs.
 */
#ifndef GATEWAY_ADMIN_ADMIN_H
#define GATEWAY_ADMIN_ADMIN_H

#include <sys/types.h>

#include "fhir/base/diag.h"
#include "gateway/admin/desk.h"
#include "gateway/base/log.h"

struct admin;

struct admin_options {
    struct slice state_dir; /* borrowed, as all of these */
    struct log *log;
    uid_t account; /* who may ask, beside root: the daemon's own */
    struct desk desk;
};

/* Answers from now on. The store's lock is held: a socket left by a killed daemon is replaced.
 * STATUS_IO with a diagnostic. Caller destroys. */
enum status admin_create(const struct admin_options *options, struct diag_list *diags,
                         struct admin **admin_out);

/* Ends the answer under way, removes the socket. Accepts NULL. */
void admin_destroy(struct admin **admin);

/* ---- the asker ---- */

/*
 * Sends the request and waits for the answer, at most 30 s. STATUS_ABSENT: nobody listens there;
 * STATUS_REFUSED: this account may not ask; STATUS_IO: it broke off. The answer lives in the arena.
 */
enum status admin_ask(struct arena *arena, struct slice state_dir, struct slice request,
                      struct slice *answer_out);

#endif
