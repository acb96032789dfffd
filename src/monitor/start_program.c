/* A child is made with clone(2) in the way of vfork(2). It shares the daemon's memory until
 * execve, so that nothing is copied. It shares the table of descriptors at first: a copy would
 * take longer the more sockets are open. Then it copies only the lowest few, which are
 * reserved. The parent has put the connection there.
 *
 * For a short time the child has the user's identity and root's memory. That is safe if a
 * change of credentials makes memory undumpable: then only root can attach to the child. If it
 * does not (fs.suid_dumpable is 1, see proc(5)), the child gets a copy of the memory: nobody
 * who attaches to it can change the daemon. The setting can change at any time, so it is read
 * for each child. In both cases the parent waits until execve or exit, and reads from a shared
 * page what failed. */
#include "monitor/start_program.h"

#include "monitor/capabilities.h"
#include "monitor/clone_process.h"
#include "monitor/connection_lock.h"
#include "monitor/filter_threads.h"
#include "monitor/in_child.h"
#include "monitor/jail.h"
#include "monitor/label.h"
#include "monitor/launch_failure.h"
#include "monitor/network_pool.h"
#include "monitor/program_steps.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { STACK_SIZE = 64 * 1024 };

static struct {
	pthread_mutex_t mutex; /* guards taken */
	bool taken[PROGRAM_SLOTS_MAX];
	unsigned char *stacks;
	struct program_word *words; /* one for each slot, shared with the children */
	int dumpable;               /* fs.suid_dumpable; -1 where that can't be read */
	int end;                    /* the first descriptor that is not reserved */
	int null;                   /* /dev/null, in reserved descriptors that are not in use */
} slots = { .mutex = PTHREAD_MUTEX_INITIALIZER };

int program_slots(void)
{
	struct rlimit limit;
	rlim_t count = PROGRAM_SLOTS_MAX;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limit.rlim_cur / (4 * PROGRAM_SLOT_SIZE) < count)
		count = limit.rlim_cur / (4 * PROGRAM_SLOT_SIZE);
	return count > 1 ? (int)count : 1;
}

int program_slots_end(void)
{
	return PROGRAM_SLOTS_FIRST + PROGRAM_SLOT_SIZE * program_slots();
}

static int open_above_slots(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);
	int above = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, slots.end);

	if (fd >= 0)
		close(fd);
	return above;
}

