/* The configuration in force: its first load, and each later one. */
#ifndef USHERD_SERVER_RELOAD_H
#define USHERD_SERVER_RELOAD_H

#include "config/loader.h"
#include "config/settings.h"

#include <stdbool.h>
#include <stddef.h>

/* Loads and starts every service. options must outlive the daemon. Problems go
 * to the log. stays_alive: -stayalive, a reload that leaves no service at all is
 * no reason to exit. False when the load is refused. */
bool configuration_start(const struct load_options *options, bool stays_alive);

/* Loads again, and where that succeeds adopts it: unchanged sockets and running
 * sessions are left alone, services are added, changed and removed, and what is
 * broken now keeps its running version. One line sums it up. */
void configuration_reload(void);

/* 0, or 1 when the daemon ends because a reload left it without services. */
int configuration_exit_status(void);

/* What the daemon entry says. */
const struct daemon_settings *configuration_daemon(void);

/* How many services there are, those that only drain left out. */
size_t configuration_service_count(void);

/* Whether the files name no service at all, not even one that is disabled or has
 * errors. */
bool configuration_is_empty(void);

/* Removes every service and the settings; for the daemon's end. */
void configuration_free(void);

#endif
