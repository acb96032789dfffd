#include "monitor/processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* By number, as the C library may be older than the kernel. */
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/* The name, which stands in parentheses, may hold any character. */
bool process_parse(const char *text, struct process *process)
{
	const char *end = strrchr(text, ')');
	int pid, parent, group, session;
	char state;

	if (!end || sscanf(text, "%d", &pid) != 1 ||
	    sscanf(end,
		   ") %c %d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
		   "%" SCNu64,
		   &state, &parent, &group, &session, &process->started) != 5)
		return false;
	process->pid = pid;
	process->parent = parent;
	process->group = group;
	process->session = session;
	process->is_dead = state == 'Z' || state == 'X';
	process->is_stopped = state == 'T' || state == 't';
	return true;
}

/* Reads the beginning of a file of that process. False: it is gone, or that can't be read. */
static bool read_file(pid_t pid, const char *name, char *text, size_t size)
{
	char path[32];
	ssize_t length;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	length = read(fd, text, size - 1);
	close(fd);
	if (length <= 0)
		return false;
	text[length] = '\0';
	return true;
}

bool process_read(pid_t pid, struct process *process)
{
	char text[1024];

	return read_file(pid, "stat", text, sizeof text) && process_parse(text, process);
}

/* The name, which comes first, has no line ends: the kernel escapes them. */
bool process_hold_parse(const char *text, struct process_hold *hold)
{
	const char *state = strstr(text, "\nState:"), *tracer = strstr(text, "\nTracerPid:");
	int pid;

	if (!state || !tracer || sscanf(state, " State: %c", &hold->state) != 1 ||
	    sscanf(tracer, " TracerPid: %d", &pid) != 1)
		return false;
	hold->tracer = pid;
	return true;
}

bool process_hold_read(pid_t pid, struct process_hold *hold)
{
	char text[2048];

	return read_file(pid, "status", text, sizeof text) && process_hold_parse(text, hold);
}

/* Makes room for one more. */
static int grow(struct processes *processes, size_t *room)
{
	struct process *larger;

	if (processes->count < *room)
		return 0;
	*room = *room ? 2 * *room : 256;
	larger = realloc(processes->list, *room * sizeof *larger);
	if (!larger)
		return -1;
	processes->list = larger;
	return 0;
}

static int compare(const void *left, const void *right)
{
	pid_t one = ((const struct process *)left)->pid;
	pid_t other = ((const struct process *)right)->pid;

	return (one > other) - (one < other);
}

int processes_read(struct processes *processes)
{
	DIR *directory = opendir("/proc");
	struct dirent *entry;
	size_t room = 0;
	int result = directory ? 0 : -1;

	*processes = (struct processes){ NULL, 0 };
	while (result == 0 && (entry = readdir(directory))) {
		pid_t pid = (pid_t)atoi(entry->d_name);

		if (pid <= 0)
			continue;
		result = grow(processes, &room);
		if (result == 0 && process_read(pid, &processes->list[processes->count]))
			processes->count++;
	}
	if (directory)
		closedir(directory);
	if (processes->count > 0)
		qsort(processes->list, processes->count, sizeof *processes->list, compare);
	return result;
}

void processes_clear(struct processes *processes)
{
	free(processes->list);
	*processes = (struct processes){ NULL, 0 };
}

const struct process *processes_find(const struct processes *processes, pid_t pid)
{
	const struct process key = { .pid = pid };

	if (processes->count == 0)
		return NULL;
	return bsearch(&key, processes->list, processes->count, sizeof key, compare);
}

static bool is_still_there(const struct process *process)
{
	struct process now;

	return process_read(process->pid, &now) && now.started == process->started;
}

/* The descriptor stays with the process, whatever happens to its pid. */
bool process_signal(const struct process *process, int number)
{
	int fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	bool is_sent = false;

	if (fd < 0 && errno != ENOSYS && errno != EPERM)
		return false;
	if (is_still_there(process))
		is_sent = (fd < 0 ? kill(process->pid, number)
				  : (int)syscall(SYS_pidfd_send_signal, fd, number, NULL, 0)) == 0;
	if (fd >= 0)
		close(fd);
	return is_sent;
}
