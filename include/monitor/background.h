/* Leaving the terminal, and telling the truth to whoever started the daemon. */
#ifndef USHERD_MONITOR_BACKGROUND_H
#define USHERD_MONITOR_BACKGROUND_H

#include <sys/types.h>

/* Has descriptors 0, 1 and 2 open, on /dev/null if need be, and no others. */
void background_close_inherited(void);

/* Goes on in a child in a session of its own. The parent waits for
 * background_tell_ready, exits with the status told there, and does not return;
 * when the child ends without a word it says so and exits with 1. -1 with errno on failure. */
int background_begin(void) __attribute__((warn_unused_result));

/* Tells the waiting parent the exit status and lets go of the terminal. Only the
 * first call counts, and only after background_begin. */
void background_tell_ready(int status);

/* The process of a daemon that runs with this pid file, which may be NULL;
 * -1 when it is in another container; 0: none. */
pid_t background_pid_holder(const char *path);

/* Writes the pid file anew, mode 0644, replacing what was there, and keeps it
 * locked. path may be NULL. 0, or -1 with errno; EAGAIN: another daemon runs with
 * it. */
int background_write_pid(const char *path) __attribute__((warn_unused_result));

/* Removes the file that was written, if it is still there. */
void background_remove_pid(const char *path);

#endif
