/*
 * What a received resource is to us: whose it is, which visits it makes due, and the key by which
 * the same input is recognised again (DESIGN.md 2). Pure: bytes and JSON in, a description out. A
 * patient is taken from an exact reference only ("Patient/123", or the same below the EHR's base
 * URL): what is contained, logical or of another server is ambiguous and held, never guessed.
 * Tests: tests/unit/gateway/inbound/test_intake.c.
 */
#ifndef GATEWAY_INBOUND_INTAKE_H
#define GATEWAY_INBOUND_INTAKE_H

#include <stdbool.h>

#include "fhir/base/arena.h"
#include "fhir/json/json.h"
#include "gateway/work/message.h"

struct intake_request {
    enum message_kind kind;
    struct slice ehr;            /* the EHR's name */
    struct slice base_url;       /* of the EHR, without trailing slash */
    struct slice sender;         /* of a direct message */
    struct slice body;           /* as received */
    const struct hasher *hasher; /* may be NULL */
    const struct json *json;     /* the same, read; NULL for a deletion without a body */
    bool deleted;      /* the resource was deleted: type and id are given, json is not looked at */
    struct slice type; /* of a deletion, and what the path said (may be empty) */
    struct slice id;
    int64_t now; /* UTC microseconds */
    /* Does a mapping start on this resource? Asked for each resource of the message. */
    bool (*starts)(void *arg, const struct json *resource);
    void *arg;
};

struct intake {
    struct slice type; /* of the message: "Observation", "Bundle" */
    struct slice id;
    struct slice version;
    struct slice key;
    bool key_is_body_hash;
    int64_t key_window_us; /* 0: always */
    const struct trigger *triggers;
    size_t trigger_count;
    enum work_state end_state; /* when there is no trigger */
    enum reason end_reason;
};

enum { INTAKE_TRIGGERS_MOST = 1000 }; /* visits that one Bundle may make due */

/*
 * STATUS_OK: *intake_out lives in the arena. STATUS_INVALID: this is no resource, or not the one
 * that the path names; *why_out is a sentence for the sender, static. STATUS_LIMIT: a Bundle with
 * more visits than allowed.
 */
enum status intake_read(struct arena *arena, const struct intake_request *request,
                        struct intake *intake_out, const char **why_out);

/*
 * The latest calendar date, "2024-05-14", among the resources of a message that are of this patient
 * and visit; SLICE_NONE: none has one. Borrowed from json.
 */
struct slice intake_visit_date(const struct json *json, struct slice patient, struct slice visit,
                               struct slice base_url);

/* The id in "Type/id" or BASE/Type/id (with or without /_history/...); SLICE_NONE for any other
 * reference. */
struct slice intake_local_id(struct slice reference, const char *type, struct slice base_url);

#endif
