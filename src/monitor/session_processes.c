#include "monitor/session_processes.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct process {
	pid_t pid, parent, session;
};

/* All that there are, by pid. */
struct processes {
	struct process *list;
	size_t count, room;
};

static bool (*is_program)(pid_t pid); /* NULL: none is */

void session_processes_init(bool (*which)(pid_t pid))
{
	is_program = which;
}

/* False: it is gone. */
static bool read_process(struct process *process)
{
	char path[32], text[512], state;
	int group;
	const char *end;
	FILE *file;
	size_t length;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)process->pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	length = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[length] = '\0';
	end = strrchr(text, ')'); /* of its name, which may hold any character */
	return end && sscanf(end, ") %c %d %d %d", &state, &process->parent, &group,
			     &process->session) == 4;
}

static bool add(struct processes *all, const struct process *process)
{
	struct process *more;

	if (all->count == all->room) {
		all->room = all->room ? all->room * 2 : 256;
		more = reallocarray(all->list, all->room, sizeof *more);
		if (!more)
			return false;
		all->list = more;
	}
	all->list[all->count++] = *process;
	return true;
}

static int compare(const void *one, const void *other)
{
	pid_t left = ((const struct process *)one)->pid,
	      right = ((const struct process *)other)->pid;

	return (left > right) - (left < right);
}

/* False when memory runs out, or there is no /proc. */
static bool read_all(struct processes *all)
{
	DIR *directory = opendir("/proc");
	bool is_complete = directory != NULL;
	struct dirent *entry;

	while (is_complete && (entry = readdir(directory))) {
		struct process process = { .pid = (pid_t)atoi(entry->d_name) };

		if (process.pid > 0 && read_process(&process))
			is_complete = add(all, &process);
	}
	if (directory)
		closedir(directory);
	if (is_complete && all->count > 0)
		qsort(all->list, all->count, sizeof *all->list, compare);
	return is_complete;
}

/* True when the process is, or descends from, ancestor. */
static bool descends(const struct processes *all, const struct process *process, pid_t ancestor)
{
	for (size_t steps = 0; process && steps < all->count; steps++) {
		struct process parent = { .pid = process->parent };

		if (process->pid == ancestor || process->parent == ancestor)
			return true;
		process = bsearch(&parent, all->list, all->count, sizeof parent, compare);
	}
	return false;
}

/* The frontend is in the daemon's own session. */
static bool has_strayed(const struct processes *all, const struct process *process)
{
	return process->session != getsid(0) && !(is_program && is_program(process->session)) &&
	       descends(all, process, getpid());
}

static bool may_belong(const struct processes *all, const struct process *process, pid_t program,
		       bool has_ended)
{
	return process->session == program || (!has_ended && descends(all, process, program)) ||
	       has_strayed(all, process);
}

/* After the program has ended, most sessions have no process left. */
static bool is_empty(pid_t program)
{
	return kill(-program, 0) < 0 && errno == ESRCH;
}

bool session_processes_each(pid_t program, bool has_ended, bool (*visit)(pid_t pid, void *context),
			    void *context)
{
	struct processes all = { 0 };
	bool goes_on = true, is_complete;

	if (has_ended && is_empty(program))
		return true;
	is_complete = read_all(&all);
	for (size_t i = 0; is_complete && goes_on && i < all.count; i++)
		if (may_belong(&all, &all.list[i], program, has_ended))
			goes_on = visit(all.list[i].pid, context);
	free(all.list);
	return is_complete;
}
