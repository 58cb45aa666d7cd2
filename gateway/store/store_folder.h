/*
 * The folder of a store: made with mode 0700, and held by one process at a time through a lock on
 * `<folder>/lock`, whatever the database is. Private to gateway/store.
 */
#ifndef GATEWAY_STORE_STORE_FOLDER_H
#define GATEWAY_STORE_STORE_FOLDER_H

#include "fhir/base/diag.h"
#include "fhir/base/slice.h"
#include "fhir/base/status.h"

enum { STORE_PATH_MOST = 4096 };

/* STATUS_REFUSED: another process holds it, or others can look into it; STATUS_INVALID: no path;
 * STATUS_IO. A diagnostic says so. *lock_fd_out is set as soon as it is open: caller closes. */
enum status store_folder_take(struct slice folder, struct diag_list *diags,
                              char dir_out[STORE_PATH_MOST], int *lock_fd_out);

/* folder/name; false: too long. */
bool store_folder_path(const char *dir, const char *name, char out[STORE_PATH_MOST]);

/* "dir: what", with a hint where advice is not NULL. Returns the status. */
enum status store_refuse(struct diag_list *diags, const char *dir, enum status status,
                         const char *what, const char *advice);

#endif
