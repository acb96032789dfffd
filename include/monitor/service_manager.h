/* Tells the service manager that has started the daemon how it is, by the protocol of
 * sd_notify(3): one datagram of lines to the socket in NOTIFY_SOCKET. Without that variable
 * nothing is sent. What a manager has no room for is sent later, in order. Loop thread only. */
#ifndef USHERD_MONITOR_SERVICE_MANAGER_H
#define USHERD_MONITOR_SERVICE_MANAGER_H

#include <stdbool.h>
#include <stddef.h>

enum { MANAGER_RETRY_MS = 100 /* when it has no room */ };

/* Once, before the configuration is read: takes NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID and
 * FDSTORE out of the environment, so that no program gets them. From now on the loop reports each
 * half of WATCHDOG_USEC that it turns. Errors are logged; the daemon works without a manager. */
void service_manager_init(void);

/* The daemon serves so many services, and so many entries have an error: after the start, and
 * after each reload. is_loaded false: the last reload was refused as a whole. */
void service_manager_ready(size_t services, unsigned wrong, bool is_loaded);

/* A reload begins; service_manager_ready follows. */
void service_manager_reloading(void);

void service_manager_stopping(void);

/* True when the manager keeps descriptors for the next run of the daemon: FDSTORE, which
 * systemd 254 sets to FileDescriptorStoreMax= of the unit. */
bool service_manager_stores(void);

/* Gives it a copy of the descriptor to keep, under a name of letters, digits and dashes. True when
 * it was sent; false with EAGAIN: it has no room now, and may be asked again after
 * MANAGER_RETRY_MS. */
bool service_manager_store(int fd, const char *name);

/* It need not keep the descriptor of that name any more. */
void service_manager_forget(const char *name);

#endif
