#include "monitor/program_steps.h"

#include "base/path_guard.h"
#include "monitor/capabilities.h"
#include "monitor/connection_lock.h"
#include "monitor/in_child.h"
#include "monitor/privileges.h"
#include "monitor/jail_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <linux/keyctl.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2
#endif

static struct {
	bool can_unshare, is_root, has_ambient;
} facts;

/* close_range(2) by number, as the C library may be older than the kernel. */
static int close_from(unsigned first, unsigned flags)
{
	return (int)syscall(SYS_close_range, first, UINT_MAX, flags);
}

/* Asked once: the daemon gets none later. */
static bool has_ambient_capabilities(void)
{
	for (unsigned long capability = 0; capability < 64; capability++)
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0) == 1)
			return true;
	return false;
}

void program_steps_init(void)
{
	/* Closes nothing: only asks whether the kernel has the call. */
	facts.can_unshare = syscall(SYS_close_range, UINT_MAX, UINT_MAX, 0) == 0;
	facts.is_root = geteuid() == 0;
	facts.has_ambient = has_ambient_capabilities();
}

bool program_steps_copy_descriptors(void)
{
	return facts.can_unshare;
}

bool program_steps_change_user(void)
{
	return facts.is_root;
}

/* --- in the child -----------------------------------------------------------------
 * Only system calls, in the order of the table below. Identity and descriptors are
 * changed by raw system calls: the C library would change the identity of the daemon's
 * threads too, and ThreadSanitizer's wrappers its records of the daemon's descriptors. */

IN_CHILD static int open_file(const char *path, int flags)
{
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0640);
}

IN_CHILD static int put(int from, int to)
{
	return (int)syscall(SYS_dup3, from, to, 0);
}

/* Only what it was not made in; the descriptors are lost with the next step. */
IN_CHILD static int cgroups(const struct program_order *order)
{
	for (int kind = 0; order->cgroup && kind < CGROUP_KINDS; kind++)
		if (order->entrance.procs[kind] >= 0 &&
		    syscall(SYS_write, order->entrance.procs[kind], "0", 1) != 1)
			return -1;
	return 0;
}

/* Copies only the descriptors up to the end of its own slot, to be fast. */
IN_CHILD static int own_descriptors(const struct program_order *order)
{
	unsigned end = (unsigned)program_slot_end(order->slot);

	return facts.can_unshare ? close_from(end, CLOSE_RANGE_UNSHARE) : 0;
}

IN_CHILD static int new_session(const struct program_order *order)
{
	(void)order;
	return setsid() < 0 ? -1 : 0;
}

/* The leader of a new session may take it. When the other end is closed, the kernel hangs up its
 * foreground process group. */
IN_CHILD static int controlling_terminal(const struct program_order *order)
{
	if (!order->has_terminal)
		return 0;
	return (int)syscall(SYS_ioctl, program_slot_connection(order->slot), TIOCSCTTY, 0);
}

IN_CHILD static int resource_limits(const struct program_order *order)
{
	static const int resources[LIMIT_COUNT] = {
		[LIMIT_AS] = RLIMIT_AS,       [LIMIT_CPU] = RLIMIT_CPU,
		[LIMIT_DATA] = RLIMIT_DATA,   [LIMIT_RSS] = RLIMIT_RSS,
		[LIMIT_STACK] = RLIMIT_STACK, [LIMIT_FILES] = RLIMIT_NOFILE,
		[LIMIT_NPROC] = RLIMIT_NPROC, [LIMIT_FSIZE] = RLIMIT_FSIZE,
		[LIMIT_CORE] = RLIMIT_CORE,   [LIMIT_MEMLOCK] = RLIMIT_MEMLOCK,
	};

	for (int which = 0; which < LIMIT_COUNT; which++) {
		rlim_t limit = order->settings->program->limits[which];
		struct rlimit value = { limit, limit };

		if (order->settings->program->limit_is_set[which] &&
		    syscall(SYS_prlimit64, 0, resources[which], &value, NULL) < 0)
			return -1;
	}
	return 0;
}

IN_CHILD static int priority(const struct program_order *order)
{
	int current;

	if (!order->settings->program->nice_is_set)
		return 0;
	errno = 0;
	current = getpriority(PRIO_PROCESS, 0);
	if (current == -1 && errno)
		return -1;
	return setpriority(PRIO_PROCESS, 0, current + order->settings->program->nice);
}

/* Files in memory count for no process. A session can fill the memory with them until the kernel
 * ends the process that seems the largest, which may be the daemon; only the end of the session
 * frees them. So its processes go first. The value is the highest one: with a lower one, a large
 * process of another service could go before them. Where the daemon has CAP_SYS_RESOURCE, the
 * program can't lower it. A failure is ignored: there may be no /proc. */
