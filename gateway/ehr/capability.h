/*
 * What an EHR says it can do: the parts of its CapabilityStatement that decide how we write (field:
 * WRITEBACK ladder). A statement can say too little or too much; the EHR's file may overrule it.
 * Pure. Tests: tests/unit/gateway/ehr/test_capability.c.
 */
#ifndef GATEWAY_EHR_CAPABILITY_H
#define GATEWAY_EHR_CAPABILITY_H

#include <stdbool.h>

#include "fhir/base/arena.h"
#include "fhir/json/json.h"

struct ability {
    bool read;
    bool search;
    bool create;
    bool update;
    bool conditional_create;
    bool update_create;       /* PUT of an unknown id creates */
    bool version_aware;       /* versioning versioned or versioned-update: If-Match is understood */
    bool search_identifier;   /* "did my write land?" can be asked by identifier */
    bool search_patient;      /* or by patient */
    bool search_date;         /* and narrowed to the day it begins: capability_date_search() */
    bool search_last_updated; /* changes can be polled */
};

struct capability_facts {
    struct slice fhir_version; /* "4.0.1" */
    bool json;                 /* application/fhir+json, or no format named */
    bool transaction;
};

/* STATUS_INVALID: no CapabilityStatement, of another FHIR version than 4.0, or without JSON;
 * *why_out is static. */
enum status capability_read(const struct json *statement, struct capability_facts *facts_out,
                            const char **why_out);

/* The search parameter of a type's beginning, where what we write has one ("date" of a CarePlan);
 * NULL: none. FHIR R4, the types' search parameters. */
const char *capability_date_search(struct slice type);

/* Of one resource type; all false when the statement does not list it. */
struct ability capability_of(const struct json *statement, const char *type);

#endif
