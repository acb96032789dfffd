#include "monitor/children.h"

#include "base/clock.h"
#include "base/closer.h"
#include "base/container_of.h"
#include "config/settings.h"
#include "monitor/network_pool.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* How many programs of one service are counted. */
struct child_tally {
	UT_hash_handle hh;
	uint32_t service;
	unsigned count;
};

static struct child *by_pid, *by_session;
static struct child_tally *tallies;
static unsigned counted;

static const struct child_events *events;

bool child_is_program(pid_t pid)
{
	return child_of_process(pid) != NULL;
}

void children_init(const struct child_events *those, bool (*is_spared)(pid_t pid))
{
	events = those;
	session_trees_adopt(child_is_program, is_spared);
}

static void child_signal(struct child *child, int number)
{
	child->is_killed |= number == SIGKILL;
	session_tree_signal(&child->tree, number);
}

/* Again and again, as a process may be in a system call that SIGKILL does not end, or may have
 * been missed. */
static void on_grace_over(struct timer *timer)
{
	struct child *child = container_of(timer, struct child, grace);
	bool was_killed = child->is_killed;

	child_signal(child, SIGKILL);
	timer_start(timer, KILL_TIMEOUT * 1000);
	if (!was_killed || child->is_held)
		return;
	child->is_held = true;
	events->held(child);
}

static void on_runtime_over(struct timer *timer)
{
	child_end(container_of(timer, struct child, runtime), false, END_MAX_RUNTIME);
}

struct child *child_new(void)
{
	struct child *child = calloc(1, sizeof *child);

	if (child) {
		timer_init(&child->grace, on_grace_over);
		timer_init(&child->runtime, on_runtime_over);
		child->grace_ms = KILL_TIMEOUT * 1000;
		child->errors = -1;
		child->terminal = NO_TERMINAL;
		child->network = -1;
	}
	return child;
}

void child_settle(struct child *child)
{
	child_counts_no_more(child);
	socket_holders_stop(&child->holders);
	session_slot_give_back(&child->slot);
	session_tree_clear(&child->tree);
	end_command_free(child->end_command);
	child->end_command = NULL;
}

void child_close_errors(struct child *child)
{
	if (child->errors >= 0)
		close(child->errors);
	child->errors = -1;
}

void child_free(struct child *child)
{
	if (!child)
		return;
	child_settle(child);
	timer_stop(&child->grace);
	cgroup_release(child->cgroup);
	if (child->network >= 0)
		network_pool_drop(child->network);
	child_close_errors(child);
	closer_close(child->terminal.master, child->service);
	free(child);
}

int child_add(struct child *child)
{
	HASH_ADD(by_pid, by_pid, pid, sizeof child->pid, child);
	if (!child->by_pid.tbl) {
		errno = ENOMEM;
		return -1;
	}
	HASH_ADD(by_session, by_session, session, sizeof child->session, child);
	if (child->by_session.tbl) {
		session_tree_init(&child->tree, child->pid, &child->peer, &child->local,
				  child->cgroup);
		child->cgroup = NULL;
		return 0;
	}
	HASH_DELETE(by_pid, by_pid, child);
	errno = ENOMEM;
	return -1;
}

struct child *child_of_process(pid_t pid)
{
	struct child *child;

	HASH_FIND(by_pid, by_pid, &pid, sizeof pid, child);
	return child;
}

struct child *child_of_session(uint64_t session)
{
	struct child *child;

	HASH_FIND(by_session, by_session, &session, sizeof session, child);
	return child;
}

static void lose_last_process(struct child *child)
{
	timer_stop(&child->grace);
	timer_stop(&child->runtime);
	child->is_gone = true;
}

static void on_gone(struct session_tree *tree, unsigned long memory_kills)
{
	struct child *child = container_of(tree, struct child, tree);

	lose_last_process(child);
	child->memory_kills = memory_kills;
	if (memory_kills > 0)
		end_reason_note(&child->reason, END_MEMORY);
	events->gone(child);
}

static void on_remains(struct session_tree *tree)
{
	struct child *child = container_of(tree, struct child, tree);

	if (child->kills_rest && !child->is_ending)
		child_end(child, false, END_BY_ITSELF);
}

void child_reaped(struct child *child, int status)
{
	static const struct session_tree_events of_tree = { .gone = on_gone,
							    .remains = on_remains };

	socket_holders_lose_program(&child->holders);
	HASH_DELETE(by_pid, by_pid, child);
	if (child->network >= 0) /* all processes of its namespace have ended */
		network_pool_give_back(child->network);
	child->network = -1;
	child->has_ended = true;
	child->status = status;
	child->ended = clock_now();
	session_tree_lose_leader(&child->tree);
	if (child->is_tracked || child->is_ending)
		session_tree_follow(&child->tree, &of_tree);
	else
		lose_last_process(child);
}

void child_remove(struct child *child)
{
	if (!child->has_ended)
		HASH_DELETE(by_pid, by_pid, child);
	HASH_DELETE(by_session, by_session, child);
	child_free(child);
}

void child_end(struct child *child, bool at_once, enum end_reason reason)
{
	if (child->is_gone)
		return;
	end_reason_note(&child->reason, reason);
	child->is_ending = true;
	if (at_once && !child->is_killed)
		timer_start(&child->grace, KILL_TIMEOUT * 1000);
	else if (!timer_is_pending(&child->grace))
		timer_start(&child->grace, child->grace_ms);
	child_signal(child, at_once ? SIGKILL : SIGTERM);
}

void child_limit_runtime(struct child *child, uint64_t milliseconds)
{
	timer_start(&child->runtime, milliseconds);
}

void children_each(void (*visit)(struct child *child))
{
	struct child *child, *next;

	HASH_ITER(by_session, by_session, child, next)
		visit(child);
}

size_t children_count(void)
{
	return HASH_CNT(by_session, by_session);
}

/* --- counting ------------------------------------------------------------------------------ */

/* NULL: out of memory. */
static struct child_tally *tally_of(uint32_t service)
{
	struct child_tally *tally;

	HASH_FIND(hh, tallies, &service, sizeof service, tally);
	if (tally || !(tally = calloc(1, sizeof *tally)))
		return tally;
	tally->service = service;
	HASH_ADD(hh, tallies, service, sizeof tally->service, tally);
	if (tally->hh.tbl)
		return tally;
	free(tally);
	return NULL;
}

void child_counts_no_more(struct child *child)
{
	struct child_tally *tally = child->tally;

	if (!tally)
		return;
	child->tally = NULL;
	counted--;
	if (--tally->count > 0)
		return;
	HASH_DEL(tallies, tally);
	free(tally);
}

void child_counts_for(struct child *child, uint32_t service)
{
	struct child_tally *tally = tally_of(service);

	if (tally) /* first, as the old one may be the same */
		tally->count++;
	counted += tally != NULL;
	child_counts_no_more(child);
	child->tally = tally;
	child->service = service;
}

void child_renumber(struct child *child, uint32_t service)
{
	if (child->tally)
		child_counts_for(child, service);
	else
		child->service = service;
}

bool children_have_room(uint32_t service, unsigned most)
{
	const struct child_tally *tally = most == UNLIMITED ? NULL : tally_of(service);

	return most == UNLIMITED || (tally && tally->count < most);
}

unsigned children_counted(void)
{
	return counted;
}
