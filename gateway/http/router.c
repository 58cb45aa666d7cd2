#include "gateway/http/router.h"

#include <stdio.h>

#include "gateway/base/digest.h"

static bool match_path(const char *pattern, struct slice path, struct route_match *match)
{
    struct slice wanted = slice_of(pattern);
    struct slice want;
    struct slice got;
    match->part_count = 0;
    while (slice_cut(&wanted, '/', &want)) {
        if (slice_is(want, "{*}")) {
            if (path.at != NULL) { /* at == NULL: "/a" for "/a/{*}" */
                match->part[match->part_count++] = path;
            } else {
                match->part[match->part_count++] = SLICE("");
            }
            return true;
        }
        if (!slice_cut(&path, '/', &got)) {
            return false;
        }
        if (slice_is(want, "{}")) {
            if (got.len == 0 || match->part_count == ROUTE_PARTS) {
                return false;
            }
            match->part[match->part_count++] = got;
        } else if (!slice_equal(want, got)) {
            return false;
        }
    }
    return path.at == NULL;
}

static void add_allowed(struct route_match *match, enum http_method method)
{
    size_t len = strlen(match->allow);
    snprintf(match->allow + len, sizeof match->allow - len, "%s%s", len != 0 ? ", " : "",
             http_method_name(method));
}

enum route_result route_find(const struct route *routes, size_t count, enum http_method method,
                             struct slice path, struct route_match *match_out)
{
    struct route_match allowed = {.allow = ""};
    for (size_t i = 0; i < count; i++) {
        struct route_match match = {.id = routes[i].id};
        if (!match_path(routes[i].pattern, path, &match)) {
            continue;
        }
        if (routes[i].method == method || (method == HTTP_HEAD && routes[i].method == HTTP_GET)) {
            *match_out = match;
            return ROUTE_FOUND;
        }
        if (strstr(allowed.allow, http_method_name(routes[i].method)) == NULL) {
            add_allowed(&allowed, routes[i].method);
        }
    }
    *match_out = allowed;
    return allowed.allow[0] != '\0' ? ROUTE_NO_METHOD : ROUTE_NO_PATH;
}

bool http_unescape(struct slice text, char *out, size_t *len_out)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = (uint8_t)text.at[i];
        if (byte == '%') {
            if (!hex_read(slice_part(text, i + 1, 2), &byte, 1) || byte < ' ' || byte == 127 ||
                byte == '/') {
                return false;
            }
            i += 2;
        }
        out[len++] = (char)byte;
    }
    *len_out = len;
    return true;
}