int start_program_init(void)
{
	slots.end = program_slots_end();
	slots.null = open_above_slots("/dev/null", O_RDWR);
	if (slots.null < 0)
		return -1;
	for (int fd = PROGRAM_SLOTS_FIRST; fd < slots.end; fd++)
		if (dup3(slots.null, fd, O_CLOEXEC) < 0)
			return -1;
	slots.dumpable = open_above_slots("/proc/sys/fs/suid_dumpable", O_RDONLY);
	slots.stacks = malloc((size_t)program_slots() * STACK_SIZE);
	slots.words = mmap(NULL, (size_t)program_slots() * sizeof *slots.words,
			   PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	program_steps_init();
	return slots.stacks && slots.words != MAP_FAILED ? 0 : -1;
}

static int slot_take(void)
{
	int slot = 0;

	pthread_mutex_lock(&slots.mutex);
	while (slots.taken[slot])
		slot++;
	slots.taken[slot] = true;
	pthread_mutex_unlock(&slots.mutex);
	return slot;
}

static void slot_give_back(int slot)
{
	pthread_mutex_lock(&slots.mutex);
	slots.taken[slot] = false;
	pthread_mutex_unlock(&slots.mutex);
}

static void begin_step(struct program_order *order, const char *step)
{
	__atomic_store_n(&order->step, step, __ATOMIC_RELAXED);
}

const char *program_step(const struct program_order *order)
{
	return __atomic_load_n(&order->step, __ATOMIC_RELAXED);
}

IN_CHILD static int child_main(void *argument)
{
	const struct program_order *order = argument;

	program_steps_take(order, &slots.words[order->slot]);
}

static void fail(struct program_order *order, const char *step)
{
	order->failure = errno;
	order->failed_step = step;
}

/* True when the user could attach to a child that has their identity already. */
static bool needs_own_memory(const struct program_order *order)
{
	char mode = '1';

	if (!program_steps_change_user() || order->settings->uid == 0)
		return false;
	return pread(slots.dumpable, &mode, 1, 0) != 1 || (mode != '0' && mode != '2');
}

/* True when another way into the cgroup may work. */
static bool lacks_clone_into_cgroup(void)
{
	return !launch_failure_is_limit(errno);
}

/* The process id, or -1 with errno. */
static long make_child(struct program_order *order, int flags)
{
	const struct clone_order child = {
		.run = child_main,
		.argument = order,
		.stack = slots.stacks + (size_t)order->slot * STACK_SIZE,
		.stack_size = STACK_SIZE,
		.flags = flags | CLONE_VFORK | CLONE_PARENT_SETTID | SIGCHLD,
		.pid = &order->pid,
	};
	long pid;

	if (order->cgroup && order->entrance.directory >= 0) {
		pid = clone_process_into(&child, order->entrance.directory);
		if (pid >= 0 || !lacks_clone_into_cgroup() ||
		    cgroup_enter_by_writing(order->cgroup, &order->entrance) < 0)
			return pid;
	}
	return clone_process(&child);
}

static void clone_child(struct program_order *order)
{
	struct program_word *word = &slots.words[order->slot];
	int flags = program_steps_copy_descriptors() ? CLONE_FILES : 0;

	if (order->jail_plan)
		flags |= order->jail_plan->clone_flags;
	order->has_own_memory = needs_own_memory(order);
	if (!order->has_own_memory)
		flags |= CLONE_VM;
	*word = (struct program_word){ .failed_step = NULL };
	if (make_child(order, flags) < 0) {
		fail(order, "fork");
		order->no_process = true;
		order->pid = 0;
		return;
	}
	begin_step(order, word->step);
	order->failed_step = word->failed_step;
	order->failure = word->failure;
}

static void clone_inheriting(void *argument)
{
	struct program_order *order = argument;

	order->inherits_filter = true;
	order->is_bounded = capabilities_can_be_bounded(order->settings);
	clone_child(order);
}

/* A thread that has most of its filter clones it. Otherwise it loads all of it. */
static void clone_with_filter(struct program_order *order)
{
	const struct filter_thread_kind kind = {
		.filter = order->settings->program->filters[FILTER_INHERITED],
		.is_bounded = capabilities_can_be_bounded(order->settings),
	};

	order->inherits_filter = order->is_bounded = false;
	if (kind.filter.count == 0 || !filter_threads_run(&kind, clone_inheriting, order))
		clone_child(order);
}

/* What goes into the descriptors of a slot; -1: they stay as they are. */
static void slot_contents(const struct program_order *order, int contents[PROGRAM_SLOT_SIZE])
{
	int first = program_slot_connection(order->slot);

	contents[0] = order->has_terminal ? order->terminal.slave : order->connection;
	contents[program_slot_error(order->slot) - first] = order->error;
	contents[program_slot_mounts(order->slot) - first] = order->jail ? order->template : -1;
	contents[program_slot_network(order->slot) - first] =
		order->network >= 0 ? network_pool_descriptor(order->network) : -1;
}

/* 0, or -1 with errno. */
static int slot_fill(int slot, const int contents[PROGRAM_SLOT_SIZE])
{
	for (int i = 0; i < PROGRAM_SLOT_SIZE; i++)
		if (contents[i] >= 0 &&
		    dup3(contents[i], program_slot_connection(slot) + i, O_CLOEXEC) < 0)
			return -1;
	return 0;
}

static void clone_with_slot(struct program_order *order)
{
	int contents[PROGRAM_SLOT_SIZE];

	slot_contents(order, contents);
	if (slot_fill(order->slot, contents) < 0)
		fail(order, "descriptors");
	else
		clone_with_filter(order);
	for (int i = 0; i < PROGRAM_SLOT_SIZE; i++)
		if (contents[i] >= 0)
			dup3(slots.null, program_slot_connection(order->slot) + i, O_CLOEXEC);
}

/* The user's supplementary groups, to be freed; NULL with errno. */
static gid_t *look_up_groups(const struct service_settings *settings, size_t *count)
{
	int found = 32, room;
	gid_t *list = NULL;

	do {
		gid_t *larger = realloc(list, (size_t)found * sizeof *larger);

		if (!larger) {
			free(list);
			return NULL;
		}
		list = larger;
		room = found;
	} while (getgrouplist(settings->account, settings->user_gid, list, &found) < 0 &&
		 found > room);
	*count = (size_t)found;
	return list;
}

static bool needs_groups(const struct service_settings *settings)
{
	return settings->program->groups && program_steps_change_user();
}

static bool needs_label(const struct service_settings *settings)
{
	return settings->flags & FLAG_LABELED;
}

bool program_needs_preparing(const struct service_settings *settings)
{
	return needs_groups(settings) || needs_label(settings);
}

void prepare_program(struct program_order *order)
{
	const struct service_settings *settings = order->settings;

	if (needs_groups(settings)) {
		begin_step(order, "groups");
		order->groups = look_up_groups(settings, &order->group_count);
		if (!order->groups) {
			fail(order, "groups");
			return;
		}
	}
	if (needs_label(settings)) {
		begin_step(order, "label");
		order->label = label_for(settings->server, order->connection);
		if (!order->label)
			fail(order, "label");
	}
}

static void make_terminal(struct program_order *order)
{
	const struct service_settings *settings = order->settings;

	begin_step(order, "pty");
	if (terminal_open(&order->terminal, settings->pty,
			  program_steps_change_user() ? settings->uid : (uid_t)-1) < 0)
		fail(order, "pty");
}

/* The program has its end. If it was not started, it may be tried again. */
static void leave_terminal(struct program_order *order)
{
	terminal_close_slave(&order->terminal);
	if (order->failed_step)
		terminal_close(&order->terminal);
}

/* False with errno. */
static bool lock_connection(struct program_order *order)
{
	if (order->has_terminal || !jail_plan(order->jail)->has_no_network ||
	    service_waits(order->settings))
		return true;
	order->has_locked_connection = connection_lock(order->connection) == 0;
	order->forbids_connecting = !order->has_locked_connection && errno == EPERM;
	return order->has_locked_connection || order->forbids_connecting;
}

static void prepare_jail(struct program_order *order)
{
	begin_step(order, "mounts");
	order->template = jail_template(order->jail);
	begin_step(order, "network");
	if (!lock_connection(order))
		fail(order, "network");
	else if (jail_shares_networks(order->jail) && !order->settings->program->capabilities)
		order->network = network_pool_take();
}

void start_program(struct program_order *order)
{
	order->entrance = NO_CGROUP_ENTRANCE;
	if (order->has_terminal)
		make_terminal(order);
	if (order->cgroup && !order->failed_step) {
		begin_step(order, "cgroup");
		if (cgroup_make(order->cgroup, &order->entrance) < 0)
			fail(order, "cgroup");
	}
	if (order->jail && !order->failed_step)
		prepare_jail(order);
	if (!order->failed_step) {
		order->slot = slot_take();
		clone_with_slot(order);
		slot_give_back(order->slot);
	}
	if (order->cgroup)
		cgroup_entrance_close(&order->entrance);
	if (order->has_terminal)
		leave_terminal(order);
}

void program_order_clear(struct program_order *order)
{
	free(order->groups);
	free(order->label);
	order->groups = NULL;
	order->label = NULL;
}
