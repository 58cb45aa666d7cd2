/* What systemd is told (sd_notify(3)): one datagram to the socket that NOTIFY_SOCKET names. Without
 * it, nothing. */
#ifndef GATEWAY_DAEMON_NOTIFY_H
#define GATEWAY_DAEMON_NOTIFY_H

/* "READY=1", "STOPPING=1", "RELOADING=1\nMONOTONIC_USEC=..." */
void notify_service_manager(const char *state);

#endif
