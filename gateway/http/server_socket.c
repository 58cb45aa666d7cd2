#include "gateway/http/server_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 511 };

int socket_open(const char *address, uint16_t port, uint16_t *port_out)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } at = {.v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}};
    socklen_t len = sizeof at.v6;
    if (inet_pton(AF_INET6, address, &at.v6.sin6_addr) != 1) {
        at.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
        len = sizeof at.v4;
        if (inet_pton(AF_INET, address, &at.v4.sin_addr) != 1) {
            errno = EINVAL;
            return -1;
        }
    }
    int on = 1;
    int fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (at.any.sa_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    }
    if (bind(fd, &at.any, len) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, &at.any, &len) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    *port_out = ntohs(at.any.sa_family == AF_INET6 ? at.v6.sin6_port : at.v4.sin_port);
    return fd;
}
