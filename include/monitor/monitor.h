/* The process that has root's rights: it reads the configuration, binds sockets, opens files,
 * starts and reaps programs, and never reads a byte from a peer. It starts the frontend, which
 * does the rest, and treats every message of the frontend as hostile. */
#ifndef USHERD_MONITOR_MONITOR_H
#define USHERD_MONITOR_MONITOR_H

#include "monitor/options.h"

/* Runs the daemon until a signal ends it. Returns the exit status. */
int monitor_run(const struct monitor_options *options);

#endif
