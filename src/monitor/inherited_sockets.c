#include "monitor/inherited_sockets.h"

#include "base/log.h"
#include "monitor/binder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LISTEN_FDS_START = 3, LISTEN_FDS_MAX = 65536 };

static int count;
static int failure; /* errno: some could not be moved */

/* How many descriptors are meant for this process. */
static int count_of_environment(void)
{
	const char *pid = getenv("LISTEN_PID"), *number = getenv("LISTEN_FDS");
	long found = number ? strtol(number, NULL, 10) : 0;

	if (!pid || atol(pid) != (long)getpid() || found < 0 || found > LISTEN_FDS_MAX)
		return 0;
	return (int)found;
}

int inherited_sockets_take(void)
{
	static const char *const names[] = { "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES" };

	count = count_of_environment();
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		unsetenv(names[i]);
	/* The last one first, as the new numbers may be among the old ones. */
	for (int i = count - 1; i >= 0; i--)
		if (dup3(LISTEN_FDS_START + i, INHERITED_FIRST + i, O_CLOEXEC) < 0)
			failure = errno;
	for (int i = 0; i < count && LISTEN_FDS_START + i < INHERITED_FIRST; i++)
		close(LISTEN_FDS_START + i);
	return count;
}

int inherited_sockets_count(void)
{
	return count;
}

void inherited_sockets_give(void)
{
	if (failure)
		log_failure(failure, "can't keep all sockets of the service manager");
	for (int i = 0; i < count; i++)
		if (binder_inherit(INHERITED_FIRST + i) < 0) {
			log_failure(errno, "a descriptor of the service manager is of no use");
			close(INHERITED_FIRST + i);
		}
}
