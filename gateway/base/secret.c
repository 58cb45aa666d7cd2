#include "gateway/base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct secret {
    size_t size; /* of the mapping */
    size_t len;
    char at[];
};

static struct secret *secret_allocate(size_t len)
{
    size_t size = sizeof(struct secret) + len + 1;
    struct secret *secret =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (secret == MAP_FAILED) {
        return NULL;
    }
    /* Both are a second wall: without them the secret is still wiped. */
    madvise(secret, size, MADV_DONTDUMP);
    (void)mlock(secret, size);
    secret->size = size;
    secret->len = len;
    return secret;
}

struct secret *secret_create(struct slice bytes)
{
    struct secret *secret = bytes.len <= SECRET_MAX ? secret_allocate(bytes.len) : NULL;
    if (secret != NULL && bytes.len != 0) {
        memcpy(secret->at, bytes.at, bytes.len);
    }
    return secret;
}

void secret_destroy(struct secret **secret)
{
    if (secret == NULL || *secret == NULL) {
        return;
    }
    size_t size = (*secret)->size;
    explicit_bzero(*secret, size);
    munmap(*secret, size);
    *secret = NULL;
}

struct slice secret_view(const struct secret *secret)
{
    return slice_from(secret->at, secret->len);
}

/* Every one of their bytes is looked at, behind our end against the zero that stands there: how
 * long it takes depends on what they sent alone. */
bool secret_equal(const struct secret *secret, struct slice bytes)
{
    unsigned char differ = secret->len != bytes.len;
    for (size_t i = 0; i < bytes.len; i++) {
        size_t at = i < secret->len ? i : secret->len;
        differ |= (unsigned char)(secret->at[at] ^ bytes.at[i]);
    }
    return differ == 0;
}

static enum status check_file(const struct stat *st, const char *path, struct span span,
                              struct diag_list *diags)
{
    bool ours = st->st_uid == geteuid() || st->st_uid == 0;
    unsigned open_to = (unsigned)st->st_mode & 077U;
    if (st->st_uid == 0 && geteuid() != 0) {
        open_to &= ~040U; /* root's, readable by our group: the usual way of a package */
    }
    struct diag *diag = NULL;
    if (!S_ISREG(st->st_mode)) {
        diag = diag_add(diags, DIAG_SECRET_FILE, span, "%s is not a regular file", path);
        diag_hint(diags, diag, "name the file that holds the secret itself");
        return STATUS_INVALID;
    }
    if (!ours || open_to != 0) {
        diag = diag_add(diags, DIAG_SECRET_FILE, span,
                        "%s can be read or changed by others (mode %04o)", path,
                        (unsigned)st->st_mode & 07777U);
        diag_hint(
            diags, diag,
            "make it the gateway's own: chown it to the user that runs eplan, then chmod 0600");
        return STATUS_REFUSED;
    }
    if (st->st_size > SECRET_MAX) {
        diag_add(diags, DIAG_SECRET_FILE, span, "%s has %lld bytes; a secret has at most %d", path,
                 (long long)st->st_size, SECRET_MAX);
        return STATUS_LIMIT;
    }
    return STATUS_OK;
}

/* Up to `size` bytes; a file that shrank gives fewer. Returns SIZE_MAX on an error. */
static size_t read_all(int fd, char *at, size_t size)
{
    size_t len = 0;
    while (len < size) {
        ssize_t got = read(fd, at + len, size - len);
        if (got == 0) {
            break;
        }
        if (got < 0 && errno != EINTR) {
            return SIZE_MAX;
        }
        len += got > 0 ? (size_t)got : 0;
    }
    return len;
}

static enum status read_secret(int fd, const char *path, struct span span, struct diag_list *diags,
                               struct secret **secret_out)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        diag_add(diags, DIAG_SECRET_FILE, span, "%s cannot be read: %s", path,
                 strerrordesc_np(errno));
        return STATUS_IO;
    }
    enum status status = check_file(&st, path, span, diags);
    if (status != STATUS_OK) {
        return status;
    }
    struct secret *secret = secret_allocate((size_t)st.st_size);
    if (secret == NULL) {
        return STATUS_NO_MEMORY;
    }
    size_t len = read_all(fd, secret->at, (size_t)st.st_size);
    if (len == SIZE_MAX) {
        diag_add(diags, DIAG_SECRET_FILE, span, "%s cannot be read: %s", path,
                 strerrordesc_np(errno));
        secret_destroy(&secret);
        return STATUS_IO;
    }
    if (len > 0 && secret->at[len - 1] == '\n') {
        secret->at[--len] = '\0';
        if (len > 0 && secret->at[len - 1] == '\r') {
            secret->at[--len] = '\0';
        }
    }
    secret->len = len;
    if (len == 0) {
        struct diag *diag = diag_add(diags, DIAG_SECRET_FILE, span, "%s is empty", path);
        diag_hint(diags, diag, "write the secret into it, on one line");
        secret_destroy(&secret);
        return STATUS_INVALID;
    }
    *secret_out = secret;
    return STATUS_OK;
}

enum status secret_load(const char *path, struct span span, struct diag_list *diags,
                        struct secret **secret_out)
{
    /* O_NONBLOCK: a FIFO must not make us wait before it is refused. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        struct diag *diag = diag_add(diags, DIAG_SECRET_FILE, span, "%s cannot be opened: %s", path,
                                     strerrordesc_np(errno));
        diag_hint(diags, diag,
                  errno == ENOENT ? "make the file, or correct the path"
                                  : "let the user that runs eplan read it");
        return STATUS_IO;
    }
    enum status status = read_secret(fd, path, span, diags, secret_out);
    close(fd);
    return status;
}
