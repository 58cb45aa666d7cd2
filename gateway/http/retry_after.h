/*
 * How long a server asks us to wait. Pure: text and times in, milliseconds out; nothing a server
 * writes makes us wait less than `least_ms` or longer than `most_ms`. Tests:
 * tests/unit/gateway/http/test_retry_after.c, fuzzed by tests/fuzzers/fuzz_retry_after.c.
 */
#ifndef GATEWAY_HTTP_RETRY_AFTER_H
#define GATEWAY_HTTP_RETRY_AFTER_H

#include <stdbool.h>
#include <stdint.h>

#include "fhir/base/slice.h"
#include "fhir/base/status.h"

/*
 * One of the three forms of RFC 9110 5.6.7, at second precision. A two-digit year below 70 is of
 * this century. STATUS_INVALID: anything else. *utc_us_out: microseconds since 1970.
 */
enum status http_date_read(struct slice text, int64_t *utc_us_out);

struct retry_bounds {
    uint64_t least_ms;
    uint64_t most_ms;
};

/*
 * The header Retry-After: seconds or an HTTP date. `date` is the Date header of the same reply, the
 * server's idea of now; where it is absent or no date, now_utc_us is taken. A date that has passed
 * is the least wait. STATUS_ABSENT: value is empty; STATUS_INVALID: it is neither; *wait_ms_out is
 * set in STATUS_OK only.
 */
enum status retry_after_read(struct slice value, struct slice date, int64_t now_utc_us,
                             const struct retry_bounds *bounds, uint64_t *wait_ms_out);

struct rate_limit {
    uint64_t remaining; /* requests left in this window; UINT64_MAX: not said */
    uint64_t wait_ms;   /* until the window begins anew, within the bounds */
};

/*
 * `combined` is RateLimit, as draft-ietf-httpapi-ratelimit-headers had it ("limit=100, remaining=0,
 * reset=30") and has it (`"default";r=0;t=30`); `remaining` and `reset` are (X-)RateLimit-Remaining
 * and -Reset. A reset is in seconds from now, in seconds or milliseconds since 1970, or an HTTP
 * date. Slices may be empty. STATUS_ABSENT: none says anything; STATUS_INVALID: what they say is
 * not understood.
 */
enum status rate_limit_read(struct slice combined, struct slice remaining, struct slice reset,
                            int64_t now_utc_us, const struct retry_bounds *bounds,
                            struct rate_limit *limit_out);

#endif
