/* The descriptors that the daemon was started with, as log files.
 *
 * A log of one of these names is written to a copy of the descriptor, whatever it is: a pipe,
 * a socket, a terminal or a file, which the daemon's user may be unable to open. It is never
 * opened again. Loop thread only. */
#ifndef USHERD_BASE_START_DESCRIPTORS_H
#define USHERD_BASE_START_DESCRIPTORS_H

#include <stdbool.h>

enum {
	START_DESCRIPTORS = 10, /* 0 to 9 */
	NO_DESCRIPTOR = -1,     /* the path is a file like any other */
};

/* The descriptor that path stands for: 0 to INT_MAX, or NO_DESCRIPTOR. "-" and /dev/stdout are
 * 1, /dev/stderr is 2; /dev/fd/N and /proc/self/fd/N are N. /proc/1/fd/N is N for process 1
 * itself, and for others where N leads to the same file. */
int start_descriptor_named(const char *path);

/* True for /proc/1/fd/N, whatever it leads to. */
bool start_descriptor_is_of_init(const char *path);

/* Notes which descriptors are open, and moves those above 2 to least and more. To be called
 * once, before the process opens anything. */
void start_descriptors_take(int least);

/* Closes those that were not opened until now: a terminal or a pipe that nobody logs to must
 * not be held open. Those up to 2 only if the process is going to replace them. */
void start_descriptors_leave(bool replaces_standard);

/* A new descriptor for writing to that one, close-on-exec: a pipe is non-blocking in it if the
 * kernel permits to open it again, and anything else as it was. For a descriptor that was closed
 * it is one that fails with EBADF. -1 with errno: EBADF also when the descriptor was left. */
int start_descriptor_open(int number) __attribute__((warn_unused_result));

#endif
