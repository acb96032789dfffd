#include "support/process.h"

#include "support/place.h"

#include <check.h>
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct process {
	char state;
	pid_t parent;
	unsigned long ticks;
	long threads;
};

/* Fills process from /proc/PID/stat; false when it is gone. */
static bool process_look_up(pid_t pid, struct process *process)
{
	char path[64], line[1024] = "";
	unsigned long user, system;
	const char *after_name;
	FILE *file;
	int parent;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	after_name = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
	fclose(file);
	if (!after_name || sscanf(after_name,
				  ") %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu"
				  " %*d %*d %*d %*d %ld",
				  &process->state, &parent, &user, &system, &process->threads) != 5)
		return false;
	process->parent = parent;
	process->ticks = user + system;
	return true;
}

char process_state(pid_t pid)
{
	struct process process;

	return process_look_up(pid, &process) ? process.state : 0;
}

bool process_runs(pid_t pid)
{
	char state = process_state(pid);

	return state && !strchr("ZX", state);
}

/* The frontend is a child of the daemon, but not a server. */
static bool is_frontend(pid_t pid)
{
	char name[32] = "";
	FILE *file = fopen(textf("/proc/%d/comm", (int)pid), "re");

	if (!file)
		return false;
	if (!fgets(name, sizeof name, file))
		name[0] = '\0';
	fclose(file);
	return strcmp(name, "usherd-frontend\n") == 0;
}

/* Calls see for each child of parent, frontends alone or all others, until it returns
 * false. */
static void for_each(pid_t parent, bool frontends,
		     bool (*see)(pid_t, const struct process *, void *), void *context)
{
	DIR *directory = opendir("/proc");
	bool goes_on = true;
	struct dirent *entry;

	ck_assert_ptr_nonnull(directory);
	while (goes_on && (entry = readdir(directory)) != NULL) {
		pid_t pid = (pid_t)atoi(entry->d_name);
		struct process process;

		if (pid > 0 && process_look_up(pid, &process) && process.parent == parent &&
		    is_frontend(pid) == frontends)
			goes_on = see(pid, &process, context);
	}
	closedir(directory);
}

static void for_each_child(pid_t parent, bool (*see)(pid_t, const struct process *, void *),
			   void *context)
{
	for_each(parent, false, see, context);
}

static bool count_child(pid_t pid, const struct process *process, void *context)
{
	unsigned *count = context;

	(void)pid, (void)process;
	++*count;
	return true;
}

static bool count_zombie(pid_t pid, const struct process *process, void *context)
{
	return process->state != 'Z' || count_child(pid, process, context);
}

static bool take_child(pid_t pid, const struct process *process, void *context)
{
	pid_t *child = context;

	(void)process;
	*child = pid;
	return false;
}

unsigned process_children(pid_t pid)
{
	unsigned count = 0;

	for_each_child(pid, count_child, &count);
	return count;
}

unsigned process_zombies(pid_t pid)
{
	unsigned count = 0;

	for_each_child(pid, count_zombie, &count);
	return count;
}

pid_t process_child(pid_t pid)
{
	pid_t child = 0;

	for_each_child(pid, take_child, &child);
	return child;
}

static bool take_if_it_runs(pid_t pid, const struct process *process, void *context)
{
	return strchr("ZX", process->state) || take_child(pid, process, context);
}

pid_t process_frontend(pid_t pid)
{
	pid_t frontend = 0;

	for_each(pid, true, take_if_it_runs, &frontend);
	return frontend;
}

char *process_status(pid_t pid, const char *name)
{
	const char *text = file_read(textf("/proc/%d/status", (int)pid));
	const char *line = strstr(text, textf("\n%s:", name));

	ck_assert_msg(line != NULL, "process %d has no %s", (int)pid, name);
	line += strlen(name) + 2;
	line += strspn(line, "\t ");
	return textf("%.*s", (int)strcspn(line, "\n"), line);
}

char *process_link(pid_t pid, const char *name)
{
	char target[4096];
	ssize_t length = readlink(textf("/proc/%d/%s", (int)pid, name), target, sizeof target);

	ck_assert_msg(length >= 0, "process %d has no %s", (int)pid, name);
	return textf("%.*s", (int)length, target);
}

long process_cpu_ms(pid_t pid)
{
	struct process process;

	ck_assert_msg(process_look_up(pid, &process), "process %d is gone", (int)pid);
	return (long)process.ticks * 1000 / sysconf(_SC_CLK_TCK);
}

unsigned process_threads(pid_t pid)
{
	struct process process;

	ck_assert_msg(process_look_up(pid, &process), "process %d is gone", (int)pid);
	return (unsigned)process.threads;
}

unsigned process_descriptors(pid_t pid)
{
	DIR *directory = opendir(textf("/proc/%d/fd", (int)pid));
	struct dirent *entry;
	unsigned count = 0;

	ck_assert_msg(directory != NULL, "process %d is gone", (int)pid);
	while ((entry = readdir(directory)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count;
}

/* The lines of /proc/net/PROTOCOL for both families. */
static char *socket_table(const char *protocol)
{
	return textf("%s%s", file_read(textf("/proc/net/%s", protocol)),
		     file_read(textf("/proc/net/%s6", protocol)));
}

bool port_is_served(const char *protocol, int port)
{
	/* sl local_address rem_address st: 0A is LISTEN, 07 an unconnected datagram socket */
	const char *state = strcmp(protocol, "tcp") == 0 ? "0A" : "07";

	return text_matches(socket_table(protocol),
			    textf("^ *[0-9]+: [0-9A-F]+:%04X [0-9A-F]+:0000 %s ", port, state));
}

char *listener_inode(int port)
{
	/* sl local_address rem_address st queues timer retransmits uid timeout inode */
	static const char form[] = " %*d: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x %*x:%*x %*x:%*x %*x"
				   " %*d %*d %ld";
	char *line = strtok(socket_table("tcp"), "\n");
	unsigned local, state;
	long inode;

	for (; line; line = strtok(NULL, "\n"))
		if (sscanf(line, form, &local, &state, &inode) == 3 && local == (unsigned)port &&
		    state == 0x0a)
			return textf("%ld", inode);
	ck_abort_msg("nobody listens on port %d", port);
	return NULL;
}

unsigned long port_unsent(int port)
{
	/* sl local_address rem_address st tx_queue:rx_queue */
	static const char form[] = " %*d: %*[0-9A-F]:%x %*[0-9A-F]:%*x %*x %lx:";
	unsigned long sum = 0, unsent;
	unsigned local;

	for (char *line = strtok(socket_table("tcp"), "\n"); line; line = strtok(NULL, "\n"))
		if (sscanf(line, form, &local, &unsent) == 2 && local == (unsigned)port)
			sum += unsent;
	return sum;
}
