#include "gateway/http/http.h"

static const char *const method_names[HTTP_METHOD_COUNT] = {"GET",   "HEAD",   "POST",   "PUT",
                                                            "PATCH", "DELETE", "OPTIONS"};

const char *http_method_name(enum http_method method)
{
    return method_names[method];
}

bool http_method_is_safe(enum http_method method)
{
    return method == HTTP_GET || method == HTTP_HEAD || method == HTTP_OPTIONS;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool http_name_equal(struct slice a, struct slice b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.at[i]) != lower(b.at[i])) {
            return false;
        }
    }
    return true;
}

const struct http_header *http_header_find(const struct http_header *headers, size_t count,
                                           struct slice name)
{
    for (size_t i = 0; i < count; i++) {
        if (http_name_equal(headers[i].name, name)) {
            return &headers[i];
        }
    }
    return NULL;
}

struct slice http_media_type(struct slice value)
{
    struct slice type;
    slice_cut(&value, ';', &type);
    return slice_trim(type);
}

const char *http_status_phrase(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } rows[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {422, "Unprocessable Content"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].status == status) {
            return rows[i].phrase;
        }
    }
    return "";
}

struct slice http_bearer(struct slice authorization)
{
    struct slice scheme = SLICE_NONE;
    slice_cut(&authorization, ' ', &scheme);
    struct slice token = slice_trim(authorization);
    return http_name_equal(scheme, SLICE("Bearer")) && token.len != 0 ? token : SLICE_NONE;
}
