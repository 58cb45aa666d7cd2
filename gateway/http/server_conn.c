#include "gateway/http/server_conn.h"

void conn_add(struct conn_list *list, struct conn *conn, void *owner)
{
    conn->list = list;
    conn->owner = owner;
    conn->next = list->first;
    if (list->first != NULL) {
        list->first->previous = conn;
    }
    list->first = conn;
    list->count++;
    conn_enter(conn, CONN_HANDSHAKE);
}

void conn_remove(struct conn *conn)
{
    struct conn_list *list = conn->list;
    if (list != NULL) {
        if (conn->previous != NULL) {
            conn->previous->next = conn->next;
        } else {
            list->first = conn->next;
        }
        if (conn->next != NULL) {
            conn->next->previous = conn->previous;
        }
        list->count--;
        list->held -= conn->held;
    }
    tls_peer_release(conn->peer);
    *conn = (struct conn){.list = NULL};
}

void conn_enter(struct conn *conn, enum conn_state state)
{
    const struct server_limits *limits = conn->list->limits;
    const unsigned ms[] = {
        [CONN_HANDSHAKE] = limits->handshake_ms, [CONN_IDLE] = limits->idle_ms,
        [CONN_READING] = limits->request_ms,     [CONN_ANSWERING] = limits->reply_ms,
        [CONN_WRITING] = limits->write_ms,       [CONN_CUT] = 0,
    };
    conn->state = state;
    conn->since_us = clock_monotonic(conn->list->clock);
    conn->deadline_us = state == CONN_CUT ? INT64_MAX : conn->since_us + (int64_t)ms[state] * 1000;
}

/* Of one request: its head, its body, and what chunks may add to it. */
static size_t ceiling(const struct server_limits *limits)
{
    return limits->max_head + limits->max_body + CONN_BODY_EXTRA + CONN_READ_EXTRA;
}

static void set_held(struct conn *conn, size_t held)
{
    size_t most = ceiling(conn->list->limits);
    held = held < most ? held : most;
    conn->list->held = conn->list->held - conn->held + held;
    conn->held = held;
}

bool conn_count(struct conn *conn, size_t added, size_t buffered)
{
    bool early = conn->state == CONN_ANSWERING || conn->state == CONN_WRITING;
    size_t most =
        early ? conn->list->limits->max_head + CONN_READ_EXTRA : ceiling(conn->list->limits);
    set_held(conn, conn->held + added);
    if (conn->state == CONN_HANDSHAKE || conn->state == CONN_IDLE) {
        conn_enter(conn, CONN_READING);
    }
    return buffered > most;
}

void conn_count_again(struct conn *conn, size_t buffered)
{
    set_held(conn, buffered);
}

enum guard conn_overdue(const struct conn *conn, int64_t now_us)
{
    static const enum guard guards[] = {
        [CONN_HANDSHAKE] = GUARD_HANDSHAKE_TIME, [CONN_IDLE] = GUARD_IDLE_TIME,
        [CONN_READING] = GUARD_REQUEST_TIME,     [CONN_ANSWERING] = GUARD_REPLY_TIME,
        [CONN_WRITING] = GUARD_WRITE_TIME,       [CONN_CUT] = GUARD_NONE,
    };
    return now_us >= conn->deadline_us ? guards[conn->state] : GUARD_NONE;
}

struct conn *conn_greediest(const struct conn_list *list)
{
    struct conn *found = NULL;
    for (struct conn *conn = list->first; conn != NULL; conn = conn->next) {
        if (conn->state != CONN_CUT && conn->held > 0 &&
            (found == NULL || conn->held > found->held)) {
            found = conn;
        }
    }
    return found;
}

struct conn *conn_longest_idle(const struct conn_list *list)
{
    struct conn *found = NULL;
    for (struct conn *conn = list->first; conn != NULL; conn = conn->next) {
        if (conn->state == CONN_IDLE && (found == NULL || conn->since_us < found->since_us)) {
            found = conn;
        }
    }
    return found;
}

unsigned conn_tick_ms(const struct server_limits *limits)
{
    const unsigned all[] = {limits->handshake_ms, limits->idle_ms, limits->request_ms,
                            limits->reply_ms, limits->write_ms};
    unsigned least = 4000;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        least = all[i] < least ? all[i] : least;
    }
    return least / 4 > 10 ? least / 4 : 10;
}
