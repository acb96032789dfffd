/* What the daemon goes by in its logs: the name it was started by, and a process. */
#ifndef USHERD_BASE_OWN_NAME_H
#define USHERD_BASE_OWN_NAME_H

#include <sys/types.h>

enum {
	OWN_NAME_MOST = 32, /* bytes, as RFC 3164 has it (4.1.3) */
};

/* Takes the name from argv[0], which may be NULL: what follows the last slash,
 * cut to OWN_NAME_MOST; a byte that would end the name in a log line becomes
 * '_'. Where nothing is left of it the name stays what it was. To be called
 * before there are other threads. */
void own_name_take(const char *argv0);

/* "usherd" until it is taken from elsewhere. */
const char *own_name(void);

/* Its process is that one from now on, for who writes on behalf of another. */
void own_process_take(pid_t process);

/* This process until it is taken from elsewhere. */
pid_t own_process(void);

#endif
