#include "monitor/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int program = -1;

int spawn_init(const char *name)
{
	program = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (program < 0 && strchr(name, '/')) /* without /proc */
		program = open(name, O_RDONLY | O_CLOEXEC);
	return program < 0 ? -1 : 0;
}

/* In the child: signals stay blocked, as the frontend needs it. */
static void become_frontend(int channel)
{
	static char title[] = "usherd: frontend", argument[] = SPAWN_ARGUMENT;
	static char *const arguments[] = { title, argument, NULL };

	if (channel == SPAWN_CHANNEL)
		fcntl(channel, F_SETFD, 0);
	else if (dup2(channel, SPAWN_CHANNEL) < 0)
		_exit(SPAWN_FAILED);
	fexecve(program, arguments, environ);
	_exit(SPAWN_FAILED);
}

pid_t spawn_frontend(int channel)
{
	pid_t pid = fork();

	if (pid == 0)
		become_frontend(channel);
	return pid;
}
