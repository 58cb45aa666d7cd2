/* The YAML files of a mapping's folder, for the verbs that take one. */
#ifndef GATEWAY_CLI_FOLDER_H
#define GATEWAY_CLI_FOLDER_H

#include "gateway/cli/cli.h"
#include "gateway/mapping/mapping.h"

struct folder {
    struct mapping_file *files; /* by path, so that messages come in the same order everywhere */
    size_t count;
};

/* STATUS_IO: the reason stands on err. Files live in cli->arena. */
enum status folder_read(struct cli *cli, const char *path, struct folder *folder_out);

#endif
