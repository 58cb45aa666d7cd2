/*
 * Connections of the server as states and deadlines; knows no library. evhttp's own time-outs
 * measure idleness only, so a client that drips bytes would stay for ever: here each state has an
 * end in monotonic time. Private to gateway/http. Tests:
 * tests/unit/gateway/http/test_server_conn.c.
 */
#ifndef GATEWAY_HTTP_SERVER_CONN_H
#define GATEWAY_HTTP_SERVER_CONN_H

#include "gateway/http/server.h"

enum conn_state {
    CONN_HANDSHAKE,
    CONN_IDLE,      /* between requests */
    CONN_READING,   /* a request has begun */
    CONN_ANSWERING, /* it is whole and waits for its reply */
    CONN_WRITING,   /* the reply is being sent */
    CONN_CUT        /* shut down; waits for its end */
};

struct conn {
    struct conn *next;
    struct conn *previous;
    struct conn_list *list; /* NULL: the server is gone */
    enum conn_state state;
    int64_t since_us;    /* monotonic, when the state began */
    int64_t deadline_us; /* monotonic; INT64_MAX: none */
    size_t held;         /* bytes that arrived for the request under way, at most its ceiling */
    struct head_scan scan;
    const struct tls_peer *peer; /* kept; NULL: none, or not yet looked for */
    bool peer_known;
    bool last;   /* the reply being sent is the last of this connection */
    void *owner; /* the server's handle of the connection */
};

/*
 * evhttp takes bodies that are this much too large, so that the sender of one can be told in the
 * gateway's own words; beyond that evhttp answers by itself.
 */
enum { CONN_BODY_EXTRA = 1024 * 1024, CONN_READ_EXTRA = 64 * 1024 };

struct conn_list {
    struct conn *first;
    unsigned count;
    size_t held;
    const struct server_limits *limits;
    const struct clock *clock;
};

/* Zeroed memory becomes a connection in CONN_HANDSHAKE. */
void conn_add(struct conn_list *list, struct conn *conn, void *owner);
/* Takes it out of its list and forgets what it held; releases the peer. */
void conn_remove(struct conn *conn);

void conn_enter(struct conn *conn, enum conn_state state);

/* `added` bytes arrived. True: the connection's own ceiling is exceeded. */
bool conn_count(struct conn *conn, size_t added, size_t buffered);
/* The request is whole (or a reply sent): what is buffered beyond it belongs to the next. */
void conn_count_again(struct conn *conn, size_t buffered);

/* Which rule a connection breaks whose deadline has passed; GUARD_NONE while it has not. */
enum guard conn_overdue(const struct conn *conn, int64_t now_us);

/* The one that holds most bytes; the one idle longest; NULL when there is none. */
struct conn *conn_greediest(const struct conn_list *list);
struct conn *conn_longest_idle(const struct conn_list *list);

/* How often deadlines should be looked at, milliseconds. */
unsigned conn_tick_ms(const struct server_limits *limits);

#endif
