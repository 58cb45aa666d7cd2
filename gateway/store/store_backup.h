/* A whole copy of a store, running or stopped. Takes no lock and writes nothing to the store. */
#ifndef GATEWAY_STORE_STORE_BACKUP_H
#define GATEWAY_STORE_STORE_BACKUP_H

#include <stdint.h>

#include "fhir/base/diag.h"
#include "fhir/base/slice.h"
#include "fhir/base/status.h"

/*
 * Makes `file` (mode 0600), as the store was at one commit; it is there whole and synced, or not at
 * all. What stands there already is left alone. STATUS_REFUSED: the file exists; STATUS_IO: the
 * store cannot be read, or the disk is full: diags says which.
 */
enum status store_backup(struct slice state_dir, const char *file, struct diag_list *diags,
                         uint64_t *bytes_out);

#endif
