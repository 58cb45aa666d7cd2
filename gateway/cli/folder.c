#include "gateway/cli/folder.h"

#include "gateway/base/folder.h"

enum status folder_read(struct cli *cli, const char *path, struct folder *folder_out)
{
    struct diag_list diags;
    struct folder_files read;
    diag_init(&diags, cli->arena, 10);
    enum status status =
        folder_load(cli->arena, slice_of(path), SLICE(".yaml"), SPAN_NONE, &diags, &read);
    if (status != STATUS_OK) {
        cli_print_diags(cli, &diags);
        return status;
    }
    struct mapping_file *files = ARENA_ARRAY(cli->arena, read.count + 1, struct mapping_file);
    for (size_t i = 0; i < read.count; i++) {
        files[i] = (struct mapping_file){
            .path = read.at[i].path, .name = read.at[i].name, .text = read.at[i].text};
    }
    *folder_out = (struct folder){files, read.count};
    return STATUS_OK;
}
