#include "gateway/store/store_seam.h"

#ifdef EPLAN_SEAMS
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A write that no sync has followed yet. */
struct unsynced {
    struct unsynced *older;
    char *path;
    int64_t offset;
    int length;
    int64_t size_before; /* of the file */
    int old_length;      /* bytes there before */
    char *old_bytes;
    char *new_bytes;
};

struct store_seam {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    pthread_mutex_t lock; /* guards what follows */
    struct seam_plan plan;
    uint64_t passed;
    unsigned sync_us;
    struct unsynced *unsynced; /* the latest first; kept for a planned power loss only */
};

struct seam_file {
    sqlite3_file file;
    struct store_seam *seam;
    char *path; /* NULL: a temporary file, which may do as it likes */
    sqlite3_file *real;
};

static struct seam_file *seam_file(sqlite3_file *file)
{
    return (struct seam_file *)file;
}

/* ---- power loss ---- */

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static void write_at(const char *path, const char *bytes, int length, int64_t offset)
{
    int fd = open(path, O_WRONLY);
    if (fd >= 0) {
        ssize_t done = pwrite(fd, bytes, (size_t)length, offset);
        (void)done; /* the process ends anyway; the test looks at what is there */
        close(fd);
    }
}

/* Takes all unsynced writes back, then does some of them again, in their order. */
static void lose_power(struct store_seam *seam)
{
    uint64_t state = seam->plan.seed;
    struct unsynced *first = NULL;
    for (struct unsynced *write = seam->unsynced; write != NULL;) {
        struct unsynced *older = write->older;
        write_at(write->path, write->old_bytes, write->old_length, write->offset);
        int done = truncate(write->path, write->size_before);
        (void)done;
        write->older = first; /* turned round: now the next one */
        first = write;
        write = older;
    }
    for (struct unsynced *write = first; write != NULL; write = write->older) {
        uint64_t luck = next_random(&state) % 4;
        int length = luck == 0 ? 0 : luck == 1 ? write->length / 2 : write->length;
        if (length != 0) {
            write_at(write->path, write->new_bytes, length, write->offset);
        }
    }
    _exit(99);
}

static void remember(struct seam_file *file, const void *bytes, int length, int64_t offset)
{
    struct unsynced *write = calloc(1, sizeof *write);
    sqlite3_int64 size = 0;
    if (write == NULL) {
        abort();
    }
    file->real->pMethods->xFileSize(file->real, &size);
    write->path = strdup(file->path);
    write->offset = offset;
    write->length = length;
    write->size_before = size;
    write->new_bytes = malloc((size_t)length);
    write->old_bytes = calloc(1, (size_t)length);
    if (write->path == NULL || write->new_bytes == NULL || write->old_bytes == NULL) {
        abort();
    }
    memcpy(write->new_bytes, bytes, (size_t)length);
    if (offset < size) {
        write->old_length = size - offset < length ? (int)(size - offset) : length;
        file->real->pMethods->xRead(file->real, write->old_bytes, write->old_length, offset);
    }
    write->older = file->seam->unsynced;
    file->seam->unsynced = write;
}

static void forget(struct store_seam *seam, const char *path)
{
    for (struct unsynced **at = &seam->unsynced; *at != NULL;) {
        struct unsynced *write = *at;
        if (path == NULL || strcmp(write->path, path) == 0) {
            *at = write->older;
            free(write->path);
            free(write->old_bytes);
            free(write->new_bytes);
            free(write);
        } else {
            at = &write->older;
        }
    }
}

/* ---- the faults ---- */

/* True: this operation is the planned one. The lock is held. */
static bool strikes(struct store_seam *seam)
{
    uint64_t n = ++seam->passed;
    return seam->plan.nth != 0 && n >= seam->plan.nth && n - seam->plan.nth <= seam->plan.more;
}

static int seam_write(sqlite3_file *sqlite_file, const void *bytes, int length,
                      sqlite3_int64 offset)
{
    struct seam_file *file = seam_file(sqlite_file);
    struct store_seam *seam = file->seam;
    if (file->path == NULL) {
        return file->real->pMethods->xWrite(file->real, bytes, length, offset);
    }
    pthread_mutex_lock(&seam->lock);
    bool struck = strikes(seam);
    enum seam_fault fault = seam->plan.fault;
    if (seam->plan.nth != 0 && fault == SEAM_POWER) {
        remember(file, bytes, length, offset);
        if (struck) {
            lose_power(seam);
        }
    }
    pthread_mutex_unlock(&seam->lock);
    if (!struck) {
        return file->real->pMethods->xWrite(file->real, bytes, length, offset);
    }
    if (fault == SEAM_TORN) {
        file->real->pMethods->xWrite(file->real, bytes, length / 2, offset);
    }
    return fault == SEAM_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int seam_sync(sqlite3_file *sqlite_file, int flags)
{
    struct seam_file *file = seam_file(sqlite_file);
    struct store_seam *seam = file->seam;
    (void)flags;
    if (file->path == NULL) {
        return SQLITE_OK;
    }
    pthread_mutex_lock(&seam->lock);
    bool struck = strikes(seam);
    bool power = seam->plan.nth != 0 && seam->plan.fault == SEAM_POWER;
    if (struck && power) {
        lose_power(seam);
    }
    if (power) {
        forget(seam, file->path);
    }
    unsigned slow = seam->sync_us;
    pthread_mutex_unlock(&seam->lock);
    if (slow != 0) {
        usleep(slow);
    }
    return struck ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

/* ---- all else goes to the real file ---- */

static int seam_close(sqlite3_file *file)
{
    struct seam_file *seam = seam_file(file);
    int rc = seam->real->pMethods->xClose(seam->real);
    free(seam->path);
    seam->path = NULL;
    return rc;
}

#define REAL(file) (seam_file(file)->real)
#define CALL(file, method, ...) (REAL(file)->pMethods->method(REAL(file), __VA_ARGS__))

static int seam_read(sqlite3_file *file, void *bytes, int length, sqlite3_int64 offset)
{
    return CALL(file, xRead, bytes, length, offset);
}

static int seam_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return CALL(file, xTruncate, size);
}

static int seam_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return CALL(file, xFileSize, size);
}

