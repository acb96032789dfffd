/* Starts this program once more, as a frontend: with exec, not only fork, so that it has
 * neither the monitor's memory nor its addresses. */
#ifndef USHERD_MONITOR_SPAWN_H
#define USHERD_MONITOR_SPAWN_H

#include <sys/types.h>

/* The argument that makes it a frontend, and the descriptor of its channel. */
#define SPAWN_ARGUMENT "-frontend"
enum { SPAWN_CHANNEL = 3 };

/* Finds the running program, called name; to be called before the directory changes.
 * 0, or -1 with errno. */
int spawn_init(const char *name) __attribute__((warn_unused_result));

/* Starts it with a copy of channel as SPAWN_CHANNEL, and standard input, output and
 * error; all other descriptors are close-on-exec. Returns its process id, or -1 with
 * errno. A program that can't be executed ends with status SPAWN_FAILED. */
pid_t spawn_frontend(int channel);

enum { SPAWN_FAILED = 127 };

#endif
