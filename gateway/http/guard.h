/*
 * The head of a request, looked at twice: as bytes, before the HTTP library joins folded lines,
 * forgives bare line feeds and cuts at NUL; and as parsed headers. Both are needed because a proxy
 * in front may read the same bytes otherwise (request smuggling). Pure. Tests:
 * tests/unit/gateway/http/test_guard.c.
 */
#ifndef GATEWAY_HTTP_GUARD_H
#define GATEWAY_HTTP_GUARD_H

#include "gateway/http/http.h"

enum guard {
    GUARD_NONE,
#define GUARD(id, name, status, sentence) GUARD_##id,
#include "gateway/http/guards.def"
#undef GUARD
    GUARDS
};

const char *guard_name(enum guard guard);     /* "content-length" */
int guard_status(enum guard guard);           /* 0: the connection is closed without a reply */
const char *guard_sentence(enum guard guard); /* for the sender; says nothing about us */

/* Zeroed: at the start of a head. */
struct head_scan {
    enum head_scan_state {
        HEAD_LINE_START,
        HEAD_IN_LINE,
        HEAD_AFTER_CR,
        HEAD_BLANK_AFTER_CR,
        HEAD_DONE
    } state;
    bool has_line;    /* the request line was seen */
    enum guard fault; /* the first; GUARD_NONE so far */
};

/* The next bytes as they came; those behind the blank line are not looked at. */
void head_scan_feed(struct head_scan *scan, struct slice bytes);

struct head {
    bool is_http_1_0;
    struct slice target;
    const struct http_header *headers;
    size_t header_count;
};

/* The first rule that the parsed head breaks, or GUARD_NONE. */
enum guard head_check(const struct head *head);

#endif
