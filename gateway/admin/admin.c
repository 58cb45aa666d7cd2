#include "gateway/admin/admin.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    REQUEST_MOST = 4096,
    ANSWER_ARENA = 256 * 1024 * 1024,
    ASKER_MS = 2000, /* within which a request must be there, and each part of an answer taken */
    ANSWER_MS = 30000,
    BACKLOG = 8,
};

struct admin {
    struct admin_options options;
    struct sockaddr_un address;
    int listener;
    int wake; /* eventfd: the thread is to end */
    pthread_t thread;
    bool thread_live;
};

static bool make_address(struct slice state_dir, struct sockaddr_un *address_out)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int len = snprintf(address.sun_path, sizeof address.sun_path, "%.*s/control.sock",
                       SLICE_ARGS(state_dir));
    *address_out = address;
    return len > 0 && (size_t)len < sizeof address.sun_path;
}

/* ---- one line each way ---- */

static bool wait_for(int fd, short events, int ms)
{
    struct pollfd wanted = {.fd = fd, .events = events};
    int ready;
    do {
        ready = poll(&wanted, 1, ms);
    } while (ready < 0 && errno == EINTR);
    return ready == 1;
}

/* A line without its end; false: too long, too slow or broken off. */
static bool read_line(int fd, char *line, size_t room, size_t *len_out)
{
    size_t len = 0;
    while (len < room && wait_for(fd, POLLIN, ASKER_MS)) {
        ssize_t got = recv(fd, line + len, room - len, 0);
        if (got <= 0) {
            return false;
        }
        char *end = memchr(line + len, '\n', (size_t)got);
        len += (size_t)got;
        if (end != NULL) {
            *len_out = (size_t)(end - line);
            return true;
        }
    }
    return false;
}

static bool write_all(int fd, struct slice text)
{
    while (text.len > 0) {
        if (!wait_for(fd, POLLOUT, ASKER_MS)) {
            return false;
        }
        ssize_t done = send(fd, text.at, text.len, MSG_NOSIGNAL);
        if (done < 0) {
            return false;
        }
        text = slice_part(text, (size_t)done, SIZE_MAX);
    }
    return true;
}

/* ---- one asker ---- */

struct serving {
    struct admin *admin;
    struct arena *arena;
    int fd;
    uid_t uid;
    bool trusted; /* our own account, or root */
    struct slice request;
};

static struct slice account_of(struct arena *arena, uid_t uid)
{
    struct passwd entry;
    struct passwd *found = NULL;
    char room[4096];
    if (getpwuid_r(uid, &entry, room, sizeof room, &found) == 0 && found != NULL) {
        return arena_copy(arena, slice_of(found->pw_name));
    }
    return arena_printf(arena, "uid-%lu", (unsigned long)uid);
}

static enum status serve_run(void *arg)
{
    struct serving *serving = arg;
    struct slice account = account_of(serving->arena, serving->uid);
    if (!serving->trusted && !desk_is_for_anyone(serving->arena, serving->request)) {
        LOG(serving->admin->options.log, LOG_WARNING, "control-refused",
            LOG_TEXT(DETAIL, "an account that is neither ours nor root asked"));
        write_all(serving->fd,
                  SLICE("{\"ok\":false,\"error\":\"this account may not ask\",\"exit\":64}\n"));
        return STATUS_OK;
    }
    struct slice answer =
        desk_answer(&serving->admin->options.desk, serving->arena, serving->request, account);
    return write_all(serving->fd, answer) && write_all(serving->fd, SLICE("\n")) ? STATUS_OK
                                                                                 : STATUS_IO;
}

static bool peer_uid(const struct admin *admin, int fd, uid_t *uid_out, bool *trusted_out)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0) {
        return false;
    }
    *uid_out = peer.uid;
    *trusted_out = peer.uid == 0 || peer.uid == admin->options.account;
    return true;
}

static void serve(struct admin *admin, int fd)
{
    char line[REQUEST_MOST];
    struct serving serving = {.admin = admin, .fd = fd};
    size_t len;
    if (!peer_uid(admin, fd, &serving.uid, &serving.trusted) ||
        !read_line(fd, line, sizeof line, &len)) {
        return;
    }
    serving.request = slice_from(line, len);
    serving.arena = arena_create(ANSWER_ARENA);
    if (serving.arena == NULL || (arena_run(serving.arena, serve_run, &serving) != STATUS_OK)) {
        LOG(admin->options.log, LOG_WARNING, "control-answer",
            LOG_TEXT(DETAIL, "an answer could not be given whole"));
    }
    arena_destroy(&serving.arena);
}

