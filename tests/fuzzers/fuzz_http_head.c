// uses: gateway/http fhir/base
/* The scan of a request's head: the same by one byte as by the whole, and nothing that is passed
 * holds what it is there to keep out. */
#include <stdint.h>
#include <stdlib.h>

#include "gateway/http/guard.h"
#include "gateway/http/router.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void check_passed(struct slice head)
{
    for (size_t i = 0; i < head.len; i++) {
        char c = head.at[i];
        require(c != '\0');
        if (c == '\n') {
            require(i > 0 && head.at[i - 1] == '\r');
        }
        if (c == '\r') {
            require(i + 1 < head.len && head.at[i + 1] == '\n');
        }
        if (i > 0 && head.at[i - 1] == '\n') {
            require(c != ' ' && c != '\t');
        }
    }
}

static void check_route(struct slice path)
{
    static const struct route routes[] = {
        {HTTP_GET, "/health", 1}, {HTTP_POST, "/fhir/{}", 2}, {HTTP_PUT, "/n/{}/{*}", 3}};
    struct route_match match;
    char out[4096];
    size_t len = 0;
    if (route_find(routes, 3, HTTP_PUT, path, &match) == ROUTE_FOUND) {
        require(match.id == 3 && match.part_count == 2 && match.part[0].len > 0);
        require(slice_find(match.part[0], SLICE("/"), 0) == SIZE_MAX);
    }
    if (path.len <= sizeof out && http_unescape(path, out, &len)) {
        require(len <= path.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice all = slice_from((const char *)data, size);
    struct head_scan whole = {0};
    struct head_scan single = {0};
    size_t end = size;
    head_scan_feed(&whole, all);
    for (size_t i = 0; i < size; i++) {
        head_scan_feed(&single, slice_part(all, i, 1));
        if (single.state == HEAD_DONE && end == size) {
            end = i + 1;
        }
    }
    require(whole.state == single.state && whole.fault == single.fault);
    if (whole.state == HEAD_DONE && whole.fault == GUARD_NONE) {
        check_passed(slice_part(all, 0, end));
    }
    check_route(all);
    struct http_header header = {.name = slice_part(all, 0, size / 2),
                                 .value = slice_part(all, size / 2, size)};
    struct head head = {.target = all, .headers = &header, .header_count = 1};
    require(head_check(&head) < GUARDS);
    return 0;
}
