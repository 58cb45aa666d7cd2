/* A backup takes the place of a store; what was there is kept beside it. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/store/store_backup.h"
#include "gateway/store/store_sql.h"

enum { PATH_MOST = 4096, APPLICATION_ID = 0x65506c6e };

struct restoring {
    const char *file;
    struct diag_list *diags;
    char lock[PATH_MOST];
    char next[PATH_MOST];
    char store[PATH_MOST];
    char wal[PATH_MOST];
    char shm[PATH_MOST];
    char old[PATH_MOST];
    char old_wal[PATH_MOST];
};

static enum status fail(const struct restoring *r, enum status status, const char *path,
                        const char *what)
{
    diag_add(r->diags, DIAG_STORE_BACKUP, SPAN_NONE, "%s: %s", path, what);
    return status;
}

static bool set_paths(struct restoring *r, struct slice state_dir)
{
    const struct {
        char *path;
        const char *name;
    } paths[] = {{r->lock, "lock"},
                 {r->next, "store-next.db"},
                 {r->store, "store.db"},
                 {r->wal, "store.db-wal"},
                 {r->shm, "store.db-shm"},
                 {r->old, "store-replaced.db"},
                 {r->old_wal, "store-replaced.db-wal"}};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        if (snprintf(paths[i].path, PATH_MOST, "%.*s/%s", SLICE_ARGS(state_dir), paths[i].name) >=
            PATH_MOST) {
            return false;
        }
    }
    return true;
}

/* The first column of the one row is that text. */
static bool says(sqlite3 *db, const char *sql, struct slice want)
{
    sqlite3_stmt *statement = NULL;
    bool same = false;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        same = text != NULL && slice_equal(slice_of(text), want);
    }
    sqlite3_finalize(statement);
    return same;
}

static enum status check_backup(const struct restoring *r, sqlite3 *db, struct slice environment)
{
    char id[16];
    snprintf(id, sizeof id, "%d", APPLICATION_ID);
    if (!says(db, "PRAGMA application_id", slice_of(id))) {
        return fail(r, STATUS_INVALID, r->file, "is no backup of a store of the gateway");
    }
    if (!says(db, "PRAGMA quick_check(1)", SLICE("ok"))) {
        return fail(r, STATUS_INVALID, r->file, "is damaged");
    }
    if (!says(db, "SELECT value FROM meta WHERE name = 'environment'", environment)) {
        return fail(r, STATUS_REFUSED, r->file, "is a backup of another environment");
    }
    return STATUS_OK;
}

/* Since the backup each open write may have been made: the next opening has all that is open looked
 * up before anything is written (S19). */
static enum status copy_next(const struct restoring *r, struct slice environment)
{
    sqlite3 *db = NULL;
    char *into = sqlite3_mprintf("VACUUM INTO %Q", r->next);
    enum status status = STATUS_IO;
    unlink(r->next);
    int rc = sqlite3_open_v2(r->file, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK) {
        status = check_backup(r, db, environment);
    } else {
        fail(r, status, r->file, sqlite3_errmsg(db));
    }
    if (status == STATUS_OK && sqlite3_exec(db, into, NULL, NULL, NULL) != SQLITE_OK) {
        status = fail(r, STATUS_IO, r->next, sqlite3_errmsg(db));
    }
    sqlite3_close(db);
    sqlite3_free(into);
    db = NULL;
    if (status == STATUS_OK &&
        (chmod(r->next, 0600) != 0 ||
         sqlite3_open_v2(r->next, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
         sqlite3_exec(db, SQL_SAY_RESTORED, NULL, NULL, NULL) != SQLITE_OK)) {
        status = fail(r, STATUS_IO, r->next, "cannot be written");
    }
    sqlite3_close(db);
    return status;
}

static bool gone(const char *path)
{
    return unlink(path) == 0 || errno == ENOENT;
}

static bool moved(const char *from, const char *to)
{
    return rename(from, to) == 0 || errno == ENOENT;
}

/* The log first: a database without its log is whole up to some commit, a log without its database
 * is nothing. */
static enum status exchange(const struct restoring *r, struct slice state_dir)
{
    char folder[PATH_MOST];
    snprintf(folder, sizeof folder, "%.*s", SLICE_ARGS(state_dir));
    int next = open(r->next, O_RDONLY | O_CLOEXEC);
    bool good = next >= 0 && fsync(next) == 0 && gone(r->old) && gone(r->old_wal) &&
                moved(r->wal, r->old_wal) && gone(r->shm) && moved(r->store, r->old) &&
                rename(r->next, r->store) == 0;
    if (next >= 0) {
        close(next);
    }
    int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    good = good && dir >= 0 && fsync(dir) == 0;
    if (dir >= 0) {
        close(dir);
    }
    return good ? STATUS_OK : fail(r, STATUS_IO, r->store, strerror(errno));
}

enum status store_restore(struct slice state_dir, struct slice environment, const char *file,
                          struct diag_list *diags)
{
    struct restoring r = {.file = file, .diags = diags};
    if (!set_paths(&r, state_dir)) {
        return fail(&r, STATUS_INVALID, file, "the path of the store is too long");
    }
    int lock = open(r.lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0) {
        return fail(&r, STATUS_IO, r.lock, strerror(errno));
    }
    enum status status = STATUS_OK;
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        status = fail(&r, STATUS_REFUSED, r.lock, "the gateway runs: stop it first");
    }
    if (status == STATUS_OK) {
        status = copy_next(&r, environment);
    }
    if (status == STATUS_OK) {
        status = exchange(&r, state_dir);
    }
    close(lock);
    return status;
}