static void *run(void *arg)
{
    struct admin *admin = arg;
    struct pollfd wanted[2] = {{.fd = admin->listener, .events = POLLIN},
                               {.fd = admin->wake, .events = POLLIN}};
    for (;;) {
        int ready = poll(wanted, 2, -1);
        if (ready > 0 && wanted[1].revents != 0) {
            return NULL;
        }
        int fd =
            ready > 0 ? accept4(admin->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) : -1;
        if (fd >= 0) {
            serve(admin, fd);
            close(fd);
        }
    }
}

/* ---- life ---- */

static enum status fail(struct diag_list *diags, struct admin **admin)
{
    diag_add(diags, DIAG_CONTROL, SPAN_NONE, "%s: %s", (*admin)->address.sun_path, strerror(errno));
    admin_destroy(admin);
    return STATUS_IO;
}

static enum status listen_here(struct admin *admin)
{
    admin->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    admin->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (admin->listener < 0 || admin->wake < 0) {
        return STATUS_IO;
    }
    unlink(admin->address.sun_path); /* we hold the store's lock: nobody listens on it */
    return bind(admin->listener, (const struct sockaddr *)&admin->address, sizeof admin->address) ==
                       0 &&
                   chmod(admin->address.sun_path, 0660) == 0 &&
                   listen(admin->listener, BACKLOG) == 0
               ? STATUS_OK
               : STATUS_IO;
}

enum status admin_create(const struct admin_options *options, struct diag_list *diags,
                         struct admin **admin_out)
{
    struct admin *admin = calloc(1, sizeof *admin);
    if (admin == NULL) {
        return STATUS_NO_MEMORY;
    }
    admin->options = *options;
    admin->listener = -1;
    admin->wake = -1;
    if (!make_address(options->state_dir, &admin->address)) {
        errno = ENAMETOOLONG;
        return fail(diags, &admin);
    }
    if (listen_here(admin) != STATUS_OK) {
        return fail(diags, &admin);
    }
    int error = pthread_create(&admin->thread, NULL, run, admin);
    if (error != 0) {
        errno = error;
        return fail(diags, &admin);
    }
    admin->thread_live = true;
    *admin_out = admin;
    return STATUS_OK;
}

void admin_destroy(struct admin **admin)
{
    struct admin *a = admin != NULL ? *admin : NULL;
    if (a == NULL) {
        return;
    }
    if (a->thread_live) {
        eventfd_write(a->wake, 1);
        pthread_join(a->thread, NULL);
        unlink(a->address.sun_path);
    }
    if (a->listener >= 0) {
        close(a->listener);
    }
    if (a->wake >= 0) {
        close(a->wake);
    }
    free(a);
    *admin = NULL;
}

/* ---- the asker ---- */

static enum status read_answer(struct arena *arena, int fd, struct slice *answer_out)
{
    struct buf answer;
    buf_init(&answer, arena, ANSWER_ARENA / 2);
    for (;;) {
        if (!wait_for(fd, POLLIN, ANSWER_MS)) {
            return STATUS_IO;
        }
        char *at = buf_reserve(&answer, 65536);
        ssize_t got = recv(fd, at, 65536, 0);
        if (got < 0) {
            return STATUS_IO;
        }
        answer.len += (size_t)got;
        answer.at[answer.len] = '\0';
        if (got == 0) {
            *answer_out = slice_trim(buf_view(&answer));
            return answer.len != 0 ? STATUS_OK : STATUS_IO;
        }
    }
}

enum status admin_ask(struct arena *arena, struct slice state_dir, struct slice request,
                      struct slice *answer_out)
{
    struct sockaddr_un address;
    if (!make_address(state_dir, &address)) {
        return STATUS_ABSENT;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return STATUS_IO;
    }
    enum status status = STATUS_OK;
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        status = errno == EACCES ? STATUS_REFUSED : STATUS_ABSENT;
    } else if (!write_all(fd, request) || !write_all(fd, SLICE("\n"))) {
        status = STATUS_IO;
    } else {
        status = read_answer(arena, fd, answer_out);
    }
    close(fd);
    return status;
}
