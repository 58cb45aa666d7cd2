/* A copy of the store by SQLite's own VACUUM INTO: one snapshot, no lock against the writer. */
#include "gateway/store/store_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_MOST = 4096 };

static enum status fail(struct diag_list *diags, enum status status, const char *path,
                        const char *what)
{
    diag_add(diags, DIAG_STORE_BACKUP, SPAN_NONE, "%s: %s", path, what);
    return status;
}

static int copy(const char *from, const char *into, char *said, size_t room)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_open_v2(from, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_busy_timeout(db, 10000);
        sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        rc = sqlite3_prepare_v2(db, "VACUUM INTO ?1", -1, &statement, NULL);
    }
    if (rc == SQLITE_OK) {
        sqlite3_bind_text(statement, 1, into, -1, SQLITE_STATIC);
        rc = sqlite3_step(statement);
    }
    snprintf(said, room, "%s", db != NULL ? sqlite3_errmsg(db) : "no memory");
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return rc;
}

static bool sync_path(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return good;
}

/* The name is in its folder for good. */
static bool sync_folder_of(const char *file)
{
    char folder[PATH_MOST];
    const char *slash = strrchr(file, '/');
    size_t len = slash != NULL ? (size_t)(slash - file) : 0;
    snprintf(folder, sizeof folder, "%.*s", (int)(len != 0 ? len : 1),
             slash != NULL ? (len != 0 ? file : "/") : ".");
    return sync_path(folder, O_RDONLY | O_DIRECTORY);
}

/* Made empty first, so that no other account could open it while it grows. */
static enum status make_empty(const char *path, struct diag_list *diags)
{
    unlink(path); /* of a copy that was broken off */
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return fail(diags, STATUS_IO, path, strerror(errno));
    }
    close(fd);
    return STATUS_OK;
}

static enum status copy_whole(const char *from, const char *part, const char *file,
                              struct diag_list *diags)
{
    char said[256];
    enum status status = make_empty(part, diags);
    if (status != STATUS_OK) {
        return status;
    }
    if (copy(from, part, said, sizeof said) != SQLITE_DONE) {
        return fail(diags, STATUS_IO, file, said);
    }
    if (!sync_path(part, O_RDONLY) || link(part, file) != 0 || !sync_folder_of(file)) {
        return fail(diags, STATUS_IO, file, strerror(errno));
    }
    return STATUS_OK;
}

enum status store_backup(struct slice state_dir, const char *file, struct diag_list *diags,
                         uint64_t *bytes_out)
{
    char from[PATH_MOST];
    char part[PATH_MOST];
    struct stat facts;
    if (snprintf(from, sizeof from, "%.*s/store.db", SLICE_ARGS(state_dir)) >= PATH_MOST ||
        snprintf(part, sizeof part, "%s.part", file) >= PATH_MOST) {
        return fail(diags, STATUS_INVALID, file, "the path is too long");
    }
    if (stat(from, &facts) != 0) {
        return fail(diags, STATUS_IO, from, strerror(errno));
    }
    if (lstat(file, &facts) == 0) {
        return fail(diags, STATUS_REFUSED, file, "is there already, and is left alone");
    }
    enum status status = copy_whole(from, part, file, diags);
    unlink(part);
    if (status == STATUS_OK) {
        status = stat(file, &facts) == 0 ? STATUS_OK : STATUS_IO;
        *bytes_out = (uint64_t)facts.st_size;
    }
    return status;
}
