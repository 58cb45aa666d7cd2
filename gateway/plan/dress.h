/*
 * From a mapping's plan to resources with a lasting identity (DESIGN.md 2, "Identity of what we
 * write"). Pure. An item's identifier is a UUIDv5 over namespace, EHR, Patient id, mapping, plan,
 * item key and episode; it is computed once, stored, and looked up ever after. Nothing here names a
 * category: tags carry the plan's public id alone. Tests: tests/unit/gateway/plan/test_dress.c.
 */
#ifndef GATEWAY_PLAN_DRESS_H
#define GATEWAY_PLAN_DRESS_H

#include <stdbool.h>

#include "fhir/base/arena.h"
#include "fhir/json/json.h"
#include "gateway/base/uuid.h"
#include "gateway/work/change.h"

#define DRESS_IDENTIFIER_SYSTEM                                                                    \
    "urn:ietf:rfc:3986" /* of identifiers whose value is a urn:uuid:                               \
                         */
#define DRESS_TAG_SYSTEM "urn:eplan:plan"

/* The identifier of an item that is planned for the first time. */
struct uuid dress_identifier(struct uuid space, const struct item_key *key);

/* "urn:uuid:..." ; lives in the arena. */
struct slice dress_urn(struct arena *arena, struct uuid identifier);

struct dress {
    struct slice public_id; /* of the plan */
    bool synthetic;         /* the EHR's children are made up: meta.security HTEST */
};

/*
 * Adds to a plan's resource, in place: identifier, meta.tag, meta.security, and for a CarePlan the
 * contributing Device (no author: nobody has accepted it).
 */
void dress_resource(struct arena *arena, struct json *resource, struct uuid identifier,
                    const struct dress *dress);

/*
 * Replaces every reference "#item:KEY" by what `target` gives for KEY ("urn:uuid:..." when stored,
 * "Goal/12" when sent). STATUS_ABSENT: target gave SLICE_NONE for one; *key_out names it.
 */
enum status dress_references(struct arena *arena, struct json *resource, struct slice prefix,
                             struct slice (*target)(void *arg, struct slice key), void *arg,
                             struct slice *key_out);

#endif
