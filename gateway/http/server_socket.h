/* Listening sockets. Private to gateway/http. */
#ifndef GATEWAY_HTTP_SERVER_SOCKET_H
#define GATEWAY_HTTP_SERVER_SOCKET_H

#include <stdint.h>

/*
 * A socket that listens on a numeric address, not blocking; port 0: the kernel chooses. Returns -1,
 * errno set, otherwise (EINVAL: no numeric address). *port_out: the real port. Caller closes.
 */
int socket_open(const char *address, uint16_t port, uint16_t *port_out);

#endif
