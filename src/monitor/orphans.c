/* A remembered group may be gone, and its number in use by other processes. That does no harm:
 * signals go only to what descends from the daemon, and the number can then be only that of
 * another session, which is in children.h. */
#include "monitor/orphans.h"

#include "base/container_of.h"
#include "base/hash.h"
#include "base/timer.h"
#include "config/generation.h"
#include "monitor/session_tree.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/queue.h>

struct group {
	UT_hash_handle hh;
	TAILQ_ENTRY(group) link;
	pid_t id;
	uint32_t service;
	struct address peer, local;
	bool is_to_end; /* its service is removed */
	bool is_ending;
	struct session_tree tree;
	struct timer grace;
};

static struct group *groups;
static TAILQ_HEAD(, group) by_age = TAILQ_HEAD_INITIALIZER(by_age);
static struct {
	pid_t leader;
	uint32_t service;
	struct address peer, local;
} expected;

static bool is_there(pid_t group)
{
	return kill(-group, 0) == 0 || errno != ESRCH;
}

static void forget(struct group *group)
{
	HASH_DEL(groups, group);
	TAILQ_REMOVE(&by_age, group, link);
	timer_stop(&group->grace);
	session_tree_clear(&group->tree);
	free(group);
}

/* Checks the two oldest groups for each new one, so that dead ones are soon forgotten. */
static void forget_some(void)
{
	for (int i = 0; i < 2 && !TAILQ_EMPTY(&by_age); i++) {
		struct group *oldest = TAILQ_FIRST(&by_age);

		if (!oldest->is_ending && !is_there(oldest->id)) {
			forget(oldest);
			continue;
		}
		TAILQ_REMOVE(&by_age, oldest, link);
		TAILQ_INSERT_TAIL(&by_age, oldest, link);
	}
	if (HASH_COUNT(groups) > ORPHAN_GROUPS_MAX)
		forget(TAILQ_FIRST(&by_age));
}

static void on_grace_over(struct timer *timer)
{
	session_tree_signal(&container_of(timer, struct group, grace)->tree, SIGKILL);
}

static struct group *group_new(pid_t leader)
{
	struct group *group = calloc(1, sizeof *group);

	if (!group)
		return NULL;
	group->id = leader;
	group->service = expected.service;
	group->peer = expected.peer;
	group->local = expected.local;
	HASH_ADD_INT(groups, id, group);
	if (!group->hh.tbl) {
		free(group);
		return NULL;
	}
	timer_init(&group->grace, on_grace_over);
	session_tree_init(&group->tree, leader, &group->peer, &group->local, NULL);
	session_tree_lose_leader(&group->tree);
	return group;
}

void orphans_expect(pid_t leader, uint32_t service, const struct address *peer,
		    const struct address *local)
{
	expected.leader = leader;
	expected.service = service;
	expected.peer = *peer;
	expected.local = *local;
}

void orphans_note(pid_t leader)
{
	struct group *group;

	if (leader != expected.leader)
		return;
	expected.leader = 0;
	if (!is_there(leader))
		return;
	HASH_FIND_INT(groups, &leader, group);
	if (group)
		forget(group);
	group = group_new(leader);
	if (!group)
		return;
	TAILQ_INSERT_TAIL(&by_age, group, link);
	forget_some();
}

void orphans_renumber(const uint32_t *numbers, uint32_t count, bool (*ends)(uint32_t service))
{
	struct group *group;

	TAILQ_FOREACH(group, &by_age, link) {
		uint32_t next = service_renumber(group->service, numbers, count);

		if (next == SERVICE_IS_NEW && group->service != SERVICE_IS_NEW)
			group->is_to_end = ends(group->service);
		group->service = next;
	}
}

static void on_gone(struct session_tree *tree, unsigned long memory_kills)
{
	(void)memory_kills;
	forget(container_of(tree, struct group, tree));
}

static void on_remains(struct session_tree *tree)
{
	(void)tree;
}

void orphans_end_removed(unsigned grace_ms)
{
	static const struct session_tree_events events = { .gone = on_gone, .remains = on_remains };
	struct group *group;

	TAILQ_FOREACH(group, &by_age, link) {
		if (!group->is_to_end || group->is_ending)
			continue;
		group->is_ending = true;
		session_tree_signal(&group->tree, SIGTERM);
		session_tree_follow(&group->tree, &events);
		timer_start(&group->grace, grace_ms);
	}
}
