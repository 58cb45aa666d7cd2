/* Words of HTTP that server, client and router share. */
#ifndef GATEWAY_HTTP_HTTP_H
#define GATEWAY_HTTP_HTTP_H

#include <stdbool.h>

#include "fhir/base/slice.h"

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_METHOD_COUNT
};

const char *http_method_name(enum http_method method); /* "GET" */

/* Changes nothing at the other side, so that it may be sent twice (RFC 9110 9.2.1). */
bool http_method_is_safe(enum http_method method);

struct http_header {
    struct slice name; /* of any case */
    struct slice value;
};

/* Same letters, A-Z and a-z alike; no locale. */
bool http_name_equal(struct slice a, struct slice b);

/* The first of that name; NULL when there is none. Borrowed from the array. */
const struct http_header *http_header_find(const struct http_header *headers, size_t count,
                                           struct slice name);

/* "Not Found"; "" for an unknown status. */
const char *http_status_phrase(int status);

/* The token of "Bearer TOKEN"; SLICE_NONE: another scheme, or none. Borrowed from `authorization`.
 */
struct slice http_bearer(struct slice authorization);

/* A media type without its parameters: "application/fhir+json" of "application/fhir+json;
 * charset=utf-8". Borrowed from `value`. */
struct slice http_media_type(struct slice value);

#endif
