#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/daemon/parts.h"

enum { READY_MOST = 8192, PATH_MOST = 4096 + 8 };

static bool write_whole(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t done = write(fd, text, len);
        if (done < 0 && errno != EINTR) {
            return false;
        }
        text += done > 0 ? done : 0;
        len -= done > 0 ? (size_t)done : 0;
    }
    return true;
}

enum status ready_write(const struct daemon *daemon)
{
    const struct config_gateway *gateway = &daemon->current->config->gateway;
    struct slice file = gateway->listen.ready_file;
    char text[READY_MOST];
    char next[PATH_MOST];
    if (file.len == 0) {
        return STATUS_OK;
    }
    /* Paths are checked by the configuration: no control characters, no quotes to be escaped. */
    int len =
        snprintf(text, sizeof text, "{\"pid\":%ld,\"port\":%u,\"control\":\"%.*s/control.sock\"}\n",
                 (long)getpid(), (unsigned)daemon->port, SLICE_ARGS(gateway->state_dir));
    snprintf(next, sizeof next, "%.*s.new", SLICE_ARGS(file));
    int fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool good = fd >= 0 && write_whole(fd, text, (size_t)len);
    if (fd >= 0) {
        close(fd);
    }
    char path[PATH_MOST];
    snprintf(path, sizeof path, "%.*s", SLICE_ARGS(file));
    return good && rename(next, path) == 0 ? STATUS_OK : STATUS_IO;
}

void ready_remove(const struct daemon *daemon)
{
    struct slice file = daemon->current->config->gateway.listen.ready_file;
    char path[PATH_MOST];
    snprintf(path, sizeof path, "%.*s", SLICE_ARGS(file));
    if (path[0] != '\0') {
        unlink(path);
    }
}
