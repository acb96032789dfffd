/* The daemon's name and process id in its logs: the name under which it was started. */
#ifndef USHERD_BASE_OWN_NAME_H
#define USHERD_BASE_OWN_NAME_H

#include <sys/types.h>

enum {
	OWN_NAME_MAX = 32, /* bytes, as RFC 3164 has it (4.1.3) */
};

/* Takes the name from argv[0], which may be NULL: what follows the last slash,
 * cut to OWN_NAME_MAX; a byte that would end the name in a log line becomes
 * '_'. An empty result leaves the name unchanged. To be called before there are
 * other threads. */
void own_name_take(const char *argv0);

/* "usherd" until own_name_take. */
const char *own_name(void);

/* Sets the name in syslog and in the journal, of which own_name_take's rules hold; "" is
 * own_name. */
void own_tag_take(const char *text);

/* own_name until own_tag_take. */
const char *own_tag(void);

/* Sets the process id, for a process that writes log lines of another. */
void own_process_take(pid_t process);

/* This process until own_process_take. */
pid_t own_process(void);

#endif
