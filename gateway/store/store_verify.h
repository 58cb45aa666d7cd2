/*
 * The rules of INVARIANTS.md, checked on a store that is stopped or running, by SQL and code that
 * share nothing with the writer. Takes no lock and writes nothing.
 */
#ifndef GATEWAY_STORE_STORE_VERIFY_H
#define GATEWAY_STORE_STORE_VERIFY_H

#include "fhir/base/arena.h"
#include "fhir/base/slice.h"
#include "fhir/base/status.h"
#include "gateway/store/keyring.h"

struct store_fault {
    unsigned rule;         /* 7 for S7; 0: the file itself */
    struct slice sentence; /* what does not hold */
    struct slice where;    /* an id, or an EHR and a number */
};

enum { FAULTS_MOST = 100 };

struct store_faults {
    const struct store_fault *at; /* the first FAULTS_MOST */
    size_t count;                 /* kept */
    size_t all;                   /* found */
    size_t records;               /* whose checksums were looked at */
    size_t lines;                 /* of the trail */
    size_t sealed; /* records that could not be opened for want of their key: checksums only */
};

/* location: the folder of a store, or the URL of one in PostgreSQL. keys: NULL when there are none.
 * STATUS_OK: it was looked at; whether all is well is in *faults_out. STATUS_IO: it cannot be
 * opened. Faults live in the arena. */
enum status store_verify(struct slice location, const struct keyring *keys, struct arena *arena,
                         struct store_faults *faults_out);

#endif
