#include "gateway/store/store_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum status store_refuse(struct diag_list *diags, const char *dir, enum status status,
                         const char *what, const char *advice)
{
    struct diag *diag = diag_add(diags, DIAG_STORE_OPEN, SPAN_NONE, "%s: %s", dir, what);
    if (advice != NULL) {
        diag_hint(diags, diag, "%s", advice);
    }
    return status;
}

bool store_folder_path(const char *dir, const char *name, char out[STORE_PATH_MOST])
{
    return snprintf(out, STORE_PATH_MOST, "%s/%s", dir, name) < STORE_PATH_MOST;
}

static enum status take_lock(const char *dir, struct diag_list *diags, int *lock_fd_out)
{
    char path[STORE_PATH_MOST];
    char holder[32] = "";
    if (!store_folder_path(dir, "lock", path)) {
        return store_refuse(diags, dir, STATUS_INVALID, "the path is too long", NULL);
    }
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return store_refuse(diags, dir, STATUS_IO, strerror(errno),
                            "make the folder writable for the gateway");
    }
    *lock_fd_out = fd;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        char what[96];
        ssize_t got = pread(fd, holder, sizeof holder - 1, 0);
        holder[got > 0 ? got : 0] = '\0';
        holder[strcspn(holder, "\n")] = '\0';
        snprintf(what, sizeof what, "another process holds the store: %s",
                 holder[0] != '\0' ? holder : "unknown");
        return store_refuse(diags, dir, STATUS_REFUSED, what,
                            "stop it, or talk to it by the verbs of eplan");
    }
    int length = snprintf(holder, sizeof holder, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, holder, (size_t)length, 0) != length) {
        return store_refuse(diags, dir, STATUS_IO, strerror(errno), NULL);
    }
    return STATUS_OK;
}

enum status store_folder_take(struct slice folder, struct diag_list *diags,
                              char dir_out[STORE_PATH_MOST], int *lock_fd_out)
{
    struct stat facts;
    dir_out[0] = '\0';
    if (folder.len == 0 || folder.len >= STORE_PATH_MOST) {
        return store_refuse(diags, dir_out, STATUS_INVALID, "is no path for the store", NULL);
    }
    memcpy(dir_out, folder.at, folder.len);
    dir_out[folder.len] = '\0';
    if (mkdir(dir_out, 0700) != 0 && errno != EEXIST) {
        return store_refuse(diags, dir_out, STATUS_IO, strerror(errno),
                            "make the folder for the gateway");
    }
    if (stat(dir_out, &facts) != 0 || !S_ISDIR(facts.st_mode)) {
        return store_refuse(diags, dir_out, STATUS_IO, "is no folder", NULL);
    }
    if ((facts.st_mode & 077) != 0) {
        return store_refuse(diags, dir_out, STATUS_REFUSED, "others can look into it",
                            "set the mode of the folder to 0700");
    }
    return take_lock(dir_out, diags, lock_fd_out);
}
