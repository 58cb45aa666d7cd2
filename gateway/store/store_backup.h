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

/*
 * Puts a backup in the place of a stopped store; what was there becomes store-replaced.db beside
 * it. What it opens next is reconciled (S19): nothing is written before what is open was looked up
 * in the EHR. STATUS_REFUSED: the gateway runs, or the backup is of another environment;
 * STATUS_INVALID: it is none, or damaged. Until the exchange nothing of the store was touched.
 */
enum status store_restore(struct slice state_dir, struct slice environment, const char *file,
                          struct diag_list *diags);

/*
 * The same for a store in PostgreSQL. `schema`: one of its database that holds a copy, as an
 * upgrade leaves it (`eplan_<version>`); the copy stays, and what was there becomes
 * `eplan_replaced`. Or `eplan`: what stands there was brought back by the server's own tools, and
 * that is noted. STATUS_REFUSED: a gateway runs, or the copy is of another environment;
 * STATUS_INVALID: it is none.
 */
enum status store_restore_schema(struct slice url, struct slice environment, const char *schema,
                                 struct diag_list *diags);

#endif
