/*
 * From method and path to a number. A table of routes, looked through in order; no pattern is a
 * regular expression and no path is rewritten: what is not written exactly so is not found. Pure.
 * Tests: tests/unit/gateway/http/test_router.c.
 */
#ifndef GATEWAY_HTTP_ROUTER_H
#define GATEWAY_HTTP_ROUTER_H

#include "gateway/http/http.h"

enum { ROUTE_PARTS = 4, ROUTE_ALLOW_SIZE = 64 };

struct route {
    enum http_method method;
    /*
     * Begins with '/'. A segment is literal, or "{}": any one segment that is not empty, or, as the
     * last, "{*}": all that follows, slashes included, empty or not (and the slash before it).
     */
    const char *pattern;
    int id; /* the caller's */
};

enum route_result { ROUTE_FOUND, ROUTE_NO_PATH, ROUTE_NO_METHOD };

struct route_match {
    int id;                         /* ROUTE_FOUND */
    struct slice part[ROUTE_PARTS]; /* what {} and {*} stand for, in order, as sent: %-escapes and
                                       all. Borrowed from the path. */
    size_t part_count;
    char allow[ROUTE_ALLOW_SIZE]; /* ROUTE_NO_METHOD: for the header Allow, "GET, POST" */
};

/* 404 is ROUTE_NO_PATH, 405 is ROUTE_NO_METHOD. HEAD is found where GET is. `path` is without the
 * query. */
enum route_result route_find(const struct route *routes, size_t count, enum http_method method,
                             struct slice path, struct route_match *match_out);

/*
 * Undoes %-escapes: into `out` of `text.len` bytes. False: a broken escape, or one for a control
 * character, NUL or '/', which no part of a path may hold. *len_out: bytes written.
 */
bool http_unescape(struct slice text, char *out, size_t *len_out);

#endif
