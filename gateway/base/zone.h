/*
 * A time zone as a table: which offset from UTC holds at an instant. Read from the system's zone
 * files (TZif, RFC 8536) or from a fixed offset; pure on bytes. Immutable; lives in the arena.
 * Tests: tests/unit/gateway/base/test_zone.c.
 */
#ifndef GATEWAY_BASE_ZONE_H
#define GATEWAY_BASE_ZONE_H

#include <stdint.h>

#include "fhir/base/arena.h"
#include "fhir/base/slice.h"
#include "fhir/base/status.h"

struct zone;

/* "Z", "+05:30", "-06:00": at most 14 hours. STATUS_INVALID: it is no offset. */
enum status zone_from_offset(struct arena *arena, struct slice text, const struct zone **zone_out);

/* The bytes of a TZif file, version 2 or later. STATUS_INVALID: they are none. */
enum status zone_from_tzif(struct arena *arena, struct slice name, struct slice bytes,
                           const struct zone **zone_out);

/* As configured: "America/Chicago" or "-06:00". Lives with the zone. */
struct slice zone_name(const struct zone *zone);

/* Minutes east of UTC at that instant (seconds since 1970-01-01T00:00:00Z). */
int zone_offset_minutes(const struct zone *zone, int64_t utc_seconds);

#endif
