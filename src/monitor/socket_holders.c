#include "monitor/socket_holders.h"

#include "base/clock.h"
#include "base/container_of.h"
#include "monitor/session_processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum finding { NOT_THERE, THERE, CANNOT_SEE };

static uint64_t tick;      /* when it began */
static unsigned looked_at; /* processes, in this tick */

/* --- one process ------------------------------------------------------------------------- */

static bool leads_to(int directory, const char *name, uint64_t inode)
{
	char target[64], wanted[64];
	ssize_t length = readlinkat(directory, name, target, sizeof target - 1);

	if (length < 0)
		return false;
	target[length] = '\0';
	snprintf(wanted, sizeof wanted, "socket:[%" PRIu64 "]", inode);
	return strcmp(target, wanted) == 0;
}

/* One of the threads, or the process; *count: how many descriptors it has. */
static enum finding search(struct socket_holders *holders, pid_t pid, const char *path,
			   unsigned *count)
{
	DIR *directory = opendir(path);
	enum finding finding = NOT_THERE;
	struct dirent *entry;

	if (!directory)
		return errno == ENOENT || errno == ESRCH ? NOT_THERE : CANNOT_SEE;
	while (finding == NOT_THERE && (errno = 0, entry = readdir(directory))) {
		if (*entry->d_name == '.')
			continue;
		(*count)++;
		if (leads_to(dirfd(directory), entry->d_name, holders->inode)) {
			holders->pid = pid;
			holders->fd = atoi(entry->d_name);
			finding = THERE;
		}
	}
	closedir(directory);
	return finding;
}

/* A process whose first thread has ended shows no descriptors, but its other threads do. */
static enum finding search_threads(struct socket_holders *holders, pid_t pid)
{
	enum finding finding = NOT_THERE;
	struct dirent *entry;
	unsigned count = 0;
	char path[300];
	DIR *threads;

	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	threads = opendir(path);
	while (threads && count == 0 && finding == NOT_THERE && (entry = readdir(threads))) {
		if (*entry->d_name == '.')
			continue;
		snprintf(path, sizeof path, "/proc/%d/task/%.16s/fd", (int)pid, entry->d_name);
		finding = search(holders, pid, path, &count);
	}
	if (threads)
		closedir(threads);
	return finding;
}

static enum finding search_process(struct socket_holders *holders, pid_t pid)
{
	enum finding finding;
	unsigned count = 0;
	char path[32];

	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	finding = search(holders, pid, path, &count);
	return finding == NOT_THERE && count == 0 ? search_threads(holders, pid) : finding;
}

/* --- one session --------------------------------------------------------------------------- */

static bool is_where_it_was(const struct socket_holders *holders)
{
	char path[48];

	snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)holders->pid, holders->fd);
	return leads_to(AT_FDCWD, path, holders->inode);
}

struct search {
	struct socket_holders *holders;
	enum finding finding;
	unsigned processes;
};

static bool on_process(pid_t pid, void *context)
{
	struct search *search = context;

	looked_at++;
	search->finding = ++search->processes > HOLDERS_PROCESSES_MAX
				  ? CANNOT_SEE
				  : search_process(search->holders, pid);
	return search->finding == NOT_THERE;
}

bool socket_is_held(struct socket_holders *holders)
{
	struct search search = { .holders = holders };

	if (holders->inode == 0)
		return false;
	looked_at++;
	if (is_where_it_was(holders))
		return true;
	return !session_processes_each(holders->program, holders->has_ended, on_process, &search) ||
	       search.finding != NOT_THERE;
}

/* --- from look to look --------------------------------------------------------------------- */

/* False: enough for this moment. */
static bool may_look(void)
{
	if (clock_now() - tick >= HOLDERS_TICK_MS) {
		tick = clock_now();
		looked_at = 0;
	}
	return looked_at < HOLDERS_PER_TICK;
}

/* How long to wait for a turn. Each gets its own, so that thousands that wait cost nothing. */
static uint64_t wait_for_turn(void)
{
	static uint64_t turn;
	static unsigned given;

	if (turn < clock_now() + HOLDERS_TICK_MS) {
		turn = clock_now() + HOLDERS_TICK_MS;
		given = 0;
	} else if (++given == HOLDERS_PER_TICK) {
		turn += HOLDERS_TICK_MS;
		given = 0;
	}
	return turn - clock_now();
}

/* A descriptor on its way from one process to another is in none of them for a moment, so one
 * look is not enough. */
static void on_look(struct timer *timer)
{
	struct socket_holders *holders = container_of(timer, struct socket_holders, timer);

	if (!may_look()) {
		timer_start(timer, wait_for_turn());
	} else if (socket_is_held(holders)) {
		holders->was_missing = false;
		if (holders->wait_ms < HOLDERS_MAX_MS)
			holders->wait_ms += holders->wait_ms / 2;
		timer_start(timer, holders->wait_ms);
	} else if (!holders->was_missing) {
		holders->was_missing = true;
		timer_start(timer, HOLDERS_SURE_MS);
	} else {
		holders->released(holders);
	}
}

void socket_holders_note(struct socket_holders *holders, int connection)
{
	struct stat status;

	if (fstat(connection, &status) == 0)
		holders->inode = status.st_ino;
}

bool socket_holders_are_noted(const struct socket_holders *holders)
{
	return holders->inode != 0;
}

/* A program has its connection as its standard input, unless it moves it. */
void socket_holders_watch(struct socket_holders *holders, pid_t program, socket_released *released)
{
	if (holders->inode == 0)
		return;
	holders->program = holders->pid = program;
	holders->released = released;
	holders->wait_ms = HOLDERS_FIRST_MS;
	timer_init(&holders->timer, on_look);
	timer_start(&holders->timer, HOLDERS_FIRST_MS);
}

/* Its client may be waiting for the end. */
void socket_holders_lose_program(struct socket_holders *holders)
{
	holders->has_ended = true;
	if (!timer_is_pending(&holders->timer))
		return;
	holders->wait_ms = HOLDERS_FIRST_MS;
	timer_start(&holders->timer, HOLDERS_FIRST_MS);
}

void socket_holders_lose_all(struct socket_holders *holders)
{
	if (!timer_is_pending(&holders->timer))
		return;
	timer_stop(&holders->timer);
	holders->released(holders);
}

void socket_holders_stop(struct socket_holders *holders)
{
	if (holders->inode != 0)
		timer_stop(&holders->timer);
}
