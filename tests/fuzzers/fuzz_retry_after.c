// uses: gateway/http gateway/base fhir/base
/* What a server says about waiting, in five lines: Retry-After, Date, RateLimit, -Remaining,
 * -Reset. Whatever stands there, the wait is within the bounds. */
#include <stdint.h>
#include <stdlib.h>

#include "gateway/base/clock.h"
#include "gateway/http/retry_after.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct retry_bounds bounds = {.least_ms = 100, .most_ms = 3600000};
    const int64_t now = INT64_C(1800000000) * 1000000;
    struct slice rest = slice_from((const char *)data, size);
    struct slice line[5] = {SLICE_NONE};
    for (size_t i = 0; i < 5 && slice_cut(&rest, '\n', &line[i]); i++) {
    }
    uint64_t ms = UINT64_MAX;
    enum status status = retry_after_read(line[0], line[1], now, &bounds, &ms);
    require(status == STATUS_OK ? ms >= bounds.least_ms && ms <= bounds.most_ms : ms == UINT64_MAX);
    require(status != STATUS_ABSENT || slice_trim(line[0]).len == 0);
    struct rate_limit limit = {.remaining = 1, .wait_ms = UINT64_MAX};
    status = rate_limit_read(line[2], line[3], line[4], now, &bounds, &limit);
    require(status == STATUS_OK
                ? limit.wait_ms >= bounds.least_ms && limit.wait_ms <= bounds.most_ms
                : limit.wait_ms == UINT64_MAX && limit.remaining == 1);
    int64_t us = 0;
    if (http_date_read(line[0], &us) == STATUS_OK) { /* every date can be told */
        char text[CLOCK_TEXT_SIZE];
        require(clock_format(us, text) == 24);
    }
    return 0;
}
