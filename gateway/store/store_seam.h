/*
 * Test seam: an SQLite VFS whose n-th write or sync fails, is torn, or is the moment of a power
 * loss. Compiled into test builds only. Give store_options.vfs the name.
 */
#ifndef GATEWAY_STORE_STORE_SEAM_H
#define GATEWAY_STORE_STORE_SEAM_H

#ifdef EPLAN_SEAMS
#include <stdbool.h>
#include <stdint.h>

struct store_seam;

enum seam_fault {
    SEAM_FAIL,  /* the operation is an I/O error */
    SEAM_FULL,  /* the disk is full (of a sync: an I/O error) */
    SEAM_TORN,  /* half of the write is done, then an I/O error */
    SEAM_POWER, /* the process ends at once, and of what was not synced only some stays, some of it
                   torn: what a disk may do with its cache */
};

struct seam_plan {
    uint64_t nth; /* of the writes and syncs from now on, from 1; 0: never */
    enum seam_fault fault;
    uint64_t more; /* so many of the following strike too; UINT64_MAX: all */
    uint64_t seed; /* SEAM_POWER: what stays */
};

/* Registers the VFS under that name (borrowed). NULL: no memory. Caller destroys, with no store
 * open. */
struct store_seam *store_seam_create(const char *name);
void store_seam_destroy(struct store_seam **seam);

void store_seam_plan(struct store_seam *seam, const struct seam_plan *plan);
/* Writes and syncs since the plan was set. */
uint64_t store_seam_passed(struct store_seam *seam);
/* Every sync takes this long from now on: a slow disk. */
void store_seam_slow(struct store_seam *seam, unsigned sync_us);
#endif

#endif
