// packages: eplan::sqlite eplan::pq
/*
 * Preloaded into the gateway by calls.mjs: counts its calls of each kind, and makes one fail. The
 * file that EPLAN_NTH_CALL names is shared with the driver: a struct tally for each kind, in the
 * order below. It strikes the program as it is released, libraries included.
 *
 * alloc  malloc, calloc, realloc: no memory
 * write  a write, sync or truncation of a regular file: an I/O error
 * full   the same calls: no space is left
 * send   bytes to another process, by a socket: the connection was reset
 * sql    a statement is prepared, stepped or sent: SQLite says I/O error; PostgreSQL is sent one
 *        that it refuses instead
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { ALLOC, WRITE, FULL, SEND, SQL, KIND_COUNT };

struct tally {
    _Atomic uint64_t passed; /* calls so far */
    _Atomic uint64_t nth;    /* the call that fails; 0: none */
    _Atomic uint64_t stride; /* and each so many behind it; 0: no other */
    _Atomic uint64_t last;   /* but none behind this one */
    _Atomic uint64_t struck; /* calls that failed */
};

static struct tally *tallies; /* NULL: nothing strikes */

static bool strikes(enum kind kind)
{
    if (tallies == NULL) {
        return false;
    }
    uint64_t n = atomic_fetch_add(&tallies[kind].passed, 1) + 1;
    uint64_t nth = atomic_load(&tallies[kind].nth);
    uint64_t stride = atomic_load(&tallies[kind].stride);
    bool again =
        stride != 0 && n > nth && n <= atomic_load(&tallies[kind].last) && (n - nth) % stride == 0;
    if (nth == 0 || (n != nth && !again)) {
        return false;
    }
    atomic_fetch_add(&tallies[kind].struck, 1);
    return true;
}

/* The function of that name behind this library. */
#define REAL(name) (__extension__(__typeof__(&name)) dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("EPLAN_NTH_CALL");
    int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0) {
        return;
    }
    void *shared =
        mmap(NULL, sizeof(struct tally[KIND_COUNT]), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (shared != MAP_FAILED) {
        tallies = shared;
    }
}

/* ---- alloc ---- */

/* glibc's own names of them: dlsym would allocate. NOLINTBEGIN(bugprone-reserved-identifier) */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
/* NOLINTEND(bugprone-reserved-identifier) */

static bool no_memory(void)
{
    if (!strikes(ALLOC)) {
        return false;
    }
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return no_memory() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return no_memory() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return no_memory() ? NULL : __libc_realloc(old, size);
}

/* ---- write, full, send ---- */

/* True: the call fails, errno is set. */
static bool fails(int fd)
{
    struct stat file;
    if (tallies == NULL || fstat(fd, &file) != 0) {
        return false;
    }
    if (S_ISSOCK(file.st_mode) && strikes(SEND)) {
        errno = ECONNRESET;
        return true;
    }
    if (S_ISREG(file.st_mode) && strikes(WRITE)) {
        errno = EIO;
        return true;
    }
    if (S_ISREG(file.st_mode) && strikes(FULL)) {
        errno = ENOSPC;
        return true;
    }
    return false;
}

ssize_t write(int fd, const void *bytes, size_t count)
{
    return fails(fd) ? -1 : REAL(write)(fd, bytes, count);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    return fails(fd) ? -1 : REAL(writev)(fd, parts, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at)
{
    return fails(fd) ? -1 : REAL(pwrite)(fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at)
{
    return fails(fd) ? -1 : REAL(pwrite64)(fd, bytes, count, at);
}

int fsync(int fd)
{
    return fails(fd) ? -1 : REAL(fsync)(fd);
}

int fdatasync(int fd)
{
    return fails(fd) ? -1 : REAL(fdatasync)(fd);
}

int ftruncate(int fd, off_t size)
{
    return fails(fd) ? -1 : REAL(ftruncate)(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
    return fails(fd) ? -1 : REAL(ftruncate64)(fd, size);
}

ssize_t send(int fd, const void *bytes, size_t count, int flags)
{
    return fails(fd) ? -1 : REAL(send)(fd, bytes, count, flags);
}

ssize_t sendto(int fd, const void *bytes, size_t count, int flags, __CONST_SOCKADDR_ARG to,
               socklen_t to_len)
{
    return fails(fd) ? -1 : REAL(sendto)(fd, bytes, count, flags, to, to_len);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    return fails(fd) ? -1 : REAL(sendmsg)(fd, message, flags);
}

/* ---- sql ---- */

int sqlite3_prepare_v2(sqlite3 *db, const char *sql, int length, sqlite3_stmt **out,
                       const char **tail)
{
    *out = NULL;
    return strikes(SQL) ? SQLITE_IOERR : REAL(sqlite3_prepare_v2)(db, sql, length, out, tail);
}

int sqlite3_prepare_v3(sqlite3 *db, const char *sql, int length, unsigned flags, sqlite3_stmt **out,
                       const char **tail)
{
    *out = NULL;
    return strikes(SQL) ? SQLITE_IOERR
                        : REAL(sqlite3_prepare_v3)(db, sql, length, flags, out, tail);
}

int sqlite3_step(sqlite3_stmt *statement)
{
    return strikes(SQL) ? SQLITE_IOERR : REAL(sqlite3_step)(statement);
}

int sqlite3_exec(sqlite3 *db, const char *sql, int (*row)(void *, int, char **, char **), void *arg,
                 char **message)
{
    return strikes(SQL) ? SQLITE_IOERR : REAL(sqlite3_exec)(db, sql, row, arg, message);
}

/* An I/O error, as a server with a bad disk has it. */
static const char refused[] =
    "DO $$ BEGIN RAISE EXCEPTION 'struck' USING ERRCODE = '58030'; END $$";

int PQsendQueryParams(PGconn *conn, const char *sql, int count, const Oid *types,
                      const char *const *values, const int *lengths, const int *formats,
                      int result_format)
{
    return strikes(SQL) ? REAL(PQsendQueryParams)(conn, refused, 0, NULL, NULL, NULL, NULL, 0)
                        : REAL(PQsendQueryParams)(conn, sql, count, types, values, lengths, formats,
                                                  result_format);
}

int PQsendQueryPrepared(PGconn *conn, const char *name, int count, const char *const *values,
                        const int *lengths, const int *formats, int result_format)
{
    return strikes(SQL) ? PQsendQueryParams(conn, refused, 0, NULL, NULL, NULL, NULL, 0)
                        : REAL(PQsendQueryPrepared)(conn, name, count, values, lengths, formats,
                                                    result_format);
}

int PQsendPrepare(PGconn *conn, const char *name, const char *sql, int count, const Oid *types)
{
    return strikes(SQL) ? REAL(PQsendPrepare)(conn, name, "SELECT refused FROM nothing", 0, NULL)
                        : REAL(PQsendPrepare)(conn, name, sql, count, types);
}

PGresult *PQexec(PGconn *conn, const char *sql)
{
    return REAL(PQexec)(conn, strikes(SQL) ? refused : sql);
}
