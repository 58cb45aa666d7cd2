#include "gateway/cli/new_folder.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/cli/workbench.h"

bool new_folder_free(struct cli *cli, const char *folder)
{
    struct stat status;
    if (stat(folder, &status) == 0) {
        fprintf(cli->err, "%s: is there already; nothing was written\n", folder);
        return false;
    }
    return true;
}

/* Every folder above the file. */
static bool make_folders(struct cli *cli, char *path)
{
    for (char *at = strchr(path + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
        *at = '\0';
        bool made = mkdir(path, 0777) == 0 || errno == EEXIST;
        if (!made) {
            fprintf(cli->err, "%s: cannot be made: %s\n", path, strerror(errno));
        }
        *at = '/';
        if (!made) {
            return false;
        }
    }
    return true;
}

int new_folder_write(struct cli *cli, char *path, struct slice bytes)
{
    return make_folders(cli, path) ? workbench_write(cli, path, bytes) : EXIT_FAULT;
}
