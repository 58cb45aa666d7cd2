/*
 * What the trail says of what left an EHR and what came into it, as FHIR resources: an AuditEvent
 * for each disclosure (facts that were read) and each write, a Provenance for each resource that we
 * wrote, with the mapping that made it (DESIGN.md 2, audit). They are bodies of trail lines, stored
 * in the transaction of the fact itself. References carry ids and versions, never content. Pure.
 * Tests: tests/unit/gateway/audit/test_audit.c.
 */
#ifndef GATEWAY_AUDIT_AUDIT_H
#define GATEWAY_AUDIT_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "fhir/base/arena.h"
#include "fhir/base/slice.h"

enum audit_act { AUDIT_READ, AUDIT_CREATE, AUDIT_UPDATE };

struct audit_resource {
    struct slice type;
    struct slice id;
    struct slice version; /* empty: not known */
};

struct audit_event {
    enum audit_act act;
    bool failed;          /* the EHR did not do it, or it is not known whether it did */
    struct slice ehr;     /* its name */
    struct slice patient; /* id */
    int64_t at;           /* UTC microseconds */
    const struct audit_resource *resources; /* beside the Patient; a create that failed has none */
    size_t count;
};

/* JSON text of an AuditEvent. All of these live in the arena, inside arena_run(). */
struct slice audit_event(struct arena *arena, const struct audit_event *event);

struct audit_making {
    struct audit_resource target; /* as the EHR holds it now */
    enum audit_act act;           /* AUDIT_CREATE, AUDIT_UPDATE */
    int64_t at;
    struct slice mapping;
    struct slice mapping_version;
    struct slice mapping_hash; /* SHA-256, hexadecimal */
};

/* JSON text of a Provenance. */
struct slice audit_provenance(struct arena *arena, const struct audit_making *making);

/* One line for a person: "read 7 resources of Patient/1", "CarePlan/2/_history/1 made by mapping
 * healthy-weight 0.1.0, sha256 ...". SLICE_NONE: the body is neither. */
struct slice audit_sentence(struct arena *arena, struct slice body);

#endif
