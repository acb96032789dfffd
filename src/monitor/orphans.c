/* A remembered group may be gone, and its number in use by other processes. That does no harm:
 * signals go to single processes, and only to children of the daemon. Their own children
 * become the daemon's when they end. */
#include "monitor/orphans.h"

#include "base/hash.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <unistd.h>

struct group {
	UT_hash_handle hh;
	TAILQ_ENTRY(group) link;
	pid_t id;
};

static struct group *groups;
static int ending_with; /* 0: no signal yet */
static TAILQ_HEAD(, group) by_age = TAILQ_HEAD_INITIALIZER(by_age);

void orphans_adopt(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

static bool is_there(pid_t group)
{
	return kill(-group, 0) == 0 || errno != ESRCH;
}

static void forget(struct group *group)
{
	HASH_DEL(groups, group);
	TAILQ_REMOVE(&by_age, group, link);
	free(group);
}

/* Checks the two oldest groups for each new one, so that dead ones are soon forgotten. */
static void forget_some(void)
{
	for (int i = 0; i < 2 && !TAILQ_EMPTY(&by_age); i++) {
		struct group *oldest = TAILQ_FIRST(&by_age);

		if (!is_there(oldest->id)) {
			forget(oldest);
			continue;
		}
		TAILQ_REMOVE(&by_age, oldest, link);
		TAILQ_INSERT_TAIL(&by_age, oldest, link);
	}
	if (HASH_COUNT(groups) > ORPHAN_GROUPS_MAX)
		forget(TAILQ_FIRST(&by_age));
}

static struct group *find(pid_t id)
{
	struct group *group;

	HASH_FIND_INT(groups, &id, group);
	return group;
}

void orphans_note(pid_t leader)
{
	struct group *group;

	if (!is_there(leader) || find(leader) || !(group = calloc(1, sizeof *group)))
		return;
	group->id = leader;
	HASH_ADD_INT(groups, id, group);
	if (!group->hh.tbl) {
		free(group);
		return;
	}
	TAILQ_INSERT_TAIL(&by_age, group, link);
	forget_some();
}

/* True when the process is a child of ours that runs in one of the groups. */
static bool is_orphan(pid_t pid)
{
	char path[32], text[512], state;
	const char *end;
	int parent, group;
	FILE *file;
	size_t length;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	length = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[length] = '\0';
	end = strrchr(text, ')'); /* of its name, which may hold any character */
	return end && sscanf(end, ") %c %d %d", &state, &parent, &group) == 3 && state != 'Z' &&
	       parent == (int)getpid() && find(group);
}

unsigned orphans_left(void)
{
	DIR *processes = groups ? opendir("/proc") : NULL;
	struct dirent *entry;
	unsigned count = 0;

	while (processes && (entry = readdir(processes))) {
		pid_t pid = (pid_t)atoi(entry->d_name);

		if (pid > 0 && is_orphan(pid) && kill(pid, ending_with) == 0)
			count++;
	}
	if (processes)
		closedir(processes);
	return count;
}

void orphans_end(int number)
{
	ending_with = number;
	orphans_left();
}