IN_CHILD static int out_of_memory(const struct program_order *order)
{
	int fd = order->jail ? open_file("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return 0;
	syscall(SYS_write, fd, "1000", sizeof "1000" - 1);
	syscall(SYS_close, fd);
	return 0;
}

IN_CHILD static int file_mask(const struct program_order *order)
{
	if (order->settings->program->umask_is_set)
		umask(order->settings->program->umask);
	return 0;
}

enum { ERROR_FILE_FLAGS = O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_NONBLOCK };

/* Opens the file with the user's rights, so that a link leads only where the user may go.
 * setfsuid(2) changes only this process, in every C library. */
IN_CHILD static int open_error_file(const struct program_order *order)
{
	const char *path = order->settings->program->stderr_path;
	uid_t uid = order->settings->uid;
	int fd, error;

	if (!facts.is_root)
		return open_file(path, ERROR_FILE_FLAGS);
	if (uid == 0)
		return path_guard_open_for_root(path, ERROR_FILE_FLAGS, 0640);
	setfsuid(uid);
	errno = EPERM;
	fd = (uid_t)setfsuid((uid_t)-1) == uid ? open_file(path, ERROR_FILE_FLAGS) : -1;
	error = errno;
	setfsuid(0);
	errno = error;
	return fd;
}

/* The descriptor that becomes 2. */
IN_CHILD static int open_error(const struct program_order *order)
{
	enum stderr_kind kind = order->settings->program->stderr_kind;

	if (order->error >= 0)
		return program_slot_error(order->slot);
	/* Without its pipe to the log the output is lost. The client must not get it. */
	if (kind == STDERR_NULL || kind == STDERR_LOG)
		return open_file("/dev/null", O_WRONLY);
	if (kind == STDERR_FILE)
		return open_error_file(order);
	return program_slot_connection(order->slot);
}

/* Where a jail's namespaces are between two steps. No slot has its own there. */
enum { JAIL_MOUNTS = 3, JAIL_NETWORK, JAIL_END };

/* Keeps what the next steps need. Copies without a use are of /dev/null. */
IN_CHILD static int jail_descriptors(const struct program_order *order)
{
	if (put(program_slot_mounts(order->slot), JAIL_MOUNTS) < 0 ||
	    put(program_slot_network(order->slot), JAIL_NETWORK) < 0)
		return -1;
	return close_from(JAIL_END, 0);
}

IN_CHILD static int descriptors(const struct program_order *order)
{
	int connection = program_slot_connection(order->slot), error = open_error(order);

	if (error < 0 || put(connection, 0) < 0 || put(connection, 1) < 0 || put(error, 2) < 0)
		return -1;
	if (order->jail_plan)
		return jail_descriptors(order);
	if (facts.can_unshare)
		return close_from(3, 0);
	if (error != connection && error != program_slot_error(order->slot))
		syscall(SYS_close, error);
	return 0; /* all others close on exec */
}

IN_CHILD static int groups(const struct program_order *order)
{
	return facts.is_root ? (int)syscall(SYS_setgroups, order->group_count, order->groups) : 0;
}

IN_CHILD static int group(const struct program_order *order)
{
	gid_t gid = order->settings->gid;

	return facts.is_root ? (int)syscall(SYS_setresgid, gid, gid, gid) : 0;
}

IN_CHILD static int user(const struct program_order *order)
{
	uid_t uid = order->settings->uid;

	return facts.is_root ? (int)syscall(SYS_setresuid, uid, uid, uid) : 0;
}

/* A user who may attach to the child could read the copied memory. This ends that. */
IN_CHILD static int memory(const struct program_order *order)
{
	return order->has_own_memory ? prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) : 0;
}

/* Programs must not get root's session keyring: each gets a new one. Root makes it, as users
 * may have few. If the kernel has no keyrings, or a container forbids them (EPERM, for the
 * program too), there is nothing to separate. */
IN_CHILD static int keyring(const struct program_order *order)
{
	(void)order;
	if (!facts.is_root || syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0)
		return 0;
	return errno == ENOSYS || errno == EPERM ? 0 : -1;
}

/* Programs must not get the daemon's capabilities, for example to bind ports. */
IN_CHILD static int ambient_capabilities(void)
{
	if (!facts.has_ambient)
		return 0;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0)
		return 0;
	return errno == EINVAL ? 0 : -1; /* an older kernel has none */
}

