#include "gateway/cli/folder.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>

enum { FILES_MOST = 4096, FILE_BYTES_MOST = 1024 * 1024 };

static int by_path(const void *left, const void *right)
{
    return slice_compare(((const struct mapping_file *)left)->path,
                         ((const struct mapping_file *)right)->path);
}

static enum status add_file(struct cli *cli, const FTSENT *entry, size_t below,
                            struct folder *folder)
{
    if (folder->count == FILES_MOST) {
        fprintf(cli->err, "%s: the folder has more than %d files\n", entry->fts_path, FILES_MOST);
        return STATUS_LIMIT;
    }
    struct source *source = NULL;
    char *name = arena_cstr(cli->arena, slice_of(entry->fts_path));
    enum status status = cli_read(cli, cli->arena, name, FILE_BYTES_MOST, &source);
    if (status == STATUS_OK) {
        folder->files[folder->count++] = (struct mapping_file){
            .path = slice_of(name + below), .name = slice_of(name), .text = source->text};
    }
    return status;
}

enum status folder_read(struct cli *cli, const char *path, struct folder *folder_out)
{
    struct folder folder = {.files = ARENA_ARRAY(cli->arena, FILES_MOST, struct mapping_file)};
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/') {
        len--;
    }
    char *root = arena_cstr(cli->arena, slice_from(path, len));
    char *const roots[] = {root, NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    enum status status = tree != NULL ? STATUS_OK : STATUS_IO;
    for (FTSENT *entry; status == STATUS_OK && (entry = fts_read(tree)) != NULL;) {
        if (entry->fts_info == FTS_ERR || entry->fts_info == FTS_DNR || entry->fts_info == FTS_NS) {
            fprintf(cli->err, "%s: cannot be opened: %s\n", entry->fts_path,
                    strerror(entry->fts_errno));
            status = STATUS_IO;
        } else if (entry->fts_info == FTS_F &&
                   slice_ends_with(slice_of(entry->fts_path), SLICE(".yaml"))) {
            status = add_file(cli, entry, len + 1, &folder);
        }
    }
    if (tree != NULL) {
        fts_close(tree);
    }
    qsort(folder.files, folder.count, sizeof *folder.files, by_path);
    if (status == STATUS_OK) {
        *folder_out = folder;
    }
    return status;
}
