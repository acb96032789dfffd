/* Going to the background, with an exit status for the command that started the daemon,
 * and the pid file. */
#ifndef USHERD_MONITOR_BACKGROUND_H
#define USHERD_MONITOR_BACKGROUND_H

#include <sys/types.h>

/* Keeps the descriptors up to 9 for logs (start_descriptors.h), and so many from first_kept on,
 * and closes all others. Opens 0, 1 and 2 on /dev/null if they are closed. */
void background_take_inherited(int first_kept, int kept);

/* Continues in a child with a session of its own. The parent does not return: it waits
 * for background_tell_ready and exits with its status; if the child ends without calling
 * it, the parent says so and exits with 1. -1 with errno on failure. */
int background_begin(void) __attribute__((warn_unused_result));

/* Sends the waiting parent its exit status and closes the terminal. Only the first call
 * after background_begin has an effect. */
void background_tell_ready(int status);

/* The process id of the running daemon that has this pid file; path may be NULL. -1: that
 * daemon is in another container. 0: none runs. */
pid_t background_pid_holder(const char *path);

/* Writes a new pid file, mode 0644, which replaces the old one, and keeps it locked. path may
 * be NULL. 0, or -1 with errno; EAGAIN: another daemon has it. */
int background_write_pid(const char *path) __attribute__((warn_unused_result));

/* Removes the file that was written, if it is still there. */
void background_remove_pid(const char *path);

#endif
