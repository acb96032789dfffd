/* The files and directories of cgroups(7). Any thread. */
#ifndef USHERD_MONITOR_CGROUP_FILES_H
#define USHERD_MONITOR_CGROUP_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Writes text to the file, which is below directory, with one write(2). 0, or -1 with errno. */
int cgroup_file_write(int directory, const char *name, const char *text);

/* Puts the beginning of the file into text, which has room for size bytes. False: it can't be
 * read. */
bool cgroup_file_read(int directory, const char *name, char *text, size_t size);

/* Calls visit for each process that the file lists. How many there are; -1 with errno. A process
 * of another PID namespace has the number 0 there, and is not visited. */
int cgroup_each_process(int directory, const char *name, void (*visit)(pid_t pid, void *context),
			void *context);

/* Removes an empty cgroup with the empty ones in it, also one that is not there. 0, or -1 with
 * errno EBUSY: a process is in it. */
int cgroup_remove(int parent, const char *name);

#endif
