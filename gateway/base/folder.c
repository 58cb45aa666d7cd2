#include "gateway/base/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct reading {
    struct arena *arena;
    struct span span;
    struct diag_list *diags;
    struct folder_file *files;
    size_t count;
    size_t below; /* bytes of the folder's path and its slash */
};

static int by_path(const void *left, const void *right)
{
    return slice_compare(((const struct folder_file *)left)->path,
                         ((const struct folder_file *)right)->path);
}

static void close_tree(void *tree)
{
    fts_close(tree);
}

static enum status fail(const struct reading *reading, const char *name, int error)
{
    diag_add(reading->diags, DIAG_CONFIG_FILE, reading->span, "%s: cannot be read: %s", name,
             strerror(error));
    return STATUS_IO;
}

/* Bytes read into `text`, or -1 with errno. One more than the ceiling tells a file that is over it.
 */
static ssize_t read_whole(int fd, char *text)
{
    size_t len = 0;
    while (len <= FOLDER_FILE_BYTES_MOST) {
        ssize_t got = read(fd, text + len, FOLDER_FILE_BYTES_MOST + 1 - len);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got < 0 ? -1 : (ssize_t)len;
        }
        len += (size_t)got;
    }
    return (ssize_t)len;
}

static enum status read_text(const struct reading *reading, const char *name,
                             struct slice *text_out)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return fail(reading, name, errno);
    }
    char *room = malloc(FOLDER_FILE_BYTES_MOST + 1);
    ssize_t len = room != NULL ? read_whole(fd, room) : -1;
    int error = errno;
    close(fd);
    enum status status = STATUS_OK;
    if (len < 0) {
        status = fail(reading, name, error);
    } else if (len > FOLDER_FILE_BYTES_MOST) {
        diag_add(reading->diags, DIAG_CONFIG_FILE, reading->span,
                 "%s: is larger than the %d bytes allowed", name, FOLDER_FILE_BYTES_MOST);
        status = STATUS_LIMIT;
    } else {
        *text_out = slice_from(room, (size_t)len);
    }
    if (status != STATUS_OK) {
        free(room);
    }
    return status;
}

static enum status add_file(struct reading *reading, const FTSENT *entry)
{
    if (reading->count == FOLDER_FILES_MOST) {
        diag_add(reading->diags, DIAG_CONFIG_FILE, reading->span,
                 "%s: the folder has more than %d files", entry->fts_path, FOLDER_FILES_MOST);
        return STATUS_LIMIT;
    }
    struct slice text;
    struct slice name = arena_copy(reading->arena, slice_of(entry->fts_path));
    enum status status = read_text(reading, name.at, &text);
    if (status == STATUS_OK) {
        arena_defer(reading->arena, free, (void *)text.at);
        reading->files[reading->count++] =
            (struct folder_file){slice_part(name, reading->below, SIZE_MAX), name, text};
    }
    return status;
}

static enum status walk(struct reading *reading, FTS *tree, struct slice suffix)
{
    for (FTSENT *entry; (entry = fts_read(tree)) != NULL;) {
        enum status status = STATUS_OK;
        if (entry->fts_info == FTS_ERR || entry->fts_info == FTS_DNR || entry->fts_info == FTS_NS) {
            status = fail(reading, entry->fts_path, entry->fts_errno);
        } else if (entry->fts_info == FTS_F && slice_ends_with(slice_of(entry->fts_path), suffix)) {
            status = add_file(reading, entry);
        }
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

enum status folder_load(struct arena *arena, struct slice path, struct slice suffix,
                        struct span span, struct diag_list *diags, struct folder_files *files_out)
{
    while (path.len > 1 && path.at[path.len - 1] == '/') {
        path.len--;
    }
    struct reading reading = {.arena = arena,
                              .span = span,
                              .diags = diags,
                              .files = ARENA_ARRAY(arena, FOLDER_FILES_MOST, struct folder_file),
                              .below = path.len + 1};
    char *const roots[] = {arena_cstr(arena, path), NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (tree == NULL) {
        return fail(&reading, roots[0], errno);
    }
    arena_defer(arena, close_tree, tree);
    enum status status = walk(&reading, tree, suffix);
    if (status == STATUS_OK) {
        qsort(reading.files, reading.count, sizeof *reading.files, by_path);
        *files_out = (struct folder_files){reading.files, reading.count};
    }
    return status;
}