static int seam_lock(sqlite3_file *file, int kind)
{
    return CALL(file, xLock, kind);
}

static int seam_unlock(sqlite3_file *file, int kind)
{
    return CALL(file, xUnlock, kind);
}

static int seam_reserved(sqlite3_file *file, int *out)
{
    return CALL(file, xCheckReservedLock, out);
}

static int seam_control(sqlite3_file *file, int op, void *arg)
{
    return CALL(file, xFileControl, op, arg);
}

static int seam_sector(sqlite3_file *file)
{
    return REAL(file)->pMethods->xSectorSize(REAL(file));
}

static int seam_traits(sqlite3_file *file)
{
    return REAL(file)->pMethods->xDeviceCharacteristics(REAL(file));
}

static int seam_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    return CALL(file, xShmMap, page, size, extend, out);
}

static int seam_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    return CALL(file, xShmLock, offset, n, flags);
}

static void seam_shm_barrier(sqlite3_file *file)
{
    REAL(file)->pMethods->xShmBarrier(REAL(file));
}

static int seam_shm_unmap(sqlite3_file *file, int remove)
{
    return CALL(file, xShmUnmap, remove);
}

static const sqlite3_io_methods seam_methods = {
    .iVersion = 2,
    .xClose = seam_close,
    .xRead = seam_read,
    .xWrite = seam_write,
    .xTruncate = seam_truncate,
    .xSync = seam_sync,
    .xFileSize = seam_size,
    .xLock = seam_lock,
    .xUnlock = seam_unlock,
    .xCheckReservedLock = seam_reserved,
    .xFileControl = seam_control,
    .xSectorSize = seam_sector,
    .xDeviceCharacteristics = seam_traits,
    .xShmMap = seam_shm_map,
    .xShmLock = seam_shm_lock,
    .xShmBarrier = seam_shm_barrier,
    .xShmUnmap = seam_shm_unmap,
};

static int seam_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *sqlite_file, int flags,
                     int *out_flags)
{
    struct store_seam *seam = vfs->pAppData;
    struct seam_file *file = seam_file(sqlite_file);
    bool kept = path != NULL && (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) != 0;
    *file = (struct seam_file){.seam = seam, .real = (sqlite3_file *)(file + 1)};
    int rc = seam->real->xOpen(seam->real, path, file->real, flags, out_flags);
    if (rc == SQLITE_OK && kept) {
        file->path = strdup(path);
    }
    file->file.pMethods = file->real->pMethods != NULL ? &seam_methods : NULL;
    return rc;
}

struct store_seam *store_seam_create(const char *name)
{
    struct store_seam *seam = calloc(1, sizeof *seam);
    sqlite3_vfs *real = sqlite3_vfs_find(NULL);
    if (seam == NULL || real == NULL) {
        free(seam);
        return NULL;
    }
    seam->real = real;
    seam->vfs = *real; /* its other functions are given paths, not files */
    seam->vfs.pNext = NULL;
    seam->vfs.zName = name;
    seam->vfs.pAppData = seam;
    seam->vfs.szOsFile = (int)sizeof(struct seam_file) + real->szOsFile;
    seam->vfs.xOpen = seam_open;
    pthread_mutex_init(&seam->lock, NULL);
    sqlite3_vfs_register(&seam->vfs, 0);
    return seam;
}

void store_seam_destroy(struct store_seam **seam)
{
    if (seam == NULL || *seam == NULL) {
        return;
    }
    sqlite3_vfs_unregister(&(*seam)->vfs);
    forget(*seam, NULL);
    pthread_mutex_destroy(&(*seam)->lock);
    free(*seam);
    *seam = NULL;
}

void store_seam_plan(struct store_seam *seam, const struct seam_plan *plan)
{
    pthread_mutex_lock(&seam->lock);
    forget(seam, NULL);
    seam->plan = *plan;
    seam->passed = 0;
    pthread_mutex_unlock(&seam->lock);
}

uint64_t store_seam_passed(struct store_seam *seam)
{
    pthread_mutex_lock(&seam->lock);
    uint64_t passed = seam->passed;
    pthread_mutex_unlock(&seam->lock);
    return passed;
}

void store_seam_slow(struct store_seam *seam, unsigned sync_us)
{
    pthread_mutex_lock(&seam->lock);
    seam->sync_us = sync_us;
    pthread_mutex_unlock(&seam->lock);
}
#else
typedef int store_seam_is_empty; /* ISO C wants one declaration */
#endif
