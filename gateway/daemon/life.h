/* From ready to stopped: signals, reload, drain. */
#ifndef GATEWAY_DAEMON_LIFE_H
#define GATEWAY_DAEMON_LIFE_H

#include "gateway/daemon/parts.h"

/* Signals, timers and the control socket; nothing runs yet. life_clear takes back what it made. */
enum status life_prepare(struct daemon *daemon, struct diag_list *diags);
void life_clear(struct daemon *daemon);

/* Starts all parts, says that it is ready, and serves until it is stopped. */
enum daemon_end life_serve(struct daemon *daemon);

/* What an operator may ask of the running daemon. */
struct desk life_desk(struct daemon *daemon);

/* ---- watch.c ---- */

/* Looks whether the store can commit, tells when that changes, and tries again by itself. */
enum status watch_prepare(struct daemon *daemon);
void watch_start(struct daemon *daemon);
void watch_clear(struct daemon *daemon);

/* ---- again.c ---- */

/* A stored message is read with the mapping of today, as if it came in now. As desk.read_again. */
enum status again_read(void *arg, struct arena *arena, struct uuid id, struct slice by);

/* ---- scrape.c ---- */

/* Answers GET /metrics: 200, 401, 405, 503, and 404 where no token is configured. Takes the
 * request. Loop thread. */
void scrape_handle(struct daemon *daemon, struct server_request *request);

/* ---- reload.c ---- */

void reload(struct daemon *daemon);

/* ---- daemon.c ---- */

enum log_level daemon_log_level(const struct config *config);

/* Makes the listener's certificate, or swaps it. */
enum status daemon_tls(struct daemon *daemon, const struct config_gateway *gateway,
                       struct diag_list *diags);

#endif
