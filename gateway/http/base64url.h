/* base64url without padding (RFC 4648 section 5), as JOSE wants it. Pure. */
#ifndef GATEWAY_HTTP_BASE64URL_H
#define GATEWAY_HTTP_BASE64URL_H

#include "fhir/base/arena.h"
#include "fhir/base/slice.h"
#include "fhir/base/status.h"

/* Lives in the arena, NUL-terminated. */
struct slice base64url_write(struct arena *arena, struct slice bytes);

/* Strict: no padding, no other character, no unused bits set, so that each value has one text.
 * STATUS_INVALID otherwise. *bytes_out lives in the arena, NUL-terminated. */
enum status base64url_read(struct arena *arena, struct slice text, struct slice *bytes_out);

#endif
