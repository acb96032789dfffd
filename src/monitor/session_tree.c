#include "monitor/session_tree.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/timer.h"
#include "monitor/processes.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	LOOK_AGAIN_MS = 1000,
	LOOK_INTERVAL_MS = 50, /* between two looks, each of which reads all of /proc */
	STOP_ROUNDS = 32,      /* until all processes to be killed are stopped */
	UNCERTAIN_LOOKS_MAX = 3,
	ENVIRONMENT_SIZE = 128 * 1024,
};

/* A process that was seen in a tree. */
struct known_process {
	pid_t pid;
	uint64_t started;
	int told; /* the last signal it was sent */
};

static TAILQ_HEAD(trees, session_tree) trees = TAILQ_HEAD_INITIALIZER(trees);
static size_t tree_count;
static struct session_tree rest; /* whatever else descends from the daemon, when it ends */
static bool takes_all;
static struct session_tree strangers; /* that it could not be told of once */
static struct timer look;
static unsigned uncertain_looks; /* in a row */
static uint64_t last_look;

static bool (*is_program)(pid_t pid), (*is_spared)(pid_t pid);

void session_trees_adopt(bool (*programs)(pid_t pid), bool (*spared)(pid_t pid))
{
	is_program = programs;
	is_spared = spared;
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

/* --- who belongs to whom ---------------------------------------------------------------------- */

enum descent { DESCENT_UNKNOWN, DESCENT_NONE, DESCENT_DAEMON };

/* One look at all processes. */
struct view {
	struct processes all;
	struct session_tree **owners; /* of each; NULL: none */
	enum descent *descents;
	size_t *path;                  /* room for the numbers of a process and its parents */
	struct session_tree **leaders; /* the trees of the list, by leader */
	pid_t self, own_session;
	bool is_uncertain; /* of some process it could not be told yet whose it is */
};

static int compare_leaders(const void *left, const void *right)
{
	pid_t one = (*(struct session_tree *const *)left)->leader;
	pid_t other = (*(struct session_tree *const *)right)->leader;

	return (one > other) - (one < other);
}

static struct session_tree *tree_led_by(const struct view *view, pid_t leader)
{
	struct session_tree key = { .leader = leader }, *wanted = &key, **found;

	if (tree_count == 0)
		return NULL;
	found = bsearch(&wanted, view->leaders, tree_count, sizeof wanted, compare_leaders);
	return found ? *found : NULL;
}

/* The place of pid among the known processes, which are in order. */
static size_t place_of(const struct session_tree *tree, pid_t pid)
{
	size_t low = 0, high = tree->known_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (tree->known[middle].pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct known_process *find_known(const struct session_tree *tree,
					const struct process *process)
{
	size_t place = place_of(tree, process->pid);

	if (place == tree->known_count || tree->known[place].pid != process->pid ||
	    tree->known[place].started != process->started)
		return NULL;
	return &tree->known[place];
}

static struct session_tree *tree_that_knows(const struct process *process)
{
	struct session_tree *tree;

	TAILQ_FOREACH(tree, &trees, link)
		if (find_known(tree, process))
			return tree;
	return NULL;
}

/* The value of the variable in a process's environment; NULL: there is none. */
static const char *variable(const char *environment, size_t length, const char *name)
{
	size_t size = strlen(name);

	for (const char *at = environment; at < environment + length; at += strlen(at) + 1)
		if (strncmp(at, name, size) == 0 && at[size] == '=')
			return at + size + 1;
	return NULL;
}

static bool is_end(const char *environment, size_t length, const char *ip, const char *port,
		   const struct address *address)
{
	const char *ip_value = variable(environment, length, ip);
	const char *port_value = variable(environment, length, port);
	char text[ADDRESS_TEXT_SIZE];

	return ip_value && port_value && address_is_known(address) &&
	       atoi(port_value) == (int)address_port(address) &&
	       strcmp(ip_value, address_text(address, text)) == 0;
}

static struct session_tree *tree_of_environment(const char *environment, size_t length)
{
	struct session_tree *tree;

	TAILQ_FOREACH(tree, &trees, link)
		if (tree->peer && tree->local &&
		    is_end(environment, length, "TCPREMOTEIP", "TCPREMOTEPORT", tree->peer) &&
		    is_end(environment, length, "TCPLOCALIP", "TCPLOCALPORT", tree->local))
			return tree;
	return NULL;
}

/* A process can write what it likes there, and be taken for one of another session that is to
 * end. That harms nobody but itself. */
static struct session_tree *tree_by_environment(pid_t pid, bool *is_empty)
{
	static char environment[ENVIRONMENT_SIZE];
	size_t length = 0;
	ssize_t size = 1;
	char path[40];
	int fd;

	snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	while (size > 0 && length < sizeof environment - 1) {
		size = read(fd, environment + length, sizeof environment - 1 - length);
		length += size > 0 ? (size_t)size : 0;
	}
	close(fd);
	*is_empty = length == 0;
	environment[length] = '\0';
	return tree_of_environment(environment, length);
}

/* Adds the process to those that its tree knows. NULL: memory is short. */
static struct known_process *learn(struct session_tree *tree, const struct process *process)
{
	struct known_process *known = find_known(tree, process), *larger;
	size_t place = place_of(tree, process->pid);

	if (known)
		return known;
	if (tree->known_count == tree->known_room) {
		size_t room = tree->known_room ? 2 * tree->known_room : 4;

		larger = realloc(tree->known, room * sizeof *larger);
		if (!larger)
			return NULL;
		tree->known = larger;
		tree->known_room = room;
	}
	known = &tree->known[place];
	memmove(known + 1, known, (tree->known_count++ - place) * sizeof *known);
	*known = (struct known_process){ .pid = process->pid, .started = process->started };
	return known;
}

/* Only once of each process. */
static void doubt(struct view *view, const struct process *process)
{
	if (process->is_dead || find_known(&strangers, process))
		return;
	view->is_uncertain = true;
	learn(&strangers, process);
}

/* The tree of a process, whatever its parents are. Only the daemon's own children can be
 * orphans. */
static struct session_tree *direct_owner(struct view *view, const struct process *process)
{
	struct session_tree *tree = tree_led_by(view, process->session);
	bool is_empty = false;

	if (!tree)
		tree = tree_led_by(view, process->group);
	if (tree || process->parent != view->self || is_program(process->pid))
		return tree;
	tree = tree_that_knows(process);
	if (!tree && tree_count > 0)
		tree = tree_by_environment(process->pid, &is_empty);
	if (is_empty) /* maybe only for as long as it executes another program */
		doubt(view, process);
	return tree;
}

static size_t number_of(const struct view *view, const struct process *process)
{
	return (size_t)(process - view->all.list);
}

/* The owner of a process that descends from the daemon, by that of its parent. */
static struct session_tree *find_owner(struct view *view, const struct process *process,
				       struct session_tree *of_parent)
{
	struct session_tree *direct;

	if (process->session == view->own_session || is_spared(process->session))
		return NULL;
	direct = direct_owner(view, process);
	return direct ? direct : of_parent;
}

/* Finds the owners of a process and of all its parents, from the top down. The list is of no
 * single moment: it may have a circle. */
static void find_owners_up_to(struct view *view, const struct process *process)
{
	size_t depth = 0;
	struct session_tree *owner;
	enum descent descent;
	const struct process *last = process;

	while (process && process->pid != view->self &&
	       view->descents[number_of(view, process)] == DESCENT_UNKNOWN) {
		view->descents[number_of(view, process)] = DESCENT_NONE;
		view->path[depth++] = number_of(view, process);
		last = process;
		process = processes_find(&view->all, process->parent);
	}
	if (!process) {
		if (last->parent > 0) /* it ended while the list was read */
			doubt(view, last);
		return;
	}
	descent = process->pid == view->self ? DESCENT_DAEMON
					     : view->descents[number_of(view, process)];
	owner = process->pid == view->self ? (takes_all ? &rest : NULL)
					   : view->owners[number_of(view, process)];
	while (descent == DESCENT_DAEMON && depth-- > 0) {
		size_t number = view->path[depth];

		owner = find_owner(view, &view->all.list[number], owner);
		view->descents[number] = DESCENT_DAEMON;
		view->owners[number] = owner;
	}
}

static void find_owners(struct view *view)
{
	for (size_t i = 0; i < view->all.count; i++)
		find_owners_up_to(view, &view->all.list[i]);
}

static void view_clear(struct view *view)
{
	processes_clear(&view->all);
	free(view->owners);
	free(view->descents);
	free(view->path);
	free(view->leaders);
}

static void sort_leaders(struct view *view)
{
	struct session_tree *tree;
	size_t count = 0;

	TAILQ_FOREACH(tree, &trees, link)
		view->leaders[count++] = tree;
	qsort(view->leaders, count, sizeof(struct session_tree *), compare_leaders);
}

/* 0, or -1 with errno. view_clear in either case. */
static int view_take(struct view *view)
{
	size_t count;

	*view = (struct view){ .self = getpid(), .own_session = getsid(0) };
	if (processes_read(&view->all) < 0)
		return -1;
	count = view->all.count + 1;
	view->owners = calloc(count, sizeof(struct session_tree *));
	view->descents = calloc(count, sizeof *view->descents);
	view->path = calloc(count, sizeof *view->path);
	view->leaders = calloc(tree_count + 1, sizeof(struct session_tree *));
	if (!view->owners || !view->descents || !view->path || !view->leaders)
		return -1;
	sort_leaders(view);
	find_owners(view);
	return 0;
}

/* --- what a look does ------------------------------------------------------------------------- */

/* Forgets those that are gone. */
static void forget_dead(struct session_tree *tree, const struct view *view)
{
	size_t kept = 0;

	for (size_t i = 0; i < tree->known_count; i++) {
		const struct process *process = processes_find(&view->all, tree->known[i].pid);

		if (process && process->started == tree->known[i].started)
			tree->known[kept++] = tree->known[i];
	}
	tree->known_count = kept;
}

/* A signal other than SIGKILL is sent once to each process. */
static void tell(struct session_tree *tree, const struct process *process)
{
	struct known_process *known = learn(tree, process);
	bool has_it = (known && known->told == tree->signal) ||
		      (tree->group_has_it && process->group == tree->leader);

	if (known)
		known->told = tree->signal;
	if (tree->signal && !has_it)
		process_signal(process, tree->signal);
}

static bool is_to_be_killed(const struct view *view, size_t i)
{
	return view->owners[i] && view->owners[i]->signal == SIGKILL && !view->all.list[i].is_dead;
}

/* Stops each process that is to be killed. How many. */
static size_t stop_all(struct view *view)
{
	size_t count = 0;

	for (size_t i = 0; i < view->all.count; i++) {
		struct known_process *known;

		if (!is_to_be_killed(view, i))
			continue;
		known = learn(view->owners[i], &view->all.list[i]);
		if (known && known->told == SIGSTOP)
			continue;
		process_signal(&view->all.list[i], SIGSTOP);
		if (known)
			known->told = SIGSTOP;
		count++;
	}
	return count;
}

static bool kills_something(void)
{
	struct session_tree *tree;

	TAILQ_FOREACH(tree, &trees, link)
		if (tree->signal == SIGKILL)
			return true;
	return takes_all && rest.signal == SIGKILL;
}

/* A stopped process can't fork, and its children stay its own: when a look shows no new ones, all
 * are stopped. */
static int stop_before_killing(struct view *view)
{
	for (int round = 0; round < STOP_ROUNDS && stop_all(view) > 0; round++) {
		view_clear(view);
		if (view_take(view) < 0)
			return -1;
	}
	return 0;
}

/* Sends the signals, and counts who is left of each tree. */
static void visit_all(struct view *view)
{
	struct session_tree *tree;

	TAILQ_FOREACH(tree, &trees, link)
		tree->left = 0;
	for (size_t i = 0; i < view->all.count; i++) {
		if (!view->owners[i] || view->all.list[i].is_dead)
			continue;
		view->owners[i]->left++;
		tell(view->owners[i], &view->all.list[i]);
	}
}

static void unlist(struct session_tree *tree)
{
	if (!tree->is_listed)
		return;
	tree->is_listed = false;
	TAILQ_REMOVE(&trees, tree, link);
	tree_count--;
}

/* The events may clear any tree: each is told for itself, and the look is over before. */
static void settle(struct session_tree *tree, const struct view *view)
{
	tree->signal = 0;
	tree->group_has_it = false;
	if (tree->left > 0 || tree->has_leader)
		forget_dead(tree, view);
	if (!tree->events)
		unlist(tree);
}

static struct session_tree *next_to_tell(void)
{
	struct session_tree *tree;

	TAILQ_FOREACH(tree, &trees, link)
		if (tree->events && !tree->has_leader && (tree->left == 0 || !tree->told_remains))
			return tree;
	return NULL;
}

static void tell_events(void)
{
	struct session_tree *tree;

	while ((tree = next_to_tell())) {
		const struct session_tree_events *events = tree->events;

		if (tree->left > 0) {
			tree->told_remains = true;
			events->remains(tree);
			continue;
		}
		tree->events = NULL;
		unlist(tree);
		events->gone(tree, 0);
	}
}

static void on_look(struct timer *timer);

/* Soon, and for all that is asked for until then. */
static void look_soon(uint64_t wait_ms)
{
	if (!look.callback)
		timer_init(&look, on_look);
	if (!timer_is_pending(&look))
		timer_start(&look, wait_ms);
}

static void look_at_all(void)
{
	struct session_tree *tree, *next;
	struct view view;
	bool is_uncertain;

	timer_stop(&look);
	last_look = clock_now();
	if (view_take(&view) < 0 || (kills_something() && stop_before_killing(&view) < 0)) {
		log_failure(errno, "the processes of sessions can't be found");
		view_clear(&view);
		look_soon(LOOK_AGAIN_MS);
		return;
	}
	visit_all(&view);
	for (tree = TAILQ_FIRST(&trees); tree; tree = next) {
		next = TAILQ_NEXT(tree, link);
		settle(tree, &view);
	}
	forget_dead(&rest, &view);
	forget_dead(&strangers, &view);
	is_uncertain = view.is_uncertain && uncertain_looks++ < UNCERTAIN_LOOKS_MAX;
	view_clear(&view);
	if (is_uncertain) {
		look_soon(LOOK_INTERVAL_MS);
		return;
	}
	uncertain_looks = 0;
	tell_events();
}

static void on_look(struct timer *timer)
{
	(void)timer;
	look_at_all();
}

static void list(struct session_tree *tree)
{
	if (tree->is_listed)
		return;
	tree->is_listed = true;
	tree->left = 1; /* until it was looked at */
	TAILQ_INSERT_TAIL(&trees, tree, link);
	tree_count++;
}

void session_trees_look(void)
{
	struct session_tree *tree;
	bool is_needed = takes_all;
	uint64_t passed = clock_now() - last_look;

	TAILQ_FOREACH(tree, &trees, link)
		is_needed |= tree->events != NULL;
	if (is_needed)
		look_soon(passed >= LOOK_INTERVAL_MS ? 0 : LOOK_INTERVAL_MS - passed);
}

void session_trees_end_all(int number, bool at_once)
{
	takes_all = true;
	rest.signal = number;
	if (at_once)
		look_at_all();
	else
		look_soon(0);
}

/* The daemon is a subreaper: whatever descends from it descends from a child of it. */
bool session_trees_are_left(void)
{
	struct processes all;
	pid_t self = getpid(), own_session = getsid(0);
	siginfo_t ended;
	bool found = false;

	if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD)
		return false;
	if (processes_read(&all) == 0)
		for (size_t i = 0; i < all.count && !found; i++)
			found = all.list[i].parent == self && all.list[i].session != own_session &&
				!all.list[i].is_dead;
	processes_clear(&all);
	return found;
}

/* --- one tree --------------------------------------------------------------------------------- */

void session_tree_init(struct session_tree *tree, pid_t leader, const struct address *peer,
		       const struct address *local, struct cgroup *cgroup)
{
	*tree = (struct session_tree){
		.leader = leader,
		.has_leader = true,
		.peer = peer,
		.local = local,
		.cgroup = cgroup,
	};
}

void session_tree_lose_leader(struct session_tree *tree)
{
	tree->has_leader = false;
}

/* With root's rights the program may have left it. */
static void signal_in_cgroup(struct session_tree *tree, int number)
{
	if (!cgroup_signal(tree->cgroup, number, tree->leader) && tree->has_leader)
		kill(-tree->leader, number);
}

void session_tree_signal(struct session_tree *tree, int number)
{
	if (cgroup_has_tree(tree->cgroup)) {
		signal_in_cgroup(tree, number);
		return;
	}
	if (tree->signal != SIGKILL) { /* which may wait for the next look */
		tree->signal = number;
		tree->group_has_it =
			number != SIGKILL && tree->has_leader && kill(-tree->leader, number) == 0;
	}
	list(tree);
	look_soon(0);
}

static void on_gone(void *context, unsigned long memory_kills)
{
	struct session_tree *tree = context;

	tree->events->gone(tree, memory_kills);
}

static void on_remains(void *context)
{
	struct session_tree *tree = context;

	tree->events->remains(tree);
}

void session_tree_follow(struct session_tree *tree, const struct session_tree_events *events)
{
	static const struct cgroup_events cgroup_events = { .gone = on_gone,
							    .remains = on_remains };

	tree->events = events;
	if (cgroup_has_tree(tree->cgroup)) {
		cgroup_remove_when_empty(tree->cgroup, &cgroup_events, tree);
		return;
	}
	list(tree);
	look_soon(0);
}

void session_tree_clear(struct session_tree *tree)
{
	unlist(tree);
	free(tree->known);
	cgroup_release(tree->cgroup);
	*tree = (struct session_tree){ .cgroup = NULL };
}
