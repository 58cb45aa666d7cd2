/* A folder that a verb makes, whole: `eplan new`, `eplan import`. */
#ifndef GATEWAY_CLI_NEW_FOLDER_H
#define GATEWAY_CLI_NEW_FOLDER_H

#include "gateway/cli/cli.h"

/* False: something of that name is there already, which was told. */
bool new_folder_free(struct cli *cli, const char *folder);

/* Writes one file and makes the folders above it; path is written to and restored. EXIT_DONE, or
 * EXIT_FAULT: the reason stands on err. */
int new_folder_write(struct cli *cli, char *path, struct slice bytes);

#endif