IN_CHILD static int capabilities(const struct program_order *order)
{
	if (ambient_capabilities() < 0)
		return -1;
	if (!order->settings->program->capabilities_is_set || !facts.is_root)
		return 0;
	return capabilities_hold();
}

/* After the steps that need the daemon's, and after those that make a user namespace, which
 * would bring all of them back. */
IN_CHILD static int own_capabilities(const struct program_order *order)
{
	if (!order->settings->program->capabilities_is_set)
		return 0;
	return capabilities_take(order->settings, order->is_bounded);
}

IN_CHILD static int no_new_privs(const struct program_order *order)
{
	return privileges_end_new(order->settings);
}

IN_CHILD static int connection(const struct program_order *order)
{
	if (order->forbids_connecting)
		return connection_lock_process();
	return order->has_locked_connection && service_has_no_new_privs(order->settings)
		       ? connection_lock_ports()
		       : 0;
}

IN_CHILD static int files(const struct program_order *order)
{
	return privileges_restrict_files(order->settings);
}

IN_CHILD static int syscalls(const struct program_order *order)
{
	return privileges_filter_calls(order->settings, order->inherits_filter);
}

/* setexeccon(3) without the library: it would allocate memory. */
IN_CHILD static int label(const struct program_order *order)
{
	size_t length = order->label ? strlen(order->label) + 1 : 0;
	int fd = length ? open_file("/proc/self/attr/exec", O_WRONLY | O_CLOEXEC) : -1;

	if (!length)
		return 0;
	return fd >= 0 && syscall(SYS_write, fd, order->label, length) == (long)length ? 0 : -1;
}

IN_CHILD static int user_namespace(const struct program_order *order)
{
	if (!order->jail_plan || !(order->jail_plan->clone_flags & CLONE_NEWUSER))
		return 0;
	return jail_map_identity(order->jail_plan);
}

IN_CHILD static int network(const struct program_order *order)
{
	if (!order->jail_plan || !order->jail_plan->has_no_network)
		return 0;
	return jail_enter_network(order->network >= 0 ? JAIL_NETWORK : -1);
}

/* Whether the service has this jail was tried before. */
IN_CHILD static int mounts(const struct program_order *order)
{
	struct jail_report report;

	if (!order->jail_plan)
		return 0;
	if (jail_enter(order->jail_plan, order->template >= 0 ? JAIL_MOUNTS : -1,
		       order->settings->id, &report) < 0)
		return -1;
	return close_from(3, 0);
}

/* With the user's rights, in the session's root. */
IN_CHILD static int working_directory(const struct program_order *order)
{
	return order->directory ? (int)syscall(SYS_chdir, order->directory) : 0;
}

/* The daemon ignores SIGPIPE, blocks all signals and has no handlers. */
IN_CHILD static int signals(const struct program_order *order)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;

	(void)order;
	sigemptyset(&none);
	if (sigaction(SIGPIPE, &action, NULL) < 0)
		return -1;
	return sigprocmask(SIG_SETMASK, &none, NULL);
}

IN_CHILD static int program(const struct program_order *order)
{
	return execve(order->program, order->argv, order->environment);
}

static const struct {
	const char *name;
	int (*take)(const struct program_order *order);
} steps[] = {
	{ "cgroup", cgroups },
	{ "own descriptors", own_descriptors },
	{ "new session", new_session },
	{ "pty", controlling_terminal },
	{ "keyring", keyring },
	{ "capabilities", capabilities },
	{ "nice", priority },               /* as root, like all steps before user */
	{ "out of memory", out_of_memory }, /* where /proc is still the host's */
	{ "umask", file_mask },
	{ "groups", groups },
	{ "group", group }, /* before a file is opened with these rights */
	{ "descriptors", descriptors },
	{ "label", label },
	{ "user namespace", user_namespace },
	{ "network", network },
	{ "mounts", mounts },                   /* what comes later sees the jail's files */
	{ "resource limits", resource_limits }, /* after all that may open files */
	{ "user", user },                       /* root's rights end here */
	{ "capabilities", own_capabilities },
	{ "directory", working_directory },
	{ "memory", memory },
	{ "no_new_privs", no_new_privs }, /* before the next ones, which need it */
	{ "connection", connection },
	{ "files", files },
	{ "signals", signals },
	{ "syscalls", syscalls }, /* the calls of the steps before need not be allowed */
	{ "exec", program },
};

IN_CHILD void program_steps_take(const struct program_order *order, struct program_word *word)
{
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		word->step = steps[i].name;
		if (steps[i].take(order) < 0) {
			word->failure = errno;
			word->failed_step = steps[i].name;
			_exit(1);
		}
	}
	_exit(1); /* not reached: the last step does not return */
}
