#include "gateway/cli/folder.h"

#include "gateway/mapping_folder/mapping_folder.h"

enum status folder_read(struct cli *cli, const char *path, struct folder *folder_out)
{
    struct diag_list diags;
    struct mapping_files read;
    diag_init(&diags, cli->arena, 10);
    enum status status = mapping_folder_read(cli->arena, slice_of(path), &diags, &read);
    if (status != STATUS_OK) {
        cli_print_diags(cli, &diags);
        return status;
    }
    *folder_out = (struct folder){read.at, read.count};
    return STATUS_OK;
}
